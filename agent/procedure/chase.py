"""Chasing: which alerts have gone quiet, who is prompted about each, and since when that is due.

A prompt is due on a day that follows from the alert alone, so it is the same whenever it is asked for:
(alert, rule, due) is the reason for which a letter exists, and it exists once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agent.procedure.actions import OpenAction, asked_about_on, overdue_actions
from agent.procedure.addressing import AUTHOR, Addressee, Addressing
from agent.procedure.alert import Alert, Chased
from agent.procedure.clocks import clock_of, facts_of
from agent.procedure.people import People
from agent.procedure.plan import plan_kept
from agent.procedure.rules import ChaseStep, Chasing, Procedure
from agent.procedure.working_days import Calendar

_RULE = "chase-"


@dataclass(frozen=True)
class ChaseDue:
    """One prompt to one person about one alert.

    `rule` is stable: `chase-3` to the author as the third prompt since the last news, `chase-3:reviewer`
    to the reviewing manager with it. `due` is the working day since when it has been due. `step` counts
    the prompts from 1; it is 0 where only actions are asked about, under `chase-actions-20260312`. `letter`
    is the kind of letter; `stands_in` says that `to` has the letter only because the person of that `role`
    cannot be written to, or is away and named them. `received`, `heard` and `promised` are the local days of
    the first form, of the last news, and of the update the author promised, if any; `actions` are those whose
    day is over.
    """

    alert: str
    rule: str
    due: date
    step: int
    to: str
    letter: str
    role: str
    received: date
    heard: date
    promised: date | None = None
    stands_in: bool = False
    actions: tuple[OpenAction, ...] = ()


@dataclass(frozen=True)
class GatheredChase:
    """All that one person is prompted about today, in one letter of one kind."""

    to: str
    letter: str
    chases: tuple[ChaseDue, ...]


@dataclass(frozen=True)
class Unaddressed:
    """A prompt that is due and can be sent to nobody: a person has to see to it."""

    alert: str
    rule: str
    role: str


def chases_due(
    alerts: Iterable[Alert],
    now: datetime,
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    *,
    not_before: datetime | None = None,
) -> tuple[ChaseDue, ...]:
    """Every prompt that is due at `now` and was not sent yet; none outside working days and hours.

    What fell due up to the day of `not_before`, when the desk began, is history: it is chased for only
    once there is news of it.
    """
    if not within_hours(now, procedure, calendar):
        return ()
    addressed = _Round(procedure, people, calendar, now, not_before).all(alerts)
    return tuple(chase for chase in addressed if isinstance(chase, ChaseDue))


def unaddressed(
    alerts: Iterable[Alert],
    now: datetime,
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    *,
    not_before: datetime | None = None,
) -> tuple[Unaddressed, ...]:
    """Every prompt that is due at `now` and has nobody to go to, at whatever hour."""
    addressed = _Round(procedure, people, calendar, now, not_before).all(alerts)
    return tuple(chase for chase in addressed if isinstance(chase, Unaddressed))


def letters_of(chases: Iterable[ChaseDue], already_today: Collection[str]) -> tuple[GatheredChase, ...]:
    """One letter for each person who has had none today; the furthest step decides its kind."""
    had_one = {address.lower() for address in already_today}
    by_person: dict[str, list[ChaseDue]] = {}
    for chase in chases:
        if chase.to.lower() not in had_one:
            by_person.setdefault(chase.to.lower(), []).append(chase)
    return tuple(_gathered(mine) for mine in by_person.values())


def _gathered(mine: list[ChaseDue]) -> GatheredChase:
    furthest = max(mine, key=lambda chase: chase.step)
    ordered = sorted(mine, key=lambda chase: (chase.alert, chase.rule))
    return GatheredChase(furthest.to, furthest.letter, tuple(ordered))


def within_hours(now: datetime, procedure: Procedure, calendar: Calendar) -> bool:
    """Whether people may be chased: they are surely at work, and it is none of the `quiet` days."""
    today = calendar.today(now)
    quiet = any(spell.holds(today) for spell in procedure.chasing.quiet)
    return not quiet and calendar.is_known(today) and at_work(now, procedure, calendar)


def at_work(now: datetime, procedure: Procedure, calendar: Calendar) -> bool:
    """Whether people are at their desks, as far as that is known: a day that may be a working day, and
    `earliest` ≤ the time there < `latest`."""
    local = calendar.local(now)
    hours = procedure.chasing
    return hours.earliest <= local.time() < hours.latest and calendar.may_be_working_day(local.date())


# ---------------------------------------------------------------- when


def expected_on(alert: Alert, procedure: Procedure, calendar: Calendar) -> date:
    """The day by which news is looked for: as promised, else some working days after the last news."""
    promised = promised_on(alert, procedure, calendar)
    if promised:
        return promised
    rules, heard = plan_of(alert, procedure), calendar.today(alert.last_news_at)
    wait = rules.first_fast if is_pressing(alert, heard, procedure, calendar) else rules.first
    return calendar.working_days_ahead(heard, wait)


def plan_of(alert: Alert, procedure: Procedure) -> Chasing:
    """The rules by which this alert is chased: with the numbers that were the procedure's when it began."""
    return plan_kept(alert.plan, procedure.chasing)


def promised_on(alert: Alert, procedure: Procedure, calendar: Calendar) -> date | None:
    """The day for which the next update is promised, while that promise stands and can be believed.

    A promise for a day before the last news has been overtaken by it.
    """
    heard = calendar.today(alert.last_news_at)
    latest = heard + timedelta(days=plan_of(alert, procedure).furthest_update)
    promised = alert.next_update_due
    return promised if promised is not None and heard <= promised <= latest else None


def next_prompt_on(alert: Alert, procedure: Procedure, calendar: Calendar) -> date:
    """The working day on which the next prompt falls due, if nothing is heard before.

    Counted from the last chase really sent, so that an outage costs one letter and no burst.
    """
    return _due(alert, _steps_sent(alert) + 1, procedure, calendar)


def is_pressing(alert: Alert, day: date, procedure: Procedure, calendar: Calendar) -> bool:
    """Whether news is wanted sooner after this day: a child is missing, or the clock that the procedure
    names (NCT: the Panel's Day Five) still runs on it."""
    if still_missing(alert, procedure):
        return True
    clock = clock_of(
        procedure.chasing.fast_until, facts_of(alert, procedure), procedure, calendar, alert.categories
    )
    return clock is not None and clock.runs_on(day, calendar)


def still_missing(alert: Alert, procedure: Procedure) -> bool:
    """A child is missing, also where the form for missing children does not say since when."""
    return alert.returned_at is None and (alert.missing_now or alert.form in procedure.missing_forms)


def left_alone(alert: Alert, today: date) -> bool:
    """Nobody is prompted for what has ended, rests, or waits for a person."""
    over = alert.concluded or alert.not_an_alert
    waits = alert.provisional or alert.conclusion_claimed_at is not None
    return over or waits or alert.held_on(today)


def _due(alert: Alert, step: int, procedure: Procedure, calendar: Calendar) -> date:
    """The day of a prompt. One whose letter was held back is tried afresh an interval after that, so that
    no letter refused for good silences an alert."""
    due = _first_due(alert, step, procedure, calendar)
    held = [calendar.today(at) for rule, at in alert.letters_held.items() if _number(rule) == step]
    return max(due, _an_interval_after(max(held), alert, procedure, calendar)) if held else due


def _first_due(alert: Alert, step: int, procedure: Procedure, calendar: Calendar) -> date:
    planned = _around_promise(alert, procedure, calendar)
    before = [calendar.today(chased.at) for chased in alert.chases if _step(chased) == step - 1 > 0]
    if not before:
        return planned[0] if planned else expected_on(alert, procedure, calendar)
    following = (planned_for for planned_for in planned if planned_for > max(before))
    return next(following, _an_interval_after(max(before), alert, procedure, calendar))


def _an_interval_after(day: date, alert: Alert, procedure: Procedure, calendar: Calendar) -> date:
    rules = plan_of(alert, procedure)
    pressing = is_pressing(alert, day, procedure, calendar)
    return calendar.working_days_ahead(day, rules.interval_fast if pressing else rules.interval)


def _around_promise(alert: Alert, procedure: Procedure, calendar: Calendar) -> list[date]:
    """The days for prompts around a promised update, in order; none on the day of the last news or before."""
    promised = promised_on(alert, procedure, calendar)
    if promised is None:
        return []
    heard = calendar.today(alert.last_news_at)
    around = plan_of(alert, procedure).around_promise
    days = {calendar.working_days_off(promised, number) for number in around}
    return sorted(day for day in days if day > heard) or [calendar.working_days_ahead(promised, 1)]


def _steps_sent(alert: Alert) -> int:
    return max(map(_step, alert.chases), default=0)


def _step(chased: Chased) -> int:
    return _number(chased.rule)


def _number(rule: str) -> int:
    """`chase-3:reviewer` → 3. One prompt may be several letters; it counts once."""
    number = rule.partition(":")[0].removeprefix(_RULE)
    return int(number) if number.isdecimal() else 0


# ---------------------------------------------------------------- to whom


@dataclass(frozen=True)
class _Round:
    """One look at all alerts, at one moment."""

    procedure: Procedure
    people: People
    calendar: Calendar
    now: datetime
    not_before: datetime | None

    def all(self, alerts: Iterable[Alert]) -> Iterator[ChaseDue | Unaddressed]:
        today = self.calendar.today(self.now)
        for alert in alerts:
            if not left_alone(alert, today):
                yield from list(self._for_news(alert, today)) or self._for_actions(alert, today)

    def _for_news(self, alert: Alert, today: date) -> Iterator[ChaseDue | Unaddressed]:
        step = self._step_under_way(alert, today)
        due = _due(alert, step, self.procedure, self.calendar)
        if self._began() < due <= today:
            yield from self._to_all(alert, step, due, f"{_RULE}{step}")

    def _for_actions(self, alert: Alert, today: date) -> Iterator[ChaseDue | Unaddressed]:
        """A prompt for actions alone, unless one for news told of them since."""
        due = asked_about_on(alert, plan_of(alert, self.procedure).actions_after, today, self.calendar)
        if due is None or due <= self._began():
            return
        if not any(_step(chased) and self.calendar.today(chased.at) >= due for chased in alert.chases):
            yield from self._to_all(alert, 0, due, f"{_RULE}actions-{due:%Y%m%d}")

    def _began(self) -> date:
        return self.calendar.today(self.not_before) if self.not_before else date.min

    def _step_under_way(self, alert: Alert, today: date) -> int:
        """The next step; until that is due the last one, of which a letter may still be to come."""
        sent = _steps_sent(alert)
        following = _due(alert, sent + 1, self.procedure, self.calendar)
        return sent + 1 if following <= today or sent == 0 else sent

    def _to_all(self, alert: Alert, step: int, due: date, prompt: str) -> Iterator[ChaseDue | Unaddressed]:
        """A letter for each role of the step; whoever holds two of them has one, who is away none yet."""
        addressing = Addressing(self.procedure, self.people, self.calendar.today(self.now))
        sent = {chased.rule for chased in alert.chases}
        written_to: set[str] = set()
        rules = self._rules_of(alert, step)
        for one in (one for role in rules.to for one in addressing.of(role, alert)):
            rule = _rule(prompt, one.role, one.number)
            if one.to is None:
                yield Unaddressed(alert.reference, rule, one.role)
                continue
            if one.waits:
                continue
            if one.to.address.lower() not in written_to and rule not in sent:
                yield self._chase(alert, step, due, rules.letter, rule, one)
            written_to.add(one.to.address.lower())

    def _chase(self, alert: Alert, step: int, due: date, letter: str, rule: str, one: Addressee) -> ChaseDue:
        assert one.to is not None  # noqa: S101 - who cannot be written to was told before
        follows_up = plan_of(alert, self.procedure).actions_after > 0
        return ChaseDue(
            alert=alert.reference,
            rule=rule,
            due=due,
            step=step,
            to=one.to.address,
            letter=letter,
            role=one.role,
            stands_in=one.stands_in,
            received=self.calendar.today(alert.received_at),
            heard=self.calendar.today(alert.last_news_at),
            promised=promised_on(alert, self.procedure, self.calendar),
            actions=overdue_actions(alert, self.calendar.today(self.now)) if follows_up else (),
        )

    def _rules_of(self, alert: Alert, step: int) -> ChaseStep:
        """The furthest rule that so many unanswered prompts have reached."""
        steps = plan_of(alert, self.procedure).steps
        reached = (rule for rule in steps if rule.unanswered < max(step, 1))
        return max(reached, key=lambda rule: rule.unanswered)


def _rule(prompt: str, role: str, number: int) -> str:
    """Unlike for each recipient, and naming nobody."""
    if role == AUTHOR:
        return prompt
    return f"{prompt}:{role}" if number == 1 else f"{prompt}:{role}-{number}"
