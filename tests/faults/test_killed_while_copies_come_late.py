"""The agent is killed around a send, and for five minutes Microsoft 365 looks as if nothing had been sent."""

from __future__ import annotations

import re

import pytest

from tests.faults.harness import Point, ended_wrongly, undisturbed

PARTS = 4


def of_letters(point: Point) -> bool:
    """Asking for a letter's copies, drafting, sending."""
    return re.search(r"/users/[^/]+/messages(/[^/]+/send)?$", point.detail) is not None


def of_commits_of_letters(point: Point) -> bool:
    """The commits right after a draft was made and right after it was sent."""
    points = undisturbed(late_copies=True).points
    last = points[max(0, points.index(point) - (1 if point.when == "before" else 2))]
    return point.what == "commit" and of_letters(last)


@pytest.mark.parametrize("part", range(PARTS))
def test_each_letter_is_still_sent_once(part: int) -> None:
    """A draft that is still there is no proof that it was not sent."""
    wrong = ended_wrongly(
        lambda point: of_letters(point) or of_commits_of_letters(point),
        part=part,
        parts=PARTS,
        late_copies=True,
    )

    assert wrong == {}


def test_the_points_are_those_around_four_letters() -> None:
    """For each: its copies are looked for, it is drafted and sent, and twice something is committed."""
    points = undisturbed(late_copies=True).points

    assert sum(of_letters(point) for point in points) == 4 * 3 * 2
    assert sum(of_commits_of_letters(point) for point in points) == 4 * 2 * 2
