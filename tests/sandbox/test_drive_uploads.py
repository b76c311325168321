"""Upload sessions: a large workbook goes up in fragments, and still onto the right version only."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.sandbox.drive_world import BASE, BOOK, Answer, World

FRAGMENT = 320 * 1024
LARGE = b"n" * (2 * FRAGMENT + 17)


@pytest.fixture
def world() -> World:
    return World()


def wanted(conflict: str = "replace") -> Mapping[str, object]:
    return {"item": {"@microsoft.graph.conflictBehavior": conflict}}


def opened(world: World, conflict: str = "replace", **headers: str) -> str:
    answer = world.call("POST", world.book_url + "/createUploadSession", wanted(conflict), **headers)
    assert answer.status == 200, answer.body
    return str(answer.said["uploadUrl"])


def sent(world: World, url: str, first: int, last: int, size: int = len(LARGE), **headers: str) -> Answer:
    """The bytes from `first` to `last` (both counted) of a file of `size` bytes."""
    headers["Content_Range"] = f"bytes {first}-{last}/{size}"
    return world.call("PUT", url, LARGE[first : last + 1], **headers)


def test_a_file_goes_up_in_fragments(world: World) -> None:
    url = opened(world, If_Match=world.book.etag)

    first = sent(world, url, 0, FRAGMENT - 1)
    state = world.get(url)
    last = sent(world, url, FRAGMENT, len(LARGE) - 1)

    assert url.startswith(BASE + "/upload/")
    assert (first.status, first.said["nextExpectedRanges"]) == (202, [f"{FRAGMENT}-"])
    assert state.said["nextExpectedRanges"] == [f"{FRAGMENT}-"]
    assert (last.status, last.said["id"], last.said["size"]) == (200, world.book.id, len(LARGE))
    assert world.drive.content(BOOK) == LARGE


def test_a_new_file_is_created_by_a_session_on_its_name(world: World) -> None:
    address = f"/v1.0/drives/{world.drive.id}/items/root:/Large.xlsx:/createUploadSession"
    url = world.call("POST", address, wanted("fail")).said["uploadUrl"]

    done = sent(world, url, 0, len(LARGE) - 1)

    assert done.status == 201
    assert world.drive.content("Large.xlsx") == LARGE


@pytest.mark.parametrize(("conflict", "status"), [("fail", 409), ("rename", 200), ("replace", 200)])
def test_a_name_that_is_taken_is_dealt_with_as_asked(world: World, conflict: str, status: int) -> None:
    answer = world.call("POST", world.book_url + "/createUploadSession", wanted(conflict))

    assert answer.status == status


def test_a_renamed_upload_leaves_the_old_file_alone(world: World) -> None:
    done = sent(world, opened(world, "rename"), 0, len(LARGE) - 1)

    assert (done.status, done.said["name"]) == (201, "Need to Know 1.xlsx")
    assert world.drive.content(BOOK) == b"first"


def test_a_session_is_refused_when_the_file_has_changed(world: World) -> None:
    stale = world.book.etag
    world.drive.touch_metadata(BOOK)

    answer = world.call("POST", world.book_url + "/createUploadSession", wanted(), If_Match=stale)

    assert (answer.status, answer.said["error"]["code"]) == (412, "resourceModified")


def test_a_change_while_the_fragments_go_up_is_not_overwritten(world: World) -> None:
    url = opened(world, If_Match=world.book.etag)
    sent(world, url, 0, FRAGMENT - 1)
    world.drive.person_saves(BOOK, b"her own save")

    last = sent(world, url, FRAGMENT, len(LARGE) - 1)

    assert last.status == 412
    assert world.drive.content(BOOK) == b"her own save"


def test_a_file_opened_meanwhile_is_locked_and_the_last_fragment_may_come_again(world: World) -> None:
    url = opened(world)
    world.drive.open_by_person(BOOK, "Casey Penhallow")
    refused = sent(world, url, 0, len(LARGE) - 1)
    world.drive.close_by_person(BOOK)

    again = sent(world, url, 0, len(LARGE) - 1)

    assert (refused.status, again.status) == (423, 200)
    assert world.drive.content(BOOK) == LARGE


@pytest.mark.parametrize(
    ("first", "last", "size", "status"),
    [
        (FRAGMENT, 2 * FRAGMENT - 1, len(LARGE), 416),  # the first fragment is missing
        (0, 99, len(LARGE), 400),  # not a multiple of 320 KiB
        (0, FRAGMENT - 1, 99, 416),  # larger than the file is said to be
    ],
)
def test_a_wrong_fragment_is_refused(world: World, first: int, last: int, size: int, status: int) -> None:
    url = opened(world)

    assert sent(world, url, first, last, size).status == status
    assert world.get(url).said["nextExpectedRanges"] == ["0-"]


def test_a_fragment_sent_twice_is_416(world: World) -> None:
    url = opened(world)
    sent(world, url, 0, FRAGMENT - 1)

    assert sent(world, url, 0, FRAGMENT - 1).status == 416


def test_a_range_that_does_not_fit_the_bytes_is_refused(world: World) -> None:
    url = opened(world)

    assert world.call("PUT", url, b"abc", Content_Range="bytes 0-9/10").status == 400
    assert world.call("PUT", url, b"abc", Content_Range="bytes nonsense").status == 400
    assert world.call("PUT", url, b"abc").status == 400


def test_a_session_ends_by_time_by_cancelling_and_when_it_is_done(world: World) -> None:
    expired, cancelled, done = opened(world), opened(world), opened(world)
    world.call("DELETE", cancelled)
    sent(world, done, 0, len(LARGE) - 1)

    assert world.get(cancelled).status == 404
    assert world.get(done).status == 404
    world.clock.go_on(minutes=61)
    assert sent(world, expired, 0, len(LARGE) - 1).status == 404


def test_the_upload_address_wants_no_token(world: World) -> None:
    url = opened(world)

    assert sent(world, url, 0, len(LARGE) - 1, Authorization="Bearer abc").status == 401
    assert sent(world, url, 0, len(LARGE) - 1).status == 200
