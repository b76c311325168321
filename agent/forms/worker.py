"""Reads strangers' documents in a process of its own, with limits on time and memory and without a network.

A document that hangs, explodes or breaks the process becomes `Unreadable`, and the next one finds a
new process. The worker stays alive between documents, so that being walled off costs little.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter, ValidationError

from agent.errors import NeedsAPerson
from agent.forms.definition import FormDefinition
from agent.forms.labelled import Labelled
from agent.forms.limits import Limits
from agent.forms.read import CONVERTED
from agent.forms.sniff import sniff
from agent.forms.walled import READING, UNITS, Answer, Pipe, Told, receive, send
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.rules import Category

WORKERS = 2

_READING = TypeAdapter(Reading)
_UNITS = TypeAdapter(tuple[Labelled, ...])
_UNREADABLE = TypeAdapter(Unreadable)
_SAID = {
    "timeout": "The document could not be read in the time that is allowed for one.",
    "memory": "The document needs far more memory than a form would.",
    "crashed": "The document broke the program that reads documents.",
    "too_large": "The document is far larger than a form would be.",
}
# what a process needs to start; none of the agent's secrets
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")


class Reader:
    """Reads documents as `agent.forms.read.read` does, but walled off. May be used by several threads.

    Its processes start when they are first needed and end with `close`.
    """

    def __init__(self, limits: Limits | None = None, workers: int = WORKERS) -> None:
        self._limits = limits or Limits()
        self._free: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._free.put(None)
        self._workers = workers

    def read(
        self, content: bytes, name: str, definitions: Sequence[FormDefinition], categories: Sequence[Category]
    ) -> Reading | Unreadable:
        """Read one document. Never raises for what the document holds or does."""
        found = self._ask(content, name, (tuple(definitions), tuple(categories)))
        return cast(Reading | Unreadable, found)

    def read_units(self, content: bytes, name: str) -> tuple[Labelled, ...] | Unreadable:
        """Everything that stands in one document, as `agent.forms.read.read_units` gives it."""
        found = self._ask(content, name, None)
        return cast(tuple[Labelled, ...] | Unreadable, found)

    def _ask(self, content: bytes, name: str, told: Told | None) -> Answer:
        if len(content) > self._limits.size:
            return _unreadable(content, name, "too_large")
        worker, kept = self._free.get(), None
        try:
            if worker is not None and not worker.is_alive():
                worker.end()
                worker = None
            worker = worker or _Worker(self._limits)
            found = worker.read(content, name, told)
            kept = None if isinstance(found, str) else worker
        finally:
            if worker is not None and kept is None:
                worker.end()  # what it has yet to say must not become the answer for the next document
            self._free.put(kept)
        return _unreadable(content, name, found) if isinstance(found, str) else found

    def close(self) -> None:
        """End all processes. Waits for documents that are being read."""
        for _ in range(self._workers):
            worker = self._free.get()
            if worker is not None:
                worker.end()
        for _ in range(self._workers):
            self._free.put(None)


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._told: Told | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent.forms.walled"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a library's complaint could quote the document
            env=_environment(),
            start_new_session=True,
        )
        self._to, self._from = cast(Pipe, self._process.stdin), cast(Pipe, self._process.stdout)
        self._clock = _Clock(min(limits.seconds, limits.converting), self._process.kill)
        self._send(limits)
        if not receive(self._from):
            self.end()
            raise NeedsAPerson(
                "The process that reads documents could not be started. Check that the agent is completely "
                f"installed: `{sys.executable} -m agent.forms.walled` must start without an error."
            )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._clock.end()
        self._process.kill()
        self._process.wait()
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError):  # what was under way need not arrive any more
                pipe.close()

    def read(self, content: bytes, name: str, told: Told | None) -> Answer | str:
        """The reading of a form of those `told`, or without them the document's units; or else the code of
        what went wrong with the process."""
        seconds = self._limits.converting if sniff(content) in CONVERTED else self._limits.seconds
        self._clock.start(seconds)
        try:
            if told not in (None, self._told):
                self._send(told)
                self._told = told
            self._send((content, name, seconds, told is not None))
            answer = receive(self._from)
        except OSError:
            answer = b""
        if self._clock.stop():
            return "timeout"
        return _understood(answer) if answer else self._how_it_ended()

    def _how_it_ended(self) -> str:
        """By which signal: out of processor time, or ended by a system that is out of memory."""
        told = {-getattr(signal, "SIGXCPU", 24): "timeout", -getattr(signal, "SIGKILL", 9): "memory"}
        return told.get(self._process.wait(), "crashed")

    def _send(self, message: object) -> None:
        send(self._to, pickle.dumps(message))


class _Clock:
    """Calls `late` when a time allowed runs out. No time may be shorter than `shortest`, in seconds.

    Its one thread looks again after `shortest` when nothing runs, which is before any time that was started
    meanwhile can run out: so that starting and stopping cost no more than noting the time.
    """

    def __init__(self, shortest: float, late: Callable[[], None]) -> None:
        self._shortest, self._late = shortest, late
        self._until: float | None = None
        self._rang = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name="reading clock", daemon=True).start()

    def start(self, seconds: float) -> None:
        with self._lock:
            self._until, self._rang = time.monotonic() + seconds, False

    def stop(self) -> bool:
        """Whether the time ran out; from here on it no longer can."""
        with self._lock:
            self._until = None
            return self._rang

    def end(self) -> None:
        self._ended.set()

    def _watch(self) -> None:
        wait = self._shortest
        while not self._ended.wait(wait):
            with self._lock:
                until, now = self._until, time.monotonic()
                wait = self._shortest if until is None else until - now
                if wait <= 0:
                    self._late()
                    self._until, self._rang, wait = None, True, self._shortest


def _understood(answer: bytes) -> Answer | str:
    """Plain JSON, so that nothing a document may have done to the worker is run here."""
    kind, _, told = answer.partition(b"\n")
    try:
        if kind == READING:
            return _READING.validate_json(told)
        if kind == UNITS:
            return _UNITS.validate_json(told)
        found = _UNREADABLE.validate_json(told)
    except ValidationError:
        return "crashed"
    return "memory" if found.code == "memory" else found


def _unreadable(content: bytes, name: str, code: str) -> Unreadable:
    return Unreadable(name, hashlib.sha256(content).hexdigest(), code, (_SAID[code],))


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": "1"}
