"""Graph's operations on mails: list, changes, get, MIME, change, move, draft, reply, send, attachments."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.responses import Response
from starlette.routing import Route

from agent.sandbox import delta, html_text, mime, queries
from agent.sandbox.answers import Refused, graph_json
from agent.sandbox.delta import DeltaRow, Options
from agent.sandbox.mail_request import MailRequest, mail_route
from agent.sandbox.message_json import (
    ATTACHMENT_PROPERTIES,
    attachment_in,
    attachment_shown,
    shown,
    write,
    write_new,
)
from agent.sandbox.mime import written_afresh
from agent.sandbox.stored import Address, Folder, StoredMessage

if TYPE_CHECKING:
    from agent.sandbox.tenant import Tenant

DEFAULT_PAGE, LARGEST_PAGE = 10, 1000
LARGEST_ATTACHMENT = 3 * 1024 * 1024


def message_routes(tenant: Tenant) -> list[Route]:
    route = functools.partial(mail_route, tenant)
    one, in_folder = "/messages/{message_id}", "/mailFolders/{folder_id}/messages"
    deltas = ("delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()")
    return [
        *(route("GET", f"{in_folder}/{name}", changes) for name in deltas),
        route("GET", in_folder, list_in_folder),
        route("POST", in_folder, create_in_folder),
        route("GET", in_folder + "/{message_id}", get_message),
        route("GET", "/messages", list_all),
        route("POST", "/messages", create_draft),
        route("GET", one, get_message),
        route("PATCH", one, change_message),
        route("DELETE", one, delete_message),
        route("GET", f"{one}/$value", get_mime),
        route("POST", f"{one}/move", move_message),
        route("POST", f"{one}/copy", copy_message),
        route("POST", f"{one}/createReply", functools.partial(create_reply, to_all=False)),
        route("POST", f"{one}/createReplyAll", functools.partial(create_reply, to_all=True)),
        route("POST", f"{one}/createForward", create_forward),
        route("POST", f"{one}/send", send_draft),
        route("POST", "/sendMail", send_mail),
        route("GET", f"{one}/attachments", list_attachments),
        route("POST", f"{one}/attachments", add_attachment),
        route("GET", f"{one}/attachments/{{attachment_id}}", get_attachment),
        route("GET", f"{one}/attachments/{{attachment_id}}/$value", get_attachment_content),
    ]


# Listing


def list_all(ask: MailRequest) -> Response:
    return _listing(ask, ask.box.all_messages(), "/messages")


def list_in_folder(ask: MailRequest) -> Response:
    return _listing(ask, ask.folder.messages, f"/mailFolders/{ask.param('folder_id')}/messages")


def _listing(ask: MailRequest, messages: Iterable[StoredMessage], path: str) -> Response:
    filter_text, orderby = ask.query("filter"), ask.query("orderby")
    if ask.query("search"):
        raise Refused(400, "ErrorInvalidUrlQuery", "The sandbox does not search; filter instead.")
    found = queries.matching(list(messages)[::-1], filter_text)
    found = queries.sorted_by(found, "receivedDateTime desc", "")
    found = queries.sorted_by(found, orderby, filter_text)
    size = _page_size(ask)
    start = queries.whole_number(ask.query("skip") or None, 0, 10**9)
    wanted = ask.wanted()
    body: dict[str, Any] = _context(ask, path)
    if ask.query("count").lower() == "true":
        body["@odata.count"] = len(found)
    body["value"] = [shown(message, wanted) for message in found[start : start + size]]
    if start + size < len(found):
        body["@odata.nextLink"] = _link(ask, path, {**_options(ask), "$skip": str(start + size)})
    return graph_json(body)


def _options(ask: MailRequest) -> dict[str, str]:
    return dict(ask.request.query_params.items())


def _page_size(ask: MailRequest) -> int:
    preferred = ask.preference("odata.maxpagesize")
    top = ask.query("top") or preferred
    return queries.whole_number(top, DEFAULT_PAGE, LARGEST_PAGE) or DEFAULT_PAGE


def _context(ask: MailRequest, path: str) -> dict[str, str]:
    user = quote(f"'{ask.box.address}'", safe="")
    return {"@odata.context": f"{ask.base}/$metadata#users({user}){path}"}


def _link(ask: MailRequest, path: str, options: dict[str, str]) -> str:
    query = urlencode(options, safe="$'(),", quote_via=quote)
    return f"{ask.base}/users/{quote(ask.box.address, safe='@')}{quote(path, safe='/=')}?{query}"


# Changes


def changes(ask: MailRequest) -> Response:
    """One page of a delta round."""
    box, habits = ask.box, ask.tenant.habits
    token = ask.query("skiptoken") or ask.query("deltatoken")
    if token.lower() == "latest":
        raise Refused(400, "ErrorInvalidUrlQuery", "$deltatoken=latest is not supported for messages.")
    if token:
        position = box.delta_tokens.position(token)
    else:
        position = delta.first_round(ask.folder, _delta_options(ask), box.changes, habits)
    if position.rows is None:
        position = delta.next_round(position, box.changes, habits, ask.immutable)
    size = _page_size(ask) if ask.preference("odata.maxpagesize") else position.options.top or DEFAULT_PAGE
    rows, after = delta.page(position, size)
    return _delta_page(ask, rows, after)


def _delta_page(ask: MailRequest, rows: Iterable[DeltaRow], after: delta.Position) -> Response:
    path = f"/mailFolders/{ask.param('folder_id')}/messages/delta"
    value = [body for row in rows if (body := _delta_row(ask, row, after)) is not None]
    ended = after.rows is None
    kind, option = ("deltaLink", "$deltatoken") if ended else ("nextLink", "$skiptoken")
    link = _link(ask, path, {option: ask.box.delta_tokens.issue(after)})
    body = {**_context(ask, path.removesuffix("/delta")), "value": value, f"@odata.{kind}": link}
    applied = ask.preference("odata.maxpagesize")
    headers = {"Preference-Applied": f"odata.maxpagesize={applied}"} if applied else None
    return graph_json(body, headers=headers)


def _delta_options(ask: MailRequest) -> Options:
    filter_text, orderby = ask.query("filter"), ask.query("orderby")
    if filter_text and not filter_text.lower().startswith(("receiveddatetime ge ", "receiveddatetime gt ")):
        raise Refused(400, "ErrorInvalidUrlQueryFilter", "Delta supports receivedDateTime ge or gt only.")
    if orderby and orderby.lower() != "receiveddatetime desc":
        raise Refused(400, "ErrorInvalidUrlQuery", "Delta supports $orderby=receivedDateTime desc only.")
    if ask.query("search"):
        raise Refused(400, "ErrorInvalidUrlQuery", "Delta does not support $search.")
    top = queries.whole_number(ask.query("top") or None, 0, LARGEST_PAGE) or None
    return Options(ask.select, filter_text, ask.query("expand"), top, ask.query("changeType"))


def _delta_row(ask: MailRequest, row: DeltaRow, position: delta.Position) -> dict[str, Any] | None:
    options = position.options
    if options.change_type and options.change_type != row.change_type:
        return None
    if row.removed:
        removed_id = row.immutable_id if ask.immutable else row.id
        return {"@removed": {"reason": row.removed}, "id": removed_id}
    here = ask.box.holds(row.message) and row.message.folder is position.folder
    if not here or not queries.matching([row.message], options.filter):
        return None  # gone since the round began: the next round tells
    if row.fields is None:
        return shown(row.message, ask.wanted(options.select, options.expand))
    sparse = [*sorted(row.fields & set(options.select or row.fields)), "parentFolderId"]
    return shown(row.message, ask.wanted(sparse, ""))


# One mail


def get_message(ask: MailRequest) -> Response:
    return graph_json({**_context(ask, "/messages/$entity"), **shown(ask.message, ask.wanted())})


def get_mime(ask: MailRequest) -> Response:
    return Response(written_afresh(ask.message), media_type="text/plain")


def change_message(ask: MailRequest) -> Response:
    body = ask.json()
    write(ask.message, body)
    ask.box.touch(ask.message, *(name for name in body if name != "singleValueExtendedProperties"))
    return _one(ask, ask.message)


def delete_message(ask: MailRequest) -> Response:
    ask.box.delete(ask.message)
    return Response(status_code=204)


def move_message(ask: MailRequest) -> Response:
    return _one(ask, ask.box.move(ask.message, _destination(ask)), 201)


def _destination(ask: MailRequest) -> Folder:
    body = ask.json()
    return ask.box.folder(str(body.get("destinationId") or body.get("DestinationId") or ""))


def copy_message(ask: MailRequest) -> Response:
    original, blank = ask.message, ask.box.blank(_destination(ask))
    copy = replace(
        original,
        id=blank.id,
        immutable_id=blank.immutable_id,
        change_key=blank.change_key,
        folder=blank.folder,
        categories=list(original.categories),
        properties=dict(original.properties),
    )
    return _one(ask, ask.box.add(copy), 201)


def _one(ask: MailRequest, message: StoredMessage, status: int = 200) -> Response:
    return graph_json({**_context(ask, "/messages/$entity"), **shown(message, ask.wanted())}, status)


# Writing and sending


def create_draft(ask: MailRequest) -> Response:
    return _one(ask, _new_draft(ask, ask.box.known("drafts")), 201)


def create_in_folder(ask: MailRequest) -> Response:
    return _one(ask, _new_draft(ask, ask.folder), 201)


def _new_draft(ask: MailRequest, folder: Folder) -> StoredMessage:
    return ask.box.add(_written(ask, folder, {} if ask.is_mime else ask.json()))


def _written(ask: MailRequest, folder: Folder, body: dict[str, Any]) -> StoredMessage:
    """A draft out of the request's JSON or MIME that lies nowhere yet."""
    draft = ask.box.blank(folder)
    if ask.is_mime:
        mime.fill_from_mime(draft, _mime_in(ask.content), iter(ask.box.mint.attachment, ""))
        draft.headers = [held for held in draft.headers if held[0].lower() not in mime.COMPOSED]
        draft.is_draft = draft.is_read = True
    else:
        write_new(draft, body, ask.box)
        draft.properties.setdefault(mime.CLASS_PROPERTY, mime.NOTE)
    draft.submitted_by = draft.author
    draft.internet_message_id = draft.internet_message_id or ask.box.new_message_id()
    draft.conversation = draft.conversation or ask.box.mint.conversation()
    return draft


def _mime_in(content: bytes) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        said = "Invalid base64 string for MIME content."
        raise Refused(400, "ErrorMimeContentInvalidBase64String", said) from None


def create_reply(ask: MailRequest, to_all: bool) -> Response:
    original = ask.message
    draft = _answer(ask, original, "RE")
    draft.to_recipients = original.reply_to or [original.author or Address("")]
    draft.references = [*original.references, original.internet_message_id]
    if to_all:
        others = (*original.to_recipients, *original.cc_recipients)
        draft.cc_recipients = [who for who in others if who.address.lower() != ask.box.address]
    return _finished_answer(ask, draft, original)


def create_forward(ask: MailRequest) -> Response:
    original = ask.message
    draft = _answer(ask, original, "FW")
    draft.attachments = list(original.attachments)
    return _finished_answer(ask, draft, original)


def _answer(ask: MailRequest, original: StoredMessage, mark: str) -> StoredMessage:
    draft = _written(ask, ask.box.known("drafts"), {})
    draft.subject = f"{mark}: {mime.bare_subject(original.subject)}"
    draft.conversation = original.conversation
    return draft


def _finished_answer(ask: MailRequest, draft: StoredMessage, original: StoredMessage) -> Response:
    body = ask.json() if ask.content.strip() else {}
    told = body.get("message") or body.get("Message") or {}
    comment = body.get("comment") or body.get("Comment") or ""
    if comment and told.get("body"):
        said = "Specify either a comment or the body of the message, not both."
        raise Refused(400, "ErrorInvalidRequest", said)
    draft.body_type, draft.body = "html", _quoted(comment, original)
    for recipients in (body.get("toRecipients"), body.get("ToRecipients")):
        if recipients:
            told = {**told, "toRecipients": recipients}
    write_new(draft, told, ask.box)
    return _one(ask, ask.box.add(draft), 201)


def _quoted(comment: str, original: StoredMessage) -> str:
    below = original.body if original.body_type == "html" else html_text.html_of_text(original.body)
    sender = original.author.address if original.author else ""
    return (
        f"<html><body>{comment}<hr><div><b>From:</b> {sender}<br><b>Subject:</b> {original.subject}</div>"
        f"{html_text.inner_html(below)}</body></html>"
    )


def send_draft(ask: MailRequest) -> Response:
    message = ask.message
    if not message.is_draft:
        raise Refused(400, "ErrorInvalidRequest", "The item is not a draft and cannot be sent.")
    ask.tenant.transport.send(ask.box, message, late=ask.request.state.late_copy)
    return Response(status_code=202)


def send_mail(ask: MailRequest) -> Response:
    body = {} if ask.is_mime else ask.json()
    told = body.get("message") or body.get("Message") or {}
    save = body.get("saveToSentItems", body.get("SaveToSentItems", True))
    message = _written(ask, ask.box.known("drafts"), told)
    keep = str(save).lower() != "false"
    ask.tenant.transport.send(ask.box, message, keep, ask.request.state.late_copy)
    return Response(status_code=202)


# Attachments


def list_attachments(ask: MailRequest) -> Response:
    select = queries.selected(ask.query("select"), ATTACHMENT_PROPERTIES)
    value = [attachment_shown(attached, select) for attached in ask.message.attachments]
    return graph_json({**_context(ask, "/attachments"), "value": value})


def add_attachment(ask: MailRequest) -> Response:
    attached = attachment_in(ask.json(), ask.box)
    if len(attached.content) > LARGEST_ATTACHMENT:
        raise Refused(413, "ErrorAttachmentSizeLimitExceeded", "The attachment is larger than 3 MB.")
    ask.message.attachments.append(attached)
    ask.box.touch(ask.message)
    return graph_json(attachment_shown(attached), 201)


def _attachment(ask: MailRequest) -> Any:
    wanted = ask.param("attachment_id")
    for attached in ask.message.attachments:
        if attached.id == wanted:
            return attached
    raise Refused(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def get_attachment(ask: MailRequest) -> Response:
    return graph_json({**_context(ask, "/attachments/$entity"), **attachment_shown(_attachment(ask))})


def get_attachment_content(ask: MailRequest) -> Response:
    attached = _attachment(ask)
    return Response(attached.content, media_type=attached.content_type)
