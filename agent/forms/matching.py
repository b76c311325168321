"""Label-first matching: find the definition's labels in the stream, then look for each one's value nearby.

Looking for values first goes wrong on real forms (a value has many neighbours); a known label has few
places where its answer can be, and no text that is itself a label is ever an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from agent.forms.answers import is_prompt, typed
from agent.forms.claims import Claim, Matched, gather
from agent.forms.definition import FormTable
from agent.forms.labels import LONGEST, LabelBook, Match, Meaning, is_numbered, key
from agent.forms.lines import BOX, CONTROL, Line, as_shown, cut
from agent.forms.units import Cell, Document, Unit, boxed, where

_SAME_LINE, _SAME_CELL, _RIGHT, _UNDER_HEADING, _BELOW, _NEXT = 0.97, 0.95, 0.94, 0.94, 0.86, 0.8
_TICK_WORDS = frozenset(("x", "yes", "y", "✓", "✔"))
_SEPARATOR = re.compile(f"\\s*(?:\\.{{3,}}|…+|_{{2,}})|[:\t{CONTROL}{BOX}]|[?](?=\\s)| [–—-] |\\s{{3,}}")
_SURE = frozenset(":\t._…")  # after these a label may have slips; a dash or a mark may stand in a sentence
_TALLEST = 21  # rows that a merged cell is looked for beside another
_MANY = 3  # how many separators a label itself may hold ("National Panel: decision, date")
_CLOCK = re.compile(r"\d:\d$")  # the colon of a time of day
_LONGEST_HEADING = 60  # characters
_MANY_WORDS = 4  # of a label that is not by chance what a short one and its answer say together
_NUMBER, _NUMBERS = re.compile(r"\d{0,2}[.)]?"), frozenset(("", "no", "number", "update no"))
_APART = re.compile(r"\t|\s{3,}")  # what sets two questions on one line apart
_HEAD = re.compile(
    r"[^\W\d_][^\t:\n\ufffc\ufffb]{1,58}:(?=\s|$|[\ufffc\ufffb])"
)  # "Any words:", known or not
_GUIDANCE = re.compile(
    r"\W*(?:please\b|if (?:known|applicable|relevant|not)\b|to be (?:completed|filled)\b"
    r"|see (?:the |also )?(?:guid|note|over)|(?:give|include|state|use|insert|attach|specify)\b"
    r"|for example\b|e\.?g\b|i\.?e\b|n\.?b\b|note:)|\(.*\)$",
    re.IGNORECASE,
)
_GUIDANCE_AFTER = re.compile(
    r"\s(?:Please|If (?:known|applicable|relevant)|To be (?:completed|filled)|See (?:the )?(?:guid|note))\b"
)


def match(document: Document, lines: list[Line], book: LabelBook) -> Matched:
    """Everything that `book`'s form asks for and `document` answers; `lines` are the document's own."""
    return _Matcher(document, lines, book).run()


class _Matcher:
    def __init__(self, document: Document, lines: list[Line], book: LabelBook) -> None:
        self.book = book
        self.tables = document.tables
        self.lines = lines
        self.place = {id(line): index for index, line in enumerate(self.lines)}
        self.grid = {  # by table, row and first column
            (cell.table, row, cell.left): cell
            for cell in (cell for table in self.tables for cells in table for cell in cells)
            for row in range(cell.top, min(cell.bottom, cell.top + _TALLEST))
        }
        self.in_cell: dict[int, list[Line]] = {}
        for line in self.lines:
            if line.cell is not None:
                self.in_cell.setdefault(id(line.cell), []).append(line)
        self.texts: dict[int, str] = {}  # of cells
        self.labels: dict[tuple[str, str], Match | None] = {}  # by text and section
        self.section = book.definition.sections[0]
        self.claims: list[Claim] = []
        self.ticked: dict[str, Line] = {}
        self.problems: list[str] = []
        self.new_row = False
        self.rows_seen: set[tuple[int, int]] = set()
        self.facing: dict[tuple[int, int], str] = {}  # by table and column
        # the form's table and the document's whose headings had one row below: more headings go on with it
        self.one_row: tuple[FormTable | None, int] | None = None
        self.left_over: list[str] = []  # of lines of which only a part was an answer
        self.labels_used: set[int] = set()
        self.misplaced: set[int] = set()  # controls that stand beside a label which is not theirs

    def run(self) -> Matched:
        self._tick_lines()
        for line in self.lines:
            if line.used or not line.says:
                continue
            if line.cell is not None and (self._heading_row(line.cell) or self._side_by_side(line.cell)):
                continue
            self._take(line)
        self._tagged_controls()
        return self._gathered()

    # --- tick boxes of the categories ---

    def _tick_lines(self) -> None:
        for table in self.tables:
            for row in table:
                self._tick_row(row)
        for line in self.lines:
            if not line.used and not line.plain:
                self._tick_line(line)

    def _tick_row(self, row: Sequence[Cell]) -> None:
        """A row with one category in it, and one cell for its tick."""
        lines = [line for cell in row for line in self.in_cell.get(id(cell), ())]
        if not 1 < len(lines) <= 6:
            return
        codes = {code for line in lines if line.text and (code := self.book.category(line.text))}
        if len(codes) != 1:
            return
        marks = [line for line in lines if self._is_mark(line)]
        if len(marks) != 1 or not any(self.book.category(line.text) for line in lines if line not in marks):
            return
        if any(unit.kind == "checkbox" for line in lines for unit in line.units if line not in marks):
            return
        code = codes.pop()
        if self._is_ticked(marks[0]):
            self.ticked[code] = marks[0]
        for line in lines:
            if line in marks:
                line.used = True
            elif self.book.category(line.text):
                self._use_tick(line)

    def _use_tick(self, line: Line) -> None:
        line.used = True
        if self.book.says_more(line.text):
            self.left_over.append(line.text)

    def _is_mark(self, line: Line) -> bool:
        boxes = [unit for unit in line.units if unit.kind == "checkbox"]
        said = "".join(unit.text for unit in line.units).strip()
        return (len(boxes) == 1 and not said) or (not boxes and said.casefold() in _TICK_WORDS | {"no", "n"})

    def _is_ticked(self, line: Line) -> bool:
        boxes = [unit for unit in line.units if unit.kind == "checkbox"]
        return (
            boxes[0].ticked
            if boxes
            else "".join(u.text for u in line.units).strip().casefold() in _TICK_WORDS
        )

    def _tick_line(self, line: Line) -> None:
        """Boxes and their words on one line; the words stand after the box, or else before it."""
        boxes = [unit for unit in line.units if unit.kind == "checkbox"]
        for box, words in boxed(line.units):
            code = self.book.category(box.tag) if box.tag else None
            code = code or self.book.category(words.strip())
            if code is None:
                continue
            self._use_tick(line)
            if box.ticked:
                self.ticked[code] = line
        if (
            not line.used
            and boxes
            and all(self.book.category(box.tag) for box in boxes if box.tag)
            and boxes[0].tag
        ):
            self.ticked.update({str(self.book.category(box.tag)): line for box in boxes if box.ticked})
            line.used = True

    # --- tables with a row of headings ---

    def _heading_row(self, cell: Cell) -> bool:
        """Whether `cell` begins a row of headings; then the rows below are read as rows."""
        if (cell.table, cell.top) in self.rows_seen:
            return False
        self.rows_seen.add((cell.table, cell.top))
        rows = self.tables[cell.table]
        if sum(bool(self._cell_text(other)) for other in rows[cell.top]) < 2:
            return False  # most rows: a label and its control
        for name in self.book.definition.tables:
            columns = self._headings(rows[cell.top], name)
            if columns:
                self._rows_below(rows, cell.top, columns)
                return True
        return False

    def _headings(self, row: Sequence[Cell], table: str) -> list[tuple[Cell, Meaning]]:
        """The columns that the cells of `row` head, if that is what they do."""
        said = [(cell, self._cell_text(cell) if self._is_plain(cell) else "") for cell in row]
        found = [
            (cell, meaning) for cell, text in said if text and (meaning := self.book.column(table, text))
        ]
        if found and not self._is_table(found):
            return []
        names = {meaning.field.name for _, meaning in found}
        filled = sum(bool(text) for _, text in said)
        enough = (
            len(found) >= 2
            and len(names) == len(found)
            and len(found) >= 0.6 * len(row)
            and len(found) >= 0.6 * filled
        )
        return found if enough else []

    def _is_table(self, found: Sequence[tuple[Cell, Meaning]]) -> bool:
        """Whether labels head a table: not where all of them are questions of the section they stand in."""
        if found[0][1].section is self.section:
            return True
        singly = [self.book.exactly(self._cell_text(cell), self.section) for cell, _ in found]
        return not all(match and match.meaning.table is None for match in singly)

    def _rows_below(
        self, rows: Sequence[Sequence[Cell]], top: int, columns: list[tuple[Cell, Meaning]]
    ) -> None:
        self.labels_used.update(map(id, rows[top]))
        for cell, _ in columns:
            self._use(self._lines(cell))
        read = (columns[0][1].table, columns[0][0].table)
        goes_on, count = self.one_row == read, 0
        for row in rows[top + 1 :]:
            if self._stops_rows(row):
                break
            self.rows_seen.update((cell.table, cell.top) for cell in row)
            self._use_number(rows[top][0], row[0])
            first = True
            for head, meaning in columns:
                under = next(
                    (cell for cell in row if cell.left < head.right and head.left < cell.right), None
                )
                lines = self._lines(under) if under else []
                self.new_row = first and not goes_on
                first = False
                self._claim(Match(meaning, 1.0), self._cell_text(head), lines, _UNDER_HEADING, under or head)
            goes_on, count = False, count + 1
        self.one_row = read if count == 1 else None
        self.new_row = count != 1

    def _side_by_side(self, cell: Cell) -> bool:
        """Whether `cell` begins rows of labels with a column for each child; then each column is read down.

        Only where two columns at least hold an answer of the label's kind: a date of birth each."""
        rows = self.tables[cell.table][cell.top :]
        for name, table in self.book.definition.tables.items():
            if table.shape != "blocks":
                continue
            asked = [(row, self.book.column(name, self._cell_text(row[0]))) for row in self._alike(rows)]
            told = [(row, meaning) for row, meaning in asked if meaning]
            if len(told) < 2 or len(told) < len(asked) - 1 or told[0][0][0] is not cell:
                continue
            columns = range(1, len(told[0][0]))
            if sum(self._dated(told, column) for column in columns) < 2:
                continue
            for column in columns:
                self.new_row = True
                for row, meaning in told:
                    label, at = self._cell_text(row[0]), row[column]
                    self._claim(Match(meaning, 1.0), label, self._lines(at), _RIGHT, at)
            self._use(line for row, _ in told for line in self._lines(row[0]))
            self.new_row = True
            return True
        return False

    def _alike(self, rows: Sequence[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
        """The rows from the first on that have as many cells, none but the first of them a label."""
        for row in rows:
            if len(row) != len(rows[0]) or len(row) < 3 or any(map(self._is_label, row[1:])):
                return
            yield row

    def _dated(self, told: Sequence[tuple[Sequence[Cell], Meaning]], column: int) -> bool:
        """Whether what stands in a column is a date wherever its label asks for one."""
        dates = [
            typed(meaning.field, [line.units for line in self._lines(row[column])]).value
            for row, meaning in told
            if meaning.field.type in ("date", "datetime")
        ]
        return bool(dates) and all(dates)

    def _use_number(self, head: Cell, cell: Cell) -> None:
        """The number of a row is the form's own."""
        if _NUMBER.fullmatch(self._cell_text(cell)) and key(self._cell_text(head)) in _NUMBERS:
            self._use((*self._lines(head), *self._lines(cell)))

    def _stops_rows(self, row: Sequence[Cell]) -> bool:
        """A heading, or a row that asks something else, ends the rows."""
        if not row:
            return True
        text = self._cell_text(row[0])
        if self.book.heading(text) is not None or self.book.row_heading(text) is not None:
            return True
        if (said := [cell for cell in row if self._cell_text(cell)]) and all(map(self._is_pure_label, said)):
            return True
        return len(row) > 1 and self._is_pure_label(row[0]) and not self._is_pure_label(row[1])

    # --- single labels ---

    def _take(self, line: Line) -> None:
        text = line.text
        section = self.book.row_heading(text) if line.plain else None
        if section is not None:
            self.section, self.new_row, line.used = section, True, True
            return
        heading = self.book.heading(text) if line.plain else None
        if heading is not None:
            self.section, self.new_row = heading, True
            line.used = True
            if not self._reads_as_label(line):
                return
        if line.cell is not None and self._cell_label(line.cell):
            return
        if not self._tabbed_heads(line):
            self._line_label(line)

    def _tabbed_heads(self, line: Line) -> bool:
        """Labels side by side on one line: the k-th is answered in the k-th place of what comes next."""
        heads = [head.strip() for head in _APART.split(line.text)] if line.plain else []
        if len(heads) < 2 or not all(heads) or ":" in line.text.rstrip(":"):
            return False
        found = [self._label(head) for head in heads]
        if len({match.meaning.name for match in found if match}) < max(2, 0.6 * len(heads)):
            return False
        found = [
            match or self.book.nearly(head, self.section) for match, head in zip(found, heads, strict=True)
        ]
        after = next(
            (
                next_line
                for next_line in self.lines[self.place[id(line)] + 1 :]
                if self._may_answer(next_line)
            ),
            None,
        )
        places = self._places(after) if after is not None else []
        if len(places) != len(heads) or all(self._asks(lines) for lines, _ in places if lines):
            return all(match is not None and match.quality == 1.0 for match in found)  # nothing is answered
        line.used = True
        for match, head, (lines, cell) in zip(found, heads, places, strict=True):
            if match is not None:
                self._claim(match, head, lines, _UNDER_HEADING, cell, line)
            else:
                self.left_over += [head, *(one.text for one in lines if cell is None)]
        return True

    def _may_answer(self, line: Line) -> bool:
        return line.says or line.cell is not None

    def _places(self, line: Line) -> list[tuple[list[Line], Cell | None]]:
        """What stands side by side there: the cells of a row, or the pieces between tabs."""
        if line.cell is not None:
            row = self.tables[line.cell.table][line.cell.top]
            return [(self._lines(cell), cell) for cell in row] if line.cell.top == 0 else []
        shown, at, places = as_shown(line.units), 0, list[tuple[list[Line], Cell | None]]()
        for gap in [*(found.span() for found in _APART.finditer(shown)), (len(shown), len(shown))]:
            places.append(([Line(cut(line.units, at, gap[0]), None, line.part, line.number)], None))
            at = gap[1]
        line.used = len(places) > 1
        return places

    def _asks(self, lines: Sequence[Line]) -> bool:
        return self._label(lines[0].text) is not None

    def _reads_as_label(self, line: Line) -> bool:
        """A heading that is also a label ("Conclusion") asks for a value where one can follow."""
        if self.book.exactly(line.text, self.section) is None:
            return False
        if line.text.rstrip().endswith(":") or not is_numbered(line.text):
            return True
        if line.cell is None:
            return False
        return len(self.tables[line.cell.table][line.cell.top]) > 1 or len(self._lines(line.cell)) > 1

    def _cell_label(self, cell: Cell) -> bool:
        """A cell that holds a label and nothing else; its value stands right of it, or below."""
        if id(cell) in self.labels_used:
            return True
        found = self._label_of(cell)
        if found is None:
            return False
        self.labels_used.add(id(cell))
        self._use(self._lines(cell))
        label = self._cell_text(cell)
        place = self._value_cell(cell, found.meaning.field.options)
        if place is None:
            self._claim(found, label, [], _RIGHT, cell)
        else:
            self._claim(found, label, self._lines(place[0]), place[1], place[0])
        return True

    def _label_of(self, cell: Cell) -> Match | None:
        """The label that a cell holds, and nothing else but guidance on how to answer."""
        lines = [line for line in self._lines(cell) if line.says]
        if not lines or any(line.used and not self.book.heading(line.text) for line in lines):
            return None
        if not all(line.plain for line in lines):
            return None
        text = self._cell_text(cell)
        find = self.book.exactly if len(lines) > 1 or ":" in text.rstrip(": ") else self.book.nearly
        found = find(text, self.section)
        if found is None and len(lines) > 1 and (self._all_guidance(lines[1:]) or self._labels_column(cell)):
            found = self.book.nearly(lines[0].text, self.section)
        if found is None and (guidance := _GUIDANCE_AFTER.search(text)):
            found = self._label(text[: guidance.start()])
        return found or self._label_with_choices(cell, text)

    def _label_with_choices(self, cell: Cell, text: str) -> Match | None:
        """The label that prints what may be answered ("Risk: low / high") where the next cell answers it."""
        label, colon, offered = text.partition(":")
        right = self._right_of(cell) if colon and "/" in offered else None
        if (
            right is None
            or not (said := self._cell_text(right))
            or self._is_label(right)
            or _HEAD.match(said)
        ):
            return None
        is_marked = any(unit.struck or unit.stressed for line in self._lines(cell) for unit in line.units)
        return None if is_marked else self._label(label)

    def _all_guidance(self, lines: Sequence[Line]) -> bool:
        return all(_GUIDANCE.match(line.text) or is_prompt(line.text) for line in lines)

    def _labels_column(self, cell: Cell) -> bool:
        """Whether the cells above and below are labels too, each with its answer on the right."""
        return self._facing(cell.table, cell.left) == "right"

    def _facing(self, table: int, column: int) -> str:
        """Where the answers to a column of labels stand: "right", "below", or "" where that is not plain."""
        if (table, column) not in self.facing:
            self.facing[table, column] = ""  # what is asked while this is being found out
            cells = [cell for row in self.tables[table] for cell in row]
            alike = [cell for cell in cells if cell.left == column]
            self.facing[table, column] = self._found_facing(alike) or self._found_facing(cells)
        return self.facing[table, column]

    def _found_facing(self, cells: Sequence[Cell]) -> str:
        votes = {"right": 0, "below": 0, "inside": 0}
        for cell in cells:
            if self._begins_with_label(cell):
                if vote := self._vote(self._right_of(cell), self._below(cell)):
                    votes[vote] += 1
            elif any(self._split(line) for line in self._lines(cell)[:1]):
                votes["inside"] += 1
        most = max(votes, key=lambda vote: votes[vote])
        is_plain = sum(map(bool, votes.values())) == 1 and votes[most] > (most == "right")
        return most if is_plain else ""

    def _vote(self, right: Cell | None, below: Cell | None) -> str:
        """Where one label's answer must stand, told by where other labels stand around it."""
        is_free_beside = right is not None and not self._begins_with_label(right)
        if below is None or self._begins_with_label(below):
            return "right" if is_free_beside else ""
        is_asked_beside = not is_free_beside or not self._says(right) or self._is_like_label(right)
        return "below" if is_asked_beside and self._says(below) else ""

    def _begins_with_label(self, cell: Cell) -> bool:
        first = next((line for line in self._lines(cell) if line.says), None)
        return first is not None and first.plain and self._label(first.text) is not None

    def _value_cell(self, cell: Cell, options: Sequence[str]) -> tuple[Cell, float] | None:
        """Where the value of a label's cell is: right of it, or below where the row is all labels.

        One of the `options` is the answer, though it may be a label elsewhere ("Conclusion")."""
        right, facing = self._right_of(cell), self._facing(cell.table, cell.left)
        if right is not None and self._cell_text(right) in options:
            return right, _RIGHT
        under = self._below(cell) if options and facing != "right" else None
        if under is not None and self._cell_text(under) in options:
            return under, _BELOW
        below = self._free_below(cell) if facing != "right" else None
        if below is not None and (facing == "below" or self._is_like_label(right)):
            return below, _BELOW
        if facing == "inside" and right is not None and _HEAD.match(self._cell_text(right)):
            return None
        if right is not None and not self._is_answered_label(cell, right):
            return right, _RIGHT
        below = self._free_below(cell)
        return (below, _BELOW) if below is not None and self._row_of_labels(cell) else None

    def _free_below(self, cell: Cell) -> Cell | None:
        """The cell below, where that asks nothing itself."""
        below = self._below(cell)
        return None if below is None or self._is_label(below) else below

    def _is_like_label(self, cell: Cell | None) -> bool:
        """A label with a slip of the pen."""
        return cell is not None and self.book.nearly(self._cell_text(cell), self.section) is not None

    def _row_of_labels(self, cell: Cell) -> bool:
        return all(
            self._is_pure_label(other) or self._is_like_label(other)
            for other in self.tables[cell.table][cell.top]
            if self._cell_text(other)
        )

    def _right_of(self, cell: Cell) -> Cell | None:
        """The next cell on the right; a column in which nothing ever stands only keeps cells apart."""
        at = cell
        while (beside := self._beside(cell, at.right)) is not None and self._is_spacer(beside):
            at = beside
        return beside

    def _beside(self, cell: Cell, column: int) -> Cell | None:
        return self.grid.get((cell.table, cell.top, column))

    def _is_spacer(self, cell: Cell) -> bool:
        beside = self._beside(cell, cell.right)
        if beside is None or self._says(cell):
            return False
        column = [
            other
            for row in self.tables[cell.table]
            for other in row
            if other.left < cell.right and cell.left < other.right
        ]
        is_between = len(column) > 1 or not self._is_label(beside)
        return is_between and not any(map(self._says, column))

    def _says(self, cell: Cell | None) -> bool:
        return cell is not None and any(line.says or not line.plain for line in self._lines(cell))

    def _below(self, cell: Cell) -> Cell | None:
        rows = self.tables[cell.table]
        if cell.bottom >= len(rows):
            return None
        return next((o for o in rows[cell.bottom] if o.left < cell.right and cell.left < o.right), None)

    def _is_answered_label(self, label: Cell, right: Cell) -> bool:
        """Whether the cell on the right is a label of its own, not an answer that looks like one."""
        if not self._is_label(right):
            return False
        if not self._is_pure_label(right) or self._cell_text(right).endswith(":"):
            return True  # it has its own answer with it, or waits for one
        if len(self.tables[label.table][label.top]) != 2:
            return True
        below = self._below(label)
        above = self.tables[label.table][label.top - 1][:1] if label.top else []
        return not ((below and self._is_label(below)) or (not below and above and self._is_label(above[0])))

    def _is_label(self, cell: Cell) -> bool:
        """Exact labels only: a value that is merely like a label stays a value."""
        if self._is_pure_label(cell):
            return True
        lines = [line for line in self._lines(cell) if line.says]
        has_more = len(self._lines(cell)) > 1  # be it a control in which nothing stands yet
        if lines and has_more and lines[0].plain and self.book.nearly(lines[0].text, self.section):
            return True  # a label with its answer below it
        return bool(lines) and self._split(lines[0]) is not None

    def _is_pure_label(self, cell: Cell) -> bool:
        lines = self._lines(cell)
        text = self._cell_text(cell)
        if not text or not all(line.plain for line in lines):
            return False
        return self.book.exactly(text, self.section) is not None or self.book.heading(text) is not None

    def _is_plain(self, cell: Cell) -> bool:
        return all(line.plain for line in self._lines(cell))

    def _line_label(self, line: Line) -> None:
        """Labels at the start of a line, and any others on it."""
        split = self._split(line)
        if split is None:
            self._label_alone(line)
            return
        found, label, rest = split
        line.used = True
        while True:
            value, following = self._until_next_label(rest, found)
            self._claim_line(found, label, value, line, last=following is None)
            if following is None:
                return
            found, label, rest = following

    def _label_alone(self, line: Line) -> None:
        """A line that is a label and nothing more; the answer stands on the next."""
        if not line.plain or not line.text:
            return
        is_plain = line.text.endswith((":", "?")) or (
            line.cell is not None and line is self._lines(line.cell)[0]
        )
        find = self.book.nearly if is_plain else self.book.exactly
        found = find(line.text, self.section)
        if found is not None:
            line.used = True
            self._claim_line(found, line.text, [], line, last=True)

    def _claim_line(self, found: Match, label: str, value: list[Unit], line: Line, *, last: bool) -> None:
        said = any(unit.text.strip() or unit.kind == "checkbox" for unit in value)
        control = any(unit.kind == "control" for unit in value)
        place = _SAME_LINE
        lines = [Line(value, line.cell, line.part, line.number)] if said or control else []
        story = found.meaning.field.type == "long"
        if last and (story or line.cell is not None or not (said or control)):
            more = list(self._following(line, found.meaning))
            place = place if lines else (_SAME_CELL if line.cell else _NEXT)
            lines += more
        if (
            not lines
            and last
            and line.cell is not None
            and (right := self._right_of(line.cell))
            and not self._is_label(right)
            and not _HEAD.match(self._cell_text(right))
        ):
            lines, place = self._lines(right), _RIGHT
        if not lines and last and line.cell is None:
            lines, place = self._box_below(line), _BELOW
        self._claim(found, label, lines, place, line.cell, line)

    def _box_below(self, line: Line) -> list[Line]:
        """The answer in a table of a single column that comes next after a label's paragraph."""
        after = next((after for after in self.lines[self.place[id(line)] + 1 :] if after.says), None)
        if after is None or after.cell is None or after.used or after.cell.top:
            return []
        alone = all(len(row) == 1 for row in self.tables[after.cell.table])
        return self._lines(after.cell) if alone and not self._is_label(after.cell) else []

    def _following(self, line: Line, asked: Meaning) -> Iterator[Line]:
        """The lines after a label that belong to its answer: same cell or part, up to the next label."""
        story = asked.field.type == "long"
        for after in self.lines[self.place[id(line)] + 1 :]:
            if after.cell is not line.cell or after.part != line.part or after.used:
                return
            if not after.says:
                continue
            if after.plain and after.text in asked.field.options:
                yield after  # "Conclusion" may head a section, and answer what kind of form this is
                return
            if self._ends_answer(after, asked) or self._is_heading_like(after, line):
                return
            if self._is_said_by_form(after) or (after.plain and _GUIDANCE.match(after.text) and not story):
                continue
            if not story and self._asks_unknown(after):
                return
            yield after
            if not story and line.cell is None:
                return

    def _is_heading_like(self, line: Line, label: Line) -> bool:
        """Whether a paragraph is set like the label before it, and so heads what comes next."""
        short = line.cell is None and line.plain and len(line.text) <= _LONGEST_HEADING
        return short and line.stressed and label.stressed and line.text[-1] not in ".,;!"

    def _asks_unknown(self, line: Line) -> bool:
        """Whether a line seems to ask something in unknown words; not where a cell ends with it."""
        if not line.plain or (line.cell is not None and line is self._lines(line.cell)[-1]):
            return False
        return _HEAD.match(line.text) is not None or self._starts_with_label(line.text)

    def _is_label_beside(self, text: str) -> bool:
        """Whether the words before the next gap are a label; an answer may begin like one ("Young…")."""
        beside = _APART.split(text, maxsplit=1)[0]
        return self._starts_with_label(text) and (
            len(beside.split()) <= _MANY_WORDS or self._label(beside) is not None
        )

    def _starts_with_label(self, text: str) -> bool:
        """Whether more follows after the words of a known label, without so much as a colon."""
        words = text.split()
        starts = (" ".join(words[:count]) for count in range(2, min(len(words), 7)))
        return any(self.book.exactly(start, self.section) for start in starts)

    def _ends_answer(self, line: Line, asked: Meaning) -> bool:
        """Whether a line asks something else. A story told inside a cell may begin a line with a word that
        is a label elsewhere on the form ("Police informed: at once")."""
        split = self._split(line)
        if split is None:
            return line.plain and self._is_line_label(line)
        is_told = asked.field.type == "long" and line.cell is not None
        return not is_told or split[0].meaning.section is asked.section

    def _is_line_label(self, line: Line) -> bool:
        text = line.text
        return bool(
            self.book.exactly(text, self.section) or self.book.heading(text) or self.book.row_heading(text)
        )

    def _is_said_by_form(self, line: Line) -> bool:
        if not line.plain:
            return False
        if line.part in ("header", "footer") and self.book.is_footer(line.text):
            return True
        return key(line.text) in self.book.boilerplate

    # --- lines with a label and its value ---

    def _split(self, line: Line) -> tuple[Match, str, list[Unit]] | None:
        """The label a line begins with and the units after it; None where it begins with none."""
        shown = as_shown(line.units)
        if (
            line.plain
            and len(line.text.split()) >= _MANY_WORDS
            and self.book.exactly(line.text, self.section)
        ):
            return None  # a label as a whole, with its colon or question mark: "Signed off by: date, time"
        best = None
        for separator in list(_SEPARATOR.finditer(shown))[:_MANY]:
            head = shown[: separator.start()]
            if not head.strip() or CONTROL in head or BOX in head:
                break
            if separator[0] == ":" and _CLOCK.search(shown[: separator.end() + 1]):
                continue
            if separator[0].isspace() and self._is_label_beside(shown[separator.end() :]):
                continue  # labels side by side
            found = (
                self.book.nearly(head, self.section)
                if _SURE.intersection(separator[0])
                else self.book.exactly(head, self.section)
            )
            if found and (best is None or (found.quality >= best[0].quality and key(head) != key(best[1]))):
                end = separator.start() if separator[0] in (CONTROL, BOX) else separator.end()
                best = (found, head, end)
        if best is None:
            return None
        found, head, end = best
        rest = cut(line.units, end)
        if not rest and line.plain and not shown.rstrip().endswith(":"):
            return None
        return found, head.strip(), rest

    def _until_next_label(
        self, units: list[Unit], of: Match
    ) -> tuple[list[Unit], tuple[Match, str, list[Unit]] | None]:
        """The units before the next label of the same line, and that label. Narrative ends only at a tab."""
        shown = as_shown(units)
        narrative = of.meaning.field.type == "long"
        for colon in re.finditer(":", shown):
            words = list(re.finditer(r"[^\s\ufffc\ufffb]+", shown[: colon.start()]))
            for first in words[-8:]:
                label = shown[first.start() : colon.start()]
                if CONTROL in label or BOX in label or label.startswith("(") or _APART.search(label):
                    continue
                is_apart = (not narrative and first.start() == 0) or _APART.search(
                    shown[max(0, first.start() - 3) : first.start()]
                )
                found = (self.book.nearly if is_apart else self.book.exactly)(label, self.section)
                if narrative and not is_apart and not self._surely_next(label, found, of):
                    continue
                if found:
                    return cut(units, 0, first.start()), (found, label, cut(units, colon.end()))
        for gap in () if narrative else _APART.finditer(shown):
            if _HEAD.match(shown, gap.end()):  # another question, in words that are not known
                self.left_over.append("".join(unit.text for unit in cut(units, gap.end())).strip())
                return cut(units, 0, gap.start()), None
        return units, None

    def _surely_next(self, label: str, found: Match | None, of: Match) -> bool:
        """Whether words in a story are the next question after all: several, and of the same section."""
        is_label = found is not None and found.meaning.section is of.meaning.section
        return is_label and " " in label.strip() and label[:1].isupper()

    # --- claims ---

    def _claim(
        self,
        found: Match,
        label: str,
        lines: Sequence[Line],
        place: float,
        cell: Cell | None,
        at: Line | None = None,
    ) -> None:
        asked = found.meaning.field
        elsewhere = [
            unit for line in lines for unit in line.units if self._asks_otherwise(unit, found.meaning)
        ]
        if elsewhere:
            self.misplaced.update(map(id, elsewhere))
            return
        value = typed(asked, [line.units for line in lines])
        if (
            value.text
            and value.value not in asked.options
            and all(self._is_said_by_form(line) for line in lines)
        ):
            return
        self._use(lines)
        here = where(cell, at.part if at else "body", at.number if at else 0)
        if value.problem:
            self.problems.append(
                f"{value.problem}: {_why(value.problem, label.strip(' :*'), value.text)} ({here})"
            )
        confidence = round(found.quality * place * value.certainty, 3)
        self.claims.append(Claim(found.meaning, label.strip(" :*\t"), value, here, confidence, self.new_row))
        self.new_row = False

    def _use(self, lines: Iterable[Line]) -> None:
        for line in lines:
            line.used = True

    def _lines(self, cell: Cell) -> list[Line]:
        return self.in_cell.get(id(cell), [])

    def _cell_text(self, cell: Cell) -> str:
        text = self.texts.get(id(cell))
        if text is None:
            text = " ".join(line.text for line in self._lines(cell) if line.text)
            self.texts[id(cell)] = text
        return text

    def _label(self, text: str) -> Match | None:
        """The label that `text` is in this section, perhaps in other words."""
        if len(text) > LONGEST:
            return None
        asked = (text, self.section.title)
        if asked not in self.labels:
            self.labels[asked] = self.book.reworded(text, self.section)
        return self.labels[asked]

    def _tagged_controls(self) -> None:
        """A control that carries a field's own name answers it, wherever it stands."""
        known = {claim.meaning.name for claim in self.claims if claim.typed.text}
        for line in self.lines:
            was_used = line.used
            for unit in line.units:
                meaning = self._own_name(unit) if unit.kind == "control" else None
                is_free = not was_used or id(unit) in self.misplaced
                if meaning and unit.text and is_free and meaning.name not in known:
                    alone = Line([unit], line.cell, line.part, line.number)
                    self._claim(Match(meaning, 1.0), unit.alias or unit.tag, [alone], 0.99, unit.cell, line)
                    line.used = True

    def _own_name(self, control: Unit) -> Meaning | None:
        """What a control itself says that it asks for: by its tag, or by a label as its title."""
        tagged = self.book.tagged(control.tag, control.alias) if control.tag else None
        titled = self.book.exactly(control.alias, None) if control.alias else None
        return tagged or (titled.meaning if titled and titled.meaning.table is None else None)

    def _asks_otherwise(self, unit: Unit, meaning: Meaning) -> bool:
        """Whether a control says by its title that it answers another label than the one beside it."""
        if unit.kind != "control" or not unit.alias:
            return False
        if meaning.table and self.book.column(meaning.table.name, unit.alias) == meaning:
            return False  # the column's own label, which another field may share
        titled = self.book.exactly(unit.alias, None)
        return titled is not None and titled.meaning.name != meaning.name

    # --- the result ---

    def _gathered(self) -> Matched:
        places = {code: where(line.cell, line.part, line.number) for code, line in self.ticked.items()}
        result = gather(self.book, self.claims, places, self.problems)
        result.unread = tuple(self._unread())
        return result

    def _is_category(self, line: Line) -> bool:
        """A line of the list of categories as it is printed, whose box was left alone."""
        return line.plain and self.book.category(line.text) is not None and not self.book.says_more(line.text)

    def _unread(self) -> Iterator[str]:
        yield from self.left_over
        for line in self.lines:
            text = "".join(unit.text for unit in line.units).strip()
            if line.used or not re.search(r"\w", text) or is_prompt(text) or self._is_said_by_form(line):
                continue
            if self.book.exactly(text, self.section) is None and not self._is_category(line):
                yield text


def _why(problem: str, label: str, text: str) -> str:
    said = f"“{text}” under “{label}”"
    return {
        "impossible": f"{said} is no date of the calendar",
        "several": f"{said} names more than one date",
        "no_year": f"{said} has no year",
        "no_date": f"{said} is no date that can be read",
        "only_a_date": f"{said} is only a date",
        "unsure": f"{said} is not certain",
        "weekday": f"in {said} the weekday and the date differ",
        "time_unclear": f"in {said} the time is not clear, so only the day was taken",
        "several_ticked": f"several answers are ticked under “{label}”",
        "unclear_choice": f"{said} is none of the answers offered",
        "bound_conflict": f"the control under “{label}” shows something else than it stores",
    }[problem]
