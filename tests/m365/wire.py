"""A scripted server behind HTTPS: it signs clients in, then answers as told, well or badly."""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import parse_qs

TENANT_ID = "11111111-2222-3333-4444-555555555555"
CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
SECRET = "an-invented-secret"
MAILBOX = "needtoknow@nctrust.example"


@dataclass(frozen=True)
class Answer:
    """One answer. `body` as JSON unless bytes; `then` may break the connection instead of answering."""

    status: int = 200
    body: object = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    then: str = ""  # "drop": the connection ends without an answer; "garbage": the TLS stream breaks


def refusal(status: int, code: str, **headers: str) -> Answer:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"code": code, "message": "Not to be repeated to anybody."}}, told)


WEB_PAGE = Answer(200, b"<html><body>Please sign in</body></html>", {"Content-Type": "text/html"})


@dataclass(frozen=True)
class Seen:
    """A request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


class Wire(ThreadingHTTPServer):
    """Beside answering: `requests` and `token_requests` tell what was asked, `revoke` kills a token."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.base = f"https://127.0.0.1:{self.server_port}"
        self.requests: list[Seen] = []
        self.token_requests: list[dict[str, str]] = []
        self.token_answers: list[Answer] = []
        self.discovery_answers: list[Answer] = []
        self.token_life = 3600
        self.revoked: set[str] = set()
        self.while_answering: Callable[[], None] = lambda: None
        self._answers: list[Answer] = []
        self._lock = threading.Lock()

    def server_bind(self) -> None:
        """Without the base class's look-up of this machine's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def say(self, *answers: Answer) -> None:
        """The next answers of Graph, in order; with none left it says 200 and an empty object."""
        self._answers += answers

    def answer(self, seen: Seen) -> Answer:
        if seen.path.endswith("/.well-known/openid-configuration"):
            return self._discovery()
        if seen.path.endswith("/oauth2/v2.0/token"):
            return self._token(seen)
        with self._lock:
            self.requests.append(seen)
        self.while_answering()
        if seen.token in self.revoked:
            return refusal(401, "InvalidAuthenticationToken")
        with self._lock:
            return self._answers.pop(0) if self._answers else Answer()

    def _discovery(self) -> Answer:
        if self.discovery_answers:
            return self.discovery_answers.pop(0)
        authority = f"{self.base}/{TENANT_ID}"
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token"}
        told = {name: f"{authority}/oauth2/v2.0/{end}" for name, end in endpoints.items()}
        return Answer(body={**told, "issuer": f"{authority}/v2.0"})

    def _token(self, seen: Seen) -> Answer:
        with self._lock:
            form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
            self.token_requests.append(form)
            if self.token_answers:
                return self.token_answers.pop(0)
            token = f"token-number-{len(self.token_requests)}"
        return Answer(body={"token_type": "Bearer", "expires_in": self.token_life, "access_token": token})

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are the point of some tests; no need to print them."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer leaves in one piece
    server: Wire

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep the tests' output quiet."""

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.answer(Seen(self.command, self.path, headers, self.rfile.read(length)))
        if answer.then:
            self._break(answer.then)
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response_only(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _break(self, how: str) -> None:
        self.close_connection = True
        if how == "garbage":  # written beside the TLS layer, so that the client's TLS stream breaks
            os.write(self.connection.fileno(), b"\x15\x03\x03\x00\x02\x02\x50" * 3)

    do_GET = do_POST = do_PATCH = do_PUT = _any  # noqa: N815 - the base class names them so


class RecordedStop(threading.Event):
    """Waits are noted and not waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return self.is_set()
