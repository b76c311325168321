"""Letters that came back: none goes to that address any more, until something is heard from there."""

from __future__ import annotations

from datetime import datetime

import pytest

from agent.ledger.base import Letter, LetterState
from agent.procedure.words import Happened
from tests.builders import AUTHOR, PSW, SQAS, at
from tests.steps.small_office import SUBJECT, Office

FIRST, SECOND = "SLA-2026-0001", "SLA-2026-0002"
DUE = at("2026-03-09 10:00")


@pytest.fixture
def office() -> Office:
    """Two alerts of one author: the chase about the first came back, before one about the second was due."""
    office = Office()
    office.opens_alert(at("2026-03-02 09:00"))
    office.opens_alert(at("2026-03-04 09:00"), child="Sasha Millbrook", dob="2014-02-03")
    office.works(DUE)
    (chase,) = (letter for letter in office.letters() if letter.kind == "chase")
    comes_back(office, chase, at("2026-03-09 11:00"))
    assert office.asked() == ["letter_undelivered"]
    return office


def comes_back(office: Office, letter: Letter, now: datetime) -> None:
    office.receives(
        "Undeliverable: update requested",
        at=now,
        sender="postmaster@trust.example",
        text="Your message could not be delivered.",
        headers={"In-Reply-To": str(letter.internet_message_id)},
    )
    office.works(now)


def chased(office: Office) -> list[tuple[str, str]]:
    """What each chase was about, and to whom it went."""
    letters = [letter for letter in office.letters(LetterState.POSTED) if letter.kind.startswith("chase")]
    return [(reason.alert, letter.to) for letter in letters for reason in letter.reasons]


def answers(office: Office, answer: str, now: datetime) -> None:
    with office.ledger.page() as page:
        page.answer(office.ledger.questions()[-1].number, answer, now)
    office.works(now)


def test_their_other_alerts_are_asked_about_elsewhere_too(office: Office) -> None:
    office.works(at("2026-03-11 10:00"))

    assert chased(office) == [(FIRST, AUTHOR), (SECOND, SQAS.address)]
    for reference in (FIRST, SECOND):
        assert office.cell(reference, "needs_a_person") == "Letter undelivered"


def test_who_writes_can_be_written_to_about_everything_again(office: Office) -> None:
    office.hears_of(SECOND, at("2026-03-10 10:00"))
    office.works(at("2026-03-16 10:00"))

    assert chased(office)[1:] == [(FIRST, AUTHOR)]
    assert office.cell(FIRST, "needs_a_person") == ""


def test_what_somebody_else_sends_in_their_name_proves_nothing(office: Office) -> None:
    office.receives(
        SUBJECT,
        at=at("2026-03-10 10:00"),
        sender=AUTHOR,
        headers={
            "Authentication-Results": "spf=fail; dkim=fail; dmarc=fail",
            "X-MS-Exchange-Organization-AuthAs": "Anonymous",
        },
    )
    office.works(at("2026-03-10 10:00"))

    assert "sender_unproven" in office.asked()
    assert office.desk.addressees.is_unreached(AUTHOR)


def test_send_again_lets_letters_go_there_once_more(office: Office) -> None:
    answers(office, "Send again", at("2026-03-10 10:00"))
    office.works(at("2026-03-11 10:00"))

    assert office.asked() == []
    assert chased(office)[1:] == [(SECOND, AUTHOR)]
    assert office.cell(FIRST, "needs_a_person") == ""


def test_done_leaves_it_at_that(office: Office) -> None:
    """Somebody has entered another author, say."""
    office.types(FIRST, author="Ava Lindqvist")
    answers(office, "Done", at("2026-03-10 10:00"))
    office.works(at("2026-03-16 10:00"))

    assert office.asked() == []
    assert (FIRST, "ava.lindqvist@trust.example") in chased(office)
    assert office.desk.addressees.is_unreached(AUTHOR)


def test_the_question_says_which_address_it_was(office: Office) -> None:
    (asked,) = office.ledger.questions()

    assert asked.question.seen["not_delivered_to"] == AUTHOR


def test_a_digest_that_came_back_stops_all_letters_to_its_reader() -> None:
    office = Office()
    office.works(at("2026-03-02 08:00"))
    (digest,) = (letter for letter in office.letters() if letter.to == PSW.address)
    comes_back(office, digest, at("2026-03-02 09:00"))

    assert office.asked() == ["letter_undelivered"]
    (entry,) = (one for one in office.entries() if one.happened is Happened.BOUNCED)
    assert (entry.alert, entry.content) == (None, {})
    assert PSW.address not in str(entry.facts)
    office.works(at("2026-03-09 08:00"))
    assert [letter.to for letter in office.letters() if letter.laid_at == at("2026-03-09 08:00")] == [
        SQAS.address
    ]

    answers(office, "Send again", at("2026-03-09 09:00"))
    assert [letter.to for letter in office.letters()][-1] == PSW.address
