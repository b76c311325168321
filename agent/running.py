"""An agent at work by the timetable until it is stopped, with its configuration as it stands at the time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from contextlib import nullcontext

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from agent import log as logs
from agent.bootstrap import Agent, an_owner, at_work
from agent.health import Health, served
from agent.log import logger
from agent.reloading import Reloading
from agent.settings import Settings
from agent.shift import HOLD_SECONDS, Shift
from agent.stopping import on_signals
from agent.timetable import Slot, table

log = logger()

GRACE_SECONDS = 8.0  # how long a step may finish what it has under way once the agent is to stop


def run(settings: Settings, *, log_json: bool = False) -> None:
    """Work until SIGTERM or SIGINT. A changed configuration is taken up between two rounds, by an agent made
    afresh that keeps the desks of the one before."""
    owner, stop, reloading = an_owner(), threading.Event(), Reloading(settings)
    on_signals(stop, reloading.asked)
    told: Settings | None = settings
    while told is not None:
        with at_work(told) as agent:
            health = Health(agent)
            logs.set_up(json=log_json, count=health.metrics.count)
            listen = told.agent.watched.listen
            with served(health, listen) if listen else nullcontext():
                told = work(agent, owner, stop, reloading, health)


def work(
    agent: Agent, owner: str, stop: threading.Event, reloading: Reloading, health: Health | None = None
) -> Settings | None:
    """Work by the timetable until `stop` (None) or until the configuration changes (the new one).

    What is under way is finished first, or left where it can be taken up again.
    """
    times = agent.settings.agent.timetable
    tables = {desk.name: table(times, desk.settings.timezone) for desk in agent.desks}
    shift = Shift(agent, owner, {name: _rounds(slots) for name, slots in tables.items()}, health)
    scheduler = _scheduler()
    for number, (name, slots) in enumerate(tables.items(), 1):
        for slot in slots:
            first = {}  # what is for the night waits for it
            if isinstance(slot.trigger, IntervalTrigger):  # the desks one after the other, not all at once
                first = {"next_run_time": agent.clock() + slot.trigger.interval * number / len(tables)}
            scheduler.add_job(shift.due, slot.trigger, (name, slot), **first)
    if health and agent.settings.agent.watched.heartbeat:
        every = IntervalTrigger(minutes=agent.settings.agent.watched.heartbeat_minutes, timezone="UTC")
        scheduler.add_job(health.beat, every, executor="heartbeat")
    scheduler.start()
    log.info("agent.started", desks=list(tables), mode=agent.settings.agent.mode)
    news = _until_told(stop, shift, reloading)
    log.info("agent.stopping" if news is None else "agent.begins_afresh")
    leaving = _leave_after_grace() if news is None else None
    agent.stop.set()
    scheduler.shutdown(wait=True)
    shift.leave()
    if leaving:
        leaving.cancel()
        shift.give_up()
        log.info("agent.stopped")
    return news


def _rounds(slots: Iterable[Slot]) -> list[Slot]:
    """What a desk begins with; what is for the night waits for it."""
    return [slot for slot in slots if isinstance(slot.trigger, IntervalTrigger)]


def _scheduler() -> BackgroundScheduler:
    """It keeps time and remembers nothing; what was missed is done once, however late."""
    return BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(1), "heartbeat": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )


def _until_told(stop: threading.Event, shift: Shift, reloading: Reloading) -> Settings | None:
    """Give signs of life while steps are at work, however long one takes; take over what others let go."""
    shift.look()
    looked = time.monotonic()
    while not stop.wait(0.5):  # a wait without an end would not be woken by a signal everywhere
        if news := reloading.news():
            return news
        if time.monotonic() - looked > HOLD_SECONDS / 4:
            looked = time.monotonic()
            shift.look()
    return None


def _leave_after_grace() -> threading.Timer:
    """A step that hangs in the network must not hold up a stop: any step may be ended anywhere."""

    def leave() -> None:
        log.warning("agent.left_a_step_under_way")
        os._exit(0)

    timer = threading.Timer(GRACE_SECONDS, leave)
    timer.daemon = True
    timer.start()
    return timer
