"""The sandbox's time: it stands still where it is put, or runs on from there."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """A clock that can be moved. `ticking` lets it run on in real time; else it moves only when told."""

    def __init__(self, start: datetime | None = None, ticking: bool = False) -> None:
        self.ticking = ticking
        self._lock = threading.Lock()
        self._put(start or datetime.now(UTC))

    def now(self) -> datetime:
        """The sandbox's time, aware, in UTC."""
        if not self.ticking:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._since)

    def set(self, moment: datetime) -> None:
        """Put the clock at an aware time, forwards or back."""
        self._put(moment)

    def advance(self, delta: timedelta) -> None:
        with self._lock:
            self._base += delta

    def _put(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError(f"The sandbox's clock needs a time with a zone, not {moment.isoformat()}.")
        with self._lock:
            self._base = moment.astimezone(UTC)
            self._since = time.monotonic()
