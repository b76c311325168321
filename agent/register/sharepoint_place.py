"""Where a register lies in SharePoint: found by its item, else by its path, and laid there once."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from agent.errors import ChangedMeanwhile, Locked, NeedsAPerson, NotFound, OutcomeUnknown
from agent.m365.graph import Graph, Json, segment

_TAGS = {"$select": "id,eTag,cTag,size"}


@dataclass(frozen=True)
class Item:
    """The file as Graph knows it. `version` (its cTag) moves with the content, `etag` with anything."""

    id: str
    etag: str
    version: str


class SharePointPlace:
    """`path` in the default library of `site` ("host:/sites/name").

    `item` is the id under which SharePoint has known the file so far, "" when it is looked for by its path:
    people rename and move files.
    """

    def __init__(self, graph: Graph, site: str, path: str, item: str = "") -> None:
        self.graph = graph
        self._site, self._path = site, path.strip("/")
        self._drive: str | None = None
        self.item_id = item
        self._held: tuple[str, bytes] | None = None  # the version read last, and its bytes
        self._seen: Item | None = None

    def item(self) -> Item | None:
        """The file as it stands; by its id once that is known."""
        self._seen = self._found()
        self.item_id = self._seen.id if self._seen else ""
        return self._seen

    def last_seen(self) -> Item | None:
        """As it stood at the last look; an upload bound to its eTag is refused if it changed since."""
        return self._seen or self.item()

    def _found(self) -> Item | None:
        if self.item_id:
            found = self._get(f"/drives/{self._drive_id()}/items/{segment(self.item_id)}")
            if found is not None:
                return found
        return self._get(f"/drives/{self._drive_id()}/root:/{quote(self._path)}")

    def content(self, item: Item) -> bytes:
        """The file's bytes. Should it change after `item` was read, its eTag no longer lets us upload."""
        if self._held is not None and self._held[0] == item.version:
            return self._held[1]
        content = self.graph.download(f"{self.address(item)}/content")
        self.hold(item, content)
        return content

    def content_after(self, uploaded: Item) -> bytes:
        """The file's bytes as they stand after an upload, whoever saved since; before another upload it is
        looked at again. ChangedMeanwhile where it is gone.
        """
        self._seen = None
        try:
            return self.graph.download(f"{self.address(uploaded)}/content")
        except NotFound as wrong:
            raise self.changed_meanwhile() from wrong

    def hold(self, item: Item, content: bytes) -> None:
        """Remember these bytes as those of this version, so that they need not be fetched again."""
        self._held = (item.version, content)

    def copy(self) -> bytes:
        """The file's bytes as they stand now. NotFound when there is none."""
        item = self.item()
        if item is None:
            raise NotFound(f"There is no register {self.name} yet.")
        return self.graph.download(f"{self.address(item)}/content")

    @property
    def kept_as(self) -> dict[str, str]:
        """Where the file lies by configuration, and as which item it is found again."""
        return {"place": f"{self._site}/{self._path}", "item": self.item_id}

    def address(self, item: Item) -> str:
        return f"/drives/{self._drive_id()}/items/{segment(item.id)}"

    def new_address(self) -> str:
        """The address at which the file is made; a file that is there already refuses it."""
        name = quote(self._path.rpartition("/")[2])
        return f"{self._folder()}:/{name}:/content?@microsoft.graph.conflictBehavior=fail"

    def _get(self, address: str) -> Item | None:
        try:
            return item_of(self.graph.get_json(address, _TAGS))
        except NotFound:
            return None

    def _drive_id(self) -> str:
        if self._drive is None:
            try:
                site = self.graph.get_json(f"/sites/{quote(self._site, safe=':/')}", {"$select": "id"})
                drive = self.graph.get_json(f"/sites/{quote(site['id'], safe=',')}/drive", {"$select": "id"})
            except NotFound as wrong:
                raise NeedsAPerson(
                    f"There is no SharePoint site {self._site}, or it has no library. "
                    "Check `register.site` in the desk's configuration."
                ) from wrong
            self._drive = segment(drive["id"])
        return self._drive

    def _folder(self) -> str:
        """The address of the folder in which the file is to lie."""
        folder = self._path.rpartition("/")[0]
        if not folder:
            return f"/drives/{self._drive_id()}/items/root"
        found = self._get(f"/drives/{self._drive_id()}/root:/{quote(folder)}")
        if found is None:
            raise NeedsAPerson(
                f"The folder “{folder}” for the register {self.name} is not in the library of {self._site}. "
                "Make it there, or correct `register.path` in the desk's configuration."
            )
        return self.address(found)

    # Sentences

    @property
    def name(self) -> str:
        return f"“{self._path}”"

    def locked(self, wrong: Locked) -> Locked:
        return Locked(
            f"The register {self.name} is open in Excel or checked out. What is to be written is kept, and "
            "written when it has been closed.",
            wrong.wait,
        )

    def changed_meanwhile(self) -> ChangedMeanwhile:
        return ChangedMeanwhile(f"Somebody changed the register {self.name} meanwhile; it is read afresh.")


def item_of(told: Json) -> Item:
    """The file that an answer tells of."""
    try:
        return Item(id=str(told["id"]), etag=str(told["eTag"]), version=str(told["cTag"]))
    except KeyError as wrong:
        raise OutcomeUnknown(f"SharePoint's answer about the register lacks its {wrong}.") from wrong
