"""The agent is killed anywhere, and started again only when more has happened: its next round is a later one.

What it had begun must not be taken for somebody else's work, now that there is news on top of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache

import pytest

from agent.procedure.words import Happened
from tests.faults.harness import Killed, Point, Told, Witness, world
from tests.faults.office import (
    A_LITTLE_LATER,
    DIGEST,
    EARLY,
    FIRST_THING,
    SOON_AFTER,
    Office,
    first_alert,
    person_types,
    update,
)
from tests.faults.standing import differences, standing

MOMENTS = (EARLY, SOON_AFTER, DIGEST, A_LITTLE_LATER)
PARTS = 8


def happens_before(number: int, at_work: Office) -> None:
    """What happens before a round, whether or not anybody is there to see it."""
    if number == 0:
        at_work.arrives(first_alert())
    if number == 1:
        at_work.arrives(update("An invented update."))
    if number == 2:
        person_types(at_work, {"Area": "West", "Notes": "Rang the ward."})
        at_work.arrives(update("An invented update.", "And another."))


def tell(kill: Point | None = None) -> Told:
    witness = Witness(kill)
    with world(FIRST_THING) as here:

        def live(witness: Witness, rounds: Sequence[int]) -> None:
            with suppress(Killed), here.agent(witness) as desk:
                at_work = Office(here, desk)
                for number in rounds:
                    happens_before(number, at_work)
                    witness.number = number
                    here.troubles += at_work.round(MOMENTS[number])

        live(witness, range(len(MOMENTS)))
        if witness.dead:
            live(Witness(), range(witness.number + 1, len(MOMENTS)))
        with here.ledger() as ledger:
            stands = standing(here.stage, ledger)
    return Told(stands, tuple(witness.passed), tuple(here.troubles), witness.dead)


@cache
def undisturbed() -> Told:
    return tell()


@pytest.mark.parametrize("part", range(PARTS))
def test_what_was_begun_is_finished_under_the_news(part: int) -> None:
    """Before and after each request and each commit of all rounds but the last."""
    points = [point for point in undisturbed().points if point.number < len(MOMENTS) - 1][part::PARTS]
    wrong = {}
    for point in points:
        told = tell(point)
        wrong[str(point)] = differences(told.stands, undisturbed().stands)

        assert told.killed
        assert told.troubles == ()

    assert len(points) > 1
    assert {point: found for point, found in wrong.items() if found} == {}


def test_undisturbed_a_person_corrected_one_cell() -> None:
    lines = [line for line in undisturbed().stands["lines"] if f" {Happened.CORRECTED} " in line]

    assert len(lines) == 1
    assert "area" in lines[0]
