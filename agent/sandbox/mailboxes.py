"""Mailboxes as state: folders, mails and the journal of what happened in each folder."""

from __future__ import annotations

from datetime import datetime
from threading import RLock
from typing import Literal

from agent.sandbox.answers import Refused
from agent.sandbox.clock import SandboxClock
from agent.sandbox.delta import DeltaTokens
from agent.sandbox.ids import Mint
from agent.sandbox.stored import Folder, JournalRow, StoredMessage

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
