"""Matters about members of staff: in a workbook of their own where the desk has one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from agent.bookkeeping import bookkeeping
from agent.errors import Locked, NeedsAPerson
from agent.register.base import Book
from agent.register.bookbinder import Bookbinder
from agent.register.local_file import LocalFile
from agent.register.memory import MemoryRegister
from tests.builders import MONDAY, later
from tests.steps.small_office import Office

TUESDAY, WEDNESDAY, THURSDAY = later(days=1), later(days=2), later(days=3)
NAME = "Robin Fairweather"


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def apart(office: Office) -> Office:
    """The same office with a restricted workbook."""
    procedure = office.desk.procedure
    book = MemoryRegister(procedure.columns, question_columns=procedure.question_columns)
    office.desk = replace(office.desk, restricted=book)
    return office


def restricted(office: Office) -> MemoryRegister:
    book = office.desk.restricted
    assert isinstance(book, MemoryRegister)
    return book


def filled(row: dict[str, str]) -> dict[str, str]:
    return {heading: text for heading, text in row.items() if text and heading != "Key"}


def test_a_matter_about_staff_shows_in_the_register_by_reference_and_status_alone(apart: Office) -> None:
    reference = apart.opens_alert(ticked=("M14",))

    shown = {"SLA ref": reference, "Status": "New", "Summary": "Restricted"}
    assert filled(apart.register.row(reference)) == shown
    assert restricted(apart).row(reference)["Child name"] == NAME


def test_other_matters_are_not_in_the_restricted_workbook(apart: Office) -> None:
    reference = apart.opens_alert()

    assert restricted(apart).rows == []
    assert apart.cell(reference, "child_name") == NAME


def test_a_row_that_becomes_restricted_moves_with_all_that_people_wrote_in_it(apart: Office) -> None:
    """Marked by a person: the kind of subject is staff. Nothing is hidden before it stands there in full."""
    reference = apart.opens_alert()
    apart.register.headings.append("Colour")
    apart.register.row(reference).update(
        {"Notes": "Rang the school.", "Colour": "red", "Subject kind": "Staff"}
    )
    apart.register.person_saved()
    restricted(apart).open_by_person = True
    with pytest.raises(Locked):
        bookkeeping(apart.desk, TUESDAY)
    assert apart.register.row(reference)["Notes"] == "Rang the school."

    restricted(apart).open_by_person = False
    apart.works(WEDNESDAY)
    there = restricted(apart).row(reference)
    assert (there["Notes"], there["Child name"], there["Subject kind"]) == ("Rang the school.", NAME, "Staff")
    assert filled(apart.register.row(reference)).keys() == {"SLA ref", "Status", "Summary"}


def test_what_is_typed_into_a_hidden_row_is_put_back_and_kept(apart: Office) -> None:
    reference = apart.opens_alert(ticked=("M14",))
    apart.register.row(reference)["Notes"] = "He was seen."
    apart.register.person_saved()
    apart.works(TUESDAY)

    assert "Notes" not in filled(apart.register.row(reference))
    kept = [entry.content for entry in apart.entries(reference) if entry.source == "register"]
    assert kept == [{"value": "He was seen.", "before": "", "column": "Notes"}]


def test_people_act_on_it_in_the_restricted_workbook(apart: Office) -> None:
    reference = apart.opens_alert(ticked=("M14",))
    restricted(apart).row(reference).update({"Status": "Concluded", "Concluded by": "Ava Lindqvist"})
    restricted(apart).person_saved()
    apart.works(TUESDAY)
    apart.works(TUESDAY)

    assert apart.alert(reference).concluded
    assert apart.cell(reference, "status") == "Concluded"


def test_its_questions_stand_in_the_restricted_workbook_alone(apart: Office) -> None:
    apart.receives_alert(MONDAY, sender="nurse@hospital.example", ticked=("M14",))
    apart.works(MONDAY)

    assert apart.register.questions.rows == []
    (row,) = restricted(apart).questions.rows
    assert NAME in row["What was seen"]
    row["Answer"] = "New alert"
    restricted(apart).person_saved()
    apart.works(TUESDAY)
    apart.works(TUESDAY)
    assert apart.asked() == []


def test_once_restricted_it_stays_so(apart: Office) -> None:
    reference = apart.opens_alert(ticked=("M14",))
    restricted(apart).row(reference)["Subject kind"] = "Child"
    restricted(apart).person_saved()
    for now in (TUESDAY, WEDNESDAY):
        apart.works(now)

    assert filled(apart.register.row(reference)).keys() == {"SLA ref", "Status", "Summary"}


def test_without_a_restricted_workbook_the_register_says_when_and_nothing_of_whom(office: Office) -> None:
    """People still conclude it there, and note what they decided."""
    reference = office.opens_alert(ticked=("M14",))
    row = office.register.row(reference)
    row["Notes"] = "With the Designated Officer."
    office.register.person_saved()
    office.works(TUESDAY)

    told = " ".join(office.register.row(reference).values())
    assert NAME not in told
    assert "R.F." not in told
    assert row["Received"] == "2026-03-02T09:00"
    assert (row["Summary"], row["Notes"]) == ("Restricted", "With the Designated Officer.")


def test_of_a_question_about_it_nothing_is_shown_without_a_restricted_workbook(office: Office) -> None:
    office.receives_alert(MONDAY, sender="nurse@hospital.example", ticked=("M14",))
    office.works(MONDAY)

    (row,) = office.register.questions.rows
    assert row["What was seen"] == "Restricted"


def test_a_row_deleted_in_the_restricted_workbook_does_not_come_to_light_in_the_other(apart: Office) -> None:
    """It cannot be written again while somebody has the workbook open; the register hides it all the same."""
    reference = apart.opens_alert(ticked=("M14",))
    restricted(apart).rows.clear()
    restricted(apart).person_saved()
    restricted(apart).open_by_person = True
    for now in (TUESDAY, WEDNESDAY):
        apart.works(now)
    assert filled(apart.register.row(reference)).keys() == {"SLA ref", "Status", "Summary"}

    restricted(apart).open_by_person = False
    apart.works(THURSDAY)
    assert restricted(apart).row(reference)["Child name"] == NAME


def test_the_restricted_workbook_is_a_file_that_is_never_taken_for_the_register(
    office: Office, tmp_path: Path
) -> None:
    procedure, path = office.desk.procedure, tmp_path / "Restricted.xlsx"
    office.desk = replace(office.desk, restricted=LocalFile(path, Bookbinder(procedure, "nct restricted")))
    reference = office.opens_alert(ticked=("M14",))

    rows = openpyxl.load_workbook(path)["Need to Know"].iter_rows(values_only=True)
    (row,) = [row for row in rows if reference in row]
    assert NAME in row
    with pytest.raises(NeedsAPerson, match="belongs to the desk “nct restricted”"):
        LocalFile(path, Bookbinder(procedure, "nct")).read(None)


def test_a_register_that_needs_a_person_does_not_hold_up_the_restricted_one(
    apart: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = apart.opens_alert(ticked=("M14",))
    restricted(apart).row(reference)["Status"] = "Concluded"
    restricted(apart).person_saved()

    def damaged(version: str | None) -> Book:
        raise NeedsAPerson("The workbook is damaged.")

    monkeypatch.setattr(apart.register, "read", damaged)
    with pytest.raises(NeedsAPerson):
        bookkeeping(apart.desk, TUESDAY)
    assert apart.alert(reference).concluded
