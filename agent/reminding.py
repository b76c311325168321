"""Step 3 besides chases: receipts for first forms, reminders of clocks, notes, and what may not wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agent.desk import Desk
from agent.laying import lay
from agent.ledger.base import Reason
from agent.procedure import notes, receipts, reminders, urgent
from agent.procedure.alert import Alert
from agent.procedure.alerts import Alerts
from agent.procedure.occasion import Occasion

KINDS = frozenset(
    {receipts.ACKNOWLEDGEMENT, receipts.RETURNED_FORM, reminders.LETTER, urgent.LETTER, notes.LETTER}
)


def reminding(desk: Desk, now: datetime) -> int:
    """Lay each of these letters that is due, all of a kind to a person as one; gives how many were laid."""
    gathered: dict[tuple[str, str], list[Occasion]] = {}
    wanted = occasions(desk, now)
    written = desk.ledger.written_for({why_written(occasion) for occasion in wanted})
    for occasion in wanted:
        if why_written(occasion) not in written:
            gathered.setdefault((occasion.letter, occasion.to), []).append(occasion)
    return sum(_lay(desk, kind, to, about, now) for (kind, to), about in gathered.items())


def occasions(desk: Desk, now: datetime) -> list[Occasion]:
    """Every letter that the rules want at this moment, whether or not it exists. Only those alerts are looked
    at that any can be about: what has ended, or came long ago, is not."""
    alerts, questions = desk.ledger.alerts(), desk.ledger.questions()
    rules, began = (desk.procedure, desk.addressees, desk.calendar), desk.ledger.began_at()
    labels = {form.name: {field.name: field.label for field in form.mandatory()} for form in desk.forms}
    fresh = alerts.told_of_since(now - timedelta(hours=desk.procedure.letters.receipt_hours))
    return [
        *urgent.urgent_due(questions, alerts, now, *rules),
        *reminders.reminders_due(_with_reminders(desk, alerts), now, *rules, not_before=began),
        *notes.notes_due(alerts.told_of_since(now - notes.FRESH), now, *rules, not_before=began),
        *receipts.acknowledgements_due(fresh, questions, now, *rules, labels, not_before=began),
        *receipts.returned_forms_due(alerts, questions, now, *rules, not_before=began),
    ]


def _with_reminders(desk: Desk, alerts: Alerts) -> list[Alert]:
    """The open alerts with a clock that people are reminded of: which they are changes with the alert."""
    rules = desk.procedure, desk.calendar
    have = desk.reminded.of_each(
        alerts.open, rules, lambda alert: bool(reminders.clocks_reminded_of(alert, *rules))
    )
    return [alert for alert, has_one in zip(alerts.open, have, strict=True) if has_one]


def why_written(occasion: Occasion) -> Reason:
    return Reason(occasion.alert, occasion.rule, occasion.due)


def _lay(desk: Desk, kind: str, to: str, about: Sequence[Occasion], now: datetime) -> bool:
    return lay(
        desk,
        kind,
        to=to,
        reasons=[why_written(one) for one in about],
        now=now,
        write=lambda mark: desk.writer.compose(kind, mark, about=about),
    )
