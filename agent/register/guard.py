"""Is the workbook still to be trusted? What nobody does on purpose is not taken for people's work.

Pure. A sheet that was emptied, cut short or sorted in one column alone, and an older copy put back in the
workbook's place, look like many edits at once; a person says whether they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from agent.procedure.rules import Column
from agent.register.base import Book
from agent.register.cells import same

Row = Mapping[str, str]
Rows = Mapping[str, Row]

_FEW = 3  # so many entries that changed places did not do so one by one


def mistrusted(
    columns: Sequence[Column],
    wrote_last: Rows,
    book: Book,
    ledger_says: Rows,
    marks: Collection[str],
    most: int,
) -> str:
    """Why nothing should be taken from this workbook and nothing written to it, as a sentence; "" when it
    is well.

    `marks` are those that it may carry; `most` is how many rows people may change at once. Entries that
    were only added count for nothing: filling in a column is everyday work.
    """
    if book.mark and marks and book.mark not in marks:
        return "In the register's place lies an older copy of it: what was written since is not in it."
    known = [key for key in wrote_last if key in ledger_says]
    gone = sum(key not in book.register.rows for key in known)
    if gone > most:
        return f"{gone} of {len(known)} rows of the register are gone."
    for column in columns:
        if column.owner != "agent" and _changed_places(column, wrote_last, book):
            return f"The entries of “{column.heading}” changed places: it was sorted without its rows."
    changed = sum(
        _replaced(columns, wrote_last[key], row, ledger_says.get(key, {}))
        for key, row in _both(wrote_last, book)
    )
    if changed > most:
        return f"In {changed} of {len(known)} rows of the register, entries were replaced at once."
    return ""


def _both(wrote_last: Rows, book: Book) -> Iterator[tuple[str, Row]]:
    sheet = book.register
    return ((key, row) for key, row in sheet.rows.items() if key in wrote_last and key not in sheet.twice)


def _changed_places(column: Column, wrote_last: Rows, book: Book) -> bool:
    """Do the entries that changed in this column stand there still, only in other rows?"""
    if column.heading not in book.register.headings:
        return False
    pairs = [
        (wrote_last[key].get(column.heading, ""), row.get(column.heading, ""))
        for key, row in _both(wrote_last, book)
    ]
    moved = [(before, now) for before, now in pairs if not same(column, before, now)]
    before, now = (Counter(side) for side in zip(*moved, strict=True)) if moved else (Counter(), Counter())
    return len(moved) >= _FEW and before == now


def _replaced(columns: Sequence[Column], before: Row, now: Row, said: Row) -> bool:
    """Was something replaced or emptied in this row that the agent did not write itself?"""
    return any(
        column.heading in now
        and not same(column, now[column.heading], old)
        and not same(column, now[column.heading], said.get(column.heading, old))
        for column in columns
        if (old := before.get(column.heading, ""))
    )
