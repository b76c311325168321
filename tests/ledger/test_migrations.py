"""The schema is versioned: opening a ledger makes it or brings it up to date, and never takes it back."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from agent.errors import NeedsAPerson
from agent.ledger import schema
from agent.ledger.base import SheetState
from agent.ledger.database import migrations
from agent.ledger.sql import SqlLedger
from agent.procedure.entry import Entry
from agent.procedure.words import Happened
from tests.postgres import new_database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def open_and_close(path: Path) -> None:
    SqlLedger(f"sqlite:///{path}").close()


def asked(path: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def test_the_steps_end_at_the_version_that_the_software_knows() -> None:
    assert ScriptDirectory.from_config(migrations()).get_heads() == [schema.HEAD]


def test_the_steps_lead_to_the_tables_that_the_software_uses(path: Path) -> None:
    open_and_close(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_a_server_with_a_ledger_of_the_first_version_is_brought_up_to_date_with_what_it_holds() -> None:
    """PostgreSQL takes each step by other means than SQLite does."""
    engine = create_engine(new_database())
    with engine.begin() as connection:
        settings = migrations()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        for statement in (
            "INSERT INTO desk VALUES ('nct', '2026-03-01T09:00:00.000000+00:00')",
            (
                "INSERT INTO question VALUES ('nct', 1, '2026-03-01T09:00:00.000000+00:00', 'c', 'w', 'm', "
                "'[]', '2026-03-02T09:00:00.000000+00:00')"
            ),
            "INSERT INTO question_content VALUES ('nct', 1, '{}', 'yes')",
            "INSERT INTO sheet VALUES ('nct', 'v1', '[\"Ref\"]', '2026-03-02T09:00:00.000000+00:00')",
            "INSERT INTO sheet_row VALUES ('nct', false, 'A', '{\"Ref\": \"A\"}')",
        ):
            connection.exec_driver_sql(statement)

    with closing(SqlLedger(engine.url)) as ledger:
        desk = ledger.desk("nct")
        assert desk.began_at() == datetime(2026, 3, 1, 9, tzinfo=UTC)
        (answered,) = desk.questions(waiting_only=False)
        assert (answered.answer, answered.acted_at) == ("yes", answered.answered_at)
        assert desk.sheet() == SheetState("v1", ("Ref",), {"A": {"Ref": "A"}})
        with desk.page() as page:
            page.record(Entry(Happened.OPENED, "SLA-2026-0001", NOW, "<form@x>"))
        assert desk.verify() == []
    with engine.connect() as connection:  # not the types: each is kept as text, of one collation or another
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_the_steps_make_the_very_indexes_of_the_schema(path: Path, tmp_path: Path) -> None:
    """Conditions of indexes included, which the comparison above does not look at."""
    open_and_close(path)
    direct = tmp_path / "direct.sqlite"
    engine = create_engine(f"sqlite:///{direct}")
    schema.metadata.create_all(engine)
    engine.dispose()
    wanted = (
        "SELECT name, lower(sql) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    )
    assert asked(path, wanted) == asked(direct, wanted) != []


def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_what_it_holds(path: Path) -> None:
    settings = migrations()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        for number, answered_at in ((1, "'2026-03-02T09:00:00.000000+00:00'"), (2, "NULL")):
            connection.execute(
                text(
                    "INSERT INTO question VALUES "
                    f"('nct', {number}, '2026-03-01T09:00:00.000000+00:00', 'c', 'w', 'm{number}', "
                    f"'[]', {answered_at})"
                )
            )
    engine.dispose()
    with closing(SqlLedger(f"sqlite:///{path}")) as ledger:
        answered, waiting = ledger.desk("nct").questions(waiting_only=False)
        assert answered.answered_at is not None
        assert answered.acted_at == answered.answered_at
        assert (waiting.acted_at, waiting.note) == (None, "")
        assert ledger.desk("nct").to_act_on() == []


def test_opening_again_changes_nothing(path: Path) -> None:
    open_and_close(path)
    before = asked(path, "SELECT * FROM sqlite_master")
    open_and_close(path)
    assert asked(path, "SELECT * FROM sqlite_master") == before
    assert asked(path, "SELECT * FROM alembic_version") == [(schema.HEAD,)]


def test_an_empty_file_becomes_a_ledger(path: Path) -> None:
    path.touch()
    open_and_close(path)
    assert asked(path, "SELECT * FROM alembic_version") == [(schema.HEAD,)]


def test_a_ledger_of_a_newer_agent_is_refused_untouched(path: Path) -> None:
    open_and_close(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NeedsAPerson, match=r"ledger\.sqlite was written by a newer agent .*9999.*Install"):
        open_and_close(path)
    assert asked(path, "SELECT * FROM alembic_version") == [("9999",)]


def test_the_database_of_another_program_is_refused_untouched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(NeedsAPerson, match="something else than a ledger"):
        open_and_close(path)
    assert asked(path, "SELECT name FROM sqlite_master") == [("theirs",)]


def test_what_was_remembered_of_the_register_outlives_the_step_to_several_sheets(path: Path) -> None:
    """Else every value in the register would look as if a person had typed it."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        settings = migrations()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        connection.exec_driver_sql("INSERT INTO sheet VALUES ('nct', 'v1', '[\"Ref\"]', '2026-03-02')")
        connection.exec_driver_sql("INSERT INTO sheet_row VALUES ('nct', 0, 'A', '{\"Ref\": \"A\"}')")
    engine.dispose()

    ledger = SqlLedger(f"sqlite:///{path}")
    assert ledger.desk("nct").sheet() == SheetState("v1", ("Ref",), {"A": {"Ref": "A"}})
    ledger.close()


def test_a_step_that_fails_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(when: str, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SqlLedger(f"sqlite:///{path}", watch=fail)
    assert asked(path, "SELECT name FROM sqlite_master") == []
    open_and_close(path)


def test_an_up_to_date_ledger_is_opened_without_alembic(path: Path) -> None:
    open_and_close(path)
    program = (
        "import sys; from agent.ledger.sql import SqlLedger; SqlLedger(sys.argv[1]).close();"
        "print([name for name in sys.modules if name.partition('.')[0] in ('alembic', 'mako')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{path}"], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_two_agents_that_start_at_once_make_one_ledger(path: Path) -> None:
    program = "import sys; from agent.ledger.sql import SqlLedger; SqlLedger(sys.argv[1]).close()"
    started = [
        subprocess.Popen([sys.executable, "-c", program, f"sqlite:///{path}"], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    complaints = [agent.communicate(timeout=60)[1].decode() for agent in started]
    assert complaints == ["", "", ""]
    assert asked(path, "SELECT * FROM alembic_version") == [(schema.HEAD,)]
