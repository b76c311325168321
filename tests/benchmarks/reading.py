"""How long it takes to read a form, and what is found: `python -m tests.benchmarks.reading`.

Every way is checked for its results before it is timed. "The floor" unzips the document, parses its main part
and joins the text, and knows nothing of what it means.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from lxml import etree
from pydantic import TypeAdapter

from agent.forms.definition import FormDefinition
from agent.forms.read import document_of, read
from agent.forms.worker import Reader
from agent.forms.write import write_form
from agent.procedure.reading import Reading
from agent.procedure.rules import Category, Procedure
from tests.benchmarks.frame import PEERS, ROOT, Report, in_a_process, take_turns

RUNS, STARTS = 200, 9
STRANGERS_FORM = ROOT.parent / "shared/corpus/features/90_form_small.docx"  # of 30 fields

FLOOR, UNITS, WHOLE = "floor: unzip, parse, join", "ours, extracted", "ours, matched and typed"

Told = TypeVar("Told")
Way = Callable[[], object]


def main() -> None:
    report = Report(
        "reading",
        "Reading a form",
        f"Milliseconds, the best and the median of {RUNS} runs; the peers' own runs stand beside them. "
        "A value counts as found by a peer when it stands in the text, though nobody told what it "
        "answers; ours is matched with its question and typed.",
        drawn="best ms",
        limited_by="parsing is lxml's, as in the floor. Above it, each element that is looked at costs a "
        "Python object and its name; the rest goes to finding which label each value answers and, in the "
        "worker, to sending the answer back and checking it.",
    )
    forms = [_toml(f"forms/{name}.toml", FormDefinition) for name in ("sla", "sla_missing")]
    categories = _toml("procedures/nct.toml", Procedure).categories
    reader = Reader(workers=1)
    try:
        for form in _tried(forms, categories):
            _add(report, form, _ways(form, forms, categories, reader))
    finally:
        reader.close()
    first = take_turns({"worker": lambda: _first(form.content, forms, categories)}, STARTS)["worker"]
    report.notes.append(
        "python-docx passes over content controls, in which all answers on our forms stand. “Controls from "
        "its XML” is what its users write to get at them; it tells neither what each answers nor which of "
        "them is a prompt."
    )
    report.notes.append(
        f"Isolation: a worker starts and reads its first form in {1000 * statistics.median(first):.0f} ms; "
        "each form after it costs what “in the worker” takes above “matched and typed”."
    )
    report.write()


@dataclass(frozen=True)
class Tried:
    """A form that is read, and the values that stand in it."""

    name: str
    content: bytes
    values: Sequence[str]
    told: Mapping[str, str]


def _tried(forms: Sequence[FormDefinition], categories: Sequence[Category]) -> Iterator[Tried]:
    """`told` are the answers as they are to be read; nobody defined the stranger's form."""
    if STRANGERS_FORM.exists():
        values = [f"Value{number:04} text" for number in range(1, 31)]
        yield Tried("a stranger's form of 30 fields", STRANGERS_FORM.read_bytes(), values, {})
    for name, form in (("ours of 30 fields", _cut(forms[0], 30)), ("ours, whole", forms[0])):
        answers = _answers(form)
        content = write_form(form, answers, {}, ["M01"], categories=categories)
        free = [
            value for value in answers.values() if value.startswith("Answer to")
        ]  # others are shown otherwise
        yield Tried(name, content, free, answers)


def _add(report: Report, form: Tried, ways: dict[str, Way]) -> None:
    """Each way has its runs in a row, as the peers have: in turns, they would push each other's data out of
    the processor's caches. They are compared by their best, which others at work on the machine touch
    least."""
    taken = {name: [1000 * one for one in take_turns({name: way}, RUNS)[name]] for name, way in ways.items()}
    theirs = _peers(form)
    for name, runs in (taken | {name: told["ms"] for name, told in theirs.items()}).items():
        figures = {"best ms": min(runs), "median ms": statistics.median(runs)}
        if name in theirs:
            found = sum(value in theirs[name]["text"] for value in form.values)
            figures["values found %"] = 100 * found / len(form.values)
        elif not name.startswith("floor"):
            figures["values found %"] = 100.0  # each was compared in `_ways`
        report.add(f"{name}: {form.name}", figures)
    whole, units, floor = min(taken[WHOLE]), min(taken[UNITS]), min(taken[FLOOR])
    report.goal(
        f"{form.name}: within 4 times of the floor to extract", f"{units / floor:.1f}", units <= 4 * floor
    )
    if theirs:
        python_docx, with_controls = (
            min(theirs[name]["ms"]) for name in ("python-docx", "python-docx, controls from its XML")
        )
        times = python_docx / units
        report.goal(
            f"{form.name}: at least 2.5 times as fast as python-docx to extract",
            f"{times:.2f}, or {with_controls / units:.2f} of one that finds what is in controls; matched and "
            f"typed {python_docx / whole:.2f} and {with_controls / whole:.2f}",
            times >= 2.5,
        )


def _peers(form: Tried) -> dict[str, Any]:
    if not PEERS.exists():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "form.docx")
        path.write_bytes(form.content)
        told: dict[str, Any] = in_a_process("peer_readers", str(path), python=PEERS)
        return dict(told[str(path)])


def _ways(
    form: Tried, forms: Sequence[FormDefinition], categories: Sequence[Category], reader: Reader
) -> dict[str, Way]:
    content = form.content
    said = " ".join(unit.text for unit in document_of(content).units)
    assert all(value in said for value in form.values)
    here = read(content, "form.docx", forms, categories)
    assert here == reader.read(content, "form.docx", forms, categories)
    if form.told:
        assert isinstance(here, Reading)
        wrong = {name for name, value in form.told.items() if here.text(name) != value}
        assert not wrong, wrong
    return {
        FLOOR: lambda: _floor(content),
        UNITS: lambda: document_of(content),
        WHOLE: lambda: read(content, "f.docx", forms, categories),
        "ours, in the worker": lambda: reader.read(content, "f.docx", forms, categories),
    }


def _floor(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "".join(map(str, etree.fromstring(archive.read("word/document.xml")).itertext()))


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


def _toml(name: str, kind: type[Told]) -> Told:
    return TypeAdapter(kind).validate_python(tomllib.loads((ROOT / "config" / name).read_text("utf-8")))


if __name__ == "__main__":
    main()
