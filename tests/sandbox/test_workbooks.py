"""The Excel session interface: what it takes for typed, what it loses, and what it does to the file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from tests.sandbox.drive_world import BOOK, Answer, World

HEADINGS = ("Ref", "Status", "Received")
TABLE = "/workbook/tables/Register"


def march(day: int) -> datetime:
    return datetime(2026, 3, day)  # noqa: DTZ001 - wall time, as sheets hold it


def workbook(*rows: Sequence[object]) -> bytes:
    """A sheet with one table, as people would make it."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "It's ours"
    sheet.append(HEADINGS)
    for row in rows:
        sheet.append(list(row))
    for cells in sheet.iter_rows(2, sheet.max_row, 3, 3):
        cells[0].number_format = "dd mmm yyyy"
    sheet.add_table(Table(displayName="Register", ref=f"A1:C{sheet.max_row}"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture
def world() -> World:
    made = World()
    made.drive.person_saves(BOOK, workbook(("A-1", "New", march(2)), ("A-2", "Open", march(3))))
    return made


def session(world: World, *, lasting: bool = True) -> str:
    made = world.call("POST", world.book_url + "/workbook/createSession", {"persistChanges": lasting})
    assert made.status == 201
    return str(made.said["id"])


def ask(world: World, method: str, path: str, body: object = None, of: str = "") -> Answer:
    headers = {"workbook_session_id": of} if of else {}
    return world.call(method, world.book_url + path, body, **headers)


def in_file(world: World) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(world.drive.content(BOOK))).worksheets[0]
    return [list(row) for row in sheet.iter_rows(2, values_only=True)]


def test_what_is_written_through_a_session_is_what_a_download_gives(world: World) -> None:
    of, before = session(world), world.book.ctag

    shown = ask(
        world,
        "PATCH",
        "/workbook/worksheets/It's%20ours/range(address='A2:C2')",
        {"values": [[None, "Update due", None]]},
        of,
    )

    assert shown.status == 200
    assert shown.said["values"] == [["A-1", "Update due", 46083]]
    assert in_file(world)[0] == ["A-1", "Update due", march(2)]
    assert world.book.ctag != before


def test_a_session_that_does_not_last_keeps_its_changes_to_itself(world: World) -> None:
    of = session(world, lasting=False)

    ask(world, "PATCH", TABLE + "/rows/0", {"values": [["A-1", "Done", None]]}, of)

    assert ask(world, "GET", TABLE + "/rows/0", of=of).said["values"][0][1] == "Done"
    assert in_file(world)[0][1] == "New"


def test_rows_are_added_below_and_the_table_grows_over_them(world: World) -> None:
    told = ask(world, "POST", TABLE + "/rows/add", {"index": None, "values": [["A-3", "New", 46085]]})

    assert (told.status, told.said["index"]) == (200, 2)
    assert in_file(world)[2] == ["A-3", "New", march(4)]
    assert len(ask(world, "GET", TABLE + "/rows").said["value"]) == 3
    assert ask(world, "DELETE", TABLE + "/rows/1").status == 204
    assert [row[0] for row in in_file(world) if row[0]] == ["A-1", "A-3"]


@pytest.mark.parametrize(
    ("typed", "stands"),
    [
        ("=1+1", "=1+1"),
        ("'=1+1", "=1+1"),
        ("007", 7),
        ("'007", "007"),
        ("2026-03-04", 46085),
        ("'2026-03-04", "2026-03-04"),
        ("true", True),
        ("'tis", "tis"),
    ],
)
def test_text_is_taken_as_if_typed_unless_an_apostrophe_stands_before_it(
    world: World, typed: str, stands: Any
) -> None:
    ask(world, "PATCH", TABLE + "/rows/0", {"values": [[None, typed, None]]})

    cell = openpyxl.load_workbook(io.BytesIO(world.drive.content(BOOK))).worksheets[0]["B2"]
    shown = ask(world, "GET", TABLE + "/dataBodyRange").said["values"][0][1]
    assert (cell.data_type == "f") == (typed == "=1+1")
    assert shown == ("" if typed == "=1+1" else stands)


def test_a_session_not_used_is_lost_and_one_refreshed_is_not(world: World) -> None:
    of = session(world)
    world.clock.go_on(minutes=4)
    assert ask(world, "POST", "/workbook/refreshSession", of=of).status == 204
    world.clock.go_on(minutes=4)
    assert ask(world, "GET", "/workbook/tables", of=of).status == 200
    world.clock.go_on(minutes=6)

    lost = ask(world, "GET", "/workbook/tables", of=of)

    assert lost.status == 404
    assert lost.said["error"]["innerError"]["code"] == "invalidSessionReCreatable"


def test_a_promise_is_running_then_kept_or_failed_inside_a_200(world: World) -> None:
    world.habits.long_running, world.habits.failing_operations = True, 1
    rows = {"index": None, "values": [["A-3", "New", 46085]]}
    url = world.book_url + TABLE + "/rows/add"

    ends = []
    for _ in range(2):
        promise = world.call("POST", url, rows, prefer="respond-async")
        assert promise.status == 202
        assert world.get(promise.headers["location"]).said["status"] == "running"
        ends.append(world.get(promise.headers["location"]))

    assert [(end.status, end.said["status"]) for end in ends] == [(200, "failed"), (200, "succeeded")]
    assert world.get(ends[1].said["resourceLocation"]).said["index"] == 2
    assert len(in_file(world)) == 3


def test_people_who_have_it_open_do_not_matter_and_a_check_out_does(world: World) -> None:
    world.drive.open_by_person(BOOK, "Casey")
    assert ask(world, "PATCH", TABLE + "/rows/0", {"values": [["A-1", "Open", None]]}).status == 200

    world.drive.check_out_by_person(BOOK, "Casey")
    refused = ask(world, "GET", "/workbook/tables")
    assert (refused.status, refused.said["error"]["innerError"]["code"]) == (409, "accessConflict")
    assert ask(world, "POST", "/workbook/createSession", {"persistChanges": True}).status == 423


def test_a_file_used_through_excel_is_locked_to_uploads_for_minutes(world: World) -> None:
    session(world)
    put = world.book_url + "/content"

    assert world.call("PUT", put, b"whole").status == 423
    world.clock.go_on(minutes=13)
    assert world.call("PUT", put, b"whole").status == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/workbook/tables/Nothing", None, 404),
        ("GET", TABLE + "/rows/itemAt(index=9)", None, 404),
        ("POST", TABLE + "/rows/add", {"index": None, "values": [["too short"]]}, 400),
        ("PATCH", TABLE + "/rows/0", {"values": "no rows"}, 400),
        ("GET", "/workbook/worksheets/It's%20ours/range(address='A:A')", None, 400),
        ("GET", "/workbook/anything", None, 400),
    ],
)
def test_what_is_not_there_or_not_well_formed_is_refused_and_nothing_is_written(
    world: World, method: str, path: str, body: object, status: int
) -> None:
    before = world.drive.content(BOOK)

    assert ask(world, method, path, body).status == status
    assert world.drive.content(BOOK) == before


def test_a_file_that_is_no_workbook_cannot_be_opened() -> None:
    refused = ask(World(), "GET", "/workbook/tables")

    assert (refused.status, refused.said["error"]["code"]) == (403, "OpenWorkbookAccessDenied")
