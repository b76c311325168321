"""A register in memory: the simplest one that keeps the promise of `base.py`, for tests and rehearsals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.errors import ChangedMeanwhile, Locked, NotFound
from agent.procedure.rules import Column
from agent.register.base import Book, Changes, Edits, Sheet
from agent.register.cells import reference_key, tidy
from agent.register.in_place import edit
from agent.register.new_workbook import NewWorkbook
from agent.register.recognise import Recognised, keys_in, recognised


class MemoryRegister:
    """Two tables of plain dictionaries. People act through these, through `rows` and `headings` of the
    alerts, and `person_saved`."""

    def __init__(
        self, columns: Sequence[Column], desk: str = "memory", question_columns: Sequence[Column] = ()
    ) -> None:
        self.register = MemoryTable(columns)
        self.questions = MemoryTable(question_columns)
        self.summary: dict[str, str] = {}
        self.open_by_person = False
        self.mark = ""
        self._desk = desk
        self._saves = 0

    @property
    def headings(self) -> list[str]:
        return self.register.headings

    @property
    def rows(self) -> list[dict[str, str]]:
        return self.register.rows

    @rows.setter
    def rows(self, rows: list[dict[str, str]]) -> None:
        self.register.rows = rows

    def read(self, known_version: str | None) -> Book | None:
        version = self._version()
        if version is None:
            return Book(None)
        return None if version == known_version else self._book()

    def write(self, edits: Edits, expecting: str | None) -> Book:
        self._refuse_open()
        if self._version() != expecting:
            raise ChangedMeanwhile("Somebody changed the register meanwhile; it is read afresh.")
        tables = ((self.register, edits.register), (self.questions, edits.questions))
        if any(table.lacks(changes) for table, changes in tables):
            raise ChangedMeanwhile("The register has no row for one of the alerts any more.")
        touched = [table.write(changes) for table, changes in tables]
        if edits.summary and edits.summary != self.summary:
            self.summary = dict(edits.summary)
            touched.append(True)
        if any(touched) or expecting is None:
            self.mark = edits.mark or self.mark
            self.person_saved()  # the agent saves as anybody does
        return self._book()

    def renew(self, edits: Edits) -> Book:
        self._refuse_open()
        for table, changes in ((self.register, edits.register), (self.questions, edits.questions)):
            table.rows = []
            told = [heading for row in changes.new_rows for heading in row]
            table.headings = list(dict.fromkeys((*table.columns, *told)))
        return self.write(edits, self._version())

    def kept_as(self) -> dict[str, str]:
        return {"kind": "memory", "place": "", "item": ""}

    def copy(self) -> bytes:
        if self._version() is None:
            raise NotFound("There is no register yet.")
        columns = list(self.register.columns.values())
        empty = NewWorkbook(self._desk, columns).content()
        return edit(empty, columns, self._desk, Changes(new_rows=tuple(self.rows)))

    def person_saved(self) -> None:
        """What people did to the tables stands from now on, as another version."""
        self._saves += 1

    def row(self, reference: str) -> dict[str, str]:
        """The row of this reference as it stands, to be looked at or typed into."""
        return self.register.row(reference)

    def _refuse_open(self) -> None:
        if self.open_by_person:
            raise Locked("Somebody has the register open; what is to be written is kept until they close it.")

    def _version(self) -> str | None:
        return f"v{self._saves}" if self._saves else None

    def _book(self) -> Book:
        version, summary = self._version(), dict(self.summary)
        return Book(version, self.register.sheet(), self.questions.sheet(), summary, self.mark)


class MemoryTable:
    """One table as a list of rows."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = {column.heading: column for column in columns}
        self.headings = [column.heading for column in columns]
        self.rows: list[dict[str, str]] = []
        by_field = {column.field: column.heading for column in columns}
        self._seen, self._hidden = by_field.get("reference", ""), by_field.get("key", "")

    def row(self, key: str) -> dict[str, str]:
        """The row of this key as it stands, to be looked at or typed into."""
        return next(row for one, row in self._by_key() if one == key)

    def sheet(self) -> Sheet:
        found = self._recognised()
        rows: dict[str, dict[str, str]] = {}
        for key, row in self._by_key():
            if key:
                rows.setdefault(key, {name: self._text(name, row) for name in self.headings})
        lost = any(not key and any(row.values()) for key, row in self._by_key())
        return Sheet(tuple(self.headings), rows, tuple(found.doubts(lost=lost)), found.unsure)

    def lacks(self, changes: Changes) -> bool:
        """Is a row not there whose cells are to be written?"""
        return bool({reference_key(key) for key in changes.cells} - set(self._recognised().keys))

    def write(self, changes: Changes) -> bool:
        """Put changes into the table; True when something changed."""
        found = self._recognised()
        cells = {reference_key(key): values for key, values in changes.cells.items()}
        changed = [
            self._update(row, cells[key])
            for key, row in self._by_key()
            if key in cells and key not in found.unsure
        ]
        left = [row for key, row in self._by_key() if key not in changes.gone]
        taken_out = len(left) < len(self.rows)
        new_rows = {reference_key(row.get(self._seen, "")): row for row in changes.new_rows}
        added = [self._whole(row) for key, row in new_rows.items() if key not in found.keys]
        self.rows = left + added
        return any(changed) or taken_out or bool(added)

    def _update(self, row: dict[str, str], values: Mapping[str, str]) -> bool:
        """Put values into a row; True when something changed."""
        new = {name: self._text(name, values) for name in values if name in self.headings}
        changed = any(self._text(name, row) != value for name, value in new.items())
        row.update(new)
        return changed

    def _whole(self, values: Mapping[str, str]) -> dict[str, str]:
        return {name: self._text(name, values) for name in self.headings}

    def _by_key(self) -> list[tuple[str, dict[str, str]]]:
        return list(zip(self._recognised().keys, self.rows, strict=True))

    def _recognised(self) -> Recognised:
        return recognised(keys_in(row.get(self._seen, ""), row.get(self._hidden, "")) for row in self.rows)

    def _text(self, heading: str, row: Mapping[str, str]) -> str:
        column = self.columns.get(heading) or Column(heading=heading, owner="person")
        return tidy(column, row.get(heading, ""))
