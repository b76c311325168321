"""What the agent makes of each mail, told as situations at the desk."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent.procedure.alert import Alert, alert_after, folded_on
from agent.procedure.alerts import Alerts
from agent.procedure.decide import decide
from agent.procedure.entry import Entry
from agent.procedure.mail import Attachment, Bounce, Mail
from agent.procedure.questions import QUESTIONS
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.submission import Child, Conclusion, Submission, Update
from agent.procedure.words import Happened, Kind, Place
from tests.procedure.arrivals import (
    AUTHOR,
    COLLEAGUE,
    DESK,
    DIRECTOR,
    MONDAY,
    PEOPLE,
    PROPER,
    Desk,
    codes,
    concluding_by_form,
    form,
    happenings,
    mail,
    nct,
    update,
)

LATER = timedelta(days=3)
REFERENCE = "SLA-2026-0001"
LIAM = {"child_name": "Liam Harwood", "dob": "2012-05-04"}


@pytest.fixture
def desk() -> Desk:
    """A desk that knows one alert, about Liam, by its author."""
    known = Desk()
    known.receives(form())
    return known


# ------------------------------------------------------------------ first forms


def test_a_first_form_opens_an_alert_and_nothing_is_asked() -> None:
    desk = Desk()
    decision = desk.receives(form(ticked=["M07"], next_update_due="2026-03-09", area="North"))
    assert happenings(decision) == ["opened"]
    assert (decision.place, decision.questions) == (Place.ALERTS, ())
    assert decision.categories == (REFERENCE, "Opened")
    alert = desk.only
    assert alert.children == (Child("Liam Harwood", date(2012, 5, 4)),)
    assert alert.incident_at == datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    assert alert.next_update_due == date(2026, 3, 9)
    assert (alert.categories, alert.values["area"], alert.author_address) == (("M07",), "North", AUTHOR)


def test_an_alert_keeps_the_version_of_the_procedure_that_it_began_with() -> None:
    desk = Desk()
    (opened,) = desk.receives(form()).entries
    assert opened.facts["version"] == nct().version
    (updated,) = desk.receives(form(updates=[update("Seen.")])).entries
    assert "version" not in updated.facts


def test_what_is_recorded_apart_from_the_content_tells_of_no_person() -> None:
    desk = Desk()
    decision = desk.receives(
        form(
            updates=[update("Liam is home with his aunt.")], conclusion="Liam is safe.", subject_kind="Child"
        )
    )
    told = json.dumps([dict(entry.facts) for entry in decision.entries])
    assert not any(word in told for word in ("Liam", "Harwood", "aunt", "Hollis", AUTHOR, "2012"))
    assert "Liam" not in " ".join(decision.categories)


def test_a_staff_matter_without_a_child_is_an_alert_like_any_other() -> None:
    desk = Desk()
    decision = desk.receives(
        form(children=(), document="Senior Leadership Alert Oak House 1 Mar 26.docx", ticked=["M15"])
    )
    assert happenings(decision) == ["opened"]
    assert desk.only.children == ()


def test_siblings_on_one_form_are_one_alert() -> None:
    desk = Desk()
    desk.receives(form(children=(LIAM, {"child_name": "Nia Harwood", "dob": "2015-01-02"})))
    assert [child.name for child in desk.only.children] == ["Liam Harwood", "Nia Harwood"]


def test_two_children_of_one_name_are_two_alerts(desk: Desk) -> None:
    decision = desk.receives(form(children=({**LIAM, "dob": "2009-11-30"},)))
    assert happenings(decision) == ["opened"]
    assert len(desk.alerts) == 2


def test_several_forms_in_one_mail_are_several_alerts() -> None:
    desk = Desk()
    ada = form(
        children=({"child_name": "Ada Lowe", "dob": "2010-01-01"},), document="SLA Ada Lowe 1 Mar 26.docx"
    )
    decision = desk.receives(form(), ada)
    assert happenings(decision) == ["opened", "opened"]
    assert sorted(desk.alerts) == ["SLA-2026-0001", "SLA-2026-0002"]


# ------------------------------------------------------------------ the same once more


def test_the_same_file_from_a_second_person_counts_once(desk: Desk) -> None:
    decision = desk.receives(form(), sender=COLLEAGUE)
    assert happenings(decision) == ["received_again"]
    assert (len(desk.alerts), desk.only.updates, decision.questions) == (1, 0, ())


def test_a_second_persons_own_copy_of_the_first_form_counts_once(desk: Desk) -> None:
    again = form(edition="saved again", summary="A fall at home, says the neighbour.")
    assert happenings(desk.receives(again, sender=COLLEAGUE)) == ["received_again"]


def test_a_form_attached_twice_counts_once() -> None:
    desk = Desk()
    assert happenings(desk.receives(form(), form())) == ["opened"]


def test_an_author_who_sends_a_corrected_form_updates_the_alert(desk: Desk) -> None:
    corrected = form(edition="corrected", summary="A fall at school.")
    assert happenings(desk.receives(corrected, after=LATER)) == ["updated"]
    assert desk.only.values["summary"] == "A fall at school."


def test_an_author_who_sends_the_same_content_in_another_file_brings_no_news(desk: Desk) -> None:
    assert happenings(desk.receives(form(edition="saved again"))) == ["received_again"]


# ------------------------------------------------------------------ updates


def test_only_new_lines_of_a_growing_form_are_news(desk: Desk) -> None:
    first, second = update("Seen by a doctor."), update("Home again.", date="2026-03-06")
    desk.receives(form(updates=[first]), after=LATER)
    decision = desk.receives(form(updates=[first, second]), after=2 * LATER)
    assert happenings(decision) == ["updated"]
    lines = decision.entries[0].facts["update_lines"]
    assert isinstance(lines, list)
    assert len(lines) == 1
    assert (desk.only.updates, len(desk.only.update_lines)) == (2, 2)


def test_known_lines_in_a_file_saved_again_are_no_news(desk: Desk) -> None:
    desk.receives(form(updates=[update("Seen by a doctor.")]), after=LATER)
    again = form(updates=[update("seen  by a Doctor")], edition="saved again")
    assert happenings(desk.receives(again, after=2 * LATER)) == ["received_again"]


def test_an_update_by_another_manager_is_taken(desk: Desk) -> None:
    """The Manager who updates may be different from the originator (NCT 6.3)."""
    decision = desk.receives(form(updates=[update("Seen.")]), sender=COLLEAGUE, after=LATER)
    assert happenings(decision) == ["updated"]


def test_an_update_before_its_alert_is_opened_recorded_and_asked_about() -> None:
    desk = Desk()
    decision = desk.receives(form(updates=[update("Seen.")]))
    assert (happenings(decision), codes(decision)) == (["opened"], ["update_before_alert"])
    assert "update_before_alert" in desk.only.findings


def test_the_first_form_that_comes_after_its_update_counts_once() -> None:
    desk = Desk()
    desk.receives(form(updates=[update("Seen.")]))
    assert happenings(desk.receives(form(), after=timedelta(hours=1))) == ["received_again"]


def test_a_missing_child_who_returns_is_an_update() -> None:
    desk = Desk()
    assert happenings(desk.receives(_episode())) == ["opened"]
    assert desk.only.missing_now
    assert happenings(desk.receives(_episode(returned_at="2026-03-02T08:15"), after=LATER)) == ["updated"]
    assert not desk.only.missing_now


def test_a_new_missing_episode_of_a_known_child_is_a_new_alert(desk: Desk) -> None:
    """What happened after an alert had come in cannot be what that alert was about."""
    assert happenings(desk.receives(_episode("2026-03-04T20:00"), after=LATER)) == ["opened"]


def _episode(missing_since: str = "2026-03-01T20:00", returned_at: str = "") -> Reading:
    return form(name="sla_missing", incident_at="", missing_since=missing_since, returned_at=returned_at)


def test_a_first_form_about_a_known_child_and_another_day_is_asked_about(desk: Desk) -> None:
    decision = desk.receives(form(incident_at="2026-02-11T10:00"), after=LATER)
    assert (happenings(decision), codes(decision)) == ([], ["another_incident"])
    assert decision.questions[0].candidates == (REFERENCE,)


def test_an_update_that_names_one_of_two_siblings_keeps_both() -> None:
    desk = Desk()
    desk.receives(form(children=(LIAM, {"child_name": "Nia Harwood", "dob": "2015-01-02"})))
    desk.receives(form(updates=[update("Seen.")]), after=LATER)
    assert [child.name for child in desk.only.children] == ["Liam Harwood", "Nia Harwood"]


# ------------------------------------------------------------------ conclusions


def test_a_filled_in_conclusion_is_a_claim_until_a_person_confirms(desk: Desk) -> None:
    decision = desk.receives(form(conclusion="Liam is safe; no further risk."), after=LATER)
    assert happenings(decision) == ["updated", "conclusion_claimed"]
    assert not desk.only.concluded
    assert desk.only.conclusion_text == "Liam is safe; no further risk."
    assert decision.categories == (REFERENCE, "Conclusion proposed")


def test_where_the_procedure_leaves_it_to_the_form_the_form_concludes() -> None:
    desk = Desk(concluding_by_form())
    desk.receives(form())
    decision = desk.receives(form(conclusion="Safe.", conclusion_manager="Sol Quaye"), after=LATER)
    assert happenings(decision) == ["updated", "conclusion_claimed", "concluded"]
    assert (desk.only.concluded_by, desk.only.conclusion_text) == ("Sol Quaye", "Safe.")


@pytest.mark.parametrize(
    "subject",
    [
        "Senior Leadership Alert - S47 concluded - Urgent and Confidential",
        "Senior Leadership Alert Update - S47 concluded - Urgent and Confidential",
    ],
)
def test_that_an_investigation_was_concluded_is_news_and_ends_nothing(subject: str) -> None:
    """Start and end are both reported (NCT 2.2); the matter stays open until a person concludes it."""
    desk = Desk()
    started = "Senior Leadership Alert - S47 started - Urgent and Confidential"
    desk.receives(form(ticked=["M12"]), subject=started)
    over = form(ticked=["M12"], updates=[update("S47 concluded: no further action.")])

    assert happenings(desk.receives(over, subject=subject, after=LATER)) == ["updated"]
    assert not desk.only.concluded
    assert desk.only.conclusion_claimed_at is None


@pytest.mark.parametrize("words", ["", "Ongoing", "not yet concluded", "N/A", "TBC."])
def test_an_empty_conclusion_claims_nothing(desk: Desk, words: str) -> None:
    decision = desk.receives(form(updates=[update("Seen.")], conclusion=words), after=LATER)
    assert happenings(decision) == ["updated"]


def test_an_old_claim_on_a_later_form_is_not_made_again(desk: Desk) -> None:
    desk.receives(form(conclusion="Safe."), after=LATER)
    later = form(conclusion="Safe.", updates=[update("One more thing.")])
    assert happenings(desk.receives(later, after=2 * LATER)) == ["updated"]


def test_an_update_after_the_conclusion_opens_the_alert_again(desk: Desk) -> None:
    _conclude(desk)
    decision = desk.receives(form(updates=[update("Another fall.")]), after=2 * LATER)
    assert happenings(decision) == ["reopened", "updated"]
    assert not desk.only.concluded


def test_the_written_conclusion_that_follows_a_persons_word_does_not_reopen(desk: Desk) -> None:
    _conclude(desk)
    decision = desk.receives(form(conclusion="Safe."), after=2 * LATER)
    assert happenings(decision) == ["updated", "conclusion_claimed"]
    assert desk.only.concluded


def test_the_last_update_may_come_with_the_conclusion_that_was_owed(desk: Desk) -> None:
    _conclude(desk)
    last = form(conclusion="Safe.", updates=[update("Seen once more.")])
    assert happenings(desk.receives(last, after=2 * LATER)) == ["updated", "conclusion_claimed"]
    assert desk.only.concluded


def test_a_matter_that_lived_on_after_its_written_conclusion_is_opened_again(desk: Desk) -> None:
    desk.receives(form(conclusion="Safe."), after=LATER)
    _conclude(desk)
    later = form(conclusion="Safe again.", updates=[update("Another fall.")])
    assert happenings(desk.receives(later, after=2 * LATER)) == ["reopened", "updated", "conclusion_claimed"]


def test_a_conclusion_put_in_other_words_reopens_nothing(desk: Desk) -> None:
    desk.receives(form(conclusion="Safe."), after=LATER)
    _conclude(desk)
    decision = desk.receives(form(conclusion="Safe and well."), after=2 * LATER)
    assert happenings(decision) == ["updated", "conclusion_claimed"]
    assert desk.only.concluded


def test_a_concluded_alert_is_not_reopened_by_what_is_known(desk: Desk) -> None:
    _conclude(desk)
    assert happenings(desk.receives(form(), sender=COLLEAGUE, after=2 * LATER)) == ["received_again"]
    assert desk.only.concluded


def _conclude(desk: Desk) -> None:
    concluded = Entry(Happened.CONCLUDED, REFERENCE, MONDAY + LATER, "register", {}, {"by": "Sol Quaye"})
    after = alert_after(desk.only, concluded)
    assert after is not None
    desk.alerts = Alerts([after])


# ------------------------------------------------------------------ doubts


def test_a_doubt_never_delays_a_genuine_alert() -> None:
    desk = Desk()
    decision = desk.receives(
        form(document="Senior Leadership Alert Liam Harwood 1 Mar 26.docm"), sender="nurse@hospital.example"
    )
    assert happenings(decision) == ["opened"]
    assert codes(decision) == ["macro_file", "external_sender"]
    assert decision.place is Place.QUESTIONS
    assert decision.categories == (REFERENCE, "Not confirmed", "Question")
    assert desk.only.provisional


def test_nothing_is_an_alert_on_a_strangers_word_before_a_person_says_so() -> None:
    """The row is there at once; more forms by the same stranger neither confirm it nor change it."""
    desk = Desk()
    desk.receives(form(), sender="nurse@hospital.example")
    again = desk.receives(form(), sender="nurse@hospital.example", after=LATER)
    assert (happenings(again), desk.only.provisional) == (["received_again"], True)
    more = desk.receives(form(updates=[update("Seen.")]), sender="nurse@hospital.example", after=LATER)
    assert (happenings(more), codes(more)) == ([], ["external_sender"])


def test_the_same_form_from_inside_confirms_what_a_stranger_sent() -> None:
    desk = Desk()
    desk.receives(form(), sender="nurse@hospital.example")
    assert happenings(desk.receives(form(), after=LATER)) == ["confirmed", "updated"]
    assert not desk.only.provisional


@pytest.mark.parametrize(
    ("stamped", "provisional"),
    [
        ("spf=pass dkim=pass dmarc=pass; compauth=pass reason=100", False),
        ("spf=fail (sender IP is 192.0.2.1); dmarc=fail action=none; compauth=fail reason=001", True),
        ("spf=fail; dkim=fail; dmarc=fail; compauth=pass reason=130", False),  # Exchange knows better
        ("spf=softfail; dkim=none; dmarc=none", True),
        ("spf=fail; dkim=pass header.d=nctrust.co.uk; dmarc=pass", False),
        ("spf=none; dkim=none", False),
        ("", False),  # it never left the house
        ("spf=none (compauth=pass) smtp.mailfrom=compauth=pass.example; compauth=fail reason=601", True),
        ('spf=fail smtp.mailfrom="a; compauth=pass"@x.example; dkim=none; dmarc=fail', True),
    ],
)
def test_a_sender_who_cannot_be_proven_opens_nothing_by_themselves(stamped: str, provisional: bool) -> None:
    desk = Desk()
    decision = desk.receives(form(), message=mail(headers={"authentication-results": stamped}))
    assert (desk.only.provisional, "sender_unproven" in codes(decision)) == (provisional, provisional)


@pytest.mark.parametrize(
    ("stamped", "came_in", "provisional"),
    [
        ("dkim=none header.d=none; dmarc=none action=none", "Internal", False),
        ("spf=none; dkim=none; dmarc=none; compauth=none reason=405", "Anonymous", True),
        ("spf=pass smtp.mailfrom=nctrust.co.uk; dkim=none; dmarc=none", "Anonymous", False),
    ],
)
def test_where_nothing_was_proven_it_counts_whether_the_mail_came_in_from_outside(
    stamped: str, came_in: str, provisional: bool
) -> None:
    headers = {"authentication-results": stamped, "x-ms-exchange-organization-authas": came_in}
    desk = Desk()
    desk.receives(form(), message=mail(headers=headers))
    assert desk.only.provisional is provisional


def test_whoever_forges_an_outside_author_is_not_taken_for_them() -> None:
    """A person made a stranger's form an alert; that the next one is theirs has to be proven as well."""
    desk = Desk()
    desk.receives(form(), sender="nurse@hospital.example")
    desk.alerts = Alerts([replace(desk.only, provisional=False)])
    headers = {"authentication-results": "spf=fail; dmarc=fail; compauth=fail"}
    forged = mail(sender="nurse@hospital.example", number=9, headers=headers)
    decision = desk.receives(form(updates=[update("All is well.")]), message=forged)
    assert (happenings(decision), codes(decision)) == ([], ["sender_unproven"])


PROTECTED = Attachment("message.rpmsg", "application/x-microsoft-rpmsg-message", b"")
ELSEWHERE = "The form is here: https://trust.sharepoint.com/:w:/s/north/Eabc?e=1"


@pytest.mark.parametrize(
    ("came", "question", "status"),
    [
        (mail("Hello", attachments=[PROTECTED]), "protected_mail", True),
        (mail("Hello", attachments=[PROTECTED], sender="x@elsewhere.example"), "protected_mail", None),
        (mail(attachments=[PROTECTED], sender="x@elsewhere.example"), "protected_mail", True),
        (mail(text=ELSEWHERE), "form_behind_link", True),
        (mail("Lunch", text=ELSEWHERE), "", None),
        (mail(text="See https://trust.sharepoint.com/sites/intranet"), "no_form", True),
        (mail(sender="x@elsewhere.example"), "external_sender", True),
        (mail("Hello", sender="x@elsewhere.example"), "", None),
        (replace(mail(), problems=("too_deep: ?",)), "mail_unread", True),
        (replace(mail("Hello"), problems=("too_deep: ?",)), "mail_unread", None),
    ],
)
def test_what_may_hide_an_alert_has_a_row_at_once_and_a_question(
    came: Mail, question: str, status: bool | None
) -> None:
    desk = Desk()
    decision = desk.receives(message=came)
    assert question in codes(decision) or not question
    assert [alert.provisional for alert in desk.alerts.values()] == ([status] if status else [])


def test_a_link_to_the_form_of_a_known_alert_is_asked_about_without_a_row_of_its_own(desk: Desk) -> None:
    decision = desk.receives(message=mail(f"{PROPER} - Liam Harwood", number=9, text=ELSEWHERE))
    assert (happenings(decision), codes(decision)) == ([], ["form_behind_link"])
    assert decision.questions[0].candidates == (REFERENCE,)


def test_whoever_forges_an_author_neither_replies_nor_is_away(desk: Desk) -> None:
    headers = {"authentication-results": "spf=fail; dmarc=fail; compauth=fail"}
    reply = mail(f"RE: {REFERENCE}", number=8, headers=headers, text="Please close.")
    away = mail("Automatic reply: x", number=9, headers=headers | AWAY, text="Back on 16 March.")
    assert happenings(desk.receives(message=reply)) == []
    assert happenings(desk.receives(message=away, answered=(REFERENCE,))) == ["set_aside"]


def test_a_mail_that_names_two_different_children_has_a_row_that_tells_nothing() -> None:
    """Perhaps it was sent in error: it is not lost from sight, and shown to nobody before a person looked."""
    desk = Desk()
    told = form(updates=[update("Seen.")], conclusion="Ended.")
    decision = desk.receives(told, subject="Senior Leadership Alert Amara Diallo - Urgent and Confidential")
    assert (happenings(decision), codes(decision)) == (["opened"], ["name_mismatch"])
    assert (decision.place, decision.questions[0].candidates) == (Place.QUESTIONS, (REFERENCE,))
    row = desk.only
    assert (row.provisional, row.children, row.values, row.form) == (True, (), {}, "")
    assert (row.incident_at, row.update_lines, row.conclusion_text) == (None, frozenset(), "")


def test_such_a_mail_that_comes_again_has_no_second_row() -> None:
    desk = Desk()
    for _ in range(2):
        desk.receives(form(), subject="Senior Leadership Alert Amara Diallo - Urgent and Confidential")
    assert len(desk.alerts) == 1


def test_a_mail_without_its_form_that_is_looked_at_again_has_no_second_row() -> None:
    desk = Desk()
    for _ in range(2):
        desk.receives(message=mail())
    assert len(desk.alerts) == 1


def test_a_name_alone_only_proposes(desk: Desk) -> None:
    decision = desk.receives(form(children=({"child_name": "Liam Harwood"},), incident_at=""))
    assert (happenings(decision), codes(decision)) == ([], ["name_only"])
    assert decision.questions[0].seen["evidence"] == [f"{REFERENCE}: the same name, the same author"]
    assert "Harwood" not in decision.questions[0].why
    assert decision.questions[0].candidates == (REFERENCE,)


def test_two_forms_with_one_doubt_are_asked_about_together() -> None:
    desk = Desk()
    ada = {"child_name": "Ada Lowe", "dob": "2010-01-01"}
    desk.receives(form(), form(children=(ada,), document="SLA Ada Lowe 1 Mar 26.docx"))
    decision = desk.receives(
        form(children=({"child_name": "Liam Harwood"},)),
        form(children=({"child_name": "Ada Lowe"},), document="SLA Ada Lowe 1 Mar 26.docx"),
    )
    (question,) = decision.questions
    assert (question.code, question.candidates) == ("name_only", ("SLA-2026-0001", "SLA-2026-0002"))
    children = question.seen["children"]
    assert isinstance(children, list)
    assert len(children) == 2


def test_a_form_that_quotes_one_alert_and_tells_of_another_child_is_asked_about(desk: Desk) -> None:
    stranger = form(
        children=({"child_name": "Amara Diallo", "dob": "2011-01-01"},),
        document="Senior Leadership Alert Update 4 Mar 26.docx",
    )
    decision = desk.receives(stranger, subject=f"{PROPER} {REFERENCE}", after=LATER)
    assert (happenings(decision), codes(decision)) == (["opened"], ["contradiction"])
    assert decision.questions[0].candidates == (REFERENCE, "SLA-2026-0002")
    assert (desk.alerts["SLA-2026-0002"].provisional, desk.alerts["SLA-2026-0002"].children) == (True, ())


def test_a_form_of_which_it_is_in_doubt_whom_it_is_about_has_one_row_however_often_it_comes(
    desk: Desk,
) -> None:
    amara = form(
        children=({"child_name": "Amara Diallo", "dob": "2011-01-01"},),
        document="Senior Leadership Alert Update 4 Mar 26.docx",
    )
    for _ in range(2):
        decision = desk.receives(amara, subject=f"{PROPER} {REFERENCE}", after=LATER)

    assert (happenings(decision), len(desk.alerts)) == ([], 2)
    assert decision.questions


@pytest.mark.parametrize("hours", [1, 47])
def test_the_form_that_was_forgotten_goes_into_the_row_that_waits_for_it(hours: int) -> None:
    desk = Desk()
    desk.receives(subject=f"{PROPER} - Liam Harwood")
    decision = desk.receives(form(), after=timedelta(hours=hours))
    assert happenings(decision) == ["confirmed", "updated"]
    assert (desk.only.provisional, desk.only.form) == (False, "sla")


@pytest.mark.parametrize(
    ("sender", "hours", "subject"),
    [(COLLEAGUE, 1, PROPER), (AUTHOR, 49, PROPER), (AUTHOR, 1, f"{PROPER} - Amara Diallo")],
    ids=["by somebody else", "much later", "of another child"],
)
def test_another_form_is_an_alert_of_its_own(sender: str, hours: int, subject: str) -> None:
    desk = Desk()
    desk.receives(subject=subject)
    desk.receives(form(), sender=sender, after=timedelta(hours=hours))
    assert [alert.provisional for alert in desk.alerts.values()] == [True, False]


@pytest.mark.parametrize(
    ("sender", "hours"), [(COLLEAGUE, 1), (AUTHOR, 49), (AUTHOR, -1)], ids=["somebody else", "late", "before"]
)
def test_a_form_of_that_name_by_somebody_else_or_at_another_time_is_asked_about(
    sender: str, hours: int
) -> None:
    desk = Desk()
    desk.receives(subject=f"{PROPER} - Liam Harwood")
    decision = desk.receives(form(), sender=sender, after=timedelta(hours=hours))
    assert (happenings(decision), codes(decision)) == ([], ["name_only"])


def test_an_update_by_a_stranger_from_outside_is_not_believed(desk: Desk) -> None:
    decision = desk.receives(
        form(conclusion="Close this."), subject=f"{PROPER} {REFERENCE}", sender="x@elsewhere.example"
    )
    assert (happenings(decision), codes(decision)) == ([], ["external_sender"])
    assert desk.only.conclusion_claimed_at is None


def test_a_form_with_an_unknown_reference_is_opened_and_asked_about() -> None:
    desk = Desk()
    decision = desk.receives(form(), subject=f"{PROPER} SLA-2019-0777")
    assert (happenings(decision), codes(decision)) == (["opened"], ["unknown_reference"])


def test_a_date_that_does_not_exist_is_left_out_and_asked_about() -> None:
    desk = Desk()
    decision = desk.receives(form(incident_at="31 June 26"))
    assert (desk.only.incident_at, codes(decision)) == (None, ["date_invalid"])


def test_a_date_that_is_yet_to_come_is_left_out_and_asked_about() -> None:
    desk = Desk()
    decision = desk.receives(form(incident_at="2027-03-01T16:30"))
    assert (desk.only.incident_at, codes(decision)) == (None, ["date_future"])


# ------------------------------------------------------------------ forms that cannot be read


def unread(document: str, code: str = "encrypted") -> Unreadable:
    return Unreadable(document, f"sha of {document}", code, ("It is protected by a password.",))


def test_an_unreadable_first_form_is_opened_with_the_little_that_is_known() -> None:
    desk = Desk()
    decision = desk.receives(unread("Senior Leadership Alert Zofia Nowak 1 Mar 26.docx"))
    assert (happenings(decision), codes(decision)) == (["opened"], ["unreadable"])
    assert desk.only.children == (Child("Zofia Nowak"),)


def test_the_same_unreadable_form_again_is_the_same_alert() -> None:
    desk = Desk()
    desk.receives(unread("Senior Leadership Alert Zofia Nowak 1 Mar 26.docx"))
    again = desk.receives(unread("Senior Leadership Alert Zofia Nowak 1 Mar 26.docx"), sender=COLLEAGUE)
    assert happenings(again) == ["received_again"]


def test_an_unreadable_form_that_the_subject_contradicts_shows_no_childs_name() -> None:
    """Which child it is about is the very question."""
    desk = Desk()
    decision = desk.receives(
        unread("Senior Leadership Alert Zofia Nowak 1 Mar 26.docx"), subject=f"{PROPER} - Amara Diallo"
    )
    assert codes(decision) == ["unreadable", "name_mismatch"]
    assert (desk.only.provisional, desk.only.children) == (True, ())


def test_an_unreadable_update_is_asked_about(desk: Desk) -> None:
    decision = desk.receives(unread("Senior Leadership Alert Update Liam Harwood 5 Mar 26.docx"), after=LATER)
    assert (happenings(decision), codes(decision)) == ([], ["unreadable"])
    assert decision.questions[0].candidates == (REFERENCE,)


def test_whoever_answers_with_an_unreadable_form_was_heard(desk: Desk) -> None:
    decision = desk.receives(
        unread("Senior Leadership Alert Update Liam Harwood 5 Mar 26.docx"),
        answered=(REFERENCE,),
        after=LATER,
    )
    assert (happenings(decision), codes(decision)) == (["replied"], ["unreadable"])


@pytest.mark.parametrize(
    ("sender", "document"),
    [
        (COLLEAGUE, "Senior Leadership Alert Update Liam Harwood 5 Mar 26.docx"),  # neither author nor roster
        (AUTHOR, "Senior Leadership Alert Update Amara Diallo 5 Mar 26.docx"),  # of another child
    ],
)
def test_an_unreadable_form_of_which_it_is_in_doubt_whose_it_is_counts_as_no_answer(
    desk: Desk, sender: str, document: str
) -> None:
    """The author is prompted as before."""
    subject = f"{PROPER} {REFERENCE} Liam Harwood"
    decision = desk.receives(unread(document), subject=subject, sender=sender, after=LATER)

    assert happenings(decision) == []
    assert decision.questions


def test_a_photograph_instead_of_a_form_is_opened_and_asked_about() -> None:
    decision = Desk().receives(unread("IMG_4471.jpg", "not_a_document"))
    assert (happenings(decision), codes(decision)) == (["opened"], ["unreadable"])


def test_an_unreadable_copy_beside_a_readable_form_changes_nothing() -> None:
    pdf = unread("Senior Leadership Alert Liam Harwood 1 Mar 26.pdf", "scan")
    decision = Desk().receives(form(), pdf)
    assert (happenings(decision), codes(decision)) == (["opened"], [])


# ------------------------------------------------------------------ replies, absences, bounces


def test_a_reply_to_a_letter_is_recorded_on_every_alert_of_the_letter(desk: Desk) -> None:
    other = form(
        children=({"child_name": "Ada Lowe", "dob": "2010-01-01"},), document="SLA Ada Lowe 1 Mar 26.docx"
    )
    desk.receives(other)
    both = ("SLA-2026-0001", "SLA-2026-0002")
    decision = desk.receives(
        subject="RE: update requested", answers="<letter@us>", answered=both, after=LATER
    )
    assert happenings(decision) == ["replied", "replied"]
    assert decision.place is Place.REPLIES
    assert desk.alerts[REFERENCE].replied_at == MONDAY + LATER


def test_a_reply_by_the_same_mail_counts_once(desk: Desk) -> None:
    came = mail("RE: update requested", number=9, at=MONDAY + LATER, answers="<letter@us>")
    desk.receives(message=came, answered=(REFERENCE,))
    assert happenings(desk.receives(message=came, answered=(REFERENCE,))) == []


def test_a_reply_by_somebody_unknown_is_only_asked_about(desk: Desk) -> None:
    decision = desk.receives(
        subject="RE: update requested", sender=COLLEAGUE, answers="<letter@us>", answered=(REFERENCE,)
    )
    assert (happenings(decision), codes(decision)) == ([], ["not_theirs"])


def test_an_answer_under_the_subject_of_our_own_letter_names_no_child(desk: Desk) -> None:
    ours = f"RE: Senior Leadership Alert - update requested - {REFERENCE} - Urgent and Confidential"
    assert happenings(desk.receives(subject=ours, answers="<letter@us>", answered=(REFERENCE,))) == [
        "replied"
    ]
    with_form = desk.receives(
        form(updates=[update("Seen.")]), subject=ours, answers="<letter@us>", after=LATER
    )
    assert (happenings(with_form), codes(with_form)) == (["updated"], [])


def test_a_reply_about_two_alerts_by_the_author_of_one_is_only_asked_about(desk: Desk) -> None:
    """Else nobody would ask the other's author any more."""
    other = {"child_name": "Ada Lowe", "dob": "2010-01-01"}
    desk.receives(form(document="SLA Ada.docx", children=[other]), sender=COLLEAGUE)
    both = ("SLA-2026-0001", "SLA-2026-0002")
    for sender in (AUTHOR, COLLEAGUE):
        decision = desk.receives(subject="RE: yes", sender=sender, answers="<letter@us>", answered=both)
        assert (happenings(decision), codes(decision)) == ([], ["not_theirs"])


def test_a_reply_that_speaks_of_another_child_is_only_asked_about(desk: Desk) -> None:
    decision = desk.receives(
        subject="RE: Senior Leadership Alert Update Amara Diallo",
        answers="<letter@us>",
        answered=(REFERENCE,),
    )
    assert (happenings(decision), codes(decision)) == ([], ["contradiction"])


def test_a_reply_that_asks_to_close_is_heard_and_put_to_a_person(desk: Desk) -> None:
    decision = desk.receives(
        subject="RE: Senior Leadership Alert - please close", answers="<letter@us>", answered=(REFERENCE,)
    )
    assert (happenings(decision), codes(decision)) == (["replied"], ["closure_without_form"])
    assert desk.only.conclusion_claimed_at is None


def test_an_alert_taken_back_is_put_to_a_person_and_stands_until_they_decide(desk: Desk) -> None:
    came = mail(
        "RE: update requested", text="Please withdraw this, I sent it in error.", answers="<l@us>", number=9
    )
    decision = desk.receives(message=came, answered=(REFERENCE,))
    assert (happenings(decision), codes(decision)) == (["replied"], ["withdrawn"])
    assert desk.only.proposal.withdraw
    assert not desk.only.ended


@pytest.mark.parametrize("subject", ["Update", "RF - home safe", "LSA-2026-1", "RE: your call"])
@pytest.mark.parametrize("answers", [None, "<talk@elsewhere>"])
def test_the_author_of_an_open_alert_who_names_none_is_asked_about_not_set_aside(
    desk: Desk, subject: str, answers: str | None
) -> None:
    decision = desk.receives(subject=subject, answers=answers)
    assert (happenings(decision), codes(decision)) == ([], ["author_writes"])
    assert (decision.questions[0].candidates, decision.place) == ((REFERENCE,), Place.QUESTIONS)


def test_what_others_write_or_an_author_of_none_that_is_open_is_set_aside(desk: Desk) -> None:
    assert desk.receives(subject="Update", sender=DIRECTOR).outcome == "not_about_an_alert"
    _conclude(desk)
    assert desk.receives(subject="Update", after=LATER).outcome == "not_about_an_alert"


def test_colleagues_who_thank_each_other_bring_no_news(desk: Desk) -> None:
    decision = desk.receives(
        subject=f"RE: {PROPER}", sender=DIRECTOR, answers="<1@mail.example>", after=LATER
    )
    assert (happenings(decision), decision.outcome) == (["set_aside"], "conversation")
    assert (decision.place, decision.categories) == (Place.REPLIES, (REFERENCE, "Conversation"))
    assert desk.only.last_news_at == MONDAY


def test_an_author_who_answers_in_the_conversation_was_heard(desk: Desk) -> None:
    decision = desk.receives(subject=f"RE: {PROPER}", answers="<1@mail.example>", after=LATER)
    assert happenings(decision) == ["replied"]


@pytest.mark.parametrize("sender", [AUTHOR, COLLEAGUE])
@pytest.mark.parametrize("subject", [f"RE: {PROPER}", "RE: your mail"])
def test_whoever_answers_a_mail_that_brought_two_alerts_is_asked_which_is_meant(
    sender: str, subject: str
) -> None:
    desk = Desk()
    other = {"child_name": "Mia Prentice", "dob": "2014-09-11"}
    desk.receives(form(), form(document="SLA Mia.docx", children=[other]))
    decision = desk.receives(subject=subject, sender=sender, answers="<1@mail.example>", after=LATER)

    assert happenings(decision) == []
    assert [question.candidates for question in decision.questions] == [tuple(desk.alerts)]


def test_a_reply_to_nothing_of_ours_is_set_aside() -> None:
    decision = Desk().receives(subject="RE: Rota for March", answers="<rota@us>")
    assert (decision.outcome, decision.place) == ("reply_to_others", Place.SET_ASIDE)


def test_a_reply_about_an_alert_nobody_knows_is_asked_about() -> None:
    decision = Desk().receives(subject=f"RE: {PROPER}", answers="<old@us>")
    assert codes(decision) == ["reply_unmatched"]


AWAY = {"auto-submitted": "auto-replied"}


def test_an_absent_author_is_recorded_as_away_until_the_day_they_name(desk: Desk) -> None:
    came = mail(
        "Automatic reply: update requested",
        number=9,
        answers="<letter@us>",
        headers=AWAY,
        text="I am on leave and will return to the office on Monday 16 March.",
    )
    decision = desk.receives(message=came, answered=(REFERENCE,))
    assert (happenings(decision), decision.place) == (["away"], Place.REPLIES)
    assert desk.only.away_until == date(2026, 3, 16)


def test_a_colleague_of_the_desk_who_is_away_is_kept_apart_from_the_author(desk: Desk) -> None:
    came = mail(
        "Automatic reply: update requested",
        number=9,
        sender="ivy.pratt@nctrust.co.uk",
        answers="<letter@us>",
        headers=AWAY,
        text="Back on Monday 16 March. Please contact Jane Doe on jane.doe@nctrust.co.uk.",
    )
    decision = desk.receives(message=came, answered=(REFERENCE,))
    (entry,) = decision.entries
    assert (entry.facts["role"], entry.content) == (
        "psw",
        {"address": "ivy.pratt@nctrust.co.uk", "deputy": "Jane Doe <jane.doe@nctrust.co.uk>"},
    )
    assert desk.only.away_until is None
    assert desk.only.absence_of("ivy.pratt@nctrust.co.uk", date(2026, 3, 15)) is not None
    assert desk.only.absence_of("ivy.pratt@nctrust.co.uk", date(2026, 3, 16)) is None


def test_what_a_mailbox_answers_by_itself_counts_once(desk: Desk) -> None:
    away = mail("Automatic reply: x", number=8, answers="<letter@us>", headers=AWAY, text="Back on 16 March.")
    returned = replace(
        mail("Undeliverable: x", number=9, sender="postmaster@x"), bounce=Bounce(AUTHOR, True, "<l@us>")
    )
    for message, once in ((away, ["away"]), (returned, ["bounced"])):
        assert happenings(desk.receives(message=message, answered=(REFERENCE,))) == once
        assert happenings(desk.receives(message=message, answered=(REFERENCE,))) == []


def test_an_author_who_has_left_is_a_question(desk: Desk) -> None:
    text = "Dana no longer works for the Trust."
    came = mail("Automatic reply: x", number=9, answers="<letter@us>", headers=AWAY, text=text)
    decision = desk.receives(message=came, answered=(REFERENCE,))
    assert (happenings(decision), codes(decision)) == (["away"], ["has_left"])


def test_somebody_elses_absence_says_nothing_of_the_author(desk: Desk) -> None:
    came = mail("Automatic reply: x", number=9, sender=COLLEAGUE, answers="<letter@us>", headers=AWAY)
    decision = desk.receives(message=came, answered=(REFERENCE,))
    assert (happenings(decision), desk.only.away_until) == (["set_aside"], None)


def test_a_letter_that_came_back_is_recorded_and_put_to_a_person(desk: Desk) -> None:
    came = replace(
        mail("Undeliverable: x", number=9, sender="postmaster@x"),
        bounce=Bounce(AUTHOR.title(), True, "<l@us>"),
    )
    decision = desk.receives(message=came, answered=(REFERENCE,))
    assert (happenings(decision), codes(decision)) == (["bounced"], ["letter_undelivered"])
    assert desk.only.bounced == {AUTHOR}


def test_a_mere_delay_in_delivery_is_no_news(desk: Desk) -> None:
    came = replace(mail("Delayed: x", number=9), bounce=Bounce(AUTHOR, False, "<l@us>"))
    assert desk.receives(message=came, answered=(REFERENCE,)).outcome == "delivery_delayed"
    assert desk.only.bounced == frozenset()


def test_a_bounce_of_nobody_knows_what_is_asked_about() -> None:
    came = replace(mail("Undeliverable: x", number=9), bounce=Bounce(None, True, None))
    assert codes(Desk().receives(message=came)) == ["bounce_unmatched"]


# ------------------------------------------------------------------ mails that bring no form


@pytest.mark.parametrize(
    ("subject", "question"),
    [
        ("SLA - can we close this one please? - Noah P", "closure_without_form"),
        ("4th missing episode this month - new SLAF needed? - Reece Whitlam", "query"),
        ("Recall: Senior Leadership Alert", "recall"),
    ],
)
def test_a_mail_that_needs_a_person_is_put_to_one(subject: str, question: str) -> None:
    decision = Desk().receives(subject=subject)
    assert (happenings(decision), codes(decision), decision.place) == ([], [question], Place.QUESTIONS)


@pytest.mark.parametrize(
    ("subject", "headers", "sender", "reason"),
    [
        ("Your weekly digest of news", {"list-unsubscribe": "<x>"}, AUTHOR, "newsletter"),
        ("SLA breach warning - IT ticket INC0045112 resolved late", {}, AUTHOR, "service_level"),
        ("Accepted: Panel meeting", {}, AUTHOR, "calendar"),
        ("Read: Senior Leadership Alert", {}, AUTHOR, "read_receipt"),
        ("Senior Leadership Alert - update requested - SLA-2026-0001", {}, DESK, "own_letter"),
        ("Backup finished", {"auto-submitted": "auto-generated"}, AUTHOR, "automatic_notice"),
        ("Cake in the kitchen", {}, AUTHOR, "not_about_an_alert"),
        ("Out of office: rota", {}, AUTHOR, "automatic_reply"),
    ],
)
def test_what_is_not_ours_is_set_aside_with_its_reason(
    subject: str, headers: dict[str, str], sender: str, reason: str
) -> None:
    decision = Desk().receives(message=mail(subject, headers=headers, sender=sender))
    assert (decision.outcome, decision.place, decision.questions) == (reason, Place.SET_ASIDE, ())
    (entry,) = decision.entries
    assert (entry.alert, entry.facts) == (None, {"reason": reason})


def test_a_mail_people_wrote_is_not_thrown_away_for_suppressing_automatic_answers() -> None:
    came = mail(headers={"x-auto-response-suppress": "All"})
    assert happenings(Desk().receives(form(), message=came)) == ["opened"]


def test_a_form_inside_a_forwarded_mail_is_opened_for_its_first_sender() -> None:
    desk = Desk()
    inner = form(author="Somebody Unknown")
    carried = mail(number=7, attachments=())
    decision = desk.receives(
        inner, message=mail(f"FW: {PROPER}", sender=COLLEAGUE, number=8, nested=[carried])
    )
    assert happenings(decision) == ["opened"]


# ------------------------------------------------------------------ for any submission whatsoever

names = st.sampled_from(["", "Liam Harwood", "Harwood, Liam", "L.H.", "Ada Lowe", "Zoë O'Neil", "Child P"])
NAIVE = datetime.fromisoformat("2026-01-01")
days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
moments = st.none() | days | st.datetimes(NAIVE, NAIVE + timedelta(days=400), timezones=st.just(UTC))
children = st.builds(Child, names, st.none() | st.just(date(2012, 5, 4)), st.sampled_from(["", "12345"]))
short = st.text(max_size=12)
submissions = st.builds(
    Submission,
    kind=st.sampled_from(Kind),
    message_id=st.sampled_from([f"<{number}@x>" for number in range(1, 7)]),
    sender=st.sampled_from([AUTHOR, COLLEAGUE, "x@elsewhere.example"]),
    received_at=st.datetimes(NAIVE, NAIVE + timedelta(days=400), timezones=st.just(UTC)),
    form=st.sampled_from([None, "sla", "sla_missing"]),
    document_sha256=st.sampled_from(["a" * 64, "b" * 64]),
    references=st.lists(st.sampled_from([REFERENCE, "SLA-1999-0001"]), max_size=2).map(tuple),
    answers=st.lists(st.sampled_from(["<1@x>", "<9@x>"]), max_size=2).map(tuple),
    children=st.lists(children, max_size=2).map(tuple),
    values=st.dictionaries(st.sampled_from(["author", "area", "summary"]), short, max_size=3),
    incident_at=moments,
    missing_since=moments,
    returned_at=moments,
    next_update_due=st.none() | days,
    updates=st.lists(st.builds(Update, st.none() | days, short), max_size=2).map(tuple),
    conclusion=st.none() | st.builds(Conclusion, short, st.none() | days),
    doubts=st.lists(st.sampled_from(["name_mismatch", "external_sender", "date_invalid"]), max_size=2).map(
        tuple
    ),
    author_address=st.sampled_from(["", AUTHOR]),
    claims=st.none() | st.sampled_from(Kind),
)


def _after(desk: Desk, submission: Submission, answered: tuple[str, ...]) -> Alerts:
    decision = decide(
        submission, desk.alerts, nct(), PEOPLE, answered=answered, new_reference=desk.numbering()
    )
    assert all(question.code in QUESTIONS for question in decision.questions)
    return desk.alerts.after(folded_on(desk.alerts, decision.entries).values())


@given(st.lists(submissions, max_size=3), submissions, st.sampled_from([(), (REFERENCE,)]))
@settings(max_examples=150, deadline=None)
def test_deciding_the_same_twice_changes_nothing(
    before: list[Submission], last: Submission, answered: tuple[str, ...]
) -> None:
    ids = [one.message_id for one in (*before, last)]  # one id with other content is never decided, but asked
    assume(len(set(ids)) == len(ids) and last.message_id not in last.answers)
    desk = Desk()
    for submission in before:
        desk.alerts = _after(desk, submission, answered)
    desk.alerts = once = _after(desk, last, answered)
    twice = _after(desk, last, answered)
    assert _told(twice) == _told(once)


def _told(alerts: Alerts) -> dict[str, Alert]:
    """The alerts but for which mails and files were seen: those may be noted once more."""
    return {
        reference: replace(alert, mails=frozenset(), documents=frozenset())
        for reference, alert in alerts.items()
    }


# ------------------------------------------------------------------ each story has an end

TWICE = replace(form(), document="SLA.zip > Senior Leadership Alert Liam Harwood 1 Mar 26.docx")
CORRECTED = form(area="North", edition="corrected")
SEEN = form(updates=[update("Seen.")])


@pytest.mark.parametrize(
    ("mails", "ends"),
    [
        # the same form by another person, forwarded, attached twice, zipped and plain: it counts once
        ([(AUTHOR, [form()]), (COLLEAGUE, [form()])], ["opened", "received_again"]),
        ([(AUTHOR, [form(), form()])], ["opened"]),
        ([(AUTHOR, [form(), TWICE])], ["opened"]),
        ([(AUTHOR, [form()]), (COLLEAGUE, [form(edition="her own copy")])], ["opened", "received_again"]),
        # sent again corrected: the correction is taken
        ([(AUTHOR, [form()]), (AUTHOR, [CORRECTED])], ["opened", "updated"]),
        # the update before its alert: opened from it, and the alert itself tells nothing new
        ([(AUTHOR, [SEEN]), (AUTHOR, [form()])], ["opened", "received_again"]),
        # the update, and its alert, in one mail
        ([(AUTHOR, [form(), SEEN])], ["opened", "updated"]),
    ],
)
def test_the_same_matter_in_several_guises_is_one_alert(
    mails: list[tuple[str, list[Reading]]], ends: list[str]
) -> None:
    desk = Desk()
    happened = [
        name
        for hours, (sender, forms) in enumerate(mails)
        for name in happenings(desk.receives(*forms, sender=sender, after=timedelta(hours=hours)))
    ]
    assert (happened, len(desk.alerts)) == (ends, 1)
