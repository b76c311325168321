"""What an installation has to know about the organisation: from a file, or asked one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.configuration import read_file
from agent.errors import BadConfiguration
from agent.procedure.people import Person
from agent.procedure.rules import Procedure, Told
from agent.settings import DeskSettings, Settings
from agent.settings_checks import roles_needed

Ask = Callable[[str], str]
Say = Callable[[str], None]
SignInBy = Literal["certificate", "system", "user"]

_ADDRESS = re.compile(r"[^@\s\"'<>]+@[\w.-]+\.\w+")
_SITE = re.compile(r"[\w.-]+:/(sites|teams)/[^\s\"']+")
_TENANT = re.compile(r"[\w.-]+")
_CLIENT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Answers(Told):
    """The answers. `desk` is one of the shipped ones, and with it its procedure; `tenant` and `client` may
    still be "", as the scripts bring them out. `sign_in_by` is a certificate, or Azure's managed identity
    (`system`, or `user` for the one whose id is `client`)."""

    desk: str
    mailbox: str
    site: str
    domains: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    workbook: str = ""
    tenant: str = ""
    client: str = ""
    sign_in_by: SignInBy = "certificate"
    people: tuple[Person, ...] = ()

    @property
    def allowed_domains(self) -> tuple[str, ...]:
        """The domains that letters may go to: as told, else the mailbox's own."""
        return self.domains or (self.mailbox.rpartition("@")[2].lower(),)


def from_file(path: Path, shipped: Settings) -> Answers:
    """The answers in a TOML file. BadConfiguration with all that is wrong with them."""
    answers = read_file(path, Answers)
    problems = list(problems_of(answers, shipped))
    if problems:
        raise BadConfiguration([f"{path.name}: {problem}" for problem in problems])
    return answers


def problems_of(answers: Answers, shipped: Settings) -> list[str]:
    """What cannot be right, each a sentence."""
    wanted = [
        ("mailbox", answers.mailbox, _ADDRESS, "an address, such as n2k@trust.example"),
        ("site", answers.site, _SITE, '"host:/sites/name", such as trust.sharepoint.com:/sites/need-to-know'),
        ("tenant", answers.tenant, _TENANT, "a directory id, or a domain name of the tenant"),
        ("client", answers.client, _CLIENT, "an application (client) id"),
    ]
    problems = [
        f"`{key}`: {told or 'nothing'} is not {what}."
        for key, told, form, what in wanted
        if not form.fullmatch(told) and (told or key in ("mailbox", "site"))
    ]
    if answers.desk not in shipped.desks:
        problems.append(f"`desk` is one of {', '.join(shipped.desks)}.")
    if answers.sign_in_by == "user" and not answers.client:
        problems.append("`client`: give the client id of the managed identity.")
    problems += [
        f"`people`: {person.address} is outside {', '.join(answers.allowed_domains)}. Correct it, or add its "
        "domain to `domains`."
        for person in answers.people
        if person.address.rpartition("@")[2].lower() not in answers.allowed_domains
    ]
    return problems


def asked(ask: Ask, say: Say, shipped: Settings) -> Answers:
    """The answers of whoever sits there; what cannot be right is told and asked again."""
    say("What is not known yet may be left empty, but for the mailbox and the site.\n")
    for name, desk in shipped.desks.items():
        say(f"  {name}: {shipped.procedure_of(desk).title}")
    while True:
        answers = _round(ask, shipped)
        problems = problems_of(answers, shipped)
        if not problems:
            return answers
        for problem in problems:
            say(problem)
        say("Once more, please.\n")


def _round(ask: Ask, shipped: Settings) -> Answers:
    desk = ask(f"Which of these procedures ({', '.join(shipped.desks)})? ").strip()
    mailbox = ask("The shared mailbox's address: ").strip()
    site = ask("The SharePoint site of the register (host:/sites/name): ").strip()
    workbook = ask("The workbook's name (empty: as the procedure has it): ").strip()
    tenant = ask("The directory (tenant) id: ").strip()
    client = ask("The application (client) id: ").strip()
    by = ask("Signs in by certificate, or by managed identity (certificate, system, user): ").strip()
    of_desk = shipped.desks.get(desk)
    return Answers(
        desk=desk,
        mailbox=mailbox,
        site=site,
        workbook=workbook,
        tenant=tenant,
        client=client,
        sign_in_by=_BY.get(by, "certificate"),
        people=_people(ask, of_desk, shipped.procedure_of(of_desk)) if of_desk else (),
    )


_BY: dict[str, SignInBy] = {"system": "system", "user": "user"}


def _people(ask: Ask, desk: DeskSettings, procedure: Procedure) -> tuple[Person, ...]:
    """One person for each role; somebody named twice holds both roles."""
    people: dict[str, Person] = {}
    for role in sorted(roles_needed(desk, procedure) | {desk.roles.duty, desk.roles.support}):
        called = procedure.role_names.get(role, role.replace("_", " "))
        address = ask(f"Who is {called}? Address (empty: named later): ").strip()
        if not address:
            continue
        known = people.get(address.lower())
        name = known.name if known else ask("  and name: ").strip()
        people[address.lower()] = Person(name, address, (*(known.roles if known else ()), role))
    return tuple(people.values())
