"""A Word document → one ordered stream of units, read from its XML in a single pass.

What a person sees on paper counts: insertions but not deletions, the stored value of a bound control,
each text box once. What is hidden, deleted or only a prompt is no text at all.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from agent.forms.package import Package, Relation, attribute
from agent.forms.sniff import sniff
from agent.forms.ticks import WINGDINGS, WINGDINGS_2, pieces
from agent.forms.units import Cell, Document, Refused, Unit, joined
from agent.forms.web_page import read_web_page
from agent.forms.word_store import Stores
from agent.forms.word_styles import styles_that_hide

Element = etree._Element
Step = Callable[[Element], None]

MOST_PLACES = 200_000  # paragraphs and cells
WIDEST_SPAN = 1_000

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
W15 = "{http://schemas.microsoft.com/office/word/2012/wordml}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"

P, TBL, TR, TC, SDT = W + "p", W + "tbl", W + "tr", W + "tc", W + "sdt"
SDT_PR, SDT_CONTENT, VAL, TXBX = W + "sdtPr", W + "sdtContent", W + "val", W + "txbxContent"
TC_PR, GRID_SPAN, V_MERGE, SHADE = W + "tcPr", W + "gridSpan", W + "vMerge", W + "shd"
GRID_BEFORE, HEADING = W + "gridBefore", W + "tblHeader"
TR_PR, PAR_PR, PAR_STYLE, DELETED, HIDDEN = W + "trPr", W + "pPr", W + "pStyle", W + "del", W + "hidden"
RUN_PR, RUN_STYLE, FONTS = W + "rPr", W + "rStyle", W + "rFonts"
VANISH, STRIKE, DOUBLE_STRIKE = W + "vanish", W + "strike", W + "dstrike"
STRESSES = frozenset((W + "b", W + "u", W + "highlight", SHADE))
WATCHED = STRESSES | {VANISH, STRIKE, DOUBLE_STRIKE, RUN_STYLE, FONTS}
SIGNS = ("Wingdings", "Webdings", "Symbol")
OFF = ("0", "false", "off", "none")
ALTERNATE = MC + "AlternateContent"


# kinds of content controls that hold no single answer: what is inside speaks for itself
_FRAMES = frozenset(
    {
        *(W + name for name in ("docPartObj", "docPartList", "group", "picture", "bibliography", "citation")),
        *(W + "equation", W15 + "repeatingSection", W15 + "repeatingSectionItem"),
    }
)
# what only a control that asks for an answer has
_ASKS = frozenset(
    W + name
    for name in (
        *("text", "richText", "comboBox", "dropDownList", "date"),
        *("showingPlcHdr", "placeholder", "alias", "tag"),
    )
)
_INLINE_WRAPPERS = ("ins", "moveTo", "hyperlink", "fldSimple", "smartTag", "customXml", "dir", "bdo")


def read_docx(content: bytes, depth: int = 0) -> Document:
    """The units of a .docx or .docm. Raises `Refused` where it cannot or should not be read."""
    package = Package(content)
    name = package.main_part()
    root = package.xml(name)
    if root.tag != W + "document":
        raise Refused("not_word", "The file is an Office document, but not a Word document.")
    reader = _Reader(package, name, depth)
    reader.story(root.find(W + "body"), "body")
    for kind in ("header", "footer", "footnotes", "endnotes", "comments"):
        reader.beside(kind)
    return reader.document


@dataclass
class _OpenField:
    """A complex field that has begun. Its instruction is mute; its result may be an answer."""

    mute: bool
    answer: bool
    units: list[Unit]
    start: int = 0


class _Reader:
    """Walks one document; `_at` methods take an element, the rest are steps of the walk."""

    def __init__(self, package: Package, name: str, depth: int) -> None:
        self.document = Document()
        self._package, self._name, self._depth = package, name, depth
        self._relations = {relation.id: relation for relation in package.relations(name)}
        self._units = self.document.units
        self._buffer: list[str] = []
        self._struck = False
        self._stressing = False
        self._stressed: list[str] = []
        self._signs = ""  # the font, where it draws signs instead of letters
        self._line = 0
        self._places = 0
        self._cell: Cell | None = None
        self._part = "body"
        self._fields: list[_OpenField] = []
        self._boxes: list[Element] = []
        self._stores = Stores(package, list(self._relations.values()))
        self._hidden_styles = self._styles_that_hide()
        self._hidden_paragraph = False
        self._merges = False  # whether a paragraph's end may have been deleted
        self._merged = False
        self._blocks: dict[str, Step] = {
            P: self._paragraph,
            TBL: self._table,
            SDT: lambda at: self._control(at, self._block),
            W + "altChunk": self._chunk,
            ALTERNATE: lambda at: self._block(_chosen(at)),
            DELETED: self._deleted,
            W + "moveFrom": self._deleted,
        }
        self._blocks |= {W + name: self._block for name in ("ins", "moveTo", "customXml", "smartTag")}
        self._inlines: dict[str, Step] = {
            W + "r": self._run,
            SDT: lambda at: self._control(at, self._inline),
            ALTERNATE: lambda at: self._inline(_chosen(at)),
            DELETED: self._deleted,
            W + "moveFrom": self._deleted,
            W + "ruby": self._ruby,
        }
        self._inlines |= {W + name: self._inline for name in _INLINE_WRAPPERS}
        self._in_run: dict[str, Step] = {
            W + "t": self._text,
            W + "tab": lambda at: self._buffer.append("\t"),
            W + "ptab": lambda at: self._buffer.append("\t"),
            W + "br": self._break,
            W + "cr": self._break,
            W + "noBreakHyphen": lambda at: self._buffer.append("-"),
            W + "sym": self._symbol,
            W + "fldChar": self._field_mark,
            W + "ruby": self._ruby,
            W + "drawing": self._drawing,
            W + "pict": self._drawing,
            W + "object": self._drawing,
            ALTERNATE: lambda at: self._run_content(_chosen(at)),
        }
        self._notice_relations()

    # --- stories: the body, and what stands beside it ---

    def story(self, root: Element | None, part: str) -> None:
        if root is None:
            return
        self._part, self._cell = part, None
        self._merges = next(root.iter(DELETED), None) is not None
        self._block(root)
        if self._fields:
            self.document.noticed.add("unclosed_field")
            self._fields.clear()

    def beside(self, kind: str) -> None:
        """Headers, footers, notes and comments, each once."""
        for relation in self._of_kind(kind):
            if relation.target not in self._package:
                continue
            root = self._package.xml(relation.target)
            if kind in ("header", "footer"):
                self.story(root, kind)
                continue
            if kind == "comments" and len(root):
                self.document.noticed.add("comments")
            for note in root:
                if note.get(W + "type") not in ("separator", "continuationSeparator", "continuationNotice"):
                    self.story(note, kind.rstrip("s"))

    def _of_kind(self, kind: str) -> Iterator[Relation]:
        seen = set()
        for relation in self._relations.values():
            if relation.kind == kind and not relation.external and relation.target not in seen:
                seen.add(relation.target)
                yield relation

    def _notice_relations(self) -> None:
        kinds = {relation.kind for relation in self._relations.values()}
        if "vbaProject" in kinds:
            self.document.noticed.add("macros")
        if kinds & {"package", "oleObject"}:
            self.document.noticed.add("embedded")
        if any(r.external and r.kind != "hyperlink" for r in self._relations.values()):
            self.document.noticed.add("linked")

    def _styles_that_hide(self) -> frozenset[str]:
        for relation in self._of_kind("styles"):
            if relation.target in self._package:
                return styles_that_hide(self._package.read(relation.target))
        return frozenset()

    # --- blocks ---

    def _block(self, at: Element | None) -> None:
        for child in () if at is None else at:
            step = self._blocks.get(child.tag)
            if step is not None:
                step(child)

    def _deleted(self, at: Element) -> None:
        self.document.noticed.add("tracked_changes")

    def _paragraph(self, at: Element) -> None:
        if not self._merged:
            self._new_line()
        self._count_place()
        if self._merges or self._hidden_styles:
            self._paragraph_look(_leading(at, PAR_PR))
        self._inline(at)
        self._flush()
        if self._boxes:
            self._text_boxes()

    def _paragraph_look(self, look: Element | None) -> None:
        style = None if look is None else look.find(PAR_STYLE)
        self._hidden_paragraph = style is not None and style.get(VAL) in self._hidden_styles
        self._merged = look is not None and look.find(f"{RUN_PR}/{DELETED}") is not None

    def _count_place(self) -> None:
        self._places += 1
        if self._places > MOST_PLACES:
            raise Refused("too_large", "The document has far more paragraphs and cells than a form can hold.")

    def _text_boxes(self) -> None:
        boxes, self._boxes = self._boxes, []
        part, cell = self._part, self._cell
        for box in boxes:
            self._part, self._cell = "text box", None
            self._block(box)
        self._part, self._cell = part, cell

    def _chunk(self, at: Element) -> None:
        """A document imported as a whole: HTML or another .docx, one level deep."""
        relation = self._relations.get(at.get(R + "id", ""))
        if relation is None or relation.external or relation.target not in self._package or self._depth:
            return
        content = self._package.read(relation.target)
        if sniff(content) == "package":
            self._adopt(read_docx(content, self._depth + 1))
        elif content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            self._adopt(read_web_page(content))
        else:
            self.document.noticed.add("embedded")

    def _adopt(self, inner: Document) -> None:
        tables, lines = len(self.document.tables), self._line + 1
        for row in (row for table in inner.tables for row in table):
            for cell in row:
                cell.table += tables
        for unit in inner.units:
            unit.line += lines
            self._line = max(self._line, unit.line)
        self.document.tables += inner.tables
        self._units += inner.units

    # --- tables ---

    def _table(self, at: Element) -> None:
        number = len(self.document.tables)
        rows: list[list[Cell]] = []
        self.document.tables.append(rows)
        outer = self._cell
        above: dict[int, Cell] = {}
        repeated = True  # whether the row before may come again: it stands in a control
        for row in self._rows(at):
            before, repeated = repeated, next(row.iterancestors()).tag == SDT_CONTENT
            if repeated and not before:
                for cell in rows[-1]:
                    cell.heads = True
            above = self._row(row, number, rows, above)
        self._cell = outer

    def _rows(self, at: Element) -> Iterator[Element]:
        """Table rows, through every wrapper that Word allows around them."""
        for child in at:
            if child.tag == TR:
                look = _child(child, TR_PR)
                if look is not None and _child(look, DELETED) is not None:
                    self._deleted(child)
                elif look is not None and _on(_child(look, HIDDEN)):
                    self.document.noticed.add("hidden_text")
                else:
                    yield child
            elif child.tag == SDT:
                content = child.find(SDT_CONTENT)
                yield from () if content is None else self._rows(content)
            elif child.tag in (W + "ins", W + "moveTo", W + "customXml"):
                yield from self._rows(child)

    def _row(
        self, at: Element, table: int, rows: list[list[Cell]], above: dict[int, Cell]
    ) -> dict[int, Cell]:
        """Walk one row; gives its cells by left column, for merges from the row below."""
        number = len(rows)
        cells: list[Cell] = []
        rows.append(cells)
        here: dict[int, Cell] = {}
        look = _child(at, TR_PR)
        column = _number(None if look is None else _child(look, GRID_BEFORE), 0)
        heading = look is not None and _on(_child(look, HEADING))
        for cell_at, control in _cells(at, None):
            self._count_place()
            span, continues, shaded = _cell_look(_leading(cell_at, TC_PR))
            if continues and column in above:
                cell = above[column]
                cell.bottom = number + 1
            else:
                cell = Cell(table, number, number + 1, column, column + span, heading or shaded)
                cells.append(cell)
                self._fill(cell, cell_at, control)
            here[column] = cell
            column += span
        return here

    def _fill(self, cell: Cell, at: Element, control: Element | None) -> None:
        self._cell, self._merged = cell, False
        if control is None:
            self._block(at)
        else:
            self._control(control, lambda _: self._block(at))
        self._cell, self._merged = cell, False

    # --- inside a paragraph ---

    def _inline(self, at: Element | None) -> None:
        for child in () if at is None else at:
            step = self._inlines.get(child.tag)
            if step is not None:
                step(child)

    def _run(self, at: Element) -> None:
        look = _leading(at, RUN_PR)
        marks = _marks(look) if look is not None else {}
        if self._hides(marks):
            self.document.noticed.add("hidden_text")
            return
        struck = STRIKE in marks or DOUBLE_STRIKE in marks
        if struck is not self._struck:
            self._flush()
            self._struck = struck
        self._stressing = not STRESSES.isdisjoint(marks)
        self._signs = marks.get(FONTS, "")
        self._run_content(at)

    def _run_content(self, at: Element | None) -> None:
        for child in () if at is None else at:
            step = self._in_run.get(child.tag)
            if step is not None and (not self._fields or not self._mute() or step == self._field_mark):
                step(child)

    def _hides(self, marks: Mapping[str, str]) -> bool:
        """Its own word decides; else the styles of run and paragraph, of which both together show it."""
        if VANISH in marks or not self._hidden_styles:
            return marks.get(VANISH, "off") not in OFF
        return (marks.get(RUN_STYLE) in self._hidden_styles) is not self._hidden_paragraph

    def _text(self, at: Element) -> None:
        text = at.text or ""
        if self._signs:
            for char in text:
                self._sign(ord(char), self._signs)
            return
        if self._stressing:
            self._stressed.append(text)
        self._buffer.append(text)

    def _ruby(self, at: Element) -> None:
        self._inline(at.find(W + "rubyBase"))

    def _break(self, at: Element) -> None:
        if at.get(W + "type") not in ("page", "column"):
            self._new_line()

    def _symbol(self, at: Element) -> None:
        with contextlib.suppress(ValueError, OverflowError):
            self._sign(int(at.get(W + "char", ""), 16), at.get(W + "font", ""))

    def _sign(self, code: int, font: str) -> None:
        """One character of a font that draws signs: a tick box, else a letter, or an ornament."""
        ticked, unticked = WINGDINGS_2 if "2" in font else WINGDINGS
        if (char := chr(code & 0xFF)) in ticked + unticked:
            self._tick(char in ticked)
        elif char.isspace() or not font.startswith(SIGNS):
            self._buffer.append(chr(code))

    def _drawing(self, at: Element) -> None:
        """Text boxes wait until their paragraph is done; ActiveX controls answer at once."""
        self._boxes += [box for box in at.iter(TXBX) if not any(up.tag == TXBX for up in box.iterancestors())]
        for control in at.iter(W + "control"):
            self._active_x(control)

    def _active_x(self, at: Element) -> None:
        relation = self._relations.get(at.get(R + "id", ""))
        if relation is None or relation.external or relation.target not in self._package:
            return
        root = self._package.xml(relation.target)
        value = next(
            (
                attribute(bag, "value")
                for bag in root.iterfind("{*}ocxPr")
                if attribute(bag, "name") == "Value"
            ),
            "",
        )
        if "8BD21D40" in attribute(root, "classid").upper():
            self._tick(value == "1")
        else:
            self._emit(Unit("control", value, self._line, self._cell, self._part))

    # --- complex and legacy form fields ---

    def _mute(self) -> bool:
        return any(field.mute for field in self._fields)

    def _field_mark(self, at: Element) -> None:
        kind = at.get(W + "fldCharType")
        if kind == "begin":
            self._begin_field(at.find(W + "ffData"))
        elif self._fields and kind == "separate":
            field = self._fields[-1]
            if field.answer:
                self._flush()
            field.mute = field.answer is False and field.start < 0
            field.start = len(self._units) if field.start >= 0 else field.start
        elif self._fields and kind == "end":
            self._end_field(self._fields.pop())

    def _begin_field(self, data: Element | None) -> None:
        """A tick box or a drop-down has its state right here; any cached result is ignored (`start` < 0)."""
        field = _OpenField(mute=True, answer=False, units=self._units)
        if data is not None:
            if (box := data.find(W + "checkBox")) is not None:
                state = box.find(W + "checked")
                self._tick(_on(box.find(W + "default") if state is None else state))
                field.start = -1
            elif (choices := data.find(W + "ddList")) is not None:
                unit = Unit("control", _chosen_entry(choices), self._line, self._cell, self._part)
                unit.options = tuple(_val(entry) for entry in choices.iterfind(W + "listEntry"))
                self._emit(unit)
                field.start = -1
            else:
                field.answer = data.find(W + "textInput") is not None
        self._fields.append(field)

    def _end_field(self, field: _OpenField) -> None:
        self._flush()
        if not field.answer or field.units is not self._units or field.mute:
            return
        inner = self._units[field.start :]
        del self._units[field.start :]
        line = inner[0].line if inner else self._line
        self._emit(Unit("control", joined(inner), line, self._cell, self._part))

    # --- content controls ---

    def _control(self, at: Element, walk: Callable[[Element], None]) -> None:
        pr, content = _leading(at, SDT_PR), _child(at, SDT_CONTENT)
        if content is None or self._mute():
            return
        about = {} if pr is None else {child.tag: child for child in pr}
        if _is_frame(about, content):
            walk(content)
            return
        tag, alias = _val(about.get(W + "tag")), _val(about.get(W + "alias"))
        if (box := about.get(W14 + "checkbox")) is not None:
            state = box.find(W14 + "checked")
            self._tick(state is not None and state.get(W14 + "val") in ("1", "true"), tag, alias)
            return
        unit = self._answer(about, content, walk)
        if unit is not None:
            unit.tag, unit.alias = tag, alias
            self._emit(unit)

    def _answer(
        self, about: Mapping[str, Element], content: Element, walk: Callable[[Element], None]
    ) -> Unit | None:
        """A control with one answer: what it shows, unless that is a prompt or its store knows better."""
        if _child(content, P) is not None:
            self._new_line()
        self._flush()
        line, outer, self._units = self._line, self._units, []
        walk(content)
        self._flush()
        inner, self._units = self._units, outer
        if any(unit.kind == "checkbox" for unit in inner):
            self._units += inner
            return None
        unit = Unit("control", joined(inner), line, self._cell, self._part)
        if _on(about.get(W + "showingPlcHdr")) or _is_prompt(about, unit.text):
            unit.text = ""
        unit.options = tuple(
            item.get(W + "displayText", "") for item in _choices(about) if item.get(W + "value")
        )
        if (date := about.get(W + "date")) is not None:
            unit.dated = True
            unit.iso = date.get(W + "fullDate", "") if unit.text else ""
        self._prefer_store(about, unit)
        return unit

    def _prefer_store(self, about: Mapping[str, Element], unit: Unit) -> None:
        """Word fills a bound control from its store whenever it opens the document."""
        binding = about.get(W + "dataBinding")
        stored = None if binding is None else self._stores.value(binding)
        if not stored:
            return
        if W + "date" in about and (not unit.iso or unit.iso[:10] == stored[:10]):
            unit.iso = stored  # the same day, of which the control shows another writing
            return
        shown = _displayed(about, stored)
        if shown.split() != unit.text.split():
            unit.conflict, unit.text, unit.iso = unit.text, shown, ""

    # --- emitting units ---

    def _new_line(self) -> None:
        self._flush()
        self._line += 1

    def _emit(self, unit: Unit) -> None:
        self._flush()
        self._units.append(unit)

    def _tick(self, ticked: bool, tag: str = "", alias: str = "") -> None:
        self._emit(Unit("checkbox", "", self._line, self._cell, self._part, tag, alias, ticked=ticked))

    def _flush(self) -> None:
        """What was gathered becomes units: text, and the tick marks that stand in it."""
        if not self._buffer:
            return
        text, stressed = "".join(self._buffer), tuple(self._stressed)
        self._buffer.clear()
        self._stressed.clear()
        line, cell, part = self._line, self._cell, self._part
        for piece in pieces(text):
            if isinstance(piece, str):
                self._units.append(
                    Unit("text", piece, line, cell, part, struck=self._struck, stressed=stressed)
                )
            else:
                self._units.append(Unit("checkbox", "", line, cell, part, ticked=piece))


def _leading(at: Element, tag: str) -> Element | None:
    """What describes an element stands first in it; anything else would be an error to Word."""
    first = at[0] if len(at) else None
    return first if first is not None and first.tag == tag else None


def _child(at: Element, tag: str) -> Element | None:
    """As `find`, which costs several times as much where the children are few."""
    for child in at:
        if child.tag == tag:
            return child
    return None


def _marks(look: Element) -> dict[str, str]:
    """What a run's look says of the marks that matter here; those that are off are left out."""
    found = {}
    for mark in look:
        if (tag := mark.tag) in WATCHED:
            said = mark.get(VAL, "1")
            if tag == FONTS:
                said = mark.get(W + "ascii", "")
                said = said if said.startswith(SIGNS) else "none"
            elif tag == SHADE:
                said = "1" if _is_shaded(mark) else "none"
            if said not in OFF or tag == VANISH:
                found[tag] = said
    return found


def _is_shaded(mark: Element) -> bool:
    return mark.get(W + "fill", "auto").lower() not in ("auto", "ffffff")


def _cell_look(look: Element | None) -> tuple[int, bool, bool]:
    """How many columns a cell covers, whether it goes on from the row above, and whether it is shaded."""
    span, continues, shaded = 1, False, False
    for mark in () if look is None else look:
        if (tag := mark.tag) == GRID_SPAN:
            span = _number(mark, 1) or 1
        elif tag == V_MERGE:
            continues = mark.get(VAL, "continue") == "continue"
        elif tag == SHADE:
            shaded = _is_shaded(mark)
    return span, continues, shaded


def _cells(at: Element, control: Element | None) -> Iterator[tuple[Element, Element | None]]:
    """The cells of a row, each with the content control around it, if any."""
    for child in at:
        if child.tag == TC:
            yield child, control
        elif child.tag == SDT:
            content = child.find(SDT_CONTENT)
            yield from () if content is None else _cells(content, child)
        elif child.tag == W + "customXml":
            yield from _cells(child, control)


def _chosen(at: Element) -> Element | None:
    """One of the alternatives: the modern one where it says anything."""
    choice = at.find(MC + "Choice")
    return choice if choice is not None and len(choice) else at.find(MC + "Fallback")


def _is_frame(about: Mapping[str, Element], content: Element) -> bool:
    """A control around other controls or tables, or one that some editors put around everything."""
    if not _FRAMES.isdisjoint(about):
        return True
    if W14 + "checkbox" in about:
        return False
    if next(content.iter(SDT, TBL, TR), None) is not None:
        return True
    return _val(about.get(W + "tag")).startswith("goog_rdk") or _ASKS.isdisjoint(about)


def _choices(about: Mapping[str, Element]) -> Iterable[Element]:
    """What a drop-down offers."""
    found = about.get(W + "dropDownList", about.get(W + "comboBox"))
    return () if found is None else found


def _displayed(about: Mapping[str, Element], stored: str) -> str:
    """What a control shows of a stored value: of a list, the words of the entry."""
    shown = (
        item.get(W + "displayText", stored) for item in _choices(about) if item.get(W + "value") == stored
    )
    return next(shown, stored)


def _is_prompt(about: Mapping[str, Element], text: str) -> bool:
    """A drop-down left on its first entry, the one without a value."""
    return any(
        item.get(W + "value", "") == "" and item.get(W + "displayText") == text for item in _choices(about)
    )


def _chosen_entry(choices: Element) -> str:
    """A legacy drop-down knows its answer only as an index into its entries."""
    entries = [_val(entry) for entry in choices.iterfind(W + "listEntry")]
    index = choices.find(W + "result")
    number = _number(choices.find(W + "default") if index is None else index, 0)
    return entries[number] if 0 <= number < len(entries) else ""


def _on(at: Element | None) -> bool:
    """A switch that is there is on, unless it says otherwise."""
    return at is not None and at.get(VAL, "1") not in OFF


def _val(at: Element | None) -> str:
    return "" if at is None else at.get(VAL, "")


def _number(at: Element | None, otherwise: int) -> int:
    text = _val(at)
    return min(int(text), WIDEST_SPAN) if re.fullmatch(r"\d{1,9}", text) else otherwise
