"""The agent is killed, and so is the one that was started in its place, soon after: a seeded sample."""

from __future__ import annotations

import random

import pytest

from tests.faults.harness import tell, undisturbed
from tests.faults.standing import differences


@pytest.mark.parametrize("seed", range(20))
def test_killed_again_while_it_makes_up_for_the_first_time(seed: int) -> None:
    chance = random.Random(seed)
    first = chance.choice(undisturbed().points)
    of_its_round = [point for point in undisturbed().points if point.number == first.number]

    told = tell(first, chance.choice(of_its_round))

    assert told.killed >= 1  # what the first agent had done already, the second does not come to
    assert differences(told.stands, undisturbed().stands) == []


def test_the_sample_does_kill_twice() -> None:
    """Both are killed before their first request of the first round."""
    start = undisturbed().points[0]

    assert tell(start, start).killed == 2
