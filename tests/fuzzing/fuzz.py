"""Coverage-guided fuzzing of the readers, with atheris (a Python that has it and the project's packages).

    python -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install atheris -r requirements.lock
    /tmp/fuzz/bin/python -m tests.fuzzing.fuzz docx --seconds 600 --to /tmp/fuzz/docx [--more FOLDER…]

Readers: mime, docx, odt, pdf, xlsx, subject. Input that runs into a finding lies in the folder `--to`: where
Python raised, as `raised-…` beside its traceback, one for each place; as `slow-…` (more than ten seconds are
a finding), `timeout-…` (a minute), `oom-…` (2 GB) or `crash-…`. What was mended is kept, small, in
`samples/READER/`, which `test_samples.py` reads for ever.

What packages are made of is changed as trees, and packed again: blindly changed, hardly any could be opened.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
import traceback
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # not among the project's packages

with atheris.instrument_imports(include=["agent", "email", "zipfile"]):
    from tests.fuzzing.mutate import mutated
    from tests.fuzzing.readers import READERS, seeds

PACKAGES = ("docx", "odt", "xlsx")
LARGEST = 200_000  # bytes of an input
SLOWEST = 10  # seconds of processor time
MOST_MEMORY = 2_000  # MB


class Run:
    """One reader, fuzzed for a while."""

    def __init__(self, reader: str, folder: Path) -> None:
        self._read, self._folder = READERS[reader], folder
        self._known: set[str] = set()
        self.slowest = 0.0

    def one(self, content: bytes) -> None:
        """Read one input; what is raised is noted once for each place, and the run goes on."""
        began = time.process_time()
        try:
            self._read(content)
        except Exception as error:
            self._note(error, content)
        self._time(time.process_time() - began, content)

    def _time(self, seconds: float, content: bytes) -> None:
        if seconds > max(1.0, 1.5 * self.slowest):
            (self._folder / f"slow-{seconds:.1f}s").write_bytes(content)
            if seconds > SLOWEST:
                print(f"\nFINDING slow: {seconds:.0f} s", flush=True)
        self.slowest = max(self.slowest, seconds)

    def _note(self, error: Exception, content: bytes) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__} {last.filename}:{last.lineno} {str(error)[:60]}"
        if place in self._known:
            return
        self._known.add(place)
        name = f"raised-{hashlib.sha256(content).hexdigest()[:12]}"
        (self._folder / name).write_bytes(content)
        (self._folder / f"{name}.txt").write_text(traceback.format_exc(), encoding="utf-8")
        print(f"\nFINDING {place} → {name}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", choices=tuple(READERS))
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--more", type=Path, nargs="*", default=(), help="folders of further seeds")
    told = parser.parse_args()
    corpus = told.to / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(seeds(told.reader)):
        (corpus / f"seed-{number:03d}").write_bytes(content)
    run = Run(told.reader, told.to)
    arguments = [
        sys.argv[0],
        *(f"-max_len={LARGEST}", f"-max_total_time={told.seconds}", f"-timeout={6 * SLOWEST}"),
        *(f"-rss_limit_mb={MOST_MEMORY}", f"-artifact_prefix={told.to}/", "-print_final_stats=1"),
        *map(str, (corpus, *told.more)),
    ]
    mutator = {"custom_mutator": mutated} if told.reader in PACKAGES else {}
    atheris.Setup(arguments, run.one, **mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
