"""The timetable: one table, kept through summer time, and nothing that a step does can end it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from structlog.testing import capture_logs

from agent import timetable
from agent.bootstrap import Agent, wall_clock
from agent.desk import Desk
from agent.errors import TryAgainLater
from agent.intake import reconcile
from agent.ledger.memory import MemoryLedger
from agent.retention import retention
from agent.settings import Timetable
from agent.steps import STEPS
from agent.timetable import Slot, table
from tests import builders
from tests.builders import LONDON

TIMES = Timetable()
CLOCKS_CHANGE = [date(2026, 3, 29), date(2026, 10, 25)]


# ---------------------------------------------------------------- the table


def test_every_step_stands_in_the_table_once_and_the_nightly_listing_with_them() -> None:
    slots = {slot.name: slot.step for slot in table(TIMES, "Europe/London")}

    assert slots == {**STEPS, "reconcile": reconcile, "retention": retention}


def test_the_table_follows_the_configuration() -> None:
    told = Timetable(intake=1, bookkeeping=7, chasing=20, posting=3, reconcile_at=time(4, 15))
    slots = {slot.name: slot.trigger for slot in table(told, "Europe/London")}

    minutes = {
        name: trigger.interval.total_seconds() / 60
        for name, trigger in slots.items()
        if isinstance(trigger, IntervalTrigger)
    }
    assert minutes == {"intake": 1, "bookkeeping": 7, "chasing": 20, "weekly_digest": 20, "posting": 3}
    (first, *_) = fires(slots["reconcile"], date(2026, 3, 2))
    assert first.astimezone(LONDON).time() == time(4, 15)


def fires(trigger: Any, day: date) -> Iterator[datetime]:
    """When a trigger fires from midnight to midnight, London time."""
    now = datetime.combine(day, time(), LONDON).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), LONDON).astimezone(UTC)
    last = now if isinstance(trigger, IntervalTrigger) else None  # counted from a round at midnight
    while (following := trigger.get_next_fire_time(last, now)) and following < end:
        yield following
        last, now = following, following + timedelta(microseconds=1)


@pytest.mark.parametrize("day", CLOCKS_CHANGE, ids=str)
def test_when_the_clocks_change_the_nightly_listing_happens_once(day: date) -> None:
    """Nothing that the wall clock plans lies between 01:00 and 02:00, which is skipped or comes twice."""
    for slot in table(TIMES, "Europe/London"):
        if isinstance(slot.trigger, CronTrigger):
            at = [moment.astimezone(LONDON) for moment in fires(slot.trigger, day)]
            assert len(at) == 1
            assert not time(1) <= at[0].time() < time(2)


@pytest.mark.parametrize(("day", "hours"), [(CLOCKS_CHANGE[0], 23), (CLOCKS_CHANGE[1], 25)])
def test_what_comes_every_few_minutes_goes_on_evenly_when_the_clocks_change(day: date, hours: int) -> None:
    """Counted in elapsed time: no gap, and nothing twice."""
    for slot in table(TIMES, "Europe/London"):
        if isinstance(slot.trigger, IntervalTrigger):
            moments = list(fires(slot.trigger, day))
            gaps = {after - before for before, after in pairwise(moments)}
            assert gaps == {slot.trigger.interval}
            assert len(moments) + 1 == timedelta(hours=hours) / slot.trigger.interval


# ---------------------------------------------------------------- at work


class AtWork:
    """An agent run by the timetable in a thread, with steps of the test's own every few milliseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *steps: Callable[[Desk, datetime], int]) -> None:
        self.ledger = MemoryLedger()
        shipped = builders.settings()
        self.agent = Agent(
            replace(shipped, agent=replace(shipped.agent, mode="live")),
            (builders.desk(),),
            self.ledger,
            wall_clock,
            threading.Event(),
        )
        slots = [
            Slot(f"step_{number}", step, IntervalTrigger(seconds=0.02, timezone="UTC"))
            for number, step in enumerate(steps)
        ]
        monkeypatch.setattr(timetable, "table", lambda times, zone: slots)
        monkeypatch.setattr(timetable, "on_signals", lambda stop: None)  # only a main thread may
        self.thread = threading.Thread(target=timetable.run, args=(self.agent,))

    def until(self, happened: threading.Event) -> None:
        """Run until then, and stop."""
        with capture_logs() as self.logged:
            self.thread.start()
            try:
                assert happened.wait(10)
            finally:
                self.agent.stop.set()
                self.thread.join(10)
        assert not self.thread.is_alive()


def test_steps_never_overlap_however_long_one_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither with each other nor with themselves; what fell due meanwhile is run once, late."""
    busy, enough = threading.Lock(), threading.Event()
    overlaps: list[str] = []
    rounds: list[str] = []

    def step(name: str, seconds: float) -> Callable[[Desk, datetime], int]:
        def work(desk: Desk, now: datetime) -> int:
            if not busy.acquire(blocking=False):
                overlaps.append(name)
                return 0
            threading.Event().wait(seconds)
            busy.release()
            rounds.append(name)
            if len(set(rounds)) == 3 and len(rounds) > 12:
                enough.set()
            return 0

        return work

    AtWork(monkeypatch, step("slow", 0.15), step("quick", 0), step("other", 0.01)).until(enough)

    assert overlaps == []


@pytest.mark.parametrize("error", [TryAgainLater("down"), KeyError("Robin Fairweather")])
def test_a_step_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Its next round comes, the other steps go on, and the log quotes nothing."""
    enough = threading.Event()
    tried: list[int] = []

    def fails(desk: Desk, now: datetime) -> int:
        tried.append(1)
        raise error

    def goes_on(desk: Desk, now: datetime) -> int:
        if len(tried) > 3:
            enough.set()
        return 0

    at_work = AtWork(monkeypatch, fails, goes_on)
    at_work.until(enough)

    assert "Fairweather" not in str(at_work.logged)


def test_a_ledger_that_cannot_be_reached_for_a_while_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither when a step begins nor when the agent gives a sign of life."""
    worked = threading.Event()

    def works(desk: Desk, now: datetime) -> int:
        worked.set()
        return 0

    at_work = AtWork(monkeypatch, works)
    claim, calls = at_work.ledger.claim, iter(range(1000))

    def unreliable(desk: str, owner: str, seconds: float) -> bool:
        if next(calls) < 3:
            raise TryAgainLater("database is locked")
        return claim(desk, owner, seconds)

    monkeypatch.setattr(at_work.ledger, "claim", unreliable)
    timetable._renew(at_work.agent, "me", {"nct"})
    at_work.until(worked)


def test_a_desk_that_another_agent_holds_is_left_alone_until_it_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worked = threading.Event()
    order: list[str] = []

    def works(desk: Desk, now: datetime) -> int:
        order.append("we work")
        worked.set()
        return 0

    at_work = AtWork(monkeypatch, works)
    assert at_work.ledger.claim("nct", "another", 60)

    def the_other_ends() -> None:
        order.append("the other ends")
        at_work.ledger.release("nct", "another")

    timer = threading.Timer(0.3, the_other_ends)
    timer.start()
    at_work.until(worked)

    assert order[:2] == ["the other ends", "we work"]


def test_a_desk_whose_agent_died_is_taken_over_long_before_the_next_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one that died gave nothing up; its hold runs out."""
    worked = threading.Event()
    at_work = AtWork(monkeypatch, lambda desk, now: worked.set() or 0)  # type: ignore[func-returns-value]  # wanted: 0
    slots = [replace(slot, trigger=IntervalTrigger(hours=1)) for slot in timetable.table(TIMES, "")]
    monkeypatch.setattr(timetable, "table", lambda times, zone: slots)
    monkeypatch.setattr(timetable, "HOLD_SECONDS", 0.4)
    assert at_work.ledger.claim("nct", "another", 2)
    at_work.until(worked)

    events = [event["event"] for event in at_work.logged]
    assert events.index("agent.desk_held_by_another") < events.index("agent.desk_taken_over")


def test_the_desk_is_given_up_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    worked = threading.Event()
    at_work = AtWork(monkeypatch, lambda desk, now: worked.set() or 0)  # type: ignore[func-returns-value]  # wanted: 0
    at_work.until(worked)

    assert at_work.ledger.claim("nct", "another", 60)


def test_the_scheduler_keeps_time_and_remembers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, one at a time, what was missed is run once however late."""
    told: dict[str, Any] = {}
    begin = BackgroundScheduler.__init__

    def watched(self: BackgroundScheduler, *args: Any, **options: Any) -> None:
        told.update(options)
        begin(self, *args, **options)

    monkeypatch.setattr(BackgroundScheduler, "__init__", watched)
    worked = threading.Event()
    AtWork(monkeypatch, lambda desk, now: worked.set() or 0).until(worked)  # type: ignore[func-returns-value]  # wanted: 0

    assert told["job_defaults"] == {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    assert "jobstores" not in told
