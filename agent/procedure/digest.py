"""The weekly digest: what came in and was concluded last week, and all that is still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from agent.procedure.actions import open_actions
from agent.procedure.addressing import is_subject
from agent.procedure.alert import Alert
from agent.procedure.chase import expected_on, next_prompt_on, promised_on
from agent.procedure.clocks import Clock, deadlines_of
from agent.procedure.findings import finding_said
from agent.procedure.occasion import Asked
from agent.procedure.people import People, Person
from agent.procedure.row import is_staff_matter, reasons_for_a_person
from agent.procedure.rules import Procedure
from agent.procedure.status import status_of
from agent.procedure.words import Status
from agent.procedure.working_days import Calendar

_WEEK = timedelta(days=7)
_NO_AREA = "No area told"
_QUARTER = timedelta(days=92)
AGES: tuple[tuple[str, int | None], ...] = (
    ("under 1 week", 7),
    ("1 to 2 weeks", 14),
    ("2 to 4 weeks", 28),
    ("4 to 8 weeks", 56),
    ("over 8 weeks", None),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


class Laid(Protocol):
    """A letter, as the ledger keeps it. `state` is one of the ledger's words (`posted`, `held`…)."""

    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def laid_at(self) -> datetime: ...
    @property
    def changed_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class OpenAlert:
    """An open alert as the digest shows it. Of a staff matter only reference, age and day are told. The
    `areas` are those of its children."""

    reference: str
    received: date
    days_open: int
    staff_matter: bool = False
    initials: str = ""
    status: Status | None = None
    last_heard: date | None = None
    next_step: str = ""
    areas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deadline:
    """A deadline, or an action's day, that is over and not seen to, or falls in the coming week."""

    alert: str
    initials: str
    name: str
    due: date
    passed: bool


@dataclass(frozen=True)
class Waiting:
    """A question that waits for a person. `why` names nobody."""

    number: int
    code: str
    why: str
    days: int
    alerts: tuple[str, ...]


@dataclass(frozen=True)
class Counted:
    """How many of what."""

    what: str
    number: int


@dataclass(frozen=True)
class Digest:
    """One week of a desk. `week` is the Monday it is written for; "last week" are the seven days before.

    `open` has the oldest first, `deadlines` the earliest. `findings` count what was noticed on the forms
    received last week; `warnings` are sentences on what somebody has to see to in good time. `by_area` tells
    that the open alerts are to stand apart by area.
    """

    week: date
    received: tuple[str, ...]
    concluded: tuple[str, ...]
    open: tuple[OpenAlert, ...]
    deadlines: tuple[Deadline, ...]
    questions: tuple[Waiting, ...]
    findings: tuple[Counted, ...]
    letters_sent: int
    letters_held: int
    letters_undelivered: int
    warnings: tuple[str, ...] = ()
    by_area: bool = False

    @property
    def parts(self) -> tuple[tuple[str, tuple[OpenAlert, ...]], ...]:
        """The open alerts area by area, those without one last; all as one where they are not to be divided.
        One whose children belong to two areas stands in both."""
        if not self.by_area:
            return (("", self.open),)
        areas = sorted({area for alert in self.open for area in alert.areas})
        found = [(area, tuple(one for one in self.open if area in one.areas)) for area in areas]
        others = tuple(one for one in self.open if not one.areas)
        return (*found, *(((_NO_AREA, others),) if others else ()))

    @property
    def deadlines_by_alert(self) -> tuple[tuple[Deadline, ...], ...]:
        """The deadlines, those of one alert together; the alert whose are the earliest comes first."""
        found: dict[str, list[Deadline]] = {}
        for one in self.deadlines:
            found.setdefault(one.alert, []).append(one)
        return tuple(tuple(theirs) for theirs in found.values())

    @property
    def from_day(self) -> date:
        return self.week - _WEEK

    @property
    def to_day(self) -> date:
        return self.week - timedelta(days=1)

    @property
    def overdue(self) -> int:
        return sum(alert.status is Status.UPDATE_OVERDUE for alert in self.open)


def digest_due(now: datetime, day: str, at: time, calendar: Calendar) -> date | None:
    """The Monday of the week whose digest should be there by now; None before its day and hour.

    A day off moves it to the next working day of that week, or else back to the last one. Missed at
    its hour, it is made up on any later working day of the week. Where bank holidays are not known it comes
    all the same: it is the letter that says so.
    """
    local = calendar.local(now)
    monday = local.date() - timedelta(days=local.weekday())
    weekdays = [monday + timedelta(days=number) for number in range(len(_DAYS))]
    working = [weekday for weekday in weekdays if calendar.may_be_working_day(weekday)]
    if local.date() not in working or local.time() < at:
        return None
    wanted = weekdays[_DAYS.index(day)]
    first = next((weekday for weekday in working if weekday >= wanted), working[-1])
    return monday if local.date() >= first else None


def digest_of(
    alerts: Iterable[Alert],
    *,
    now: datetime,
    week: date,
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    questions: Iterable[Asked],
    letters: Iterable[Laid],
    reader: Person,
    by_area: bool = False,
) -> Digest:
    """The digest of the week that begins on the Monday `week`, as things stand at `now`, for one reader.

    Matters about a member of staff are told, by reference and age, only to those whom the procedure names,
    and nobody is told of one about themselves.
    """
    told = list(alerts)
    hidden = {alert.reference for alert in told if not may_see(alert, reader, procedure)}
    known = [alert for alert in told if not (alert.not_an_alert or alert.reference in hidden)]
    last_week = _LastWeek(week, calendar)
    received = [alert for alert in known if last_week.has(alert.received_at)]
    still_open = sorted(
        (alert for alert in known if not alert.concluded),
        key=lambda alert: (alert.received_at, alert.reference),
    )
    laid = list(letters)
    return Digest(
        week=week,
        received=tuple(sorted(alert.reference for alert in received)),
        concluded=tuple(sorted(alert.reference for alert in known if last_week.has(alert.concluded_at))),
        open=tuple(_open(alert, now, procedure, people, calendar) for alert in still_open),
        deadlines=_deadlines(still_open, now, procedure, calendar),
        questions=tuple(_waiting(asked, now, calendar, hidden) for asked in questions),
        findings=_findings(received, procedure),
        letters_sent=sum(
            letter.state == "posted" and last_week.has(letter.changed_at or letter.laid_at) for letter in laid
        ),
        letters_held=sum(letter.state == "held" for letter in laid),
        letters_undelivered=len(people.unreached),
        warnings=tuple(_warnings(calendar.today(now), procedure, calendar)),
        by_area=by_area,
    )


def may_see(alert: Alert, reader: Person, procedure: Procedure) -> bool:
    """Whether this reader of the digest may learn that there is such an alert."""
    may = not is_staff_matter(alert, procedure) or not set(procedure.staff_matters_to).isdisjoint(
        reader.roles
    )
    return may and not is_subject(reader.name, alert)


def _warnings(today: date, procedure: Procedure, calendar: Calendar) -> Iterator[str]:
    """What somebody has to see to before it stops the work, or makes it wrong."""
    ahead = today + _QUARTER
    remedy = "Whoever runs it puts the current file into its configuration."
    if not calendar.is_known(today):
        yield (
            f"The bank holidays of {today.year} are not known to the agent, so nobody is chased, and no "
            f"deadline in working days is worked out. Reminders of hours still go out. {remedy}"
        )
    elif not calendar.reaches(ahead):
        yield (
            f"The bank holidays of {ahead.year} are not known to the agent, and without them nobody can be "
            f"chased then. {remedy}"
        )
    if today > procedure.review_date:
        yield (
            f"The procedure was to be reviewed by {_said(procedure.review_date)} {procedure.review_date:%Y}. "
            "Please confirm that its rules still apply."
        )


def by_age(days_open: Iterable[int]) -> tuple[tuple[str, int], ...]:
    """How many alerts have been open for how long, the youngest first."""
    counted = Counter(
        next(words for words, limit in AGES if limit is None or days < limit) for days in days_open
    )
    return tuple((words, counted[words]) for words, _ in AGES)


@dataclass(frozen=True)
class _LastWeek:
    """The seven days before a Monday."""

    monday: date
    calendar: Calendar

    def has(self, at: datetime | None) -> bool:
        return at is not None and self.monday - _WEEK <= self.calendar.today(at) < self.monday


def _open(alert: Alert, now: datetime, procedure: Procedure, people: People, calendar: Calendar) -> OpenAlert:
    received, today = calendar.today(alert.received_at), calendar.today(now)
    days = (today - received).days
    if is_staff_matter(alert, procedure):
        return OpenAlert(alert.reference, received, days, staff_matter=True)
    return OpenAlert(
        reference=alert.reference,
        received=received,
        days_open=days,
        initials=alert.initials,
        status=status_of(alert, now, procedure, calendar),
        last_heard=calendar.today(alert.last_news_at),
        next_step=next_step(alert, now, procedure, people, calendar),
        areas=_areas(alert, procedure),
    )


def _areas(alert: Alert, procedure: Procedure) -> tuple[str, ...]:
    """Those of its children, which stand in one cell: such as the column offers, and nobody's own words."""
    columns = (column for column in procedure.columns if column.field == procedure.summary_by)
    known = {choice.casefold(): choice for column in columns for choice in column.choices}
    told = (one.strip().casefold() for one in alert.values.get(procedure.summary_by, "").split(";"))
    return tuple(dict.fromkeys(known[one] for one in told if one in known))


def next_step(alert: Alert, now: datetime, procedure: Procedure, people: People, calendar: Calendar) -> str:
    """What happens next, and who has to do it."""
    today = calendar.today(now)
    waiting = reasons_for_a_person(alert, now, procedure, people, calendar)
    if alert.held_on(today):
        until = alert.on_hold_until
        return f"On hold until {_said(until)}" if until else "On hold"
    if waiting:
        desk = procedure.role_names.get(people.roles.support, "a person")
        return f"For {desk}: {waiting[0][0].lower()}{waiting[0][1:]}"
    absence = alert.absence_of(alert.author_address, today)
    if absence and absence.until:
        return f"Author away until {_said(absence.until)}"
    promised = promised_on(alert, procedure, calendar)
    if promised and promised >= today:
        return f"Update promised for {_said(promised)}"
    prompt = next_prompt_on(alert, procedure, calendar)
    if prompt > today:
        return f"Next prompt on {_said(prompt)}"
    return f"Update awaited since {_said(expected_on(alert, procedure, calendar))}"


def _deadlines(
    alerts: Iterable[Alert], now: datetime, procedure: Procedure, calendar: Calendar
) -> tuple[Deadline, ...]:
    today = calendar.today(now)
    soon = today + _WEEK
    found = [
        Deadline(alert.reference, alert.initials, clock.name, due, clock.passed(now, calendar))
        for alert in alerts
        if not is_staff_matter(alert, procedure)
        for clock in deadlines_of(alert, procedure, calendar)
        if not clock.ended and (due := _last_day(clock, calendar)) <= soon
    ]
    found += [
        Deadline(
            alert.reference, alert.initials, f"Action no. {action.number}", action.due, action.due < today
        )
        for alert in alerts
        if procedure.chasing.actions_after and not is_staff_matter(alert, procedure)
        for action in open_actions(alert)
        if action.due <= soon
    ]
    return tuple(sorted(found, key=lambda one: (one.due, one.alert, one.name)))


def _last_day(clock: Clock, calendar: Calendar) -> date:
    assert clock.due is not None  # noqa: S101 - deadlines_of gives only clocks that run
    return calendar.today(clock.due) if isinstance(clock.due, datetime) else clock.due


def _waiting(asked: Asked, now: datetime, calendar: Calendar, hidden: Collection[str]) -> Waiting:
    return Waiting(
        number=asked.number,
        code=asked.question.code,
        why=asked.question.why,
        days=(calendar.today(now) - calendar.today(asked.asked_at)).days,
        alerts=tuple(one for one in asked.question.candidates if one not in hidden),
    )


def _findings(received: Sequence[Alert], procedure: Procedure) -> tuple[Counted, ...]:
    """Numbers by kind, the most frequent first; missing recipients count once for each role."""
    counted = Counter(code for alert in received for code in alert.findings)
    return tuple(
        Counted(finding_said(code, procedure), number)
        for code, number in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    )


def _said(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"
