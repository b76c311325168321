"""A person says that the register is right as it stands, when the agent would not trust it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agent.ledger_at_hand import ledger_at_hand
from agent.noticed import MISTRUSTED, TRUSTED
from agent.settings import Settings, desks_named


def trust_register(settings: Settings, now: datetime, *, desk: str | None = None) -> Iterator[str]:
    """Let bookkeeping take the registers of one desk, or of all, as they stand.

    It counts for the workbook that was mistrusted, whatever people did in it since. Raises WrongCall for
    an unknown desk.
    """
    with ledger_at_hand(settings) as ledger:
        for name in desks_named(settings, desk):
            of_desk = ledger.desk(name)
            waiting = [one.number for one in of_desk.questions() if one.question.code == MISTRUSTED]
            if not waiting:
                yield f"{name}: the register is trusted already."
                continue
            with of_desk.page() as page:
                for number in waiting:
                    page.answer(number, TRUSTED, now)
                    page.acted(number, now)
            yield f"{name}: the next round of bookkeeping takes the register as it stands."
