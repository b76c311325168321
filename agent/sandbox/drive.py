"""Microsoft Graph for files: sites, libraries, items, conditional uploads, versions, locks and changes.

`Drives` is the state (one per tenant, `tenant.drives`); `drive_routes(tenant)` serves it. Downloads and
upload sessions go to addresses of their own (/download, /upload): these carry their leave in the
address and refuse a bearer token (401), because one sent there is a token leaked to another host.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from agent.sandbox.answers import Refused, graph_json
from agent.sandbox.drive_files import (
    THE_APP,
    Clock,
    Conflict,
    Drive,
    Drives,
    Item,
    Site,
    Version,
)
from agent.sandbox.drive_shapes import (
    Json,
    drive_json,
    item_json,
    media_type,
    selected,
    session_json,
    site_json,
    version_json,
)
from agent.sandbox.drive_transfers import LARGEST_FRAGMENT, Download, Transfers, UploadSession
from agent.sandbox.habits import Habits
from agent.sandbox.workbooks import Asked, Workbooks

__all__ = ["THE_APP", "Drive", "Drives", "Item", "Site", "Version", "drive_routes"]

LARGEST_UPLOAD = 250 * 1024 * 1024
PIECE = 256 * 1024
ADDRESS = re.compile(r"(?P<base>root|items/[^/:]+)(?::/(?P<path>[^:]*)(?::|$))?(?:/(?P<action>.*))?")


class HasDrives(Protocol):
    """What is needed of a tenant."""

    @property
    def clock(self) -> Clock: ...

    @property
    def drives(self) -> Drives: ...

    @property
    def habits(self) -> Habits: ...


def drive_routes(tenant: HasDrives) -> list[Route]:
    """Everything below /v1.0/sites and /v1.0/drives, and the pre-authenticated addresses.

    The doubled slash is what O365 sends; the service tolerates it.
    """
    service = _Service(tenant)
    routes = [
        Route("/download/{ticket}", service.fetch, methods=["GET"]),
        Route("/upload/{ticket}", service.fragment, methods=["GET", "PUT", "DELETE"]),
    ]
    for graph in ("/v1.0/", "/v1.0//"):
        routes += [
            Route(graph + "sites/{rest:path}", service.site, methods=["GET"]),
            Route(graph + "drives/{drive_id}", service.drive, methods=["GET"]),
            Route(
                graph + "drives/{drive_id}/{rest:path}",
                service.item,
                methods=["GET", "PUT", "POST", "PATCH", "DELETE"],
            ),
        ]
    return routes


@dataclass(frozen=True)
class _Call:
    """One request on an item of a drive: `base` and, below it, `path` when the address has one."""

    request: Request
    site: Site
    base: Item
    path: str
    version_id: str

    @property
    def drive(self) -> Drive:
        return self.site.drive

    @property
    def item(self) -> Item:
        found = self.drive.find(self.path, self.base)
        if found is None:
            raise Refused(404, "itemNotFound", "The resource could not be found.")
        return found

    @property
    def file(self) -> Item:
        if self.item.is_folder:
            raise Refused(400, "invalidRequest", "A folder has no content.")
        return self.item

    @property
    def if_match(self) -> str | None:
        return self.request.headers.get("if-match")

    @property
    def if_none_match(self) -> str | None:
        return self.request.headers.get("if-none-match")


class _Service:
    """The handlers; the server answers a `Refused` that any of them raises."""

    def __init__(self, tenant: HasDrives) -> None:
        self.drives = tenant.drives
        self.transfers = Transfers(tenant.clock)
        self.workbooks = Workbooks(tenant.clock, tenant.habits)
        self.actions: dict[tuple[str, str], Callable[[_Call], Awaitable[Response]]] = {
            ("GET", ""): self.get_item,
            ("PATCH", ""): self.patch_item,
            ("GET", "children"): self.children,
            ("GET", "delta"): self.delta,
            ("GET", "content"): self.download,
            ("PUT", "content"): self.upload,
            ("POST", "createUploadSession"): self.create_upload_session,
            ("GET", "versions"): self.versions,
            ("GET", "versions/content"): self.download,
            ("POST", "versions/restoreVersion"): self.restore_version,
            ("POST", "checkout"): self.check_out,
            ("POST", "checkin"): self.check_in,
        }

    # Sites and drives

    async def site(self, request: Request) -> Response:
        site, tail = self._site_at(request.path_params["rest"])
        if tail == "":
            return _json(request, site_json(site))
        if tail == "drive":
            return _json(request, drive_json(site))
        if tail == "drives":
            return graph_json({"value": [selected(drive_json(site), request.query_params.get("$select"))]})
        raise Refused(400, "BadRequest", f"Resource not found for the segment '{tail.split('/')[0]}'.")

    def _site_at(self, rest: str) -> tuple[Site, str]:
        if ":/" not in rest:
            site_id, _, tail = rest.partition("/")
            return self.drives.site_by_id(site_id), tail.strip("/")
        hostname, _, rest = rest.partition(":")
        path, _, tail = rest.partition(":")
        return self.drives.site_by_path(hostname, path), tail.strip("/")

    async def drive(self, request: Request) -> Response:
        return _json(request, drive_json(self.drives.site_of_drive(request.path_params["drive_id"])))

    # Items

    async def item(self, request: Request) -> Response:
        site = self.drives.site_of_drive(request.path_params["drive_id"])
        address = ADDRESS.fullmatch(request.path_params["rest"].rstrip("/"))
        if address is None:
            raise Refused(400, "BadRequest", "The address of the item is malformed.")
        action, version_id = _action(address["action"] or "")
        in_workbook = action.startswith("workbook/")
        handler = self.workbook if in_workbook else self.actions.get((request.method, action))
        if handler is None:
            raise Refused(400, "BadRequest", f"Resource not found for the segment '{action}'.")
        if request.method != "GET" and site.access != "write":
            raise Refused(403, "accessDenied", "Access denied")
        base = site.drive.by_id(address["base"].removeprefix("items/"))
        return await handler(_Call(request, site, base, address["path"] or "", version_id))

    async def get_item(self, call: _Call) -> Response:
        item = call.item
        if call.if_none_match and item.matches(call.if_none_match):
            return Response(status_code=304)
        return self._item_response(call, item)

    async def patch_item(self, call: _Call) -> Response:
        wanted = await _body(call.request)
        if set(wanted) != {"name"} or not isinstance(wanted["name"], str):
            raise Refused(400, "invalidRequest", "The sandbox changes an item's name only.")
        return self._item_response(call, call.drive.rename(call.item, wanted["name"], call.if_match))

    async def children(self, call: _Call) -> Response:
        query = call.request.query_params
        children = call.drive.children(call.item)
        start, size = _whole(query.get("$skiptoken", "0")), _whole(query.get("$top", "200"))
        body = self._listing(call, children[start : start + size])
        if start + size < len(children):
            body["@odata.nextLink"] = _link(call, {"$skiptoken": start + size})
        return graph_json(body)

    async def delta(self, call: _Call) -> Response:
        query = call.request.query_params
        try:
            changed, token = call.drive.changes_since(query.get("token", ""))
        except Refused as no:
            response = no.response()
            response.headers["Location"] = str(call.request.url.replace(query=""))  # start afresh here
            return response
        shown = changed[: _whole(query.get("$top", "200"))]
        body = self._listing(call, shown)
        if len(shown) < len(changed):
            body["@odata.nextLink"] = _link(call, {"token": shown[-1].changed_in})
        else:
            body["@odata.deltaLink"] = _link(call, {"token": token})
        return graph_json(body)

    def _listing(self, call: _Call, items: list[Item]) -> Json:
        select = call.request.query_params.get("$select")
        return {"value": [selected(item_json(call.site, item), select) for item in items]}

    # Content

    async def download(self, call: _Call) -> Response:
        item = call.file
        if call.version_id:
            call.drive.version(item, call.version_id)
        elif call.if_none_match and item.matches(call.if_none_match):
            return Response(status_code=304)
        address = self._download_address(call, item, call.version_id or None)
        return Response(status_code=302, headers={"Location": address})

    def _download_address(self, call: _Call, item: Item, version_id: str | None = None) -> str:
        leave = Download(call.drive, item.id, version_id, self.transfers.expires_at())
        return f"{call.request.base_url}download/{self.transfers.issue(leave)}"

    async def fetch(self, request: Request) -> Response:
        """The content itself, whole or the one range asked for; no bearer token wanted."""
        _refuse_bearer(request)
        item, content = self.transfers.download(request.path_params["ticket"]).content()
        headers = {"ETag": item.etag, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if asked is None:
            return _streamed(content, 200, item, headers)
        first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        if first > last:
            raise Refused(416, "invalidRange", "The range lies outside of the file.")
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        return _streamed(content[first : last + 1], 206, item, headers)

    async def upload(self, call: _Call) -> Response:
        """Replace a file's content, or create the file when the address names one by its path."""
        content = await _content(call.request, LARGEST_UPLOAD)
        existing = call.drive.find(call.path, call.base)
        if existing is not None and (call.if_match is not None or not call.path):
            return self._item_response(call, call.drive.upload(existing, content, call.if_match))
        if call.if_match is not None:
            raise Refused(412, "resourceModified", "ETag does not match current item's value")
        conflict = _conflict(call.request.query_params.get("@microsoft.graph.conflictBehavior"), "replace")
        item, created = call.drive.upload_new(call.base, call.path, content, conflict)
        return self._item_response(call, item, 201 if created else 200)

    async def create_upload_session(self, call: _Call) -> Response:
        """An address for fragments; `fail` is the default when something of that name is there."""
        wanted = (await _body(call.request)).get("item") or {}
        conflict = _conflict(wanted.get("@microsoft.graph.conflictBehavior"), "fail")
        folder, path = (
            (call.base, call.path) if call.path else (call.file.parent or call.base, call.base.name)
        )
        existing = call.drive.find(path, folder)
        _refuse_session(call, existing, conflict)
        session = UploadSession(
            drive=call.drive,
            item=existing if conflict == "replace" else None,
            folder=folder,
            path=path,
            if_match=call.if_match,
            conflict=conflict,
            expires_at=self.transfers.expires_at(),
        )
        address = f"{call.request.base_url}upload/{self.transfers.issue(session)}"
        return graph_json({"uploadUrl": address, **session_json(session)})

    async def fragment(self, request: Request) -> Response:
        """One fragment of an upload session (PUT), its state (GET), or its end (DELETE)."""
        _refuse_bearer(request)
        ticket = request.path_params["ticket"]
        session = self.transfers.upload(ticket)
        if request.method == "DELETE":
            self.transfers.close(ticket)
            return Response(status_code=204)
        if request.method == "GET":
            return graph_json(session_json(session))
        fragment = await _content(request, LARGEST_FRAGMENT)
        if not session.take(request.headers.get("content-range", ""), fragment):
            return graph_json(session_json(session), 202)
        return self._committed(request, ticket, session, fragment)

    def _committed(self, request: Request, ticket: str, session: UploadSession, last: bytes) -> Response:
        try:
            item, created = session.commit()
        except Refused:
            session.withdraw_last(last)
            raise
        self.transfers.close(ticket)
        site = self.drives.site_of_drive(session.drive.id)
        return graph_json(item_json(site, item), 201 if created else 200)

    # Excel

    async def workbook(self, call: _Call) -> Response:
        """Whatever stands behind `/workbook/` is the Excel service's to answer."""
        request = call.request
        base, _, what = str(request.url.replace(query="")).partition("/workbook/")
        asked = Asked(
            method=request.method,
            what=unquote(what),
            query=dict(request.query_params),
            body=await _body(request) if request.method in ("POST", "PATCH") else {},
            session=request.headers.get("workbook-session-id", ""),
            prefer=request.headers.get("prefer", ""),
            base=f"{base}/workbook",
        )
        return self.workbooks.answer(asked, call.drive, call.file)

    # Versions and check-out

    async def versions(self, call: _Call) -> Response:
        newest_first = reversed(call.file.versions)
        return graph_json({"value": [version_json(version) for version in newest_first]})

    async def restore_version(self, call: _Call) -> Response:
        call.drive.restore(call.file, call.version_id)
        return Response(status_code=204)

    async def check_out(self, call: _Call) -> Response:
        call.drive.check_out(call.file)
        return Response(status_code=204)

    async def check_in(self, call: _Call) -> Response:
        await _body(call.request)
        call.drive.check_in(call.file)
        return Response(status_code=204)

    # Answers

    def _item_response(self, call: _Call, item: Item, status: int = 200) -> Response:
        body = item_json(call.site, item)
        if not item.is_folder:
            body["@microsoft.graph.downloadUrl"] = self._download_address(call, item)
        return _json(call.request, body, status)


def _json(request: Request, body: Json, status: int = 200) -> Response:
    return graph_json(selected(body, request.query_params.get("$select")), status)


def _link(call: _Call, changed: Json) -> str:
    return str(call.request.url.include_query_params(**changed))


def _action(path: str) -> tuple[str, str]:
    """`versions/3.0/content` → (`versions/content`, `3.0`); anything else has no version."""
    steps = path.split("/")
    if steps[0] == "versions" and len(steps) == 3:
        return f"versions/{steps[2]}", steps[1]
    return path, ""


def _conflict(asked: str | None, default: Conflict) -> Conflict:
    match asked:
        case None:
            return default
        case "fail" | "replace" | "rename":
            return asked
    raise Refused(400, "invalidRequest", "Unknown conflict behavior.")


def _refuse_session(call: _Call, existing: Item | None, conflict: Conflict) -> None:
    if existing is not None and conflict == "fail":
        raise Refused(409, "nameAlreadyExists", "An item with the same name already exists.")
    if existing is not None and conflict == "replace":
        call.drive.refuse_change(existing, call.if_match)
    elif call.if_match is not None:
        raise Refused(412, "resourceModified", "ETag does not match current item's value")


def _refuse_bearer(request: Request) -> None:
    if "authorization" in request.headers:
        raise Refused(401, "unauthenticated", "A pre-authenticated address takes no Authorization header.")


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise Refused(400, "invalidRequest", "A page size or position must be a whole number.")
    return int(text)


async def _body(request: Request) -> Json:
    content = await _content(request, 4 * 1024 * 1024)
    try:
        body = json.loads(content or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "BadRequest", "Unable to read JSON request payload.")
    return body


async def _content(request: Request, limit: int) -> bytes:
    """The body of a request, refused as soon as it grows beyond `limit`."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > limit:
            raise Refused(413, "requestEntityTooLarge", "The request is larger than the service allows.")
    return bytes(content)


def _streamed(content: bytes, status: int, item: Item, headers: dict[str, str]) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]

    headers = {**headers, "Content-Length": str(len(content))}
    return StreamingResponse(pieces(), status, headers, media_type(item.name))
