"""The agent is killed anywhere in its first round: alerts are opened, folders and the register are made."""

from __future__ import annotations

import pytest

from tests.faults.harness import ended_wrongly

PARTS = 12


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_point_it_ends_as_if_undisturbed(part: int) -> None:
    """Before and after each request and each commit; every point is in one of the parts."""
    assert ended_wrongly(lambda point: point.number == 0, part=part, parts=PARTS) == {}
