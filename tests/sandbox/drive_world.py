"""A sandbox library with one workbook in it, and a caller that speaks ASGI to its routes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from agent.sandbox.answers import Refused
from agent.sandbox.drive import Drive, Drives, Item, Site, drive_routes
from agent.sandbox.habits import Habits

HOST = "nctrust.sharepoint.example"
BOOK = "Need to Know.xlsx"
BASE = "https://127.0.0.1:4000"


class MovedClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.time = datetime(2026, 4, 20, 7, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def go_on(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass(frozen=True)
class Answer:
    """One response; `said` is its JSON."""

    method: str
    url: str
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def said(self) -> Any:
        return json.loads(self.body)

    @property
    def is_json(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/json")


@dataclass
class World:
    """A tenant with one site, and every exchange that was had with it."""

    clock: MovedClock = field(default_factory=MovedClock)
    exchanges: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.drives = Drives(self.clock)
        self.habits = Habits()
        self.site: Site = self.drives.add_site(HOST, "/sites/need-to-know", "Need to Know")
        self.drive: Drive = self.site.drive
        self.book: Item = self.drive.put(BOOK, b"first", by="Casey Penhallow")
        self.app = Starlette(routes=drive_routes(self), exception_handlers={Refused: _refused})

    @property
    def book_url(self) -> str:
        return f"/v1.0/drives/{self.drive.id}/items/{self.book.id}"

    def call(self, method: str, url: str, body: object = None, **headers: str) -> Answer:
        """One request; `body` is sent as JSON unless it is bytes. Header names take `_` for `-`."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = asyncio.run(_asked(self.app, method, url.removeprefix(BASE), content, named))
        self.exchanges.append(answer)
        return answer

    def get(self, url: str, **headers: str) -> Answer:
        return self.call("GET", url, **headers)


async def _refused(request: Request, no: Exception) -> Response:
    assert isinstance(no, Refused)
    return no.response()


async def _asked(app: Starlette, method: str, url: str, content: bytes, headers: dict[str, str]) -> Answer:
    parts, got = urlsplit(url), bytearray()
    given = [(b"host", b"127.0.0.1:4000")]
    given += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": given,
        "server": ("127.0.0.1", 4000),
        "client": ("127.0.0.1", 50000),
    }
    start: dict[str, Any] = {}
    told = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if told.is_set():
            await asyncio.sleep(3600)  # the client stays connected
        told.set()
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            got.extend(message.get("body", b""))

    await app(scope, receive, send)
    back = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(method, url, start["status"], back, bytes(got))
