"""Writes a document's units in reading order, for the readers of every format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent.forms.ticks import pieces
from agent.forms.units import Cell, Document, Refused, Unit, joined

MOST_PLACES = 200_000  # lines and cells


class Stream:
    """Where in the document the pen is: `line`, `cell`, `part`, and whether text is `struck` out or, by bold
    letters and the like, `stressing`."""

    def __init__(self) -> None:
        self.document = Document()
        self.line = 0
        self.cell: Cell | None = None
        self.part = "body"
        self.struck = False
        self.stressing = False
        self._said: list[str] = []
        self._stressed: list[str] = []
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
            if self.stressing:
                self._stressed.append(text)

    def strike(self, struck: bool) -> None:
        if struck is not self.struck:
            self.flush()
            self.struck = struck

    def control(self, text: str, *, tag: str = "", alias: str = "", iso: str = "") -> None:
        self.add(Unit("control", text, self.line, self.cell, self.part, tag, alias, iso))

    def tick(self, ticked: bool, *, tag: str = "", alias: str = "") -> None:
        self.add(Unit("checkbox", "", self.line, self.cell, self.part, tag, alias, ticked=ticked))

    def add(self, unit: Unit) -> None:
        self.flush()
        self.document.units.append(unit)

    def swap(self, units: list[Unit]) -> list[Unit]:
        """Go on writing into `units`; gives those that were written into until here."""
        self.flush()
        before, self.document.units = self.document.units, units
        return before

    @contextmanager
    def answer(self, *, tag: str = "", alias: str = "", iso: str = "") -> Iterator[None]:
        """What is written inside becomes one control, unless it holds tick boxes, which stay themselves."""
        line = self.line
        outer = self.swap([])
        yield
        inner = self.swap(outer)
        if any(unit.kind == "checkbox" for unit in inner):
            self.document.units += inner
            return
        text = joined(inner)
        self.add(Unit("control", text, line, self.cell, self.part, tag, alias, iso if text else ""))

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
        text, stressed = "".join(self._said), tuple(self._stressed)
        self._said.clear()
        self._stressed.clear()
        line, cell, part, units = self.line, self.cell, self.part, self.document.units
        for piece in pieces(text):
            if isinstance(piece, str):
                units.append(Unit("text", piece, line, cell, part, struck=self.struck, stressed=stressed))
            else:
                units.append(Unit("checkbox", "", line, cell, part, ticked=piece))
