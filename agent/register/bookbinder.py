"""A desk's workbook as bytes: made, read, edited and proved the same way wherever it is kept."""

from __future__ import annotations

from agent.errors import NeedsAPerson
from agent.procedure.rules import Procedure
from agent.register.base import Book, Edits
from agent.register.cells import reference_key, same
from agent.register.difference import Difference
from agent.register.in_place import edit
from agent.register.new_workbook import new_workbook
from agent.register.workbook import Workbook


class Bookbinder:
    """Binds the workbooks of one desk."""

    def __init__(self, procedure: Procedure, desk: str) -> None:
        self._procedure, self._desk = procedure, desk
        self._columns = procedure.columns

    def empty(self) -> bytes:
        """A register in which no alert stands yet."""
        procedure = self._procedure
        marking = procedure.letters.subject_marking
        return new_workbook(self._columns, self._desk, about=procedure.title, marking=marking)

    def edited(self, content: bytes, edits: Edits) -> bytes:
        """The workbook with `edits` in it; the very same bytes when they stand there already.

        ChangedMeanwhile when a row to be changed is not there; NeedsAPerson when the workbook cannot be
        edited safely.
        """
        return edit(content, self._columns, self._desk, edits.register)

    def opened(self, content: bytes, version: str | None) -> Book:
        """What stands in a workbook. NeedsAPerson when it is none that the agent may write to."""
        return Book(version, Workbook(content, self._desk).table(self._columns).shown())

    def difference(self, before: bytes, after: bytes) -> Difference:
        """What an edit changed, cell by cell."""
        columns = (*self._columns, *self._procedure.question_columns)
        return Difference(before, after, columns, self._desk)

    def holds(self, content: bytes, edits: Edits) -> bool:
        """Does everything that was to be written stand in `content`?"""
        book = Workbook(content, self._desk).table(self._columns)
        sheet, changes = book.shown(), edits.register
        columns = {placed.column.heading: placed.column for placed in book.columns}
        wanted = dict(changes.cells)
        wanted |= {row.get(book.reference.column.heading, ""): row for row in changes.new_rows}
        return all(
            reference_key(reference) in sheet.twice
            or same(columns[heading], sheet.rows.get(reference_key(reference), {}).get(heading, ""), value)
            for reference, values in wanted.items()
            for heading, value in values.items()
            if heading in columns
        )

    def refuse_unproved(self, content: bytes, edits: Edits, name: str) -> None:
        """NeedsAPerson unless what was written is what stands there."""
        if not self.holds(content, edits):
            raise NeedsAPerson(
                f"What was written to the register {name} is not what stands there. "
                "Open it in Excel, and restore an earlier version if it is damaged."
            )
