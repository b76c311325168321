"""Working days in England: weekends, Easter, substitutes, one-off holidays and the office's own days off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.procedure.working_days import BankHolidaysUnknown, Calendar
from tests.procedure.situations import CONFIG, LONDON, bank_holidays, calendar, day

YEARS = range(2018, 2029)
MONDAY = 0
ONCE = {
    date(2022, 6, 3): "Platinum Jubilee",
    date(2022, 9, 19): "State Funeral",
    date(2023, 5, 8): "coronation",
}


def easter_sunday(year: int) -> date:
    """The Gregorian computus, as Meeus, Jones and Butcher wrote it down."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * weekday) // 433
    month = (h + weekday - 7 * m + 90) // 25
    return date(year, month, (h + weekday - 7 * m + 33 * month + 19) % 32)


def first_monday_from(day: date) -> date:
    return day + timedelta(days=(MONDAY - day.weekday()) % 7)


def by_statute(year: int) -> Iterator[date]:
    """The yearly holidays, a weekend's moved to the next days that are not holidays themselves."""
    easter = easter_sunday(year)
    yield easter - timedelta(days=2)
    yield easter + timedelta(days=1)
    # in 2020 the early May holiday was moved to the day on which the war in Europe had ended
    yield date(2020, 5, 8) if year == 2020 else first_monday_from(date(year, 5, 1))
    # in 2022 the late May holiday was moved to June for the Jubilee
    yield date(2022, 6, 2) if year == 2022 else first_monday_from(date(year, 5, 25))
    yield first_monday_from(date(year, 8, 25))
    taken: set[date] = {date(year, 12, 25), date(year, 12, 26)}
    for named in (date(year, 1, 1), date(year, 12, 26), date(year, 12, 25)):
        moved = named
        while moved.weekday() > 4 or (moved != named and moved in taken):
            moved += timedelta(days=1)
        taken.add(moved)
        yield moved


@pytest.mark.parametrize("year", YEARS)
def test_the_shipped_file_holds_the_holidays_that_the_law_gives_each_year(year: int) -> None:
    shipped = {holiday for holiday in bank_holidays() if holiday.year == year}

    assert shipped == set(by_statute(year)) | {holiday for holiday in ONCE if holiday.year == year}


def test_the_shipped_file_names_easter_and_the_holidays_that_came_once() -> None:
    named = bank_holidays()

    assert all(named[easter_sunday(year) - timedelta(days=2)] == "Good Friday" for year in YEARS)
    assert all(title in named[holiday] for holiday, title in ONCE.items())


def test_the_shipped_file_has_the_shape_in_which_the_government_publishes_it() -> None:
    """So that a new file can be put in its place without a thought."""
    told = json.loads((CONFIG / "bank_holidays_england.json").read_text(encoding="utf-8"))
    events = told["england-and-wales"]["events"]

    assert list(told) == ["england-and-wales"]
    assert all(list(event) == ["title", "date", "notes", "bunting"] for event in events)
    assert [event["date"] for event in events] == sorted(event["date"] for event in events)
    assert all(date.fromisoformat(event["date"]).weekday() < 5 for event in events)


@pytest.mark.parametrize(
    ("start", "number", "expected"),
    [
        ("Mon 2 Mar 2026", 1, "Tue 3 Mar 2026"),
        ("Fri 6 Mar 2026", 1, "Mon 9 Mar 2026"),
        ("Sat 7 Mar 2026", 1, "Mon 9 Mar 2026"),
        ("Sun 8 Mar 2026", 5, "Fri 13 Mar 2026"),
        ("Mon 2 Mar 2026", 5, "Mon 9 Mar 2026"),
        ("Thu 2 Apr 2026", 1, "Tue 7 Apr 2026"),  # Good Friday and Easter Monday
        ("Thu 24 Dec 2026", 1, "Tue 29 Dec 2026"),  # Boxing Day falls on Saturday, its substitute on Monday
        ("Fri 24 Dec 2027", 1, "Wed 29 Dec 2027"),  # both substitutes
        ("Thu 30 Dec 2027", 2, "Tue 4 Jan 2028"),  # New Year's Day 2028 is a Saturday
        ("Fri 16 Sep 2022", 1, "Tue 20 Sep 2022"),  # the State Funeral
        ("Fri 5 May 2023", 1, "Tue 9 May 2023"),  # the Coronation
        ("Wed 1 Jun 2022", 1, "Mon 6 Jun 2022"),  # the Jubilee
    ],
)
def test_working_days_after_a_day(start: str, number: int, expected: str) -> None:
    assert calendar().add_working_days(day(start), number) == day(expected)


def test_a_day_on_which_the_office_is_closed_is_no_working_day() -> None:
    closed = calendar("Wed 30 Dec 2026", "Thu 31 Dec 2026")

    assert closed.add_working_days(day("Tue 29 Dec 2026"), 1) == day("Mon 4 Jan 2027")


@pytest.mark.parametrize(
    ("start", "expected"),
    [("Fri 6 Mar 2026", "Fri 6 Mar 2026"), ("Sat 7 Mar 2026", "Mon 9 Mar 2026")],
)
def test_a_day_or_the_next_working_day(start: str, expected: str) -> None:
    assert calendar().on_or_after(day(start)) == day(expected)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("Mon 2 Mar 2026", "Mon 2 Mar 2026", 0),
        ("Mon 2 Mar 2026", "Mon 9 Mar 2026", 5),
        ("Thu 2 Apr 2026", "Mon 6 Apr 2026", 0),
        ("Mon 9 Mar 2026", "Mon 2 Mar 2026", 0),
    ],
)
def test_how_many_working_days_lie_between(start: str, end: str, expected: int) -> None:
    assert calendar().working_days_between(day(start), day(end)) == expected


def test_counting_beyond_the_known_bank_holidays_stops_with_a_sentence_and_a_remedy() -> None:
    with pytest.raises(BankHolidaysUnknown, match=r"bank holidays of 2029 are not known\. Put the current"):
        calendar().add_working_days(date(2028, 12, 29), 1)

    assert calendar().reaches(date(2028, 12, 31))
    assert not calendar().reaches(date(2029, 1, 1))
    assert not calendar().reaches(date(2017, 12, 31))


def test_long_before_the_known_bank_holidays_only_weekends_count() -> None:
    """What is so old is overdue in any case; nothing may stop because of it."""
    assert calendar().add_working_days(date(2017, 12, 22), 1) == date(2017, 12, 25)


def test_looking_ahead_into_years_not_known_yet_only_weekends_count() -> None:
    assert calendar().working_days_ahead(date(2028, 12, 28), 3) == date(2029, 1, 2)
    assert calendar().working_days_ahead(day("Thu 24 Dec 2026"), 1) == day("Tue 29 Dec 2026")


def test_a_calendar_without_bank_holidays_counts_nothing() -> None:
    bare = Calendar(frozenset(), frozenset(), LONDON)

    with pytest.raises(BankHolidaysUnknown):
        bare.is_working_day(date(2026, 3, 2))


def test_working_days_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1, not 0"):
        calendar().add_working_days(date(2026, 3, 2), 0)


def test_a_time_is_shown_in_the_desks_own_zone_and_one_without_a_zone_is_meant_so() -> None:
    summer = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)

    assert calendar().today(summer) == date(2026, 7, 2)
    assert calendar().local(datetime(2026, 7, 1, 9)).utcoffset() == timedelta(hours=1)  # noqa: DTZ001 - the point
    assert Calendar(frozenset(), frozenset(), ZoneInfo("UTC")).today(summer) == date(2026, 7, 1)


@given(st.dates(date(2021, 1, 1), date(2028, 6, 30)), st.integers(1, 60))
def test_adding_working_days_and_counting_them_agree(start: date, number: int) -> None:
    known = calendar()
    end = known.add_working_days(start, number)

    assert known.is_working_day(end)
    assert known.working_days_between(start, end) == number
