"""The control interface over HTTP, for whoever rehearses from outside the process.

Every request carries the control token in the header ``X-Control-Token``; a Graph token opens nothing here.

======== =============================== ================================================================
method   path                            does
======== =============================== ================================================================
GET      /control/clock                  {"now"}
POST     /control/clock                  {"now": "2026-03-02T09:00:00Z"} or {"advance": seconds}
GET      /control/mailboxes              every mailbox with its folders and how many mails lie in each
POST     /control/mailboxes              {"address", "name", "in_scope", "shared"}
PATCH    /control/mailboxes/{address}    {"automatic_reply": text or null, "in_scope": true or false}
GET      /control/mailboxes/{address}/messages              its mails in short
GET      /control/mailboxes/{address}/messages/{id}/mime    one of them whole
POST     /control/deliver?mailbox=…      deliver the MIME mail in the body; `mailbox` may be repeated
GET      /control/faults                 the faults ordered and how often each struck
POST     /control/faults                 order one; its fields are those of `faults.Fault`
DELETE   /control/faults                 take all back, or one: /control/faults/{id}
GET POST /control/habits                 see or change `habits.Habits`
POST     /control/tokens/revoke          no token given out so far is good any more
POST     /control/delta/evict            no delta token given out so far is known any more
GET      /control/requests?after=N       the requests with a number above N; `bodies=true` shows bodies
DELETE   /control/requests               forget them
======== =============================== ================================================================
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.sandbox.answers import Refused, graph_time
from agent.sandbox.faults import Fault
from agent.sandbox.mailboxes import Mailbox
from agent.sandbox.mime import written_afresh
from agent.sandbox.request_log import Exchange
from agent.sandbox.stored import StoredMessage

if TYPE_CHECKING:
    from agent.sandbox.tenant import Tenant

CONTROL_HEADER = "X-Control-Token"
Answer = Callable[[Request], Response]


def control_routes(tenant: Tenant, token: str) -> list[Route]:
    control = _Control(tenant)

    def guarded(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if not secrets.compare_digest(request.headers.get(CONTROL_HEADER, ""), token):
                return JSONResponse({"problem": f"The header {CONTROL_HEADER} does not hold the token."}, 401)
            request.state.content = await request.body()
            try:
                with tenant.lock:
                    return answer(request)
            except (KeyError, ValueError, TypeError, Refused) as problem:
                return JSONResponse({"problem": str(problem.args[0] if problem.args else problem)}, 400)

        return endpoint

    table: list[tuple[str, str, Answer]] = [
        ("GET", "/clock", control.clock),
        ("POST", "/clock", control.move_clock),
        ("GET", "/mailboxes", control.mailboxes),
        ("POST", "/mailboxes", control.add_mailbox),
        ("PATCH", "/mailboxes/{address}", control.change_mailbox),
        ("GET", "/mailboxes/{address}/messages", control.messages),
        ("GET", "/mailboxes/{address}/messages/{message_id}/mime", control.mime),
        ("POST", "/deliver", control.deliver),
        ("GET", "/faults", control.faults),
        ("POST", "/faults", control.add_fault),
        ("DELETE", "/faults", control.clear_faults),
        ("DELETE", "/faults/{fault_id:int}", control.remove_fault),
        ("GET", "/habits", control.habits),
        ("POST", "/habits", control.change_habits),
        ("POST", "/tokens/revoke", control.revoke_tokens),
        ("POST", "/delta/evict", control.evict_delta_tokens),
        ("GET", "/requests", control.requests),
        ("DELETE", "/requests", control.clear_requests),
    ]
    return [Route(f"/control{path}", guarded(answer), methods=[method]) for method, path, answer in table]


def _body(request: Request) -> dict[str, Any]:
    """The JSON object in the body, which `guarded` has read."""
    body = json.loads(request.state.content or b"{}")
    if not isinstance(body, dict):
        raise TypeError("The body must be a JSON object.")
    return body


class _Control:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def clock(self, request: Request) -> Response:
        return JSONResponse({"now": self._tenant.clock.now().isoformat()})

    def move_clock(self, request: Request) -> Response:
        told = _body(request)
        if "now" in told:
            self._tenant.clock.set(datetime.fromisoformat(told["now"]))
        else:
            self._tenant.clock.advance(timedelta(seconds=float(told["advance"])))
        return self.clock(request)

    def mailboxes(self, request: Request) -> Response:
        return JSONResponse({"mailboxes": [_mailbox(box) for box in self._tenant.mailboxes.values()]})

    def add_mailbox(self, request: Request) -> Response:
        return JSONResponse(_mailbox(self._tenant.add_mailbox(**_body(request))), 201)

    def change_mailbox(self, request: Request) -> Response:
        box = self._tenant.mailbox(request.path_params["address"])
        told = _body(request)
        if strangers := set(told) - {"automatic_reply", "in_scope"}:
            raise ValueError(f"A mailbox has no {', '.join(sorted(strangers))} that can be changed here.")
        for name, value in told.items():
            setattr(box, name, value)
        return JSONResponse(_mailbox(box))

    def messages(self, request: Request) -> Response:
        box = self._tenant.mailbox(request.path_params["address"])
        return JSONResponse({"messages": [_message(message) for message in box.messages()]})

    def mime(self, request: Request) -> Response:
        box = self._tenant.mailbox(request.path_params["address"])
        return Response(
            written_afresh(box.message(request.path_params["message_id"])), media_type="message/rfc822"
        )

    def deliver(self, request: Request) -> Response:
        to = request.query_params.getlist("mailbox")
        if not to:
            raise ValueError("Say to whom: /control/deliver?mailbox=someone@…")
        arrived = self._tenant.deliver(request.state.content, to)
        return JSONResponse({"delivered": [_message(message) for message in arrived]}, 201)

    def faults(self, request: Request) -> Response:
        return JSONResponse({"faults": [fault.to_json() for fault in self._tenant.faults]})

    def add_fault(self, request: Request) -> Response:
        return JSONResponse(self._tenant.faults.add(Fault.from_json(_body(request))).to_json(), 201)

    def clear_faults(self, request: Request) -> Response:
        self._tenant.faults.clear()
        return Response(status_code=204)

    def remove_fault(self, request: Request) -> Response:
        wanted = request.path_params["fault_id"]
        for fault in self._tenant.faults:
            if fault.id == wanted:
                self._tenant.faults.remove(fault)
        return Response(status_code=204)

    def habits(self, request: Request) -> Response:
        return JSONResponse(asdict(self._tenant.habits))

    def change_habits(self, request: Request) -> Response:
        self._tenant.habits = replace(self._tenant.habits, **_body(request))
        return self.habits(request)

    def revoke_tokens(self, request: Request) -> Response:
        self._tenant.revoke_tokens()
        return Response(status_code=204)

    def evict_delta_tokens(self, request: Request) -> Response:
        self._tenant.evict_delta_tokens()
        return Response(status_code=204)

    def requests(self, request: Request) -> Response:
        after = int(request.query_params.get("after", "0"))
        bodies = request.query_params.get("bodies") == "true"
        entries = [one for one in self._tenant.log.entries if one.number > after]
        return JSONResponse({"requests": [_exchange(one, bodies) for one in entries]})

    def clear_requests(self, request: Request) -> Response:
        self._tenant.log.clear()
        return Response(status_code=204)


def _mailbox(box: Mailbox) -> dict[str, Any]:
    folders = {folder.path: len(folder.messages) for folder in box.root.descendants()}
    return {
        "address": box.address,
        "name": box.name,
        "user_id": box.user_id,
        "in_scope": box.in_scope,
        "automatic_reply": box.automatic_reply,
        "folders": folders,
    }


def _message(message: StoredMessage) -> dict[str, Any]:
    return {
        "id": message.immutable_id,
        "folder": message.folder_path,
        "subject": message.subject,
        "sender": message.sender,
        "to": message.to,
        "received_at": graph_time(message.received_at) if message.received_at else None,
        "is_draft": message.is_draft,
        "categories": message.categories,
        "internet_message_id": message.internet_message_id,
    }


def _exchange(one: Exchange, bodies: bool) -> dict[str, Any]:
    shown = {
        "number": one.number,
        "at": one.at.isoformat(),
        "method": one.method,
        "path": one.path,
        "query": one.query,
        "headers": one.headers,
        "mailbox": one.mailbox,
        "status": one.status,
        "seconds": round(one.seconds, 6),
        "fault": one.fault,
    }
    if bodies:
        shown["body"] = one.body.decode("utf-8", "replace")
        shown["response_body"] = one.response_body.decode("utf-8", "replace")
    return shown
