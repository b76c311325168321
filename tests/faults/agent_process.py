"""An agent in a process of its own, that makes its rounds when told to: what is measured is nobody else's."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from agent import log
from agent.audit import audit
from agent.bootstrap import Agent, at_work
from agent.configuration import load
from agent.intake import reconcile
from agent.ledger.base import LetterState
from agent.retention import retention
from agent.steps import Outcome, run_all, run_step
from agent.verbs.pausing import resume


class AgentProcess:
    """One agent after the other on the same configuration, each from its start to its end."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.start()

    def start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._orders, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_live, args=(self._config, theirs))
        self._process.start()
        theirs.close()

    def round(self, now: datetime, *, nightly: bool = False) -> tuple[float, list[str]]:
        """One round of all steps, at night after what is done then. Gives its processor time in seconds, and
        the troubles that it met."""
        spent, troubles = self._ordered(_night if nightly else _round, now)
        return spent, troubles

    def let_letters_go(self, now: datetime) -> bool:
        """A person has looked at letters that rest, as there were too many at once. False when none did."""
        return bool(self._ordered(_let_letters_go, now))

    def figures(self, now: datetime) -> Mapping[str, Any]:
        """What the ledger holds, and what is amiss."""
        told: Mapping[str, Any] = self._ordered(_figures, now)
        return told

    def _ordered(self, order: Any, now: datetime) -> Any:
        self._orders.send((order, now))
        return self._orders.recv()

    def stop(self) -> None:
        self._orders.send(None)
        self._process.join()

    def killed_in_its_round(self, now: datetime, seconds: float) -> None:
        """Ended by the system so many seconds after the round began."""
        self._orders.send((_round, now))
        time.sleep(seconds)
        self._process.kill()
        self._process.join()

    @property
    def megabytes(self) -> float:
        """Memory of the process and of those that it started to read documents in."""
        pids = [self._process.pid or 0]
        for pid in pids:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                pids += map(int, (thread / "children").read_text().split())
        return sum(_resident(pid) for pid in pids) / 1024


def _resident(pid: int) -> int:
    """In KB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


# In that process


def _live(config: Path, orders: Connection) -> None:
    """Do as told, until told to stop or nobody is left to tell."""
    log.set_up(level=logging.CRITICAL)
    with suppress(EOFError), at_work(load(config)) as agent:
        for order, now in iter(orders.recv, None):
            orders.send(order(agent, now))


def _round(agent: Agent, now: datetime) -> tuple[float, list[str]]:
    began = time.process_time()
    outcomes = run_all(agent.desks[0], now)
    return time.process_time() - began, _troubles(outcomes)


def _night(agent: Agent, now: datetime) -> tuple[float, list[str]]:
    desk = agent.desks[0]
    found = [run_step("reconcile", desk, now, reconcile), run_step("retention", desk, now, retention)]
    spent, troubles = _round(agent, now)
    return spent, [*_troubles(found), *troubles]


def _troubles(outcomes: list[Outcome]) -> list[str]:
    return [f"{one.step}: {one.trouble}" for one in outcomes if one.trouble]


def _let_letters_go(agent: Agent, now: datetime) -> bool:
    rested = agent.desks[0].ledger.pause().since is not None
    return rested and bool(list(resume(agent.settings, now)))


def _figures(agent: Agent, now: datetime) -> Mapping[str, Any]:
    desk = agent.desks[0]
    mails, alerts, letters = desk.ledger.mails(), desk.ledger.alerts(), desk.ledger.letters()
    return {
        "mails": Counter(mail.outcome for mail in mails),
        "not filed": sum(not mail.filed for mail in mails),
        "alerts": len(alerts),
        "open": sum(not alert.ended for alert in alerts.values()),
        "letters": Counter(letter.kind for letter in letters if letter.state is LetterState.POSTED),
        "questions": len(desk.ledger.questions(waiting_only=False)),
        "amiss": [*audit(desk, now), *desk.ledger.verify()],
    }
