"""One workbook in Microsoft Graph's Excel interface: a session, and ranges read and written one at a time.

A session that was lost is made anew (a request that met a lost one was not carried out). Rows are added
once and never blindly again: the answer may be lost, or a promise fail, with the rows standing there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from agent.errors import AgentError, ChangedMeanwhile, Locked, NeedsAPerson, NotAllowed, NotFound
from agent.m365.graph import Graph, Json, segment
from agent.register.addresses import Area

T = TypeVar("T")


class ExcelSession:
    """A lasting session on the workbook of the file at `address`, opened at the first request.

    Locked when somebody keeps the workbook to themselves; NotFound for a sheet or table that it lacks.
    """

    def __init__(self, graph: Graph, address: str, name: str) -> None:
        self._graph, self._workbook, self._name = graph, f"{address}/workbook", name
        self._id = ""

    def cells(self, sheet: str, area: Area) -> Json:
        """A range as it stands: `values` and `numberFormat`, by row."""
        return self._asked(lambda told: self._graph.get_json(self._range(sheet, area), headers=told))

    def put(
        self,
        sheet: str,
        area: Area,
        values: Sequence[Sequence[object]] | None,
        formats: Sequence[Sequence[object]] | None = None,
    ) -> None:
        """Write a range; None leaves a cell as it is."""
        body = {"values": values, "numberFormat": formats}
        wanted = {name: told for name, told in body.items() if told is not None}
        self._asked(lambda told: self._graph.patch_json(self._range(sheet, area), wanted, told))

    def column(self, table: str, heading: str) -> list[object]:
        """The values of a table's column, its heading left out."""
        path = f"{self._workbook}/tables/{segment(table)}/columns/{segment(heading)}"
        told = self._asked(lambda told: self._graph.get_json(path, headers=told))
        return [row[0] for row in told["values"][1:]]

    def add_rows(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        """Add rows at a table's end. OutcomeUnknown: look before anything is repeated."""
        path = f"{self._workbook}/tables/{segment(table)}/rows/add"
        body = {"index": None, "values": rows}
        self._asked(lambda told: self._graph.post_promised(path, body, told))

    def close(self) -> None:
        """Give the workbook back; should that fail, the session ends by itself."""
        if self._id:
            with suppress(AgentError):
                self._graph.post_json(f"{self._workbook}/closeSession", {}, self._told())
        self._id = ""

    def _range(self, sheet: str, area: Area) -> str:
        return f"{self._workbook}/worksheets/{segment(sheet)}/range(address='{area}')"

    def _asked(self, ask: Callable[[Mapping[str, str]], T]) -> T:
        try:
            return self._in_session(ask)
        except (Locked, ChangedMeanwhile) as wrong:  # 423, or 409: another program shuts others out
            raise Locked(
                f"The register {self._name} is kept by somebody who lets nobody else write: it is checked "
                "out, or open in a program that does not share. What is to be written is kept.",
                wrong.wait,
            ) from wrong
        except NotAllowed as wrong:
            raise NotAllowed(
                f"{wrong} Where Excel's interface is closed to apps, or the workbook carries a label that "
                'closes it, use `register.kind = "sharepoint_file"`.'
            ) from wrong

    def _in_session(self, ask: Callable[[Mapping[str, str]], T]) -> T:
        if not self._id:
            self._open()
            return ask(self._told())
        try:
            return ask(self._told())
        except NotFound:  # the session, or what was asked for: a new session tells which
            self._open()
            return ask(self._told())

    def _open(self) -> None:
        path = f"{self._workbook}/createSession"
        made = self._graph.post_promised(path, {"persistChanges": True}, {}, repeat=True)
        if not made.get("id"):
            raise NeedsAPerson(f"Excel opens no session on the register {self._name}.")
        self._id = str(made["id"])

    def _told(self) -> dict[str, str]:
        return {"workbook-session-id": self._id}
