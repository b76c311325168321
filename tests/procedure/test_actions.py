"""Actions that a form sets somebody by a day, followed up as people say dates; the second organisation's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from agent.procedure.actions import open_actions
from agent.procedure.alert import Alert, Chased
from agent.procedure.chase import ChaseDue, chases_due
from agent.procedure.digest import digest_of
from agent.procedure.filled_form import FilledForm
from agent.procedure.reading import Field, Reading
from agent.procedure.row import row_of
from agent.procedure.submission import Action
from tests.procedure import test_second_procedure as second
from tests.procedure.arrivals import Desk, form, happenings, update
from tests.procedure.situations import AUTHOR, LONDON, alert, at, calendar, day
from tests.procedure.situations import procedure as first_procedure
from tests.procedure.test_second_procedure import IMOGEN, TOBIAS, one

BY_FRIDAY = Action("Strategy meeting", "Priya Example", day("Fri 24 Apr 2026"))
BY_WEDNESDAY = Action("Visit", "Theo Marchbanks", day("Wed 22 Apr 2026"))
DONE = replace(BY_WEDNESDAY, done=True)


def planned(*actions: Action, expected: str = "Tue 26 May 2026", **more: Any) -> Alert:
    """An alert whose form names actions; its next update is expected in May."""
    return one(expected=expected, actions=actions, **more)


def due(known: Alert, now: str, **more: Any) -> tuple[ChaseDue, ...]:
    return chases_due([known], at(now), second.procedure(), second.PEOPLE, calendar(), **more)


def asked_about(known: Alert, now: str) -> list[tuple[str, str, list[int]]]:
    return [(one.rule, one.to, [action.number for action in one.actions]) for one in due(known, now)]


@pytest.mark.parametrize(
    ("now", "asked"),
    [
        ("Wed 22 Apr 2026 12:00", None),
        ("Thu 23 Apr 2026 08:59", None),  # not before the office opens
        ("Thu 23 Apr 2026 09:00", ("chase-actions-20260423", [2])),
        ("Fri 24 Apr 2026 09:00", ("chase-actions-20260423", [2])),
        ("Mon 27 Apr 2026 09:00", ("chase-actions-20260427", [2, 1])),  # both by now, the longest over first
    ],
)
def test_an_action_is_asked_about_on_the_working_day_after_its_day(
    now: str, asked: tuple[str, list[int]] | None
) -> None:
    found = asked_about(planned(BY_FRIDAY, BY_WEDNESDAY), now)

    rule, numbers = asked or ("", [])
    expected = [(f"{rule}:reviewer", IMOGEN.address, numbers), (rule, AUTHOR, numbers)]
    assert found == (expected if asked else [])


def test_it_is_asked_about_once_and_the_second_letter_of_a_prompt_still_goes() -> None:
    half = sent(planned(BY_WEDNESDAY), "Thu 23 Apr 2026 09:05", "chase-actions-20260423:reviewer")
    assert [chase.to for chase in due(half, "Thu 23 Apr 2026 09:10")] == [AUTHOR]

    whole = sent(half, "Thu 23 Apr 2026 09:15", "chase-actions-20260423")
    assert due(whole, "Fri 24 Apr 2026 10:00") == ()


def sent(known: Alert, when: str, rule: str) -> Alert:
    letter = Chased(at(when), rule, len(known.chases) + 1, f"letter-{len(known.chases)}")
    return replace(known, chases=(*known.chases, letter))


@pytest.mark.parametrize(
    "settled",
    [
        planned(DONE),
        planned(Action("Watch him closely", "All")),  # without a day
        planned(BY_WEDNESDAY, last_news_at=at("Thu 23 Apr 2026 08:00")),  # whoever wrote has seen it
        planned(BY_WEDNESDAY, concluded_at=at("Wed 22 Apr 2026 10:00")),
        planned(BY_WEDNESDAY, on_hold=True),
        planned(),
    ],
)
def test_of_these_nobody_is_asked(settled: Alert) -> None:
    assert due(settled, "Thu 23 Apr 2026 10:00") == ()


def test_what_fell_due_before_the_desk_began_is_history() -> None:
    began = at("Thu 23 Apr 2026 12:00")
    assert due(planned(BY_WEDNESDAY), "Fri 24 Apr 2026 10:00", not_before=began) == ()


def test_a_prompt_for_news_asks_about_actions_as_well_and_there_is_no_second_letter() -> None:
    """The update was expected on the 23rd, and the action by the day before."""
    known = planned(BY_WEDNESDAY, expected="Thu 23 Apr 2026")
    assert asked_about(known, "Wed 22 Apr 2026 10:00")[0] == ("chase-1:reviewer", IMOGEN.address, [])

    prompted = second.prompted(known, "Wed 22 Apr 2026", "Thu 23 Apr 2026")
    assert due(prompted, "Thu 23 Apr 2026 11:00") == ()  # prompt 2 asked about it today
    (head, _) = asked_about(prompted, "Fri 24 Apr 2026 10:00")
    assert head == ("chase-3:reviewer", IMOGEN.address, [1])


def test_asking_about_an_action_moves_no_prompt_for_news() -> None:
    known = planned(BY_WEDNESDAY, expected="")
    asked = sent(known, "Thu 23 Apr 2026 09:05", "chase-actions-20260423")

    assert [chase.rule for chase in due(asked, "Mon 27 Apr 2026 09:30")] == ["chase-1:reviewer", "chase-1"]


def test_a_procedure_without_such_a_rule_asks_about_none() -> None:
    known = alert(actions=(Action("Visit", "", day("Tue 3 Mar 2026")),))

    assert chases_due([known], at("Thu 5 Mar 2026 10:00"), first_procedure(), second.PEOPLE, calendar()) == ()


# ---------------------------------------------------------------- where people see them


def test_the_digest_tells_of_each_by_number_and_day_and_the_register_in_words() -> None:
    known = planned(BY_FRIDAY, BY_WEDNESDAY, DONE, Action("By May", "", day("Mon 4 May 2026")))
    now = at("Thu 23 Apr 2026 10:00")
    digest = digest_of(
        [known],
        now=now,
        week=day("Mon 20 Apr 2026"),
        procedure=second.procedure(),
        people=second.PEOPLE,
        calendar=calendar(),
        questions=(),
        letters=(),
        reader=TOBIAS,
    )

    assert [(one.name, one.due.day, one.passed) for one in digest.deadlines] == [
        ("Action no. 2", 22, True),
        ("Action no. 1", 24, False),
    ]
    assert "Visit" not in str(digest)
    row = row_of(known, now, second.procedure(), second.PEOPLE, calendar())
    assert row["actions"].splitlines() == [
        "1. Strategy meeting (Priya Example, by 24 Apr 2026)",
        "2. Visit (Theo Marchbanks, by 22 Apr 2026)",
        "3. Visit (Theo Marchbanks, by 22 Apr 2026): done",
        "4. By May (by 4 May 2026)",
    ]


def test_of_a_staff_matter_no_action_is_told_in_the_digest() -> None:
    staff = planned(BY_WEDNESDAY, categories=("E11",))
    digest = digest_of(
        [staff],
        now=at("Thu 23 Apr 2026 10:00"),
        week=day("Mon 20 Apr 2026"),
        procedure=second.procedure(),
        people=second.PEOPLE,
        calendar=calendar(),
        questions=(),
        letters=(),
        reader=TOBIAS,
    )

    assert digest.deadlines == ()


# ---------------------------------------------------------------- as forms have them


def read(*rows: dict[str, tuple[str, str]]) -> tuple[Action, ...]:
    """The actions of a form received on 20 April: (value, what stood there) by column."""
    table = tuple(
        {name: Field(name, value, text, name, "table 1") for name, (value, text) in row.items()}
        for row in rows
    )
    reading = Reading("leadership_alert", "form.docx", "0" * 64, {}, {"actions": table})
    return FilledForm(reading, RECEIVED, LONDON).actions


RECEIVED: datetime = at("Mon 20 Apr 2026 10:00")


@pytest.mark.parametrize(
    ("value", "text", "done"),
    [
        ("2026-04-18", "18/4/26", True),
        ("2026-05-18", "18/5/26", False),  # is yet to come
        ("", "Yes", True),
        ("Completed", "Completed", True),
        ("", "In progress", False),
        ("", "not done", False),
        ("", "", False),
    ],
)
def test_whether_a_form_says_that_an_action_is_done(value: str, text: str, done: bool) -> None:
    (action,) = read({"action": ("Visit", "Visit"), "done": (value, text)})

    assert action == Action("Visit", done=done)


@pytest.mark.parametrize(
    ("value", "text"), [("", "ASAP"), ("at once", "at once"), ("0026-04-01", "1/4/0026")]
)
def test_a_day_that_is_none_is_no_mistake_and_is_not_followed_up(value: str, text: str) -> None:
    (action,) = read({"action": ("Visit", "Visit"), "owner": ("TBC", "TBC"), "by_when": (value, text)})

    assert action == Action("Visit")
    assert open_actions(planned(action)) == ()


def test_an_empty_row_is_none() -> None:
    assert read({"action": ("", ""), "owner": ("Priya", "Priya")}) == ()


def listed(*actions: tuple[str, str, str], edition: str = "") -> Reading:
    """A form with these actions: (what, by when, done)."""
    first = form(name="leadership_alert", edition=edition)
    rows = tuple(
        {
            name: Field(name, value, value, name, "table 6")
            for name, value in zip(("action", "by_when", "done"), told, strict=True)
        }
        for told in actions
    )
    return replace(first, tables={**first.tables, "actions": rows})


def test_the_last_form_that_lists_actions_is_what_counts() -> None:
    desk = Desk(second.procedure())
    desk.receives(listed(("Visit", "2026-03-04", ""), ("Meeting", "2026-03-06", "")))
    assert [one.number for one in open_actions(desk.only)] == [1, 2]

    told = desk.receives(listed(("Visit", "2026-03-04", "Yes"), ("Meeting", "2026-03-06", ""), edition="2"))
    assert happenings(told) == ["updated"]  # that one is done is news, though nothing else was added
    assert [one.number for one in open_actions(desk.only)] == [2]

    desk.receives(form(name="leadership_alert", updates=[update("Seen.")]))
    assert [one.number for one in open_actions(desk.only)] == [2]
    assert "Visit" not in str([dict(entry.facts) for entry in told.entries])
