"""What was read in one file, as a table for people: each value with its label, its place, and how sure."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any

from agent.procedure.findings import finding_said
from agent.procedure.questions import QUESTIONS
from agent.procedure.rules import Procedure
from agent.procedure.words import Kind

_WIDEST = 120  # characters; a longer line is no pleasure to read
_NAME = 18
_PLACE = 16
_SURE = 4
_FIXED = _NAME + _PLACE + _SURE + 4 * 2  # all but value and label, with the gaps between five columns
_TOGETHER = "\N{NO-BREAK SPACE}"  # "row 7" is not broken over two lines
_KINDS = {
    Kind.NEW: "a first form",
    Kind.UPDATE: "an update",
    Kind.MISSING: "a form about a missing child",
    Kind.CLOSURE: "a conclusion",
    Kind.REPLY: "a reply",
    Kind.AUTO_REPLY: "an automatic reply",
    Kind.BOUNCE: "a mail that could not be delivered",
    Kind.OTHER: "not about an alert",
    Kind.UNREADABLE: "not readable",
}


def table_of(told: dict[str, Any], procedure: Procedure) -> Iterator[str]:
    """The lines for one file: what it is, the values in columns, then what people should look at."""
    width = min(_WIDEST, max(80, shutil.get_terminal_size((100, 24)).columns))
    for one in told.get("submissions", [told]):
        yield from _heading(one, procedure, width)
        yield from _people(one, width)
        yield from _values(one["fields"], width)
        yield from _ticked(one["categories"], procedure, width)
        yield from _updates(one["updates"], width)
        yield from _notes(one, procedure, width)
        yield ""
    yield from _units(told.get("units", []), width)


def _heading(told: dict[str, Any], procedure: Procedure, width: int) -> Iterator[str]:
    yield told["path"]
    by = f", by the {procedure.title}" if told["procedure"] else ""
    form = f" (form “{_form_name(told['form'], procedure)}”)" if told["form"] else ""
    yield from textwrap.wrap(f"This is {_KINDS[Kind(told['kind'])]}{form}{by}.", width)
    yield "─" * width


def _form_name(form: str, procedure: Procedure) -> str:
    known = {name.lower().replace(" ", "_"): name for name in procedure.form_types.values()}
    return known.get(form, form)


def _people(told: dict[str, Any], width: int) -> Iterator[str]:
    for child in told["children"]:
        born = f", born {_day(child['dob'])}" if child["dob"] else ", date of birth not stated"
        number = f", {child['system_id']}" if child["system_id"] else ""
        yield from _note("child", f"{child['name'] or 'name not stated'}{born}{number}", width)
    if told["bounce"]:
        lasting = "for good" if told["bounce"]["permanent"] else "for the time being"
        yield from _note("undelivered to", f"{told['bounce']['address'] or 'not stated'}, {lasting}", width)


def _values(fields: dict[str, Any], width: int) -> Iterator[str]:
    """A row each; a value too long for its column gets lines of its own below."""
    if not fields:
        return
    value_width = (width - _FIXED) * 3 // 5
    label_width = width - _FIXED - value_width
    columns = (_NAME, value_width, label_width, _PLACE, _SURE)
    yield ""
    yield from _row(("", "value", "label", "place", "sure"), columns)
    for name, found in fields.items():
        is_long = len(found["value"]) > 3 * value_width or "\n" in found["value"]
        said = "" if is_long else _printed(found["value"])
        sure = f"{found['confidence']:.0%}"
        where = _kept_together(found["where"])
        yield from _row((_words(name), said, f"“{found['label']}”", where, sure), columns)
        if is_long:
            for line in found["value"].splitlines():
                yield from _wrapped(line, width, "    ")


def _units(units: Sequence[dict[str, Any]], width: int) -> Iterator[str]:
    """All that stands in the documents, a row each."""
    if not units:
        return
    label_width = (width - _PLACE - 2 * 2) * 2 // 5
    columns = (label_width, width - label_width - _PLACE - 2 * 2, _PLACE)
    yield from _row(("label", "what stands there", "place"), columns)
    for unit in units:
        said = {True: "☒", False: "☐"}.get(unit["value"]) or str(unit["value"])
        yield from _row((unit["label"], said, _kept_together(unit["where"])), columns)
    yield ""


def _kept_together(place: str) -> str:
    return re.sub(r" (\d+)", rf"{_TOGETHER}\1", place)


def _row(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    wrapped = [textwrap.wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for parts in zip_longest(*wrapped, fillvalue=""):
        line = "  ".join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True))
        yield line.replace(_TOGETHER, " ").rstrip()


def _ticked(codes: Sequence[str], procedure: Procedure, width: int) -> Iterator[str]:
    if codes:
        yield ""
    for code in codes:
        category = procedure.category(code)
        yield from _note("ticked", f"{code} {category.words if category else ''}", width)


def _updates(updates: Sequence[dict[str, Any]], width: int) -> Iterator[str]:
    if updates:
        yield ""
    for update in updates:
        signed = ", ".join(filter(None, (update["manager"], update["reviewer"]))) or "not signed"
        dated = _day(update["date"]) if update["date"] else "undated"
        yield from _note("update", f"{dated}, {signed}: {update['text']}", width)


def _notes(told: dict[str, Any], procedure: Procedure, width: int) -> Iterator[str]:
    """By what signs it was known, what was noticed or proposed, what a person is asked, and what could not be
    read."""
    away = ", ".join(filter(None, (told["away_until"] and _day(told["away_until"]), told["deputy"])))
    notes = [
        *(("known by", reason) for reason in told["because"]),
        *((("away until", away),) if away else ()),
        *(("proposes", said) for said in told["proposes"]),
        *(("noticed", finding_said(code, procedure)) for code in told["findings"]),
        *(("for a person", QUESTIONS.get(code, _words(code))) for code in told["questions"]),
        *(("problem", said) for said in told["problems"]),
        *(("not understood", f"“{said}”") for said in told["unread"]),
    ]
    if told["flags"] and told["kind"] != Kind.OTHER:
        notes.insert(0, ("subject and file", ", ".join(map(_words, told["flags"]))))
    if notes:
        yield ""
    for name, said in notes:
        yield from _note(name, said, width)


def _note(name: str, said: str, width: int) -> Iterator[str]:
    first, *others = list(_wrapped(said, width, " " * (_NAME + 2))) or [""]
    yield f"{name:<{_NAME}}  {first.lstrip()}".rstrip()
    yield from others


def _wrapped(text: str, width: int, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)


def _words(code: str) -> str:
    return code.replace("_", " ")


def _printed(value: str) -> str:
    """ISO days and times as people write them."""
    day, at, time = value.partition("T")
    shown = _day(day)
    return f"{shown} at {time}" if at and shown != day else value if at else shown


def _day(value: str) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return value
    return f"{day.day} {day:%B %Y}"
