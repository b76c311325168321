"""The timetable: one table, kept through summer time, and nothing that a step does can end it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from agent.retention import retention
from agent.settings import Timetable
from agent.steps import STEPS
from agent.sweeping import sweep
from agent.timetable import table
from tests.builders import LONDON

TIMES = Timetable()
CLOCKS_CHANGE = [date(2026, 3, 29), date(2026, 10, 25)]


def test_every_step_stands_in_the_table_once_and_the_nightly_listing_with_them() -> None:
    slots = {slot.name: slot.step for slot in table(TIMES, "Europe/London")}

    assert slots == {**STEPS, "sweep": sweep, "retention": retention}


def test_the_table_follows_the_configuration() -> None:
    told = Timetable(intake=1, bookkeeping=7, chasing=20, posting=3, reconcile_at=time(4, 15))
    slots = {slot.name: slot.trigger for slot in table(told, "Europe/London")}

    minutes = {
        name: trigger.interval.total_seconds() / 60
        for name, trigger in slots.items()
        if isinstance(trigger, IntervalTrigger)
    }
    assert minutes == {"intake": 1, "bookkeeping": 7, "chasing": 20, "weekly_digest": 20, "posting": 3}
    (first, *_) = fires(slots["sweep"], date(2026, 3, 2))
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
