"""Seals on the ledger's lines: each line carries a hash over itself and over the line before it.

Personal content enters a line's hash only as a hash of its own, salted: once salt and content are
erased, nothing can be guessed back from what stays, and the chain still proves what happened and when.
Pure: hashing and checking, no storage.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from agent.procedure.entry import Entry
from agent.procedure.words import Happened, Json

START = "0" * 64  # stands where the first line of a desk has no line before it


@dataclass(frozen=True, slots=True)
class Link:
    """One line as it lies in the ledger: the entry and its seal. `salt` goes when the content goes."""

    desk: str
    entry: Entry
    salt: str | None = field(repr=False)
    content_hash: str
    previous: str
    hash: str


def canonical(value: Json | Mapping[str, Json]) -> str:
    """The one way to write a JSON value: plain ASCII, so that every database keeps every character."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def storable(text: str) -> str:
    """Text that every database can keep: half characters and NULs from broken mails become U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def utc_text(at: datetime) -> str:
    """A time in UTC in a fixed width, so that texts sort as times do. ValueError without a zone."""
    if at.utcoffset() is None:
        raise ValueError(f"The ledger keeps times with their zone only; {at.isoformat()} has none.")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def seal(desk: str, entry: Entry, seq: int, previous: str) -> Link:
    """Line `seq` of the desk's chain, after the one with the hash `previous` (START before the first).

    The entry comes back with its number and its values as they will be read: in UTC, as plain JSON.
    """
    line = replace(
        entry,
        seq=seq,
        alert=None if entry.alert is None else storable(entry.alert),
        at=datetime.fromisoformat(utc_text(entry.at)),
        source=storable(entry.source),
        facts=json.loads(canonical(entry.facts)),
        content=json.loads(canonical(entry.content or {})),
    )
    salt = secrets.token_hex(32)
    content_hash = hash_of_content(salt, line.content or {})
    return Link(desk, line, salt, content_hash, previous, hash_of_line(desk, line, content_hash, previous))


def hash_of_content(salt: str, content: Mapping[str, Json]) -> str:
    return _sha256("n2k content 1", salt, canonical(content))


def hash_of_line(desk: str, entry: Entry, content_hash: str, previous: str) -> str:
    line: dict[str, Json] = {
        "desk": desk,
        "seq": entry.seq,
        "alert": entry.alert,
        "at": utc_text(entry.at),
        "happened": entry.happened.value,
        "source": entry.source,
        "facts": dict(entry.facts),
        "content": content_hash,
    }
    return _sha256("n2k entry 1", previous, canonical(line))


def verify(links: Sequence[Link]) -> list[str]:
    """Where the chain of one desk is broken, a sentence for each place; empty when it is whole.

    `links` are all lines of the desk in order. What a chain cannot tell by itself is that lines are
    missing at its very end: compare the last line's hash with one that was kept elsewhere.
    """
    erased = _erased_up_to(link.entry for link in links)
    problems: list[str] = []
    seq, previous = 0, START
    for link in links:
        problems += _problems(link, seq + 1, previous, erased.get(link.entry.alert or "", 0))
        seq, previous = link.entry.seq, link.hash
    return problems


def _erased_up_to(entries: Iterable[Entry]) -> dict[str, int]:
    """For each erased alert, the number of the last line that says so."""
    return {entry.alert: entry.seq for entry in entries if entry.alert and entry.happened is Happened.ERASED}


def _problems(link: Link, seq: int, previous: str, erased_up_to: int) -> list[str]:
    entry, here = link.entry, f"Line {link.entry.seq} of desk {link.desk}"
    problems = []
    if entry.seq != seq:
        problems.append(f"{here} stands where line {seq} should be: lines were taken out or put in.")
    elif link.previous != previous:
        problems.append(f"{here} does not follow the line before it: one of the two was changed.")
    if hash_of_line(link.desk, entry, link.content_hash, link.previous) != link.hash:
        problems.append(f"{here} is not as it was written.")
    if entry.content is None or link.salt is None:
        if entry.seq > erased_up_to:
            problems.append(
                f"The content of line {entry.seq} of desk {link.desk} is gone, but was not erased."
            )
    elif hash_of_content(link.salt, entry.content) != link.content_hash:
        problems.append(f"The content of line {entry.seq} of desk {link.desk} is not as it was written.")
    return problems


def _sha256(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
