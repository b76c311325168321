"""A letter is written, and laid in the tray under a key of its own, with the reasons for which it exists."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from agent.desk import Desk
from agent.ledger.base import Letter, Reason
from agent.letters.writer import Written
from agent.log import logger
from agent.procedure.mail import letter_mark

log = logger()


def lay(
    desk: Desk,
    kind: str,
    *,
    to: str,
    reasons: Sequence[Reason],
    now: datetime,
    write: Callable[[str], Written],
) -> bool:
    """Lay the letter that `write` makes of the mark by which answers are known again.

    False when a letter exists for one of its reasons already: then nothing is laid.
    """
    key = uuid.uuid4().hex
    written = write(letter_mark(key))
    letter = Letter(
        key=key,
        kind=kind,
        to=to,
        subject=written.subject,
        text=written.text,
        html=written.html,
        laid_at=now,
        reasons=tuple(reasons),
        pictures=written.pictures,
        attachments=written.attachments,
    )
    with desk.ledger.page() as page:
        laid = page.lay(letter)
    if laid:
        why = [(reason.alert, reason.rule, reason.due.isoformat()) for reason in letter.reasons]
        log.info("letter.laid", desk=desk.name, kind=kind, letter=key, why=why)
    return laid
