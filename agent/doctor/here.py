"""What can be looked at on this machine: configuration, calendar, credential, people, letters, ledger."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

from agent.doctor.diagnosis import Diagnosis, ill, unseen, watch, well
from agent.errors import AgentError, BadConfiguration
from agent.ledger.base import UNDER_WAY
from agent.ledger_at_hand import open_ledger
from agent.letters.trial import trial_letters
from agent.letters.writer import Writer
from agent.m365.credential import credential_of
from agent.procedure.addressing import AUTHOR, REVIEWER
from agent.procedure.urgent import may_not_wait
from agent.settings import DeskSettings, Settings
from agent.settings_checks import missing_for_work, roles_needed, soon_missing

SOON = timedelta(days=30)  # a certificate is renewed by people who have holidays
TRIAL = "doctor"  # holds no desk: no desk is called so
ROOM_WANTED, ROOM_NEEDED = 2_000_000_000, 200_000_000  # bytes


def filled_in(settings: Settings) -> Iterator[Diagnosis]:
    """Whether the configuration holds what an agent at work cannot do without."""
    problems = missing_for_work(settings)
    for problem in problems:
        yield ill("configuration", problem, "Fill it in, and run `n2k doctor` again.")
    if not problems:
        desks = ", ".join(settings.desks)
        yield well(
            "configuration", f"{settings.folder} can be used; desks: {desks}; mode: {settings.agent.mode}."
        )


def calendar(settings: Settings, today: date) -> Iterator[Diagnosis]:
    """Whether the bank holidays reach far enough."""
    problems = soon_missing(settings, today)
    for problem in problems:
        said, _, remedy = problem.partition(". ")
        over = today.year > max(settings.bank_holidays).year
        yield (ill if over else watch)("bank holidays", f"{said}.", remedy)
    if not problems:
        yield well("bank holidays", f"They are known until {max(settings.bank_holidays).year}.")


def credential(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    """Whether what the agent signs in by is there, and how long a certificate is still good."""
    try:
        found = credential_of(settings.agent.tenant)
    except BadConfiguration as wrong:
        yield from (
            ill("credential", problem, "See deploy/connect.md, step 1.") for problem in wrong.problems
        )
        return
    if not found.renewed:
        yield well("credential", f"The agent signs in by {found.called}; nobody has to renew it.")
        return
    if found.until is None:
        yield watch(
            "credential",
            "A secret is there; the agent cannot see until when it is good.",
            "Prefer a certificate (`tenant.certificate`), or keep the secret's last day in a calendar.",
        )
        return
    left = found.until - now
    said = f"The certificate is good until {found.until:%d %b %Y}, {max(left.days, 0)} more days."
    renew = "Make a new certificate and upload it beside the old one: deploy/connect.md, steps 1 and 2."
    if left <= timedelta(0):
        yield ill("credential", f"The certificate ran out on {found.until:%d %b %Y}.", renew)
    elif left <= SOON:
        yield watch("credential", said, renew)
    else:
        yield well("credential", said)


def people(settings: Settings, desk: DeskSettings) -> Iterator[Diagnosis]:
    """Whether somebody holds each role that has to be copied into every alert. `filled_in` asks for those
    that letters go to."""
    procedure = settings.procedure_of(desk)
    needed = roles_needed(desk, procedure)
    copied = {rule.role for rule in procedure.must_be_copied} - needed - {AUTHOR, REVIEWER}
    unchecked = [role for role in sorted(copied) if not desk.roster.holding(role)]
    remedy = f"Name somebody in desks/{desk.name}.toml under [[people]]."
    for role in unchecked:
        said = f"Nobody holds the role `{role}` ({procedure.called(role)}): copying it in is not checked."
        yield watch("people", said, remedy, desk.name)
    if not unchecked and all(map(desk.roster.holding, needed)):
        yield well("people", f"{len(desk.people)} people hold every role that is needed.", desk.name)


def procedure(settings: Settings, desk: DeskSettings, today: date) -> Iterator[Diagnosis]:
    """Whether the procedure is past the day on which it was to be reviewed (NCT header)."""
    rules = settings.procedure_of(desk)
    said = f"{rules.title} ({rules.version}), to be reviewed by {rules.review_date:%d %b %Y}"
    if today > rules.review_date:
        yield watch(
            "procedure",
            f"{said}: that day has passed.",
            f"Confirm that its rules still hold, then set `review_date` in procedures/{rules.name}.toml.",
            desk.name,
        )
    else:
        yield well("procedure", f"{said}.", desk.name)


def letters(settings: Settings, desk: DeskSettings) -> Iterator[Diagnosis]:
    """Whether every letter can be written with the templates that are there."""
    writer = Writer(settings.templates_of(desk), settings.procedure_of(desk), desk.mailbox)
    tried = trial_letters(writer, settings.procedure_of(desk))
    problems = [problem for one in tried for problem in one.problems]
    for problem in dict.fromkeys(problems):
        yield ill("letters", problem, "Or take the template out of CONFIG/mail_templates.", desk.name)
    if not problems:
        yield well("letters", f"{len(tried)} kinds of letter can be written.", desk.name)


def ledger(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    """Whether the ledger opens, is of this version, and can be written."""
    try:
        opened = open_ledger(settings)
        try:
            opened.claim(TRIAL, TRIAL, 0)
            opened.release(TRIAL, TRIAL)
        finally:
            opened.close()
    except AgentError as wrong:
        yield ill("ledger", str(wrong), "Check `ledger` in agent.toml, and who may write there.")
        return
    yield well("ledger", "It opens, is of this version, and can be written.")


def pauses(settings: Settings) -> Iterator[Diagnosis]:
    """Whether letters rest that somebody may be waiting for. A ledger that cannot be read was told of."""
    try:
        with closing(open_ledger(settings)) as opened:
            for desk in settings.desks.values():
                of_desk = opened.desk(desk.name)
                since = of_desk.pause().since
                if since is not None:
                    procedure = settings.procedure_of(desk)
                    urgent = sum(may_not_wait(one, procedure) for one in of_desk.letters(*UNDER_WAY))
                    said = f"The desk's letters have rested since {since:%d %b %Y %H:%M} UTC"
                    said += f"; {urgent} of them may not wait." if urgent else "."
                    remedy = "Look at them with `n2k letters`; `n2k resume` lets them go."
                    yield (ill if urgent else watch)("letters at rest", said, remedy, desk.name)
    except AgentError:
        return


def disk(settings: Settings) -> Iterator[Diagnosis]:
    """Whether there is room where the ledger lies."""
    file = settings.ledger_file
    if file is None:
        yield unseen("disk", "The ledger is kept by a server; its disk is not seen from here.")
        return
    free = shutil.disk_usage(_existing(file)).free
    said = f"{free / 1e9:.1f} GB are free beside the ledger."
    remedy = "Make room, or move the ledger with `ledger` in agent.toml."
    if free < ROOM_NEEDED:
        yield ill("disk", said, remedy)
    elif free < ROOM_WANTED:
        yield watch("disk", said, remedy)
    else:
        yield well("disk", said)


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())
