"""Every answer about sites, drives and items has the shape that Microsoft publishes for it."""

from __future__ import annotations

from tests.published_contract import contract, needs_contract
from tests.sandbox.drive_world import BOOK, HOST, World
from tests.sandbox.test_workbooks import workbook

pytestmark = needs_contract
NEW = {"item": {"@microsoft.graph.conflictBehavior": "replace"}}
OTHERS_ROOMS = ("/permissions", "/shares/")


def tour(world: World) -> None:
    """Ask for everything once, refusals included."""
    site, drive, item = (
        f"/v1.0/sites/{world.site.id}",
        f"/v1.0/drives/{world.drive.id}",
        world.book_url,
    )
    world.drive.put("Reports/one.txt", b"1")
    world.drive.put("Reports/two.txt", b"2")
    for url in (
        site,
        f"/v1.0/sites/{HOST}:/sites/need-to-know",
        f"/v1.0/sites/{HOST}:/sites/nowhere",
        site + "/drive",
        site + "/drives?$select=id,name",
        f"{drive}/root:/{BOOK}",
        f"{drive}/root:/Reports",
        f"{drive}/root:/Nothing",
        f"{drive}/items/root",
        item,
        item + "?$select=eTag,cTag,publication",
        f"{drive}/items/root/children",
        f"{drive}/items/{world.drive.item('Reports').id}/children?$top=1",
        item + "/content",
        item + "/versions",
        item + "/versions/1.0/content",
        drive + "/root/delta?$top=1",
        drive + "/root/delta?token=latest",
        drive + "/root/delta?token=elsewhere",
    ):
        world.get(url)
    world.get(item, If_None_Match=world.book.etag)
    world.get(item + "/content", If_None_Match=world.book.ctag)
    world.call("PUT", item + "/content", b"second", If_Match=world.book.etag)
    world.call("PUT", item + "/content", b"third", If_Match='"{old},1"')
    world.call("PUT", f"{drive}/items/root:/New.txt:/content", b"new")
    world.call("PUT", f"{drive}/items/root:/New.txt:/content", b"newer")
    world.call("PATCH", item, {"name": "Register.xlsx"})
    world.call("POST", item + "/createUploadSession", NEW)
    world.call("POST", item + "/versions/1.0/restoreVersion")
    world.call("POST", item + "/checkout")
    world.call("POST", item + "/checkin", {"comment": "done"})
    world.drive.open_by_person("Register.xlsx", "Casey Penhallow")
    world.call("PUT", item + "/content", b"fourth")
    world.drive.remove("Register.xlsx")
    world.get(drive + "/root/delta?token=1")


def workbook_tour(world: World) -> None:
    """Every operation of the Excel interface once, refusals included."""
    world.drive.person_saves(BOOK, workbook(("A-1", "New", None), ("A-2", "Open", None)))
    base = world.book_url + "/workbook"
    sheet, table = f"{base}/worksheets/It's%20ours", f"{base}/tables/Register"
    made = world.call("POST", f"{base}/createSession", {"persistChanges": True}).said["id"]
    for url in (
        f"{base}/worksheets",
        f"{base}/tables",
        f"{sheet}/tables",
        f"{sheet}/range(address='A1:B2')",
        f"{sheet}/usedRange",
        f"{sheet}/usedRange(valuesOnly=true)",
        table,
        f"{table}/columns",
        f"{table}/columns/Status",
        f"{table}/range",
        f"{table}/headerRowRange",
        f"{table}/dataBodyRange",
        f"{table}/rows",
        f"{table}/rows/itemAt(index=0)",
        f"{table}/rows/1",
        f"{table}/rows/99",
    ):
        world.get(url, workbook_session_id=made)
    world.call("PATCH", f"{sheet}/range(address='B2')", {"values": [["Open"]], "numberFormat": [["@"]]})
    world.call("PATCH", f"{table}/rows/1", {"values": [["A-2", None, None]]})
    world.call("POST", f"{table}/rows", {"index": None, "values": [["A-3", "New", ""]]})
    world.call("POST", f"{table}/columns", {"values": [["More"], [""], [""], [""]]})
    world.call("DELETE", f"{table}/rows/0")
    world.habits.long_running = True
    world.habits.failing_operations = 1
    row = {"index": None, "values": [["A-4", "New", ""]]}
    for url, body in (
        (f"{base}/createSession", {"persistChanges": False}),
        (f"{table}/rows/add", row),
        (f"{table}/rows/add", row),
    ):
        promise = world.call("POST", url, body, prefer="respond-async").headers["location"]
        world.get(promise)
        end = world.get(promise).said
        if end["status"] == "succeeded":
            world.get(end["resourceLocation"])
    world.call("POST", f"{base}/refreshSession", workbook_session_id=made)
    world.call("POST", f"{base}/closeSession", workbook_session_id=made)
    world.get(f"{base}/tables", workbook_session_id=made)
    world.drive.check_out_by_person(BOOK, "Casey Penhallow")
    world.call("POST", f"{base}/createSession", {"persistChanges": True})
    world.get(f"{base}/tables")


def test_every_answer_keeps_the_contract() -> None:
    world = World()
    workbook_tour(world)
    world.clock.go_on(minutes=13)
    world.drive.check_in_by_person(BOOK)
    tour(world)

    problems = [
        f"{had.method} {had.url} {had.status}: {problem}"
        for had in world.exchanges
        for problem in contract().check_response(
            had.method, had.url, had.status, had.said if had.is_json else had.body or None
        )
    ]

    assert not problems, "\n".join(problems)


def test_the_tour_calls_every_operation_on_sites_drives_and_items() -> None:
    world = World()
    workbook_tour(world)
    world.clock.go_on(minutes=13)
    world.drive.check_in_by_person(BOOK)
    tour(world)

    called = {contract().find(had.method, had.url)[0]["operationId"] for had in world.exchanges}
    published = {
        operation["operationId"]
        for path, operations in contract().doc["paths"].items()
        if path.startswith(("/sites/", "/drives/")) and not any(other in path for other in OTHERS_ROOMS)
        for operation in operations.values()
    }

    assert called == published
