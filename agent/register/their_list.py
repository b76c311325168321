"""Finds the list in a workbook that people kept: its headings, its rows, what keeps it from being a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.errors import NeedsAPerson
from agent.procedure.adopting import Match, is_reference, matched
from agent.procedure.rules import Column
from agent.register.addresses import Area, area
from agent.register.growth import merges
from agent.register.properties import DESK, property_of
from agent.register.sheet_part import SheetPart
from agent.register.workbook import Workbook

_LOOKS_AT = 40  # rows at the top of a sheet among which its headings are looked for
_FEWEST = 2  # headings of ours that make a row of headings
_ANY_TEXT = Column("", "person")


@dataclass(frozen=True)
class Kept:
    """A sheet as people keep it. `area` goes from the headings to the last row; `table` is the table's part
    where they made it one, else ""."""

    sheet: str
    sheet_part: str
    area: Area
    table: str
    matches: tuple[Match, ...]
    rows: tuple[tuple[int, Mapping[int, str]], ...] = field(repr=False)

    def places(self) -> dict[str, int]:
        """Where each of our columns stands, by its heading in the configuration."""
        return {
            match.column.heading: index
            for index, match in enumerate(self.matches, self.area.left)
            if match.column is not None
        }


def is_ours(content: bytes, desk: str) -> bool:
    """Is the workbook kept by this desk's agent already? NeedsAPerson when another desk's does."""
    made_for = property_of(Workbook(content, None).package, DESK)
    if made_for not in ("", desk):
        raise NeedsAPerson(f"The workbook belongs to the desk “{made_for}”.")
    return made_for == desk


def look(content: bytes, columns: Sequence[Column], told: Mapping[str, str], prefix: str) -> Kept:
    """Find the list in somebody's workbook. `told` says which heading is which field, `prefix` begins our
    references: a column of other references stays theirs.

    NeedsAPerson when there is none, or when it cannot become a table as it is kept.
    """
    workbook = Workbook(content, None)
    found = [
        kept for name, part in workbook.worksheets() for kept in _lists(workbook, name, part, columns, told)
    ]
    if not found:
        raise NeedsAPerson(
            "No list was found in the workbook: a row of headings of which at least two are known. Name them "
            'with `--map "Their heading=field"`, or add them as synonyms to the columns of the procedure.'
        )
    kept = max(found, key=lambda kept: sum(match.column is not None for match in kept.matches))
    kept = _without_other_references(kept, prefix)
    _refuse_unfit(workbook, kept, columns)
    return kept


def _lists(
    workbook: Workbook, name: str, part: str, columns: Sequence[Column], told: Mapping[str, str]
) -> Iterator[Kept]:
    """The best row of headings of a sheet, with all that stands below it."""
    sheet = workbook.sheet(part)
    rows = sheet.numbers()[:_LOOKS_AT]
    headings = {row: _filled(workbook, sheet, row) for row in rows}
    scores = {row: _known(headings[row], columns, told) for row in rows}
    best = max(rows, key=lambda row: scores[row], default=0)
    if not best or scores[best] < _FEWEST:
        return
    table, whole = _table_at(workbook, part, best)
    left, right = min(headings[best]), max(headings[best])
    if whole is not None:
        left, right = whole.left, whole.right
    texts = [headings[best].get(index, "") for index in range(left, right + 1)]
    bottom = whole.bottom if whole else _bottom(workbook, sheet, Area(left, best + 1, right, best + 1))
    inside = Area(left, best, right, max(bottom, best + 1))
    matches = matched(texts, columns, told)
    kinds = {index: match.column or _ANY_TEXT for index, match in enumerate(matches, left)}
    below = [row for row in sheet.numbers() if best < row <= bottom]
    filled = ((row, _filled(workbook, sheet, row, kinds)) for row in below)
    yield Kept(
        name, part, inside, table, tuple(matches), tuple((row, there) for row, there in filled if there)
    )


def _without_other_references(kept: Kept, prefix: str) -> Kept:
    """Their references are ours only where at least one of them is of our shape."""
    places = dict(enumerate(kept.matches, kept.area.left))
    for index, match in places.items():
        if match.column is not None and match.column.field == "reference":
            values = [cells[index] for _, cells in kept.rows if index in cells]
            if values and not any(is_reference(value, prefix) for value in values):
                places[index] = Match(match.heading)
    return replace(kept, matches=tuple(places.values()))


def _known(headings: Mapping[int, str], columns: Sequence[Column], told: Mapping[str, str]) -> int:
    return sum(match.column is not None for match in matched(list(headings.values()), columns, told))


def _filled(
    workbook: Workbook, sheet: SheetPart, row: int, kinds: Mapping[int, Column] | None = None
) -> dict[int, str]:
    """The cells of a row that say something, by column, in this room's spelling; all, or those of `kinds`."""
    texts = {
        index: workbook.values.text(found, kinds[index] if kinds else _ANY_TEXT)
        for index, found in sheet.glance(row).items()
        if kinds is None or index in kinds
    }
    return {column: text for column, text in texts.items() if text}


def _table_at(workbook: Workbook, part: str, row: int) -> tuple[str, Area | None]:
    """The table whose headings stand in this row, and where it lies without its totals."""
    for found in workbook.tables():
        place = area(found.root.get("ref", ""))
        if found.sheet_part == part and place is not None and place.top == row:
            if int(found.root.get("totalsRowCount") or 0):
                raise NeedsAPerson(
                    f"The table on the sheet “{found.sheet_name}” has a total row. "
                    "Switch it off (Table Design > Total Row) and try again."
                )
            return found.part, place
    return "", None


def _bottom(workbook: Workbook, sheet: SheetPart, first: Area) -> int:
    """The last row of a list: two empty rows end it."""
    last = first.top - 1
    for row in sheet.numbers():
        if row > last + 2:
            break
        if row > last and any(first.left <= index <= first.right for index in _filled(workbook, sheet, row)):
            last = row
    return last


def missing(kept: Kept, columns: Sequence[Column]) -> list[Column]:
    """Columns that are to be added: those that the agent fills or acts on. Columns that are people's alone
    they add themselves."""
    places = kept.places()
    wanted = (column for column in columns if column.owner != "person" or column.field)
    return [column for column in wanted if column.heading not in places]


def _refuse_unfit(workbook: Workbook, kept: Kept, columns: Sequence[Column]) -> None:
    """NeedsAPerson when the list cannot become a table, with all that is in the way."""
    headings = [match.heading.casefold() for match in kept.matches if match.heading]
    twice = sorted({heading for heading in headings if headings.count(heading) > 1})
    problems = [f"Two columns are called “{heading}”. Rename one." for heading in twice]
    to_come = {column.heading.casefold() for column in missing(kept, columns)}
    problems += [
        f"The column “{match.heading}” is called like one of the agent's own. Rename it, perhaps "
        f"“{match.heading} (before)”."
        for match in kept.matches
        if match.column is None and match.heading.casefold() in to_come
    ]
    sheet = workbook.sheet(kept.sheet_part)
    problems += [
        f"The cells {merged} are merged. Unmerge them." for merged in merges(sheet) if merged.meets(kept.area)
    ]
    problems += [
        f"Another table lies in its place ({place})."
        for found in workbook.tables()
        if found.sheet_part == kept.sheet_part and found.part != kept.table
        if (place := area(found.root.get("ref", ""))) is not None and place.meets(kept.area)
    ]
    if problems:
        raise NeedsAPerson(
            f"The list on the sheet “{kept.sheet}” cannot be kept as it is. " + " ".join(problems)
        )
