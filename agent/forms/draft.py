"""An office's own blank form → a draft of its definition, for a person to look through.

Every empty place of the form is given a pen; what a stranger would then say that it asks for is a
question. Questions whose label is known become the fields that the agent knows; the others are marked.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from agent.forms.definition import FieldType, FormDefinition, FormField
from agent.forms.labelled import Labelled, labelled
from agent.forms.labels import LabelBook, Meaning, key, label_book
from agent.forms.units import Cell, Document, Unit
from agent.procedure.text import word_set, words

_LONGEST_TITLE = 90  # characters; a longer text explains
_LONGEST_QUESTION = 150
_LONGEST_HINT = 120
_BLOCKS = "children"  # the repeating part that forms print as a block of labels
_WHO = frozenset(("child_name", "family_name", "dob"))  # without one of these nobody is meant
_PLACE = re.compile(r"table (\d+), row (\d+), column (\d+)")
_NUMBERED = re.compile(r".{1,30}\s\d{1,2}")  # "Child 2" heads a block, not a part
_OPTIONS = re.compile(r"\s*(?:/|\bor\b|[☐□])\s*")
# what stands in an empty place: "Click or tap here to enter text.", "dd/mm/yyyy"
_PROMPT = re.compile(
    r"\W*(?:(?:please\s+)?(?:click|tap|enter|choose|select|type)\b.{0,60}|dd?\W?mm?\W?y{2,4}\b.{0,20})",
    re.IGNORECASE | re.DOTALL,
)
_LONG = word_set(
    "account action actions background circumstances describe description details happened outline"
)
_LONG |= word_set("position risk risks summary synopsis update what why")


@dataclass
class Question:
    """One thing that the form asks for: its label, and what its empty place tells."""

    label: str
    where: str
    options: tuple[str, ...] = ()
    hint: str = ""
    dated: bool = False

    @property
    def mandatory(self) -> bool:
        return self.label.rstrip().endswith("*")


@dataclass
class Part:
    """One headed part of the form."""

    title: str
    note: str = ""
    questions: list[Question] = field(default_factory=list)
    tables: list[list[Question]] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)


def draft(document: Document, name: str, known: Sequence[FormDefinition]) -> str:
    """The TOML of a `FormDefinition` for a blank form, called `name` where it has no title.

    Labels that any of the `known` forms prints are given that form's field; every other field is named
    after its label and marked `#?`, so that a person decides.
    """
    form = _Form(document)
    title, parts = form.parts()
    return "\n".join(_Writer(title or name, form.marking, parts, known).lines()) + "\n"


# --- what the form asks ------------------------------------------------------------------------------


class _Form:
    """A blank form, taken apart into headings and questions."""

    def __init__(self, document: Document) -> None:
        self._controls = {
            place: unit for unit in document.units if unit.kind == "control" and (place := _place_of(unit))
        }
        self._told = labelled(_with_pens(document))
        self._texts = {
            (cell.table, cell.top, cell.left): ""
            for table in document.tables
            for row in table
            for cell in row
        }
        for unit in document.units:
            if unit.cell is not None and unit.kind == "text":
                spot = (unit.cell.table, unit.cell.top, unit.cell.left)
                self._texts[spot] = self._texts.get(spot, "") + unit.text
        self._labels = {_bare(one.label) for one in self._told if one.label and one.kind != "checkbox"}
        boxes = [one for one in self._told if one.kind == "checkbox"]
        self._words = {(_row(one.where), _bare(one.label)) for one in boxes}
        self._rows_of_one_box = {
            row for row, count in Counter(_row(one.where) for one in boxes).items() if count == 1
        }

        self.marking = next((_whole(one) for one in self._told if one.where == "header" and one.value), "")

    def parts(self) -> tuple[str, list[Part]]:
        """Title and the parts in order."""
        inner = [
            one for one in self._told if one.where not in ("header", "footer") and not self._is_words(one)
        ]
        title = next((str(one.value) for one in inner if self._may_head(one)), "")
        found = [Part("")]
        for boxes, group in groupby(inner, key=lambda one: one.kind in ("checkbox", "choice")):
            ones = list(group)
            for one in ones if not boxes else ():
                self._take(one, title, found)
            if boxes:
                self._take_boxes(ones, found[-1])
        return title, [part for part in found if part.questions or part.tables or part.boxes]

    def _is_words(self, one: Labelled) -> bool:
        """Whether a text only says what the box beside it is for."""
        if one.kind != "text":
            return False
        row = _row(one.where)
        return (row in self._rows_of_one_box and row.startswith("table")) or (
            row,
            _bare(str(one.value)),
        ) in self._words

    def _take(self, one: Labelled, title: str, found: list[Part]) -> None:
        said = str(one.value).strip()
        part = found[-1]
        if one.label and _PROMPT.fullmatch(said):
            self._ask(one, part)
        elif one.label and said.endswith(".") and one.kind == "text":
            part.note = part.note or _whole(one)
        elif one.label:
            holds_colon = _bare(_whole(one)) in self._labels | {_bare(self.marking)}
            if not said or not holds_colon:
                self._ask(one, part)
        elif one.kind == "control" or not said or said == title or self._is_label(one):
            return
        elif said.endswith((":", "?")) and len(said) <= _LONGEST_QUESTION:
            part.questions.append(Question(said.rstrip(": "), one.where))
        elif self._may_head(one):
            found.append(Part(said))
        else:
            part.note = part.note or said

    def _is_label(self, one: Labelled) -> bool:
        """Whether a text is a label; in a cell, a line of one is enough."""
        said = _bare(str(one.value))
        in_a_cell = one.where.startswith("table")
        return said in self._labels or (in_a_cell and any(said in label for label in self._labels))

    def _may_head(self, one: Labelled) -> bool:
        said = str(one.value).strip()
        is_text = one.kind == "text" and not one.label and any(letter.isalpha() for letter in said)
        is_short = len(said) <= _LONGEST_TITLE and not said.endswith((".", ":", "?"))
        return is_text and is_short and not _NUMBERED.fullmatch(said)

    def _ask(self, one: Labelled, part: Part) -> None:
        control = self._controls.get(one.where)
        said = "" if one.kind == "control" else str(one.value).strip()
        is_prompt, options = bool(_PROMPT.fullmatch(said)), _options(said)
        hint = "" if is_prompt or options else said[:_LONGEST_HINT]
        question = Question(one.label, one.where, options, hint, is_prompt and "date" in words(said))
        if control is not None:
            question = replace(question, options=control.options, dated=control.dated)
        heads = self._heads_column(one)
        if not heads:
            if not any(asked.label == one.label for asked in part.questions):
                part.questions.append(question)
        elif not any(one.label == asked.label for table in part.tables for asked in table):
            if not part.tables or _table(part.tables[-1][0].where) != _table(one.where):
                part.tables.append([])
            part.tables[-1].append(question)

    def _heads_column(self, one: Labelled) -> bool:
        """Whether the label stands above its answer, in the row of headings of a table."""
        found = _PLACE.fullmatch(one.where)
        if not found:
            return False
        table, row, column = (int(number) - 1 for number in found.groups())
        above = any(key(self._texts.get((table, up, column), "")) == key(one.label) for up in range(row))
        beside = any(key(self._texts.get((table, row, left), "")) == key(one.label) for left in range(column))
        return above and not beside and self._columns(table, row) > 1

    def _columns(self, table: int, row: int) -> int:
        return sum(1 for spot in self._texts if spot[:2] == (table, row))

    def _take_boxes(self, boxes: Sequence[Labelled], part: Part) -> None:
        """Boxes side by side are the choices of one question; one below the other, a list to tick."""
        alone: list[Labelled] = []
        for _, group in groupby(boxes, key=lambda one: _row(one.where)):
            ones = [one for one in group if one.kind == "checkbox" and one.label]
            asked = self._before(ones[0], part) if ones else ""
            if asked and len(ones) > 1:
                part.questions.append(Question(asked, ones[0].where, tuple(one.label for one in ones)))
            else:
                alone += ones
        if len(alone) > 2:
            part.boxes += [one.label for one in alone]
        else:
            part.questions += [Question(one.label, one.where, ("Yes", "No")) for one in alone]

    def _before(self, box: Labelled, part: Part) -> str:
        """The question that choices answer: the text on their line or in their row, before them."""
        at = next(index for index, one in enumerate(self._told) if one is box)
        one = self._told[at - 1] if at else None
        if one is None or one.kind != "text" or one.label or _row(one.where) != _row(box.where):
            return ""
        if part.title == one.value:
            part.title = ""
        return str(one.value).strip(" :")


def _options(said: str) -> tuple[str, ...]:
    """`Yes / No (delete as appropriate)` → Yes, No; () where no short choices stand there."""
    plain = re.sub(r"\([^()]*\)", "", said).strip(" .")
    options = tuple(part.strip() for part in _OPTIONS.split(plain) if part.strip())
    is_choice = 1 < len(options) < 12 and all(len(option) <= 40 for option in options)
    return options if is_choice and not _PROMPT.fullmatch(plain) else ()


def _with_pens(document: Document) -> Document:
    """The same document with an empty control in each cell where nothing stands."""
    filled = {id(unit.cell) for unit in document.units if unit.text.strip() or unit.kind != "text"}
    units = [unit for unit in document.units if unit.kind != "text" or unit.text.strip()]
    line = -1
    for table in document.tables:
        for cell in (cell for row in table for cell in row if id(cell) not in filled):
            line -= 1
            units.insert(_before_next(units, cell), Unit("control", "", line, cell, "body"))
    return Document(units, document.tables, document.noticed)


def _before_next(units: Sequence[Unit], cell: Cell) -> int:
    """Where in the stream a cell's own content would stand: before that of the next cell of its table."""
    last = len(units)
    for index in range(len(units) - 1, -1, -1):
        other = units[index].cell
        if other is None or other.table != cell.table:
            continue
        if (other.top, other.left) < (cell.top, cell.left):
            return index + 1
        last = index
    return last


def _place_of(unit: Unit) -> str:
    cell = unit.cell
    return (
        f"table {cell.table + 1}, row {cell.top + 1}, column {cell.left + 1}" if cell else f"line {unit.line}"
    )


def _whole(one: Labelled) -> str:
    """A text that was taken for a label and its answer, as it stands there."""
    return f"{one.label}: {one.value}" if one.label else str(one.value)


def _bare(label: str) -> str:
    return " ".join(label.split()).strip(" :*_…").casefold()


def _table(where: str) -> str:
    return where.partition(",")[0]


def _row(where: str) -> str:
    return where.rpartition(", column")[0] or where


# --- the definition ----------------------------------------------------------------------------------


@dataclass
class _Writer:
    """Writes the TOML: known labels as known fields, each under one name only."""

    title: str
    marking: str
    parts: Sequence[Part]
    known: Sequence[FormDefinition]
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.books: list[LabelBook] = [label_book(definition, ()) for definition in self.known]

    def lines(self) -> Iterator[str]:
        body = [line for part in self.parts for line in self._part(part)]
        asked = [line for line in body if line.lstrip().startswith("{ name =") and "label" in line]
        unsure = sum("#?" in line for line in asked)
        yield "# Drafted from a blank form. Look at each line that is marked #?: it keeps the name made of"
        yield "# its label, or gets that of a field which letters and register know. Then take the marks out,"
        yield '# and say which are `mandatory`. `kind` is "missing" where only missing children are meant.'
        yield f"# Of {len(asked)} questions, {len(asked) - unsure} are known from other forms."
        yield ""
        yield f"name = {_text(_slug(self.title))}"
        yield f"title = {_text(self.title)}"
        yield f'kind = "{"missing" if "missing" in words(self.title) else "new"}"'
        yield f"recognised_by = [{_text(self.title)}]"
        if self.marking:
            yield f"marking = {_text(self.marking)}"
        yield from body

    def _part(self, part: Part) -> Iterator[str]:
        yield ""
        yield "[[sections]]"
        yield f"title = {_text(part.title or self.title)}"
        if part.note:
            yield f"note = {_text(part.note)}"
        if part.boxes:
            yield "# Boxes to tick: list these in the procedure as [[categories]], and name their list here."
            yield from (f"#   {words}" for words in map(_one_line, part.boxes))
            yield '# categories = "…"'
        child, fields = self._apart(part)
        if fields:
            yield "fields = ["
            yield from fields
            yield "]"
        tables = [line for table in part.tables for line in self._rows(table, part)]
        if child:
            tables += [
                f'  {{ name = "{_BLOCKS}", shape = "blocks", row_name = "Child", blank_rows = 1, columns = ['
            ]
            tables += [*child, "  ] },"]
        if tables:
            yield "tables = ["
            yield from tables
            yield "]"

    def _apart(self, part: Part) -> tuple[list[str], list[str]]:
        """What a part asks of a child, once, where it asks who that is; and all else that it asks."""
        asked = [(question, self._meaning(question, part)) for question in part.questions]
        of_children = [meaning.field.name for _, meaning in asked if meaning and meaning.name[0] == _BLOCKS]
        is_block = _BLOCKS not in self.used and not _WHO.isdisjoint(of_children)
        child: dict[str, str] = {}
        fields = []
        for question, meaning in asked:
            if is_block and meaning and meaning.name[0] == _BLOCKS and meaning.field.name not in child:
                child[meaning.field.name] = "  " + self._line(question, meaning.field.name, meaning.field)
            else:
                fields.append(self._field(question, meaning))
        self.used |= {_BLOCKS} if child else set()
        return list(child.values()), fields

    def _meaning(self, question: Question, part: Part) -> Meaning | None:
        """What a label surely asks for: in every known form that prints it the same."""
        found = [
            match.meaning
            for book in self.books
            if (match := book.exactly(question.label, book.heading(part.title)))
        ]
        return found[0] if len({meaning.name for meaning in found}) == 1 else None

    def _rows(self, columns: Sequence[Question], part: Part) -> Iterator[str]:
        """A table with a row of headings: the known one that shares most of its columns."""
        tables = {(book, name) for book in self.books for name in book.definition.tables}
        scored = [
            (sum(book.column(name, column.label) is not None for column in columns), name, book)
            for book, name in sorted(tables, key=lambda one: (one[1], one[0].definition.name))
            if name not in self.used
        ]
        score, name, book = max(scored, key=lambda one: one[0], default=(0, "", None))
        is_known = book is not None and 2 * score >= len(columns) > 0 and score > 1
        name = name if is_known else self._unused(part.title or "rows")
        self.used.add(name)
        row_name = book.definition.tables[name].row_name if book and is_known else "Row"
        yield f"  {{ name = {_text(name)}, row_name = {_text(row_name)}, columns = [" + (
            "" if is_known else "  #?"
        )
        taken: set[str] = set()
        for column in columns:
            meaning = book.column(name, column.label) if book and is_known else None
            if meaning and meaning.field.name in taken:
                meaning = None
            called = meaning.field.name if meaning else _slug(column.label)
            taken.add(called)
            yield "  " + self._line(column, called, meaning.field if meaning else None)
        yield "  ] },"

    def _field(self, question: Question, meaning: Meaning | None) -> str:
        if meaning and meaning.field.name not in self.used:
            self.used.add(meaning.field.name)
            return self._line(question, meaning.field.name, meaning.field)
        return self._line(question, self._unused(question.label), None)

    def _unused(self, label: str) -> str:
        """A name made of a label, numbered where it is taken."""
        slug = _slug(label)
        name = next(
            name
            for number in range(1, 10_000)
            if (name := slug + (f"_{number}" if number > 1 else "")) not in self.used
        )
        self.used.add(name)
        return name

    def _line(self, question: Question, name: str, known: FormField | None) -> str:
        kind, options = _type(question, known)
        told = [f"name = {_text(name)}", f"label = {_text(question.label.rstrip(' *'))}"]
        told += [f'type = "{kind}"'] if kind != "text" else []
        told += ["mandatory = true"] if question.mandatory else []
        told += [f"choices = [{', '.join(map(_text, options))}]"] if options else []
        told += [f"hint = {_text(question.hint)}"] if question.hint else []
        return f"  {{ {', '.join(told)} }}," + ("" if known else "  #?")


def _type(question: Question, known: FormField | None) -> tuple[FieldType, tuple[str, ...]]:
    """The type of a field and what it may be set to: by its control, what is known of it, its label."""
    if question.options:
        is_yes_no = {option.casefold() for option in question.options} == {"yes", "no"}
        return ("yes_no", ()) if is_yes_no else ("choice", question.options)
    if known is not None and known.type not in ("choice", "yes_no"):
        return known.type, ()
    said = words(question.label)
    if question.dated or "date" in said or "when" in said:
        return ("datetime" if "time" in said else "date"), ()
    return ("long" if _LONG & set(said) else "text"), ()


def _slug(label: str) -> str:
    return "_".join(words(label))[:40].strip("_") or "field"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    """A TOML string: JSON's rules, without what TOML forbids."""
    plain = "".join(letter for letter in _one_line(text) if letter.isprintable())
    return json.dumps(plain, ensure_ascii=False)
