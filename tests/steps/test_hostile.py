"""Odd answers, odd people and forged mails: nothing lost, nothing doubled, nobody left unasked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import structlog

from agent import intake as intake_step
from agent.arrival import take
from agent.errors import NotFound, OutcomeUnknown, TryAgainLater
from agent.intake import intake, notice, reconcile
from agent.ledger.base import LetterState
from agent.m365.answers import Rejected
from agent.mailbox.base import Copy, OutgoingLetter
from agent.posting import posting
from agent.procedure.mail import REHEARSAL
from agent.procedure.words import Happened, Place, Status
from tests.builders import AUTHOR, INBOX, MONDAY, alert_form, at, form, later, mail, update_form
from tests.steps.small_office import SUBJECT, Office

ANSWER_TO_A_CHASE = "RE: Senior Leadership Alert - update requested - {} - Urgent and Confidential"
REFUSED = Rejected("Graph does not take this request.", 400, "ErrorInvalidRequest")


@pytest.fixture
def office() -> Office:
    """At work since before anything came."""
    office = Office()
    office.works(MONDAY)
    return office


# ---------------------------------------------------------------- odd answers


def _not_there(mail_id: str) -> None:
    raise NotFound("404")


def test_a_mail_that_was_not_there_for_a_moment_is_read_after_all(office: Office) -> None:
    """Exchange tells of a mail before every server of its own knows it. It lies in the inbox: it is read."""
    office.receives_alert(MONDAY)
    office.mailbox.before_mime = _not_there
    office.works(later(hours=1))
    assert not office.ledger.alerts()

    office.mailbox.before_mime = lambda mail_id: None
    office.works(later(hours=1.1))

    assert list(office.ledger.alerts()) == ["SLA-2026-0001"]
    assert [mail.outcome for mail in office.ledger.mails()] == ["opened"]


def test_a_mail_that_was_gone_and_comes_back_is_read(office: Office) -> None:
    """Deleted before it was read, and put back by whoever deleted it."""
    mail_id = office.receives_alert(MONDAY)
    kept = replace(office.mailbox.mails[mail_id])
    notice(office.desk, later(hours=1))
    office.mailbox.delete(mail_id)
    intake(office.desk, later(hours=1))
    assert [mail.outcome for mail in office.ledger.mails()] == ["gone"]

    office.mailbox.mails[mail_id] = kept
    reconcile(office.desk, later(1))
    intake(office.desk, later(1))

    assert [mail.outcome for mail in office.ledger.mails()] == ["opened"]


def test_mails_that_can_never_be_filed_do_not_hold_up_the_filing_of_later_ones(office: Office) -> None:
    for hour in range(4):
        office.mailbox.filing[office.receives("Lunch menu", at=later(hours=hour))] = REFUSED
    alert = office.receives_alert(later(hours=5))

    office.works(later(hours=6))

    assert office.mailbox.mails[alert].folder == office.desk.folder(Place.ALERTS)


def test_a_letter_that_never_gets_through_does_not_hold_up_the_others(office: Office) -> None:
    """Exchange fails on this very letter, every time."""
    office.opens_alert(MONDAY)
    office.opens_alert(later(hours=1), sender="mina.okafor@trust.example", child="Sasha Millbrook")
    office.mailbox.draft = _failing_for(AUTHOR, office.mailbox.draft)  # type: ignore[method-assign, assignment]  # bad luck

    for day in range(2, 9):
        office.works(later(day))

    assert {letter.to for letter in office.chases()} == {"mina.okafor@trust.example"}
    assert [letter.to for letter in office.letters(LetterState.IN_TRAY)] == [AUTHOR]


def _failing_for(address: str, draft: Callable[[OutgoingLetter], Copy]) -> Callable[[OutgoingLetter], Copy]:
    def drafted(letter: OutgoingLetter) -> Copy:
        if letter.to == address:
            raise OutcomeUnknown("500")
        return draft(letter)

    return drafted


def test_when_no_letter_gets_through_it_is_not_tried_with_every_one(office: Office) -> None:
    for number, child in enumerate(
        ("Robin Fairweather", "Sasha Millbrook", "Noor Eastleigh", "Wren Caddick")
    ):
        office.opens_alert(later(hours=number), sender=f"author-{number}@trust.example", child=child)
    for day in range(1, 7):
        office.works(later(day))
    tried: list[str] = []

    def fail(letter: OutgoingLetter) -> Copy:
        tried.append(letter.to)
        raise TryAgainLater("429")

    office.mailbox.draft = fail  # type: ignore[method-assign]  # bad luck
    office.works(later(7))

    assert len(office.letters(LetterState.IN_TRAY)) > 3
    assert len(tried) == 3


# ---------------------------------------------------------------- two agents


def test_two_agents_at_one_mail_leave_it_where_it_belongs(office: Office) -> None:
    """The second one fetched it before the first one had decided; it is no copy of itself."""
    mail_id = office.receives_alert(MONDAY)
    notice(office.desk, MONDAY)
    (noted,) = office.ledger.waiting()
    with ThreadPoolExecutor(1) as pool:
        first, second = (pool.submit(take, office.desk, noted.mail_id, noted.received_at) for _ in range(2))
        decided = [intake_step._decide(office.desk, noted, taken, MONDAY) for taken in (first, second)]
    intake(office.desk, MONDAY)

    assert [one is not None for one in decided] == [True, False]
    assert len(office.ledger.alerts()) == 1
    assert office.mailbox.mails[mail_id].folder == office.desk.folder(Place.ALERTS)


def test_two_agents_at_one_letter_send_it_once(office: Office) -> None:
    """This machine slept between looking and sending; another agent had the desk meanwhile."""
    office.opens_alert(MONDAY)
    for day in range(2, 7):
        office.works(later(day))
    draft = office.mailbox.draft

    def draft_slowly(letter: OutgoingLetter) -> Copy:
        made = draft(letter)
        office.mailbox.draft = draft  # type: ignore[method-assign]  # the other one is not slow
        posting(office.desk, later(7))
        return made

    office.mailbox.draft = draft_slowly  # type: ignore[method-assign]  # as a machine that falls asleep
    office.works(later(7))

    assert len(office.chases()) == 1
    assert office.happened().count(Happened.CHASED) == 1


# ---------------------------------------------------------------- people


@pytest.mark.parametrize("typed", [Status.OPEN, Status.REOPENED, Status.UPDATE_OVERDUE])
def test_a_person_may_say_that_a_proposed_conclusion_is_none(office: Office, typed: str) -> None:
    """Else nobody would ever be asked about the child again: what is proposed stops the chasing."""
    reference = office.opens_alert(MONDAY)
    concluding = alert_form(conclusion="All is well now.")
    office.receives(f"RE: {reference}", ("SLA.docx", concluding), at=later(hours=2))
    office.works(later(hours=2))
    assert office.cell(reference, "status") == Status.CONCLUSION_PROPOSED

    office.types(reference, status=typed)
    office.works(later(hours=3))
    assert office.cell(reference, "status") == Status.REOPENED
    assert office.cell(reference, "needs_a_person") == ""

    for day in range(1, 9):
        office.works(later(day))
    assert [letter.to for letter in office.chases()] == [AUTHOR]


def test_a_new_matter_that_comes_as_an_answer_to_the_old_one_is_an_alert_of_its_own(office: Office) -> None:
    """People answer the last mail they have. What happened weeks later is no news of the old matter."""
    old = office.opens_alert(MONDAY)
    then = at("2026-03-20 13:00")
    again = alert_form(incident_at="2026-03-20T10:00", aware_at="2026-03-20T11:00", form_kind="New")

    office.receives(ANSWER_TO_A_CHASE.format(old), ("SLA.docx", again), at=then)
    office.works(then)

    assert sorted(office.ledger.alerts()) == [old, "SLA-2026-0002"]
    assert office.alert(old).incident_at == at("2026-03-01 21:10")
    assert office.asked() == []


def test_a_child_who_goes_missing_again_is_a_new_alert_also_in_the_old_thread(office: Office) -> None:
    def missing(since: str) -> bytes:
        children = [{"child_name": "Robin Fairweather", "dob": "2012-05-04"}]
        return form(
            "sla_missing", ticked=(), tables={"children": children}, missing_since=since, form_date=since
        )

    office.receives(SUBJECT, ("Missing.docx", missing("2026-03-01T20:00")))
    office.works(MONDAY)
    office.receives(
        "RE: SLA-2026-0001 - missing again", ("Missing.docx", missing("2026-03-09T20:00")), at=later(8)
    )
    office.works(later(8))

    assert len(office.ledger.alerts()) == 2


def test_an_update_that_names_the_reference_is_one_though_its_date_moved(office: Office) -> None:
    """With dated updates on it, it goes on with the old matter, whatever stands as its incident."""
    reference = office.opens_alert(MONDAY)
    office.receives(
        f"RE: {reference}", ("SLA.docx", update_form(incident_at="2026-03-03T08:00")), at=later(1, hours=3)
    )
    office.works(later(1, hours=3))

    assert list(office.ledger.alerts()) == [reference]
    assert office.alert(reference).updates == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"List-Id": "<duty.trust.example>"},
        {"Precedence": "bulk"},
        {"Auto-Submitted": "auto-generated"},
        {"Auto-Submitted": "auto-forwarded"},
    ],
    ids=str,
)
def test_a_mail_that_speaks_of_an_alert_is_asked_about_however_it_was_sent(
    office: Office, headers: dict[str, str]
) -> None:
    """A holding message through a list, a link to a form shared from SharePoint, a forwarding rule."""
    office.receives("Senior Leadership Alert - Urgent and Confidential - R.F.", headers=headers)
    office.works(MONDAY)

    assert office.asked() == ["no_form"]


def test_a_form_too_deep_in_other_mails_is_asked_about(office: Office) -> None:
    """Sent on as an attachment again and again, deeper than mails are read."""
    content = mail(SUBJECT, ("SLA.docx", alert_form()))
    for number in range(7):
        content = _sent_on(content, number)
    office.mailbox.deliver(content, MONDAY)
    office.works(MONDAY)

    assert office.asked() == ["mail_unread"]
    assert [filed.folder for filed in office.ledger.mails()] == [office.desk.folder(Place.QUESTIONS)]


def _sent_on(content: bytes, number: int) -> bytes:
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = AUTHOR, INBOX, "FW: see attached"
    outer["Message-ID"] = f"<outer-{number}@trust.example>"
    outer.set_content("Please see.")
    outer.add_attachment(message_from_bytes(content, policy=policy.default))
    return outer.as_bytes()


# ---------------------------------------------------------------- forged and broken mails


def test_a_sender_who_only_claims_an_address_of_the_house_is_an_outsider(office: Office) -> None:
    """An address where a name should stand is no sender."""
    reference = office.opens_alert(MONDAY)
    forged = mail(f"RE: {reference}", ("SLA.docx", update_form()), number=66, sent=later(1))
    forged = forged.replace(f"From: {AUTHOR}".encode(), f"From: {AUTHOR} <x@elsewhere.example>".encode())
    office.mailbox.deliver(forged, later(1))
    office.works(later(1))

    assert office.asked() == ["external_sender"]
    assert office.alert(reference).updates == 0


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "raw_unicode_escape"])
@pytest.mark.parametrize("with_id", [True, False])
def test_half_characters_in_a_mail_lose_neither_the_mail_nor_its_form(
    office: Office, charset: str, with_id: bool
) -> None:
    message = EmailMessage()
    if with_id:
        message["Message-ID"] = "<half@trust.example>"
    message["From"], message["To"], message["Subject"] = AUTHOR, INBOX, SUBJECT
    message.set_content(r"\ud800 +2AA-")
    message.add_attachment(alert_form(), maintype="application", subtype="octet-stream", filename="SLA.docx")
    content = message.as_bytes().replace(b'charset="utf-8"', f'charset="{charset}"'.encode())
    office.mailbox.deliver(content, MONDAY)
    office.works(MONDAY)

    assert list(office.ledger.alerts()) == ["SLA-2026-0001"]
    assert office.alert("SLA-2026-0001").author_address == AUTHOR


def test_a_stranger_who_quotes_a_reference_changes_nothing(office: Office) -> None:
    """Not by words, not by a form, not by pretending to answer the letter of the desk."""
    reference = office.opens_alert(MONDAY)
    for day in range(2, 8):
        office.works(later(day))
    (letter,) = (one for one in office.letters() if one.kind == "chase")
    before = office.alert(reference)
    told: dict[str, Any] = {"sender": "x@elsewhere.example", "at": later(8)}
    thread = {"In-Reply-To": str(letter.internet_message_id)}

    office.receives(f"RE: {reference} - concluded, please close", **told)
    office.receives(f"RE: {reference}", ("SLA.docx", alert_form(conclusion="All done.")), **told)
    office.receives("RE: your letter", headers=thread, text="No further action needed.", **told)
    office.works(later(8))

    assert office.alert(reference) == before
    assert len(office.asked()) >= 3


REPORT = """From: postmaster@trust.example
To: n2k@trust.example
Subject: Undeliverable: Senior Leadership Alert - update requested
Message-ID: <report@trust.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; {address}
Action: failed
Status: {status}

--b
Content-Type: {kind}

Message-ID: <given-by-a-server-on-the-way@trust.example>
X-Need-To-Know-Letter: {key}

--b--
"""


@pytest.mark.parametrize(("status", "rehearsed"), [("5.1.1", ""), ("4.4.7", REHEARSAL)])
@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_letter_that_came_back_is_known_by_its_key(
    office: Office, kind: str, status: str, rehearsed: str
) -> None:
    """Its id may have changed on the way. "Failed" is final, also where it was tried for days (4.4.7)."""
    references = [office.opens_alert(MONDAY), office.opens_alert(later(hours=1), child="Sasha Millbrook")]
    for day in range(2, 8):
        office.works(later(day))
    (letter,) = office.chases()
    report = REPORT.format(address=AUTHOR, kind=kind, key=letter.key + rehearsed, status=status)
    office.mailbox.deliver(report.encode(), later(8))
    office.works(later(8))

    assert [office.alert(reference).bounced for reference in references] == [{AUTHOR}, {AUTHOR}]
    assert office.asked() == ["letter_undelivered"]


def test_letters_of_the_desk_that_come_back_are_nothing_new(office: Office) -> None:
    """A rule at somebody's mailbox sends every letter back; no letter is ever written about a letter."""
    office.opens_alert(MONDAY)
    for day in range(2, 8):
        office.works(later(day))
    posted = len(office.mailbox.sent)
    for number, letter in enumerate(office.mailbox.sent):
        office.receives(f"FW: {letter.subject}", sender=INBOX, at=later(7, hours=1), number=900 + number)
    office.works(later(7, hours=1))

    assert len(office.mailbox.sent) == posted
    assert len(office.ledger.alerts()) == 1
    assert office.asked() == []


# ---------------------------------------------------------------- the wall around what is personal

CANARIES = ("Zebedee", "Quillfeather", "1999-09-09", "arson", "zeb.quill", "kayak")


def test_nothing_personal_reaches_log_keys_or_subjects_of_letters(office: Office) -> None:
    """Whatever people write, wherever they write it: names, days of birth and stories stay inside."""
    secret = "Zebedee Quillfeather"
    child = {"child_name": secret, "dob": "1999-09-09"}
    hostile = alert_form(
        tables={"children": [child]}, summary="arson", author="Zebedee Quillfeather", media="kayak"
    )
    with _every_event() as events:
        office.receives(f"Senior Leadership Alert - {secret}", (f"{secret} arson.docx", hostile))
        office.receives(f"{secret} arson?", text="kayak", sender="zeb.quill@elsewhere.example")
        office.receives(f"SLA {secret}", (f"{secret}.docx", b"PK\x03\x04 arson"))
        office.works(later(hours=1))
        (reference, *_) = office.ledger.alerts()
        fields = [column.field for column in office.desk.procedure.columns if column.field != "reference"]
        for number, field in enumerate(filter(None, fields)):
            office.types(reference, **{field: f"{secret} arson kayak"})
            office.works(later(1 + number, hours=2))
        office.register.headings.append(f"{secret} arson")
        office.register.rows.append({office.register.headings[0]: f"{secret} arson"})
        office.register.person_saved()
        office.works(later(60))

    told = [*map(str, events), *(letter.subject for letter in office.letters())]
    told += [f"{letter.key} {letter.kind} {letter.reasons}" for letter in office.letters()]
    told += [f"{one.question.code} {one.question.why}" for one in office.ledger.questions()]
    told += [f"{entry.facts} {entry.happened}" for entry in office.entries()]
    told += [f"{letter.text} {letter.html}" for letter in office.letters()]
    assert len(events) > 20
    for line in told:
        assert not [canary for canary in CANARIES if canary.casefold() in line.casefold()], line


@contextmanager
def _every_event() -> Iterator[list[Any]]:
    """Every event that is logged meanwhile, of whatever level."""
    with structlog.testing.capture_logs() as events:
        yield events


# ---------------------------------------------------------------- mails that would keep the agent busy

HEAD = b"From: a@trust.example\r\nMessage-ID: <x@trust.example>\r\n"
ENDLESS = {
    "blank lines": HEAD + b"Subject: x\r\n\r\na" + b"\n" * 300_000 + b"b",
    "lines of blanks": HEAD + b"Subject: x\r\n\r\na" + b" \n" * 300_000 + b"b",
    "half encoded words": HEAD + b"Subject: " + b"=?utf-8?q?a " * 20_000 + b"\r\n\r\nx",
    "a charset that is none": HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\na-" + b"z" * 300_000,
    "a sender without an end": b"From: " + b"a" * 300_000 + b"\r\n\r\nx",
    "a sender all of signs": b"From: <" + b"@" * 300_000 + b"\r\n\r\nx",
}


@pytest.mark.parametrize("content", ENDLESS.values(), ids=ENDLESS)
def test_no_mail_keeps_the_agent_busy_for_long(office: Office, content: bytes) -> None:
    """Some took minutes, and everything else would have waited."""
    began = time.process_time()
    office.mailbox.deliver(content, MONDAY)
    intake(office.desk, MONDAY)

    assert len(office.ledger.mails()) == 1
    assert time.process_time() - began < 5
