"""Ids as Exchange makes them: long, opaque, case-sensitive, and the same again in a repeated run."""

from __future__ import annotations

import base64
import hashlib
import uuid


class Mint:
    """Makes ids in sequence: never one twice, always the same row of them for the same seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def _bytes(self, length: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{self._seed}:{self._count}".encode()).digest(length)

    def _id(self, prefix: str, length: int) -> str:
        return prefix + base64.urlsafe_b64encode(self._bytes(length)).decode().rstrip("=") + "AAA="

    def item(self) -> str:
        """A default id of a mail: good until the mail is moved or sent."""
        return self._id("AAMkAG", 105)

    def immutable(self) -> str:
        """An immutable id of a mail."""
        return self._id("AAkALgAA", 78)

    def folder(self) -> str:
        return self._id("AQMkAG", 81)

    def attachment(self) -> str:
        return self._id("AAMkAGF0", 117)

    def change_key(self) -> str:
        return "CQAAAB" + base64.b64encode(self._bytes(12)).decode()

    def message_id(self, domain: str) -> str:
        """An Internet-Message-ID with its angle brackets."""
        return f"<{self._bytes(12).hex().upper()}@{domain}>"

    def conversation(self) -> bytes:
        """The 16 bytes by which a conversation is known."""
        return self._bytes(16)

    def guid(self) -> str:
        return str(uuid.UUID(bytes=self._bytes(16), version=4))
