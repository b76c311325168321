"""At night the ledger is held against the mailbox: every mail there is accounted for, or it is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from agent.desk import Desk
from agent.intake import INBOX, intake
from agent.ledger.base import NotedMail
from agent.log import logger
from agent.procedure.entry import Entry
from agent.procedure.swept import IN_TIME, Swept
from agent.procedure.words import Happened

log = logger()

SOURCE = "sweeping"
INBOX_ITSELF: tuple[str, ...] = ()

Lying = Mapping[str, tuple[tuple[str, ...], datetime]]  # by mail id: in which folder, and received when


def sweep(desk: Desk, now: datetime) -> int:
    """Deal with what the ledger had not heard of, and keep on record what is still unaccounted for.

    Changes can lose a mail that was moved away and back, or filed by hand before it was read. Gives how many
    had been missed.
    """
    intake(desk, now)
    placed = [mail for mail in desk.ledger.mails() if mail.filed and mail.folder]
    lying = {mail_id: (folder, at) for folder, mail_id, at in _listed(desk, now)}
    missed = _note_missed(desk, lying, now)
    if missed:
        intake(desk, now)
    swept = Swept(
        at=now,
        mails=len(lying),
        missed=missed,
        unaccounted=_late(desk, lying, now),
        elsewhere=sum(lying.get(mail.mail_id, (INBOX_ITSELF,))[0] != mail.folder for mail in placed),
    )
    with desk.ledger.page() as page:
        page.record(Entry(Happened.SWEPT, None, now, SOURCE, swept.facts))
    tell = log.error if swept.unaccounted else log.info
    tell("sweeping.done", desk=desk.name, **swept.facts)
    return missed


def _listed(desk: Desk, now: datetime) -> Iterator[tuple[tuple[str, ...], str, datetime]]:
    """What lies in the inbox and in the desk's folders; of these nothing that is older than the desk."""
    began = desk.ledger.began_at() or now
    for folder in (INBOX_ITSELF, *dict.fromkeys(desk.settings.folders.values())):
        for mails in desk.mailbox.listing(folder):
            for mail in mails:
                at = mail.received_at or now
                if folder == INBOX_ITSELF or at >= began:
                    yield folder, mail.mail_id, at


def _note_missed(desk: Desk, lying: Lying, now: datetime) -> int:
    noted = [NotedMail(mail_id, at) for mail_id, (_, at) in lying.items()]
    return desk.ledger.note(noted, INBOX, desk.ledger.cursor(INBOX), now)


def _late(desk: Desk, lying: Lying, now: datetime) -> int:
    """How many mails had time to be dealt with and to be put into their folder, and were not."""
    handled = {mail.mail_id: mail for mail in desk.ledger.mails()}
    undecided = [at for mail_id, (_, at) in lying.items() if mail_id not in handled]
    unfiled = [mail.received_at for mail in handled.values() if not mail.filed]
    return sum(now - at > IN_TIME for at in (*undecided, *unfiled))
