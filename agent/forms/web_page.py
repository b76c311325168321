"""HTML → one ordered stream of units: what Word imports as a part of a document of its own."""

from __future__ import annotations

import re

from lxml import etree

from agent.forms.stream import Stream
from agent.forms.units import Cell, Document

_SILENT = frozenset(("script", "style", "head", "title", "template", "noscript"))
_LINES = frozenset(
    ("p", "div", "br", "li", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr", "dt", "dd")
)
_CELLS = frozenset(("td", "th"))


def read_web_page(content: bytes) -> Document:
    """The units of a page. Nothing is fetched, no script is run; a broken page gives what it holds."""
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    page = _Page()
    if root is not None:
        page.walk(root)
    return page.stream.document


class _Page:
    def __init__(self) -> None:
        self.stream = Stream()
        self._tables: list[int] = []  # those that are open, the innermost last
        self._outer: list[Cell | None] = []
        self._silent = 0

    def walk(self, root: etree._Element) -> None:
        for event, element in etree.iterwalk(root, events=("start", "end")):
            tag = element.tag if isinstance(element.tag, str) else ""
            if event == "start":
                self._begin(tag, element)
                self._say(element.text)
            else:
                self._end(tag)
                self._say(element.tail)
        self.stream.flush()

    def _begin(self, tag: str, element: etree._Element) -> None:
        self._silent += tag in _SILENT
        if tag in _LINES:
            self.stream.new_line()
        if tag == "table":
            self._tables.append(len(self.stream.document.tables))
            self._outer.append(self.stream.cell)
            self.stream.document.tables.append([])
        elif tag == "tr" and self._tables:
            self.stream.document.tables[self._tables[-1]].append([])
        elif tag in _CELLS and self._tables and (rows := self.stream.document.tables[self._tables[-1]]):
            self._open_cell(rows, element)

    def _open_cell(self, rows: list[list[Cell]], element: etree._Element) -> None:
        self.stream.new_line()
        left = rows[-1][-1].right if rows[-1] else 0
        span = element.get("colspan", "1")
        right = left + (int(span) if re.fullmatch(r"[1-9]\d{0,2}", span) else 1)
        cell = Cell(self._tables[-1], len(rows) - 1, len(rows), left, right, heads=element.tag == "th")
        rows[-1].append(cell)
        self.stream.cell = cell

    def _end(self, tag: str) -> None:
        self._silent -= tag in _SILENT
        if tag in _LINES | _CELLS and tag != "br":
            self.stream.new_line()
        if tag == "table" and self._tables:
            self._tables.pop()
            self.stream.cell = self._outer.pop()
        elif tag in _CELLS and self._outer:
            self.stream.cell = self._outer[-1]

    def _say(self, text: str | None) -> None:
        if text and not self._silent:
            said = " ".join(text.split())
            self.stream.say(f"{' ' if text[0].isspace() else ''}{said}{' ' if text[-1].isspace() else ''}")
