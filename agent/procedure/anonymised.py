"""Alerts as lines that name nobody: for what is learnt of them, and for annual reports (NCT Appendix B).

Of each only the month in which it came, its kind, and what is chosen from lists or counted. No name, no
initials, no reference, no words that anybody wrote; sorted by what it says, so that no place in the list
leads back to an alert. In a small organisation a rare matter may be recognised all the same: who passes the
list on decides whether it can be.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from agent.procedure.alert import Alert
from agent.procedure.people import People
from agent.procedure.row import row_of, within_time
from agent.procedure.rules import Column, Procedure
from agent.procedure.working_days import Calendar

OTHER = "Other"  # an answer in somebody's own words


def anonymised(
    alerts: Iterable[Alert],
    now: datetime,
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    *,
    first: date | None = None,
    last: date | None = None,
    category: str = "",
    area: str = "",
) -> list[list[str]]:
    """Headings, then a line for each alert received from `first` to `last` of this category and area."""
    chosen = [
        column for column in procedure.columns if column.field and column.format in ("choice", "number")
    ]
    lines = [
        _line(alert, row_of(alert, now, procedure, people, calendar), chosen, procedure, calendar)
        for alert in alerts
        if not (alert.not_an_alert or alert.provisional)
        and (first or date.min) <= calendar.today(alert.received_at) <= (last or date.max)
        and (not category or category in alert.categories)
        and (not area or area.casefold() in map(str.casefold, _each(alert.values.get("area", ""))))
    ]
    kind = ["Month received", "Form type", "Categories", "In time"]
    return [[*kind, *(column.heading for column in chosen)], *sorted(lines)]


def _line(
    alert: Alert, row: dict[str, str], chosen: list[Column], procedure: Procedure, calendar: Calendar
) -> list[str]:
    known = [code for code in alert.categories if procedure.category(code)]
    in_time = within_time(alert, procedure, calendar).partition(" by ")[0]
    return [
        f"{calendar.today(alert.received_at):%Y-%m}",
        procedure.form_types.get(alert.form, ""),
        ", ".join(known),
        in_time,
        *(_answer(row.get(column.field, ""), column) for column in chosen),
    ]


def _answer(value: str, column: Column) -> str:
    """Of the column's own answers those that are given, or a number; nobody's own words."""
    known = {choice.casefold(): choice for choice in column.choices}
    if column.format == "number":
        return value if value.isdecimal() else ""
    return "; ".join(dict.fromkeys(known.get(one.casefold(), OTHER) for one in _each(value)))


def _each(value: str) -> list[str]:
    """What is told of several children stands in one cell."""
    return [one.strip() for one in value.split(";") if one.strip()]
