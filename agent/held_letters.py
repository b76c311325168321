"""A letter that was refused for good waits for a person, who sends it again or drops it: by an answer to the
question about it, or by a command."""

from __future__ import annotations

from datetime import datetime

from agent.ledger.base import DeskLedger, Letter, LetterState, OpenQuestion, Page
from agent.procedure.answer import LETTER_HELD, Answer, Unclear
from agent.procedure.entry import Entry
from agent.procedure.words import Happened

_ABOUT = "letter:"
_NEVER_WENT = (LetterState.WITHDRAWN, LetterState.DROPPED, LetterState.HELD)


def about_hold(letter: Letter, now: datetime) -> str:
    """What a question about a letter held at `now` is about: a second hold is another question."""
    return f"{_ABOUT}{letter.key}@{now.isoformat()}"


def settle_by_answer(ledger: DeskLedger, asked: OpenQuestion, answer: Answer, now: datetime) -> None:
    """Carry out what a person answered to the question about a held letter, and close it. One that was
    settled meanwhile needs no more. Raises Unclear where it cannot be carried out."""
    with ledger.page() as page:
        if any(letter.key == _key(asked) for letter in ledger.letters(LetterState.HELD)):
            _settle(ledger, page, _key(asked), answer, now)
        page.acted(asked.number, now)


def settle_by_command(ledger: DeskLedger, key: str, answer: Answer, now: datetime) -> None:
    """The same without a question; one that waits about this letter is closed. Raises Unclear."""
    with ledger.page() as page:
        _settle(ledger, page, key, answer, now)
        for asked in ledger.questions():
            if _key(asked) == key:
                page.answer(asked.number, answer.value, now)
                page.acted(asked.number, now)


def _settle(ledger: DeskLedger, page: Page, key: str, answer: Answer, now: datetime) -> None:
    """Lay a held letter back into the tray, as if it had never been held: whether it still goes is decided
    when it is posted, and a copy of it that went out after all is looked for first. Or drop it.

    Raises Unclear for a letter that is not held, and for one that cannot go again.
    """
    letter = next((one for one in ledger.letters(LetterState.HELD) if one.key == key), None)
    if letter is None:
        raise Unclear("The letter is not held. Only one that was refused for good is sent again or dropped.")
    again = answer is Answer.SEND_AGAIN
    if again:
        _refuse_what_cannot_go(ledger, letter)
    page.letter_moved(key, LetterState.IN_TRAY if again else LetterState.DROPPED, now)
    happened = Happened.LETTER_RELEASED if again else Happened.LETTER_DROPPED
    for reason in letter.reasons:
        if reason.alert:
            page.record(Entry(happened, reason.alert, now, key, {"rule": reason.rule}))


def _refuse_what_cannot_go(ledger: DeskLedger, letter: Letter) -> None:
    """One in whose place another was laid since would be the second of its kind."""
    rules = {(reason.alert, reason.rule) for reason in letter.reasons}
    for other in ledger.letters(since=letter.laid_at):
        after = other.key != letter.key and other.laid_at >= letter.laid_at and other.state not in _NEVER_WENT
        if after and any((reason.alert, reason.rule) in rules for reason in other.reasons):
            raise Unclear("A later letter stands in its place already. Answer “Done”, or drop it.")


def _key(asked: OpenQuestion) -> str:
    """The key of the held letter that a question is about; "" for any other question."""
    about = asked.question
    return about.message_id.removeprefix(_ABOUT).partition("@")[0] if about.code == LETTER_HELD else ""
