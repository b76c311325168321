"""Files that only carry others (zip, winmail.dat, saved mails) → what they carry, within a budget."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from agent.forms.mapi import BODY, file_part, message_of, text
from agent.forms.msg import read_msg
from agent.forms.package import BROKEN_ZIP
from agent.forms.sniff import sniff
from agent.forms.tnef import read_tnef
from agent.forms.units import Refused

CARRIERS = frozenset(("zip", "tnef", "msg"))
HIGHEST_RATIO = 200  # of what is unpacked to what was packed, for files over a megabyte
_NO_DOCUMENTS = ("__macosx/", "thumbs.db", ".ds_store")


@dataclass
class Budget:
    """What one mail may unpack to, all its containers together."""

    parts: int = 200
    size: int = 100_000_000  # bytes

    def take(self, size: int) -> None:
        """Raises `Refused` when it is used up."""
        self.parts -= 1
        self.size -= size
        if self.parts < 0:
            raise Refused("too_many_parts", "It holds far more files than a mail with forms would.")
        if self.size < 0:
            raise Refused("too_large", "It unpacks to far more than a mail with forms would hold.")


@dataclass(frozen=True)
class File:
    """A file that was carried."""

    name: str
    content: bytes


def carried(content: bytes, kind: str, budget: Budget) -> Iterator[File | Message | str]:
    """What `content`, a carrier of the given kind, holds: files, whole mails and text, one level deep.

    Raises `Refused` where it is damaged, encrypted or larger than the budget allows.
    """
    if kind == "zip":
        yield from _zipped(content, budget)
    elif kind == "tnef":
        yield from _wrapped(content, budget)
    else:
        yield saved_mail(content, budget)


def saved_mail(content: bytes, budget: Budget) -> Message:
    """The mail in a .msg file."""
    budget.take(len(content))
    return message_of(read_msg(content))


def check(content: bytes) -> None:
    """Raises `Refused` for a carrier that cannot be unpacked, with the reason; else does nothing."""
    for _ in carried(content, sniff(content), Budget()):
        pass


def _wrapped(content: bytes, budget: Budget) -> Iterator[File | Message | str]:
    item = read_tnef(content)
    yield text(item.about, BODY)
    for attached in item.attached:
        budget.take(len(attached.content))
        if attached.item is not None:
            yield message_of(attached.item)
        else:
            yield File(attached.name or str(file_part(attached).get_filename()), attached.content)


def _zipped(content: bytes, budget: Budget) -> Iterator[File]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise Refused("bad_zip", "The archive is damaged or incomplete: it cannot be unpacked.") from error
    if len(entries) > 10 * Budget.parts:
        raise Refused("too_many_parts", "The archive holds far more files than a mail with forms would.")
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if entry.is_dir() or name.lower().startswith(_NO_DOCUMENTS[0]):
            continue
        if name.rpartition("/")[2].lower() in _NO_DOCUMENTS:
            continue
        if entry.flag_bits & 1:
            raise Refused("encrypted", "The archive is protected by a password. Please send it unprotected.")
        yield File(name.rpartition("/")[2], _unzipped(archive, entry, budget))


def _unzipped(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget) -> bytes:
    """One file, its bytes counted as they come: sizes in the directory may lie."""
    most = max(1_000_000, HIGHEST_RATIO * entry.compress_size)
    try:
        with archive.open(entry) as packed:
            content = packed.read(min(budget.size, most) + 1)
    except BROKEN_ZIP as error:
        raise Refused("bad_zip", "The archive is damaged: a file in it cannot be unpacked.") from error
    budget.take(len(content))
    if len(content) > most:
        raise Refused("ratio", "The archive is packed so tightly that it looks made to do harm.")
    return content
