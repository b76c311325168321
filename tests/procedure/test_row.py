"""An alert's row in the register, and its status, as business support would expect to read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.procedure.alert import Absence, Alert, alert_after
from agent.procedure.entry import Entry
from agent.procedure.people import People
from agent.procedure.row import row_of, within_time
from agent.procedure.status import status_of
from agent.procedure.submission import Child
from agent.procedure.words import Happened, Status
from tests.procedure.situations import (
    AUTHOR,
    PEOPLE,
    PIA,
    alert,
    at,
    calendar,
    chased,
    day,
    procedure,
    unreached,
)

NOW = "Tue 3 Mar 2026 12:00"


def row(one: Alert, now: str = NOW, people: People = PEOPLE) -> dict[str, str]:
    return row_of(one, at(now), procedure(), people, calendar())


def test_every_column_that_the_agent_fills_is_in_the_row() -> None:
    wanted = {column.field for column in procedure().columns if column.field}

    assert set(row(alert())) - wanted == {"actions"}  # a column of the second organisation's alone
    assert wanted < set(row(alert()))


def test_a_plain_alert_reads_as_people_would_write_it() -> None:
    told = alert(
        incident_at=at("Sun 1 Mar 2026 21:10"),
        aware_at=day("Mon 2 Mar 2026"),
        next_update_due=day("Mon 9 Mar 2026"),
        values={
            "author": "Theo Marchbanks",
            "reviewer": "Ava Lindqvist",
            "area": "North",
            "child_status": "Child in need",
            "summary": "An invented\n matter.",
            "media": "None known",
        },
    )

    assert {name: text for name, text in row(told).items() if text} == {
        "reference": "SLA-2026-0001",
        "status": "New",
        "form_type": "Standard",
        "received_at": "2026-03-02T10:00",
        "initials": "R.F.",
        "children": "1",
        "child_name": "Robin Fairweather",
        "dob": "2012-05-04",
        "area": "North",
        "child_status": "Child in need",
        "subject_kind": "Child",
        "categories": "M07",
        "incident_at": "2026-03-01T21:10",
        "aware_at": "2026-03-02",
        "within_time": "On time",
        "author": "Theo Marchbanks",
        "reviewer": "Ava Lindqvist",
        "checks": "OK",
        "summary": "An invented matter.",
        "media": "None known",
        "updates": "0",
        "next_update_due": "2026-03-09",
        "chases": "0",
    }


def test_times_are_those_of_the_wall_in_summer() -> None:
    assert row(alert("Mon 1 Jun 2026 10:00"), "Tue 2 Jun 2026 09:00")["received_at"] == "2026-06-01T10:00"


# ---------------------------------------------------------------- in time?


@pytest.mark.parametrize(
    ("incident", "expected"),
    [
        (at("Sun 1 Mar 2026 10:00"), "On time"),  # to the minute
        (at("Sun 1 Mar 2026 09:50"), "Late by 1h"),
        (at("Sun 1 Mar 2026 05:00"), "Late by 5h"),
        (at("Fri 27 Feb 2026 09:30"), "Late by 49h"),
        (day("Sun 1 Mar 2026"), "On time"),
        (day("Sat 28 Feb 2026"), "Late by 11h"),
        (None, "Cannot tell"),
    ],
)
def test_whether_the_form_came_in_time(incident: datetime | date | None, expected: str) -> None:
    assert within_time(alert(incident_at=incident), procedure(), calendar()) == expected


# ---------------------------------------------------------------- subjects


@pytest.mark.parametrize(
    ("children", "categories", "values", "kind"),
    [
        (["Robin Fairweather"], ("M07",), {}, "Child"),
        (["Robin Fairweather", "Sky Fairweather"], ("M07",), {}, "Siblings"),
        (["Robin Fairweather", "Juno Applegarth"], ("M07",), {}, "Group"),
        ([], ("M15",), {}, "Staff"),
        (["Robin Fairweather"], ("M14",), {}, "Staff"),
        ([], ("K06",), {"staff_subject": "yes"}, "Staff"),
        ([], ("M01",), {}, ""),  # premises or service: a person says
    ],
)
def test_who_or_what_it_is_about(
    children: list[str], categories: tuple[str, ...], values: dict[str, str], kind: str
) -> None:
    told = alert(children=tuple(map(Child, children)), categories=categories, values=values)

    assert row(told)["subject_kind"] == kind


def test_brothers_and_sisters_share_cells_in_their_order_and_what_is_unknown_shows() -> None:
    told = row(
        alert(children=(Child("Robin Fairweather"), Child("Sky Fairweather", date(2014, 1, 9), "778")))
    )

    assert (told["child_name"], told["dob"], told["system_id"]) == (
        "Robin Fairweather; Sky Fairweather",
        "?; 9 Jan 2014",
        "?; 778",
    )
    assert (told["initials"], told["children"]) == ("R.F., S.F.", "2")


def test_a_long_summary_is_cut_between_words() -> None:
    told = row(alert(values={"summary": "word " * 80}))["summary"]

    assert len(told) <= 160
    assert told.endswith("word…")


# ---------------------------------------------------------------- what was noticed, what waits


def test_findings_are_told_in_words_and_an_unknown_one_is_not_left_out() -> None:
    told = row(
        alert(findings=("late_form", "missing_recipient:psw", "missing_recipient:director", "something_new"))
    )

    assert told["recipients_missing"] == "Principal Social Worker, Director"
    assert told["checks"] == "Form later than one day; something new"


def test_every_finding_of_the_procedure_has_words_and_so_has_every_role() -> None:
    roles = {rule.role for rule in procedure().must_be_copied}
    roles |= {role for step in procedure().chasing.steps for role in step.to}

    assert set(procedure().findings) <= set(procedure().finding_words)
    assert roles <= set(procedure().role_names)
    assert set(procedure().forms) <= set(procedure().form_types)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, ""),
        ({"conclusion_claimed_at": at("Mon 2 Mar 2026 16:00")}, "Conclusion to confirm"),
        ({"on_hold": True, "on_hold_until": day("Mon 2 Mar 2026")}, "Hold has ended"),
        ({"next_update_due": day("Fri 2 Mar 2063")}, "Next update date unclear"),
        ({"bounced": frozenset({AUTHOR})}, ""),  # who was heard from since
    ],
)
def test_what_waits_for_a_person(told: dict[str, Any], expected: str) -> None:
    assert row(alert(**told))["needs_a_person"] == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "Letter undelivered"),
        ({"author_address": PIA.address}, ""),
        ({"author_address": PIA.address, "bounced": frozenset({AUTHOR})}, "Letter undelivered"),
        ({"concluded_at": at(NOW)}, ""),
    ],
)
def test_while_a_letter_of_the_matter_or_to_its_author_does_not_arrive_the_row_says_so(
    told: dict[str, Any], expected: str
) -> None:
    assert row(alert(**told), people=unreached(AUTHOR))["needs_a_person"] == expected


def test_a_prompt_that_can_go_to_nobody_waits_for_a_person() -> None:
    nobody = People(PEOPLE.own, PEOPLE.allowed_domains)
    outside = alert(author_address="somebody@elsewhere.example")

    assert row(outside, "Mon 9 Mar 2026 10:00", nobody)["needs_a_person"] == "Nobody to write to"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, ""),
        ({"replied_at": at("Tue 3 Mar 2026 09:00")}, "Yes"),
        ({"away": {AUTHOR: Absence(day("Thu 5 Mar 2026"))}}, "Out of office"),
        ({"away": {AUTHOR: Absence(day("Tue 3 Mar 2026"))}}, ""),
    ],
)
def test_whether_the_author_answered(told: dict[str, Any], expected: str) -> None:
    assert row(alert(**told))["reply"] == expected


@given(
    st.fixed_dictionaries(
        {
            "away": st.sampled_from([{}, {AUTHOR: Absence(day("Thu 5 Mar 2026"))}, {AUTHOR: Absence(None)}]),
            "on_hold": st.booleans(),
            "on_hold_until": st.sampled_from([None, day("Wed 4 Mar 2026")]),
            "next_update_due": st.sampled_from([None, day("Thu 5 Mar 2026"), day("Mon 1 Mar 2027")]),
            "provisional": st.booleans(),
            "replied_at": st.sampled_from([None, at("Tue 3 Mar 2026 09:00")]),
            "reopened_at": st.sampled_from([None, at("Tue 3 Mar 2026 09:00")]),
            "conclusion_claimed_at": st.sampled_from([None, at("Tue 3 Mar 2026 09:00")]),
            "missing_since": st.sampled_from([None, day("Mon 2 Mar 2026")]),
            "author_address": st.sampled_from([AUTHOR, "somebody@elsewhere.example"]),
        }
    ),
    st.sampled_from([{"concluded_at": at("Tue 3 Mar 2026 10:00")}, {"not_an_alert": True}]),
    st.booleans(),
)
def test_the_row_of_one_that_has_ended_is_the_same_on_every_day(
    told: dict[str, Any], ended: dict[str, Any], has_chases: bool
) -> None:
    one = alert(**told, **ended)
    one = chased(one, ("chase-1", "Mon 9 Mar 2026 09:05")) if has_chases else one

    assert row(one) == row(one, "Fri 6 Mar 2026 12:00") == row(one, "Mon 8 Mar 2027 12:00")


def test_prompts_are_counted_and_the_last_one_is_shown() -> None:
    told = row(chased(alert(), ("chase-1", "Mon 9 Mar 2026 09:05")), "Tue 10 Mar 2026 09:00")

    assert (told["chases"], told["last_chase_at"], told["reply"]) == ("1", "2026-03-09T09:05", "No")


# ---------------------------------------------------------------- a person's word


def test_what_a_person_corrected_stands_as_they_wrote_it() -> None:
    """Also where it is no date: then nothing is counted from it."""
    told = alert(incident_at=at("Sun 1 Mar 2026 21:10"))
    for name, value in (("child_name", "Robyn Fairweather"), ("incident_at", "Sunday night"), ("area", "")):
        entry = Entry(
            Happened.CORRECTED, told.reference, at(NOW), "register", {"field": name}, {"value": value}
        )
        told = alert_after(told, entry) or told

    shown = row(told)

    assert (shown["child_name"], shown["incident_at"], shown["area"]) == (
        "Robyn Fairweather",
        "Sunday night",
        "",
    )
    assert shown["within_time"] == "Cannot tell"


def test_a_time_that_a_person_typed_is_meant_as_the_desks_own() -> None:
    told = alert("Mon 1 Jun 2026 10:00")
    entry = Entry(
        Happened.CORRECTED,
        told.reference,
        at("Mon 1 Jun 2026 11:00"),
        "register",
        {"field": "incident_at"},
        {"value": "2026-05-31T09:30"},
    )
    told = alert_after(told, entry) or told

    assert row(told)["incident_at"] == "2026-05-31T09:30"
    assert row(told)["within_time"] == "Late by 1h"


# ---------------------------------------------------------------- status


@pytest.mark.parametrize(
    ("now", "told", "expected"),
    [
        ("Mon 2 Mar 2026 11:00", {}, Status.NEW),
        ("Fri 6 Mar 2026 11:00", {"last_news_at": at("Thu 5 Mar 2026 11:00")}, Status.OPEN),
        ("Mon 9 Mar 2026 08:00", {}, Status.UPDATE_DUE),
        ("Tue 10 Mar 2026 08:00", {}, Status.UPDATE_OVERDUE),
        ("Fri 6 Mar 2026 11:00", {"next_update_due": day("Fri 6 Mar 2026")}, Status.UPDATE_DUE),
        ("Sat 7 Mar 2026 11:00", {"next_update_due": day("Fri 6 Mar 2026")}, Status.UPDATE_OVERDUE),
        ("Fri 20 Mar 2026 11:00", {"next_update_due": day("Mon 23 Mar 2026")}, Status.NEW),
        ("Thu 12 Mar 2026 11:00", {"on_hold": True, "on_hold_until": day("Thu 12 Mar 2026")}, Status.ON_HOLD),
        (
            "Fri 13 Mar 2026 11:00",
            {"on_hold": True, "on_hold_until": day("Thu 12 Mar 2026")},
            Status.UPDATE_OVERDUE,
        ),
        (
            "Fri 13 Mar 2026 11:00",
            {"conclusion_claimed_at": at("Mon 2 Mar 2026 11:00")},
            Status.CONCLUSION_PROPOSED,
        ),
        ("Fri 13 Mar 2026 11:00", {"concluded_at": at("Mon 2 Mar 2026 11:00")}, Status.CONCLUDED),
        ("Fri 13 Mar 2026 11:00", {"not_an_alert": True}, Status.NOT_AN_ALERT),
        ("Fri 13 Mar 2026 11:00", {"not_an_alert": True, "duplicate": True}, Status.DUPLICATE),
    ],
)
def test_status(now: str, told: dict[str, Any], expected: Status) -> None:
    assert status_of(alert(**told), at(now), procedure(), calendar()) is expected


def test_reopened_until_the_next_news() -> None:
    again = at("Thu 5 Mar 2026 11:00")
    reopened = alert(last_news_at=again, reopened_at=again)
    heard = replace(reopened, last_news_at=at("Fri 6 Mar 2026 11:00"))

    assert status_of(reopened, at("Fri 6 Mar 2026 09:00"), procedure(), calendar()) is Status.REOPENED
    assert status_of(heard, at("Fri 6 Mar 2026 12:00"), procedure(), calendar()) is Status.OPEN


def test_a_person_who_says_duplicate_is_not_told_otherwise() -> None:
    entry = Entry(Happened.NOT_AN_ALERT, "SLA-2026-0001", at(NOW), "register", {"as": "Duplicate"})
    told = alert_after(alert(), entry)

    assert told is not None
    assert row(told)["status"] == "Duplicate"
