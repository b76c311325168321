"""Mails and folders over Graph: found, read, filed, marked, and the ids that change or stay."""

from __future__ import annotations

import base64
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from agent.sandbox.mime import written_afresh
from agent.sandbox.server import Sandbox
from tests.sandbox.mail_world import (
    ALICE,
    IMMUTABLE,
    KEY,
    MONDAY,
    N2K,
    Asker,
    html,
    inbox_of,
    mail,
    recipient,
)


def with_papers() -> bytes:
    """A mail with a form, a picture in its text, and another mail attached."""
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "The earlier one", ALICE
    inner.set_content("See below")
    outer = EmailMessage()
    outer["Subject"], outer["From"], outer["To"] = (
        "Papers – über alles",
        "Alice Author <alice@nctrust.example>",
        N2K,
    )
    outer.set_content("Please find attached.")
    outer.add_alternative("<p>Please find <img src='cid:logo'></p><script>alert(1)</script>", subtype="html")
    outer.add_attachment(b"PK form", "application", "octet-stream", filename="Form – Ünïcode.docx")
    outer.add_attachment(inner, filename="earlier.eml")
    html_part = outer.get_body(("html",))
    assert html_part is not None
    html_part.add_related(b"\x89PNG", "image", "png", cid="<logo>", disposition="inline", filename="logo.png")
    return outer.as_bytes()


def test_a_listing_pages_newest_first_and_follows_its_next_link(sandbox: Sandbox, ask: Asker) -> None:
    for number in range(13):
        sandbox.tenant.clock.advance(timedelta(minutes=1))
        sandbox.tenant.deliver(mail(f"Mail {number}"), [N2K])
    first = ask.get("/mailFolders/inbox/messages", select="subject")
    assert [one["subject"] for one in first["value"]] == [f"Mail {n}" for n in range(12, 2, -1)]
    assert set(first["value"][0]) == {"@odata.etag", "id", "subject"}
    second = ask("GET", first["@odata.nextLink"]).json()
    assert [one["subject"] for one in second["value"]] == ["Mail 2", "Mail 1", "Mail 0"]
    assert "@odata.nextLink" not in second


def test_filters_find_what_they_name(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(mail("Early", Message_ID="<early@x.example>"), [N2K])
    sandbox.tenant.clock.advance(timedelta(hours=1))
    late = sandbox.tenant.deliver(mail("Late and O'Brien", Message_ID="<late@x.example>"), [N2K])[0]
    sandbox.tenant.mailbox(N2K).mark_read(late)
    cases = {
        "isRead eq false": ["Early"],
        "isRead eq true and receivedDateTime ge 2026-03-02T09:30:00Z": ["Late and O'Brien"],
        "receivedDateTime gt 2026-03-02T10:00:00Z": [],
        "internetMessageId eq '<early@x.example>'": ["Early"],
        "startswith(subject,'late')": ["Late and O'Brien"],
        "subject eq 'Late and O''Brien'": ["Late and O'Brien"],
        "from/emailAddress/address eq 'alice@nctrust.example' and isRead eq false": ["Early"],
    }
    for filter_text, subjects in cases.items():
        assert ask.subjects("/mailFolders/inbox/messages", filter=filter_text) == subjects, filter_text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"$filter": "isRead eq 'yes'"}, "ErrorInvalidUrlQueryFilter"),
        ({"$filter": "nonsense"}, "ErrorInvalidUrlQueryFilter"),
        ({"$filter": "shoeSize eq 44"}, "RequestBroker--ParseUri"),
        ({"$select": "shoeSize"}, "RequestBroker--ParseUri"),
        ({"$filter": "isRead eq false", "$orderby": "receivedDateTime desc"}, "InefficientFilter"),
        ({"$top": "1001"}, "ErrorInvalidUrlQuery"),
        ({"$search": "child"}, "ErrorInvalidUrlQuery"),
    ],
)
def test_a_query_beyond_outlook_is_refused(ask: Asker, query: dict[str, str], code: str) -> None:
    assert ask.error(ask("GET", "/messages", params=query)) == (400, code)


def test_a_filter_that_leads_with_what_is_sorted_by_is_accepted(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(mail("One"), [N2K])
    query = {
        "filter": "receivedDateTime ge 2026-01-01T00:00:00Z and isRead eq false",
        "orderby": "receivedDateTime",
    }
    assert ask.subjects("/messages", **query) == ["One"]


def test_the_mime_of_a_mail_is_faithful_but_never_the_same_bytes(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(with_papers(), [N2K])
    found = ask.get("/mailFolders/inbox/messages")["value"][0]
    first, again = (ask("GET", f"/messages/{found['id']}/$value").content for _ in range(2))
    assert first != again
    parsed = message_from_bytes(first, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert parsed["Subject"] == "Papers – über alles"
    assert parsed["Received"].endswith("09:00:00 +0000")
    assert "header.from=nctrust.example" in parsed["Authentication-Results"]
    assert [part.get_filename() for part in parsed.iter_attachments()] == [
        "Form – Ünïcode.docx",
        "earlier.eml",
    ]
    form = next(iter(parsed.iter_attachments()))
    assert form.get_payload(decode=True) == b"PK form"


def test_attachments_are_listed_and_read_one_by_one(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(with_papers(), [N2K])
    message = ask.get("/mailFolders/inbox/messages")["value"][0]
    assert message["hasAttachments"] is True
    assert "<script" not in message["body"]["content"]
    listed = ask.get(f"/messages/{message['id']}/attachments", select="id,name,size,isInline")["value"]
    assert {(one["name"], one["isInline"]) for one in listed} == {
        ("Form – Ünïcode.docx", False),
        ("earlier.eml", False),
        ("logo.png", True),
    }
    assert all("contentBytes" not in one for one in listed)
    form = next(one for one in listed if one["name"].startswith("Form"))
    whole = ask.get(f"/messages/{message['id']}/attachments/{form['id']}")
    assert base64.b64decode(whole["contentBytes"]) == b"PK form"
    inner = next(one for one in listed if one["name"] == "earlier.eml")
    assert inner["@odata.type"] == "#microsoft.graph.itemAttachment"
    content = ask("GET", f"/messages/{message['id']}/attachments/{inner['id']}/$value").content
    assert b"The earlier one" in content


def test_a_mail_with_only_a_picture_in_its_text_claims_no_attachments(sandbox: Sandbox, ask: Asker) -> None:
    picture = EmailMessage()
    picture["Subject"], picture["From"] = "Pasted", ALICE
    picture.set_content("<img src='cid:one'>", subtype="html")
    picture.add_related(b"\x89PNG", "image", "png", cid="<one>", disposition="inline")
    sandbox.tenant.deliver(picture.as_bytes(), [N2K])
    message = ask.get("/mailFolders/inbox/messages")["value"][0]
    assert message["hasAttachments"] is False
    assert len(ask.get(f"/messages/{message['id']}/attachments")["value"]) == 1


def test_a_move_gives_a_new_default_id_and_keeps_the_immutable_one(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(mail("To be filed"), [N2K])
    plain = ask.get("/mailFolders/inbox/messages")["value"][0]["id"]
    immutable = ask.get("/mailFolders/inbox/messages", immutable=True)["value"][0]["id"]
    assert plain != immutable
    moved = ask.post(f"/messages/{plain}/move", {"destinationId": "archive"})
    assert moved.status_code == 201
    assert moved.json()["id"] not in {plain, immutable}
    assert ask.error(ask("GET", f"/messages/{plain}")) == (404, "ErrorItemNotFound")
    by_immutable = ask("GET", f"/messages/{immutable}", headers=IMMUTABLE)
    assert by_immutable.json()["id"] == immutable
    assert by_immutable.json()["parentFolderId"] == ask.get("/mailFolders/archive")["id"]


def test_folders_are_made_once_and_found_by_name(sandbox: Sandbox, ask: Asker) -> None:
    made = ask.post("/mailFolders/inbox/childFolders", {"displayName": "Alerts"})
    assert made.status_code == 201
    again = ask.post("/mailFolders/inbox/childFolders", {"displayName": "alerts"})
    assert ask.error(again) == (409, "ErrorFolderExists")
    found = ask.get("/mailFolders/inbox/childFolders", filter="displayName eq 'Alerts'")["value"]
    assert [one["id"] for one in found] == [made.json()["id"]]
    top = {one["displayName"] for one in ask.get("/mailFolders", top="50")["value"]}
    assert {"Inbox", "Drafts", "Sent Items", "Deleted Items"} <= top
    assert "Conversation History" not in top
    hidden = ask("GET", "/mailFolders?includeHiddenFolders=true&$top=50").json()["value"]
    assert "Conversation History" in {one["displayName"] for one in hidden}
    assert sandbox.tenant.mailbox(N2K).folder_at("Inbox/Alerts").id == made.json()["id"]


def test_a_long_list_of_folders_comes_in_pages(ask: Asker) -> None:
    for number in range(12):
        ask.post("/mailFolders/inbox/childFolders", {"displayName": f"Folder {number}"})
    page = ask.get("/mailFolders/inbox/childFolders")
    rest = ask("GET", page["@odata.nextLink"]).json()
    assert (len(page["value"]), len(rest["value"])) == (10, 2)


def test_marks_are_written_and_the_text_of_a_received_mail_is_not(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(mail("To be marked"), [N2K])
    message = ask.get("/mailFolders/inbox/messages")["value"][0]
    marks = {
        "categories": ["N2K: recorded"],
        "isRead": True,
        "flag": {"flagStatus": "flagged"},
        "importance": "high",
    }
    changed = ask("PATCH", f"/messages/{message['id']}", json=marks).json()
    assert {name: changed[name] for name in marks} == marks
    assert changed["changeKey"] != message["changeKey"]
    assert inbox_of(sandbox, N2K)[0].categories == ["N2K: recorded"]
    for body, code in (({"subject": "Forged"}, "ErrorInvalidPropertySet"), ({"size": 3}, "RequestBodyRead")):
        assert ask.error(ask("PATCH", f"/messages/{message['id']}", json=body)) == (400, code)


def test_a_deleted_mail_lies_in_deleted_items_before_it_is_gone(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(mail("Spam"), [N2K])
    for folder in ("inbox", "deleteditems"):
        message = ask.get(f"/mailFolders/{folder}/messages")["value"][0]
        assert ask("DELETE", f"/messages/{message['id']}").status_code == 204
    assert ask.subjects("/messages") == []


def test_a_draft_keeps_everything_it_was_given(ask: Asker) -> None:
    picture = {"name": "sign.png", "contentType": "image/png", "isInline": True, "contentId": "sign"}
    draft = ask.draft(
        internetMessageId="<chosen@agent.example>",
        ccRecipients=[recipient(N2K)],
        singleValueExtendedProperties=[{"id": KEY, "value": "chase-1"}],
        internetMessageHeaders=[{"name": "X-Auto-Response-Suppress", "value": "OOF, AutoReply"}],
        attachments=[
            {"@odata.type": "#microsoft.graph.fileAttachment", **picture, "contentBytes": "iVBORw=="},
        ],
    )
    assert draft["isDraft"] is True
    assert draft["internetMessageId"] == "<chosen@agent.example>"
    expand = f"singleValueExtendedProperties($filter=id eq '{KEY}')"
    found = ask.get(
        "/messages",
        filter=f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq 'chase-1')",
        select="id,isDraft",
        expand=expand,
    )["value"]
    assert [one["id"] for one in found] == [draft["id"]]
    assert found[0]["singleValueExtendedProperties"] == [{"id": KEY, "value": "chase-1"}]
    content = ask("GET", f"/messages/{draft['id']}/$value").content
    parsed = message_from_bytes(content, policy=policy.default)
    assert parsed["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    kinds = [part.get_content_type() for part in parsed.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]


def test_the_name_of_a_property_is_case_sensitive_and_its_value_is_not(ask: Asker) -> None:
    ask.draft(singleValueExtendedProperties=[{"id": KEY, "value": "chase-1"}])
    for name, value, found in ((KEY, "CHASE-1", 1), (KEY.replace("AgentKey", "agentkey"), "chase-1", 0)):
        filter_text = f"singleValueExtendedProperties/Any(ep: ep/id eq '{name}' and ep/value eq '{value}')"
        assert len(ask.get("/messages", filter=filter_text)["value"]) == found


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            {"internetMessageHeaders": [{"name": f"x-{n}", "value": "1"} for n in range(6)]},
            "InvalidInternetMessageHeaderCollection",
        ),
        (
            {"internetMessageHeaders": [{"name": "Auto-Submitted", "value": "1"}]},
            "InvalidInternetMessageHeader",
        ),
        ({"shoeSize": 44}, "RequestBodyRead"),
        ({"singleValueExtendedProperties": [{"id": "Key", "value": "1"}]}, "ErrorInvalidProperty"),
    ],
)
def test_a_draft_that_breaks_a_rule_is_refused_and_not_kept(
    sandbox: Sandbox, ask: Asker, body: Any, code: str
) -> None:
    assert ask.error(ask.post("/messages", body)) == (400, code)
    assert sandbox.tenant.mailbox(N2K).messages() == []


def test_a_draft_can_be_given_as_mime(ask: Asker) -> None:
    content = base64.b64encode(mail("As MIME", N2K, Auto_Submitted="auto-generated"))
    made = ask("POST", "/messages", data=content, headers={"Content-Type": "text/plain"})
    assert made.status_code == 201
    written = ask("GET", f"/messages/{made.json()['id']}/$value").text
    assert "Auto-Submitted: auto-generated" in written
    assert made.json()["subject"] == "As MIME"


def test_a_reply_keeps_the_conversation_and_goes_to_who_asked_to_be_answered(
    sandbox: Sandbox, ask: Asker
) -> None:
    sandbox.tenant.deliver(
        mail("Question", Message_ID="<q@x.example>", Reply_To="desk@nctrust.example"), [N2K]
    )
    original = ask.get("/mailFolders/inbox/messages")["value"][0]
    reply = ask.post(f"/messages/{original['id']}/createReply", {"comment": "Thank you"}).json()
    assert reply["subject"] == "RE: Question"
    assert reply["conversationId"] == original["conversationId"]
    assert reply["toRecipients"][0]["emailAddress"]["address"] == "desk@nctrust.example"
    assert reply["body"]["content"].startswith("<html><body>Thank you<hr>")
    written = ask("GET", f"/messages/{reply['id']}/$value").text
    assert "In-Reply-To: <q@x.example>" in written
    both = {"comment": "x", "message": {"body": html("y")}}
    refused = ask.post(f"/messages/{original['id']}/createReply", both)
    assert ask.error(refused) == (400, "ErrorInvalidRequest")


def test_received_headers_are_shown_only_when_selected(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(mail("Newsletter", List_Unsubscribe="<https://x.example>"), [N2K])
    message = ask.get("/mailFolders/inbox/messages")["value"][0]
    assert "internetMessageHeaders" not in message
    headers = ask.get(f"/messages/{message['id']}", select="internetMessageHeaders")["internetMessageHeaders"]
    assert {"name": "List-Unsubscribe", "value": "<https://x.example>"} in headers


def test_a_forged_mark_of_exchange_is_dropped_and_a_spoofed_sender_shows(sandbox: Sandbox) -> None:
    forged = mail("Trust me", **{"X-MS-Exchange-Organization-AuthAs": "Internal"})
    arrived = sandbox.tenant.deliver(forged, [N2K], authentication="fail")[0]
    written = written_afresh(arrived).decode()
    assert "AuthAs: Internal" not in written
    assert "dmarc=fail" in written


def test_settings_tell_purpose_and_automatic_replies(sandbox: Sandbox, ask: Asker) -> None:
    assert ask.get("/mailboxSettings")["userPurpose"] == "shared"
    sandbox.tenant.mailbox(N2K).automatic_reply = "Away"
    sandbox.tenant.mailbox(N2K).automatic_reply_until = MONDAY + timedelta(days=1)
    assert ask.get("/mailboxSettings")["automaticRepliesSetting"]["status"] == "scheduled"
    sandbox.tenant.clock.advance(timedelta(days=2))
    assert ask.get("/mailboxSettings")["automaticRepliesSetting"]["status"] == "disabled"


def test_an_unknown_address_and_a_wrong_method_are_errors_in_graphs_shape(ask: Asker) -> None:
    unknown = ask("GET", "/shoes")
    assert ask.error(unknown) == (400, "BadRequest")
    told = unknown.json()["error"]["innerError"]
    assert told["date"] == "2026-03-02T09:00:00"
    assert told["request-id"] == unknown.headers["request-id"]
    assert ask("DELETE", "/mailFolders").status_code == 405


def test_ids_in_brackets_are_the_same_address(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(mail("One"), [N2K])
    assert ask.subjects("/mailFolders('inbox')/messages") == ["One"]


def test_an_overlong_request_is_refused(ask: Asker) -> None:
    assert ask.post("/messages", {"subject": "x" * (4 * 1024 * 1024)}).status_code == 413
