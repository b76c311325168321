"""Letters that were refused for good: shown, asked about, and sent again or dropped as a person says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import NeedsAPerson, OutcomeUnknown, WrongCall
from agent.ledger.base import DeskLedger, Letter, LetterState
from agent.ledger.sql import SqlLedger
from agent.procedure.words import Happened
from agent.settings import Settings
from agent.verbs.releasing import drop, release
from tests import builders
from tests.builders import AUTHOR, MONDAY, at
from tests.steps.small_office import Office, Trouble

ALERT = "SLA-2026-0001"
DUE = at("2026-03-09 10:00")
HELD_BACK = "Letter held back"
REFUSED = NeedsAPerson("400 ErrorInvalidRecipients")


def after(minutes: int) -> datetime:
    return DUE + timedelta(minutes=minutes)


def later(days: int) -> datetime:
    """The same hour of a later day."""
    return DUE + timedelta(days=days)


@pytest.fixture
def office() -> Office:
    """The first prompt to an alert's author was refused for good."""
    office = Office()
    office.opens_alert()
    office.mailbox.drafting.append(Trouble(REFUSED, applied=False))
    office.works(DUE)
    assert [letter.state for letter in chases(office)] == [LetterState.HELD]
    assert office.asked() == ["letter_held"]
    assert office.cell(ALERT, "needs_a_person") == HELD_BACK
    return office


def chases(office: Office) -> list[Letter]:
    return [letter for letter in office.letters() if letter.kind == "chase"]


def answers(office: Office, answer: str, now: datetime) -> None:
    """Somebody answers the newest question in the sheet, and the agent does its round."""
    with office.ledger.page() as page:
        page.answer(office.ledger.questions()[-1].number, answer, now)
    office.works(now)


def test_sent_again_it_goes_out_once_and_is_as_if_it_had_never_been_held(office: Office) -> None:
    answers(office, "send again.", after(5))
    office.works(after(10))

    assert [chase.to for chase in office.chases()] == [AUTHOR]
    assert office.asked() == []
    assert office.cell(ALERT, "needs_a_person") == ""
    assert office.alert(ALERT).chases[-1].rule == "chase-1"
    office.works(later(1))
    assert len(office.chases()) == 1
    office.works(later(7))
    assert [chase.rule for chase in office.alert(ALERT).chases] == ["chase-1", "chase-2"]


def test_dropped_it_stays_away_and_the_author_is_prompted_afresh_in_time(office: Office) -> None:
    answers(office, "Done", after(5))

    assert [letter.state for letter in chases(office)] == [LetterState.DROPPED]
    assert office.asked() == []
    assert office.cell(ALERT, "needs_a_person") == ""
    office.works(later(6))
    assert office.chases() == []
    office.works(later(7))
    assert len(office.chases()) == 1
    assert [letter.state for letter in chases(office)] == [LetterState.DROPPED, LetterState.POSTED]


def test_one_that_is_refused_again_is_asked_about_again(office: Office) -> None:
    office.mailbox.drafting.append(Trouble(REFUSED, applied=False))
    answers(office, "Send again", after(5))

    assert [letter.state for letter in chases(office)] == [LetterState.HELD]
    assert office.asked() == ["letter_held"]
    assert office.ledger.questions()[0].number == 2
    assert office.cell(ALERT, "needs_a_person") == HELD_BACK


def test_one_that_went_out_after_all_is_found_and_not_sent_twice() -> None:
    """The send was refused for good, or so it was answered: in truth the letter had gone."""
    office = Office()
    office.opens_alert()
    office.mailbox.sending.append(Trouble(REFUSED, applied=True))
    office.works(DUE)
    answers(office, "Send again", after(5))
    office.works(after(30))

    assert len(office.chases()) == 1
    assert [letter.state for letter in chases(office)] == [LetterState.POSTED]


def test_one_whose_second_sending_is_in_doubt_is_looked_for_first(office: Office) -> None:
    office.mailbox.sending.append(Trouble(OutcomeUnknown("cut off"), applied=True))
    answers(office, "Send again", after(5))
    assert [letter.state for letter in chases(office)] == [LetterState.SENDING]
    office.works(after(10))
    office.works(after(60))

    assert len(office.chases()) == 1


def test_one_that_news_has_overtaken_does_not_go(office: Office) -> None:
    office.hears_of(ALERT, after(3))
    assert office.cell(ALERT, "needs_a_person") == ""
    answers(office, "Send again", after(5))

    assert [letter.state for letter in chases(office)] == [LetterState.WITHDRAWN]
    assert office.chases() == []


def test_one_in_whose_place_a_later_one_went_can_only_be_dropped(office: Office) -> None:
    office.works(later(7))
    assert len(office.chases()) == 1
    answers(office, "Send again", later(8))
    (asked,) = office.ledger.questions()
    assert asked.note.startswith("A later letter stands in its place already.")

    answers(office, "Done", later(9))
    assert office.asked() == []
    assert len(office.chases()) == 1


def test_one_in_whose_place_a_later_one_was_laid_and_dropped_may_go(office: Office) -> None:
    office.mailbox.drafting.append(Trouble(REFUSED, applied=False))
    office.works(later(7))
    answers(office, "Done", later(7) + timedelta(minutes=5))
    answers(office, "Send again", later(7) + timedelta(minutes=10))

    assert [letter.state for letter in chases(office)] == [LetterState.POSTED, LetterState.DROPPED]


@pytest.mark.parametrize("answer", ["New alert", ALERT, "yes"])
def test_an_answer_that_is_none_about_a_letter_leaves_the_question_open(office: Office, answer: str) -> None:
    answers(office, answer, after(5))

    (asked,) = office.ledger.questions()
    assert asked.note == "Answer with: Send again, Done."
    assert [letter.state for letter in chases(office)] == [LetterState.HELD]


# ---------------------------------------------------------------- by the command


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The configuration of a desk of which one letter is held."""
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    ledger = SqlLedger(url)
    office = Office()
    office.desk = replace(office.desk, ledger=ledger.desk("nct"))
    office.ledger = office.desk.ledger
    office.opens_alert()
    office.mailbox.drafting.append(Trouble(REFUSED, applied=False))
    office.works(DUE)
    ledger.close()
    shipped = builders.settings()
    return replace(
        shipped,
        agent=replace(shipped.agent, ledger=url),
        desks={"nct": replace(shipped.desks["nct"], people=office.desk.settings.people)},
    )


@pytest.fixture
def ledger(settings: Settings) -> Iterator[DeskLedger]:
    """What the commands leave on record."""
    with closing(SqlLedger(settings.agent.ledger)) as opened:
        yield opened.desk("nct")


def key_of(ledger: DeskLedger) -> str:
    (letter,) = ledger.letters(LetterState.HELD)
    return letter.key[:8]


def test_a_command_sends_it_again_and_closes_the_question(settings: Settings, ledger: DeskLedger) -> None:
    key = key_of(ledger)
    assert "goes out in the next round" in release(settings, key, after(5))

    assert [one.state for one in ledger.letters() if one.key.startswith(key)] == [LetterState.IN_TRAY]
    assert ledger.questions() == []
    assert ledger.alerts()[ALERT].letters_held == {}
    with pytest.raises(WrongCall, match="not held"):
        release(settings, key, after(6))


def test_a_command_drops_it_for_good(settings: Settings, ledger: DeskLedger) -> None:
    key = key_of(ledger)
    assert "is dropped" in drop(settings, key, after(5))

    assert ledger.questions() == []
    assert [entry.happened for entry in ledger.entries(ALERT)][-1] is Happened.LETTER_DROPPED
    with pytest.raises(WrongCall, match="not held"):
        release(settings, key, after(6))


def test_what_was_answered_and_commanded_is_carried_out_once(settings: Settings, ledger: DeskLedger) -> None:
    """Somebody answers in the sheet, and somebody else is quicker."""
    with ledger.page() as page:
        page.answer(ledger.questions()[0].number, "Send again", MONDAY)
    drop(settings, key_of(ledger), after(5))
    office = Office()
    office.desk = replace(office.desk, ledger=ledger)
    office.works(after(6))

    assert ledger.to_act_on() == []
    assert ledger.questions() == []
    assert office.mailbox.sent == []


@pytest.mark.parametrize("key", ["", "0", "no-such-letter"])
def test_a_key_that_means_no_letter_is_a_wrong_call(settings: Settings, key: str) -> None:
    with pytest.raises(WrongCall, match="`n2k letters`"):
        drop(settings, key, after(5))
