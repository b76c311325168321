"""What somebody needs who is to help from afar, in one file, without secrets or anything personal."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
import zipfile
from collections import Counter, deque
from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from agent import __version__
from agent.bootstrap import Clock
from agent.configuration import load, shipped
from agent.doctor.examine import examine, shown
from agent.errors import AgentError, BadConfiguration
from agent.ledger.base import DeskLedger, Ledger
from agent.ledger.schema import HEAD
from agent.ledger_at_hand import ledger_at_hand
from agent.settings import Settings
from agent.verbs.status import status

LOG_LINES = 2000
GIVEN = "(given)"

# Of these settings the bundle says only whether something is told.
HIDDEN = frozenset(
    (
        *("id", "client", "certificate", "assertion_file", "secret_from", "ca_file", "mail_link"),
        *("ledger_secret_from", "rehearse_to", "heartbeat", "mailbox", "aliases", "allowed_domains", "left"),
        *("site", "path", "name", "address", "deputy", "away_until"),
    )
)
ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
HOME = re.compile(r"(?i)([/\\](?:home|users)[/\\])[^/\\\s:]+")


def support_bundle(folder: Path, to: Path, clock: Clock, log: Path | None = None) -> Iterator[str]:
    """Write the bundle; sentences on what it holds. FileExistsError when something lies at `to` already.

    Beside what is left out from the start, names that configuration and ledger know, and all addresses, are
    blotted out wherever they should turn up, be it in a sentence of the doctor's or a line of the log.
    """
    settings = _settings(folder)
    parts = dict(_parts(folder, settings, clock, log))
    blot = _Blot(_names(settings))
    with zipfile.ZipFile(to, "x", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in parts.items():
            bundle.writestr(name, blot(text))
    yield f"Written to {to}: {', '.join(parts)}."
    yield "Names, addresses and secrets are left out. Look through it before you hand it on."


def _settings(folder: Path) -> Settings | None:
    try:
        return load(folder)
    except BadConfiguration:  # the doctor tells why
        return None


def _parts(
    folder: Path, settings: Settings | None, clock: Clock, log: Path | None
) -> Iterator[tuple[str, str]]:
    yield "versions.txt", "\n".join(_versions())
    yield "files.txt", "\n".join(_files(folder))
    yield "doctor.txt", "\n".join(shown(list(examine(folder, clock))))
    if settings:
        told = {"agent": asdict(settings.agent), "desks": {k: asdict(v) for k, v in settings.desks.items()}}
        yield "settings.json", _json(_open(told))
        yield "status.txt", "\n".join(_status(settings, clock().date()))
        yield "ledger.json", _json(_ledger(settings))
    if log:
        with log.open(encoding="utf-8", errors="replace") as lines:
            yield "log.txt", "".join(deque(lines, LOG_LINES))


def _versions() -> Iterator[str]:
    yield f"need-to-know-agent {__version__}, schema of the ledger {HEAD}"
    yield f"Python {sys.version}"
    yield platform.platform()
    yield from sorted({f"{one.name}=={one.version}" for one in metadata.distributions()}, key=str.casefold)


def _files(folder: Path) -> Iterator[str]:
    """Each file of configuration and wording: as it comes, changed, or of their own."""
    config, templates = shipped()
    kinds = ("**/*.toml", "*.json", f"{templates.name}/**/*.txt", f"{templates.name}/**/*.html")
    for path in sorted(path for kind in kinds for path in folder.glob(kind)):
        name = path.relative_to(folder)
        original = templates.parent / name if name.parts[0] == templates.name else config / name
        if not original.is_file():
            state = "their own"
        else:
            state = "as it comes" if _digest(original) == _digest(path) else "changed"
        yield f"{state:<12} {name.as_posix()}"


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _open(told: Any) -> Any:
    """Settings as they may be shown."""
    if isinstance(told, dict):
        return {key: GIVEN if key in HIDDEN and value else _open(value) for key, value in told.items()}
    if isinstance(told, list | tuple):
        return [_open(one) for one in told]
    return told


def _status(settings: Settings, today: date) -> Iterator[str]:
    try:
        yield from status(settings, today)
    except AgentError as wrong:
        yield str(wrong)


def _ledger(settings: Settings) -> dict[str, Any]:
    """How many there are of each kind, by desk."""
    try:
        with ledger_at_hand(settings) as ledger:
            return {name: _counts(ledger.desk(name)) for name in settings.desks}
    except AgentError as wrong:
        return {"not read": str(wrong)}


def _counts(desk: DeskLedger) -> dict[str, Any]:
    return {
        "lines": Counter(entry.happened.value for entry in desk.entries()),
        "mails": Counter(mail.outcome for mail in desk.mails()),
        "letters": Counter(f"{letter.kind} {letter.state.value}" for letter in desk.letters()),
        "questions": Counter(asked.question.code for asked in desk.questions(waiting_only=False)),
        "waiting questions": len(desk.questions()),
        "troubles of the chain": len(desk.verify()),
    }


def _names(settings: Settings | None) -> set[str]:
    """Whoever configuration and ledger know by name."""
    if settings is None:
        return set()
    names = {person.name for desk in settings.desks.values() for person in desk.people}
    try:
        with ledger_at_hand(settings) as ledger:
            names |= set(_children(ledger, settings.desks))
    except AgentError:  # told elsewhere in the bundle
        pass
    return names


def _children(ledger: Ledger, desks: Collection[str]) -> Iterator[str]:
    for name in desks:
        for alert in ledger.desk(name).alerts().values():
            for child in alert.children:
                yield from (one.name for one in (child, *child.formerly))


class _Blot:
    """Blots out names, whole or in parts, and every mail address."""

    def __init__(self, names: Collection[str]) -> None:
        words = {word for name in names for word in re.findall(r"[^\W\d_]{3,}", name)}
        longest_first = sorted(words, key=len, reverse=True)
        self._names = re.compile(rf"(?i)\b(?:{'|'.join(map(re.escape, longest_first))})\b") if words else None

    def __call__(self, text: str) -> str:
        text = HOME.sub(r"\1…", ADDRESS.sub("(address)", text))
        return self._names.sub("(name)", text) if self._names else text


def _json(told: Any) -> str:
    return json.dumps(told, indent=2, ensure_ascii=False, default=str)
