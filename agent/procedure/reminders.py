"""Reminders of clocks: who is told of a deadline before it is over and after, each mark once.

Only the latest mark that has come is told: an outage costs one letter. An hour that a missing child is gone
does not wait for the office to open: outside hours the desk's duty role is told, and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from agent.procedure.addressing import AUTHOR, REVIEWER, Addressing
from agent.procedure.alert import Alert
from agent.procedure.chase import at_work
from agent.procedure.clocks import Clock, deadlines_of
from agent.procedure.occasion import Occasion
from agent.procedure.people import People
from agent.procedure.row import is_staff_matter
from agent.procedure.rules import Procedure, Reminder
from agent.procedure.words import Moment
from agent.procedure.working_days import Calendar

LETTER = "clock_reminder"


@dataclass(frozen=True)
class ClockReminder(Occasion):
    """One person is told of one deadline of one alert. `name` and `wording` are the clock's, `deadline` its
    end, `since` its start, `passed` whether it is over; `beside` are deadlines that belong to it."""

    name: str
    wording: str
    clause: str
    since: Moment | None
    deadline: Moment
    passed: bool
    initials: str = ""
    beside: Mapping[str, Moment] = field(default_factory=dict)


def clock_told(rule: str) -> str:
    """The clock that a reminder written by this rule tells of; "" where it is the rule of another letter."""
    kind, _, rest = rule.partition(":")
    return rest.partition(":")[0] if kind == "clock" else ""


@dataclass(frozen=True)
class Mark:
    """A moment at which a deadline is told of: `-4h` is four hours before it, `-2d` two working days."""

    name: str
    at: datetime


def reminders_due(
    alerts: Iterable[Alert],
    now: datetime,
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    *,
    not_before: datetime | None = None,
) -> tuple[ClockReminder, ...]:
    """Every reminder that is to be out at `now`. What lies before `not_before`, when the desk began, is
    history; so is a deadline that was over when the alert was adopted."""
    look = _Look(now, procedure, people, calendar, not_before or datetime.min.replace(tzinfo=UTC))
    running = (one for one in alerts if not (one.concluded or one.not_an_alert or one.provisional))
    return tuple(reminder for alert in running for reminder in look.at(alert))


def clocks_reminded_of(alert: Alert, procedure: Procedure, calendar: Calendar) -> list[Clock]:
    """The clocks of an alert that somebody is reminded of at some time or other."""
    return _reminded_of(deadlines_of(alert, procedure, calendar), alert, calendar)


def _reminded_of(clocks: Iterable[Clock], alert: Alert, calendar: Calendar) -> list[Clock]:
    """Those with a reminder that nothing has ended, and that were not over when the alert was adopted."""
    adopted = calendar.today(alert.adopted_at) if alert.adopted_at else None
    return [
        clock
        for clock in clocks
        if clock.reminder and not clock.ended and (adopted is None or clock.runs_on(adopted, calendar))
    ]


@dataclass(frozen=True)
class _Look:
    """One look at the clocks of all alerts, at one moment."""

    now: datetime
    procedure: Procedure
    people: People
    calendar: Calendar
    began: datetime

    def at(self, alert: Alert) -> Iterator[ClockReminder]:
        clocks = {clock.clock: clock for clock in deadlines_of(alert, self.procedure, self.calendar)}
        for clock in _reminded_of(clocks.values(), alert, self.calendar):
            assert clock.reminder is not None  # noqa: S101 - those without were left out
            mark = latest_mark(clock, clock.reminder, alert, self.now, self.procedure, self.calendar)
            if mark and mark.at > self.began:
                for address, role in self._told(clock.reminder, alert).items():
                    yield self._reminder(alert, clock, mark, role, address, clocks)

    def _told(self, reminder: Reminder, alert: Alert) -> dict[str, str]:
        """Addresses and roles; at any hour the duty role, where nobody else is surely at work or can be
        reached."""
        told: dict[str, str] = {}
        if at_work(self.now, self.procedure, self.calendar):
            for role in reminder.to:
                self._add(told, role, alert)
        sure = told and self.calendar.is_known(self.calendar.today(self.now))
        if reminder.any_hour and not sure:
            self._add(told, self.people.roles.duty, alert)
        return told

    def _add(self, told: dict[str, str], role: str, alert: Alert) -> None:
        """The people of a role, or their deputies. In place of a role at the desk nobody else is told."""
        addressing = Addressing(self.procedure, self.people, self.calendar.today(self.now))
        if role in (AUTHOR, REVIEWER):
            reached = [one.to for one in addressing.of(role, alert) if one.to and not one.waits]
        else:
            reached = [person for person in addressing.at_desk(role, [alert]) if person]
        for number, person in enumerate(reached, 1):
            told.setdefault(person.address, f"{role}-{number}")

    def _reminder(
        self, alert: Alert, clock: Clock, mark: Mark, role: str, address: str, clocks: Mapping[str, Clock]
    ) -> ClockReminder:
        assert clock.due is not None and clock.reminder is not None  # noqa: S101, PT018 - it runs, and is told
        return ClockReminder(
            letter=LETTER,
            to=address,
            alert=alert.reference,
            rule=f"clock:{clock.clock}:{mark.name}:{role}",
            due=self.calendar.today(mark.at),
            name=clock.name,
            wording=clock.rule,
            clause=clock.clause,
            since=self.calendar.shown(clock.start),
            deadline=clock.due,
            passed=clock.passed(self.now, self.calendar),
            initials="" if is_staff_matter(alert, self.procedure) else alert.initials,
            beside={
                other.name: other.due
                for name in clock.reminder.beside
                if (other := clocks.get(name)) and other.due is not None
            },
        )


def latest_mark(
    clock: Clock, reminder: Reminder, alert: Alert, now: datetime, procedure: Procedure, calendar: Calendar
) -> Mark | None:
    """The last mark that has come; None before the first."""
    marks = [*_first_mark(reminder, alert), *_marks(clock, reminder, now, procedure, calendar.of_the_law)]
    come = [mark for mark in marks if mark.at <= now]
    return max(come, key=lambda mark: mark.at) if come else None


def _first_mark(reminder: Reminder, alert: Alert) -> Iterator[Mark]:
    if reminder.when_known:
        yield Mark("known", alert.received_at)


def _marks(
    clock: Clock, reminder: Reminder, now: datetime, procedure: Procedure, calendar: Calendar
) -> Iterator[Mark]:
    """Before and after a moment in hours as they pass; before and after a day in working days, in the
    morning when the office opens."""
    due = clock.due
    if isinstance(due, datetime):
        for hours in (*reminder.at, *_repeated_hours(due, reminder, now)):
            yield Mark(f"{hours:+d}h", due.astimezone(UTC) + timedelta(hours=hours))
    elif due is not None:
        opens = procedure.chasing.earliest
        last = calendar.working_days_off(due, max(reminder.at))
        for days in reminder.at:
            yield Mark(f"{days:+d}d", _morning(calendar.working_days_off(due, days), opens, calendar))
        if reminder.every and now >= _morning(last, opens, calendar):
            gone = calendar.working_days_between(last, calendar.today(now)) // reminder.every * reminder.every
            if gone:
                day = calendar.working_days_off(last, gone)
                yield Mark(f"{max(reminder.at) + gone:+d}d", _morning(day, opens, calendar))


def _repeated_hours(due: datetime, reminder: Reminder, now: datetime) -> Iterator[int]:
    """After the last mark, again and again: the repetition that came last."""
    if reminder.every:
        last = max(reminder.at)
        gone = int((now - due).total_seconds() // 3600) - last
        if gone >= reminder.every:
            yield last + gone // reminder.every * reminder.every


def _morning(day: date, opens: time, calendar: Calendar) -> datetime:
    return datetime.combine(day, opens, calendar.zone)
