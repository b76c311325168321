"""The register as a workbook that Excel's own service keeps: written cell by cell while people have it open.

What is to be written is decided by the in-place editor on the version that was read, exactly as for a file.
Before anything is written every row concerned is looked at, and must say what it said then; after it every
row is read back. `version` is the file's cTag. Excel saves a little later than people type, so two things
are promised less firmly than for a file: a row is compared, not locked, in the moment before it is written
(one that moved in that moment is put right again), and a cut-off in the middle may leave some rows
written: the next round finds and finishes it. The workbook itself, and sheets that it lacks, are made as a
file. The `mark` of a writing stands in a part of the file that this interface does not reach: it stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from agent.errors import ChangedMeanwhile, NeedsAPerson, OutcomeUnknown
from agent.register.addresses import Area
from agent.register.base import Book, Edits
from agent.register.bookbinder import Bookbinder
from agent.register.cells import clean
from agent.register.difference import Added, Block, Cell, Difference, read_live
from agent.register.excel_session import ExcelSession
from agent.register.sharepoint_file import SharePointFile
from agent.register.sharepoint_place import SharePointPlace
from agent.register.styles import shows_date


class SharePointWorkbook:
    """A register that is written through Excel sessions."""

    kind = "sharepoint_workbook"

    def __init__(self, place: SharePointPlace, binder: Bookbinder) -> None:
        self._place, self._binder = place, binder
        self._file = SharePointFile(place, binder)

    def read(self, known_version: str | None) -> Book | None:
        return self._file.read(known_version)

    def write(self, edits: Edits, expecting: str | None) -> Book:
        if expecting is None:
            return self._file.write(edits, None)
        item = self._place.item()
        if item is None or item.version != expecting:
            raise self._place.changed_meanwhile()
        before = self._place.content(item)
        after = self._binder.edited(before, edits)
        if after is before:
            return self._binder.opened(before, expecting)
        difference = self._binder.difference(before, after)
        if difference.has_new_sheets:
            return self._file.write(edits, expecting)
        with closing(ExcelSession(self._place.graph, self._place.address(item), self._place.name)) as session:
            alone = _Writing(session, difference, self._place).carried_out()
        # Where others were at work, what stands there is not ours alone: the old version makes us look again.
        now = self._place.item() if alone else None
        written = self._binder.opened(after, now.version if now else expecting)
        return replace(written, mark=self._binder.mark_of(before))

    def renew(self, edits: Edits) -> Book:
        return self._file.renew(edits)

    def kept_as(self) -> dict[str, str]:
        return {"kind": self.kind, **self._place.kept_as}

    def copy(self) -> bytes:
        return self._place.copy()

    def replace(self, content: bytes, onto: bytes | None) -> None:
        self._file.replace(content, onto)


class _Writing:
    """One difference on its way into the workbook: look, write, look again."""

    def __init__(self, session: ExcelSession, difference: Difference, place: SharePointPlace) -> None:
        self._session, self._difference, self._place = session, difference, place
        self._alone = True

    def carried_out(self) -> bool:
        """True when nobody else was seen at work in the rows concerned.

        ChangedMeanwhile before anything is written; OutcomeUnknown when an answer was lost and what was to
        be written does not (yet) stand there; NeedsAPerson when it does not although all was answered.
        """
        for block in self._difference.blocks:
            if self._rows(block.sheet, block.area, block.before) != _texts(block.before):
                raise self._place.changed_meanwhile()
        for added in self._difference.added:
            self._want_room(added)
        lost: OutcomeUnknown | None = None
        try:
            self._write()
        except OutcomeUnknown as wrong:
            lost = wrong
        stands = [self._block_stands(block) for block in self._difference.blocks]
        stands += [self._rows_stand(added) for added in self._difference.added]
        if not all(stands):
            raise lost or NeedsAPerson(
                f"What was written to the register {self._place.name} is not what stands there. "
                "Open it in Excel, and restore an earlier version if it is damaged."
            )
        return self._alone and lost is None

    def _write(self) -> None:
        for block in self._difference.blocks:
            self._session.put(block.sheet, block.area, block.values, block.formats)
        for added in self._difference.added:
            self._session.add_rows(added.table, [[cell.value for cell in row] for row in added.rows])

    def _want_room(self, added: Added) -> None:
        """The table ends where it did, and none of the new keys stands in it yet."""
        there = self._keys(added)
        if added.first_row + len(there) != added.area.top or _new_keys(added) & set(there):
            raise self._place.changed_meanwhile()

    def _keys(self, added: Added) -> list[str]:
        return [clean(str(value)) for value in self._session.column(added.table, added.heading)]

    def _rows(self, sheet: str, area: Area, cells: Sequence[Sequence[Cell]]) -> list[list[str]]:
        """What a range says now, in the words of the cells expected there."""
        told = self._session.cells(sheet, area)["values"]
        return [
            [
                cell.text if cell.reckons else read_live(value, cell.is_date, self._difference.since_1904)
                for cell, value in zip(*row, strict=True)
            ]
            for row in zip(cells, told, strict=True)
        ]

    # Looking again

    def _block_stands(self, block: Block) -> bool:
        """Does what was to be written stand there? A person's later entry in the same cell may, too."""
        stands = True
        now = self._rows(block.sheet, block.area, block.after)
        for number, (live, before, after) in enumerate(zip(now, block.before, block.after, strict=True)):
            if any(live[key] != after[key].text for key in block.keys):
                raise self._put_right(block, number, live)
            self._alone &= live == [cell.text for cell in after]
            stands &= not any(
                text == old.text != new.text for text, old, new in zip(live, before, after, strict=True)
            )
        return stands

    def _put_right(self, block: Block, number: int, live: Sequence[str]) -> ChangedMeanwhile | NeedsAPerson:
        """Somebody sorted in the moment before we wrote: what stands in another's row is taken back."""
        was = self._difference.row_before(block.sheet, [live[key] for key in block.keys])
        row = block.area.top + number
        if was is None:
            return NeedsAPerson(
                f"Row {row} of the register {self._place.name} moved while it was written, and may hold "
                "another row's entries. Compare it with an earlier version in SharePoint."
            )
        written = zip(live, block.before[number], block.after[number], was, strict=True)
        values = [[cell.value if text == new.text != old.text else None for text, old, new, cell in written]]
        self._session.put(block.sheet, Area(block.area.left, row, block.area.right, row), values)
        return self._place.changed_meanwhile()

    def _rows_stand(self, added: Added) -> bool:
        """Do the new rows stand in the table, wherever somebody may have sorted them meanwhile?"""
        there, new = self._keys(added), _new_keys(added)
        places = [place for place, key in enumerate(there) if key in new]
        if len({there[place] for place in places}) < len(new):
            return False
        first = added.first_row + places[0]
        area = Area(added.area.left, first, added.area.right, first + len(added.rows) - 1)
        in_a_piece = places == list(range(places[0], places[0] + len(added.rows)))
        self._alone &= in_a_piece and self._rows(added.sheet, area, added.rows) == _texts(added.rows)
        if in_a_piece:
            self._dress(added, area)
        return True

    def _dress(self, added: Added, area: Area) -> None:
        """New rows look like those above them; where these show no dates, ours do."""
        there = self._session.cells(added.sheet, area)["numberFormat"]
        formats = [
            [
                cell.format if cell.is_date and not shows_date(str(code)) else None
                for cell, code in zip(*row, strict=True)
            ]
            for row in zip(added.rows, there, strict=True)
        ]
        if any(one for row in formats for one in row):
            self._session.put(added.sheet, area, None, formats)


def _texts(cells: Sequence[Sequence[Cell]]) -> list[list[str]]:
    return [[cell.text for cell in row] for row in cells]


def _new_keys(added: Added) -> set[str]:
    return {row[added.key].text for row in added.rows}
