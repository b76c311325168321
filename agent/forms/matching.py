"""Label-first matching: find the definition's labels in the stream, then look for each one's value nearby.

Looking for values first goes wrong on real forms (a value has many neighbours); a known label has few
places where its answer can be, and no text that is itself a label is ever an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.forms.answers import is_prompt
from agent.forms.category_ticks import read_category_ticks
from agent.forms.claims import Claims
from agent.forms.gather import Matched, gather
from agent.forms.heading_rows import HeadingRows
from agent.forms.label_cells import LabelCells
from agent.forms.label_lines import LabelLines
from agent.forms.labels import LabelBook, Match, is_numbered
from agent.forms.lines import Line
from agent.forms.questions import Questions
from agent.forms.sheet import Sheet
from agent.forms.units import Document, where

_WORD = re.compile(r"\w")
_TAGGED = 0.99  # how sure it is that a control answers the field whose name it carries


def match(document: Document, lines: list[Line], book: LabelBook) -> Matched:
    """Everything that `book`'s form asks for and `document` answers; `lines` are the document's own."""
    return _Matcher(Sheet(document, lines), book).run()


class _Matcher:
    """Goes down a sheet line by line, and hands each to whoever reads lines of its look."""

    def __init__(self, sheet: Sheet, book: LabelBook) -> None:
        self._sheet = sheet
        self._book = book
        self._asked = Questions(sheet, book)
        self._claims = Claims(self._asked)
        self._rows = HeadingRows(self._asked, self._claims)
        self._cells = LabelCells(self._asked, self._claims)
        self._lines = LabelLines(self._asked, self._claims)

    def run(self) -> Matched:
        read_category_ticks(self._sheet, self._book, self._claims)
        for line in self._sheet.lines:
            if line.used or not line.says:
                continue
            if line.cell is not None and self._rows.read(line.cell):
                continue
            self._take(line)
        self._tagged_controls()
        return self._gathered()

    def _take(self, line: Line) -> None:
        if line.plain and self._is_done_as_heading(line):
            return
        if line.cell is not None and self._cells.read(line.cell):
            return
        self._lines.read(line)

    def _is_done_as_heading(self, line: Line) -> bool:
        """Whether a line is a heading and no more. It begins a section, or a row of a repeating part."""
        row = self._book.row_heading(line.text)
        section = row or self._book.heading(line.text)
        if section is None:
            return False
        self._asked.section, self._claims.new_row, line.used = section, True, True
        return row is not None or not self._reads_as_label(line)

    def _reads_as_label(self, line: Line) -> bool:
        """A heading that is also a label ("Conclusion") asks for a value where one can follow."""
        if self._asked.exactly(line.text) is None:
            return False
        if line.text.rstrip().endswith(":") or not is_numbered(line.text):
            return True
        if line.cell is None:
            return False
        return len(self._sheet.row_of(line.cell)) > 1 or len(self._sheet.lines_in(line.cell)) > 1

    def _tagged_controls(self) -> None:
        """A control that carries a field's own name answers it, wherever it stands."""
        known = {claim.meaning.name for claim in self._claims.made if claim.typed.text}
        for line in self._sheet.lines:
            was_used = line.used
            for unit in line.units:
                is_free = not was_used or id(unit) in self._claims.misplaced
                is_answer = is_free and unit.kind == "control" and unit.text
                meaning = self._asked.own_name(unit) if is_answer else None
                if meaning and meaning.name not in known:
                    alone = Line([unit], line.cell, line.part, line.number)
                    label = unit.alias or unit.tag
                    self._claims.claim(Match(meaning, 1.0), label, [alone], _TAGGED, unit.cell, line)
                    line.used = True

    # --- the result ---

    def _gathered(self) -> Matched:
        ticked = self._claims.ticked
        places = {code: where(line.cell, line.part, line.number) for code, line in ticked.items()}
        result = gather(self._book, self._claims.made, places, self._claims.problems)
        result.unread = tuple(self._unread())
        return result

    def _unread(self) -> Iterator[str]:
        yield from self._claims.left_over
        for line in self._sheet.lines:
            yield from (unit.called_prompt for unit in line.units if _is_real(unit.called_prompt))
            if line.used:
                continue
            text = "".join(unit.text for unit in line.units).strip()
            if not _WORD.search(text):
                continue
            if is_prompt(text) or self._asked.is_said_by_form(line):
                continue
            if self._asked.exactly(text) is None and not self._is_category(line):
                yield text

    def _is_category(self, line: Line) -> bool:
        """A line of the list of categories as it is printed, whose box was left alone."""
        is_listed = line.plain and self._book.category(line.text) is not None
        return is_listed and not self._book.says_more(line.text)


def _is_real(called_prompt: str) -> bool:
    """Whether a text that is called a prompt does not read like one: somebody may have typed it."""
    return bool(called_prompt) and not is_prompt(called_prompt)
