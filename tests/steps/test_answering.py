"""Questions that people answered, acted on in the next round; through bad luck, too."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from agent.answering import act_on_answers
from agent.errors import TryAgainLater
from agent.intake import intake
from agent.ledger.sql import SqlLedger
from agent.procedure.words import Happened, Place
from tests.builders import MONDAY, alert_form, later
from tests.steps.small_office import SUBJECT, Office

STRANGER = "nurse@hospital.example"
REFERENCE = "SLA-2026-0001"
ANNOUNCED = "Senior Leadership Alert - Urgent and Confidential"
GONE = "The mail is not in the mailbox any more"


@pytest.fixture
def office() -> Office:
    """A stranger's form came, which is a provisional alert and a question."""
    office = Office()
    office.receives_alert(MONDAY, sender=STRANGER)
    office.works(MONDAY)
    assert office.asked() == ["external_sender"]
    assert office.alert(REFERENCE).provisional
    return office


def answers(office: Office, answer: str, number: int = 1) -> None:
    with office.ledger.page() as page:
        page.answer(number, answer, later(1))


def lies_in(office: Office, place: Place) -> bool:
    (mail,) = office.mailbox.mails.values()
    return tuple(mail.folder) == office.desk.folder(place)


def test_an_answer_is_acted_on_in_the_next_round_and_the_mail_filed_afresh(office: Office) -> None:
    assert lies_in(office, Place.QUESTIONS)
    answers(office, "New alert")
    office.works(later(1))

    assert not office.alert(REFERENCE).provisional
    assert office.asked() == []
    assert lies_in(office, Place.ALERTS)
    assert office.cell(REFERENCE, "status") == "New"


def test_what_is_no_alert_is_set_aside_and_leaves_no_other_question_open() -> None:
    office = Office()
    office.receives(SUBJECT, ("SLA.docm", alert_form()), sender=STRANGER)
    office.works(MONDAY)
    assert office.asked() == ["macro_file", "external_sender"]
    answers(office, "Not an alert", number=2)
    office.works(later(1))

    assert office.asked() == []
    assert office.cell(REFERENCE, "status") == "Not an alert"
    assert lies_in(office, Place.SET_ASIDE)


def test_a_mail_with_another_question_stays_where_people_look() -> None:
    office = Office()
    office.receives(SUBJECT, ("SLA.docm", alert_form()), sender=STRANGER)
    office.works(MONDAY)
    answers(office, "New alert", number=2)
    office.works(later(1))

    assert office.asked() == ["macro_file"]
    assert lies_in(office, Place.QUESTIONS)


@pytest.fixture
def announced() -> Office:
    """An author spoke of an alert and sent no form."""
    office = Office()
    office.receives(ANNOUNCED, at=MONDAY)
    office.works(MONDAY)
    assert office.asked() == ["no_form"]
    return office


def test_once_the_form_has_come_nobody_is_asked_for_it() -> None:
    office = Office()
    office.receives(f"{ANNOUNCED} - Robin Fairweather", at=MONDAY)
    office.works(MONDAY)
    assert office.asked() == ["no_form"]
    office.receives(SUBJECT, ("SLA.docx", alert_form()), at=later(1))
    for day in (1, 2, 3):
        office.works(later(day))

    assert list(office.ledger.alerts()) == [REFERENCE]
    assert not office.alert(REFERENCE).provisional
    assert office.asked() == []
    assert {tuple(mail.folder) for mail in office.mailbox.mails.values()} == {
        office.desk.folder(Place.UPDATES)
    }


def test_a_form_in_a_mail_of_its_own_is_an_alert_and_asked_about(announced: Office) -> None:
    """Nothing but its sender says that it is the one that was announced."""
    announced.receives(SUBJECT, ("SLA.docx", alert_form()), at=later(1))
    announced.works(later(1))

    assert not announced.alert("SLA-2026-0002").provisional
    assert announced.asked() == ["no_form", "announced"]

    answers(announced, REFERENCE, number=2)
    announced.works(later(2))

    assert announced.alert("SLA-2026-0002").merged_into == REFERENCE
    assert announced.alert(REFERENCE).children[0].name == "Robin Fairweather"
    assert announced.asked() == []


@pytest.mark.parametrize("typed", ["Duplicate of SLA-2026-0002", "Duplicate", "Open"])
def test_what_people_say_of_the_row_that_announced_answers_both(announced: Office, typed: str) -> None:
    announced.receives(SUBJECT, ("SLA.docx", alert_form()), at=later(1))
    announced.works(later(1))
    announced.types(REFERENCE, status=typed)
    for day in (2, 3):
        announced.works(later(day))

    assert announced.asked() == []
    assert not announced.alert("SLA-2026-0002").ended


def test_a_form_that_comes_later_or_from_somebody_else_was_not_announced(announced: Office) -> None:
    announced.receives(SUBJECT, ("SLA.docx", alert_form()), at=later(3))
    announced.receives(
        SUBJECT,
        ("SLA.docx", alert_form("Sasha Ash")),
        at=later(1),
        sender="lee@trust.example",
    )
    announced.works(later(3))

    assert announced.asked() == ["no_form"]


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("Open", Place.ALERTS),
        ("Not an alert", Place.SET_ASIDE),
        ("Duplicate", Place.SET_ASIDE),
        ("Duplicate of SLA-2026-0002", Place.UPDATES),
        ("Concluded", Place.UPDATES),
    ],
)
def test_a_status_in_the_register_answers_what_was_asked_about_the_row(
    announced: Office, typed: str, place: Place
) -> None:
    announced.receives_alert(later(0, hours=1), sender="lee@trust.example")
    announced.works(later(0, hours=1))
    announced.types(REFERENCE, status=typed)
    for day in (1, 2, 3):
        announced.works(later(day))

    assert announced.asked() == []
    first = next(iter(announced.mailbox.mails.values()))
    assert tuple(first.folder) == announced.desk.folder(place)


def test_a_status_that_says_it_is_one_takes_down_what_a_strangers_form_says(office: Office) -> None:
    office.types(REFERENCE, status="Open")
    office.works(later(1))
    office.works(later(1, hours=1))

    assert office.asked() == []
    assert lies_in(office, Place.ALERTS)


def test_a_conclusion_leaves_open_what_is_to_be_put_right() -> None:
    office = Office()
    office.receives(SUBJECT, ("SLA.docm", alert_form()))
    office.works(MONDAY)
    office.types(REFERENCE, status="Concluded")
    for day in (1, 2):
        office.works(later(day))

    assert office.asked() == ["macro_file"]


def test_an_answer_that_means_nothing_leaves_the_question_open_with_a_note(office: Office) -> None:
    answers(office, "SLA-2026-0099")
    office.works(later(1))

    (asked,) = office.ledger.questions()
    assert asked.note == "There is no alert SLA-2026-0099. Look up its reference in the register."
    assert lies_in(office, Place.QUESTIONS)


def test_a_mail_that_is_gone_is_said_to_be_and_can_be_done_by_hand(office: Office) -> None:
    office.mailbox.delete("mail-1")
    answers(office, "Read again")
    office.works(later(1))
    assert office.ledger.questions()[0].note.startswith(GONE)

    answers(office, "Done")
    office.works(later(2))
    assert office.asked() == []


def test_a_mailbox_that_is_down_only_delays_an_answer(office: Office) -> None:
    answers(office, "New alert")
    office.mailbox.before_mime = _is_down
    with pytest.raises(TryAgainLater):
        act_on_answers(office.desk, later(1))
    assert len(office.ledger.to_act_on()) == 1

    office.mailbox.before_mime = lambda mail_id: None
    assert act_on_answers(office.desk, later(1)) == 1
    assert act_on_answers(office.desk, later(1)) == 0


def _is_down(mail_id: str) -> None:
    raise TryAgainLater("The mailbox is down.")


def test_an_agent_that_is_being_stopped_leaves_the_answer_for_the_next(office: Office) -> None:
    answers(office, "New alert")
    office.desk.stop.set()
    assert act_on_answers(office.desk, later(1)) == 0
    assert act_on_answers(replace(office.desk, stop=type(office.desk.stop)()), later(1)) == 1


def test_a_mail_under_an_id_used_before_touches_nothing_of_the_first(office: Office) -> None:
    answers(office, "New alert")
    office.works(later(1))
    office.receives("Something else", number=1, at=later(2))
    office.works(later(2))
    assert office.asked() == ["same_id_other_content"]
    answers(office, "Not an alert", number=2)
    office.works(later(3))

    assert office.asked() == []
    assert office.cell(REFERENCE, "status") == "New"
    places = [tuple(mail.folder) for mail in office.mailbox.mails.values()]
    assert places == [office.desk.folder(Place.ALERTS), office.desk.folder(Place.SET_ASIDE)]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3])
def test_ended_at_any_commit_an_answer_is_carried_out_once(tmp_path: Path, when: str, commit: int) -> None:
    """Of an intake that acts on an answer and files the mail afresh."""
    ends = _Ends()
    ledger = SqlLedger(f"sqlite:///{tmp_path}/ledger.sqlite", watch=ends)
    office = Office()
    office.ledger = ledger.desk("nct")
    office.desk = replace(office.desk, ledger=office.ledger)
    office.receives_alert(MONDAY, sender=STRANGER)
    office.works(MONDAY)
    answers(office, "New alert")
    ends.at(when, commit)
    with suppress(KeyboardInterrupt):
        intake(office.desk, later(1))
    ends.at("never", 0)
    intake(office.desk, later(1))

    assert office.happened() == [Happened.OPENED, Happened.CONFIRMED]
    assert office.asked() == []
    assert office.ledger.to_act_on() == []
    assert lies_in(office, Place.ALERTS)
    ledger.close()


class _Ends:
    """Ends the process, as it were, before or after the commit of this number."""

    def __init__(self) -> None:
        self.at("never", 0)

    def at(self, when: str, commit: int) -> None:
        self.when, self.left = when, commit

    def __call__(self, when: str, what: str) -> None:
        if when == self.when:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
