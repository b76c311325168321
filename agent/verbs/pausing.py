"""Letting a desk's letters rest, and letting them go again: the word of the person who runs the agent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agent.ledger.base import DeskLedger
from agent.ledger_at_hand import ledger_at_hand
from agent.procedure.entry import Entry
from agent.procedure.words import Happened
from agent.settings import Settings, desks_named

SOURCE = "command"


def pause(settings: Settings, now: datetime, *, desk: str | None = None, why: str = "") -> Iterator[str]:
    """Let the letters of one desk, or of all, rest. Whatever else the agent does goes on.

    `why` is kept for those who ask later. Raises WrongCall for an unknown desk.
    """
    with ledger_at_hand(settings) as ledger:
        for name in desks_named(settings, desk):
            of_desk = ledger.desk(name)
            if of_desk.pause().since is not None:
                yield f"{name}: the letters rest already."
                continue
            with of_desk.page() as page:
                page.record(Entry(Happened.PAUSED, None, now, SOURCE, content={"why": why}))
            yield (
                f"{name}: no letter goes out until `n2k resume`, not even one that may not wait: see in "
                "`n2k status` whether such wait. Mails and the register are kept as usual."
            )


def resume(settings: Settings, now: datetime, *, desk: str | None = None) -> Iterator[str]:
    """Let the letters of one desk, or of all, go again. Raises WrongCall for an unknown desk."""
    with ledger_at_hand(settings) as ledger:
        for name in desks_named(settings, desk):
            of_desk = ledger.desk(name)
            if of_desk.pause().since is None:
                yield f"{name}: the letters do not rest."
                continue
            let_go(of_desk, now)
            yield f"{name}: letters go out again; what the rules no longer want is withdrawn first."


def let_go(ledger: DeskLedger, now: datetime) -> None:
    """Let the letters of a desk go again. The question that the agent asked when it stopped by itself is
    answered with that, and closed."""
    asked = [one.number for one in ledger.questions() if one.question.code == "too_many_letters"]
    with ledger.page() as page:
        page.record(Entry(Happened.RESUMED, None, now, SOURCE))
        for number in asked:
            page.answer(number, "resumed", now)
            page.acted(number, now)
