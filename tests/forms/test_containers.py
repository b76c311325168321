"""Forms that come inside something: zip, winmail.dat, saved Outlook mails, forwarded mails."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.forms.mail import documents_of, read_mail
from agent.forms.mapi import Attached, Item, message_of
from agent.forms.read import read
from agent.forms.tnef import read_tnef
from agent.forms.units import Refused
from agent.forms.unpack import Budget, carried
from agent.procedure.mail import Mail
from agent.procedure.reading import Reading, Unreadable
from tests.forms.papers import archive, attribute, winmail

ReadBytes = Callable[[bytes], Reading | Unreadable]
FORM = b"%PDF-1.7 a form"


def letter(name: str, content: bytes, text: str = "see attached") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@trust.example", "Alert"
    message.set_content(text)
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message


def names(mail: Mail) -> list[str]:
    return [document.name for document in documents_of(mail)]


def test_forms_in_an_archive_carry_its_name_before_theirs() -> None:
    content = archive(("forms/one.docx", b"1"), ("two.pdf", FORM), ("__MACOSX/._one.docx", b"x"))
    mail = read_mail(letter("forms.zip", content).as_bytes())
    assert names(mail) == ["forms.zip > one.docx", "forms.zip > two.pdf"]
    assert mail.attachments[1].content == FORM


def test_a_form_in_winmail_dat_is_found() -> None:
    mail = read_mail(letter("winmail.dat", winmail(("form.docx", FORM))).as_bytes())
    assert [(one.name, one.content) for one in mail.attachments] == [("winmail.dat > form.docx", FORM)]


def test_a_mail_that_says_everything_in_winmail_dat_says_it() -> None:
    assert (
        read_mail(letter("winmail.dat", winmail(body="Please see"), text=" ").as_bytes()).text == "Please see"
    )


def test_containers_in_containers_are_opened() -> None:
    inner = archive(("form.docx", FORM))
    mail = read_mail(letter("winmail.dat", winmail(("forms.zip", inner))).as_bytes())
    assert names(mail) == ["winmail.dat > forms.zip > form.docx"]


def test_a_mail_in_an_archive_is_a_mail_with_its_own_documents() -> None:
    mail = read_mail(letter("mails.zip", archive(("a.eml", letter("form.pdf", FORM).as_bytes()))).as_bytes())
    assert [inner.subject for inner in mail.nested] == ["Alert"]
    assert names(mail) == ["form.pdf"]


def test_archives_in_archives_end_somewhere() -> None:
    content = FORM
    for number in range(9):
        content = archive((f"{number}.zip", content))
    (document,) = documents_of(read_mail(letter("x.zip", content).as_bytes()))
    assert document.name.count(" > ") == 5


KEPT = {
    "a damaged archive": (archive(("form.docx", FORM))[:-30], "bad_zip"),
    "a damaged winmail.dat": (winmail(("form.docx", FORM))[:-9], "bad_tnef"),
    "an archive of a thousand files": (archive(*((f"{n}.txt", b"") for n in range(1_000))), "too_many_parts"),
    "a tight bomb": (archive(("a", b"\0" * 30_000_000)), "ratio"),
    "winmail.dat that promises more than it holds": (
        winmail() + attribute(0x00069003, b"\xff\xff\xff\x7f\x03\x10\x01\x00\xff\xff\xff\x7f"),
        "bad_tnef",
    ),
}


@pytest.mark.parametrize("situation", KEPT)
def test_what_cannot_be_opened_stays_whole_and_its_reason_is_told(
    situation: str, reading_bytes: ReadBytes
) -> None:
    content, code = KEPT[situation]
    started = time.monotonic()
    mail = read_mail(letter("container", content).as_bytes())
    assert [one.content for one in mail.attachments] == [content]
    found = reading_bytes(content)
    assert isinstance(found, Unreadable)
    assert found.code == code
    assert time.monotonic() - started < 3


def test_an_archive_with_a_password_is_a_question(reading_bytes: ReadBytes) -> None:
    content = bytearray(archive(("form.docx", FORM)))
    content[6] |= 1  # the flag before the file, and the one in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    found = reading_bytes(bytes(content))
    assert isinstance(found, Unreadable)
    assert found.code == "encrypted"


def test_one_budget_holds_for_all_containers_of_a_mail() -> None:
    message = letter("a.zip", archive(*((f"{n}.txt", b"a") for n in range(150))))
    message.add_attachment(
        archive(*((f"{n}.txt", b"b") for n in range(150))),
        maintype="application",
        subtype="zip",
        filename="b.zip",
    )
    found = names(read_mail(message.as_bytes()))
    assert len(found) == 151
    assert found[-1] == "b.zip"


def test_what_is_unpacked_is_counted_as_it_comes() -> None:
    content = archive(("a", b"1" * 60), ("b", b"2" * 60))
    with pytest.raises(Refused) as refused:
        list(carried(content, "zip", Budget(size=100)))
    assert refused.value.code == "too_large"


# --- Outlook's own items -------------------------------------------------------------------------


def item() -> Item:
    return Item(
        {
            0x0037: "Alert: A\r\nB",
            0x0C1A: "Zoë Example",
            0x0C1F: "/o=Trust/cn=zoe",
            0x5D01: "zoe@trust.example",
            0x1000: "Please see the form – urgent.",
            0x1035: "<1@trust.example>",
            0x0039: 133_855_200_000_000_000,
        },
        [{0x3001: "Inbox", 0x39FE: "ntk@trust.example", 0x0C15: 1}],
        [
            Attached({0x3707: "Zoë form.docx", 0x370E: "application/msword"}, FORM),
            Attached(item=Item({0x37: "Inner"})),
        ],
    )


def test_an_outlook_item_becomes_the_mail_it_was() -> None:
    mail = read_mail(message_of(item()).as_bytes())
    assert (mail.subject, mail.sender, mail.sender_name) == ("Alert: A B", "zoe@trust.example", "Zoë Example")
    assert (mail.to, mail.message_id) == (("ntk@trust.example",), "<1@trust.example>")
    assert mail.text == "Please see the form – urgent."
    assert mail.written_at is not None
    assert mail.written_at.isoformat() == "2025-03-04T00:00:00+00:00"
    assert [(one.name, one.content) for one in mail.attachments] == [("Zoë form.docx", FORM)]
    assert [inner.subject for inner in mail.nested] == ["Inner"]


def test_headers_that_outlook_kept_are_believed_before_its_own_notes() -> None:
    about = {0x007D: "From: real@x.example\r\nSubject: =?utf-8?q?Z=C3=B6?=\r\nX-Own: 1\r\n", 0x0037: "RE:"}
    mail = read_mail(message_of(Item(about)).as_bytes())
    assert (mail.sender, mail.subject, mail.headers["x-own"]) == ("real@x.example", "Zö", "1")


@given(st.binary(max_size=200))
def test_no_winmail_dat_whatever_breaks_the_reader(content: bytes) -> None:
    for said in (b"\x78\x9f\x3e\x22\0\0" + content, winmail() + attribute(0x00069003, content)):
        try:
            read_tnef(said)
        except Refused as refused:
            code = refused.code
            assert code in {"bad_tnef", "too_large", "too_deep"}


CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside the project")


@needs_corpus
def test_every_saved_outlook_mail_of_the_corpus_is_a_mail() -> None:
    mails = [read_mail(path.read_bytes()) for path in sorted((CORPUS / "msg").iterdir())]
    assert [mail.problems for mail in mails if mail.problems] == []
    assert sum(bool(mail.subject or mail.text) for mail in mails) >= 0.95 * len(mails)


@needs_corpus
def test_every_winmail_dat_of_the_corpus_is_opened_or_refused() -> None:
    opened = 0
    for path in sorted((CORPUS / "tnef").iterdir()):
        try:
            opened += bool(list(carried(path.read_bytes(), "tnef", Budget())))
        except Refused as refused:
            assert refused.code == "bad_tnef", path.name  # noqa: PT017 - most are not refused
    assert opened >= 9


def test_a_carrier_by_itself_says_that_it_only_carries() -> None:
    found = read(archive(("form.docx", FORM)), "forms.zip", [], [])
    assert isinstance(found, Unreadable)
    assert found.code == "zip"
