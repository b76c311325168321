"""Clocks: when a form is due, a child is missing for 24 hours, the Panel's days, and the two windows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.procedure.alert import moment
from agent.procedure.clocks import WAYS_OF_COUNTING, Clock, clock_of, clocks_of, deadlines_of
from agent.procedure.words import Moment
from tests.procedure.situations import alert, at, calendar, day, procedure


def known(**facts: str | Moment | None) -> dict[str, Moment | None]:
    return {name: moment(said) if isinstance(said, str) else said for name, said in facts.items()}


def due(clock: str, **facts: str | Moment | None) -> Moment | None:
    found = clock_of(clock, known(**facts), procedure(), calendar())
    assert found is not None
    return found.due


def iso(at: Moment | None) -> str:
    assert at is not None
    return at.isoformat()


@pytest.mark.parametrize(
    ("incident", "expected"),
    [
        ("2026-03-02T14:10", "2026-03-03T14:10:00+00:00"),
        ("2026-03-02", "2026-03-03T23:59:59+00:00"),
        (
            "2026-05-02T23:10",
            "2026-05-03T23:10:00+01:00",
        ),  # Saturday of a bank holiday weekend: calendar days
        ("2026-03-28T18:00", "2026-03-29T19:00:00+01:00"),  # 24 hours pass while the clocks go forward
        ("2026-10-24T18:00", "2026-10-25T17:00:00+00:00"),  # and while they go back
        ("2026-03-28", "2026-03-29T23:59:59+01:00"),
    ],
)
def test_the_form_is_due_one_day_after_the_incident_happened(incident: str, expected: str) -> None:
    assert iso(due("form_due", incident_at=incident)) == expected


def test_the_form_for_a_missing_child_counts_from_when_it_went_missing() -> None:
    assert iso(due("form_due", missing_since="2026-03-02T21:00")) == "2026-03-03T21:00:00+00:00"


@pytest.mark.parametrize(
    ("facts", "since", "expected"),
    [
        ({"missing_since": "2026-03-02T21:30"}, "missing_since", "2026-03-03T21:30:00+00:00"),
        (
            {"police_reported_at": "2026-03-02T23:00", "last_seen": "2026-03-02T16:00"},
            "police_reported_at",
            "2026-03-03T23:00:00+00:00",
        ),
        ({"last_seen": "2026-03-28T18:00"}, "last_seen", "2026-03-29T19:00:00+01:00"),
    ],
)
def test_a_child_is_missing_for_24_hours_from_the_best_known_start(
    facts: dict[str, str], since: str, expected: str
) -> None:
    clock = clock_of("missing_24h", known(**facts), procedure(), calendar())

    assert clock is not None
    assert (clock.since, iso(clock.due)) == (since, expected)


def test_a_start_that_nobody_stated_is_never_guessed() -> None:
    clocks = clocks_of({}, procedure().clocks, calendar())

    assert {(clock.start, clock.due, clock.since, clock.inside) for clock in clocks} == {
        (None, None, "", None)
    }


def test_from_a_mere_day_nobody_knows_when_24_hours_are_over() -> None:
    assert due("missing_24h", missing_since="2026-03-02") is None


@pytest.mark.parametrize(
    ("aware", "day_five", "last_day"),
    [
        ("Mon 9 Jun 2025", "Fri 13 Jun 2025", "Mon 16 Jun 2025"),
        ("Thu 19 Dec 2024", "Fri 27 Dec 2024", "Mon 30 Dec 2024"),
        ("Sat 19 Apr 2025", "Mon 28 Apr 2025", "Mon 28 Apr 2025"),  # Easter Saturday: both the same day
        ("Thu 24 Dec 2026", "Mon 4 Jan 2027", "Tue 5 Jan 2027"),
        ("Wed 14 Sep 2022", "Wed 21 Sep 2022", "Thu 22 Sep 2022"),  # the State Funeral
        ("Fri 6 Mar 2026", "Thu 12 Mar 2026", "Fri 13 Mar 2026"),
    ],
)
def test_the_panels_day_five_counts_day_one_and_its_last_day_does_not(
    aware: str, day_five: str, last_day: str
) -> None:
    told = day(aware)

    assert due("panel_day_five", aware_at=told) == day(day_five)
    assert due("panel_last_day", aware_at=told) == day(last_day)


def test_awareness_late_in_the_evening_is_that_day_in_london() -> None:
    assert due("panel_day_five", aware_at=datetime(2025, 6, 8, 23, 30, tzinfo=UTC)) == day("Fri 13 Jun 2025")


@pytest.mark.parametrize("year", [1926, 2017, 2206, 9999])
def test_a_year_beyond_the_known_bank_holidays_stops_nothing_and_gives_no_day(year: int) -> None:
    """A slip of the pen in one form must not stop the digest."""
    facts = known(aware_at=date(year, 3, 2), incident_at=date(2026, 3, 2))

    found = {clock.clock: clock.due for clock in clocks_of(facts, procedure().clocks, calendar())}

    assert found["panel_day_five"] is None
    assert found["form_due"] is not None


@pytest.mark.parametrize(
    ("dob", "died", "inside"),
    [
        ("2000-06-15", "2025-06-14", True),
        ("2000-06-15", "2025-06-15", False),
        ("2000-06-15", None, None),
        ("2000-02-29", "2025-02-28", None),  # which day counts is a person's to say
        ("2000-06-15", "1999-06-15", None),  # nobody dies before being born
    ],
)
def test_a_care_leaver_is_inside_up_to_the_day_before_the_25th_birthday(
    dob: str, died: str | None, inside: bool | None
) -> None:
    found = clock_of("care_leaver_eligible", known(dob=dob, date_of_death=died), procedure(), calendar())

    assert found is not None
    assert found.inside is inside


@pytest.mark.parametrize(
    ("died", "inside"),
    [("2025-03-02", True), ("2025-03-03", False), ("2025-02-10", True), ("2025-02-01", True)],
)
def test_supervision_counts_for_20_days_after_it_ended(died: str, inside: bool) -> None:
    found = clock_of(
        "yjs_last_day", known(yos_ended="2025-02-10", date_of_death=died), procedure(), calendar()
    )

    assert found is not None
    assert (found.due, found.inside) == (date(2025, 3, 2), inside)


def test_a_day_has_passed_when_it_is_over_and_a_moment_when_it_has_come() -> None:
    by_day = Clock("panel_day_five", "", None, day("Fri 13 Jun 2025"), "", "")
    by_hour = Clock("missing_24h", "", None, at("Fri 13 Jun 2025 09:00"), "", "")

    assert not by_day.passed(at("Fri 13 Jun 2025 23:59"), calendar())
    assert by_day.passed(at("Sat 14 Jun 2025 00:00"), calendar())
    assert not by_hour.passed(at("Fri 13 Jun 2025 08:59"), calendar())
    assert by_hour.passed(at("Fri 13 Jun 2025 09:00"), calendar())  # 24 hours or more


def test_the_missing_clock_ends_when_the_child_returns() -> None:
    missing = alert(missing_since=at("Mon 2 Mar 2026 21:00"))
    back = alert(missing_since=at("Mon 2 Mar 2026 21:00"), returned_at=at("Wed 4 Mar 2026 08:00"))
    late = at("Fri 6 Mar 2026 09:00")

    assert ("missing_24h", True) in passed(missing, late)
    assert ("missing_24h", False) in passed(back, late)


def passed(one: Any, now: datetime) -> set[tuple[str, bool]]:
    return {
        (clock.clock, clock.passed(now, calendar())) for clock in deadlines_of(one, procedure(), calendar())
    }


def test_the_panels_clocks_run_only_for_matters_of_death_or_serious_harm() -> None:
    aware = at("Mon 2 Mar 2026 22:00")
    harm = {clock.clock for clock in deadlines_of(alert(aware_at=aware), procedure(), calendar())}
    media = {
        clock.clock
        for clock in deadlines_of(alert(aware_at=aware, categories=("K11",)), procedure(), calendar())
    }

    assert harm == {"panel_day_five", "panel_last_day", "review_considered", "panel_update"}
    assert media == set()


def test_no_clock_says_that_a_matter_is_notifiable_or_a_breach() -> None:
    said = " ".join(f"{rule.name} {rule.rule}" for rule in procedure().clocks).lower()

    assert "notifiable" not in said
    assert "breach" not in said


def test_every_clock_of_the_shipped_procedure_counts_in_a_known_way() -> None:
    assert {rule.counts for rule in procedure().clocks} <= WAYS_OF_COUNTING


@given(st.datetimes(datetime(2024, 1, 1), datetime(2028, 11, 1)).map(lambda t: t.replace(tzinfo=UTC)))  # noqa: DTZ001 - bounds of a strategy
def test_24_hours_are_24_hours_whatever_the_clocks_on_the_wall_do(start: datetime) -> None:
    end = due("missing_24h", missing_since=start)

    assert isinstance(end, datetime)
    assert end.astimezone(UTC) - start == timedelta(hours=24)


def test_the_offices_own_closed_days_move_no_deadline() -> None:
    """Only chasing rests on them: no office can win a day for the Panel by closing."""
    facts = known(aware_at="2026-03-02")
    closed = calendar("Wed 4 Mar 2026", "Thu 5 Mar 2026")

    assert clock_of("panel_day_five", facts, procedure(), closed) == clock_of(
        "panel_day_five", facts, procedure(), calendar()
    )
