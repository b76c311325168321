"""A held letter sent again or dropped by the command, at the word of the person who runs the agent."""

from __future__ import annotations

from datetime import datetime

from agent.errors import WrongCall
from agent.held_letters import settle_by_command
from agent.ledger_at_hand import ledger_at_hand
from agent.procedure.answer import Answer, Unclear
from agent.settings import Settings
from agent.verbs.tray import letters_called


def release(settings: Settings, key: str, now: datetime) -> str:
    """Send a held letter again; gives what comes of it. Raises WrongCall where there is no such letter, more
    than one, or one that is not held or cannot go."""
    desk = _settle(settings, key, Answer.SEND_AGAIN, now)
    return f"{desk}: the letter goes out in the next round, unless news has overtaken it."


def drop(settings: Settings, key: str, now: datetime) -> str:
    """Drop a held letter; gives what comes of it. Raises WrongCall as `release` does."""
    desk = _settle(settings, key, Answer.DONE, now)
    return f"{desk}: the letter is dropped. A chase is tried afresh in time."


def _settle(settings: Settings, told: str, answer: Answer, now: datetime) -> str:
    """Gives the name of the desk whose letter it was."""
    with ledger_at_hand(settings) as ledger:
        desks = [ledger.desk(name) for name in settings.desks]
        found = [(desk, letter) for desk in desks for letter in letters_called(told, desk)]
        if len(found) != 1:
            how_many = f"{len(found)} letters have a key that begins" if found else "No letter's key begins"
            raise WrongCall(f"{how_many} with `{told}`. Look at them with `n2k letters`.")
        desk, letter = found[0]
        try:
            settle_by_command(desk, letter.key, answer, now)
        except Unclear as why_not:
            raise WrongCall(str(why_not)) from why_not
        return desk.desk
