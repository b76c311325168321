"""The register as a file in SharePoint: downloaded, edited in place, and uploaded only onto what was read.

`version` is the file's cTag, which moves with its content alone. Uploads are bound to the eTag that was
read together with it, so that nobody's work is ever written over. After an upload the file is fetched
again and compared: only what stands there counts as written. A round of reading and writing asks for the
file's tags once, and takes what it uploaded for the base of the next one.
"""

from __future__ import annotations

from agent.errors import ChangedMeanwhile, Locked, OutcomeUnknown
from agent.m365.graph import Json
from agent.register.base import Book, Edits
from agent.register.bookbinder import Bookbinder
from agent.register.sharepoint_place import Item, SharePointPlace, item_of

SIMPLE_UPLOAD = 4 * 1024 * 1024  # what one PUT may carry by Graph's older promise
PIECE = 16 * 320 * 1024  # of an upload session: a multiple of 320 KiB


class SharePointFile:
    """A register that is uploaded to its place."""

    kind = "sharepoint_file"

    def __init__(self, place: SharePointPlace, binder: Bookbinder) -> None:
        self._place, self._binder = place, binder

    def read(self, known_version: str | None) -> Book | None:
        item = self._place.item()
        if item is None:
            return Book(None)
        if item.version == known_version:
            return None
        return self._binder.opened(self._place.content(item), item.version)

    def write(self, edits: Edits, expecting: str | None) -> Book:
        if expecting is None:
            return self._create(edits)
        item = self._place.last_seen()
        if item is None or item.version != expecting:
            raise self._place.changed_meanwhile()
        before = self._place.content(item)
        after = self._binder.edited(before, edits)
        if after is before:
            return self._binder.opened(before, item.version)
        return self._replace(item, after, edits)

    def renew(self, edits: Edits) -> Book:
        item = self._place.item()
        return self._replace(item, self._binder.fresh(edits), edits) if item else self._create(edits)

    def kept_as(self) -> dict[str, str]:
        return {"kind": self.kind, **self._place.kept_as}

    def copy(self) -> bytes:
        return self._place.copy()

    def replace(self, content: bytes, onto: bytes | None) -> None:
        item = self._place.item()
        if (self._place.content(item) if item else None) != onto:
            raise self._place.changed_meanwhile()
        try:
            if item is None:
                self._place.item_id = item_of(
                    self._place.graph.put_bytes(self._place.new_address(), content)
                ).id
            else:
                self._upload(item, content)
        except Locked as wrong:
            raise self._place.locked(wrong) from wrong

    def _create(self, edits: Edits) -> Book:
        """Lay a new workbook where none is; a file that somebody put there meanwhile is left alone."""
        content = self._binder.fresh(edits)
        fits = len(content) <= SIMPLE_UPLOAD
        address = self._place.new_address()
        try:
            laid = content if fits else self._binder.fresh(Edits())
            made = item_of(self._place.graph.put_bytes(address, laid))
        except (OutcomeUnknown, ChangedMeanwhile) as wrong:
            return self._perhaps_written(content, edits, "", wrong)
        self._place.item_id = made.id
        return self._read_back(content, edits, made) if fits else self._replace(made, content, edits)

    def _replace(self, item: Item, content: bytes, edits: Edits) -> Book:
        """Upload the content onto this very state of the file, and prove that it stands there."""
        try:
            uploaded = self._upload(item, content)
        except Locked as wrong:
            raise self._place.locked(wrong) from wrong
        except (OutcomeUnknown, ChangedMeanwhile) as wrong:
            return self._perhaps_written(content, edits, item.version, wrong)
        return self._read_back(content, edits, uploaded)

    def _upload(self, item: Item, content: bytes) -> Item:
        """Replace the content of exactly this state of the file."""
        graph, address = self._place.graph, self._place.address(item)
        bound = {"If-Match": item.etag}
        if len(content) <= SIMPLE_UPLOAD:
            return item_of(graph.put_bytes(f"{address}/content", content, bound))
        session = graph.post_json(
            f"{address}/createUploadSession",
            {"item": {"@microsoft.graph.conflictBehavior": "replace"}},
            bound,
            repeat=True,
        )
        answer: Json = {}
        for start in range(0, len(content), PIECE):
            answer = graph.put_piece(session["uploadUrl"], content, start, PIECE)
        return item_of(answer)

    def _read_back(self, written: bytes, edits: Edits, uploaded: Item) -> Book:
        """What we wrote, as a book, once it was seen to stand there.

        Somebody may have saved again since: what they did is not ours, so the book given is the one
        that was written, under its own version; the next reading meets theirs.
        """
        there = self._place.content_after(uploaded)
        item = uploaded if there == written else self._place.item()
        if item is None:
            raise self._place.changed_meanwhile()
        if item.version == uploaded.version:
            self._place.hold(item, there)
            return self._binder.proved(there, uploaded.version, edits, self._place.name)
        return self._binder.opened(written, uploaded.version)

    def _perhaps_written(
        self, written: bytes, edits: Edits, expecting: str, wrong: OutcomeUnknown | ChangedMeanwhile
    ) -> Book:
        """Find out whether an upload without a good answer was carried out; if it was, that was it."""
        item = self._place.item()
        if item is None or item.version == expecting:
            raise wrong
        there = self._place.content(item)
        if not self._binder.holds(self._binder.opened(there, None), edits):
            raise self._place.changed_meanwhile() from wrong
        # Whether somebody saved again since, nobody can tell: the old version makes the next reading look.
        return self._binder.opened(written, item.version if there == written else expecting)
