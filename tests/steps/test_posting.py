"""Posting: each letter goes out once, whatever happens on the way."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from agent.audit import audit
from agent.chasing import chasing
from agent.errors import LedgerRefuses, NeedsAPerson, NotAllowed, NotFound, OutcomeUnknown, TryAgainLater
from agent.intake import intake
from agent.ledger.base import Letter, LetterState, Page
from agent.mailbox.base import Copy, OutgoingLetter
from agent.posting import posting
from agent.procedure.entry import Entry
from agent.procedure.people import Person
from agent.procedure.words import Happened
from agent.verbs.pausing import let_go
from agent.weekly_digest import weekly_digest
from tests.builders import AUTHOR, SQAS, at, later
from tests.steps.small_office import Office, Trouble

DUE = later(days=7)
TESTER = "tester@trust.example"
UNKNOWN = OutcomeUnknown("504, and it may have been carried out")
REFUSED = TryAgainLater("429")


@pytest.fixture
def office() -> Office:
    """One alert has gone quiet and its chase lies in the tray; the digests of the week are long out."""
    office = Office()
    office.opens_alert()
    weekly_digest(office.desk, DUE)
    posting(office.desk, DUE)
    assert chasing(office.desk, DUE) == 1
    return office


def chase_of(office: Office) -> Letter:
    return next(letter for letter in reversed(office.letters()) if letter.kind == "chase")


def after(minutes: float) -> datetime:
    return DUE + timedelta(minutes=minutes)


def test_a_letter_goes_from_the_tray_to_sent_items_and_is_told_of_in_the_ledger(office: Office) -> None:
    office.mailbox.now = after(1)
    assert posting(office.desk, after(1)) == 1

    letter, (sent,) = chase_of(office), office.chases()
    assert (sent.to, sent.key, sent.subject) == (AUTHOR, letter.key, letter.subject)
    assert (letter.state, letter.sends) == (LetterState.POSTED, 1)
    assert letter.internet_message_id
    told = office.entries()[-1]
    assert (told.happened, told.at, told.source) == (Happened.CHASED, after(1), letter.key)
    assert posting(office.desk, after(2)) == 0


@pytest.mark.parametrize("applied", [True, False])
def test_a_draft_whose_answer_was_lost_is_found_by_its_key(office: Office, applied: bool) -> None:
    """Adopted when it is there, made when it is not; never two."""
    office.mailbox.drafting.append(Trouble(UNKNOWN, applied=applied))
    with pytest.raises(OutcomeUnknown):
        posting(office.desk, DUE)
    assert posting(office.desk, after(2)) == 1

    assert (
        len([one for one in office.mailbox.letters.values() if one.letter.key == chase_of(office).key]) == 1
    )


def test_a_sent_copy_that_nobody_knew_of_is_taken_as_posted(office: Office) -> None:
    """The agent died after sending: found in Sent Items, with the time at which it really went."""
    letter = chase_of(office)
    copy = office.mailbox.draft(
        OutgoingLetter(letter.key, letter.to, letter.subject, letter.text, letter.html)
    )
    office.mailbox.now = after(1)
    office.mailbox.send(copy.mail_id)

    assert posting(office.desk, after(30)) == 1
    assert len(office.chases()) == 1
    assert office.entries()[-1].at == after(1)


def test_a_send_of_unknown_outcome_that_went_through_is_never_repeated(office: Office) -> None:
    office.mailbox.sending.append(Trouble(UNKNOWN, applied=True))
    assert posting(office.desk, DUE) == 0
    assert chase_of(office).state is LetterState.SENDING
    assert posting(office.desk, after(2)) == 1

    assert len(office.chases()) == 1
    assert chase_of(office).sends == 1


def test_a_send_of_unknown_outcome_is_left_to_settle_before_the_same_draft_is_sent_again(
    office: Office,
) -> None:
    office.mailbox.sending.append(Trouble(UNKNOWN, applied=False))
    assert posting(office.desk, DUE) == 0
    for minutes in (2, 4, 9.9):
        assert posting(office.desk, after(minutes)) == 0
    assert office.chases() == []

    assert posting(office.desk, after(10)) == 1
    copies = [one for one in office.mailbox.letters.values() if one.letter.key == chase_of(office).key]
    assert (len(office.chases()), len(copies), chase_of(office).sends) == (1, 1, 2)


def test_each_doubtful_send_is_left_to_settle_anew(office: Office) -> None:
    office.mailbox.sending += [Trouble(UNKNOWN, applied=False), Trouble(UNKNOWN, applied=True)]
    posted = [posting(office.desk, after(minutes)) for minutes in (0, 10, 12)]

    assert posted == [0, 0, 1]
    assert len(office.chases()) == 1


def test_a_letter_that_left_drafts_and_shows_no_copy_counts_as_posted(office: Office) -> None:
    """Somebody empties Sent Items, perhaps. To send it again would be worse; the log says so."""
    office.mailbox.sending.append(Trouble(UNKNOWN, applied=True))
    posting(office.desk, DUE)
    _forget(office, chase_of(office).key)

    assert posting(office.desk, after(5)) == 0
    with capture_logs() as logged:
        assert posting(office.desk, after(10)) == 1
    assert chase_of(office).state is LetterState.POSTED
    assert "posting.no_copy_in_sent_items" in [event["event"] for event in logged]
    assert posting(office.desk, after(20)) == 0


def test_a_draft_that_vanishes_as_it_is_sent_may_well_have_gone(office: Office) -> None:
    office.mailbox.sending.append(Trouble(NotFound("404"), applied=True))
    assert posting(office.desk, DUE) == 0
    assert chase_of(office).state is LetterState.SENDING

    assert posting(office.desk, after(2)) == 1
    assert len(office.chases()) == 1


def test_an_agent_that_slept_over_a_draft_leaves_it_to_who_sends_it_meanwhile(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = office.mailbox.draft

    def draft_and_sleep(letter: OutgoingLetter) -> Copy:
        made = draft(letter)
        office.mailbox.sending.append(Trouble(UNKNOWN, applied=False))
        posting(office.desk, after(1))  # the other agent
        return made

    monkeypatch.setattr(office.mailbox, "draft", draft_and_sleep)
    assert posting(office.desk, DUE) == 0
    assert (office.chases(), chase_of(office).sends) == ([], 1)


def _forget(office: Office, key: str) -> None:
    letters = office.mailbox.letters
    for mail_id in [mail_id for mail_id, kept in letters.items() if kept.letter.key == key]:
        del letters[mail_id]


def test_a_send_that_was_certainly_refused_stays_a_draft_and_goes_in_the_next_round(office: Office) -> None:
    office.mailbox.sending.append(Trouble(REFUSED, applied=False))
    with pytest.raises(TryAgainLater):
        posting(office.desk, DUE)
    assert chase_of(office).state is LetterState.DRAFTED

    assert posting(office.desk, after(2)) == 1
    assert len(office.chases()) == 1


def test_a_draft_that_people_threw_away_is_made_again_once_it_is_sure_that_it_never_went(
    office: Office,
) -> None:
    office.mailbox.sending.append(Trouble(REFUSED, applied=False))
    with pytest.raises(TryAgainLater):
        posting(office.desk, DUE)
    _forget(office, chase_of(office).key)

    assert posting(office.desk, after(2)) == 0
    assert posting(office.desk, after(12)) == 1
    assert len(office.chases()) == 1


def test_a_refused_letter_whose_draft_is_gone_is_never_written_a_second_time(office: Office) -> None:
    """Exchange has been seen to answer "too many requests" and yet to deliver, the copy coming late."""
    office.mailbox.sending = [Trouble(REFUSED, applied=True)]
    with pytest.raises(TryAgainLater):
        posting(office.desk, after(1))
    late = dict(office.mailbox.letters)
    office.mailbox.letters.clear()

    assert posting(office.desk, after(3)) == 0
    assert office.mailbox.letters == {}
    office.mailbox.letters.update(late)
    assert posting(office.desk, after(5)) == 1
    assert len(office.chases()) == 1
    assert chase_of(office).state is LetterState.POSTED


def test_a_refused_chase_that_news_overtakes_is_not_sent_after_all(office: Office) -> None:
    office.mailbox.sending.append(Trouble(REFUSED, applied=False))
    with pytest.raises(TryAgainLater):
        posting(office.desk, DUE)
    office.hears_of("SLA-2026-0001", after(5))

    assert office.chases() == []
    assert chase_of(office).state is LetterState.WITHDRAWN


def test_a_doubtful_chase_that_never_left_is_not_sent_again_once_the_matter_is_concluded(
    office: Office,
) -> None:
    """Nobody is chased after conclusion, not even by the second try of an old letter."""
    office.mailbox.sending.append(Trouble(UNKNOWN, applied=False))
    posting(office.desk, DUE)
    office.types("SLA-2026-0001", status="Concluded")
    office.works(after(30))

    assert office.chases() == []
    assert chase_of(office).state is LetterState.WITHDRAWN


def test_a_doubtful_chase_that_never_left_is_not_sent_again_at_night(office: Office) -> None:
    evening = at("2026-03-09 16:59")
    office.mailbox.sending.append(Trouble(UNKNOWN, applied=False))
    posting(office.desk, evening)
    assert posting(office.desk, at("2026-03-09 22:00")) == 0
    assert office.chases() == []

    assert posting(office.desk, at("2026-03-10 09:00")) == 1


def test_a_chase_waits_for_office_hours(office: Office) -> None:
    assert posting(office.desk, at("2026-03-09 17:00")) == 0
    assert chase_of(office).state is LetterState.IN_TRAY
    assert posting(office.desk, at("2026-03-10 09:00")) == 1


def test_a_chase_that_found_its_copy_after_the_reply_does_not_count_as_unanswered(office: Office) -> None:
    """It was sent, its answer was lost, the author replied at once; then its copy was found."""
    office.mailbox.sending.append(Trouble(UNKNOWN, applied=True))
    office.mailbox.now = DUE
    posting(office.desk, DUE)
    office.hears_of("SLA-2026-0001", after(5))

    alert = office.alert("SLA-2026-0001")
    assert alert.chases == ()
    assert alert.chases_ever == 1


def test_a_chase_is_not_sent_to_somebody_whom_it_no_longer_concerns(office: Office) -> None:
    """The author's mailbox is gone, so the prompt now goes to who stands in; the old letter does not go."""
    bounced = Entry(
        Happened.BOUNCED, "SLA-2026-0001", DUE, "<bounce@trust.example>", content={"address": AUTHOR}
    )
    with office.ledger.page() as page:
        page.record(bounced)
    office.works(after(2))
    office.works(after(4))

    assert [chase.to for chase in office.chases()] == [SQAS.address]


def test_one_letter_that_cannot_be_posted_is_held_and_the_others_go_on() -> None:
    """Graph takes no such recipient, say; a person sees it as held, and nobody else waits for it."""
    office = Office()
    weekly_digest(office.desk, at("2026-03-02 08:00"))
    office.mailbox.drafting.append(Trouble(NeedsAPerson("400 ErrorInvalidRecipients"), applied=False))

    assert posting(office.desk, at("2026-03-02 08:02")) == 1
    assert [letter.state for letter in office.letters()] == [LetterState.HELD, LetterState.POSTED]
    assert posting(office.desk, at("2026-03-02 08:04")) == 0


def test_a_missing_permission_holds_no_letter_but_ends_the_round() -> None:
    office = Office()
    weekly_digest(office.desk, at("2026-03-02 08:00"))
    office.mailbox.sending.append(Trouble(NotAllowed("403: the app needs Mail.Send"), applied=False))

    with pytest.raises(NotAllowed):
        posting(office.desk, at("2026-03-02 08:02"))
    assert LetterState.HELD not in {letter.state for letter in office.letters()}
    office.works(at("2026-03-02 08:30"))
    assert len(office.mailbox.sent) == 2


CHILDREN = ("Robin Fairweather", "Sasha Millbrook", "Noor Eastleigh", "Wren Ashdown", "Kit Hollis")


def office_with_five_chases(per_hour: int = 60, **limits: int) -> Office:
    office = Office(letters_per_hour=per_hour, **limits)
    for number, child in enumerate(CHILDREN):
        office.opens_alert(child=child, sender=f"author{number}@trust.example", author=f"Author {number}")
    assert chasing(office.desk, at("2026-03-09 10:00")) == 5
    return office


def test_a_ledger_on_a_full_disk_holds_no_letter_but_ends_the_round(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be room again a moment later: then no letter may stand as refused that nobody refused."""
    page, full = office.ledger.page, [True]

    def no_room() -> AbstractContextManager[Page]:
        if full:
            full.clear()
            raise LedgerRefuses("The ledger cannot grow: the disk is full.")
        return page()

    monkeypatch.setattr(office.ledger, "page", no_room)
    with pytest.raises(LedgerRefuses):
        posting(office.desk, after(1))
    assert chase_of(office).state is not LetterState.HELD

    posting(office.desk, after(2))
    assert len(office.chases()) == 1


def test_the_ceiling_spreads_a_flood_over_the_hours() -> None:
    office = office_with_five_chases(per_hour=2)
    posted = [posting(office.desk, at(f"2026-03-09 {time}")) for time in ("10:00", "10:30", "11:01", "12:02")]

    assert posted == [2, 0, 2, 1]


def test_letters_of_unknown_outcome_count_towards_the_ceiling() -> None:
    """A failing network must not turn the ceiling off: they may all have gone."""
    office = office_with_five_chases(per_hour=2)
    office.mailbox.sending += [Trouble(UNKNOWN, applied=True)] * 5
    posting(office.desk, at("2026-03-09 10:00"))
    assert len(office.chases()) == 2

    office.mailbox.sending.clear()
    assert posting(office.desk, at("2026-03-09 10:02")) == 2  # found, not sent
    assert len(office.chases()) == 2


def test_a_letter_in_doubt_takes_no_place_in_the_hour_in_which_it_is_found() -> None:
    office = office_with_five_chases(per_hour=2)
    office.mailbox.sending.append(Trouble(UNKNOWN, applied=True))
    posting(office.desk, at("2026-03-09 10:00"))

    assert posting(office.desk, at("2026-03-09 11:01")) == 3
    assert len(office.chases()) == 4


def test_a_round_that_meets_trouble_again_and_again_is_given_up() -> None:
    """Each of a hundred letters would wait for the answer of a mailbox that gives none."""
    office = office_with_five_chases()
    office.mailbox.sending += [Trouble(REFUSED, applied=False)] * 5
    with pytest.raises(TryAgainLater):
        posting(office.desk, at("2026-03-09 10:00"))
    assert len(office.mailbox.sending) == 2


def test_a_full_hour_does_not_keep_doubts_from_being_settled() -> None:
    office = office_with_five_chases(per_hour=1)
    office.mailbox.sending.append(Trouble(UNKNOWN, applied=True))
    posting(office.desk, at("2026-03-09 10:00"))
    posting(office.desk, at("2026-03-09 10:02"))

    states = Counter(letter.state for letter in office.letters() if letter.kind == "chase")
    assert states == {LetterState.POSTED: 1, LetterState.IN_TRAY: 4}


def test_watching_posts_nothing_that_lies_in_the_tray(office: Office) -> None:
    assert posting(office.in_mode("watch"), DUE) == 0
    assert office.chases() == []


def test_in_rehearsal_every_letter_goes_to_one_address(office: Office) -> None:
    assert posting(office.in_mode("rehearse", TESTER), DUE) == 1
    rehearsed = [letter for letter in office.mailbox.sent if letter.key.endswith("-rehearsal")]
    assert [letter.to for letter in rehearsed] == [TESTER]
    assert chase_of(office).to == AUTHOR


def test_a_draft_made_in_earnest_is_not_sent_by_a_rehearsal_nor_the_other_way_round(office: Office) -> None:
    """Somebody stops the agent in haste, switches to rehearsal and starts it again."""
    office.mailbox.sending.append(Trouble(REFUSED, applied=False))
    with pytest.raises(TryAgainLater):
        posting(office.desk, DUE)
    office.mailbox.sending.append(Trouble(REFUSED, applied=False))
    with pytest.raises(TryAgainLater):
        posting(office.in_mode("rehearse", TESTER), after(12))
    assert office.chases() == []

    posting(office.in_mode("rehearse", TESTER), after(24))
    assert [letter.to for letter in office.mailbox.sent if letter.key.endswith("-rehearsal")] == [TESTER]
    assert office.chases() == []


def test_when_told_to_stop_no_further_letter_goes(office: Office) -> None:
    office.desk.stop.set()
    assert posting(office.desk, DUE) == 0
    office.desk.stop.clear()
    assert posting(office.desk, after(2)) == 1


def test_a_letter_about_the_whole_desk_is_told_of_no_alert(office: Office) -> None:
    before = len(office.entries())
    weekly_digest(office.desk, at("2026-03-16 08:00"))

    assert posting(office.desk, at("2026-03-16 08:02")) == 2
    assert len(office.entries()) == before


# --- letters at rest


def rest(office: Office, now: datetime, happened: Happened = Happened.PAUSED) -> None:
    with office.ledger.page() as page:
        page.record(Entry(happened, None, now, "command"))


def test_while_the_letters_rest_none_goes_out_and_what_news_overtakes_is_withdrawn(office: Office) -> None:
    rest(office, DUE)
    assert posting(office.desk, after(1)) == 0
    assert chase_of(office).state is LetterState.IN_TRAY

    office.hears_of("SLA-2026-0001", after(2))
    assert chase_of(office).state is LetterState.WITHDRAWN


def test_let_go_again_the_letter_goes_as_it_was_written(office: Office) -> None:
    rest(office, DUE)
    posting(office.desk, after(1))
    rest(office, after(2), Happened.RESUMED)

    assert posting(office.desk, after(3)) == 1
    assert [letter.key for letter in office.chases()] == [chase_of(office).key]


def test_a_letter_in_doubt_is_still_looked_for_while_letters_rest_but_not_sent_again(office: Office) -> None:
    office.mailbox.sending.append(Trouble(UNKNOWN, applied=False))
    posting(office.desk, DUE)
    rest(office, after(1))
    assert posting(office.desk, after(30)) == 0
    assert (chase_of(office).state, office.chases()) == (LetterState.DRAFTED, [])

    rest(office, after(31), Happened.RESUMED)
    assert posting(office.desk, after(32)) == 1
    assert len(office.chases()) == 1


def test_unusually_many_letters_at_once_stop_the_desk_and_ask() -> None:
    """A mistake of ours, or a storm of mail: a person looks before anybody is written to."""
    office = office_with_five_chases(letters_at_once=4)
    assert posting(office.desk, at("2026-03-09 10:00")) == 0
    assert office.ledger.pause().too_many
    assert "too_many_letters" in office.asked()
    assert posting(office.desk, at("2026-03-09 10:05")) == 0

    rest(office, at("2026-03-09 10:06"), Happened.RESUMED)
    assert posting(office.desk, at("2026-03-09 10:07")) == 5
    assert office.ledger.pause().since is None


def urgent_beside_five_chases(**limits: int) -> Office:
    """A mail that may hide an alert came in beside five chases that are due."""
    office = office_with_five_chases(**limits)
    duty = Person("Orla Finch", "orla.finch@trust.example", ("duty",))
    people = replace(office.desk.people, people=(*office.desk.people.people, duty))
    office.desk = replace(office.desk, people=people)
    office.receives("Senior Leadership Alert", ("SLA.docx", b"PK broken"), at=at("2026-03-09 10:01"))
    intake(office.desk, at("2026-03-09 10:01"))
    assert chasing(office.desk, at("2026-03-09 10:01")) == 1
    return office


def test_what_may_not_wait_goes_though_the_agent_stopped_by_itself() -> None:
    office = urgent_beside_five_chases(letters_at_once=4)

    assert posting(office.desk, at("2026-03-09 10:02")) == 1
    assert office.ledger.pause().too_many
    assert [letter.kind for letter in office.letters(LetterState.POSTED)][-1] == "urgent_question"


def test_unless_it_is_the_storm_itself() -> None:
    office = urgent_beside_five_chases(letters_at_once=0)

    assert posting(office.desk, at("2026-03-09 10:02")) == 0


def test_at_a_persons_word_even_what_may_not_wait_rests_and_is_told_of() -> None:
    office = urgent_beside_five_chases()
    rest(office, at("2026-03-09 10:02"))
    with capture_logs() as log:
        assert posting(office.desk, at("2026-03-09 10:03")) == 0

    assert {"event": "posting.urgent_rests", "log_level": "warning", "desk": "nct", "waiting": 1} in log
    assert list(audit(office.desk, at("2026-03-09 10:03"))) == [
        "1 letters that may not wait are held back, as the desk's letters rest."
    ]


def test_letting_them_go_closes_the_question_for_good() -> None:
    office = office_with_five_chases(letters_at_once=4)
    posting(office.desk, at("2026-03-09 10:00"))
    let_go(office.ledger, at("2026-03-09 10:06"))
    office.works(at("2026-03-09 10:07"))

    assert len(office.chases()) == 5
    assert "too_many_letters" not in office.asked()


def test_no_more_letters_go_in_a_day_than_the_ceiling_allows() -> None:
    office = office_with_five_chases(letters_per_day=3)
    posted = [posting(office.desk, at(f"2026-03-09 {hour}:00")) for hour in (10, 12, 14)]

    assert posted == [3, 0, 0]
