"""Days and times as staff write them."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.forms.dates import read_day, read_stamp
from agent.procedure.written_dates import is_unknown


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("31/03/22", "2022-03-31"),
        ("31.03.2022", "2022-03-31"),
        ("31-3-22", "2022-03-31"),
        ("31 03 2022", "2022-03-31"),
        ("310322", "2022-03-31"),
        ("31032022", "2022-03-31"),
        ("2022-03-31", "2022-03-31"),
        ("31 Mar 22", "2022-03-31"),
        ("31-Mar-22", "2022-03-31"),
        ("31st of March, 2022", "2022-03-31"),
        ("Thursday 31st March 2022", "2022-03-31"),
        ("March 31, 2022", "2022-03-31"),
        ("9 Sept 24", "2024-09-09"),
        ("12/03/98", "1998-03-12"),
        ("12/03/2010 (aged 14)", "2010-03-12"),
        ("31st March 2022 at 4.30pm", "2022-03-31T16:30"),
        ("31/03/22 0930hrs", "2022-03-31T09:30"),
        ("0930 hrs on 31/03/22", "2022-03-31T09:30"),
        ("31/03/22 12 noon", "2022-03-31T12:00"),
        ("31/03/22, 12am", "2022-03-31T00:00"),
        ("31/03/2022 16:05:59", "2022-03-31T16:05"),
        ("2022-03-31T16:05", "2022-03-31T16:05"),
        ("6.15 p.m. Thurs 31 Mar 2022", "2022-03-31T18:15"),
        ("31/03/22 – 23.45", "2022-03-31T23:45"),
        ("4 Mar 25 8pm", "2025-03-04T20:00"),
        ("Seen at school by her teacher on 4 March 2025 at 15:10", "2025-03-04T15:10"),
    ],
)
def test_a_day_or_time_is_read_day_first(written: str, iso: str) -> None:
    assert read_stamp(written).iso == iso


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("31/02/2022", "impossible"),
        ("03/25/2024", "impossible"),
        ("00/01/2024", "impossible"),
        ("4 March", "no_year"),
        ("4/3", "no_year"),
        ("yesterday", "no_date"),
        ("", "no_date"),
        ("1/2/25 or 2/2/25", "several"),
        ("1/2/25 to 3/2/25", "several"),
        ("1/2/25?", "unsure"),
        ("some time before 1/2/25", "unsure"),
        ("3 and 4 March 2025", "unsure"),
        ("Wed 9 Sept 2024", "weekday"),
        ("w/c 1/2/25", "unsure"),
        ("EDD 1/2/25", "expected"),
        ("log 120325 of the day", "no_date"),
    ],
)
def test_what_is_not_certain_is_no_day(written: str, problem: str) -> None:
    stamp = read_stamp(written)
    assert (stamp.day, stamp.problem) == (None, problem)


@pytest.mark.parametrize(
    "written", ["1/2/25 4.30", "1/2/25 midnight", "1/2/25 14:00-15:00", "1/2/25 25:10", "1/2/25 14:30Z"]
)
def test_a_time_that_could_be_another_leaves_only_the_day(written: str) -> None:
    stamp = read_stamp(written)
    assert (stamp.iso, stamp.problem) == ("2025-02-01", "time_unclear")


@pytest.mark.parametrize("said", ["Not known", "n/a", "N/K", "TBC", "unknown", "-", "Not stated."])
def test_saying_that_one_does_not_know_is_an_answer(said: str) -> None:
    assert is_unknown(said)


@given(st.dates(date(1971, 1, 1), date(2069, 12, 31)), st.times())
def test_every_day_and_time_is_read_as_it_was_written(day: date, at: time) -> None:
    for written in (
        f"{day:%d/%m/%Y} {at:%H:%M}",
        f"{day:%A} {day.day} {day:%B %Y} at {at:%H%M}hrs",
        f"{at:%H.%M} {day:%d.%m.%y}",
    ):
        assert read_stamp(written).iso == f"{day}T{at:%H:%M}", written
    assert read_day(f"{day:%d%m%Y}") == day


STYLES = (
    "{d:%d/%m/%Y} {t:%H:%M}",
    "{d:%d/%m/%Y} at {t:%H%M}hrs",
    "{d:%d.%m.%y} {t:%H:%M} hours",
    "{d.day}/{d.month}/{d:%y}, {t:%H%M} hrs",
    "{d:%A} {d.day} {d:%B %Y} - {t:%H:%M}",
    "{d:%a} {d.day} {d:%b %y} approx {t:%H:%M}",
    "{t:%H:%M} on {d.day} {d:%B %Y}",
    "{d:%Y-%m-%d}T{t:%H:%M}",
    "{d.day} {d:%b}. {d:%Y} (at {t:%H.%M}hrs)",
)


@given(st.dates(date(1971, 1, 1), date(2069, 12, 31)), st.times(), st.sampled_from(STYLES))
def test_every_style_of_staff_reads_back_exactly(day: date, at: time, style: str) -> None:
    assert read_stamp(style.format(d=day, t=at)).iso == f"{day}T{at:%H:%M}"


@pytest.mark.parametrize(
    "said",
    [
        *("still missing", "not yet returned", "Has not returned", "not known at this stage", "don't know"),
        *("to follow", "awaited", "n.k", "not provided"),
    ],
)
def test_saying_that_it_has_not_come_to_pass_is_no_date_that_cannot_be_read(said: str) -> None:
    assert is_unknown(said)


@given(st.text())
def test_no_text_whatever_raises(text: str) -> None:
    read_stamp(text)
