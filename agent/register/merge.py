"""Three sides of the register become one: what the agent wrote last, what stands there, what the ledger says.

Pure: decides, and touches nothing. Whose column it is decides who wins (`Column.owner`):

- agent: the ledger's value is put back; what a person typed over it is reported.
- proposed: a person's value wins over the agent's and is reported.
- person: never written; what changed is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.procedure.rules import Column
from agent.register.base import Changes, Doubt, Sheet
from agent.register.cells import reference_key, same, shown
from agent.register.recognise import check_of

WORKBOOK_GONE = "workbook_gone"  # the code of a doubt

Row = Mapping[str, str]
Rows = Mapping[str, Row]


@dataclass(frozen=True)
class PersonsChange:
    """A person changed one cell, from `before` to `now`. `put_back`: the column is the agent's."""

    reference: str
    column: Column
    before: str = field(repr=False)
    now: str = field(repr=False)

    @property
    def heading(self) -> str:
        return self.column.heading

    @property
    def put_back(self) -> bool:
        return self.column.owner == "agent"


@dataclass(frozen=True)
class Merged:
    """What to write, what people did, and what a person has to look at.

    `seen` is to be remembered as what stood there: the sheet's rows; rows and columns that vanished, until
    they stand there again, so that nothing people wrote in them is lost and the agent knows its own hand;
    and of references that stand twice what was known before, as nobody knows yet which row will be left.
    `missing` are those without a row. `settled` rows were left out of the merging, as nothing about them
    changed since they were merged last.
    """

    changes: Changes
    people: tuple[PersonsChange, ...]
    doubts: tuple[Doubt, ...]
    seen: Rows = field(repr=False)
    missing: frozenset[str] = frozenset()
    settled: Rows = field(default_factory=dict, repr=False)

    def beside(self, settled: Rows) -> Merged:
        """The same, in a sheet in which these other rows stand and stay."""
        return replace(self, seen={**settled, **self.seen}, settled=settled)

    def seen_after(self, written: Sheet) -> Rows:
        """What is to be remembered once `changes` were written and `written` stands there."""
        rows = {key: row for key, row in written.rows.items() if key not in self.settled}
        stood = _of(self.seen, rows.keys() - self.missing)
        return {**self.settled, **_overlaid(stood, rows), **_of(self.seen, written.twice)}


@dataclass(frozen=True)
class _Sides:
    """One row from all sides."""

    reference: str
    there: Row
    wrote: Row
    said: Row
    back: Collection[str]

    @property
    def agree(self) -> bool:
        """Is there nothing to decide, as in nearly every row?"""
        return self.there == self.wrote and self.said.items() <= self.there.items()

    def typed(self, column: Column) -> bool:
        """Is what stands in this cell a person's? Not when the agent put it there, or would; nor is nothing
        at all where the column just came `back` and the agent has to fill it."""
        now, wrote = self.there.get(column.heading, ""), self.wrote.get(column.heading, "")
        if not now and column.heading in self.back and column.owner != "person":
            return False
        return not same(column, now, wrote) and not same(column, now, self.said.get(column.heading, wrote))

    def change(self, column: Column) -> PersonsChange:
        before, now = (side.get(column.heading, "") for side in (self.wrote, self.there))
        return PersonsChange(self.reference, column, before, now)

    def wants(self, column: Column) -> bool:
        """Should the ledger's value be written into this cell?"""
        said = self.said.get(column.heading)
        if said is None or column.owner == "person":
            return False
        if same(column, self.there.get(column.heading, ""), said):
            return False
        return column.owner == "agent" or not self.typed(column)


def merge(
    columns: Sequence[Column],
    wrote_last: Rows,
    sheet: Sheet,
    ledger_says: Rows,
    intended: Rows | None = None,
    hidden: Collection[str] = (),
    headings_before: Collection[str] = (),
) -> Merged:
    """Decide what to write and what people did. All rows are by reference, their cells by heading.

    `wrote_last` is what stood there when the agent last looked; `intended` what it was about to write
    on top of that, all of it or nothing, when it was cut off. A cell that `ledger_says` does not name is
    left alone. In `hidden` rows nothing may stand but what `ledger_says`, people's own columns included.
    `headings_before` are those that the sheet had then, where there was one: a column that was gone and was
    added again is empty, and nobody emptied it.
    Once the changes stand there, merging again changes nothing.
    """
    ledger_says = {key: {**row, **_keys(columns, key)} for key, row in ledger_says.items()}
    present = [column for column in columns if column.heading in sheet.headings]
    both = _overlaid(wrote_last, intended or {})
    wrote = both if _arrived(present, wrote_last, intended or {}, sheet) else wrote_last
    cells: dict[str, dict[str, str]] = {}
    people: list[PersonsChange] = []
    back = set(sheet.headings).difference(headings_before) if headings_before else set[str]()
    for sides in _both_know(wrote, sheet, ledger_says, back):
        if sides.agree and sides.reference not in hidden:
            continue
        mine = present
        if sides.reference in hidden:
            mine = [replace(column, owner="agent") for column in _all(columns, sheet)]
            sides = replace(sides, said={**dict.fromkeys(sheet.headings, ""), **sides.said})
        people += [sides.change(column) for column in mine if sides.typed(column)]
        wanted = {column.heading: sides.said[column.heading] for column in mine if sides.wants(column)}
        if wanted:
            cells[sides.reference] = wanted
    missing = [reference for reference in ledger_says if reference not in sheet.rows]
    vanished = {
        reference: both[reference]
        if _stood(columns, wrote_last.get(reference, {}))
        else _theirs(columns, both[reference])
        for reference in missing
        if reference in both
    }
    there = present if sheet.headings else columns
    new_rows = tuple(
        _whole_row(columns, there, vanished.get(reference, {}), ledger_says[reference])
        for reference in missing
    )
    doubts = (*sheet.doubts, *_doubts(columns, wrote_last, sheet, ledger_says))
    stood = _of(sheet.rows, sheet.rows.keys() - sheet.twice)
    seen = {**vanished, **_overlaid(_of(wrote, stood), stood), **_of(wrote, sheet.twice)}
    return Merged(Changes(cells, new_rows), tuple(people), doubts, seen, frozenset(missing))


def _all(columns: Sequence[Column], sheet: Sheet) -> list[Column]:
    """Every column of the sheet; those that people added are theirs."""
    ours = {column.heading: column for column in columns}
    return [ours.get(heading) or Column(heading, "person") for heading in sheet.headings]


def _of(rows: Rows, references: Iterable[str]) -> dict[str, Row]:
    return {reference: rows[reference] for reference in references if reference in rows}


def _overlaid(rows: Rows, above: Rows) -> dict[str, Row]:
    """Each row of both; the very same one where nothing is added to it, as thousands of rows take room."""
    return {
        reference: _over(rows.get(reference, {}), above.get(reference, {})) for reference in {**rows, **above}
    }


def _over(row: Row, above: Row) -> Row:
    if not row.keys() - above.keys():
        return above
    return {**row, **above} if above else row


def _arrived(columns: Sequence[Column], wrote_last: Rows, intended: Rows, sheet: Sheet) -> bool:
    """Was `intended` written before the agent was cut off? Most of its cells tell.

    What cannot be told apart: a person who by chance types exactly what stood in every such cell before,
    or exactly what was to stand there.
    """
    votes = 0
    for reference, cells in intended.items():
        there, before = sheet.rows.get(reference, {}), wrote_last.get(reference, {})
        for column in columns:
            now, old = there.get(column.heading, ""), before.get(column.heading, "")
            meant = cells.get(column.heading, old)
            if reference in sheet.rows and not same(column, old, meant):
                votes += same(column, now, meant) - same(column, now, old)
    return votes > 0


def _both_know(wrote: Rows, sheet: Sheet, ledger_says: Rows, back: Collection[str]) -> Iterator[_Sides]:
    """The rows that the sheet and the ledger both have; one that stands there twice is nobody's to read."""
    for reference, there in sheet.rows.items():
        if reference in ledger_says and reference not in sheet.twice:
            yield _Sides(reference, there, wrote.get(reference, {}), ledger_says[reference], back)


def _whole_row(columns: Sequence[Column], there: Sequence[Column], before: Row, said: Row) -> Row:
    """A row that is not there: what the ledger says, and of people's columns what stood there before.

    In a column that is not there nothing can be written, and nothing is to be remembered as written.
    """
    absent = {column.heading for column in columns} - {column.heading for column in there}
    return {**said, **_theirs(columns, before), **dict.fromkeys(absent, "")}


def _theirs(columns: Sequence[Column], row: Row) -> Row:
    """What people wrote in their own columns of a row."""
    ours = {column.heading for column in columns if column.owner != "person"}
    return {heading: value for heading, value in row.items() if heading not in ours and value}


def _stood(columns: Sequence[Column], row: Row) -> bool:
    """Was this row seen in the sheet? Of one that was only about to be written no more is remembered than
    what people wrote in it elsewhere."""
    return any(column.owner == "agent" and column.heading in row for column in columns)


def _keys(columns: Sequence[Column], key: str) -> Row:
    """What says whose row it is: for people, and hidden."""
    both = {"reference": key, "key": check_of(key)}
    return {column.heading: both[column.field] for column in columns if column.field in both}


def _column_gone(column: Column, wrote_last: Rows) -> Doubt:
    """Somebody took it out or renamed it; or it never stood there, as in a register older than the column."""
    heading = column.heading
    if any(row.get(heading) for row in wrote_last.values()):
        said = (
            f"The register has no column “{heading}” any more, so it is not kept. "
            "Add a column with this heading, or name the new heading in the configuration."
        )
    else:
        use = "people can act in" if column.owner == "person" else "the agent would fill"
        said = (
            f"The register has no column “{heading}”, which {use}. Nothing is lost by that. "
            "To have it, type this heading into the cell right of the table's last heading."
        )
    return Doubt("column_gone", heading, said)


def _doubts(columns: Sequence[Column], wrote_last: Rows, sheet: Sheet, ledger_says: Rows) -> Iterator[Doubt]:
    if not sheet.headings:
        if wrote_last:
            yield Doubt(
                WORKBOOK_GONE,
                "",
                "The register's workbook is gone; a new one is written, with all that was known of the old.",
            )
        return
    for column in columns:
        wanted = column.field and not column.hidden  # those of people's own are theirs to drop
        if wanted and column.heading not in sheet.headings:
            yield _column_gone(column, wrote_last)
    known = {reference_key(reference) for reference in ledger_says}
    for reference in sheet.rows:
        if reference not in known:
            yield Doubt(
                "unknown_key",
                shown(reference),
                f"{shown(reference)} has a row in the register, but is no alert of the ledger. "
                "The row is left alone. Correct its reference, or delete the row.",
            )
    for reference, row in wrote_last.items():
        if reference in ledger_says and reference not in sheet.rows and _stood(columns, row):
            yield Doubt(
                "row_gone",
                reference,
                f"The row of {reference} is gone from the register and is written there again. "
                "To take an alert off the list, set its status instead.",
            )
