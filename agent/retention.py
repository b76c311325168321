"""At night: what is personal and has outlived its time at the desk is erased for good.

Nothing is, unless the desk's file says after how many days. The register follows in the same round.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from agent.bookkeeping import bookkeeping
from agent.desk import Desk
from agent.errors import TryAgainLater
from agent.log import logger
from agent.procedure.retention import LEGAL_HOLD, RULE, due_for_erasure, on_legal_hold
from agent.register_content import places

log = logger()


def retention(desk: Desk, now: datetime) -> int:
    """Erase what is due, in the ledger and in the register. Gives how many alerts that was.

    First the register is read, so that no hold written there meanwhile is overlooked: TryAgainLater or
    NeedsAPerson when it cannot be, and nothing was erased. What something is still under way about waits for
    another night.
    """
    days = desk.settings.retention.days
    if not days:
        return 0
    bookkeeping(desk, now)
    erased = [reference for reference in _due(desk, now) if _erase(desk, reference, now)]
    others = desk.ledger.erase_before(now - timedelta(days=days))
    if erased or others:
        log.info("retention.erased", desk=desk.name, alerts=erased, letters_and_questions=others)
        try:
            bookkeeping(desk, now)  # what is known of the register is erased with it
        finally:
            desk.ledger.make_anew()
    return len(erased)


def _due(desk: Desk, now: datetime) -> list[str]:
    alerts = desk.ledger.alerts()
    held = on_legal_hold(alerts, _noted(desk))
    beside = _told_of_with(desk, held)
    due = due_for_erasure(alerts, held, desk.settings.retention.days, now)
    return [reference for reference in due if reference not in beside]


def _noted(desk: Desk) -> set[str]:
    """The alerts beside which something stands in the column, or stood before column or row vanished."""
    heading = next(column.heading for column in desk.procedure.columns if column.field == LEGAL_HOLD)
    sheets = filter(None, (desk.ledger.sheet(place.name) for place in places(desk)))
    return {key for sheet in sheets for key, row in sheet.rows.items() if row.get(heading)}


def _told_of_with(desk: Desk, held: set[str]) -> set[str]:
    """Alerts that share a mail, a letter or a question with one on hold: with them, part of that would go."""
    together: Iterable[Iterable[str]] = [
        *(mail.alerts for mail in desk.ledger.mails()),
        *([reason.alert for reason in letter.reasons] for letter in desk.ledger.letters()),
        *(asked.question.candidates for asked in desk.ledger.questions(waiting_only=False)),
    ]
    return {one for group in together if not held.isdisjoint(group) for one in group}


def _erase(desk: Desk, reference: str, now: datetime) -> bool:
    try:
        desk.ledger.erase(reference, now, RULE)
    except TryAgainLater as wait:
        log.info("retention.waits", desk=desk.name, alert=reference, why=str(wait))
        return False
    return True
