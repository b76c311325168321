"""Lines that begin with a label, hold several, or are one: which words are the answer to each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.forms.claims import BELOW, NEXT, RIGHT, SAME_CELL, SAME_LINE, UNDER_HEADING, Claims
from agent.forms.labels import Match, Meaning
from agent.forms.lines import BOX, CONTROL, Line, as_shown, cut
from agent.forms.questions import APART, GUIDANCE, HEAD, Questions
from agent.forms.units import Cell, Unit

_LONGEST_HEADING = 80  # characters
_HEAD_OF_LINE = re.compile(r"([^:?]+)[:?]")
_NUMBERED = re.compile(r"(?:q|question|section)?\s*(?:(\d{1,2})|([a-z]))[.):]", re.IGNORECASE)
_MOST_WORDS = 8  # of a label inside a line
_MOST = 0.6  # how many of the words side by side have to be labels

Place = tuple[list[Line], Cell | None]


class LabelLines:
    """Reads the labels of a line, in a cell or in none, each with its answer."""

    def __init__(self, asked: Questions, claims: Claims) -> None:
        self._asked = asked
        self._sheet = asked.sheet
        self._claims = claims

    def read(self, line: Line) -> None:
        if self._side_by_side(line):
            return
        split = self._asked.split(line)
        if split is None:
            if not self._struck_choice(line):
                self._label_alone(line)
            return
        found, label, rest = split
        line.used = True
        while True:
            value, following = self._until_next_label(rest, found)
            self._claim(found, label, value, line, last=following is None)
            if following is None:
                return
            found, label, rest = following

    def _struck_choice(self, line: Line) -> bool:
        """Whether a line offers, without a label, all answers to a question, some of them crossed out."""
        offered = self._asked.book.offering(line.text) if line.plain and line.struck else None
        if offered is not None:
            self._claims.claim(Match(offered, 1.0), offered.field.label, [line], SAME_LINE, line.cell, line)
        return offered is not None

    # --- labels side by side ---

    def _side_by_side(self, line: Line) -> bool:
        """Labels side by side on one line: the k-th is answered in the k-th place of what comes next."""
        heads = [head.strip() for head in APART.split(line.text)] if line.plain else []
        if len(heads) < 2 or not all(heads) or ":" in line.text.rstrip(":"):
            return False
        found = [self._asked.reworded(head) for head in heads]
        if len({match.meaning.name for match in found if match}) < max(2, _MOST * len(heads)):
            return False
        found = [match or self._asked.nearly(head) for match, head in zip(found, heads, strict=True)]
        after = next((other for other in self._sheet.after(line) if other.says or other.cell), None)
        places = self._places(after) if after is not None else []
        if len(places) != len(heads) or all(self._is_label(lines) for lines, _ in places if lines):
            return all(match is not None and match.quality == 1.0 for match in found)  # nothing is answered
        line.used = True
        for match, head, (lines, cell) in zip(found, heads, places, strict=True):
            if match is not None:
                self._claims.claim(match, head, lines, UNDER_HEADING, cell, line)
            else:
                self._claims.left_over += [head, *(one.text for one in lines if cell is None)]
        return True

    def _places(self, line: Line) -> list[Place]:
        """What stands side by side there: the cells of a row, or the pieces between tabs."""
        if line.cell is not None:
            row = self._sheet.row_of(line.cell) if line.cell.top == 0 else []
            return [(self._sheet.lines_in(cell), cell) for cell in row]
        shown, at, places = as_shown(line.units), 0, list[Place]()
        for gap in [*(found.span() for found in APART.finditer(shown)), (len(shown), len(shown))]:
            places.append(([Line(cut(line.units, at, gap[0]), None, line.part, line.number)], None))
            at = gap[1]
        line.used = len(places) > 1
        return places

    def _is_label(self, lines: Sequence[Line]) -> bool:
        return self._asked.reworded(lines[0].text) is not None

    # --- a label, and what follows it ---

    def _label_alone(self, line: Line) -> None:
        """A line that is a label and nothing more; the answer stands on the next."""
        if not line.plain or not line.text or line.struck:
            return
        begins_cell = line.cell is not None and line is self._sheet.lines_in(line.cell)[0]
        is_asking = line.text.endswith((":", "?")) or begins_cell
        found = self._asked.nearly(line.text) if is_asking else self._asked.exactly(line.text)
        if found is None and begins_cell:
            found = self._asked.first_of_several(line.text)
        if found is not None:
            line.used = True
            self._claim(found, line.text, [], line, last=True)

    def _claim(self, found: Match, label: str, value: list[Unit], line: Line, *, last: bool) -> None:
        said = any(unit.text.strip() or unit.kind == "checkbox" for unit in value)
        control = any(unit.kind == "control" for unit in value)
        place = SAME_LINE
        lines = [Line(value, line.cell, line.part, line.number)] if said or control else []
        story = found.meaning.field.type == "long"
        if last and (story or line.cell is not None or not (said or control)):
            more = list(self._following(line, found.meaning))
            place = place if lines else (SAME_CELL if line.cell else NEXT)
            lines += more
        if not lines and last and line.cell is not None and (right := self._free_right_of(line.cell)):
            lines, place = self._sheet.lines_in(right), RIGHT
        if not lines and last and line.cell is None:
            lines, place = self._box_below(line), BELOW
        self._claims.claim(found, label, lines, place, line.cell, line)

    def _free_right_of(self, cell: Cell) -> Cell | None:
        """The cell on the right, where that asks nothing itself."""
        right = self._asked.right_of(cell)
        asks = right is None or self._asked.is_label(right) or HEAD.match(self._sheet.text_of(right))
        return None if asks else right

    def _box_below(self, line: Line) -> list[Line]:
        """The answer in a table of a single column that comes next after a label's paragraph."""
        after = next((after for after in self._sheet.after(line) if after.says), None)
        if after is None or after.cell is None or after.used or after.cell.top:
            return []
        alone = all(len(row) == 1 for row in self._sheet.tables[after.cell.table])
        return self._sheet.lines_in(after.cell) if alone and not self._asked.is_label(after.cell) else []

    def _following(self, line: Line, asked: Meaning) -> Iterator[Line]:
        """The lines after a label that belong to its answer: same cell or part, up to the next label."""
        story = asked.field.type == "long"
        for after in self._sheet.after(line):
            if after.cell is not line.cell or after.part != line.part or after.used:
                return
            if not after.says:
                continue
            if after.plain and after.text in asked.field.options:
                yield after  # "Conclusion" may head a section, and answer what kind of form this is
                return
            if self._ends_answer(after, asked) or _is_heading_like(after, line):
                return
            is_guidance = after.plain and GUIDANCE.match(after.text) and not story
            if is_guidance or self._asked.is_said_by_form(after):
                continue
            if not story and self._asks_unknown(after):
                return
            yield after
            if not story and line.cell is None:
                return

    def _asks_unknown(self, line: Line) -> bool:
        """Whether a line seems to ask something in unknown words; not where a cell ends with it."""
        if not line.plain or (line.cell is not None and line is self._sheet.lines_in(line.cell)[-1]):
            return False
        return HEAD.match(line.text) is not None or self._asked.begins(line.text)

    def _ends_answer(self, line: Line, asked: Meaning) -> bool:
        """Whether a line asks something else. A story told inside a cell may begin a line with a word that
        is a label elsewhere on the form ("Police informed: at once")."""
        split = self._asked.split(line)
        if split is None:
            return line.plain and self._asked.is_asked_by(line)
        is_told = asked.field.type == "long" and line.cell is not None
        return not is_told or split[0].meaning.section is asked.section

    # --- several labels on one line ---

    def _until_next_label(
        self, units: list[Unit], of: Match
    ) -> tuple[list[Unit], tuple[Match, str, list[Unit]] | None]:
        """The units before the next label of the same line, and that label. Narrative ends only at a tab."""
        shown = as_shown(units)
        narrative = of.meaning.field.type == "long"
        for colon in re.finditer(":", shown):
            words = list(re.finditer(r"[^\s\ufffc\ufffb]+", shown[: colon.start()]))
            for first in words[-_MOST_WORDS:]:
                label = shown[first.start() : colon.start()]
                if CONTROL in label or BOX in label or label.startswith("(") or APART.search(label):
                    continue
                is_apart = (not narrative and first.start() == 0) or APART.search(
                    shown[max(0, first.start() - 3) : first.start()]
                )
                found = self._asked.nearly(label) if is_apart else self._asked.exactly(label)
                if narrative and not is_apart and not _is_surely_next(label, found, of):
                    continue
                if found:
                    return cut(units, 0, first.start()), (found, label, cut(units, colon.end()))
        for gap in () if narrative else APART.finditer(shown):
            if HEAD.match(shown, gap.end()):  # another question, in words that are not known
                self._claims.left_over.append("".join(unit.text for unit in cut(units, gap.end())).strip())
                return cut(units, 0, gap.start()), None
        return units, None


def _is_heading_like(line: Line, label: Line) -> bool:
    """Whether a paragraph is set like the label before it, and so heads what comes next: in bold, with the
    next number, or a line to itself that ends with the same mark."""
    if line.cell is not None or not line.plain or not line.text:
        return False
    if _begins_stressed(line) and _begins_stressed(label):
        return True
    if len(line.text) > _LONGEST_HEADING or line.text[-1] in ".,;!":
        return False
    number, after = _number(label.text), _number(line.text)
    return (number > 0 and after == number + 1) or line.text[-1] == label.text[-1:] in (":", "?")


def _begins_stressed(line: Line) -> bool:
    """Whether the words up to a line's first colon or question mark, or all of a short line, stand out."""
    head = _HEAD_OF_LINE.match(line.text)
    words = head[1] if head else line.text
    if len(words) > _LONGEST_HEADING or (not head and words[-1] in ".,;!"):
        return False
    return bool(line.units[0].stressed) and "".join(line.units[0].stressed).lstrip().startswith(words)


def _number(text: str) -> int:
    """The number or letter that a heading begins with, 1 for "1." and "A."; 0 where it has none."""
    found = _NUMBERED.match(text)
    return 0 if found is None else int(found[1]) if found[1] else ord(found[2].upper()) - ord("@")


def _is_surely_next(label: str, found: Match | None, of: Match) -> bool:
    """Whether words in a story are the next question after all: several, and of the same section."""
    is_label = found is not None and found.meaning.section is of.meaning.section
    return is_label and " " in label.strip() and label[:1].isupper()
