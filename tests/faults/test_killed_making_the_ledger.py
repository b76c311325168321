"""The agent is killed at its very first start, while it makes the ledger's tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.ledger.base import NotedMail
from agent.ledger.sql import SqlLedger
from tests.builders import MONDAY
from tests.faults.harness import Killed, Witness


def opened(path: Path, witness: Witness) -> SqlLedger:
    return SqlLedger(f"sqlite:///{path}", watch=lambda when, what: witness(when, what, ""))


def test_the_next_start_makes_a_whole_ledger(tmp_path: Path) -> None:
    """Before and after each commit of the opening."""
    undisturbed = Witness()
    opened(tmp_path / "undisturbed.sqlite", undisturbed).close()
    for number, point in enumerate(undisturbed.passed):
        path = tmp_path / f"{number}.sqlite"
        with pytest.raises(Killed):
            opened(path, Witness(point))

        again = opened(path, Witness())
        desk = again.desk("nct")
        noted = desk.note([NotedMail("a mail", MONDAY)], "inbox", "a cursor", MONDAY)
        assert (noted, desk.cursor("inbox"), desk.verify()) == (1, "a cursor", [])
        again.close()
    assert {(point.when, point.what) for point in undisturbed.passed} == {
        ("before", "commit"),
        ("after", "commit"),
    }
