"""Every answer about sites, drives and items has the shape that Microsoft publishes for it."""

from __future__ import annotations

from tests.published_contract import contract, needs_contract
from tests.sandbox.drive_world import BOOK, HOST, World

pytestmark = needs_contract
NEW = {"item": {"@microsoft.graph.conflictBehavior": "replace"}}
OTHERS_ROOMS = ("/workbook/", "/permissions", "/shares/")


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


def test_every_answer_keeps_the_contract() -> None:
    world = World()
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
    tour(world)

    called = {contract().find(had.method, had.url)[0]["operationId"] for had in world.exchanges}
    published = {
        operation["operationId"]
        for path, operations in contract().doc["paths"].items()
        if path.startswith(("/sites/", "/drives/")) and not any(other in path for other in OTHERS_ROOMS)
        for operation in operations.values()
    }

    assert called == published
