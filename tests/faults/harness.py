"""A short story told again and again, each time with the agent killed at another point.

A point is the moment before or after one request or one commit. At the chosen point `Killed` goes through
the agent, and from then on it can neither ask nor commit anything, in any of its threads: what it had in
memory is lost, as when the process dies. Another agent then starts on the same ledger and the same
Microsoft 365, repeats the round at the same simulated moment, and goes on to the end of the story.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import openpyxl

from agent.bootstrap import Agent, at_work
from agent.desk import Desk
from agent.intake import reconcile
from agent.ledger.sql import SqlLedger
from agent.procedure.words import Happened
from agent.sandbox.mailboxes import StoredMessage
from agent.sandbox.server import Sandbox
from agent.sandbox.stage import Stage, connected, desk_of
from agent.sandbox.story import Story, load_story
from agent.settings import Settings
from agent.steps import Outcome, run_all, run_step
from tests.builders import at, settings

# When the agent makes its rounds. A quarter of an hour after letters went out it comes again: a send whose
# answer was lost is left some minutes to show up before anything is done about it.
ROUNDS = [
    at(moment)
    for moment in (
        "2026-04-20 07:30",
        "2026-04-20 10:00",
        "2026-04-20 10:15",
        "2026-04-22 10:00",
        "2026-04-22 10:15",
        "2026-04-22 12:00",
    )
]
RECONCILED = ROUNDS[4]  # the nightly listing, at an hour that suits the story


class Killed(BaseException):
    """The process ends here. No `except Exception` may hold it up."""


@dataclass(frozen=True)
class Point:
    """One point of a telling: the `nth` time that this happened in it."""

    when: str
    what: str
    detail: str
    nth: int

    def __str__(self) -> str:
        """Short enough for the name of a test; ids are cut."""
        path = re.sub(r"[^/]{25,}", lambda found: found[0][-6:], self.detail.removeprefix("/v1.0"))
        return f"{self.when} {self.what} {path} #{self.nth}".replace("  ", " ")


@dataclass
class Witness:
    """Sees every point of one agent's life, and ends it at `kill`."""

    kill: Point | None = None
    passed: list[Point] = field(default_factory=list)
    dead: bool = False
    _times: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, when: str, what: str, detail: str) -> None:
        with self._lock:
            if not self.dead:
                self._times[when, what, detail] += 1
                point = Point(when, what, detail, self._times[when, what, detail])
                self.passed.append(point)
                self.dead = point == self.kill
            if self.dead:
                raise Killed


@dataclass
class Told:
    """How everything stood when the story was over, part by part."""

    parts: dict[str, Any]
    points: list[Point]
    troubles: list[Outcome]
    killed: bool


@cache
def short_story() -> Story:
    return load_story(Path(__file__).parent / "two_days")


@cache
def _empty_ledger() -> bytes:
    """A new ledger as a file: making its tables afresh would take a third of each telling."""
    path = _work_dir() / f"empty-{os.getpid()}.sqlite"
    SqlLedger(f"sqlite:///{path}").close()
    content = path.read_bytes()
    path.unlink()
    return content
