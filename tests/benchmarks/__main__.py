"""Every benchmark, one after the other, each in a process of its own; then the summary of them all.

    python -m tests.benchmarks [ITEM…]

Ends with status 1 when one of them failed: a result was wrong, or could not be had.
"""

from __future__ import annotations

import subprocess
import sys
import time

from tests.benchmarks.frame import RESULTS, ROOT, summary

ITEMS = ("backlog", "thinking", "start", "many_desks")
# As the summary shows them: an item may report on more than one thing.
REPORTS = ("backlog", "thinking", "ledger", "start", "many_desks")


def main(wanted: list[str]) -> int:
    failed = []
    for item in wanted or ITEMS:
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{item}"], cwd=ROOT)
        print(f"({item}: {time.monotonic() - began:.0f} s)\n", flush=True)
        failed += [item] if done.returncode else []
    (RESULTS / "summary.md").write_text(summary(one for one in REPORTS if (RESULTS / f"{one}.json").exists()))
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
