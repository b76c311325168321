"""What may not wait: questions that may hide an alert, and mails that may have gone to the wrong people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

import pytest

from agent.procedure.alert import Alert
from agent.procedure.decision import Question
from agent.procedure.people import People, Person
from agent.procedure.questions import QUESTIONS
from agent.procedure.urgent import UrgentQuestion, urgent_due
from tests.procedure.situations import PEOPLE, alert, at, calendar, procedure

ORLA = Person("Orla Finch", "orla.finch@trust.example", ("duty",))
CAS = Person("Cas Penhale", "cas.penhale@trust.example", ("business_support",))
DPO = Person("Mina Raj", "mina.raj@trust.example", ("data_protection",))
DESK = replace(PEOPLE, people=(*PEOPLE.people, ORLA, CAS, DPO))


@dataclass(frozen=True)
class Asked:
    number: int
    asked_at: datetime
    question: Question


def asked(code: str = "unreadable", when: str = "Mon 2 Mar 2026 10:00", *about: str) -> Asked:
    return Asked(7, at(when), Question(code, QUESTIONS.get(code, "Look."), "<1@x>", about, {"sender": "who"}))


def letters(
    one: Asked, now: str, alerts: dict[str, Alert] | None = None, people: People = DESK
) -> tuple[UrgentQuestion, ...]:
    return urgent_due([one], alerts or {}, at(now), procedure(), people, calendar())


def told(one: Asked, now: str) -> set[tuple[str, str]]:
    return {(letter.rule.split(":", 2)[2].rpartition(":")[0], letter.to) for letter in letters(one, now)}


@pytest.mark.parametrize(
    ("now", "mark", "to"),
    [
        ("Mon 2 Mar 2026 10:00", "asked", {ORLA.address, CAS.address}),
        ("Mon 2 Mar 2026 12:59", "asked", {ORLA.address, CAS.address}),
        ("Mon 2 Mar 2026 13:00", "13:00", {ORLA.address, CAS.address}),
        ("Mon 2 Mar 2026 23:00", "13:00", {ORLA.address}),
        ("Tue 3 Mar 2026 08:59", "13:00", {ORLA.address}),  # of the day before
        ("Tue 3 Mar 2026 09:00", "09:00", {ORLA.address, CAS.address}),
        ("Sat 7 Mar 2026 09:00", "09:00", {ORLA.address}),
        ("Mon 9 Mar 2026 09:30", "09:00", {ORLA.address, CAS.address}),
    ],
)
def test_a_question_that_may_hide_an_alert_is_told_until_somebody_answers(
    now: str, mark: str, to: set[str]
) -> None:
    assert told(asked(), now) == {(mark, one) for one in to}


def test_at_night_it_is_told_at_once_all_the_same() -> None:
    night = asked(when="Sat 7 Mar 2026 02:00")

    assert told(night, "Sat 7 Mar 2026 02:01") == {("asked", ORLA.address), ("asked", CAS.address)}


def test_nobody_is_told_of_a_question_that_may_be_about_them_by_any_of_its_alerts() -> None:
    about_orla = alert(number=2, values={"staff_subject": "yes", "staff_subject_name": "Orla Finch"})
    alerts = {one.reference: one for one in (alert(), about_orla)}

    found = letters(asked("unreadable", "Mon 2 Mar 2026 10:00", *alerts), "Mon 2 Mar 2026 10:01", alerts)
    assert {letter.to for letter in found} == {CAS.address}


def test_it_is_not_told_again_within_two_hours() -> None:
    early = asked(when="Mon 2 Mar 2026 08:40")

    assert {mark for mark, _ in told(early, "Mon 2 Mar 2026 09:30")} == {"asked"}
    assert {mark for mark, _ in told(early, "Mon 2 Mar 2026 13:00")} == {"13:00"}


@pytest.mark.parametrize("code", ["name_mismatch", "contradiction", "recall"])
def test_what_may_have_gone_to_the_wrong_people_is_told_to_data_protection_as_well(code: str) -> None:
    found = letters(asked(code), "Mon 2 Mar 2026 10:00")

    assert {letter.to for letter in found} == {ORLA.address, CAS.address, DPO.address}
    assert all(letter.breach for letter in found)


@pytest.mark.parametrize(
    "code", ["date_invalid", "date_future", "query", "letter_undelivered", "reply_unmatched"]
)
def test_what_can_wait_waits_for_the_register_and_the_digest(code: str) -> None:
    assert letters(asked(code), "Mon 2 Mar 2026 10:00") == ()


def test_nobody_is_told_of_a_question_about_themselves() -> None:
    about = alert(values={"staff_subject_name": "Cas Penhale"})

    found = letters(
        asked("unreadable", "Mon 2 Mar 2026 10:00", about.reference),
        "Mon 2 Mar 2026 10:00",
        {about.reference: about},
    )

    assert {letter.to for letter in found} == {ORLA.address}


def test_whoever_holds_two_of_the_roles_has_one_letter() -> None:
    both = replace(DESK, people=(Person("Cas Penhale", CAS.address, ("duty", "business_support")),))

    assert len(letters(asked(), "Mon 2 Mar 2026 10:00", people=both)) == 1


def test_a_reason_keeps_to_its_mark_and_names_nobody() -> None:
    first, later = letters(asked(), "Mon 2 Mar 2026 13:00"), letters(asked(), "Mon 2 Mar 2026 16:00")

    assert [(one.rule, one.due) for one in first] == [(one.rule, one.due) for one in later]
    assert not any("@" in one.rule or "finch" in one.rule.lower() for one in first)


def test_every_code_that_the_configuration_names_is_one_that_is_asked() -> None:
    elsewhere = {"cannot_be_read", "same_id_other_content"}  # asked where mails are taken in
    rules = procedure().urgent

    assert {*rules.questions, *rules.breaches, *rules.returned} <= QUESTIONS.keys() | elsewhere


@pytest.mark.parametrize("about", [(), ("SLA-2026-0001",)])
@pytest.mark.parametrize(("deputy", "to"), [(CAS.address, CAS.address), ("", ORLA.address)])
def test_whoever_is_away_has_their_deputy_told_if_they_named_one(
    about: tuple[str, ...], deputy: str, to: str
) -> None:
    away = replace(ORLA, deputy=deputy, away_until=date(2026, 3, 9))
    people = replace(PEOPLE, people=(*PEOPLE.people, away))
    alerts = {"SLA-2026-0001": alert()}

    found = letters(
        asked("unreadable", "Mon 2 Mar 2026 10:00", *about), "Sat 7 Mar 2026 09:00", alerts, people
    )
    assert [letter.to for letter in found] == [to]
