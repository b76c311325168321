"""The page of the register that explains it to the people who work in it, in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from agent.procedure.row import STAFF
from agent.procedure.rules import Column
from agent.procedure.typed import SPLIT_OFF
from agent.procedure.words import Status
from agent.register.looks import FONT, INK, OWNERS, STATUSES


def write_read_me(
    sheet: Worksheet, columns: Sequence[Column], question_columns: Sequence[Column], title: str
) -> None:
    page = _Page(sheet)
    page.heading(title, size=15)
    page.text(
        "What the Need to Know agent knows, and what you write beside it. The agent keeps its own columns up "
        "to date and reads yours; you can work here as in any other workbook."
    )
    page.heading("Whose column is it?")
    for owner in OWNERS.values():
        page.pair(f"{owner.words}{owner.mark}", owner.meaning, fill=owner.head, ink=owner.ink)
    page.heading("What you can do")
    for line in _can_do(columns):
        page.point(line)
    if question_columns:
        page.heading("How to answer a question")
        for line in _how_to_answer(question_columns):
            page.point(line)
    page.heading("Please do not")
    for line in _please_do_not(columns):
        page.point(line)
    page.heading("What the status says")
    for status, look in STATUSES.items():
        page.pair(f"{look.symbol}  {status}", look.meaning, fill=look.fill, ink=look.ink, bold=look.bold)
    page.heading("What stands in each column")
    for column in columns:
        if not column.hidden:
            owner = OWNERS[column.owner]
            page.pair(f"{column.heading}{owner.mark}", _holds(column), fill=owner.head, ink=owner.ink)
    sheet.sheet_view.showGridLines = False


def _holds(column: Column) -> str:
    """What a column holds, in its note's words and those of its drop-down."""
    chosen = f"Choose: {', '.join(column.choices)}." if column.choices and column.field != "status" else ""
    return " ".join(filter(None, (column.note, chosen))) or "Yours to use as you like."


def _can_do(columns: Sequence[Column]) -> list[str]:
    name = {column.field: column.heading for column in columns if column.field}
    lines = [
        "Sort, filter, colour, comment, hide; move and add columns; add sheets of your own.",
        "Correct any proposed entry, or empty it. The agent keeps to your word, whatever later forms say.",
    ]
    if "status" in name:
        beside = [f"“{name[field]}”" for field in ("concluded_on", "concluded_by") if field in name]
        fill = f", and fill in {' and '.join(beside)}" if beside else ""
        lines.append(f"Conclude an alert: set “{name['status']}” to {Status.CONCLUDED}{fill}. Chasing stops.")
        status = name["status"]
        lines.append(
            f"Two alerts are one matter: write “{Status.DUPLICATE} of” and the other's reference into "
            f"“{status}”. What was known of both is kept together from then on."
        )
        lines.append(
            f"One alert is two matters: write “{SPLIT_OFF}” and a child's name or number into “{status}”, "
            f"such as “{SPLIT_OFF} 2”. That child gets a reference and a row of their own."
        )
    if "on_hold_until" in name:
        lines.append(
            f"Put an alert on hold: give a date in “{name['on_hold_until']}”. It is not chased until then."
        )
    if "subject_kind" in name:
        lines.append(
            f"Restrict an alert about a member of staff: set “{name['subject_kind']}” to {STAFF}. This "
            "register then shows little more than its reference and status."
        )
    lines.append(
        "Keep the workbook open. What the agent has to write is not lost by that: it is written as soon as "
        "the workbook can be written."
    )
    return lines


def _how_to_answer(columns: Sequence[Column]) -> list[str]:
    name = {column.field: column.heading for column in columns if column.field}
    choices = next((column.choices for column in columns if column.field == "answer"), ())
    listed = ", ".join(f"“{choice}”" for choice in choices)
    return [
        "On the sheet “Questions” stands what the agent will not guess; the mail stays visible until then.",
        f"Choose in “{name['answer']}”: {listed}. Or type the reference of the alert that it belongs to.",
        f"At its next round the agent acts on it and says so in “{name['outcome']}”. Nothing else is needed.",
        f"In a row “{Status.NOT_CONFIRMED}” the status answers: “{Status.OPEN}” or “{Status.NOT_AN_ALERT}”.",
    ]


def _please_do_not(columns: Sequence[Column]) -> list[str]:
    reference = next((column.heading for column in columns if column.field == "reference"), "reference")
    return [
        f"Change anything under “{reference}”, or copy a row so that a reference stands twice.",
        "Delete rows. The agent writes them again; set the status instead.",
        "Write right below the table: new alerts are added there. Another sheet is a good place.",
        "Rename headings, or turn the table back into plain cells.",
    ]


class _Page:
    """Writes a plain page of text, top to bottom, in two columns."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet, self.row = sheet, 1
        for name, width in (("A", 26), ("B", 92)):
            sheet.column_dimensions[name].width = width

    def heading(self, text: str, size: int = 12) -> None:
        self.row += self.row > 1
        self._put(1, text, Font(name=FONT, size=size, bold=True, color=INK), wrap=False)
        self.sheet.row_dimensions[self.row].height = size + 9
        self.row += 1

    def text(self, text: str) -> None:
        self.sheet.merge_cells(start_row=self.row, end_row=self.row, start_column=1, end_column=2)
        self._put(1, text, Font(name=FONT, size=10, color=INK))
        self._end(text, 155)

    def point(self, text: str) -> None:
        self.text(f"–  {text}")

    def pair(
        self, left: str, right: str, *, fill: str | None = None, ink: str = INK, bold: bool = False
    ) -> None:
        self._put(1, left, Font(name=FONT, size=10, color=ink, bold=bold))
        if fill:
            self.sheet.cell(self.row, 1).fill = PatternFill("solid", fgColor=fill)
        self._put(2, right, Font(name=FONT, size=10, color=INK))
        self._end(right, 118)

    def _put(self, column: int, text: str, font: Font, *, wrap: bool = True) -> None:
        there = self.sheet.cell(self.row, column, text)
        there.font = font
        there.alignment = Alignment(vertical="top", wrap_text=wrap, indent=0)

    def _end(self, text: str, wide: int) -> None:
        # merged cells are not fitted to their text by Excel, so every row is given its height
        self.sheet.row_dimensions[self.row].height = 15 * max(1, math.ceil(len(text) / wide)) + 2
        self.row += 1
