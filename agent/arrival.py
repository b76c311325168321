"""One mail, fetched whole and read with its documents; and which letter of ours it answers."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

from agent.desk import Desk
from agent.forms.mail import documents_of, read_mail
from agent.ledger.base import Letter, LetterState, Page
from agent.procedure.decide_case import NewReference
from agent.procedure.mail import REHEARSAL, Mail, letter_mark, letter_marks_in
from agent.procedure.submission import Submission
from agent.procedure.submission_from import submissions_from
from agent.procedure.words import Kind

OTHER_CONTENT = "same_id_other_content"  # the question about a mail under the id of another one


LARGE = 2 * 1024 * 1024  # bytes of a mail above which it is read alone
_one_large = threading.Lock()


@dataclass(frozen=True)
class Taken:
    """A mail without its documents, which take room, and what it brings by itself."""

    mail: Mail
    fingerprint: str
    submissions: tuple[Submission, ...]


def take(desk: Desk, mail_id: str, received_at: datetime) -> Taken:
    """Fetch one mail whole and read it with its documents, while nobody waits for the ledger."""
    mime = desk.mailbox.mime(mail_id)
    with _one_large if len(mime) > LARGE else nullcontext():
        return _read(desk, mime, received_at)


def _read(desk: Desk, mime: bytes, received_at: datetime) -> Taken:
    mail = read_mail(mime, received_at)
    readings = [
        desk.read(document.content, document.name, desk.forms, desk.procedure.categories)
        for document in documents_of(mail)
    ]
    submissions = submissions_from(
        mail,
        readings,
        desk.procedure,
        desk.people,
        received_at=received_at,
        zone=desk.calendar.zone,
    )
    return Taken(replace(mail, attachments=(), nested=()), mail.fingerprint, submissions)


def numbering(desk: Desk, page: Page) -> NewReference:
    """References of this desk's own, for alerts opened on this page."""
    return lambda opened: page.new_reference(desk.procedure.reference_prefix, opened.year)


def alerts_of(letter: Letter | None) -> tuple[str, ...]:
    """The references of the alerts that a letter is about."""
    return tuple(reason.alert for reason in letter.reasons if reason.alert) if letter else ()


def letter_answered(desk: Desk, mail: Mail) -> Letter | None:
    """The letter of ours which this mail answers or could not deliver."""
    if mail.bounce and mail.bounce.original_key:
        key = mail.bounce.original_key.removesuffix(REHEARSAL)
        known = next((sent for sent in _sent(desk) if sent.key == key), None)
        if known:
            return known
    ids = [mail.in_reply_to, *reversed(mail.references)]
    if mail.bounce:
        ids.insert(0, mail.bounce.original_message_id)
    letters = (desk.ledger.letter_by_message_id(message_id) for message_id in ids if message_id)
    return next((letter for letter in letters if letter), None) or _letter_quoted(desk, mail)


def _letter_quoted(desk: Desk, mail: Mail) -> Letter | None:
    """By the mark in its text, from whom it was written to or somebody on the roster: anybody else may have
    been shown it."""
    for mark in letter_marks_in(mail.text):
        for letter in _sent(desk):
            if letter_mark(letter.key) == mark and (
                letter.to.lower() == mail.sender or desk.people.at(mail.sender)
            ):
                return letter
    return None


def _sent(desk: Desk) -> list[Letter]:
    return desk.ledger.letters(LetterState.POSTED, LetterState.SENDING)


def addressed(submissions: tuple[Submission, ...], letter: Letter | None) -> tuple[Submission, ...]:
    """A report that does not say whom a letter of ours did not reach means whom it went to."""
    if letter is None:
        return submissions
    return tuple(
        replace(one, bounced_address=one.bounced_address or letter.to, of_ours=True)
        if one.kind is Kind.BOUNCE
        else one
        for one in submissions
    )
