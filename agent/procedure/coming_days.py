"""A day of the near future, as people say it: "Monday 6th", "06/04", "tomorrow". Never guessed."""

from __future__ import annotations

import re
from datetime import date, timedelta

from agent.procedure.written_dates import WrittenDate, written_dates

_IGNORED_CASE = re.IGNORECASE | re.ASCII
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_NUMBERS = re.compile(r"(?P<day>\d{1,2})[./](?P<month>\d{1,2})(?![\w/]|\.\d)", _IGNORED_CASE)
_DAY_ONLY = re.compile(
    rf"(?:{_WEEKDAY}\b[,\s]*)?(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)\b", _IGNORED_CASE
)
_WEEKDAY_ONLY = re.compile(rf"{_WEEKDAY}\b", _IGNORED_CASE)
_TOMORROW = re.compile(r"tomorrow\b", _IGNORED_CASE)


def day_at(rest: str, today: date) -> tuple[date | None, int]:
    """The day with which `rest` begins, and where its words end; None and 0 where it begins with none.

    What is not said of it (year, month) makes it the next such day from `today`; one in the past, more than
    a year ahead, or on another weekday than was said is not believed.
    """
    written = next((one for one in written_dates(rest) if one.start == 0), None)
    if written:
        return _coming(written, today), written.end
    if numbers := _NUMBERS.match(rest):
        return _next_of(int(numbers["day"]), int(numbers["month"]), None, today), numbers.end()
    if only := _DAY_ONLY.match(rest):
        return _in_coming_months(int(only["day"]), only["weekday"], today), only.end()
    if weekday := _WEEKDAY_ONLY.match(rest):
        days = (_number_of(weekday["weekday"]) - today.weekday() - 1) % 7 + 1
        return today + timedelta(days=days), weekday.end()
    if tomorrow := _TOMORROW.match(rest):
        return today + timedelta(days=1), tomorrow.end()
    return None, 0


def _coming(written: WrittenDate, today: date) -> date | None:
    if written.problem == "weekday_mismatch":
        return None
    if written.value is not None:
        return written.value if 0 <= (written.value - today).days <= 366 else None
    if written.day_and_month is None or written.problem != "date_no_year":
        return None
    return _next_of(*written.day_and_month, written.weekday, today)


def _next_of(day: int, month: int, weekday: int | None, today: date) -> date | None:
    """The next such day; None where it is no day, or falls on another weekday than was said."""
    nexts = (_date(year, month, day) for year in (today.year, today.year + 1))
    back = next((found for found in nexts if found is not None and found >= today), None)
    return back if back is not None and weekday in (None, back.weekday()) else None


def _in_coming_months(day: int, weekday: str | None, today: date) -> date | None:
    """`Monday 6th`: this month's or next month's, and with a weekday it must be one."""
    following = today.month % 12 + 1
    months = ((today.year, today.month), (today.year + (following == 1), following))
    found = (_date(year, month, day) for year, month in months)
    back = next((one for one in found if one is not None and one >= today), None)
    fits = back is not None and (weekday is None or back.weekday() == _number_of(weekday))
    return back if fits else None


def _number_of(weekday: str) -> int:
    return _DAYS.index(weekday[:3].lower())


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
