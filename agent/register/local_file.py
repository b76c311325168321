"""The register as a file in a folder of this machine or of a network drive.

The file is replaced whole and at once, so nobody ever sees half of it, and only while nobody has it open:
Excel and LibreOffice lay a file of their own beside one that they have open. A lock keeps a second agent
out while ours writes. `version` is the file's number, size and time: while these are the same, nothing is
read.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from agent.errors import ChangedMeanwhile, Locked, NeedsAPerson, NotFound, TryAgainLater
from agent.register.base import Book, Edits
from agent.register.bookbinder import Bookbinder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class LocalFile:
    """A register at `path`; its folder has to be there."""

    kind = "file"

    def __init__(self, path: Path, binder: Bookbinder) -> None:
        self._path, self._binder = path, binder

    def read(self, known_version: str | None) -> Book | None:
        version = self._version()
        if version is None:
            return Book(None)
        if version == known_version:
            return None
        return self._binder.opened(self._content(), version)

    def write(self, edits: Edits, expecting: str | None) -> Book:
        with self._alone():
            if self._version() != expecting:
                raise self._changed_meanwhile()
            before = self._content() if expecting else b""
            after = self._binder.edited(before, edits) if expecting else self._binder.fresh(edits)
            if after is before:
                return self._binder.opened(before, expecting)
            return self._laid(after, edits, expecting)

    def renew(self, edits: Edits) -> Book:
        with self._alone():
            version = self._version()
            if version is not None:
                self._keep_beside()
            return self._laid(self._binder.fresh(edits), edits, version)

    def _laid(self, content: bytes, edits: Edits, expecting: str | None) -> Book:
        """Lay a new content down, and prove that it stands there."""
        self._replace(content, expecting)
        version, there = self._version(), self._content()
        return self._binder.proved(there, version, edits, self._name)

    def kept_as(self) -> dict[str, str]:
        return {"kind": self.kind, "place": str(self._path), "item": ""}

    def copy(self) -> bytes:
        if self._version() is None:
            raise NotFound(f"There is no register {self._name} yet.")
        return self._content()

    def replace(self, content: bytes, onto: bytes | None) -> None:
        with self._alone():
            version = self._version()
            if (self._content() if version else None) != onto:
                raise self._changed_meanwhile()
            self._replace(content, version)

    # The file

    def _version(self) -> str | None:
        """What tells this very content from any other; None when there is no file."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            self._want_folder()
            return None
        except OSError as wrong:
            raise self._unreachable(wrong) from wrong
        return f"{there.st_ino}-{there.st_size}-{there.st_mtime_ns}"

    def _content(self) -> bytes:
        try:
            return self._path.read_bytes()
        except FileNotFoundError as wrong:
            raise self._changed_meanwhile() from wrong
        except PermissionError as wrong:  # Windows: somebody has it open for themselves alone
            raise self._locked() from wrong
        except OSError as wrong:
            raise self._unreachable(wrong) from wrong

    def _replace(self, content: bytes, expecting: str | None) -> None:
        """Lay `content` in the file's place, all or nothing, and on the disk before anything is said."""
        new = self._beside(".new")
        try:
            with new.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if expecting:
                shutil.copymode(self._path, new)
            if self._version() != expecting:  # somebody may have saved while we wrote
                raise self._changed_meanwhile()
            new.replace(self._path)
            _settle(self._path.parent)
        except PermissionError as wrong:
            raise self._locked() from wrong
        except OSError as wrong:
            raise self._unreachable(wrong) from wrong
        finally:
            with suppress(OSError):
                new.unlink()

    def _keep_beside(self) -> None:
        """Keep a copy of the file under a name of its own."""
        stem, kind = self._path.stem, self._path.suffix
        names = (self._path.with_name(f"{stem} (old {number}){kind}") for number in count(1))
        copy = next(name for name in names if not name.exists())
        try:
            shutil.copy2(self._path, copy)
        except OSError as wrong:
            raise self._unreachable(wrong) from wrong

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Locked while somebody has the workbook open, or another agent writes to it."""
        self._want_folder()
        name = self._path.name
        if any((self._path.parent / mark).exists() for mark in (f"~${name}", f".~lock.{name}#")):
            raise self._locked()
        try:
            file = self._beside(".lock").open("ab")
        except OSError as wrong:
            raise self._unreachable(wrong) from wrong
        with file:
            if not _lock(file):
                raise self._locked()
            yield

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(f".{self._path.name}{ending}")

    def _want_folder(self) -> None:
        if not self._path.parent.is_dir():
            raise NeedsAPerson(
                f"The folder of the register {self._name} is not there. Make it, connect its drive, or "
                "correct `register.path` in the desk's configuration."
            )

    # Sentences

    @property
    def _name(self) -> str:
        return f"“{self._path}”"

    def _locked(self) -> Locked:
        return Locked(
            f"The register {self._name} is open in Excel or in another program. What is to be written is "
            "kept, and written when it has been closed."
        )

    def _changed_meanwhile(self) -> ChangedMeanwhile:
        return ChangedMeanwhile(f"Somebody changed the register {self._name} meanwhile; it is read afresh.")

    def _unreachable(self, wrong: OSError) -> TryAgainLater:
        return TryAgainLater(f"The register {self._name} cannot be used: {wrong.strerror or wrong}.")


def _lock(file: BinaryIO) -> bool:
    """Lock a file until it is closed; False while another program has it locked.

    A share that knows no locks is no reason not to write: who works at a desk is kept in the ledger.
    """
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as wrong:
        return wrong.errno not in _HELD
    return True


def _settle(folder: Path) -> None:
    """A new name in a folder survives a power cut once the folder itself is on the disk."""
    if sys.platform != "win32":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
