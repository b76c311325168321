"""Every benchmark, one after the other, each in a process of its own; then the summary of them all.

    python -m tests.benchmarks [ITEM…]

Ends with status 1 when one of them failed: a result was wrong, or could not be had.
"""

from __future__ import annotations

import subprocess
import sys
import time

from tests.benchmarks.frame import RESULTS, ROOT, summary

# What is run, each with what it is told; and what the summary shows, for an item may report more than once.
ITEMS: dict[str, tuple[str, ...]] = {
    "backlog": (),
    "steady": (),
    "reading": (),
    "register": (),
    "thinking": (),
    "many_desks": ("0.5",),
    "start": (),
}
REPORTS = ("backlog", "steady", "reading", "register", "thinking", "ledger", "many_desks", "start")


def main(wanted: list[str]) -> int:
    failed, started = [], time.monotonic()
    for item in wanted or ITEMS:
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{item}", *ITEMS[item]], cwd=ROOT)
        print(f"({item}: {time.monotonic() - began:.0f} s)\n", flush=True)
        failed += [item] if done.returncode else []
    (RESULTS / "summary.md").write_text(summary(one for one in REPORTS if (RESULTS / f"{one}.json").exists()))
    print(f"All in {(time.monotonic() - started) / 60:.0f} minutes: {RESULTS / 'summary.md'}")
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
