"""Whose column is it? What people and the agent write beside each other ends well."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from agent.procedure.rules import Column
from agent.register.base import Changes, Doubt, Edits, Sheet
from agent.register.cells import same
from agent.register.memory import MemoryRegister
from agent.register.merge import Merged, PersonsChange, Rows, merge
from agent.register.recognise import check_of

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
    assert not merge(COLUMNS, {A: stood()}, sheet(stood()), {A: said(hold="2026-05-01")}).changes


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
    assert "no column “Child name” any more" in merged.doubts[0].text


def test_a_column_that_comes_back_after_its_row_was_written_again_was_not_emptied_by_anybody() -> None:
    """Somebody took a column out and a row with it, and put the column back, empty."""
    without = tuple(heading for heading in HEADINGS if heading != "Child name")
    known = {A: stood(), B: stood(B)}
    says = {A: said(), B: said(B)}
    merged = merge(COLUMNS, known, sheet(stood(B), headings=without), says, headings_before=HEADINGS)
    seen = merged.seen_after(sheet(stood(B), stood(), headings=without))
    back = sheet(stood(B, name=""), stood(name=""))
    again = merge(COLUMNS, seen, back, says, headings_before=without)

    assert changed(again) == []
    assert again.changes == Changes({one: {"Child name": "Lena K"} for one in (A, B)})


def test_a_column_that_never_stood_there_is_no_fault_of_anybodys() -> None:
    """A register made before the column was thought of."""
    before = {heading: text for heading, text in stood().items() if heading != "Child name"}
    without = tuple(heading for heading in HEADINGS if heading != "Child name")

    merged = merge(COLUMNS, {A: before}, sheet(stood(), headings=without), {A: said()})

    (doubt,) = merged.doubts
    assert "any more" not in doubt.text
    assert "Nothing is lost by that" in doubt.text


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


def test_a_column_that_was_renamed_for_a_while_is_the_agents_own_hand_still() -> None:
    """Its heading comes back when the ledger has long moved on."""
    without = tuple(heading for heading in HEADINGS if heading != "Child name")
    gone = merge(COLUMNS, {A: stood()}, sheet(stood(), headings=without), {A: said()})

    back = merge(COLUMNS, gone.seen, sheet(stood()), {A: said(name="L Kowacs")})

    assert back.people == ()
    assert back.changes.cells == {A: {"Child name": "L Kowacs"}}


def test_in_a_hidden_row_nothing_stands_but_what_the_ledger_says() -> None:
    before = stood(notes="Rang the school") | {"Our own column": "blue"}
    there = sheet(before, headings=(*HEADINGS, "Our own column"))

    merged = merge(COLUMNS, {A: before}, there, {A: {"Ref": A, "Updates": "1"}}, hidden={A})

    emptied = {"Child name": "", "Due": "", "Notes": "", "Our own column": ""}
    assert merged.changes.cells == {A: emptied}
    assert merged.people == ()


def test_what_is_typed_into_a_hidden_row_is_reported_and_put_back() -> None:
    row = dict.fromkeys(HEADINGS, "") | {"Ref": A}

    merged = merge(COLUMNS, {A: row}, sheet(row | {"Notes": "He was seen"}), {A: {"Ref": A}}, hidden={A})

    assert changed(merged) == [(A, "Notes", "", "He was seen")]
    assert merged.people[0].put_back
    assert merged.changes.cells == {A: {"Notes": ""}}


# --- any interleaving ----------------------------------------------------------------------------

KEPT = (*COLUMNS, Column("Key", "agent", "key", hidden=True))
OWN = "Our own column"
WORDS = ["", "Lena", "Lena  K", "=1+1"]
DAYS = ["", "2026-03-09", "10/3/2026", "not known"]
VALUES = {
    "Child name": WORDS,
    "Due": DAYS,
    "On hold until": DAYS,
    "Notes": WORDS,
    "Updates": ["", "1", "2.0"],
    OWN: WORDS,
}
REFERENCES = [f"HA-2026-{number:04d}" for number in range(1, 4)]
reference = st.sampled_from(REFERENCES)
cell = st.sampled_from(sorted(VALUES)).flatmap(
    lambda heading: st.tuples(st.just(heading), st.sampled_from(VALUES[heading]))
)


class Story(RuleBasedStateMachine):
    """A register, a ledger that remembers as bookkeeping does, and a note of what people typed last."""

    def __init__(self) -> None:
        super().__init__()
        self.register = MemoryRegister(KEPT)
        self.ledger: dict[str, dict[str, str]] = {}
        self.corrected: set[tuple[str, str]] = set()
        self.wrote: Rows = {}
        self.intended: Rows = {}
        self.typed: dict[tuple[str, str], str] = {}
        self.touched: set[tuple[str, str]] = set()
        self.renamed = False

    def rows_of(self, one: str) -> list[dict[str, str]]:
        """By the hidden key, which people leave alone."""
        return [row for row in self.register.rows if row["Key"] == check_of(one)]

    @rule(one=reference, told=cell)
    def news(self, one: str, told: tuple[str, str]) -> None:
        """A form says something new; never against a person's correction, never in a person's column."""
        heading, value = told
        row = self.ledger.setdefault(one, {"Ref": one, "Updates": "1"})
        owner = next((column.owner for column in KEPT if column.heading == heading), "person")
        if owner != "person" and (one, heading) not in self.corrected:
            row[heading] = value

    @rule(one=reference, told=cell)
    def a_person_types(self, one: str, told: tuple[str, str]) -> None:
        heading, value = told
        rows = self.rows_of(one)
        if not rows or heading not in self.register.headings:
            return
        column = next((each for each in KEPT if each.heading == heading), Column(heading, "person"))
        if heading in self.intended.get(one, {}):
            # the agent was cut off over this cell: typing just what it was writing, or wrote before,
            # cannot be told from its own hand
            unsure = (self.intended[one][heading], self.wrote.get(one, {}).get(heading, ""))
            if any(same(column, value, other) for other in unsure):
                return
        if not same(column, rows[0].get(heading, ""), value):
            rows[0][heading] = value
            self.touched.add((one, heading))
            self.register.person_saved()
            if column.owner != "agent":
                self.typed[one, heading] = value

    @rule(one=reference, typed=st.sampled_from(["", "see Casey", "HA-2026-0099", *REFERENCES]))
    def a_person_damages_a_reference(self, one: str, typed: str) -> None:
        for row in self.rows_of(one)[:1]:
            row["Ref"] = typed
            self.touched.add((one, "Ref"))
            self.register.person_saved()

    @precondition(lambda story: not story.renamed)
    @rule(one=reference)
    def a_person_deletes_a_row(self, one: str) -> None:
        """By mistake, after the agent had seen it as it is (what was never seen, nobody can restore)."""
        self.agent()
        if [row["Key"] for row in self.register.rows if row["Ref"] == one] == [check_of(one)]:
            self.register.rows = [row for row in self.register.rows if row not in self.rows_of(one)]
            self.register.person_saved()

    @rule(one=reference)
    def a_person_copies_a_row(self, one: str) -> None:
        if len(self.rows_of(one)) == 1:
            self.register.rows.append(dict(self.rows_of(one)[0]))
            self.register.person_saved()

    @rule()
    def a_person_deletes_the_copies(self) -> None:
        for one in REFERENCES:
            for copy in self.rows_of(one)[1:]:
                self.register.rows = [row for row in self.register.rows if row is not copy]
        self.register.person_saved()

    @rule(reverse=st.booleans())
    def a_person_sorts(self, reverse: bool) -> None:
        """The first of two copies stays the first."""
        self.register.rows.sort(key=lambda row: row["Key"], reverse=reverse)
        self.register.person_saved()

    @rule()
    def a_person_adds_a_column(self) -> None:
        if OWN not in self.register.headings:
            self.register.headings.insert(2, OWN)
            self.register.person_saved()

    @rule()
    def a_person_renames_a_heading_or_takes_that_back(self) -> None:
        old, new = ("Was: child name", "Child name") if self.renamed else ("Child name", "Was: child name")
        self.renamed = not self.renamed
        headings = self.register.headings
        headings[headings.index(old)] = new
        self.register.rows = [
            {new if heading == old else heading: text for heading, text in row.items()}
            for row in self.register.rows
        ]
        self.register.person_saved()

    @rule(dies=st.sampled_from(["", "before writing", "after writing"]))
    def agent_works(self, dies: str) -> None:
        """Cut off while a heading was renamed too, it may ask about its own hand: not tried here."""
        self.agent("" if self.renamed else dies)

    def agent(self, dies: str = "") -> None:
        book = self.register.read(None)
        assert book is not None
        sheet = book.register
        merged = merge(KEPT, self.wrote, sheet, self.ledger, self.intended)
        for change in merged.people:
            told = (change.reference, change.heading)
            assert told in self.touched, "the agent took its own writing for a person's"
            if change.column.owner == "proposed":
                self.corrected.add(told)
                self.ledger[change.reference][change.heading] = change.now
        self.wrote, self.intended = merged.seen, {}
        merged = merge(KEPT, self.wrote, sheet, self.ledger)
        if not merged.changes:
            return
        self.intended = {**merged.changes.cells, **{row["Ref"]: row for row in merged.changes.new_rows}}
        if dies == "before writing":
            return
        written = self.register.write(Edits(register=merged.changes), book.version)
        if dies == "after writing":
            return
        self.wrote, self.intended = merged.seen_after(written.register), {}

    def teardown(self) -> None:
        """People put copies, headings and other rows' references right, and the agent has its round: no edit
        of a person's is lost, no row doubled, and nothing is left to do."""
        self.a_person_deletes_the_copies()
        for one in REFERENCES:
            for row in self.rows_of(one):
                if row["Ref"] in REFERENCES:  # a row that seems to be another's: somebody takes that back
                    row["Ref"] = one
        if self.renamed:
            self.a_person_renames_a_heading_or_takes_that_back()
        self.agent()
        self.agent()
        book = self.register.read(None)
        assert book is not None
        there = book.register
        assert sorted(row["Ref"] for row in self.register.rows) == sorted(self.ledger)
        for (one, heading), value in self.typed.items():
            column = next((each for each in KEPT if each.heading == heading), Column(heading, "person"))
            assert same(column, there.rows[one][heading], value), "a person's edit was lost"
        for one, row in self.ledger.items():
            for heading, value in row.items():
                column = next((each for each in KEPT if each.heading == heading), Column(heading, "person"))
                assert same(column, there.rows[one][heading], value), "the ledger's value is not shown"
        again = merge(KEPT, self.wrote, there, self.ledger, self.intended)
        assert (again.changes, again.people) == (Changes(), ())


Story.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestAnyInterleaving = Story.TestCase
