"""An embedded Microsoft 365 in a process of its own, as `n2k sandbox` serves it, and agents beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import requests

from tests.benchmarks.frame import ROOT

LATENCY = 0.080  # seconds that each request takes at Microsoft's end


@dataclass(frozen=True)
class Embedded:
    """The sandbox that runs. `told` is what it says of itself: addresses, credentials, desks."""

    told: Mapping[str, Any]

    def control(self, method: str, path: str, body: object = None, content: bytes | None = None) -> Any:
        """One request to its control interface."""
        answer = requests.request(
            method,
            f"{self.told['control']}{path}",
            json=body,
            data=content,
            headers={"X-Control-Token": self.told["control_token"]},
            verify=self.told["ca_file"],
            timeout=60,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deliver(self, mails: Sequence[bytes], mailbox: str) -> None:
        for mail in mails:
            self.control("POST", f"/deliver?mailbox={mailbox}", content=mail)

    def requests(self, after: int = 0) -> list[dict[str, Any]]:
        """Every request with a number above `after`, without those of signing in."""
        found = self.control("GET", f"/requests?after={after}")["requests"]
        return [one for one in found if "/oauth2/" not in one["path"] and "/.well-known/" not in one["path"]]

    def last_request(self) -> int:
        return max((int(one["number"]) for one in self.requests()), default=0)


@contextmanager
def embedded(config: Path, mail: Path | None = None, latency: float = 0.0) -> Iterator[Embedded]:
    """Serve it for as long as the block lasts; a configuration that connects to it goes to `config`."""
    told = ["sandbox", "--config-to", str(config), *(["--mail", str(mail)] if mail else [])]
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", *told], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        here = Embedded(json.loads(process.stdout.readline()))
        here.control("POST", "/habits", {"latency": latency})
        yield here
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Cost:
    """What a process cost: seconds, processor seconds, megabytes at its peak; children's included."""

    wall: float
    cpu: float
    memory: float


def run(*command: str | Path) -> Cost:
    """Run a command to its end. RuntimeError, with what it said, when that is not a good one."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {said.decode()[-2000:]}")
    return Cost(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def n2k(*arguments: str | Path) -> Cost:
    return run(sys.executable, "-m", "agent", *arguments)


def at_first_desk(here: Embedded) -> str:
    """The mailbox of the first desk."""
    return cast(str, next(iter(here.told["desks"].values())))
