"""The five steps as one round: each one's trouble stays its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.errors import AgentError, NeedsAPerson, Stopping, TryAgainLater
from agent.procedure.working_days import BankHolidaysUnknown
from agent.steps import STEPS, run_all, run_step
from tests.builders import MONDAY, later
from tests.steps.small_office import Office


def failing(error: Exception) -> Callable[..., Any]:
    """A function that raises, whatever it is given."""

    def fails(*_: object) -> None:
        raise error

    return fails


def test_every_step_runs_in_order_and_the_register_once_more_at_the_end() -> None:
    outcomes = run_all(Office().desk, MONDAY)

    assert [outcome.step for outcome in outcomes] == [*STEPS, "bookkeeping"]
    assert [outcome.trouble for outcome in outcomes] == [""] * 6


def test_a_round_says_how_much_was_done() -> None:
    office = Office()
    office.receives_alert(MONDAY)
    done = [(outcome.step, outcome.done) for outcome in office.works(MONDAY)]

    assert done == [
        ("intake", 1),
        ("bookkeeping", 1),
        ("chasing", 0),
        ("weekly_digest", 2),
        ("posting", 2),
        ("bookkeeping", 0),
    ]


@pytest.mark.parametrize(
    ("error", "needs_a_person"),
    [
        (TryAgainLater("Microsoft 365 is down."), False),
        (NeedsAPerson("The folder is missing."), True),
        (AgentError("Something else."), True),
        (BankHolidaysUnknown("The bank holidays of 2031 are not known."), True),
    ],
)
def test_trouble_is_told_in_its_own_sentence(error: Exception, needs_a_person: bool) -> None:
    outcome = run_step("intake", Office().desk, MONDAY, failing(error))

    assert (outcome.trouble, outcome.needs_a_person) == (str(error), needs_a_person)


def test_being_stopped_is_no_trouble_for_a_person() -> None:
    outcome = run_step("intake", Office().desk, MONDAY, failing(Stopping("now")))
    assert not outcome.needs_a_person


def test_a_mistake_of_ours_is_told_by_kind_and_place_and_the_other_steps_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its message may quote a mail, so that is nowhere to be seen."""
    office = Office()
    office.receives_alert(MONDAY)
    monkeypatch.setattr(office.register, "read", failing(KeyError("Robin Fairweather")))
    with capture_logs() as logged:
        outcomes = office.works(MONDAY)

    failed = [outcome for outcome in outcomes if outcome.trouble]
    assert {outcome.step for outcome in failed} == {"bookkeeping"}
    assert "KeyError at bookkeeping.py:" in failed[0].trouble
    assert "Fairweather" not in f"{outcomes} {logged}"
    assert len(office.mailbox.sent) == 2


def test_nothing_is_begun_once_the_agent_is_to_stop() -> None:
    office = Office()
    office.desk.stop.set()
    assert run_all(office.desk, MONDAY) == []


def test_a_round_run_twice_changes_nothing() -> None:
    """Three weeks, every round twice, against every round once."""

    def told(times: int) -> tuple[object, ...]:
        office = Office()
        office.receives_alert(MONDAY)
        office.receives_alert(later(days=1), child="Sasha Millbrook")
        for day in range(21):
            for _ in range(times):
                office.works(later(days=day))
        lines = [(entry.happened, entry.alert, entry.at) for entry in office.entries()]
        letters = [(letter.kind, letter.to, letter.laid_at, letter.state) for letter in office.letters()]
        return lines, letters, office.register.rows, len(office.mailbox.sent)

    assert told(2) == told(1)
