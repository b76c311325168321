"""What an installation has to know about the organisation: from a file, or asked one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from agent.configuration import read_file
from agent.errors import BadConfiguration
from agent.procedure.people import Person
from agent.procedure.rules import Procedure, Told
from agent.settings import DeskSettings, Settings
from agent.settings_checks import roles_needed

Ask = Callable[[str], str]
Say = Callable[[str], None]
Put = Callable[[str, Callable[[str], list[str]]], str]
SignInBy = Literal["certificate", "system", "user"]

_FORMS = {
    "mailbox": (r"[^@\s\"'<>]+@[\w.-]+\.\w+", "an address, such as n2k@trust.example"),
    "site": (
        r"[\w.-]+:/(sites|teams)/[^\s\"']+",
        '"host:/sites/name", such as trust.sharepoint.com:/sites/need-to-know',
    ),
    "domains": (r"[\w-]+(\.[\w-]+)+", "a domain, such as trust.example"),
    "tenant": (r"[\w.-]+", "a directory id, or a domain name of the tenant"),
    "client": (r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "an application (client) id"),
}


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
        return tuple(map(str.lower, self.domains)) or (_domain_of(self.mailbox),)


def from_file(path: Path, shipped: Settings) -> Answers:
    """The answers in a TOML file. BadConfiguration with all that is wrong with them."""
    answers = read_file(path, Answers)
    problems = list(problems_of(answers, shipped))
    if problems:
        raise BadConfiguration([f"{path.name}: {problem}" for problem in problems])
    return answers


def problems_of(answers: Answers, shipped: Settings) -> list[str]:
    """What cannot be right, each a sentence."""
    problems = _not_among("desk", tuple(shipped.desks), answers.desk)
    problems += _misshapen("mailbox", answers.mailbox, needed=True)
    problems += _misshapen("site", answers.site, needed=True)
    problems += [problem for domain in answers.domains for problem in _misshapen("domains", domain)]
    problems += _misshapen("tenant", answers.tenant)
    problems += _misshapen("client", answers.client, needed=answers.sign_in_by == "user")
    return problems + [
        problem
        for person in answers.people
        for problem in _out_of_reach(answers.allowed_domains, person.address)
    ]


def _misshapen(key: str, told: str, *, needed: bool = False) -> list[str]:
    form, what = _FORMS[key]
    if re.fullmatch(form, told) or not (told or needed):
        return []
    return [f"`{key}`: {told or 'nothing'} is not {what}."]


def _not_among(key: str, choices: Sequence[str], told: str) -> list[str]:
    return [] if told in choices else [f"`{key}` is one of {', '.join(choices)}."]


def _domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _out_of_reach(domains: Sequence[str], address: str) -> list[str]:
    if _domain_of(address) in domains:
        return []
    remedy = "Correct it, or add its domain to `domains`."
    return [f"`people`: {address} is outside {', '.join(domains)}. {remedy}"]


def asked(ask: Ask, say: Say, shipped: Settings) -> Answers:
    """The answers of whoever sits there; one that cannot be right is told and asked for again at once."""

    def put(question: str, wrong: Callable[[str], list[str]]) -> str:
        while problems := wrong(told := ask(question).strip()):
            for problem in problems:
                say(problem)
        return told

    say("What is not known yet may be left empty, but for the mailbox and the site.\n")
    for name, shipped_desk in shipped.desks.items():
        say(f"  {name}: {shipped.procedure_of(shipped_desk).title}")
    desks = tuple(shipped.desks)
    desk = put(f"Which of these procedures ({', '.join(desks)})? ", partial(_not_among, "desk", desks))
    mailbox = put("The shared mailbox's address: ", partial(_misshapen, "mailbox", needed=True))
    domains = put(
        f"Domains that letters may go to (empty: {_domain_of(mailbox)}): ",
        lambda told: [problem for domain in _words(told) for problem in _misshapen("domains", domain)],
    )
    site = put(
        "The SharePoint site of the register (host:/sites/name): ", partial(_misshapen, "site", needed=True)
    )
    workbook = ask("The workbook's name (empty: as the procedure has it): ").strip()
    tenant = put("The directory (tenant) id: ", partial(_misshapen, "tenant"))
    by = _sign_in_by(put)
    client = put("The application (client) id: ", partial(_misshapen, "client", needed=by == "user"))
    answers = Answers(desk, mailbox, site, _words(domains), (), workbook, tenant, client, by)
    of_desk = shipped.desks[desk]
    people = _people(put, of_desk, shipped.procedure_of(of_desk), answers.allowed_domains)
    return replace(answers, people=people)


def _sign_in_by(put: Put) -> SignInBy:
    ways: tuple[SignInBy, ...] = get_args(SignInBy)
    question = (
        f"Signs in by certificate, or by Azure's managed identity ({', '.join(ways)}; empty: {ways[0]}): "
    )
    told = put(question, lambda told: _not_among("sign_in_by", ways, told or ways[0]))
    return next((way for way in ways if way == told), ways[0])


def _words(told: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\s,]+", told))


def _people(put: Put, desk: DeskSettings, procedure: Procedure, domains: Sequence[str]) -> tuple[Person, ...]:
    """One person for each role; somebody named twice holds both roles."""
    people: dict[str, Person] = {}
    for role in sorted(roles_needed(desk, procedure) | {desk.roles.duty, desk.roles.support}):
        address = put(
            f"Who is {procedure.called(role)}? Address (empty: named later): ",
            lambda told: _out_of_reach(domains, told) if told else [],
        )
        if not address:
            continue
        known = people.get(address.lower())
        name = known.name if known else put("  and name: ", _nameless)
        people[address.lower()] = Person(name, address, (*(known.roles if known else ()), role))
    return tuple(people.values())


def _nameless(told: str) -> list[str]:
    return [] if told else ["`people`: the name cannot be left empty."]
