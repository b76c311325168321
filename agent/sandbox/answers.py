"""The shapes every answer shares: JSON, errors as Microsoft Graph words them, times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

JSON_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
)


@dataclass(frozen=True)
class Call:
    """The ids and the time under which the request at hand is answered."""

    request_id: str = "00000000-0000-0000-0000-000000000000"
    client_request_id: str = "00000000-0000-0000-0000-000000000000"
    now: datetime = field(default=datetime(1601, 1, 1, tzinfo=UTC))


_NO_CALL = Call()
current_call: ContextVar[Call] = ContextVar("current_call", default=_NO_CALL)


class Refused(Exception):
    """Raised anywhere inside a handler: the request is answered with this Graph error."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        retry_after: float | None = None,
        inner: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.inner = inner

    def response(self) -> Response:
        return graph_error(self.status, self.code, self.message, self.retry_after, self.inner)


def graph_json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer as Graph sends it."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, headers=headers, media_type=JSON_TYPE)


def graph_error(
    status: int,
    code: str,
    message: str,
    retry_after: float | None = None,
    inner: Mapping[str, Any] | None = None,
) -> Response:
    """An error body as Graph sends it; `inner` goes into innerError, `retry_after` is in seconds."""
    call = current_call.get()
    ids = {
        "date": call.now.strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": call.request_id,
        "client-request-id": call.client_request_id,
    }
    error = {"code": code, "message": message, "innerError": {**(inner or {}), **ids}}
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return graph_json({"error": error}, status, headers)


def graph_time(moment: datetime) -> str:
    """`2026-03-02T09:15:00Z`: whole seconds in UTC, as Outlook writes its times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
