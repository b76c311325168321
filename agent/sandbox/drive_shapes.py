"""Sites, drives, items and versions in the shapes Microsoft Graph gives them."""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import quote

from agent.sandbox.answers import graph_time
from agent.sandbox.drive_files import THE_APP, Item, Site, Version
from agent.sandbox.drive_transfers import UploadSession

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ONLY_WHEN_SELECTED = frozenset({"publication"})
Json = dict[str, Any]


def site_json(site: Site) -> Json:
    created = graph_time(site.created_at)
    return {
        "id": site.id,
        "name": site.path.rpartition("/")[2],
        "displayName": site.name,
        "webUrl": site.web_url,
        "createdDateTime": created,
        "lastModifiedDateTime": created,
        "root": {},
        "siteCollection": {"hostname": site.hostname},
    }


def drive_json(site: Site) -> Json:
    drive = site.drive
    return {
        "id": drive.id,
        "name": drive.name,
        "description": "",
        "driveType": "documentLibrary",
        "webUrl": drive.web_url,
        "createdDateTime": graph_time(drive.created_at),
        "createdBy": _identity(THE_APP),
    }


def item_json(site: Site, item: Item) -> Json:
    """An item, live or deleted (of a deleted one only what a change list tells)."""
    if item.deleted:
        return {"id": item.id, "name": item.name, "deleted": {"state": "deleted"}, **_parent(site, item)}
    body = {
        "id": item.id,
        "name": item.name,
        "eTag": item.etag,
        "cTag": item.ctag,
        "webUrl": f"{site.drive.web_url}/{quote(item.path)}".rstrip("/"),
        "createdDateTime": graph_time(item.created_at),
        "createdBy": _identity(item.created_by),
        "lastModifiedDateTime": graph_time(item.modified_at),
        "lastModifiedBy": _identity(item.modified_by),
        "fileSystemInfo": {
            "createdDateTime": graph_time(item.created_at),
            "lastModifiedDateTime": graph_time(item.modified_at),
        },
        **_parent(site, item),
    }
    return body | (_folder(site, item) if item.is_folder else _file(item))


def _folder(site: Site, item: Item) -> Json:
    folder: Json = {"folder": {"childCount": len(site.drive.children(item))}}
    return folder if item.parent else {**folder, "root": {}}


def _file(item: Item) -> Json:
    return {
        "size": len(item.content),
        "file": {"mimeType": media_type(item.name)},
        "publication": _publication(item),
    }


def _publication(item: Item) -> Json:
    published: Json = {"versionId": item.versions[-1].id}
    if item.checked_out_by is None:
        return {"level": "published", **published}
    return {"level": "checkout", "checkedOutBy": _identity(item.checked_out_by), **published}


def _parent(site: Site, item: Item) -> Json:
    if item.parent is None:
        return {"parentReference": {"driveId": site.drive.id, "driveType": "documentLibrary"}}
    return {
        "parentReference": {
            "driveId": site.drive.id,
            "driveType": "documentLibrary",
            "id": item.parent.id,
            "name": item.parent.name,
            "path": f"/drives/{site.drive.id}/root:/{item.parent.path}".rstrip("/"),
            "siteId": site.id,
        }
    }


def version_json(version: Version) -> Json:
    return {
        "id": version.id,
        "lastModifiedBy": _identity(version.modified_by),
        "lastModifiedDateTime": graph_time(version.modified_at),
        "size": len(version.content),
    }


def session_json(session: UploadSession) -> Json:
    return {"expirationDateTime": graph_time(session.expires_at), "nextExpectedRanges": session.expected}


def selected(body: Json, select: str | None) -> Json:
    """`body` with the properties asked for; the id and annotations always stay."""
    if not select:
        return {name: value for name, value in body.items() if name not in ONLY_WHEN_SELECTED}
    wanted = {name.strip() for name in select.split(",")} | {"id"}
    return {name: value for name, value in body.items() if name in wanted or name.startswith("@odata.")}


def media_type(name: str) -> str:
    if name.lower().endswith(".xlsx"):  # not in every machine's table, and O365 insists on it
        return XLSX
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _identity(who: str) -> Json:
    if who == THE_APP:
        return {"application": {"displayName": "Sandbox application"}}
    return {"user": {"displayName": who}}
