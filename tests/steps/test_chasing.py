"""Chasing: who is prompted when an alert goes quiet, and who is left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.bookkeeping import bookkeeping
from agent.chasing import chasing
from agent.errors import NeedsAPerson
from agent.ledger.base import Letter, LetterState
from agent.posting import posting
from agent.procedure.people import Person
from agent.procedure.words import Happened
from tests.builders import AUTHOR, MONDAY, alert_form, at, later
from tests.steps.small_office import SUBJECT, Office, Trouble

DUE = later(days=7)  # five working days after the first form
HELENA = "helena.ostrow@trust.example"


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_quiet_alert_is_chased_once_however_often_the_step_runs(office: Office) -> None:
    reference = office.opens_alert()
    assert chasing(office.desk, DUE) == 1
    assert chasing(office.desk, DUE) == 0
    for minutes in range(0, 90, 15):
        office.works(DUE + timedelta(minutes=minutes))

    (chase,) = office.chases()
    assert chase.to == AUTHOR
    assert reference in chase.text
    assert office.happened(reference) == [Happened.OPENED, Happened.CHASED]


def test_the_next_chase_counts_from_the_one_that_was_really_sent(office: Office) -> None:
    office.opens_alert()
    for day in range(7, 15):
        office.works(later(days=day))

    assert [letter.laid_at for letter in office.letters() if letter.kind == "chase"] == [DUE, later(days=14)]


@pytest.mark.parametrize(
    ("moment", "why"),
    [
        ("2026-03-09 08:59", "before hours"),
        ("2026-03-09 17:00", "after hours"),
        ("2026-03-14 11:00", "a Saturday"),
        ("2026-04-03 11:00", "Good Friday"),
        ("2026-04-06 11:00", "Easter Monday"),
    ],
)
def test_nobody_is_chased_outside_hours(office: Office, moment: str, why: str) -> None:
    office.opens_alert()
    assert chasing(office.desk, at(moment)) == 0, why


def test_one_letter_gathers_all_that_a_person_is_asked_about(office: Office) -> None:
    references = [office.opens_alert(child=child) for child in ("Robin Fairweather", "Sasha Millbrook")]
    office.works(DUE)

    (chase,) = office.chases()
    assert all(reference in chase.text for reference in references)
    assert [office.happened(reference)[-1] for reference in references] == [Happened.CHASED] * 2


def test_a_person_gets_no_second_chase_on_the_same_day(office: Office) -> None:
    """What falls due meanwhile waits until tomorrow."""
    office.opens_alert()
    office.works(DUE)
    second = office.opens_alert(DUE, child="Sasha Millbrook")
    office.types(second, next_update_due="2026-03-09")
    office.works(DUE + timedelta(hours=1))
    assert len(office.chases()) == 1

    office.works(DUE + timedelta(days=1))
    assert len(office.chases()) == 2


def test_the_limit_for_a_person_and_a_day_is_the_configured_one() -> None:
    office = Office(letters_per_person_per_day=2)
    office.opens_alert(at("2026-03-02 10:00"))
    late = office.opens_alert(at("2026-03-02 11:00"), child="Sasha Millbrook")
    office.types(late, on_hold_until="2026-03-31")
    office.works(DUE)
    office.types(late, on_hold_until="2026-03-08")
    office.works(DUE + timedelta(hours=2))

    assert len(office.chases()) == 2


@pytest.mark.parametrize("refused", [None, NeedsAPerson("no such recipient")])
def test_a_chase_that_has_not_gone_yet_or_was_held_counts_for_the_day(
    office: Office, refused: NeedsAPerson | None
) -> None:
    """It may go later the same day."""
    _two_due_one_after_the_other(office, refused)

    assert len(_laid(office)) == 1


def test_beside_a_chase_that_waits_in_the_tray_another_is_laid_where_two_a_day_may_go() -> None:
    office = Office(letters_per_person_per_day=2)
    first, second = _two_due_one_after_the_other(office, None)

    assert [[why.alert for why in letter.reasons] for letter in _laid(office)] == [[first], [second]]


def _two_due_one_after_the_other(office: Office, refused: NeedsAPerson | None) -> tuple[str, str]:
    """Two alerts of one author: the first is chased, and its letter waits or is refused for good."""
    first, second = office.opens_alert(), office.opens_alert(child="Sasha Millbrook")
    office.types(second, on_hold_until="2026-03-31")
    office.works(later(days=6))
    assert chasing(office.desk, DUE) == 1
    if refused:
        office.mailbox.drafting.append(Trouble(refused, applied=False))
        posting(office.desk, DUE)
    office.types(second, on_hold_until="2026-03-08")
    bookkeeping(office.desk, DUE)
    chasing(office.desk, DUE + timedelta(hours=1))
    return first, second


def _laid(office: Office) -> list[Letter]:
    return [letter for letter in office.letters() if letter.kind == "chase"]


def test_an_address_that_the_roster_writes_with_capitals_is_written_to(office: Office) -> None:
    theo = Person("Theo Marchbanks", AUTHOR.title(), ("author",))
    people = office.desk.people
    office.desk = replace(office.desk, people=replace(people, people=(*people.people, theo)))
    office.opens_alert()
    office.works(DUE)

    assert [chase.to for chase in office.chases()] == [theo.address]


def test_different_authors_get_their_own_letters(office: Office) -> None:
    office.opens_alert()
    office.opens_alert(child="Sasha Millbrook", sender=HELENA, author="Helena Ostrow")
    office.works(DUE)

    assert sorted(chase.to for chase in office.chases()) == [HELENA, AUTHOR]


def test_watching_lays_no_letter(office: Office) -> None:
    office.opens_alert()
    watching = office.in_mode("watch")
    office.works(DUE, watching)

    assert [letter for letter in office.letters() if letter.kind == "chase"] == []


def test_nobody_is_chased_for_what_lay_there_before_the_desk_began(office: Office) -> None:
    """An inbox of three months: history is taken in, and only news of it is ever chased for."""
    for week in range(12):
        office.receives_alert(at("2025-12-01 09:00") + timedelta(weeks=week), incident_at="2025-11-30T09:00")
    for day in range(3):
        office.works(later(days=day))

    assert len(office.ledger.alerts()) >= 1
    assert office.chases() == []


def test_a_chase_nobody_could_post_in_time_is_withdrawn_when_news_comes(office: Office) -> None:
    """It was laid at five to five; the author answers in the evening."""
    reference = office.opens_alert()
    assert chasing(office.desk, at("2026-03-09 16:55")) == 1
    office.hears_of(reference, at("2026-03-09 20:00"))
    office.works(at("2026-03-10 09:00"))

    assert office.chases() == []
    assert [letter.state for letter in office.letters() if letter.kind == "chase"] == [LetterState.WITHDRAWN]


def test_a_withdrawn_chase_may_be_laid_again_when_it_is_due_again(office: Office) -> None:
    """One of two alerts in it was answered; the other is asked about afresh."""
    quiet, answered = office.opens_alert(), office.opens_alert(child="Sasha Millbrook")
    chasing(office.desk, at("2026-03-09 16:55"))
    office.hears_of(answered, at("2026-03-09 20:00"))
    office.works(at("2026-03-10 09:00"))
    office.works(at("2026-03-10 09:15"))

    (chase,) = office.chases()
    assert quiet in chase.text
    assert answered not in chase.text


def test_a_child_who_is_still_missing_is_asked_about_sooner(office: Office) -> None:
    """Two working days instead of five."""
    form = alert_form(name="sla_missing", missing_since="2026-03-02T06:00")
    office.receives(f"{SUBJECT} - Missing", ("SLA Missing.docx", form), at=MONDAY)
    office.works(MONDAY)
    office.works(later(days=2))

    assert len(office.chases()) == 1
