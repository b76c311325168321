"""A round of bookkeeping looks at what changed, and comes to the same as one that looks at everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.bookkeeping import bookkeeping
from agent.errors import AgentError
from agent.ledger.sql import SqlLedger
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.words import ABOUT_THE_DESK, Happened
from agent.register.memory import MemoryRegister
from agent.register_content import places
from tests.builders import MONDAY
from tests.steps.small_office import Office

REFERENCES = [f"SLA-2026-000{number}" for number in range(1, 4)]
STAFF = {"staff_subject": "yes"}

references = st.sampled_from(REFERENCES)
typed = st.sampled_from(
    [
        ("status", "Concluded"),
        ("status", "New"),
        ("concluded_on", "2062-03-03"),
        ("next_update_due", "soon"),
        ("child_name", "Wren Applegarth"),
        ("", "Rang the author"),
    ]
)
acts = st.one_of(
    st.tuples(st.just("opens"), references, st.booleans()),
    st.tuples(st.just("updates"), references, st.booleans()),
    st.tuples(st.just("types"), references, typed),
    st.tuples(st.sampled_from(["deletes", "copies", "concludes", "erases", "asks", "answers"]), references),
    st.tuples(st.sampled_from(["opens Excel", "closes Excel"])),
    st.tuples(st.just("time goes by"), st.none(), st.sampled_from([1, 24])),
)


class World:
    """A desk whose ledger is a file, as at work: only there is an alert without news the very same."""

    def __init__(self, ledger: SqlLedger, name: str, *, apart: bool) -> None:
        office = Office()
        restricted = MemoryRegister(
            office.desk.procedure.columns, "nct", office.desk.procedure.question_columns
        )
        self.desk = replace(office.desk, ledger=ledger.desk(name), restricted=restricted if apart else None)
        self.register, self.now = office.register, MONDAY

    def round(self) -> None:
        with suppress(AgentError):  # the workbook is open, or not to be trusted
            bookkeeping(self.desk, self.now)

    def lives_through(self, *acts: tuple[Any, ...]) -> None:
        """A round after each."""
        for act in acts:
            self.does(*act)
            self.round()

    def row(self, reference: str) -> dict[str, str]:
        return self.register.row(reference)

    def does(self, what: str, reference: str | None = None, how: Any = None) -> None:
        ledger, source = self.desk.ledger, f"<{reference}@trust.example>"
        known = ledger.alerts()
        ended = str(reference) in known and known[str(reference)].ended
        match what:
            case "opens" if reference not in known:
                content = {"children": [{"name": "Robin Fairweather"}], "values": STAFF if how else {}}
                self._records(Happened.OPENED, reference, source, content)
            case "updates" if reference in known:
                self._records(Happened.UPDATED, reference, source, {"values": STAFF if how else {}})
            case "concludes" if reference in known:
                self._records(Happened.CONCLUDED, reference, "register", {"by": "Sol Quarrie"})
            case "erases" if ended:
                with suppress(AgentError):  # a question about it waits
                    ledger.erase(str(reference), self.now, "retention")
            case "asks":
                with ledger.page() as page:
                    page.ask(Question("names_two", "Which?", source, (str(reference),)), self.now)
            case "answers":
                with ledger.page() as page:
                    for asked in ledger.questions():
                        page.answer(asked.number, "done", self.now)
                        page.acted(asked.number, self.now)
            case "time goes by":
                self.now += timedelta(hours=how)
            case _:
                self._person(what, reference, how)

    def _person(self, what: str, reference: str | None, how: Any) -> None:
        register = self.register
        rows = [row for row in register.rows if reference and reference in row.values()]
        if what in ("opens Excel", "closes Excel"):
            register.open_by_person = what == "opens Excel"
        elif not rows or register.open_by_person:
            return
        elif what == "deletes":
            register.rows = [row for row in register.rows if row not in rows]
            register.person_saved()
        elif what == "copies":
            register.rows = [*register.rows, dict(rows[0])]
            register.person_saved()
        elif what == "types":
            named = [column.heading for column in self.desk.procedure.columns if column.field == how[0]]
            rows[0][named[0]] = how[1]
            register.person_saved()

    def _records(self, happened: Happened, reference: str | None, source: str, content: Any) -> None:
        with self.desk.ledger.page() as page:
            page.record(Entry(happened, reference, self.now, source, {"form": "nct_sla"}, content))

    def stands(self) -> dict[str, Any]:
        """All that bookkeeping keeps, but for how often it wrote: of a row that stands twice nothing is."""
        ledger, kept = self.desk.ledger, places(self.desk)
        return {
            "workbooks": [place.register.read(None) for place in kept],
            "known": [ledger.sheet(name) for place in kept for name in (place.name, place.questions)],
            "lines": [replace(one, seq=0) for one in ledger.entries() if one.happened not in ABOUT_THE_DESK],
            "questions": ledger.questions(waiting_only=False),
        }


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlLedger]:
    path = tmp_path_factory.mktemp("rounds") / "ledger.sqlite"
    with closing(SqlLedger(f"sqlite:///{path}")) as opened:
        yield opened


fresh = count()


# Two alerts that stood in their rows days ago and need no second look, one of them about staff.
SETTLED = [("opens", REFERENCES[0], False), ("opens", REFERENCES[1], True), *[("time goes by", None, 24)] * 3]


@settings(max_examples=60, deadline=None)
@given(story=st.lists(acts, min_size=1, max_size=8), apart=st.booleans())
def test_a_round_that_remembers_the_last_comes_to_the_same(
    ledger: SqlLedger, story: list[tuple[Any, ...]], apart: bool
) -> None:
    remembers, forgets = (World(ledger, f"desk-{next(fresh)}", apart=apart) for _ in range(2))
    for act in [*SETTLED, *story]:
        for one in (remembers, forgets):
            one.does(*act)
        forgets.desk.settled.clear()
        forgets.desk.rows.clear()
        for one in (remembers, forgets):
            one.round()
        assert remembers.stands() == forgets.stands()


def settled(ledger: SqlLedger, *, apart: bool = False) -> World:
    """A desk at which all that stands in the register needs no second look."""
    world = World(ledger, f"desk-{next(fresh)}", apart=apart)
    world.lives_through(*SETTLED)
    return world


def test_what_somebody_types_into_a_row_of_long_ago_is_taken_in(ledger: SqlLedger) -> None:
    world = settled(ledger)
    world.lives_through(("types", REFERENCES[0], ("status", "Concluded")))

    assert world.desk.ledger.alerts()[REFERENCES[0]].concluded


def test_a_row_that_was_written_again_has_its_note_in_the_round_after(ledger: SqlLedger) -> None:
    """What stands in it is known only once it stands there."""
    world = settled(ledger)
    world.lives_through(("types", REFERENCES[0], ("next_update_due", "soon")), ("deletes", REFERENCES[0]))
    world.round()

    assert "“Next update due” is no date" in world.row(REFERENCES[0]).values()


def test_of_an_alert_erased_right_after_its_row_was_written_nothing_is_remembered(ledger: SqlLedger) -> None:
    world = settled(ledger)
    world.lives_through(("concludes", REFERENCES[0]), ("erases", REFERENCES[0]))

    known = world.desk.ledger.sheet()
    assert known is not None
    assert REFERENCES[0] not in known.rows


def test_a_matter_that_turns_out_to_be_about_staff_is_hidden_though_no_news_comes_after(
    ledger: SqlLedger,
) -> None:
    """First it is to stand in the restricted workbook, so it is hidden in the round after."""
    world = settled(ledger, apart=True)
    world.lives_through(("updates", REFERENCES[0], True))
    world.round()

    assert "Robin Fairweather" not in world.row(REFERENCES[0]).values()
