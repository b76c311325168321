"""Receipts, reminders of clocks and urgent questions: laid once, posted, overtaken by what happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.errors import NeedsAPerson, TryAgainLater
from agent.ledger.base import Letter, LetterState
from agent.procedure.people import Person
from agent.procedure.words import Happened
from tests import builders
from tests.builders import AUTHOR, AVA, MONDAY, PSW, SQAS, alert_form, at, later, update_form
from tests.steps.small_office import SUBJECT, Office, Trouble

ORLA = Person("Orla Finch", "orla.finch@trust.example", ("duty",))
CAS = Person("Cas Penhale", "cas.penhale@trust.example", ("business_support",))


@pytest.fixture
def office() -> Office:
    """An office that acknowledges forms, with somebody on duty."""
    office = Office()
    staffed = replace(office.desk.settings, people=(AVA, SQAS, PSW, ORLA, CAS))
    office.desk = replace(
        office.desk, settings=staffed, people=staffed.roster, procedure=builders.desk().procedure
    )
    office.works(later(hours=-2))  # the desk begins
    return office


def of_kind(office: Office, kind: str, *states: LetterState) -> list[Letter]:
    return [letter for letter in office.letters(*states) if letter.kind == kind]


def test_a_first_form_is_acknowledged_once_to_its_author(office: Office) -> None:
    reference = office.opens_alert()
    for minutes in range(0, 120, 15):
        office.works(MONDAY + timedelta(minutes=minutes))
    office.works(later(days=1))

    (letter,) = of_kind(office, "acknowledgement")
    assert (letter.to, letter.state) == (AUTHOR, LetterState.POSTED)
    assert reference in letter.subject
    assert "Robin" not in letter.subject + letter.text + letter.html


def test_an_acknowledgement_is_no_prompt(office: Office) -> None:
    """The author is not taken to have been asked, and the first prompt comes when it would have come."""
    reference = office.opens_alert()

    assert Happened.CHASED not in office.happened(reference)
    office.works(later(days=7))
    assert office.happened(reference).count(Happened.CHASED) == 1


def test_an_acknowledgement_that_waits_while_the_mail_turns_out_wrong_does_not_go(office: Office) -> None:
    office.receives_alert(number=1)
    refused = NeedsAPerson("not now")
    office.mailbox.drafting.append(Trouble(refused, applied=False))
    office.works(MONDAY)

    assert [letter.state for letter in of_kind(office, "acknowledgement")] == [LetterState.HELD]
    assert "letter_held" in office.asked()
    (reference,) = office.ledger.alerts()
    assert "Letter held back" in office.cell(reference, "needs_a_person")


def test_a_form_that_cannot_be_read_is_told_to_those_who_must_look_and_to_its_sender(office: Office) -> None:
    office.receives(SUBJECT, ("SLA.docx", b"PK\x03\x04 broken"), at=MONDAY)
    office.works(MONDAY)
    office.works(MONDAY + timedelta(hours=1))

    assert sorted(letter.to for letter in of_kind(office, "urgent_question")) == [CAS.address, ORLA.address]
    assert [letter.to for letter in of_kind(office, "returned_form")] == [AUTHOR]
    assert of_kind(office, "acknowledgement") == []

    office.works(at("2026-03-02 13:00"))
    assert len(of_kind(office, "urgent_question")) == 4  # once more, as nobody answered

    with office.ledger.page() as page:
        for one in office.ledger.questions():
            page.answer(one.number, "Not an alert", at("2026-03-02 14:00"))
    office.works(at("2026-03-03 09:00"))
    assert len(of_kind(office, "urgent_question")) == 4


def test_once_the_form_has_come_that_was_lacking_nobody_is_told_any_more(office: Office) -> None:
    office.receives("Senior Leadership Alert - Urgent and Confidential - Robin Fairweather", at=MONDAY)
    office.works(MONDAY)
    assert len(of_kind(office, "urgent_question")) == 2

    office.receives_alert(MONDAY + timedelta(hours=2))
    for days in range(4):
        office.works(later(days, hours=3))
    assert len(of_kind(office, "urgent_question")) == 2


def test_a_child_missing_for_24_hours_on_a_sunday_is_told_to_the_duty_role_at_once(office: Office) -> None:
    saturday = at("2026-03-07 15:00")
    form = alert_form(name="sla_missing", missing_since="2026-03-07T14:00")
    office.receives(f"{SUBJECT} - Missing", ("SLA Missing.docx", form), at=saturday)
    office.works(saturday)
    for hours in range(30):
        office.works(saturday + timedelta(hours=hours))

    told = of_kind(office, "clock_reminder", LetterState.POSTED)
    assert [(letter.to, letter.laid_at) for letter in told] == [(ORLA.address, at("2026-03-08 14:00"))]
    assert all(
        word not in (letter.text + letter.subject).lower()
        for letter in told
        for word in ("robin", "notifiable", "breach")
    )


def test_where_bank_holidays_are_not_known_hours_are_told_and_people_hear_that_nobody_is_chased(
    office: Office,
) -> None:
    quiet = office.opens_alert(at("2028-12-20 10:00"), number=7)
    form = alert_form(child="Sasha Millbrook", name="sla_missing", missing_since="2029-01-08T06:00")
    office.receives(f"{SUBJECT} - Missing", ("SLA Missing.docx", form), at=at("2029-01-08 08:00"))
    office.works(at("2029-01-08 08:00"))
    outcomes = {one.step: one for one in office.works(at("2029-01-09 10:00"))}

    assert "bank holidays of 2029 are not known" in outcomes["chasing"].trouble
    assert outcomes["chasing"].needs_a_person
    assert {letter.to for letter in of_kind(office, "clock_reminder", LetterState.POSTED)} >= {ORLA.address}
    assert office.chases() == []
    assert office.cell(quiet, "status") == "Update overdue"
    (digest, *_) = of_kind(office, "weekly_digest", LetterState.POSTED)[-2:]
    assert "so nobody is chased" in " ".join(digest.text.split())


def test_a_reminder_in_the_tray_does_not_go_once_the_child_is_back(office: Office) -> None:
    form = alert_form(name="sla_missing", missing_since="2026-03-02T06:00")
    office.receives(f"{SUBJECT} - Missing", ("SLA Missing.docx", form), at=MONDAY)
    office.works(MONDAY)
    (reference,) = office.ledger.alerts()
    office.mailbox.drafting = [Trouble(TryAgainLater("busy"), applied=False)]
    office.works(at("2026-03-03 06:00"))
    assert of_kind(office, "clock_reminder", LetterState.IN_TRAY)

    office.types(reference, returned_at="2026-03-03T06:10")
    office.works(at("2026-03-03 06:15"))
    assert [letter.state for letter in of_kind(office, "clock_reminder")] == [LetterState.WITHDRAWN]


def test_the_sqas_manager_hears_of_all_updates_of_a_day_in_one_letter(office: Office) -> None:
    reference = office.opens_alert()
    for hours in (2, 4):
        seen = update_form(f"Seen after {hours} hours.", "2026-03-02")
        office.receives(SUBJECT, ("SLA Update.docx", seen), at=later(hours=hours))
        office.works(later(hours=hours))
    for at_hour in ("2026-03-02 15:00", "2026-03-02 16:00", "2026-03-03 15:00"):
        office.works(at(at_hour))

    (letter,) = of_kind(office, "note")
    assert (letter.to, letter.state) == (SQAS.address, LetterState.POSTED)
    assert f"{reference} (R.F.)" in letter.text
    assert "Robin" not in letter.subject + letter.text + letter.html


def test_watching_lays_none_of_them(office: Office) -> None:
    office.receives_alert()
    office.works(MONDAY, office.in_mode("watch"))

    assert office.letters() == []


def test_an_author_who_has_left_is_asked_after_once(office: Office) -> None:
    reference = office.opens_alert()
    office.desk = replace(office.desk, people=replace(office.desk.people, left=frozenset({AUTHOR})))
    office.works(later(days=1))
    office.works(later(days=2))

    assert office.asked().count("author_left") == 1
    assert "Author has left" in office.cell(reference, "needs_a_person")


def test_a_matter_that_rests_is_not_asked_about_for_an_author_who_has_left(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, on_hold_until="2026-03-31")
    office.works(MONDAY)
    office.desk = replace(office.desk, people=replace(office.desk.people, left=frozenset({AUTHOR})))
    office.works(later(days=1))

    assert "author_left" not in office.asked()
