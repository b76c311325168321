"""The Excel session interface of Microsoft Graph, on the very bytes that a download gives.

A session is lost after some minutes without use (404, to be made anew). Whatever is written in a lasting
session stands in the file at once, as a version of its own; a session that does not last keeps it to itself.
A file that was used through this interface is locked to uploads for minutes after (`drive_files`), people
who have it open do not matter, and one that somebody checked out is not to be had.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.responses import Response

from agent.sandbox.answers import Refused, graph_json
from agent.sandbox.drive_files import THE_APP, Clock, Drive, Item
from agent.sandbox.excel import Area, Json, Spreadsheet, TableArea, rows_of, sheet_id
from agent.sandbox.habits import Habits

LASTING_IDLE = timedelta(minutes=5)
PASSING_IDLE = timedelta(minutes=7)


@dataclass
class Session:
    """One session on one file. `own` is the workbook of a session that does not last."""

    id: str
    item: Item
    lasting: bool
    used_at: datetime
    own: bytes | None = field(default=None, repr=False)

    def lost(self, now: datetime) -> bool:
        return now - self.used_at > (LASTING_IDLE if self.lasting else PASSING_IDLE)


@dataclass
class Operation:
    """Something that the service promised to do. It is told as running once, then as what became of it."""

    id: str
    where: str
    failed: bool
    polls: int = 0


@dataclass(frozen=True)
class Asked:
    """One request on a workbook: what stands behind `/workbook/`, and what came with it."""

    method: str
    what: str
    query: dict[str, str]
    body: Json
    session: str
    prefer: str
    base: str  # the address of the workbook, for links back to it


class Workbooks:
    """The service: sessions and operations of all files."""

    def __init__(self, clock: Clock, habits: Habits) -> None:
        self._clock, self._habits = clock, habits
        self._sessions: dict[str, Session] = {}
        self._operations: dict[str, Operation] = {}
        self._results: dict[str, Json] = {}
        self._open: dict[str, tuple[int, Spreadsheet]] = {}
        self._numbers = itertools.count(1)

    def lose_sessions(self) -> None:
        """What happens at times: every session is gone."""
        self._sessions.clear()

    def answer(self, asked: Asked, drive: Drive, item: Item) -> Response:
        with drive.lock:
            _refuse_checked_out(item, asked)
            session = self._session(asked, item)
            for method, pattern, act in self._acts():
                found = re.fullmatch(pattern, asked.what)
                if found and method == asked.method:
                    item.excel_used_at = self._clock.now()
                    return act(_Work(self, asked, drive, item, session, found.groups()))
        segment = asked.what.rpartition("/")[2]
        raise Refused(400, "BadRequest", f"Resource not found for the segment '{segment}'.")

    def _acts(self) -> list[tuple[str, str, Callable[[_Work], Response]]]:
        sheet, table = r"worksheets/([^/]+)", r"tables/([^/]+)"
        return [
            ("POST", "createSession", self._create_session),
            ("POST", "refreshSession", self._refresh_session),
            ("POST", "closeSession", self._close_session),
            ("GET", r"operations/([^/]+)", self._operation),
            ("GET", r"sessionInfoResource\(key='([^']+)'\)", self._result),
            ("GET", r"tableRowOperationResult\(key='([^']+)'\)", self._result),
            ("GET", "worksheets", _worksheets),
            ("GET", "tables", _tables),
            ("GET", f"{sheet}/tables", _tables_of_sheet),
            ("GET", rf"{sheet}/range\(address='([^']+)'\)", _range),
            ("PATCH", rf"{sheet}/range\(address='([^']+)'\)", _patch_range),
            ("GET", f"{sheet}/usedRange", _used_range),
            ("GET", rf"{sheet}/usedRange\(valuesOnly=(true|false)\)", _used_range),
            ("GET", table, _table),
            ("GET", f"{table}/columns", _columns),
            ("POST", f"{table}/columns", _add_column),
            ("GET", f"{table}/columns/([^/]+)", _column),
            ("GET", f"{table}/(range|dataBodyRange|headerRowRange)", _table_range),
            ("GET", f"{table}/rows", _rows),
            ("POST", f"{table}/rows", self._add_rows),
            ("POST", f"{table}/rows/add", self._add_rows),
            ("GET", rf"{table}/rows/itemAt\(index=(\d+)\)", _row),
            ("GET", rf"{table}/rows/(\d+)", _row),
            ("PATCH", rf"{table}/rows/(\d+)", _patch_row),
            ("DELETE", rf"{table}/rows/(\d+)", _delete_row),
        ]

    # Sessions

    def _session(self, asked: Asked, item: Item) -> Session | None:
        if not asked.session or asked.what == "createSession":
            return None
        found = self._sessions.get(asked.session)
        if found is None or found.item is not item or found.lost(self._clock.now()):
            self._sessions.pop(asked.session, None)
            raise Refused(
                404,
                "InvalidSession",
                "The session does not exist or is invalid.",
                inner={"code": "invalidSessionReCreatable"},
            )
        found.used_at = self._clock.now()
        return found

    def _create_session(self, work: _Work) -> Response:
        lasting = bool(work.asked.body.get("persistChanges", work.asked.body.get("PersistChanges")))
        made = Session(
            f"cluster=SANDBOX&session={next(self._numbers)}", work.item, lasting, self._clock.now()
        )
        if not lasting:
            made.own = work.item.content
        self._sessions[made.id] = made
        told: Json = {"id": made.id, "persistChanges": lasting}
        return self._told(work, told, "sessionInfoResource", 201)

    def _refresh_session(self, work: _Work) -> Response:
        if work.session is None:
            raise Refused(400, "BadRequest", "There is no session to refresh.")
        return Response(status_code=204)

    def _close_session(self, work: _Work) -> Response:
        if work.session is None:
            raise Refused(400, "BadRequest", "There is no session to close.")
        self._sessions.pop(work.session.id, None)
        return Response(status_code=204)

    # What takes long

    def _told(self, work: _Work, told: Json, result: str, status: int) -> Response:
        """The answer itself, or the promise of one."""
        if not (self._habits.long_running and "respond-async" in work.asked.prefer):
            return graph_json(told, status)
        return self._promised(work, told, result)

    def _promised(self, work: _Work, told: Json, result: str, *, failed: bool = False) -> Response:
        key = f"op-{next(self._numbers)}"
        self._results[key] = told
        self._operations[key] = Operation(key, f"{work.asked.base}/{result}(key='{key}')", failed)
        return Response(status_code=202, headers={"Location": f"{work.asked.base}/operations/{key}"})

    def _operation(self, work: _Work) -> Response:
        found = self._operations.get(work.found[0])
        if found is None:
            raise Refused(404, "ItemNotFound", "The requested resource doesn't exist.")
        found.polls += 1
        told: Json = {"id": found.id, "status": "running"}
        if found.polls > 1 and found.failed:
            told["status"] = "failed"
            told["error"] = {
                "code": "gatewayTimeout",
                "message": "The operation could not be completed.",
                "innerError": {"code": "gatewayTimeoutUncategorized", "message": "Timeout."},
            }
        elif found.polls > 1:
            told |= {"status": "succeeded", "resourceLocation": found.where}
        return graph_json(told)

    def _result(self, work: _Work) -> Response:
        if work.found[0] not in self._results:
            raise Refused(404, "ItemNotFound", "The requested resource doesn't exist.")
        return graph_json(self._results[work.found[0]])

    def _add_rows(self, work: _Work) -> Response:
        """Rows, perhaps promised; a promise may fail after all, with or without rows to show for it."""
        body = work.asked.body
        values, index = rows_of(body.get("values", body.get("Values"))), body.get("index", body.get("Index"))
        long = self._habits.long_running and "respond-async" in work.asked.prefer
        if long and self._habits.failing_operations > 0:
            self._habits.failing_operations -= 1
            return self._promised(work, {}, "tableRowOperationResult", failed=True)
        with work.changing() as book:
            table = book.table(work.found[0])
            first = table.add(values, index)
            told: Json = {"index": first, "values": table.row(first).shown()["values"]}
        status = 200 if work.asked.what.endswith("/add") else 201
        return self._told(work, told, "tableRowOperationResult", status)

    # The file

    def opened(self, item: Item, session: Session | None) -> Spreadsheet:
        """The workbook as this session sees it."""
        if session is not None and session.own is not None:
            return Spreadsheet(session.own)
        kept = self._open.get(item.id)
        if kept is None or kept[0] != item.ctag_no:
            kept = self._open[item.id] = (item.ctag_no, Spreadsheet(item.content))
        return kept[1]

    def keep(self, drive: Drive, item: Item, session: Session | None, book: Spreadsheet) -> None:
        content = book.saved()
        if session is not None and session.own is not None:
            session.own = content
            return
        drive.saved_by_excel(item, content, THE_APP)
        self._open[item.id] = (item.ctag_no, book)

    def forget(self, item: Item) -> None:
        self._open.pop(item.id, None)


class _Changing:
    """A change of the workbook: kept when it went well, forgotten when it was refused."""

    def __init__(self, work: _Work) -> None:
        self._work = work

    def __enter__(self) -> Spreadsheet:
        self._book = self._work.book
        return self._book

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        work = self._work
        if kind is None:
            work.books.keep(work.drive, work.item, work.session, self._book)
        else:
            work.books.forget(work.item)


@dataclass(frozen=True)
class _Work:
    """One request under way. `found` are the parts of its address."""

    books: Workbooks
    asked: Asked
    drive: Drive
    item: Item
    session: Session | None
    found: tuple[str, ...]

    @property
    def book(self) -> Spreadsheet:
        return self.books.opened(self.item, self.session)

    @property
    def table(self) -> TableArea:
        return self.book.table(self.found[0])

    @property
    def index(self) -> int:
        return int(self.found[1])

    def changing(self) -> _Changing:
        return _Changing(self)


def _refuse_checked_out(item: Item, asked: Asked) -> None:
    if item.checked_out_by in (None, THE_APP):
        return
    if asked.what == "createSession":
        raise Refused(423, "resourceLocked", "The resource you are attempting to access is locked")
    raise Refused(
        409,
        "Conflict",
        "Another client has locked the workbook.",
        inner={"code": "accessConflict"},
    )


def _worksheets(work: _Work) -> Response:
    value = [
        {
            "id": sheet_id(sheet),
            "name": sheet.title,
            "position": position,
            "visibility": "Visible" if sheet.sheet_state == "visible" else "Hidden",
        }
        for position, sheet in enumerate(work.book.book.worksheets)
    ]
    return graph_json({"value": value})


def _tables(work: _Work) -> Response:
    return graph_json({"value": [_table_json(table) for table in work.book.tables()]})


def _tables_of_sheet(work: _Work) -> Response:
    sheet = work.book.sheet(work.found[0])
    return graph_json({"value": [_table_json(table) for table in work.book.tables(sheet)]})


def _table(work: _Work) -> Response:
    return graph_json(_table_json(work.table))


def _table_json(found: TableArea) -> Json:
    table, look = found.table, found.table.tableStyleInfo
    return {
        "id": str(table.id),
        "legacyId": str(table.id),
        "name": str(table.displayName),
        "showHeaders": True,
        "showTotals": bool(table.totalsRowCount),
        "showFilterButton": table.autoFilter is not None,
        "showBandedRows": bool(look and look.showRowStripes),
        "showBandedColumns": bool(look and look.showColumnStripes),
        "highlightFirstColumn": bool(look and look.showFirstColumn),
        "highlightLastColumn": bool(look and look.showLastColumn),
        "style": str(look.name) if look else "",
    }


def _columns(work: _Work) -> Response:
    return graph_json({"value": [_column_json(work.table, index) for index in range(_width(work.table))]})


def _column(work: _Work) -> Response:
    headings = [str(cell.value) for cell in work.table.header().cells()[0]]
    wanted = work.found[1]
    index = headings.index(wanted) if wanted in headings else int(wanted) - 1 if wanted.isdecimal() else -1
    if not 0 <= index < _width(work.table):
        raise Refused(404, "ItemNotFound", "The requested resource doesn't exist.")
    return graph_json(_column_json(work.table, index))


def _width(table: TableArea) -> int:
    return int(table.right - table.left) + 1


def _column_json(table: TableArea, index: int) -> Json:
    at = table.left + index
    whole = Area(table.sheet, at, table.top, at, table.bottom).shown()["values"]
    return {"id": str(index + 1), "index": index, "name": str(whole[0][0]), "values": whole}


def _add_column(work: _Work) -> Response:
    raise Refused(501, "NotImplemented", "The sandbox adds no columns: only people do.")


def _table_range(work: _Work) -> Response:
    part = {
        "range": work.table.all,
        "dataBodyRange": work.table.body,
        "headerRowRange": work.table.header,
    }[work.found[1]]
    return graph_json(part().shown())


def _range(work: _Work) -> Response:
    return graph_json(_area(work, work.book).shown())


def _patch_range(work: _Work) -> Response:
    body = work.asked.body
    with work.changing() as book:
        area = _area(work, book)
        told = body.get("values", body.get("formulas"))
        area.put(
            rows_of(told) if told is not None else None,
            rows_of(body["numberFormat"]) if "numberFormat" in body else None,
        )
        shown = area.shown()
    return graph_json(shown)


def _area(work: _Work, book: Spreadsheet) -> Area:
    return book.area(book.sheet(work.found[0]), work.found[1])


def _used_range(work: _Work) -> Response:
    sheet = work.book.sheet(work.found[0])
    return graph_json(work.book.used(sheet, values_only=work.found[1:] == ("true",)).shown())


def _rows(work: _Work) -> Response:
    table = work.table
    count = table.last - table.top
    skip = int(work.asked.query.get("$skip", 0))
    last = min(count, skip + int(work.asked.query.get("$top", count)))
    value = [_row_json(table, index) for index in range(skip, last)]
    return graph_json({"value": value})


def _row(work: _Work) -> Response:
    return graph_json(_row_json(work.table, work.index))


def _row_json(table: TableArea, index: int) -> Json:
    return {"index": index, "values": table.row(index).shown()["values"]}


def _patch_row(work: _Work) -> Response:
    with work.changing() as book:
        table = book.table(work.found[0])
        table.row(work.index).put(rows_of(work.asked.body.get("values")), None)
        told = _row_json(table, work.index)
    return graph_json(told)


def _delete_row(work: _Work) -> Response:
    with work.changing() as book:
        book.table(work.found[0]).delete(work.index)
    return Response(status_code=204)
