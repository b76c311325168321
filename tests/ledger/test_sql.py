"""The ledger in an SQLite file: durable, append-only, shared by programs, and plain about its troubles."""

from __future__ import annotations

import logging
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from agent.errors import NeedsAPerson, TryAgainLater
from agent.ledger import database
from agent.ledger.base import Letter, LetterState, NotedMail, Reason, SheetState
from agent.ledger.sql import SqlDesk, SqlLedger
from agent.procedure.entry import Entry
from agent.procedure.words import Happened

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAME = "Ada Ficton-Unmistakable"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqlLedger]:
    with closing(SqlLedger(f"sqlite:///{path}")) as opened:
        yield opened


@pytest.fixture
def desk(ledger: SqlLedger) -> SqlDesk:
    return ledger.desk("nct")


def open_alert(desk: SqlDesk, reference: str = "SLA-2026-0001") -> None:
    content = {"author_address": "sw@nct.example", "children": [{"name": NAME}]}
    with desk.page() as page:
        page.record(Entry(Happened.OPENED, reference, NOW, "<1@x>", {"form": "f"}, content))  # type: ignore[arg-type]  # a dict of JSON


def keep(desk: SqlDesk, sheet: SheetState) -> None:
    with desk.page() as page:
        page.wrote(sheet, NOW)


def by_hand(path: Path, *statements: str) -> None:
    """Somebody with a database tool and no regard for the agent."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


class TestAppendOnly:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE entry SET facts = '{}'",
            "UPDATE entry SET hash = 'x' WHERE seq = 1",
            "DELETE FROM entry",
            "INSERT OR REPLACE INTO entry SELECT * FROM entry",
            "UPDATE content SET body = '{}'",
            "INSERT OR REPLACE INTO content SELECT desk, seq, salt, '{}' FROM content",
        ],
    )
    def test_the_database_itself_refuses(self, desk: SqlDesk, path: Path, statement: str) -> None:
        open_alert(desk)
        before = desk.entries()
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            by_hand(path, statement)
        assert desk.entries() == before
        assert desk.verify() == []

    def test_whoever_removes_the_guard_is_found_out(self, desk: SqlDesk, path: Path) -> None:
        open_alert(desk)
        by_hand(
            path, "DROP TRIGGER entry_no_update", "UPDATE entry SET at = '2020-01-01T00:00:00.000000+00:00'"
        )
        assert desk.verify() == ["Line 1 of desk nct is not as it was written."]

    @pytest.mark.parametrize(
        "change", ["at = '2020-01-01 00:00:00'", "at = 'then'", "happened = 'improved'", "facts = '{'"]
    )
    def test_so_is_a_line_that_makes_no_sense_any_more(self, desk: SqlDesk, path: Path, change: str) -> None:
        open_alert(desk)
        by_hand(path, "DROP TRIGGER entry_no_update", f"UPDATE entry SET {change}")
        assert desk.verify() == ["A line of desk nct cannot even be read: it is not as it was written."]

    def test_content_deleted_by_hand_is_found_out(self, desk: SqlDesk, path: Path) -> None:
        open_alert(desk)
        by_hand(path, "DELETE FROM content")
        assert desk.verify() == ["The content of line 1 of desk nct is gone, but was not erased."]
        assert list(desk.alerts()) == ["SLA-2026-0001"]


class TestErased:
    def test_nothing_of_it_is_left_in_the_files(self, desk: SqlDesk, path: Path) -> None:
        open_alert(desk)
        open_alert(desk, "SLA-2026-0002")
        with desk.page() as page:
            reason = Reason("SLA-2026-0001", "quiet", date(2026, 3, 2))
            page.lay(Letter("k1", "chase", "sw@nct.example", "s", f"On {NAME}", "<p>", NOW, (reason,)))
            page.letter_moved("k1", LetterState.POSTED, NOW)
        desk.erase("SLA-2026-0002", NOW, "retention")
        assert NAME.encode() in b"".join(file.read_bytes() for file in path.parent.iterdir())
        desk.erase("SLA-2026-0001", NOW, "retention")
        assert NAME.encode() not in b"".join(file.read_bytes() for file in path.parent.iterdir())

    def test_nor_is_anything_of_a_letter_whose_time_is_over(self, desk: SqlDesk, path: Path) -> None:
        with desk.page() as page:
            reason = Reason("", "weekly_digest", date(2026, 3, 2))
            page.lay(Letter("k1", "weekly_digest", "a@nct.example", "s", f"On {NAME}", "<p>", NOW, (reason,)))
            page.letter_moved("k1", LetterState.POSTED, NOW)
        assert NAME.encode() in b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert desk.erase_before(NOW + timedelta(days=1)) == 1
        assert NAME.encode() not in b"".join(file.read_bytes() for file in path.parent.iterdir())

    def test_the_file_is_made_anew_without_room_in_which_a_copy_could_linger(
        self, desk: SqlDesk, path: Path
    ) -> None:
        open_alert(desk)
        with desk.page() as page:
            page.record(Entry(Happened.UPDATED, "SLA-2026-0001", NOW, "<m2@x>", {}, {"text": "y" * 300_000}))
        desk.erase("SLA-2026-0001", NOW, "retention")
        desk.make_anew()
        assert path.stat().st_size < 200_000
        assert desk.verify() == []

    def test_another_program_that_had_it_in_memory_forgets_it_too(self, desk: SqlDesk, path: Path) -> None:
        open_alert(desk)
        with closing(SqlLedger(f"sqlite:///{path}")) as other:
            assert other.desk("nct").alerts()["SLA-2026-0001"].children
            desk.erase("SLA-2026-0001", NOW, "retention")
            assert other.desk("nct").alerts()["SLA-2026-0001"].children == ()


class TestSharedByPrograms:
    def test_what_one_writes_the_other_sees(self, desk: SqlDesk, path: Path) -> None:
        open_alert(desk)
        assert len(desk.alerts()) == 1
        with closing(SqlLedger(f"sqlite:///{path}")) as other:
            open_alert(other.desk("nct"), "SLA-2026-0002")
            with other.desk("nct").page() as page:
                page.record(Entry(Happened.UPDATED, "SLA-2026-0001", NOW, "<2@x>"))
        assert {alert.reference: alert.updates for alert in desk.alerts().values()} == {
            "SLA-2026-0001": 1,
            "SLA-2026-0002": 0,
        }

    def test_a_sheet_that_another_wrote_is_seen_and_written_over_whole(
        self, desk: SqlDesk, path: Path
    ) -> None:
        with closing(SqlLedger(f"sqlite:///{path}")) as opened:
            other = opened.desk("nct")
            keep(desk, SheetState("v1", ("Ref",), {"A": {"Ref": "A"}, "B": {"Ref": "B"}}))
            assert other.sheet() == desk.sheet()
            keep(other, SheetState("v1", ("Ref",), {"B": {"Ref": "b"}, "C": {"Ref": "C"}}, {"D": {}}))
            assert desk.sheet() == other.sheet()
            keep(other, SheetState("v1", ("Ref",), {"E": {"Ref": "E"}}))
            last = SheetState("v1", ("Ref",), {"A": {"Ref": "A"}})
            keep(desk, last)
            assert other.sheet() == last
        with closing(SqlLedger(f"sqlite:///{path}")) as again:
            assert again.desk("nct").sheet() == last

    def test_a_sheet_is_not_read_again_when_nobody_wrote_it(self, desk: SqlDesk) -> None:
        keep(desk, SheetState("v1", ("Ref",), {"A": {"Ref": "A"}}))
        assert desk.sheet() is desk.sheet()

    def test_a_sheet_stays_as_it_was_when_its_page_is_torn_out(self, desk: SqlDesk) -> None:
        first = SheetState("v1", ("Ref",), {"A": {"Ref": "A"}})
        keep(desk, first)
        with suppress(KeyError), desk.page() as page:
            page.wrote(SheetState("v2", ("Ref",), {"B": {"Ref": "B"}}), NOW)
            raise KeyError
        assert desk.sheet() == first
        keep(desk, replace(first, version="v3"))
        assert SqlDesk(desk._database, "nct").sheet() == replace(first, version="v3")

    def test_alerts_are_not_read_again_when_nothing_happened(self, desk: SqlDesk) -> None:
        open_alert(desk)
        assert desk.alerts()["SLA-2026-0001"] is desk.alerts()["SLA-2026-0001"]

    def test_a_page_held_by_another_is_waited_for_then_given_up(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "PATIENCE", 0.05)
        one, other = SqlLedger(f"sqlite:///{path}"), SqlLedger(f"sqlite:///{path}")
        with closing(one), closing(other):
            with one.desk("nct").page() as page:
                page.record(Entry(Happened.UPDATED, "A", NOW, "s"))
                with pytest.raises(
                    TryAgainLater, match=r"ledger\.sqlite is being written by another program"
                ):
                    open_alert(other.desk("nct"))
                assert other.desk("nct").entries() == []  # reading goes on
            open_alert(other.desk("nct"))
            assert [entry.seq for entry in one.desk("nct").entries()] == [1, 2]


# What a program does to a new ledger before it is killed, at the places where a page can be hit.
KILLED = {
    "inside a page": """
        with desk.page() as page:
            page.record(entry); page.record(entry); page.handled(mail)
            kill()
        """,
    "before the commit": """
        watch["before"] = kill
        with desk.page() as page:
            page.record(entry); page.record(entry); page.handled(mail)
        """,
    "after the commit": """
        watch["after"] = kill
        with desk.page() as page:
            page.record(entry); page.record(entry); page.handled(mail)
        """,
}
PROGRAM = """
import os, signal, sys
from datetime import datetime, UTC
from agent.ledger.base import HandledMail, NotedMail
from agent.ledger.sql import SqlLedger
from agent.procedure.entry import Entry
from agent.procedure.words import Happened
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
watch = {}
ledger = SqlLedger(sys.argv[1], watch=lambda when, what: watch.get(when, lambda: None)())
desk, now = ledger.desk("nct"), datetime(2026, 3, 2, 9, tzinfo=UTC)
entry = Entry(Happened.UPDATED, "A", now, "s")
mail = HandledMail("m1", "<1@x>", "f", now, "updated", ("Updates",))
with desk.page() as page:
    page.record(entry)
desk.note([NotedMail("m1", now)], "inbox", "c1", now)
"""


class TestAbruptEnds:
    @pytest.mark.parametrize(("where", "kept"), [(where, where == "after the commit") for where in KILLED])
    def test_a_page_is_kept_whole_or_not_at_all(self, path: Path, where: str, kept: bool) -> None:
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM + textwrap.dedent(KILLED[where]), f"sqlite:///{path}"], check=False
        )
        assert run.returncode == -signal.SIGKILL
        with closing(SqlLedger(f"sqlite:///{path}")) as ledger:
            desk = ledger.desk("nct")
            assert [entry.seq for entry in desk.entries()] == ([1, 2, 3] if kept else [1])
            assert len(desk.mails()) == kept
            assert [mail.mail_id for mail in desk.waiting()] == ([] if kept else ["m1"])
            assert desk.cursor("inbox") == "c1"
            assert desk.verify() == []
            open_alert(desk)
            assert desk.verify() == []

    def test_every_commit_can_be_watched(self, path: Path) -> None:
        seen: list[tuple[str, str]] = []
        with closing(SqlLedger(f"sqlite:///{path}", watch=lambda *what: seen.append(what))) as ledger:
            desk = ledger.desk("nct")
            works: list[Callable[[], object]] = [
                lambda: open_alert(desk),
                lambda: desk.note([NotedMail("m1", NOW)], "inbox", "c", NOW),
                lambda: desk.filed(["m1"]),
                lambda: desk.erase("SLA-2026-0001", NOW, "retention"),
                lambda: ledger.claim("nct", "a", 60),
                lambda: ledger.release("nct", "a"),
            ]
            for work in works:
                seen.clear()
                work()
                assert seen == [("before", "commit"), ("after", "commit")]
            seen.clear()
            desk.entries()
            desk.alerts()
            assert seen == []

    def test_the_file_is_kept_safely_and_for_its_owner_alone(self, ledger: SqlLedger, path: Path) -> None:
        open_alert(ledger.desk("nct"))
        assert {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()} == {
            "ledger.sqlite": "0o600",
            "ledger.sqlite-wal": "0o600",
            "ledger.sqlite-shm": "0o600",
        }
        with ledger._database.reading() as connection:
            settings = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            }
        assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


class TestTroubles:
    def test_a_file_that_is_no_database(self, path: Path) -> None:
        path.write_bytes(b"Dear all, please find attached" * 100)
        with pytest.raises(NeedsAPerson, match=r"ledger\.sqlite is damaged or no ledger .*restore"):
            SqlLedger(f"sqlite:///{path}")
        assert path.read_bytes().startswith(b"Dear all")

    def test_a_folder_that_does_not_exist(self, tmp_path: Path) -> None:
        with pytest.raises(NeedsAPerson, match=r"nowhere/ledger\.sqlite cannot be made.*Make the folder"):
            SqlLedger(f"sqlite:///{tmp_path}/nowhere/ledger.sqlite")

    def test_a_folder_in_the_files_place(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(NeedsAPerson, match=r"ledger\.sqlite cannot be opened for writing"):
            SqlLedger(f"sqlite:///{path}")

    def test_a_file_that_may_only_be_read(self, path: Path) -> None:
        SqlLedger(f"sqlite:///{path}").close()
        with closing(SqlLedger(f"sqlite:///file:{path}?mode=ro&uri=true")) as ledger:
            desk = ledger.desk("nct")
            assert desk.entries() == []
            with pytest.raises(NeedsAPerson, match=r"ledger\.sqlite.* cannot be opened for writing.*Let the"):
                open_alert(desk)

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_a_ledger_that_would_not_outlive_the_agent(self, url: str) -> None:
        with pytest.raises(NeedsAPerson, match="name a file"):
            SqlLedger(url)

    def test_a_full_disk_stops_loudly_and_leaves_nothing_half_written(self, path: Path) -> None:
        SqlLedger(f"sqlite:///{path}").close()

        def nearly_full(connection: sqlite3.Connection, record: object) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        event.listen(Engine, "connect", nearly_full)
        try:
            with closing(SqlLedger(f"sqlite:///{path}")) as ledger:
                desk = ledger.desk("nct")
                with pytest.raises(
                    NeedsAPerson, match=r"ledger\.sqlite cannot grow: the disk is full.*space"
                ):
                    self._write_much(desk)
                assert desk.entries() == []
        finally:
            event.remove(Engine, "connect", nearly_full)
        with closing(SqlLedger(f"sqlite:///{path}")) as ledger:
            self._write_much(ledger.desk("nct"))
            assert len(ledger.desk("nct").entries()) == 50
            assert ledger.desk("nct").verify() == []

    @staticmethod
    def _write_much(desk: SqlDesk) -> None:
        with desk.page() as page:
            for number in range(50):
                page.record(Entry(Happened.UPDATED, "A", NOW, f"s{number}", {"much": "x" * 2000}))

    def test_no_trouble_tells_what_was_written(
        self, desk: SqlDesk, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Even a fault of ours, told by the database's own error with all that led to it."""
        caplog.set_level(logging.DEBUG)
        by_hand(path, "CREATE TRIGGER odd BEFORE INSERT ON content BEGIN SELECT RAISE(ABORT, 'odd'); END")
        with pytest.raises(DBAPIError) as told:
            open_alert(desk)
        everything = "".join(str(error) + repr(error) for error in (told.value, told.value.orig))
        assert NAME not in everything + caplog.text
        assert "sw@nct.example" not in everything + caplog.text


def test_a_claim_is_held_against_another_program(path: Path) -> None:
    one, other = SqlLedger(f"sqlite:///{path}"), SqlLedger(f"sqlite:///{path}")
    with closing(one), closing(other):
        assert one.claim("nct", "one", 60)
        assert not other.claim("nct", "other", 60)
        assert one.claim("nct", "one", 0)
        assert other.claim("nct", "other", 60)
        assert not one.claim("nct", "one", 60)
