"""What people answered to questions, acted on: the mail is read again and decided as they said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from agent.arrival import OTHER_CONTENT, Taken, numbering, take
from agent.desk import Desk
from agent.errors import AgentError, NotFound
from agent.held_letters import settle_by_answer
from agent.ledger.base import HandledMail, OpenQuestion, Page
from agent.log import logger
from agent.procedure.answer import (
    LETTER_HELD,
    SETTLING,
    Answer,
    Unclear,
    answered,
    settled,
    understood,
    understood_of_letter,
)
from agent.procedure.decision import Decision
from agent.procedure.entry import Entry
from agent.procedure.words import Place

log = logger()


def act_on_answers(desk: Desk, now: datetime) -> int:
    """Act on every answer that was not acted on yet. Gives how many questions were closed.

    May be killed anywhere and run again: what comes of an answer is kept together with its being acted on.
    An answer that means nothing, or whose mail cannot be read again, leaves its question open with a note.
    """
    closed = 0
    for asked in desk.ledger.to_act_on():
        if desk.stop.is_set():
            break
        note = _act(desk, asked, now)
        if note:
            with desk.ledger.page() as page:
                page.not_acted(asked.number, note)
        closed += not note
        log.info("answering.acted", desk=desk.name, question=asked.number, closed=not note)
    return closed


def record_all(
    desk: Desk, page: Page, entries: Sequence[Entry], now: datetime, *, by_person: bool = False
) -> None:
    """Record these `entries`, and answer the questions that they settle. `by_person`: they are what somebody
    typed in the register."""
    for entry in entries:
        page.record(entry)
    settling = [entry for entry in entries if entry.happened in SETTLING and entry.alert]
    waiting = desk.ledger.questions() if settling else []
    for entry in settling:
        opened = desk.ledger.entries(entry.alert)[:1]  # none where it is opened on this very page
        for asked in waiting if opened else ():
            if answer := settled(asked.question, entry, opened[0], by_person=by_person):
                page.answer(asked.number, answer, now)
                log.info(
                    "answering.settled",
                    desk=desk.name,
                    question=asked.number,
                    alert=entry.alert,
                    by=entry.happened.value,
                )


def _act(desk: Desk, asked: OpenQuestion, now: datetime) -> str:
    """Carry out one answer; gives "", or the reason why it cannot be, in a sentence."""
    try:
        if asked.question.code == LETTER_HELD:
            settle_by_answer(desk.ledger, asked, understood_of_letter(asked.answer or ""), now)
            return ""
        mail = _mail_of(desk, asked)
        brought = _read_again(desk, asked, mail)
        with desk.ledger.page() as page:
            return _keep(desk, page, asked, mail, brought, now)
    except Unclear as unclear:
        return str(unclear)
    except NotFound:
        return f"The mail is not in the mailbox any more. See to it by hand, then answer “{Answer.DONE}”."
    except AgentError:
        raise  # the mailbox's or the ledger's own trouble: tried again
    except Exception as wrong:  # anything at all may be wrong with a stranger's mail
        log.error("answering.failed", desk=desk.name, question=asked.number, error=type(wrong).__name__)
        return f"The mail cannot be read. See to it by hand, then answer “{Answer.DONE}”."


def _mail_of(desk: Desk, asked: OpenQuestion) -> HandledMail | None:
    """The mail that a question is about: under an id that two mails share, the later one."""
    about = asked.question.message_id
    found = desk.ledger.mails_named([about])
    return found[-1 if asked.question.code == OTHER_CONTENT else 0] if found else None


def _read_again(desk: Desk, asked: OpenQuestion, mail: HandledMail | None) -> Taken | None:
    """The mail afresh; None where the answer needs none. Raises Unclear, or NotFound where it is gone."""
    told = understood(asked.answer or "", asked.question, desk.ledger.alerts(), desk.procedure)
    if told in (Answer.NOT, Answer.DONE, Answer.SEND_AGAIN):
        return None
    if mail is None:
        raise NotFound(f"No mail is known for question {asked.number}.")
    return take(desk, mail.mail_id, mail.received_at)


def _keep(
    desk: Desk,
    page: Page,
    asked: OpenQuestion,
    mail: HandledMail | None,
    brought: Taken | None,
    now: datetime,
) -> str:
    """Record what comes of the answer, and close the question with it."""
    answer = asked.answer or ""
    decision = answered(
        asked.question,
        brought.submissions if brought else (),
        answer,
        desk.ledger.alerts(),
        desk.procedure,
        desk.addressees,
        at=now,
        new_reference=numbering(desk, page),
    )
    if any(question.code == asked.question.code for question in decision.questions):
        return "It was read again, and the same question remains."
    record_all(desk, page, decision.entries, now)
    for question in decision.questions:
        page.ask(question, now)
    page.acted(asked.number, now)
    others = [
        other
        for other in desk.ledger.questions()
        if other.question.message_id == asked.question.message_id and other.number != asked.number
    ]
    if decision.place is Place.SET_ASIDE:
        _close(page, others, answer, now)
        others = []
    if mail:
        page.handled(_filed_afresh(desk, mail, brought, decision, waits=bool(others)))
    return ""


def _close(page: Page, others: list[OpenQuestion], answer: str, now: datetime) -> None:
    """What is no alert leaves no other question open."""
    for other in others:
        page.answer(other.number, answer, now)
        page.acted(other.number, now)


def _filed_afresh(
    desk: Desk, mail: HandledMail, brought: Taken | None, decision: Decision, *, waits: bool
) -> HandledMail:
    references = [entry.alert for entry in decision.entries if entry.alert]
    return replace(
        mail,
        message_id=brought.mail.message_id if brought else mail.message_id,
        fingerprint=brought.fingerprint if brought else mail.fingerprint,
        outcome=decision.outcome,
        folder=desk.folder(Place.QUESTIONS if waits else decision.place),
        categories=(*decision.categories, *(("Question",) if waits else ())),
        alerts=tuple(dict.fromkeys((*mail.alerts, *references))),
        filed=False,
    )
