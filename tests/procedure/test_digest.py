"""The weekly digest: when it is due, and what it tells of a week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.procedure.alert import Absence, Alert
from agent.procedure.decision import Question
from agent.procedure.digest import Counted, Digest, digest_due, digest_of
from agent.procedure.words import Status
from tests.procedure.situations import (
    AUTHOR,
    LONDON,
    PEOPLE,
    PIA,
    SOL,
    alert,
    at,
    calendar,
    day,
    procedure,
    unreached,
)

EIGHT = time(8)


@dataclass(frozen=True)
class Asked:
    number: int
    asked_at: datetime
    question: Question


@dataclass(frozen=True)
class Letter:
    state: str
    laid_at: datetime
    changed_at: datetime | None = None
    kind: str = "chase"


def digest(*alerts: Alert, now: str = "Mon 16 Mar 2026 08:00", **more: Any) -> Digest:
    told: dict[str, Any] = {"questions": (), "letters": (), "reader": SOL, "people": PEOPLE, **more}
    return digest_of(
        alerts,
        now=at(now),
        week=day("Mon 16 Mar 2026"),
        procedure=procedure(),
        calendar=calendar(),
        **told,
    )


# ---------------------------------------------------------------- when


@pytest.mark.parametrize(
    ("now", "wanted", "expected"),
    [
        ("Mon 16 Mar 2026 07:59", "monday", None),
        ("Mon 16 Mar 2026 08:00", "monday", "Mon 16 Mar 2026"),
        ("Thu 19 Mar 2026 15:00", "monday", "Mon 16 Mar 2026"),  # a missed Monday is made up
        ("Thu 19 Mar 2026 03:00", "monday", None),  # but not at night
        ("Sat 21 Mar 2026 10:00", "monday", None),
        ("Mon 23 Mar 2026 08:00", "monday", "Mon 23 Mar 2026"),
        ("Mon 6 Apr 2026 10:00", "monday", None),  # Easter Monday
        ("Tue 7 Apr 2026 08:00", "monday", "Mon 6 Apr 2026"),
        ("Wed 18 Mar 2026 10:00", "thursday", None),
        ("Thu 19 Mar 2026 10:00", "thursday", "Mon 16 Mar 2026"),
        ("Thu 2 Apr 2026 10:00", "friday", "Mon 30 Mar 2026"),  # Good Friday: the last working day before
        (
            "Mon 8 Jan 2029 08:00",
            "monday",
            "Mon 8 Jan 2029",
        ),  # bank holidays unknown: it is the letter that says so
        ("Mon 1 Jun 2026 07:59", "monday", None),  # eight o'clock on the wall, in summer too
    ],
)
def test_when_the_digest_of_a_week_is_due(now: str, wanted: str, expected: str | None) -> None:
    found = digest_due(at(now), wanted, EIGHT, calendar())

    assert found == (day(expected) if expected else None)


@given(
    st.dates(date(2021, 1, 4), date(2028, 12, 1)),
    st.sampled_from(["monday", "tuesday", "wednesday", "thursday", "friday"]),
)
def test_every_week_with_a_working_day_has_its_digest_and_only_one(some_day: date, wanted: str) -> None:
    monday = date.fromordinal(some_day.toordinal() - some_day.weekday())
    noons = [datetime.combine(date.fromordinal(monday.toordinal() + n), time(12), LONDON) for n in range(7)]
    due = {digest_due(noon, wanted, EIGHT, calendar()) for noon in noons} - {None}

    assert due == {monday}


# ---------------------------------------------------------------- what


def test_last_week_is_the_seven_days_before_the_monday() -> None:
    told = digest(
        alert("Sun 8 Mar 2026 23:59", 1),
        alert("Mon 9 Mar 2026 00:00", 2),
        alert("Sun 15 Mar 2026 23:59", 3),
        alert("Mon 16 Mar 2026 00:01", 4),
        alert("Mon 2 Mar 2026 10:00", 5, concluded_at=at("Fri 13 Mar 2026 10:00")),
        alert("Mon 2 Mar 2026 10:00", 6, concluded_at=at("Fri 6 Mar 2026 10:00")),
    )

    assert (told.from_day, told.to_day) == (day("Mon 9 Mar 2026"), day("Sun 15 Mar 2026"))
    assert told.received == ("SLA-2026-0002", "SLA-2026-0003")
    assert told.concluded == ("SLA-2026-0005",)
    assert [one.reference for one in told.open] == [f"SLA-2026-000{number}" for number in (1, 2, 3, 4)]


def test_an_open_alert_shows_its_age_its_last_news_and_what_happens_next() -> None:
    heard = alert("Mon 2 Mar 2026 10:00", last_news_at=at("Thu 12 Mar 2026 15:00"))

    one = digest(heard).open[0]

    assert (one.initials, one.days_open, one.status) == ("R.F.", 14, Status.OPEN)
    assert one.last_heard == day("Thu 12 Mar 2026")
    assert one.next_step == "Next prompt on Thu 19 Mar"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "Update awaited since Mon 9 Mar"),
        ({"next_update_due": day("Wed 18 Mar 2026")}, "Update promised for Wed 18 Mar"),
        ({"on_hold": True, "on_hold_until": day("Fri 27 Mar 2026")}, "On hold until Fri 27 Mar"),
        ({"on_hold": True}, "On hold"),
        ({"away": {AUTHOR: Absence(day("Fri 27 Mar 2026"))}}, "Author away until Fri 27 Mar"),
        (
            {"conclusion_claimed_at": at("Fri 6 Mar 2026 10:00")},
            "For business support: conclusion to confirm",
        ),
    ],
)
def test_the_next_step_says_what_happens_and_who_has_to_do_it(told: dict[str, Any], expected: str) -> None:
    assert digest(alert(**told)).open[0].next_step == expected


def test_an_alert_whose_author_no_letter_reaches_is_for_somebody_to_look_at() -> None:
    told = digest(alert(), people=unreached(AUTHOR))

    assert told.open[0].next_step == "For business support: letter undelivered"
    assert told.letters_undelivered == 1


def test_the_oldest_come_first_and_what_was_no_alert_does_not_come() -> None:
    told = digest(
        alert("Thu 12 Mar 2026 10:00", 1),
        alert("Mon 2 Mar 2026 10:00", 2),
        alert("Tue 3 Mar 2026 10:00", 3, not_an_alert=True),
    )

    assert [one.reference for one in told.open] == ["SLA-2026-0002", "SLA-2026-0001"]
    assert told.overdue == 1


def test_of_a_staff_matter_only_reference_and_age_are_told() -> None:
    staff = alert(categories=("M15",), aware_at=at("Mon 2 Mar 2026 09:00"))

    one = digest(staff).open[0]

    assert (one.reference, one.days_open, one.staff_matter) == ("SLA-2026-0001", 14, True)
    assert (one.initials, one.status, one.last_heard, one.next_step) == ("", None, None, "")


def test_clocks_that_passed_or_come_up_this_week_are_shown_with_their_days() -> None:
    aware = alert("Mon 9 Mar 2026 10:00", aware_at=at("Mon 9 Mar 2026 09:00"))

    shown = [(clock.name, clock.due, clock.passed) for clock in digest(aware).deadlines]

    assert shown == [
        ("National Panel, Day Five", day("Fri 13 Mar 2026"), True),
        ("Rapid review considered", day("Fri 13 Mar 2026"), True),
        ("Updated form", day("Fri 13 Mar 2026"), True),
        ("National Panel, last day", day("Mon 16 Mar 2026"), False),
    ]


def test_the_deadlines_of_one_alert_stand_together_the_most_pressing_alert_first() -> None:
    late = alert("Mon 2 Mar 2026 10:00", 1, aware_at=at("Mon 9 Mar 2026 09:00"))
    later_still = alert("Mon 2 Mar 2026 11:00", 2, aware_at=at("Wed 4 Mar 2026 09:00"))

    told = digest(late, later_still)

    together = [{one.alert for one in theirs} for theirs in told.deadlines_by_alert]
    assert together == [{"SLA-2026-0002"}, {"SLA-2026-0001"}]
    assert {one for theirs in told.deadlines_by_alert for one in theirs} == set(told.deadlines)


def test_a_clock_that_ended_or_lies_further_ahead_is_not_shown() -> None:
    back = alert(missing_since=at("Sun 1 Mar 2026 20:00"), returned_at=at("Mon 2 Mar 2026 08:00"))

    assert digest(back).deadlines == ()


def test_questions_show_their_age_and_name_nobody() -> None:
    question = Question(
        "which_alert", "It may be one of two alerts.", "<1@x>", ("SLA-2026-0001",), {"who": "R"}
    )

    told = digest(questions=[Asked(7, at("Fri 13 Mar 2026 17:00"), question)])

    assert [(one.number, one.code, one.why, one.days, one.alerts) for one in told.questions] == [
        (7, "which_alert", "It may be one of two alerts.", 3, ("SLA-2026-0001",))
    ]


def test_findings_are_numbers_by_kind_of_what_came_last_week() -> None:
    told = digest(
        alert("Tue 10 Mar 2026 10:00", 1, findings=("late_form", "missing_recipient:psw")),
        alert("Wed 11 Mar 2026 10:00", 2, findings=("late_form",)),
        alert("Mon 2 Mar 2026 10:00", 3, findings=("marking_missing",)),
    )

    assert told.findings == (
        Counted("Form later than one day", 2),
        Counted("Not copied: Principal Social Worker", 1),
    )


def test_letters_are_counted_by_what_became_of_them() -> None:
    told = digest(
        alert(),
        letters=[
            Letter("posted", at("Fri 6 Mar 2026 10:00"), at("Mon 9 Mar 2026 09:00")),
            Letter("posted", at("Fri 6 Mar 2026 10:00"), at("Fri 6 Mar 2026 10:05")),
            Letter("held", at("Mon 2 Mar 2026 10:00")),
            Letter("withdrawn", at("Tue 10 Mar 2026 10:00")),
        ],
    )

    assert (told.letters_sent, told.letters_held, told.letters_undelivered) == (1, 1, 0)


def test_a_matter_about_staff_is_told_to_the_sqas_manager_alone() -> None:
    """The Principal Social Worker does not even learn that there is one."""
    staff = alert(
        "Tue 10 Mar 2026 10:00",
        2,
        values={"staff_subject": "yes"},
        findings=("late_form",),
        aware_at=at("Mon 9 Mar 2026 09:00"),
    )
    question = Question("which_alert", "It may be one of two.", "<1@x>", (staff.reference, "SLA-2026-0001"))
    asked = [Asked(7, at("Fri 13 Mar 2026 17:00"), question)]

    known, unknown = (digest(alert(), staff, questions=asked, reader=reader) for reader in (SOL, PIA))

    assert [one.reference for one in known.open if one.staff_matter] == [staff.reference]
    assert staff.reference not in str(known.deadlines)
    assert staff.reference not in str(unknown)
    assert unknown.received == ()
    assert unknown.findings == ()


def test_nobody_reads_in_the_digest_of_a_matter_about_themselves() -> None:
    about_sol = alert(categories=("M15",), values={"staff_subject_name": "Sol Quarrie"})

    assert about_sol.reference not in str(digest(about_sol, reader=SOL))


@pytest.mark.parametrize(
    ("now", "warned"),
    [
        ("Mon 16 Mar 2026 08:00", []),
        ("Wed 1 Jul 2026 08:00", ["reviewed by Tue 30 Jun 2026"]),
        ("Mon 16 Oct 2028 08:00", ["bank holidays of 2029 are not known to the agent, and", "reviewed by"]),
        (
            "Mon 8 Jan 2029 08:00",
            ["bank holidays of 2029 are not known to the agent, so nobody", "reviewed by"],
        ),
    ],
)
def test_what_somebody_has_to_see_to_in_good_time_is_told(now: str, warned: list[str]) -> None:
    told = digest(now=now).warnings

    assert len(told) == len(warned)
    assert all(words in sentence for words, sentence in zip(warned, told, strict=True))


def test_where_the_desk_says_so_open_alerts_stand_apart_by_area() -> None:
    alerts = [
        alert("Mon 2 Mar 2026 10:00", 1, values={"area": "West"}),
        alert("Tue 3 Mar 2026 10:00", 2, values={"area": "North"}),
        alert("Wed 4 Mar 2026 10:00", 3, values={"area": "North; West"}),  # two children
        alert("Thu 5 Mar 2026 10:00", 4, values={"area": "with her aunt, Robin"}),  # somebody's own words
        alert("Fri 6 Mar 2026 10:00", 5, values={"area": "North"}, categories=("M15",)),  # about staff
    ]

    def parts(**more: Any) -> list[tuple[str, list[int]]]:
        return [
            (area, [int(one.reference[-1]) for one in found]) for area, found in digest(*alerts, **more).parts
        ]

    assert parts() == [("", [1, 2, 3, 4, 5])]
    assert parts(by_area=True) == [("North", [2, 3]), ("West", [1, 3]), ("No area told", [4, 5])]
    assert digest(by_area=True).parts == ()
