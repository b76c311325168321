"""Chasing: who is prompted when, as people say dates; over random months nobody twice and none forgotten."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.procedure.alert import Absence, Alert, alert_after, fold
from agent.procedure.chase import (
    ChaseDue,
    chases_due,
    left_alone,
    letters_of,
    next_prompt_on,
    unaddressed,
    within_hours,
)
from agent.procedure.entry import Entry
from agent.procedure.people import People, Person
from agent.procedure.plan import plan_kept, plan_to_keep
from agent.procedure.rules import ChaseStep, Chasing
from agent.procedure.submission import Child
from agent.procedure.words import Happened
from tests.procedure.situations import (
    AUTHOR,
    AVA,
    LONDON,
    PEOPLE,
    PIA,
    SOL,
    alert,
    at,
    calendar,
    chased,
    day,
    procedure,
    unreached,
)


def due(*alerts: Alert, now: str, people: People = PEOPLE, **more: Any) -> tuple[ChaseDue, ...]:
    return chases_due(alerts, at(now), procedure(), people, calendar(), **more)


def who(chases: Iterable[ChaseDue]) -> list[tuple[str, str]]:
    return [(chase.rule, chase.to) for chase in chases]


# ---------------------------------------------------------------- when the first prompt is due


@pytest.mark.parametrize(
    ("received", "told", "expected"),
    [
        ("Mon 2 Mar 2026 10:00", {}, "Mon 9 Mar 2026"),  # five working days of silence
        ("Fri 6 Mar 2026 17:30", {}, "Fri 13 Mar 2026"),
        ("Sat 7 Mar 2026 03:00", {}, "Fri 13 Mar 2026"),
        ("Mon 30 Mar 2026 10:00", {}, "Wed 8 Apr 2026"),  # over Easter
        ("Wed 23 Dec 2026 10:00", {}, "Mon 4 Jan 2027"),  # over Christmas
        ("Sat 28 Mar 2026 23:50", {}, "Tue 7 Apr 2026"),  # the night the clocks go forward, then Easter
        # while a child is missing: two working days
        ("Mon 2 Mar 2026 10:00", {"missing": "Sun 1 Mar 2026 21:00"}, "Wed 4 Mar 2026"),
        ("Fri 6 Mar 2026 10:00", {"missing": "Thu 5 Mar 2026 21:00"}, "Tue 10 Mar 2026"),
        ("Mon 2 Mar 2026 10:00", {"form": "sla_missing"}, "Wed 4 Mar 2026"),  # nobody said since when
        (
            "Mon 2 Mar 2026 10:00",
            {"form": "sla_missing", "returned": "Mon 2 Mar 2026 09:00"},
            "Mon 9 Mar 2026",
        ),
        # sooner, too, from Day One to Five of the Panel; not once a person wrote that it is decided
        ("Mon 2 Mar 2026 10:00", {"aware": "Mon 2 Mar 2026 09:00"}, "Wed 4 Mar 2026"),
        ("Fri 6 Mar 2026 17:30", {"aware": "Mon 2 Mar 2026 09:00"}, "Tue 10 Mar 2026"),
        ("Mon 9 Mar 2026 10:00", {"aware": "Mon 2 Mar 2026 09:00"}, "Mon 16 Mar 2026"),  # Day Five is over
        ("Mon 2 Mar 2026 10:00", {"aware": "Mon 2 Mar 2026 09:00", "panel": "Notified"}, "Mon 9 Mar 2026"),
        ("Mon 2 Mar 2026 10:00", {"aware": "Mon 2 Mar 2026 09:00", "panel": "Pending"}, "Wed 4 Mar 2026"),
        # the update that the form promises wins
        ("Mon 2 Mar 2026 10:00", {"promised": "Fri 20 Mar 2026"}, "Mon 23 Mar 2026"),
        ("Mon 2 Mar 2026 10:00", {"promised": "Wed 4 Mar 2026"}, "Thu 5 Mar 2026"),
        ("Mon 2 Mar 2026 10:00", {"promised": "Sat 7 Mar 2026"}, "Mon 9 Mar 2026"),
        ("Mon 30 Mar 2026 10:00", {"promised": "Thu 2 Apr 2026"}, "Tue 7 Apr 2026"),
        # a promise overtaken by news, or too far off to be meant, does not count
        ("Mon 2 Mar 2026 10:00", {"promised": "Sun 1 Mar 2026"}, "Mon 9 Mar 2026"),
        ("Mon 2 Mar 2026 10:00", {"promised": "Fri 2 Mar 2063"}, "Mon 9 Mar 2026"),
    ],
)
def test_the_first_prompt(received: str, told: dict[str, str], expected: str) -> None:
    quiet = alert(
        received,
        form=told.get("form", "sla"),
        missing_since=at(told["missing"]) if "missing" in told else None,
        returned_at=at(told["returned"]) if "returned" in told else None,
        next_update_due=day(told["promised"]) if "promised" in told else None,
        aware_at=at(told["aware"]) if "aware" in told else None,
        values={"panel_decision": told.get("panel", "")},
    )
    before = calendar().local(at(f"{expected} 09:00")) - timedelta(days=1)

    assert due(quiet, now=f"{before:%a} {before.day} {before:%b %Y} 16:59") == ()
    assert [(chase.rule, chase.due) for chase in due(quiet, now=f"{expected} 09:00")] == [
        ("chase-1", day(expected))
    ]


def test_the_due_day_stays_the_same_however_late_it_is_asked_for() -> None:
    """An outage of two weeks costs one letter, and its reason is the same as it would have been."""
    quiet = alert()

    punctual, late = due(quiet, now="Mon 9 Mar 2026 09:00"), due(quiet, now="Mon 23 Mar 2026 15:00")

    assert [(chase.rule, chase.due) for chase in punctual] == [(chase.rule, chase.due) for chase in late]


def test_the_next_prompt_counts_from_the_one_really_sent() -> None:
    """It was due on Monday 9th and went out on Thursday 12th."""
    prompted = chased(alert(), ("chase-1", "Thu 12 Mar 2026 09:05"))

    assert due(prompted, now="Wed 18 Mar 2026 16:00") == ()
    assert [chase.rule for chase in due(prompted, now="Thu 19 Mar 2026 09:00")] == ["chase-2"]


def test_a_promise_made_after_a_prompt_postpones_the_next_one() -> None:
    prompted = chased(alert(), ("chase-1", "Mon 9 Mar 2026 09:05"))
    promised = replace(prompted, next_update_due=day("Fri 27 Mar 2026"))

    assert next_prompt_on(promised, procedure(), calendar()) == day("Mon 30 Mar 2026")


# ---------------------------------------------------------------- when nobody is prompted


@pytest.mark.parametrize(
    "now",
    [
        "Mon 9 Mar 2026 08:59",
        "Mon 9 Mar 2026 17:00",
        "Sat 14 Mar 2026 10:00",
        "Fri 3 Apr 2026 10:00",  # Good Friday
        "Mon 6 Apr 2026 10:00",  # Easter Monday
    ],
)
def test_nobody_is_prompted_outside_working_days_and_hours(now: str) -> None:
    assert due(alert(), now=now) == ()
    assert not within_hours(at(now), procedure(), calendar())


def test_office_hours_are_those_on_the_wall_in_summer_too() -> None:
    summer = alert("Mon 1 Jun 2026 10:00")

    assert due(summer, now="Mon 8 Jun 2026 08:59") == ()
    assert len(due(summer, now="Mon 8 Jun 2026 09:00")) == 1


@pytest.mark.parametrize(
    ("received", "due_on", "sent_on"),
    [
        ("Thu 17 Dec 2026 10:00", "Thu 24 Dec 2026", "Mon 4 Jan 2027"),  # New Year's Day is a Friday
        ("Fri 18 Dec 2026 10:00", "Tue 29 Dec 2026", "Mon 4 Jan 2027"),
        ("Wed 16 Dec 2026 10:00", "Wed 23 Dec 2026", "Wed 23 Dec 2026"),
    ],
)
def test_in_christmas_week_nobody_is_chased_though_its_days_count(
    received: str, due_on: str, sent_on: str
) -> None:
    quiet = alert(received)
    days = [day(due_on) + timedelta(days=n) for n in range(14)]

    sent = next(one for one in days if due(quiet, now=f"{one:%a} {one.day} {one:%b %Y} 10:00"))

    assert sent == day(sent_on)
    assert due(quiet, now=f"{sent_on} 10:00")[0].due == day(due_on)


@pytest.mark.parametrize(
    ("rest", "last_quiet", "first_prompt"),
    [
        (
            {"on_hold": True, "on_hold_until": "Fri 13 Mar 2026"},
            "Fri 13 Mar 2026 16:59",
            "Mon 16 Mar 2026 09:00",
        ),
        (
            {"away": {AUTHOR: Absence(day("Thu 12 Mar 2026"))}},
            "Wed 11 Mar 2026 16:59",
            "Thu 12 Mar 2026 09:00",
        ),
    ],
)
def test_nobody_is_prompted_while_an_alert_rests(
    rest: dict[str, Any], last_quiet: str, first_prompt: str
) -> None:
    told: dict[str, Any] = {name: day(said) if isinstance(said, str) else said for name, said in rest.items()}
    resting = alert(**told)

    assert due(resting, now=last_quiet) == ()
    assert [chase.due for chase in due(resting, now=first_prompt)] == [day("Mon 9 Mar 2026")]


@pytest.mark.parametrize(
    "over",
    [
        {"concluded_at": at("Fri 6 Mar 2026 11:00")},
        {"not_an_alert": True},
        {"on_hold": True},  # until somebody says so
        {"conclusion_claimed_at": at("Fri 6 Mar 2026 11:00")},  # a person has to confirm it
        {"provisional": True},  # a person has to say that it is one
    ],
)
def test_nobody_is_prompted_for_what_has_ended_or_waits_for_a_person(over: dict[str, Any]) -> None:
    assert due(alert(**over), now="Mon 30 Mar 2026 10:00") == ()


@pytest.mark.parametrize(
    ("began", "prompted"), [("Mon 9 Mar 2026 08:00", False), ("Fri 6 Mar 2026 08:00", True)]
)
def test_what_was_due_before_the_desk_began_is_history(began: str, prompted: bool) -> None:
    found = due(alert(), now="Mon 9 Mar 2026 10:00", not_before=at(began))

    assert bool(found) is prompted


def test_a_mail_that_claims_to_come_from_the_far_future_stops_nothing() -> None:
    strange = alert(number=2, last_news_at=at("Thu 2 Mar 2062 10:00"))

    assert [chase.alert for chase in due(strange, alert(), now="Mon 9 Mar 2026 10:00")] == ["SLA-2026-0001"]


def test_a_promise_into_a_year_without_bank_holidays_yet_stops_nothing() -> None:
    december = alert("Mon 11 Dec 2028 10:00", next_update_due=day("Fri 5 Jan 2029"))

    assert due(december, now="Wed 20 Dec 2028 10:00") == ()
    assert next_prompt_on(december, procedure(), calendar()) == day("Mon 8 Jan 2029")


def test_nobody_is_chased_in_a_year_whose_bank_holidays_are_not_known() -> None:
    assert due(alert(), now="Mon 8 Jan 2029 10:00") == ()


# ---------------------------------------------------------------- to whom


SENT = [
    ("chase-1", "Mon 9 Mar 2026 09:05"),
    ("chase-2", "Mon 16 Mar 2026 09:05"),
    ("chase-3", "Mon 23 Mar 2026 09:05"),
    ("chase-3:reviewer", "Mon 23 Mar 2026 09:06"),
    ("chase-4", "Mon 30 Mar 2026 09:05"),
    ("chase-4:reviewer", "Mon 30 Mar 2026 09:06"),
]


@pytest.mark.parametrize(
    ("letters", "now", "expected"),
    [
        (0, "Mon 9 Mar 2026 09:00", [("chase-1", AUTHOR)]),
        (1, "Mon 16 Mar 2026 09:00", [("chase-2", AUTHOR)]),
        (2, "Mon 23 Mar 2026 09:00", [("chase-3", AUTHOR), ("chase-3:reviewer", AVA.address)]),
        (4, "Mon 30 Mar 2026 09:00", [("chase-4", AUTHOR), ("chase-4:reviewer", AVA.address)]),
        (
            6,
            "Wed 8 Apr 2026 09:00",
            [("chase-5", AUTHOR), ("chase-5:sqas_sm", SOL.address), ("chase-5:psw", PIA.address)],
        ),
    ],
)
def test_each_step_adds_those_who_can_help_each_with_a_letter_of_their_own(
    letters: int, now: str, expected: list[tuple[str, str]]
) -> None:
    """Two letters of one step are one unanswered prompt, not two."""
    assert who(due(chased(alert(), *SENT[:letters]), now=now)) == expected


def test_a_letter_of_a_step_that_had_to_wait_for_the_next_day_still_comes() -> None:
    """The reviewing manager had a letter already that day; the due day is the same as the author's."""
    half = chased(alert(), *SENT[:3])

    found = due(half, now="Tue 24 Mar 2026 09:00")

    assert [(chase.rule, chase.to, chase.due) for chase in found] == [
        ("chase-3:reviewer", AVA.address, day("Mon 23 Mar 2026"))
    ]


def test_the_letters_of_one_step_grow_stronger_only_with_the_step() -> None:
    assert {chase.letter for chase in due(alert(), now="Mon 9 Mar 2026 09:00")} == {"chase"}
    assert {chase.letter for chase in due(chased(alert(), *SENT[:2]), now="Mon 23 Mar 2026 09:00")} == {
        "chase_escalated"
    }


@pytest.mark.parametrize(
    "written", ["Ava Lindqvist", "ava  lindqvist", "Ava Lindqvist, Strategic Manager", "Ava Lindqvist (SM)"]
)
def test_the_reviewing_manager_is_found_as_forms_write_the_name(written: str) -> None:
    named = alert(values={"author": "Theo Marchbanks", "reviewer": written})

    assert ("chase-3:reviewer", AVA.address) in who(
        due(chased(named, *SENT[:2]), now="Mon 23 Mar 2026 09:00")
    )


@pytest.mark.parametrize("written", ["", "Nobody Known", "Pia Winterbourne"])
def test_where_no_strategic_manager_is_known_the_letter_goes_to_the_sqas_manager(written: str) -> None:
    """Pia is on the roster, but no Strategic Manager."""
    named = alert(values={"author": "Theo Marchbanks", "reviewer": written})

    found = due(chased(named, *SENT[:2]), now="Mon 23 Mar 2026 09:00")

    assert [(chase.rule, chase.to, chase.stands_in) for chase in found] == [
        ("chase-3", AUTHOR, False),
        ("chase-3:reviewer", SOL.address, True),
    ]


@pytest.mark.parametrize(
    "unreachable",
    [
        {"author_address": "somebody@elsewhere.example"},
        {"author_address": "n2k@trust.example"},  # the desk itself
        {"author_address": ""},
    ],
)
def test_an_author_who_cannot_be_written_to_is_not_and_the_sqas_manager_is(
    unreachable: dict[str, Any],
) -> None:
    found = due(alert(**unreachable), now="Mon 9 Mar 2026 09:00")

    assert [(chase.rule, chase.to, chase.stands_in) for chase in found] == [("chase-1", SOL.address, True)]


def test_an_author_from_whom_a_letter_came_back_gets_none_about_whatever_alert() -> None:
    about = (alert(), alert(number=2, author_address=AUTHOR.upper()))
    found = due(*about, now="Mon 9 Mar 2026 09:00", people=unreached(AUTHOR))

    assert [(chase.alert, chase.to) for chase in found] == [
        ("SLA-2026-0001", SOL.address),
        ("SLA-2026-0002", SOL.address),
    ]


def test_a_prompt_that_can_go_to_nobody_is_told_and_not_lost() -> None:
    lonely = unreached(AUTHOR, people=People(PEOPLE.own, PEOPLE.allowed_domains, (AVA, PIA)))

    assert due(alert(), now="Mon 9 Mar 2026 09:00", people=lonely) == ()
    found = unaddressed([alert()], at("Mon 9 Mar 2026 03:00"), procedure(), lonely, calendar())
    assert [(one.alert, one.rule, one.role) for one in found] == [("SLA-2026-0001", "chase-1", "author")]


BACK = day("Mon 30 Mar 2026")


@pytest.mark.parametrize(
    ("deputy", "to"),
    [
        ("Pia Winterbourne", PIA.address),  # of the roster, by name
        ("Pia Winterbourne <pia.winterbourne@trust.example>", PIA.address),
        ("nell.okafor@trust.example", "nell.okafor@trust.example"),  # within the allowed domains
        ("Nell Okafor <nell.okafor@trust.example>", "nell.okafor@trust.example"),
        ("Nell Okafor", None),  # whose address is that?
        ("agency@elsewhere.example", None),  # outside
        ("", None),
    ],
)
def test_who_is_away_hands_on_to_their_deputy_or_is_asked_when_they_are_back(
    deputy: str, to: str | None
) -> None:
    away = alert(away={AUTHOR: Absence(BACK, deputy=deputy)})

    assert who(due(away, now="Mon 9 Mar 2026 09:00")) == ([("chase-1", to)] if to else [])
    assert who(due(away, now="Mon 30 Mar 2026 09:00")) == [("chase-1", AUTHOR)]


@pytest.mark.parametrize(
    ("ava", "to"),
    [
        ({"deputy": PIA.address}, AVA.address),  # at work
        ({"deputy": PIA.address, "away_until": day("Tue 24 Mar 2026")}, PIA.address),
        ({"deputy": PIA.address, "away_until": day("Mon 23 Mar 2026")}, AVA.address),  # back today
        ({"away_until": day("Tue 24 Mar 2026")}, None),  # waits for her
        ({"deputy": AVA.address, "away_until": day("Tue 24 Mar 2026")}, None),
    ],
)
def test_the_roster_names_who_stands_in_for_an_absent_reviewer(ava: dict[str, Any], to: str | None) -> None:
    roster = replace(PEOPLE, people=(replace(AVA, **ava), SOL, PIA))

    found = who(due(chased(alert(), *SENT[:2]), now="Mon 23 Mar 2026 09:00", people=roster))

    assert [address for rule, address in found if rule.endswith(":reviewer")] == ([to] if to else [])


def test_a_reply_without_a_deputy_leaves_the_one_on_the_roster() -> None:
    roster = replace(PEOPLE, people=(replace(AVA, deputy=PIA.address), SOL, PIA))
    away = chased(alert(away={AVA.address: Absence(BACK, role="reviewer")}), *SENT[:2])

    found = who(due(away, now="Mon 23 Mar 2026 09:00", people=roster))

    assert ("chase-3:reviewer", PIA.address) in found


def test_a_deputy_who_is_away_as_well_or_might_be_the_subject_is_none() -> None:
    both = alert(away={AUTHOR: Absence(BACK, deputy=PIA.address), PIA.address: Absence(BACK)})
    staff = alert(
        away={AUTHOR: Absence(BACK, deputy="n.okafor@trust.example")},
        values={"author": "Theo Marchbanks", "staff_subject_name": "Nell Okafor"},
    )

    assert due(both, staff, now="Mon 9 Mar 2026 09:00") == ()


def test_that_one_is_away_postpones_nobody_elses_letter() -> None:
    away = chased(alert(away={AUTHOR: Absence(BACK)}), *SENT[:2])

    assert who(due(away, now="Mon 23 Mar 2026 09:00")) == [("chase-3:reviewer", AVA.address)]


def test_who_has_left_is_not_written_to() -> None:
    gone = replace(PEOPLE, left=frozenset({AUTHOR, AVA.address}))

    found = due(chased(alert(), *SENT[:2]), now="Mon 23 Mar 2026 09:00", people=gone)

    assert who(found) == [("chase-3", SOL.address)]


# ---------------------------------------------------------------- what an alert keeps


def test_a_plan_stays_as_it_was_when_the_alert_began() -> None:
    """The procedure's numbers change meanwhile; for alerts that begin afterwards the new ones hold."""
    rules = procedure()
    weekly = replace(rules.chasing, first=1, interval=1, steps=(ChaseStep(0, ("psw",), "chase"),))
    changed = replace(rules, chasing=weekly)
    begun = alert(plan=plan_to_keep(rules.chasing))

    def asked(one: Alert, now: str) -> list[tuple[str, str]]:
        return who(chases_due([one], at(now), changed, PEOPLE, calendar()))

    assert asked(begun, "Tue 3 Mar 2026 09:00") == []
    assert asked(begun, "Mon 9 Mar 2026 09:00") == [("chase-1", AUTHOR)]
    assert asked(chased(begun, *SENT[:2]), "Mon 23 Mar 2026 09:00")[1] == ("chase-3:reviewer", AVA.address)
    assert asked(alert(plan=plan_to_keep(weekly)), "Tue 3 Mar 2026 09:00") == [("chase-1:psw", PIA.address)]


@given(
    st.builds(
        lambda first, interval, around: replace(
            procedure().chasing, first=first, interval=interval, around_promise=tuple(around)
        ),
        st.integers(1, 30),
        st.integers(1, 30),
        st.lists(st.integers(-3, 5), min_size=1, max_size=4),
    )
)
def test_a_plan_comes_back_from_the_ledger_as_it_went_in(plan: Chasing) -> None:
    kept = json.loads(json.dumps(plan_to_keep(plan)))

    assert plan_kept(kept, procedure().chasing) == plan


def test_a_letter_refused_for_good_silences_no_alert() -> None:
    """It was held on Monday; an interval later the prompt is due anew, for another day."""
    held = alert(letters_held={"chase-1": at("Mon 9 Mar 2026 09:05")})

    assert due(held, now="Fri 13 Mar 2026 16:00") == ()
    assert [(one.rule, one.due) for one in due(held, now="Mon 16 Mar 2026 09:00")] == [
        ("chase-1", day("Mon 16 Mar 2026"))
    ]


def test_whoever_holds_two_roles_has_one_letter() -> None:
    own = alert(author_address=AVA.address, values={"author": "Ava Lindqvist", "reviewer": "Ava Lindqvist"})

    assert who(due(chased(own, *SENT[:2]), now="Mon 23 Mar 2026 09:00")) == [("chase-3", AVA.address)]


def test_two_holders_of_a_role_have_a_letter_each_under_different_rules() -> None:
    second = Person("Quentin Ashdown", "quentin.ashdown@trust.example", ("psw",))
    crowd = People(PEOPLE.own, PEOPLE.allowed_domains, (*PEOPLE.people, second))

    found = who(due(chased(alert(), *SENT), now="Wed 8 Apr 2026 09:00", people=crowd))

    assert ("chase-5:psw", PIA.address) in found
    assert ("chase-5:psw-2", second.address) in found


@pytest.mark.parametrize(
    "about",
    [
        {
            "values": {
                "author": "Theo Marchbanks",
                "reviewer": "Ava Lindqvist",
                "staff_subject_name": "A Lindqvist",
            }
        },
        {"children": (Child("Ava Lindqvist"),)},
    ],
)
def test_nobody_is_written_to_about_themselves(about: dict[str, Any]) -> None:
    found = due(chased(alert(**about), *SENT[:2]), now="Mon 23 Mar 2026 09:00")

    assert who(found) == [("chase-3", AUTHOR), ("chase-3:reviewer", SOL.address)]


def test_an_author_who_is_the_subject_is_never_written_to_and_neither_is_a_subject_who_would_stand_in() -> (
    None
):
    values = {"author": "Sol Quarrie", "reviewer": "Ava Lindqvist", "staff_subject_name": "Sol Quarrie"}
    about_sol = alert(author_address=SOL.address, values=values)

    assert due(about_sol, now="Mon 9 Mar 2026 09:00") == ()
    assert unaddressed([about_sol], at("Mon 9 Mar 2026 09:00"), procedure(), PEOPLE, calendar())


def test_rules_and_reasons_name_nobody() -> None:
    found = due(chased(alert(), *SENT), now="Wed 8 Apr 2026 09:00")

    assert not any("@" in chase.rule or "quarrie" in chase.rule.lower() for chase in found)


# ---------------------------------------------------------------- one letter for each person


def test_all_that_is_due_to_one_person_is_gathered_in_one_letter_of_the_furthest_kind() -> None:
    fresh, old = alert(number=2), chased(alert(number=1), *SENT[:2])

    letters = letters_of(due(fresh, old, now="Mon 23 Mar 2026 09:00"), ())

    assert [(letter.to, letter.letter, [chase.alert for chase in letter.chases]) for letter in letters] == [
        (AUTHOR, "chase_escalated", ["SLA-2026-0001", "SLA-2026-0002"]),
        (AVA.address, "chase_escalated", ["SLA-2026-0001"]),
    ]


def test_whoever_had_a_letter_today_waits_until_tomorrow() -> None:
    chases = due(alert(), now="Mon 9 Mar 2026 09:00")

    assert letters_of(chases, {AUTHOR.upper()}) == ()
    assert letters_of([replace(chase, to=chase.to.upper()) for chase in chases], {AUTHOR}) == ()
    assert len(letters_of(chases, {"somebody.else@trust.example"})) == 1


# ---------------------------------------------------------------- random months


WORLD = PEOPLE
ALERTS = 3


@dataclass
class Month:
    """A desk in miniature: alerts told by entries, letters sent under reasons, and what is watched."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    reasons: set[tuple[str, str, date]] = field(default_factory=set)
    letters: list[tuple[date, str]] = field(default_factory=list)

    def happens(self, happened: Happened, number: int, now: datetime, **facts: Any) -> None:
        """One line in the ledger, as far as the alert is there at all."""
        reference = f"SLA-2026-{number:04d}"
        content: dict[str, Any] = {}
        if happened is Happened.OPENED:
            author = ["Theo Marchbanks", "Nell Okafor"][number % 2]
            content = {
                "author_address": f"{author.replace(' ', '.').lower()}@trust.example",
                "values": {"author": author, "reviewer": "Ava Lindqvist"},
            }
            facts = {"form": "sla", **facts}
        if happened is Happened.CORRECTED:  # a person writes another day for the next update
            content, facts = {"value": facts["next_update_due"]}, {"field": "next_update_due"}
        entry = Entry(happened, reference, now, f"<{now.isoformat()}>", facts, content)
        if (happened is Happened.OPENED) == (reference not in self.alerts):
            after = alert_after(self.alerts.get(reference), entry)
            assert after is not None
            self.alerts[reference] = after

    def chase(self, now: datetime) -> None:
        """One round of chasing and posting, and what must hold of every letter."""
        today = now.astimezone(LONDON).date()
        chases = chases_due(self.alerts.values(), now, procedure(), WORLD, calendar())
        new = [chase for chase in chases if (chase.alert, chase.rule, chase.due) not in self.reasons]
        had_one = {to for sent, to in self.letters if sent == today}
        for letter in letters_of(new, had_one):
            self.letters.append((today, letter.to))
            for chase in letter.chases:
                self.check(chase, now, today)
                self.reasons.add((chase.alert, chase.rule, chase.due))
                self.happens(Happened.CHASED, int(chase.alert[-4:]), now, rule=chase.rule)

    def check(self, chase: ChaseDue, now: datetime, today: date) -> None:
        prompted = self.alerts[chase.alert]
        local = now.astimezone(LONDON)
        assert (chase.alert, chase.rule, chase.due) not in self.reasons, "twice for one due day"
        assert calendar().is_working_day(today), "on a day off"
        assert 9 <= local.hour < 17, "outside hours"
        assert not prompted.concluded, "after the conclusion"
        assert not prompted.held_on(today), "while on hold"
        assert chase.due <= today, "before it was due"

    def forgotten(self, now: datetime) -> list[str]:
        """Alerts of which nothing was heard, and nobody asked, for longer than the rules say."""
        today = now.astimezone(LONDON).date()
        return [
            reference
            for reference, one in self.alerts.items()
            if not left_alone(one, today) and self.quiet_days(one, today) > procedure().chasing.interval
        ]

    def quiet_days(self, one: Alert, today: date) -> int:
        touched = [one.last_news_at, *(chased.at for chased in one.chases)]
        last = max(moment.astimezone(LONDON).date() for moment in touched)
        rested = [rest for rest in (one.next_update_due, one.on_hold_until, one.away_until) if rest]
        return calendar().working_days_between(max([last, *rested]), today)


BEGINNINGS = st.sampled_from(
    ["Mon 2 Mar 2026 00:00", "Mon 23 Mar 2026 00:00", "Mon 12 Oct 2026 00:00", "Mon 14 Dec 2026 00:00"]
)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 45 * 24),  # the hour at which it happens
        st.sampled_from(
            [
                Happened.OPENED,
                Happened.OPENED,
                Happened.UPDATED,
                Happened.REPLIED,
                Happened.HELD,
                Happened.RELEASED,
                Happened.AWAY,
                Happened.CONCLUDED,
                Happened.REOPENED,
                Happened.CORRECTED,
            ]
        ),
        st.integers(1, ALERTS),
        st.integers(0, 12),  # how many days it is about: a promise, a hold, an absence
    ),
    min_size=3,
    max_size=20,
)
OUTAGES = st.lists(st.tuples(st.integers(0, 45 * 24), st.integers(1, 100)), max_size=3)
ABOUT = {
    Happened.HELD: "until",
    Happened.AWAY: "until",
    Happened.UPDATED: "next_update_due",
    Happened.CORRECTED: "next_update_due",
}


@settings(max_examples=60, deadline=None)
@given(beginning=BEGINNINGS, events=EVENTS, outages=OUTAGES)
def test_over_random_months_nobody_is_prompted_wrongly_and_no_alert_is_forgotten(
    beginning: str, events: list[tuple[int, Happened, int, int]], outages: list[tuple[int, int]]
) -> None:
    """Easter, both changes of the clocks and Christmas are among the months; the agent is down at times."""
    month, start = Month(), at(beginning)
    down = {hour for begin, length in outages for hour in range(begin, begin + length)}
    by_hour: dict[int, list[tuple[Happened, int, int]]] = {}
    for hour, happened, number, days in events:
        by_hour.setdefault(hour, []).append((happened, number, days))
    for hour in range(60 * 24):
        now = start + timedelta(hours=hour, minutes=5)
        for happened, number, days in by_hour.get(hour, []):
            about = (now + timedelta(days=days)).date().isoformat()
            told = {ABOUT[happened]: about} if happened in ABOUT else {}
            month.happens(happened, number, now, **told)
        if hour not in down:
            month.chase(now)
            month.chase(now)  # run twice: nothing more happens
            if within_hours(now, procedure(), calendar()):
                assert month.forgotten(now) == []
    assert max(Counter(month.letters).values(), default=0) <= 1


def test_the_state_that_entries_tell_is_what_the_rules_work_on() -> None:
    """A prompt sent as two letters, folded from the ledger, is one prompt."""
    opened = Entry(
        Happened.OPENED,
        "SLA-2026-0001",
        at("Mon 2 Mar 2026 10:00"),
        "<1@trust.example>",
        {"form": "sla"},
        {"author_address": AUTHOR, "values": {"reviewer": "Ava Lindqvist"}},
    )
    sent = [
        Entry(Happened.CHASED, "SLA-2026-0001", at(when), f"letter-{n}", {"rule": rule})
        for n, (rule, when) in enumerate(SENT[:4])
    ]

    folded = fold([opened, *sent])["SLA-2026-0001"]

    assert [chase.step for chase in due(folded, now="Mon 30 Mar 2026 09:00")] == [4, 4]
