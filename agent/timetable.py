"""When each step happens, as one table. It remembers nothing: each step asks the ledger what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from agent.retention import retention
from agent.settings import Timetable
from agent.steps import STEPS, Step
from agent.sweeping import sweep


@dataclass(frozen=True)
class Slot:
    """One line of the table: a step and what starts it."""

    name: str
    step: Step
    trigger: Any


def table(times: Timetable, zone: str) -> list[Slot]:
    """The timetable. Weekdays by name; nothing between 01:00 and 02:00, which may happen twice or never."""

    def every(minutes: int) -> IntervalTrigger:
        return IntervalTrigger(minutes=minutes, timezone="UTC")

    at = times.reconcile_at
    every_night = CronTrigger(hour=at.hour, minute=at.minute, timezone=zone)
    return [
        Slot("intake", STEPS["intake"], every(times.intake)),
        Slot("bookkeeping", STEPS["bookkeeping"], every(times.bookkeeping)),
        Slot("chasing", STEPS["chasing"], every(times.chasing)),
        Slot("weekly_digest", STEPS["weekly_digest"], every(times.chasing)),
        Slot("posting", STEPS["posting"], every(times.posting)),
        Slot("sweep", sweep, every_night),
        Slot("retention", retention, every_night),
    ]
