"""The story's mails as MIME, as Outlook writes them: pure, so the same story is always the same bytes."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from agent.errors import BadConfiguration
from agent.forms.definition import FormDefinition
from agent.forms.write import write_form
from agent.procedure.rules import Category
from agent.sandbox.story_data import DOCX
from agent.sandbox.story_events import (
    Attached,
    AuthorAnswersChase,
    FileAttached,
    FormAttached,
    MailArrives,
    MailAttached,
)
from agent.sandbox.story_files import cut_short

UNFOLDED = policy.SMTP.clone(max_line_length=998)  # as Exchange does: a subject stays on one line
PLACEHOLDER = re.compile(r"\{reference of (\w+)\}")
FILETIME_START = 116444736000000000  # 1 January 1970 in steps of 100 ns since 1601


@dataclass(frozen=True)
class Paper:
    """What forms are printed with: their definitions by name, and the procedure's categories."""

    forms: Mapping[str, FormDefinition]
    categories: Sequence[Category]


def mime_of(mail: MailArrives, paper: Paper, references: Mapping[str, str] | None = None) -> bytes:
    """The mail as it travels. `references` are those of the alerts it may quote, by label."""
    return _message(mail, paper, references or {}).as_bytes(policy=UNFOLDED)


def answer_of(answer: AuthorAnswersChase, letter: bytes, paper: Paper) -> bytes:
    """The author's answer to `letter`, a mail from their mailbox, quoting it below as Outlook does."""
    asked = message_from_bytes(letter, policy=policy.default)
    message = EmailMessage(policy=policy.SMTP)
    message["Message-ID"] = answer.message_id
    message["Date"] = format_datetime(answer.at)
    message["From"] = Address(answer.who.name, addr_spec=answer.who.address)
    message["To"] = str(asked["Reply-To"] or asked["From"])
    message["Subject"] = "RE: " + str(asked["Subject"]).removeprefix("RE: ")
    message["In-Reply-To"] = str(asked["Message-ID"])
    message["References"] = f"{asked['References'] or ''} {asked['Message-ID']}".strip()
    message["Thread-Topic"] = str(asked["Subject"])
    _fill(message, answer.text + "\n\n" + _quoted(asked), "", answer.attached, paper)
    return message.as_bytes(policy=UNFOLDED)


def form_of(attached: FormAttached, paper: Paper) -> bytes:
    """The form as a Word document, whole or as it arrived."""
    content = write_form(
        paper.forms[attached.form],
        attached.values,
        attached.tables,
        attached.ticked,
        categories=paper.categories,
        layout=attached.layout,
    )
    return cut_short(content) if attached.damaged else content


def _message(mail: MailArrives, paper: Paper, references: Mapping[str, str]) -> EmailMessage:
    subject = _with_references(mail.subject, mail, references)
    message = EmailMessage(policy=policy.SMTP)
    message["Message-ID"] = mail.message_id
    message["Date"] = format_datetime(mail.at)
    message["From"] = _address(mail.sender)
    message["To"] = [_address(one) for one in mail.to]
    if mail.cc:
        message["Cc"] = [_address(one) for one in mail.cc]
    message["Subject"] = subject
    topic = re.sub(r"^((RE|FW): )+", "", subject)
    message["Thread-Topic"] = topic
    message["Thread-Index"] = _thread_index(topic, mail.at, replied=bool(mail.answers))
    if mail.answers:
        message["In-Reply-To"] = mail.answers
        message["References"] = mail.answers
    if "urgent" in subject.lower():
        message["Importance"] = "high"
        message["X-Priority"] = "1"
    message["Accept-Language"] = "en-GB, en-US"
    message["Content-Language"] = "en-GB"
    if mail.attached:
        message["X-MS-Has-Attach"] = "yes"
    for name, value in mail.headers.items():
        message[name] = value
    _fill(message, _with_references(mail.text, mail, references), mail.html, mail.attached, paper)
    return message


def _fill(message: EmailMessage, text: str, rich: str, attached: Sequence[Attached], paper: Paper) -> None:
    message.set_content(text + "\n", cte="quoted-printable")
    message.add_alternative(_page(rich or _as_html(text)), subtype="html", cte="quoted-printable")
    for one in attached:
        _attach(message, one, paper)
    for number, part in enumerate(message.walk()):
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            told = f"{message['Message-ID']}/{number}".encode()
            part.set_boundary(f"_{number:03}_{hashlib.sha256(told).hexdigest()[:32].upper()}_")


def _attach(message: EmailMessage, attached: Attached, paper: Paper) -> None:
    match attached:
        case FormAttached():
            maintype, _, subtype = DOCX.partition("/")
            content = form_of(attached, paper)
            message.add_attachment(content, maintype=maintype, subtype=subtype, filename=attached.file)
        case FileAttached():
            maintype, _, subtype = attached.media_type.partition("/")
            message.add_attachment(
                attached.content, maintype=maintype, subtype=subtype, filename=attached.file
            )
        case MailAttached():
            inner = _message(attached.mail, paper, {})
            message.add_attachment(inner)


def _address(one: tuple[str, str]) -> Address:
    return Address(one[0], addr_spec=one[1])


def _with_references(text: str, mail: MailArrives, references: Mapping[str, str]) -> str:
    def reference(found: re.Match[str]) -> str:
        if found[1] not in references:
            raise BadConfiguration(
                [f"Mail `{mail.label}` quotes the reference of `{found[1]}`, which has none yet."]
            )
        return references[found[1]]

    return PLACEHOLDER.sub(reference, text)


def _quoted(asked: EmailMessage) -> str:
    body = asked.get_body(("plain",))
    said = body.get_content().strip() if body is not None else ""
    head = [f"{name}: {asked[name]}" for name in ("From", "Date", "To", "Subject")]
    return "\n".join(["_" * 32, *head, "", said])


def _as_html(text: str) -> str:
    paragraphs = html.escape(text).split("\n\n")
    return "".join(f'<p class="MsoNormal">{part.replace(chr(10), "<br>")}</p>' for part in paragraphs)


def _page(body: str) -> str:
    return (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>'
        f'<body lang="EN-GB" style="font-family:Aptos,Calibri,sans-serif">{body}</body></html>\n'
    )


def _thread_index(topic: str, at: datetime, *, replied: bool) -> str:
    """Exchange's conversation index: a time, the conversation's GUID, and five bytes for a reply."""
    since_1601 = int(at.timestamp()) * 10_000_000 + FILETIME_START
    index = struct.pack(">Q", since_1601)[:6] + hashlib.sha256(topic.encode()).digest()[:16]
    if replied:
        index += struct.pack(">I", since_1601 >> 18 & 0x7FFFFFFF) + b"\x10"
    return base64.b64encode(index).decode()
