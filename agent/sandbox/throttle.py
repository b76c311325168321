"""Outlook's limits for one application on one mailbox: requests at a time, and requests in a while.

Both run in real time, as the waiting does that they ask for.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from agent.sandbox.answers import Refused


class Throttle:
    """The counters. Only the server's own thread uses them; the limits may be set from any."""

    def __init__(self, on: bool = True) -> None:
        self.on = on
        self.at_a_time = 4
        self.requests = 10_000
        self.window = 600.0
        self.retry_after = 1.0
        self._in_flight: Counter[str] = Counter()
        self._recent: dict[str, deque[float]] = {}

    @contextmanager
    def place(self, mailbox: str) -> Iterator[None]:
        """A place among the requests in flight for a mailbox; Refused (429) when there is none."""
        if self.on:
            self._count(mailbox)
        self._in_flight[mailbox] += 1
        try:
            yield
        finally:
            self._in_flight[mailbox] -= 1

    def _count(self, mailbox: str) -> None:
        """Usage accrues while throttled: a request that is refused counts too."""
        now = time.monotonic()
        recent = self._recent.setdefault(mailbox, deque())
        recent.append(now)
        while recent[0] <= now - self.window:
            recent.popleft()
        if self._in_flight[mailbox] >= self.at_a_time:
            raise self._refusal("MailboxConcurrency", self.retry_after)
        if len(recent) > self.requests:
            raise self._refusal("MailboxRequests", max(1.0, round(recent[0] + self.window - now)))

    @staticmethod
    def _refusal(limit: str, wait: float) -> Refused:
        return Refused(429, "ApplicationThrottled", f"Application is over its {limit} limit.", wait)
