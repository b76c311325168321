"""What an automatic reply says of its writer, where it says it plainly: back when, and who stands in."""

from __future__ import annotations

import re
from datetime import date, timedelta

from agent.procedure.written_dates import WrittenDate, written_dates

MOST_READ = 4000  # characters of a reply
_NEAR = 60  # characters after a cue within which its day must end
_IGNORED_CASE = re.IGNORECASE | re.ASCII

_FILLER = (
    r"(?:[\s:,-]+(?:to|in|at|the|my|our|office|work|duty|desk|date|on|from|again|and|be|will|i|"
    r"up|including|close|of|business|am|le|dem|der|zum|einschlie(?:ss|ß)lich|next|this)\b)*[\s:,-]*"
)
_BACK = re.compile(
    r"\b(?:return(?:ing|s|ed)?|back|available again|de retour|à partir du|ab)\b" + _FILLER, re.IGNORECASE
)
_UNTIL = re.compile(
    r"\b(?:until|till|til|through|up to|away to|leave to|bis|jusqu'au|"
    r"(?:from|between|vom)\s[^.!?\n]{3,40}?\s(?:to|and|until|bis))\b" + _FILLER,
    re.IGNORECASE,
)
_INCLUDED = re.compile(r"^[\s(,]*(?:inclusive|incl\b|einschl)", re.IGNORECASE)
_INCLUDING = re.compile(r"including|inclusive|einschl|through", re.IGNORECASE)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_NUMBERS = re.compile(r"(?P<day>\d{1,2})[./](?P<month>\d{1,2})(?![\w/]|\.\d)", _IGNORED_CASE)
_DAY_ONLY = re.compile(
    rf"(?:{_WEEKDAY}\b[,\s]*)?(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)\b", _IGNORED_CASE
)
_WEEKDAY_ONLY = re.compile(rf"{_WEEKDAY}\b", _IGNORED_CASE)
_TOMORROW = re.compile(r"tomorrow\b", _IGNORED_CASE)


def return_date(text: str, today: date) -> date | None:
    """The day on which the writer says they are back, when they say just one, plainly.

    What they say of their return counts before the end of their absence. A day without a month or year is
    the next such day after `today`; one in the past, or more than a year ahead, is not believed.
    """
    said = text[:MOST_READ]
    for cue in (_BACK, _UNTIL):
        days = {found for match in cue.finditer(said) if (found := _day_after(match, said, today))}
        if days:
            return days.pop() if len(days) == 1 else None
    return None


def _day_after(cue: re.Match[str], said: str, today: date) -> date | None:
    """The day that stands right behind a cue; the day after it where that one is still spent away."""
    rest = said[cue.end() : cue.end() + _NEAR]
    found, end = _day_at(rest, today)
    included = _INCLUDED.match(rest[end:]) or _INCLUDING.search(cue[0])
    return found + timedelta(days=1) if found and included and cue.re is _UNTIL else found


def _day_at(rest: str, today: date) -> tuple[date | None, int]:
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


# --- who stands in ---------------------------------------------------------------------------------

_TURN_TO = re.compile(
    r"\b(?:contact|call|e-?mail|phone|ring|speak (?:to|with)|get in touch with|refer (?:them |it )?to|"
    r"direct (?:\w+ ){0,3}to|forward (?:\w+ ){0,3}to|covering for me is|covered by|deputy is|"
    r"(?:wenden sie sich|kontaktieren sie)(?: bitte)?(?: an)?|(?:veuillez )?contacter)\s+"
    r"(?P<who>(?:[^.!?;\n]|\.(?=\w)){3,160})",
    re.IGNORECASE,
)
_COVERING = re.compile(
    r"(?P<who>[^.!?;\n]{3,80}?)\s+(?:is|will be) (?:covering (?:for me|my)|deputi[sz]ing|standing in)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_WORD = r"[A-Z][a-zA-Z'’-]*[a-z][a-zA-Z'’-]*"
_NAME = re.compile(rf"(?<![\w@.'-]){_WORD}(?: {_WORD}){{1,3}}(?![\w@])")
_NO_NAME = frozenset(
    ["i", "please", "if", "for", "in", "my", "the", "kind", "best", "regards", "monday", "friday", "dear"]
)


def deputy(text: str) -> str:
    """Who is to be turned to meanwhile: `Jane Doe <jane.doe@trust.example>`, a name or an address.

    "" where nobody is named so, or more than one person is.
    """
    told = [
        _person(match["who"]) for cue in (_TURN_TO, _COVERING) for match in cue.finditer(text[:MOST_READ])
    ]
    names = {name for named, _ in told for name in named}
    addresses = {address for _, written in told for address in written}
    if len(addresses) > 1 or len(names) > 1:
        return ""
    name, address = next(iter(names), ""), next(iter(addresses), "")
    return f"{name} <{address}>" if name and address else name or address


def _person(who: str) -> tuple[list[str], list[str]]:
    """The names and the addresses in a few words."""
    names = [name for name in _NAME.findall(who) if name.split()[0].lower() not in _NO_NAME]
    return names, [address.lower().rstrip(".") for address in _ADDRESS.findall(who)]
