"""Mailboxes as state: folders, mails and the journal of what happened in each folder."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Literal

from agent.sandbox.answers import Refused
from agent.sandbox.clock import SandboxClock
from agent.sandbox.delta import DeltaTokens
from agent.sandbox.ids import Mint

# Well-known names and what they are called on the screen in English. Only the first group is made
# at once by Exchange for everybody; "msgfolderroot" is the parent of all.
ROOT = "msgfolderroot"
WELL_KNOWN = {
    "inbox": "Inbox",
    "drafts": "Drafts",
    "sentitems": "Sent Items",
    "deleteditems": "Deleted Items",
    "junkemail": "Junk Email",
    "archive": "Archive",
    "outbox": "Outbox",
    "conversationhistory": "Conversation History",
}
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

    @property
    def mime(self) -> bytes:
        """The mail as MIME, written afresh."""
        from agent.sandbox.mime import written_afresh  # mime.py is built on this module

        return written_afresh(self)


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


class Mailbox:
    """One mailbox. `automatic_reply` answers each sender once, until `automatic_reply_until`."""

    def __init__(
        self,
        address: str,
        name: str,
        *,
        in_scope: bool,
        user_id: str,
        clock: SandboxClock,
        mint: Mint,
        lock: RLock,
    ) -> None:
        self.address = address.lower()
        self.name = name or address
        self.in_scope = in_scope
        self.user_id = user_id
        self.purpose = "user"
        self.automatic_reply: str | None = None
        self.automatic_reply_until: datetime | None = None
        self.replied_to: set[str] = set()
        self.clock = clock
        self.mint = mint
        self.lock = lock
        self.delta_tokens = DeltaTokens()
        self.changes = 0
        self.root = Folder(mint.folder(), "Top of Information Store", None, ROOT)
        self._messages: dict[str, StoredMessage] = {}
        self._folders: dict[str, Folder] = {}
        self._known: dict[str, Folder] = {ROOT: self.root}
        self._folders[self.root.id] = self.root
        for well_known, shown in WELL_KNOWN.items():
            folder = self.add_folder(self.root, shown, hidden=well_known == "conversationhistory")
            folder.well_known = well_known
            self._known[well_known] = folder

    def __repr__(self) -> str:
        return f"Mailbox({self.address!r})"

    # Looking

    @property
    def is_away(self) -> bool:
        """Whether automatic replies are on now."""
        until = self.automatic_reply_until
        return bool(self.automatic_reply) and (until is None or self.clock.now() < until)

    def messages(self, folder: str | None = None) -> list[StoredMessage]:
        """The mails of a folder (its path, such as ``Inbox/Handled``, or a well-known name), or all."""
        with self.lock:
            found = self.all_messages() if folder is None else self.folder_at(folder).messages
            return list(found)

    def all_messages(self) -> list[StoredMessage]:
        return list({id(message): message for message in self._messages.values()}.values())

    def known(self, well_known: str) -> Folder:
        """The folder with a well-known name; Exchange makes the rarer ones when first asked for."""
        return self._known[well_known.lower()]

    def folder_at(self, path: str) -> Folder:
        """The folder at a path of names, or with a well-known name. KeyError when there is none."""
        if path.lower() in self._known:
            return self._known[path.lower()]
        for folder in self.root.descendants():
            if folder.path.casefold() == path.strip("/").casefold():
                return folder
        raise KeyError(f"{self.address} has no folder {path}")

    def folder(self, folder_id: str) -> Folder:
        """The folder with an id or a well-known name, as a request names it."""
        found = self._folders.get(folder_id) or self._known.get(folder_id.lower())
        if found is None:
            raise Refused(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return found

    def message(self, message_id: str) -> StoredMessage:
        """The mail with a default or an immutable id."""
        found = self._messages.get(message_id)
        if found is None:
            raise Refused(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return found

    def holds(self, message: StoredMessage) -> bool:
        """Whether the mail lies in one of the folders (still)."""
        return self._messages.get(message.id) is message

    # Changing

    def add_folder(self, parent: Folder, name: str, hidden: bool = False) -> Folder:
        if parent.child(name) is not None:
            raise Refused(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        folder = Folder(self.mint.folder(), name, parent, is_hidden=hidden)
        parent.children.append(folder)
        self._folders[folder.id] = folder
        return folder

    def add(self, message: StoredMessage) -> StoredMessage:
        """Lay a mail into its folder; it gets the identity that it still lacks."""
        message.internet_message_id = message.internet_message_id or self.new_message_id()
        message.conversation = message.conversation or self.mint.conversation()
        self._messages[message.id] = self._messages[message.immutable_id] = message
        message.folder.messages.append(message)
        self._journal("created", message)
        return message

    def blank(self, folder: Folder) -> StoredMessage:
        """A mail with fresh ids that lies nowhere yet; `add` lays it into `folder`."""
        now = self.clock.now()
        return StoredMessage(
            id=self.mint.item(),
            immutable_id=self.mint.immutable(),
            change_key=self.mint.change_key(),
            folder=folder,
            created_at=now,
            modified_at=now,
        )

    def new_message_id(self) -> str:
        return self.mint.message_id(self.address.rpartition("@")[2])

    def touch(self, message: StoredMessage, *fields: str) -> None:
        """Say that these fields (by their Graph names) of a mail have changed."""
        with self.lock:
            message.modified_at = self.clock.now()
            message.change_key = self.mint.change_key()
            self._journal("updated", message, frozenset(fields))

    def move(self, message: StoredMessage, target: Folder | str) -> StoredMessage:
        """Move a mail; it gets a new default id and keeps its immutable one."""
        with self.lock:
            folder = self.folder_at(target) if isinstance(target, str) else target
            self._leave(message)
            message.folder = folder
            message.id = self.mint.item()
            message.modified_at = self.clock.now()
            message.change_key = self.mint.change_key()
            return self.add(message)

    def delete(self, message: StoredMessage) -> None:
        """To Deleted Items; from there for good."""
        with self.lock:
            if message.folder is self.known("deleteditems"):
                self.remove(message)
            else:
                self.move(message, self.known("deleteditems"))

    def remove(self, message: StoredMessage) -> None:
        """Take a mail out of the mailbox for good."""
        self._leave(message, for_good=True)

    def renew_ids(self, message: StoredMessage) -> None:
        """What sending does to a draft: no id survives. The mail must not lie in a folder."""
        message.id = self.mint.item()
        message.immutable_id = self.mint.immutable()

    def mark_read(self, message: StoredMessage, is_read: bool = True) -> None:
        """What a person does by opening a mail."""
        with self.lock:
            message.is_read = is_read
            self.touch(message, "isRead")

    def _leave(self, message: StoredMessage, for_good: bool = False) -> None:
        message.folder.messages.remove(message)
        del self._messages[message.id]
        self._messages.pop(message.immutable_id, None)
        self._journal("removed", message, for_good=for_good)

    def _journal(
        self,
        kind: Literal["created", "updated", "removed"],
        message: StoredMessage,
        fields: frozenset[str] = frozenset(),
        for_good: bool = False,
    ) -> None:
        self.changes += 1
        ids = message.id, message.immutable_id
        message.folder.journal.append(JournalRow(self.changes, kind, message, *ids, fields, for_good))
