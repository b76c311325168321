"""Mails and attachments as Graph's JSON, in both directions."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.sandbox import html_text, mime
from agent.sandbox.answers import Refused, graph_time
from agent.sandbox.mailboxes import Mailbox
from agent.sandbox.queries import property_id
from agent.sandbox.stored import Address, StoredAttachment, StoredMessage

MOST_CUSTOM_HEADERS = 5
FILE, ITEM = "#microsoft.graph.fileAttachment", "#microsoft.graph.itemAttachment"
CUSTOM_HEADER = re.compile(r"x-[\x21-\x39\x3b-\x7e]+", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """How a request wants its mails shown."""

    select: Sequence[str] = ()
    immutable: bool = False
    as_text: bool = False
    unsafe_html: bool = False
    properties: Sequence[str] = ()
    attachments: bool = False


# Out


def shown(message: StoredMessage, wanted: Wanted) -> dict[str, Any]:
    """The mail with the properties that are wanted; its id and etag are always there."""
    names = wanted.select or DEFAULT_PROPERTIES
    body: dict[str, Any] = {"@odata.etag": f'W/"{message.change_key}"', "id": _id(message, wanted)}
    if mime.is_meeting_request(message):
        body = {"@odata.type": "#microsoft.graph.eventMessageRequest", **body}
    body |= {name: PROPERTIES[name](message, wanted) for name in names if name != "id"}
    held = [(name, message.properties[name]) for name in wanted.properties if name in message.properties]
    if held:
        body["singleValueExtendedProperties"] = [{"id": name, "value": value} for name, value in held]
    if wanted.attachments:
        body["attachments"] = [attachment_shown(attached) for attached in message.attachments]
    return body


def _id(message: StoredMessage, wanted: Wanted) -> str:
    return message.immutable_id if wanted.immutable else message.id


def person(who: Address | None) -> dict[str, Any] | None:
    if who is None:
        return None
    return {"emailAddress": {"name": who.name or who.address, "address": who.address}}


def _people(people: Sequence[Address]) -> list[dict[str, Any] | None]:
    return [person(who) for who in people]


def _body(message: StoredMessage, wanted: Wanted) -> dict[str, str]:
    if wanted.as_text:
        text = message.body if message.body_type == "text" else html_text.text_of_html(message.body)
        return {"contentType": "text", "content": text}
    if message.body_type == "html" and not wanted.unsafe_html:
        return {"contentType": "html", "content": html_text.safe_html(message.body)}
    return {"contentType": message.body_type, "content": message.body}


def _preview(message: StoredMessage) -> str:
    text = html_text.text_of_html(message.body) if message.body_type == "html" else message.body
    return text[:2000].strip()[:255]


def _headers(message: StoredMessage) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in message.headers]


PROPERTIES: dict[str, Callable[[StoredMessage, Wanted], Any]] = {
    "id": _id,
    "createdDateTime": lambda message, _: graph_time(message.created_at),
    "lastModifiedDateTime": lambda message, _: graph_time(message.modified_at),
    "changeKey": lambda message, _: message.change_key,
    "categories": lambda message, _: list(message.categories),
    "receivedDateTime": lambda message, _: graph_time(message.received_at or message.created_at),
    "sentDateTime": lambda message, _: graph_time(message.sent_at or message.created_at),
    "hasAttachments": lambda message, _: message.has_attachments,
    "internetMessageId": lambda message, _: message.internet_message_id,
    "subject": lambda message, _: message.subject,
    "bodyPreview": lambda message, _: _preview(message),
    "importance": lambda message, _: message.importance,
    "parentFolderId": lambda message, _: message.folder.id,
    "conversationId": lambda message, _: message.conversation_id,
    "conversationIndex": lambda message, _: base64.b64encode(mime.conversation_index(message)).decode(),
    "isDeliveryReceiptRequested": lambda message, _: message.delivery_receipt,
    "isReadReceiptRequested": lambda message, _: message.read_receipt,
    "isRead": lambda message, _: message.is_read,
    "isDraft": lambda message, _: message.is_draft,
    "webLink": lambda message, _: f"https://outlook.office365.com/owa/?ItemID={message.id}",
    "inferenceClassification": lambda message, _: message.inference,
    "body": _body,
    "sender": lambda message, _: person(message.submitted_by),
    "from": lambda message, _: person(message.author),
    "toRecipients": lambda message, _: _people(message.to_recipients),
    "ccRecipients": lambda message, _: _people(message.cc_recipients),
    "bccRecipients": lambda message, _: _people(message.bcc_recipients),
    "replyTo": lambda message, _: _people(message.reply_to),
    "flag": lambda message, _: dict(message.flag),
    "internetMessageHeaders": lambda message, _: _headers(message),
    "uniqueBody": _body,
}  # fmt: skip
ONLY_WHEN_SELECTED = {"internetMessageHeaders", "uniqueBody"}
DEFAULT_PROPERTIES = tuple(name for name in PROPERTIES if name not in ONLY_WHEN_SELECTED)
ATTACHMENT_PROPERTIES = ("id", "name", "contentType", "size", "isInline", "lastModifiedDateTime")


def attachment_shown(attached: StoredAttachment, select: Sequence[str] = ()) -> dict[str, Any]:
    base = {
        "id": attached.id,
        "lastModifiedDateTime": graph_time(attached.modified_at),
        "name": attached.name,
        "contentType": None if attached.is_mail else attached.content_type,
        "size": len(attached.content) + 300,
        "isInline": attached.is_inline,
    }
    kind = ITEM if attached.is_mail else FILE
    if select:
        return {"@odata.type": kind, "id": attached.id, **{name: base[name] for name in select}}
    if attached.is_mail:
        return {"@odata.type": kind, **base}
    content = base64.b64encode(attached.content).decode()
    own = {"contentId": attached.content_id, "contentLocation": None, "contentBytes": content}
    return {"@odata.type": kind, **base, **own}


# In

Setter = Callable[[StoredMessage, Any], None]


def _attribute(name: str) -> Setter:
    return lambda message, value: setattr(message, name, value)


def _set_text(name: str) -> Setter:
    return lambda message, value: setattr(message, name, str(value or ""))


def _set_people(name: str) -> Setter:
    return lambda message, value: setattr(message, name, [address_in(one) for one in value or []])


def _set_person(name: str) -> Setter:
    return lambda message, value: setattr(message, name, address_in(value) if value else None)


def _set_body(message: StoredMessage, value: Any) -> None:
    value = value or {}
    message.body = str(value.get("content") or "")
    message.body_type = "html" if str(value.get("contentType", "text")).lower() == "html" else "text"


def _set_properties(message: StoredMessage, value: Any) -> None:
    message.properties |= {property_id(str(one.get("id", ""))): str(one.get("value", "")) for one in value}


def _set_categories(message: StoredMessage, value: Any) -> None:
    message.categories = list(dict.fromkeys(str(one) for one in value or []))


def _ignore(message: StoredMessage, value: Any) -> None:
    """Given by clients, decided by Exchange."""


ALWAYS_WRITABLE: dict[str, Setter] = {
    "categories": _set_categories,
    "flag": _attribute("flag"),
    "importance": lambda message, value: setattr(message, "importance", str(value).lower()),
    "inferenceClassification": lambda message, value: setattr(message, "inference", str(value).lower()),
    "isDeliveryReceiptRequested": lambda message, value: setattr(message, "delivery_receipt", bool(value)),
    "isRead": lambda message, value: setattr(message, "is_read", bool(value)),
    "isReadReceiptRequested": lambda message, value: setattr(message, "read_receipt", bool(value)),
    "singleValueExtendedProperties": _set_properties,
}
WRITABLE_IN_DRAFTS: dict[str, Setter] = {
    "bccRecipients": _set_people("bcc_recipients"),
    "body": _set_body,
    "ccRecipients": _set_people("cc_recipients"),
    "from": _set_person("author"),
    "internetMessageId": _set_text("internet_message_id"),
    "replyTo": _set_people("reply_to"),
    "sender": _ignore,
    "subject": _set_text("subject"),
    "toRecipients": _set_people("to_recipients"),
}
ONLY_AT_CREATION = {"internetMessageHeaders", "attachments", "isDraft", "conversationIndex", "@odata.type"}


def address_in(value: Any) -> Address:
    told = value.get("emailAddress") if isinstance(value, Mapping) else None
    if not isinstance(told, Mapping):
        raise Refused(400, "RequestBodyRead", "A recipient needs an emailAddress.")
    return Address(str(told.get("address") or ""), str(told.get("name") or ""))


def write(message: StoredMessage, body: Mapping[str, Any]) -> None:
    """Change a mail as a PATCH says. Most of a mail can be written only while it is a draft."""
    for name in body:
        if name not in ALWAYS_WRITABLE and name not in WRITABLE_IN_DRAFTS:
            said = f"The property '{name}' does not exist on type 'Message' or is read-only."
            raise Refused(400, "RequestBodyRead", said)
        if name in WRITABLE_IN_DRAFTS and not message.is_draft:
            said = f"'{name}' can be set only while the item is a draft."
            raise Refused(400, "ErrorInvalidPropertySet", said)
    for name, value in body.items():
        (ALWAYS_WRITABLE.get(name) or WRITABLE_IN_DRAFTS[name])(message, value)


def write_new(message: StoredMessage, body: Mapping[str, Any], box: Mailbox) -> None:
    """Fill a new draft from the body of a POST."""
    message.is_draft, message.is_read = True, True
    write(message, {name: value for name, value in body.items() if name not in ONLY_AT_CREATION})
    message.headers += custom_headers(body.get("internetMessageHeaders") or [])
    message.attachments += [attachment_in(one, box) for one in body.get("attachments") or []]


def custom_headers(told: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    if len(told) > MOST_CUSTOM_HEADERS:
        said = "Maximum number of headers in one message should be less than or equal to 5."
        raise Refused(400, "InvalidInternetMessageHeaderCollection", said)
    for one in told:
        if not CUSTOM_HEADER.fullmatch(str(one.get("name", ""))):
            said = f"The internet message header name '{one.get('name')}' should start with 'x-' or 'X-'."
            raise Refused(400, "InvalidInternetMessageHeader", said)
    return [(one["name"], " ".join(str(one.get("value", "")).split())) for one in told]


def attachment_in(body: Mapping[str, Any], box: Mailbox) -> StoredAttachment:
    if str(body.get("@odata.type", "")).lower().lstrip("#") != FILE.lower().lstrip("#"):
        raise Refused(400, "ErrorInvalidRequest", "The sandbox takes attached files only.")
    try:
        content = base64.b64decode(str(body.get("contentBytes") or ""), validate=True)
    except binascii.Error:
        raise Refused(400, "RequestBodyRead", "contentBytes is not valid base64.") from None
    return StoredAttachment(
        id=box.mint.attachment(),
        name=str(body.get("name") or "attachment"),
        content_type=str(body.get("contentType") or "application/octet-stream"),
        content=content,
        is_inline=bool(body.get("isInline")),
        content_id=body.get("contentId"),
        modified_at=box.clock.now(),
    )
