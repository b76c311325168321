"""What stands in a cell, as text: cleaned, and compared by what it means rather than how it is spelt.

Everywhere in this room a date is `2026-03-02`, a time `2026-03-02T09:15` in the desk's own zone (seconds
only where there are some), a whole number `3`, and an empty cell "".
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from agent.procedure.rules import Column
from agent.procedure.written_dates import written_dates

LONGEST = 32_767  # characters (UTF-16) that Excel keeps in one cell
_CUT = " … [cut here: a cell holds no more]"
# What XML cannot hold, except tab and line feed: control characters, lone surrogates, non-characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
_KEY = re.compile(r"[A-Za-z0-9]{1,10}-\d{4}-\d{1,8}|\d{1,6}")  # a reference, or a question's number
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")
_WRITTEN = re.compile(
    r"(?P<day>\d{1,2})(?:[/.-](?P<month>\d{1,2})[/.-]|[ -](?P<name>[A-Za-z]{3,9})[ -])(?P<year>\d{4})"
    r"(?:,? +(?:at )?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?)?"
)
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]
_DASHES = str.maketrans("‐‑‒–—−", "------")


def clean(text: str) -> str:
    """`text` as a cell can hold it: no control characters, plain line ends, no more than 32,767 long."""
    if not text.isprintable():  # most texts are, and need no more than a look
        text = _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.strip()
    if len(text) <= LONGEST // 2 or _length(text) <= LONGEST:
        return text
    room = LONGEST - _length(_CUT)
    return text.encode("utf-16-le")[: 2 * room].decode("utf-16-le", "ignore") + _CUT


def tidy(column: Column, text: str) -> str:
    """`text` in this room's spelling for a cell of `column`; what cannot be understood stays as written."""
    text = clean(text)
    if column.format in ("date", "datetime"):
        moment = moment_in(text)
        if moment is None:
            return text
        # a day is all that is meant where only a day is asked for
        return moment_text(moment).removesuffix("T00:00" if column.format == "date" else "")
    if column.format == "number" and _NUMBER.fullmatch(text):
        return number_text(float(text))
    return text


def same(column: Column, one: str, other: str) -> bool:
    """Do two texts mean the same in a cell of `column`? Blanks, spelling of dates and numbers don't count."""
    return one == other or _meaning(column, one) == _meaning(column, other)


def _meaning(column: Column, text: str) -> str:
    return " ".join(tidy(column, text).removesuffix("T00:00").split())


def reference_key(text: str) -> str:
    """A reference as typed → as it is looked up: no blanks, plain hyphens."""
    if _KEY.fullmatch(text):  # nearly every one
        return text
    return "".join(clean(text).translate(_DASHES).split())


def shown(key: str) -> str:
    """A reference as it may stand in a sentence: whatever else people typed there stays in the sheet."""
    return key if _KEY.fullmatch(key) else "A damaged reference"


def moment_in(text: str) -> datetime | date | None:
    """A day or a time as written by the agent (ISO) or people (2/3/2026, 2nd March 2026, 2 Mar 2026 09:15);
    never guessed.

    A time that carries an offset is no answer: which wall time is meant cannot be known here.
    """
    if _ISO.fullmatch(text):
        return _iso(text)
    found = _WRITTEN.fullmatch(text)
    return _written(found) if found else _only_date(text)


def moment_text(moment: datetime | date) -> str:
    """A day or time in this room's spelling."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return moment.replace(microsecond=0).isoformat(timespec="seconds" if moment.second else "minutes")


def number_text(number: float) -> str:
    """`3.0` → `3`, `2.50` → `2.5`."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def serial(moment: datetime | date, *, since_1904: bool = False) -> float | None:
    """A day or time as a workbook counts it; None for days that Excel's calendar does not have."""
    at = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    if at < datetime(1904 if since_1904 else 1901, 1, 1):  # noqa: DTZ001 - wall time, as sheets hold it
        return None
    passed = at - _epoch(since_1904)
    return passed.days + passed.seconds / 86_400


def text_of_serial(number: float, *, since_1904: bool = False) -> str:
    """What a date cell's number says: a day, a time on a day, or (below one) a time of day."""
    if not 0 <= number < 2_958_466:  # 31 December 9999
        return number_text(number)
    at = _epoch(since_1904) + timedelta(seconds=round(number * 86_400))
    if number < 1:
        return at.strftime("%H:%M")
    return moment_text(at.date() if float(number).is_integer() else at)


def _epoch(since_1904: bool) -> datetime:
    # Excel believes in a 29 February 1900: from March 1900 on, its days count from 30 December 1899.
    return datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - wall time


def _iso(text: str) -> datetime | date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def _written(found: re.Match[str]) -> datetime | date | None:
    try:
        day = date(int(found["year"]), _month(found), int(found["day"]))
        if found["hour"] is None:
            return day
        return datetime.combine(
            day, time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
        )
    except ValueError:
        return None


def _only_date(text: str) -> date | None:
    """The day that all of a text names, in whatever way people write it; which century is not guessed."""
    found = written_dates(text) if _YEAR.search(text) else []
    whole = len(found) == 1 and not found[0].problem and (found[0].start, found[0].end) == (0, len(text))
    return found[0].value if whole else None


def _month(found: re.Match[str]) -> int:
    if found["month"]:
        return int(found["month"])
    name = found["name"].lower()
    numbers = [number for number, month in enumerate(_MONTHS, 1) if month.startswith(name)]
    if name == "sept":
        return 9
    if len(numbers) != 1:
        raise ValueError(name)
    return numbers[0]


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
