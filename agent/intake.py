"""Step 1, intake: changed mails in; each becomes ledger entries, a question for a person, or is set aside."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

from agent.answering import act_on_answers, record_all
from agent.arrival import OTHER_CONTENT, Taken, addressed, alerts_of, letter_answered, numbering, take
from agent.desk import Desk
from agent.errors import (
    AgentError,
    CursorGone,
    NeedsAPerson,
    NotAllowed,
    NotFound,
    Stopping,
    TryAgainLater,
)
from agent.ledger.base import GONE, HandledMail, NotedMail, Page, Seen
from agent.log import logger
from agent.mailbox.base import ChangedMail
from agent.procedure.decide import decide_mail
from agent.procedure.decision import Decision, Question
from agent.procedure.mail import Mail
from agent.procedure.words import Place

log = logger()
T = TypeVar("T")
R = TypeVar("R")

INBOX = "inbox"
AT_ONCE = 6  # mails at work; Exchange takes four requests at once, and meanwhile others are read
LOOK_AHEAD = 12  # mails held in memory at once
ENOUGH = 3  # mails that cannot be filed just now before a round of filing is given up


def intake(desk: Desk, now: datetime) -> int:
    """Notice what changed, decide each mail in the order received, act on what people answered, file it all.

    Gives the number of mails decided. May be killed anywhere and run again.
    """
    notice(desk, now)
    with _filing_beside(desk) as file:
        decided = _decide_waiting(desk, now, file)
    act_on_answers(desk, now)
    file_mails(desk, desk.ledger.to_file())
    return decided


def notice(desk: Desk, now: datetime) -> int:
    """Note every mail that the mailbox says changed. Gives how many were new."""
    try:
        return _note_changes(desk, desk.ledger.cursor(INBOX), now)
    except CursorGone:
        log.info("intake.cursor_gone", desk=desk.name)
        desk.ledger.note([], INBOX, None, now)
        return _note_changes(desk, None, now)


def reconcile(desk: Desk, now: datetime) -> int:
    """Note every mail that lies in the inbox: changes can lose one that was moved away and back.

    Gives how many had been missed.
    """
    cursor = desk.ledger.cursor(INBOX)
    missed = sum(desk.ledger.note(_noted(mails, now), INBOX, cursor, now) for mails in desk.mailbox.listing())
    if missed:
        log.warning("intake.missed_by_changes", desk=desk.name, mails=missed)
    return missed


@contextmanager
def _filing_beside(desk: Desk) -> Iterator[Callable[[HandledMail], None]]:
    """File each mail that is told of while others are read: filing waits for the mailbox, reading takes the
    processor. Trouble with filing is told at the end, and holds up nothing else."""
    decided: SimpleQueue[HandledMail | None] = SimpleQueue()
    with ThreadPoolExecutor(1, thread_name_prefix="filing") as clerk:
        filing = clerk.submit(file_mails, desk, iter(decided.get, None))
        try:
            yield decided.put
        finally:
            decided.put(None)
    filing.result()


def file_mails(desk: Desk, mails: Iterable[HandledMail]) -> None:
    """Put each of these decided mails into its folder, with its categories.

    One that cannot be filed does not hold up the others; its trouble is told at the end.
    """
    troubles: list[AgentError] = []
    with (
        ThreadPoolExecutor(AT_ONCE, thread_name_prefix="filing") as hands,
        closing(ahead(hands, lambda mail: _file(desk, mail), mails, AT_ONCE)) as filing,
    ):
        for mail, filed in filing:
            try:
                filed.result()
            except (TryAgainLater, NeedsAPerson) as trouble:
                troubles.append(trouble)
            else:
                desk.ledger.filed([mail.mail_id])
            passing = sum(isinstance(trouble, TryAgainLater | NotAllowed) for trouble in troubles)
            if desk.stop.is_set() or passing == ENOUGH:
                break
    if troubles:
        raise troubles[0]


def _file(desk: Desk, mail: HandledMail) -> None:
    try:
        desk.mailbox.file(mail.mail_id, mail.folder, mail.categories)
    except NotFound:
        log.warning("intake.gone_before_filing", desk=desk.name, mail=mail.mail_id)


def _note_changes(desk: Desk, cursor: str | None, now: datetime) -> int:
    return sum(
        desk.ledger.note(_noted(page.mails, now), INBOX, page.cursor, now)
        for page in desk.mailbox.changes(cursor)
    )


def _noted(mails: Iterable[ChangedMail], now: datetime) -> list[NotedMail]:
    return [NotedMail(mail.mail_id, mail.received_at or now) for mail in mails if not mail.removed]


def _decide_waiting(desk: Desk, now: datetime, file: Callable[[HandledMail], None]) -> int:
    """Decide each mail that waits, and have it filed; gives how many were dealt with."""
    decided = 0
    missed = False
    with (
        ThreadPoolExecutor(AT_ONCE, thread_name_prefix="intake") as readers,
        closing(
            ahead(readers, lambda noted: take(desk, noted.mail_id, noted.received_at), desk.ledger.waiting())
        ) as brought,
    ):
        for noted, taken in brought:
            if desk.stop.is_set():
                break
            if isinstance(trouble := taken.exception(), TryAgainLater | NotAllowed):
                others = (other for _, other in islice(brought, AT_ONCE - 1))
                if not isinstance(trouble, Stopping) and any(other.exception() is None for other in others):
                    _count_failure(desk, noted, trouble, now)  # the mailbox is well, so it is this mail
                raise trouble
            missed |= isinstance(taken.exception(), NotFound)
            mail = _decide(desk, noted, taken, now)
            decided += mail is not None
            if mail and not mail.filed:
                file(mail)
    if missed:
        reconcile(desk, now)  # "not there" may have been wrong: what does lie in the inbox is read after all
    return decided


def ahead(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], most: int = LOOK_AHEAD
) -> Generator[tuple[T, Future[R]], None, None]:
    """Do `work` on items in parallel but give the results in order, never more than `most` at once."""
    under_way: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            under_way.append((item, pool.submit(work, item)))
            if len(under_way) >= most:
                yield under_way.popleft()
        while under_way:
            yield under_way.popleft()
    finally:
        for _, future in under_way:
            future.cancel()


def _decide(desk: Desk, noted: NotedMail, taken: Future[Taken], now: datetime) -> HandledMail | None:
    """Decide one mail and keep the decision; gives how it was dealt with, None when it is still to be.

    One odd mail must not hold up the others: whatever goes wrong with it is counted, and after some
    tries it becomes a question.
    """
    try:
        brought = taken.result()
    except NotFound:
        return _keep_gone(desk, noted)
    except Exception as wrong:  # anything at all may be wrong with a stranger's mail
        return _count_failure(desk, noted, wrong, now)
    try:
        with desk.ledger.page() as page:
            if _dealt_with(desk, noted, brought.mail):
                return None
            decision = _decision(desk, page, brought)
            handled = _keep(page, noted, brought, decision, desk, now)
    except AgentError:
        raise  # the ledger's own trouble, not the mail's
    except Exception as wrong:
        return _count_failure(desk, noted, wrong, now)
    log.info(
        "intake.decided",
        desk=desk.name,
        mail=noted.mail_id,
        outcome=handled.outcome,
        alerts=handled.alerts,
    )
    return handled


def _dealt_with(desk: Desk, noted: NotedMail, mail: Mail) -> bool:
    """Whether another agent was faster at this very mail. Else it would be taken for its own copy."""
    first = desk.ledger.handled_as(mail.message_id)
    return first is not None and first.mail_id == noted.mail_id


def _decision(desk: Desk, page: Page, brought: Taken) -> Decision:
    """What is to be made of this mail; only looks, records nothing."""
    mail = brought.mail
    seen = desk.ledger.seen(mail.message_id, brought.fingerprint)
    if seen is Seen.SAME:
        first = desk.ledger.handled_as(mail.message_id)
        return Decision(Place.SET_ASIDE, "same_mail_again", categories=first.categories if first else ())
    if seen is Seen.OTHER_CONTENT:
        return _same_id_other_content(mail)
    letter = letter_answered(desk, mail)
    return decide_mail(
        addressed(brought.submissions, letter),
        desk.ledger.alerts(),
        desk.procedure,
        desk.addressees,
        answered=alerts_of(letter),
        new_reference=numbering(desk, page),
    )


def _same_id_other_content(mail: Mail) -> Decision:
    question = Question(
        code=OTHER_CONTENT,
        why="A mail with this Internet-Message-ID was dealt with before, but it said something else.",
        message_id=mail.message_id,
        seen={"subject": mail.subject, "sender": mail.sender},
    )
    return Decision(Place.QUESTIONS, OTHER_CONTENT, questions=(question,))


def _keep(
    page: Page, noted: NotedMail, brought: Taken, decision: Decision, desk: Desk, now: datetime
) -> HandledMail:
    record_all(desk, page, decision.entries, now)
    for question in decision.questions:
        page.ask(question, now)
    mail = HandledMail(
        mail_id=noted.mail_id,
        message_id=brought.mail.message_id,
        fingerprint=brought.fingerprint,
        received_at=noted.received_at,
        outcome=decision.outcome,
        folder=desk.folder(decision.place),
        categories=decision.categories,
        alerts=tuple(dict.fromkeys(entry.alert for entry in decision.entries if entry.alert)),
    )
    page.handled(mail)
    return mail


def _gone(noted: NotedMail, outcome: str) -> HandledMail:
    return HandledMail(noted.mail_id, None, None, noted.received_at, outcome, folder=(), filed=True)


def _keep_gone(desk: Desk, noted: NotedMail) -> HandledMail:
    """Somebody deleted the mail or moved it out of the mailbox before it could be read."""
    mail = _gone(noted, GONE)
    with desk.ledger.page() as page:
        page.handled(mail)
    log.warning("intake.gone_before_reading", desk=desk.name, mail=noted.mail_id)
    return mail


def _count_failure(desk: Desk, noted: NotedMail, wrong: Exception, now: datetime) -> HandledMail | None:
    """Keep that a mail failed once more; gives how it was dealt with, once that was too often.

    Not the traceback: it could quote the mail.
    """
    mail = None
    with desk.ledger.page() as page:
        tries = page.failed(noted.mail_id)
        if tries >= desk.agent.limits.tries:
            page.ask(
                Question(
                    code="cannot_be_read",
                    why=f"The agent failed {tries} times on this mail ({type(wrong).__name__}). Read it.",
                    message_id=noted.mail_id,
                ),
                now,
            )
            mail = replace(_gone(noted, "cannot_be_read"), folder=desk.folder(Place.QUESTIONS), filed=False)
            page.handled(mail)
    log.error("intake.failed", desk=desk.name, mail=noted.mail_id, error=type(wrong).__name__, tries=tries)
    return mail
