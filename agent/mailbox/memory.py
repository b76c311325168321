"""A mailbox in a dict: the simplest one that keeps every promise. Previews and tests work on it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.errors import CursorGone, NotFound
from agent.mailbox.base import ChangedMail, ChangedPage, Copy, OutgoingLetter

INBOX: tuple[str, ...] = ("Inbox",)


@dataclass
class KeptMail:
    """A mail that was delivered, and where it lies now."""

    mime: bytes = field(repr=False)
    received_at: datetime | None
    folder: tuple[str, ...] = INBOX
    categories: list[str] = field(default_factory=list)


@dataclass
class KeptLetter:
    """A letter of ours: a draft until it is sent."""

    letter: OutgoingLetter
    is_draft: bool = True
    sent_at: datetime | None = None


class MemoryMailbox:
    """Beside the promises: `deliver` and `delete` play the world outside, `sent` shows what went out.

    Set `now` to have sent letters stamped with it.
    """

    def __init__(self, address: str, *, page_size: int = 50) -> None:
        self._address = address
        self._page_size = page_size
        self._numbers = itertools.count(1)
        self._changes: list[ChangedMail] = []  # a cursor is "generation:place in this list"
        self._generation = 1
        self.mails: dict[str, KeptMail] = {}
        self.letters: dict[str, KeptLetter] = {}
        self.now: datetime | None = None

    @property
    def address(self) -> str:
        return self._address

    @property
    def sent(self) -> list[OutgoingLetter]:
        return [kept.letter for kept in self.letters.values() if not kept.is_draft]

    def deliver(self, mime: bytes, received_at: datetime | None = None) -> str:
        """A mail arrives in the inbox; gives its id."""
        mail_id = f"mail-{next(self._numbers)}"
        self.mails[mail_id] = KeptMail(mime, received_at)
        self._changes.append(ChangedMail(mail_id, received_at))
        return mail_id

    def delete(self, mail_id: str) -> None:
        """Somebody deletes the mail."""
        self._moved(mail_id, self.mails.pop(mail_id), ())

    def forget_cursors(self) -> None:
        """From now on no cursor given out so far is known."""
        self._generation += 1

    def changes(self, cursor: str | None) -> Iterator[ChangedPage]:
        place = self._place(cursor) if cursor else 0
        end = len(self._changes)
        while True:
            rows = self._changes[place : min(place + self._page_size, end)]
            place += len(rows)
            if cursor is None:  # a full round tells what lies here now, so a page of it may be empty
                rows = [row for row in rows if self._in_inbox(row)]
            yield ChangedPage(tuple(rows), f"{self._generation}:{place}", last=place >= end)
            if place >= end:
                return

    def listing(self, folder: Sequence[str] = ()) -> Iterator[tuple[ChangedMail, ...]]:
        rows = [
            ChangedMail(mail_id, mail.received_at)
            for mail_id, mail in self.mails.items()
            if mail.folder == (tuple(folder) or INBOX)
        ]
        for start in range(0, len(rows), self._page_size):
            yield tuple(rows[start : start + self._page_size])

    def mime(self, mail_id: str) -> bytes:
        return self._mail(mail_id).mime

    def file(self, mail_id: str, folder: Sequence[str], categories: Sequence[str]) -> None:
        mail = self._mail(mail_id)
        known = {category.casefold() for category in mail.categories}
        mail.categories += [one for one in dict.fromkeys(categories) if one.casefold() not in known]
        if folder and mail.folder != tuple(folder):
            self._moved(mail_id, mail, tuple(folder))

    def copies(self, key: str) -> tuple[Copy, ...]:
        return tuple(_copy(mail_id, kept) for mail_id, kept in self.letters.items() if kept.letter.key == key)

    def draft(self, letter: OutgoingLetter) -> Copy:
        mail_id = f"letter-{next(self._numbers)}"
        self.letters[mail_id] = KeptLetter(letter)
        return _copy(mail_id, self.letters[mail_id])

    def send(self, mail_id: str) -> None:
        kept = self.letters.get(mail_id)
        if kept is None or not kept.is_draft:
            raise NotFound(f"{mail_id} does not lie in Drafts.")
        kept.is_draft, kept.sent_at = False, self.now

    def _moved(self, mail_id: str, mail: KeptMail, folder: tuple[str, ...]) -> None:
        """A move out of the inbox is seen there as a removal, a move into it as an arrival."""
        if INBOX in (mail.folder, folder):
            self._changes.append(ChangedMail(mail_id, mail.received_at, removed=folder != INBOX))
        mail.folder = folder

    def _in_inbox(self, row: ChangedMail) -> bool:
        mail = self.mails.get(row.mail_id)
        return mail is not None and mail.folder == INBOX and not row.removed

    def _mail(self, mail_id: str) -> KeptMail:
        if mail_id not in self.mails:
            raise NotFound(f"{mail_id} is not in the mailbox.")
        return self.mails[mail_id]

    def _place(self, cursor: str) -> int:
        generation, _, place = cursor.partition(":")
        if generation != str(self._generation):
            raise CursorGone(f"The cursor {cursor} is not known any more.")
        return int(place)


def _copy(mail_id: str, kept: KeptLetter) -> Copy:
    return Copy(mail_id, kept.is_draft, f"<{mail_id}@memory.invalid>", kept.sent_at)
