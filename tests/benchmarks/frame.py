"""What every benchmark shares: turns and medians, the machine, a table, its goals, and a picture of it."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"
PEERS = ROOT / ".venv-bench/bin/python"  # `make bench` installs there what people would use instead

SPREAD = 60  # above this ratio of the longest bar to the shortest, a picture's scale is logarithmic
WIDTH, BAR, NAMES, GAP = 860, 22, 330, 8  # of a picture, in pixels


@dataclass
class Report:
    """The figures of one item: `item` names its files, `about` says what was measured and how often.

    Each line has its figures by column; a column's heading ends with its unit. `drawn` is the column that the
    picture shows, and `limited_by` says in a sentence what stands in the way of better figures.
    """

    item: str
    title: str
    about: str
    drawn: str
    limited_by: str = ""
    lines: list[tuple[str, dict[str, float]]] = field(default_factory=list)
    goals: list[tuple[str, str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, who: str, figures: Mapping[str, float]) -> None:
        self.lines.append((who, dict(figures)))

    def goal(self, wanted: str, found: str, met: bool) -> None:
        """`wanted` and `found` as people would say it, such as "at least 8 times as fast" and "9.4"."""
        self.goals.append((wanted, found, met))

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(column for _, figures in self.lines for column in figures))

    def rows(self) -> list[list[str]]:
        """The table as texts, its headings first."""
        told = [
            [who, *(shown(figures[one]) if one in figures else "" for one in self.columns)]
            for who, figures in self.lines
        ]
        return [["", *self.columns], *told]

    def text(self) -> str:
        rows = self.rows()
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
        table = [
            row[0].ljust(widths[0])
            + "".join(cell.rjust(width + 2) for cell, width in zip(row[1:], widths[1:], strict=True))
            for row in rows
        ]
        return "\n".join([self.title, self.about, "", *table, "", *self._words(), ""])

    def markdown(self) -> str:
        head, *rows = self.rows()
        table = [head, ["---", *("---:" for _ in head[1:])], *rows]
        told = "\n".join(f"| {' | '.join(row)} |" for row in table)
        words = "\n".join(f"- {word}" for word in self._words())
        picture = f"![{self.title}]({self.item}.svg)"
        return f"## {self.title}\n\n{self.about}\n\n{told}\n\n{words}\n\n{picture}\n"

    def _words(self) -> list[str]:
        goals = [
            f"{'met' if met else 'NOT met'}: {wanted}; found {found}" for wanted, found, met in self.goals
        ]
        limited = [f"What limits it now: {self.limited_by}"] if self.limited_by else []
        return [*goals, *self.notes, *limited]

    def picture(self) -> str:
        """The column `drawn` as bars, in SVG."""
        bars = [(who, figures[self.drawn]) for who, figures in self.lines if self.drawn in figures]
        lengths, logarithmic = _lengths([value for _, value in bars])
        height = 58 + len(bars) * (BAR + GAP)
        how = ", logarithmic" if logarithmic else ""
        font = 'font-size="13" font-family="system-ui, sans-serif"'
        drawn = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {font}>',
            '<rect width="100%" height="100%" fill="#fff"/>',
            f'<text x="12" y="22" font-size="16" font-weight="600">{escape(self.title)}</text>',
            f'<text x="12" y="40" fill="#555">{escape(self.drawn)}{how}</text>',
        ]
        for number, ((who, value), length) in enumerate(zip(bars, lengths, strict=True)):
            y = 52 + number * (BAR + GAP)
            colour = "#1d6f5f" if who.startswith("ours") else "#c9a227" if "floor" in who else "#9aa5b1"
            drawn += [
                f'<text x="{NAMES - 8}" y="{y + 16}" text-anchor="end">{escape(who)}</text>',
                f'<rect x="{NAMES}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2" fill="{colour}"/>',
                f'<text x="{NAMES + length + 6:.1f}" y="{y + 16}">{shown(value)}</text>',
            ]
        return "\n".join([*drawn, "</svg>", ""])

    def write(self) -> None:
        """Print the table, and leave it and its picture beside the other items' results."""
        RESULTS.mkdir(exist_ok=True)
        told = {**asdict(self), "at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
        (RESULTS / f"{self.item}.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        (RESULTS / f"{self.item}.svg").write_text(self.picture())
        print(self.text())


def _lengths(values: Sequence[float]) -> tuple[list[float], bool]:
    """How long each bar is, and whether the scale is logarithmic: then the shortest keeps a tenth."""
    longest, shortest = max(values), min(value for value in values if value > 0)
    room = WIDTH - NAMES - 90
    if longest / shortest <= SPREAD:
        return [room * value / longest for value in values], False
    return [room * (0.1 + 0.9 * _share(value, shortest, longest)) for value in values], True


def _share(value: float, shortest: float, longest: float) -> float:
    return math.log(max(value, shortest) / shortest) / math.log(longest / shortest)


def shown(value: float) -> str:
    """A figure with three digits that count."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"


def take_turns(
    ways: Mapping[str, Callable[[], object]], runs: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds that each way took in each run. All take turns, so that a busy machine slows all alike."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            started = clock()
            way()
            taken[name].append(clock() - started)
    return taken


def in_a_process(module: str, *told: str, python: Path | str = sys.executable, **environment: str) -> Any:
    """Run a module of this folder in a process of its own; gives what it printed last, as JSON."""
    done = subprocess.run(
        [str(python), "-m", f"tests.benchmarks.{module}", *told],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"tests.benchmarks.{module} ended with status {done.returncode}.")
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, str]:
    """On what it was measured."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "system": platform.platform(),
        "Python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")


def peers() -> bool:
    """Whether the peers are installed; says how, where they are not."""
    if not PEERS.exists():
        print("(The peers are not installed, so that nothing is compared with them: `make bench` does.)")
    return PEERS.exists()


def summary(reports: Iterable[str]) -> str:
    """All that was measured, from the results of these items."""
    told = [json.loads((RESULTS / f"{item}.json").read_text()) for item in reports]
    at, here = max(one["at"] for one in told), told[-1]["machine"]
    head = f"Measured on {at[:10]}: " + ", ".join(f"{value} ({name})" for name, value in here.items()) + "."
    parts = []
    for one in told:
        kept = {name: value for name, value in one.items() if name not in ("at", "machine")}
        parts.append(Report(**kept).markdown())
    return "\n".join(["# Measured", "", head + " `make bench` does it again.", "", *parts])
