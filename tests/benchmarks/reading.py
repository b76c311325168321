"""How long it takes to read a form: `python tests/benchmarks/reading.py` from the project's root.

Every way is checked for its results before it is timed, and all take turns, so that a busy machine slows
all alike. Times are milliseconds, the best and the median of many runs. "The floor" unzips the document,
parses its main part and joins the text, and knows nothing of what it means.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from lxml import etree
from pydantic import TypeAdapter

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from agent.forms.definition import FormDefinition  # noqa: E402 - the project's root has to be found first
from agent.forms.read import document_of, read  # noqa: E402
from agent.forms.worker import Reader  # noqa: E402
from agent.forms.write import write_form  # noqa: E402
from agent.procedure.reading import Reading  # noqa: E402
from agent.procedure.rules import Category, Procedure  # noqa: E402

RUNS = 300
STRANGERS_FORM = ROOT.parent / "shared/corpus/features/90_form_small.docx"  # of 30 fields

Told = TypeVar("Told")
Way = Callable[[], object]


def main() -> None:
    forms = [_toml(f"forms/{name}.toml", FormDefinition) for name in ("sla", "sla_missing")]
    categories = _toml("procedures/nct.toml", Procedure).categories
    reader = Reader(workers=1)
    try:
        if STRANGERS_FORM.exists():
            content = STRANGERS_FORM.read_bytes()
            values = {f"Value{number:04} text" for number in range(1, 31)}
            _report("a stranger's form of 30 fields", _ways(content, values, forms, categories, reader))
        for what, form in (
            ("our alert form cut to 30 fields", _cut(forms[0], 30)),
            ("our alert form, whole: 130 controls and tick boxes", forms[0]),
        ):
            answers = _answers(form)
            content = write_form(form, answers, {}, ["M01"], categories=categories)
            found = read(content, "form.docx", forms, categories)
            assert isinstance(found, Reading)
            wrong = {name for name, value in answers.items() if found.text(name) != value}
            assert not wrong, wrong
            _report(what, _ways(content, set(), forms, categories, reader))
    finally:
        reader.close()
    _report(
        "isolation",
        {"a worker starts and reads its first form": lambda: _first(content, forms, categories)},
        12,
    )


def _ways(
    content: bytes,
    values: set[str],
    forms: Sequence[FormDefinition],
    categories: Sequence[Category],
    reader: Reader,
) -> dict[str, Way]:
    said = {unit.text for unit in document_of(content).units}
    assert values <= said, values - said
    here, walled = (
        read(content, "form.docx", forms, categories),
        reader.read(content, "form.docx", forms, categories),
    )
    assert here == walled
    ways: dict[str, Way] = {
        "the floor: unzip, parse, join the text": lambda: _floor(content),
        "extracted: bytes to units": lambda: document_of(content),
        "read: matched and typed, in this process": lambda: read(content, "f.docx", forms, categories),
        "read in the worker": lambda: reader.read(content, "f.docx", forms, categories),
    }
    try:
        docx = import_module("docx")  # not one of the project's own packages
    except ModuleNotFoundError:
        print("(python-docx is not installed, so that it is not compared)")
    else:
        ways["python-docx: every paragraph and cell"] = lambda: _python_docx(docx, content)
    return ways


def _floor(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "".join(map(str, etree.fromstring(archive.read("word/document.xml")).itertext()))


def _python_docx(docx: ModuleType, content: bytes) -> list[str]:
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return [paragraph.text for paragraph in document.paragraphs] + cells


def _first(content: bytes, forms: Sequence[FormDefinition], categories: Sequence[Category]) -> None:
    reader = Reader(workers=1)
    reader.read(content, "form.docx", forms, categories)
    reader.close()


def _cut(form: FormDefinition, fields: int) -> FormDefinition:
    """The form without its tables and tick boxes, and with so many fields."""
    sections = []
    for section in form.sections:
        kept = section.fields[:fields]
        fields -= len(kept)
        sections.append(replace(section, fields=kept, tables=(), categories=""))
    return replace(form, sections=tuple(sections))


def _answers(form: FormDefinition) -> dict[str, str]:
    """An answer to every single field of a form."""
    made = {"date": "2025-03-04", "datetime": "2025-03-04T16:30", "yes_no": "yes", "person": "Priya Example"}
    return {
        name: made.get(field.type) or (field.options[0] if field.options else f"Answer to {name}")
        for name, field in form.fields.items()
        if name != "category"  # that one is ticked
    }


def _report(what: str, ways: dict[str, Way], runs: int = RUNS) -> None:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            times[name].append((time.perf_counter() - started) * 1000)
    first = min(next(iter(times.values())))
    print(f"\n{what}\n{'':44}{'best':>9}{'median':>9}{'× first':>9}")
    for name, taken in times.items():
        print(f"{name:44}{min(taken):9.2f}{statistics.median(taken):9.2f}{min(taken) / first:9.1f}")


def _toml(name: str, kind: type[Told]) -> Told:
    return TypeAdapter(kind).validate_python(tomllib.loads((ROOT / "config" / name).read_text("utf-8")))


if __name__ == "__main__":
    main()
