"""A Word document → one ordered stream of units, read from its XML in a single pass.

What a person sees on paper counts: insertions but not deletions, the stored value of a bound control,
each text box once. What is hidden, deleted or only a prompt is no text at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree, html

from agent.forms.package import Package, Relation
from agent.forms.ticks import WINGDINGS, WINGDINGS_2, pieces
from agent.forms.units import Cell, Document, Refused, Unit, joined

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
RUN_PR, VANISH, STRIKE, DOUBLE_STRIKE = W + "rPr", W + "vanish", W + "strike", W + "dstrike"
FIRST_BOLD = f"{P}/{W}r/{RUN_PR}/{W}b"
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
_NESTED = frozenset([SDT, TBL, TR])
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
        self._line = 0
        self._places = 0
        self._cell: Cell | None = None
        self._part = "body"
        self._fields: list[_OpenField] = []
        self._boxes: list[Element] = []
        self._stores: dict[str, Element] | None = None
        self._hidden_styles = self._styles_that_hide()
        self._blocks: dict[str, Step] = {
            P: self._paragraph,
            TBL: self._table,
            SDT: lambda at: self._control(at, self._block),
            W + "altChunk": self._chunk,
            ALTERNATE: lambda at: self._block(_chosen(at)),
            W + "del": self._deleted,
            W + "moveFrom": self._deleted,
        }
        self._blocks |= {W + name: self._block for name in ("ins", "moveTo", "customXml", "smartTag")}
        self._inlines: dict[str, Step] = {
            W + "r": self._run,
            SDT: lambda at: self._control(at, self._inline),
            ALTERNATE: lambda at: self._inline(_chosen(at)),
            W + "del": self._deleted,
            W + "moveFrom": self._deleted,
            W + "ruby": self._ruby,
        }
        self._inlines |= {W + name: self._inline for name in _INLINE_WRAPPERS}
        self._in_run: dict[str, Step] = {
            W + "t": lambda at: self._buffer.append(at.text or ""),
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
        """Names of the styles whose text does not show."""
        for relation in self._of_kind("styles"):
            if relation.target in self._package and b"vanish" in (
                content := self._package.read(relation.target)
            ):
                root = etree.fromstring(
                    content, etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
                )
                return frozenset(
                    style.get(W + "styleId", "")
                    for style in ([] if root is None else root.iterfind(W + "style"))
                    if _on(style.find(f"{RUN_PR}/{VANISH}"))
                )
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
        self._new_line()
        self._count_place()
        self._inline(at)
        self._flush()
        if self._boxes:
            self._text_boxes()

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
        self.document.noticed.add("embedded")
        if content.startswith(b"PK"):
            self._adopt(read_docx(content, self._depth + 1))
        else:
            self._html(content)

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

    def _html(self, content: bytes) -> None:
        try:
            root = html.document_fromstring(content)
        except (etree.ParserError, etree.XMLSyntaxError, ValueError):
            return
        for said in root.itertext():
            if said.strip():
                self._new_line()
                self._buffer.append(" ".join(str(said).split()))
                self._flush()

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
                look = child.find(W + "trPr")
                if look is None or look.find(W + "del") is None:
                    yield child
                else:
                    self._deleted(child)
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
        look = at.find(W + "trPr")
        column = _number(None if look is None else look.find(W + "gridBefore"), 0)
        heading = look is not None and _on(look.find(W + "tblHeader"))
        for cell_at, control in _cells(at, None):
            self._count_place()
            pr = cell_at.find(TC_PR)
            span = _number(None if pr is None else pr.find(GRID_SPAN), 1) or 1
            merge = None if pr is None else pr.find(V_MERGE)
            if merge is not None and merge.get(VAL, "continue") == "continue" and column in above:
                cell = above[column]
                cell.bottom = number + 1
            else:
                heads = heading or _stands_out(cell_at, pr)
                cell = Cell(table, number, number + 1, column, column + span, heads)
                cells.append(cell)
                self._fill(cell, cell_at, control)
            here[column] = cell
            column += span
        return here

    def _fill(self, cell: Cell, at: Element, control: Element | None) -> None:
        self._cell = cell
        if control is None:
            self._block(at)
        else:
            self._control(control, lambda _: self._block(at))
        self._cell = cell

    # --- inside a paragraph ---

    def _inline(self, at: Element | None) -> None:
        for child in () if at is None else at:
            step = self._inlines.get(child.tag)
            if step is not None:
                step(child)

    def _run(self, at: Element) -> None:
        look = at.find(RUN_PR)
        if look is not None:
            if self._hides(look):
                self.document.noticed.add("hidden_text")
                return
            struck = _on(look.find(STRIKE)) or _on(look.find(DOUBLE_STRIKE))
            if struck is not self._struck:
                self._flush()
                self._struck = struck
        elif self._struck:
            self._flush()
            self._struck = False
        self._run_content(at)

    def _run_content(self, at: Element | None) -> None:
        for child in () if at is None else at:
            step = self._in_run.get(child.tag)
            if step is not None and (not self._fields or not self._mute() or step == self._field_mark):
                step(child)

    def _hides(self, look: Element) -> bool:
        vanish = look.find(VANISH)
        if vanish is not None:
            return _on(vanish)
        if not self._hidden_styles:
            return False
        style = look.find(W + "rStyle")
        return style is not None and style.get(VAL) in self._hidden_styles

    def _ruby(self, at: Element) -> None:
        self._inline(at.find(W + "rubyBase"))

    def _break(self, at: Element) -> None:
        if at.get(W + "type") not in ("page", "column"):
            self._new_line()

    def _symbol(self, at: Element) -> None:
        code = at.get(W + "char", "")
        try:
            char = chr(int(code, 16) & 0xFF)
        except ValueError:
            return
        tables = WINGDINGS_2 if "2" in at.get(W + "font", "") else WINGDINGS
        if char in tables[0] or char in tables[1]:
            self._tick(char in tables[0])

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
            (_any(bag, "value") for bag in root.iterfind("{*}ocxPr") if _any(bag, "name") == "Value"), ""
        )
        if "8BD21D40" in _any(root, "classid").upper():
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
                self._emit(Unit("control", _chosen_entry(choices), self._line, self._cell, self._part))
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
        pr, content = at.find(SDT_PR), at.find(SDT_CONTENT)
        if content is None or self._mute():
            return
        if pr is None or _is_frame(pr, content):
            walk(content)
            return
        tag, alias = _val(pr.find(W + "tag")), _val(pr.find(W + "alias"))
        box = pr.find(W14 + "checkbox")
        if box is not None:
            state = box.find(W14 + "checked")
            self._tick(state is not None and state.get(W14 + "val") in ("1", "true"), tag, alias)
            return
        unit = self._answer(pr, content, walk)
        if unit is not None:
            unit.tag, unit.alias = tag, alias
            self._emit(unit)

    def _answer(self, pr: Element, content: Element, walk: Callable[[Element], None]) -> Unit | None:
        """A control with one answer: what it shows, unless that is a prompt or its store knows better."""
        if _walks_blocks(content):
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
        if _on(pr.find(W + "showingPlcHdr")) or _is_prompt(pr, unit.text):
            unit.text = ""
        date = pr.find(W + "date")
        if date is not None and unit.text:
            unit.iso = date.get(W + "fullDate", "")
        self._prefer_store(pr.find(W + "dataBinding"), unit)
        return unit

    def _prefer_store(self, binding: Element | None, unit: Unit) -> None:
        """Word fills a bound control from its store whenever it opens the document."""
        stored = None if binding is None else self._stored(binding)
        if stored and stored != unit.text:
            unit.conflict, unit.text, unit.iso = unit.text, stored, ""

    def _stored(self, binding: Element) -> str | None:
        if self._stores is None:
            self._stores = dict(self._custom_stores())
        store = self._stores.get(binding.get(W + "storeItemID", "").upper())
        path = binding.get(W + "xpath", "")
        if store is None or not re.fullmatch(r"[\w:/@\[\]().'= -]{1,300}", path):
            return None
        spaces = dict(re.findall(r"xmlns:(\w+)=['\"]([^'\"]+)['\"]", binding.get(W + "prefixMappings", "")))
        try:
            found = store.getroottree().xpath(path, namespaces=spaces or None)
        except (etree.XPathError, ValueError, TypeError):
            return None
        if not isinstance(found, list) or not found:
            return None
        return (
            "".join(map(str, found[0].itertext())) if isinstance(found[0], etree._Element) else str(found[0])
        )

    def _custom_stores(self) -> Iterator[tuple[str, Element]]:
        for relation in self._of_kind("customXml"):
            if relation.target not in self._package:
                continue
            for about in self._package.relations(relation.target):
                if about.kind == "customXmlProps" and about.target in self._package:
                    item = _any(self._package.xml(about.target), "itemID")
                    yield item.upper(), self._package.xml(relation.target)

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
        text = "".join(self._buffer)
        self._buffer.clear()
        for piece in pieces(text):
            if isinstance(piece, str):
                self._units.append(
                    Unit("text", piece, self._line, self._cell, self._part, struck=self._struck)
                )
            else:
                self._units.append(Unit("checkbox", "", self._line, self._cell, self._part, ticked=piece))


def _stands_out(cell: Element, look: Element | None) -> bool:
    """Whether a cell is shaded, or its words are bold from the first."""
    shade = None if look is None else look.find(SHADE)
    if shade is not None and shade.get(W + "fill", "auto").lower() not in ("auto", "ffffff"):
        return True
    return _on(cell.find(FIRST_BOLD))


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


def _is_frame(pr: Element, content: Element) -> bool:
    """A control around other controls or tables, or one that some editors put around everything."""
    kinds = {child.tag for child in pr}
    if kinds & _FRAMES:
        return True
    if W14 + "checkbox" in kinds:
        return False
    if any(inner.tag in _NESTED for inner in content.iter(SDT, TBL, TR)):
        return True
    return _val(pr.find(W + "tag")).startswith("goog_rdk") or not kinds & _ASKS


def _walks_blocks(content: Element) -> bool:
    return content.find(P) is not None


def _is_prompt(pr: Element, text: str) -> bool:
    """A drop-down left on its first entry, the one without a value."""
    for choices in (pr.find(W + "dropDownList"), pr.find(W + "comboBox")):
        for item in () if choices is None else choices:
            if item.get(W + "value", "") == "" and item.get(W + "displayText") == text:
                return True
    return False


def _chosen_entry(choices: Element) -> str:
    """A legacy drop-down knows its answer only as an index into its entries."""
    entries = [_val(entry) for entry in choices.iterfind(W + "listEntry")]
    index = choices.find(W + "result")
    number = _number(choices.find(W + "default") if index is None else index, 0)
    return entries[number] if 0 <= number < len(entries) else ""


def _on(at: Element | None) -> bool:
    """A switch that is there is on, unless it says otherwise."""
    return at is not None and at.get(VAL, "1") not in ("0", "false", "off")


def _val(at: Element | None) -> str:
    return "" if at is None else at.get(VAL, "")


def _number(at: Element | None, otherwise: int) -> int:
    text = _val(at)
    return min(int(text), WIDEST_SPAN) if re.fullmatch(r"\d{1,9}", text) else otherwise


def _any(at: Element, name: str) -> str:
    """An attribute by its local name, whatever its namespace."""
    return next((str(value) for key, value in at.attrib.items() if etree.QName(key).localname == name), "")
