"""The clocks for a person with a date in hand: what is due when, by which rule and clause."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent.errors import WrongCall
from agent.forms.dates import read_stamp
from agent.procedure.clocks import ASKED_BY, Asked, Clock, clocks_asked
from agent.procedure.rules import Procedure
from agent.procedure.words import Moment
from agent.procedure.working_days import Calendar
from agent.settings import Settings

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?Z| ?[+-]\d\d:?\d\d)?", re.IGNORECASE)
_PROBLEMS = {
    "impossible": "there is no such day",
    "several": "it holds more than one day",
    "no_year": "the year is missing",
    "unsure": "it is not certain",
    "weekday": "the weekday does not fit the date",
    "time_unclear": "the time could be meant in two ways; write it as 16:30 or 00:30",
    "expected": "it is a date still expected",
}
_INDENTED: dict[str, Any] = {"width": 100, "initial_indent": "    ", "subsequent_indent": "    "}
_NOTE = "Deadlines only: whether a matter has to be reported is for people to decide."


def deadlines(
    settings: Settings, *, procedure: str | None, told: Mapping[str, str], as_json: bool
) -> Iterator[str]:
    """Lines that tell every clock which has to do with what was `told` (option → as people write it).

    Raises WrongCall for an unknown procedure, no date at all, or dates that cannot be read, all at once.
    """
    rules, calendar = _rules(settings, procedure)
    if not told:
        raise WrongCall(
            "Give at least one date, such as `--aware 2026-03-02` or `--incident '2/3/2026 16:30'`."
        )
    read = {option: _moment(text, ASKED_BY[option], calendar.zone) for option, text in told.items()}
    wrong = [f"--{option} {told[option]}: {why}." for option, why in read.items() if isinstance(why, str)]
    if wrong:
        raise WrongCall("\n".join(wrong))
    facts = {ASKED_BY[option].fact: at for option, at in read.items() if not isinstance(at, str)}
    clocks = clocks_asked(facts, rules, calendar)
    if as_json:
        yield json.dumps([_as_json(clock, rules) for clock in clocks], ensure_ascii=False, indent=2)
    else:
        yield from _for_people(clocks, facts, rules, calendar)


def _rules(settings: Settings, name: str | None) -> tuple[Procedure, Calendar]:
    """The procedure of this name, and the calendar of a desk that works by it."""
    desks = [desk for desk in settings.desks.values() if name in (None, desk.procedure)]
    if len({desk.procedure for desk in desks}) == 1:
        return settings.procedure_of(desks[0]), settings.calendar_of(desks[0])
    known = ", ".join(sorted(settings.procedures))
    raise WrongCall(
        f"Say by which procedure with `--procedure`; there are: {known}."
        if name is None
        else f"There is no procedure `{name}`. There are: {known}."
    )


# ---------------------------------------------------------------- dates as people write them


def _moment(text: str, asked: Asked, zone: ZoneInfo) -> Moment | str:
    """A day, or a time in the desk's zone; else why it cannot be one, in words.

    A time that the clocks showed twice when they went back is the first of the two: the deadline that
    follows from it is the earlier one. Write its offset to say which (`+00:00`).
    """
    if _ISO.fullmatch(text.strip()):
        return _iso(text.strip().replace(" +", "+").replace(" Z", "Z"), asked, zone)
    stamp = read_stamp(text)
    if stamp.day is None or stamp.problem or not stamp.bare:
        return _PROBLEMS.get(stamp.problem, "it is no date; write it as 2026-03-02 or 02/03/2026 16:30")
    if stamp.time is None or asked.day_only:
        return stamp.day
    return _in_zone(datetime.combine(stamp.day, stamp.time), zone)


def _iso(text: str, asked: Asked, zone: ZoneInfo) -> Moment | str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return "there is no such time"
    local = at.astimezone(zone) if at.tzinfo else at
    if asked.day_only:
        return local.date()
    return local if at.tzinfo else _in_zone(at, zone)


def _in_zone(at: datetime, zone: ZoneInfo) -> Moment | str:
    local = at.replace(tzinfo=zone)
    if local.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) != at:
        return "there was no such time: the clocks went forward that night"
    return local


# ---------------------------------------------------------------- as JSON, and for people


def _as_json(clock: Clock, rules: Procedure) -> dict[str, Any]:
    told: dict[str, Any] = {
        "clock": clock.clock,
        "name": clock.name,
        "start": clock.start.isoformat() if clock.start else None,
        "due": clock.due.isoformat() if clock.due else None,
        "rule": clock.rule,
        "clause": clock.clause,
    }
    return {**told, "inside": clock.inside} if clock.window else told


def _for_people(
    clocks: tuple[Clock, ...], facts: Mapping[str, Moment], rules: Procedure, calendar: Calendar
) -> Iterator[str]:
    yield f"{rules.title} ({rules.version}), {rules.organisation}"
    if not clocks:
        yield "No clock starts from what was told."
    width = max((len(clock.name) for clock in clocks), default=0)
    for clock in clocks:
        yield ""
        yield f"{clock.name:<{width}}  {_said(clock.due) if clock.due else 'cannot be told'}"
        yield textwrap.fill(_sentence(clock, facts, calendar), **_INDENTED)
    yield ""
    yield _NOTE


def _sentence(clock: Clock, facts: Mapping[str, Moment], calendar: Calendar) -> str:
    rule = f"{clock.rule} (clause {clock.clause})" if clock.clause else clock.rule
    if clock.start is None:
        return f"Its start is not stated, and is never guessed. The rule: {rule}."
    known = next(asked.words for asked in ASKED_BY.values() if asked.fact == clock.since)
    if clock.due is None:
        return (
            f"Counted from {known}, {_said(clock.start)}, but {_why_not(clock, calendar)}. The rule: {rule}."
        )
    return f"Counted from {known}, {_said(clock.start)}: {rule}.{_outcome(clock, facts)}"


def _why_not(clock: Clock, calendar: Calendar) -> str:
    day = _day(clock.start) if clock.start else None
    if day and not calendar.reaches(day):
        return f"the bank holidays of {day.year} are not known"
    return "the time of day is needed" if not isinstance(clock.start, datetime) else "it leads too far ahead"


def _outcome(clock: Clock, facts: Mapping[str, Moment]) -> str:
    """What came of it, as far as the dates tell: inside a window or not, a form in time or not."""
    if clock.window:
        said = {
            True: " It lies inside.",
            False: " It lies outside.",
            None: " Whether it lies inside needs a person.",
        }
        return said[clock.inside]
    if clock.due is None or "received_at" not in facts or not clock.ended:
        return ""
    received, due = facts["received_at"], clock.due
    if not (isinstance(received, datetime) and isinstance(due, datetime)):
        received, due = _day(received), _day(due)
        if received == due:
            return " The form came on that day; its time would tell whether in time."
    return " The form came in time." if received <= due else " The form came later than that."


def _day(at: Moment) -> date:
    return at.date() if isinstance(at, datetime) else at


def _said(at: Moment) -> str:
    day = f"{at:%a} {at.day} {at:%b %Y}"
    return f"{day}, {at:%H:%M} {at.tzname()}" if isinstance(at, datetime) else day
