"""The register as a file in SharePoint: downloaded, edited in place, and uploaded only onto what was read.

`version` is the file's cTag, which moves with its content alone. Uploads are bound to the eTag that was
read together with it, so that nobody's work is ever written over. After an upload the file is fetched
again and compared: only what stands there counts as written.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from agent.errors import ChangedMeanwhile, Locked, NeedsAPerson, NotFound, OutcomeUnknown
from agent.m365.graph import Graph, Json, segment
from agent.register.base import Book, Edits
from agent.register.bookbinder import Bookbinder

SIMPLE_UPLOAD = 4 * 1024 * 1024  # what one PUT may carry by Graph's older promise
PIECE = 16 * 320 * 1024  # of an upload session: a multiple of 320 KiB
_TAGS = {"$select": "id,eTag,cTag,size"}


@dataclass(frozen=True)
class _Item:
    """The file as Graph knows it. `version` moves with the content, `etag` with anything."""

    id: str
    etag: str
    version: str


class SharePointFile:
    """A register that lies at `path` in the default library of `site` ("host:/sites/name").

    `item` is the id under which SharePoint has known it so far, "" when it is looked for by its path: people
    rename and move files.
    """

    kind = "sharepoint_file"

    def __init__(self, graph: Graph, site: str, path: str, binder: Bookbinder, item: str = "") -> None:
        self._graph, self._site, self._binder = graph, site, binder
        self._path = path.strip("/")
        self._drive: str | None = None
        self._item_id: str | None = item or None
        self._held: tuple[str, bytes] | None = None  # the version read last, and its bytes

    def read(self, known_version: str | None) -> Book | None:
        item = self._item()
        if item is None:
            return Book(None)
        if item.version == known_version:
            return None
        return self._binder.opened(self._content(item), item.version)

    def write(self, edits: Edits, expecting: str | None) -> Book:
        if expecting is None:
            return self._create(edits)
        item = self._item()
        if item is None or item.version != expecting:
            raise self._changed_meanwhile()
        before = self._content(item)
        after = self._binder.edited(before, edits)
        if after is before:
            return self._binder.opened(before, item.version)
        try:
            uploaded = self._upload(item, after)
        except Locked as wrong:
            raise self._locked(wrong) from wrong
        except (OutcomeUnknown, ChangedMeanwhile) as wrong:
            return self._perhaps_written(after, edits, expecting, wrong)
        return self._read_back(after, edits, uploaded)

    def kept_as(self) -> dict[str, str]:
        return {"kind": self.kind, "item": self._item_id or ""}

    def copy(self) -> bytes:
        item = self._item()
        if item is None:
            raise NotFound(f"There is no register {self._name} yet.")
        return self._graph.download(f"{self._address(item)}/content")

    # Finding it

    def _item(self) -> _Item | None:
        """The file as it stands; by its id once that is known, for people rename and move files."""
        if self._item_id is not None:
            found = self._get(f"/drives/{self._drive_id()}/items/{segment(self._item_id)}")
            if found is not None:
                return found
            self._item_id = None
        found = self._get(f"/drives/{self._drive_id()}/root:/{quote(self._path)}")
        self._item_id = found.id if found else None
        return found

    def _get(self, address: str) -> _Item | None:
        try:
            return _item_of(self._graph.get_json(address, _TAGS))
        except NotFound:
            return None

    def _drive_id(self) -> str:
        if self._drive is None:
            try:
                site = self._graph.get_json(f"/sites/{quote(self._site, safe=':/')}", {"$select": "id"})
                drive = self._graph.get_json(f"/sites/{quote(site['id'], safe=',')}/drive", {"$select": "id"})
            except NotFound as wrong:
                raise NeedsAPerson(
                    f"There is no SharePoint site {self._site}, or it has no library. "
                    "Check `register.site` in the desk's configuration."
                ) from wrong
            self._drive = segment(drive["id"])
        return self._drive

    def _folder(self) -> str:
        """The address of the folder in which the file lies or is to lie."""
        folder = self._path.rpartition("/")[0]
        if not folder:
            return f"/drives/{self._drive_id()}/items/root"
        found = self._get(f"/drives/{self._drive_id()}/root:/{quote(folder)}")
        if found is None:
            raise NeedsAPerson(
                f"The folder “{folder}” for the register {self._name} is not in the library of {self._site}. "
                "Make it there, or correct `register.path` in the desk's configuration."
            )
        return self._address(found)

    def _address(self, item: _Item) -> str:
        return f"/drives/{self._drive_id()}/items/{segment(item.id)}"

    # Reading

    def _content(self, item: _Item) -> bytes:
        """The file's bytes. Should it change after `item` was read, its eTag no longer lets us upload."""
        if self._held is None or self._held[0] != item.version:
            self._held = (item.version, self._graph.download(f"{self._address(item)}/content"))
        return self._held[1]

    # Writing

    def _create(self, edits: Edits) -> Book:
        """Lay a new workbook where none is; a file that somebody put there meanwhile is left alone."""
        empty = self._binder.empty()
        content = self._binder.edited(empty, edits)
        fits = len(content) <= SIMPLE_UPLOAD
        name = quote(self._path.rpartition("/")[2])
        address = f"{self._folder()}:/{name}:/content?@microsoft.graph.conflictBehavior=fail"
        try:
            made = _item_of(self._graph.put_bytes(address, content if fits else empty))
        except (OutcomeUnknown, ChangedMeanwhile) as wrong:
            return self._perhaps_written(content, edits, "", wrong)
        self._item_id = made.id
        return self._read_back(content, edits, made) if fits else self.write(edits, made.version)

    def _upload(self, item: _Item, content: bytes) -> _Item:
        """Replace the content of exactly this state of the file."""
        bound = {"If-Match": item.etag}
        if len(content) <= SIMPLE_UPLOAD:
            return _item_of(self._graph.put_bytes(f"{self._address(item)}/content", content, bound))
        session = self._graph.post_json(
            f"{self._address(item)}/createUploadSession",
            {"item": {"@microsoft.graph.conflictBehavior": "replace"}},
            bound,
            repeat=True,
        )
        answer: Json = {}
        for start in range(0, len(content), PIECE):
            answer = self._graph.put_piece(session["uploadUrl"], content, start, PIECE)
        return _item_of(answer)

    def _read_back(self, written: bytes, edits: Edits, uploaded: _Item) -> Book:
        """What we wrote, as a book, once it was seen to stand there.

        Somebody may have saved again since: what they did is not ours, so the book given is the one
        that was written, under its own version; the next reading meets theirs.
        """
        item = self._item()
        if item is None:
            raise self._changed_meanwhile()
        if item.version == uploaded.version:
            self._binder.refuse_unproved(self._content(item), edits, self._name)
        return self._binder.opened(written, uploaded.version)

    def _perhaps_written(
        self, written: bytes, edits: Edits, expecting: str, wrong: OutcomeUnknown | ChangedMeanwhile
    ) -> Book:
        """Find out whether an upload without a good answer was carried out; if it was, that was it."""
        item = self._item()
        if item is None or item.version == expecting:
            raise wrong
        there = self._content(item)
        if not self._binder.holds(there, edits):
            raise self._changed_meanwhile() from wrong
        # Whether somebody saved again since, nobody can tell: the old version makes the next reading look.
        return self._binder.opened(written, item.version if there == written else expecting)

    # Sentences

    @property
    def _name(self) -> str:
        return f"“{self._path}”"

    def _locked(self, wrong: Locked) -> Locked:
        return Locked(
            f"The register {self._name} is open in Excel or checked out. What is to be written is kept, and "
            "written when it has been closed.",
            wrong.wait,
        )

    def _changed_meanwhile(self) -> ChangedMeanwhile:
        return ChangedMeanwhile(f"Somebody changed the register {self._name} meanwhile; it is read afresh.")


def _item_of(told: Json) -> _Item:
    try:
        return _Item(id=str(told["id"]), etag=str(told["eTag"]), version=str(told["cTag"]))
    except KeyError as wrong:
        raise OutcomeUnknown(f"SharePoint's answer about the register lacks its {wrong}.") from wrong
