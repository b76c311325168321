"""An agent at work by the timetable until it is stopped, with its configuration as it stands at the time."""

from __future__ import annotations

import os
import threading
import time
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
from agent.timetable import table

log = logger()

GRACE_SECONDS = 8.0  # how long a step may finish what it has under way once the agent is to stop


def run(settings: Settings, *, log_json: bool = False) -> None:
    """Work until SIGTERM or SIGINT. A changed configuration is taken up between two rounds, by an agent made
    afresh that keeps the desks of the one before."""
    owner, reloading = an_owner(), Reloading(settings)
    told: Settings | None = settings
    while told is not None:
        with at_work(told) as agent:
            health = Health(agent)
            logs.set_up(json=log_json, count=health.metrics.count)
            listen = told.agent.watched.listen
            with served(health, listen) if listen else nullcontext():
                told = work(agent, owner, reloading, health)


def work(agent: Agent, owner: str, reloading: Reloading, health: Health | None = None) -> Settings | None:
    """Work by the timetable until the agent is stopped (None) or its configuration changes (the new one).

    What is under way is finished first, or left where it can be taken up again.
    """
    tables = {
        desk.name: table(agent.settings.agent.timetable, desk.settings.timezone) for desk in agent.desks
    }
    rounds = {
        name: [slot for slot in slots if isinstance(slot.trigger, IntervalTrigger)]
        for name, slots in tables.items()
    }
    shift = Shift(agent, owner, rounds, health)
    scheduler = _scheduler()
    for number, (name, slots) in enumerate(tables.items(), 1):
        for slot in slots:
            first = {}  # what is for the night waits for it
            if isinstance(slot.trigger, IntervalTrigger):  # the desks one after the other, not all at once
                first = {"next_run_time": agent.clock() + slot.trigger.interval * number / len(tables)}
            scheduler.add_job(shift.due, slot.trigger, (name, slot), **first)
    if health and agent.settings.agent.watched.heartbeat:
        minutes = agent.settings.agent.watched.heartbeat_minutes
        scheduler.add_job(health.beat, IntervalTrigger(minutes=minutes, timezone="UTC"), executor="heartbeat")
    on_signals(agent.stop, reloading.asked)
    scheduler.start()
    log.info("agent.started", desks=list(tables), mode=agent.settings.agent.mode)
    news = _until_told(agent, shift, reloading)
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


def _scheduler() -> BackgroundScheduler:
    """It keeps time and remembers nothing; what was missed is done once, however late."""
    return BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(1), "heartbeat": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )


def _until_told(agent: Agent, shift: Shift, reloading: Reloading) -> Settings | None:
    """Give signs of life while steps are at work, however long one takes; take over what others let go."""
    shift.look()
    looked = time.monotonic()
    while not agent.stop.wait(0.5):  # a wait without an end would not be woken by a signal everywhere
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
