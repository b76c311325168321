"""What every register promises: show its tables and its version, and write only onto the version it showed.

A workbook holds two tables, the alerts and the open questions, and a sheet of the agent's own, the Summary.
In a table a row is found by its key (an alert's reference, a question's number: the column with the field
`reference`, and its hidden twin `key`, see `recognise.py`), a column by its heading; every cell travels as
text (see `cells.py`: ISO for dates and times, "" for empty). A heading kept under a synonym is shown under
its configured name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Doubt:
    """What cannot be trusted in a workbook, as a sentence for people.

    `code` and `about` (a key, a heading, or "") say which doubt it is: the same ones, the same doubt.
    """

    code: str
    about: str
    text: str


@dataclass(frozen=True)
class Sheet:
    """One table as it stands. `rows` maps a key to its cells by heading, people's own columns too.

    `headings` are empty when the workbook has no such table yet. `twice` are keys that stand in more than
    one row, or in a row that may be another's: of these the first row is shown, and none is written.
    `doubts` are on whatever cannot be trusted (a key twice, a row without one).
    """

    headings: tuple[str, ...] = ()
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    doubts: tuple[Doubt, ...] = ()
    twice: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Changes:
    """What to write into one table: cells of rows that are there, by key and heading, and whole new rows,
    in order.

    `gone` are keys whose rows are to leave it: a row is taken out, or left empty for the next new one.
    """

    cells: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    new_rows: tuple[Mapping[str, str], ...] = field(default=(), repr=False)
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cells or self.new_rows or self.gone)


@dataclass(frozen=True)
class Book:
    """A whole workbook as it stands. `version` names this very content; None when there is none yet.

    `summary` are the filled cells of the agent's own Summary sheet by address ("B4"). `mark` is what the
    agent wrote into the workbook with its last writing, whoever saved since: it tells an older copy that
    was put back. "" when there is none.
    """

    version: str | None
    register: Sheet = field(default_factory=Sheet)
    questions: Sheet = field(default_factory=Sheet)
    summary: Mapping[str, str] = field(default_factory=dict, repr=False)
    mark: str = ""

    @property
    def hash(self) -> str:
        """Of all that the workbook says, whichever way it is kept."""
        said = hashlib.sha256(repr(sorted(self.summary.items())).encode())
        for sheet in (self.register, self.questions):
            headings = sorted(sheet.headings)
            for row in ({heading: heading for heading in headings}, *sheet.rows.values()):
                said.update(("\x1f".join(map(row.get, headings, repeat(""))) + "\x1e").encode())
        return said.hexdigest()


@dataclass(frozen=True)
class Edits:
    """One writing: all of it, or nothing. A table or sheet that the workbook lacks is made.

    `summary` replaces what the Summary sheet showed; empty, it is left as it is. `mark` is kept in the
    workbook only together with something else: by itself it is no reason to write.
    """

    register: Changes = field(default_factory=Changes)
    questions: Changes = field(default_factory=Changes)
    summary: Mapping[str, str] = field(default_factory=dict, repr=False)
    mark: str = ""

    def __bool__(self) -> bool:
        return bool(self.register or self.questions or self.summary)


class Register(Protocol):
    """The Need to Know spreadsheet of one desk."""

    def read(self, known_version: str | None) -> Book | None:
        """The workbook as it stands, or None when its version is still `known_version` (no download).

        NeedsAPerson when the workbook is not one that the agent may write to; TryAgainLater when it
        cannot be had now. A missing workbook is an empty Book with version None.
        """
        ...

    def write(self, edits: Edits, expecting: str | None) -> Book:
        """Write onto the version `expecting` (None creates the workbook); gives what stands there now.

        ChangedMeanwhile when the version is no longer that one, Locked while somebody has it open;
        in both cases nothing was written. NeedsAPerson, before anything is written, when the workbook
        is kept in a way that cannot be edited safely. A key never gets a second row: a new row
        whose key already stands there is left out. What stands there already is not written again.
        """
        ...

    def renew(self, edits: Edits) -> Book:
        """Make the workbook afresh, with `edits` alone in it, and columns for whatever headings they name.

        What lay in its place is kept: in SharePoint as an earlier version of it, else as a file beside it.
        Locked while somebody has it open, ChangedMeanwhile when somebody saves it just then.
        """
        ...

    def kept_as(self) -> Mapping[str, str]:
        """How the workbook is kept: its `kind`, the `place` that the configuration names, and as which
        `item` it is found again after a new start, however people rename it ("" where only its place is
        known)."""
        ...

    def copy(self) -> bytes:
        """The workbook's bytes as they stand. NotFound when there is none."""
        ...


@runtime_checkable
class KeptAsFile(Protocol):
    """A register whose file can be replaced as a whole: for a workbook that is taken over."""

    def copy(self) -> bytes: ...

    def replace(self, content: bytes, onto: bytes | None) -> None:
        """Lay `content` in the place of `onto` (None: where nothing lies yet).

        ChangedMeanwhile when something else lies there now, Locked while somebody has it open; in both
        cases nothing was written.
        """
        ...
