"""Whose column is it? What people and the agent write beside each other ends well."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.procedure.rules import Column
from agent.register.base import Changes, Doubt, Edits, Sheet
from agent.register.cells import same
from agent.register.memory import MemoryRegister
from agent.register.merge import Merged, PersonsChange, Rows, merge

REF = Column("Ref", "agent", "reference")
COUNT = Column("Updates", "agent", "updates", "number")
NAME = Column("Child name", "proposed", "child_name")
DUE = Column("Due", "proposed", "next_update_due", "date")
HOLD = Column("On hold until", "person", "on_hold_until", "date")
NOTES = Column("Notes", "person")
COLUMNS = (REF, COUNT, NAME, DUE, HOLD, NOTES)
HEADINGS = tuple(column.heading for column in COLUMNS)

A = "HA-2026-0001"
B = "HA-2026-0002"
TWICE = Doubt("key_twice", A, "It stands twice.")


def said(reference: str = A, **values: str) -> dict[str, str]:
    return {"Ref": reference, "Updates": "1", "Child name": "Lena K", "Due": "2026-03-09"} | _named(values)


def stood(reference: str = A, **values: str) -> dict[str, str]:
    return {"On hold until": "", "Notes": ""} | said(reference) | _named(values)


def _named(values: dict[str, str]) -> dict[str, str]:
    short = {
        "updates": "Updates",
        "name": "Child name",
        "due": "Due",
        "hold": "On hold until",
        "notes": "Notes",
    }
    return {short[key]: value for key, value in values.items()}


def sheet(*rows: dict[str, str], headings: tuple[str, ...] = HEADINGS, **parts: Any) -> Sheet:
    shown = [{heading: value for heading, value in row.items() if heading in headings} for row in rows]
    return Sheet(headings, {row["Ref"]: row for row in shown}, **parts)


def changed(merged: Merged) -> list[tuple[str, str, str, str]]:
    return [(change.reference, change.heading, change.before, change.now) for change in merged.people]


def test_nothing_happened_so_nothing_is_written() -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood()), {A: said()})

    assert merged == Merged(Changes(), (), (), {A: stood()})


def test_an_alert_that_is_not_on_the_sheet_becomes_a_row() -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood()), {A: said(), B: said(B)})

    assert merged.changes == Changes(new_rows=(said(B),))
    assert merged.doubts == ()


def test_news_from_the_ledger_is_written() -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood()), {A: said(updates="2", due="2026-03-16")})

    assert merged.changes.cells == {A: {"Updates": "2", "Due": "2026-03-16"}}
    assert merged.people == ()


def test_in_an_agents_column_the_ledger_is_put_back_and_the_persons_value_reported() -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood(updates="7")), {A: said()})

    assert merged.changes.cells == {A: {"Updates": "1"}}
    assert merged.people == (PersonsChange(A, COUNT, "1", "7"),)
    assert merged.people[0].put_back


def test_in_a_proposed_column_the_person_wins_even_over_fresh_news() -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood(name="Lena Kovacs")), {A: said(name="L Kowacs")})

    assert merged.changes == Changes()
    assert changed(merged) == [(A, "Child name", "Lena K", "Lena Kovacs")]


def test_emptying_a_proposed_cell_is_a_persons_word_too() -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood(due="")), {A: said()})

    assert merged.changes == Changes()
    assert changed(merged) == [(A, "Due", "2026-03-09", "")]


def test_what_the_ledger_took_over_is_not_reported_again() -> None:
    """The agent was stopped after recording the person's change, before it remembered the sheet."""
    merged = merge(COLUMNS, {A: stood()}, sheet(stood(name="Lena Kovacs")), {A: said(name="Lena Kovacs")})

    assert merged.people == ()
    assert merged.changes == Changes()


def test_a_persons_column_is_reported_and_never_written() -> None:
    now = stood(hold="2026-04-01", notes="Rang the school")

    merged = merge(COLUMNS, {A: stood()}, sheet(now), {A: said(hold="2026-05-01", notes="x")})

    assert merged.changes == Changes()
    assert changed(merged) == [
        (A, "On hold until", "", "2026-04-01"),
        (A, "Notes", "", "Rang the school"),
    ]


@pytest.mark.parametrize("typed", ["9/3/2026", "9 March 2026", " 2026-03-09 "])
def test_another_spelling_is_no_change(typed: str) -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood(due=typed)), {A: said()})

    assert merged == Merged(Changes(), (), (), {A: stood(due=typed)})


def test_a_deleted_row_is_written_again_with_what_people_had_written_in_it() -> None:
    before = stood(hold="2026-04-01", notes="Rang the school") | {"Our own column": "blue"}

    merged = merge(COLUMNS, {A: before}, sheet(), {A: said(updates="2")})

    theirs = {"On hold until": "2026-04-01", "Notes": "Rang the school", "Our own column": "blue"}
    assert merged.changes.new_rows == (said(updates="2") | theirs,)
    assert "HA-2026-0001 is gone" in merged.doubts[0].text
    assert merged.seen == {A: before}


def test_a_row_is_restored_even_if_the_agent_died_while_restoring_it() -> None:
    """The sheet without the row was remembered already; what was to be written still knows of it."""
    merged = merge(COLUMNS, {}, sheet(), {A: said()}, intended={A: said() | {"Notes": "Rang the school"}})

    assert merged.changes.new_rows == (said() | {"Notes": "Rang the school"},)


def test_a_row_that_is_nobodys_is_left_alone() -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood(), stood("HA-2020-0007")), {A: said()})

    assert merged.changes == Changes()
    assert "HA-2020-0007 has a row in the register, but is no alert" in merged.doubts[0].text


def test_a_reference_that_stands_twice_is_neither_read_nor_written() -> None:
    there = sheet(stood(name="Somebody else"), twice=frozenset({A}), doubts=(TWICE,))

    merged = merge(COLUMNS, {A: stood()}, there, {A: said(updates="5")})

    assert merged.changes == Changes()
    assert merged.people == ()
    assert merged.doubts == (TWICE,)


def test_whichever_of_two_rows_is_left_what_a_person_changed_in_it_counts() -> None:
    """A row was copied, the copy corrected, and the original deleted."""
    copied = sheet(stood(name="Lena Kovacs"), twice=frozenset({A}))
    first = merge(COLUMNS, {A: stood()}, copied, {A: said()})
    assert first.seen == first.seen_after(copied) == {A: stood()}

    left = merge(COLUMNS, first.seen, sheet(stood(name="Lena Kovacs")), {A: said()})

    assert changed(left) == [(A, "Child name", "Lena K", "Lena Kovacs")]


def test_a_column_that_is_gone_was_not_emptied_by_anybody() -> None:
    without = tuple(heading for heading in HEADINGS if heading != "Child name")

    merged = merge(COLUMNS, {A: stood()}, sheet(stood(), headings=without), {A: said(name="L Kowacs")})

    assert merged.changes == Changes()
    assert merged.people == ()
    assert "no column “Child name”" in merged.doubts[0].text


def test_a_lost_workbook_is_written_anew_and_somebody_told() -> None:
    merged = merge(COLUMNS, {A: stood(notes="Mine")}, Sheet(), {A: said()})

    assert merged.changes.new_rows == (said() | {"Notes": "Mine"},)
    assert [doubt.code for doubt in merged.doubts] == ["workbook_gone"]


def test_a_value_the_agent_wrote_without_hearing_back_is_not_taken_for_a_persons() -> None:
    """Written, the answer lost, and meanwhile the ledger has moved on."""
    merged = merge(
        COLUMNS,
        {A: stood(due="2026-03-09")},
        sheet(stood(due="2026-03-16")),
        {A: said(due="2026-03-23")},
        intended={A: {"Due": "2026-03-16"}},
    )

    assert merged.people == ()
    assert merged.changes.cells == {A: {"Due": "2026-03-23"}}


def test_a_cell_emptied_in_a_row_the_agent_wrote_without_hearing_back_is_a_persons_word() -> None:
    """Empty is also what the agent remembers of it: but the rest of its row stands there."""
    merged = merge(COLUMNS, {}, sheet(stood(due="")), {A: said()}, intended={A: said()})

    assert changed(merged) == [(A, "Due", "2026-03-09", "")]
    assert merged.changes == Changes()


def test_what_the_agent_was_about_to_write_and_did_not_is_written_now() -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood()), {A: said(due="")}, intended={A: {"Due": ""}})

    assert merged.people == ()
    assert merged.changes.cells == {A: {"Due": ""}}


def test_a_cell_the_ledger_says_nothing_of_is_left() -> None:
    merged = merge(COLUMNS, {A: stood()}, sheet(stood()), {A: {"Ref": A}})

    assert merged.changes == Changes()


# --- any interleaving ----------------------------------------------------------------------------

WORDS = ["", "Lena", "Lena  K", "=1+1"]
DAYS = ["", "2026-03-09", "10/3/2026", "not known"]
VALUES = {
    "Child name": WORDS,
    "Due": DAYS,
    "On hold until": DAYS,
    "Notes": WORDS,
    "Updates": ["", "1", "2.0"],
}
REFERENCES = [f"HA-2026-{number:04d}" for number in range(1, 3)]
cell = st.sampled_from(sorted(VALUES)).flatmap(
    lambda heading: st.tuples(st.just(heading), st.sampled_from(VALUES[heading]))
)
step = st.one_of(
    st.tuples(st.just("person types"), st.sampled_from(REFERENCES), cell),
    st.tuples(st.just("news"), st.sampled_from(REFERENCES), cell),
    st.tuples(st.just("person deletes the row"), st.sampled_from(REFERENCES), st.none()),
    st.tuples(st.just("person sorts"), st.none(), st.none()),
    st.tuples(st.just("agent"), st.none(), st.none()),
    st.tuples(st.just("agent dies before writing"), st.none(), st.none()),
    st.tuples(st.just("agent dies after writing"), st.none(), st.none()),
)


class World:
    """A register, a ledger that remembers as bookkeeping does, and a note of what people typed last."""

    def __init__(self) -> None:
        self.register = MemoryRegister(COLUMNS)
        self.ledger: dict[str, dict[str, str]] = {}
        self.corrected: set[tuple[str, str]] = set()
        self.wrote: Rows = {}
        self.intended: Rows = {}
        self.typed: dict[tuple[str, str], str] = {}
        self.touched: set[tuple[str, str]] = set()

    def news(self, reference: str, heading: str, value: str) -> None:
        """A form says something new; never against a person's correction, never in a person's column."""
        row = self.ledger.setdefault(reference, {"Ref": reference, "Updates": "1"})
        owner = next(column.owner for column in COLUMNS if column.heading == heading)
        if owner != "person" and (reference, heading) not in self.corrected:
            row[heading] = value

    def types(self, reference: str, heading: str, value: str) -> None:
        rows = [row for row in self.register.rows if row["Ref"] == reference]
        if not rows:
            return
        column = next(column for column in COLUMNS if column.heading == heading)
        if heading in self.intended.get(reference, {}):
            # the agent was cut off over this cell: typing just what it was writing, or wrote before,
            # cannot be told from its own hand
            unsure = (self.intended[reference][heading], self.wrote.get(reference, {}).get(heading, ""))
            if any(same(column, value, other) for other in unsure):
                return
        if not same(column, rows[0].get(heading, ""), value):
            rows[0][heading] = value
            self.register.person_saved()
            self.touched.add((reference, heading))
            if column.owner != "agent":
                self.typed[reference, heading] = value

    def deletes(self, reference: str) -> None:
        """By mistake, after the agent had seen the row as it is (what was never seen, nobody can restore)."""
        self.agent()
        self.register.rows = [row for row in self.register.rows if row["Ref"] != reference]
        self.register.person_saved()

    def agent(self, dies: str = "") -> None:
        book = self.register.read(None)
        assert book is not None
        sheet = book.register
        merged = merge(COLUMNS, self.wrote, sheet, self.ledger, self.intended)
        for change in merged.people:
            told = (change.reference, change.heading)
            assert told in self.touched, "the agent took its own writing for a person's"
            if change.column.owner == "proposed":
                self.corrected.add((change.reference, change.heading))
                self.ledger[change.reference][change.heading] = change.now
        self.wrote, self.intended = merged.seen, {}
        merged = merge(COLUMNS, self.wrote, sheet, self.ledger)
        if not merged.changes:
            return
        self.intended = {**merged.changes.cells, **{row["Ref"]: row for row in merged.changes.new_rows}}
        if dies == "before":
            return
        written = self.register.write(Edits(register=merged.changes), book.version)
        if dies == "after":
            return
        self.wrote, self.intended = merged.seen_after(written.register), {}


@settings(max_examples=250, deadline=None)
@given(st.lists(step, min_size=4, max_size=40))
def test_any_interleaving_of_peoples_and_the_agents_edits_ends_well(steps: list[Any]) -> None:
    """No edit of a person's is lost, no row doubled, and at the end nothing is left to do."""
    world = World()
    for what, reference, told in steps:
        match what:
            case "person types":
                world.types(reference, *told)
            case "news":
                world.news(reference, *told)
            case "person deletes the row":
                world.deletes(reference)
            case "person sorts":
                world.register.rows.reverse()
            case "agent":
                world.agent()
            case _:
                world.agent(dies=what.split()[2])
    world.agent()

    book = world.register.read(None)
    assert book is not None
    there = book.register
    references = [row["Ref"] for row in world.register.rows]
    assert sorted(references) == sorted(world.ledger)
    for (reference, heading), value in world.typed.items():
        column = next(column for column in COLUMNS if column.heading == heading)
        assert same(column, there.rows[reference][heading], value), "a person's edit was lost"
    for reference, row in world.ledger.items():
        for heading, value in row.items():
            column = next(column for column in COLUMNS if column.heading == heading)
            assert same(column, there.rows[reference][heading], value), "the ledger's value is not shown"
    again = merge(COLUMNS, world.wrote, there, world.ledger, world.intended)
    assert (again.changes, again.people) == (Changes(), ())
