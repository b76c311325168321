"""What every register promises: show its rows and its version, and write only onto the version it showed.

A row is found by its reference, a column by its heading; every cell travels as text (see `cells.py`: ISO
for dates and times, "" for empty). A heading kept under a synonym is shown under its configured name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Sheet:
    """The register as it stands. `rows` maps a reference to its cells by heading, people's own columns too.

    `version` names this very content; None when there is no workbook yet. `twice` are references that
    stand in more than one row: of these the first row is shown, and none is written. `doubts` are
    sentences on whatever cannot be trusted (a reference twice, a row without one, a column missing).
    """

    version: str | None
    headings: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]] = field(repr=False)
    doubts: tuple[str, ...] = ()
    twice: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Changes:
    """Cells to write: existing rows by reference and heading, and whole new rows, in order."""

    cells: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    new_rows: tuple[Mapping[str, str], ...] = field(default=(), repr=False)

    def __bool__(self) -> bool:
        return bool(self.cells or self.new_rows)


class Register(Protocol):
    """The Need to Know spreadsheet of one desk."""

    def read(self, known_version: str | None) -> Sheet | None:
        """The sheet as it stands, or None when its version is still `known_version` (no download).

        NeedsAPerson when the workbook is not one that the agent may write to; TryAgainLater when it
        cannot be had now. A missing workbook is an empty Sheet with version None.
        """
        ...

    def write(self, changes: Changes, expecting: str | None) -> Sheet:
        """Write onto the version `expecting` (None creates the workbook); gives what stands there now.

        ChangedMeanwhile when the version is no longer that one, Locked while somebody has it open;
        in both cases nothing was written. NeedsAPerson, before anything is written, when the workbook
        is kept in a way that cannot be edited safely. A reference never gets a second row: a new row
        whose reference already stands there is left out. Changes that stand there already are not
        written again.
        """
        ...

    def copy(self) -> bytes:
        """The workbook's bytes as they stand. NotFound when there is none."""
        ...
