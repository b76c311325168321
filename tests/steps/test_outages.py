"""When register or mailbox stand still for long: one letter, and one when they work again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent.errors import Locked, NeedsAPerson, TryAgainLater
from agent.ledger.base import Letter, LetterState
from agent.mailbox.base import ChangedPage
from agent.outage import MAILBOX, REGISTER
from agent.posting import posting
from agent.verbs.status import lines_of
from tests.builders import MONDAY, PSW
from tests.steps.small_office import Office, Trouble


def after(minutes: float) -> datetime:
    return MONDAY + timedelta(minutes=minutes)


@pytest.fixture
def office() -> Office:
    """Somebody has the register open, and something is to be written."""
    made = Office()
    told = replace(made.desk.people, roles=replace(made.desk.people.roles, support="psw"))
    made.desk = replace(made.desk, people=told)
    made.opens_alert()
    made.types("SLA-2026-0001", status="Concluded")
    made.register.open_by_person = True
    return made


def tried(office: Office, *minutes: float) -> None:
    for minute in minutes:
        try:
            REGISTER.watched(office.desk, after(minute))
        except Locked:
            continue


def letters(office: Office, kind: str) -> list[Letter]:
    return [letter for letter in office.ledger.letters() if letter.kind == kind]


def test_nobody_is_told_before_the_time_is_over(office: Office) -> None:
    tried(office, 0, 30, 59)
    assert letters(office, REGISTER.letter) == []


def test_one_letter_is_laid_however_long_it_lasts(office: Office) -> None:
    tried(office, 0, 60, 65, 200)

    (letter,) = letters(office, REGISTER.letter)
    assert letter.to == PSW.address
    assert "Somebody has the register open" in letter.text
    assert "SLA-2026" not in letter.subject + letter.text + letter.html


def test_who_asks_how_things_stand_is_told_too(office: Office) -> None:
    tried(office, 0)
    assert any(
        "REGISTER STUCK   since 02 Mar 2026 09:00 UTC" in line
        for line in lines_of(office.ledger, office.desk.procedure)
    )

    office.register.open_by_person = False
    tried(office, 5)
    assert not any("STUCK" in line for line in lines_of(office.ledger, office.desk.procedure))


def test_a_letter_not_gone_when_it_works_again_is_withdrawn_and_nothing_said(office: Office) -> None:
    tried(office, 0, 60)
    office.register.open_by_person = False
    tried(office, 70)

    assert [letter.state for letter in letters(office, REGISTER.letter)] == [LetterState.WITHDRAWN]
    assert letters(office, REGISTER.recovered) == []


def test_whoever_was_told_is_told_once_that_it_works_again(office: Office) -> None:
    tried(office, 0, 60)
    posting(office.desk, after(61))
    office.register.open_by_person = False
    tried(office, 70, 75)
    posting(office.desk, after(76))

    assert [letter.state for letter in letters(office, REGISTER.letter)] == [LetterState.POSTED]
    (letter,) = letters(office, REGISTER.recovered)
    assert (letter.to, letter.state) == (PSW.address, LetterState.POSTED)
    assert "10:10" in letter.text


def test_each_outage_has_its_own_letters(office: Office) -> None:
    for start in (0, 300):
        office.register.open_by_person = True
        office.types("SLA-2026-0001", updates=str(99 + start))  # the agent's own, so it is put back
        tried(office, start, start + 60)
        posting(office.desk, after(start + 61))
        office.register.open_by_person = False
        tried(office, start + 70)

    assert (len(letters(office, REGISTER.letter)), len(letters(office, REGISTER.recovered))) == (2, 2)


def test_a_new_start_in_the_middle_does_not_forget_since_when(office: Office) -> None:
    """Nothing is kept in the process: the ledger says since when."""
    tried(office, 0)
    again = replace(office.desk, register=office.register)
    with pytest.raises(Locked):
        REGISTER.watched(again, after(60))

    assert len(letters(office, REGISTER.letter)) == 1


def test_an_outage_that_ended_before_the_letter_went_out_is_no_news_any_more(office: Office) -> None:
    """The letter was refused, and somebody lets it go again when the register works long since."""
    tried(office, 0, 60)
    office.mailbox.drafting.append(Trouble(NeedsAPerson("refused"), applied=False))
    posting(office.desk, after(61))
    office.register.open_by_person = False
    tried(office, 70)
    (held,) = letters(office, REGISTER.letter)
    assert held.state is LetterState.HELD
    with office.ledger.page() as page:
        page.letter_moved(held.key, LetterState.IN_TRAY, after(80))

    assert posting(office.desk, after(81)) == 0
    assert [letter.state for letter in letters(office, REGISTER.letter)] == [LetterState.WITHDRAWN]


def test_in_watch_mode_no_letter_is_written(office: Office) -> None:
    office.desk = office.in_mode("watch")
    tried(office, 0, 60, 120)
    assert letters(office, REGISTER.letter) == []


def test_whoever_supports_the_desk_hears_once_that_mails_cannot_be_taken_in_and_once_that_they_can() -> None:
    """Letters may still go out when only the changes cannot be asked for."""
    office = Office()
    told = replace(office.desk.people, roles=replace(office.desk.people.roles, support="psw"))
    office.desk = replace(office.desk, people=told)
    changes = office.mailbox.changes

    def fails(cursor: str | None) -> Iterator[ChangedPage]:
        raise TryAgainLater("Microsoft 365 does not answer just now.")

    office.mailbox.changes = fails  # type: ignore[method-assign]
    for minutes in (0, 30, 60, 75, 200):
        office.works(after(minutes))
    (letter,) = letters(office, MAILBOX.letter)
    assert (letter.to, letter.state) == (PSW.address, LetterState.POSTED)
    assert "does not answer just now" in letter.text

    assert "MAILBOX STUCK    since 02 Mar 2026 09:00 UTC" in "\n".join(
        lines_of(office.ledger, office.desk.procedure)
    )

    office.mailbox.changes = changes  # type: ignore[method-assign]
    for minutes in (201, 203):
        office.works(after(minutes))
    (recovered,) = letters(office, MAILBOX.recovered)
    assert (recovered.to, recovered.state) == (PSW.address, LetterState.POSTED)
    assert len(letters(office, MAILBOX.letter)) == 1


def test_a_short_trouble_of_the_mailbox_is_nobodys_news() -> None:
    office = Office()
    changes = office.mailbox.changes

    def fails(cursor: str | None) -> Iterator[ChangedPage]:
        raise TryAgainLater("busy")

    for minutes in (0, 59, 120):
        office.mailbox.changes = fails  # type: ignore[method-assign]
        office.works(after(minutes))
        office.mailbox.changes = changes  # type: ignore[method-assign]
        office.works(after(minutes + 1))
    assert letters(office, MAILBOX.letter) + letters(office, MAILBOX.recovered) == []
