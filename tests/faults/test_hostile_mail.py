"""Mails that mean harm, through the whole of the agent: a short one of `hostile_campaign.py`."""

from __future__ import annotations

from tests.faults.hostile_campaign import campaign, flood, loops
from tests.faults.hostile_mails import KINDS


def test_nothing_that_a_mail_holds_harms_the_desk_or_delays_an_alert() -> None:
    figures = campaign(2 * len(KINDS), seed=3)

    assert figures.wrong == []
    assert figures.genuine == 2
    assert sum(figures.met.values()) == 2 * len(KINDS)


def test_two_that_answer_by_themselves_never_write_to_each_other() -> None:
    figures = loops(seed=1, turns=5)

    assert figures.wrong == []
    assert figures.letters > 0


def test_a_flood_delays_no_alert_and_sets_no_storm_of_letters_off() -> None:
    figures = flood(120, seed=1)

    assert figures.wrong == []
    assert figures.genuine == 6
