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
# In this order the lists stand in a style sheet; any may be missing.
_ORDER = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs")


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
        return self._with(look, numFmtId=str(self.format(TIME if has_time else DAY)), applyNumberFormat="1")

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
        return self.number_of(other)

    def number_of(self, look: etree._Element) -> int:
        """The number of this very look, added where there is none."""
        found = self._known.get(_print(look))
        return self._add(look) if found is None else found

    def add_to(self, group: str, wanted: etree._Element) -> int:
        """The number of a font, fill, border or difference in its list, added where it is new."""
        known = self.root.find(q(group))
        if known is None:
            known = self._new_group(group)
        wanted = copy.deepcopy(wanted)
        for number, found in enumerate(known):
            if _print(found) == _print(wanted):
                return number
        known.append(wanted)
        known.set("count", str(len(known)))
        self.changed = True
        return len(known) - 1

    def _new_group(self, group: str) -> etree._Element:
        """An empty list in its place among the others."""
        made = etree.Element(q(group))
        place = _ORDER.index(group)
        before = [found for tag in _ORDER[:place] if (found := self.root.find(q(tag))) is not None]
        if before:
            before[-1].addnext(made)
        else:
            self.root.insert(0, made)
        return made

    def _add(self, look: etree._Element) -> int:
        self._looks.append(look)
        self._looks.set("count", str(len(self._looks)))
        self._dates.append(self._shows_date(look))
        self._known[_print(look)] = len(self._looks) - 1
        self.changed = True
        return len(self._looks) - 1

    def _shows_date(self, look: etree._Element) -> bool:
        number = int(look.get("numFmtId", "0"))
        return number in _BUILT_IN_DATES or shows_date(self._codes.get(number, ""))

    def format(self, code: str) -> int:
        """The number of a format's code, added where it is new."""
        for number, known in self._codes.items():
            if known == code:
                return number
        number = max([163, *self._codes]) + 1
        formats = self.root.find(q("numFmts"))
        if formats is None:
            formats = self._new_group("numFmts")
        etree.SubElement(formats, q("numFmt"), numFmtId=str(number), formatCode=code)
        formats.set("count", str(len(formats)))
        self._codes[number] = code
        return number

    def _first_look(self) -> etree._Element:
        """A list of looks for a style sheet that has none."""
        looks = self._new_group("cellXfs")
        looks.set("count", "1")
        etree.SubElement(looks, q("xf"), numFmtId="0", fontId="0", fillId="0", borderId="0", xfId="0")
        return looks


class Borrowed:
    """Looks of another workbook's style sheet, added to ours where we have none that is the same."""

    def __init__(self, ours: Styles, theirs: etree._Element) -> None:
        self._ours, self._theirs = ours, theirs
        self._their_looks = list(theirs.iterfind(f"{q('cellXfs')}/{q('xf')}"))
        self._their_differences = list(theirs.iterfind(f"{q('dxfs')}/{q('dxf')}"))
        self._their_codes = {
            known.get("numFmtId", ""): known.get("formatCode", "") for known in theirs.iter(q("numFmt"))
        }

    def look(self, number: int) -> int:
        """Our number for their look."""
        look = copy.deepcopy(self._their_looks[number])
        for attribute, group in (("fontId", "fonts"), ("fillId", "fills"), ("borderId", "borders")):
            look.set(attribute, str(self._shared(group, int(look.get(attribute, "0")))))
        code = self._their_codes.get(look.get("numFmtId", "0"))
        if code is not None:
            look.set("numFmtId", str(self._ours.format(code)))
        look.set("xfId", "0")
        return self._ours.number_of(look)

    def difference(self, number: int) -> int:
        """Our number for what their conditional format changes."""
        return self._ours.add_to("dxfs", self._their_differences[number])

    def _shared(self, group: str, number: int) -> int:
        found = self._theirs.find(q(group))
        return 0 if found is None else self._ours.add_to(group, found[number])


def shows_date(code: str) -> bool:
    """Does a number format show a number as a day or time?"""
    return bool(set("dmyhs") & set(_NOT_CODE.sub("", code).casefold()))


def _print(look: etree._Element) -> bytes:
    return etree.tostring(look, method="c14n")
