"""The door every request passes: who asks, may they, is it too much, is a fault ordered, what was said.

Routes whose path starts with /v1.0 need a Graph token and a permission from `RULES`. Routes beside it
(the token endpoint, pre-authenticated download and upload addresses) carry their own secret and pass
without one. Faults, throttling and the request log apply to all but /control.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

from agent.sandbox.answers import Call, Refused, current_call, graph_error, graph_json, graph_time
from agent.sandbox.faults import Plan

if TYPE_CHECKING:
    from agent.sandbox.mailboxes import Mailbox
    from agent.sandbox.request_log import Exchange
    from agent.sandbox.sign_in import AppRegistration
    from agent.sandbox.tenant import Tenant

__all__ = ["RULES", "Gate", "Refused", "Rule", "graph_error", "graph_json", "graph_time", "permissions_for"]

_READ_MAIL = frozenset({"Mail.Read", "Mail.ReadWrite"})
_WRITE_MAIL = frozenset({"Mail.ReadWrite"})
_SEND_MAIL = frozenset({"Mail.Send"})
_SETTINGS = frozenset({"MailboxSettings.Read", "MailboxSettings.ReadWrite"})
_FILES = frozenset({"Sites.Selected", "Sites.ReadWrite.All", "Files.ReadWrite.All"})

_log = logging.getLogger(__name__)

GRAPH = "/v1.0"
USER = re.compile(r"/v1\.0/+users/([^/]+)", re.IGNORECASE)
KEY = re.compile(r"/(mailFolders|messages|attachments|childFolders)\('([^/']+)'\)", re.IGNORECASE)


@dataclass(frozen=True)
class Rule:
    """Requests whose method and path (below /v1.0) match need any one of the permissions."""

    methods: frozenset[str]
    path: re.Pattern[str]
    any_of: frozenset[str]


def _rule(methods: str, path: str, any_of: frozenset[str]) -> Rule:
    return Rule(frozenset(methods.split()), re.compile(path, re.IGNORECASE), any_of)


RULES: tuple[Rule, ...] = (
    _rule("GET", r"/users/[^/]+/mailboxSettings(/|$)", _SETTINGS),
    _rule("POST", r"/users/[^/]+/sendMail$", _SEND_MAIL),
    _rule("POST", r"/users/[^/]+/messages/[^/]+/send$", _SEND_MAIL),
    _rule("GET", r"/users/[^/]+/(messages|mailFolders)(/|$)", _READ_MAIL),
    _rule("POST PATCH PUT DELETE", r"/users/[^/]+/(messages|mailFolders)(/|$)", _WRITE_MAIL),
    _rule("GET POST PATCH PUT DELETE", r"/(sites|drives|shares)(/|$)", _FILES),
)


def permissions_for(method: str, path: str) -> frozenset[str]:
    """The permissions of which one is needed; empty when nothing is known about the path."""
    below = "/" + path.removeprefix(GRAPH).lstrip("/")
    for rule in RULES:
        if method in rule.methods and rule.path.match(below):
            return rule.any_of
    return frozenset()


class _Silence(Exception):
    """No answer is to come."""


class _Interloper(Exception):
    """Somebody between us and whoever asked answers in our place."""

    def response(self) -> Response:
        return HTMLResponse("<html><body>Please sign in to go on.</body></html>")


class Gate:
    """The sandbox as an ASGI application. `control` routes are served without any of its trouble."""

    def __init__(self, tenant: Tenant, routes: Sequence[Route], control: Sequence[Route] = ()) -> None:
        self._tenant = tenant
        self._routes = routes
        self._control = control
        self._stopping = asyncio.Event()

    def stop_waiting(self) -> None:
        """End every delay under way; to be called on the server's own thread."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["path"] = _plain(scope["path"])
        request = Request(scope, receive)
        try:
            await request.body()
        except ClientDisconnect:
            return
        if scope["path"].startswith("/control"):
            await (await self._controlled(request))(scope, receive, send)
        else:
            await self._exchange(request, send)

    async def _controlled(self, request: Request) -> Response:
        try:
            return await self._routed(request, self._control)
        except Refused as no:
            return no.response()

    async def _exchange(self, request: Request, send: Send) -> None:
        exchange = await self._opened(request)
        plan = self._tenant.faults.plan(exchange.method, exchange.path)
        exchange.fault = ", ".join(f"fault {fault.id}" for fault in plan.faults)
        for hook in self._tenant.on_request:
            hook("before", exchange)
        started = time.perf_counter()
        response = await self._answer(request, exchange, plan)
        exchange.seconds = time.perf_counter() - started
        for hook in self._tenant.on_request:
            hook("after", exchange)
        if response is None:
            await _say_nothing(request, cut=not any(fault.hang for fault in plan.faults))
        else:
            await self._send(request, send, response, exchange)

    async def _opened(self, request: Request) -> Exchange:
        headers = dict(request.headers)
        now = self._tenant.clock.now()
        request_id = str(uuid.uuid4())
        current_call.set(Call(request_id, headers.get("client-request-id", request_id), now))
        return self._tenant.log.opened(
            now, request.method, request.url.path, request.url.query, headers, await request.body()
        )

    async def _answer(self, request: Request, exchange: Exchange, plan: Plan) -> Response | None:
        """The answer, or None when there is to be none."""
        try:
            response = await self._carried_out(request, exchange, plan)
        except (Refused, _Interloper) as no:
            response = no.response()
        except _Silence:
            return None
        except Exception:
            _log.exception("the sandbox failed at %s %s", request.method, exchange.path)
            response = graph_error(500, "ErrorInternalServerError", "An internal server error occurred.")
        if plan.retry_after is not None:
            response.headers["Retry-After"] = f"{plan.retry_after:g}"
        return response

    async def _carried_out(self, request: Request, exchange: Exchange, plan: Plan) -> Response:
        app, box = self._known(request)
        exchange.mailbox = box.address if box else ""
        with self._tenant.throttle.place(box.address) if box else nullcontext():
            await self._wait(plan.delay + self._tenant.habits.latency)
            _strike(plan, "before")
            if app is not None:
                _check_permission(app, box, request)
            request.state.mailbox, request.state.late_copy = box, plan.late_copy
            self._tenant.settle()
            response = await self._routed(request, self._routes)
            exchange.applied = response.status_code < 400
            _strike(plan, "after")
        return response

    def _known(self, request: Request) -> tuple[AppRegistration | None, Mailbox | None]:
        """Who asks, and about which mailbox."""
        path = request.url.path
        if not path.startswith(GRAPH + "/"):
            return None, None
        app = self._tenant.sign_in.app_of(request.headers.get("authorization", ""))
        user = USER.match(path)
        return app, self._tenant.mailbox_for(user[1]) if user else None

    async def _wait(self, seconds: float) -> None:
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
        raise _Silence

    async def _routed(self, request: Request, routes: Sequence[Route]) -> Response:
        known = False
        for route in routes:
            match, found = route.matches(request.scope)
            if match is Match.FULL:
                request.scope.update(found)
                answer: Response = await route.endpoint(request)
                return answer
            known = known or match is Match.PARTIAL
        if known:
            raise Refused(405, "ErrorInvalidRequest", "The HTTP method is not supported for this resource.")
        segment = request.url.path.rstrip("/").rpartition("/")[2]
        raise Refused(400, "BadRequest", f"Resource not found for the segment '{segment}'.")

    async def _send(self, request: Request, send: Send, response: Response, exchange: Exchange) -> None:
        call = current_call.get()
        response.headers["request-id"] = call.request_id
        response.headers["client-request-id"] = call.client_request_id
        sent: list[bytes] = []

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.body":
                sent.append(message.get("body", b""))
                if not message.get("more_body"):
                    body = b"".join(sent)
                    self._tenant.log.closed(exchange, response.status_code, dict(response.headers), body)
            await send(message)

        await response(request.scope, request.receive, noted)


def _plain(path: str) -> str:
    """The path with OData's keys in brackets written as segments."""
    return KEY.sub(r"/\1/\2", path)


def _check_permission(app: AppRegistration, box: Mailbox | None, request: Request) -> None:
    needed = permissions_for(request.method, request.url.path)
    if not needed or needed & app.entra_permissions:
        return
    if box is not None and box.in_scope and needed & app.exchange_roles:
        return
    code = "ErrorAccessDenied" if box is not None else "accessDenied"
    raise Refused(403, code, "Access is denied. Check credentials and try again.")


def _strike(plan: Plan, when: Literal["before", "after"]) -> None:
    fault = plan.strike(when)
    if fault is None:
        return
    if fault.web_page:
        raise _Interloper
    raise fault.answer or _Silence


async def _say_nothing(request: Request, *, cut: bool) -> None:
    """Cut the connection, or leave it open, and wait until it is at its end."""
    if cut:
        request.state.cut()
    while (await request.receive())["type"] != "http.disconnect":
        pass
