"""Everything the sandbox says about mail has the shape that Microsoft publishes for it, whatever the mail."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from agent.sandbox.faults import Fault
from agent.sandbox.mime import written_afresh
from agent.sandbox.server import Sandbox
from agent.sandbox.stored import StoredMessage
from tests.published_contract import contract, needs_contract, problems_of
from tests.sandbox.mail_world import ALICE, KEY, N2K, Asker, html, mail, recipient
from tests.sandbox.test_messages import with_papers

SHARED = Path(__file__).parents[2] / "../shared"
needs_corpus = pytest.mark.skipif(
    not (SHARED / "corpus/mail").exists(),
    reason="the corpus of real-world mails (../shared/corpus) is not beside this checkout",
)
FILE = "#microsoft.graph.fileAttachment"


def tour(sandbox: Sandbox, ask: Asker) -> None:
    """Do everything once: read, file, mark, draft, answer, send, poll; in good and in bad weather."""
    reading(sandbox, ask)
    filing(ask)
    writing(sandbox, ask)
    polling(sandbox, ask)
    failing(sandbox, ask)


def reading(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.deliver(with_papers(), [N2K])
    meeting = mail("Meeting", Content_Type="text/calendar", body="BEGIN:VCALENDAR\nEND:VCALENDAR")
    sandbox.tenant.deliver(meeting, [N2K])
    sandbox.tenant.deliver(mail("Plain", Message_ID="<plain@x.example>"), [N2K])
    for number in range(12):
        sandbox.tenant.deliver(mail(f"Mail {number}"), [N2K])
    page = ask.get("/messages")
    ask("GET", page["@odata.nextLink"])
    ask.get("/mailFolders/inbox/messages", top="50", orderby="receivedDateTime desc", count="true")
    ask.get("/messages", filter="internetMessageId eq '<plain@x.example>'", select="id,subject,isDraft")
    ask.get(
        "/messages",
        filter="isRead eq false and receivedDateTime ge 2026-03-02T00:00:00Z",
        expand="attachments",
    )
    for message in ask.get("/mailFolders/inbox/messages", top="50", select="id")["value"][-3:]:
        one = f"/messages/{message['id']}"
        ask.get(one)
        ask.get(one, select="internetMessageHeaders,uniqueBody,categories")
        ask("GET", one, headers={"Prefer": 'outlook.body-content-type="text"'})
        ask("GET", one, headers={"Prefer": "outlook.allow-unsafe-html"})
        ask("GET", f"{one}/$value")
        for attached in ask.get(f"{one}/attachments")["value"]:
            ask.get(f"{one}/attachments/{attached['id']}")
            ask("GET", f"{one}/attachments/{attached['id']}/$value")
        ask.get(f"{one}/attachments", select="id,name,contentType,size,isInline,lastModifiedDateTime")
    ask.get("/mailboxSettings")


def filing(ask: Asker) -> None:
    ask.get("/mailFolders")
    ask("GET", "/mailFolders?includeHiddenFolders=true&$top=50")
    ask.get("/mailFolders/inbox")
    made = ask.post("/mailFolders/inbox/childFolders", {"displayName": "Alerts"}).json()
    ask.post("/mailFolders/inbox/childFolders", {"displayName": "Alerts"})
    ask.post("/mailFolders", {"displayName": "Top"})
    ask.get("/mailFolders/inbox/childFolders", filter="displayName eq 'Alerts'", select="id,displayName")
    message = ask.get("/mailFolders/inbox/messages")["value"][0]
    ask("PATCH", f"/messages/{message['id']}", json={"categories": ["Recorded"], "isRead": True})
    moved = ask.post(f"/messages/{message['id']}/move", {"destinationId": made["id"]}, immutable=True).json()
    ask.post(f"/messages/{moved['id']}/copy", {"destinationId": "archive"})
    ask("DELETE", f"/messages/{moved['id']}")


def writing(sandbox: Sandbox, ask: Asker) -> None:
    picture = {"@odata.type": FILE, "name": "a.png", "contentType": "image/png", "contentBytes": "iVBORw=="}
    draft = ask.draft(
        ccRecipients=[recipient(N2K)],
        importance="high",
        internetMessageId="<chosen@agent.example>",
        singleValueExtendedProperties=[{"id": KEY, "value": "chase-1"}],
        internetMessageHeaders=[{"name": "x-agent", "value": "1"}],
        attachments=[{**picture, "isInline": True, "contentId": "a"}],
    )
    ask("PATCH", f"/messages/{draft['id']}", json={"subject": "Better", "body": html("<p>x</p>")})
    ask.post(f"/messages/{draft['id']}/attachments", {**picture, "isInline": False})
    ask.get(
        "/messages",
        filter=f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq 'chase-1')",
        select="id,isDraft,internetMessageId,sentDateTime",
        expand=f"singleValueExtendedProperties($filter=id eq '{KEY}')",
    )
    ask.post(f"/messages/{draft['id']}/send")
    ask.post(
        "/sendMail", {"message": {"subject": "x", "toRecipients": [recipient("nobody@nctrust.example")]}}
    )
    sandbox.tenant.mailbox(ALICE).automatic_reply = "Away"
    ask.post(
        "/sendMail",
        {"message": {"subject": "y", "toRecipients": [recipient(ALICE)]}, "saveToSentItems": False},
    )
    for message in ask.get("/mailFolders/inbox/messages", top="3")["value"]:
        ask.get(f"/messages/{message['id']}", select="internetMessageHeaders")
    for kind in ("createReply", "createReplyAll", "createForward"):
        ask.post(f"/messages/{message['id']}/{kind}", {"comment": "See below"})


def polling(sandbox: Sandbox, ask: Asker) -> None:
    box = sandbox.tenant.mailbox(N2K)
    for immutable in (True, False):
        _, link = ask.delta(immutable=immutable, size=4)
        messages = box.messages("inbox")
        box.mark_read(messages[0])
        box.move(messages[1], "archive")
        box.remove(messages[2])
        ask.delta(link, immutable=immutable)
    sandbox.tenant.habits.empty_pages = 1
    delta = "/mailFolders/inbox/messages/delta"
    ask("GET", delta + "?$filter=receivedDateTime ge 2026-03-01T00:00:00Z&$top=5")
    sandbox.tenant.evict_delta_tokens()
    ask("GET", link)


def failing(sandbox: Sandbox, ask: Asker) -> None:
    for status in (401, 403, 404, 409, 410, 429, 500, 503, 504):
        sandbox.tenant.faults.add(Fault(path="/messages$", status=status, retry_after=1))
        ask("GET", "/messages")
    ask("GET", "/messages/nonsense")
    ask("GET", "/mailFolders/nonsense")
    ask("GET", "/messages", headers={"Authorization": "Bearer nonsense"})
    sandbox.app.exchange_roles.clear()
    ask("GET", "/messages")
    ask.post("/sendMail", {"message": {"subject": "x"}})


@needs_contract
def test_a_tour_of_the_mail_part_keeps_the_published_contract_in_both_directions(
    sandbox: Sandbox, ask: Asker
) -> None:
    tour(sandbox, ask)
    entries = sandbox.tenant.log.entries
    assert len(entries) > 80
    assert {entry.status for entry in entries} >= {200, 201, 202, 204, 401, 403, 404, 409, 410, 429, 504}
    assert [problem for entry in entries for problem in problems_of(entry)] == []


@needs_contract
@needs_corpus
@pytest.mark.parametrize("room", ["mail", "bounces"])
def test_every_mail_of_the_real_world_is_taken_in_and_shown(sandbox: Sandbox, ask: Asker, room: str) -> None:
    files = sorted((SHARED / "corpus" / room).glob("*.eml"))
    for path in files:
        sandbox.tenant.clock.advance(timedelta(seconds=1))
        sandbox.tenant.deliver(path.read_bytes(), [N2K])
    link = ask.user + "/mailFolders/inbox/messages?$top=100&$expand=attachments"
    shown = 0
    problems: list[str] = []
    while link:
        answer = ask("GET", link)
        assert answer.status_code == 200, answer.text
        problems += contract().check_response("GET", link, 200, answer.json())
        shown += len(answer.json()["value"])
        link = answer.json().get("@odata.nextLink", "")
    assert (shown, problems) == (len(files), [])


@needs_corpus
@pytest.mark.parametrize("room", ["mail", "bounces"])
def test_the_mime_of_every_mail_of_the_real_world_says_what_arrived(sandbox: Sandbox, room: str) -> None:
    """The same parts in the same order with the same content, under the headers Exchange adds."""
    unlike = []
    for path in sorted((SHARED / "corpus" / room).glob("*.eml")):
        raw = path.read_bytes()
        (stored,) = sandbox.tenant.deliver(raw, [N2K])
        if parts(raw) != parts(written_afresh(stored)) or not added_headers(stored):
            unlike.append(path.name)
    assert unlike == []


def parts(raw: bytes) -> list[tuple[str, str | None, bytes]]:
    """What the mail holds, blind to white space: Exchange ends and folds lines in its own way."""
    told: list[tuple[str, str | None, bytes]] = []
    for part in message_from_bytes(raw).walk():
        content = part.get_payload(decode=True)
        name = " ".join((part.get_filename() or "").split())
        kind = " ".join(part.get_content_type().split())
        told.append((kind, name, b"".join(content.split()) if isinstance(content, bytes) else b""))
    return told


def added_headers(stored: StoredMessage) -> bool:
    written = message_from_bytes(written_afresh(stored))
    return all(written[name] is not None for name in ("Received", "Authentication-Results", "Message-ID"))
