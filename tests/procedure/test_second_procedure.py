"""Rules that a second organisation's procedure needs, stated in its configuration and nowhere else."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agent.procedure.alert import Absence, Alert, Chased, alert_after
from agent.procedure.chase import chases_due, next_prompt_on
from agent.procedure.clocks import clock_of, deadlines_of
from agent.procedure.entry import Entry
from agent.procedure.people import People, Person
from agent.procedure.row import row_of, within_time
from agent.procedure.rules import Procedure
from agent.procedure.subject import parse_subject
from agent.procedure.words import Happened
from tests.procedure.situations import AUTHOR, CONFIG, alert, at, calendar, day
from tests.procedure.situations import procedure as first_procedure

IMOGEN = Person("Imogen Stroud", "imogen.stroud@trust.example", ("hos",))
TOBIAS = Person("Tobias Hale", "tobias.hale@trust.example", ("assistant_director",))
PEOPLE = People(
    own=frozenset({"alerts@trust.example"}),
    allowed_domains=frozenset({"trust.example"}),
    people=(IMOGEN, TOBIAS),
)
EXPECTED = "Tue 28 Apr 2026"


@cache
def procedure() -> Procedure:
    """Merton's, as it comes with the agent."""
    told = tomllib.loads((CONFIG / "procedures" / "merton.toml").read_text(encoding="utf-8"))
    return TypeAdapter(Procedure).validate_python(told)


def one(received: str = "Mon 20 Apr 2026 10:00", expected: str = EXPECTED, **more: Any) -> Alert:
    """A Leadership Alert whose Head of Service wrote when an update is expected."""
    told = {
        "reference": "LA-2026-0007",
        "form": "leadership_alert",
        "values": {"author": "Theo Marchbanks", "reviewer": "Imogen Stroud"},
        "categories": ("E07",),
        "next_update_due": day(expected) if expected else None,
    }
    return alert(received, **{**told, **more})


def prompted(known: Alert, *days: str) -> Alert:
    """After prompts went out on these days, each to the Head of Service and the author."""
    sent = [
        Chased(at(f"{when} 09:05"), rule, number, f"letter-{number}")
        for number, when in enumerate(days, 1)
        for rule in (f"chase-{number}:reviewer", f"chase-{number}")
    ]
    return replace(known, chases=tuple(sent))


# ---------------------------------------------------------------- chasing around the expected day


@pytest.mark.parametrize(
    ("expected", "already", "following"),
    [
        (EXPECTED, [], "Mon 27 Apr 2026"),
        (EXPECTED, ["Mon 27 Apr 2026"], "Tue 28 Apr 2026"),
        (EXPECTED, ["Mon 27 Apr 2026", "Tue 28 Apr 2026"], "Wed 29 Apr 2026"),
        (EXPECTED, ["Mon 27 Apr 2026", "Tue 28 Apr 2026", "Wed 29 Apr 2026"], "Fri 1 May 2026"),
        # and from then on at intervals: five working days, one of them a bank holiday
        (
            EXPECTED,
            ["Mon 27 Apr 2026", "Tue 28 Apr 2026", "Wed 29 Apr 2026", "Fri 1 May 2026"],
            "Mon 11 May 2026",
        ),
        # an outage costs one letter and no burst
        (EXPECTED, ["Thu 30 Apr 2026"], "Fri 1 May 2026"),
        (EXPECTED, ["Fri 1 May 2026"], "Mon 11 May 2026"),
        # a weekend and Easter: the working days beside them
        ("Sun 26 Apr 2026", [], "Fri 24 Apr 2026"),
        ("Sun 26 Apr 2026", ["Fri 24 Apr 2026"], "Mon 27 Apr 2026"),
        # nobody is asked on the day on which they wrote
        ("Tue 21 Apr 2026", [], "Tue 21 Apr 2026"),
        ("Mon 20 Apr 2026", [], "Tue 21 Apr 2026"),
        # without a date, as the tenant chose
        ("", [], "Mon 27 Apr 2026"),
    ],
)
def test_prompts_stand_around_the_day_that_the_head_of_service_wrote(
    expected: str, already: list[str], following: str
) -> None:
    known = prompted(one(expected=expected), *already)

    assert next_prompt_on(known, procedure(), calendar()) == day(following)


def test_the_head_of_service_is_prompted_and_the_author_has_a_letter_too() -> None:
    due = chases_due([one()], at("Mon 27 Apr 2026 09:30"), procedure(), PEOPLE, calendar())

    assert [(chase.to, chase.role, chase.letter) for chase in due] == [
        (IMOGEN.address, "reviewer", "chase"),
        (AUTHOR, "author", "chase"),
    ]


def test_after_four_prompts_the_assistant_director_is_written_to_as_well() -> None:
    quiet = prompted(one(), "Mon 27 Apr 2026", "Tue 28 Apr 2026", "Wed 29 Apr 2026", "Fri 1 May 2026")
    due = chases_due([quiet], at("Mon 11 May 2026 09:30"), procedure(), PEOPLE, calendar())

    assert {(chase.to, chase.letter) for chase in due} == {
        (to, "chase_escalated") for to in (IMOGEN.address, AUTHOR, TOBIAS.address)
    }


@pytest.mark.parametrize("written", ["Somebody Unlisted", "Tobias Hale", ""])
def test_who_holds_no_such_role_is_no_head_of_service_and_the_assistant_director_stands_in(
    written: str,
) -> None:
    known = one(values={"author": "Theo Marchbanks", "reviewer": written})
    due = chases_due([known], at("Mon 27 Apr 2026 09:30"), procedure(), PEOPLE, calendar())

    assert [(chase.to, chase.stands_in) for chase in due] == [(TOBIAS.address, True), (AUTHOR, False)]


def test_an_absent_author_excuses_nobody_where_the_head_of_service_answers_for_updates() -> None:
    known = one(away={AUTHOR: Absence(date(2026, 5, 5))})
    due = chases_due([known], at("Mon 27 Apr 2026 09:30"), procedure(), PEOPLE, calendar())

    assert AUTHOR not in {chase.to for chase in due}
    assert due


def test_a_prompt_in_two_letters_is_one_prompt() -> None:
    known = one()
    for number, rule in enumerate(("chase-1:reviewer", "chase-1", "chase-2:reviewer", "chase-2")):
        entry = Entry(
            Happened.CHASED, known.reference, at("Mon 27 Apr 2026 09:05"), f"letter-{number}", {"rule": rule}
        )
        known = alert_after(known, entry) or known

    assert (known.chases_ever, len(known.chases)) == (2, 4)


@given(
    st.dates(date(2026, 1, 5), date(2026, 11, 30)),
    st.lists(st.integers(-5, 10), min_size=1, max_size=5).map(tuple),
    st.integers(0, 40),
)
def test_a_prompt_comes_on_a_working_day_after_the_last_news_and_not_long_after_the_expected_day(
    heard: date, around: tuple[int, ...], days: int
) -> None:
    promised = date.fromordinal(heard.toordinal() + days)
    rules = replace(procedure(), chasing=replace(procedure().chasing, around_promise=around))
    known = one(
        f"{heard:%a} {heard.day} {heard:%b %Y} 10:00", f"{promised:%a} {promised.day} {promised:%b %Y}"
    )
    due = next_prompt_on(known, rules, calendar())

    assert due > heard
    assert calendar().is_working_day(due)
    assert due <= calendar().working_days_ahead(promised, max(1, *around))


# ---------------------------------------------------------------- clocks


@pytest.mark.parametrize(
    ("now", "passed"),
    [("Mon 20 Apr 2026 21:00", False), ("Mon 20 Apr 2026 21:01", True), ("Mon 20 Apr 2026 20:59", False)],
)
def test_missing_for_more_than_48_hours_is_strictly_more(now: str, passed: bool) -> None:
    missing = one(missing_since=at("Sat 18 Apr 2026 21:00"), categories=("E04",))
    clock = next(
        clock for clock in deadlines_of(missing, procedure(), calendar()) if clock.clock == "missing_48h"
    )

    assert clock.passed(at(now), calendar()) is passed


def test_a_child_at_high_risk_is_no_matter_of_48_hours() -> None:
    risk = one(missing_since=at("Sat 18 Apr 2026 21:00"), categories=("E04", "E04a"))
    clocks = {clock.clock: clock for clock in deadlines_of(risk, procedure(), calendar())}

    assert "missing_48h" not in clocks
    assert clocks["missing_at_once"].passed(at("Sat 18 Apr 2026 21:00"), calendar())


@pytest.mark.parametrize(
    ("categories", "received", "expected"),
    [
        # 48 hours make it a Leadership Alert, and 24 more are given for the form
        (("E04",), "Tue 21 Apr 2026 20:59", "On time"),
        (("E04",), "Tue 21 Apr 2026 22:00", "Late by 1h"),
        # at high risk it is one at once
        (("E04", "E04a"), "Sun 19 Apr 2026 20:59", "On time"),
        (("E04", "E04a"), "Sun 19 Apr 2026 21:30", "Late by 1h"),
    ],
)
def test_the_form_for_a_missing_child_counts_from_when_it_had_to_be_one(
    categories: tuple[str, ...], received: str, expected: str
) -> None:
    missing = one(received, missing_since=at("Sat 18 Apr 2026 21:00"), categories=categories)

    assert within_time(missing, procedure(), calendar()) == expected


def test_any_other_form_is_due_within_24_hours_of_the_incident() -> None:
    facts = {"incident_at": at("Sat 28 Mar 2026 18:00")}
    clock = clock_of("form_due", facts, procedure(), calendar(), ("E07",))

    assert clock is not None
    assert clock.due == at("Sun 29 Mar 2026 19:00")  # the clocks went forward


def test_a_clock_with_several_rules_is_shown_once() -> None:
    missing = one(missing_since=at("Sat 18 Apr 2026 21:00"), categories=("E04",))
    names = [clock.clock for clock in deadlines_of(missing, procedure(), calendar())]

    assert sorted(names) == ["form_due", "missing_48h"]


# ---------------------------------------------------------------- register, subjects


def test_a_column_may_show_any_answer_of_the_form() -> None:
    known = one(values={"brief": "yes", "contact": "Nadia Okonjo", "reviewer": "Imogen Stroud"})
    row = row_of(known, at("Mon 20 Apr 2026 12:00"), procedure(), PEOPLE, calendar())

    assert (row["brief"], row["contact"], row["worker"]) == ("Yes", "Nadia Okonjo", "")
    assert row["form_type"] == "Leadership Alert"


@pytest.mark.parametrize(
    ("subject", "file"),
    [("Leadership Alert", "LA form.docx"), ("For your attention", "Leadership Alert form.docx")],
)
def test_a_procedure_without_rules_for_subjects_has_nothing_to_say_about_them(
    subject: str, file: str
) -> None:
    flags = parse_subject(subject, [file], procedure()).flags

    assert flags.isdisjoint({"missing_sla_phrase", "missing_marking", "filename_no_date", "ok_6_1"})


def test_the_name_of_another_authoritys_form_holds_this_ones_and_is_told_apart() -> None:
    says = parse_subject("Senior Leadership Alert - T.M.", ["Senior Leadership Alert TM.docx"], procedure())

    assert "sister_form" in says.flags
    assert "sister_form" not in parse_subject("Leadership Alert - T.M.", ["Form.docx"], procedure()).flags


def test_one_organisations_reference_is_not_found_inside_the_others() -> None:
    """`SLA-2026-0042` ends like `LA-2026-0042`."""
    assert parse_subject("Re: SLA-2026-0042", [], procedure()).references == ()
    assert parse_subject("Re: LA-2026-0042", [], procedure()).references == ("LA-2026-0042",)
    assert parse_subject("Re: LA-2026-0042", [], first_procedure()).references == ()
