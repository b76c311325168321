"""What people answer to questions, and what becomes of the mail then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent.procedure.alert import Alert
from agent.procedure.answer import Answer, Unclear, answered, choices, settled
from agent.procedure.decision import Decision, Question
from agent.procedure.entry import Entry
from agent.procedure.mail import Bounce, Mail
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.words import Happened, Place
from tests.procedure.arrivals import (
    MONDAY,
    PEOPLE,
    PROPER,
    Desk,
    codes,
    form,
    happenings,
    mail,
    submissions,
    update,
)

NURSE = "nurse@hospital.example"
FIRST, SECOND = "SLA-2026-0001", "SLA-2026-0002"
NOBODY_BORN = ({"child_name": "Liam Harwood"},)


def amara(**more: Any) -> Reading:
    """A form about another child."""
    document = "Senior Leadership Alert Amara Diallo 1 Mar 26.docx"
    return form(document=document, children=({"child_name": "Amara Diallo", "dob": "2011-02-03"},), **more)


class Asking(Desk):
    """A desk where a mail led to a question, which somebody answers."""

    came: Mail
    documents: tuple[Reading | Unreadable, ...]
    question: Question

    def asks(self, *documents: Reading | Unreadable, subject: str = PROPER, sender: str = "") -> Decision:
        told = {"sender": sender} if sender else {}
        self.came = mail(subject, number=50, at=MONDAY + timedelta(hours=5), **told)  # type: ignore[arg-type]
        self.documents = documents
        decision = self.receives(*documents, message=self.came)
        self.question = decision.questions[0]
        return decision

    def is_told(self, answer: str, *read_now: Reading | Unreadable) -> Decision:
        decision = answered(
            self.question,
            submissions(self.came, *(read_now or self.documents)),
            answer,
            self.alerts,
            self.procedure,
            PEOPLE,
            at=MONDAY + timedelta(days=1),
            new_reference=self.numbering(),
        )
        self.keeps(decision)
        return decision

    def status(self) -> dict[str, str]:
        return {reference: _state(alert) for reference, alert in self.alerts.items()}


def _state(alert: Alert) -> str:
    if alert.merged_into:
        return f"into {alert.merged_into}"
    if alert.not_an_alert:
        return "none"
    return "provisional" if alert.provisional else "alert"


@pytest.fixture
def named() -> Asking:
    """Alert 1 is known; a form came that only shares its child's name."""
    desk = Asking()
    desk.receives(form())
    desk.asks(form(children=NOBODY_BORN, incident_at="", summary="Another fall."))
    assert desk.question.code == "name_only"
    return desk


@pytest.fixture
def strange() -> Asking:
    """Alert 1 is known; a stranger sent a form about another child, which is provisional as alert 2."""
    desk = Asking()
    desk.receives(form())
    desk.asks(amara(), sender=NURSE)
    assert desk.status() == {FIRST: "alert", SECOND: "provisional"}
    return desk


@pytest.fixture
def unread() -> Asking:
    """A form that could not be read, provisional as alert 1."""
    desk = Asking()
    broken = Unreadable("Senior Leadership Alert Amara Diallo.docx", "f" * 64, "encrypted", ("Protected.",))
    desk.asks(broken)
    assert desk.status() == {FIRST: "provisional"}
    return desk


def test_it_is_the_alert_that_was_proposed(named: Asking) -> None:
    decision = named.is_told(FIRST)
    assert (happenings(decision), decision.place) == (["updated"], Place.UPDATES)
    assert named.status() == {FIRST: "alert"}


def test_an_alert_may_be_named_that_was_not_proposed(named: Asking) -> None:
    named.receives(amara())
    assert named.question.candidates == (FIRST,)
    decision = named.is_told(f" it is {SECOND.lower()} ")
    assert [entry.alert for entry in decision.entries] == [SECOND]


def test_it_is_a_new_matter(named: Asking) -> None:
    decision = named.is_told("new alert")
    assert (happenings(decision), decision.place) == (["opened"], Place.ALERTS)
    assert decision.categories == (SECOND, "Opened")


def test_it_is_no_alert(named: Asking) -> None:
    decision = named.is_told("Not an alert.")
    assert (happenings(decision), decision.place) == (["set_aside"], Place.SET_ASIDE)
    assert named.status() == {FIRST: "alert"}


def taken_back(*references: str) -> Asking:
    """Two alerts are known; the letter about `references` was answered with "sent in error"."""
    desk = Asking()
    desk.receives(form(), amara())
    desk.documents = ()
    desk.came = mail("RE: update requested", number=50, text="Sent in error.", answers="<letter@us>")
    desk.question = desk.receives(message=desk.came, answered=references).questions[0]
    return desk


def test_an_alert_that_was_taken_back_is_none_once_a_person_says_so() -> None:
    desk = taken_back(SECOND)
    assert happenings(desk.is_told("Done")) == []
    assert happenings(desk.is_told("Not an alert")) == ["not_an_alert"]
    assert desk.status() == {FIRST: "alert", SECOND: "none"}


def test_which_of_several_is_taken_back_is_not_guessed() -> None:
    desk = taken_back(FIRST, SECOND)
    with pytest.raises(Unclear, match="Status of the alert"):
        desk.is_told("Not an alert")


def test_somebody_has_seen_to_it(named: Asking) -> None:
    assert happenings(named.is_told("Done")) == []


def test_read_again_asks_again_where_nothing_has_changed(named: Asking) -> None:
    assert codes(named.is_told("Read again")) == ["name_only"]


def test_a_person_makes_a_provisional_alert_one(strange: Asking) -> None:
    assert happenings(strange.is_told("New alert")) == ["confirmed"]
    assert strange.status() == {FIRST: "alert", SECOND: "alert"}


def test_naming_the_provisional_alert_itself_confirms_it(strange: Asking) -> None:
    assert happenings(strange.is_told(SECOND)) == ["confirmed"]
    assert strange.status() == {FIRST: "alert", SECOND: "alert"}


def test_a_provisional_alert_that_came_twice_is_made_one_all_the_same(strange: Asking) -> None:
    strange.receives(*(one for one in strange.documents), sender=NURSE, after=timedelta(days=1))
    assert happenings(strange.is_told("New alert")) == ["confirmed"]


def test_a_report_of_what_came_back_is_no_alert() -> None:
    desk = Asking()
    desk.receives(form())
    desk.came = replace(mail("Undeliverable: x", number=50), bounce=Bounce("dana@x.example", True, None))
    desk.documents = ()
    desk.question = desk.receives(message=desk.came).questions[0]
    with pytest.raises(Unclear, match="no alert"):
        desk.is_told("New alert")
    assert happenings(desk.is_told(FIRST)) == ["bounced"]


def test_a_person_takes_a_provisional_alert_off(strange: Asking) -> None:
    assert happenings(strange.is_told("Not an alert")) == ["not_an_alert"]
    assert strange.status() == {FIRST: "alert", SECOND: "none"}


def test_a_provisional_alert_that_belongs_to_another_goes_there(strange: Asking) -> None:
    decision = strange.is_told(FIRST)
    assert happenings(decision) == ["updated", "merged", "merged"]
    assert strange.status() == {FIRST: "alert", SECOND: f"into {FIRST}"}
    assert strange.came.message_id in strange.alerts[FIRST].mails


def test_what_can_be_read_now_fills_the_provisional_row(unread: Asking) -> None:
    readable = amara()
    now = Reading(**{**vars(readable), "sha256": "f" * 64})
    assert happenings(unread.is_told("Read again", now)) == ["confirmed", "updated"]
    assert unread.only.children[0].name == "Amara Diallo"


@pytest.mark.parametrize("answer", ["New alert", FIRST])
def test_what_was_withheld_is_taken_down_once_it_is_an_alert(answer: str) -> None:
    """Subject and form named different children; a person says that the form is right."""
    desk = Asking()
    desk.asks(amara(), subject="Senior Leadership Alert Liam Harwood - Urgent and Confidential")
    assert (desk.status(), desk.only.children) == ({FIRST: "provisional"}, ())
    assert happenings(desk.is_told(answer)) == ["confirmed", "updated"]
    assert (desk.status(), desk.only.children[0].name) == ({FIRST: "alert"}, "Amara Diallo")


def test_what_was_withheld_and_belongs_to_another_alert_goes_there() -> None:
    desk = Asking()
    desk.receives(form())
    desk.asks(amara(updates=[update("Seen.")]), subject=f"{PROPER} {FIRST}")
    assert desk.question.code == "contradiction"
    assert happenings(desk.is_told(FIRST)) == ["updated", "merged", "merged"]
    assert desk.status() == {FIRST: "alert", SECOND: f"into {FIRST}"}


def test_what_still_cannot_be_read_opens_no_second_row(unread: Asking) -> None:
    decision = unread.is_told("Read again")
    assert Happened.OPENED not in [entry.happened for entry in decision.entries]
    assert unread.status() == {FIRST: "provisional"}


def test_of_several_forms_only_the_one_in_question_is_meant() -> None:
    """The first form of the mail opened an alert; the second only shares a name with a known one."""
    desk = Asking()
    desk.receives(form())
    other = amara()
    desk.asks(other, form(children=NOBODY_BORN, incident_at="", summary="Another fall."))
    assert desk.question.candidates == (FIRST,)
    decision = desk.is_told("New alert")
    assert happenings(decision) == ["opened"]
    assert [child.name for child in desk.alerts["SLA-2026-0003"].children] == ["Liam Harwood"]


def test_no_answer_is_carried_out_twice(named: Asking) -> None:
    named.is_told("New alert")
    assert happenings(named.is_told("New alert")) == []


@pytest.mark.parametrize("answer", ["", "maybe", f"{FIRST} or {SECOND}", "SLA-2026-0099", "LA-2026-0001"])
def test_an_answer_that_means_nothing_is_not_acted_on(named: Asking, answer: str) -> None:
    with pytest.raises(Unclear, match=r"\.$"):
        named.is_told(answer)


def test_the_answers_offered_begin_with_the_alerts_it_may_be(named: Asking) -> None:
    assert choices(named.question) == (FIRST, "New alert", "Not an alert", "Read again", "Done")


def test_update_in_a_merged_alert_goes_on_under_the_other(strange: Asking) -> None:
    strange.is_told(FIRST)
    later = amara(updates=[update("Seen.")])
    decision = strange.receives(later, subject=f"Re: {SECOND}", after=timedelta(days=2))
    assert {entry.alert for entry in decision.entries} == {FIRST}


# ------------------------------------------------------------------ settled without an answer

OPENED = Entry(Happened.OPENED, FIRST, MONDAY, "<1@mail.example>")


def about(code: str, *candidates: str, mail: int = 1) -> Question:
    return Question(code, "?", f"<{mail}@mail.example>", candidates or (FIRST,))


@pytest.mark.parametrize(
    ("asked", "happened", "by_mail", "by_person"),
    [
        (about("no_form"), Happened.CONFIRMED, Answer.DONE, Answer.NEW),
        (about("form_behind_link"), Happened.CONFIRMED, Answer.DONE, Answer.NEW),
        (about("unreadable"), Happened.CONFIRMED, Answer.DONE, Answer.NEW),
        (about("protected_mail"), Happened.CONFIRMED, Answer.DONE, Answer.NEW),
        (about("no_form"), Happened.NOT_AN_ALERT, Answer.DONE, Answer.NOT),
        (about("no_form"), Happened.CONCLUDED, Answer.DONE, Answer.DONE),
        # a form from inside does not make a stranger's mail genuine; a person does
        (about("external_sender"), Happened.CONFIRMED, None, Answer.NEW),
        (about("name_mismatch"), Happened.NOT_AN_ALERT, None, Answer.NOT),
        # what is to be put right stays to be put right when the matter has ended
        (about("date_invalid"), Happened.CONCLUDED, None, None),
        # of another mail, of other alerts, too
        (about("unreadable", mail=2), Happened.CONFIRMED, None, None),
        (about("which_alert", FIRST, SECOND), Happened.CONFIRMED, None, None),
        (about("no_form", SECOND), Happened.CONFIRMED, None, None),
        # whether this one was announced by that one, or that one by this
        (about("announced", FIRST, SECOND, mail=2), Happened.NOT_AN_ALERT, None, Answer.DONE),
        (about("announced", SECOND, mail=2), Happened.NOT_AN_ALERT, None, None),
    ],
)
def test_what_settles_a_question(
    asked: Question, happened: Happened, by_mail: Answer | None, by_person: Answer | None
) -> None:
    told = Entry(happened, FIRST, MONDAY, "<9@mail.example>")

    assert settled(asked, told, OPENED, by_person=False) is by_mail
    assert settled(asked, told, OPENED, by_person=True) is by_person


def test_the_mail_that_is_asked_about_settles_nothing_about_itself() -> None:
    told = Entry(Happened.CONFIRMED, FIRST, MONDAY, OPENED.source)

    assert settled(about("no_form"), told, OPENED, by_person=False) is None


def test_of_two_alerts_made_one_what_was_asked_about_the_one_that_goes_on_stays_asked() -> None:
    ends = Entry(Happened.MERGED, FIRST, MONDAY, "register", {"into": SECOND})
    goes_on = Entry(Happened.MERGED, FIRST, MONDAY, "register", {"from": SECOND})

    assert settled(about("no_form"), ends, OPENED, by_person=True) is Answer.DONE
    assert settled(about("no_form"), goes_on, OPENED, by_person=True) is None
