"""Graph's operations on mail folders and on a mailbox's settings."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from agent.sandbox import queries
from agent.sandbox.answers import Refused, graph_json, graph_time
from agent.sandbox.mail_request import MailRequest, mail_route
from agent.sandbox.stored import Folder

if TYPE_CHECKING:
    from agent.sandbox.tenant import Tenant

DEFAULT_PAGE, LARGEST_PAGE = 10, 1000
BY_NAME = re.compile(r"displayName\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
FOLDER_PROPERTIES = (
    "id",
    "displayName",
    "parentFolderId",
    "childFolderCount",
    "unreadItemCount",
    "totalItemCount",
    "isHidden",
)


def folder_routes(tenant: Tenant) -> list[Route]:
    route = functools.partial(mail_route, tenant)
    return [
        route("GET", "/mailFolders", list_folders),
        route("POST", "/mailFolders", create_folder),
        route("GET", "/mailFolders/{folder_id}", get_folder),
        route("GET", "/mailFolders/{folder_id}/childFolders", list_children),
        route("POST", "/mailFolders/{folder_id}/childFolders", create_child),
        route("GET", "/mailboxSettings", get_settings),
    ]


def folder_shown(folder: Folder) -> dict[str, Any]:
    return {
        "id": folder.id,
        "displayName": folder.name,
        "parentFolderId": folder.parent.id if folder.parent else folder.id,
        "childFolderCount": len(folder.children),
        "unreadItemCount": sum(not message.is_read for message in folder.messages),
        "totalItemCount": len(folder.messages),
        "isHidden": folder.is_hidden,
    }


def list_folders(ask: MailRequest) -> Response:
    return _listing(ask, ask.box.root, "/mailFolders")


def list_children(ask: MailRequest) -> Response:
    return _listing(ask, ask.folder, f"/mailFolders/{ask.param('folder_id')}/childFolders")


def _listing(ask: MailRequest, parent: Folder, path: str) -> Response:
    """The direct children; hidden ones only when asked for. Deeper ones need further requests."""
    hidden_too = ask.query("includeHiddenFolders").lower() == "true"
    found = [folder for folder in parent.children if hidden_too or not folder.is_hidden]
    found = _filtered(found, ask.query("filter"))
    size = queries.whole_number(ask.query("top") or None, DEFAULT_PAGE, LARGEST_PAGE) or DEFAULT_PAGE
    start = queries.whole_number(ask.query("skip") or None, 0, 10**9)
    body: dict[str, Any] = {"value": [_selected(ask, folder) for folder in found[start : start + size]]}
    if start + size < len(found):
        following = ask.request.url.include_query_params(**{"$skip": start + size})
        body["@odata.nextLink"] = f"{ask.base}/users/{ask.box.address}{path}?{following.query}"
    return graph_json(body)


def _filtered(folders: list[Folder], filter_text: str) -> list[Folder]:
    if not filter_text:
        return folders
    found = BY_NAME.fullmatch(filter_text.strip())
    if found is None:
        raise Refused(400, "ErrorInvalidUrlQueryFilter", "Folders are filtered by displayName eq only.")
    name = found[1].replace("''", "'").casefold()
    return [folder for folder in folders if folder.name.casefold() == name]


def _selected(ask: MailRequest, folder: Folder) -> dict[str, Any]:
    body = folder_shown(folder)
    select = queries.selected(ask.query("select"), FOLDER_PROPERTIES)
    return {name: body[name] for name in ("id", *select)} if select else body


def get_folder(ask: MailRequest) -> Response:
    return graph_json(_selected(ask, ask.folder))


def create_folder(ask: MailRequest) -> Response:
    return _create(ask, ask.box.root)


def create_child(ask: MailRequest) -> Response:
    return _create(ask, ask.folder)


def _create(ask: MailRequest, parent: Folder) -> Response:
    body = ask.json()
    name = str(body.get("displayName") or "").strip()
    if not name:
        raise Refused(400, "ErrorInvalidRequest", "A folder needs a displayName.")
    folder = ask.box.add_folder(parent, name, hidden=bool(body.get("isHidden")))
    return graph_json(folder_shown(folder), 201)


def get_settings(ask: MailRequest) -> Response:
    box = ask.box
    body: dict[str, Any] = {
        "archiveFolder": box.known("archive").id,
        "timeZone": "GMT Standard Time",
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "dd/MM/yyyy",
        "timeFormat": "HH:mm",
        "userPurpose": box.purpose,
        "automaticRepliesSetting": _automatic_replies(ask),
        "language": {"locale": "en-GB", "displayName": "English (United Kingdom)"},
    }
    select = queries.selected(ask.query("select"), body)
    return graph_json({name: body[name] for name in select} if select else body)


def _automatic_replies(ask: MailRequest) -> dict[str, Any]:
    box, now = ask.box, ask.box.clock.now()
    until = box.automatic_reply_until
    status = "disabled" if not box.is_away else "alwaysEnabled" if until is None else "scheduled"
    text = box.automatic_reply or ""
    return {
        "status": status,
        "externalAudience": "all",
        "internalReplyMessage": text,
        "externalReplyMessage": text,
        "scheduledStartDateTime": {"dateTime": graph_time(now).rstrip("Z"), "timeZone": "UTC"},
        "scheduledEndDateTime": {"dateTime": graph_time(until or now).rstrip("Z"), "timeZone": "UTC"},
    }
