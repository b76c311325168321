"""Mails as they come: every charset, shape and accident; read whole, or read with a problem said."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.forms.mail import DEEPEST, documents_of, read_mail

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


def letter(subject: str = "Alert", text: str = "Please see attached.") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Priya Example <Priya.Example@Trust.example>"
    message["To"] = "Inbox <n2k@trust.example>, n2k@trust.example"
    message["Cc"] = '"Example, Jo" <jo@trust.example>'
    message["Subject"] = subject
    message["Message-ID"] = "<one@trust.example>"
    message["Date"] = "Tue, 04 Mar 2025 16:30:00 +0100"
    message.set_content(text)
    return message


def raw(headers: str, body: str | bytes = "") -> bytes:
    return (
        headers.encode("utf-8", "surrogateescape")
        + b"\r\n\r\n"
        + (body.encode() if isinstance(body, str) else body)
    )


def test_an_ordinary_mail() -> None:
    message = letter()
    message.add_attachment(
        b"PK\3\4", maintype="application", subtype="octet-stream", filename="Fürm – 4 Mar.docx"
    )
    mail = read_mail(message.as_bytes())
    assert mail.message_id == "<one@trust.example>"
    assert (mail.sender, mail.sender_name) == ("priya.example@trust.example", "Priya Example")
    assert mail.to == ("n2k@trust.example",)
    assert mail.cc == ("jo@trust.example",)
    assert mail.written_at == datetime(2025, 3, 4, 15, 30, tzinfo=UTC)
    assert mail.text == "Please see attached."
    assert [(one.name, one.content, one.inline) for one in mail.attachments] == [
        ("Fürm – 4 Mar.docx", b"PK\3\4", False)
    ]
    assert mail.problems == ()
    assert mail.bounce is None


SUBJECTS = {
    "plain": ("Subject: Alert", "Alert"),
    "encoded words": ("Subject: =?utf-8?Q?Zo=C3=AB?= =?iso-8859-1?Q?_M=FCller?=", "Zoë Müller"),
    "folded": ("Subject: Senior\r\n Leadership\r\n\tAlert", "Senior Leadership Alert"),
    "raw UTF-8": ("Subject: Zoë", "Zoë"),
    "raw Windows bytes": ("Subject: Zo\udceb", "Zoë"),
    "an unknown charset": ("Subject: =?x-nonsense?Q?Alert?=", "Alert"),
    "broken base64": ("Subject: =?utf-8?B?QWxlcn!?=", "=?utf-8?B?QWxlcn!?="),
    "missing": ("X-Other: 1", ""),
}


@pytest.mark.parametrize("situation", SUBJECTS)
def test_subjects_of_every_kind(situation: str) -> None:
    header, expected = SUBJECTS[situation]
    subject = read_mail(raw(header)).subject
    assert subject == expected if situation != "broken base64" else isinstance(subject, str)


BODIES = {
    "Windows text that says it is ASCII": (
        b"Content-Type: text/plain; charset=us-ascii",
        b"caf\xe9 \x96 ok",
        "café – ok",
    ),
    "a charset nobody knows": (b"Content-Type: text/plain; charset=x-nonsense", "Zoë".encode(), "Zoë"),
    "no charset": (b"Content-Type: text/plain", "Zoë".encode(), "Zoë"),
    "quoted-printable": (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
        b"Zo=C3=AB =\r\nA",
        "Zoë A",
    ),
    "base64 cut off": (b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64", b"QWxlcnQ", "Alert"),
    "a page": (
        b"Content-Type: text/html",
        b"<style>x{}</style><p>One &amp; <b>two</b></p><p>Three<br>four</p>",
        "One & two\n\nThree\nfour",
    ),
    "a page of table cells": (
        b"Content-Type: text/html",
        b"<table><tr><td>Date</td><td>4 March</td></tr></table>",
        "Date\t4 March",
    ),
    "no type at all": (b"X-A: 1", b"Hello", "Hello"),
}


@pytest.mark.parametrize("situation", BODIES)
def test_bodies_of_every_kind(situation: str) -> None:
    header, body, text = BODIES[situation]
    assert read_mail(header + b"\r\n\r\n" + body).text == text


def test_of_a_mail_said_twice_the_plain_text_is_taken() -> None:
    message = letter(text="plain")
    message.add_alternative("<p>page</p>", subtype="html")
    assert read_mail(message.as_bytes()).text == "plain"


def test_an_empty_plain_text_leaves_the_page() -> None:
    message = letter(text="\n")
    message.add_alternative("<p>page</p>", subtype="html")
    assert read_mail(message.as_bytes()).text == "page"


def test_documents_are_found_inline_and_in_forwarded_mails_but_pictures_of_signatures_are_not() -> None:
    inner = letter("Original")
    inner.add_attachment(b"PK1", maintype="application", subtype="octet-stream", filename="a.docx")
    outer = letter("FW: Original")
    outer.add_attachment(inner)
    outer.add_attachment(
        b"PK2", maintype="application", subtype="octet-stream", filename="b.docx", disposition="inline"
    )
    outer.add_attachment(b"GIF", maintype="image", subtype="gif", filename="logo.gif", disposition="inline")
    mail = read_mail(outer.as_bytes())
    assert [one.subject for one in mail.nested] == ["Original"]
    assert [one.content for one in documents_of(mail)] == [b"PK2", b"PK1"]


def test_a_mail_attached_as_a_file_is_a_mail() -> None:
    outer = letter("FW")
    outer.add_attachment(
        letter("Inner").as_bytes(), maintype="application", subtype="octet-stream", filename="x.eml"
    )
    assert [one.subject for one in read_mail(outer.as_bytes()).nested] == ["Inner"]


def test_winmail_dat_stays_an_attachment() -> None:
    message = letter()
    message.add_attachment(
        b"\x78\x9f\x3e\x22", maintype="application", subtype="ms-tnef", filename="winmail.dat"
    )
    assert read_mail(message.as_bytes()).attachments[0].name == "winmail.dat"


def test_mails_within_mails_end_somewhere() -> None:
    message = letter("0")
    for number in range(DEEPEST + 3):
        outer = letter(str(number + 1))
        outer.add_attachment(message)
        message = outer
    mail = read_mail(message.as_bytes())
    depth, problems = 0, list(mail.problems)
    while mail.nested:
        mail, depth = mail.nested[0], depth + 1
        problems += mail.problems
    assert depth == DEEPEST
    assert [problem.split(":")[0] for problem in problems] == ["too_deep"]


def test_a_mail_without_an_id_has_the_same_one_each_time() -> None:
    first, again, other = (
        read_mail(b"Subject: a\n\nx"),
        read_mail(b"X-Moved: yes\nSubject: a\n\nx"),
        read_mail(b"Subject: b\n\nx"),
    )
    assert first.message_id == again.message_id
    assert first.message_id != other.message_id
    assert first.message_id.startswith("<")


def test_when_it_came_is_what_the_mailbox_says_or_else_the_last_server() -> None:
    content = raw(
        "Received: from b by a; Tue, 4 Mar 2025 10:00:05 +0000\r\n"
        "Received: from c by b; Tue, 4 Mar 2025 09:59:00 +0000"
    )
    told = datetime(2025, 3, 4, 11, tzinfo=UTC)
    assert read_mail(content).received_at == datetime(2025, 3, 4, 10, 0, 5, tzinfo=UTC)
    assert read_mail(content, told).received_at == told
    assert read_mail(b"Subject: x\n\n").received_at is None


def test_threads_and_headers() -> None:
    mail = read_mail(raw("In-Reply-To: <a@x>\r\nReferences: <b@x>\r\n <a@x>\r\nX-Twice: 1\r\nX-Twice: 2"))
    assert (mail.in_reply_to, mail.references, mail.headers["x-twice"]) == ("<a@x>", ("<b@x>", "<a@x>"), "1")


@pytest.mark.parametrize(
    ("header", "name", "address"),
    [
        ("From: a@b.example", "", "a@b.example"),
        ('From: "Example, Priya (Team)" <P@B.example>', "Example, Priya (Team)", "p@b.example"),
        ("From: =?utf-8?Q?Doe=2C_Zo=C3=AB?= <z@b.example>", "Doe, Zoë", "z@b.example"),
        ("From: MAILER-DAEMON", "MAILER-DAEMON", ""),
        ("From: <a@b.example", "", "a@b.example"),
        ("Sender: a@b.example", "", "a@b.example"),
        ("X: 1", "", ""),
    ],
)
def test_who_wrote_it(header: str, name: str, address: str) -> None:
    mail = read_mail(raw(header))
    assert (mail.sender_name, mail.sender) == (name, address)


@given(st.binary(max_size=600))
def test_no_bytes_whatever_raise(content: bytes) -> None:
    assert read_mail(content).fingerprint


@given(
    st.dictionaries(
        st.sampled_from(
            ["From", "To", "Date", "Subject", "Content-Type", "Received", "Message-ID", "Content-Disposition"]
        ),
        st.text(max_size=80),
    )
)
def test_no_header_whatever_raises(headers: dict[str, str]) -> None:
    lines = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    assert read_mail(lines.encode("utf-8", "replace") + b"\r\n\r\nbody").fingerprint


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real mails is not beside the project")
def test_every_mail_of_the_corpus_is_read() -> None:
    for path in sorted([*(CORPUS / "mail").iterdir(), *(CORPUS / "bounces").iterdir()]):
        problems = read_mail(path.read_bytes()).problems
        assert not any(problem.startswith("unreadable_mail") for problem in problems), path.name
