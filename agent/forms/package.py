"""Opens an Office package safely: every size is counted as it is read, nothing is fetched or expanded.

The limits lie well above the largest genuine document measured (16.6 MB unpacked, 291 entries, a ratio
of 94), so only a hostile or broken file meets them.
"""

from __future__ import annotations

import base64
import io
import posixpath
import zipfile
import zlib
from dataclasses import dataclass

from lxml import etree

from agent.forms.units import Refused

# What unpacking a part of a damaged archive can end in: zipfile has no error of its own for most of it.
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    OSError,
    NotImplementedError,
    EOFError,
    RuntimeError,
)

MOST_BYTES = 25_000_000
MOST_ENTRIES = 2_000
MOST_BYTES_OF_A_PART = 24_000_000
MOST_BYTES_READ = 64_000_000
HIGHEST_RATIO = 200  # for parts over a megabyte

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
)
_STRICT = (
    (
        b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    ),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
)


_FLAT = "{http://schemas.microsoft.com/office/2006/xmlPackage}"


@dataclass(frozen=True)
class Relation:
    """One relationship of a part. `kind` is the last word of its type, `target` a part or an address."""

    id: str
    kind: str
    target: str
    external: bool


class Package:
    """The parts of one .docx, read on demand. Every method may raise `Refused`."""

    def __init__(self, content: bytes) -> None:
        if len(content) > MOST_BYTES:
            raise Refused("too_large", f"The document is larger than {MOST_BYTES // 1_000_000} MB.")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
            raise Refused(
                "bad_zip", "The document is damaged or incomplete: it cannot be unpacked."
            ) from error
        self._entries = self._checked(self._archive.infolist())
        self._read_so_far = 0

    @staticmethod
    def _checked(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        if len(entries) > MOST_ENTRIES:
            raise Refused("too_many_parts", f"The document has more than {MOST_ENTRIES:,} parts.")
        known: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            name = entry.filename.replace("\\", "/").lstrip("/").lower()
            if ".." in name.split("/"):
                raise Refused("path_traversal", "The document names parts outside itself.")
            if name in known:
                raise Refused("duplicate_entry", "The document holds two parts of the same name.")
            if entry.flag_bits & 1:
                raise Refused("encrypted", "The document is protected by a password.")
            known[name] = entry
        return known

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._entries

    def read(self, name: str) -> bytes:
        """The bytes of one part, counted while they are unpacked: sizes in the directory may lie."""
        entry = self._entries.get(name.lower())
        if entry is None:
            raise Refused("missing_part", "The document is incomplete: a part that it names is missing.")
        try:
            with self._archive.open(entry) as part:
                content = part.read(MOST_BYTES_OF_A_PART + 1)
        except BROKEN_ZIP as error:
            raise Refused("bad_zip", "The document is damaged: a part of it cannot be unpacked.") from error
        self._count(len(content), entry.compress_size)
        return content

    def _count(self, size: int, packed: int) -> None:
        self._read_so_far += size
        if size > MOST_BYTES_OF_A_PART or self._read_so_far > MOST_BYTES_READ:
            raise Refused("too_large", "The document unpacks to far more than a form can hold.")
        if size > 1_000_000 and size > HIGHEST_RATIO * max(packed, 1):
            raise Refused("ratio", "The document is packed so tightly that it looks made to do harm.")

    def xml(self, name: str) -> etree._Element:
        return parse(self.read(name))

    def relations(self, name: str) -> list[Relation]:
        """The relationships of part `name` ("" for the package itself); none where it has none."""
        folder, leaf = posixpath.split(name)
        source = posixpath.join(folder, "_rels", f"{leaf}.rels")
        if source not in self:
            return []
        return [
            Relation(
                id=found.get("Id", ""),
                kind=found.get("Type", "").rpartition("/")[2],
                target=found.get("Target", "")
                if (outside := found.get("TargetMode") == "External")
                else _part_name(folder, found.get("Target", "")),
                external=outside,
            )
            for found in self.xml(source).iterfind("{*}Relationship")
        ]

    def main_part(self) -> str:
        """The name of the main document: relationships decide, never a name that is usual."""
        for relation in self.relations(""):
            if relation.kind == "officeDocument" and not relation.external:
                return relation.target
        raise Refused("not_word", "The file is a package, but not an Office document.")


def packed(flat: bytes) -> bytes:
    """A package that was saved as one XML file, as the archive it stands for. Raises `Refused`."""
    if len(flat) > MOST_BYTES_READ:
        raise Refused("too_large", "The document is larger than a form can be.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for part in parse(flat).iterfind(_FLAT + "part"):
            name, data = part.get(_FLAT + "name", "").lstrip("/"), part.find(_FLAT + "xmlData")
            if data is not None and len(data):
                archive.writestr(name, etree.tostring(data[0], encoding="UTF-8"))
            elif (binary := part.findtext(_FLAT + "binaryData")) is not None:
                archive.writestr(name, base64.b64decode(binary, validate=False))
    return buffer.getvalue()


def parse(content: bytes) -> etree._Element:
    """XML without document types, entities or network; strict names are read as transitional ones."""
    if b"<!DOCTYPE" in content[:4096]:
        raise Refused("doctype", "The document declares a document type, which Word never does.")
    if b"purl.oclc.org" in content:
        for strict, usual in _STRICT:
            content = content.replace(strict, usual)
    try:
        root = etree.fromstring(content, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        if getattr(error, "code", None) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        raise Refused("bad_xml", "The document is damaged: its XML cannot be read.") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused("doctype", "The document declares a document type, which Word never does.")
    return root


def attribute(at: etree._Element, name: str) -> str:
    """An attribute by its local name, whatever its namespace; "" where there is none."""
    return next((str(value) for key, value in at.attrib.items() if etree.QName(key).localname == name), "")


def _part_name(folder: str, target: str) -> str:
    path = target.replace("\\", "/").partition("?")[0].partition("#")[0]
    joined = path if path.startswith("/") else posixpath.join(folder, path)
    return posixpath.normpath(joined).lstrip("/")
