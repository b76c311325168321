"""A desk's workbook as bytes: made, read, edited and proved the same way wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from lxml import etree

from agent.errors import NeedsAPerson
from agent.procedure.answer import Answer
from agent.procedure.rules import Column, Procedure
from agent.register.base import Book, Changes, Edits, Sheet
from agent.register.cells import reference_key, same
from agent.register.difference import Difference
from agent.register.in_place import Cells, Edit, NewSheet, Rows, edit
from agent.register.new_workbook import QUESTIONS, SUMMARY, NewWorkbook
from agent.register.own_sheets import own_sheet, shown_on
from agent.register.package import RESTORE, Package
from agent.register.properties import MARK, property_of
from agent.register.workbook import QUESTIONS_TABLE, LastReading, Workbook

_ANYTHING = Column("", "agent")


@contextmanager
def _damage_told() -> Iterator[None]:
    """NeedsAPerson where a workbook holds what no program for spreadsheets writes: letters for the number of
    a style, a table without a place. It can stand at any of a hundred places, and means the same at each."""
    try:
        yield
    except (ValueError, LookupError, etree.LxmlError) as wrong:
        raise NeedsAPerson(
            f"The workbook is damaged: a value in it cannot be understood ({type(wrong).__name__}). {RESTORE}"
        ) from wrong


class Bookbinder:
    """Binds the workbooks of one desk."""

    def __init__(self, procedure: Procedure, desk: str) -> None:
        self._desk = desk
        self._columns, self._question_columns = procedure.columns, procedure.question_columns
        self._last, self._last_asked = LastReading(), LastReading()
        self._new = NewWorkbook(
            desk,
            procedure.columns,
            tuple(_with_answers(procedure.question_columns)),
            about=procedure.title,
            marking=procedure.letters.subject_marking,
            counted_by=_heading_of(procedure.columns, procedure.summary_by),
        )

    def fresh(self, edits: Edits) -> bytes:
        """A new register with `edits` in it, and with columns for whatever headings they name."""
        new = replace(
            self._new,
            columns=_with_own(self._new.columns, edits.register),
            question_columns=_with_own(self._new.question_columns, edits.questions),
        )
        return self.edited(new.content(), edits)

    @_damage_told()
    def edited(self, content: bytes, edits: Edits) -> bytes:
        """The workbook with `edits` in it; the very same bytes when they stand there already.

        ChangedMeanwhile when a row to be changed is not there; NeedsAPerson when the workbook cannot be
        edited safely.
        """
        also = [*self._questions(edits.questions), *self._summary(edits.summary)]
        return edit(content, self._columns, self._desk, edits.register, also, edits.mark, self._last)

    @_damage_told()
    def opened(self, content: bytes, version: str | None) -> Book:
        """What stands in a workbook. NeedsAPerson when it is none that the agent may write to."""
        book = Workbook(content, self._desk)
        asks = own_sheet(book, QUESTIONS) is not None
        asked = book.table(self._question_columns, QUESTIONS_TABLE, self._last_asked) if asks else None
        return Book(
            version,
            register=book.table(self._columns, last=self._last).shown(),
            questions=asked.shown() if asked else Sheet(),
            summary=shown_on(book, SUMMARY),
            mark=property_of(book.package, MARK),
        )

    def mark_of(self, content: bytes) -> str:
        """What the agent wrote into the workbook with its last writing."""
        return property_of(Package(content), MARK)

    def difference(self, before: bytes, after: bytes) -> Difference:
        """What an edit changed, cell by cell."""
        columns = (*self._columns, *self._question_columns)
        return Difference(before, after, columns, self._desk)

    def holds(self, book: Book, edits: Edits) -> bool:
        """Does everything that was to be written stand in `book`?"""
        return (
            _holds(book.register, edits.register, self._columns)
            and _holds(book.questions, edits.questions, self._question_columns)
            and all(
                same(_ANYTHING, book.summary.get(address, ""), text)
                for address, text in edits.summary.items()
            )
        )

    def proved(self, content: bytes, version: str | None, edits: Edits, name: str) -> Book:
        """What stands in a workbook just written. NeedsAPerson unless that is what was to be written."""
        book = self.opened(content, version)
        if not self.holds(book, edits):
            raise NeedsAPerson(
                f"What was written to the register {name} is not what stands there. "
                "Open it in Excel, and restore an earlier version if it is damaged."
            )
        return book

    def _questions(self, changes: Changes) -> Iterable[Edit]:
        if changes:
            yield NewSheet(QUESTIONS, self._new.questions_alone)
            yield Rows(self._question_columns, changes, QUESTIONS_TABLE, into_gaps=True)

    def _summary(self, cells: Mapping[str, str]) -> Iterable[Edit]:
        if cells:
            numbers = {address: int(text) if text.isdecimal() else text for address, text in cells.items()}
            yield NewSheet(SUMMARY, self._new.summary_alone)
            yield Cells(SUMMARY, numbers)


def _with_answers(columns: Iterable[Column]) -> Iterable[Column]:
    """The Questions sheet's columns, with what people may choose as an answer."""
    for column in columns:
        yield replace(column, choices=tuple(Answer)) if column.field == "answer" else column


def _with_own(columns: Iterable[Column], changes: Changes) -> tuple[Column, ...]:
    """The configured columns, and after them those that people once added."""
    known = {column.heading: column for column in columns}
    told = (heading for row in changes.new_rows for heading in row)
    own = (Column(heading, "person", format="long", width=24) for heading in told if heading not in known)
    return (*known.values(), *dict.fromkeys(own))


def _heading_of(columns: Iterable[Column], field: str) -> str:
    return next((column.heading for column in columns if column.field == field), "")


def _holds(sheet: Sheet, changes: Changes, columns: Iterable[Column]) -> bool:
    by_heading = {column.heading: column for column in columns}
    seen = _heading_of(columns, "reference")
    wanted = dict(changes.cells)
    wanted |= {row.get(seen, ""): row for row in changes.new_rows}
    return not (set(changes.gone) & sheet.rows.keys() - sheet.twice) and all(
        reference_key(key) in sheet.twice
        or same(by_heading[heading], sheet.rows.get(reference_key(key), {}).get(heading, ""), value)
        for key, values in wanted.items()
        for heading, value in values.items()
        if heading in by_heading and heading in sheet.headings
    )
