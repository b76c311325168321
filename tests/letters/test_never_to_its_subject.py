"""Whoever an alert is about gets no letter about it, of whatever kind, whatever role they hold in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.procedure.alert import Alert
from agent.procedure.chase import ChaseDue, chases_due
from agent.procedure.decision import Question
from agent.procedure.notes import notes_due
from agent.procedure.occasion import Occasion
from agent.procedure.people import Person
from agent.procedure.questions import QUESTIONS
from agent.procedure.receipts import acknowledgements_due, returned_forms_due
from agent.procedure.reminders import reminders_due
from agent.procedure.submission import Child
from agent.procedure.urgent import urgent_due
from tests.procedure.situations import AUTHOR, AVA, PEOPLE, PIA, SOL, alert, at, calendar, chased, procedure
from tests.procedure.test_chase import SENT
from tests.procedure.test_digest import Asked

ORLA = Person("Orla Finch", "orla.finch@trust.example", ("duty", "business_support", "data_protection"))
THEO = Person("Theo Marchbanks", AUTHOR, ())
DESK = replace(PEOPLE, people=(AVA, SOL, PIA, ORLA, THEO))
RULES = (procedure(), DESK, calendar())
KINDS = {"chase", "chase_escalated", "acknowledgement", "returned_form", "clock_reminder", "note"} | {
    "urgent_question"
}


def letters_about(one: Alert) -> Iterator[tuple[str, str]]:
    """Kind and address of everything that the rules want about an alert while nobody answers for weeks."""
    seen = {"sender": AUTHOR, "problem": "encrypted"}
    questions = [
        Asked(number, one.received_at, Question(code, QUESTIONS[code], f"<{number}>", (one.reference,), seen))
        for number, code in enumerate(("unreadable", "recall"), 1)
    ]
    heard = replace(one, updates=1, last_update_at=at("Tue 3 Mar 2026 10:00"))
    for hours in range(0, 24 * 40, 3):
        now = one.received_at + timedelta(hours=hours)
        states = (one, heard, chased(one, *SENT[:2]), chased(one, *SENT))
        found: list[Occasion | ChaseDue] = [
            *chases_due(states, now, *RULES),
            *reminders_due(states, now, *RULES),
            *notes_due(states, now, *RULES),
            *acknowledgements_due([one], (), now, *RULES, {}),
            *returned_forms_due({one.reference: one}, questions[:1], now, *RULES),
            *urgent_due(questions, {one.reference: one}, now, *RULES),
        ]
        yield from ((letter.letter, letter.to) for letter in found)


def about(name: str, *, child: bool) -> Alert:
    told = {"author": "Theo Marchbanks", "reviewer": "Ava Lindqvist"}
    if child:
        return alert(children=(Child(name),), values=told, aware_at=at("Mon 2 Mar 2026 09:00"))
    values = {**told, "staff_subject_name": name}
    return alert(categories=("M15", "M07"), values=values, aware_at=at("Mon 2 Mar 2026 09:00"))


@pytest.mark.parametrize("person", DESK.people, ids=lambda person: person.name.split()[0])
@pytest.mark.parametrize("child", [False, True], ids=["member of staff", "child of the same name"])
def test_no_letter_goes_to_whom_the_alert_is_about(person: Person, child: bool) -> None:
    assert person.address not in {to for _, to in letters_about(about(person.name, child=child))}


def test_every_kind_that_is_about_one_alert_was_tried() -> None:
    """Else the test above would say nothing."""
    told = set(letters_about(about("Somebody Else", child=False)))

    assert {kind for kind, _ in told} == KINDS
    assert {to for _, to in told} == {person.address for person in DESK.people}
