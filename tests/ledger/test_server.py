"""The ledger on a server, beside what every ledger promises: desks do not wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from agent.ledger.base import NotedMail
from agent.ledger.sql import SqlLedger
from agent.procedure.decision import Question
from tests.postgres import new_database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def ledger() -> Iterator[SqlLedger]:
    with closing(SqlLedger(new_database())) as opened:
        yield opened


def in_time(work: Callable[[], object]) -> bool:
    """Whether it is done within some seconds, in another thread."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    return not thread.is_alive()


def test_a_page_that_takes_its_time_holds_up_its_own_desk_alone(ledger: SqlLedger) -> None:
    def write(desk: str) -> None:
        ledger.desk(desk).note([NotedMail("m", NOW)], "inbox", "c", NOW)

    with ledger.desk("nct").page():
        assert in_time(lambda: write("merton"))
        assert in_time(lambda: ledger.claim_each(["nct", "merton"], "we", 60))
        waits = threading.Thread(target=write, args=("nct",))
        waits.start()
        waits.join(0.3)
        assert waits.is_alive()
    waits.join(5)
    assert not waits.is_alive()


def test_a_database_made_without_an_encoding_keeps_every_letter_of_a_name() -> None:
    with closing(SqlLedger(new_database("SQL_ASCII"))) as ledger:
        desk = ledger.desk("nct")
        with desk.page() as page:
            page.ask(Question("cannot_be_read", "Łucja Ćwik’s form", "m-1", seen={"name": "Łucja Ćwik"}), NOW)
        (asked,) = desk.questions()
    assert asked.question.why == "Łucja Ćwik’s form"
    assert asked.question.seen == {"name": "Łucja Ćwik"}
