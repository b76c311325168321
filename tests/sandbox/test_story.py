"""The demo's story: everything that happens in a Need to Know inbox happens in it, and it can be told."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from agent.configuration import load
from agent.errors import BadConfiguration
from agent.forms.write import write_form
from agent.procedure.words import Happened
from agent.sandbox.story import (
    AuthorAnswersChase,
    FormAttached,
    MailArrives,
    MailAttached,
    MailboxAnswersItself,
    MailboxCloses,
    PersonCloses,
    PersonOpens,
    PersonTypes,
    Story,
    load_story,
)
from agent.sandbox.story_data import DOCX
from agent.sandbox.story_mail import Paper, answer_of, form_of, mime_of
from agent.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "config/demo/nct"
REFERENCES = {"fenwick_older": "SLA-2026-0005"}


@cache
def story() -> Story:
    return load_story(FOLDER)


@cache
def settings() -> Settings:
    return load(ROOT / "config")


@cache
def paper() -> Paper:
    return Paper(settings().forms, settings().procedures["nct"].categories)


@cache
def mimes() -> dict[str, bytes]:
    return {mail.label: mime_of(mail, paper(), REFERENCES) for mail in story().mails}


def parsed(mime: bytes) -> EmailMessage:
    return message_from_bytes(mime, policy=policy.default)


def forms() -> Iterator[FormAttached]:
    for event in story().events:
        if isinstance(event, MailArrives | AuthorAnswersChase):
            inner = [one.mail.attached for one in event.attached if isinstance(one, MailAttached)]
            for attached in (*event.attached, *sum(inner, ())):
                if isinstance(attached, FormAttached):
                    yield attached


# What happens


def test_the_story_holds_at_least_forty_mails_in_three_weeks_with_a_bank_holiday() -> None:
    days = {story().start + timedelta(days=number) for number in range(story().days)}

    assert len(story().mails) >= 40
    assert days & settings().bank_holidays
    assert {mail.at.isocalendar().week for mail in story().mails} == {17, 18, 19}


@pytest.mark.parametrize(
    "tag",
    [
        "on_time",
        "late",
        "update_on_same_form",
        "conclusion",
        "missing",
        "return",
        "siblings",
        "staff_matter",
        "premises",
        "duplicate",
        "forwarded",
        "forwarded_as_mail",
        "newsletter",
        "it_ticket",
        "two_children",
        "unreadable",
        "damaged",
        "password",
        "quotes_reference",
        "bank_holiday",
        "recipients_missing",
    ],
)
def test_every_kind_of_mail_is_in_it(tag: str) -> None:
    assert any(tag in mail.tags for mail in story().mails)


@pytest.mark.parametrize("tag", ["correction", "own_column", "on_hold", "person_concludes", "while_open"])
def test_business_support_types_every_kind_of_thing_into_the_register(tag: str) -> None:
    assert any(isinstance(event, PersonTypes) and tag in event.tags for event in story().events)


def test_the_register_is_open_for_hours_while_mails_come_in() -> None:
    opened = next(event.at for event in story().events if isinstance(event, PersonOpens))
    closed = next(event.at for event in story().events if isinstance(event, PersonCloses))

    assert closed - opened >= timedelta(hours=2)
    assert any(opened < mail.at < closed and mail.expected.alert for mail in story().mails)


def test_a_chase_is_answered_in_words_and_by_the_form_and_two_mailboxes_cannot_answer() -> None:
    answers = [event for event in story().events if isinstance(event, AuthorAnswersChase)]

    assert {happened for answer in answers for happened in answer.expected.happened} >= {
        Happened.REPLIED,
        Happened.UPDATED,
    }
    assert any(isinstance(event, MailboxAnswersItself) for event in story().events)
    assert any(isinstance(event, MailboxCloses) for event in story().events)


def test_two_children_have_the_same_name_and_different_birthdays() -> None:
    first_forms = [form for form in forms() if form.values["form_kind"] == "Initial alert"]
    born: dict[str, set[str]] = {}
    for form in first_forms:
        for child in form.tables["children"]:
            born.setdefault(child["child_name"], set()).add(child["dob"])

    assert [name for name, days in born.items() if len(days) == 2] == ["Jack Fenwick"]


def test_an_update_comes_on_the_same_form_with_a_row_more() -> None:
    rows = [len(form.tables["updates"]) for form in forms() if "Harrow" in form.file]

    assert rows == [0, 1, 2, 2]


def test_events_are_in_order_and_everything_about_an_alert_comes_after_it_arose() -> None:
    moments = [event.at for event in story().events]
    arose = {
        mail.expected.alert: mail.at for mail in story().mails if Happened.OPENED in mail.expected.happened
    }

    assert moments == sorted(moments)
    assert set(arose) == set(story().alerts)
    assert all(
        event.at > arose[event.alert]
        for event in story().events
        if isinstance(event, PersonTypes | AuthorAnswersChase)
    )


def test_every_mail_says_what_must_become_of_it() -> None:
    assert all(mail.expected.happened or mail.expected.question for mail in story().mails)


def test_what_people_concluded_or_held_is_expected_in_the_end() -> None:
    typed = [event for event in story().events if isinstance(event, PersonTypes)]

    for event in typed:
        expected = story().alerts[event.alert].expected
        if event.cells.get("Status"):
            assert event.cells["Status"] in [str(status) for status in expected.status]
        if event.cells.get("On hold until"):
            assert [str(status) for status in expected.status] == ["On hold"]


# The people


def test_everybody_lives_at_a_reserved_domain_and_every_address_is_one_person() -> None:
    addresses = [person.address for person in story().people.values()]
    strangers = [mail.sender[1] for mail in story().mails]

    assert not [name for name, times in Counter(addresses).items() if times > 1]
    assert all(address.endswith(".example") for address in (*addresses, *strangers, story().desk.mailbox))


def test_every_role_of_the_procedure_is_held_by_somebody() -> None:
    procedure = settings().procedures["nct"]
    wanted = {rule.role for rule in procedure.must_be_copied}
    wanted |= {role for step in procedure.chasing.steps for role in step.to}

    assert wanted - {"author", "reviewer"} <= {role for person in story().roster for role in person.roles}


def test_all_that_mails_say_names_no_real_domain() -> None:
    for label, mime in mimes().items():
        text = parsed(mime).as_string()
        assert "nctrust.co.uk" not in text, label
        assert ".gov.uk" not in text, label


# The mails and forms


def test_every_mail_parses_and_bears_what_outlook_writes() -> None:
    for mail in story().mails:
        message = parsed(mimes()[mail.label])

        assert not message.defects, mail.label
        assert message["Message-ID"] == mail.message_id
        assert str(message["From"].addresses[0].addr_spec) == mail.sender[1]
        assert message["Date"].datetime == mail.at
        assert message["Subject"] == mail.subject.replace("{reference of fenwick_older}", "SLA-2026-0005")
        assert message["Thread-Index"].startswith("Ad")
        assert {part.get_content_type() for part in message.walk()} >= {"text/plain", "text/html"}


def test_message_ids_are_all_different() -> None:
    ids = [mail.message_id for mail in story().mails]

    assert len(set(ids)) == len(ids)


def test_the_same_story_is_always_the_same_bytes() -> None:
    again = load_story(FOLDER)

    assert {mail.label: mime_of(mail, paper(), REFERENCES) for mail in again.mails} == mimes()


def test_an_answer_to_a_mail_is_in_its_thread() -> None:
    update = parsed(mimes()["harrow_update_1"])
    first = parsed(mimes()["harrow_first"])

    assert update["In-Reply-To"] == first["Message-ID"]


def test_a_quoted_reference_is_put_in_and_missed_when_there_is_none() -> None:
    mail = next(mail for mail in story().mails if mail.label == "fenwick_older_update_1")

    assert "SLA-2026-0005" in parsed(mimes()[mail.label])["Subject"]
    with pytest.raises(BadConfiguration, match="quotes the reference of `fenwick_older`"):
        mime_of(mail, paper(), {})


def test_a_forwarded_mail_lies_whole_inside_with_its_form() -> None:
    message = parsed(mimes()["brandreth_first"])

    inner = next(part for part in message.walk() if part.get_content_type() == "message/rfc822")
    letter = inner.get_payload(0)
    assert isinstance(letter, EmailMessage)
    assert letter["From"].addresses[0].addr_spec == "alina.petrov@nctrust.example"
    assert [part.get_content_type() for part in letter.iter_attachments()] == [DOCX]


def test_the_same_form_sent_by_two_people_is_the_same_file() -> None:
    one, other = (
        [part.get_content() for part in parsed(mimes()[label]).iter_attachments()]
        for label in ("ravensdale_first", "ravensdale_duplicate")
    )

    assert one == other


def test_every_whole_form_is_a_zip_of_valid_xml_and_the_damaged_one_is_not() -> None:
    for form in forms():
        content = form_of(form, paper())
        if form.damaged:
            with pytest.raises(zipfile.BadZipFile):
                zipfile.ZipFile(io.BytesIO(content))
            continue
        with zipfile.ZipFile(io.BytesIO(content)) as document:
            assert document.testzip() is None
            for part in document.namelist():
                if part.endswith((".xml", ".rels")):
                    etree.fromstring(document.read(part))


def test_every_answer_in_the_story_is_an_answer_of_its_form() -> None:
    for form in forms():
        definition = settings().forms[form.form]
        known = set(definition.fields)
        for table, rows in form.tables.items():
            columns = {column.name for column in definition.tables[table].columns}
            assert all(set(row) <= columns for row in rows), form.file
        assert set(form.values) <= known, form.file
        for name, field in definition.fields.items():
            options = {option.casefold() for option in field.options}
            assert not options or form.values.get(name, "").casefold() in {*options, ""}, (form.file, name)
        assert set(form.ticked) <= {category.code for category in paper().categories}


def test_an_author_s_answer_threads_with_the_letter_and_quotes_it() -> None:
    letter = EmailMessage()
    letter["Message-ID"] = "<chase-1@nctrust.example>"
    letter["From"] = story().desk.mailbox
    letter["To"] = "kofi.mensah-grey@nctrust.example"
    letter["Subject"] = "Senior Leadership Alert - update wanted - SLA-2026-0003"
    letter.set_content("Please send an update.")
    answer = next(event for event in story().events if isinstance(event, AuthorAnswersChase))

    message = parsed(answer_of(answer, letter.as_bytes(), paper()))

    assert message["In-Reply-To"] == "<chase-1@nctrust.example>"
    assert message["Subject"].startswith("RE: Senior Leadership Alert")
    assert message["To"] == story().desk.mailbox
    body = message.get_body(("plain",))
    assert body is not None
    written, _, quoted = body.get_content().replace("\r\n", "\n").partition("_" * 32)
    assert answer.text in written
    assert "Please send an update." in quoted


# Mistakes in the data


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    folder = tmp_path / "story"
    shutil.copytree(FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("week_1.toml", 'from = "bronwen"', 'from = "nobody"', "nobody called `nobody`"),
        ("week_1.toml", 'alert = "harrow" }', 'alert = "harow" }', "no alert `harow`"),
        ("week_1.toml", 'form = "siblings"', 'form = "sibling"', "no alert `sibling`"),
        ("week_1.toml", "updates = 1, file", "updates = 9, file", "has not so much to tell"),
        ("week_1.toml", 'id = "lunch"', 'id = "harrow_first"', "Two mails are called `harrow_first`"),
        (
            "week_1.toml",
            "at = 2026-04-20T08:05:00",
            "at = 2026-06-20T08:05:00",
            "outside of the story's days",
        ),
        ("week_1.toml", 'answers = "harrow_first"', 'answers = "harrow"', "which is no mail of the story"),
        ("week_2.toml", 'mail = "brandreth_to_manager"', 'mail = "none"', "no mail that can lie in another"),
        ("week_2.toml", 'base64 = "', 'base64 = "!', "is not base64"),
        ("week_1.toml", 'happened = ["opened"]', 'happened = ["born"]', "expected"),
        ("week_1.toml", 'subject = "Trust', 'sobject = "Trust', "sobject"),
        ("story.toml", "start = 2026-04-20", "start = ", "not valid TOML"),
    ],
)
def test_a_mistake_in_the_story_is_named_in_a_sentence(
    tmp_path: Path, file: str, old: str, new: str, sentence: str
) -> None:
    with pytest.raises(BadConfiguration, match=sentence):
        load_story(changed(tmp_path, file, old, new))


def test_a_folder_without_a_story_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"story\.toml is missing") as wrong:
        load_story(tmp_path)
    assert any("alerts.toml" in problem for problem in wrong.value.problems)


def test_a_form_of_the_story_is_as_the_writer_would_print_it() -> None:
    form = next(forms())

    assert form_of(form, paper()) == write_form(
        settings().forms[form.form],
        form.values,
        form.tables,
        form.ticked,
        categories=paper().categories,
        layout=form.layout,
    )


def test_the_story_starts_on_a_monday() -> None:
    assert story().start.isoweekday() == 1
    assert story().start == date(2026, 4, 20)
