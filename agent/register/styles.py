"""The looks of cells (`xl/styles.xml`): which show dates, and where to find the look that a value needs."""

from __future__ import annotations

import copy
import re

from lxml import etree

from agent.register.package import q

DAY = "dd mmm yyyy"
TIME = "dd mmm yyyy hh:mm"
_BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_CODE = re.compile(
    r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.'
)  # quoted words, colours and locales, escapes, padding
# In `cellXfs` these come after all else that may be missing before them.
_BEFORE_CELL_XFS = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs")


class Styles:
    """The numbered looks of one workbook; `changed` once one had to be added."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.changed = False
        self._codes = {
            int(known.get("numFmtId", "-1")): known.get("formatCode", "") for known in root.iter(q("numFmt"))
        }
        cell_looks = root.find(q("cellXfs"))
        self._looks = cell_looks if cell_looks is not None else self._first_look()
        self._dates = [self._shows_date(look) for look in self._looks]
        self._known = {_print(look): index for index, look in reversed(list(enumerate(self._looks)))}

    def is_date(self, look: int) -> bool:
        """Does a number in a cell of this look stand for a day or time?"""
        return 0 <= look < len(self._dates) and self._dates[look]

    def wraps(self, look: int) -> bool:
        """Is text in a cell of this look broken into lines?"""
        alignment = self._looks[look].find(q("alignment")) if 0 <= look < len(self._looks) else None
        return alignment is not None and alignment.get("wrapText") in ("1", "true")

    def for_moment(self, look: int, *, has_time: bool) -> int:
        """`look` itself when it shows dates, else the same with a date format."""
        if self.is_date(look):
            return look
        return self._with(look, numFmtId=str(self._format(TIME if has_time else DAY)), applyNumberFormat="1")

    def for_number(self, look: int) -> int:
        """`look` itself unless it would show the number as a date."""
        return self._with(look, numFmtId="0") if self.is_date(look) else look

    def for_text(self, look: int, *, quoted: bool) -> int:
        """`look`, marked (or no longer marked) as text that Excel must not take for a formula when edited."""
        return self._with(look, quotePrefix="1" if quoted else None)

    def _with(self, look: int, **wanted: str | None) -> int:
        """The number of the look that differs from `look` in these attributes only."""
        if not 0 <= look < len(self._looks):
            look = 0
        other = copy.deepcopy(self._looks[look])
        for name, value in wanted.items():
            if value is None:
                other.attrib.pop(name, "")
            else:
                other.set(name, value)
        found = self._known.get(_print(other))
        return self._add(other) if found is None else found

    def _add(self, look: etree._Element) -> int:
        self._looks.append(look)
        self._looks.set("count", str(len(self._looks)))
        self._dates.append(self._shows_date(look))
        self._known[_print(look)] = len(self._looks) - 1
        self.changed = True
        return len(self._looks) - 1

    def _shows_date(self, look: etree._Element) -> bool:
        number = int(look.get("numFmtId", "0"))
        code = _NOT_CODE.sub("", self._codes.get(number, "")).casefold()
        return number in _BUILT_IN_DATES or bool(set("dmyhs") & set(code))

    def _format(self, code: str) -> int:
        for number, known in self._codes.items():
            if known == code:
                return number
        number = max([163, *self._codes]) + 1
        formats = self.root.find(q("numFmts"))
        if formats is None:
            formats = etree.Element(q("numFmts"))
            self.root.insert(0, formats)
        etree.SubElement(formats, q("numFmt"), numFmtId=str(number), formatCode=code)
        formats.set("count", str(len(formats)))
        self._codes[number] = code
        return number

    def _first_look(self) -> etree._Element:
        """A list of looks for a style sheet that has none."""
        before = [found for tag in _BEFORE_CELL_XFS if (found := self.root.find(q(tag))) is not None]
        looks = etree.Element(q("cellXfs"), count="1")
        etree.SubElement(looks, q("xf"), numFmtId="0", fontId="0", fillId="0", borderId="0", xfId="0")
        if before:
            before[-1].addnext(looks)
        else:
            self.root.insert(0, looks)
        return looks


def _print(look: etree._Element) -> bytes:
    return etree.tostring(look, method="c14n")
