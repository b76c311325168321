"""A few tellings in weather of many kinds; and what is broken on purpose is noticed."""

from __future__ import annotations

from collections import Counter

import pytest

from agent.errors import OutcomeUnknown, TryAgainLater
from agent.m365 import answers
from agent.mailbox.outlook import OutlookMailbox
from tests.faults.fault_campaign import on_a_fine_day, tell, wrong_with

NOTHING: dict[str, list[str]] = {"lost": [], "doubled": [], "to somebody else": [], "otherwise": []}
SEEDS = (17, 19)  # with clocks that jump, agents that sleep or are killed, and a ledger that is locked
SOME_SEEDS = range(40)  # the first in which it shows ends the search


def test_the_story_ends_as_on_a_fine_day() -> None:
    met: Counter[str] = Counter()
    for seed in SEEDS:
        told = tell(seed)
        assert wrong_with(told, on_a_fine_day()) == NOTHING, f"seed {seed}"
        met += told.met

    assert len(met) > 8, "the weather was too fine to show anything"


def goes_wrong(seed: int, *threatens: str) -> bool:
    try:
        return wrong_with(tell(seed, *threatens), on_a_fine_day()) != NOTHING
    except ValueError:
        return True  # the story cannot go on: an alert that it speaks of was never opened


def test_letters_that_are_sent_again_without_looking_for_them_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_a_fine_day()  # told before anything is broken
    send = OutlookMailbox.send

    def surely_not_sent(mailbox: OutlookMailbox, mail_id: str) -> None:
        try:
            send(mailbox, mail_id)
        except OutcomeUnknown as unknown:
            raise TryAgainLater(str(unknown)) from unknown

    monkeypatch.setattr(OutlookMailbox, "copies", lambda mailbox, key: [])
    monkeypatch.setattr(OutlookMailbox, "send", surely_not_sent)

    assert any(goes_wrong(seed, "letter sent, and 504") for seed in SOME_SEEDS)


def test_a_proxys_page_that_is_taken_for_an_answer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_fine_day()
    monkeypatch.setattr(answers, "_is_web_page", lambda response: False)

    assert any(goes_wrong(seed, "a proxy's page before") for seed in SOME_SEEDS)
