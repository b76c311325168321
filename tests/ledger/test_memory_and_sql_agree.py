"""Whatever is done to them, the ledger in memory and the ledger in a database tell the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import TryAgainLater
from agent.ledger.base import (
    DeskLedger,
    HandledMail,
    Letter,
    LetterState,
    NotedMail,
    Page,
    Reason,
    SheetState,
)
from agent.ledger.memory import MemoryLedger
from agent.ledger.sql import SqlLedger
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.words import Happened, Json

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Step = Callable[[Page], Any]

times = st.integers(0, 5).map(lambda minutes: NOW + timedelta(minutes=minutes))
few = st.sampled_from
alerts = few(["SLA-2026-0001", "SLA-2026-0002", "SLA-2027-0001"])
mail_ids = few(["m1", "m2", "m3"])
message_ids = few(["<1@x>", "<2@x>"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
facts: st.SearchStrategy[dict[str, Json]] = st.dictionaries(
    few(["form", "until", "field", "other"]), json_values, max_size=2
)
entries = st.builds(Entry, few(list(Happened)), alerts | st.none(), times, message_ids, facts, facts)
reasons = st.builds(Reason, alerts | st.just(""), few(["quiet", "clock"]), st.just(date(2026, 3, 2)))
letters = st.builds(
    Letter,
    key=few(["k1", "k2", "k3", "k4"]),
    kind=few(["chase", "digest"]),
    to=st.just("sw@nct.example"),
    subject=st.just("Update requested"),
    text=st.text(max_size=5),
    html=st.text(max_size=5),
    laid_at=times,
    reasons=st.lists(reasons, max_size=2).map(tuple),
    pictures=st.lists(st.tuples(few(["a", "b"]), st.binary(max_size=4)), max_size=1).map(tuple),
)
handled_mails = st.builds(
    HandledMail,
    mail_ids,
    message_ids | st.none(),
    few(["f1", "f2"]) | st.none(),
    times,
    few(["opened", "newsletter"]),
    st.lists(st.text(max_size=4), max_size=2).map(tuple),
    filed=st.booleans(),
)
questions = st.builds(
    Question,
    few(["two_names", "unreadable"]),
    st.just("Why"),
    message_ids,
    st.lists(alerts, max_size=2).map(tuple),
    facts,
)
cells = st.dictionaries(few(["A", "B"]), st.dictionaries(few(["Name", "Status"]), st.text(max_size=3)))
sheets = st.builds(SheetState, st.none() | few(["v1", "v2"]), st.just(("Name", "Status")), cells, cells)

steps: st.SearchStrategy[Step] = st.one_of(
    entries.map(lambda entry: lambda page: page.record(entry)),
    entries.map(lambda entry: lambda page: page.record(replace(entry, happened=Happened.OPENED))),
    st.integers(2026, 2027).map(lambda year: lambda page: page.new_reference("SLA", year)),
    handled_mails.map(lambda mail: lambda page: page.handled(mail)),
    mail_ids.map(lambda mail_id: lambda page: page.failed(mail_id)),
    st.tuples(questions, times).map(lambda told: lambda page: page.ask(*told)),
    st.tuples(st.integers(0, 3), st.text(max_size=3), times).map(
        lambda told: lambda page: page.answer(*told)
    ),
    letters.map(lambda letter: lambda page: page.lay(letter)),
    st.tuples(few(["k1", "k2", "k3"]), few(list(LetterState)), times, few([None, "<l@x>"])).map(
        lambda told: lambda page: page.letter_moved(*told[:3], internet_message_id=told[3])
    ),
    st.tuples(sheets, times).map(lambda told: lambda page: page.wrote(*told)),
)


def on_a_page(steps: list[Step], fails: bool) -> Callable[[DeskLedger], list[Any]]:
    def act(desk: DeskLedger) -> list[Any]:
        with desk.page() as page:
            outcomes = [step(page) for step in steps]
            if fails:
                raise ConnectionResetError
        return outcomes

    return act


noted = st.builds(NotedMail, mail_ids, times)
acts: st.SearchStrategy[Callable[[DeskLedger], Any]] = st.one_of(
    st.builds(on_a_page, st.lists(steps, max_size=4), few([False, False, False, True])),
    st.tuples(st.lists(noted, max_size=3), few(["inbox", "other"]), few([None, "c1", "c2"]), times).map(
        lambda told: lambda desk: desk.note(*told)
    ),
    st.lists(mail_ids, max_size=2).map(lambda ids: lambda desk: desk.filed(ids)),
    st.tuples(alerts, times, st.just("retention")).map(lambda told: lambda desk: desk.erase(*told)),
    times.map(lambda before: lambda desk: desk.erase_before(before)),
)


def outcome(act: Callable[[DeskLedger], Any], desk: DeskLedger) -> Any:
    """What it gives, or how it fails: the words of the error are part of the promise."""
    try:
        return act(desk)
    except (ValueError, LookupError, TryAgainLater, ConnectionResetError) as error:
        return type(error), str(error)


def told_by(desk: DeskLedger) -> dict[str, Any]:
    """All that a desk can be asked."""
    ids = ("<1@x>", "<2@x>", "<l@x>")
    return {
        "began": desk.began_at(),
        "cursors": [desk.cursor(folder) for folder in ("inbox", "other")],
        "waiting": desk.waiting(),
        "mails": desk.mails(),
        "mails named": desk.mails_named(ids),
        "to file": desk.to_file(),
        "seen": [desk.seen(message_id, print_) for message_id in ids for print_ in ("f1", "f2")],
        "handled as": [desk.handled_as(message_id) for message_id in ids],
        "alerts": dict(desk.alerts()),
        "entries": desk.entries(),
        "of one": desk.entries("SLA-2026-0001"),
        "questions": [desk.questions(), desk.questions(waiting_only=False)],
        "letters": desk.letters(),
        "by state": [desk.letters(state, since=NOW + timedelta(minutes=2)) for state in LetterState],
        "letter": desk.letter_by_message_id("<l@x>"),
        "letter for": desk.letter_for(Reason("SLA-2026-0001", "quiet", date(2026, 3, 2))),
        "sheet": desk.sheet(),
        "broken": desk.verify(),
    }


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlLedger]:
    path: Path = tmp_path_factory.mktemp("agree") / "ledger.sqlite"
    with closing(SqlLedger(f"sqlite:///{path}")) as opened:
        yield opened


fresh = count()


@settings(max_examples=60, deadline=None)
@given(story=st.lists(acts, max_size=12))
def test_the_two_ledgers_tell_the_same(ledger: SqlLedger, story: list[Callable[[DeskLedger], Any]]) -> None:
    name = f"desk-{next(fresh)}"
    real: DeskLedger = ledger.desk(name)
    model: DeskLedger = MemoryLedger().desk(name)
    for act in story:
        assert outcome(act, real) == outcome(act, model)
        assert told_by(real) == told_by(model)
    assert real.verify() == []
