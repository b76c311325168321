"""What desks cost an agent that serves many of them: `python -m tests.benchmarks.many_desks [MINUTES]`.

All agents are watched at the same time, each with an embedded Microsoft 365 of its own, idle by the timetable
that comes with the agent. Desks are spread over its minutes: what 150 do in a minute is what one does in 150.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.toml_lines import tell
from tests.benchmarks.embedded import LATENCY, Embedded, embedded
from tests.benchmarks.frame import ROOT, Report
from tests.faults.office import first_alert, update
from tests.postgres import new_database

MINUTES = 2.0
DESKS = (1, 15, 150)  # 150: about as many as there are authorities in England
SETTLES = 400.0  # seconds that the first round of all desks may take at most
QUIET = 10.0
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Served:
    """An agent at work, and the Microsoft 365 that it serves; `first` is how long its first round took."""

    name: str
    desks: int
    process: subprocess.Popen[bytes]
    here: Embedded
    first: float = 0.0


@dataclass(frozen=True)
class Reading:
    """Processor seconds and requests so far, and megabytes now; those of the processes that read included."""

    at: float
    cpu: float
    requests: int
    memory: float


def main(minutes: float) -> None:
    report = Report(
        "many_desks",
        "Many desks",
        f"An agent that has dealt with two mails at each desk, in mode watch, over {minutes:g} minutes in "
        f"which nothing happens; each request takes {LATENCY * 1000:.0f} ms. “First round” is from its start "
        "until the mails of all desks are read and filed. A second agent stands by for the first.",
        drawn="processor ms per desk-minute",
        limited_by="looking: for changes and for letters every two minutes, at the register every five.",
    )
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        agents = [
            stack.enter_context(served(Path(folder, str(number)), f"ours: {number} desks, SQLite", number))
            for number in DESKS
        ]
        try:
            url = new_database().render_as_string()
        except pytest.skip.Exception as why:
            report.notes.append(f"Not measured on PostgreSQL: {why}")
        else:
            config = Path(folder, "server")
            one = stack.enter_context(served(config, f"ours: {DESKS[-1]} desks, PostgreSQL", DESKS[-1], url))
            by = stack.enter_context(at_work(config))
            agents += [one, Served("ours: a second agent beside it", DESKS[-1], by, one.here)]
        until_idle([agent.here for agent in agents])
        before = [read(agent) for agent in agents]
        time.sleep(minutes * 60)
        for agent, then in zip(agents, before, strict=True):
            report.add(agent.name, figures(agent, then, read(agent)))
    idle = next(told for who, told in report.lines if str(DESKS[-1]) in who)["processor ms per desk-minute"]
    report.goal("an idle desk-minute under 10 ms of processor time", f"{idle:.1f} ms", idle < 10)
    report.write()


def figures(agent: Served, before: Reading, after: Reading) -> dict[str, float]:
    desk_minutes = agent.desks * (after.at - before.at) / 60
    told = {
        "processor ms per desk-minute": (after.cpu - before.cpu) * 1000 / desk_minutes,
        "memory MB": after.memory,
    }
    if agent.first:  # else the requests are those of the agent that it stands by for
        told["requests per desk-minute"] = (after.requests - before.requests) / desk_minutes
        told["first round s"] = agent.first
    return told


@contextmanager
def served(config: Path, name: str, desks: int, ledger: str = "") -> Iterator[Served]:
    """An agent at so many desks, each with two mails, once its first round is over."""
    with embedded(config, latency=LATENCY) as here:
        mailboxes = multiply(config, here, desks)
        tell(config / "agent.toml", {"mode": "watch", **({"ledger": ledger} if ledger else {})})
        for address in mailboxes:
            here.deliver([first_alert(), update()], address)
        began = time.monotonic()
        with at_work(config) as process:
            agent = Served(name, desks, process, here)
            until_filed(agent, 2 * desks)
            agent.first = time.monotonic() - began
            yield agent


def multiply(config: Path, here: Embedded, desks: int) -> list[str]:
    """Desks like the first, each with a mailbox and a register of its own; gives the mailboxes."""
    model, names = config / "desks" / "nct.toml", [f"desk-{number:03d}" for number in range(1, desks + 1)]
    domain = re.findall(r'(?m)^allowed_domains = \["([^"]+)"', model.read_text())[0]
    for name in names:
        shutil.copy(model, file := config / "desks" / f"{name}.toml")
        tell(file, {"mailbox": f"{name}@{domain}", "path": f"{name}.xlsx", "aliases": []})
        told = {"address": f"{name}@{domain}", "name": name, "in_scope": True, "shared": True}
        here.control("POST", "/mailboxes", told)
    tell(config / "agent.toml", {"desks": names})
    return [f"{name}@{domain}" for name in names]


@contextmanager
def at_work(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    with config.with_suffix(".log").open("ab") as log:
        command = [sys.executable, "-m", "agent", "run", "--config", str(config)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def until_filed(agent: Served, mails: int) -> None:
    until = time.monotonic() + SETTLES
    while filed(agent.here) < mails:
        if agent.process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{agent.name}: {filed(agent.here)} of {mails} mails were filed.")
        time.sleep(0.5)


def until_idle(served: Sequence[Embedded]) -> None:
    """Until nothing but looking was done at any of them for a while."""
    for _ in range(round(SETTLES / QUIET)):
        seen = [here.last_request() for here in served]
        time.sleep(QUIET)
        asked = [
            one["method"] for here, last in zip(served, seen, strict=True) for one in here.requests(last)
        ]
        if set(asked) <= {"GET"}:
            return
    raise RuntimeError("The agents do not come to rest.")


def filed(here: Embedded) -> int:
    return sum(one["path"].endswith("/move") for one in here.requests())


def read(agent: Served) -> Reading:
    tree = [agent.process.pid, *children(agent.process.pid)]
    return Reading(
        time.monotonic(),
        sum(processor(pid) for pid in tree),
        agent.here.last_request(),
        sum(memory(pid) for pid in tree),
    )


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def processor(pid: int) -> float:
    """Processor seconds of a process and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICK


def memory(pid: int) -> float:
    """Megabytes that are its own or its share of what is shared."""
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(r"(?m)^Pss:\s+(\d+)", told)[0]) / 1024


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else MINUTES)
