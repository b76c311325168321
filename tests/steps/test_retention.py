"""Some time after its end an alert is erased, in the ledger and in the register, unless a person holds it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.errors import Locked, NeedsAPerson
from agent.ledger.memory import MemoryLedger
from agent.ledger.sql import SqlLedger
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.words import Happened, Json
from agent.register.base import Book
from agent.retention import retention
from agent.settings import Retention
from agent.steps import run_step
from agent.timetable import table
from tests.builders import MONDAY, alert_form, later
from tests.steps.small_office import SUBJECT, Office, Trouble

YEAR = 366
OVER = later(days=YEAR)


class Keeping(Office):
    """An office that keeps what is personal for 300 days after an alert's end."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = replace(self.desk, settings=replace(self.desk.settings, retention=Retention(days=300)))

    def concludes(self, reference: str, at: datetime, **cells: str) -> None:
        self.types(reference, status="Concluded", concluded_by="Ava Lindqvist", **cells)
        self.works(at)

    def rows(self) -> dict[str, Any]:
        book = self.register.read(None)
        assert book is not None
        return dict(book.register.rows)


@pytest.fixture
def office() -> Keeping:
    return Keeping()


@pytest.fixture
def ended(office: Keeping) -> str:
    """An alert concluded on the day after it came, with a note of somebody's beside it."""
    reference = office.opens_alert()
    office.concludes(reference, later(days=1))
    office.register.row(reference)["Notes"] = "Aunt is Wren Ficton."
    office.register.person_saved()
    office.works(later(days=2))
    return reference


def test_an_alert_whose_time_is_over_leaves_ledger_and_register(office: Keeping, ended: str) -> None:
    assert retention(office.desk, later(days=300)) == 0
    assert retention(office.desk, OVER) == 1

    alert = office.alert(ended)
    assert (alert.erased, alert.initials, alert.values, alert.author_address) == (True, "", {}, "")
    assert alert.concluded
    assert office.entries(ended)[-1].source == "retention"
    assert office.rows() == {}
    sheet = office.ledger.sheet()
    assert sheet is not None
    assert sheet.rows == {}
    assert not any(made.rows for made in office.desk.rows.values())
    assert office.ledger.verify() == []


def test_it_stays_gone(office: Keeping, ended: str) -> None:
    retention(office.desk, OVER)
    writes, lines = office.register.writes, len(office.entries())

    assert retention(office.desk, OVER + timedelta(days=1)) == 0
    office.works(OVER + timedelta(days=2))
    assert (office.register.writes, len(office.entries())) == (writes, lines)
    assert office.asked() == []


def test_a_row_that_somebody_puts_back_goes_again(office: Keeping, ended: str) -> None:
    before = dict(office.register.row(ended))
    retention(office.desk, OVER)
    office.register.rows.append(before)
    office.register.person_saved()
    office.works(OVER)

    assert office.rows() == {}
    assert office.asked() == []


def test_nothing_is_erased_unless_the_desk_says_so(office: Keeping, ended: str) -> None:
    keeps = replace(office.desk, settings=replace(office.desk.settings, retention=Retention()))
    assert retention(keeps, later(days=9999)) == 0
    assert ended in office.rows()


def test_any_word_holds_it_and_taking_the_word_out_lets_it_go(office: Keeping, ended: str) -> None:
    office.types(ended, legal_hold="until the inquest")  # nobody's bookkeeping saw it before the night
    assert retention(office.desk, OVER) == 0

    office.types(ended, legal_hold="")
    assert retention(office.desk, OVER) == 1


def test_a_hold_outlives_its_column_and_its_row(office: Keeping, ended: str) -> None:
    """Somebody who deletes a column did not mean to let go of what a court asked for."""
    office.types(ended, legal_hold="yes")
    office.works(later(days=3))
    office.register.headings.remove("Legal hold")
    office.register.person_saved()
    office.works(later(days=4))

    assert retention(office.desk, OVER) == 0


def test_with_a_register_that_cannot_be_read_nothing_is_erased(
    office: Keeping, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have written a hold into it."""

    def unreadable(version: str | None) -> Book:
        raise NeedsAPerson("The workbook cannot be read.")

    monkeypatch.setattr(office.register, "read", unreadable)
    outcome = run_step("retention", office.desk, OVER, retention)

    assert outcome.needs_a_person
    assert not office.alert(ended).erased


def test_a_row_that_cannot_leave_the_register_now_leaves_it_later(office: Keeping, ended: str) -> None:
    office.works(OVER)
    office.register.writing = [Trouble(Locked("Somebody has it open."), applied=False)]
    outcome = run_step("retention", office.desk, OVER, retention)
    assert outcome.trouble
    assert office.alert(ended).erased

    office.works(OVER)
    assert office.rows() == {}


def test_what_a_letter_tells_beside_a_held_one_is_held_too(office: Keeping) -> None:
    """One chase about two alerts: with the one, part of what is held would go."""
    references = [office.opens_alert(child=name, dob=born) for name, born in _TWO]
    office.works(later(days=8))
    assert len(office.chases()) == 1
    for reference in references:
        office.concludes(reference, later(days=9), legal_hold="x" if reference == references[0] else "")

    assert retention(office.desk, OVER) == 0
    office.types(references[0], legal_hold="")
    assert retention(office.desk, OVER) == 2


_TWO = [("Robin Fairweather", "2012-05-04"), ("Sasha Millbrook", "2013-05-04")]


def test_what_came_in_one_mail_with_a_held_one_is_held_too(office: Keeping) -> None:
    forms = [(f"SLA {name}.docx", alert_form(child=name, dob=born)) for name, born in _TWO]
    office.receives(SUBJECT, *forms)
    office.works(MONDAY)
    held, other = office.ledger.alerts()
    office.concludes(held, later(days=1), legal_hold="court")
    office.concludes(other, later(days=1))

    assert retention(office.desk, OVER) == 0
    office.types(held, legal_hold="")
    assert retention(office.desk, OVER) == 2


def test_what_was_asked_about_it_and_a_held_one_is_held_too(office: Keeping) -> None:
    """Answered or not: erased with the one, the question would say no more what was seen of the other."""
    held, other = (office.opens_alert(child=name, dob=born) for name, born in _TWO)
    with office.ledger.page() as page:
        number = page.ask(Question("unclear", "Which?", "<q@x>", (held, other), {"sender": "x"}), MONDAY)
        page.answer(number, "nothing", MONDAY)
        page.acted(number, MONDAY)
    office.concludes(held, later(days=1), legal_hold="court")
    office.concludes(other, later(days=1))

    assert retention(office.desk, OVER) == 0


def test_what_still_waits_for_a_person_waits_with_its_alert(office: Keeping, ended: str) -> None:
    with office.ledger.page() as page:
        number = page.ask(Question("unclear", "What was meant?", "<q@x>", (ended,)), OVER)
    assert retention(office.desk, OVER) == 0

    with office.ledger.page() as page:
        page.answer(number, "nothing", OVER)
    assert retention(office.desk, OVER) == 1


def test_it_happens_at_night(office: Keeping) -> None:
    slots = {slot.name: slot for slot in table(office.desk.agent.timetable, "Europe/London")}
    first = slots["retention"].trigger.get_next_fire_time(None, MONDAY)
    assert (first.hour, first.minute, first.date()) == (3, 30, date(2026, 3, 3))


@pytest.mark.parametrize("locked", [False, True])
def test_the_ledgers_file_is_made_anew_in_the_same_night(
    office: Keeping, tmp_path: Path, *, locked: bool
) -> None:
    """Also where the register cannot follow yet."""
    file = tmp_path / "ledger.sqlite"
    with closing(SqlLedger(f"sqlite:///{file}")) as ledger:
        office.desk = replace(office.desk, ledger=ledger.desk("nct"))
        office.ledger = office.desk.ledger
        reference = office.opens_alert()
        with office.ledger.page() as page:
            long: dict[str, Json] = {"values": {"summary": "y" * 500_000}}
            page.record(Entry(Happened.UPDATED, reference, MONDAY, "<long@trust.example>", {}, long))
        office.concludes(reference, later(days=1))
        office.works(OVER)
        if locked:
            office.register.writing = [Trouble(Locked("Somebody has it open."), applied=False)]
        outcome = run_step("retention", office.desk, OVER, retention)
        assert bool(outcome.trouble) is locked
        assert office.alert(reference).erased
        assert file.stat().st_size < 500_000


_ENDS = ("wick", "mere", "brook", "moor", "leigh")
_NAMES = [f"{one}{other}" for one in ("Alder", "Birch", "Cold", "Dun") for other in _ENDS]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_four_years_at_a_desk(office: Keeping, kind: str, tmp_path: Any) -> None:
    """An alert every ten weeks, each concluded a week later but the last; every third is held."""
    ledger = MemoryLedger() if kind == "memory" else SqlLedger(f"sqlite:///{tmp_path}/ledger.sqlite")
    desk = replace(office.desk, ledger=ledger.desk("nct"))
    office.ledger = desk.ledger
    holidays = desk.calendar.bank_holidays | {date(year, 1, 1) for year in range(2026, 2032)}
    office.desk = replace(desk, calendar=replace(desk.calendar, bank_holidays=holidays))
    opened: dict[str, datetime] = {}
    for number in range(20):
        now = later(days=70 * number)
        reference = office.opens_alert(now, child=f"Robin {_NAMES[number]}", dob=f"{2001 + number}-05-04")
        opened[reference] = now
        if number < 19:
            office.concludes(reference, now + timedelta(days=7), legal_hold="" if number % 3 else "court")
        retention(office.desk, now + timedelta(days=8))

    now = later(days=70 * 19 + 8)
    kept = {reference for reference, alert in office.ledger.alerts().items() if not alert.erased}
    held = set(list(opened)[::3])
    young = {reference for reference, at in opened.items() if now - at < timedelta(days=307)}
    assert kept == held | young
    assert office.rows().keys() == kept
    lines = [entry for entry in office.entries() if entry.alert not in kept]
    assert {entry.happened for entry in lines} >= {Happened.OPENED, Happened.CONCLUDED, Happened.ERASED}
    assert not any(entry.content for entry in lines)
    questions = office.ledger.questions(waiting_only=False)
    said = " ".join(entry.__repr__() + str(entry.content) for entry in office.ledger.entries())
    said += " ".join(f"{letter.to} {letter.text}" for letter in office.ledger.letters())
    said += " ".join(f"{asked.question.seen} {asked.answer}" for asked in questions)
    names = zip(_NAMES, opened, strict=True)
    assert [name for name in _NAMES if name in said] == [name for name, one in names if one in kept]
    assert office.ledger.verify() == []
    ledger.close()
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not [
        name for name, one in zip(_NAMES, opened, strict=True) if one not in kept and name.encode() in files
    ]
