"""A configuration that was changed is taken up without a restart: read and checked first, or else refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from agent.configuration import load
from agent.errors import AgentError, BadConfiguration
from agent.letters.trial import trial_letters
from agent.letters.writer import Writer
from agent.log import logger
from agent.m365.credential import credential_of
from agent.settings import Settings
from agent.settings_checks import missing_for_work

log = logger()

LOOK_SECONDS = 5.0  # between two looks at the files

Seen = tuple[tuple[str, int, int], ...]


class Reloading:
    """Watches over the files of the configuration that an agent works by.

    A change counts once two looks in a row found the same: whoever edits several files is not cut short.
    `asked` may be set to have them read at the next look, changed or not.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known = self._last = _files(settings)
        self._looked = time.monotonic()
        self.asked = threading.Event()

    def news(self) -> Settings | None:
        """The configuration as it is from now on; None as long as nothing changed, or it cannot be used.

        Why it cannot be used goes to the log, once; the one before stays.
        """
        if not self._is_time():
            return None
        before = self._settings
        try:
            self._settings = checked(before)
        except (AgentError, OSError) as wrong:  # OSError: a file that the agent may not read
            problems = wrong.problems if isinstance(wrong, BadConfiguration) else [str(wrong)]
            log.error("settings.refused", problems=problems)
            return None
        if _files(before) != self._known:  # edited while it was read
            self.asked.set()
        self._known = self._last = _files(self._settings)
        log.info("settings.changed", desks=list(self._settings.desks), mode=self._settings.agent.mode)
        return self._settings

    def _is_time(self) -> bool:
        if self.asked.is_set():
            self.asked.clear()
            self._known = self._last = _files(self._settings)
            return True
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return False
        self._looked, before, self._last = time.monotonic(), self._last, _files(self._settings)
        if self._last == self._known or self._last != before:
            return False
        self._known = self._last
        return True


def checked(settings: Settings) -> Settings:
    """The configuration in the same folder as it stands now. BadConfiguration with all its problems."""
    new = load(settings.folder)
    problems = [*missing_for_work(new), *_unchangeable(settings, new), *_letters(new)]
    try:
        credential_of(new.agent.tenant)
    except BadConfiguration as wrong:
        problems += wrong.problems
    if problems:
        raise BadConfiguration(problems)
    return new


def _unchangeable(old: Settings, new: Settings) -> Iterator[str]:
    before, now = old.agent, new.agent
    for key, changed in (
        ("ledger", before.ledger != now.ledger or before.ledger_secret_from != now.ledger_secret_from),
        ("watched.listen", before.watched.listen != now.watched.listen),
    ):
        if changed:
            yield f"agent.toml: `{key}` was changed, which counts only from a start on. Restart the agent."


def _letters(settings: Settings) -> list[str]:
    problems = [
        problem
        for desk in settings.desks.values()
        for one in trial_letters(
            Writer(settings.templates_of(desk), settings.procedure_of(desk), desk.mailbox),
            settings.procedure_of(desk),
        )
        for problem in one.problems
    ]
    return list(dict.fromkeys(problems))


def _files(settings: Settings) -> Seen:
    """What a change of the configuration shows in: each file's name, time and size."""
    tenant = settings.agent.tenant
    named = (tenant.certificate, tenant.ca_file, tenant.secret_from.removeprefix("file:"))
    folder = settings.folder
    # by name: a log or a ledger may lie beside them
    read = (folder.rglob("*.toml"), folder.glob("*.json"), (folder / "mail_templates").rglob("*.*"))
    paths = sorted({*chain(*read), *map(Path, filter(None, named))})
    return tuple(filter(None, map(_file, paths)))


def _file(path: Path) -> tuple[str, int, int] | None:
    try:
        told = path.stat()
    except OSError:  # gone just now
        return None
    return str(path), told.st_mtime_ns, told.st_size
