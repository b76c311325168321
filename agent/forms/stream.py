"""Writes a document's units in reading order, for the readers of formats other than Word's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent.forms.ticks import pieces
from agent.forms.units import Cell, Document, Refused, Unit, joined

MOST_PLACES = 200_000  # lines and cells


class Stream:
    """Where in the document the pen is: `line`, `cell`, `part` and whether text is `struck` out."""

    def __init__(self) -> None:
        self.document = Document()
        self.line = 0
        self.cell: Cell | None = None
        self.part = "body"
        self.struck = False
        self._said: list[str] = []
        self._places = 0

    def new_line(self) -> None:
        self.flush()
        self.line += 1
        self.count_place()

    def count_place(self) -> None:
        """Raises `Refused` when the document grows beyond what any form holds."""
        self._places += 1
        if self._places > MOST_PLACES:
            raise Refused("too_large", "The document has far more lines and cells than a form can hold.")

    def say(self, text: str | None) -> None:
        if text:
            self._said.append(text)

    def strike(self, struck: bool) -> None:
        if struck is not self.struck:
            self.flush()
            self.struck = struck

    def control(self, text: str, *, tag: str = "", alias: str = "", iso: str = "") -> None:
        self._add(Unit("control", text, self.line, self.cell, self.part, tag, alias, iso))

    def tick(self, ticked: bool, *, tag: str = "", alias: str = "") -> None:
        self._add(Unit("checkbox", "", self.line, self.cell, self.part, tag, alias, ticked=ticked))

    @contextmanager
    def answer(self, *, tag: str = "", alias: str = "", iso: str = "") -> Iterator[None]:
        """What is written inside becomes one control, unless it holds tick boxes, which stay themselves."""
        self.flush()
        outer, self.document.units = self.document.units, []
        line = self.line
        yield
        self.flush()
        inner, self.document.units = self.document.units, outer
        if any(unit.kind == "checkbox" for unit in inner):
            outer += inner
            return
        text = joined(inner)
        outer.append(Unit("control", text, line, self.cell, self.part, tag, alias, iso if text else ""))

    @contextmanager
    def beside(self, part: str) -> Iterator[None]:
        """What is written inside stands beside the text around it, in a part of its own."""
        self.flush()
        before = self.line, self.cell, self.part
        self.cell, self.part = None, part
        yield
        self.flush()
        _, self.cell, self.part = before
        self.line += 1

    def flush(self) -> None:
        """What was said becomes units: text, and the tick marks that stand in it."""
        if not self._said:
            return
        text = "".join(self._said)
        self._said.clear()
        for piece in pieces(text):
            if isinstance(piece, str):
                self.document.units.append(
                    Unit("text", piece, self.line, self.cell, self.part, struck=self.struck)
                )
            else:
                self.tick(piece)

    def _add(self, unit: Unit) -> None:
        self.flush()
        self.document.units.append(unit)
