"""The real mailbox against a scripted server: answers that the embedded Microsoft 365 never gives."""

from __future__ import annotations

import pytest

from agent import errors
from agent.m365.graph import Graph
from agent.mailbox.base import OutgoingLetter
from agent.mailbox.outlook import OutlookMailbox
from tests.m365.wire import MAILBOX, Answer, Wire, refusal

LETTER = OutgoingLetter("chase/1", "sam@nctrust.example", "Update wanted", "text", "<p>text</p>")
IN_INBOX = Answer(body={"id": "m1", "@odata.etag": 'W/"1"', "categories": ["Jo"], "parentFolderId": "inbox"})

MOVED = Answer(201, {"id": "m1", "@odata.etag": 'W/"2"', "categories": ["Jo"], "parentFolderId": "f1"})
ALERTS = Answer(body={"value": [{"id": "f1", "displayName": "Alerts"}]})


@pytest.fixture
def mailbox(graph: Graph) -> OutlookMailbox:
    return OutlookMailbox(graph, MAILBOX)


def test_a_search_folder_of_the_same_name_is_not_the_folder(wire: Wire, mailbox: OutlookMailbox) -> None:
    search = {"@odata.type": "#microsoft.graph.mailSearchFolder", "id": "s1", "displayName": "Alerts"}
    made = Answer(201, {"id": "f1", "displayName": "Alerts"})
    wire.say(Answer(body={"value": [search]}), made, MOVED)

    mailbox.file("m1", ("Alerts",), ())

    assert wire.requests[-1].body == b'{"destinationId": "f1"}'


def test_a_folder_on_the_second_page_is_found(wire: Wire, mailbox: OutlookMailbox) -> None:
    link = f"{wire.base}/v1.0/users/{MAILBOX}/mailFolders?$skip=200"
    wire.say(
        Answer(body={"value": [{"id": "f0", "displayName": "Other"}], "@odata.nextLink": link}),
        Answer(body={"value": [{"id": "f1", "displayName": "Alerts"}]}),
        MOVED,
    )

    mailbox.file("m1", ("Alerts",), ())

    assert wire.requests[-1].body == b'{"destinationId": "f1"}'


def test_a_category_set_by_somebody_at_the_same_moment_is_not_undone(
    wire: Wire, mailbox: OutlookMailbox
) -> None:
    wire.say(IN_INBOX, refusal(412, "ErrorIrresolvableConflict"))

    with pytest.raises(errors.ChangedMeanwhile):
        mailbox.file("m1", (), ("Late",))

    assert [(seen.method, seen.headers.get("if-match")) for seen in wire.requests] == [
        ("GET", None),
        ("PATCH", 'W/"1"'),
    ]


@pytest.mark.parametrize("told", [refusal(400, "ErrorMoveCopyFailed"), refusal(409, "x"), refusal(504, "x")])
def test_a_mail_that_lies_in_its_folder_already_is_filed(
    wire: Wire, mailbox: OutlookMailbox, told: Answer
) -> None:
    """How Exchange tells it, or whether an answer got lost: one look settles it."""
    there = Answer(body={"id": "m1", "categories": ["Jo", "Late"], "parentFolderId": "f1"})
    wire.say(ALERTS, told, there, ALERTS)

    mailbox.file("m1", ("Alerts",), ("Late",))

    assert [seen.method for seen in wire.requests] == ["GET", "POST", "GET", "GET"]


def test_a_move_that_does_not_say_how_the_mail_stands_is_followed_by_a_look(
    wire: Wire, mailbox: OutlookMailbox
) -> None:
    """Else a category that somebody set would be taken for none, and undone."""
    wire.say(ALERTS, Answer(201, {"id": "m1"}), MOVED, Answer(body={"id": "m1"}))

    mailbox.file("m1", ("Alerts",), ("Late",))

    assert wire.requests[-1].body == b'{"categories": ["Jo", "Late"]}'


def test_a_draft_answered_without_its_id_is_to_be_looked_for(wire: Wire, mailbox: OutlookMailbox) -> None:
    wire.say(Answer(201, {"subject": "Update wanted"}))

    with pytest.raises(errors.OutcomeUnknown, match=r"chase/1"):
        mailbox.draft(LETTER)


def test_changes_without_a_link_to_go_on_from_are_read_again_later(
    wire: Wire, mailbox: OutlookMailbox
) -> None:
    """Taking them would mean to forget where we had got to."""
    wire.say(Answer(body={"value": [{"id": "m1"}]}))

    with pytest.raises(errors.TryAgainLater, match="without a link"):
        list(mailbox.changes(None))


def test_changes_whose_next_link_is_foreign_are_not_followed_later_either(
    wire: Wire, mailbox: OutlookMailbox
) -> None:
    wire.say(Answer(body={"value": [], "@odata.deltaLink": "https://evil.example/v1.0/users/x/delta?$d=1"}))

    with pytest.raises(errors.NeedsAPerson, match="not Microsoft 365"):
        list(mailbox.changes(None))


def test_odd_rows_of_changes_are_taken_for_what_they_tell(wire: Wire, mailbox: OutlookMailbox) -> None:
    rows: list[dict[str, object]] = [
        {"id": "m1", "receivedDateTime": "not a time"},
        {"id": "m2", "receivedDateTime": None},
        {"id": "m3", "@removed": {"reason": "deleted"}},
        {"receivedDateTime": "2026-03-02T09:00:00Z"},
    ]
    link = f"{wire.base}/v1.0/users/x/delta?$deltatoken=1"
    wire.say(Answer(body={"value": rows, "@odata.deltaLink": link}))

    (page,) = mailbox.changes(None)

    told = [(row.mail_id, row.received_at, row.removed) for row in page.mails]
    assert told == [("m1", None, False), ("m2", None, False), ("m3", None, True)]
    assert page.cursor == "/users/x/delta?$deltatoken=1"


def test_a_web_page_is_never_taken_for_a_mail(wire: Wire, mailbox: OutlookMailbox) -> None:
    wire.say(Answer(200, b"<html>Please sign in</html>", {"Content-Type": "text/html; charset=utf-8"}))

    with pytest.raises(errors.TryAgainLater, match="proxy"):
        mailbox.mime("m1")


def test_odd_ids_keep_to_their_place_in_the_address(wire: Wire, mailbox: OutlookMailbox) -> None:
    """Ids may hold slashes, plus and equals signs."""
    mailbox.mime("AA/+=?#")

    assert wire.requests[0].path == f"/v1.0/users/{MAILBOX}/messages/AA%2F%2B%3D%3F%23/$value"
