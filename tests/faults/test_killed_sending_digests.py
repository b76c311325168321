"""The agent is killed anywhere while it takes in updates and corrections, and sends the weekly digest."""

from __future__ import annotations

import pytest

from tests.faults.harness import ended_wrongly

PARTS = 15


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_point_it_ends_as_if_undisturbed(part: int) -> None:
    """Before and after each request and each commit; every point is in one of the parts."""
    assert ended_wrongly(lambda point: point.number in (1, 2), part=part, parts=PARTS) == {}
