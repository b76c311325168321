"""Every benchmark, each in a process of its own, one after the other but for those that count processor time
alone and take a core each; then the summary of them all.

    python -m tests.benchmarks [ITEM…]

Ends with status 1 when one of them failed: a result was wrong, or could not be had.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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
# What counts processor time alone, and may have a core each. The ledger's writes end long after the register.
BESIDE = ({"register", "thinking"},)
REPORTS = ("backlog", "steady", "reading", "register", "thinking", "ledger", "many_desks", "start")


def main(wanted: list[str]) -> int:
    failed, started = [], time.monotonic()
    for items in _together(wanted or list(ITEMS)):
        with ThreadPoolExecutor(len(items)) as pool:
            failed += [item for item, well in zip(items, pool.map(_run, items), strict=True) if not well]
    (RESULTS / "summary.md").write_text(summary(one for one in REPORTS if (RESULTS / f"{one}.json").exists()))
    print(f"All in {(time.monotonic() - started) / 60:.0f} minutes: {RESULTS / 'summary.md'}")
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _together(items: list[str]) -> Iterator[list[str]]:
    """The items in their order, those that may run beside each other as one."""
    left = list(items)
    while left:
        beside = next((some for some in BESIDE if left[0] in some), {left[0]})
        yield [item for item in left if item in beside]
        left = [item for item in left if item not in beside]


def _run(item: str) -> bool:
    """Run one, and print what it found; whether it went well."""
    began = time.monotonic()
    command = [sys.executable, "-m", f"tests.benchmarks.{item}", *ITEMS[item]]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(f"{done.stdout}({item}: {time.monotonic() - began:.0f} s)\n", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
