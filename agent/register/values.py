"""What the cells of a workbook say, as text: strings shared and inline, numbers, days, booleans, errors."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from xml.sax.saxutils import escape, unescape

from lxml import etree

from agent.procedure.rules import Column
from agent.register.cells import number_text, text_of_serial, tidy
from agent.register.package import MAIN, Package, q
from agent.register.styles import Styles

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# Cells and shared texts as nearly every program writes them, with no character told by its number.
_TEXT = rb"([^<&]*(?:&(?!#)[^<&]*)*)"
_SIMPLE_TEXT = re.compile(rb'<t(?: xml:space="preserve")?>' + _TEXT + rb"</t>")
_SIMPLE_CELL = re.compile(
    rb'(?: s="(\d+)")?(?: t="(\w+)")?(?:/>|>(?:<v>'
    + _TEXT
    + rb"</v>|<is>"
    + _SIMPLE_TEXT.pattern
    + rb"</is>)?</c>)"
)
_ITEM = re.compile(rb"<si(?:/>|>(.*?)</si>)", re.DOTALL)
_QUOTES = {"&quot;": '"', "&apos;": "'"}


class Values:
    """Reads cells as text: strings shared and inline, numbers, dates by look or column, booleans, errors."""

    def __init__(self, package: Package, workbook_part: str, workbook: etree._Element) -> None:
        properties = workbook.find(q("workbookPr"))
        self.since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        self.styles_part = package.first_related(workbook_part, "styles")
        blank = etree.Element(q("styleSheet"))
        self.styles = Styles(package.xml(self.styles_part) if self.styles_part else blank)
        self._package, self._strings_part = package, package.first_related(workbook_part, "sharedStrings")

    @cached_property
    def made_of(self) -> tuple[bool, bytes, bytes]:
        """While this is the same, the same bytes of a cell say the same."""
        looks, strings = (
            hashlib.sha256(self._package.read(part)).digest() if part else b""
            for part in (self.styles_part, self._strings_part)
        )
        return self.since_1904, looks, strings

    @cached_property
    def _strings(self) -> list[bytes]:
        """The workbook's list of texts, each as its bytes: most are never asked for."""
        if self._strings_part is None:
            return []
        content = self._package.read(self._strings_part)
        found: list[bytes] = _ITEM.findall(content)
        if found and len(found) == content.count(b"<si") and b"<!" not in content:
            return found
        items = self._package.parsed(content, self._strings_part).iterfind(q("si"))
        return [b"<t>%b</t>" % escape(_string(item)).encode() for item in items]

    def _shared(self, number: int) -> str:
        if number >= len(self._strings):
            return ""
        item = self._strings[number]
        simple = _SIMPLE_TEXT.fullmatch(item)
        return (
            _words(simple[1])
            if simple
            else _string(etree.fromstring(b'<si xmlns="%b">%b</si>' % (MAIN.encode(), item)))
        )

    def text(self, found: etree._Element, column: Column) -> str:
        """What a cell says, in this room's spelling for `column`."""
        kind, look = found.get("t", "n"), int(found.get("s", "0"))
        if kind == "inlineStr":
            inline = found.find(q("is"))
            return "" if inline is None else tidy(column, _string(inline))
        return tidy(column, self._raw(kind, found.findtext(q("v"), ""), look, column))

    def text_of(self, cell_bytes: bytes, column: Column) -> str:
        """What a cell says whose bytes behind the address are these."""
        simple = _SIMPLE_CELL.fullmatch(cell_bytes)
        if simple is None:
            return self.text(etree.fromstring(b'<c xmlns="%b"%b' % (MAIN.encode(), cell_bytes)), column)
        look, kind, value, inline = simple.groups(b"")
        if inline or kind == b"inlineStr":
            return tidy(column, _words(inline))
        return tidy(column, self._raw(kind.decode() or "n", _words(value), int(look or b"0"), column))

    def _raw(self, kind: str, value: str, look: int, column: Column) -> str:
        if kind == "s":
            return self._shared(int(value)) if value.isdecimal() else ""
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, "")
        if kind == "n":
            return self._number(value, look, column)
        return unescaped(value).removesuffix("Z") if kind == "d" else unescaped(value)

    def _number(self, value: str, look: int, column: Column) -> str:
        try:
            number_there = float(value)
        except ValueError:
            return value
        dated = column.format in ("date", "datetime") or self.styles.is_date(look)
        if dated and column.format != "number":
            return text_of_serial(number_there, since_1904=self.since_1904)
        return number_text(number_there)


def _string(item: etree._Element) -> str:
    """The text of a string, its runs joined; phonetic guides left out."""
    parts = (text for run in item if run.tag in (q("t"), q("r")) for text in run.iter(q("t")))
    return unescaped("".join(part.text or "" for part in parts))


def _words(written: bytes) -> str:
    """Text between two tags → what it says."""
    text = written.decode()
    return unescaped(unescape(text, _QUOTES) if "&" in text else text)


def unescaped(text: str) -> str:
    """`_x000D_` is how a workbook spells a character that XML cannot hold."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
