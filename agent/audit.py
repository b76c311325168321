"""Is anything stuck or forgotten? What must be true of a desk at any time, checked against its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.desk import Desk
from agent.ledger.base import UNDER_WAY, LetterState
from agent.procedure.chase import left_alone, next_prompt_on
from agent.procedure.row import reasons_for_a_person
from agent.procedure.urgent import may_not_wait

LONG = timedelta(hours=1)  # for a mail to wait, or a sending to be in doubt
A_DAY = timedelta(days=1)  # for a letter to lie in the tray while letters go out


def audit(desk: Desk, now: datetime) -> Iterator[str]:
    """What is stuck or has been forgotten, as sentences without names; nothing when all is well.

    Every mail is dealt with or waits for a short while, no letter is stuck, and every open alert has a next
    step: a prompt that is planned, a rest, or something a person has been asked.
    """
    late = sum(now - mail.received_at > LONG and mail.tries == 0 for mail in desk.ledger.waiting())
    if late:
        yield f"{late} mails have waited for more than an hour and nobody has tried to read them."
    swept = desk.ledger.swept()
    if swept and swept.unaccounted:
        yield f"{swept.unaccounted} mails in the mailbox were unaccounted for last night."
    doubtful = [
        letter
        for letter in desk.ledger.letters(LetterState.SENDING)
        if now - (letter.changed_at or letter.laid_at) > LONG
    ]
    if doubtful:
        yield f"{len(doubtful)} letters have been in doubt for more than an hour."
    resting = desk.agent.mode == "watch" or desk.ledger.pause().since is not None
    lying = [one for one in desk.ledger.letters(LetterState.IN_TRAY) if now - one.laid_at > A_DAY]
    if lying and not resting:
        yield f"{len(lying)} letters have lain in the tray for more than a day."
    if desk.ledger.pause().since is not None:
        waiting = [one for one in desk.ledger.letters(*UNDER_WAY) if may_not_wait(one, desk.procedure)]
        if waiting:
            yield f"{len(waiting)} letters that may not wait are held back, as the desk's letters rest."
    yield from _forgotten(desk, now)


def _forgotten(desk: Desk, now: datetime) -> Iterator[str]:
    today, people = desk.calendar.today(now), desk.addressees
    asked = {about for one in desk.ledger.questions() for about in one.question.candidates}
    for alert in desk.ledger.alerts().open:
        if alert.reference in asked or left_alone(alert, today):
            continue
        rules = (desk.procedure, people, desk.calendar)
        overdue = today - next_prompt_on(alert, desk.procedure, desk.calendar)
        if overdue > timedelta(days=14) and not reasons_for_a_person(alert, now, *rules):
            yield f"{alert.reference} has been due a prompt for {overdue.days} days, and none went out."
