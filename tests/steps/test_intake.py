"""Intake: what becomes of the mails of a day, in good order and in bad luck."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest

from agent.errors import AgentError, NeedsAPerson, NotAllowed, NotFound, Stopping, TryAgainLater
from agent.forms.mail import read_mail
from agent.intake import AT_ONCE, ENOUGH, LOOK_AHEAD, ahead, intake, notice, reconcile
from agent.ledger.base import Page
from agent.mailbox.base import ChangedMail, ChangedPage
from agent.procedure.mail import Mail, letter_mark
from agent.procedure.words import Happened, Place
from tests.builders import AUTHOR, AVA, MONDAY, alert_form, later, update_form
from tests.steps.small_office import SUBJECT, Office


def test_mails_are_decided_in_the_order_received_though_read_in_parallel() -> None:
    """The first mail takes longest to fetch; its alert has the first reference all the same."""
    office = Office()
    children = ["Robin Fairweather", "Sasha Millbrook", "Noor Eastleigh"]
    ids = [office.receives_alert(later(hours=n), child=child) for n, child in enumerate(children)]
    others_fetched = threading.Barrier(3, timeout=10)
    office.mailbox.before_mime = lambda mail_id: _last(mail_id == ids[0], others_fetched)

    intake(office.desk, later(hours=4))

    alerts = sorted(office.ledger.alerts().items())
    assert [alert.children[0].name for _, alert in alerts] == children
    assert [mail.mail_id for mail in office.ledger.mails()] == ids


def _last(first: bool, others_fetched: threading.Barrier) -> None:
    """Each waits for all, so that the fetches surely overlap; then the first one dawdles."""
    others_fetched.wait()
    if first:
        threading.Event().wait(0.05)


def test_an_update_received_after_its_alert_in_one_batch_finds_it() -> None:
    office = Office()
    office.receives_alert(MONDAY)
    office.receives(f"{SUBJECT} - update", ("SLA.docx", update_form()), at=later(hours=2))

    assert intake(office.desk, later(hours=3)) == 2
    assert office.happened() == [Happened.OPENED, Happened.UPDATED]


def test_results_come_in_order_and_never_more_than_the_look_ahead_are_under_way() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return item * 2

    with ThreadPoolExecutor(3) as pool:
        results = []
        for item, future in ahead(pool, work, range(50)):
            results.append((item, future.result()))
            assert max(begun) < item + LOOK_AHEAD

    assert results == [(item, item * 2) for item in range(50)]


def test_an_odd_mail_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks on it: the others are decided, and it becomes a question after some tries."""
    office = Office(tries=3)
    odd = office.receives_alert(MONDAY)
    office.receives_alert(later(hours=1), child="Sasha Millbrook")
    _breaks_on(monkeypatch, office, odd)

    assert intake(office.desk, later(hours=2)) == 1
    assert [alert.children[0].name for alert in office.ledger.alerts().values()] == ["Sasha Millbrook"]
    assert [(mail.mail_id, mail.tries) for mail in office.ledger.waiting()] == [(odd, 1)]

    intake(office.desk, later(hours=3))
    assert office.asked() == []

    intake(office.desk, later(hours=4))
    assert office.asked() == ["cannot_be_read"]
    assert office.ledger.waiting() == []
    assert office.mailbox.mails[odd].folder == office.desk.folder(Place.QUESTIONS)


def _breaks_on(monkeypatch: pytest.MonkeyPatch, office: Office, mail_id: str) -> None:
    """Reading the MIME of one mail fails with a mistake of ours."""
    odd = office.mailbox.mails[mail_id].mime

    def read(mime: bytes, received_at: datetime) -> Mail:
        if mime == odd:
            raise IndexError("a piece of the mail")
        return read_mail(mime, received_at)

    monkeypatch.setattr("agent.arrival.read_mail", read)


def test_a_mail_that_alone_cannot_be_fetched_becomes_a_question_in_the_end() -> None:
    """Exchange answers 500 for a few damaged mails, for ever. Order is kept while there is hope."""
    office = Office(tries=3)
    damaged = office.receives_alert(MONDAY)
    office.receives_alert(later(hours=1), child="Sasha Millbrook")
    office.mailbox.before_mime = lambda mail_id: _refuse(mail_id == damaged)

    for hour in (2, 3, 4):
        with pytest.raises(TryAgainLater):
            intake(office.desk, later(hours=hour))
        assert office.ledger.alerts() == {}
    assert office.asked() == ["cannot_be_read"]

    intake(office.desk, later(hours=5))
    assert len(office.ledger.alerts()) == 1
    assert office.mailbox.mails[damaged].folder == office.desk.folder(Place.QUESTIONS)


@pytest.mark.parametrize(
    "trouble", [TryAgainLater("down"), Stopping("stopping"), NotAllowed("no permission")]
)
def test_while_no_mail_can_be_fetched_nothing_is_counted_against_any(trouble: Exception) -> None:
    """An outage of an evening must not turn alerts into questions."""
    office = Office(tries=1)
    for hour, child in enumerate(["Robin Fairweather", "Sasha Millbrook", "Noor Eastleigh"]):
        office.receives_alert(later(hours=hour), child=child)
    office.mailbox.before_mime = lambda mail_id: _refuse(True, trouble)

    for hour in range(3, 6):
        with pytest.raises(type(trouble)):
            intake(office.desk, later(hours=hour))

    assert [mail.tries for mail in office.ledger.waiting()] == [0, 0, 0]
    office.mailbox.before_mime = lambda mail_id: None
    assert intake(office.desk, later(hours=6)) == 3


def test_an_agent_that_is_being_stopped_counts_nothing_against_the_mail_at_hand() -> None:
    """Others that were asked for before it came through."""
    office = Office(tries=1)
    cut_off = office.receives_alert(MONDAY)
    office.receives_alert(later(hours=1), child="Sasha Millbrook")
    office.mailbox.before_mime = lambda mail_id: _refuse(mail_id == cut_off, Stopping("stopping"))

    with pytest.raises(Stopping):
        intake(office.desk, later(hours=2))

    assert [mail.tries for mail in office.ledger.waiting()] == [0, 0]
    assert office.asked() == []


def test_trouble_of_the_ledgers_own_is_not_counted_against_the_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(tries=1)
    office.receives_alert(MONDAY)
    notice(office.desk, MONDAY)
    page, troubles = office.ledger.page, [TryAgainLater("locked")]

    def once() -> AbstractContextManager[Page]:
        if troubles:
            raise troubles.pop()
        return page()

    monkeypatch.setattr(office.ledger, "page", once)
    with pytest.raises(TryAgainLater):
        intake(office.desk, later(hours=1))

    assert [mail.tries for mail in office.ledger.waiting()] == [0]
    assert intake(office.desk, later(hours=2)) == 1
    assert office.asked() == []


def _until(so: Callable[[], bool]) -> None:
    """Wait for something that another thread does; fails when it does not."""
    for _ in range(1000):
        if so():
            return
        threading.Event().wait(0.01)
    pytest.fail("It never came to be so.")


def _refuse(refused: bool, trouble: Exception | None = None) -> None:
    if refused:
        raise trouble or TryAgainLater("500")


def test_the_same_mail_delivered_twice_opens_one_alert() -> None:
    """By its Internet-Message-ID and content; the second copy is set aside under the first one's marks."""
    office = Office()
    office.receives_alert(MONDAY, number=7)
    again = office.receives_alert(later(hours=1), number=7)

    office.works(later(hours=2))

    assert office.happened() == [Happened.OPENED]
    assert office.asked() == []
    assert office.mailbox.mails[again].folder == office.desk.folder(Place.SET_ASIDE)
    assert "SLA-2026-0001" in office.mailbox.mails[again].categories


def test_the_same_id_with_other_content_is_a_question() -> None:
    """Somebody's program reuses ids, or somebody forges them: nobody guesses which mail is meant."""
    office = Office()
    office.receives_alert(MONDAY, number=7)
    other = office.receives_alert(later(hours=1), child="Sasha Millbrook", number=7)

    office.works(later(hours=2))

    assert len(office.ledger.alerts()) == 1
    assert office.asked() == ["same_id_other_content"]
    assert office.mailbox.mails[other].folder == office.desk.folder(Place.QUESTIONS)


def test_a_forgotten_cursor_means_a_full_round_in_which_nothing_is_doubled() -> None:
    office = Office()
    office.opens_alert(MONDAY)
    before = office.ledger.cursor("inbox")
    office.mailbox.forget_cursors()
    missed = office.receives_alert(later(hours=1), child="Sasha Millbrook")

    assert intake(office.desk, later(hours=2)) == 1
    assert office.ledger.mails()[-1].mail_id == missed
    assert office.ledger.cursor("inbox") != before
    assert intake(office.desk, later(hours=3)) == 0


def test_a_mail_that_was_moved_away_and_back_is_found_by_the_nightly_listing() -> None:
    """Such a move can hide a mail from the changes; what lies in the inbox proves it."""
    office = Office()
    notice(office.desk, MONDAY)
    hidden = office.receives_alert(later(hours=1))
    office.mailbox.changes = lambda cursor: iter(())  # type: ignore[method-assign]  # nothing is told of it

    assert intake(office.desk, later(hours=2)) == 0
    assert reconcile(office.desk, later(hours=3)) == 1
    assert reconcile(office.desk, later(hours=3)) == 0
    assert intake(office.desk, later(hours=4)) == 1
    assert [mail.mail_id for mail in office.ledger.mails()] == [hidden]


def test_a_mail_is_filed_once_and_then_left_to_people() -> None:
    """Somebody moves a filed mail back to the inbox, or elsewhere: that is their business."""
    office = Office()
    mail_id = office.receives_alert(MONDAY)
    office.works(MONDAY)
    office.mailbox.file(mail_id, ("Inbox",), ["Mine"])
    office.works(later(hours=1))
    reconcile(office.desk, later(hours=2))
    office.works(later(hours=2))

    assert office.mailbox.mails[mail_id].folder == ("Inbox",)
    assert office.mailbox.filed.count(mail_id) == 2  # ours, and theirs
    assert len(office.ledger.alerts()) == 1


def test_the_mail_shows_what_became_of_it() -> None:
    """Its folder and its categories: a reference and a state, never a name."""
    office = Office()
    mail_id = office.receives_alert(MONDAY)
    office.works(MONDAY)

    filed = office.mailbox.mails[mail_id]
    assert filed.folder == office.desk.folder(Place.ALERTS)
    assert filed.categories == ["SLA-2026-0001", "Opened"]


@pytest.mark.parametrize("trouble", [TryAgainLater("409"), NeedsAPerson("refused")])
def test_a_mail_that_cannot_be_filed_does_not_hold_up_the_filing_of_others(trouble: AgentError) -> None:
    office = Office()
    stuck = office.receives_alert(MONDAY)
    other = office.receives_alert(later(hours=1), child="Sasha Millbrook")
    office.mailbox.filing[stuck] = trouble

    with pytest.raises(type(trouble)):
        intake(office.desk, later(hours=2))
    assert [mail.mail_id for mail in office.ledger.to_file()] == [stuck]
    assert office.mailbox.mails[other].folder == office.desk.folder(Place.ALERTS)

    office.mailbox.filing.clear()
    intake(office.desk, later(hours=3))
    assert office.ledger.to_file() == []


@pytest.mark.parametrize("trouble", [TryAgainLater("409"), NotAllowed("no permission")])
def test_when_nothing_can_be_filed_it_is_not_tried_on_every_mail(trouble: AgentError) -> None:
    office = Office()
    for hour in range(2 * (ENOUGH + AT_ONCE)):
        office.receives("Lunch menu", at=later(hours=hour))
    for mail_id in office.mailbox.mails:
        office.mailbox.filing[mail_id] = trouble

    with pytest.raises(type(trouble)):
        intake(office.desk, later(1))

    assert ENOUGH <= office.mailbox.tried_to_file < ENOUGH + AT_ONCE
    assert office.ledger.waiting() == []  # reading them went on all the same


def test_a_mail_is_filed_while_later_ones_are_still_being_read() -> None:
    office = Office()
    first = office.receives_alert(MONDAY)
    slow = office.receives_alert(later(hours=1), child="Sasha Millbrook")
    office.mailbox.before_mime = lambda mail_id: _until(
        lambda: mail_id != slow or first in office.mailbox.filed
    )

    assert intake(office.desk, later(hours=2)) == 2
    assert office.mailbox.filed == [first, slow]
    assert office.ledger.to_file() == []


def test_what_was_decided_before_the_mailbox_failed_is_filed() -> None:
    office = Office()
    decided = office.receives_alert(MONDAY)
    office.receives_alert(later(hours=1), child="Sasha Millbrook")
    office.mailbox.before_mime = lambda mail_id: _refuse(mail_id != decided)

    with pytest.raises(TryAgainLater):
        intake(office.desk, later(hours=2))

    assert office.mailbox.filed == [decided]
    assert office.ledger.to_file() == []


def test_when_the_agent_dies_filing_what_was_decided_is_filed_next_time() -> None:
    class Killed(BaseException):
        """The process ends here."""

    office = Office()
    ids = [office.receives("Lunch menu", at=later(hours=hour)) for hour in range(3)]
    office.mailbox.filing[ids[1]] = Killed()
    with pytest.raises(Killed):
        intake(office.desk, later(hours=4))
    assert ids[1] in [mail.mail_id for mail in office.ledger.to_file()]

    office.mailbox.filing.clear()
    intake(office.desk, later(hours=5))
    assert office.ledger.to_file() == []
    assert {office.mailbox.mails[one].folder for one in ids} == {office.desk.folder(Place.SET_ASIDE)}


def test_mails_that_people_take_away_stop_nothing() -> None:
    """Deleted before it was read, or between decision and filing."""
    office = Office()
    deleted = office.receives_alert(MONDAY)
    office.receives_alert(later(hours=1), child="Sasha Millbrook")
    notice(office.desk, later(hours=1))
    office.mailbox.delete(deleted)

    assert intake(office.desk, later(hours=2)) == 2
    assert [mail.outcome for mail in office.ledger.mails()] == ["gone", "opened"]
    assert office.ledger.to_file() == []

    taken = office.receives("Lunch menu", at=later(hours=3))
    office.mailbox.filing[taken] = NotFound("it was deleted")
    assert intake(office.desk, later(hours=3)) == 1
    assert office.ledger.to_file() == []


def test_a_mail_that_somebody_moved_away_unseen_is_left_where_they_put_it() -> None:
    """Of one that came and went between two looks, Exchange tells only that it is no longer there."""
    office = Office()
    moved = office.receives_alert(MONDAY)
    office.mailbox.file(moved, ("Casey",), ())
    gone = ChangedPage((ChangedMail(moved, MONDAY, removed=True),), "1:1", last=True)
    office.mailbox.changes = lambda cursor: iter([gone])  # type: ignore[method-assign]

    assert intake(office.desk, later(hours=1)) == 0
    assert office.mailbox.mails[moved].folder == ("Casey",)


def test_when_told_to_stop_what_is_decided_is_kept_and_the_rest_waits() -> None:
    office = Office()
    for hour in range(3):
        office.receives("Lunch menu", at=later(hours=hour))
    office.mailbox.before_mime = lambda mail_id: office.desk.stop.set()

    intake(office.desk, later(hours=4))
    assert len(office.ledger.waiting()) == 3

    office.desk.stop.clear()
    office.mailbox.before_mime = lambda mail_id: None
    assert intake(office.desk, later(hours=5)) == 3


def test_a_reply_to_a_chase_is_known_by_the_letter_it_answers() -> None:
    """No reference in subject or text; the thread alone tells."""
    office = Office()
    reference = office.opens_alert(MONDAY)
    office.works(later(days=8))
    (chase,) = office.chases()
    posted = next(letter for letter in office.letters() if letter.key == chase.key)
    answer = {"In-Reply-To": str(posted.internet_message_id)}

    office.receives("Re: your mail", at=later(days=8, hours=1), text="No change.", headers=answer)
    office.works(later(days=8, hours=2))

    assert office.happened(reference)[-1] is Happened.REPLIED
    assert office.alert(reference).last_news_at == later(days=8, hours=1)


def test_of_several_letters_in_a_thread_the_last_is_answered() -> None:
    """Somebody forwarded one of ours as an answer to another."""
    office = Office()
    office.opens_alert(MONDAY)
    office.opens_alert(MONDAY, sender="femi.okoro@trust.example", child="Sasha Millbrook")
    office.works(later(days=8))
    first, last = (letter for letter in office.letters() if letter.kind == "chase")
    thread = {"References": f"{first.internet_message_id} {last.internet_message_id}"}
    office.receives("Re: your mail", at=later(8, 1), sender=AVA.address, text="Soon.", headers=thread)
    office.works(later(days=8, hours=1))

    replied = [entry.alert for entry in office.entries() if entry.happened is Happened.REPLIED]
    assert replied == [last.reasons[0].alert] != [first.reasons[0].alert]


def test_nobody_on_the_roster_is_needed_for_mail_to_be_taken_in() -> None:
    """News by a colleague of the author counts: whoever updates need not be the author."""
    office = Office()
    office.opens_alert(MONDAY)
    form = ("SLA.docx", update_form())
    office.receives(f"{SUBJECT} - update", form, at=later(days=1), sender=AVA.address)
    office.works(later(days=1))

    assert office.happened() == [Happened.OPENED, Happened.UPDATED]
    assert office.ledger.mails()[-1].received_at - MONDAY == timedelta(days=1)


# ---------------------------------------------------------------- letters of ours that are answered


def _chased_once() -> tuple[Office, str, str]:
    """An office that sent one chase, with its alert's reference and the chase's mark."""
    office = Office()
    reference = office.opens_alert(MONDAY)
    for number in range(2, 8):
        office.works(later(number))
    (letter, *_) = office.chases()
    return office, reference, letter_mark(letter.key)


@pytest.mark.parametrize(
    ("sender", "known"),
    [(AUTHOR, True), (AVA.address, True), ("pat.somebody@trust.example", False)],
)
def test_a_mail_that_quotes_a_letters_mark_answers_it_if_its_sender_may(sender: str, known: bool) -> None:
    """Ids may be lost on the way; the mark in the quoted text is not. Anybody may have been shown it."""
    office, reference, mark = _chased_once()
    quoting = f"We are on it.\n\nFrom: N2K\nSubject: update requested\n\nRef: {mark.upper()}"
    office.receives("Re: update requested", at=later(8), sender=sender, text=quoting, headers=ANSWERS)
    office.works(later(8))

    assert (office.happened(reference)[-1] is Happened.REPLIED) == known


ANSWERS = {"In-Reply-To": "<rewritten@gateway.example>"}


def test_a_form_by_somebody_who_was_shown_a_letter_is_their_own_matter() -> None:
    office, _, mark = _chased_once()
    office.receives(
        SUBJECT,
        ("SLA.docx", alert_form(child="Sasha Millbrook")),
        at=later(8),
        sender="pat.somebody@trust.example",
        text=f"Another one.\n\nFrom: N2K\nRef: {mark}",
        headers=ANSWERS,
    )
    office.works(later(8))

    assert office.happened("SLA-2026-0002") == [Happened.OPENED]
    assert office.asked() == []


def test_a_forged_report_that_names_a_reference_bars_nobody() -> None:
    office, reference, _ = _chased_once()
    office.receives(
        f"Undeliverable: {reference}",
        at=later(8),
        sender="mailer-daemon@elsewhere.example",
        text=f"Your message about {reference} to {AUTHOR} could not be delivered. User unknown.",
    )
    office.works(later(8))

    assert office.alert(reference).bounced == frozenset()
    assert office.asked() == ["bounce_unmatched"]


def test_a_report_without_an_address_means_whom_the_letter_went_to() -> None:
    office, reference, _ = _chased_once()
    letter = next(one for one in office.ledger.letters() if one.kind == "chase")
    office.receives(
        "Undeliverable: update requested",
        at=later(8),
        sender="postmaster@trust.example",
        text="Your message could not be delivered.",
        headers={"In-Reply-To": str(letter.internet_message_id)},
    )
    office.works(later(8))

    assert office.alert(reference).bounced == {AUTHOR}
