"""Dates as staff write them in subjects and file names: day first, found where they stand, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = r"(?P<weekday>mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?[,.]?\s+"
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?P<year>'?\d{2}(?:\d{2})?)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_AS_WRITTEN = re.IGNORECASE | re.ASCII
_PATTERNS = tuple(
    re.compile(rf"(?<![\w./'])(?:{_WEEKDAY})?{body}(?![\w'])", _AS_WRITTEN)
    for body in (
        r"(?P<year>\d{4})[-./](?P<number>\d{1,2})[-./](?P<day>\d{1,2})",
        rf"{_DAY}(?:\s+of)?[\s\-_./]*{_MONTH}[\s\-_./,]*{_YEAR}(?!\s*(?:hrs?|hours?|pm|am)\b)",
        rf"{_MONTH}\s+{_DAY},?\s+(?P<year>\d{{4}})",
        r"(?P<day>\d{1,2})(?P<sep>\s*[-./_]\s*)(?P<number>\d{1,2})\s*[-./_]\s*(?P<year>\d{4}|\d{2})",
        r"(?P<compact>(?P<day>\d{2})(?P<number>\d{2})(?P<year>20\d{2}|\d{2}))",
        rf"{_DAY}(?:\s+of)?[\s\-_.]*{_MONTH}",
    )
)
# What a date in a subject is about, when the words before it say so: not when the form was written.
_NOT_ALERT = {
    "edd": r"\b(?:edd|due date|expected date of delivery|due)\W*(?:on\W+)?$",
    "born": r"\b(?:dob|d\.o\.b\.?|date of birth|born)\W*(?:on\W+)?$",
    "died": r"\b(?:dod|d\.o\.d\.?|date of death|died|dies|passed away)\b(?:\W*|[^|]{0,40}\bon\W+)$",
    "event": r"\b(?:death|incident)\b(?:\W*|[^|]{0,40}\bon\W+)$",
}
_EXPECTED = re.compile(r"\b(?:edd|unborn|due date|expected (?:date|delivery))\b")
_UNKNOWN = re.compile(
    r"(?:(?:date|time|still|currently)\s+)*"
    r"(?:(?:not|never)\s+(?:yet\s+)?(?:known|stated|applicable|available|given|provided|recorded|sure|disclosed)"
    r"|unknown|n\s*[/.]?\s*[ka]|tbc|tba|to (?:be confirmed|follow)|awaited|awaiting|don'?t know"
    r"|none|nil|-+|\?+"
    r"|(?:(?:has|have)\s+)?not\s+(?:yet\s+)?(?:been\s+)?(?:found|returned|located)|missing)"
    r"(?:\s+(?:yet|(?:at|as)\s+(?:yet|present|this (?:time|stage|point))))?\.?"
)


@dataclass(frozen=True)
class WrittenDate:
    """A date found in a text. `value` is None when it names no day that exists or no year; `weekday`
    counts from Monday, 0.

    `about` is "" or what the words before say it is: `edd`, `born`, `died`, `event`. `problem` is "",
    `date_invalid`, `date_no_year` or `weekday_mismatch`.
    """

    value: date | None
    start: int
    end: int
    about: str = ""
    problem: str = ""
    compact: bool = False
    either_way: bool = False
    day_and_month: tuple[int, int] | None = None
    weekday: int | None = None


def is_unknown(text: str) -> bool:
    """Whether a text says in so many words that the answer is not known or does not apply."""
    return _UNKNOWN.fullmatch(text.strip().casefold()) is not None


def is_expected(text: str) -> bool:
    """Whether a date of birth is told of a child who is not born yet."""
    return _EXPECTED.search(text.casefold()) is not None


def written_dates(text: str) -> list[WrittenDate]:
    """Every date in `text` (with plain hyphens: see `text.undressed`), in order."""
    taken: list[tuple[int, int]] = []
    found = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if all(match.end() <= start or match.start() >= end for start, end in taken):
                written = _written(match, text)
                if written:
                    taken.append(match.span())
                    found.append(written)
    return sorted(found, key=lambda written: written.start)


def without_dates(text: str, mark: str = " | ") -> str:
    """`text` with every date taken out and `mark` in its place."""
    parts, at = [], 0
    for written in written_dates(text):
        parts += [text[at : written.start], mark]
        at = written.end
    return "".join([*parts, text[at:]])


def _written(match: re.Match[str], text: str) -> WrittenDate | None:
    part = match.groupdict()
    day = int(part["day"])
    month = int(part["number"]) if part.get("number") else _MONTHS.index(str(part["month"])[:3].lower()) + 1
    year = _year(part.get("year"))
    value = _date(year, month, day)
    compact = bool(part.get("compact"))
    if compact and value is None:
        return None  # six digits that are no date are a number
    before = text[: match.start()]
    weekday = part.get("weekday")
    about = next((code for code, cue in _NOT_ALERT.items() if re.search(cue, before, _AS_WRITTEN)), "")
    return WrittenDate(
        value=value,
        start=match.start(),
        end=match.end(),
        about=about,
        problem=_problem(year, value, day, weekday),
        compact=compact,
        either_way=bool(part.get("sep")) and "/" in str(part["sep"]) and day <= 12 and day != month,
        day_and_month=(day, month),
        weekday=_WEEKDAYS.index(weekday[:3].lower()) if weekday else None,
    )


def _problem(year: int | None, value: date | None, day: int, weekday: str | None) -> str:
    if year is None:
        return "date_no_year" if 1 <= day <= 31 else "date_invalid"
    if value is None:
        return "date_invalid"
    if weekday and _WEEKDAYS[value.weekday()] != weekday[:3].lower():
        return "weekday_mismatch"
    return ""


def _year(text: str | None) -> int | None:
    if not text:
        return None
    number = int(text.lstrip("'"))
    return 2000 + number if number < 100 else number


def _date(year: int | None, month: int, day: int) -> date | None:
    if year is None or not 1900 <= year <= 2199:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
