"""What becomes of a folder of documents: `python tests/benchmarks/corpus.py FOLDER…` from the project's root.

Every file below the folders is read in the worker, as the agent would read it. For each folder and kind of
file it prints how many were read as a form, were none, or were refused and why; and the milliseconds that
they took, with the slowest by name. A file that breaks the reader, or is out of time or memory, is
named at the end, and the exit status is 1.
"""

from __future__ import annotations

import statistics
import sys
import time
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

from pydantic import TypeAdapter

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from agent.forms.definition import FormDefinition  # noqa: E402 - the project's root has to be found first
from agent.forms.sniff import sniff  # noqa: E402
from agent.forms.worker import Reader  # noqa: E402
from agent.procedure.reading import Reading  # noqa: E402
from agent.procedure.rules import Procedure  # noqa: E402

OUT_OF_BOUNDS = ("timeout", "memory", "crashed")


def main(folders: list[str]) -> int:
    forms = [
        TypeAdapter(FormDefinition).validate_python(tomllib.loads(path.read_text("utf-8")))
        for path in sorted((ROOT / "config/forms").glob("*.toml"))
    ]
    procedure = TypeAdapter(Procedure).validate_python(
        tomllib.loads((ROOT / "config/procedures/nct.toml").read_text("utf-8"))
    )
    outcomes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    times: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    broke: list[str] = []
    reader = Reader(workers=1)
    try:
        for folder in map(Path, folders):
            for path in sorted(file for file in folder.rglob("*") if file.is_file()):
                content = path.read_bytes()
                started = time.perf_counter()
                found = reader.read(content, path.name, forms, procedure.categories)
                kind = (folder.name, sniff(content))
                times[kind].append(((time.perf_counter() - started) * 1000, path.name))
                code = "a form" if isinstance(found, Reading) else found.code
                outcomes[kind][code] += 1
                if code in OUT_OF_BOUNDS:
                    broke.append(f"{path}: {code}")
    finally:
        reader.close()
    print(f"{'':32}{'files':>6}{'median':>9}{'slowest':>9}")
    for kind, told in sorted(outcomes.items()):
        taken = times[kind]
        slowest, name = max(taken)
        median = statistics.median(ms for ms, _ in taken)
        print(f"{' '.join(kind):32}{len(taken):6}{median:9.1f}{slowest:9.1f}  {name}")
        print("    " + ", ".join(f"{code} {count}" for code, count in told.most_common()))
    print(*broke, sep="\n")
    return 1 if broke else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
