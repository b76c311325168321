"""Bookkeeping: the register follows the ledger, and what people type there is taken in."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent import register_content
from agent.bookkeeping import bookkeeping
from agent.errors import ChangedMeanwhile, Locked, OutcomeUnknown, TryAgainLater
from agent.intake import intake
from agent.ledger.sql import SqlLedger
from agent.procedure.alert import Alert
from agent.procedure.row import row_of
from agent.procedure.words import Happened
from agent.register.base import Book
from agent.register_content import Content
from tests.builders import AUTHOR, MONDAY, later, update_form
from tests.steps.small_office import SUBJECT, Office, Trouble

TUESDAY = later(days=1)
WEDNESDAY = later(days=2)


@pytest.fixture
def office() -> Office:
    return Office()


def told(office: Office, reference: str) -> list[dict[str, Any]]:
    """What people told through the register."""
    return [dict(entry.facts) for entry in office.entries(reference) if entry.source == "register"]


def test_the_register_is_there_from_the_first_round(office: Office) -> None:
    """Empty, so that people find it and a missing permission shows on the first day."""
    assert bookkeeping(office.desk, MONDAY) == 0
    assert office.register.read(None) is not None
    assert office.register.writes == 1

    bookkeeping(office.desk, TUESDAY)
    assert office.register.writes == 1


def test_an_alert_is_a_row_and_a_second_round_writes_nothing(office: Office) -> None:
    reference = office.opens_alert()
    writes = office.register.writes

    assert office.cell(reference, "child_name") == "Robin Fairweather"
    assert office.cell(reference, "status") == "New"
    assert bookkeeping(office.desk, MONDAY) == 0
    assert office.register.writes == writes


def test_a_quiet_round_works_nothing_out_anew(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many alerts there are: only whether somebody saved the workbook is asked."""
    reference = office.opens_alert()
    bookkeeping(office.desk, MONDAY)
    worked_out: list[str] = []
    monkeypatch.setattr(Content, "alerts", property(lambda self: worked_out.append("rows")))

    assert bookkeeping(office.desk, MONDAY + timedelta(minutes=5)) == 0
    assert worked_out == []

    monkeypatch.undo()
    office.types(reference, status="Concluded", concluded_by="Ava Lindqvist")
    bookkeeping(office.desk, MONDAY + timedelta(minutes=10))
    assert office.alert(reference).concluded


def test_the_rows_of_alerts_without_news_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, ledger, made = Office(), SqlLedger(f"sqlite:///{tmp_path}/ledger.sqlite"), list[str]()
    desk = replace(office.desk, ledger=ledger.desk("nct"))
    office.receives_alert()
    office.receives_alert(child="Wren Applegarth", dob="2014-02-03")
    office.works(MONDAY, desk)

    def counted(alert: Alert, *told: Any) -> dict[str, str]:
        made.append(alert.reference)
        return row_of(alert, *told)

    monkeypatch.setattr(register_content, "row_of", counted)
    office.receives("Re: SLA-2026-0002", text="We are on it, more to follow.")
    office.works(later(hours=1), desk)
    assert set(made) == {"SLA-2026-0002"}

    office.works(TUESDAY, desk)  # a status may follow from the day alone
    assert set(made) == {"SLA-2026-0001", "SLA-2026-0002"}
    ledger.close()


def test_what_an_agent_with_other_settings_wrote_meanwhile_is_looked_at_row_by_row(tmp_path: Path) -> None:
    """Nobody saved the workbook since, and no alert has news; yet it is not what this agent left there."""
    office = Office()
    with closing(SqlLedger(f"sqlite:///{tmp_path}/ledger.sqlite")) as ledger:
        ours = replace(office.desk, ledger=ledger.desk("nct"))
        elsewhere = replace(ours.agent.tenant, mail_link="https://elsewhere.example/{id}")
        theirs = replace(ours, agent=replace(ours.agent, tenant=elsewhere), settled={}, rows={})
        office.receives_alert()
        office.works(MONDAY, ours)
        our_link = office.cell("SLA-2026-0001", "mail")
        bookkeeping(theirs, later(hours=1))
        assert office.cell("SLA-2026-0001", "mail").startswith("https://elsewhere.example/")

        bookkeeping(ours, later(hours=2))
        assert office.cell("SLA-2026-0001", "mail") == our_link


def test_a_status_concluded_by_a_person_ends_the_matter(office: Office) -> None:
    """NCT 6.2: only people conclude. From then on nobody is chased."""
    reference = office.opens_alert()
    office.types(reference, status="Concluded", concluded_by="Ava Lindqvist", concluded_on="2026-03-03")
    office.works(TUESDAY)

    alert = office.alert(reference)
    assert (alert.concluded, alert.concluded_by) == (True, "Ava Lindqvist")
    assert told(office, reference) == [{"on": "2026-03-03"}]
    assert office.cell(reference, "status") == "Concluded"
    office.works(later(days=30))
    assert office.chases() == []


def test_a_day_of_conclusion_alone_concludes_and_the_status_follows(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, concluded_on="2026-03-03")
    office.works(TUESDAY)

    assert office.alert(reference).concluded
    assert office.cell(reference, "status") == "Concluded"


@pytest.mark.parametrize("typed", ["not yet", "n/a", "2062-03-03", "2026-13-45"])
def test_what_is_no_day_that_has_come_concludes_nothing(office: Office, typed: str) -> None:
    """A slip in one cell must not end the chasing about a child; what was typed stays as typed."""
    reference = office.opens_alert()
    office.types(reference, concluded_on=typed)
    office.works(TUESDAY)

    assert not office.alert(reference).concluded
    assert office.cell(reference, "concluded_on") == typed
    note = "“Concluded on” lies ahead" if typed.startswith("2062") else "“Concluded on” is no date"
    assert office.cell(reference, "needs_a_person") == note
    office.works(later(days=8))
    assert len(office.chases()) == 1


@pytest.mark.parametrize("typed", ["concluded", "CONCLUDED"])
def test_a_status_is_understood_however_it_is_capitalised(office: Office, typed: str) -> None:
    reference = office.opens_alert()
    office.types(reference, status=typed)
    office.works(TUESDAY)

    assert office.alert(reference).concluded


@pytest.mark.parametrize("typed", ["", "closed", "see notes"])
@pytest.mark.parametrize("before", ["New", "Concluded"])
def test_a_status_that_is_none_is_put_back(office: Office, typed: str, before: str) -> None:
    """Above all it reopens nothing that was concluded, and ends nothing that is open."""
    reference = office.opens_alert()
    if before == "Concluded":
        office.types(reference, status=before)
        office.works(MONDAY)
    lines = len(office.entries())
    office.types(reference, status=typed)
    office.works(MONDAY)

    assert office.cell(reference, "status") == before
    assert len(office.entries()) == lines
    assert office.asked() == ["unclear"]


@pytest.mark.parametrize("status", ["Duplicate", "Not an alert"])
def test_a_person_says_that_it_is_no_alert_of_its_own(office: Office, status: str) -> None:
    reference = office.opens_alert()
    office.types(reference, status=status)
    office.works(TUESDAY)

    assert office.alert(reference).not_an_alert
    assert office.cell(reference, "status") == status
    office.works(later(days=30))
    assert office.chases() == []


@pytest.fixture
def siblings(office: Office) -> str:
    """An alert about two children; gives its reference."""
    reference = office.opens_alert()
    office.types(reference, child_name="Robin Fairweather; Sasha Millbrook")
    office.works(TUESDAY)
    return reference


@pytest.mark.parametrize("typed", ["Split off Sasha Millbrook", "split off 2", "Split off: MILLBROOK Sasha"])
def test_a_person_splits_one_alert_in_two(office: Office, siblings: str, typed: str) -> None:
    office.types(siblings, status=typed)
    office.works(WEDNESDAY)

    (other,) = set(office.ledger.alerts()) - {siblings}
    assert office.cell(siblings, "child_name") == "Robin Fairweather"
    assert office.cell(other, "child_name") == "Sasha Millbrook"
    assert office.cell(other, "received_at") == office.cell(siblings, "received_at")
    assert office.cell(siblings, "status") == "New"
    assert office.asked() == []
    office.works(later(days=3))
    assert len(office.ledger.alerts()) == 2


@pytest.mark.parametrize("typed", ["Split off", "Split off Sam", "Split off 3", "Split off 1; 2"])
def test_who_is_to_be_split_off_has_to_be_plain(office: Office, siblings: str, typed: str) -> None:
    office.types(siblings, status=typed)
    office.works(WEDNESDAY)

    assert len(office.ledger.alerts()) == 1
    assert office.cell(siblings, "status") == "New"
    assert office.asked() == ["unclear"]


def test_what_is_split_off_while_the_matter_rests_rests_too(office: Office, siblings: str) -> None:
    office.types(siblings, on_hold_until="2026-06-01")
    office.works(WEDNESDAY)
    office.types(siblings, status="Split off 2")
    office.works(WEDNESDAY)

    assert [office.cell(one, "status") for one in office.ledger.alerts()] == ["On hold", "On hold"]


def test_a_concluded_alert_is_opened_again_by_its_status(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, status="Concluded")
    office.works(TUESDAY)
    office.types(reference, status="Open")
    office.works(WEDNESDAY)

    assert not office.alert(reference).concluded
    assert office.cell(reference, "status") == "Reopened"
    assert office.happened(reference)[-2:] == [Happened.CONCLUDED, Happened.REOPENED]


def test_a_hold_until_a_day_is_kept_and_then_ends_by_itself(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, on_hold_until="2026-03-20")
    office.works(TUESDAY)

    assert office.cell(reference, "status") == "On hold"
    assert office.cell(reference, "on_hold_until") == "2026-03-20"
    office.works(later(days=14))
    assert office.chases() == []
    office.works(later(days=21))
    assert len(office.chases()) == 1


def test_a_hold_is_released_by_clearing_its_day(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, on_hold_until="2026-06-30")
    office.works(TUESDAY)
    office.types(reference, on_hold_until="")
    office.works(WEDNESDAY)

    assert office.happened(reference) == [Happened.OPENED, Happened.HELD, Happened.RELEASED]
    assert office.cell(reference, "status") != "On hold"


def test_a_hold_without_a_day_lasts_until_the_status_is_changed(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, status="On hold")
    office.works(TUESDAY)
    office.works(later(days=40))
    assert office.chases() == []

    office.types(reference, status="Open")
    office.works(later(days=41))
    assert office.happened(reference)[-1] is Happened.RELEASED


def test_words_instead_of_a_day_hold_and_stay_out_of_the_facts(office: Office) -> None:
    """Whoever types "after court, ask Robin" names somebody: that belongs to the erasable content."""
    reference = office.opens_alert()
    office.types(reference, on_hold_until="after court, ask Robin")
    for moment in (TUESDAY, WEDNESDAY):
        office.works(moment)

    assert office.alert(reference).on_hold
    assert told(office, reference) == [{"until": None}]
    assert office.cell(reference, "on_hold_until") == "after court, ask Robin"
    assert office.cell(reference, "needs_a_person") == "“On hold until” is no date"


@pytest.mark.parametrize("typed", ["11 May", "11.5.26", "11/5", "Mon 11 May", "11th May 2026"])
def test_a_hold_ends_on_the_day_that_was_meant_however_it_was_written(office: Office, typed: str) -> None:
    reference = office.opens_alert()
    office.types(reference, on_hold_until=typed)
    for moment in (TUESDAY, WEDNESDAY):
        office.works(moment)

    assert told(office, reference) == [{"until": "2026-05-11"}]
    assert office.cell(reference, "on_hold_until") == typed
    assert office.cell(reference, "needs_a_person") == ""


def test_a_correction_is_a_persons_and_outlives_every_later_form(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, child_name="Robyn Fairweather")
    office.works(TUESDAY)
    office.receives(f"{SUBJECT} - update", ("SLA.docx", update_form()), at=WEDNESDAY)
    office.works(WEDNESDAY)

    assert Happened.UPDATED in office.happened(reference)
    assert office.cell(reference, "child_name") == "Robyn Fairweather"
    assert office.cell(reference, "children") == "1"
    assert told(office, reference) == [{"field": "child_name"}]


def test_a_corrected_name_is_the_childs_wherever_it_is_used(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, child_name="Robyn Ash", dob="2012-05-14", system_id="7654321")
    office.works(TUESDAY)

    (child,) = office.alert(reference).children
    assert (child.name, child.dob, child.system_id) == ("Robyn Ash", date(2012, 5, 14), "7654321")
    assert office.cell(reference, "initials") == "R.A."
    office.works(later(days=8))
    assert "R.A." in office.chases()[0].text
    assert "R.F." not in office.chases()[0].text


def test_a_form_under_a_name_that_was_quite_another_is_for_a_person_to_place(office: Office) -> None:
    """It may be the child whose name was taken for this one's."""
    reference = office.opens_alert()
    office.types(reference, child_name="Kit Zielinski")
    office.works(TUESDAY)
    office.receives(f"{SUBJECT} - update", ("SLA.docx", update_form()), at=WEDNESDAY)
    office.works(WEDNESDAY)

    assert Happened.UPDATED not in office.happened(reference)
    assert len(office.asked()) == 1


@pytest.mark.parametrize(
    ("typed", "goes_to"),
    [
        ("Ava Lindqvist", "ava.lindqvist@trust.example"),
        ("Jo Newby <jo.newby@trust.example>", "jo.newby@trust.example"),
        ("Theo Marchbank", AUTHOR),  # the same one, spelt otherwise
    ],
)
def test_a_corrected_author_is_who_is_written_to(office: Office, typed: str, goes_to: str) -> None:
    reference = office.opens_alert()
    office.types(reference, author=typed)
    office.works(TUESDAY)
    office.works(later(days=8))

    assert {letter.to for letter in office.chases()} == {goes_to}
    assert office.cell(reference, "author") == typed
    assert office.asked() == []


@pytest.mark.parametrize("typed", ["Jo Newby", "Jo Newby <jo@elsewhere.example>"])
def test_an_author_whom_nobody_can_write_to_is_asked_about(office: Office, typed: str) -> None:
    reference = office.opens_alert()
    office.types(reference, author=typed)
    office.works(TUESDAY)

    assert office.alert(reference).author_address == AUTHOR
    assert office.asked() == ["unclear"]


def test_a_corrected_category_counts_where_it_is_one_of_the_procedure(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, categories="m14, M02")
    office.works(TUESDAY)
    assert office.alert(reference).categories == ("M14", "M02")
    assert office.cell(reference, "subject_kind") == "Staff"

    office.types(reference, categories="see notes")
    office.works(WEDNESDAY)
    assert office.alert(reference).categories == ("M14", "M02")


def test_a_corrected_date_moves_what_is_counted_from_it(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, next_update_due="2026-03-05")
    office.works(TUESDAY)

    office.works(later(days=4))
    assert len(office.chases()) == 1  # on the working day after the promise, not five after the form


def test_a_persons_own_columns_are_never_touched(office: Office) -> None:
    """Neither those of the procedure that are theirs, nor one that they added themselves."""
    reference = office.opens_alert()
    office.register.headings.append("Colour")
    office.register.row(reference).update({"Colour": "red", "Notes": "Rang the school.", "Learning": "-"})
    office.register.person_saved()
    for day in (1, 2, 8):
        office.works(later(days=day))

    row = office.register.row(reference)
    assert (row["Colour"], row["Notes"], row["Learning"]) == ("red", "Rang the school.", "-")
    noted = [entry.content or {} for entry in office.entries(reference) if entry.happened is Happened.NOTED]
    assert [(one["column"], one["value"]) for one in noted] == [
        ("Learning", "-"),
        ("Notes", "Rang the school."),
    ]


def test_what_is_typed_over_the_agents_own_column_is_put_back(office: Office) -> None:
    reference = office.opens_alert()
    before = office.cell(reference, "received_at")
    office.types(reference, received_at="2020-01-01T00:00", chases="17")
    office.works(TUESDAY)

    assert (office.cell(reference, "received_at"), office.cell(reference, "chases")) == (before, "0")
    assert told(office, reference) == [{"field": "received_at"}, {"field": "chases"}]
    kept = [entry.content or {} for entry in office.entries(reference) if entry.source == "register"]
    assert [(one["value"], one["before"]) for one in kept] == [("2020-01-01T00:00", before), ("17", "0")]
    assert office.asked() == ["overtyped", "overtyped"]


@pytest.mark.parametrize("typed", ["", "see Casey", "SLA-2026-9999"])
def test_a_reference_that_somebody_damaged_is_put_right(office: Office, typed: str) -> None:
    """The hidden column still says whose row it is; what else was typed in the row counts."""
    reference = office.opens_alert()
    office.register.row(reference)["SLA ref"] = typed
    office.types(reference, area="North")
    office.works(TUESDAY)

    assert [row["SLA ref"] for row in office.register.rows] == [reference]
    assert told(office, reference) == [{"field": "reference"}, {"field": "area"}]


def test_several_cells_typed_in_one_save_are_all_taken_in_once(office: Office) -> None:
    """Among them two that mean the same: one conclusion, not two."""
    first, second = office.opens_alert(), office.opens_alert(child="Sasha Millbrook")
    office.types(first, status="Concluded", concluded_on="2026-03-02", area="North")
    office.types(second, area="West", on_hold_until="2026-04-01")
    office.works(TUESDAY)
    office.works(TUESDAY)

    assert office.happened(first).count(Happened.CONCLUDED) == 1
    assert office.happened(first).count(Happened.CORRECTED) == 1
    assert office.happened(second).count(Happened.HELD) == 1
    assert [office.cell(one, "area") for one in (first, second)] == ["North", "West"]


def test_the_same_cell_corrected_twice_keeps_the_last_word(office: Office) -> None:
    reference = office.opens_alert()
    for area in ("North", "West"):
        office.types(reference, area=area)
        office.works(TUESDAY)

    assert office.cell(reference, "area") == "West"
    assert [entry.content for entry in office.entries(reference) if entry.source == "register"] == [
        {"column": "Area", "value": "North", "before": ""},
        {"column": "Area", "value": "West", "before": "North"},
    ]


@pytest.mark.parametrize("applied", [True, False])
def test_an_upload_whose_answer_was_lost_is_not_taken_for_a_persons_edit(
    office: Office, applied: bool
) -> None:
    """The agent had said beforehand what it was about to write, so it knows its own hand again."""
    reference = office.opens_alert()
    office.receives(f"{SUBJECT} - update", ("SLA.docx", update_form()), at=TUESDAY)
    office.register.writing.append(Trouble(OutcomeUnknown("no answer"), applied=applied))
    office.works(TUESDAY)
    for number in range(3):
        office.works(TUESDAY + timedelta(minutes=5 * number))

    assert told(office, reference) == []
    assert office.cell(reference, "updates") == "1"


def test_what_a_person_typed_while_the_answer_was_lost_is_theirs(office: Office) -> None:
    reference = office.opens_alert()
    office.receives(f"{SUBJECT} - update", ("SLA.docx", update_form()), at=TUESDAY)
    office.register.writing.append(Trouble(OutcomeUnknown("no answer"), applied=True))
    intake(office.desk, TUESDAY)
    with pytest.raises(OutcomeUnknown):
        bookkeeping(office.desk, TUESDAY)
    office.types(reference, area="North")
    office.works(WEDNESDAY)

    assert told(office, reference) == [{"field": "area"}]
    assert office.cell(reference, "area") == "North"
    assert office.cell(reference, "updates") == "1"


def test_while_somebody_has_it_open_everything_is_kept_for_later(office: Office) -> None:
    reference = office.opens_alert()
    office.register.open_by_person = True
    office.receives(f"{SUBJECT} - update", ("SLA.docx", update_form()), at=TUESDAY)
    troubles = {outcome.step for outcome in office.works(TUESDAY) if outcome.trouble}

    assert troubles == {"bookkeeping"}
    assert office.cell(reference, "updates") == "0"
    office.register.open_by_person = False
    office.works(WEDNESDAY)
    assert office.cell(reference, "updates") == "1"


def test_what_people_typed_before_a_locked_write_is_taken_in_all_the_same(office: Office) -> None:
    """They saved a conclusion and kept the workbook open: the chasing stops at once."""
    reference = office.opens_alert()
    office.types(reference, status="Concluded", chases="17")  # the number is to be put back
    office.register.open_by_person = True
    with pytest.raises(Locked):
        bookkeeping(office.desk, later(days=10))

    assert office.alert(reference).concluded
    office.works(later(days=10))
    assert office.chases() == []
    assert told(office, reference) == [{"on": None}, {"field": "chases"}]
    assert office.asked() == ["overtyped"]  # once, however often the write is tried


def test_a_row_that_waits_for_the_workbook_to_be_closed_is_not_missed_in_it(office: Office) -> None:
    """However often it is tried meanwhile: it never stood there."""
    office.opens_alert()
    office.register.open_by_person = True
    office.receives_alert(at=TUESDAY, child="Wren Applegarth")
    for hour in range(4):
        office.works(TUESDAY + timedelta(hours=hour))

    office.register.open_by_person = False
    office.works(WEDNESDAY)

    assert office.ledger.questions(waiting_only=False) == []
    assert len(office.register.rows) == 2


@pytest.mark.parametrize("error", [ChangedMeanwhile("somebody saved"), TryAgainLater("down")])
def test_a_write_that_was_refused_is_merged_afresh(office: Office, error: Exception) -> None:
    reference = office.opens_alert()
    office.receives(f"{SUBJECT} - update", ("SLA.docx", update_form()), at=TUESDAY)
    office.register.writing += [Trouble(error, applied=False)] * 2  # both times in this round
    office.works(TUESDAY)
    office.types(reference, area="North")
    office.works(WEDNESDAY)

    assert (office.cell(reference, "updates"), office.cell(reference, "area")) == ("1", "North")


def test_an_agent_that_slept_in_its_round_undoes_nothing_of_what_another_did(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine slept after it had read the register, and another one took the desk over."""
    reference = office.opens_alert()
    office.types(reference, area="West")
    read = office.register.read

    def read_and_sleep(known: str | None) -> Book | None:
        book = read(known)
        monkeypatch.setattr(office.register, "read", read)
        assert not [one for one in office.works(TUESDAY) if one.trouble]
        return book

    monkeypatch.setattr(office.register, "read", read_and_sleep)
    with pytest.raises(TryAgainLater, match="Another agent"):
        bookkeeping(office.desk, TUESDAY)

    assert not [one for one in office.works(WEDNESDAY) if one.trouble]
    assert [one["field"] for one in told(office, reference)] == ["area"]
    assert office.cell(reference, "area") == "West"


def test_an_agent_that_slept_before_it_read_does_not_mistrust_what_another_wrote(
    many: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workbook bears a mark that it does not know: not the workbook is out of date, the agent is."""
    read = many.register.read

    def sleep_and_read(known: str | None) -> Book | None:
        monkeypatch.setattr(many.register, "read", read)
        many.types(next(iter(many.ledger.alerts())), status="Concluded")
        assert not [one for one in many.works(TUESDAY) if one.trouble]
        return read(known)

    monkeypatch.setattr(many.register, "read", sleep_and_read)
    with pytest.raises(TryAgainLater, match="Another agent"):
        bookkeeping(many.desk, TUESDAY)
    assert many.asked() == []


def test_a_row_that_was_deleted_stands_there_again_with_peoples_columns(office: Office) -> None:
    """To take an alert off the list, people set its status."""
    reference = office.opens_alert()
    office.register.row(reference)["Notes"] = "Rang the school."
    office.register.person_saved()
    office.works(TUESDAY)
    office.register.rows.clear()
    office.register.person_saved()
    office.works(WEDNESDAY)

    assert office.register.row(reference)["Notes"] == "Rang the school."


def test_a_deleted_row_is_not_forgotten_while_the_workbook_is_open(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, on_hold_until="2026-03-20")
    office.works(TUESDAY)
    office.register.rows.clear()
    office.register.person_saved()
    office.register.open_by_person = True
    office.works(TUESDAY)
    office.works(TUESDAY)
    office.register.open_by_person = False
    office.works(WEDNESDAY)

    assert office.cell(reference, "on_hold_until") == "2026-03-20"


def test_a_row_that_stands_twice_is_nobodys_to_read_until_one_is_left(office: Office) -> None:
    """Somebody copied a row and edited the copy; nothing is concluded by that, and nothing lost."""
    reference = office.opens_alert()
    copy = {**office.register.row(reference), "Status": "Concluded"}
    office.register.rows.append(copy)
    office.register.person_saved()
    office.works(TUESDAY)
    assert not office.alert(reference).concluded

    office.register.rows.remove(office.register.row(reference))
    office.register.person_saved()
    office.works(WEDNESDAY)
    assert office.alert(reference).concluded


def test_the_status_follows_the_days_without_any_news(office: Office) -> None:
    """Nobody touched the workbook; it is told the new status without being read."""
    reference = office.opens_alert()
    seen = {}
    for day in (0, 7, 8):
        bookkeeping(office.desk, later(days=day))
        seen[day] = office.cell(reference, "status")

    assert seen == {0: "New", 7: "Update due", 8: "Update overdue"}


def test_a_next_date_that_is_none_is_told_beside_it(office: Office) -> None:
    reference = office.opens_alert()
    office.types(reference, next_update_due="soon")
    office.works(TUESDAY)
    assert office.cell(reference, "needs_a_person") == "“Next update due” is no date"

    office.types(reference, next_update_due="2026-03-20")
    office.works(TUESDAY)
    assert office.cell(reference, "needs_a_person") == ""


def test_a_doubt_is_asked_once_and_closed_when_it_is_over(office: Office) -> None:
    reference = office.opens_alert()
    office.register.rows.append(dict(office.register.row(reference)))
    for hours in range(3):
        office.register.person_saved()
        office.works(later(hours=hours))
    assert office.asked() == ["key_twice"]

    office.register.rows.pop()
    office.register.person_saved()
    office.works(TUESDAY)
    assert office.asked() == []

    office.register.rows.append(dict(office.register.row(reference)))
    office.register.person_saved()
    office.works(WEDNESDAY)
    assert office.asked() == ["key_twice"]


def test_many_cells_typed_over_are_one_question(office: Office) -> None:
    references = [office.opens_alert(child=f"Invented Child {name}") for name in ("Aa", "Bb", "Cc", "Dd")]
    for reference in references:
        office.types(reference, chases="9")
    office.works(TUESDAY)

    assert office.asked() == ["overtyped"]
    assert [office.happened(one)[-1] for one in references] == [Happened.OVERTYPED] * 4


# A workbook that is not what it was


@pytest.fixture
def many(office: Office) -> Office:
    """An office with a register of eight rows."""
    for number in range(8):
        office.opens_alert(
            child=f"Invented {chr(65 + number)}{chr(97 + number)}", dob=f"2012-05-{number + 1:02d}"
        )
    return office


def trouble(office: Office, now: Any = TUESDAY) -> list[str]:
    return [str(one.trouble) for one in office.works(now) if one.step == "bookkeeping" and one.trouble]


def test_a_sheet_that_was_emptied_is_not_written_and_somebody_asked(many: Office) -> None:
    rows, lines = list(many.register.rows), len(many.entries())
    many.register.rows = []
    many.register.person_saved()
    writes = many.register.writes

    assert "8 of 8 rows of the register are gone" in trouble(many)[0]
    assert (many.register.rows, many.register.writes, len(many.entries())) == ([], writes, lines)
    assert many.asked() == ["mistrusted"]

    many.register.rows = rows  # they took it back
    many.register.person_saved()
    assert trouble(many, WEDNESDAY) == []
    assert many.asked() == []


def test_a_column_sorted_without_its_rows_is_not_taken_for_corrections(many: Office) -> None:
    names = sorted((row["Child name"] for row in many.register.rows), reverse=True)
    for row, name in zip(many.register.rows, names, strict=True):
        row["Child name"] = name
    many.register.person_saved()

    assert "“Child name” changed places" in trouble(many)[0]
    assert Happened.CORRECTED not in many.happened()


def test_an_older_copy_put_back_undoes_nothing(many: Office) -> None:
    reference = next(iter(many.ledger.alerts()))
    old, mark = [dict(row) for row in many.register.rows], many.register.mark
    many.types(reference, on_hold_until="2026-04-01")
    many.works(TUESDAY)
    assert many.alert(reference).on_hold

    many.register.rows, many.register.mark = old, mark
    many.register.person_saved()
    assert "an older copy" in trouble(many, WEDNESDAY)[0]
    assert many.alert(reference).on_hold


def test_what_a_person_says_is_right_is_taken_as_it_stands(many: Office) -> None:
    for row in many.register.rows:
        row["Child name"] = "Name withheld"
    many.register.person_saved()
    assert "In 8 of 8 rows" in trouble(many)[0]

    (asked,) = many.ledger.questions()
    with many.ledger.page() as page:
        page.answer(asked.number, "trusted", WEDNESDAY)
        page.acted(asked.number, WEDNESDAY)
    assert trouble(many, WEDNESDAY) == []
    assert many.happened().count(Happened.CORRECTED) == 8
    for row in many.register.rows:  # the next time it is asked again
        row["Child name"] = "X"
    many.register.person_saved()
    assert "In 8 of 8 rows" in trouble(many, WEDNESDAY)[0]


def test_a_column_that_was_lost_and_is_added_again_is_filled(many: Office) -> None:
    """As the agent asks for it. Nobody meant to empty the names, and nothing is mistrusted."""
    names = [row.pop("Child name") for row in many.register.rows]
    many.register.headings.remove("Child name")
    many.register.person_saved()
    assert trouble(many) == []

    many.register.headings.append("Child name")
    for row in many.register.rows:
        row["Child name"] = ""
    many.register.person_saved()
    assert trouble(many, WEDNESDAY) == []
    assert [row["Child name"] for row in many.register.rows] == names
    assert Happened.CORRECTED not in many.happened()


def test_filling_in_a_column_is_everyday_work(many: Office) -> None:
    for row in many.register.rows:
        row["Panel decision"] = "Not needed"
    many.register.person_saved()

    assert trouble(many) == []


def test_what_cannot_be_put_right_while_the_workbook_is_open_is_told_once(many: Office) -> None:
    many.register.rows.pop()
    many.register.person_saved()
    many.register.open_by_person = True
    for minutes in range(0, 60, 10):
        many.register.person_saved()  # they go on working and saving
        many.works(TUESDAY + timedelta(minutes=minutes))

    told = many.ledger.questions(waiting_only=False)
    assert [asked.question.code for asked in told] == ["row_gone"]
