"""An item as Outlook stores it (a bag of numbered properties) → the MIME message that it was or would be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from email.header import Header
from email.message import Message
from email.utils import format_datetime, formataddr

from agent.procedure.mail import CLASS_HEADER

CLASS, SUBJECT, SENT, HEADERS, TO_KIND = 0x001A, 0x0037, 0x0039, 0x007D, 0x0C15
SENDER_NAME = 0x0C1A
BODY, HTML, MESSAGE_ID, REFERENCES, REPLY_TO = 0x1000, 0x1013, 0x1035, 0x1039, 0x1042
DISPLAY_NAME, ADDRESS, SMTP = 0x3001, 0x3003, 0x39FE
DATA, SHORT_NAME, LONG_NAME, MIME_TYPE, CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712
INTERNET_CODE_PAGE, CODE_PAGE = 0x3FDE, 0x3FFD

UNICODE, ANSI = 0x1F, 0x1E
# how long the values of each type are; other types say their length themselves
FIXED = {0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
# a sender's address inside the organisation is no mail address; which of these is one differs
_SENDERS = (0x5D01, 0x0C1F, 0x5D02, 0x0065)

Value = str | int | bytes
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_PAGES = {65001: "utf-8", 20127: "ascii", 28591: "latin-1", 0: "cp1252", 1200: "utf-16-le"}
# what describes the outer shape of a mail says nothing about the one built here
_SHAPE = ("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id")


@dataclass
class Item:
    """A message, its recipients, and its attachments: a file with its properties, or another item."""

    about: Mapping[int, Value]
    recipients: Sequence[Mapping[int, Value]] = ()
    attached: Sequence[Attached] = ()


@dataclass
class Attached:
    about: Mapping[int, Value] = field(default_factory=dict)
    content: bytes = b""
    item: Item | None = None
    title: str = ""

    @property
    def name(self) -> str:
        return text(self.about, LONG_NAME) or self.title or text(self.about, SHORT_NAME)


def decoded(content: bytes, kind: int, page: int = 1252) -> Value:
    """The value of one property of type `kind`, from its bytes."""
    if kind == UNICODE:
        return content[: len(content) & ~1].decode("utf-16-le", "replace").rstrip("\0")
    if kind == ANSI:
        return in_page(content, page).rstrip("\0")
    if kind in (0x02, 0x03, 0x0A, 0x0B, 0x14, 0x40):
        return int.from_bytes(content, "little")
    return content


def in_page(content: bytes, page: int) -> str:
    """Text in a Windows code page; where that is unknown or wrong, in what it must be."""
    for name in (_PAGES.get(page, f"cp{page}"), "utf-8", "cp1252"):
        try:
            return content.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("latin-1")


def text(about: Mapping[int, Value], number: int) -> str:
    value = about.get(number, "")
    return value if isinstance(value, str) else ""


def number(about: Mapping[int, Value], wanted: int) -> int:
    value = about.get(wanted, 0)
    return value if isinstance(value, int) else 0


def message_of(item: Item, depth: int = 5) -> Message:
    """The MIME message that `item` is. What lies deeper than `depth` items is left out."""
    message = _headed(item)
    message.set_type("multipart/mixed")
    for part in _bodies(item.about):
        message.attach(part)
    for attached in item.attached:
        if attached.item is None:
            message.attach(file_part(attached))
        elif depth:
            message.attach(_mail_part(message_of(attached.item, depth - 1)))
    return message


def file_part(attached: Attached) -> Message:
    part = Message()
    kind = text(attached.about, MIME_TYPE)
    part["Content-Type"] = kind if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind) else "application/octet-stream"
    if part.get_content_maintype() in ("multipart", "message"):
        part.replace_header("Content-Type", "application/octet-stream")
    inline = bool(text(attached.about, CONTENT_ID))
    part.add_header(
        "Content-Disposition",
        "inline" if inline else "attachment",
        filename=("utf-8", "", _flat(attached.name) or "attachment"),
    )
    part["Content-Transfer-Encoding"] = "8bit"
    part.set_payload(attached.content.decode("ascii", "surrogateescape"))
    return part


def _mail_part(message: Message) -> Message:
    part = Message()
    part["Content-Type"] = "message/rfc822"
    part.set_payload([message])
    return part


def _headed(item: Item) -> Message:
    """The headers as they came in, where Outlook kept them; else made from what it knows."""
    kept = text(item.about, HEADERS)
    message = message_from_string(kept.strip() + "\n\n", policy=policy.compat32) if kept else Message()
    message.set_payload([])
    for name in _SHAPE:
        del message[name]
    for name, value in _known_headers(item):
        if value and name not in message:
            message[name] = value
    return message


def _known_headers(item: Item) -> list[tuple[str, str]]:
    about = item.about
    sender = next((address for kind in _SENDERS if "@" in (address := text(about, kind))), "")
    said = [
        (CLASS_HEADER, _flat(text(about, CLASS))),
        ("Subject", _flat(text(about, SUBJECT))),
        ("From", _person(text(about, SENDER_NAME), sender)),
        ("Date", _date(number(about, SENT))),
        ("Message-ID", _flat(text(about, MESSAGE_ID))),
        ("In-Reply-To", _flat(text(about, REPLY_TO))),
        ("References", _flat(text(about, REFERENCES))),
    ]
    for name, kind in (("To", 1), ("Cc", 2)):
        people = [
            _person(text(one, DISPLAY_NAME), text(one, SMTP) or text(one, ADDRESS))
            for one in item.recipients
            if (number(one, TO_KIND) & 0xF or 1) == kind
        ]
        said.append((name, ", ".join(person for person in people if person)))
    return said


def _person(name: str, address: str) -> str:
    address = _flat(address)
    if not re.fullmatch(r"[^\s<>@]+@[^\s<>@]+", address):
        return _flat(name)
    return formataddr((str(Header(_flat(name), "utf-8")) if name else "", address))


def _date(ticks: int) -> str:
    """Windows counts tenths of microseconds from 1601 on."""
    try:
        return format_datetime(_EPOCH + timedelta(microseconds=ticks // 10)) if ticks else ""
    except OverflowError:
        return ""


def _bodies(about: Mapping[int, Value]) -> list[Message]:
    plain, page = text(about, BODY), about.get(HTML, b"")
    if plain.strip():
        return [_text_part(plain, "plain")]
    if isinstance(page, bytes):
        page = in_page(page, number(about, INTERNET_CODE_PAGE) or number(about, CODE_PAGE) or 1252)
    return [_text_part(page, "html")] if isinstance(page, str) and page.strip() else []


def _text_part(said: str, kind: str) -> Message:
    part = Message()
    part["Content-Type"] = f"text/{kind}; charset=utf-8"
    part["Content-Transfer-Encoding"] = "8bit"
    part.set_payload(said.encode("utf-8", "replace").decode("ascii", "surrogateescape"))
    return part


def _flat(said: str) -> str:
    return " ".join(said.replace("\0", " ").split())
