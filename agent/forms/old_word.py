"""Documents of old kinds: .doc and .rtf, read as the .docx that LibreOffice makes of them."""

from __future__ import annotations

import io
from functools import lru_cache

import olefile

from agent.forms.convert import to_docx
from agent.forms.docx import read_docx
from agent.forms.units import Document, Refused

_as_docx = lru_cache(maxsize=1)(to_docx)  # several desks may read the same document, one after the other

_ENCRYPTED = 0x0100  # a flag at byte 10 of a .doc's main stream


def read_old(content: bytes, kind: str) -> Document:
    """The units of an old Word document (`old_word`) or Rich Text (`rtf`). Raises `Refused`."""
    if kind == "rtf":
        return read_docx(_as_docx(content, "rtf"))
    if _is_encrypted(content):
        raise Refused("encrypted", "The document is protected by a password. Please send it unprotected.")
    return read_docx(_as_docx(content, "doc"))


def _is_encrypted(content: bytes) -> bool:
    try:
        with (
            olefile.OleFileIO(io.BytesIO(content)) as ole,
            ole.openstream("WordDocument") as main,
        ):
            start = main.read(12)
    except Exception as error:  # the library raises whatever a damaged file provokes
        raise Refused("bad_document", "The document is damaged: it cannot be opened.") from error
    return bool(int.from_bytes(start[10:12], "little") & _ENCRYPTED)
