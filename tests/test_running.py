"""At work by the timetable: nothing that a step does can end it, and no desk holds up another."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from structlog.testing import capture_logs

from agent import running
from agent.bootstrap import Agent, wall_clock
from agent.desk import Desk
from agent.errors import TryAgainLater
from agent.ledger.memory import MemoryLedger
from agent.reloading import Reloading
from agent.shift import WORKERS, Shift
from agent.timetable import Slot
from tests import builders


class AtWork:
    """An agent run by the timetable in a thread, with steps of the test's own every few milliseconds."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *steps: Callable[[Desk, datetime], int],
        desks: Sequence[str] = ("nct",),
    ) -> None:
        self.ledger = MemoryLedger()
        shipped = builders.settings()
        one = builders.desk()
        self.agent = Agent(
            replace(shipped, agent=replace(shipped.agent, mode="live")),
            tuple(replace(one, settings=replace(one.settings, name=name)) for name in desks),
            self.ledger,
            wall_clock,
            threading.Event(),
        )
        self.slots = [
            Slot(f"step_{number}", step, IntervalTrigger(seconds=0.02, timezone="UTC"))
            for number, step in enumerate(steps)
        ]
        monkeypatch.setattr(running, "table", lambda times, zone: self.slots)
        self.stop = threading.Event()
        told = (self.agent, "we", self.stop, Reloading(self.agent.settings))
        self.thread = threading.Thread(target=running.work, args=told)

    def until(self, happened: threading.Event) -> None:
        """Run until then, and stop."""
        with capture_logs() as self.logged:
            self.thread.start()
            try:
                assert happened.wait(10)
            finally:
                self.stop.set()
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


def test_a_slow_desk_holds_up_no_other_whatever_falls_due_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even more slow desks than one: each has a single worker, and the others are left for the rest."""
    slow = [f"slow {number}" for number in range(WORKERS - 1)]
    quick = [f"quick {number}" for number in range(20)]
    everybody, end = threading.Event(), threading.Event()
    rounds: Counter[str] = Counter()
    at_once: Counter[str] = Counter()
    overlaps: list[str] = []
    done_by_then: list[str] = []

    def works(desk: Desk, now: datetime) -> int:
        at_once[desk.name] += 1
        overlaps.extend([desk.name] * (at_once[desk.name] > 1))
        if desk.name in slow:
            end.wait(10)
        at_once[desk.name] -= 1
        rounds[desk.name] += 1
        if all(rounds[name] >= 3 for name in quick) and not everybody.is_set():
            done_by_then.extend(name for name in slow if rounds[name])
            everybody.set()
            end.set()
        return 0

    AtWork(monkeypatch, works, works, desks=slow + quick).until(everybody)

    assert (overlaps, done_by_then) == ([], [])


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
    monkeypatch.setattr(running, "HOLD_SECONDS", 0.4)
    claim, calls = at_work.ledger.claim, iter(range(1000))

    def unreliable(desk: str, owner: str, seconds: float) -> bool:
        if next(calls) < 3:
            raise TryAgainLater("database is locked")
        return claim(desk, owner, seconds)

    monkeypatch.setattr(at_work.ledger, "claim", unreliable)
    Shift(at_work.agent, "we", {"nct": ()}).look()
    at_work.until(worked)


def test_a_desk_that_another_agent_holds_is_left_alone_until_it_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worked = threading.Event()
    order: list[str] = []
    monkeypatch.setattr(running, "HOLD_SECONDS", 0.4)

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
    slots = [replace(slot, trigger=IntervalTrigger(hours=1)) for slot in at_work.slots]
    monkeypatch.setattr(running, "table", lambda times, zone: slots)
    monkeypatch.setattr(running, "HOLD_SECONDS", 0.4)
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
