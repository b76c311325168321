"""One agent at its desks: it holds them, does the steps that fall due, and gives them up at the end."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from agent.bootstrap import Agent
from agent.desk import Desk
from agent.errors import AgentError
from agent.log import logger
from agent.steps import run_step
from agent.timetable import Slot

if TYPE_CHECKING:
    from agent.health import Health

log = logger()

HOLD_SECONDS = 40.0  # how long a desk stays held after the last sign of life of its agent
WORKERS = 8  # desks at work at once: most of a step is waiting for an answer


class Shift:
    """Desks are held while their agent lives: others wait, and take over when it gives no sign of life.

    A desk's steps are done one at a time, in the order in which they fell due, and what falls due again
    before its turn is done once. After each step other desks have their turn, and no desk ever has more
    than one worker: a slow one holds up nobody but itself.

    `rounds` has the steps, by desk, that a desk is to begin with, whenever they would be due next.
    """

    def __init__(
        self,
        agent: Agent,
        owner: str,
        rounds: Mapping[str, Iterable[Slot]],
        health: Health | None = None,
    ) -> None:
        self._agent = agent
        self._owner = owner
        self._rounds = rounds
        self._health = health
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="desk")
        self._queues = {desk.name: _Queue() for desk in agent.desks}
        self._desks = {desk.name: desk for desk in agent.desks}
        self._elsewhere: set[str] = set()
        self._sure_until = 0.0
        self.held: set[str] = set()

    def look(self) -> None:
        """Give a sign of life for all desks that are held, and begin at those that are free."""
        asked = time.monotonic()
        try:
            held = self._agent.ledger.claim_each(self._desks, self._owner, HOLD_SECONDS)
        except AgentError as trouble:  # the next look comes well before the hold runs out
            log.warning("agent.hold_not_renewed", why=str(trouble))
            return
        self._sure_until = asked + HOLD_SECONDS / 2
        for name in held - self.held:
            if name in self._elsewhere:
                log.info("agent.desk_taken_over", desk=name)
            self._has(name)
            for slot in self._rounds[name]:
                self.due(name, slot)
        for name in self._desks.keys() - held:
            self._is_elsewhere(name)

    def due(self, name: str, slot: Slot) -> None:
        """A step of the desk `name` is to be done, unless another agent is at that desk."""
        if name in self.held and self._queues[name].put(slot):
            self._pool.submit(self._take_turn, name)

    def leave(self) -> None:
        """Wait for what is under way; what has not begun is left to the next."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def give_up(self) -> None:
        """Let other agents have the desks at once."""
        for name in self.held:
            self._agent.ledger.release(name, self._owner)

    def _take_turn(self, name: str) -> None:
        queue = self._queues[name]
        try:
            self._work(self._desks[name], queue.next())
        except AgentError as trouble:
            log.warning("agent.desk_not_asked_for", desk=name, why=str(trouble))
        except Exception as mistake:  # ours: the next round tries again
            log.error("step.failed", desk=name, error=type(mistake).__name__)
        finally:
            if queue.more() and not self._agent.stop.is_set():
                self._pool.submit(self._take_turn, name)

    def _work(self, desk: Desk, slot: Slot) -> None:
        if self._agent.stop.is_set():
            return
        if not self._is_held(desk.name):
            self._is_elsewhere(desk.name)
            return
        outcome = run_step(slot.name, desk, self._agent.clock(), slot.step)
        if self._health:
            self._health.step(outcome)

    def _is_held(self, name: str) -> bool:
        """By the last sign of life, if that was a short while ago; else the ledger is asked."""
        if name in self.held and time.monotonic() < self._sure_until:
            return True
        return self._agent.ledger.claim(name, self._owner, HOLD_SECONDS)

    def _has(self, name: str) -> None:
        self.held.add(name)
        self._elsewhere.discard(name)

    def _is_elsewhere(self, name: str) -> None:
        self.held.discard(name)
        if name not in self._elsewhere:
            log.info("agent.desk_held_by_another", desk=name)
        self._elsewhere.add(name)
        if self._health:
            self._health.held_elsewhere(name)


class _Queue:
    """The steps of one desk that wait for their turn. While a worker is there, it takes the next itself."""

    def __init__(self) -> None:
        self._waiting: deque[Slot] = deque()
        self._at_work = False
        self._lock = threading.Lock()

    def put(self, slot: Slot) -> bool:
        """True when no worker is there yet, and one has to be called."""
        with self._lock:
            if slot not in self._waiting:
                self._waiting.append(slot)
            called, self._at_work = self._at_work, True
            return not called

    def next(self) -> Slot:
        with self._lock:
            return self._waiting.popleft()

    def more(self) -> bool:
        """Whether something waits; if not, the worker is done here."""
        with self._lock:
            self._at_work = bool(self._waiting)
            return self._at_work
