"""Documents that nobody can read: cut short on their way, or locked with a password."""

from __future__ import annotations

import hashlib
import struct

_END, _FREE, _FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_SECTOR = 512
_STREAM = 4096  # the smallest stream that needs no "mini" sectors
_SECTORS = _STREAM // _SECTOR


def cut_short(content: bytes) -> bytes:
    """The file as it arrives when the connection broke: its beginning, and not its end."""
    return content[: len(content) * 3 // 5]


def password_protected() -> bytes:
    """A Word document that was saved with a password: an OLE file around an encrypted package.

    The container is real ([MS-CFB], as Office writes it); what is "encrypted" is noise.
    """
    directory = (
        _entry("Root Entry", 5, child=1)
        + _entry("EncryptionInfo", 2, right=2, start=2)
        + _entry("EncryptedPackage", 2, start=2 + _SECTORS)
        + _entry("", 0)
    )
    chain = [_END, _FAT, *_chain(2), *_chain(2 + _SECTORS)]
    fat = struct.pack("<128I", *chain, *[_FREE] * (128 - len(chain)))
    return _header() + directory + fat + _noise("info") + _noise("package")


def _header() -> bytes:
    return struct.pack(
        "<8s16sHHHHH6xIIIIIIIII109I",
        bytes.fromhex("D0CF11E0A1B11AE1"),
        b"",
        0x3E,  # minor and major version
        3,
        0xFFFE,  # byte order
        9,  # sectors of 512 bytes, mini sectors of 64
        6,
        0,
        1,  # one FAT sector
        0,  # the directory is sector 0
        0,
        _STREAM,
        _END,
        0,
        _END,
        0,
        *[1, *[_FREE] * 108],  # the FAT is sector 1
    )


def _entry(name: str, kind: int, *, right: int = _NONE, child: int = _NONE, start: int = 0) -> bytes:
    stored = (name + "\0").encode("utf-16-le") if name else b""
    size = _STREAM if kind == 2 else 0
    first = _END if kind == 5 else start
    return struct.pack(
        "<64sHBBIII16sIQQIQ", stored, len(stored), kind, 1, _NONE, right, child, b"", 0, 0, 0, first, size
    )


def _chain(first: int) -> list[int]:
    return [*range(first + 1, first + _SECTORS), _END]


def _noise(seed: str) -> bytes:
    blocks = (hashlib.sha256(f"{seed}{number}".encode()).digest() for number in range(_STREAM // 32))
    return b"".join(blocks)
