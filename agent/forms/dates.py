"""Days and times as staff write them, day first, to ISO. What is not certain gives no value and a reason.

"31/03/22", "31st March 2022 at 4.30pm", "Tues 5 Nov 24 0930hrs", "12 noon on 1.2.2025".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, time

from agent.procedure.written_dates import is_expected

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH_NAMES = {
    name[:length]: number for number, name in enumerate(_MONTHS, 1) for length in range(3, len(name) + 1)
}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_NAMES = {
    name[:length]: number for number, name in enumerate(_WEEKDAYS) for length in range(3, len(name) + 1)
}

EARLIEST, LATEST = 1900, 2100
_PIVOT = 70  # a year of two digits from here on is of the last century

_MONTH = (
    "(?P<month_name>jan(?:uary)?|feb(?:r(?:uary)?)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ORDINAL = "(?:st|nd|rd|th)?"
_TWO, _YEAR = r"\d{1,2}", r"(?P<year>\d{4}|\d{2})"
_HALF = r"(?P<half>[ap]\.?\s?m\b\.?)"
_UNIT = r"(?P<unit>hrs?\b|hours?\b|z\b|h\b)"
_DAYS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?=\D|$)",
        r"(?<!\d)(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})(?=\D|$)",
        # 31st of March, 22: a number after it that is a time is no year
        (
            rf"(?<![\d/&-])(?P<day>{_TWO})\s*{_ORDINAL}\s*(?:of\s+)?[-./,]?\s*{_MONTH}\b\.?,?\s*[-./']?\s*{_YEAR}?"
            r"(?![\d:.]*\d|\s*(?:am|pm|hrs|hours)\b)"
        ),
        rf"\b{_MONTH}\.?\s+(?P<day>{_TWO}){_ORDINAL},?\s+(?P<year>\d{{4}})(?!\d)",
        rf"(?<![\d/.-])(?P<day>{_TWO})\s*(?P<by>[-/.\\_])\s*(?P<month>{_TWO})\s*(?P=by)\s*{_YEAR}(?!\d|[/.-]\d)",
        rf"(?<![\d/.-])(?P<day>{_TWO})\s+(?P<month>{_TWO})\s+(?P<year>\d{{4}})(?!\d)",
    )
)
# "310322" may be a reference number: it counts only where nothing else was written
_COMPACT = re.compile(r"(?P<day>\d{2})(?P<month>\d{2})(?P<year>(?:19|20)\d{2}|\d{2})", re.ASCII)
_YEARLESS = re.compile(r"(?<![\d/.-])\d{1,2}\s*/\s*\d{1,2}(?![\d/])")
_WEEKDAY = re.compile(
    r"\b(mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday|nes)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?"
    r"|sat(?:ur(?:day)?)?|sun(?:day)?)\b\.?,?"
)

_TIMES = (
    re.compile(
        rf"(?<![\d:.])(?P<hour>{_TWO})\s*[:.h]\s*(?P<minute>\d{{2}})(?:[:.]\d{{2}}(?:\.\d+)?)?"
        rf"\s*{_HALF}?\s*{_UNIT}?(?![\d:])"
    ),
    re.compile(rf"(?<![\d:.])(?P<hour>{_TWO})\s*{_HALF}"),
    re.compile(rf"(?<![\d:.])(?P<hour>\d{{2}})(?P<minute>\d{{2}})\s*{_HALF}?\s*{_UNIT}?(?!\d)"),
)
_NOON = re.compile(r"\b(?:12\s*)?(?:noon|midday)\b")
_MIDNIGHT = re.compile(r"\b(?:12\s*)?midnight\b")
_UNSURE = re.compile(
    r"\?|\bw/[ceb]\b|\b(?:week|between|or|either|before|after|until|possibly|unclear|maybe)\b"
    rf"|\d{_ORDINAL}\s*(?:and|&|to)\s*$"
)
_DASHES, _ISO_T = re.compile(r"[‐‑‒–—−]"), re.compile(r"(?<=\d)t(?=\d\d:)")
_FILLER = re.compile(
    r"\b(?:at|on|the|of|and|time|date|approx(?:imately)?|about|around|circa|c|hrs?|hours?|gmt|bst|from|by)\b"
    r"|\([^)]*\)|[^\w]"
)


@dataclass(frozen=True)
class Stamp:
    """What a text says of a moment. `problem` is a code where it is not certain: `no_date`, `impossible`,
    `several`, `no_year`, `unsure`, `weekday`, `time_unclear`, `expected` (a date of birth to come).

    `bare` is whether there was nothing beside the moment in the text.
    """

    day: date | None = None
    time: time | None = None
    problem: str = ""
    bare: bool = True

    @property
    def iso(self) -> str:
        """`2025-03-04`, or `2025-03-04T16:30` where a time is known; "" without a day."""
        if self.day is None:
            return ""
        return self.day.isoformat() + (f"T{self.time:%H:%M}" if self.time else "")


def read_stamp(text: str) -> Stamp:
    """The one moment that `text` states. Two different days, or doubt in words, give no day."""
    rest = _plain(text)
    if is_expected(rest):
        return Stamp(problem="expected")
    days, rest, problem = _days(rest)
    if problem or len(days) != 1:
        return Stamp(
            problem=problem or ("several" if days else "no_year" if _looks_yearless(rest) else "no_date")
        )
    day = days.pop()
    if _UNSURE.search(rest.strip()):
        return Stamp(problem="unsure")
    weekdays = {_WEEKDAY_NAMES.get(found[1][:3]) for found in _WEEKDAY.finditer(rest)}
    if weekdays and weekdays != {day.weekday()}:
        return Stamp(problem="weekday")
    at, rest, problem = _time(_WEEKDAY.sub(" ", rest))
    return Stamp(day, at, problem, bare=not _FILLER.sub("", rest).strip(" _"))


def read_day(text: str) -> date | None:
    """The one day that `text` states, else None."""
    return read_stamp(text).day


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u00ad", "")
    return _ISO_T.sub(" ", _DASHES.sub("-", plain).replace("’", "'"))


def _days(text: str) -> tuple[set[date], str, str]:
    """Every day written in `text`, what is left of the text, and a problem with any of them."""
    days: set[date] = set()
    for pattern in _DAYS:
        for found in list(pattern.finditer(text)):
            if (parts := found.groupdict()).get("year") is None:
                return days, text, "no_year"
            day = _day(parts)
            if day is None:
                return days, text, "impossible"
            days.add(day)
            text = text.replace(found[0], " ", 1)
    if not days and (alone := _COMPACT.fullmatch(text.strip())):
        day = _day(alone.groupdict())
        return ({day}, "", "") if day else (days, text, "impossible")
    return days, text, ""


def _day(parts: dict[str, str | None]) -> date | None:
    year = int(parts["year"] or 0)
    if len(parts["year"] or "") == 2:
        year += 1900 if year >= _PIVOT else 2000
    named = parts.get("month_name")
    month = _MONTH_NAMES[named] if named else int(parts.get("month") or 0)
    if not EARLIEST <= year <= LATEST:
        return None
    try:
        return date(year, month, int(parts["day"] or 0))
    except ValueError:
        return None


def _looks_yearless(text: str) -> bool:
    return _YEARLESS.search(text) is not None


def _time(text: str) -> tuple[time | None, str, str]:
    """The one time in what is left; none where it could be morning or afternoon, or either of two days."""
    if _MIDNIGHT.search(text):
        return None, _MIDNIGHT.sub(" ", text), "time_unclear"
    times: set[time] = set()
    if _NOON.search(text):
        text = _NOON.sub(" ", text)
        times.add(time(12))
    for pattern in _TIMES:
        for found in list(pattern.finditer(text)):
            at = _clock(found.groupdict())
            if at is None:
                return None, text, "time_unclear"
            times.add(at)
            text = text.replace(found[0], " ", 1)
    if len(times) > 1:
        return None, text, "time_unclear"
    return (times.pop() if times else None), text, ""


def _clock(parts: dict[str, str | None]) -> time | None:
    written, half = parts["hour"] or "", (parts.get("half") or "")[:1]
    hour, minute = int(written), int(parts.get("minute") or 0)
    if half and not 1 <= hour <= 12 and not (half == "p" and 13 <= hour <= 23):
        return None
    if half == "p" and hour < 12:
        hour += 12
    elif half == "a" and hour == 12:
        hour = 0
    elif parts.get("unit") == "z" or (not half and len(written) == 1 and not parts.get("unit")):
        return None  # "4.30" may be either half of the day; "Z" is not local time
    return time(hour, minute) if hour < 24 and minute < 60 else None
