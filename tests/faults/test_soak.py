"""Weeks of the soak: the agent is killed and stopped, all is accounted for, what had its time is erased."""

from __future__ import annotations

from tests.faults.soak import days_of, soaked


def test_two_weeks_are_accounted_for_and_a_round_without_news_asks_for_no_more() -> None:
    with soaked(days_of(1)[:14], alerts=12, mails=50, seed=1, restarted_after=6) as soak:
        (month,) = soak.run()
        told, wrong = soak.account()

    assert wrong == []
    assert (told["mails"].total(), told["alerts"], told["killed"], told["stopped"]) == (50, 12, 1, 1)
    assert told["letters"].total() > 20
    settled = month.idle_asked[1:5]
    assert month.idle_asked[-4:] == settled, "a round that finds nothing new asks for more than it did"


def test_children_whose_time_is_over_are_named_nowhere_and_the_others_still_are() -> None:
    with soaked(days_of(3)[:62], alerts=12, mails=40, seed=1, kept_days=5) as soak:
        list(soak.run())
        told, wrong = soak.account()

    assert wrong == []
    assert told["children to be forgotten"] > 1
    assert soak.matters.keys() & soak.named(), "those whose alerts still go on"
