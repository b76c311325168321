"""A register in memory: the simplest one that keeps the promise of `base.py`, for tests and rehearsals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from agent.errors import ChangedMeanwhile, Locked, NotFound
from agent.procedure.rules import Column
from agent.register.base import Changes, Sheet
from agent.register.cells import reference_key, shown, tidy
from agent.register.in_place import edit
from agent.register.new_workbook import new_workbook


class MemoryRegister:
    """Rows as a list of plain dictionaries. People act through `headings`, `rows` and `person_saved`."""

    def __init__(self, columns: Sequence[Column], desk: str = "memory") -> None:
        self._columns = {column.heading: column for column in columns}
        self._reference = next(column.heading for column in columns if column.field == "reference")
        self._desk = desk
        self._saves = 0
        self.headings = [column.heading for column in columns]
        self.rows: list[dict[str, str]] = []
        self.open_by_person = False

    def read(self, known_version: str | None) -> Sheet | None:
        version = self._version()
        if version is None:
            return Sheet(None, (), {})
        return None if version == known_version else self._sheet()

    def write(self, changes: Changes, expecting: str | None) -> Sheet:
        if self.open_by_person:
            raise Locked("Somebody has the register open; what is to be written is kept until they close it.")
        if self._version() != expecting:
            raise ChangedMeanwhile("Somebody changed the register meanwhile; it is read afresh.")
        cells = {reference_key(reference): values for reference, values in changes.cells.items()}
        new_rows = {self._key(row): row for row in changes.new_rows}
        if cells.keys() - self._keys():
            raise ChangedMeanwhile("The register has no row for one of the alerts any more.")
        changed = [self._update(row, cells.get(self._key(row), {})) for row in self.rows]
        added = [self._add(row) for key, row in new_rows.items() if key not in self._keys()]
        if any(changed) or added or expecting is None:
            self.person_saved()  # the agent saves as anybody does
        return self._sheet()

    def copy(self) -> bytes:
        if self._version() is None:
            raise NotFound("There is no register yet.")
        columns = list(self._columns.values())
        empty = new_workbook(columns, self._desk)
        return edit(empty, columns, self._desk, Changes(new_rows=tuple(self.rows)))

    def person_saved(self) -> None:
        """What people did to `rows` and `headings` stands from now on, as another version."""
        self._saves += 1

    def row(self, reference: str) -> dict[str, str]:
        """The row of this reference as it stands, to be looked at or typed into."""
        return next(row for row in self.rows if self._key(row) == reference)

    def _version(self) -> str | None:
        return f"v{self._saves}" if self._saves else None

    def _sheet(self) -> Sheet:
        counts = Counter(key for row in self.rows if (key := self._key(row)))
        twice = frozenset(key for key, count in counts.items() if count > 1)
        rows: dict[str, dict[str, str]] = {}
        for row in self.rows:
            if self._key(row):
                rows.setdefault(self._key(row), {name: self._text(name, row) for name in self.headings})
        doubts = [
            f"{shown(key)} stands in more than one row. None is kept until one is left." for key in twice
        ]
        doubts += ["A row has no reference. It is left alone." for row in self.rows if self._is_lost(row)]
        return Sheet(self._version(), tuple(self.headings), rows, tuple(doubts), twice)

    def _is_lost(self, row: Mapping[str, str]) -> bool:
        return not self._key(row) and any(row.values())

    def _update(self, row: dict[str, str], values: Mapping[str, str]) -> bool:
        """Put values into a row; True when something changed. A reference that stands twice is left."""
        if not values or self._keys()[self._key(row)] > 1:
            return False
        new = {name: self._text(name, values) for name in values if name in self.headings}
        changed = any(self._text(name, row) != value for name, value in new.items())
        row.update(new)
        return changed

    def _add(self, values: Mapping[str, str]) -> dict[str, str]:
        row = {name: self._text(name, values) for name in self.headings}
        self.rows.append(row)
        return row

    def _keys(self) -> Counter[str]:
        return Counter(self._key(row) for row in self.rows)

    def _key(self, row: Mapping[str, str]) -> str:
        return reference_key(row.get(self._reference, ""))

    def _text(self, heading: str, row: Mapping[str, str]) -> str:
        column = self._columns.get(heading) or Column(heading=heading, owner="person")
        return tidy(column, row.get(heading, ""))
