"""What every ledger promises, tried on each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from agent.errors import TryAgainLater
from agent.ledger.base import (
    DeskLedger,
    HandledMail,
    Ledger,
    Letter,
    LetterState,
    NotedMail,
    Page,
    Reason,
    Seen,
    SheetState,
)
from agent.ledger.memory import MemoryLedger
from agent.ledger.sql import SqlLedger
from agent.procedure.alert import fold
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.pause import Pause
from agent.procedure.swept import Swept
from agent.procedure.words import Happened, Json
from tests.postgres import new_database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REFERENCE = "SLA-2026-0001"

# One line more here, and every promise below is tried on another ledger.
LEDGERS: dict[str, Callable[[Path], Ledger]] = {
    "memory": lambda folder: MemoryLedger(),
    "sqlite": lambda folder: SqlLedger(f"sqlite:///{folder / 'ledger.sqlite'}"),
    "postgresql": lambda folder: SqlLedger(new_database()),
}


@pytest.fixture(params=LEDGERS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with closing(LEDGERS[request.param](tmp_path)) as opened:
        yield opened


@pytest.fixture
def desk(ledger: Ledger) -> DeskLedger:
    return ledger.desk("nct")


def minutes(count: float) -> datetime:
    return NOW + timedelta(minutes=count)


def opened(reference: str = REFERENCE, name: str = "Ada Ficton", source: str = "<form@x>") -> Entry:
    content: dict[str, Json] = {"author_address": "sw@nct.example", "children": [{"name": name}]}
    return Entry(Happened.OPENED, reference, NOW, source, {"form": "nct_sla"}, content)


def updated(reference: str = REFERENCE, at: datetime = NOW) -> Entry:
    return Entry(Happened.UPDATED, reference, at, "<update@x>", {}, {"values": {"summary": "Found safe."}})


def note(desk: DeskLedger, *mail_ids: str, cursor: str | None = "c1", at: datetime = NOW) -> int:
    return desk.note([NotedMail(mail_id, NOW) for mail_id in mail_ids], "inbox", cursor, at)


def dealt_with(mail_id: str, message_id: str | None = "<1@x>", fingerprint: str | None = "f1") -> HandledMail:
    return HandledMail(
        mail_id, message_id, fingerprint, NOW, "opened", ("Alerts", "2026"), ("SLA-2026-0001",)
    )


def chase(key: str = "k1", *reasons: Reason, laid_at: datetime = NOW) -> Letter:
    return Letter(
        key=key,
        kind="chase",
        to="sw@nct.example",
        subject="Update requested - SLA-2026-0001",
        text="Dear Sam, …",
        html="<p>Dear Sam, …</p>",
        laid_at=laid_at,
        reasons=reasons or (reason(),),
        pictures=(("badge", b"\x89PNG\x00"),),
        attachments=(("List.xlsx", b"PK\x03\x04"),),
    )


def reason(alert: str = REFERENCE, rule: str = "quiet", due: date = date(2026, 3, 2)) -> Reason:
    return Reason(alert, rule, due)


def question(code: str = "two_names", message_id: str = "<q@x>", *candidates: str) -> Question:
    return Question(code, "The mail names two children.", message_id, candidates, {"names": ["Ada", "Bo"]})


def record(desk: DeskLedger, *entries: Entry) -> list[Entry]:
    with desk.page() as page:
        return [page.record(entry) for entry in entries]


def lay(desk: DeskLedger, letter: Letter) -> bool:
    with desk.page() as page:
        return page.lay(letter)


def move(desk: DeskLedger, key: str, *states: LetterState, at: datetime = NOW) -> None:
    for state in states:
        with desk.page() as page:
            page.letter_moved(key, state, at)


def kept(desk: DeskLedger) -> tuple[int, int, int, int]:
    """How many lines, questions, letters and mails dealt with the desk tells of."""
    return len(desk.entries()), len(desk.questions()), len(desk.letters()), len(desk.mails())


class TestAPage:
    def test_is_kept_whole_when_it_ends_well(self, desk: DeskLedger) -> None:
        note(desk, "m1")
        with desk.page() as page:
            page.record(opened())
            page.ask(question(), NOW)
            page.lay(chase())
            page.handled(dealt_with("m1"))
            page.wrote(SheetState("v1", ("Reference",), {REFERENCE: {"Reference": REFERENCE}}), NOW)
        assert kept(desk) == (1, 1, 1, 1)
        assert desk.sheet() is not None
        assert desk.waiting() == []

    def test_leaves_nothing_when_it_fails_at_its_end(self, desk: DeskLedger) -> None:
        note(desk, "m1")

        def everything_then_trouble() -> None:
            with desk.page() as page:
                page.record(opened())
                page.ask(question(), NOW)
                page.lay(chase())
                page.failed("m1")
                page.handled(dealt_with("m1"))
                page.wrote(SheetState("v1", (), {}), NOW)
                raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            everything_then_trouble()
        assert kept(desk) == (0, 0, 0, 0)
        assert desk.sheet() is None
        assert desk.waiting() == [NotedMail("m1", NOW, tries=0)]
        assert desk.letter_for(reason()) is None

    def test_is_not_seen_by_readers_before_it_ends(self, desk: DeskLedger) -> None:
        with desk.page() as page:
            page.record(opened())
            assert desk.entries() == []
            assert desk.alerts() == {}
        assert [entry.alert for entry in desk.entries()] == [REFERENCE]

    def test_within_a_page_a_second_one_is_refused_and_the_first_goes_on(self, desk: DeskLedger) -> None:
        with desk.page() as page:
            page.record(opened())
            with pytest.raises(RuntimeError, match="open in this thread"):
                note(desk, "m1")
            page.record(updated())
        assert len(desk.entries()) == 2

    def test_after_a_failed_one_the_next_one_is_numbered_as_if_nothing_had_been(
        self, desk: DeskLedger
    ) -> None:
        record(desk, opened())
        naive = updated(at=NOW.replace(tzinfo=None))
        with pytest.raises(ValueError, match="zone"):
            record(desk, updated(), naive)
        assert [entry.seq for entry in record(desk, updated(), updated())] == [2, 3]
        assert desk.verify() == []

    def test_pages_of_many_threads_follow_one_another(self, desk: DeskLedger) -> None:
        def write() -> None:
            for _ in range(5):
                with desk.page() as page:
                    page.record(opened(page.new_reference("SLA", 2026)))

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(desk.alerts()) == [f"SLA-2026-{number:04d}" for number in range(1, 21)]
        assert [entry.seq for entry in desk.entries()] == list(range(1, 21))
        assert desk.verify() == []


class TestDesks:
    def test_nothing_leaks_from_one_desk_to_another(self, ledger: Ledger) -> None:
        here, there = ledger.desk("nct"), ledger.desk("merton")
        note(here, "m1", "m2")
        with here.page() as page:
            page.record(opened())
            page.ask(question(), NOW)
            page.lay(chase())
            page.handled(dealt_with("m1"))
            page.wrote(SheetState("v1", (), {REFERENCE: {}}), NOW)
        move(here, "k1", LetterState.DRAFTED)
        assert kept(there) == (0, 0, 0, 0)
        assert there.waiting() == []
        assert there.alerts() == {}
        assert (there.sheet(), there.cursor("inbox"), there.began_at()) == (None, None, None)
        assert there.seen("<1@x>", "f1") is Seen.NEVER
        assert there.letter_for(reason()) is None

    def test_each_desk_counts_its_own_lines_and_references(self, ledger: Ledger) -> None:
        for name in ("nct", "merton"):
            with ledger.desk(name).page() as page:
                assert page.new_reference("SLA", 2026) == REFERENCE
                assert page.record(opened()).seq == 1
            assert note(ledger.desk(name), "m1") == 1
            assert lay(ledger.desk(name), chase())

    def test_the_same_name_gives_the_same_desk(self, ledger: Ledger) -> None:
        record(ledger.desk("nct"), opened())
        assert ledger.desk("nct").desk == "nct"
        assert list(ledger.desk("nct").alerts()) == [REFERENCE]


class TestClaims:
    def test_a_desk_is_held_by_one_owner_until_the_hold_runs_out(self, ledger: Ledger) -> None:
        assert ledger.claim("nct", "a", 60)
        assert not ledger.claim("nct", "b", 60)
        assert ledger.claim("nct", "a", 0)  # and runs out at once
        assert ledger.claim("nct", "b", 60)
        assert not ledger.claim("nct", "a", 60)

    def test_the_owner_may_hold_on(self, ledger: Ledger) -> None:
        assert ledger.claim("nct", "a", 0.001)
        assert ledger.claim("nct", "a", 60)
        assert not ledger.claim("nct", "b", 60)

    def test_giving_up_frees_the_desk_at_once_but_only_for_its_owner(self, ledger: Ledger) -> None:
        assert ledger.claim("nct", "a", 60)
        ledger.release("nct", "b")
        assert not ledger.claim("nct", "b", 60)
        ledger.release("nct", "a")
        assert ledger.claim("nct", "b", 60)

    def test_desks_are_held_apart(self, ledger: Ledger) -> None:
        assert ledger.claim("nct", "a", 60)
        assert ledger.claim("merton", "b", 60)

    def test_of_many_desks_those_are_had_that_nobody_else_holds(self, ledger: Ledger) -> None:
        assert ledger.claim("merton", "b", 60)
        assert ledger.claim_each(["nct", "merton", "ealing"], "a", 60) == {"nct", "ealing"}
        assert ledger.claim_each(["nct", "merton"], "b", 60) == {"merton"}
        assert ledger.claim_each(["nct", "ealing"], "a", 0) == {"nct", "ealing"}  # and both run out
        assert ledger.claim_each(["nct", "merton"], "b", 60) == {"nct", "merton"}

    def test_of_many_who_ask_at_once_one_gets_it(self, ledger: Ledger) -> None:
        got: list[str] = []

        def ask(owner: str) -> None:
            if ledger.claim("nct", owner, 60):
                got.append(owner)

        threads = [threading.Thread(target=ask, args=(f"agent-{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1


class TestMails:
    def test_a_page_of_changes_is_kept_with_its_cursor(self, desk: DeskLedger) -> None:
        assert note(desk, "m1", "m2", cursor="c1") == 2
        assert desk.cursor("inbox") == "c1"
        assert desk.cursor("other") is None
        assert [mail.mail_id for mail in desk.waiting()] == ["m1", "m2"]

    def test_mails_told_again_are_not_noted_again(self, desk: DeskLedger) -> None:
        note(desk, "m1", "m2")
        with desk.page() as page:
            page.failed("m2")
            page.handled(dealt_with("m1"))
        assert note(desk, "m1", "m2", "m3", "m3") == 1
        assert [(mail.mail_id, mail.tries) for mail in desk.waiting()] == [("m2", 1), ("m3", 0)]

    def test_no_cursor_forgets_the_old_one(self, desk: DeskLedger) -> None:
        note(desk, cursor="c1")
        note(desk, cursor=None)
        assert desk.cursor("inbox") is None

    def test_a_desk_began_when_it_first_noted_anything(self, desk: DeskLedger) -> None:
        assert desk.began_at() is None
        note(desk, at=minutes(0))
        note(desk, "m1", at=minutes(5))
        assert desk.began_at() == NOW

    def test_thousands_are_noted_at_once(self, desk: DeskLedger) -> None:
        ids = [f"m{number}" for number in range(2500)]
        assert note(desk, *ids) == 2500
        assert note(desk, *ids, "one more") == 1

    def test_they_wait_in_the_order_received(self, desk: DeskLedger) -> None:
        summer_time = timezone(timedelta(hours=1))
        mails = [
            NotedMail("late", minutes(9)),
            NotedMail("b", minutes(3)),
            NotedMail("a", minutes(3).astimezone(summer_time)),
            NotedMail("first", minutes(2).astimezone(summer_time)),
        ]
        desk.note(mails, "inbox", "c", NOW)
        assert [mail.mail_id for mail in desk.waiting()] == ["first", "a", "b", "late"]
        assert desk.waiting()[0].received_at == minutes(2)

    def test_failed_attempts_are_counted(self, desk: DeskLedger) -> None:
        note(desk, "m1")
        for tries in (1, 2, 3):
            with desk.page() as page:
                assert page.failed("m1") == tries
        assert desk.waiting()[0].tries == 3

    def test_a_mail_that_does_not_wait_cannot_fail(self, desk: DeskLedger) -> None:
        note(desk, "m1")
        with desk.page() as page:
            page.handled(dealt_with("m1"))
        for mail_id in ("m1", "unknown"):
            with pytest.raises(LookupError, match=mail_id), desk.page() as page:
                page.failed(mail_id)

    def test_a_mail_dealt_with_waits_no_more_but_is_still_to_be_filed(self, desk: DeskLedger) -> None:
        note(desk, "m1")
        mail = dealt_with("m1")
        with desk.page() as page:
            page.handled(mail)
        assert desk.waiting() == []
        assert desk.to_file() == desk.mails() == [mail]
        desk.filed(["m1", "unknown"])
        assert desk.to_file() == []
        assert desk.mails() == [replace(mail, filed=True)]

    def test_a_mail_gone_before_reading_has_nothing_to_be_filed(self, desk: DeskLedger) -> None:
        gone = HandledMail("m1", None, None, NOW, "gone", (), filed=True)
        with desk.page() as page:
            page.handled(gone)
        assert desk.mails() == [gone]
        assert desk.to_file() == []

    def test_told_again_the_last_word_stands_and_is_filed_afresh(self, desk: DeskLedger) -> None:
        with desk.page() as page:
            page.handled(dealt_with("m1"))
        desk.filed(["m1"])
        decided = replace(dealt_with("m1"), outcome="updated", folder=("Updates",))
        with desk.page() as page:
            page.handled(decided)
        assert desk.mails() == desk.to_file() == [decided]

    def test_mails_are_found_by_either_of_their_ids_in_the_order_received(self, desk: DeskLedger) -> None:
        first, second = dealt_with("m1", "<1@x>"), replace(dealt_with("m2", "<2@x>"), received_at=minutes(-1))
        copy, unreadable = replace(dealt_with("m3", "<1@x>"), received_at=minutes(1)), dealt_with("m4", None)
        with desk.page() as page:
            for mail in (first, second, copy, unreadable):
                page.handled(mail)
        note(desk, "waits")

        assert desk.mails_named(["<1@x>"]) == [first, copy]
        assert desk.mails_named({"<2@x>", "m1", "m2", "nobody's"}) == [second, first]
        assert desk.mails_named(["m4", *map(str, range(2500))]) == [unreadable]
        assert desk.mails_named(["waits"]) == desk.mails_named([]) == []

    def test_a_mail_is_known_by_id_and_fingerprint_together(self, desk: DeskLedger) -> None:
        note(desk, "m1")
        assert desk.seen("<1@x>", "f1") is Seen.NEVER
        with desk.page() as page:
            page.handled(dealt_with("m1"))
            page.handled(dealt_with("m2", message_id=None, fingerprint=None))
        assert desk.seen("<1@x>", "f1") is Seen.SAME
        assert desk.seen("<1@x>", "f2") is Seen.OTHER_CONTENT
        assert desk.seen("<2@x>", "f1") is Seen.NEVER
        with desk.page() as page:
            page.handled(dealt_with("m3", fingerprint="f2"))
        assert desk.seen("<1@x>", "f2") is Seen.SAME

    def test_the_first_mail_dealt_with_under_an_id_is_found(self, desk: DeskLedger) -> None:
        assert desk.handled_as("<1@x>") is None
        with desk.page() as page:
            page.handled(dealt_with("z-first"))
            page.handled(dealt_with("a-second"))
        found = desk.handled_as("<1@x>")
        assert found is not None
        assert found.mail_id == "z-first"

    def test_odd_characters_in_ids_disturb_nobody(self, desk: DeskLedger) -> None:
        with desk.page() as page:
            page.handled(dealt_with("m1", message_id="<half \ud83d and nul \0@x>"))
            page.record(replace(opened(), source="<half \ud83d@x>"))
        assert desk.seen("<half \ud83d and nul \0@x>", "f1") is Seen.SAME
        assert desk.verify() == []


class TestLines:
    def test_come_back_as_they_were_recorded_with_their_numbers(self, desk: DeskLedger) -> None:
        facts: dict[str, Json] = {"n": [1, 2.5, None, True], "deep": {"ä": "ö"}}
        entry = Entry(
            Happened.UPDATED, "A", minutes(0.123456), "<s@x>", facts, {"text": "O’Brien 𝄞 \0 \ud83d"}
        )
        first, second = record(desk, entry, Entry(Happened.SET_ASIDE, None, NOW, "<n@x>"))
        assert first == replace(entry, seq=1)
        assert second.seq == 2
        assert desk.entries() == [first, second]
        assert desk.entries("A") == [first]
        assert desk.entries("B") == []

    def test_what_is_recorded_and_what_is_read_are_equal_even_for_tuples(self, desk: DeskLedger) -> None:
        loose = Entry(Happened.UPDATED, "A", NOW, "s", {"lines": ("a", "b")}, None)  # type: ignore[dict-item] # on purpose
        (line,) = record(desk, loose)
        assert line.facts == {"lines": ["a", "b"]}
        assert line.content == {}
        assert desk.entries() == [line]

    def test_times_come_back_aware_in_utc(self, desk: DeskLedger) -> None:
        record(desk, replace(opened(), at=NOW.astimezone(timezone(timedelta(hours=5)))))
        at = desk.entries()[0].at
        assert at == NOW
        assert at.utcoffset() == timedelta(0)

    def test_a_time_without_a_zone_is_refused(self, desk: DeskLedger) -> None:
        naive = NOW.replace(tzinfo=None)
        with pytest.raises(ValueError, match="zone"):
            record(desk, replace(opened(), at=naive))

    def test_alerts_that_were_given_stay_as_they_were(self, desk: DeskLedger) -> None:
        record(desk, opened())
        given = desk.alerts()
        record(desk, opened("SLA-2026-0002"), Entry(Happened.CONCLUDED, REFERENCE, NOW, "register"))
        assert list(given) == [one.reference for one in given.open] == [REFERENCE]
        assert [one.reference for one in desk.alerts().open] == ["SLA-2026-0002"]

    def test_an_alert_is_opened_once(self, desk: DeskLedger) -> None:
        record(desk, opened())
        with pytest.raises(ValueError, match=REFERENCE):
            record(desk, opened(name="Somebody Else"))
        with pytest.raises(ValueError, match="SLA-2026-0002"):
            record(desk, opened("SLA-2026-0002"), opened("SLA-2026-0002"))
        with pytest.raises(ValueError, match="reference"):
            record(desk, replace(opened(), alert=None))
        assert list(desk.alerts()) == [REFERENCE]

    def test_alerts_are_what_their_lines_tell(self, desk: DeskLedger) -> None:
        record(desk, opened(), opened("SLA-2026-0002"))
        assert desk.alerts() == fold(desk.entries())
        before = desk.alerts()
        record(desk, updated(at=minutes(5)), Entry(Happened.UPDATED, "SLA-1999-0001", NOW, "<unknown@x>"))
        assert desk.alerts() == fold(desk.entries())
        assert desk.alerts()[REFERENCE].updates == 1
        assert before[REFERENCE].updates == 0  # what a caller holds does not change under its hands


class TestReferences:
    def test_count_up_from_one_by_prefix_and_year(self, desk: DeskLedger) -> None:
        with desk.page() as page:
            assert page.new_reference("SLA", 2026) == "SLA-2026-0001"
            page.record(opened("SLA-2026-0001"))
        with desk.page() as page:
            assert page.new_reference("SLA", 2026) == "SLA-2026-0002"
            assert page.new_reference("SLA", 2027) == "SLA-2027-0001"
            assert page.new_reference("LA", 2026) == "LA-2026-0001"

    def test_several_for_one_mail_differ_before_anything_is_recorded(self, desk: DeskLedger) -> None:
        with desk.page() as page:
            three = [page.new_reference("SLA", 2026) for _ in range(3)]
        assert three == ["SLA-2026-0001", "SLA-2026-0002", "SLA-2026-0003"]

    def test_one_that_no_alert_took_is_free_again(self, desk: DeskLedger) -> None:
        with desk.page() as page:
            page.new_reference("SLA", 2026)
        with desk.page() as page:
            assert page.new_reference("SLA", 2026) == "SLA-2026-0001"

    @pytest.mark.parametrize("last", ["SLA-2026-0999", "SLA-2026-9999", "SLA-2026-10000", "SLA-2026-123456"])
    def test_count_on_from_the_highest_beyond_four_digits(self, desk: DeskLedger, last: str) -> None:
        record(desk, opened("SLA-2026-0007"), opened(last), opened("SLA-2026-OLD"), opened("SLA-2026-0008"))
        with desk.page() as page:
            assert page.new_reference("SLA", 2026) == f"SLA-2026-{int(last.rpartition('-')[2]) + 1:04d}"

    def test_are_not_given_again_after_the_alert_was_dismissed_and_erased(self, desk: DeskLedger) -> None:
        record(desk, opened(), Entry(Happened.NOT_AN_ALERT, REFERENCE, NOW, "register"))
        desk.erase(REFERENCE, NOW, "retention")
        with desk.page() as page:
            assert page.new_reference("SLA", 2026) == "SLA-2026-0002"


class TestQuestions:
    def test_wait_until_a_person_answers(self, desk: DeskLedger) -> None:
        with desk.page() as page:
            first = page.ask(question(), NOW)
            second = page.ask(question("unreadable"), minutes(1))
        assert (first, second) == (1, 2)
        with desk.page() as page:
            page.answer(1, REFERENCE, minutes(9))
        assert [asked.number for asked in desk.questions()] == [2]
        answered, waiting = desk.questions(waiting_only=False)
        assert (answered.answer, answered.answered_at) == (REFERENCE, minutes(9))
        assert answered.question == question()
        assert (waiting.asked_at, waiting.answer) == (minutes(1), None)

    def test_the_same_one_about_the_same_mail_is_put_once(self, desk: DeskLedger) -> None:
        for _ in range(2):
            with desk.page() as page:
                assert page.ask(question(), NOW) == 1
        with desk.page() as page:
            assert page.ask(question(message_id="<another@x>"), NOW) == 2

    def test_one_that_was_never_put_cannot_be_answered(self, desk: DeskLedger) -> None:
        for number in (0, 7):
            with pytest.raises(LookupError, match=str(number)), desk.page() as page:
                page.answer(number, "yes", NOW)
            with pytest.raises(LookupError, match=str(number)), desk.page() as page:
                page.acted(number, NOW)
            with pytest.raises(LookupError, match=str(number)), desk.page() as page:
                page.not_acted(number, "No.")

    @pytest.fixture
    def answered(self, desk: DeskLedger) -> DeskLedger:
        """Two questions, the first of them answered."""
        with desk.page() as page:
            page.answer(page.ask(question(), NOW), REFERENCE, minutes(9))
            page.ask(question("unreadable"), NOW)
        return desk

    def test_an_answer_is_to_be_acted_on_once(self, answered: DeskLedger) -> None:
        assert [asked.number for asked in answered.to_act_on()] == [1]
        with answered.page() as page:
            page.acted(1, minutes(10))
        assert answered.to_act_on() == []
        assert [asked.number for asked in answered.questions()] == [2]
        closed = answered.questions(waiting_only=False)[0]
        assert (closed.answer, closed.acted_at, closed.note) == (REFERENCE, minutes(10), "")

    def test_one_whose_answer_cannot_be_acted_on_waits_again(self, answered: DeskLedger) -> None:
        with answered.page() as page:
            page.not_acted(1, "There is no such alert.")
        assert answered.to_act_on() == []
        waiting = answered.questions()[0]
        assert (waiting.number, waiting.answer, waiting.note) == (1, REFERENCE, "There is no such alert.")

    def test_an_answer_given_afresh_is_to_be_acted_on_afresh(self, answered: DeskLedger) -> None:
        with answered.page() as page:
            page.acted(1, minutes(10))
        with answered.page() as page:
            page.not_acted(1, "No.")
            page.answer(1, "Done", minutes(11))
        (again,) = answered.to_act_on()
        assert (again.answer, again.acted_at, again.note) == ("Done", None, "")


class TestMark:
    def test_is_another_after_whatever_a_register_shows(self, desk: DeskLedger) -> None:
        marks = [desk.mark()]
        writes: tuple[Callable[[Page], object], ...] = (
            lambda page: page.record(opened()),
            lambda page: page.handled(HandledMail("m1", "<m1@x>", "f", NOW, "opened", ())),
            lambda page: page.ask(question(), NOW),
            lambda page: page.answer(1, "not an alert", minutes(1)),
            lambda page: page.not_acted(1, "It cannot be read."),
            lambda page: page.answer(1, "done", minutes(2)),
            lambda page: page.acted(1, minutes(3)),
        )
        for write in writes:
            with desk.page() as page:
                write(page)
            marks.append(desk.mark())
        desk.erase_before(minutes(60))
        marks.append(desk.mark())

        assert len(set(marks)) == len(marks)

    def test_is_the_same_however_often_the_mailbox_is_asked(self, desk: DeskLedger) -> None:
        record(desk, opened())
        before = desk.mark()
        desk.note([NotedMail("m1", NOW)], "inbox", "cursor", NOW)
        lay(desk, chase("k1", reason()))

        assert desk.mark() == before


class TestLetters:
    def test_lie_in_the_tray_as_they_were_written(self, desk: DeskLedger) -> None:
        letter = chase("k1", reason("B"), reason("A"), reason("A", rule="clock"))
        assert lay(desk, letter)
        assert desk.letters() == [letter]

    def test_oldest_come_first(self, desk: DeskLedger) -> None:
        for key, at in (("late", 9), ("early", 1), ("also early", 1)):
            assert lay(desk, chase(key, reason(rule=key), laid_at=minutes(at)))
        assert [letter.key for letter in desk.letters()] == ["early", "also early", "late"]

    def test_one_reason_that_has_a_letter_makes_the_whole_letter_superfluous(self, desk: DeskLedger) -> None:
        assert lay(desk, chase("k1", reason("A"), reason("B")))
        assert not lay(desk, chase("k2", reason("B"), reason("C")))
        assert desk.letter_for(reason("C")) is None
        assert desk.letter_for(reason("B")) == "k1"
        assert desk.written_for([reason("A"), reason("C"), reason("B", rule="clock")]) == {reason("A")}
        assert lay(desk, chase("k3", reason("C"), reason("C", due=date(2026, 3, 3))))

    def test_reasons_are_checked_within_the_page_too(self, desk: DeskLedger) -> None:
        with desk.page() as page:
            assert page.lay(chase("k1"))
            assert not page.lay(chase("k2"))
        assert len(desk.letters()) == 1

    def test_one_without_a_reason_or_with_another_ones_key_is_refused(self, desk: DeskLedger) -> None:
        lay(desk, chase("k1"))
        with pytest.raises(ValueError, match="k1"):
            lay(desk, chase("k1", reason("other")))
        with pytest.raises(ValueError, match="k2"):
            lay(desk, replace(chase("k2"), reasons=()))

    def test_the_way_of_a_letter_is_kept(self, desk: DeskLedger) -> None:
        lay(desk, chase())
        with desk.page() as page:
            page.letter_moved(
                "k1", LetterState.DRAFTED, minutes(1), draft_id="d1", internet_message_id="<l@x>"
            )
            page.letter_moved("k1", LetterState.SENDING, minutes(2))
            page.letter_moved("k1", LetterState.POSTED, minutes(3))
        (letter,) = desk.letters()
        assert letter == replace(
            chase(),
            state=LetterState.POSTED,
            draft_id="d1",
            internet_message_id="<l@x>",
            changed_at=minutes(3),
            sends=1,
        )

    def test_each_send_is_counted_also_after_a_certain_refusal(self, desk: DeskLedger) -> None:
        lay(desk, chase())
        sending, drafted = LetterState.SENDING, LetterState.DRAFTED
        move(desk, "k1", drafted, sending, drafted, drafted, sending, sending)
        assert desk.letters()[0].sends == 3

    @pytest.mark.parametrize(
        ("way", "step"),
        [
            ((), LetterState.IN_TRAY),
            ((LetterState.DRAFTED,), LetterState.IN_TRAY),
            ((LetterState.SENDING,), LetterState.IN_TRAY),
            ((LetterState.SENDING,), LetterState.WITHDRAWN),
            *(((LetterState.POSTED,), state) for state in LetterState),
            *(
                ((LetterState.HELD,), state)
                for state in LetterState
                if state not in (LetterState.IN_TRAY, LetterState.DROPPED)
            ),
            *(((LetterState.WITHDRAWN,), state) for state in LetterState),
            *(((LetterState.HELD, LetterState.DROPPED), state) for state in LetterState),
            *((way, LetterState.DROPPED) for way in [(), (LetterState.DRAFTED,), (LetterState.SENDING,)]),
        ],
    )
    def test_none_goes_backward(
        self, desk: DeskLedger, way: tuple[LetterState, ...], step: LetterState
    ) -> None:
        lay(desk, chase())
        move(desk, "k1", *way)
        before = desk.letters()
        with pytest.raises(ValueError, match="k1"):
            move(desk, "k1", step, at=minutes(1))
        assert desk.letters() == before

    def test_one_that_does_not_exist_cannot_move(self, desk: DeskLedger) -> None:
        with pytest.raises(LookupError, match="k9"):
            move(desk, "k9", LetterState.DRAFTED)

    def test_the_reasons_of_a_withdrawn_letter_may_have_another(self, desk: DeskLedger) -> None:
        lay(desk, chase("k1", reason("A"), reason("B")))
        move(desk, "k1", LetterState.DRAFTED, LetterState.WITHDRAWN)
        assert desk.letter_for(reason("A")) is None
        assert lay(desk, chase("k2", reason("A")))
        assert desk.letter_for(reason("A")) == "k2"
        assert desk.letters(LetterState.WITHDRAWN)[0].reasons == (reason("A"), reason("B"))

    @pytest.mark.parametrize("way", [(LetterState.HELD,), (LetterState.HELD, LetterState.DROPPED)])
    def test_the_reasons_of_a_held_or_dropped_letter_may_not(
        self, desk: DeskLedger, way: tuple[LetterState, ...]
    ) -> None:
        lay(desk, chase())
        move(desk, "k1", *way)
        assert not lay(desk, chase("k2"))

    def test_one_that_was_held_goes_its_way_again_and_its_sends_are_not_forgotten(
        self, desk: DeskLedger
    ) -> None:
        lay(desk, chase())
        with desk.page() as page:
            page.letter_moved("k1", LetterState.SENDING, minutes(1), draft_id="d1")
            page.letter_moved("k1", LetterState.HELD, minutes(2))
            page.letter_moved("k1", LetterState.IN_TRAY, minutes(3))
        (letter,) = desk.letters(LetterState.IN_TRAY)
        assert (letter.sends, letter.draft_id, letter.changed_at) == (1, "d1", minutes(3))

    def test_are_found_by_state_and_since_when(self, desk: DeskLedger) -> None:
        for number in range(4):
            lay(desk, chase(f"k{number}", reason(rule=str(number)), laid_at=minutes(number)))
        move(desk, "k0", LetterState.POSTED, at=minutes(10))
        move(desk, "k1", LetterState.DRAFTED, at=minutes(5))

        def keys(*states: LetterState, since: datetime | None = None) -> list[str]:
            return [letter.key for letter in desk.letters(*states, since=since)]

        assert keys() == ["k0", "k1", "k2", "k3"]
        assert keys(LetterState.IN_TRAY, LetterState.DRAFTED) == ["k1", "k2", "k3"]
        assert keys(LetterState.SENDING) == []
        assert keys(since=minutes(3)) == ["k0", "k1", "k3"]
        assert keys(LetterState.POSTED, since=minutes(10)) == ["k0"]
        assert keys(LetterState.POSTED, since=minutes(10.1)) == []

    def test_answers_and_bounces_are_matched_by_internet_message_id(self, desk: DeskLedger) -> None:
        lay(desk, chase())
        assert desk.letter_by_message_id("<l@x>") is None
        with desk.page() as page:
            page.letter_moved("k1", LetterState.SENDING, NOW, internet_message_id="<l@x>")
        found = desk.letter_by_message_id("<l@x>")
        assert found is not None
        assert found.key == "k1"


class TestTheRegister:
    def test_stands_as_last_written(self, desk: DeskLedger) -> None:
        assert desk.sheet() is None
        first = SheetState("v1", ("Ref", "Name"), {"A": {"Name": "Ada"}, "B": {"Name": "Bo"}})
        second = SheetState(
            "v2", ("Ref", "Name", "ä"), {"A": {"Name": "Ada"}, "C": {"ä": "¾"}}, {"B": {"Name": "x"}}
        )
        third = SheetState(None, (), {"A": {"Name": "Adam"}})
        for sheet in (first, second, second, third):
            with desk.page() as page:
                page.wrote(sheet, NOW)
            assert desk.sheet() == sheet

    def test_is_not_written_over_what_another_agent_wrote_meanwhile(self, desk: DeskLedger) -> None:
        nothing, first = SheetState(None, (), {}), SheetState("v1", (), {}, marks=("a",))
        second = replace(first, marks=("b",))
        with desk.page() as page:
            page.wrote(first, NOW, over=nothing)
        with desk.page() as page:
            page.wrote(second, NOW, over=first)
        for stale in (nothing, first):
            with desk.page() as page, pytest.raises(TryAgainLater, match="Another agent"):
                page.wrote(first, NOW, over=stale)
        assert desk.sheet() == second

    def test_each_sheet_is_kept_apart(self, desk: DeskLedger) -> None:
        alerts = SheetState("v1", ("Ref",), {"A": {"Ref": "A"}}, marks=("m1", "m2"))
        questions = SheetState("v1", ("No.",), {"A": {"No.": "A"}}, {"B": {"No.": "B"}})
        with desk.page() as page:
            page.wrote(alerts, NOW)
            page.wrote(questions, NOW, "questions")
        assert (desk.sheet(), desk.sheet("questions")) == (alerts, questions)
        with desk.page() as page:
            page.wrote(SheetState(None, (), {}), NOW, "questions")
        assert desk.sheet() == alerts


class TestErasing:
    @pytest.fixture
    def told(self, desk: DeskLedger) -> DeskLedger:
        """Two alerts, each with two lines, a letter posted and two questions answered."""
        for letter_key, alert, mail in (("k1", "SLA-2026-0001", "<1@x>"), ("k2", "SLA-2026-0002", "<2@x>")):
            record(desk, opened(alert, source=mail), updated(alert))
            lay(desk, chase(letter_key, reason(alert)))
            move(desk, letter_key, LetterState.POSTED)
            with desk.page() as page:
                page.answer(page.ask(question("by_mail", mail), NOW), "Ada", NOW)
                page.answer(page.ask(question("by_candidate", f"{mail}?", alert), NOW), "Ada", NOW)
        return desk

    def test_an_answer_that_was_erased_is_not_acted_on(self, told: DeskLedger) -> None:
        assert len(told.to_act_on()) == 4
        told.erase(REFERENCE, minutes(9), "retention")
        assert len(told.to_act_on()) == 2

    def test_blanks_what_is_personal_and_nothing_else(self, told: DeskLedger) -> None:
        others = told.entries("SLA-2026-0002")
        told.erase(REFERENCE, minutes(9), "retention")
        assert [(entry.happened, entry.content) for entry in told.entries(REFERENCE)] == [
            (Happened.OPENED, None),
            (Happened.UPDATED, None),
            (Happened.ERASED, {}),
        ]
        assert told.entries(REFERENCE)[0].facts == {"form": "nct_sla"}
        assert told.entries(REFERENCE)[-1].source == "retention"
        assert told.entries("SLA-2026-0002") == others
        blank, kept = told.letters()
        assert (blank.to, blank.text, blank.html, blank.pictures) == ("", "", "", ())
        assert blank.reasons == (reason(),)
        assert kept.to
        assert kept.text
        seen = [(asked.question.seen, asked.answer) for asked in told.questions(waiting_only=False)]
        assert seen[:2] == [({}, None), ({}, None)]
        assert seen[2:] == [(question().seen, "Ada")] * 2
        assert told.questions() == []  # answered they stay

    def test_leaves_the_alert_standing_without_names(self, told: DeskLedger) -> None:
        assert told.alerts()[REFERENCE].initials == "A.F."
        told.erase(REFERENCE, minutes(9), "retention")
        alert = told.alerts()[REFERENCE]
        assert (alert.author_address, alert.initials, alert.values) == ("", "", {})
        assert (alert.received_at, alert.form, alert.updates) == (NOW, "nct_sla", 1)
        assert told.alerts()["SLA-2026-0002"].initials == "A.F."

    def test_keeps_the_chain_whole(self, told: DeskLedger) -> None:
        told.erase(REFERENCE, minutes(9), "retention")
        assert told.verify() == []

    def test_may_be_done_again_after_more_was_told(self, told: DeskLedger) -> None:
        told.erase(REFERENCE, minutes(1), "retention")
        record(told, updated(at=minutes(2)))
        assert told.alerts()[REFERENCE].values == {"summary": "Found safe."}
        told.erase(REFERENCE, minutes(3), "retention")
        assert told.alerts()[REFERENCE].values == {}
        assert told.alerts()[REFERENCE].updates == 2
        assert told.verify() == []

    def test_an_unknown_alert_is_named(self, told: DeskLedger) -> None:
        with pytest.raises(LookupError, match="SLA-1999-0001"):
            told.erase("SLA-1999-0001", NOW, "retention")

    @pytest.mark.parametrize("way", [(), (LetterState.DRAFTED,), (LetterState.SENDING,)])
    def test_waits_for_letters_on_their_way(self, told: DeskLedger, way: tuple[LetterState, ...]) -> None:
        lay(told, chase("k3", reason("SLA-2026-0002", rule="clock"), reason(rule="clock")))
        move(told, "k3", *way)
        before = told.entries()
        with pytest.raises(TryAgainLater, match=REFERENCE):
            told.erase(REFERENCE, NOW, "retention")
        assert told.entries() == before
        assert told.letters()[0].text

    def test_waits_for_open_questions(self, told: DeskLedger) -> None:
        with told.page() as page:
            page.ask(question("which", "<3@x>", "SLA-2026-0002", REFERENCE), NOW)
        with pytest.raises(TryAgainLater, match=REFERENCE):
            told.erase(REFERENCE, NOW, "retention")


class TestErasingWhatOutlivedItsTime:
    """Digests, notices and questions are about no alert, and go by their age."""

    @pytest.fixture
    def told(self, desk: DeskLedger) -> DeskLedger:
        """An alert with a letter and a question of its own; a digest posted, a question about a stray mail
        closed."""
        record(desk, opened())
        for key, alert in (("chase", REFERENCE), ("digest", "")):
            lay(desk, chase(key, reason(alert)))
            move(desk, key, LetterState.POSTED, at=minutes(1))
        with desk.page() as page:
            for mail, *alerts in (("<form@x>",), ("<named@x>", REFERENCE), ("<stray@x>",)):
                number = page.ask(question("whose", mail, *alerts), NOW)
                page.answer(number, "nobody's", minutes(1))
                page.acted(number, minutes(1))
        return desk

    @staticmethod
    def still_told(desk: DeskLedger) -> list[str]:
        said = [asked for asked in desk.questions(waiting_only=False) if asked.question.seen and asked.answer]
        letters = [letter.key for letter in desk.letters() if letter.to and letter.text and letter.pictures]
        return letters + [asked.question.message_id for asked in said]

    def test_leaves_what_is_about_an_alert_with_that_alert(self, told: DeskLedger) -> None:
        assert told.erase_before(minutes(2)) == 2
        assert self.still_told(told) == ["chase", "<form@x>", "<named@x>"]
        assert told.erase_before(minutes(2)) == 0
        assert told.verify() == []

    def test_leaves_what_is_younger_waits_or_is_under_way(self, told: DeskLedger) -> None:
        lay(told, chase("in the tray", reason("", rule="digest")))
        with told.page() as page:
            page.ask(question("whose", "<waits@x>"), NOW)
            page.answer(page.ask(question("whose", "<not acted on@x>"), NOW), "nobody's", NOW)
        assert told.erase_before(minutes(1)) == 0
        assert told.erase_before(minutes(2)) == 2
        assert self.still_told(told) == ["chase", "in the tray", "<form@x>", "<named@x>", "<not acted on@x>"]
        assert told.questions()[0].question.seen

    def test_what_came_about_an_erased_alert_goes_by_its_age(self, told: DeskLedger) -> None:
        told.erase(REFERENCE, minutes(5), "retention")
        with told.page() as page:
            number = page.ask(question("again", "<late@x>", REFERENCE), minutes(6))
            page.answer(number, "file it", minutes(6))
            page.acted(number, minutes(6))
        assert told.erase_before(minutes(6)) == 2  # those about no alert
        assert self.still_told(told) == ["<late@x>"]
        assert told.erase_before(minutes(7)) == 1
        assert self.still_told(told) == []


def test_a_whole_ledger_verifies(desk: DeskLedger) -> None:
    assert desk.verify() == []
    record(desk, opened(), updated(), Entry(Happened.SET_ASIDE, None, NOW, "<n@x>"))
    assert desk.verify() == []


def test_the_last_comparison_with_the_mailbox_is_known_to_every_reader(desk: DeskLedger) -> None:
    assert desk.swept() is None
    for unaccounted in (2, 0):
        told = Swept(minutes(unaccounted), 7, 1, unaccounted, 3)
        record(desk, Entry(Happened.SWEPT, None, told.at, "sweeping", told.facts))
        assert desk.swept() == told
    record(desk, opened())
    assert desk.swept() == told


class TestPause:
    def test_the_last_word_stands_and_every_reader_sees_it(self, desk: DeskLedger) -> None:
        assert desk.pause() == Pause()
        record(desk, Entry(Happened.PAUSED, None, NOW, "command"))
        assert desk.pause() == Pause(since=NOW)
        record(desk, opened(), Entry(Happened.RESUMED, None, minutes(1), "command"))
        assert desk.pause() == Pause(allowed_at=minutes(1))
        assert list(desk.alerts()) == [REFERENCE]

    def test_one_desks_letters_rest_alone(self, ledger: Ledger) -> None:
        record(ledger.desk("nct"), Entry(Happened.PAUSED, None, NOW, "command"))
        assert ledger.desk("merton").pause() == Pause()

    def test_remembers_where_no_letter_arrives_also_once_the_alert_is_erased(self, ledger: Ledger) -> None:
        desk = ledger.desk("nct")
        bounced = Entry(Happened.BOUNCED, "A", NOW, "<report>", {"to": "1f"}, {"address": "dana@x"})
        record(desk, opened("A"), bounced)
        assert desk.unreached() == {"1f"}
        desk.erase("A", minutes(1), "retention")
        assert desk.unreached() == {"1f"}
        assert ledger.desk("merton").unreached() == frozenset()
        record(desk, Entry(Happened.REACHABLE, None, minutes(2), "<mail>", {"to": "1f"}))
        assert desk.unreached() == frozenset()
