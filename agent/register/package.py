"""An .xlsx file as what it is, a zip of parts: opened warily, changed part by part, the rest kept."""

from __future__ import annotations

import io
import posixpath
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from lxml import etree

from agent.errors import NeedsAPerson
from agent.register.packing import Packing

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
CONTENT_TYPES = "[Content_Types].xml"
_STRICT = "http://purl.oclc.org/ooxml/"

LARGEST_FILE = 100 * 1024 * 1024  # what Excel for the web opens
LARGEST_PART = 400 * 1024 * 1024
LARGEST_WHOLE = 800 * 1024 * 1024
MOST_PARTS = 10_000
_PIECE = 1024 * 1024
# what a part can end in that is missing, or cannot be unpacked
_BROKEN = (
    *(KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError),
)


def q(tag: str) -> str:
    """A tag of SpreadsheetML, as lxml names it."""
    return f"{{{MAIN}}}{tag}"


class Package:
    """The parts of one workbook. Raises NeedsAPerson, in a sentence, for a file that is not safe to open."""

    def __init__(self, content: bytes) -> None:
        self._content, self._zip = content, _opened(content)
        self._changed: dict[str, Sequence[bytes | memoryview]] = {}
        self._dropped: set[str] = set()
        self._sound: set[str] = set()  # parts that were unpacked and were whole
        self._parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )

    def __contains__(self, name: str) -> bool:
        return name not in self._dropped and (name in self._zip.NameToInfo or name in self._changed)

    def names(self) -> list[str]:
        return [name for name in {**self._zip.NameToInfo, **self._changed} if name not in self._dropped]

    def read(self, name: str) -> bytes:
        """A part's bytes. NeedsAPerson when it is missing or damaged."""
        if name in self._changed:
            return b"".join(self._changed[name])
        try:
            if self._zip.getinfo(name).file_size > LARGEST_PART:
                raise NeedsAPerson(_TOO_LARGE)
            content = io.BytesIO()  # gives its bytes away without a second copy; never more than file_size
            with self._zip.open(name) as part:
                shutil.copyfileobj(part, content, _PIECE)
        except _BROKEN as wrong:
            raise NeedsAPerson(f"The workbook is damaged ({name}). {RESTORE}") from wrong
        self._sound.add(name)
        return content.getvalue()

    def xml(self, name: str) -> etree._Element:
        """A part as a tree, which `parsed` reads."""
        return self.parsed(self.read(name), name)

    def parsed(self, content: bytes, name: str) -> etree._Element:
        """What stands in a part, as a tree. Refuses document types (only attacks have them) and the strict
        format."""
        try:
            root = etree.fromstring(content, self._parser)
        except etree.XMLSyntaxError as wrong:
            raise NeedsAPerson(f"The workbook is damaged ({name}). {RESTORE}") from wrong
        if root.getroottree().docinfo.internalDTD is not None:
            raise NeedsAPerson(f"The workbook holds a document type, which Excel never writes. {RESTORE}")
        if (etree.QName(root).namespace or "").startswith(_STRICT):
            raise NeedsAPerson(_IS_STRICT)
        return root

    def replace(self, name: str, root: etree._Element) -> None:
        """Put a changed tree in the place of a part."""
        self.put(name, [etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)])

    def put(self, name: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Put these bytes in the place of a part, or add the part."""
        self._changed[name] = pieces

    def drop(self, name: str) -> None:
        self._dropped.add(name)

    def related(self, part: str) -> Iterator[tuple[str, str, str]]:
        """(relationship id, last word of its type, part name) of all that `part` leads to inside the file."""
        folder = posixpath.dirname(part)
        rels = relationships_of(part)
        if rels not in self:
            return
        for link in self.xml(rels):
            if link.get("TargetMode") != "External" and link.get("Target"):
                target = posixpath.normpath(posixpath.join("/", folder, link.get("Target", "")))
                yield link.get("Id", ""), link.get("Type", "").rpartition("/")[2], target.lstrip("/")

    def of_kind(self, *kinds: str) -> Iterator[str]:
        """The parts whose content types end in one of `kinds`."""
        for found in self.xml(CONTENT_TYPES):
            part = found.get("PartName", "").lstrip("/")
            if found.get("ContentType", "").endswith(kinds) and part in self:
                yield part

    def first_related(self, part: str, kind: str) -> str | None:
        """The part of this kind that `part` leads to."""
        return next((name for _, found, name in self.related(part) if found == kind), None)

    def content(self) -> bytes:
        """The whole file: parts in their order, each untouched one with its very bytes, new ones last.

        NeedsAPerson when one of them is damaged: nothing is written onto that.
        """
        packing = Packing()
        for info in self._zip.infolist():
            if info.filename in self._changed:
                packing.pack(info.filename, self._changed[info.filename])
            elif info.filename not in self._dropped:
                if info.filename not in self._sound:
                    self.read(info.filename)
                packing.take_over(info, self._content)
        for name in sorted(self._changed.keys() - self._zip.NameToInfo.keys()):
            packing.pack(name, self._changed[name])
        return packing.content()


def relationships_of(part: str) -> str:
    """`xl/workbook.xml` → `xl/_rels/workbook.xml.rels`; "" is the package itself."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def free_id(relationships: etree._Element) -> str:
    """An id that no relationship of the list has."""
    taken = {found.get("Id", "") for found in relationships}
    return next(key for number in range(1, len(taken) + 2) if (key := f"rId{number}") not in taken)


RESTORE = "Restore an earlier version of it in SharePoint."
_TOO_LARGE = (
    "The workbook is larger than the agent opens. Delete pictures or rows that are no longer needed from it."
)
_PROTECTED = (
    "The workbook is encrypted (a password or a sensitivity label), so the agent cannot open it. "
    "Take the password or label off, or give the agent's app registration the right to it."
)
_SIGNED = (
    "The workbook is digitally signed. Any change would break the signature, so nothing is written to it. "
    "Remove the signature (File > Info)."
)
_SHARED = (
    "The workbook is a “shared workbook” of the old kind, with a log of changes that the agent cannot go on "
    "with. Stop sharing it (Review > Unshare Workbook): in SharePoint people can work together anyway."
)
_IS_STRICT = (
    "The workbook is in the “Strict Open XML” format, which the agent does not edit. "
    "In Excel, save it as “Excel Workbook (*.xlsx)”."
)


def _opened(content: bytes) -> zipfile.ZipFile:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise NeedsAPerson(_PROTECTED)
    if len(content) > LARGEST_FILE:
        raise NeedsAPerson(_TOO_LARGE)
    try:
        opened = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as wrong:
        raise NeedsAPerson(f"The file is not an Excel workbook (.xlsx), or is damaged. {RESTORE}") from wrong
    parts = opened.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_WHOLE:
        raise NeedsAPerson(_TOO_LARGE)
    if len({part.filename for part in parts}) < len(parts):
        raise NeedsAPerson(f"The workbook is damaged (a part stands in it twice). {RESTORE}")
    if any(part.flag_bits & 1 for part in parts):
        raise NeedsAPerson(_PROTECTED)
    for beginning, sentence in (("_xmlsignatures/", _SIGNED), ("xl/revisions/", _SHARED)):
        if any(part.filename.startswith(beginning) for part in parts):
            raise NeedsAPerson(sentence)
    return opened
