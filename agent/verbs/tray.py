"""What lies in the tray and what went out of late, a line for each letter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.ledger.base import DeskLedger, Letter, LetterState
from agent.ledger_at_hand import ledger_at_hand
from agent.settings import Settings, desks_named

SHORT_KEY = 8  # characters of a letter's key that tell it from others
OF_LATE = timedelta(days=7)


def letters(settings: Settings, now: datetime, *, desk: str | None = None) -> Iterator[str]:
    """Every letter that is not out yet, is held, or went out within a week. Raises WrongCall for an unknown
    desk. A key's beginning, as shown here, is what `n2k why` takes."""
    with ledger_at_hand(settings) as ledger:
        for name in desks_named(settings, desk):
            yield f"Desk {name}"
            shown = _shown(ledger.desk(name), now)
            for letter in shown:
                yield _line(letter, settings, name)
            if not shown:
                yield "  no letters"


def letters_called(told: str, ledger: DeskLedger) -> list[Letter]:
    """The letters of a desk whose key begins with `told`; none for a beginning too short to mean one."""
    return [one for one in ledger.letters() if len(told) >= SHORT_KEY and one.key.startswith(told)]


def _shown(ledger: DeskLedger, now: datetime) -> list[Letter]:
    over = (LetterState.POSTED, LetterState.WITHDRAWN, LetterState.DROPPED)
    return [
        letter
        for letter in ledger.letters()
        if letter.state not in over or (letter.changed_at or letter.laid_at) >= now - OF_LATE
    ]


def _line(letter: Letter, settings: Settings, desk: str) -> str:
    calendar = settings.calendar_of(settings.desks[desk])
    at = calendar.local(letter.changed_at or letter.laid_at)
    about = ", ".join(dict.fromkeys(reason.alert for reason in letter.reasons if reason.alert)) or "the desk"
    state, kind = (word.replace("_", " ") for word in (letter.state.value, letter.kind))
    return f"  {letter.key[:SHORT_KEY]}  {at:%a %d %b %H:%M}  {state:<9}  {kind:<16}  {about}, to {letter.to}"
