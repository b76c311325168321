"""Sheets of the agent's own: known by a hidden name, so that people may rename them, and brought into a
workbook that lacks them.

A sheet is brought in from a workbook made for it. The workbook part, its relationships, the content types
and (where it needs new ones) the list of looks change by that; every other part stays as it was.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from lxml import etree

from agent.procedure.rules import Column
from agent.register.package import (
    CONTENT_TYPES,
    RELATED,
    RELATIONSHIPS,
    TYPES,
    Package,
    free_id,
    q,
    relationships_of,
)
from agent.register.styles import Borrowed
from agent.register.workbook import Workbook, quoted

_WORKSHEET = f"{RELATED}/worksheet"
_LONGEST_NAME = 31
_ANYTHING = Column("", "agent")


def mark(sheet: str) -> str:
    """The name, hidden and within the sheet, by which the agent knows a sheet of its own again."""
    return "Agents_own_" + re.sub(r"\W", "_", sheet)


def own_sheet(workbook: Workbook, sheet: str) -> str | None:
    """The part of the agent's own sheet that was made as `sheet`; None where there is none.

    Of several (somebody copied it) the one that is still called so counts, else the first.
    """
    sheets = list(workbook.sheets())
    marked = [
        sheets[int(name.get("localSheetId", "-1"))]
        for name in workbook.root.iter(q("definedName"))
        if name.get("name") == mark(sheet) and 0 <= int(name.get("localSheetId", "-1")) < len(sheets)
    ]
    found = [part for title, part in marked if title == sheet] or [part for _, part in marked]
    return found[0] if found else None


def shown_on(workbook: Workbook, sheet: str) -> dict[str, str]:
    """The filled cells of the agent's own sheet by address, in this room's spelling; none where it is not."""
    part = own_sheet(workbook, sheet)
    opened = workbook.sheet(part) if part else None
    cells = (found for row in opened.numbers() for found in opened.cells(row).values()) if opened else ()
    texts = {found.get("r", ""): workbook.values.text(found, _ANYTHING) for found in cells}
    return {address: text for address, text in texts.items() if text}


def bring_in(workbook: Workbook, sheet: str, made: Callable[[str], bytes]) -> None:
    """Add the sheet that `made` gives, behind the others."""
    title = _free_title([name for name, _ in workbook.sheets()], sheet)
    _Move(workbook, Package(made(title)), title, sheet).carry_out()


def _free_title(taken: list[str], wanted: str) -> str:
    there = {title.casefold() for title in taken}
    numbered = (f"{wanted[: _LONGEST_NAME - 4]} {number}" for number in range(2, len(taken) + 3))
    return next(title for title in (wanted, *numbered) if title.casefold() not in there)


class _Move:
    """One sheet on its way from the workbook it was made in to the one it is for."""

    def __init__(self, workbook: Workbook, source: Package, title: str, sheet: str) -> None:
        self.workbook, self.package, self.source = workbook, workbook.package, source
        self.title, self.sheet = title, sheet
        self.source_part = source.first_related("", "officeDocument") or ""
        self.source_root = source.xml(self.source_part)
        self.types = self.package.xml(CONTENT_TYPES)
        self.source_types = source.xml(CONTENT_TYPES)
        self.moved: dict[str, str] = {}

    def carry_out(self) -> None:
        index, old = self._found()
        part = self._take(old)
        self._dress(part)
        self._enter(part, index)
        self.package.replace(CONTENT_TYPES, self.types)

    def _found(self) -> tuple[int, str]:
        """Which sheet of the source it is, and its part."""
        parts = {key: name for key, _, name in self.source.related(self.source_part)}
        for index, found in enumerate(self.source_root.iter(q("sheet"))):
            if found.get("name") == self.title:
                return index, parts[found.get(f"{{{RELATED}}}id", "")]
        raise ValueError(f"the workbook made for it holds no sheet {self.title}")

    def _take(self, old: str) -> str:
        """Copy a part and all that it leads to, each under a free name; gives the new name."""
        if old in self.moved:
            return self.moved[old]
        new = self.moved[old] = self._free_name(old)
        self.package.put(new, [self.source.read(old)])
        self._declare(old, new)
        links = relationships_of(old)
        if links in self.source:
            root = self.source.xml(links)
            for key, _, target in self.source.related(old):
                link = next(found for found in root if found.get("Id") == key)
                link.set("Target", f"/{self._take(target)}")
            self.package.replace(relationships_of(new), root)
        if new.startswith("xl/tables/"):
            self._number_table(new)
        return new

    def _free_name(self, old: str) -> str:
        stem, extension = posixpath.splitext(old)
        stem = stem.rstrip("0123456789")
        number = 1
        while f"{stem}{number}{extension}" in self.package:
            number += 1
        return f"{stem}{number}{extension}"

    def _declare(self, old: str, new: str) -> None:
        """Say in the content types what the new part is."""
        told = {
            found.get("PartName") or f".{found.get('Extension')}": found.get("ContentType", "")
            for found in self.source_types
        }
        kind = told.get(f"/{old}") or told[posixpath.splitext(old)[1]]
        etree.SubElement(self.types, f"{{{TYPES}}}Override", PartName=f"/{new}", ContentType=kind)

    def _number_table(self, part: str) -> None:
        """Every table of a workbook has a number of its own."""
        taken = [int(self.package.xml(name).get("id", "0")) for name in self._table_parts() if name != part]
        root = self.package.xml(part)
        root.set("id", str(max(taken, default=0) + 1))
        self.package.replace(part, root)

    def _table_parts(self) -> Iterator[str]:
        return (name for name in self.package.names() if re.fullmatch(r"xl/tables/[^/]+\.xml", name))

    def _dress(self, part: str) -> None:
        """Give the sheet looks that the workbook has, and its words within its own cells."""
        root = self.package.xml(part)
        looks = Borrowed(self.workbook.values.styles, self.source.xml(self._related("styles")))
        for found in root.iter(q("c"), q("row"), q("col")):
            name = "style" if found.tag == q("col") else "s"
            if found.get(name) is not None:
                found.set(name, str(looks.look(int(found.get(name, "0")))))
        for found in root.iter(q("cfRule")):
            if found.get("dxfId") is not None:
                found.set("dxfId", str(looks.difference(int(found.get("dxfId", "0")))))
        self._write_words(root)
        for view in root.iter(q("sheetView")):
            view.attrib.pop("tabSelected", "")
        self.package.replace(part, root)

    def _write_words(self, root: etree._Element) -> None:
        """Texts stand in their cells: the workbook's list of texts stays as it is."""
        part = self.source.first_related(self.source_part, "sharedStrings")
        texts = list(self.source.xml(part).iterfind(q("si"))) if part else []
        for found in root.iter(q("c")):
            if found.get("t") == "s":
                text = texts[int(found.findtext(q("v"), "0"))]
                for child in list(found):
                    found.remove(child)
                found.set("t", "inlineStr")
                etree.SubElement(found, q("is")).extend(list(text))

    def _related(self, kind: str) -> str:
        return self.source.first_related(self.source_part, kind) or ""

    def _enter(self, part: str, index: int) -> None:
        """Name the sheet in the workbook, with the names that it brings along."""
        links = relationships_of(self.workbook.part)
        relations = self.package.xml(links)
        key = free_id(relations)
        link = etree.SubElement(relations, f"{{{RELATIONSHIPS}}}Relationship", Id=key, Type=_WORKSHEET)
        link.set("Target", f"/{part}")
        self.package.replace(links, relations)
        sheets = self.workbook.root.find(q("sheets"))
        if sheets is None:
            raise ValueError("a workbook without sheets was opened")
        place = len(sheets)
        number = max((int(found.get("sheetId", "0")) for found in sheets), default=0) + 1
        entered = etree.SubElement(sheets, q("sheet"), name=self.title, sheetId=str(number))
        entered.set(f"{{{RELATED}}}id", key)
        self._add_names(index, place)

    def _add_names(self, index: int, place: int) -> None:
        self.workbook.give_name(mark(self.sheet), f"{quoted(self.title)}!$A$1", localSheetId=str(place))
        names = self.workbook.root.find(q("definedNames"))
        for found in list(self.source_root.iter(q("definedName"))):
            if found.get("localSheetId") == str(index) and found.get("name") != mark(self.sheet):
                found.set("localSheetId", str(place))
                if names is not None:
                    names.append(found)
