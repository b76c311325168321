"""Hundreds of letters while requests fail, answers are lost, copies come late and the agent dies."""

from __future__ import annotations

import pytest

from tests.faults.letter_campaign import campaign


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_letter_is_delivered_once_and_to_whom_it_was_written(seed: int) -> None:
    played, wrong = campaign(150, seed)

    assert wrong == {"lost": [], "doubled": [], "to somebody else": []}
    assert played.luck.met["killed"] > 0
    assert sum(played.luck.met.values()) > 30
