"""What a person writes of the children into one cell of the register."""

from __future__ import annotations

from datetime import date

import pytest

from agent.procedure.corrected import children_named, children_numbered
from agent.procedure.submission import Child

ROBIN, SASHA = Child("Robin Ash", date(2012, 5, 4), "111"), Child("Sasha Ash", date(2014, 1, 9), "222")


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("Robyn Ash; Sasha Ash", [("Robyn Ash", "111"), ("Sasha Ash", "222")]),
        ("Sasha Ash & Robyn Ash", [("Sasha Ash", "222"), ("Robyn Ash", "111")]),
        ("Robyn Ash and Sasja Ash", [("Robyn Ash", "111"), ("Sasja Ash", "222")]),
        ("Robin Ash (twin)\nSasha Ash - see notes", [("Robin Ash", "111"), ("Sasha Ash", "222")]),
        ("?; Sasha Ash", [("", "111"), ("Sasha Ash", "222")]),
        ("Sasha Ash", [("Sasha Ash", "222")]),  # one of them is no part of it
        ("Robyn Ash", [("Robyn Ash", "")]),  # one is, and nobody can tell which
        ("Robin Ash; Sasha Ash; Kit Ash", [("Robin Ash", "111"), ("Sasha Ash", "222"), ("Kit Ash", "")]),
        ("", [("", "111"), ("", "222")]),
    ],
)
def test_children_by_the_names_of_a_cell(cell: str, told: list[tuple[str, str]]) -> None:
    assert [(one.name, one.system_id) for one in children_named([ROBIN, SASHA], cell)] == told


def test_a_word_that_only_holds_and_is_one_name() -> None:
    assert [one.name for one in children_named([ROBIN], "Andy Brandon")] == ["Andy Brandon"]


@pytest.mark.parametrize(
    ("cell", "told"),
    [("333; 222", ["333", "222"]), ("?;222", ["", "222"]), ("333", ["111", "222"]), ("", ["", ""])],
)
def test_numbers_of_the_case_system_are_taken_where_there_is_one_for_each(cell: str, told: list[str]) -> None:
    assert [one.system_id for one in children_numbered([ROBIN, SASHA], cell)] == told
