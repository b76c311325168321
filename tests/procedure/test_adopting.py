"""Which column is which, when people named them: sure, perhaps, or not ours."""

from __future__ import annotations

import pytest

from agent.procedure.adopting import is_reference, matched
from agent.procedure.rules import Column

COLUMNS = (
    Column("Ref", "agent", "reference", synonyms=("Our ref",)),
    Column("Status", "proposed", "status", synonyms=("State", "Stage")),
    Column("Received", "agent", "received_at", "datetime", synonyms=("Date received",)),
    Column("Child name", "proposed", "child_name", synonyms=("Young person",)),
    Column("Last update", "agent", "last_update_at", "datetime"),
    Column("Notes", "person"),
)


def found(*headings: str, **told: str) -> list[tuple[str, str]]:
    """For each heading what it is for sure, and what perhaps."""
    matches = matched(headings, COLUMNS, told)
    return [
        (one.column.field if one.column else "", one.perhaps.field if one.perhaps else "") for one in matches
    ]


@pytest.mark.parametrize(
    ("heading", "sure", "perhaps"),
    [
        ("Received", "received_at", ""),
        ("  date  RECEIVED ", "received_at", ""),
        ("young person", "child_name", ""),
        ("Recieved", "", "received_at"),  # a slip of the finger is no proof
        ("Name of the child name", "", "child_name"),
        ("Received by", "", "received_at"),
        ("Last update", "", ""),  # what only the agent reckons is never taken from people's cells
        ("Notes", "", ""),
        ("Colour", "", ""),
        ("", "", ""),
    ],
)
def test_a_heading_is_ours_by_its_name_and_else_only_perhaps(heading: str, sure: str, perhaps: str) -> None:
    assert found(heading) == [(sure, perhaps)]


def test_of_two_synonyms_neither_is_taken_but_a_columns_own_heading_wins() -> None:
    assert found("State", "Stage") == [("", "status"), ("", "status")]
    assert found("State", "Status") == [("", ""), ("status", "")]


def test_what_a_person_told_comes_first() -> None:
    assert found("Colour", "Received", Colour="received_at") == [("received_at", ""), ("", "")]
    assert found("State", "Stage", Stage="status") == [("", ""), ("status", "")]


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("SLA-2026-0042", True),
        (" sla-2026-0042 ", True),
        ("12/26", False),
        ("LA-2026-0042", False),
        ("", False),
    ],
)
def test_only_a_reference_of_our_shape_is_one(text: str, ours: bool) -> None:
    assert is_reference(text, "SLA") is ours
