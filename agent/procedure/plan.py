"""The plan of chases that an alert began with: it keeps it, whatever numbers the procedure takes later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from agent.procedure.rules import ChaseStep, Chasing
from agent.procedure.words import Json

_NUMBERS = ("first", "interval", "first_fast", "interval_fast", "furthest_update", "actions_after")


def plan_to_keep(chasing: Chasing) -> dict[str, Json]:
    """The numbers of a plan and whom each step is for, to be recorded with the alert that begins.

    The wording of its letters, office hours and who stands in are today's, whenever it began.
    """
    return {
        **{name: getattr(chasing, name) for name in _NUMBERS},
        "around_promise": list(chasing.around_promise),
        "steps": [[step.unanswered, list(step.to)] for step in chasing.steps],
    }


def plan_kept(kept: Mapping[str, Json], today: Chasing) -> Chasing:
    """Today's rules with the numbers that were kept; today's alone where none were, or the same."""
    if not kept or kept == _kept_today(today):
        return today
    numbers: dict[str, Any] = {name: kept.get(name, getattr(today, name)) for name in _NUMBERS}
    around: Any = kept.get("around_promise", today.around_promise)
    return replace(today, **numbers, around_promise=tuple(around), steps=_steps(kept.get("steps"), today))


_kept_today = lru_cache(plan_to_keep)  # asked many times for each alert


def _steps(kept: Json, today: Chasing) -> tuple[ChaseStep, ...]:
    if not isinstance(kept, list):
        return today.steps
    return tuple(
        ChaseStep(unanswered, tuple(map(str, to)), _letter(unanswered, today))
        for unanswered, to in (step for step in kept if isinstance(step, list) and len(step) == 2)
        if isinstance(unanswered, int) and isinstance(to, list)
    )


def _letter(unanswered: int, today: Chasing) -> str:
    """The kind of letter that is written today after so many prompts without an answer."""
    reached = [step for step in today.steps if step.unanswered <= unanswered]
    return max(reached, key=lambda step: step.unanswered).letter
