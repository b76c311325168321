"""Mail that is carried: sent and delivered, bounced, answered by machines, and copies that come late."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from agent.sandbox.mime import written_afresh
from agent.sandbox.server import Sandbox
from tests.sandbox.mail_world import ALICE, BOB, KEY, MONDAY, N2K, Asker, html, inbox_of, mail, recipient

SENT = "/mailFolders/sentitems/messages"


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def send(ask: Asker, draft_id: str) -> None:
    response = ask.post(f"/messages/{draft_id}/send")
    assert (response.status_code, response.content) == (202, b"")


def test_a_sent_draft_reaches_a_colleague_who_can_answer_it(sandbox: Sandbox, ask: Asker) -> None:
    draft = ask.draft("Please update", ALICE)
    send(ask, draft["id"])
    (arrived,) = inbox_of(sandbox, ALICE)
    assert (arrived.subject, arrived.sender, arrived.to) == ("Please update", N2K, (ALICE,))
    written = parsed(written_afresh(arrived))
    assert written["Message-ID"] == draft["internetMessageId"]
    text = written.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "Hello"
    answer = mail("RE: Please update", ALICE, In_Reply_To=written["Message-ID"])
    (reply,) = sandbox.tenant.deliver(answer, [N2K])
    assert reply.conversation_id == draft["conversationId"]


def test_sending_changes_every_id_but_the_internet_message_id(sandbox: Sandbox, ask: Asker) -> None:
    """Even the immutable one: whoever keyed on it finds 404."""
    made = ask.post(
        "/messages",
        {
            "subject": "Once",
            "toRecipients": [recipient(ALICE)],
            "singleValueExtendedProperties": [{"id": KEY, "value": "chase-1"}],
        },
        immutable=True,
    ).json()
    send(ask, made["id"])
    assert ask.error(ask("GET", f"/messages/{made['id']}")) == (404, "ErrorItemNotFound")
    by_key = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq 'chase-1')"
    (copy,) = ask.get("/messages", immutable=True, filter=by_key)["value"]
    assert copy["id"] != made["id"]
    assert copy["internetMessageId"] == made["internetMessageId"]
    assert copy["isDraft"] is False
    assert copy["parentFolderId"] == ask.get("/mailFolders/sentitems")["id"]


def test_some_tenants_replace_the_internet_message_id(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.habits.keeps_message_ids = False
    draft = ask.draft()
    send(ask, draft["id"])
    (copy,) = ask.get(SENT)["value"]
    assert copy["internetMessageId"] != draft["internetMessageId"]


def test_the_copy_in_sent_items_may_come_late(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.habits.sent_copy_after = 60
    send(ask, ask.draft()["id"])
    assert len(inbox_of(sandbox, ALICE)) == 1
    assert ask.subjects("/messages") == []
    sandbox.tenant.clock.advance(timedelta(seconds=61))
    assert ask.subjects(SENT) == ["A letter"]


def test_a_draft_may_still_lie_in_drafts_although_the_mail_has_gone_out(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.habits.sent_copy_after, sandbox.tenant.habits.draft_lingers = 60, True
    draft = ask.draft()
    send(ask, draft["id"])
    assert len(inbox_of(sandbox, ALICE)) == 1
    assert ask.get(f"/messages/{draft['id']}")["isDraft"] is True
    assert ask.subjects(SENT) == []
    sandbox.tenant.clock.advance(timedelta(seconds=60))
    assert ask.error(ask("GET", f"/messages/{draft['id']}")) == (404, "ErrorItemNotFound")
    assert ask.subjects(SENT) == ["A letter"]


def test_an_unknown_colleague_brings_a_report_that_names_the_mail(sandbox: Sandbox, ask: Asker) -> None:
    headers = [{"name": "x-agent-key", "value": "chase-1"}]
    draft = ask.draft("To nobody", "nobody@nctrust.example", internetMessageHeaders=headers)
    send(ask, draft["id"])
    (report,) = inbox_of(sandbox, N2K)
    written = parsed(written_afresh(report))
    assert written["Subject"] == "Undeliverable: To nobody"
    assert written.get_content_type() == "multipart/report"
    assert written["X-MS-Exchange-Message-Is-Ndr"] == ""
    assert written["In-Reply-To"] == draft["internetMessageId"]
    assert written["Auto-Submitted"] == "auto-replied"
    assert written["Return-Path"] == "<>"
    kinds = [part.get_content_type() for part in written.iter_parts()]
    assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"]
    whole = written_afresh(report).decode()
    assert "Final-Recipient: rfc822;nobody@nctrust.example" in whole
    assert "Status: 5.1.10" in whole
    assert "x-agent-key: chase-1" in whole
    expand = "singleValueExtendedProperties($filter=id eq 'String 0x001A')"
    (shown,) = ask.get("/mailFolders/inbox/messages", expand=expand)["value"]
    assert shown["singleValueExtendedProperties"][0]["value"] == "REPORT.IPM.Note.NDR"
    assert shown["conversationId"] == draft["conversationId"]


def test_one_bad_address_does_not_keep_the_others_from_their_mail(sandbox: Sandbox, ask: Asker) -> None:
    people = [recipient(address) for address in (ALICE, "nobody@nctrust.example", BOB, ALICE.upper())]
    send(ask, ask.draft(toRecipients=people)["id"])
    assert [len(inbox_of(sandbox, who)) for who in (ALICE, BOB, N2K)] == [1, 1, 1]


def test_mail_to_the_world_outside_is_remembered(sandbox: Sandbox, ask: Asker) -> None:
    send(ask, ask.draft(to="partner@elsewhere.example")["id"])
    (left,) = sandbox.tenant.outside
    assert (left.to, left.sent_at) == ("partner@elsewhere.example", MONDAY)
    assert inbox_of(sandbox, N2K) == []


def test_somebody_away_answers_each_sender_once_until_they_are_back(sandbox: Sandbox, ask: Asker) -> None:
    alice = sandbox.tenant.mailbox(ALICE)
    alice.automatic_reply = "I am on leave."
    alice.automatic_reply_until = MONDAY + timedelta(days=2)
    for _ in range(2):
        draft = ask.draft("Please update")
        send(ask, draft["id"])
    (answer,) = inbox_of(sandbox, N2K)
    written = parsed(written_afresh(answer))
    assert written["Subject"] == "Automatic reply: Please update"
    assert written["Auto-Submitted"] == "auto-replied"
    assert written["X-Auto-Response-Suppress"] == "All"
    sandbox.tenant.deliver(mail("Hello", BOB), [ALICE])
    assert len(inbox_of(sandbox, BOB)) == 1
    sandbox.tenant.clock.advance(timedelta(days=3))
    sandbox.tenant.deliver(mail("Hello", "new@elsewhere.example"), [ALICE])
    assert sandbox.tenant.outside == []


def test_machines_are_not_answered(sandbox: Sandbox) -> None:
    sandbox.tenant.mailbox(ALICE).automatic_reply = "Away"
    for headers in (
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "OOF, AutoReply"},
        {"X_Auto_Response_Suppress": "All"},
    ):
        sandbox.tenant.deliver(mail("From a machine", BOB, **headers), [ALICE])
    assert inbox_of(sandbox, BOB) == []


def test_two_who_are_away_do_not_answer_each_other_for_ever(sandbox: Sandbox) -> None:
    for address in (ALICE, BOB):
        sandbox.tenant.mailbox(address).automatic_reply = "Away"
    sandbox.tenant.deliver(mail("Hello", BOB), [ALICE])
    assert len(inbox_of(sandbox, BOB)) == 1
    assert len(inbox_of(sandbox, ALICE)) == 1


def test_blind_copies_are_delivered_and_not_named(sandbox: Sandbox, ask: Asker) -> None:
    send(ask, ask.draft(bccRecipients=[recipient(BOB)])["id"])
    (arrived,) = inbox_of(sandbox, BOB)
    assert BOB not in written_afresh(arrived).decode()


def test_send_mail_leaves_a_copy_unless_told_otherwise(sandbox: Sandbox, ask: Asker) -> None:
    message = {"subject": "At once", "toRecipients": [recipient(ALICE)], "body": html("x")}
    for body in ({"message": message}, {"message": message, "saveToSentItems": False}):
        assert ask.post("/sendMail", body).status_code == 202
    assert len(inbox_of(sandbox, ALICE)) == 2
    assert ask.subjects("/messages") == ["At once"]


def test_what_cannot_be_sent_is_refused_and_stays_a_draft(sandbox: Sandbox, ask: Asker) -> None:
    letter = {"toRecipients": [recipient(ALICE)], "from": recipient(BOB)}
    as_bob = ask.post("/messages", letter).json()
    cases = [
        (ask.draft(toRecipients=[]), (400, "ErrorInvalidRecipients")),
        (ask.draft(to="not an address"), (400, "ErrorInvalidRecipients")),
        (as_bob, (403, "ErrorSendAsDenied")),
    ]
    for draft, expected in cases:
        assert ask.error(ask.post(f"/messages/{draft['id']}/send")) == expected
    assert len(sandbox.tenant.mailbox(N2K).messages("drafts")) == len(cases)
    sandbox.tenant.deliver(mail("Received"), [N2K])
    received = ask.get("/mailFolders/inbox/messages")["value"][0]["id"]
    assert ask.post(f"/messages/{received}/send").status_code == 400
