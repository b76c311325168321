"""A shared mailbox in Exchange Online, through Microsoft Graph."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.errors import ChangedMeanwhile, CursorGone, NotFound, OutcomeUnknown, TryAgainLater
from agent.m365.answers import Rejected
from agent.m365.graph import Graph, segment
from agent.mailbox.base import ChangedMail, ChangedPage, Copy, OutgoingLetter
from agent.procedure.mail import KEY_HEADER

# One property for all letters: each new name would use up one of the mailbox's named properties for good.
KEY_PROPERTY = "String {6f1e3a52-2d0b-4c61-9a57-0c9be3f4d8a7} Name NeedToKnowLetterKey"
SENSITIVITY = "Integer 0x0036"  # PidTagSensitivity; Graph has no name of its own for it
CONFIDENTIAL = "3"

# Not "All": that an author is away, or that a letter came back, has to be known.
UNWANTED = "DR, RN, NRN, AutoReply"

SEARCH_FOLDER = "#microsoft.graph.mailSearchFolder"  # lies among the folders but holds nothing

_FIRST_YEAR = 1970

LIST_PAGE = "200"
FOLDER_PAGE = "200"
LOOK = "id,receivedDateTime"


class OutlookMailbox:
    """Keeps the promises of `base.Mailbox`; a cursor is a delta link, kept below Graph's address."""

    def __init__(self, graph: Graph, address: str, *, page_size: int = 200) -> None:
        self._graph = graph
        self._page_size = page_size
        self._address = address
        self._user = f"/users/{segment(address)}"
        self._folders: dict[tuple[str, ...], str] = {}
        self._finding = threading.Lock()

    @property
    def address(self) -> str:
        return self._address

    def changes(self, cursor: str | None) -> Iterator[ChangedPage]:
        self._folders.clear()  # people move them about, even to Deleted Items: known for one round
        try:
            yield from self._changes(cursor)
        except (Rejected, NotFound) as wrong:
            if cursor is None:
                raise
            # whatever is wrong with the link that we kept, a full round does without it
            raise CursorGone(f"{wrong} A full round follows.") from wrong

    def listing(self, folder: Sequence[str] = ()) -> Iterator[tuple[ChangedMail, ...]]:
        where = self._known(folder) if folder else "inbox"
        if where is None:
            return
        # newest first: what arrives while we read shifts the pages towards us, so nothing is skipped
        told = {"$select": LOOK, "$top": LIST_PAGE, "$orderby": "receivedDateTime desc"}
        for page in self._graph.pages(f"{self._user}/mailFolders/{segment(where)}/messages", told):
            yield _mails(page)

    def mime(self, mail_id: str) -> bytes:
        return self._graph.get_bytes(f"{self._message(mail_id)}/$value")

    def file(self, mail_id: str, folder: Sequence[str], categories: Sequence[str]) -> None:
        mail = self._moved(mail_id, folder) if folder else {}
        if "categories" not in mail:
            mail = self._look_at(mail_id)
        self._categorise(mail, mail_id, categories)

    def copies(self, key: str) -> tuple[Copy, ...]:
        value = key.replace("'", "''")
        told = {
            "$filter": "singleValueExtendedProperties/Any("
            f"ep: ep/id eq '{KEY_PROPERTY}' and ep/value eq '{value}')",
            "$select": "id,isDraft,internetMessageId,sentDateTime",
        }
        pages = self._graph.pages(f"{self._user}/messages", told)
        return tuple(_copy(row) for page in pages for row in page["value"])

    def draft(self, letter: OutgoingLetter) -> Copy:
        made = self._graph.post_once(f"{self._user}/messages", _message(letter))
        if not made.get("id"):
            raise OutcomeUnknown(
                f"The draft of {letter.key} was answered without an id. Look for its copies."
            )
        return _copy(made)

    def send(self, mail_id: str) -> None:
        self._graph.post_once(f"{self._message(mail_id)}/send")

    def _message(self, mail_id: str) -> str:
        return f"{self._user}/messages/{segment(mail_id)}"

    def _changes(self, cursor: str | None) -> Iterator[ChangedPage]:
        start = cursor or f"{self._user}/mailFolders/inbox/messages/delta"
        told = None if cursor else {"$select": LOOK}
        for page in self._graph.pages(start, told, {"Prefer": f"odata.maxpagesize={self._page_size}"}):
            more, done = page.get("@odata.nextLink"), page.get("@odata.deltaLink")
            if not (more or done):
                raise TryAgainLater(f"{self._address}: a page of changes came without a link to go on from.")
            yield ChangedPage(_mails(page), self._graph.below(str(more or done)), last=not more)

    def _categorise(self, mail: Mapping[str, Any], mail_id: str, categories: Sequence[str]) -> None:
        """Add the categories that the mail has not.

        Conditional, so that a category which somebody sets at this moment is not undone.
        """
        present = [str(category) for category in mail.get("categories") or ()]
        known = {category.casefold() for category in present}
        added = [category for category in dict.fromkeys(categories) if category.casefold() not in known]
        if added:
            etag = mail.get("@odata.etag")
            self._graph.patch_json(
                self._message(mail_id),
                {"categories": present + added},
                {"If-Match": str(etag)} if etag else None,
                repeat=True,
            )

    def _moved(self, mail_id: str, folder: Sequence[str]) -> Mapping[str, Any]:
        """The mail as it stands once it lies in the folder: moving tells, which saves asking."""
        try:
            return self._move(mail_id, folder)
        except (NotFound, Rejected, ChangedMeanwhile, OutcomeUnknown):
            # the folder went, or the mail did; or it lies there already, of which nobody says how it is told
            self._folders.clear()
            mail = self._look_at(mail_id)
            return mail if mail.get("parentFolderId") == self._folder(folder) else self._move(mail_id, folder)

    def _look_at(self, mail_id: str) -> Mapping[str, Any]:
        return self._graph.get_json(self._message(mail_id), {"$select": "categories,parentFolderId"})

    def _move(self, mail_id: str, folder: Sequence[str]) -> Mapping[str, Any]:
        told = {"destinationId": self._folder(folder)}
        return self._graph.post_json(f"{self._message(mail_id)}/move", told)

    def _folder(self, path: Sequence[str]) -> str:
        """The id of the folder with this path of names, found or made step by step, by one thread for all."""
        parent = f"{self._user}/mailFolders"
        folder_id = ""
        with self._finding:
            for depth in range(1, len(path) + 1):
                names = tuple(path[:depth])
                folder_id = self._folders.get(names) or self._find_or_make(parent, names[-1])
                self._folders[names] = folder_id
                parent = f"{self._user}/mailFolders/{segment(folder_id)}/childFolders"
        return folder_id

    def _known(self, path: Sequence[str]) -> str | None:
        """The id of the folder with this path, if it is there."""
        parent, folder_id = f"{self._user}/mailFolders", None
        for name in path:
            folder_id = self._find(parent, name)
            if folder_id is None:
                break
            parent = f"{self._user}/mailFolders/{segment(folder_id)}/childFolders"
        return folder_id

    def _find_or_make(self, parent: str, name: str) -> str:
        found = self._find(parent, name)
        if found is None:
            with contextlib.suppress(ChangedMeanwhile):  # somebody made it first
                return str(self._graph.post_json(parent, {"displayName": name})["id"])
            found = self._find(parent, name)
        if found is None:
            raise TryAgainLater(
                f"{self._address}: the folder “{name}” can be neither found nor made just now."
            )
        return found

    def _find(self, parent: str, name: str) -> str | None:
        told = {"$select": "id,displayName", "$top": FOLDER_PAGE}
        for page in self._graph.pages(parent, told):
            for row in page["value"]:
                named_so = str(row.get("displayName")).casefold() == name.casefold()  # as Exchange compares
                if named_so and row.get("@odata.type") != SEARCH_FOLDER:
                    return str(row["id"])
        return None


def _mails(page: Mapping[str, Any]) -> tuple[ChangedMail, ...]:
    return tuple(
        ChangedMail(str(row["id"]), _time(row.get("receivedDateTime")), removed="@removed" in row)
        for row in page["value"]
        if row.get("id")
    )


def _copy(row: Mapping[str, Any]) -> Copy:
    is_draft = bool(row.get("isDraft"))
    return Copy(
        mail_id=str(row["id"]),
        is_draft=is_draft,
        internet_message_id=str(row.get("internetMessageId") or ""),
        sent_at=None if is_draft else _time(row.get("sentDateTime")),
    )


def _time(told: object) -> datetime | None:
    """Rows of changes are sparse: a time may be missing, and one that cannot be read says no more. Nor does
    0001-01-01, which is how Exchange says that it has none."""
    try:
        time = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    if time is None or time.year < _FIRST_YEAR:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _message(letter: OutgoingLetter) -> dict[str, Any]:
    """The letter as Graph's JSON; it has no place for a plain-text alternative, Exchange makes one itself."""
    message: dict[str, Any] = {
        "subject": letter.subject,
        "importance": "high",
        "body": {"contentType": "html", "content": letter.html},
        "toRecipients": [{"emailAddress": {"address": letter.to}}],
        "internetMessageHeaders": [
            {"name": "x-auto-response-suppress", "value": UNWANTED},
            {"name": KEY_HEADER, "value": letter.key},
        ],
        "singleValueExtendedProperties": [
            {"id": KEY_PROPERTY, "value": letter.key},
            {"id": SENSITIVITY, "value": CONFIDENTIAL},
        ],
    }
    pictures = [
        _file(f"{name}.png", png) | {"contentType": "image/png", "contentId": name, "isInline": True}
        for name, png in letter.pictures
    ]
    files = [_file(name, content) for name, content in letter.attachments]
    if pictures or files:
        message["attachments"] = pictures + files
    return message


def _file(name: str, content: bytes) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": name,
        "contentBytes": base64.b64encode(content).decode(),
    }
