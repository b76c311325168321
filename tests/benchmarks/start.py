"""How soon a command is at work: `python -m tests.benchmarks.start`."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.embedded import Cost, embedded, n2k, run
from tests.benchmarks.frame import PEERS, Report, peers

RUNS = 5


def main() -> None:
    report = Report(
        "start",
        "Start",
        f"Whole commands, from start to end; medians of {RUNS} runs that take turns. “Once” makes "
        "a round of every step at two desks with nothing to do, on an embedded Microsoft 365.",
        drawn="processor s",
        limited_by="importing. Of `n2k once`, O365, the forms' readers and openpyxl take most; of `n2k "
        "status`, SQLAlchemy and pydantic.",
    )
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config")
        with embedded(config):
            n2k("once", "--config", config)
            ways: dict[str, Callable[[], Cost]] = {
                "floor: Python, and nothing": lambda: run(sys.executable, "-c", "pass"),
                "ours: n2k --help": lambda: n2k("--help"),
                "ours: n2k status": lambda: n2k("status", "--config", config),
                "ours: n2k once, nothing to do": lambda: n2k("once", "--config", config),
            }
            if peers():
                plain = "import O365, docx, openpyxl"
                ways["plain script: its imports alone"] = lambda: run(PEERS, "-c", plain)
            costs: dict[str, list[Cost]] = {name: [] for name in ways}
            for _ in range(RUNS):
                for name, way in ways.items():
                    costs[name].append(way())
    for name, taken in costs.items():
        report.add(
            name,
            {
                "s": statistics.median(one.wall for one in taken),
                "processor s": statistics.median(one.cpu for one in taken),
            },
        )
    report.write()


if __name__ == "__main__":
    main()
