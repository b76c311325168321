"""Makes an empty register: the alerts, the open questions, a summary, and a page that explains them.

Rows are never written here; `in_place.py` adds them as to any other workbook, so that there is one way.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from agent.procedure.rules import Column
from agent.register.addresses import letters
from agent.register.own_sheets import mark
from agent.register.paper import print_page, print_table
from agent.register.properties import DESK
from agent.register.read_me import write_read_me
from agent.register.summary_sheet import with_described_charts, write_summary
from agent.register.table_sheet import HEADING_ROW, TableSheet
from agent.register.workbook import QUESTIONS_TABLE, TABLE, column_name, quoted

SHEET = "Need to Know"
QUESTIONS = "Questions"
SUMMARY = "Summary"
READ_ME = "Read me"
TITLE = "Need to Know register"
FROZEN_COLUMNS = 2


@dataclass(frozen=True)
class NewWorkbook:
    """An empty register of a desk, marked as its agent's own.

    `about` (the procedure's title) stands beside the titles and in print, `marking` ("Confidential") in the
    page header. Where there are no `question_columns`, or it is not `summarised`, that sheet is left out.
    `counted_by` is the heading by which the summary counts alerts apart ("Area").
    BadConfiguration when a drop-down cannot be made.
    """

    desk: str
    columns: Sequence[Column]
    question_columns: Sequence[Column] = ()
    about: str = ""
    marking: str = ""
    counted_by: str = ""
    summarised: bool = True

    @property
    def title(self) -> str:
        return f"{TITLE} · {self.about}" if self.about else TITLE

    def content(self) -> bytes:
        """The whole workbook."""
        book = Workbook()
        book.properties.creator = "Need to Know agent"
        book.properties.title = self.title
        book.custom_doc_props.append(  # type: ignore[attr-defined]  # missing in the stubs
            StringProperty(name=DESK, value=self.desk)
        )
        sheet = book.worksheets[0]
        sheet.title = SHEET
        self._write_alerts(sheet)
        _remember(book, self.columns)
        if self.question_columns:
            self._write_questions(book.create_sheet(QUESTIONS))
        if self.summarised:
            self._write_summary(book.create_sheet(SUMMARY))
        page = book.create_sheet(READ_ME)
        write_read_me(page, self.columns, self.question_columns, self.title)
        print_page(page, self.title, "", landscape=False)
        return _saved(book)

    def questions_alone(self, title: str) -> bytes:
        """A workbook that holds the questions' sheet, for one that lacks it."""
        return _alone(title, self._write_questions)

    def summary_alone(self, title: str) -> bytes:
        """A workbook that holds the summary, for one that lacks it."""
        return _alone(title, self._write_summary)

    def _write_alerts(self, sheet: Worksheet) -> None:
        TableSheet(TABLE, TITLE, self.about, self.columns, FROZEN_COLUMNS).write(sheet)
        print_table(sheet, self.title, self.marking, self.columns, FROZEN_COLUMNS)

    def _write_questions(self, sheet: Worksheet) -> None:
        beside = "What the agent will not guess. Answer in the column “Answer”; it acts at its next round."
        columns = self.question_columns
        TableSheet(QUESTIONS_TABLE, QUESTIONS, beside, columns, FROZEN_COLUMNS).write(sheet)
        print_table(sheet, f"{QUESTIONS} · {self.title}", self.marking, columns, FROZEN_COLUMNS)
        _mark(sheet, QUESTIONS)

    def _write_summary(self, sheet: Worksheet) -> None:
        write_summary(sheet, self.about, self.counted_by)
        print_page(sheet, f"{SUMMARY} · {self.title}", self.marking, pages=1)
        _mark(sheet, SUMMARY)


def _alone(title: str, write: Callable[[Worksheet], None]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    write(sheet)
    return _saved(book)


def _remember(book: Workbook, columns: Sequence[Column]) -> None:
    """Each column that the agent fills or acts on is known again, whatever people call it."""
    for index, column in ((index, column) for index, column in enumerate(columns, 1) if column.field):
        where = f"{quoted(SHEET)}!${letters(index)}${HEADING_ROW}"
        name = column_name(column)
        book.defined_names[name] = DefinedName(name, attr_text=where, hidden=True, comment=column.heading)


def _mark(sheet: Worksheet, name: str) -> None:
    """The sheet is known again as the agent's own, whatever people call it."""
    own = DefinedName(mark(name), attr_text=f"{quoted(sheet.title)}!$A$1", hidden=True)
    sheet.defined_names[mark(name)] = own


def _saved(book: Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return with_described_charts(content.getvalue())
