"""A Word document → one ordered stream of units, read from its XML in a single pass.

What a person sees on paper counts: insertions but not deletions, the stored value of a bound control,
each text box once. What is hidden, deleted or only a prompt is no text at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

from agent.forms.package import Package, Relation, attribute
from agent.forms.sniff import sniff
from agent.forms.stream import Stream
from agent.forms.ticks import WINGDINGS, WINGDINGS_2
from agent.forms.units import Document, Refused
from agent.forms.web_page import read_web_page
from agent.forms.word_controls import Controls, Walk
from agent.forms.word_fields import Fields
from agent.forms.word_looks import (
    DOUBLE_STRIKE,
    FONTS,
    OFF,
    RUN_STYLE,
    SIGNS,
    STRESSES,
    STRIKE,
    VANISH,
    leading,
    marks_of,
)
from agent.forms.word_names import (
    ALTERNATE,
    DELETED,
    MC,
    PAR_PR,
    PAR_STYLE,
    RUN,
    RUN_PR,
    SDT,
    TBL,
    TXBX,
    VAL,
    Element,
    P,
    R,
    W,
)
from agent.forms.word_store import Stores
from agent.forms.word_styles import styles_that_hide
from agent.forms.word_tables import Tables

FIELD_MARK = W + "fldChar"
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


class _Reader:
    """Walks one document; `_at` methods take an element, the rest are steps of the walk."""

    def __init__(self, package: Package, name: str, depth: int) -> None:
        self._stream = Stream()
        self._package, self._name, self._depth = package, name, depth
        self._relations = {relation.id: relation for relation in package.relations(name)}
        self._signs = ""  # the font, where it draws signs instead of letters
        self._boxes: list[Element] = []
        self._fields = Fields(self._stream)
        self._controls = Controls(self._stream, Stores(package, list(self._relations.values())))
        self._hidden_styles = self._styles_that_hide()
        self._hidden_paragraph = False
        self._merges = False  # whether a paragraph's end may have been deleted
        self._merged = False
        self._notice_relations()

    @property
    def document(self) -> Document:
        return self._stream.document

    # --- stories: the body, and what stands beside it ---

    def story(self, root: Element | None, part: str) -> None:
        if root is None:
            return
        self._stream.part, self._stream.cell = part, None
        self._merges = next(root.iter(DELETED), None) is not None
        self._block(root)
        if self._fields.end_all():
            self.document.noticed.add("unclosed_field")

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
            step = _BLOCKS.get(child.tag)
            if step is not None:
                step(self, child)

    def _deleted(self, at: Element) -> None:
        self.document.noticed.add("tracked_changes")

    def _paragraph(self, at: Element) -> None:
        if not self._merged:
            self._stream.new_line()
        if self._merges or self._hidden_styles:
            self._paragraph_look(leading(at, PAR_PR))
        self._inline(at)
        self._stream.flush()
        if self._boxes:
            self._text_boxes()

    def _paragraph_look(self, look: Element | None) -> None:
        style = None if look is None else look.find(PAR_STYLE)
        self._hidden_paragraph = style is not None and style.get(VAL) in self._hidden_styles
        self._merged = look is not None and look.find(f"{RUN_PR}/{DELETED}") is not None

    def _text_boxes(self) -> None:
        boxes, self._boxes = self._boxes, []
        part, cell = self._stream.part, self._stream.cell
        for box in boxes:
            self._stream.part, self._stream.cell = "text box", None
            self._block(box)
        self._stream.part, self._stream.cell = part, cell

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
        tables, lines = len(self.document.tables), self._stream.line + 1
        for row in (row for table in inner.tables for row in table):
            for cell in row:
                cell.table += tables
        for unit in inner.units:
            unit.line += lines
            self._stream.line = max(self._stream.line, unit.line)
        self.document.tables += inner.tables
        self.document.units += inner.units

    def _table(self, at: Element) -> None:
        Tables(self._stream, self._cell).read(at)

    def _cell(self, at: Element, control: Element | None) -> None:
        """The content of a table's cell, be there a control around it or not."""
        self._merged = False
        if control is None:
            self._block(at)
        else:
            self._control(control, lambda _: self._block(at))
        self._merged = False

    # --- inside a paragraph ---

    def _control(self, at: Element, walk: Walk) -> None:
        if not self._fields.mute:
            self._controls.read(at, walk)

    def _inline(self, at: Element | None) -> None:
        for child in () if at is None else at:
            step = _INLINES.get(child.tag)
            if step is not None:
                step(self, child)

    def _run(self, at: Element) -> None:
        look = leading(at, RUN_PR)
        marks = marks_of(look) if look is not None else {}
        if self._hides(marks):
            self.document.noticed.add("hidden_text")
            return
        self._stream.strike(STRIKE in marks or DOUBLE_STRIKE in marks)
        self._stream.stressing = not STRESSES.isdisjoint(marks)
        self._signs = marks.get(FONTS, "")
        self._run_content(at)

    def _run_content(self, at: Element | None) -> None:
        for child in () if at is None else at:
            step = _IN_RUN.get(child.tag)
            if step is not None and (not self._fields.mute or child.tag == FIELD_MARK):
                step(self, child)

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
        self._stream.say(text)

    def _ruby(self, at: Element) -> None:
        self._inline(at.find(W + "rubyBase"))

    def _break(self, at: Element) -> None:
        if at.get(W + "type") not in ("page", "column"):
            self._stream.new_line()

    def _symbol(self, at: Element) -> None:
        with contextlib.suppress(ValueError, OverflowError):
            self._sign(int(at.get(W + "char", ""), 16), at.get(W + "font", ""))

    def _sign(self, code: int, font: str) -> None:
        """One character of a font that draws signs: a tick box, else a letter, or an ornament."""
        ticked, unticked = WINGDINGS_2 if "2" in font else WINGDINGS
        if (char := chr(code & 0xFF)) in ticked + unticked:
            self._stream.tick(char in ticked)
        elif char.isspace() or not font.startswith(SIGNS):
            self._stream.say(chr(code))

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
            self._stream.tick(value == "1")
        else:
            self._stream.control(value)


def _chosen(at: Element) -> Element | None:
    """One of the alternatives: the modern one where it says anything."""
    choice = at.find(MC + "Choice")
    return choice if choice is not None and len(choice) else at.find(MC + "Fallback")


# --- what the walk does where it finds an element; all others are no part of what is said ---

Step = Callable[[_Reader, Element], None]

_BLOCKS: dict[str, Step] = {
    P: _Reader._paragraph,
    TBL: _Reader._table,
    SDT: lambda reader, at: reader._control(at, reader._block),
    W + "altChunk": _Reader._chunk,
    ALTERNATE: lambda reader, at: reader._block(_chosen(at)),
    DELETED: _Reader._deleted,
    W + "moveFrom": _Reader._deleted,
    **{W + name: _Reader._block for name in ("ins", "moveTo", "customXml", "smartTag")},
}
_INLINES: dict[str, Step] = {
    RUN: _Reader._run,
    SDT: lambda reader, at: reader._control(at, reader._inline),
    ALTERNATE: lambda reader, at: reader._inline(_chosen(at)),
    DELETED: _Reader._deleted,
    W + "moveFrom": _Reader._deleted,
    W + "ruby": _Reader._ruby,
    **{W + name: _Reader._inline for name in _INLINE_WRAPPERS},
}
_IN_RUN: dict[str, Step] = {
    W + "t": _Reader._text,
    W + "tab": lambda reader, at: reader._stream.say("\t"),
    W + "ptab": lambda reader, at: reader._stream.say("\t"),
    W + "br": _Reader._break,
    W + "cr": _Reader._break,
    W + "noBreakHyphen": lambda reader, at: reader._stream.say("-"),
    W + "sym": _Reader._symbol,
    FIELD_MARK: lambda reader, at: reader._fields.mark(at),
    W + "ruby": _Reader._ruby,
    W + "drawing": _Reader._drawing,
    W + "pict": _Reader._drawing,
    W + "object": _Reader._drawing,
    ALTERNATE: lambda reader, at: reader._run_content(_chosen(at)),
}
