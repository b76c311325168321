"""What stands in a cell is compared by what it means."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.procedure.rules import Column
from agent.register.cells import (
    LONGEST,
    clean,
    moment_in,
    moment_text,
    reference_key,
    same,
    serial,
    shown,
    text_of_serial,
    tidy,
)

TEXT = Column("Text", "agent")
DAY = Column("Day", "agent", format="date")
TIME = Column("Time", "agent", format="datetime")
NUMBER = Column("Number", "agent", format="number")


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        (TEXT, " Lena  Kovacs\r\n", "Lena Kovacs"),
        (TEXT, "two\nlines", "two\r\nlines"),
        (DAY, "2026-03-02", "2/3/2026"),
        (DAY, "2026-03-02", "2 March 2026"),
        (DAY, "2026-03-02", "02.03.2026"),
        (DAY, "not known", "not  known"),
        (TIME, "2026-03-02T09:15", "2026-03-02 09:15:00"),
        (TIME, "2026-03-02T09:15", "2 Mar 2026 09:15"),
        (TIME, "2026-03-02", "2026-03-02T00:00"),
        (NUMBER, "3", "3.0"),
    ],
)
def test_spelling_makes_no_difference(column: Column, one: str, other: str) -> None:
    assert same(column, one, other)


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        (TEXT, "Lena Kovacs", "lena kovacs"),
        (TEXT, "2026-03-02", "2/3/2026"),
        (DAY, "2026-03-02", "2026-03-03"),
        (DAY, "2026-03-02", ""),
        (DAY, "2/3/26", "2026-03-02"),  # which century, and which is the day? Nobody guesses
        (TIME, "2026-03-02T09:15", "2026-03-02T09:16"),
        (TIME, "2026-07-02T09:15+00:00", "2026-07-02T09:15"),  # in July these are not the same hour
        (NUMBER, "3", "03a"),
    ],
)
def test_meaning_makes_all_the_difference(column: Column, one: str, other: str) -> None:
    assert not same(column, one, other)


@pytest.mark.parametrize(
    "text", ["31/2/2026", "2026-13-01", "99 Mar 2026", "2 Ma 2026", "1 Jum 2026", "2026-03-02T25:00", "soon"]
)
def test_an_impossible_date_stays_what_was_written(text: str) -> None:
    assert moment_in(text) is None
    assert tidy(DAY, text) == text


def test_a_text_too_long_for_a_cell_is_cut_with_a_word_about_it() -> None:
    kept = clean("😀" * 40_000)

    assert len(kept.encode("utf-16-le")) // 2 <= LONGEST
    assert kept.endswith("[cut here: a cell holds no more]")
    assert clean(kept) == kept


def test_control_characters_never_reach_a_cell() -> None:
    assert clean("a\x00b\x0bc\x1f\ud800d\ufffee\tf\ng") == "abcde\tf\ng"


def test_a_reference_is_found_however_it_is_typed() -> None:
    assert reference_key(" SLA–2026 -0042 ") == "SLA-2026-0042"


def test_what_people_typed_for_a_reference_is_not_repeated_in_sentences() -> None:
    """A doubt goes to logs and questions, where no name may stand."""
    assert shown("SLA-2026-0042") == "SLA-2026-0042"
    assert shown("LenaKovacs") == "A damaged reference"


WALL_TIMES = st.datetimes(
    min_value=datetime.fromisoformat("1904-01-02"), max_value=datetime.fromisoformat("9999-12-30")
)


@given(WALL_TIMES, st.booleans())
def test_every_time_survives_the_sheet(at: datetime, since_1904: bool) -> None:
    """To the second, in both calendars that workbooks know."""
    at = at.replace(microsecond=0)
    number = serial(at, since_1904=since_1904)

    assert number is not None
    there = text_of_serial(number, since_1904=since_1904)
    assert same(TIME, there, moment_text(at))


@given(st.dates(min_value=date(1905, 1, 1)))
def test_every_day_survives_the_sheet(day: date) -> None:
    number = serial(day)

    assert number is not None
    assert text_of_serial(number) == day.isoformat()


@given(st.text(max_size=60), st.sampled_from([TEXT, DAY, TIME, NUMBER]))
def test_tidying_twice_is_tidying_once(text: str, column: Column) -> None:
    assert tidy(column, tidy(column, text)) == tidy(column, text)
    assert same(column, text, tidy(column, text))
