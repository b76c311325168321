"""What may not wait: a question that may hide an alert, or a mail that may have gone to the wrong people.

A letter, reference only, goes at once to those who have to look, and again at fixed hours until somebody
answers. Outside the office's hours it goes again to the duty role alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from agent.procedure.addressing import Addressing
from agent.procedure.alert import Alert
from agent.procedure.chase import at_work
from agent.procedure.occasion import Asked, Occasion
from agent.procedure.people import People, Person
from agent.procedure.reminders import Mark, clock_told
from agent.procedure.rules import Procedure
from agent.procedure.working_days import Calendar

LETTER = "urgent_question"


@dataclass(frozen=True)
class UrgentQuestion(Occasion):
    """One person is told that a question waits. `why` is its sentence, without names; `breach` says that
    data may have gone where they should not."""

    number: int
    why: str
    breach: bool
    asked_at: datetime
    alerts: tuple[str, ...]


class Ruled(Protocol):
    """Why a letter exists: the rule alone."""

    @property
    def rule(self) -> str: ...


class Laid(Protocol):
    """A letter, as the ledger keeps it."""

    @property
    def kind(self) -> str: ...
    @property
    def reasons(self) -> Sequence[Ruled]: ...


def may_not_wait(letter: Laid, procedure: Procedure) -> bool:
    """Whether a letter is for any hour: a question that may hide an alert, or a clock that runs in hours."""
    clocks = {one.clock for one in procedure.clocks if one.reminder and one.reminder.any_hour}
    return letter.kind == LETTER or any(clock_told(one.rule) in clocks for one in letter.reasons)


def urgent_due(
    questions: Iterable[Asked],
    alerts: Mapping[str, Alert],
    now: datetime,
    procedure: Procedure,
    people: People,
    calendar: Calendar,
) -> tuple[UrgentQuestion, ...]:
    """Every such letter that is to be out at `now`. `questions` are those that wait for an answer."""
    look = _Look(alerts, now, procedure, people, calendar)
    return tuple(letter for asked in questions for letter in look.at(asked))


@dataclass(frozen=True)
class _Look:
    """One look at all questions, at one moment."""

    alerts: Mapping[str, Alert]
    now: datetime
    procedure: Procedure
    people: People
    calendar: Calendar

    def at(self, asked: Asked) -> Iterator[UrgentQuestion]:
        breach = asked.question.code in self.procedure.urgent.breaches
        if not breach and asked.question.code not in self.procedure.urgent.questions:
            return
        mark = self._latest_mark(asked.asked_at)
        about = [self.alerts[one] for one in asked.question.candidates if one in self.alerts]
        addressing = Addressing(self.procedure, self.people, self.calendar.today(self.now))
        written_to: set[str] = set()
        for role in self._roles(mark, breach=breach):
            for number, person in enumerate(addressing.at_desk(role, about), 1):
                if person and person.address.lower() not in written_to:
                    written_to.add(person.address.lower())
                    yield self._letter(asked, mark, f"{role}-{number}", person, breach=breach)

    def _roles(self, mark: Mark, *, breach: bool) -> list[str]:
        desk = self.people.roles
        if mark.name != "asked" and not at_work(self.now, self.procedure, self.calendar):
            return [desk.duty]
        return [desk.duty, desk.support, *([desk.data_protection] if breach else [])]

    def _latest_mark(self, asked_at: datetime) -> Mark:
        """When it was asked, or the last of the hours since at which it is told again."""
        soonest = asked_at + timedelta(hours=self.procedure.urgent.least_hours)
        today = self.calendar.today(self.now)
        hours = [
            datetime.combine(day, hour, self.calendar.zone)
            for day in (today - timedelta(days=1), today)
            for hour in self.procedure.urgent.again_at
        ]
        since = [Mark(f"{at:%H:%M}", at.astimezone(UTC)) for at in hours if soonest <= at <= self.now]
        return max(since, key=lambda mark: mark.at) if since else Mark("asked", asked_at)

    def _letter(self, asked: Asked, mark: Mark, role: str, person: Person, *, breach: bool) -> UrgentQuestion:
        return UrgentQuestion(
            letter=LETTER,
            to=person.address,
            alert="",
            rule=f"urgent:{asked.number}:{mark.name}:{role}",
            due=self.calendar.today(mark.at),
            number=asked.number,
            why=asked.question.why,
            breach=breach,
            asked_at=self.calendar.local(asked.asked_at),
            alerts=asked.question.candidates,
        )
