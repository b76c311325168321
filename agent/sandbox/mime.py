"""MIME in and out: mails read as they arrive, written as Exchange writes them when asked for.

Exchange keeps no MIME. What it hands out is written afresh each time: the same headers, texts and
documents, between other boundaries. So nobody can rely on the bytes.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.generator import BytesGenerator
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import format_datetime, formataddr, getaddresses, parsedate_to_datetime
from io import BytesIO
from typing import Any

from agent.sandbox import html_text
from agent.sandbox.stored import Address, BodyType, StoredAttachment, StoredMessage

WIRE = policy.compat32.clone(linesep="\r\n", max_line_length=None)
HEADER_BLOCK = re.compile(rb"(?:[\x21-\x39\x3b-\x7e]+[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n)*")
BOUNDARY = b"_sandbox_boundary_"
_writings = itertools.count(1)

CLASS_PROPERTY = "String 0x1a"
NOTE, REPORT, AUTOMATIC = "IPM.Note", "REPORT.IPM.Note.NDR", "IPM.Note.Rules.OofTemplate.Microsoft"
MEETING = "IPM.Schedule.Meeting.Request"
# headers that a mail written here composes from its fields; the rest of a MIME draft's are kept
COMPOSED = frozenset(
    (
        *("from", "sender", "to", "cc", "bcc", "reply-to", "subject", "thread-topic", "thread-index", "date"),
        *("message-id", "in-reply-to", "references", "importance", "content-language", "mime-version"),
        *("content-type", "content-transfer-encoding", "content-disposition"),
    )
)
UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, MessageError, AssertionError)


# Reading


def parsed(raw: bytes) -> Message:
    return BytesParser(policy=policy.compat32).parsebytes(raw)


def header(message: Message, name: str) -> str:
    """A header as text, words decoded; empty when absent or beyond reading."""
    value = message.get(name)
    if value is None:
        return ""
    try:
        text = str(make_header(decode_header(value)))
    except UNREADABLE:
        text = str(value)
    return " ".join(text.encode("utf-8", "replace").decode().split())


def addresses(message: Message, name: str) -> list[Address]:
    raw = [str(value) for value in message.get_all(name, [])]
    found = getaddresses([" ".join(value.split()) for value in raw])
    return [Address(address, _decoded(shown)) for shown, address in found if address]


def _decoded(text: str) -> str:
    try:
        return str(make_header(decode_header(text)))
    except UNREADABLE:
        return text


def header_time(message: Message, name: str = "Date") -> datetime | None:
    try:
        moment = parsedate_to_datetime(str(message.get(name, "")))
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.astimezone() if moment.tzinfo is None else moment


def fill_from_mime(stored: StoredMessage, raw: bytes, new_id: Iterable[str]) -> None:
    """Write into `stored` what a MIME mail says. `new_id` yields ids for its attachments."""
    message = parsed(raw)
    stored.subject = header(message, "Subject")
    stored.author = next(iter(addresses(message, "From")), None)
    stored.submitted_by = next(iter(addresses(message, "Sender")), stored.author)
    stored.to_recipients = addresses(message, "To")
    stored.cc_recipients = addresses(message, "Cc")
    stored.reply_to = addresses(message, "Reply-To")
    stored.internet_message_id = header(message, "Message-ID") or stored.internet_message_id
    answered = header(message, "References") or header(message, "In-Reply-To")
    stored.references = re.findall(r"<[^<>\s]+>", answered)
    stored.importance = _importance(message)
    stored.headers = [(name, " ".join(str(value).split())) for name, value in message.items()]
    stored.properties[CLASS_PROPERTY] = _message_class(message)
    stored.conversation = _conversation(header(message, "Thread-Index")) or stored.conversation
    _fill_body(stored, message, new_id)


def _importance(message: Message) -> str:
    told = header(message, "Importance").lower()
    if told in {"low", "normal", "high"}:
        return told
    return "high" if header(message, "X-Priority").startswith(("1", "2")) else "normal"


def _message_class(message: Message) -> str:
    if message.get_content_type() == "multipart/report":
        return REPORT
    if any(part.get_content_type() == "text/calendar" for part in message.walk()):
        return MEETING
    suppressed = header(message, "X-Auto-Response-Suppress")
    return AUTOMATIC if suppressed and header(message, "Auto-Submitted").startswith("auto-replied") else NOTE


def is_meeting_request(stored: StoredMessage) -> bool:
    return stored.properties.get(CLASS_PROPERTY) == MEETING


def _conversation(thread_index: str) -> bytes:
    try:
        raw = base64.b64decode(thread_index)
    except ValueError:
        return b""
    return raw[6:22] if len(raw) >= 22 else b""


def _fill_body(stored: StoredMessage, message: Message, new_id: Iterable[str]) -> None:
    bodies: dict[BodyType, str] = {}
    ids = iter(new_id)
    for part in _leaves(message):
        kind = _body_kind(part)
        if kind is not None and kind not in bodies:
            bodies[kind] = _text(part)
        else:
            stored.attachments.append(_attachment(part, next(ids), stored.created_at))
    stored.body_type = "html" if "html" in bodies else "text"
    stored.body = bodies.get("html", bodies.get("text", ""))


def _leaves(message: Message) -> Iterable[Message]:
    """The parts that hold something; a mail inside the mail is one of them and is not entered."""
    if message.get_content_maintype() != "multipart" or not isinstance(message.get_payload(), list):
        yield message
        return
    for part in _inner(message):
        yield from _leaves(part)


def _body_kind(part: Message) -> BodyType | None:
    if part.get_content_disposition() == "attachment" or _file_name(part):
        return None
    kinds: dict[str, BodyType] = {"text/html": "html", "text/plain": "text"}
    return kinds.get(part.get_content_type())


def _text(part: Message) -> str:
    raw = _payload(part)
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _payload(part: Message) -> bytes:
    if part.is_multipart():
        return b"\r\n".join(_flat(inner) for inner in _inner(part))
    return _content(part)


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _file_name(part: Message) -> str:
    try:
        return _decoded(part.get_filename() or "")
    except UNREADABLE:
        return "attachment"


def _attachment(part: Message, attachment_id: str, now: datetime) -> StoredAttachment:
    content_type = part.get_content_type()
    name = _file_name(part) or _name_of_mail(part) or f"ATT{attachment_id[-9:-4]}"
    content_id = header(part, "Content-ID").strip("<>") or None
    inline = part.get_content_disposition() == "inline" or (
        content_id is not None and part.get_content_disposition() != "attachment"
    )
    return StoredAttachment(attachment_id, name, content_type, _payload(part), inline, content_id, now)


def _inner(part: Message) -> list[Message]:
    """The parts of a part, none when it is no list."""
    payload = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def _name_of_mail(part: Message) -> str:
    if part.get_content_type() != "message/rfc822":
        return ""
    return next((header(inner, "Subject") for inner in _inner(part)), "")


# Writing


def stamped(raw: bytes, stamps: Sequence[tuple[str, str]], dropped: Sequence[str] = ()) -> bytes:
    """The mail as Exchange takes it in: its own headers on top, headers that only it may write dropped.

    `dropped` are the beginnings of header names in lower case. A mail too broken to be written again
    with the same content is kept as it came.
    """
    top = b"".join(f"{name}: {value}\r\n".encode() for name, value in stamps)
    kept = _without(raw, dropped)
    try:
        message = parsed(kept)
        _mark_boundaries(message)
        written = _flat(message)
        same = _substance(parsed(written)) == _substance(parsed(kept))
    except UNREADABLE:
        same = False
    return top + (written if same else kept)


def _without(raw: bytes, names: Sequence[str]) -> bytes:
    """The mail without the headers whose names begin like that, and their continuation lines."""
    if not names:
        return raw
    beginnings = b"|".join(re.escape(name.encode()) for name in names)
    field = rb"(?im)^(?:" + beginnings + rb")[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n"
    found = HEADER_BLOCK.match(raw)
    body_starts = found.end() if found else 0
    return re.sub(field, b"", raw[:body_starts]) + raw[body_starts:]


def _substance(message: Message) -> list[tuple[str, bytes]]:
    """What the mail says, blind to how its lines are folded and ended."""
    return [(part.get_content_type(), b"".join(_content(part).split())) for part in message.walk()]


def _mark_boundaries(message: Message) -> None:
    """Give every part list a boundary that `afresh` finds again. A signed mail is left as it is."""
    if message.get_content_type() == "multipart/signed":
        return
    lists = (part for part in message.walk() if part.get_content_maintype() == "multipart")
    for number, part in enumerate(lists):
        part.set_boundary(f"_{number:03}{BOUNDARY.decode()}")


def _flat(message: Message) -> bytes:
    written = BytesIO()
    BytesGenerator(written, mangle_from_=False, policy=WIRE).flatten(message)
    return written.getvalue()


def written_afresh(stored: StoredMessage) -> bytes:
    """The mail's MIME with boundaries that were never used before."""
    source = stored.source if stored.source is not None else composed(stored)
    return source.replace(BOUNDARY, f"_n2k{next(_writings):0{len(BOUNDARY) - 5}x}_".encode())


def composed(stored: StoredMessage, sent_at: datetime | None = None) -> bytes:
    """A mail written in the mailbox, as the transport hands it on: blind copies are not named."""
    mail = EmailMessage(policy=policy.SMTP)
    for name, value in _composed_headers(stored, sent_at or stored.sent_at or stored.modified_at):
        mail[name] = value
    _add_bodies(mail, stored)
    return stamped(mail.as_bytes(), ())


def _composed_headers(stored: StoredMessage, moment: datetime) -> Iterable[tuple[str, str]]:
    lists = (("To", stored.to_recipients), ("Cc", stored.cc_recipients), ("Reply-To", stored.reply_to))
    if stored.author:
        yield "From", _shown(stored.author)
    yield from ((name, ", ".join(map(_shown, people))) for name, people in lists if people)
    yield "Subject", " ".join(stored.subject.split())
    yield "Thread-Topic", " ".join(bare_subject(stored.subject).split())
    yield "Thread-Index", base64.b64encode(conversation_index(stored)).decode()
    yield "Date", format_datetime(moment)
    yield "Message-ID", stored.internet_message_id
    if stored.references:
        yield "In-Reply-To", stored.references[-1]
        yield "References", " ".join(stored.references)
    if stored.importance != "normal":
        yield "Importance", stored.importance
    yield from stored.headers
    yield "Content-Language", "en-GB"


def _add_bodies(mail: EmailMessage, stored: StoredMessage) -> None:
    text = stored.body if stored.body_type == "text" else html_text.text_of_html(stored.body)
    mail.set_content(text, cte="quoted-printable")
    pictures: list[StoredAttachment] = []
    if stored.body_type == "html":
        mail.add_alternative(stored.body, subtype="html", cte="quoted-printable")
        pictures = [attached for attached in stored.attachments if attached.is_inline]
        html = [part for part in mail.iter_parts() if isinstance(part, EmailMessage)][-1]
        for picture in pictures:
            main, sub = _kind(picture)
            html.add_related(picture.content, main, sub, disposition="inline", **_naming(picture))
    for attached in stored.attachments:
        if attached not in pictures:
            _attach(mail, attached)


def _attach(mail: EmailMessage, attached: StoredAttachment) -> None:
    if attached.is_mail:
        inner = BytesParser(policy=policy.SMTP).parsebytes(attached.content)
        mail.add_attachment(inner, filename=attached.name)
    else:
        main, sub = _kind(attached)
        mail.add_attachment(attached.content, main, sub, **_naming(attached))


def _kind(attached: StoredAttachment) -> tuple[str, str]:
    main, _, sub = attached.content_type.partition("/")
    known = sub and main not in {"text", "multipart", "message"}
    return (main, sub) if known else ("application", "octet-stream")


def _naming(attached: StoredAttachment) -> dict[str, Any]:
    cid = f"<{attached.content_id}>" if attached.content_id else None
    return {"filename": attached.name, "cid": cid}


def _shown(who: Address) -> str:
    return formataddr((who.name, who.address))


def conversation_index(stored: StoredMessage) -> bytes:
    """22 bytes for the conversation and 5 for each reply in it."""
    conversation = stored.conversation[:16].ljust(16, b"\0")
    return b"\x01\xdc\0\0\0\0" + conversation + b"\0\0\0\0\x10" * len(stored.references)


def bare_subject(subject: str) -> str:
    """The subject without the marks of replies and forwards."""
    return re.sub(r"^((re|fw|fwd|aw|wg)\s*:\s*)+", "", subject, flags=re.IGNORECASE)
