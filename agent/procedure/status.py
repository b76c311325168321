"""The Status of an alert: one word for where it stands today."""

from __future__ import annotations

from datetime import date, datetime

from agent.procedure.alert import Alert
from agent.procedure.chase import expected_on
from agent.procedure.rules import Procedure
from agent.procedure.words import Status
from agent.procedure.working_days import Calendar


def status_of(alert: Alert, now: datetime, procedure: Procedure, calendar: Calendar) -> Status:
    """What people decided comes first, then what waits for them, then how long nothing was heard."""
    today = calendar.today(now)
    if alert.not_an_alert:
        return Status.DUPLICATE if alert.duplicate else Status.NOT_AN_ALERT
    if alert.concluded:
        return Status.CONCLUDED
    if alert.provisional:
        return Status.NOT_CONFIRMED
    if alert.held_on(today):
        return Status.ON_HOLD
    if alert.conclusion_claimed_at is not None:
        return Status.CONCLUSION_PROPOSED
    return _open(alert, today, procedure, calendar)


def _open(alert: Alert, today: date, procedure: Procedure, calendar: Calendar) -> Status:
    expected = expected_on(alert, procedure, calendar)
    if today > expected:
        return Status.UPDATE_OVERDUE
    if today == expected:
        return Status.UPDATE_DUE
    if alert.reopened_at is not None and alert.last_news_at <= alert.reopened_at:
        return Status.REOPENED
    return Status.NEW if alert.last_news_at == alert.received_at else Status.OPEN
