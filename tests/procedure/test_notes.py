"""Notes: who is told in a line of what happened to an alert, once a working day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from agent.procedure.alert import Alert
from agent.procedure.notes import Noted, notes_due
from agent.procedure.people import People, Person
from tests.procedure import test_second_procedure as second
from tests.procedure.situations import PEOPLE, SOL, alert, at, calendar, procedure, unreached


def notes(*alerts: Alert, now: str, people: People = PEOPLE, **more: Any) -> tuple[Noted, ...]:
    return notes_due(alerts, at(now), procedure(), people, calendar(), **more)


def updated(when: str, updates: int = 1, **more: Any) -> Alert:
    return alert(updates=updates, last_update_at=at(when), last_news_at=at(when), **more)


def test_the_sqas_manager_is_told_of_an_update_by_reference_and_initials() -> None:
    (one,) = notes(updated("Thu 5 Mar 2026 11:00"), now="Thu 5 Mar 2026 15:00")

    assert (one.to, one.alert, one.initials) == (SOL.address, "SLA-2026-0001", "R.F.")
    assert one.clause == "8.1, Appendix B"


@pytest.mark.parametrize(
    ("came", "now", "told"),
    [
        ("Thu 5 Mar 2026 11:00", "Thu 5 Mar 2026 14:59", False),
        ("Thu 5 Mar 2026 11:00", "Thu 5 Mar 2026 15:00", True),
        ("Thu 5 Mar 2026 15:01", "Thu 5 Mar 2026 16:00", False),  # after today's hour: tomorrow
        ("Thu 5 Mar 2026 15:01", "Fri 6 Mar 2026 15:00", True),
        ("Sat 7 Mar 2026 11:00", "Mon 9 Mar 2026 14:59", False),
        ("Sat 7 Mar 2026 11:00", "Mon 9 Mar 2026 15:00", True),
        ("Thu 5 Mar 2026 11:00", "Thu 5 Mar 2026 17:00", False),  # the office is closed
        ("Thu 5 Mar 2026 11:00", "Wed 11 Mar 2026 10:00", True),  # after an outage
        ("Thu 5 Mar 2026 11:00", "Fri 13 Mar 2026 10:00", False),  # by now the digest has told it
    ],
)
def test_once_a_working_day(came: str, now: str, told: bool) -> None:
    assert bool(notes(updated(came), now=now)) is told


def test_every_update_has_a_reason_of_its_own_which_stays_the_same() -> None:
    first, second_one = updated("Thu 5 Mar 2026 11:00"), updated("Thu 5 Mar 2026 16:00", 2)

    def reasons(known: Alert, now: str) -> list[tuple[str, object]]:
        return [(one.rule, one.due) for one in notes(known, now=now)]

    assert reasons(first, "Thu 5 Mar 2026 15:00") == reasons(first, "Tue 10 Mar 2026 10:00")
    assert reasons(first, "Fri 6 Mar 2026 15:00") != reasons(second_one, "Fri 6 Mar 2026 15:00")


def test_the_last_update_of_a_concluded_matter_is_told_as_well() -> None:
    assert notes(
        updated("Thu 5 Mar 2026 11:00", concluded_at=at("Thu 5 Mar 2026 12:00")), now="Thu 5 Mar 2026 15:00"
    )


@pytest.mark.parametrize(
    "about",
    [
        {"not_an_alert": True},
        {"provisional": True},
        {"values": {"staff_subject_name": "Sol Quarrie"}},  # about themselves
    ],
)
def test_of_these_nobody_is_told(about: dict[str, Any]) -> None:
    assert notes(updated("Thu 5 Mar 2026 11:00", **about), now="Thu 5 Mar 2026 15:00") == ()


def test_whom_no_letter_reaches_gets_no_note() -> None:
    known = updated("Thu 5 Mar 2026 11:00")

    assert notes(known, now="Thu 5 Mar 2026 15:00", people=unreached(SOL.address)) == ()


def test_what_came_before_the_desk_began_is_history() -> None:
    known = updated("Thu 5 Mar 2026 11:00")

    assert notes(known, now="Thu 5 Mar 2026 15:00", not_before=at("Thu 5 Mar 2026 11:30")) == ()


def test_of_a_staff_matter_no_initials_are_told() -> None:
    (one,) = notes(updated("Thu 5 Mar 2026 11:00", categories=("M15",)), now="Thu 5 Mar 2026 15:00")

    assert one.initials == ""


# ---------------------------------------------------------------- departures that somebody has to hear of


def _about_media(values: dict[str, str], **more: Any) -> list[str]:
    noticed = alert("Mon 2 Mar 2026 10:00", findings=("no_legal_advice",), values=values, **more)
    return [one.says for one in notes(noticed, now="Mon 2 Mar 2026 15:00")]


def test_media_interest_without_legal_advice_is_told_until_advice_is_recorded() -> None:
    assert len(_about_media({"media": "Likely"})) == 1
    assert _about_media({"media": "Likely", "legal_advice": "Sought today"}) == []
    assert _about_media({"media": "None known"}) == []


def test_it_is_told_once_though_updates_follow() -> None:
    first = alert(findings=("no_legal_advice",), values={"media": "Yes"})
    later = replace(first, updates=1, last_update_at=at("Wed 4 Mar 2026 11:00"))

    def reason(known: Alert, now: str) -> set[tuple[str, object]]:
        return {(one.rule, one.due) for one in notes(known, now=now) if "legal" in one.rule}

    assert reason(first, "Mon 2 Mar 2026 15:00") == reason(later, "Wed 4 Mar 2026 15:00") != set()


def test_elsewhere_an_assistant_director_is_told_that_the_management_team_was_left_out() -> None:
    people = replace(second.PEOPLE, people=(*second.PEOPLE.people, Person("Gwen Ashdown", "g@x", ("dcs",))))
    sent = second.one(findings=("missing_recipient:dmt",))

    def told(now: datetime) -> list[str]:
        return [one.to for one in notes_due([sent], now, second.procedure(), people, calendar())]

    assert told(at("Mon 20 Apr 2026 15:00")) == [second.TOBIAS.address]
