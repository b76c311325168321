"""Who is who at a desk, and to whom no letter ever goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.procedure.people import Person
from tests.procedure.situations import AVA, PEOPLE, PIA, SOL, unreached


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("anybody@trust.example", True),
        ("Anybody@Trust.Example", True),
        ("anybody@elsewhere.example", False),
        ("anybody@not-trust.example", False),
        ("anybody@schools.trust.example", False),
        ("anybody@trust.example.elsewhere.example", False),
        ("stranger@elsewhere.example,anybody@trust.example", False),
        ("N2K@trust.example", False),  # the desk itself
        ("Ivo.Gone@trust.example", False),  # has left
        ("ivo.lost@trust.example", False),  # a letter came back from there
        ("trust.example", False),
        ("", False),
    ],
)
def test_letters_stay_inside_the_house_and_go_only_where_somebody_is(address: str, may: bool) -> None:
    people = unreached(
        "ivo.lost@trust.example", people=replace(PEOPLE, left=frozenset({"ivo.gone@trust.example"}))
    )
    assert people.may_be_written_to(address) is may


def test_who_has_left_holds_no_role_any_more() -> None:
    assert PEOPLE.holding("strategic_manager") == (AVA, SOL)
    people = replace(PEOPLE, left=frozenset({AVA.address}))
    assert people.holding("strategic_manager") == (SOL,)


def test_a_name_that_two_people_have_means_neither() -> None:
    second = Person("PIA  Winterbourne", "pia.winterbourne2@trust.example", ())
    assert PEOPLE.named("pia winterbourne") == PIA
    assert replace(PEOPLE, people=(*PEOPLE.people, second)).named("Pia Winterbourne") is None
