"""Receipts: a first form is acknowledged once, to its author; one that could not be read is told of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from agent.procedure.alert import Alert
from agent.procedure.decision import Question
from agent.procedure.receipts import (
    Acknowledgement,
    ReturnedForm,
    acknowledgements_due,
    returned_forms_due,
)
from agent.procedure.submission import Child
from tests.procedure.situations import AUTHOR, AVA, PEOPLE, alert, at, calendar, day, procedure

LABELS = {
    "sla": {
        "form_kind": "This form is",
        "incident_at": "Date of incident",
        "area": "Area",
        "author": "Completed by",
    }
}
NOW = "Mon 2 Mar 2026 10:05"


@dataclass(frozen=True)
class Asked:
    number: int
    asked_at: datetime
    question: Question


def asked(code: str, *about: str, mail: str = "<1@x>", sender: str = AUTHOR, problem: str = "") -> Asked:
    seen: dict[str, Any] = {"sender": sender, "problem": problem}
    return Asked(7, at("Mon 2 Mar 2026 10:00"), Question(code, "Look.", mail, about, seen))


def acknowledged(
    *alerts: Alert, now: str = NOW, questions: tuple[Asked, ...] = (), **more: Any
) -> tuple[Acknowledgement, ...]:
    return acknowledgements_due(alerts, questions, at(now), procedure(), PEOPLE, calendar(), LABELS, **more)


def returned(
    *questions: Asked, alerts: dict[str, Alert] | None = None, now: str = NOW, **more: Any
) -> tuple[ReturnedForm, ...]:
    return returned_forms_due(alerts or {}, questions, at(now), procedure(), PEOPLE, calendar(), **more)


# ---------------------------------------------------------------- acknowledgements


def test_a_first_form_is_acknowledged_to_its_author_with_what_was_understood() -> None:
    known = alert(
        incident_at=at("Sun 1 Mar 2026 21:10"),
        findings=("late_form", "missing_recipient:psw"),
        next_update_due=day("Fri 6 Mar 2026"),
    )

    (one,) = acknowledged(known)

    assert (one.to, one.alert, one.rule, one.due) == (
        AUTHOR,
        known.reference,
        "acknowledgement",
        day("Mon 2 Mar 2026"),
    )
    assert (one.initials, one.children, one.form) == ("R.F.", 1, "Standard")
    assert one.next_update == day("Fri 6 Mar 2026")
    assert one.missing == ("Area",)
    assert [(noticed.said, noticed.clause) for noticed in one.noticed] == [
        ("Form later than one day", "2.1"),
        ("Not copied: Principal Social Worker", "6.2, 8.1"),
    ]


def test_its_reason_is_the_same_whenever_it_is_asked_for() -> None:
    first, later = acknowledged(alert()), acknowledged(alert(), now="Tue 3 Mar 2026 22:00")

    assert [(one.rule, one.due) for one in first] == [(one.rule, one.due) for one in later]


@pytest.mark.parametrize(
    "about",
    [
        {"author_address": "somebody@elsewhere.example"},  # outside
        {"author_address": "n2k@trust.example"},  # the desk itself
        {"form": ""},  # opened from a form that could not be read
        {"not_an_alert": True},
        {"provisional": True},
        {"adopted_at": at("Mon 2 Mar 2026 10:00")},
        {"values": {"author": "Theo Marchbanks", "staff_subject_name": "T Marchbanks"}},  # about themselves
        {"children": (Child("Theo Marchbanks"),)},
    ],
)
def test_nobody_else_gets_one(about: dict[str, Any]) -> None:
    assert acknowledged(alert(**about)) == ()


@pytest.mark.parametrize("now", ["Wed 4 Mar 2026 10:01", "Mon 9 Mar 2026 09:00"])
def test_a_late_receipt_only_puzzles(now: str) -> None:
    assert acknowledged(alert(), now=now) == ()


def test_where_nothing_is_acknowledged_a_clock_that_is_behind_changes_nothing() -> None:
    rules = procedure()
    never = replace(rules, letters=replace(rules.letters, receipt_hours=0))
    early = at("Mon 2 Mar 2026 08:00")  # by this machine's clock, the form has not been received yet

    assert acknowledgements_due([alert()], (), early, never, PEOPLE, calendar(), LABELS) == ()


def test_nothing_is_acknowledged_that_lay_there_before_the_desk_began() -> None:
    assert acknowledged(alert(), not_before=at("Mon 2 Mar 2026 10:01")) == ()


@pytest.mark.parametrize("code", ["name_mismatch", "contradiction", "recall"])
def test_while_a_mail_may_have_gone_to_the_wrong_people_nobody_is_told_more(code: str) -> None:
    known = alert(mails=frozenset({"<1@x>"}))

    assert acknowledged(known, questions=(asked(code),)) == ()
    assert acknowledged(known, questions=(asked(code, known.reference, mail="<2@x>"),)) == ()
    assert len(acknowledged(known, questions=(asked(code, mail="<2@x>"),))) == 1  # another matter


def test_of_a_staff_matter_no_initials_are_told() -> None:
    (one,) = acknowledged(alert(values={"author": "Theo Marchbanks", "staff_subject": "yes"}))

    assert one.initials == ""


def test_a_brief_first_alert_is_not_nagged_for_the_rest() -> None:
    (one,) = acknowledged(alert(values={"author": "Theo Marchbanks", "brief": "yes"}))

    assert one.missing == ()


# ---------------------------------------------------------------- forms that could not be read


def test_whoever_sent_a_form_that_could_not_be_read_is_told_why() -> None:
    (one,) = returned(asked("unreadable", "SLA-2026-0001", problem="encrypted"))

    assert (one.to, one.alert, one.rule, one.problem) == (
        AUTHOR,
        "SLA-2026-0001",
        "returned_form:7",
        "It is protected by a password.",
    )


@pytest.mark.parametrize(
    "question",
    [
        asked("unreadable", sender="somebody@elsewhere.example"),
        asked("date_invalid"),
        replace(asked("unreadable"), asked_at=at("Mon 23 Feb 2026 10:00")),
    ],
)
def test_no_other_question_sends_a_form_back(question: Asked) -> None:
    assert returned(question) == ()


def test_a_form_in_a_mail_that_may_be_a_breach_is_not_sent_back() -> None:
    assert returned(asked("unreadable"), asked("recall")) == ()


@pytest.mark.parametrize("code", ["sender_unproven", "external_sender"])
def test_nobody_is_written_to_about_a_mail_that_may_not_be_theirs(code: str) -> None:
    assert returned(asked("unreadable"), asked(code)) == ()
    assert len(returned(asked("unreadable"), asked(code, mail="<2@x>"))) == 1


def test_a_form_about_its_sender_is_not_sent_back() -> None:
    about = alert(values={"staff_subject_name": "Ava Lindqvist"})

    assert (
        returned(asked("unreadable", about.reference, sender=AVA.address), alerts={about.reference: about})
        == ()
    )
