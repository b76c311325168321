"""What one mail brings, whatever was written in it and whatever its documents turned out to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.procedure.alerts import Alerts
from agent.procedure.automatic import verdict
from agent.procedure.decide import decide_mail
from agent.procedure.mail import Attachment, Bounce, Mail
from agent.procedure.reading import Field, Reading, Unreadable
from agent.procedure.reply import new_words
from agent.procedure.submission import Child, Conclusion, Update
from agent.procedure.submission_from import submissions_from
from agent.procedure.words import Kind
from tests.procedure.arrivals import (
    AUTHOR,
    COLLEAGUE,
    DESK,
    LONDON,
    MONDAY,
    PEOPLE,
    PROPER,
    Desk,
    form,
    mail,
    nct,
    submissions,
    update,
)

# ------------------------------------------------------------------ what a form says


def test_local_times_are_read_in_the_desks_zone() -> None:
    told = form(incident_at="2026-03-01T16:30", aware_at="2026-03-02", missing_since="2025-07-01T09:00")
    (submission,) = submissions(mail(), told)
    assert submission.incident_at == datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    assert submission.missing_since == datetime(2025, 7, 1, 8, 0, tzinfo=UTC)
    assert submission.aware_at == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025-10-26T01:30", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),  # comes twice: the first
        ("2025-03-30T01:30", datetime(2025, 3, 30, 1, 30, tzinfo=UTC)),  # skipped: by the clocks of before
    ],
)
def test_an_hour_that_the_clocks_repeat_or_skip_is_read_in_one_stated_way(
    written: str, meant: datetime
) -> None:
    (submission,) = submissions(mail(), form(missing_since=written))
    assert isinstance(submission.missing_since, datetime)
    assert submission.missing_since.astimezone(UTC) == meant


def test_a_reading_can_be_cut_down_to_what_a_summary_shows() -> None:
    told = replace(form(), unread=("Ring me first",))
    assert set(told.only({"summary", "children"}).fields) == {"summary"}
    assert set(told.only({"summary", "children"}).tables) == {"children"}
    assert told.only({"summary"}).unread == ()


def test_children_updates_and_conclusion_are_taken_as_they_stand() -> None:
    told = form(
        children=(
            {"child_name": "Liam Harwood", "dob": "2012-05-04", "system_id": "3087741", "area": "North"},
            {"child_name": "Nia Harwood", "dob": "not known", "area": "West"},
            {"child_name": "", "dob": ""},
        ),
        updates=[update("Seen by a doctor."), update("", date=""), update("Home.", date="", reviewer="n/a")],
        conclusion="Both are safe.",
        conclusion_date="2026-03-02",
    )
    (submission,) = submissions(mail(), told)
    assert submission.children == (Child("Liam Harwood", date(2012, 5, 4), "3087741"), Child("Nia Harwood"))
    assert submission.updates == (
        Update(date(2026, 3, 5), "Seen by a doctor.", "Dana Hollis", "Sol Quaye"),
        Update(None, "Home.", "Dana Hollis", ""),
    )
    assert submission.conclusion == Conclusion("Both are safe.", date(2026, 3, 2))
    assert submission.values["area"] == "North; West"
    assert submission.doubts == ()


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (form(), Kind.NEW),
        (form(form_kind="Initial alert"), Kind.NEW),
        (form(name="sla_missing"), Kind.MISSING),
        (form(form_kind="Update"), Kind.UPDATE),
        (form(form_kind="Initial alert", updates=[update("Seen.")]), Kind.UPDATE),
        (form(form_kind="Conclusion"), Kind.UPDATE),  # ticked, and nothing concluded
        (form(form_kind="Initial alert", conclusion="Safe."), Kind.CLOSURE),
        (form(document="Senior Leadership Alert Update Liam Harwood 1 Mar 26.docx"), Kind.UPDATE),
        (form(document="Senior Leadership Alert Liam Harwood closed 1 Mar 26.docx"), Kind.UPDATE),
    ],
)
def test_the_kind_is_told_by_content_then_by_names(told: Reading, kind: Kind) -> None:
    (submission,) = submissions(mail(), told)
    assert submission.kind is kind


def test_the_same_file_twice_in_a_mail_is_one_submission() -> None:
    assert len(submissions(mail(), form(), form())) == 1


# ------------------------------------------------------------------ whom to write to


def test_the_author_on_the_roster_is_written_to_whoever_sent_the_form() -> None:
    (submission,) = submissions(mail(sender=COLLEAGUE), form(author="Sol Quaye, Strategic Manager"))
    assert submission.author_address == "sol.quaye@nctrust.co.uk"


def test_an_author_nobody_knows_is_reached_through_the_sender() -> None:
    (submission,) = submissions(mail(sender=COLLEAGUE), form())
    assert submission.author_address == COLLEAGUE


def test_of_a_forwarded_form_the_first_sender_is_written_to() -> None:
    told = form()
    document = Attachment(told.document, "application/msword", b"the very form")
    told = replace(told, sha256=document.sha256)
    first = mail(sender=AUTHOR, number=7, attachments=[document])
    for forwarder in (COLLEAGUE, DESK):
        (submission,) = submissions(mail(f"FW: {PROPER}", sender=forwarder, nested=[first]), told)
        assert submission.author_address == AUTHOR


# ------------------------------------------------------------------ doubts


@pytest.mark.parametrize(
    ("came", "told", "doubts"),
    [
        (mail("Senior Leadership Alert Amara Diallo"), form(), ("name_mismatch",)),
        (mail(), form(document="Senior Leadership Alert Amara Diallo 1 Mar 26.docx"), ("name_mismatch",)),
        (mail("Senior Leadership Alert Liam H"), form(), ()),
        (mail("Senior Leadership Alert Harwood siblings"), form(), ()),
        (mail("Senior Leadership Alert Dana Hollis"), form(), ()),  # the author, no child
        (mail("Senior Leadership Alert - Ruth Penrose"), form(), ()),  # on the roster, no child
        (mail("Senior Leadership Alert L.H."), form(), ()),
        (mail("Senior Leadership Alert - child P"), form(), ()),
        (mail("Senior Leadership Alert - Kettering"), form(), ()),
        (mail(sender="x@elsewhere.example"), form(), ("external_sender",)),
        (mail(), form(document="Senior Leadership Alert Liam Harwood 1 Mar 26.docm"), ("macro_file",)),
        (mail(), form(aware_at="next Tuesday"), ("date_invalid",)),
        (mail(), form(aware_at="2026-03-02T12:00"), ("date_future",)),
        (mail(), form(aware_at="not known"), ()),
        (mail(), form(returned_at="not yet returned"), ()),
        (mail(), form(children=[{"child_name": "Liam Harwood", "dob": "2035-05-04"}]), ("date_future",)),
        (mail(), form(children=[{"child_name": "Unborn Harwood", "dob": "EDD 4/5/2026"}]), ()),
        (
            mail(),
            replace(form(), problems=("blank_form: Nothing on the form is filled in.",)),
            ("blank_form",),
        ),
    ],
)
def test_what_makes_the_agent_doubt(came: Mail, told: Reading, doubts: tuple[str, ...]) -> None:
    (submission,) = submissions(came, told)
    assert submission.doubts == doubts


def test_of_two_forms_in_one_mail_the_subject_may_name_either_child() -> None:
    amy = form(
        children=({"child_name": "Amy Lowe"},), document="Senior Leadership Alert Amy Lowe 1 Mar 26.docx"
    )
    both = submissions(mail("Senior Leadership Alert Amy Lowe"), form(), amy)
    assert [submission.doubts for submission in both] == [(), ()]


# ------------------------------------------------------------------ documents that were not read


def unread(document: str, code: str = "bad_zip") -> Unreadable:
    return Unreadable(document, f"sha of {document}", code, ())


def test_a_form_that_cannot_be_read_is_told_by_its_name() -> None:
    (submission,) = submissions(mail(), unread("Senior Leadership Alert Update Amy Lowe 1 Mar 26.docx"))
    assert (submission.kind, submission.claims) == (Kind.UNREADABLE, Kind.UPDATE)
    assert submission.children == (Child("Amy Lowe"),)
    assert (submission.doubts, submission.reason) == (("unreadable",), "bad_zip")


def test_what_is_no_form_is_no_unreadable_form() -> None:
    (submission,) = submissions(mail("Cake in the kitchen"), unread("menu.docx", "not_a_form"))
    assert submission.kind is Kind.OTHER


def test_a_picture_in_a_signature_is_no_form() -> None:
    picture = Attachment("logo.png", "image/png", b"a logo", inline=True)
    came = mail(attachments=[picture])
    (submission,) = submissions(came, Unreadable("logo.png", picture.sha256, "not_a_document", ()))
    assert submission.doubts == ("no_form",)


def test_a_second_file_beside_a_form_is_only_doubted_when_it_is_named_like_one() -> None:
    assert len(submissions(mail(), form(), unread("chronology.pdf"))) == 1
    other = submissions(mail(), form(), unread("Senior Leadership Alert Amy Lowe 1 Mar 26.doc"))
    assert [submission.kind for submission in other] == [Kind.NEW, Kind.UNREADABLE]
    assert other[1].claims is None


# ------------------------------------------------------------------ mails without a form


@pytest.mark.parametrize(
    ("headers", "subject", "is_one"),
    [
        ({"auto-submitted": "auto-replied"}, "Away", True),
        ({"auto-submitted": "auto-replied; owner-email=x@y"}, "Away", True),
        ({}, "Automatic reply: update requested", True),
        ({}, "Out of Office AutoReply: update requested", True),
        ({"x-autoreply": "yes"}, "Away", True),
        ({"auto-submitted": "auto-generated", "x-auto-response-suppress": "All"}, "Away", True),
        ({"auto-submitted": "no"}, "RE: update requested", False),
        ({"x-auto-response-suppress": "All"}, "RE: update requested", False),
        ({"x-auto-response-suppress": "None"}, "RE: update requested", False),
        ({}, "RE: Automatic reply: update requested", False),
        ({}, "Out of office cover next week", False),
    ],
)
def test_an_automatic_reply_is_told_from_a_persons(
    headers: dict[str, str], subject: str, is_one: bool
) -> None:
    kind = verdict(mail(subject, headers=headers, answers="<letter@us>")).kind
    assert (kind == "automatic_reply") is is_one


@pytest.mark.parametrize(
    ("came", "reason"),
    [
        (mail("x", headers={"list-id": "<news>"}), "newsletter"),
        (mail("x", headers={"precedence": "bulk"}), "newsletter"),
        (mail("x", headers={"content-class": "urn:content-classes:calendarmessage"}), "calendar"),
        (mail("x", attachments=[Attachment("i.ics", "text/calendar", b"")]), "calendar"),
        (mail("Not read: x"), "read_receipt"),
        (mail("Recall: x"), "recall"),
        (mail("x", headers={"auto-submitted": "auto-generated"}), "automatic_notice"),
        (mail("x", headers={"auto-submitted": "no"}), ""),
        (mail("x"), ""),
        (mail("Message", attachments=[Attachment("message.rpmsg", "application/x-any", b"")]), "protected"),
        (
            mail("x", headers={"content-type": "application/pkcs7-mime; smime-type=enveloped-data"}),
            "protected",
        ),
        (mail("x", headers={"content-type": "application/pkcs7-mime; smime-type=signed-data"}), ""),
        (mail("x", headers={"content-type": "multipart/signed; protocol=pkcs7-signature"}), ""),
        (
            mail(
                "Senior Leadership Alert",
                text="Priya has sent you a protected message. Use a one-time passcode.",
                attachments=[Attachment("message.html", "text/html", b"")],
            ),
            "protected",
        ),
        (mail("x", text="Please keep the message secure, and read it."), ""),
        (
            mail("Voicemail from 01604 555 010", attachments=[Attachment("msg.wav", "audio/wav", b"")]),
            "voicemail",
        ),
        (mail("He left a voicemail"), ""),
        (mail("Priya shared 'Rota' with you", sender="no-reply@sharepointonline.com"), "share_notice"),
        (mail("Priya sent a message in Teams", sender="noreply@email.teams.microsoft.com"), "share_notice"),
        (mail("A concern was shared by the school with you"), ""),
        (mail("You have messages in quarantine", sender="quarantine@messaging.microsoft.com"), "quarantine"),
        (
            mail("Please confirm", text="Confirm that you are a person before your message is delivered."),
            "challenge",
        ),
        (
            mail("x", headers={"content-type": "multipart/report; report-type=feedback-report"}),
            "feedback_report",
        ),
        (mail("x", headers={"x-need-to-know-letter": "3f9c0a61b2d4"}), "own_letter"),
        (mail("Away until 5 May", text="I am away.", answers="<letter@us>"), "automatic_reply"),
        (mail("Away day for the team", text="The away day is on 5 May.", answers="<letter@us>"), ""),
    ],
)
def test_what_machines_write_is_told_with_its_reason(came: Mail, reason: str) -> None:
    assert verdict(came).kind == reason


def test_every_kind_is_told_with_the_signs_that_it_was_known_by() -> None:
    came = mail("Voicemail from 01604 555 010", attachments=[Attachment("msg.wav", "audio/wav", b"")])
    (submission,) = submissions(came)
    assert submission.reason == "voicemail"
    assert submission.because == ("its subject tells of a voice message or call", "it carries a recording")


def test_a_newsletter_that_brings_a_form_is_about_the_form() -> None:
    (submission,) = submissions(mail(headers={"list-id": "<managers>"}), form())
    assert submission.kind is Kind.NEW


def test_a_bounce_is_a_bounce_whatever_it_carries() -> None:
    came = replace(mail(), bounce=Bounce("gone@nctrust.co.uk", True, "<letter@us>"))
    (submission,) = submissions(came, form())
    assert (submission.kind, submission.bounced_address) == (Kind.BOUNCE, "gone@nctrust.co.uk")


def test_only_what_was_newly_written_quotes_references() -> None:
    text = "All is well.\n\nFrom: Need to Know\nSent: Monday\nOpen alerts: SLA-2026-0001, SLA-2026-0002"
    (submission,) = submissions(mail("RE: Weekly digest", text=text, answers="<digest@us>"))
    assert (submission.kind, submission.references) == (Kind.REPLY, ())
    assert new_words(text).strip() == "All is well."


def test_a_mail_that_is_sent_on_answers_nothing() -> None:
    (submission,) = submissions(mail(f"FW: {PROPER}", answers="<other@x>"))
    assert (submission.kind, submission.doubts) == (Kind.NEW, ("no_form",))


def test_our_own_letter_come_back_is_ours() -> None:
    (submission,) = submissions(mail("Update requested - SLA-2026-0001", sender=DESK.upper()))
    assert (submission.kind, submission.reason) == (Kind.OTHER, "own_letter")


def test_a_form_that_the_desk_sends_on_to_itself_is_still_a_form() -> None:
    (submission,) = submissions(mail(sender=DESK), form())
    assert (submission.kind, submission.doubts) == (Kind.NEW, ())


# ------------------------------------------------------------------ whatever arrives

text = st.text(max_size=40)
headers = st.dictionaries(
    st.sampled_from(
        ["auto-submitted", "precedence", "importance", "sensitivity", "content-type", "x-priority"]
    ),
    text,
    max_size=3,
)
names = st.sampled_from(["", "x.docx", "SLA Amy Lowe 1 Mar 26.docx", "Senior Leadership Alert.docm"]) | text
attachments = st.lists(
    st.builds(Attachment, names, text, st.binary(max_size=3), st.booleans()), max_size=2
).map(tuple)
flat = st.builds(
    Mail,
    message_id=st.just("<x@x>"),
    subject=text,
    sender=st.sampled_from([AUTHOR, DESK, "", "nobody"]) | text,
    sender_name=text,
    to=st.lists(text, max_size=2).map(tuple),
    cc=st.just(()),
    received_at=st.none() | st.just(MONDAY),
    written_at=st.none(),
    text=text,
    attachments=attachments,
    in_reply_to=st.none() | text,
    references=st.lists(text, max_size=2).map(tuple),
    headers=headers,
    bounce=st.none() | st.builds(Bounce, st.none() | text, st.booleans(), st.none() | text),
)
fields = st.sampled_from(
    [
        "author",
        "child_name",
        "conclusion",
        "conclusion_date",
        "dob",
        "form_kind",
        "incident_at",
        "missing_since",
        "reference",
        "returned_at",
        "system_id",
        "staff_subject",
        "area",
    ]
)
values = (
    st.sampled_from(["", "2026-03-01", "2026-03-01T10:00", "2026-03-01T10:00+05:00", "n/a", "Amy"]) | text
)
filled = st.builds(Field, st.just("x"), values, text, st.just(""), st.just(""))
cells = st.dictionaries(fields, filled, max_size=5)
rows = st.lists(
    st.dictionaries(
        st.sampled_from(["child_name", "dob", "system_id", "date", "text", "manager", "area"]),
        filled,
        max_size=4,
    ),
    max_size=2,
).map(tuple)
readings = st.builds(
    Reading,
    form=st.sampled_from(["sla", "sla_missing", "unheard_of"]),
    document=names,
    sha256=text,
    fields=cells,
    tables=st.dictionaries(st.sampled_from(["children", "updates"]), rows, max_size=2),
    ticked=st.lists(st.sampled_from(["M15", "K01", "?"]), max_size=2).map(tuple),
)
unreadables = st.builds(Unreadable, names, text, st.sampled_from(["not_a_form", "encrypted"]), st.just(()))


@given(flat, st.lists(flat, max_size=1).map(tuple), st.lists(readings | unreadables, max_size=3))
def test_no_mail_whatsoever_raises(
    outer: Mail, nested: tuple[Mail, ...], read: list[Reading | Unreadable]
) -> None:
    came = replace(outer, nested=nested)
    for received_at in (MONDAY, datetime.max.replace(tzinfo=UTC)):
        brought = submissions_from(came, read, nct(), PEOPLE, received_at=received_at, zone=LONDON)
        assert brought
        decision = decide_mail(brought, Alerts(), nct(), PEOPLE, new_reference=Desk().numbering())
        assert decision.entries or decision.questions
