"""What bookkeeping noticed in a workbook, as questions for people: each told once, and closed by itself
when it is no longer so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.desk import Desk
from agent.ledger.base import Page
from agent.log import logger
from agent.procedure.decision import Question
from agent.procedure.words import Json

log = logger()

MISTRUSTED, TRUSTED = "mistrusted", "trusted"  # a question's code, and the answer that ends it
PLACES = ("register:", "restricted:")  # how the message ids of questions about a workbook begin
# While it is so, the question stays; of what was put right at once people are only told.
LASTING = {MISTRUSTED, "key_twice", "torn_row", "row_without_key", "column_gone", "unknown_key"}
PUT_RIGHT = {"row_gone", "workbook_gone"}


@dataclass(frozen=True)
class Noticed:
    """`code` and `about` say what it is, so that the same is not asked twice; `why` is the question.

    `seen` is what was seen, which may be personal; `alerts` are those that it is about.
    """

    code: str
    about: str
    why: str
    alerts: tuple[str, ...] = ()
    seen: Mapping[str, Json] = field(default_factory=dict, repr=False)


def tell(desk: Desk, page: Page, place: str, noticed: Iterable[Noticed], now: datetime) -> None:
    """Ask about what is new in the workbook `place`, and close what lasted and is over."""
    waiting = {
        _name(asked.question.message_id): asked.number
        for asked in desk.ledger.questions()
        if asked.question.message_id.startswith(f"{place}:")
    }
    now_so = {f"{place}:{one.code}:{one.about}": one for one in noticed}
    told = _told_and_not_written_yet(desk, place)
    over = [
        number for name, number in waiting.items() if name not in now_so and name.split(":")[1] in LASTING
    ]
    for name, one in now_so.items():
        if name not in waiting.keys() | told:
            _ask(page, name, one, now)
            log.warning("bookkeeping.noticed", desk=desk.name, code=one.code, alerts=list(one.alerts))
    for number in over:
        _close(page, number, "put right", now)


def _told_and_not_written_yet(desk: Desk, place: str) -> set[str]:
    """What the agent would put right, and cannot while somebody has the workbook open, is told once."""
    written = desk.ledger.kept().written.get(place)
    return {
        _name(asked.question.message_id)
        for asked in desk.ledger.questions(waiting_only=False)
        if asked.question.code in PUT_RIGHT and written is not None and asked.asked_at > written.at
    }


def _ask(page: Page, name: str, one: Noticed, now: datetime) -> None:
    number = page.ask(Question(one.code, one.why, f"{name}@{now.isoformat()}", one.alerts, one.seen), now)
    if one.code in PUT_RIGHT:
        _close(page, number, "put right by the agent", now)


def answer_question(desk: Desk, page: Page, number: int, answer: str, now: datetime) -> None:
    """A person answered in the sheet. One about a workbook needs no more; of the others intake makes what
    it can. What is not known or was closed already is left."""
    asked = next((asked for asked in desk.ledger.questions() if asked.number == number), None)
    if asked is None:
        return
    if asked.question.message_id.startswith(PLACES):
        _close(page, number, answer, now)
    else:
        page.answer(number, answer, now)


def _close(page: Page, number: int, answer: str, now: datetime) -> None:
    page.answer(number, answer, now)
    page.acted(number, now)


def said_of(desk: Desk, place: str, code: str, about: str) -> str | None:
    """What a person answered last to this very question; None while nobody did, or it was not asked."""
    wanted = f"{place}:{code}:{about}"
    for asked in reversed(desk.ledger.questions(waiting_only=False)):
        if _name(asked.question.message_id) == wanted:
            return asked.answer
    return None


def _name(message_id: str) -> str:
    """Of `register:key_twice:SLA-2026-0042@2026-03-02T…` all but the moment."""
    return message_id.rpartition("@")[0]
