"""The ledger beside the register, cell by cell: where they differ, and what the next round makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.bookkeeping import Compared, compare
from agent.desk import Desk
from agent.procedure.rules import Column, Procedure
from agent.register.base import Sheet
from agent.register.merge import Merged


@dataclass(frozen=True)
class Differs:
    """One place where ledger and sheet differ. `heading` is "" for a whole row."""

    workbook: str
    key: str
    heading: str
    what: str
    ledger: str = field(default="", repr=False)
    sheet: str = field(default="", repr=False)


def register_diff(desk: Desk, now: datetime, *, values: bool = False) -> Iterator[str]:
    """A table of what differs, a line each; none where all is the same. `values` may be personal: they are
    shown only when asked for."""
    found = [one for compared in compare(desk, now) for one in differences(compared, desk.procedure)]
    if not found:
        return
    lines = [("workbook", "row", "column", "difference", *(("ledger", "sheet") if values else ()))]
    lines += [
        (one.workbook, one.key, one.heading, one.what, *((one.ledger, one.sheet) if values else ()))
        for one in found
    ]
    widths = [max(len(_flat(line[place])) for line in lines) for place in range(len(lines[0]))]
    for line in lines:
        cells = (_flat(cell).ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()


def differences(compared: Compared, procedure: Procedure) -> Iterator[Differs]:
    """What differs in one workbook."""
    name, book = compared.workbook, compared.book
    if book.version is None:
        yield Differs(name, "", "", "there is no workbook; it is made")
    yield from _of_table(name, procedure.columns, book.register, compared.alerts)
    asked = procedure.question_columns
    yield from _of_table(f"{name}, questions", asked, book.questions, compared.questions)


def _of_table(name: str, columns: Sequence[Column], sheet: Sheet, merged: Merged) -> Iterator[Differs]:
    reference = next((column.heading for column in columns if column.field == "reference"), "")
    for key in sorted(sheet.twice):
        yield Differs(name, key, "", "whose row it is, is not sure; it is left alone")
    for row in merged.changes.new_rows:
        yield Differs(name, row.get(reference, ""), "", "not in the sheet; it is written")
    for key in merged.changes.gone:
        yield Differs(name, key, "", "no longer needed; it is taken out")
    for key, cells in merged.changes.cells.items():
        for heading, value in cells.items():
            there = sheet.rows.get(key, {}).get(heading, "")
            yield Differs(name, key, heading, "the ledger's is written", value, there)
    for change in merged.people:
        if change.heading not in merged.changes.cells.get(change.reference, {}):
            what = "a person's; it is taken in"
            yield Differs(name, change.reference, change.heading, what, change.before, change.now)


def _flat(text: str) -> str:
    """One line, short enough for a table."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"
