"""A request about one mailbox, as its handlers see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.sandbox import queries
from agent.sandbox.answers import Refused
from agent.sandbox.mailboxes import Mailbox
from agent.sandbox.message_json import PROPERTIES, Wanted
from agent.sandbox.stored import Folder, StoredMessage

if TYPE_CHECKING:
    from agent.sandbox.tenant import Tenant

LARGEST_BODY = 4 * 1024 * 1024  # above it Graph answers 413


@dataclass(frozen=True)
class MailRequest:
    tenant: Tenant
    box: Mailbox
    request: Request
    content: bytes

    @property
    def message(self) -> StoredMessage:
        return self.box.message(self.request.path_params["message_id"])

    @property
    def folder(self) -> Folder:
        return self.box.folder(self.request.path_params["folder_id"])

    def param(self, name: str) -> str:
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        """A query option; the `$` before its name may be left out, as Graph allows."""
        options = self.request.query_params
        return options.get(f"${name}", options.get(name, ""))

    @property
    def prefer(self) -> str:
        return ", ".join(self.request.headers.getlist("prefer")).lower()

    @property
    def immutable(self) -> bool:
        return 'idtype="immutableid"' in self.prefer.replace(" ", "")

    def preference(self, name: str) -> str | None:
        """The value of `Prefer: name=value`."""
        for part in self.prefer.split(","):
            key, _, value = part.strip().partition("=")
            if key.strip() == name:
                return value.strip().strip('"')
        return None

    def json(self) -> dict[str, Any]:
        try:
            body = json.loads(self.content)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            said = (
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload "
                "is of valid JSON format."
            )
            raise Refused(400, "BadRequest", said)
        return body

    @property
    def is_mime(self) -> bool:
        return self.request.headers.get("content-type", "").startswith("text/plain")

    def wanted(self, select: Sequence[str] | None = None, expand: str | None = None) -> Wanted:
        """How this request wants its mails shown."""
        expand = self.query("expand") if expand is None else expand
        return Wanted(
            select=self.select if select is None else select,
            immutable=self.immutable,
            as_text=self.preference("outlook.body-content-type") == "text",
            unsafe_html="outlook.allow-unsafe-html" in self.prefer,
            properties=queries.expanded_properties(expand),
            attachments=queries.wants_attachments(expand),
        )

    @property
    def select(self) -> tuple[str, ...]:
        return queries.selected(self.query("select"), PROPERTIES)

    @property
    def base(self) -> str:
        """The address of Graph's version, without a slash at its end."""
        return f"{self.request.url.scheme}://{self.request.headers['host']}/v1.0"


MailHandler = Callable[[MailRequest], Response]


def mail_route(tenant: Tenant, methods: str, path: str, handler: MailHandler) -> Route:
    """A route below /v1.0/users/{user_id}; the gate has found the mailbox before."""

    async def endpoint(request: Request) -> Response:
        content = await request.body()
        if len(content) > LARGEST_BODY:
            raise Refused(413, "RequestEntityTooLarge", "The request exceeds the maximum size of 4 MB.")
        with tenant.lock:
            return handler(MailRequest(tenant, request.state.mailbox, request, content))

    return Route(f"/v1.0/users/{{user_id}}{path}", endpoint, methods=methods.split())
