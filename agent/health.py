"""Answers on this machine to whoever watches over the agent: is it alive, is it ready, and its figures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from agent.audit import audit
from agent.bootstrap import Agent
from agent.errors import AgentError, BadConfiguration
from agent.log import logger
from agent.m365.session import CarefulSession
from agent.metrics import Metrics
from agent.steps import STEPS, Outcome

log = logger()

STALE = timedelta(minutes=30)  # without a round that ended well, a desk is not being served
MUST_END_WELL = STEPS.keys() - {"bookkeeping"}  # a register that people have open is told of by a letter


class Health:
    """What is known of how the agent does: told of each step's outcome, asked from outside."""

    def __init__(self, agent: Agent) -> None:
        self.metrics = Metrics(agent)
        self._agent = agent
        self._began = agent.clock()
        self._well: dict[str, datetime] = {}
        self._failing: dict[tuple[str, str], datetime] = {}
        self._elsewhere: set[str] = set()

    def step(self, outcome: Outcome) -> None:
        self.metrics.step(outcome)
        self._elsewhere.discard(outcome.desk)
        now, which = self._agent.clock(), (outcome.desk, outcome.step)
        if not outcome.trouble:
            self._well[outcome.desk] = now
            self._failing.pop(which, None)
        elif outcome.step in MUST_END_WELL:
            self._failing.setdefault(which, now)

    def held_elsewhere(self, desk: str) -> None:
        """Another agent serves this desk; this one stands by."""
        self._elsewhere.add(desk)

    def ready(self) -> dict[str, str]:
        """What keeps the agent from being ready, by desk; empty when it serves or stands by for all."""
        ours = (desk.name for desk in self._agent.desks if desk.name not in self._elsewhere)
        return {name: said for name in ours if (said := self._not_served(name))}

    def _not_served(self, desk: str) -> str:
        now, well = self._agent.clock(), self._well.get(desk, self._began)
        if now - well > STALE:
            return f"no step has ended well since {well:%H:%M} UTC"
        failing = [
            f"{step} has not ended well since {since:%H:%M} UTC"
            for (of_desk, step), since in self._failing.items()
            if of_desk == desk and now - since > STALE
        ]
        return "; ".join(failing)

    def amiss(self) -> list[str]:
        """What an audit finds on any desk, and what keeps the agent from being ready."""
        now = self._agent.clock()
        found = [f"{desk.name}: {said}" for desk in self._agent.desks for said in audit(desk, now)]
        return found + [f"{desk}: {said}" for desk, said in self.ready().items()]

    def beat(self) -> None:
        """Give a sign of life at the configured address, unless something is amiss."""
        amiss = self.amiss()
        if amiss:
            log.error("agent.amiss", what=amiss)
            return
        with CarefulSession() as session:
            try:
                session.get(self._agent.settings.agent.watched.heartbeat, timeout=10)
            except OSError as wrong:
                log.warning("agent.heartbeat_not_heard", error=type(wrong).__name__)


@contextmanager
def served(health: Health, listen: str) -> Iterator[str]:
    """Serve /healthz, /readyz and /metrics at `listen` ("127.0.0.1:9464") while the block lasts.

    Gives the address really used. BadConfiguration when it cannot be listened on.
    """
    host, _, port = listen.rpartition(":")
    try:
        server = ThreadingHTTPServer((host, int(port)), _handler(health))
    except (OSError, OverflowError) as wrong:  # the second of a port above 65535
        why = getattr(wrong, "strerror", None) or "there is no such port"
        remedy = 'Choose a free one, such as "127.0.0.1:9464".'
        raise BadConfiguration(
            [f"agent.toml: `watched.listen`: {listen} cannot be listened on ({why}). {remedy}"]
        ) from wrong
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="health")
    thread.start()
    try:
        yield f"{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = _ANSWERS.get(self.path.partition("?")[0])
            if answer is None:
                self._say(HTTPStatus.NOT_FOUND, b"Ask for /healthz, /readyz or /metrics.\n", "text/plain")
                return
            try:
                self._say(*answer(health))
            except AgentError as trouble:  # the ledger cannot be asked just now
                self._say(HTTPStatus.SERVICE_UNAVAILABLE, f"{trouble}\n".encode(), "text/plain")

        def _say(self, status: HTTPStatus, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Who asked is no event of the agent's."""

    return Handler


def _alive(_: Health) -> tuple[HTTPStatus, bytes, str]:
    return HTTPStatus.OK, b"alive\n", "text/plain"


def _ready(health: Health) -> tuple[HTTPStatus, bytes, str]:
    not_ready = health.ready()
    status = HTTPStatus.SERVICE_UNAVAILABLE if not_ready else HTTPStatus.OK
    return status, json.dumps({"ready": not not_ready, "why_not": not_ready}).encode(), "application/json"


def _figures(health: Health) -> tuple[HTTPStatus, bytes, str]:
    return HTTPStatus.OK, health.metrics.text(), "text/plain; version=0.0.4"


_ANSWERS = {"/healthz": _alive, "/readyz": _ready, "/metrics": _figures}
