"""Every benchmark, each in a process of its own, one after the other but for those that count processor time
and take a core each; then the summary of them all.

    python -m tests.benchmarks [ITEM…]

Ends with status 1 when one of them failed: a result was wrong, or could not be had.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from tests.benchmarks.frame import RESULTS, ROOT, summary

# What is run, in this order, each by which module and what that is told.
ITEMS: dict[str, tuple[str, ...]] = {
    "backlog": ("backlog",),
    "reading": ("reading",),
    "register": ("register",),
    "thinking": ("thinking",),
    "ledger": ("thinking", "ledger"),
    "steady": ("steady",),
    "many_desks": ("many_desks", "0.5"),
    "start": ("start",),
}
BESIDE = {"steady", "register", "thinking", "ledger"}  # count processor time, so that each may have a core
CORES = 2


def main(wanted: list[str]) -> int:
    failed, started = [], time.monotonic()
    for _, group in groupby(wanted or ITEMS, lambda item: item in BESIDE or item):
        items = list(group)
        with ThreadPoolExecutor(CORES) as pool:
            failed += [item for item, well in zip(items, pool.map(_run, items), strict=True) if not well]
    (RESULTS / "summary.md").write_text(summary(one for one in ITEMS if (RESULTS / f"{one}.json").exists()))
    print(f"All in {(time.monotonic() - started) / 60:.0f} minutes: {RESULTS / 'summary.md'}")
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _run(item: str) -> bool:
    """Run one, and print what it found; whether it went well."""
    began = time.monotonic()
    module, *told = ITEMS[item]
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *told]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(f"{done.stdout}({item}: {time.monotonic() - began:.0f} s)\n", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
