"""An OpenDocument text (.odt) → one ordered stream of units, read from its XML in a single pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lxml import etree

from agent.forms.package import Package
from agent.forms.stream import Stream
from agent.forms.units import Cell, Document, Refused, joined

Element = etree._Element
Step = Callable[[Element], None]

WIDEST = 1_000  # columns and repeated cells

_NAMESPACES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "form": "urn:oasis:names:tc:opendocument:xmlns:form:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "xml": "http://www.w3.org/XML/1998/namespace",
    "field": "urn:openoffice:names:experimental:ooo-ms-interop:xmlns:field:1.0",
    "loext": "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0",
}
_SILENT = frozenset(("none", "hidden"))
_PROMPT = re.compile(r"(?:click|tap|choose|enter|select)\b.{0,60}\b(?:text|item|date|here)\b.{0,20}", re.I)


def _q(name: str) -> str:
    prefix, local = name.split(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


SPAN, ROW = _q("text:span"), _q("table:table-row")
ROWS_AROUND = (
    _q("table:table-header-rows"),
    _q("table:table-rows"),
    _q("table:table-row-group"),
)


def read_odt(content: bytes) -> Document:
    """The units of an .odt. Raises `Refused` where it cannot or should not be read."""
    package = Package(content)
    if "meta-inf/manifest.xml" in package and b"encryption-data" in package.read("META-INF/manifest.xml"):
        raise Refused("encrypted", "The document is protected by a password. Please send it unprotected.")
    root = package.xml("content.xml")
    styles = package.xml("styles.xml") if "styles.xml" in package else None
    body = root.find(f"{_q('office:body')}/{_q('office:text')}")
    if body is None:
        raise Refused("not_word", "The file is an OpenDocument file, but not a text.")
    reader = _Reader(root, styles)
    reader.block(body)
    if styles is not None:
        reader.headers_and_footers(styles)
    reader.stream.flush()
    return reader.stream.document


class _Reader:
    def __init__(self, root: Element, styles: Element | None) -> None:
        self.stream = Stream()
        self._looks = _Looks([root] if styles is None else [styles, root])
        self._controls = {
            identity: control
            for control in root.iter(*(_q(f"form:{kind}") for kind in _CONTROLS))
            for identity in (control.get(_q("form:id")), control.get(_q("xml:id")))
            if identity
        }
        self._blocks: dict[str, Step] = {
            _q("text:p"): self._paragraph,
            _q("text:h"): self._paragraph,
            _q("table:table"): self._table,
            _q("text:section"): self._section,
            _q("draw:frame"): self._inline_child,
            _q("draw:control"): self._draw_control,
            _q("text:tracked-changes"): self._tracked,
        }
        self._blocks |= {
            _q(name): self.block
            for name in (
                *("text:list", "text:list-item", "text:list-header", "text:numbered-paragraph"),
                *("text:soft-page-break", "text:index-body", "text:table-of-content", "draw:text-box"),
            )
        }
        self._inlines: dict[str, Step] = {
            SPAN: self._span,
            _q("text:s"): lambda at: self.stream.say(" " * _count(at, "text:c")),
            _q("text:tab"): lambda at: self.stream.say("\t"),
            _q("text:line-break"): lambda at: self.stream.new_line(),
            _q("text:text-input"): self._text_input,
            _q("text:drop-down"): self._drop_down,
            _q("text:note"): lambda at: self._note(at.find(_q("text:note-body")), "note"),
            _q("office:annotation"): self._annotation,
            _q("text:hidden-text"): self._hidden,
            _q("text:placeholder"): lambda at: self.stream.control(""),
            _q("text:ruby"): lambda at: self._inline(at.find(_q("text:ruby-base"))),
            _q("loext:content-control"): self._content_control,
            _q("field:fieldmark"): self._field_mark,
            _q("field:fieldmark-start"): self._field_start,
            _q("field:fieldmark-end"): lambda at: self._field_end(),
            _q("draw:frame"): self._frame,
            _q("draw:custom-shape"): lambda at: self._note(at, "text box"),
            _q("draw:control"): self._draw_control,
        }
        self._open_fields: list[tuple[int, int, bool]] = []

    # --- blocks ---

    def block(self, at: Element | None) -> None:
        for child in () if at is None else at:
            step = self._blocks.get(child.tag)
            if step is not None:
                step(child)

    def headers_and_footers(self, styles: Element) -> None:
        for kind in ("header", "footer"):
            for found in styles.iter(_q(f"style:{kind}"), _q(f"style:{kind}-first")):
                if found.get(_q("style:display")) != "false":
                    with self.stream.beside(kind):
                        self.block(found)

    def _section(self, at: Element) -> None:
        if at.get(_q("text:display")) in _SILENT:
            self._hidden(at)
        else:
            self.block(at)

    def _tracked(self, at: Element) -> None:
        """Deleted text is kept here, away from the text; what was inserted stands in its place."""
        self.stream.document.noticed.add("tracked_changes")

    def _hidden(self, at: Element) -> None:
        self.stream.document.noticed.add("hidden_text")

    def _paragraph(self, at: Element) -> None:
        style = at.get(_q("text:style-name"), "")
        if self._looks.hides(style):
            self._hidden(at)
            return
        self.stream.new_line()
        with_style = self._looks.strikes(style)
        self.stream.strike(with_style)
        self._inline(at)
        self.stream.strike(False)
        self.stream.flush()

    # --- tables ---

    def _table(self, at: Element) -> None:
        number = len(self.stream.document.tables)
        rows: list[list[Cell]] = []
        self.stream.document.tables.append(rows)
        outer = self.stream.cell
        for row in _rows(at):
            cells: list[Cell] = []
            rows.append(cells)
            column = 0
            for cell_at in row:
                column += self._table_cell(cell_at, number, len(rows) - 1, column, cells)
        self.stream.flush()
        self.stream.cell = outer

    def _table_cell(self, at: Element, table: int, top: int, left: int, cells: list[Cell]) -> int:
        """Walk one cell; gives how many columns it takes. Cells that a merge covers take theirs unseen."""
        repeated = _count(at, "table:number-columns-repeated")
        if at.tag != _q("table:table-cell"):
            return repeated
        wide, high = _count(at, "table:number-columns-spanned"), _count(at, "table:number-rows-spanned")
        for number in range(repeated if len(at) else 1):
            self.stream.count_place()
            cell = Cell(table, top, top + high, left + number, left + number + wide)
            cells.append(cell)
            self.stream.flush()
            self.stream.cell = cell
            self.block(at)
        return repeated  # the columns of a span come as covered cells of their own

    # --- inside a paragraph ---

    def _inline(self, at: Element | None) -> None:
        if at is None:
            return
        self._say(at.text)
        for child in at:
            self._inline_child(child)
            self._say(child.tail)

    def _inline_child(self, at: Element) -> None:
        step = self._inlines.get(at.tag)
        if step is not None:
            step(at)
        elif at.tag not in _MUTE:
            self._inline(at)

    def _say(self, text: str | None) -> None:
        if text:
            self.stream.say(re.sub(r"[ \t\r\n]+", " ", text))

    def _span(self, at: Element) -> None:
        style = at.get(_q("text:style-name"), "")
        if self._looks.hides(style):
            self._hidden(at)
            return
        before = self.stream.struck
        self.stream.strike(before or self._looks.strikes(style))
        self._inline(at)
        self.stream.strike(before)

    def _text_input(self, at: Element) -> None:
        text = "".join(map(str, at.itertext())).strip()
        prompt = text == at.get(_q("text:description"), "").strip() or _PROMPT.fullmatch(text.rstrip(". "))
        self.stream.control("" if prompt else text)

    def _drop_down(self, at: Element) -> None:
        self.stream.control("".join(map(str, at.itertext())).strip(), tag=at.get(_q("text:name"), ""))

    def _note(self, at: Element | None, part: str) -> None:
        with self.stream.beside(part):
            self.block(at)

    def _annotation(self, at: Element) -> None:
        self.stream.document.noticed.add("comments")
        self._note(at, "comment")

    def _frame(self, at: Element) -> None:
        for box in at.iterfind(_q("draw:text-box")):
            self._note(box, "text box")

    # --- controls ---

    def _content_control(self, at: Element) -> None:
        tag, alias = at.get(_q("loext:tag"), ""), at.get(_q("loext:alias"), "")
        if at.get(_q("loext:checkbox")) == "true":
            self.stream.tick(at.get(_q("loext:checked")) == "true", tag=tag, alias=alias)
        elif at.get(_q("loext:showing-place-holder")) == "true" or _is_prompt(at):
            self.stream.control("", tag=tag, alias=alias)
        else:
            with self.stream.answer(tag=tag, alias=alias, iso=at.get(_q("loext:current-date"), "")):
                self._inline(at)

    def _field_mark(self, at: Element) -> None:
        """What Word's own form fields become: tick boxes and drop-down lists."""
        told: dict[str, list[str]] = {}
        for parameter in at.iterfind(_q("field:param")):
            told.setdefault(parameter.get(_q("field:name"), ""), []).append(
                parameter.get(_q("field:value"), "")
            )
        kind, name = at.get(_q("field:type"), ""), at.get(_q("text:name"), "")
        if kind.endswith("FORMCHECKBOX"):
            self.stream.tick("true" in told.get("Checkbox_Checked", ()), tag=name)
        elif kind.endswith("FORMDROPDOWN"):
            self.stream.control(_entry(told), tag=name)

    def _field_start(self, at: Element) -> None:
        self.stream.flush()
        is_answer = at.get(_q("field:type"), "").endswith("FORMTEXT")
        self._open_fields.append((len(self.stream.document.units), self.stream.line, is_answer))

    def _field_end(self) -> None:
        self.stream.flush()
        if not self._open_fields:
            return
        start, line, is_answer = self._open_fields.pop()
        units = self.stream.document.units
        if not is_answer or start > len(units):
            return
        inner = units[start:]
        del units[start:]
        now, self.stream.line = self.stream.line, line
        self.stream.control(joined(inner))
        self.stream.line = now

    def _draw_control(self, at: Element) -> None:
        control = self._controls.get(at.get(_q("draw:control"), ""))
        if control is None:
            return
        kind = control.tag.rpartition("}")[2]
        name, label = control.get(_q("form:name"), ""), control.get(_q("form:label"), "")
        if kind in ("checkbox", "radio"):
            state = control.get(_q("form:current-state")) == "checked"
            self.stream.tick(state or control.get(_q("form:current-selected")) == "true", tag=name)
            self.stream.say(f" {label} " if label else "")
        elif kind == "fixed-text":
            self.stream.say(label)
        else:
            self.stream.control(_value(control), tag=name, alias=control.get(_q("form:title"), ""))


class _Looks:
    """Which styles hide their text, and which strike it out."""

    def __init__(self, roots: list[Element]) -> None:
        self._hide: dict[str, bool] = {}
        self._strike: dict[str, bool] = {}
        self._parents: dict[str, str] = {}
        for root in roots:
            for style in root.iter(_q("style:style")):
                self._learn(style)

    def _learn(self, style: Element) -> None:
        name = style.get(_q("style:name"), "")
        self._parents[name] = style.get(_q("style:parent-style-name"), "")
        look = style.find(_q("style:text-properties"))
        for key, value in () if look is None else look.attrib.items():
            local = str(key).rpartition("}")[2]
            if local == "display":
                self._hide[name] = value == "none"
            elif local in ("text-line-through-style", "text-line-through-type"):
                self._strike[name] = value != "none"

    def hides(self, style: str) -> bool:
        return self._told(self._hide, style)

    def strikes(self, style: str) -> bool:
        return self._told(self._strike, style)

    def _told(self, told: dict[str, bool], style: str) -> bool:
        for _ in range(20):  # styles that inherit from each other must end somewhere
            if style in told or not style:
                break
            style = self._parents.get(style, "")
        return told.get(style, False)


_CONTROLS = (
    *("text", "textarea", "formatted-text", "number", "date", "time", "combobox", "listbox", "fixed-text"),
    *("checkbox", "radio", "password", "generic-control"),
)
_MUTE = frozenset(
    _q(name)
    for name in (
        *("text:tracked-changes", "text:bookmark", "text:reference-mark", "office:annotation-end"),
        *("office:event-listeners", "loext:list-item", "text:ruby-text", "draw:image", "draw:object"),
        *("draw:object-ole", "field:param", "text:note-citation", "text:hidden-paragraph", "text:script"),
    )
)


def _rows(at: Element) -> Iterator[Element]:
    for child in at:
        if child.tag == ROW:
            repeated = _count(child, "table:number-rows-repeated")
            yield from [child] * (repeated if repeated < WIDEST else 1)
        elif child.tag in ROWS_AROUND:
            yield from _rows(child)


def _count(at: Element, name: str) -> int:
    text = at.get(_q(name), "1")
    return max(1, min(int(text), WIDEST)) if re.fullmatch(r"\d{1,9}", text) else 1


def _is_prompt(at: Element) -> bool:
    """A list left on its first entry, the one without a value."""
    said = "".join(map(str, at.itertext())).strip()
    return any(
        item.get(_q("loext:value"), "") == "" and item.get(_q("loext:display-text")) == said
        for item in at.iterfind(_q("loext:list-item"))
    )


def _entry(told: dict[str, list[str]]) -> str:
    entries, chosen = told.get("Dropdown_ListEntry", []), told.get("Dropdown_Selected", ["0"])[-1]
    index = int(chosen) if re.fullmatch(r"\d{1,4}", chosen) else 0
    return entries[index] if index < len(entries) else ""


def _value(control: Element) -> str:
    """What a form's own control holds now."""
    selected = [
        option.get(_q("form:label"), "")
        for option in control.iterfind(_q("form:option"))
        if option.get(_q("form:current-selected")) == "true"
    ]
    if selected:
        return ", ".join(selected)
    value = control.get(_q("form:current-value"))
    if value is None and control.tag == _q("form:textarea"):
        value = "\n".join("".join(map(str, line.itertext())) for line in control.iterfind(_q("text:p")))
    return (value or "").strip()
