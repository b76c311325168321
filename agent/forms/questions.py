"""What on a sheet asks something: lines and cells that are labels of one form, in the section being read."""

from __future__ import annotations

import re

from agent.forms.compound import asked_at_once
from agent.forms.labels import LabelBook, Match, Meaning, key
from agent.forms.lines import BOX, CONTROL, Line, as_shown, cut
from agent.forms.sheet import Sheet
from agent.forms.units import Cell, Unit

_NAMES_BOXES = re.compile(f"{BOX}.*{BOX}\\s*$", re.DOTALL)
_SEPARATOR = re.compile(f"\\s*(?:\\.{{3,}}|…+|_{{2,}})|[:\t{CONTROL}{BOX}]|[?](?=\\s)| [–—-] |\\s{{3,}}")
_SURE = frozenset(":\t._…")  # after these a label may have slips; a dash or a mark may stand in a sentence
_MANY = 3  # how many separators a label itself may hold ("National Panel: decision, date")
_CLOCK = re.compile(r"\d:\d$")  # the colon of a time of day
_MANY_WORDS = 4  # of a label that is not by chance what a short one and its answer say together
APART = re.compile(r"\t|\s{3,}")  # what sets two questions on one line apart
HEAD = re.compile(r"[^\W\d_][^\t:\n\ufffc\ufffb]{1,58}:(?=\s|$|[\ufffc\ufffb])")  # "Any words:", known or not
GUIDANCE = re.compile(
    r"\W*(?:please\b|if (?:known|applicable|relevant|not)\b|to be (?:completed|filled)\b"
    r"|see (?:the |also )?(?:guid|note|over)|(?:give|include|state|use|insert|attach|specify)\b"
    r"|for example\b|e\.?g\b|i\.?e\b|n\.?b\b|note:)|\(.*\)$",
    re.IGNORECASE,
)


class Questions:
    """The labels on a sheet. `section` is the one being read, which settles a label of several meanings."""

    def __init__(self, sheet: Sheet, book: LabelBook) -> None:
        self.sheet = sheet
        self.book = book
        self.section = book.definition.sections[0]

    # --- texts ---

    def exactly(self, text: str) -> Match | None:
        return self.book.exactly(text, self.section)

    def reworded(self, text: str) -> Match | None:
        """The label that `text` is, perhaps in other words."""
        return self.book.reworded(text, self.section)

    def nearly(self, text: str) -> Match | None:
        """The label that `text` is, perhaps in other words or with a slip of the pen."""
        return self.book.nearly(text, self.section)

    def first_of_several(self, text: str) -> Match | None:
        """The first known label of those that one word heads: "Police: informed, reference"."""
        labels = asked_at_once(text) if ";" not in text else ()  # of those, the first has to be known
        return next((found for label in labels if (found := self.exactly(label))), None)

    def begins(self, text: str) -> bool:
        """Whether more follows after the words of a known label, without so much as a colon."""
        words = text.split()
        starts = (" ".join(words[:count]) for count in range(2, min(len(words), 7)))
        return any(self.exactly(start) for start in starts)

    def _is_label_beside(self, text: str) -> bool:
        """Whether the words before the next gap are a label; an answer may begin like one ("Young…")."""
        beside = APART.split(text, maxsplit=1)[0]
        return self.begins(text) and (len(beside.split()) <= _MANY_WORDS or self.reworded(beside) is not None)

    # --- lines ---

    def is_asked_by(self, line: Line) -> bool:
        """Whether a line of text is a label or a heading, and nothing more."""
        text = line.text
        return bool(self.exactly(text) or self.book.heading(text) or self.book.row_heading(text))

    def is_said_by_form(self, line: Line) -> bool:
        """Whether a line is printed on the form itself."""
        if not line.plain:
            return False
        if line.part in ("header", "footer") and self.book.is_footer(line.text):
            return True
        return key(line.text) in self.book.boilerplate

    def split(self, line: Line) -> tuple[Match, str, list[Unit]] | None:
        """The label a line begins with and the units after it; None where it begins with none."""
        shown = as_shown(line.units)
        is_whole = line.plain and not line.struck and len(line.text.split()) >= _MANY_WORDS
        if is_whole and self.exactly(line.text):
            return None  # a label as a whole, with its colon or question mark: "Signed off by: date, time"
        best = None
        for separator in list(_SEPARATOR.finditer(shown))[:_MANY]:
            head = shown[: separator.start()]
            if not head.strip() or CONTROL in head or BOX in head:
                break
            if separator[0] == BOX and _NAMES_BOXES.search(shown):
                break  # the words before each box are its own
            if separator[0] == ":" and _CLOCK.search(shown[: separator.end() + 1]):
                continue
            if separator[0].isspace() and self._is_label_beside(shown[separator.end() :]):
                continue  # labels side by side
            find = self.nearly if _SURE.intersection(separator[0]) else self.exactly
            found = find(head)
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

    # --- cells ---

    def is_label(self, cell: Cell) -> bool:
        """Exact labels only: a value that is merely like a label stays a value."""
        if self.is_pure_label(cell):
            return True
        lines = [line for line in self.sheet.lines_in(cell) if line.says]
        has_more = len(self.sheet.lines_in(cell)) > 1  # be it a control in which nothing stands yet
        if lines and has_more and lines[0].plain and self.nearly(lines[0].text):
            return True  # a label with its answer below it
        return bool(lines) and self.split(lines[0]) is not None

    def is_pure_label(self, cell: Cell) -> bool:
        """Whether a cell holds a label or a heading and nothing else."""
        text = self.sheet.text_of(cell)
        if not text or not self.sheet.is_plain(cell):
            return False
        return self.exactly(text) is not None or self.book.heading(text) is not None

    def is_like_label(self, cell: Cell | None) -> bool:
        """A label with a slip of the pen."""
        return cell is not None and self.nearly(self.sheet.text_of(cell)) is not None

    def begins_with_label(self, cell: Cell) -> bool:
        first = next((line for line in self.sheet.lines_in(cell) if line.says), None)
        return first is not None and first.plain and self.reworded(first.text) is not None

    def right_of(self, cell: Cell) -> Cell | None:
        """The next cell on the right; a column in which nothing ever stands only keeps cells apart."""
        at = cell
        while (beside := self.sheet.beside(cell, at.right)) is not None and self._is_spacer(beside):
            at = beside
        return beside

    def _is_spacer(self, cell: Cell) -> bool:
        beside = self.sheet.beside(cell, cell.right)
        if beside is None or self.sheet.says(cell):
            return False
        column = [
            other
            for row in self.sheet.tables[cell.table]
            for other in row
            if other.left < cell.right and cell.left < other.right
        ]
        is_between = len(column) > 1 or not self.is_label(beside)
        return is_between and not any(map(self.sheet.says, column))

    # --- controls ---

    def own_name(self, control: Unit) -> Meaning | None:
        """What a control itself says that it asks for: by its tag, or by a label as its title."""
        tagged = self.book.tagged(control.tag, control.alias) if control.tag else None
        titled = self.book.exactly(control.alias, None) if control.alias else None
        return tagged or (titled.meaning if titled and titled.meaning.table is None else None)

    def asks_otherwise(self, unit: Unit, meaning: Meaning) -> bool:
        """Whether a control says by its title that it answers another label than the one beside it."""
        if unit.kind != "control" or not unit.alias:
            return False
        if meaning.table and self.book.column(meaning.table.name, unit.alias) == meaning:
            return False  # the column's own label, which another field may share
        titled = self.book.exactly(unit.alias, None)
        return titled is not None and titled.meaning.name != meaning.name
