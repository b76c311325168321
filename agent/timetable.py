"""When each step happens, as one table. It remembers nothing: each step asks the ledger what is left."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from agent.bootstrap import Agent, an_owner
from agent.desk import Desk
from agent.errors import AgentError
from agent.health import Health
from agent.intake import reconcile
from agent.log import logger
from agent.retention import retention
from agent.settings import Timetable
from agent.steps import STEPS, Step, run_step
from agent.stopping import on_signals

log = logger()

HOLD_SECONDS = 40.0  # how long a desk stays held after the last sign of life of its agent
GRACE_SECONDS = 8.0  # how long a step may finish what it has under way once the agent is to stop


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
        Slot("reconcile", reconcile, every_night),
        Slot("retention", retention, every_night),
    ]


def run(agent: Agent, health: Health | None = None) -> None:
    """Work by the timetable until SIGTERM or SIGINT, then finish what is under way and stop.

    One worker, so that steps never overlap; a step that was due while another ran is run once, late.
    Each desk is held while its agent lives: a second agent waits, and takes over when the first is gone.
    """
    owner = an_owner()
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )
    scheduler.add_listener(_job_failed, EVENT_JOB_ERROR)
    held: set[str] = set()
    for desk in agent.desks:
        for number, slot in enumerate(table(agent.settings.agent.timetable, desk.settings.timezone)):
            first = (
                {}
                if isinstance(slot.trigger, CronTrigger)  # what is for the night waits for it
                else {"next_run_time": agent.clock() + timedelta(seconds=number)}
            )
            name = f"{desk.name}.{slot.name}"  # what the log calls a job that failed
            scheduler.add_job(_job(agent, owner, held, desk, slot, health), slot.trigger, id=name, **first)
    if health and agent.settings.agent.watched.heartbeat:
        minutes = agent.settings.agent.watched.heartbeat_minutes
        scheduler.add_job(health.beat, IntervalTrigger(minutes=minutes, timezone="UTC"), id="heartbeat")
    on_signals(agent.stop)
    scheduler.start()
    log.info("agent.started", desks=[desk.name for desk in agent.desks], mode=agent.settings.agent.mode)
    _hold_until_stopped(agent, owner, held, scheduler)
    log.info("agent.stopping")
    leaving = _leave_after_grace()
    scheduler.shutdown(wait=True)
    leaving.cancel()
    for name in held:
        agent.ledger.release(name, owner)
    log.info("agent.stopped")


def _job(
    agent: Agent, owner: str, held: set[str], desk: Desk, slot: Slot, health: Health | None = None
) -> Callable[[], None]:
    def job() -> None:
        if agent.stop.is_set():
            return
        if not agent.ledger.claim(desk.name, owner, HOLD_SECONDS):
            held.discard(desk.name)
            log.info("agent.desk_held_by_another", desk=desk.name)
            if health:
                health.held_elsewhere(desk.name)
            return
        held.add(desk.name)
        outcome = run_step(slot.name, desk, agent.clock(), slot.step)
        if health:
            health.step(outcome)

    return job


def _hold_until_stopped(agent: Agent, owner: str, held: set[str], scheduler: BackgroundScheduler) -> None:
    """Give signs of life while steps are at work, however long one takes; take over what others let go."""
    renewed = time.monotonic()
    while not agent.stop.wait(0.5):  # a wait without an end would not be woken by a signal everywhere
        if time.monotonic() - renewed > HOLD_SECONDS / 4:
            renewed = time.monotonic()
            _renew(agent, owner, held)
            _take_over(agent, owner, held, scheduler)


def _renew(agent: Agent, owner: str, held: Collection[str]) -> None:
    for name in tuple(held):
        try:
            agent.ledger.claim(name, owner, HOLD_SECONDS)
        except AgentError as trouble:  # the next sign of life comes well before the hold runs out
            log.warning("agent.hold_not_renewed", desk=name, why=str(trouble))


def _take_over(agent: Agent, owner: str, held: set[str], scheduler: BackgroundScheduler) -> None:
    """Begin at once at a desk whose agent gave no sign of life, whenever its steps would be due next."""
    for name in {desk.name for desk in agent.desks} - held:
        try:
            free = agent.ledger.claim(name, owner, HOLD_SECONDS)
        except AgentError as trouble:
            log.warning("agent.hold_not_asked_for", desk=name, why=str(trouble))
            continue
        if free:
            held.add(name)
            log.info("agent.desk_taken_over", desk=name)
            for job in scheduler.get_jobs():
                if job.id.startswith(f"{name}.") and isinstance(job.trigger, IntervalTrigger):
                    job.modify(next_run_time=agent.clock())


def _leave_after_grace() -> threading.Timer:
    """A step that hangs in the network must not hold up a stop: any step may be ended anywhere."""

    def leave() -> None:
        log.warning("agent.left_a_step_under_way")
        os._exit(0)

    timer = threading.Timer(GRACE_SECONDS, leave)
    timer.daemon = True
    timer.start()
    return timer


def _job_failed(event: Any) -> None:
    """A mistake of ours: the next round tries again, and the log says which step."""
    log.error("step.failed", job=event.job_id, error=type(event.exception).__name__)
