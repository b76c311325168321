"""Pre-authenticated transfers: download tickets and upload sessions, which know no bearer token."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.sandbox.answers import Refused
from agent.sandbox.drive_files import Clock, Conflict, Drive, Item

LIVES = timedelta(hours=1)
FRAGMENT = 320 * 1024  # every fragment but the last is a multiple of this
LARGEST_FRAGMENT = 60 * 1024 * 1024
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass
class UploadSession:
    """One file on its way in, in fragments. `item` is the file to replace, else `path` below `folder`."""

    drive: Drive
    item: Item | None
    folder: Item
    path: str
    if_match: str | None
    conflict: Conflict
    expires_at: datetime
    size: int | None = None
    received: bytearray = field(default_factory=bytearray, repr=False)

    @property
    def expected(self) -> list[str]:
        return [f"{len(self.received)}-"]

    def take(self, content_range: str, fragment: bytes) -> bool:
        """Add a fragment; True when the file is whole. The ranges must come in order, without gaps."""
        first, last, size = _range(content_range)
        if len(fragment) != last - first + 1:
            raise Refused(400, "invalidRequest", "The Content-Length does not match the Content-Range.")
        if last + 1 < size and len(fragment) % FRAGMENT:
            raise Refused(400, "invalidRequest", "The fragment size must be a multiple of 320 KiB.")
        if first != len(self.received) or last >= size or self.size not in (None, size):
            raise Refused(416, "invalidRange", "Optimistic concurrency failure during fragmented upload")
        self.size = size
        self.received += fragment
        return len(self.received) == size

    def commit(self) -> tuple[Item, bool]:
        """Lay the whole file down; also says whether it was created or replaced."""
        if self.item is not None:
            return self.drive.upload(self.item, bytes(self.received), self.if_match), False
        return self.drive.upload_new(self.folder, self.path, bytes(self.received), self.conflict)

    def withdraw_last(self, fragment: bytes) -> None:
        """The commit was refused: the last fragment may be sent again once the reason is gone."""
        del self.received[len(self.received) - len(fragment) :]


@dataclass(frozen=True)
class Download:
    """Leave to fetch one file, or one version of it, until the ticket expires."""

    drive: Drive
    item_id: str
    version_id: str | None
    expires_at: datetime

    def content(self) -> tuple[Item, bytes]:
        item = self.drive.by_id(self.item_id)
        if self.version_id is None:
            return item, item.content
        return item, self.drive.version(item, self.version_id).content


class Transfers:
    """The tickets handed out and not yet expired."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, Download | UploadSession] = {}

    def expires_at(self) -> datetime:
        return self._clock.now() + LIVES

    def issue(self, transfer: Download | UploadSession) -> str:
        now = self._clock.now()
        self._open = {ticket: known for ticket, known in self._open.items() if known.expires_at > now}
        ticket = secrets.token_urlsafe(24)
        self._open[ticket] = transfer
        return ticket

    def download(self, ticket: str) -> Download:
        found = self._alive(ticket)
        if not isinstance(found, Download):
            raise Refused(401, "unauthenticated", "The download address has expired.")
        return found

    def upload(self, ticket: str) -> UploadSession:
        found = self._alive(ticket)
        if not isinstance(found, UploadSession):
            raise Refused(404, "itemNotFound", "The upload session was not found")
        return found

    def close(self, ticket: str) -> None:
        self._open.pop(ticket, None)

    def _alive(self, ticket: str) -> Download | UploadSession | None:
        found = self._open.get(ticket)
        return found if found is not None and found.expires_at > self._clock.now() else None


def _range(content_range: str) -> tuple[int, int, int]:
    found = RANGE.fullmatch(content_range.strip())
    if found is None:
        raise Refused(400, "invalidRequest", "The Content-Range header is missing or malformed.")
    first, last, size = map(int, found.groups())
    return first, last, size
