"""A document's units as the lines that a reader sees, and pieces of such lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.forms.units import Cell, Document, Unit

CONTROL, BOX = "\ufffc", "\ufffb"  # what stands for a control and for a tick box in a line's shown text
_PARTS_READ = frozenset(("body", "header", "footer", "text box"))


@dataclass(eq=False)
class Line:
    """What stands on one line of one cell or paragraph.

    `says` is whether there is anything to see, `plain` whether there is nothing but text, `stressed` whether
    all of that is bold, underlined or highlighted, `struck` whether any of it was crossed out.
    """

    units: list[Unit]
    cell: Cell | None
    part: str
    number: int
    used: bool = False

    def __post_init__(self) -> None:
        texts = [unit.text for unit in self.units if unit.kind == "text"]
        self.text = "".join(texts).strip()
        self.struck = any(unit.struck for unit in self.units)
        self.plain = len(texts) == len(self.units)
        self.stressed = (
            self.plain and "".join([t for u in self.units for t in u.stressed]).strip() == self.text
        )
        self.says = bool(self.text) or any(unit.text or unit.kind == "checkbox" for unit in self.units)


def lines_of(document: Document) -> list[Line]:
    """The stream as lines, in order; notes and comments are left to people."""
    groups: list[list[Unit]] = []
    line, cell = -1, None
    for unit in document.units:
        if unit.part not in _PARTS_READ:
            continue
        if unit.line == line and unit.cell is cell:
            groups[-1].append(unit)
        else:
            groups.append([unit])
            line, cell = unit.line, unit.cell
    return [Line(units, units[0].cell, units[0].part, units[0].line) for units in groups]


def as_shown(units: Sequence[Unit]) -> str:
    """The line as one text, in which every control and tick box is one character."""
    return "".join(
        [unit.text if unit.kind == "text" else CONTROL if unit.kind == "control" else BOX for unit in units]
    )


def cut(units: Sequence[Unit], start: int, end: int | None = None) -> list[Unit]:
    """The units between two places of the shown line."""
    kept: list[Unit] = []
    at = 0
    for unit in units:
        length = len(unit.text) if unit.kind == "text" else 1
        first, last = max(start - at, 0), length if end is None else min(end - at, length)
        at += length
        if first >= last:
            continue
        kept.append(
            unit if unit.kind != "text" or (first, last) == (0, length) else _part_of(unit, first, last)
        )
    return kept


def _part_of(unit: Unit, first: int, last: int) -> Unit:
    return replace(unit, text=unit.text[first:last])
