"""`n2k run` stops within seconds on SIGTERM and SIGINT, whatever it is waiting for, with exit status 0."""

from __future__ import annotations

import re
import signal
import threading
from pathlib import Path

import pytest

from agent.sandbox.faults import Fault
from agent.sandbox.request_log import Exchange
from tests.faults.harness import world
from tests.faults.process import configured, started

SECONDS = 25  # generous: a step has eight to finish what it has under way

SITUATIONS = [
    pytest.param(signal.SIGTERM, "GET .*/root:/.*", None, id="SIGTERM, between two rounds"),
    pytest.param(signal.SIGINT, "GET .*/root:/.*", None, id="SIGINT, between two rounds"),
    pytest.param(
        signal.SIGTERM, "GET .*/delta", Fault(path="/delta$", delay=60), id="SIGTERM, a request hangs"
    ),
    pytest.param(
        signal.SIGINT, "GET .*/delta", Fault(path="/delta$", delay=60), id="SIGINT, a request hangs"
    ),
    pytest.param(
        signal.SIGTERM,
        "GET .*/delta",
        Fault(path="/delta$", status=429, retry_after=50, times=None),
        id="SIGTERM, told to wait",
    ),
    pytest.param(
        signal.SIGTERM, "POST .*/token", Fault(path="/token$", delay=60), id="SIGTERM, signing in hangs"
    ),
]


@pytest.mark.parametrize(("told", "once_asked", "fault"), SITUATIONS)
def test_it_stops(told: signal.Signals, once_asked: str, fault: Fault | None, tmp_path: Path) -> None:
    asked = threading.Event()

    def hook(when: str, exchange: Exchange) -> None:
        if re.fullmatch(once_asked, f"{exchange.method} {exchange.path}"):
            asked.set()

    with world() as here:
        configured(here, tmp_path)
        here.stage.sandbox.tenant.on_request.append(hook)
        if fault:
            here.stage.sandbox.tenant.faults.add(fault)
        process = started("run", "--config", str(tmp_path), log=tmp_path / "log.txt")
        try:
            assert asked.wait(60), (tmp_path / "log.txt").read_text()
            process.send_signal(told)

            assert process.wait(SECONDS) == 0
        finally:
            process.kill()
            process.wait()
    assert "agent.started" in (tmp_path / "log.txt").read_text()
    assert "Traceback" not in (tmp_path / "log.txt").read_text()
