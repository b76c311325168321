"""Each version of the register is in the ledger, and two ways into one workbook are never mixed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent.bookkeeping import bookkeeping
from agent.errors import TryAgainLater
from agent.ledger.base import REGISTER
from agent.procedure.entry import Entry
from agent.procedure.kept import Written, mixed_until
from agent.procedure.words import Happened
from agent.register.base import Book, Sheet
from tests.builders import MONDAY
from tests.steps.small_office import Office


def written(office: Office) -> list[Entry]:
    return [one for one in office.ledger.entries() if one.happened is Happened.REGISTER_WRITTEN]


def test_each_version_that_was_written_is_in_the_ledger_with_its_hash() -> None:
    office = Office()
    office.opens_alert()
    office.works(MONDAY)

    book = office.register.read(None)
    assert book is not None
    (*_, last) = written(office)
    assert last.facts == {
        "workbook": REGISTER,
        "kind": "memory",
        "place": "",
        "item": "",
        "version": book.version,
        "hash": book.hash,
    }
    assert office.ledger.kept().written[REGISTER].hash == book.hash


def test_the_hash_tells_whether_two_workbooks_say_the_same() -> None:
    one = Book("1", Sheet(("Ref", "Notes"), {"A": {"Ref": "A", "Notes": ""}}), summary={"B4": "1"})
    moved = Book("2", Sheet(("Notes", "Ref"), {"A": {"Notes": "", "Ref": "A"}}), summary={"B4": "1"})
    others = [
        replace(one, summary={"B4": "2"}),
        replace(one, questions=one.register, register=one.questions),
        replace(one, register=Sheet(("Ref", "Notes"), {"A": {"Ref": "A", "Notes": "Rang"}})),
        replace(one, register=Sheet(("Ref", "Notes"), {"A": {"Ref": "", "Notes": "A"}})),
        replace(one, register=Sheet(("Ref", "Remarks"), {"A": {"Ref": "A", "Remarks": ""}})),
    ]

    assert moved.hash == one.hash
    assert len({one.hash, *(other.hash for other in others)}) == 1 + len(others)


def test_a_round_that_changes_nothing_writes_no_version() -> None:
    office = Office()
    office.opens_alert()
    office.works(MONDAY)
    before = len(written(office))

    office.works(MONDAY + timedelta(minutes=5))

    assert len(written(office)) == before


def test_the_summary_is_written_when_its_figures_change_and_put_back_when_typed_over() -> None:
    office = Office()
    office.opens_alert()
    office.works(MONDAY)
    assert office.register.summary["B6"] == "1"

    office.register.summary["B6"] = "42"
    office.register.person_saved()
    office.works(MONDAY + timedelta(minutes=5))

    assert office.register.summary["B6"] == "1"


def test_a_register_written_by_another_way_just_now_waits_until_both_cannot_meet() -> None:
    office = Office()
    office.opens_alert()
    facts = {"workbook": REGISTER, "kind": "sharepoint_workbook"}
    with office.ledger.page() as page:
        page.record(Entry(Happened.REGISTER_WRITTEN, None, MONDAY, "bookkeeping", facts))
    office.types("SLA-2026-0001", status="Concluded")

    with pytest.raises(TryAgainLater, match="written from 09:12 on"):
        bookkeeping(office.desk, MONDAY + timedelta(minutes=2))
    bookkeeping(office.desk, MONDAY + timedelta(minutes=12))

    assert written(office)[-1].facts["kind"] == "memory"


@pytest.mark.parametrize(
    ("kind", "minutes", "waits"),
    [("a", 1, False), ("b", 1, True), ("b", 11.9, True), ("b", 12, False)],
)
def test_only_another_way_within_the_window_is_waited_for(kind: str, minutes: float, waits: bool) -> None:
    last = Written(MONDAY, "a", "", "", "v1", "")
    now: datetime = MONDAY + timedelta(minutes=minutes)

    assert (mixed_until(last, kind, now) is not None) == waits
    assert mixed_until(None, kind, now) is None
