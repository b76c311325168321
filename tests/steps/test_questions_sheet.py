"""Questions stand in a sheet of the register, and are answered there."""

from __future__ import annotations

from datetime import datetime

import pytest

from agent.procedure.words import Happened
from tests.builders import MONDAY, later
from tests.steps.small_office import SUBJECT, Office

TUESDAY, WEDNESDAY = later(days=1), later(days=2)
STRANGER = "nurse@hospital.example"
REFERENCE = "SLA-2026-0001"


@pytest.fixture
def office() -> Office:
    """A stranger's form came, which is a provisional alert and a question."""
    office = Office()
    office.receives_alert(MONDAY, sender=STRANGER)
    office.works(MONDAY)
    return office


def asked(office: Office, number: int = 1) -> dict[str, str]:
    """The row of a question."""
    return office.register.questions.row(str(number))


def answers(office: Office, answer: str, now: datetime, number: int = 1, **more: str) -> None:
    """Somebody answers in the sheet and saves; the agent has its round, and another one."""
    asked(office, number).update({"Answer": answer, **more})
    office.register.person_saved()
    office.works(now)
    office.works(now)


def test_a_question_stands_with_what_was_seen(office: Office) -> None:
    row = asked(office)

    assert row["Asked"] == "2026-03-02T09:00"
    assert row["What is asked"] == office.ledger.questions()[0].question.why
    assert row["May concern"] == REFERENCE
    assert f"Sender: {STRANGER}" in row["What was seen"]
    assert "Robin Fairweather" in row["What was seen"]
    assert row["Mail"].endswith("?ItemID=mail-1&exvsurl=1&viewmodel=ReadMessageItem")
    assert (row["Answer"], row["What was done"]) == ("", "")


def test_why_a_form_could_not_be_read_stands_there_in_words() -> None:
    office = Office()
    office.receives(SUBJECT, ("SLA.docx", b"PK\x03\x04 cut off"), at=MONDAY)
    office.works(MONDAY)

    assert "Problem: The file is damaged" in asked(office)["What was seen"]


def test_the_row_of_an_alert_links_to_its_mail(office: Office) -> None:
    assert "ItemID=mail-1" in office.cell(REFERENCE, "mail")


@pytest.mark.parametrize("answer", ["New alert", "new alert", REFERENCE, "sla 2026/0001", "SLA-2026-001."])
def test_an_answer_in_the_sheet_is_acted_on_and_told(office: Office, answer: str) -> None:
    answers(office, answer, TUESDAY)

    assert not office.alert(REFERENCE).provisional
    assert office.asked() == []
    assert asked(office)["What was done"] == f"Done on 03 Mar 2026: {REFERENCE}"
    assert asked(office)["Answer"] == answer


def test_not_an_alert_ends_it(office: Office) -> None:
    answers(office, "Not an alert", TUESDAY)

    assert office.cell(REFERENCE, "status") == "Not an alert"


def test_an_answer_that_is_not_understood_is_told_beside_it_and_may_be_given_again(office: Office) -> None:
    answers(office, "SLA-2026-0099", TUESDAY)
    assert "no alert SLA-2026-0099" in asked(office)["What was done"]
    assert office.asked() == ["external_sender"]
    writes = office.register.writes
    office.works(TUESDAY)
    assert office.register.writes == writes

    answers(office, "New alert", WEDNESDAY)
    assert office.asked() == []


def test_an_answered_question_leaves_the_sheet_after_some_days(office: Office) -> None:
    answers(office, "New alert", TUESDAY)
    office.works(later(days=14))
    assert len(office.register.questions.rows) == 1

    office.works(later(days=16))
    assert office.register.questions.rows == []


def test_a_note_beside_an_answered_question_keeps_its_row_until_people_take_it_out(office: Office) -> None:
    answers(office, "New alert", TUESDAY, Notes="Rang the hospital.")
    office.works(later(days=16))
    assert asked(office)["Notes"] == "Rang the hospital."

    office.register.questions.rows.clear()
    office.register.person_saved()
    office.works(later(days=17))
    assert office.register.questions.rows == []


def test_a_question_whose_row_was_deleted_stands_there_again_with_peoples_notes(office: Office) -> None:
    asked(office)["Notes"] = "Rang the hospital."
    office.register.person_saved()
    office.works(TUESDAY)
    office.register.questions.rows.clear()
    office.register.person_saved()
    office.works(WEDNESDAY)

    assert asked(office)["Notes"] == "Rang the hospital."


def test_what_people_type_over_a_question_is_put_back(office: Office) -> None:
    before = dict(asked(office))
    asked(office).update({"What is asked": "?", "No.": "77"})
    office.register.person_saved()
    office.works(TUESDAY)

    assert asked(office) == before


def test_a_question_about_the_workbook_is_closed_by_any_answer(office: Office) -> None:
    office.types(REFERENCE, chases="17")
    office.works(TUESDAY)
    (number,) = [one.number for one in office.ledger.questions() if one.question.code == "overtyped"]
    assert "Typed: 17" in asked(office, number)["What was seen"]
    answers(office, "Done", TUESDAY, number)

    assert office.asked() == ["external_sender"]
    assert asked(office, number)["What was done"] == "Done on 03 Mar 2026"


def test_two_that_are_one_matter_are_merged_by_the_status(office: Office) -> None:
    first = office.opens_alert(TUESDAY, child="Noor Ashdown", dob="2013-01-02")
    second = office.opens_alert(TUESDAY, child="Sasha Millbrook", dob="2011-01-02")
    office.types(second, status=f"Duplicate of {first}")
    office.works(WEDNESDAY)

    assert office.alert(second).merged_into == first
    assert office.cell(second, "status") == "Duplicate"
    assert office.happened(first)[-1] is Happened.MERGED


@pytest.mark.parametrize(
    "typed", ["Duplicate of SLA-2026-0099", "Duplicate of SLA-2026-0001", "Duplicate of it"]
)
def test_a_duplicate_of_nothing_is_asked_back(office: Office, typed: str) -> None:
    office.types(REFERENCE, status=typed)
    office.works(TUESDAY)

    assert not office.alert(REFERENCE).not_an_alert
    assert "unclear" in office.asked()
