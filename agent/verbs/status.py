"""What stands in the ledger now, in a few lines for the person who runs the agent. No names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from agent.ledger.base import UNDER_WAY, DeskLedger, LetterState
from agent.ledger_at_hand import ledger_at_hand
from agent.procedure.rules import Procedure
from agent.procedure.swept import Swept
from agent.procedure.urgent import may_not_wait
from agent.settings import Settings
from agent.settings_checks import soon_missing


def status(settings: Settings, today: date) -> Iterator[str]:
    """A few lines for each desk, and what stops the agent's work, or soon will. NeedsAPerson when the agent
    has not been at work yet."""
    with ledger_at_hand(settings) as ledger:
        for name, desk in settings.desks.items():
            yield from lines_of(ledger.desk(name), settings.procedure_of(desk))
    yield from soon_missing(settings, today)


def lines_of(ledger: DeskLedger, procedure: Procedure) -> Iterator[str]:
    """How one desk stands."""
    alerts = ledger.alerts().values()
    concluded = sum(alert.concluded for alert in alerts)
    dismissed = sum(alert.not_an_alert for alert in alerts)
    letters = Counter(letter.state for letter in ledger.letters())
    sheet = ledger.sheet()
    began = ledger.began_at()
    yield f"Desk {ledger.desk}"
    yield f"  at work since    {began:%d %b %Y %H:%M} UTC" if began else "  at work since    not yet"
    yield f"  alerts           {len(alerts) - concluded - dismissed} open, {concluded} concluded"
    yield f"  mails            {len(ledger.mails())} dealt with, {len(ledger.waiting())} waiting"
    swept = ledger.swept()
    yield f"  against mailbox  {_said_of(swept)}" if swept else "  against mailbox  not yet compared"
    yield f"  not yet filed    {len(ledger.to_file())}"
    yield f"  questions        {len(ledger.questions())} waiting for a person"
    yield "  letters          " + (
        ", ".join(f"{letters[state]} {_SAID[state]}" for state in LetterState if letters[state]) or "none"
    )
    pause = ledger.pause()
    if pause.since:
        by = "the agent stopped: unusually many at once" if pause.too_many else "at a person's word"
        yield f"  LETTERS REST     since {pause.since:%d %b %Y %H:%M} UTC, {by}; `n2k resume` lets them go"
        urgent = sum(may_not_wait(letter, procedure) for letter in ledger.letters(*UNDER_WAY))
        yield f"  of which urgent  {urgent}" + (": see to them by telephone" if urgent else "")
    yield (
        f"  register         {len(sheet.rows)} {'row' if len(sheet.rows) == 1 else 'rows'} written"
        if sheet
        else "  register         not yet written"
    )
    stuck = ledger.kept().stuck_since
    if stuck:
        yield f"  REGISTER STUCK   since {stuck:%d %b %Y %H:%M} UTC it cannot be kept; `n2k doctor` looks why"
    unread = ledger.kept().mailbox_stuck_since
    if unread:
        yield f"  MAILBOX STUCK    since {unread:%d %b %Y %H:%M} UTC no mails come in; `n2k doctor` looks why"


def _said_of(swept: Swept) -> str:
    found = f"{swept.at:%d %b %Y %H:%M} UTC, {swept.mails} mails there: {swept.unaccounted} unaccounted for"
    more = {"had been missed": swept.missed, "moved or deleted by people": swept.elsewhere}
    return ", ".join([found, *(f"{number} {words}" for words, number in more.items() if number)])


_SAID = {
    LetterState.IN_TRAY: "in the tray",
    LetterState.DRAFTED: "in Drafts",
    LetterState.SENDING: "being sent, to be confirmed",
    LetterState.POSTED: "posted",
    LetterState.WITHDRAWN: "withdrawn",
    LetterState.HELD: "held for a person",
    LetterState.DROPPED: "dropped by a person",
}
