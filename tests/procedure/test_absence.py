"""Automatic replies: the day of return and who stands in, taken only where plainly stated."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.procedure.absence import deputy, has_left, return_date

TODAY = date(2026, 3, 2)  # a Monday


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("I will return on Monday 16 March.", "2026-03-16"),
        ("Out of the office until 9 March 2026. For urgent matters ring the duty desk.", "2026-03-09"),
        ("Back in the office on 4 January", "2027-01-04"),
        ("I am back on Monday 9th, reading mail now and then.", "2026-03-09"),
        ("I am back on the 1st", "2026-04-01"),
        ("Return 06/04", "2026-04-06"),
        ("Return date: 06/04/2026", "2026-04-06"),
        ("I shall be returning to work on Tues 7th April.", "2026-04-07"),
        ("I am on annual leave until 3 April inclusive.", "2026-04-04"),
        ("I am away up to and including Friday 3rd April 2026", "2026-04-04"),
        ("Away from 3 March to 10 March.", "2026-03-10"),
        ("Away until 9 March, back in the office on 10 March.", "2026-03-10"),
        ("I'll be back on Thursday.", "2026-03-05"),
        ("Back on Monday", "2026-03-09"),
        ("I am out today and back tomorrow", "2026-03-03"),
        ("Ich bin bis 09.03.2026 nicht im Büro.", "2026-03-09"),
        ("Je serai de retour le 10/03/2026.", "2026-03-10"),
        ("I am on leave until further notice.", None),
        ("I return on Tuesday 16 March.", None),  # a Monday: which is meant?
        ("Back on Tuesday 16th", None),
        ("Back on 9 March or back on 11 March.", None),
        ("I am away. The meeting is on 9 March.", None),
        ("Back on 9 March 2019", None),
        ("Back on 31/02", None),
        ("Back at 2pm, please ring 01604 555 010.", None),
        ("", None),
    ],
)
def test_the_day_of_return(text: str, back: str | None) -> None:
    found = return_date(text, TODAY)
    assert (found and found.isoformat()) == back


@pytest.mark.parametrize(
    ("text", "who"),
    [
        (
            "If it is urgent please contact Jane Doe on jane.doe@trust.example or 01604 555 010.",
            "Jane Doe <jane.doe@trust.example>",
        ),
        ("Please contact my manager, Ines Holloway, in my absence.", "Ines Holloway"),
        ("For anything urgent email duty.team@trust.example.", "duty.team@trust.example"),
        ("Jane O'Dowd is covering for me.", "Jane O'Dowd"),
        (
            "Bitte wenden Sie sich an Jana Weiss (jana.weiss@trust.example).",
            "Jana Weiss <jana.weiss@trust.example>",
        ),
        ("Contact Jane Doe or Ines Holloway.", ""),
        ("Contact Jane Doe. After Tuesday, contact Ines Holloway.", ""),
        ("Please contact the duty desk on 01604 555 010.", ""),
        ("I have no access to email. Kind Regards, Theo Marchbanks", ""),
        ("", ""),
    ],
)
def test_who_stands_in(text: str, who: str) -> None:
    assert deputy(text) == who


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Theo no longer works for the Trust. Please contact Ines Holloway.", True),
        ("I have left the council.", True),
        ("Please note that Theo is no longer employed here.", True),
        ("I have left the office for the day.", False),
        ("I am on leave.", False),
        ("This mailbox is no longer monitored at weekends.", False),
    ],
)
def test_whether_somebody_will_not_be_back(text: str, left: bool) -> None:
    assert has_left(text) is left


@given(st.text(max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    return_date(f"back on {text} until {text}", TODAY)
    deputy(f"please contact {text}")
