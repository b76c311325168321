"""Actions that a form sets somebody by a day: which are open, when they are asked about (Merton "Summary").

An action is told of by its number in the form's list and its day: what it is and whose stands on the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from agent.procedure.alert import Alert
from agent.procedure.working_days import Calendar


@dataclass(frozen=True)
class OpenAction:
    """One that nobody has said is done. `number` counts the form's list from 1."""

    number: int
    due: date


def open_actions(alert: Alert) -> tuple[OpenAction, ...]:
    """Those that have a day, the earliest first."""
    numbered = enumerate(alert.actions, 1)
    found = [OpenAction(number, one.due) for number, one in numbered if one.due and not one.done]
    return tuple(sorted(found, key=lambda one: (one.due, one.number)))


def overdue_actions(alert: Alert, today: date) -> tuple[OpenAction, ...]:
    """Those whose day is over."""
    return tuple(one for one in open_actions(alert) if one.due < today)


def asked_about_on(alert: Alert, after: int, today: date, calendar: Calendar) -> date | None:
    """The last working day up to `today` on which an open action fell due to be asked about, `after` so many
    working days; None where none did, or where news came since and nothing is to be asked that it might have
    told. `after` of 0: never."""
    days = [calendar.working_days_ahead(one.due, after) for one in open_actions(alert) if after]
    come = [day for day in days if calendar.today(alert.last_news_at) < day <= today]
    return max(come, default=None)
