"""Where no letter arrives: told by one that came back, until something is heard from there."""

from __future__ import annotations

from typing import Any

import pytest

from agent.procedure.entry import Entry
from agent.procedure.reach import opaque, reached_again, unreached_of
from agent.procedure.words import Happened
from tests.builders import MONDAY

DANA, IVY = "dana@trust.example", "ivy@trust.example"


def came_back(address: str, **facts: Any) -> Entry:
    return Entry(Happened.BOUNCED, None, MONDAY, "<report>", {"to": opaque(address), **facts})


def test_an_address_is_unreached_once_a_letter_came_back_from_it() -> None:
    assert unreached_of([came_back(DANA.upper())]) == {opaque(DANA)}
    assert unreached_of([]) == frozenset()


def test_a_report_that_names_nobody_stops_nothing() -> None:
    assert unreached_of([Entry(Happened.BOUNCED, "SLA-2026-0001", MONDAY, "<report>")]) == frozenset()


def test_one_from_before_addresses_were_marked_counts_while_it_is_not_erased() -> None:
    old = Entry(Happened.BOUNCED, "SLA-2026-0001", MONDAY, "<report>", {}, {"address": DANA})
    erased = Entry(Happened.BOUNCED, "SLA-2026-0001", MONDAY, "<report>", {}, None)

    assert unreached_of([old]) == {opaque(DANA)}
    assert unreached_of([erased]) == frozenset()


def test_only_who_was_unreached_is_reached_again() -> None:
    unreached = unreached_of([came_back(DANA)])
    (line,) = reached_again([DANA, IVY, DANA], unreached, MONDAY, "<mail>")

    assert unreached_of([came_back(DANA), came_back(IVY), line]) == {opaque(IVY)}
    assert unreached_of([came_back(DANA), line, came_back(DANA)]) == {opaque(DANA)}


@pytest.mark.parametrize("address", [DANA, "dana+n2k@trust.example", "d" * 80 + "@trust.example"])
def test_the_mark_of_an_address_names_nobody(address: str) -> None:
    assert len(opaque(address)) == 12
    assert "dana" not in opaque(address)
