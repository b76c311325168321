"""Reminders of clocks: who is told of which deadline when, as people say dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from agent.procedure.alert import Absence, Alert
from agent.procedure.people import People, Person
from agent.procedure.reminders import ClockReminder, reminders_due
from tests.procedure import test_second_procedure as second
from tests.procedure.situations import (
    AUTHOR,
    AVA,
    PEOPLE,
    PIA,
    SOL,
    alert,
    at,
    calendar,
    procedure,
    unreached,
)

DUTY = Person("Orla Finch", "orla.finch@trust.example", ("duty",))
WITH_DUTY = replace(PEOPLE, people=(*PEOPLE.people, DUTY))


def reminders(*alerts: Alert, now: str, people: People = WITH_DUTY, **more: Any) -> tuple[ClockReminder, ...]:
    return reminders_due(alerts, at(now), procedure(), people, calendar(), **more)


def told(*alerts: Alert, now: str, **more: Any) -> set[tuple[str, str]]:
    """Marks and addresses: (`missing_24h:-4h`, address)."""
    return {(":".join(one.rule.split(":")[1:3]), one.to) for one in reminders(*alerts, now=now, **more)}


def missing(since: str = "Mon 2 Mar 2026 14:00", **more: Any) -> Alert:
    return alert("Mon 2 Mar 2026 15:00", missing_since=at(since), categories=("M16",), **more)


def harmed(received: str = "Mon 2 Mar 2026 10:00", **more: Any) -> Alert:
    return alert(received, **{"aware_at": at("Mon 2 Mar 2026 09:00"), **more})


# ---------------------------------------------------------------- a missing child


@pytest.mark.parametrize(
    ("now", "mark", "to"),
    [
        ("Tue 3 Mar 2026 09:59", None, set()),
        ("Tue 3 Mar 2026 10:00", "-4h", {AUTHOR, AVA.address}),
        ("Tue 3 Mar 2026 13:59", "-4h", {AUTHOR, AVA.address}),
        ("Tue 3 Mar 2026 14:00", "+0h", {AUTHOR, AVA.address}),
        ("Tue 3 Mar 2026 22:00", "+0h", {DUTY.address}),  # the office is closed
        ("Wed 4 Mar 2026 14:00", "+24h", {AUTHOR, AVA.address}),
        ("Sat 7 Mar 2026 14:00", "+96h", {DUTY.address}),
        ("Mon 9 Mar 2026 09:00", "+120h", {AUTHOR, AVA.address}),  # what the weekend left out is not made up
    ],
)
def test_24_hours_of_a_missing_child_are_told_before_and_after_and_then_daily(
    now: str, mark: str | None, to: set[str]
) -> None:
    assert told(missing(), now=now) == {(f"missing_24h:{mark}", one) for one in to}


@pytest.mark.parametrize(
    ("since", "now", "mark"),
    [
        ("Sat 28 Mar 2026 18:00", "Sun 29 Mar 2026 18:59", "-4h"),  # the clocks go forward
        ("Sat 28 Mar 2026 18:00", "Sun 29 Mar 2026 19:00", "+0h"),
        ("Sat 24 Oct 2026 18:00", "Sun 25 Oct 2026 16:59", "-4h"),  # and back
        ("Sat 24 Oct 2026 18:00", "Sun 25 Oct 2026 17:00", "+0h"),
        ("Thu 24 Dec 2026 22:00", "Fri 25 Dec 2026 22:00", "+0h"),  # Christmas Day, in the quiet week
    ],
)
def test_the_duty_role_is_told_at_any_hour(since: str, now: str, mark: str) -> None:
    assert told(missing(since), now=now) == {(f"missing_24h:{mark}", DUTY.address)}


@pytest.mark.parametrize(
    "over",
    [
        {"returned_at": at("Tue 3 Mar 2026 08:00")},
        {"concluded_at": at("Tue 3 Mar 2026 09:00")},
        {"not_an_alert": True},
        {"provisional": True},
        {"missing_since": None},
    ],
)
def test_nobody_is_told_of_a_clock_that_ended_or_never_ran(over: dict[str, Any]) -> None:
    assert told(replace(missing(), **over), now="Tue 3 Mar 2026 14:00") == set()


@pytest.mark.parametrize(
    ("now", "mark"),
    [("Tue 3 Mar 2026 13:59", None), ("Tue 3 Mar 2026 14:00", "+0h"), ("Thu 5 Mar 2026 14:00", "+0h")],
)
def test_with_the_missing_form_here_it_is_told_once_that_24_hours_are_over(
    now: str, mark: str | None
) -> None:
    """Nobody is asked daily for a form that has come; a child is gone all the same."""
    assert {one for one, _ in told(missing(form="sla_missing"), now=now)} == (
        {f"missing_24h:{mark}"} if mark else set()
    )


def test_where_nobody_in_the_matter_can_be_reached_the_duty_role_is_told_in_office_hours_too() -> None:
    unreachable = missing(author_address="a@elsewhere.example", values={"author": "A", "reviewer": "Nobody"})
    nobody_else = replace(WITH_DUTY, people=(DUTY,))

    assert told(unreachable, now="Tue 3 Mar 2026 14:00", people=nobody_else) == {
        ("missing_24h:+0h", DUTY.address)
    }


def test_whoever_is_away_hands_on_to_their_deputy() -> None:
    away = {AUTHOR: Absence(calendar().today(at("Mon 9 Mar 2026 09:00")), deputy=PIA.address)}

    assert told(missing(away=away), now="Tue 3 Mar 2026 14:00") == {
        ("missing_24h:+0h", PIA.address),
        ("missing_24h:+0h", AVA.address),
    }


def test_who_is_away_and_named_nobody_is_not_told() -> None:
    away = {AUTHOR: Absence(date(2026, 3, 9))}

    assert told(missing(away=away), now="Tue 3 Mar 2026 14:00") == {("missing_24h:+0h", AVA.address)}


@pytest.mark.parametrize(
    ("now", "to"),
    [
        ("Tue 9 Jan 2029 22:00", {DUTY.address}),
        # it may be a bank holiday, for all that is known: the office is told, and the duty role to be sure
        ("Wed 10 Jan 2029 14:00", {AUTHOR, AVA.address, DUTY.address}),
    ],
)
def test_where_bank_holidays_are_not_known_hours_are_told_all_the_same(now: str, to: set[str]) -> None:
    assert {one for _, one in told(missing("Mon 8 Jan 2029 14:00"), now=now)} == to


@pytest.mark.parametrize(
    ("away", "to"),
    [
        ({}, DUTY.address),
        ({"deputy": PIA.address, "away_until": date(2026, 3, 9)}, PIA.address),
        ({"deputy": PIA.address, "away_until": date(2026, 3, 3)}, DUTY.address),  # is back
        ({"away_until": date(2026, 3, 9)}, DUTY.address),  # who named nobody has it all the same
        ({"deputy": "gone@elsewhere.example", "away_until": date(2026, 3, 9)}, DUTY.address),
    ],
)
def test_a_role_at_the_desk_hands_on_to_its_deputy_too(away: dict[str, Any], to: str) -> None:
    people = replace(PEOPLE, people=(*PEOPLE.people, replace(DUTY, **away)))

    assert {one for _, one in told(missing(), now="Tue 3 Mar 2026 22:00", people=people)} == {to}


def test_who_answered_that_they_are_away_hands_on_as_well() -> None:
    away = {SOL.address: Absence(date(2026, 3, 9), deputy=AVA.address)}
    one = harmed(away=away)

    assert {to for mark, to in told(one, now="Mon 2 Mar 2026 10:00") if "panel" in mark} == {
        AVA.address,
        PIA.address,
    }


def test_nobody_stands_in_for_a_role_of_the_panel_that_no_letter_reaches() -> None:
    people = unreached(PIA.address, people=WITH_DUTY)

    found = told(harmed(), now="Mon 2 Mar 2026 10:00", people=people)
    assert {to for mark, to in found if "panel" in mark} == {SOL.address}


def test_elsewhere_48_hours_are_told_to_the_head_of_service() -> None:
    gone = second.one(missing_since=at("Sat 18 Apr 2026 14:00"), categories=("E04",))

    def heads_told(now: str) -> set[tuple[str, str]]:
        found = reminders_due([gone], at(now), second.procedure(), second.PEOPLE, calendar())
        return {(one.rule.split(":")[2], one.to) for one in found}

    head = next(iter(second.PEOPLE.holding("hos"))).address
    assert heads_told("Mon 20 Apr 2026 09:59") == set()
    assert heads_told("Mon 20 Apr 2026 10:00") == {("-4h", head)}
    assert heads_told("Mon 20 Apr 2026 14:00") == {("+0h", head)}


# ---------------------------------------------------------------- the Panel


@pytest.mark.parametrize(
    ("now", "mark"),
    [
        ("Mon 2 Mar 2026 10:00", "known"),  # on opening
        ("Tue 3 Mar 2026 16:00", "known"),
        ("Wed 4 Mar 2026 09:00", "-2d"),  # Day Three
        ("Thu 5 Mar 2026 09:00", "-1d"),
        ("Fri 6 Mar 2026 09:00", "+0d"),  # Day Five, nine o'clock
        ("Mon 9 Mar 2026 09:00", "+1d"),  # and every working day after it
        ("Tue 10 Mar 2026 12:00", "+2d"),
    ],
)
def test_the_panels_days_are_told_to_the_sqas_manager_and_the_psw_alone(now: str, mark: str) -> None:
    found = {one for one in told(harmed(), now=now) if one[0].startswith("panel_day_five")}

    assert found == {(f"panel_day_five:{mark}", SOL.address), (f"panel_day_five:{mark}", PIA.address)}


def test_elsewhere_the_panels_last_day_is_told_to_those_who_decide() -> None:
    """The Director, or an Assistant Director (Merton "Statutory")."""
    director = Person("Gwen Ashdown", "gwen.ashdown@trust.example", ("dcs",))
    people = replace(second.PEOPLE, people=(*second.PEOPLE.people, director))
    died = second.one(aware_at=at("Mon 20 Apr 2026 09:00"), categories=("E02",))

    found = reminders_due([died], at("Mon 27 Apr 2026 09:00"), second.procedure(), people, calendar())

    assert {(":".join(one.rule.split(":")[1:3]), one.to) for one in found} == {
        ("panel_last_day:+0d", director.address),
        ("panel_last_day:+0d", second.TOBIAS.address),
    }


@pytest.mark.parametrize(
    "now", ["Wed 4 Mar 2026 08:59", "Wed 4 Mar 2026 17:00", "Sat 7 Mar 2026 10:00", "Fri 3 Apr 2026 10:00"]
)
def test_a_day_is_told_only_while_the_office_is_open(now: str) -> None:
    assert told(harmed(), now=now) == set()


def test_both_of_the_panels_dates_stand_in_the_letter() -> None:
    (one,) = (one for one in reminders(harmed(), now="Wed 4 Mar 2026 09:00") if one.to == PIA.address)

    assert one.deadline.isoformat() == "2026-03-06"
    assert {name: day.isoformat() for name, day in one.beside.items()} == {
        "National Panel, last day": "2026-03-09"
    }


@pytest.mark.parametrize(
    ("values", "still"),
    [
        ({}, True),
        ({"panel_decision": "Pending"}, True),
        ({"panel_decision": "Not needed"}, False),
        ({"panel_notified_on": "2026-03-04"}, False),
    ],
)
def test_only_what_a_person_recorded_ends_it(values: dict[str, str], still: bool) -> None:
    found = told(harmed(values=values), now="Fri 6 Mar 2026 09:00")

    assert any(mark.startswith("panel_day_five") for mark, _ in found) is still


def test_an_alert_on_hold_is_not_chased_and_its_clocks_go_on() -> None:
    assert told(harmed(on_hold=True), now="Fri 6 Mar 2026 09:00")


@pytest.mark.parametrize(
    ("clock", "values", "now", "to"),
    [
        ("review_considered:-1d", {}, "Thu 5 Mar 2026 09:00", SOL),
        ("review_considered:+0d", {}, "Fri 6 Mar 2026 09:00", SOL),
        ("panel_update:-2d", {"reviewer": "Ava Lindqvist"}, "Wed 4 Mar 2026 09:00", AVA),
        ("panel_update:+0d", {"reviewer": "Ava Lindqvist"}, "Fri 6 Mar 2026 09:00", AVA),
        ("rapid_review:-5d", {"panel_notified_on": "2026-03-06"}, "Fri 20 Mar 2026 09:00", SOL),  # day 10
        ("rapid_review:-2d", {"panel_notified_on": "2026-03-06"}, "Wed 25 Mar 2026 09:00", SOL),  # day 13
        ("rapid_review:+0d", {"panel_notified_on": "2026-03-06"}, "Fri 27 Mar 2026 09:00", SOL),  # day 15
        ("nscp_one_day:+0d", {"nscp_notified_on": "2026-03-06"}, "Mon 9 Mar 2026 09:00", SOL),
        ("designated_officer:-4h", {"home_aware_at": "2026-03-05T14:00+00:00"}, "Fri 6 Mar 2026 10:00", AVA),
    ],
)
def test_each_other_clock_is_told_to_its_own_role(
    clock: str, values: dict[str, str], now: str, to: Person
) -> None:
    known = harmed(values={"reviewer": "Ava Lindqvist", **values})

    assert {one for one in told(known, now=now) if one[0].split(":")[0] == clock.split(":")[0]} == {
        (clock, to.address)
    }


def test_a_date_beside_a_decision_not_to_notify_starts_no_review() -> None:
    not_needed = {"panel_decision": "Not needed", "panel_notified_on": "2026-03-06"}

    assert not any(
        "rapid_review" in mark for mark, _ in told(harmed(values=not_needed), now="Fri 27 Mar 2026 09:00")
    )


def test_a_care_leavers_death_alone_needs_no_rapid_review() -> None:
    leaver = harmed(categories=("M06",), values={"panel_notified_on": "2026-03-06"})

    assert not any("review" in mark for mark, _ in told(leaver, now="Fri 27 Mar 2026 09:00"))
    assert not any("review" in mark for mark, _ in told(leaver, now="Fri 6 Mar 2026 09:00"))


# ---------------------------------------------------------------- once, and to nobody it concerns


def test_a_mark_keeps_its_reason_however_late_it_is_asked_for() -> None:
    first = reminders(harmed(), now="Wed 4 Mar 2026 09:00")
    later = reminders(harmed(), now="Wed 4 Mar 2026 16:59")

    assert [(one.alert, one.rule, one.due) for one in first] == [
        (one.alert, one.rule, one.due) for one in later
    ]


def test_what_came_before_the_desk_began_is_history() -> None:
    began = at("Wed 4 Mar 2026 12:00")

    assert told(harmed(), now="Wed 4 Mar 2026 13:00", not_before=began) == set()
    assert told(harmed(), now="Thu 5 Mar 2026 09:00", not_before=began)


def test_a_deadline_that_was_over_when_an_alert_was_adopted_is_history() -> None:
    """A spreadsheet does not tell what became of it; those of alerts just opened are told."""
    old = harmed(adopted_at=at("Mon 16 Mar 2026 10:00"))
    young = harmed(adopted_at=at("Wed 4 Mar 2026 08:00"))

    assert told(old, now="Tue 17 Mar 2026 10:00") == set()
    assert told(young, now="Thu 5 Mar 2026 09:00")


def test_nobody_is_told_about_themselves() -> None:
    about_sol = harmed(values={"staff_subject_name": "Sol Quarrie", "staff_subject": "yes"})
    found = reminders(about_sol, now="Fri 6 Mar 2026 09:00")

    assert SOL.address not in {one.to for one in found}
    assert {one.initials for one in found} == {""}


def test_rules_name_nobody_and_no_words_decide_what_people_decide() -> None:
    found = reminders(harmed(), missing(), now="Fri 6 Mar 2026 14:00")

    assert found
    for one in found:
        said = f"{one.rule} {one.name} {one.wording}".lower()
        assert not any(word in said for word in ("@", "quarrie", "notifiable", "breach"))
