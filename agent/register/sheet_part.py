"""One worksheet of a workbook: its rows stay bytes until somebody asks for one, all else is a small tree.

A sheet of fifty thousand rows is so opened, changed in ten of them and put together again without the
others ever being taken apart. Rows and columns count from 1.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from xml.sax.saxutils import unescape

from lxml import etree

from agent.errors import NeedsAPerson
from agent.register.addresses import Area, cell, number
from agent.register.package import MAIN, RESTORE, Package, q

_ROWS = re.compile(rb"<sheetData\s*(?:/>|>)")
_ROW = re.compile(rb'<row(?: r="(\d+)"|[\s/>])')
_NUMBER = re.compile(rb"""\sr=["'](\d+)["']""")
# All of a cell behind its address. Excel, LibreOffice and the usual libraries write the address first.
_CELL = re.compile(rb'<c r="([A-Z]{1,3})\d{1,7}"([^>]*>(?:(?<=/>)|.*?</c>))', re.DOTALL)
_FORMULAS = (re.compile(rb"<f[ >/]"), re.compile(rb":f[ >/]"))  # two are quicker than one for both
_FORMULA_TEXT = re.compile(rb"<f(?:\s[^>]*)?>([^<]*)</f>")
# Formulas beside those in cells: of conditional formats, checks and sparklines.
_BESIDE = (
    *map(q, ("formula", "formula1", "formula2")),
    "{http://schemas.microsoft.com/office/excel/2006/main}f",
)
_DECLARATION = re.compile(rb"(\xef\xbb\xbf)?(<\?xml[^>]*\?>)?\s*")
_EMPTY = b"<sheetData/>"


class SheetPart:
    """A worksheet opened. Raises NeedsAPerson, in a sentence, for one that is damaged."""

    def __init__(self, package: Package, part: str) -> None:
        self._package, self.part = package, part
        self._content = _in_the_usual_spelling(package, part)
        found = _ROWS.search(self._content)
        if found is None:
            raise NeedsAPerson(f"The workbook is damaged ({part}). {RESTORE}")
        self._start = end = found.end()
        if not found[0].endswith(b"/>"):
            end = self._content.find(b"</sheetData>", self._start)
        self._head = self._content[: found.start()]
        self._tail = self._content[end:].removeprefix(b"</sheetData>")
        self.tree = package.parsed(self._head + _EMPTY + self._tail, part)
        self._tree_before = etree.tostring(self.tree)
        self._spans = self._found_rows(end)
        self._rows: dict[int, etree._Element] = {}
        self._cells: dict[int, dict[int, etree._Element]] = {}
        self._touched: set[int] = set()

    # Rows

    @property
    def touched(self) -> bool:
        """Was anything in it changed?"""
        return bool(self._touched) or etree.tostring(self.tree) != self._tree_before

    def numbers(self) -> list[int]:
        """The numbers of all rows that the sheet has."""
        return sorted(self._spans.keys() | self._rows.keys())

    def __contains__(self, row: int) -> bool:
        return row in self._spans or row in self._rows

    def row(self, row: int) -> etree._Element:
        """The row's element, to be changed; made where the sheet has none."""
        self._touched.add(row)
        self.cells(row)
        if row not in self._rows:
            self._rows[row] = etree.Element(q("row"), r=str(row))
        return self._rows[row]

    def cells(self, row: int) -> dict[int, etree._Element]:
        """The cell elements of a row, by column, to be looked at."""
        if row not in self._cells:
            self._cells[row] = {}
            if row in self._spans:
                self._rows[row] = self._parsed(row)
                self._cells[row] = _by_column(self._rows[row])
        return self._cells[row]

    def cell(self, column: int, row: int) -> etree._Element:
        """The cell's element, to be changed; made where the sheet has none."""
        element, cells = self.row(row), self.cells(row)
        if column not in cells:
            element.attrib.pop("spans", "")  # optional, and no longer true
            new = etree.Element(q("c"), r=cell(column, row))
            before = max((known for known in cells if known < column), default=None)
            if before is None:
                element.insert(0, new)
            else:
                cells[before].addnext(new)
            cells[column] = new
        return cells[column]

    def move_row(self, old: int, new: int) -> None:
        """Let a row with all its cells stand in another place, where nothing is."""
        element, cells = self.row(old), self.cells(old)
        for kept in (self._spans, self._rows, self._cells):
            kept.pop(old, None)
            kept.pop(new, None)
        self._touched.discard(old)
        self._touched.add(new)
        self._rows[new], self._cells[new] = element, cells
        element.set("r", str(new))
        for column, found in cells.items():
            found.set("r", cell(column, new))

    def formulas(self) -> Iterator[str]:
        """The formulas of all cells."""
        return (unescape(found.decode()) for found in _FORMULA_TEXT.findall(self._content))

    def reword(self, change: Callable[[str, bool], str], filled: Area | None = None) -> None:
        """Put every formula in the words that `change` gives it.

        It is told whether the formula is meant for many cells, as those in the area `filled` are.
        """
        for found in self.tree.iter(*_BESIDE):
            if found.text:
                found.text = change(found.text, not _is_of_sparkline(found))
        for row in self._rows_reworded(change) | self._rows.keys():
            for column, found in self.cells(row).items():
                formula = found.find(q("f"))
                if formula is not None and formula.text:
                    many = formula.get("t") == "shared" or (filled is not None and filled.holds(column, row))
                    words = change(formula.text, many)
                    if words != formula.text:
                        formula.text = words
                        self._touched.add(row)

    def _rows_reworded(self, change: Callable[[str, bool], str]) -> set[int]:
        """Rows in which `change` may give a formula other words."""
        if not self.has_formulas:
            return set()
        numbers, starts = list(self._spans), [start for start, _ in self._spans.values()]
        there = ((one.start(), unescape(one[1].decode())) for one in _FORMULA_TEXT.finditer(self._content))
        changed = (start for start, text in there if change(text, False) != text)
        return {numbers[bisect_right(starts, start) - 1] for start in changed}

    def shared_formula(self, number: str) -> tuple[str, str]:
        """The cell that holds the formula which others share under this number, and its text; "" for none."""
        wanted = rb'<c r="([A-Z]+\d+)"[^>]*><f(?=[^>]*\ssi="%b")[^>]*[^/]>([^<]+)</f>' % number.encode()
        found = re.search(wanted, self._content) if number.isdecimal() else None
        return (found[1].decode(), unescape(found[2].decode())) if found else ("", "")

    # Reading without taking apart

    def quick(self, place: bytes, row: int) -> bytes | None:
        """The bytes of one cell behind its address, by the letters of its column; None where it takes more
        than a quick look, or is not there."""
        if row in self._rows:
            return None
        content, (start, end) = self._content, self._spans[row]
        address = b'<c r="%b%d"' % (place, row)
        found = content.find(address, start, end)
        if found < 0:
            return None
        behind = found + len(address)
        closed = content.find(b">", behind, end)
        if content[closed - 1] != ord("/"):
            closed = content.find(b"</c>", closed, end) + 3
        return content[behind : closed + 1]

    def plain(self, row: int) -> list[tuple[bytes, bytes]] | None:
        """Each cell of a row as (letters of its column, its bytes behind the address); None for a row that
        was looked into or has to be, because it is not written as nearly every program does."""
        if row in self._rows:
            return None
        start, end = self._spans[row]
        found: list[tuple[bytes, bytes]] = _CELL.findall(self._content, start, end)
        return found if len(found) == self._content.count(b"<c", start, end) else None

    def print_of(self, row: int) -> bytes:
        """Another one for every other row: of its bytes, or of the words of one that was looked into."""
        if row in self._rows:
            return hashlib.sha256(self._in_words(self._rows[row])).digest()
        start, end = self._spans[row]
        return hashlib.sha256(memoryview(self._content)[start:end]).digest()

    def glance(self, row: int) -> dict[int, etree._Element]:
        """As `cells`, and nothing is kept of it."""
        return self._cells[row] if row in self._cells else _by_column(self._parsed(row))

    @cached_property
    def has_formulas(self) -> bool:
        """Did it reckon anything when it was opened?"""
        return has_formulas(self._content)

    # The end

    def pieces(self) -> Iterator[bytes | memoryview]:
        """The bytes of the sheet with all that was changed."""
        head, tail = self._head, self._tail
        tree_now = etree.tostring(self.tree)
        if tree_now != self._tree_before:
            whole: bytes = etree.tostring(self.tree, xml_declaration=True, encoding="UTF-8", standalone=True)
            head, _, tail = whole.partition(_EMPTY)
        yield head + b"<sheetData>"
        yield from self._row_pieces()
        yield b"</sheetData>" + tail

    def _row_pieces(self) -> Iterator[bytes | memoryview]:
        """Rows that nobody touched, in as few slices as possible, and the others put in words again."""
        whole = memoryview(self._content)
        start = end = 0
        for row in self.numbers():
            if row in self._touched:
                yield whole[start:end]
                yield self._in_words(self._rows[row])
                start = end = 0
                continue
            first, last = self._spans[row]
            if first != end:
                yield whole[start:end]
                start = first
            end = last
        yield whole[start:end]

    def _in_words(self, row: etree._Element) -> bytes:
        """The row's bytes; what it needs of namespaces is declared at the sheet's beginning already."""
        wrapper = _worksheet(self.tree.nsmap)
        wrapper.append(row)
        words: bytes = etree.tostring(wrapper)
        wrapper.remove(row)
        return words[words.index(b">") + 1 : words.rindex(b"</")]

    # Opening

    def _found_rows(self, end: int) -> dict[int, tuple[int, int]]:
        """Where each row lies, by its number; a writer may leave numbers out where they follow on."""
        spans: dict[int, tuple[int, int]] = {}
        content, last, start = self._content, 0, -1
        for found in _ROW.finditer(content, self._start, end):
            if start >= 0:
                spans[last] = (start, found.start())
            start = found.start()
            told = found[1] or self._told_number(start)
            last = int(told) if told else last + 1
            if last in spans:
                raise NeedsAPerson(f"The workbook is damaged ({self.part}). {RESTORE}")
        if start >= 0:
            spans[last] = (start, end)
        return spans

    def _told_number(self, start: int) -> bytes | None:
        found = _NUMBER.search(self._content, start, self._content.find(b">", start))
        return found[1] if found else None

    def _parsed(self, row: int) -> etree._Element:
        start, end = self._spans[row]
        opening = etree.tostring(_worksheet(self.tree.nsmap))[:-2]
        wrapped = b"%b>%b</worksheet>" % (opening, self._content[start:end])
        element = self._package.parsed(wrapped, self.part)[0]
        element.set("r", str(row))
        column = 0
        for found in element.iterfind(q("c")):
            column = _column_of(found) or column + 1
            found.set("r", cell(column, row))
        return element


def has_formulas(content: bytes) -> bool:
    """Does a worksheet reckon anything?"""
    return any(formula.search(content) for formula in _FORMULAS)


def _is_of_sparkline(formula: etree._Element) -> bool:
    parent = formula.getparent()
    return parent is not None and etree.QName(parent).localname.startswith("sparkline")


def _in_the_usual_spelling(package: Package, part: str) -> bytes:
    """The part's bytes, put in words anew where they are not written as nearly every program does."""
    content = package.read(part)
    declared = _DECLARATION.match(content)
    begins = declared.end() if declared else 0
    encoding = content[:begins].lower()
    plain = b"encoding" not in encoding or b"utf-8" in encoding
    if plain and content.startswith(b"<worksheet", begins) and not _has_unusual(content, begins):
        return content
    there = package.parsed(content, part)
    etree.strip_elements(there, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    anew = _worksheet({None: MAIN} | {name: to for name, to in there.nsmap.items() if name and to != MAIN})
    for name, value in there.attrib.items():
        anew.set(name, value)
    anew.extend(list(there))
    etree.cleanup_namespaces(anew, keep_ns_prefixes=[name for name in anew.nsmap if name])
    words: bytes = etree.tostring(anew, xml_declaration=True, encoding="UTF-8", standalone=True)
    return words


def _has_unusual(content: bytes, begins: int) -> bool:
    """Has it comments, instructions or document types? They are known by the second sign, as it is rare."""
    for sign in (b"!", b"?"):
        at = content.find(sign, begins)
        while at > 0:
            if content[at - 1] == ord("<"):
                return True
            at = content.find(sign, at + 1)
    return False


def _worksheet(names: dict[str | None, str]) -> etree._Element:
    """An empty worksheet with these namespaces; None is the one without a prefix."""
    return etree.Element(q("worksheet"), nsmap=names)  # type: ignore[arg-type]  # the stubs forget None


def _by_column(row: etree._Element) -> dict[int, etree._Element]:
    return {_column_of(found): found for found in row.iterfind(q("c"))}


def _column_of(found: etree._Element) -> int:
    return number(found.get("r", "").rstrip("0123456789"))
