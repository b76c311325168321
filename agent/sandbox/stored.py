"""What mailboxes hold: folders, mails with what is attached, and the journal of what happened in a folder."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

BodyType = Literal["html", "text"]


@dataclass(frozen=True)
class Address:
    """A name and an address as a mail carries them."""

    address: str
    name: str = ""


@dataclass(eq=False)
class StoredAttachment:
    """An attached file, or an attached mail (`content_type` message/rfc822, `content` its MIME)."""

    id: str
    name: str
    content_type: str
    content: bytes = field(repr=False)
    is_inline: bool = False
    content_id: str | None = None
    modified_at: datetime = datetime(1601, 1, 1, tzinfo=UTC)

    @property
    def is_mail(self) -> bool:
        return self.content_type == "message/rfc822"


@dataclass(eq=False)
class StoredMessage:
    """One mail in one mailbox. `id` changes when it is moved; `immutable_id` only when it is sent.

    `source` is the MIME a mail arrived with, already stamped by the transport; None while it is a draft.
    `properties` are extended properties by their normal id, such as ``String {guid} Name Key``.
    """

    id: str
    immutable_id: str
    change_key: str
    folder: Folder
    created_at: datetime
    modified_at: datetime
    internet_message_id: str = ""
    conversation: bytes = b""
    subject: str = ""
    author: Address | None = None
    submitted_by: Address | None = None
    to_recipients: list[Address] = field(default_factory=list)
    cc_recipients: list[Address] = field(default_factory=list)
    bcc_recipients: list[Address] = field(default_factory=list)
    reply_to: list[Address] = field(default_factory=list)
    body_type: BodyType = "html"
    body: str = field(default="", repr=False)
    importance: str = "normal"
    inference: str = "focused"
    categories: list[str] = field(default_factory=list)
    flag: dict[str, object] = field(default_factory=lambda: {"flagStatus": "notFlagged"})
    is_read: bool = False
    is_draft: bool = False
    delivery_receipt: bool = False
    read_receipt: bool = False
    sent_at: datetime | None = None
    received_at: datetime | None = None
    references: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    attachments: list[StoredAttachment] = field(default_factory=list)
    source: bytes | None = field(default=None, repr=False)

    @property
    def sender(self) -> str:
        return self.author.address if self.author else ""

    @property
    def to(self) -> tuple[str, ...]:
        return tuple(who.address for who in self.to_recipients)

    @property
    def cc(self) -> tuple[str, ...]:
        return tuple(who.address for who in self.cc_recipients)

    @property
    def recipients(self) -> list[Address]:
        return [*self.to_recipients, *self.cc_recipients, *self.bcc_recipients]

    @property
    def folder_path(self) -> str:
        return self.folder.path

    @property
    def conversation_id(self) -> str:
        return "AAQkAG" + base64.urlsafe_b64encode(self.conversation * 2).decode().rstrip("=") + "="

    @property
    def has_attachments(self) -> bool:
        """As Outlook counts: inline ones do not."""
        return any(not attached.is_inline for attached in self.attachments)


@dataclass(frozen=True)
class JournalRow:
    """Something happened to a mail in a folder. The ids are those it had then."""

    number: int
    kind: Literal["created", "updated", "removed"]
    message: StoredMessage
    id: str
    immutable_id: str
    fields: frozenset[str] = frozenset()
    for_good: bool = False


@dataclass(eq=False)
class Folder:
    """A mail folder. Its id never changes; `journal` is what delta queries tell."""

    id: str
    name: str
    parent: Folder | None
    well_known: str | None = None
    is_hidden: bool = False
    messages: list[StoredMessage] = field(default_factory=list)
    journal: list[JournalRow] = field(default_factory=list, repr=False)
    children: list[Folder] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The names from below the root, joined by slashes."""
        if self.parent is None:
            return ""
        return f"{self.parent.path}/{self.name}".lstrip("/")

    def child(self, name: str) -> Folder | None:
        return next((child for child in self.children if child.name.casefold() == name.casefold()), None)

    def descendants(self) -> Iterator[Folder]:
        for child in self.children:
            yield child
            yield from child.descendants()
