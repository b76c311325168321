"""What every mailbox promises: tell what changed, hand over a mail whole, file it, post a letter once.

Words: a *mail id* is the mailbox's own (immutable) id of a mail; a *cursor* is an opaque text that
says how far the changes of one folder were read; a *key* says why a letter exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class ChangedMail:
    """One row of changes: "look at this mail", no more. Rows may be sparse, repeated or replayed."""

    mail_id: str
    received_at: datetime | None = None
    removed: bool = False


@dataclass(frozen=True)
class ChangedPage:
    """One page of changes. `cursor` continues after it; `last` says that nothing more waits now."""

    mails: tuple[ChangedMail, ...]
    cursor: str
    last: bool


@dataclass(frozen=True)
class OutgoingLetter:
    """A letter as the mailbox sends it. `key` lies on the mail itself, so that it can be found again.

    `pictures` are inline images by content id, as (content id, PNG bytes); `attachments` are files, as
    (name, bytes), at most a few hundred kilobytes: they travel with the draft, in one request.
    """

    key: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    pictures: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    attachments: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Copy:
    """One copy of a letter found in the mailbox by its key."""

    mail_id: str
    is_draft: bool
    internet_message_id: str
    sent_at: datetime | None = None


class Mailbox(Protocol):
    """One shared mailbox.

    Every method may raise TryAgainLater (nothing was lost, come back), NotAllowed (a permission is
    missing, named in the message) or NotFound. Only `send` and `draft` are not safe to repeat.
    """

    @property
    def address(self) -> str: ...

    def changes(self, cursor: str | None) -> Iterator[ChangedPage]:
        """Pages of changes in the inbox since `cursor`; None starts a full round. CursorGone when
        the mailbox no longer knows the cursor."""
        ...

    def listing(self, folder: Sequence[str] = ()) -> Iterator[tuple[ChangedMail, ...]]:
        """Everything that lies in this folder now, in pages: the proof that no change was missed. Without a
        path it is the inbox; in a folder that is not there lies nothing."""
        ...

    def mime(self, mail_id: str) -> bytes:
        """The whole mail in one request. NotFound when somebody deleted it meanwhile."""
        ...

    def file(self, mail_id: str, folder: Sequence[str], categories: Sequence[str]) -> None:
        """Move a mail into the folder with this path of names (made when missing) and add the
        categories. Safe to repeat; NotFound when the mail is gone."""
        ...

    def copies(self, key: str) -> tuple[Copy, ...]:
        """Every copy of the letter with this key, drafts and sent ones."""
        ...

    def draft(self, letter: OutgoingLetter) -> Copy:
        """Lay the letter in Drafts. OutcomeUnknown when the answer was lost: look for `copies`."""
        ...

    def send(self, mail_id: str) -> None:
        """Send a draft. Returns when the mailbox accepted it; OutcomeUnknown when nobody can tell;
        TryAgainLater when it was certainly refused and nothing was done."""
        ...
