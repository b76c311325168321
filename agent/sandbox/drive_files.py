"""The files of the sandbox tenant: sites, their libraries, items, versions, locks and change tokens.

State only; `drive.py` speaks HTTP for it. A `Drive` may be used from any thread: tests and the demo act
as people (`open_by_person`, `person_saves`…) while the server answers the application.
"""

from __future__ import annotations

import base64
import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Literal, Protocol

from agent.sandbox.answers import Refused

THE_APP = "application"  # `by`: not a person but the signed-in application
NAMESPACE = uuid.UUID("5f0e7c1e-3a52-4e08-9e9c-7d3a2c1b9a55")
EXCEL_LETS_GO = timedelta(minutes=12)  # after the last use of the Excel interface; until then no upload
FORBIDDEN_IN_NAMES = frozenset('"*:<>?/\\|')
Conflict = Literal["fail", "replace", "rename"]


class Clock(Protocol):
    """Whoever knows the sandbox's time."""

    def now(self) -> datetime: ...


@dataclass(frozen=True)
class Version:
    """The content of a file as somebody left it. `id` counts "1.0", "2.0"… as SharePoint does."""

    id: str
    content: bytes = field(repr=False)
    modified_at: datetime
    modified_by: str


@dataclass(eq=False)
class Item:
    """A file or folder. `etag_no` moves with every change, `ctag_no` only with the content."""

    guid: uuid.UUID
    name: str
    parent: Item | None
    created_at: datetime
    created_by: str
    modified_at: datetime
    modified_by: str
    versions: list[Version] = field(default_factory=list)
    etag_no: int = 1
    ctag_no: int = 1
    changed_in: int = 0
    deleted: bool = False
    opened_by: set[str] = field(default_factory=set)
    checked_out_by: str | None = None
    excel_used_at: datetime | None = None

    @property
    def id(self) -> str:
        return "01" + base64.b32encode(self.guid.bytes).decode().rstrip("=")

    @property
    def is_folder(self) -> bool:
        return not self.versions

    @property
    def etag(self) -> str:
        return f'"{{{str(self.guid).upper()}}},{self.etag_no}"'

    @property
    def ctag(self) -> str:
        return f'"c:{{{str(self.guid).upper()}}},{self.ctag_no}"'

    @property
    def content(self) -> bytes:
        return self.versions[-1].content

    @property
    def path(self) -> str:
        """Where it lies in its library, without a leading slash; "" for the root."""
        if self.parent is None:
            return ""
        return f"{self.parent.path}/{self.name}".lstrip("/")

    def matches(self, tags: str) -> bool:
        """Does an If-Match or If-None-Match header name this very state? A cTag counts as well."""
        named = set(re.findall(r'"([^"]*)"', tags)) or {tags.strip()}  # a tag holds commas of its own
        return bool(named & {"*", self.etag.strip('"'), self.ctag.strip('"')})


class Drive:
    """One document library."""

    def __init__(self, identity: str, name: str, web_url: str, clock: Clock) -> None:
        guid = uuid.uuid5(NAMESPACE, identity)
        self.id = "b!" + base64.urlsafe_b64encode(guid.bytes * 3).decode().rstrip("=")
        self.name = name
        self.web_url = web_url
        self.lock = threading.RLock()
        self.sequence = 0
        self.oldest_token = 0
        self._identity, self._clock = identity, clock
        self._items: dict[str, Item] = {}
        self.root = self._new_item("root", None, THE_APP)
        self.created_at = self.root.created_at

    # What people and tests do, by path

    def put(self, path: str, content: bytes, by: str = "somebody") -> Item:
        """Lay a file at `path`, making its folders; an existing file gets a new version."""
        with self.lock:
            item = self.find(path)
            if item is not None:
                return self._new_content(item, content, by)
            folder, name = self._folder_for(path, by)
            return self._new_file(folder, name, content, by)

    def item(self, path: str) -> Item:
        """The file or folder at `path`; FileNotFoundError when nothing lies there."""
        found = self.find(path)
        if found is None:
            raise FileNotFoundError(f"The library {self.name!r} has nothing at {path!r}.")
        return found

    def content(self, path: str) -> bytes:
        return self.item(path).content

    def versions(self, path: str) -> tuple[Version, ...]:
        """Every version, oldest first."""
        return tuple(self.item(path).versions)

    def open_by_person(self, path: str, who: str) -> None:
        """Somebody opens the file in Excel: nobody else can upload it until they close it."""
        self.item(path).opened_by.add(who)

    def close_by_person(self, path: str, who: str | None = None) -> None:
        """They close it again; without `who` everybody does."""
        opened_by = self.item(path).opened_by
        opened_by.intersection_update(opened_by - {who} if who else set())

    def check_out_by_person(self, path: str, who: str) -> None:
        with self.lock:
            self._check_out(self.item(path), who)

    def check_in_by_person(self, path: str) -> None:
        with self.lock:
            self._check_in(self.item(path))

    def person_saves(self, path: str, content: bytes, by: str = "somebody") -> Item:
        """A person's own save of a file they have open: new eTag, new cTag, new version."""
        with self.lock:
            return self._new_content(self.item(path), content, by)

    def touch_metadata(self, path: str) -> None:
        """Bookkeeping such as opening or co-authoring: the eTag moves, content and cTag do not."""
        with self.lock:
            self._changed(self.item(path))

    def remove(self, path: str) -> None:
        """A person deletes the file or folder, and with it all it holds."""
        with self.lock:
            for item in [*self._below(self.item(path)), self.item(path)]:
                item.deleted = True
                self._changed(item)

    def forget_change_tokens(self) -> None:
        """Every delta token handed out so far is answered 410 from now on."""
        self.sequence += 1
        self.oldest_token = self.sequence

    # What the application asks for

    def find(self, path: str, start: Item | None = None) -> Item | None:
        """What lies at `path` under `start`; names are compared without regard to case."""
        item: Item | None = start or self.root
        for name in PurePosixPath(path.strip("/")).parts:
            item = self._child(item, name) if item else None
        return item

    def by_id(self, item_id: str) -> Item:
        found = self.root if item_id == "root" else self._items.get(item_id)
        if found is None or found.deleted:
            raise Refused(404, "itemNotFound", "The resource could not be found.")
        return found

    def children(self, folder: Item) -> list[Item]:
        found = (item for item in self._items.values() if item.parent is folder and not item.deleted)
        return sorted(found, key=lambda item: item.name.casefold())

    def upload(self, item: Item, content: bytes, if_match: str | None) -> Item:
        """New content for a file; 412 when it is no longer the one named, 423 while it is locked."""
        with self.lock:
            self.refuse_change(item, if_match)
            return self._new_content(item, content, THE_APP)

    def saved_by_excel(self, item: Item, content: bytes, by: str) -> Item:
        """The Excel service keeps what was done through it, whoever else has the file open."""
        with self.lock:
            return self._new_content(item, content, by)

    def upload_new(self, folder: Item, path: str, content: bytes, conflict: Conflict) -> tuple[Item, bool]:
        """A file at `path` below `folder`; also says whether it was created or replaced."""
        with self.lock:
            existing = self.find(path, folder)
            if existing is not None and conflict == "replace":
                return self.upload(existing, content, None), False
            parent, name = self._folder_for(path, THE_APP, folder)
            return self._new_file(parent, self._free_name(parent, name, conflict), content, THE_APP), True

    def rename(self, item: Item, name: str, if_match: str | None) -> Item:
        """A new name; everything else, the versions and the id too, stays."""
        with self.lock:
            self.refuse_change(item, if_match)
            there = self.find(_checked_name(name), item.parent)
            if there not in (None, item):
                raise Refused(409, "nameAlreadyExists", "An item with the same name already exists.")
            item.name, item.modified_at, item.modified_by = name, self._clock.now(), THE_APP
            return self._changed(item)

    def restore(self, item: Item, version_id: str) -> Item:
        """Make an older version current again, as a new version of its own."""
        with self.lock:
            self.refuse_change(item, None)
            return self._new_content(item, self.version(item, version_id).content, THE_APP)

    def version(self, item: Item, version_id: str) -> Version:
        for version in item.versions:
            if version.id == version_id:
                return version
        raise Refused(404, "itemNotFound", "The resource could not be found.")

    def check_out(self, item: Item) -> None:
        with self.lock:
            self.refuse_change(item, None)
            self._check_out(item, THE_APP)

    def check_in(self, item: Item) -> None:
        with self.lock:
            if item.checked_out_by is None:
                raise Refused(400, "invalidRequest", "The file is not checked out.")
            self.refuse_change(item, None)
            self._check_in(item)

    def refuse_change(self, item: Item, if_match: str | None) -> None:
        """Raise what the service would answer to a change of `item` now."""
        if item.parent is None:
            raise Refused(400, "invalidRequest", "The root folder cannot be changed.")
        used = item.excel_used_at
        in_excel = used is not None and self._clock.now() - used < EXCEL_LETS_GO
        if in_excel or item.opened_by or item.checked_out_by not in (None, THE_APP):
            raise Refused(423, "resourceLocked", "The resource you are attempting to access is locked")
        if if_match is not None and not item.matches(if_match):
            raise Refused(412, "resourceModified", "ETag does not match current item's value")

    def changes_since(self, token: str) -> tuple[list[Item], str]:
        """Everything that changed after `token` ("" for all, "latest" for nothing), and the next token."""
        with self.lock:
            since = self.sequence if token == "latest" else _number(token)  # noqa: S105 - a change token
            if since is None or (token and not self.oldest_token <= since <= self.sequence):
                raise Refused(410, "resyncChangesApplyDifferences", "Resync required.")
            changed = [item for item in self._items.values() if item.changed_in > since]
            seen = [item for item in changed if token or not item.deleted]
            return sorted(seen, key=lambda item: item.changed_in), str(self.sequence)

    # How things come about

    def _child(self, folder: Item, name: str) -> Item | None:
        wanted = name.casefold()
        return next((item for item in self.children(folder) if item.name.casefold() == wanted), None)

    def _below(self, folder: Item) -> Iterator[Item]:
        for child in self.children(folder):
            yield from self._below(child)
            yield child

    def _folder_for(self, path: str, by: str, start: Item | None = None) -> tuple[Item, str]:
        folder = start or self.root
        *folders, name = PurePosixPath(path.strip("/")).parts or ("",)
        for step in folders:
            folder = self._child(folder, step) or self._new_item(_checked_name(step), folder, by)
            if not folder.is_folder:
                raise Refused(400, "invalidRequest", "A file cannot hold other items.")
        return folder, _checked_name(name)

    def _free_name(self, folder: Item, name: str, conflict: Conflict) -> str:
        if self._child(folder, name) is None:
            return name
        if conflict != "rename":
            raise Refused(409, "nameAlreadyExists", "An item with the same name already exists.")
        path = PurePosixPath(name)
        numbered = (f"{path.stem} {number}{path.suffix}" for number in range(1, 10_000))
        return next(free for free in numbered if self._child(folder, free) is None)

    def _new_item(self, name: str, parent: Item | None, by: str) -> Item:
        now = self._clock.now()
        guid = uuid.uuid5(NAMESPACE, f"{self._identity}/{len(self._items)}")
        item = Item(guid, name, parent, now, by, now, by)
        self._items[item.id] = item
        self.sequence += 1
        item.changed_in = self.sequence
        return item

    def _new_file(self, folder: Item, name: str, content: bytes, by: str) -> Item:
        item = self._new_item(name, folder, by)
        item.versions.append(Version("1.0", content, item.created_at, by))
        return item

    def _new_content(self, item: Item, content: bytes, by: str) -> Item:
        if item.is_folder:
            raise Refused(400, "invalidRequest", "A folder has no content.")
        now = self._clock.now()
        item.versions.append(Version(f"{len(item.versions) + 1}.0", content, now, by))
        item.modified_at, item.modified_by = now, by
        item.ctag_no += 1
        return self._changed(item)

    def _check_out(self, item: Item, who: str) -> None:
        item.checked_out_by = who
        self._changed(item)

    def _check_in(self, item: Item) -> None:
        item.checked_out_by = None
        self._changed(item)

    def _changed(self, item: Item) -> Item:
        self.sequence += 1
        item.etag_no += 1
        item.changed_in = self.sequence
        return item


@dataclass
class Site:
    """A SharePoint site with its default library. `access` is what the application was granted there."""

    hostname: str
    path: str
    name: str
    drive: Drive
    created_at: datetime
    access: Literal["write", "read", "none"] = "write"

    @property
    def id(self) -> str:
        collection, web = (uuid.uuid5(NAMESPACE, f"{kind}:{self.web_url}") for kind in ("collection", "web"))
        return f"{self.hostname},{collection},{web}"

    @property
    def web_url(self) -> str:
        return f"https://{self.hostname}{self.path}"


class Drives:
    """All sites of one tenant."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sites: list[Site] = []

    def add_site(self, hostname: str, path: str, name: str) -> Site:
        """A new site at `path` ("/sites/need-to-know") with an empty library "Documents"."""
        path = "/" + path.strip("/")
        url = f"https://{hostname}{path}"
        drive = Drive(url, "Documents", f"{url}/Shared%20Documents", self.clock)
        site = Site(hostname, path, name, drive, self.clock.now())
        self.sites.append(site)
        return site

    def site_by_id(self, site_id: str) -> Site:
        wanted = site_id.casefold()
        return self._granted(site for site in self.sites if wanted == site.id.casefold())

    def site_by_path(self, hostname: str, path: str) -> Site:
        wanted = (hostname.casefold(), "/" + path.strip("/").casefold())
        return self._granted(
            site for site in self.sites if wanted == (site.hostname.casefold(), site.path.casefold())
        )

    def site_of_drive(self, drive_id: str) -> Site:
        return self._granted(site for site in self.sites if site.drive.id == drive_id)

    def _granted(self, found: Iterator[Site]) -> Site:
        site = next(found, None)
        if site is None:
            raise Refused(404, "itemNotFound", "Requested site could not be found")
        if site.access == "none":
            raise Refused(403, "accessDenied", "Access denied")
        return site


def _checked_name(name: str) -> str:
    if not name or name != name.strip() or FORBIDDEN_IN_NAMES & set(name):
        raise Refused(400, "invalidRequest", "The provided name cannot contain these characters.")
    return name


def _number(token: str) -> int | None:
    if not token:
        return 0
    return int(token) if token.isdecimal() else None
