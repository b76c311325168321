"""A few tellings in weather of all kinds; and what is broken on purpose is noticed."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

from agent.m365 import answers
from agent.mailbox.outlook import OutlookMailbox
from tests.faults.fault_campaign import on_a_fine_day, tell, wrong_with

AS_USUAL = {"lost": [], "doubled": [], "to somebody else": [], "otherwise": []}


def test_the_story_ends_as_on_a_fine_day() -> None:
    met: Counter[str] = Counter()
    for seed in range(4):
        told = tell(seed)
        assert wrong_with(told, on_a_fine_day()) == AS_USUAL, f"seed {seed}"
        met += told.met

    assert len(met) > 12, "the weather was too fine to show anything"


def test_a_letter_that_nobody_looks_for_before_it_is_sent_again_is_noticed() -> None:
    assert "doubled" in _noticed(patch.object(OutlookMailbox, "copies", lambda mailbox, key: []))


def test_a_proxys_page_that_is_taken_for_an_answer_is_noticed() -> None:
    assert _noticed(patch.object(answers, "_is_web_page", lambda response: False))
