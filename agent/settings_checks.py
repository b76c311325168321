"""What is wrong with settings, though each file by itself can be read: every problem a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from itertools import combinations
from urllib.parse import urlsplit

from agent.forms.definition import FormDefinition
from agent.procedure.clocks import WAYS_OF_COUNTING
from agent.procedure.retention import LEGAL_HOLD
from agent.procedure.rules import Column, Procedure
from agent.procedure.words import Place
from agent.settings import ONE_WAY_TO_SIGN_IN, AgentSettings, DeskSettings, Settings, Watched


def problems_of(
    agent: AgentSettings | None,
    desks: Mapping[str, DeskSettings],
    procedures: Mapping[str, Procedure],
    forms: Mapping[str, FormDefinition],
) -> list[str]:
    """All that does not fit together in what could be read; of a file that could not, nothing is said."""
    problems = []
    for desk in desks.values():
        problems += _desk_problems(desk, procedures.get(desk.procedure))
    for procedure in procedures.values():
        problems += _procedure_problems(procedure) + _form_problems(procedure, forms)
    problems += _shared(desks)
    return problems + (_agent_problems(agent, desks) if agent else [])


def roles_needed(desk: DeskSettings, procedure: Procedure) -> set[str]:
    """The roles that letters of this desk go to."""
    asked = {role for step in procedure.chasing.steps for role in step.to}
    reviewers = {procedure.chasing.reviewer_role} if "reviewer" in asked else set()
    reminded = {role for clock in procedure.clocks if clock.reminder for role in clock.reminder.to}
    noted = {role for note in procedure.notes for role in note.to}
    told = set(desk.digest.to) | ((asked | reminded | noted) - {"author", "reviewer"})
    return told | reviewers | {procedure.chasing.stands_in}


def soon_missing(settings: Settings, today: date) -> list[str]:
    """What has stopped the agent's chases, or will within a quarter of a year if nobody sees to it, as
    sentences."""
    ahead = today + timedelta(days=92)
    calendars = [settings.calendar_of(desk) for desk in settings.desks.values()]
    if any(calendar.reaches(ahead) for calendar in calendars):
        return []
    over = not any(calendar.is_known(today) for calendar in calendars)
    year, comes = (today.year, "nobody is chased now") if over else (ahead.year, "nobody can be chased then")
    problem = (
        f"bank_holidays_england.json: the bank holidays of {year} are not in it, and without them "
        f"{comes}. Put the current file from gov.uk/bank-holidays into its place."
    )
    return [problem]


def missing_for_work(settings: Settings) -> list[str]:
    """What the shipped configuration leaves open and an agent at work cannot do without, as sentences."""
    tenant = settings.agent.tenant
    problems = [
        f"agent.toml: `tenant.{key}` is empty. Ask your Microsoft 365 administrator for it."
        for key, value in (("id", tenant.id), ("client", tenant.client))
        if not value
    ]
    if not tenant.signs_in_by:
        problems.append(ONE_WAY_TO_SIGN_IN)
    for desk in settings.desks.values():
        procedure = settings.procedure_of(desk)
        if desk.register.in_sharepoint and not desk.register.site:
            problems.append(f'desks/{desk.name}.toml: `register.site` is empty. It is "host:/sites/name".')
        problems += [
            f"desks/{desk.name}.toml: nobody holds the role `{role}` ({procedure.called(role)}), "
            "which letters go to."
            for role in sorted(roles_needed(desk, procedure) - {desk.roles.duty})
            if not desk.roster.holding(role)
        ]
        if not desk.roster.holding(desk.roles.duty):
            problems.append(
                f"desks/{desk.name}.toml: nobody holds the role `{desk.roles.duty}`, which is told at any "
                "hour of what may not wait: a child missing for too long, a form that cannot be read."
            )
    return problems


def _shared(desks: Mapping[str, DeskSettings]) -> list[str]:
    """Two desks with one mailbox would take each mail twice; with one register they would fight over it."""
    places = [
        (name, what, place.lower())
        for name, desk in desks.items()
        for what, place in (
            ("mailbox", desk.mailbox),
            ("register", f"{desk.register.site}/{desk.register.path}"),
            *(("register.restricted", f"{one.site}/{one.path}") for one in desk.register.apart),
        )
    ]
    return [
        f"desks/{second}.toml: `{what}` is the one of desks/{first}.toml. Each has its own."
        for (first, _, known), (second, what, place) in combinations(places, 2)
        if place == known
    ]


def _agent_problems(agent: AgentSettings, desks: Mapping[str, DeskSettings]) -> list[str]:
    problems = [] if agent.desks else ["agent.toml: `desks` names no desk. Name one of the files in desks/."]
    if agent.mode == "rehearse":
        problems += [
            "agent.toml: mode is rehearse, so `rehearse_to` has to name the address that gets the letters, "
            f"in a domain that desks/{name}.toml allows."
            for name, desk in desks.items()
            if not desk.roster.may_be_written_to(agent.rehearse_to)
        ]
    problems += [
        f"agent.toml: `{table}.{key}` is {number}. It has to be at least 1."
        for table, told in (
            ("timetable", agent.timetable),
            ("limits", agent.limits),
            ("watched", agent.watched),
        )
        for key, number in vars(told).items()
        if isinstance(number, int) and number < 1
    ]
    if agent.limits.rows_at_once_percent > 100:
        problems.append("agent.toml: `limits.rows_at_once_percent` is a share of all rows, at most 100.")
    problems += _no_time_of_day("agent.toml", {"timetable.reconcile_at": agent.timetable.reconcile_at})
    if time(1) <= agent.timetable.reconcile_at.replace(tzinfo=None) < time(2):
        problems.append(
            "agent.toml: `timetable.reconcile_at` lies between 01:00 and 02:00, an hour that is skipped or "
            "happens twice when the clocks change. Choose another."
        )
    tenant = agent.tenant
    if len(tenant.signs_in_by) > 1:
        told = " and ".join(f"`tenant.{way}`" for way in tenant.signs_in_by)
        problems.append(f"agent.toml: {told} are told. Keep the one that the agent shall sign in by.")
    problems += [
        f'agent.toml: `{key}` is "env:NAME" or "file:PATH"; no secret stands in a TOML file.'
        for key, told in (
            ("tenant.secret_from", tenant.secret_from),
            ("ledger_secret_from", agent.ledger_secret_from),
        )
        if told and not told.startswith(("env:", "file:"))
    ]
    return problems + _watched_problems(agent.watched) + _ledger_problems(agent)


def _watched_problems(watched: Watched) -> list[str]:
    problems = []
    host, _, port = watched.listen.rpartition(":")
    if watched.listen and not (host and port.isdecimal()):
        problems.append('agent.toml: `watched.listen` is an address with a port, such as "127.0.0.1:9464".')
    if watched.heartbeat and not watched.heartbeat.startswith(("https://", "http://")):
        problems.append("agent.toml: `watched.heartbeat` is an address that begins with https://.")
    return problems


def _no_time_of_day(file: str, told: Mapping[str, time]) -> list[str]:
    """A bare number is read as seconds since midnight, in UTC: nobody means that."""
    return [
        f"{file}: `{key}` has to be a time of day, written as 08:00:00, without a zone."
        for key, at in told.items()
        if at.tzinfo
    ]


def _ledger_problems(agent: AgentSettings) -> list[str]:
    try:
        url = urlsplit(agent.ledger)
    except ValueError as wrong:
        return [f"agent.toml: `ledger` is no address ({wrong}). Correct it."]
    problems = []
    if url.scheme == "sqlite" and agent.ledger_secret_from:
        problems.append("agent.toml: a ledger in a file has no password. Leave `ledger_secret_from` empty.")
    if url.password or "password" in url.query:
        problems.append(
            "agent.toml: `ledger` holds a password. Take it out, and name its place in `ledger_secret_from`."
        )
    if url.scheme not in ("sqlite", "postgresql+psycopg"):
        problems.append(
            "agent.toml: `ledger` begins with sqlite:/// (a file) or postgresql+psycopg:// (a server)."
        )
    return problems


def _desk_problems(desk: DeskSettings, procedure: Procedure | None) -> list[str]:
    name = f"desks/{desk.name}.toml"
    problems = [
        f"{name}: `folders.{place}` is missing. Name a folder."
        for place in Place
        if not desk.folders.get(place)
    ]
    if not desk.digest.to:
        problems.append(f"{name}: `digest.to` names no role, so nobody would get the weekly digest.")
    try:
        _ = desk.zone
    except (KeyError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        problems.append(f"{name}: `timezone` names no zone that is known here. Europe/London is usual.")
    problems += _no_time_of_day(name, {"digest.at": desk.digest.at})
    if not all(desk.mailbox.partition("@")):
        problems.append(f"{name}: `mailbox` is the shared inbox's address, such as n2k@trust.example.")
    people = desk.roster
    problems += [
        f"{name}: `people` number {number} has an address outside `allowed_domains`."
        for number, person in enumerate(desk.people, 1)
        if not (people.may_be_written_to(person.address) or people.has_left(person.address))
    ]
    problems += [
        f"{name}: `people` number {number} has a deputy who is not on the roster."
        for number, person in enumerate(desk.people, 1)
        if person.deputy and people.at(person.deputy) is None
    ]
    if desk.retention.days < 0:
        problems.append(f"{name}: `retention.days` is {desk.retention.days}. 0 keeps alerts for ever.")
    if desk.retention.days and procedure and not _has_column(procedure, LEGAL_HOLD):
        problems.append(
            f"{name}: `retention.days` erases what is due; procedures/{procedure.name}.toml then needs a "
            f'column with `field = "{LEGAL_HOLD}"`, in which people hold what must be kept.'
        )
    return problems


def _has_column(procedure: Procedure, name: str) -> bool:
    return any(column.field == name for column in procedure.columns)


def _procedure_problems(procedure: Procedure) -> list[str]:
    name = f"procedures/{procedure.name}.toml"
    problems = _column_problems(name, procedure.columns, ("reference",))
    if not procedure.forms:
        problems.append(f"{name}: `forms` names no form, so no alert could be read.")
    asked = procedure.question_columns
    problems += _column_problems(f"{name}: Questions sheet", asked, ("reference", "answer", "outcome"))
    problems += [
        f"{name}: clock `{rule.clock}`: `counts` is one of {', '.join(sorted(WAYS_OF_COUNTING))}."
        for rule in procedure.clocks
        if rule.counts not in WAYS_OF_COUNTING
    ]
    chasing = procedure.chasing
    hours = {"chasing.earliest": chasing.earliest, "chasing.latest": chasing.latest}
    problems += _no_time_of_day(name, {**hours, "letters.notes_at": procedure.letters.notes_at})
    clocks = {rule.clock for rule in procedure.clocks}
    beside = {other for rule in procedure.clocks if rule.reminder for other in rule.reminder.beside}
    problems += [
        f"{name}: there is no clock `{named}`, which `chasing.fast_until` or a reminder's `beside` names."
        for named in sorted(({procedure.chasing.fast_until} - {""} | beside) - clocks)
    ]
    if not any(step.unanswered == 0 for step in procedure.chasing.steps):
        problems.append(f"{name}: no chasing step has `unanswered = 0`, so nobody would be written to first.")
    if not procedure.chasing.updated_by or set(procedure.chasing.updated_by) - {"author", "reviewer"}:
        problems.append(f'{name}: `chasing.updated_by` holds "author", "reviewer" or both.')
    if procedure.conclusion not in ("confirm", "form"):
        problems.append(f'{name}: `conclusion` is "confirm" (a person concludes) or "form".')
    return problems


def _column_problems(where: str, columns: Sequence[Column], needed: Sequence[str]) -> list[str]:
    headings = [column.heading for column in columns]
    fields = [column.field for column in columns]
    return [
        *(
            f"{where}: two columns are called `{heading}`."
            for heading in sorted({heading for heading in headings if headings.count(heading) > 1})
        ),
        *(
            f"{where}: exactly one column must hold the field `{one}`."
            for one in needed
            if fields.count(one) != 1
        ),
        *(
            f"{where}: column `{column.heading}`: the owner is agent, proposed or person, "
            f"not `{column.owner}`."
            for column in columns
            if column.owner not in ("agent", "proposed", "person")
        ),
    ]


def _form_problems(procedure: Procedure, forms: Mapping[str, FormDefinition]) -> list[str]:
    """A form that prints the tick boxes of no list would silently have none."""
    lists = {category.listed for category in procedure.categories}
    return [
        f"forms/{form}.toml: `{section.title}` prints the list `{section.categories}`, "
        f"and no category in procedures/{procedure.name}.toml is `listed` there."
        for form in procedure.forms
        if form in forms
        for section in forms[form].sections
        if section.categories and section.categories not in lists
    ]
