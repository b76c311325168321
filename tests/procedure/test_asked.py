"""A question as people read it: no codes, and dates as they write them."""

from __future__ import annotations

from typing import Any

import pytest

from agent.procedure.asked import row_of_question
from agent.procedure.decision import Question
from tests.builders import MONDAY
from tests.procedure.situations import calendar, procedure


def seen(code: str, **told: Any) -> str:
    question = Question(code, "Why?", "<1@x>", (), told)
    return row_of_question(question, MONDAY, procedure(), calendar(), restricted=False)["seen"]


@pytest.mark.parametrize(
    ("code", "problem", "said"),
    [
        ("unreadable", "encrypted", "It is protected by a password."),
        ("unreadable", "bad_zip", "The file is damaged, or it is no document that can be read here."),
        ("letter_undelivered", "delivery_delayed", "delivery delayed"),
    ],
)
def test_what_was_the_matter_is_said_in_words(code: str, problem: str, said: str) -> None:
    assert seen(code, problem=problem) == f"Problem: {said}"


def test_a_child_is_told_of_by_name_day_of_birth_and_number() -> None:
    child = {"dob": "2013-07-08", "name": "Evie Harcastle", "system_id": "3019987"}

    assert (
        seen("name_mismatch", problem="", children=[child]) == "Children: Evie Harcastle, 8 Jul 2013, 3019987"
    )
