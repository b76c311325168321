"""winmail.dat (TNEF), in which Outlook wraps what it sends: read by hand, every length checked."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.forms.mapi import ANSI, DATA, FIXED, UNICODE, Attached, Item, Value, decoded, in_page, text
from agent.forms.units import Refused

SIGNATURE = b"\x78\x9f\x3e\x22"
MOST_ATTRIBUTES = 10_000
MOST_VALUES = 100_000
DEEPEST = 5

_SUBJECT, _BODY, _PROPERTIES, _PAGE = 0x00018004, 0x0002800C, 0x00069003, 0x00069007
_BEGINS, _TITLE, _CONTENT, _ABOUT = 0x00069002, 0x00018010, 0x0006800F, 0x00069005
_OBJECT, _BINARY, _MANY, _NAMED = 0x0D, 0x102, 0x1000, 0x8000
_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")  # what an embedded message says it is


def read_tnef(content: bytes, depth: int = 0) -> Item:
    """The item inside. Raises `Refused("bad_tnef")` where it is damaged, `too_deep` and `too_large`."""
    if depth > DEEPEST:
        raise Refused("too_deep", "Messages are nested too deeply in the winmail.dat file.")
    reader = _Reader(depth)
    for number, data in _attributes(content):
        reader.take(number, data)
    return Item(reader.about, (), [one for one in reader.attached if one.content or one.item])


@dataclass
class _Reader:
    depth: int
    page: int = 1252
    about: dict[int, Value] = field(default_factory=dict)
    attached: list[Attached] = field(default_factory=list)

    def take(self, number: int, data: bytes) -> None:
        if number == _PAGE and len(data) >= 4:
            self.page = int.from_bytes(data[:4], "little")
        elif number == _PROPERTIES:
            self.about |= self._properties(data)
        elif number in (_SUBJECT, _BODY):
            self.about.setdefault(0x0037 if number == _SUBJECT else 0x1000, self._text(data))
        elif number == _BEGINS:
            self.attached.append(Attached())
        elif number in (_TITLE, _CONTENT, _ABOUT):
            self._attach(number, data)

    def _attach(self, number: int, data: bytes) -> None:
        if not self.attached:
            self.attached.append(Attached())
        attached = self.attached[-1]
        if number == _TITLE:
            attached.title = self._text(data)
        elif number == _CONTENT:
            attached.content = attached.content or data
        else:
            attached.about = self._properties(data)
            self._object(attached)

    def _object(self, attached: Attached) -> None:
        """An attachment that is kept as an object: another message, or a file after 16 bytes of name."""
        value = attached.about.get(DATA)
        if not isinstance(value, bytes) or len(value) <= 16:
            return
        if value.startswith(_MESSAGE):
            attached.item = read_tnef(value[16:], self.depth + 1)
            attached.title = attached.title or text(attached.item.about, 0x0037)
        elif not attached.content:
            attached.content = value[16:]

    def _text(self, data: bytes) -> str:
        return in_page(data, self.page).rstrip("\0")

    def _properties(self, data: bytes) -> dict[int, Value]:
        return {number: decoded(value, kind, self.page) for number, kind, value in _Values(data).properties()}


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    if not content.startswith(SIGNATURE) or len(content) < 15:
        raise _bad()
    at = 6
    for _ in range(MOST_ATTRIBUTES):
        if at + 9 > len(content):
            return
        _, number, length = struct.unpack_from("<BII", content, at)
        at += 9
        if at + length > len(content):
            raise _bad()
        yield number, content[at : at + length]
        at += length + 2
    raise Refused("too_large", "The winmail.dat file has far more parts than a mail can hold.")


class _Values:
    """Walks a block of properties, never past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._left = MOST_VALUES

    def properties(self) -> Iterator[tuple[int, int, bytes]]:
        """Number, type and bytes of each property; of those with many values the first."""
        for _ in range(self._number(4)):
            kind, number = self._number(2), self._number(2)
            if number >= _NAMED:
                self._skip_name()
            values = self._values(kind)
            if values:
                yield number, kind & ~_MANY, values[0]

    def _values(self, kind: int) -> list[bytes]:
        plain = kind & ~_MANY
        if plain in FIXED:
            many = self._number(4) if kind & _MANY else 1
            return [self._bytes(FIXED[plain], padded=True) for _ in range(self._few(many))]
        if plain not in (UNICODE, ANSI, _BINARY, _OBJECT):
            raise _bad()
        return [self._bytes(self._number(4), padded=True) for _ in range(self._few(self._number(4)))]

    def _few(self, many: int) -> int:
        self._left -= many
        if self._left < 0 or many > len(self._data):
            raise _bad()
        return many

    def _skip_name(self) -> None:
        self._bytes(16)
        if self._number(4):
            self._bytes(self._number(4), padded=True)
        else:
            self._number(4)

    def _number(self, size: int) -> int:
        return int.from_bytes(self._bytes(size), "little")

    def _bytes(self, size: int, *, padded: bool = False) -> bytes:
        start, end = self._at, self._at + size
        if end > len(self._data):
            raise _bad()
        self._at = end + (-size % 4 if padded else 0)
        return self._data[start:end]


def _bad() -> Refused:
    return Refused("bad_tnef", "The winmail.dat file is damaged. Please ask for the form itself.")
