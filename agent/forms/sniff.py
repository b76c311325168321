"""What kind of file some bytes are. Their name is never asked: it is often wrong."""

from __future__ import annotations

import io
import re
import zipfile

import olefile

_STARTS = (
    (b"%PDF", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"\xff\xd8\xff", "image"),
    (b"\x89PNG", "image"),
    (b"GIF8", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"BM", "image"),
    (b"\x78\x9f\x3e\x22", "tnef"),
    (b"\x76\xe8\x04\x60\xc4\x11\xe3\x86", "rights_protected"),  # message.rpmsg
)
# a PDF says legibly by whose rules it is encrypted; only its own standard handler asks for a password
_PDF_RIGHTS = re.compile(rb"/Filter\s*/(?:MicrosoftIRMServices|Adobe\.APS|EBX_HANDLER|FOPN_fLock)")
_COMPOUNDS = (
    ("\tDRMContent", "rights_protected"),
    ("\tDRMViewerContent", "rights_protected"),
    ("EncryptedPackage", "encrypted"),
    ("WordDocument", "old_word"),
    ("Workbook", "spreadsheet"),
    ("Book", "spreadsheet"),
    ("PowerPoint Document", "presentation"),
    ("__properties_version1.0", "msg"),
)


def sniff(content: bytes) -> str:
    """What kind of file these bytes are: `package` for what may be a .docx; `old_word`, `pdf`, `zip`…"""
    if not content.strip(b"\0 \r\n\t"):
        return "empty"
    for start, kind in _STARTS:
        if content.startswith(start):
            return "rights_protected" if kind == "pdf" and _PDF_RIGHTS.search(content) else kind
    if content.startswith(b"PK"):
        return _sniff_zip(content)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _sniff_compound(content)
    if b"%PDF" in content[:1024]:
        return "pdf"
    start = content[:4096]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.decode("utf-16", "ignore").encode()
    return _sniff_text(start.lstrip(b"\xef\xbb\xbf \r\n\t").lower())


def _sniff_zip(content: bytes) -> str:
    start = content[30:90]
    if start.startswith(b"[Content_Types].xml"):
        return "package"
    if start.startswith(b"mimetypeapplication/vnd.oasis"):
        is_text = start.startswith(b"mimetypeapplication/vnd.oasis.opendocument.text")
        return "open_document" if is_text else "other_document"
    marked = b"[Content_Types].xml" in content
    if not marked:
        return "zip"
    try:  # an archive may hold a document whose own parts can be seen in its bytes
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "package" if "[Content_Types].xml" in archive.namelist() else "zip"
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        return "package"


def _sniff_compound(content: bytes) -> str:
    """Old Office files, encrypted new ones and saved mails share a container; its first level tells."""
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as ole:
            names = {entry.name.casefold() for entry in ole.root.kids}  # some programs write them in capitals
    except Exception:  # damaged: its directory may still be legible
        names = {name.casefold() for name, _ in _COMPOUNDS if name.encode("utf-16-le") in content}
    if "encryptedpackage" in names and "DRMEncrypted".encode("utf-16-le") in content:
        return "rights_protected"
    return next((kind for name, kind in _COMPOUNDS if name.casefold() in names), "unknown")


def _sniff_text(start: bytes) -> str:
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    if start.startswith(b"<?xml") and b"<pkg:package" in start:
        return "flat_package"
    return (
        "mail"
        if re.match(rb"(?:received|return-path|from|to|subject|date|mime-version|message-id):", start)
        else "unknown"
    )
