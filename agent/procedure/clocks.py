"""Clocks: deadlines computed from recorded facts. A start that nobody stated is never guessed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from agent.procedure.alert import Alert, moment
from agent.procedure.rules import ClockRule, Procedure, Reminder
from agent.procedure.words import Moment
from agent.procedure.working_days import Calendar

Fact = Moment | str | None
Facts = Mapping[str, Fact]

_FEBRUARY_29 = (2, 29)


@dataclass(frozen=True)
class Asked:
    """A fact that a person may tell to ask about clocks: its name in the rules, and what it is, in words."""

    fact: str
    words: str
    day_only: bool = False


ASKED_BY: Mapping[str, Asked] = {
    "aware": Asked("aware_at", "when the organisation became aware"),
    "incident": Asked("incident_at", "when the incident happened"),
    "form-received": Asked("received_at", "when the form was received"),
    "missing-since": Asked("missing_since", "the time from which the child is missing"),
    "notified": Asked("panel_notified_on", "the day the National Panel was notified", day_only=True),
    "dob": Asked("dob", "the date of birth", day_only=True),
    "died": Asked("date_of_death", "the day of death", day_only=True),
    "yjs-end": Asked("yos_ended", "the day youth justice supervision ended", day_only=True),
    "nscp-notified": Asked("nscp_notified_on", "when the safeguarding partnership was notified"),
}


@dataclass(frozen=True)
class Clock:
    """One deadline. `due` is the last day, or the last moment in the desk's own zone.

    `since` names the fact that started it. `start` and `due` are None when nobody stated a start, or
    when it lies in years whose bank holidays are not known. A `window` only bounds: `inside` says whether
    what happened lies within it, None when that is not known or needs a person.
    """

    clock: str
    name: str
    start: Moment | None
    due: Moment | None
    rule: str
    clause: str
    since: str = ""
    inside: bool | None = None
    ended: bool = False
    strictly: bool = False
    window: bool = False
    reminder: Reminder | None = None

    def passed(self, now: datetime, calendar: Calendar) -> bool:
        """Whether the deadline is over and nothing has ended the clock: a day once it is over, a moment
        when it has come ("24 hours or more") or, `strictly`, once it has gone ("more than 48 hours")."""
        if self.due is None or self.ended:
            return False
        if isinstance(self.due, datetime):
            return now > self.due if self.strictly else now >= self.due
        return calendar.today(now) > self.due

    def runs_on(self, day: date, calendar: Calendar) -> bool:
        """Whether the clock has a deadline that is not over on this day, and nothing ended it."""
        if self.due is None or self.ended:
            return False
        return day <= _day(self.due, calendar)


def clocks_of(facts: Facts, rules: tuple[ClockRule, ...], calendar: Calendar) -> tuple[Clock, ...]:
    """Every clock of `rules` as these facts set it, in the order of the rules.

    The office's own closed days move no deadline.
    """
    return tuple(_clock(rule, facts, calendar.of_the_law) for rule in rules)


def clock_of(
    name: str,
    facts: Facts,
    procedure: Procedure,
    calendar: Calendar,
    categories: Collection[str] | None = None,
) -> Clock | None:
    """The procedure's clock of this name: by the first of its rules that runs for these `categories` (any,
    where none are told) and has a known start, else by the last. None when it has none such."""
    named = (rule for rule in procedure.clocks if rule.clock == name)
    rules = tuple(rule for rule in named if categories is None or _runs_for(rule, categories))
    clocks = clocks_of(facts, rules, calendar)
    return next((clock for clock in clocks if clock.due is not None), clocks[-1] if clocks else None)


def clocks_asked(facts: Facts, procedure: Procedure, calendar: Calendar) -> tuple[Clock, ...]:
    """The clocks that these facts start or fall into, one of each name: what a person with a date in hand is
    told. A window whose start is not among the facts is there, too, without a day."""
    touched = {
        rule.clock: rule
        for rule in reversed(procedure.clocks)
        if rule.only != "alerts" and any(facts.get(name) is not None for name in (*rule.starts, rule.inside))
    }
    found = (clock_of(name, facts, procedure, calendar) for name in reversed(touched))
    return tuple(clock for clock in found if clock is not None)


def deadlines_of(alert: Alert, procedure: Procedure, calendar: Calendar) -> tuple[Clock, ...]:
    """The clocks that run for this alert: those of its categories whose start is known. No windows.

    Of several rules for one clock it is the first that nothing ended yet, else the first.
    """
    rules = tuple(
        rule
        for rule in procedure.clocks
        if not rule.inside and rule.only != "asking" and _runs_for(rule, alert.categories)
    )
    running = [
        clock for clock in clocks_of(facts_of(alert, procedure), rules, calendar) if clock.due is not None
    ]
    shown: dict[str, Clock] = {}
    for clock in running:
        if clock.clock not in shown or (shown[clock.clock].ended and not clock.ended):
            shown[clock.clock] = clock
    return tuple(clock for clock in running if clock is shown[clock.clock])


def _runs_for(rule: ClockRule, categories: Collection[str]) -> bool:
    named = not rule.categories or not set(rule.categories).isdisjoint(categories)
    return named and set(rule.unless).isdisjoint(categories)


def facts_of(alert: Alert, procedure: Procedure) -> dict[str, Fact]:
    """What an alert tells that can start or end a clock, by name. A value that is no moment is told as it
    stands; one that says that nothing is decided yet is none."""
    undecided = {word.casefold() for word in ("", *procedure.undecided)}
    return {
        **{
            name: moment(value) or value
            for name, value in alert.values.items()
            if value.casefold() not in undecided
        },
        "received_at": alert.received_at,
        "missing_form_at": alert.received_at if alert.form in procedure.missing_forms else None,
        "last_update_at": alert.last_update_at,
        "incident_at": alert.incident_at,
        "aware_at": alert.aware_at,
        "missing_since": alert.missing_since,
        "returned_at": alert.returned_at,
    }


def _clock(rule: ClockRule, facts: Facts, calendar: Calendar) -> Clock:
    since = next((name for name in rule.starts if isinstance(facts.get(name), date)), "")
    said_so = all(facts.get(name) in (None, wanted) for name, wanted in rule.given.items())
    start = _moment(facts.get(since)) if said_so else None
    due = _due(rule, start, calendar) if start is not None else None
    return Clock(
        clock=rule.clock,
        name=rule.name,
        start=start,
        due=due,
        rule=rule.rule,
        clause=rule.clause,
        since=since,
        window=bool(rule.inside),
        reminder=rule.reminder,
        inside=_inside(rule, start, due, facts, calendar),
        strictly=rule.strictly,
        ended=any(facts.get(name) is not None for name in rule.ends),
    )


def _due(rule: ClockRule, start: Moment, calendar: Calendar) -> Moment | None:
    """None where counting would leave the years that are known: a mistyped year stops nothing else."""
    try:
        return _COUNTS[rule.counts](start, rule.length, calendar)
    except (ValueError, OverflowError):
        return None


def _hours(start: Moment, length: int, calendar: Calendar) -> Moment | None:
    """As time passes, not as clocks on the wall show it. A mere day starts at nobody knows what hour."""
    if not isinstance(start, datetime):
        return None
    return calendar.local(calendar.local(start).astimezone(UTC) + timedelta(hours=length))


def _days(start: Moment, length: int, calendar: Calendar) -> Moment:
    """So many times 24 hours from a time; from a mere day, the end of the last day."""
    if isinstance(start, datetime):
        return calendar.local(calendar.local(start).astimezone(UTC) + timedelta(days=length))
    return datetime.combine(start + timedelta(days=length), time(23, 59, 59), calendar.zone)


def _working_days_from(start: Moment, length: int, calendar: Calendar) -> Moment | None:
    """Day One is the start itself, or the next working day."""
    day = _day(start, calendar)
    if not calendar.reaches(day):
        return None
    one = calendar.on_or_after(day)
    return one if length == 1 else calendar.add_working_days(one, length - 1)


def _working_days_after(start: Moment, length: int, calendar: Calendar) -> Moment | None:
    """The start is day 0."""
    day = _day(start, calendar)
    return calendar.add_working_days(day, length) if calendar.reaches(day) else None


def _days_after(start: Moment, length: int, calendar: Calendar) -> Moment:
    """The day after the start is day 1."""
    return _day(start, calendar) + timedelta(days=length)


def _day_before_birthday(start: Moment, length: int, calendar: Calendar) -> Moment:
    return birthday(_day(start, calendar), length) - timedelta(days=1)


_COUNTS: dict[str, Callable[[Moment, int, Calendar], Moment | None]] = {
    "hours": _hours,
    "days": _days,
    "working_days_from": _working_days_from,
    "working_days_after": _working_days_after,
    "days_after": _days_after,
    "day_before_birthday": _day_before_birthday,
}
WAYS_OF_COUNTING = frozenset(_COUNTS)


def birthday(born: date, age: int) -> date:
    """The day on which somebody reaches this age; born on 29 February, on 1 March of a common year."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def _inside(
    rule: ClockRule, start: Moment | None, due: Moment | None, facts: Facts, calendar: Calendar
) -> bool | None:
    """None also where a person has to say: born on 29 February, which day counts in a common year? And
    nobody dies before being born. What happened before supervision ended lies inside (NCT 2.2)."""
    happened = _moment(facts.get(rule.inside))
    if happened is None or start is None or due is None:
        return None
    first, last, day = (_day(known, calendar) for known in (start, due, happened))
    if rule.counts == "day_before_birthday" and (day < first or (first.month, first.day) == _FEBRUARY_29):
        return None
    return day <= last


def _day(at: Moment, calendar: Calendar) -> date:
    return calendar.today(at) if isinstance(at, datetime) else at


def _moment(fact: Fact) -> Moment | None:
    """A text ends a clock, but starts none."""
    return fact if isinstance(fact, date) else None
