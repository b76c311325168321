"""Every request and its answer, kept in memory up to a bound."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

KEPT_HEADERS = (
    "authorization",
    "client-request-id",
    "content-range",
    "content-type",
    "if-match",
    "if-none-match",
    "prefer",
    "user-agent",
    "workbook-session-id",
)


@dataclass
class Exchange:
    """One request and its answer. `status` is None while it runs and when its connection was cut.

    `seconds` is real time; `fault` names what was ordered for it, if anything. Tokens are not kept.
    """

    number: int
    at: datetime
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = field(default=b"", repr=False)
    mailbox: str = ""
    status: int | None = None
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    fault: str = ""
    applied: bool = False

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def json(self) -> Any:
        """The request's body, None when it has none or is not JSON."""
        return _json(self.body)

    def response_json(self) -> Any:
        return _json(self.response_body)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


class RequestLog:
    """The last `keep` exchanges, and the bodies of as many as fit into `keep_bytes`.

    `bodies` off keeps no bodies from then on.
    """

    def __init__(self, keep: int = 20_000, keep_bytes: int = 256 * 1024 * 1024) -> None:
        self.bodies = True
        self.count = 0
        self._keep_bytes = keep_bytes
        self._bytes = 0
        self._with_bodies: deque[Exchange] = deque()
        self._entries: deque[Exchange] = deque(maxlen=keep)

    @property
    def entries(self) -> list[Exchange]:
        return list(self._entries)

    def clear(self) -> None:
        self._entries.clear()
        self._with_bodies.clear()
        self._bytes = 0

    def opened(
        self, at: datetime, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> Exchange:
        self.count += 1
        kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
        if "authorization" in kept:
            kept["authorization"] = kept["authorization"].partition(" ")[0] + " (not kept)"
        known = b"" if path.endswith("/oauth2/v2.0/token") or not self.bodies else body
        exchange = Exchange(self.count, at, method, path, query, kept, known)
        self._entries.append(exchange)
        return exchange

    def closed(self, exchange: Exchange, status: int, headers: dict[str, str], body: bytes) -> None:
        exchange.status = status
        exchange.response_headers = headers
        if not self.bodies or exchange.path.endswith("/oauth2/v2.0/token"):
            return
        exchange.response_body = body
        self._with_bodies.append(exchange)
        self._bytes += len(exchange.body) + len(body)
        while self._bytes > self._keep_bytes:
            oldest = self._with_bodies.popleft()
            self._bytes -= len(oldest.body) + len(oldest.response_body)
            oldest.body = oldest.response_body = b""
