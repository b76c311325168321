"""Two agents at work share a ledger on a server; one dies, and the other is soon at its desk."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.sandbox.request_log import Exchange
from tests.builders import INBOX
from tests.faults.harness import World, world
from tests.faults.office import first_alert
from tests.faults.process import started
from tests.faults.test_two_agents_on_one_server import on_a_server

WITHIN = 60  # seconds from a death to the next agent's work at the desk


def test_a_desk_is_worked_at_within_a_minute_of_its_agents_death(tmp_path: Path) -> None:
    with world() as bare:
        here = on_a_server(bare, tmp_path)
        looked, filed = seen(here, "GET .*/delta"), seen(here, "POST .*/move")
        with at_work(tmp_path, "first") as first:
            assert looked.wait(60), said(tmp_path, "first")
            with at_work(tmp_path, "second") as second:
                says(tmp_path, "second", "agent.desk_held_by_another")
                first.kill()
                here.stage.sandbox.tenant.deliver(first_alert(), [INBOX])

                assert filed.wait(WITHIN), said(tmp_path, "second")

                assert second.poll() is None
        with here.ledger() as ledger:
            assert list(ledger.alerts()) == ["SLA-2026-0001"]
    assert "agent.desk_taken_over" in said(tmp_path, "second")
    assert first.returncode == -signal.SIGKILL


def seen(here: World, asked: str) -> threading.Event:
    """Set once such a request was made."""
    event = threading.Event()

    def hook(when: str, exchange: Exchange) -> None:
        if when == "after" and re.fullmatch(asked, f"{exchange.method} {exchange.path}"):
            event.set()

    here.stage.sandbox.tenant.on_request.append(hook)
    return event


@contextmanager
def at_work(config: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    process = started("run", "--config", str(config), log=config / f"{name}.log")
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said(config: Path, name: str) -> str:
    return (config / f"{name}.log").read_text()


def says(config: Path, name: str, event: str, *, times: int = 1, within: float = 60) -> None:
    """Wait until its log has told of this, or told so often."""
    until = time.monotonic() + within
    while said(config, name).count(event) < times:
        assert time.monotonic() < until, said(config, name)
        time.sleep(0.1)
