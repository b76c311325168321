"""Letters at rest: who stopped them, and which ones a person has let go."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from agent.procedure.entry import Entry
from agent.procedure.pause import Pause, pause_of, too_many
from agent.procedure.words import Happened
from tests.builders import MONDAY


def minutes(count: float) -> datetime:
    return MONDAY + timedelta(minutes=count)


def told(happened: Happened, at: datetime, **facts: bool) -> Entry:
    return Entry(happened, None, at, "command", facts)


PAUSED, RESUMED = told(Happened.PAUSED, minutes(1)), told(Happened.RESUMED, minutes(2))
OTHER = told(Happened.SET_ASIDE, minutes(3))
BY_ITSELF = told(Happened.PAUSED, minutes(4), too_many=True)


@pytest.mark.parametrize(
    ("entries", "stands"),
    [
        ([], Pause()),
        ([OTHER], Pause()),
        ([PAUSED, OTHER], Pause(since=minutes(1))),
        ([PAUSED, RESUMED], Pause(allowed_at=minutes(2))),
        ([PAUSED, RESUMED, BY_ITSELF], Pause(since=minutes(4), too_many=True, allowed_at=minutes(2))),
    ],
)
def test_the_last_word_stands(entries: list[Entry], stands: Pause) -> None:
    assert pause_of(entries) == stands


@pytest.mark.parametrize(
    ("laid", "allowed_at", "stops"),
    [
        ([0, 0], None, False),
        ([0, 0, 0], None, True),
        ([0, 0, 0], 1, False),  # a person saw these and let them go
        ([0, 0, 2, 2], 1, False),
        ([0, 2, 2, 2], 1, True),  # as many again since
    ],
)
def test_only_letters_that_nobody_has_let_go_count(
    laid: list[int], allowed_at: int | None, stops: bool
) -> None:
    pause = Pause(allowed_at=None if allowed_at is None else minutes(allowed_at))

    assert too_many(map(minutes, laid), 2, pause) is stops
