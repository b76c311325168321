"""The sandbox's libraries answer as SharePoint does behind Microsoft Graph, the unpleasant parts included."""

from __future__ import annotations

import pytest

from tests.sandbox.drive_world import BASE, BOOK, HOST, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    "address",
    [
        "/v1.0/sites/{host}:/sites/need-to-know",
        "/v1.0/sites/{host}:/sites/need-to-know:",
        "/v1.0//sites/{host}:/sites/need-to-know:",
        "/v1.0/sites/{HOST}:/Sites/Need-To-Know",
        "/v1.0/sites/{id}",
    ],
)
def test_a_site_is_found_however_it_is_addressed(world: World, address: str) -> None:
    url = address.format(host=HOST, HOST=HOST.upper(), id=world.site.id)

    answer = world.get(url)

    assert (answer.status, answer.said["id"]) == (200, world.site.id)
    assert answer.said["displayName"] == "Need to Know"


def test_a_site_leads_to_its_library(world: World) -> None:
    one = world.get(f"/v1.0/sites/{world.site.id}/drive").said
    many = world.get(f"/v1.0//sites/{world.site.id}/drives").said["value"]
    by_path = world.get(f"/v1.0/sites/{HOST}:/sites/need-to-know:/drive").said

    assert one["driveType"] == "documentLibrary"
    assert [one] == many
    assert one == by_path == world.get(f"/v1.0/drives/{world.drive.id}").said


def test_an_unknown_site_and_a_site_without_leave_are_told_apart(world: World) -> None:
    nowhere = world.get(f"/v1.0/sites/{HOST}:/sites/elsewhere")
    world.site.access = "none"
    closed = world.get(f"/v1.0/sites/{world.site.id}")

    assert (nowhere.status, nowhere.said["error"]["code"]) == (404, "itemNotFound")
    assert (closed.status, closed.said["error"]["code"]) == (403, "accessDenied")


def test_with_leave_to_read_nothing_can_be_written(world: World) -> None:
    world.site.access = "read"

    assert world.get(world.book_url).status == 200
    assert world.call("PUT", world.book_url + "/content", b"second").status == 403
    assert world.drive.content(BOOK) == b"first"


@pytest.mark.parametrize(
    "address",
    [
        "root:/Need%20to%20Know.xlsx",
        "root:/need to know.XLSX:",
        "items/root:/Need to Know.xlsx:",
        "items/{id}",
    ],
)
def test_a_file_is_found_by_path_and_by_id(world: World, address: str) -> None:
    answer = world.get(f"/v1.0/drives/{world.drive.id}/{address.format(id=world.book.id)}")

    assert (answer.status, answer.said["id"], answer.said["size"]) == (200, world.book.id, 5)
    assert answer.said["file"]["mimeType"].endswith("spreadsheetml.sheet")
    assert answer.said["lastModifiedBy"] == {"user": {"displayName": "Casey Penhallow"}}


def test_what_is_not_there_is_404(world: World) -> None:
    assert world.get(f"/v1.0/drives/{world.drive.id}/root:/Other.xlsx").status == 404
    assert world.get(f"/v1.0/drives/{world.drive.id}/items/01NOTHERE").status == 404
    assert world.get("/v1.0/drives/b!nowhere/root").status == 404


def test_only_what_is_selected_is_told(world: World) -> None:
    told = world.get(world.book_url + "?$select=eTag,cTag,size").said

    assert told == {"id": world.book.id, "eTag": world.book.etag, "cTag": world.book.ctag, "size": 5}


def test_times_are_the_sandbox_clock_s(world: World) -> None:
    world.clock.go_on(days=9)
    world.drive.person_saves(BOOK, b"second", by="Casey Penhallow")

    told = world.get(world.book_url).said

    assert told["createdDateTime"] == "2026-04-20T07:00:00Z"
    assert told["lastModifiedDateTime"] == "2026-04-29T07:00:00Z"


def test_metadata_moves_the_etag_alone_and_content_moves_both_tags(world: World) -> None:
    before = world.get(world.book_url).said
    world.drive.touch_metadata(BOOK)
    touched = world.get(world.book_url).said
    world.drive.person_saves(BOOK, b"second")
    saved = world.get(world.book_url).said

    assert touched["eTag"] != before["eTag"]
    assert touched["cTag"] == before["cTag"]
    assert saved["eTag"] != touched["eTag"]
    assert saved["cTag"] != touched["cTag"]


# Content


def test_a_download_is_a_redirect_to_an_address_that_needs_no_token(world: World) -> None:
    redirect = world.get(world.book_url + "/content", Authorization="Bearer abc")
    fetched = world.get(redirect.headers["location"])

    assert redirect.status == 302
    assert redirect.headers["location"].startswith(BASE + "/download/")
    assert (fetched.status, fetched.body) == (200, b"first")


def test_a_token_sent_to_the_download_address_is_refused(world: World) -> None:
    location = world.get(world.book_url + "/content").headers["location"]

    assert world.get(location, Authorization="Bearer abc").status == 401


def test_a_download_address_dies_within_the_hour_and_cannot_be_guessed(world: World) -> None:
    location = world.get(world.book_url + "/content").headers["location"]
    world.clock.go_on(minutes=61)

    assert world.get(location).status == 401
    assert world.get(BASE + "/download/guessed").status == 401


def test_the_download_address_in_an_item_serves_too(world: World) -> None:
    address = world.get(world.book_url).said["@microsoft.graph.downloadUrl"]

    assert world.get(address).body == b"first"


def test_a_part_of_a_file_can_be_fetched(world: World) -> None:
    location = world.get(world.book_url + "/content").headers["location"]

    part = world.get(location, Range="bytes=1-3")

    assert (part.status, part.body, part.headers["content-range"]) == (206, b"irs", "bytes 1-3/5")
    assert world.get(location, Range="bytes=5-9").status == 416


@pytest.mark.parametrize("tag", ["etag", "ctag"])
def test_an_unchanged_file_is_not_sent_again(world: World, tag: str) -> None:
    known = getattr(world.book, tag)

    assert world.get(world.book_url + "/content", If_None_Match=known).status == 304
    world.drive.person_saves(BOOK, b"second")
    assert world.get(world.book_url + "/content", If_None_Match=known).status == 302


def test_a_large_file_comes_whole(world: World) -> None:
    large = bytes(range(256)) * 8192
    item = world.drive.put("Archive/large.bin", large)

    location = world.get(f"/v1.0/drives/{world.drive.id}/items/{item.id}/content").headers["location"]
    fetched = world.get(location)

    assert fetched.body == large
    assert fetched.headers["content-length"] == str(len(large))


def test_content_is_replaced_only_while_it_is_the_one_that_was_read(world: World) -> None:
    read = world.get(world.book_url).said["eTag"]

    taken = world.call("PUT", world.book_url + "/content", b"second", If_Match=read)
    late = world.call("PUT", world.book_url + "/content", b"third", If_Match=read)

    assert (taken.status, late.status) == (200, 412)
    assert late.said["error"]["code"] == "resourceModified"
    assert taken.said["lastModifiedBy"] == {"application": {"displayName": "Sandbox application"}}
    assert world.drive.content(BOOK) == b"second"


def test_a_metadata_change_between_reading_and_writing_is_412_though_the_ctag_stands(world: World) -> None:
    read = world.get(world.book_url).said
    world.drive.touch_metadata(BOOK)

    assert world.call("PUT", world.book_url + "/content", b"second", If_Match=read["eTag"]).status == 412
    assert world.call("PUT", world.book_url + "/content", b"second", If_Match=read["cTag"]).status == 200


def test_while_a_person_has_it_open_nothing_can_be_uploaded(world: World) -> None:
    world.drive.open_by_person(BOOK, "Casey Penhallow")
    world.drive.person_saves(BOOK, b"her own save", by="Casey Penhallow")

    refused = [
        world.call("PUT", world.book_url + "/content", b"second"),
        world.call("PUT", world.book_url + "/content", b"second", If_Match="*"),
        world.call("POST", world.book_url + "/createUploadSession", REPLACE),
        world.call("PATCH", world.book_url, {"name": "Other.xlsx"}),
        world.call("POST", world.book_url + "/versions/1.0/restoreVersion"),
    ]
    world.drive.close_by_person(BOOK, "Casey Penhallow")
    taken = world.call("PUT", world.book_url + "/content", b"second")

    assert [answer.status for answer in refused] == [423] * 5
    assert {answer.said["error"]["code"] for answer in refused} == {"resourceLocked"}
    assert taken.status == 200
    assert [version.content for version in world.drive.versions(BOOK)] == [
        b"first",
        b"her own save",
        b"second",
    ]


def test_it_stays_locked_until_the_last_person_has_closed_it(world: World) -> None:
    world.drive.open_by_person(BOOK, "Casey Penhallow")
    world.drive.open_by_person(BOOK, "Robin Thackeray")
    world.drive.close_by_person(BOOK, "Casey Penhallow")

    assert world.call("PUT", world.book_url + "/content", b"second").status == 423
    world.drive.close_by_person(BOOK)
    assert world.call("PUT", world.book_url + "/content", b"second").status == 200


REPLACE = {"item": {"@microsoft.graph.conflictBehavior": "replace"}}


# New files, names, folders


def test_a_new_file_is_created_below_a_folder_by_its_name(world: World) -> None:
    url = f"/v1.0/drives/{world.drive.id}/items/root:/Second book.xlsx:/content"

    created = world.call("PUT", url, b"new")
    again = world.call("PUT", url, b"newer")
    refused = world.call("PUT", url + "?@microsoft.graph.conflictBehavior=fail", b"newest")

    assert (created.status, again.status, refused.status) == (201, 200, 409)
    assert created.said["id"] == again.said["id"]
    assert world.drive.content("Second book.xlsx") == b"newer"


def test_a_new_file_by_path_makes_its_folders_and_may_take_a_free_name(world: World) -> None:
    url = f"/v1.0/drives/{world.drive.id}/root:/2026/April/Register.xlsx:/content"

    world.call("PUT", url, b"one")
    renamed = world.call("PUT", url + "?@microsoft.graph.conflictBehavior=rename", b"two")

    assert renamed.said["name"] == "Register 1.xlsx"
    assert world.drive.content("2026/April/Register.xlsx") == b"one"
    assert world.drive.content("2026/April/Register 1.xlsx") == b"two"


def test_an_upload_conditional_on_a_file_that_is_not_there_is_412(world: World) -> None:
    url = f"/v1.0/drives/{world.drive.id}/items/root:/Other.xlsx:/content"

    assert world.call("PUT", url, b"new", If_Match='"{gone},1"').status == 412


@pytest.mark.parametrize("name", ["a?b.xlsx", "a|b.xlsx", " a.xlsx"])
def test_a_name_that_sharepoint_does_not_allow_is_refused(world: World, name: str) -> None:
    assert world.call("PATCH", world.book_url, {"name": name}).status == 400


def test_a_rename_keeps_the_id_and_heeds_if_match(world: World) -> None:
    world.drive.put("Taken.xlsx", b"other")

    stale = world.call("PATCH", world.book_url, {"name": "New.xlsx"}, If_Match='"{old},1"')
    taken = world.call("PATCH", world.book_url, {"name": "taken.xlsx"})
    done = world.call("PATCH", world.book_url, {"name": "New.xlsx"}, If_Match=world.book.etag)

    assert (stale.status, taken.status, done.status) == (412, 409, 200)
    assert done.said["id"] == world.book.id
    assert world.drive.content("New.xlsx") == b"first"


def test_children_come_in_pages(world: World) -> None:
    for number in range(5):
        world.drive.put(f"Reports/{number}.txt", b"x")
    folder = world.drive.item("Reports")
    url = f"/v1.0/drives/{world.drive.id}/items/{folder.id}/children?$top=2"

    names: list[str] = []
    while url:
        page = world.get(url).said
        names += [item["name"] for item in page["value"]]
        url = page.get("@odata.nextLink", "")

    assert names == ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"]


# Versions and check-out


def test_every_content_is_kept_and_an_old_one_can_be_restored(world: World) -> None:
    world.call("PUT", world.book_url + "/content", b"second")

    listed = world.get(world.book_url + "/versions").said["value"]
    old = world.get(world.get(world.book_url + "/versions/1.0/content").headers["location"]).body
    restored = world.call("POST", world.book_url + "/versions/1.0/restoreVersion")

    assert [version["id"] for version in listed] == ["2.0", "1.0"]
    assert old == b"first"
    assert (restored.status, restored.body) == (204, b"")
    assert [version.id for version in world.drive.versions(BOOK)] == ["1.0", "2.0", "3.0"]
    assert world.drive.content(BOOK) == b"first"
    assert world.get(world.book_url + "/versions/9.0/content").status == 404


def test_what_somebody_else_has_checked_out_is_locked(world: World) -> None:
    world.drive.check_out_by_person(BOOK, "Casey Penhallow")

    assert world.call("PUT", world.book_url + "/content", b"second").status == 423
    assert world.call("POST", world.book_url + "/checkout").status == 423
    world.drive.check_in_by_person(BOOK)
    assert world.call("PUT", world.book_url + "/content", b"second").status == 200


def test_the_application_writes_to_what_it_has_checked_out_itself(world: World) -> None:
    out = world.call("POST", world.book_url + "/checkout")
    state = world.get(world.book_url + "?$select=publication").said["publication"]
    written = world.call("PUT", world.book_url + "/content", b"second")
    back = world.call("POST", world.book_url + "/checkin", {"comment": "done"})
    twice = world.call("POST", world.book_url + "/checkin", {"comment": "done"})

    assert (out.status, written.status, back.status, twice.status) == (204, 200, 204, 400)
    assert state["level"] == "checkout"


# Changes


def test_changes_are_told_once_and_in_order(world: World) -> None:
    delta = f"/v1.0/drives/{world.drive.id}/root/delta"
    first = world.get(delta).said
    world.drive.put("Other.txt", b"x")
    world.drive.touch_metadata(BOOK)
    second = world.get(first["@odata.deltaLink"]).said

    assert [item["name"] for item in first["value"]] == ["root", BOOK]
    assert [item["name"] for item in second["value"]] == ["Other.txt", BOOK]
    assert world.get(second["@odata.deltaLink"]).said["value"] == []


def test_changes_from_now_on_and_in_pages(world: World) -> None:
    delta = f"/v1.0/drives/{world.drive.id}/root/delta"
    latest = world.get(delta + "?token=latest").said
    for number in range(3):
        world.drive.put(f"{number}.txt", b"x")

    page = world.get(latest["@odata.deltaLink"] + "&$top=2").said
    rest = world.get(page["@odata.nextLink"]).said

    assert latest["value"] == []
    assert [item["name"] for item in page["value"] + rest["value"]] == ["0.txt", "1.txt", "2.txt"]
    assert "@odata.deltaLink" in rest


def test_a_deleted_file_is_told_as_deleted(world: World) -> None:
    link = world.get(f"/v1.0/drives/{world.drive.id}/root/delta").said["@odata.deltaLink"]
    world.drive.remove(BOOK)

    changed = world.get(link).said["value"]

    assert [(item["id"], item["deleted"]) for item in changed] == [(world.book.id, {"state": "deleted"})]
    assert world.get(world.book_url).status == 404


def test_a_forgotten_change_token_is_410_with_the_address_to_start_afresh(world: World) -> None:
    link = world.get(f"/v1.0/drives/{world.drive.id}/root/delta").said["@odata.deltaLink"]
    world.drive.forget_change_tokens()

    gone = world.get(link)
    afresh = world.get(gone.headers["location"])

    assert (gone.status, gone.said["error"]["code"]) == (410, "resyncChangesApplyDifferences")
    assert afresh.status == 200
    assert world.get(afresh.said["@odata.deltaLink"]).status == 200


def test_nonsense_is_answered_as_a_bad_request(world: World) -> None:
    drive = f"/v1.0/drives/{world.drive.id}"

    assert world.get(f"{drive}/elsewhere").status == 400
    assert world.get(f"{world.book_url}/thumbnails").status == 400
    assert world.get(f"{drive}/items/root/content").status == 400
    assert world.call("PATCH", world.book_url, b"{").status == 400
    assert world.get(f"{drive}/items/root/children?$top=many").status == 400
