"""What a document is made of, once its format no longer matters: one ordered stream of units.

A *unit* is a piece of text, the content of a control, or a tick box. A *line* is what a reader sees
as one line: a paragraph, or a part of one between line breaks. A *cell* is a place on a table's grid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

_BLANK = re.compile(r"[\s\u2002\u2003\u00a0\u200b\u00ad]*")


class Refused(Exception):
    """The document is not read any further. `code` is stable, the message a sentence for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True, eq=False)
class Cell:
    """A cell and the grid it covers: columns `left` to `right` and rows `top` to `bottom`, ends excluded.

    `heads` says that it is made to look like a label: shaded, or in a row that is marked as headings.
    """

    table: int
    top: int
    bottom: int
    left: int
    right: int
    heads: bool = False


@dataclass(slots=True, eq=False)
class Unit:
    """One piece of the stream.

    `tag` and `alias` are what the form's maker called a control; `iso` is a date control's own value.
    `ticked` is a tick box's state. `struck` text was crossed out by hand; `stressed` are the pieces of a
    text that are bold, underlined or highlighted; `conflict` is what a bound control shows where its
    stored value says something else. `options` are what a drop-down offers; `dated` is a date's control.
    `called_prompt` is what stands in a control that says it shows a prompt, without the look of one.
    """

    kind: Literal["text", "control", "checkbox"]
    text: str
    line: int
    cell: Cell | None
    part: str
    tag: str = ""
    alias: str = ""
    iso: str = ""
    ticked: bool = False
    struck: bool = False
    conflict: str = ""
    stressed: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    dated: bool = False
    called_prompt: str = ""


@dataclass
class Document:
    """A document as units. `tables` holds each table's rows of cells, by the number in `Cell.table`.

    `noticed` are codes of things a reader should know: `macros`, `tracked_changes`, `hidden_text`,
    `embedded`, `linked`, `unclosed_field`, `comments`.
    """

    units: list[Unit] = field(default_factory=list)
    tables: list[list[list[Cell]]] = field(default_factory=list)
    noticed: set[str] = field(default_factory=set)


def place(unit: Unit) -> str:
    """Where a unit stands, in words for a person."""
    return where(unit.cell, unit.part, unit.line)


def where(cell: Cell | None, part: str, line: int) -> str:
    """A cell, or else a line of the body or another part, in words for a person."""
    if cell is not None:
        return f"table {cell.table + 1}, row {cell.top + 1}, column {cell.left + 1}"
    return f"line {line}" if part == "body" else part


def boxed(units: Sequence[Unit]) -> Iterator[tuple[Unit, str]]:
    """Each tick box with its words. Whether words come first is told by how the line begins."""
    shown = [unit for unit in units if unit.kind == "checkbox" or unit.text.strip()]
    boxes = [index for index, unit in enumerate(shown) if unit.kind == "checkbox"]
    before = bool(boxes) and boxes[0] > 0 and boxes[-1] == len(shown) - 1
    for number, index in enumerate(boxes):
        if before:
            start = boxes[number - 1] + 1 if number else 0
            words = shown[start:index]
        else:
            end = boxes[number + 1] if number + 1 < len(boxes) else len(shown)
            words = shown[index + 1 : end]
        yield shown[index], "".join(unit.text for unit in words if not unit.struck)


def joined(units: Iterable[Unit]) -> str:
    """The text of units, a line each; five en-spaces and the like are no answer."""
    lines: dict[int, list[str]] = {}
    for unit in units:
        if not unit.struck:
            lines.setdefault(unit.line, []).append(unit.text)
    text = "\n".join("".join(parts) for parts in lines.values())
    return "" if _BLANK.fullmatch(text) else text.strip()
