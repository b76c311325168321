"""A mail that Outlook saved as a file (.msg) → the item inside."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping

import olefile

from agent.forms.mapi import (
    ANSI,
    CODE_PAGE,
    DATA,
    FIXED,
    INTERNET_CODE_PAGE,
    UNICODE,
    Attached,
    Item,
    Value,
    decoded,
    number,
)
from agent.forms.units import Refused

DEEPEST = 5
MOST_BYTES = 100_000_000
MOST_STREAMS = 20_000

_PROPERTIES = "__properties_version1.0"
_STREAM = "__substg1.0_"

Path = tuple[str, ...]


def read_msg(content: bytes) -> Item:
    """The item in a .msg file. Raises `Refused("bad_msg")` where it is damaged."""
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as ole:
            return _Reader(ole).item((), 0)
    except Refused:
        raise
    except Exception as error:  # the library raises whatever a damaged file provokes
        raise Refused("bad_msg", "The saved mail is damaged: it cannot be opened.") from error


class _Reader:
    def __init__(self, ole: olefile.OleFileIO) -> None:
        self._ole = ole
        self._read = 0
        self._inside: dict[Path, list[str]] = {}
        entries = ole.listdir(streams=True, storages=True)
        if len(entries) > MOST_STREAMS:
            raise Refused("too_large", "The saved mail has far more parts than a mail can hold.")
        for entry in entries:
            self._inside.setdefault(tuple(entry[:-1]), []).append(entry[-1])

    def item(self, at: Path, depth: int) -> Item:
        """The message in folder `at`."""
        if depth > DEEPEST:
            raise Refused("too_deep", "Mails are nested too deeply in the saved mail.")
        about = self._properties(at, 24 if at else 32, {})
        if not about:
            raise Refused("not_a_mail", "It is an Outlook file, but not a mail.")
        recipients = [
            self._properties((*at, name), 8, about) for name in self._folders(at, "__recip_version1.0_")
        ]
        attached = [
            self._attached((*at, name), about, depth) for name in self._folders(at, "__attach_version1.0_")
        ]
        return Item(about, recipients, attached)

    def _attached(self, at: Path, owner: Mapping[int, Value], depth: int) -> Attached:
        about = self._properties(at, 8, owner)
        folder = next((name for name in self._inside.get(at, ()) if name[12:].upper() == "3701000D"), None)
        inside = (*at, folder) if folder else ()
        if folder and _PROPERTIES in self._inside.get(inside, ()):
            return Attached(about, item=self.item(inside, depth + 1))
        content = about.get(DATA, b"")
        return Attached(about, content if isinstance(content, bytes) else b"")

    def _folders(self, at: Path, start: str) -> Iterator[str]:
        return (name for name in sorted(self._inside.get(at, ())) if name.lower().startswith(start))

    def _properties(self, at: Path, header: int, owner: Mapping[int, Value]) -> dict[int, Value]:
        """All properties of one folder. `owner` knows the code page, where the folder does not say."""
        about: dict[int, Value] = {}
        names = self._inside.get(at, ())
        if _PROPERTIES in names:
            about |= _fixed(self._stream((*at, _PROPERTIES))[header:])
        page = number(about, CODE_PAGE) or number(about, INTERNET_CODE_PAGE)
        page = page or number(owner, CODE_PAGE) or number(owner, INTERNET_CODE_PAGE) or 1252
        for name in names:
            told = _told(name)
            if told and (told[1] == UNICODE or told[0] not in about):
                about[told[0]] = decoded(self._stream((*at, name)), told[1], page)
        return about

    def _stream(self, at: Path) -> bytes:
        with self._ole.openstream(list(at)) as stream:
            content = bytes(stream.read(MOST_BYTES))
        self._read += len(content)
        if self._read > MOST_BYTES:
            raise Refused("too_large", f"The saved mail unpacks to more than {MOST_BYTES // 1_000_000} MB.")
        return content


def _told(name: str) -> tuple[int, int] | None:
    """Number and type of the property that a stream called `name` holds; None where it holds none."""
    if not name.lower().startswith(_STREAM) or len(name) != len(_STREAM) + 8:
        return None
    try:
        number_, kind = int(name[12:16], 16), int(name[16:20], 16)
    except ValueError:
        return None
    return (number_, kind) if kind in (UNICODE, ANSI, 0x102) else None


def _fixed(content: bytes) -> dict[int, Value]:
    """The properties whose values are short enough to stand in the list itself."""
    about: dict[int, Value] = {}
    for at in range(0, len(content) - 15, 16):
        kind, number_ = struct.unpack_from("<HH", content, at)
        size = FIXED.get(kind, 0)
        if 0 < size <= 8:
            about[number_] = decoded(content[at + 8 : at + 8 + size], kind)
    return about
