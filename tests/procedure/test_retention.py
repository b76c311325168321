"""When an alert's names and narrative may go: some days after its end, unless a person holds it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.procedure.alert import Alert
from agent.procedure.retention import due_for_erasure, on_legal_hold
from tests.builders import MONDAY, later

NOW = later(days=20)
A, B, C = "SLA-2026-0001", "SLA-2026-0002", "SLA-2026-0003"


def alert(reference: str = A, **told: Any) -> Alert:
    return Alert(reference, MONDAY, "sw@nct.example", "nct_sla", last_news_at=MONDAY, **told)


def due(*alerts: Alert, noted: Collection[str] = (), days: int = 10, now: datetime = NOW) -> list[str]:
    known = {one.reference: one for one in alerts}
    return list(due_for_erasure(known, on_legal_hold(known, noted), days, now))


@pytest.mark.parametrize(
    ("told", "is_due"),
    [
        pytest.param({}, False, id="open, however old"),
        pytest.param({"concluded_at": later(days=9)}, True, id="concluded long enough ago"),
        pytest.param({"concluded_at": later(days=10)}, False, id="concluded on this very day"),
        pytest.param({"concluded_at": later(days=1), "bounced": frozenset({"x"})}, True, id="undelivered"),
        pytest.param({"not_an_alert": True, "dismissed_at": later(days=9)}, True, id="never an alert"),
        pytest.param({"not_an_alert": True, "dismissed_at": later(days=11)}, False, id="dismissed of late"),
        pytest.param({"provisional": True}, False, id="nobody said what it is"),
        pytest.param({"concluded_at": later(days=1), "erased": True}, False, id="erased already"),
        pytest.param({"concluded_at": MONDAY, "values": {"legal_hold": "CP/7"}}, False, id="held"),
        pytest.param({"concluded_at": MONDAY, "values": {"legal_hold": ""}}, True, id="no longer held"),
    ],
)
def test_an_alert_goes_when_it_ended_long_enough_ago(told: dict[str, Any], is_due: bool) -> None:
    assert due(alert(**told)) == [A] * is_due


def test_news_after_the_end_begin_the_time_anew() -> None:
    heard = Alert(A, MONDAY, "sw@nct.example", "nct_sla", later(days=15), concluded_at=later(days=1))
    assert due(heard) == []
    assert due(heard, now=later(days=26)) == [A]


def test_without_a_number_of_days_all_is_kept_for_ever() -> None:
    assert due(alert(concluded_at=MONDAY), days=0, now=later(days=9999)) == []


def test_a_word_in_the_register_holds_it() -> None:
    ended = alert(A, concluded_at=MONDAY), alert(B, concluded_at=MONDAY)
    assert due(*ended, noted={A, "SLA-1999-0001"}) == [B]


class TestWhatWasMerged:
    first = alert(A, not_an_alert=True, dismissed_at=MONDAY, merged_into=B)
    second = alert(B, not_an_alert=True, dismissed_at=MONDAY, merged_into=C)

    def test_waits_for_the_one_that_goes_on(self) -> None:
        assert due(self.first, self.second, alert(C)) == []
        assert due(self.first, self.second, alert(C, concluded_at=later(days=1))) == [A, B, C]

    @pytest.mark.parametrize("held", [A, B, C])
    def test_is_held_as_one_matter(self, held: str) -> None:
        assert due(self.first, self.second, alert(C, concluded_at=MONDAY), noted={held}) == []

    def test_into_one_that_nobody_knows_goes_by_itself(self) -> None:
        assert due(alert(A, not_an_alert=True, dismissed_at=MONDAY, merged_into="SLA-1999-0001")) == [A]


@given(st.integers(1, 4000), st.integers(0, 4000), st.integers(0, 4000), st.booleans())
def test_nothing_goes_before_its_time_or_against_a_hold(days: int, ended: int, age: int, held: bool) -> None:
    told = alert(concluded_at=MONDAY + timedelta(days=ended), values={"legal_hold": "x"} if held else {})
    found = due(told, days=days, now=MONDAY + timedelta(days=age))
    assert bool(found) == (not held and age - ended > days)
