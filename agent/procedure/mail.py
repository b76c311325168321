"""A mail, as values: what the reader made of its MIME. No rule here knows where it came from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# The header of a letter of ours that carries its key; it comes back with a non-delivery report.
KEY_HEADER = "x-need-to-know-letter"
REHEARSAL = "-rehearsal"  # ends the key of a copy that was sent in rehearsal

# What kind of item Outlook takes a saved mail for (`IPM.Note`, `IPM.Appointment`), kept as a header.
CLASS_HEADER = "x-outlook-item"

# What a letter of ours calls itself in its text: the beginning of its key, which nobody can guess. It stays
# in the quote of a reply where ids and headers are lost.
LETTER_MARK = "N2K-"
_MARK_LENGTH = 12
_MARKED = re.compile(rf"(?<!\w){LETTER_MARK}([0-9a-f]{{{_MARK_LENGTH}}})(?!\w)", re.IGNORECASE)


def letter_mark(key: str) -> str:
    """How the letter under this key calls itself: `N2K-3f9c0a61b2d4`."""
    return f"{LETTER_MARK}{key[:_MARK_LENGTH]}"


def letter_marks_in(text: str) -> tuple[str, ...]:
    """The letters of ours that a text quotes, as they call themselves, in order."""
    return tuple(dict.fromkeys(f"{LETTER_MARK}{found.lower()}" for found in _MARKED.findall(text)))


@dataclass(frozen=True)
class Attachment:
    """One attached or inline document. `name` is what the sender called it and is personal."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
    inline: bool = False

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Mail:
    """One mail. Addresses are lower case; `headers` have lower-case names, first occurrence wins.

    `message_id` is the Internet-Message-ID with its angle brackets; a mail that has none is given
    one made of its own fingerprint. `received_at` is aware (UTC) or None when no header tells.
    `text` is the readable body (HTML reduced to text); `nested` are mails attached as mails.
    """

    message_id: str
    subject: str
    sender: str
    sender_name: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    received_at: datetime | None
    written_at: datetime | None
    text: str = field(repr=False)
    attachments: tuple[Attachment, ...] = ()
    nested: tuple[Mail, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    bounce: Bounce | None = None
    problems: tuple[str, ...] = ()

    @property
    def recipients(self) -> frozenset[str]:
        return frozenset(self.to + self.cc)

    @property
    def fingerprint(self) -> str:
        """A hash of what the mail says, blind to how its MIME was regenerated.

        Microsoft 365 keeps no MIME and writes it afresh each time, so bytes prove nothing.
        """
        told = hashlib.sha256()
        for part in (self.subject, self.sender, " ".join(self.text.split())):
            told.update(part.encode("utf-8", "surrogatepass") + b"\0")
        for document in self.attachments:
            told.update(document.sha256.encode())
        for inner in self.nested:
            told.update(inner.fingerprint.encode())
        return told.hexdigest()


@dataclass(frozen=True)
class Bounce:
    """What a non-delivery report says: which address, of which mail of ours, and whether for good.

    `original_key` is the letter's own: servers may give a mail another id on its way. `because` says in a few
    words how the report was known.
    """

    address: str | None
    permanent: bool
    original_message_id: str | None
    original_key: str | None = None
    because: str = field(default="", compare=False)
