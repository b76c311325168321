"""The list for learning and annual reports: what it tells, and that it leads back to nobody."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agent.procedure.alert import Alert
from agent.procedure.anonymised import OTHER, anonymised
from agent.settings import Settings
from agent.verbs.anonymised_list import anonymised_list
from tests.builders import later
from tests.procedure.situations import PEOPLE, alert, at, calendar, procedure
from tests.test_records import settings as settings

NOW = "Mon 1 Jun 2026 09:00"


def listed(*alerts: Alert, **asked: Any) -> list[dict[str, str]]:
    headings, *lines = anonymised(alerts, at(NOW), procedure(), PEOPLE, calendar(), **asked)
    return [dict(zip(headings, line, strict=True)) for line in lines]


def test_it_tells_month_kind_and_what_was_chosen_from_lists() -> None:
    (one,) = listed(alert("Mon 2 Mar 2026 10:00", values={"area": "north", "do_told": "Yes"}, updates=2))

    assert (one["Month received"], one["Form type"], one["Categories"]) == ("2026-03", "Standard", "M07")
    assert (one["Area"], one["Designated Officer"], one["Updates"]) == ("North", "Yes", "2")


def test_children_of_two_areas_are_told_under_both() -> None:
    both = alert(values={"area": "North; west"})

    assert [one["Area"] for one in listed(both, area="West")] == ["North; West"]
    assert [one["Area"] for one in listed(both, area="north")] == ["North; West"]
    assert listed(both, area="Out of county") == []
    assert listed(alert(values={"area": "North; Corby"}))[0]["Area"] == "North; Other"


def test_no_word_that_anybody_wrote_is_in_it() -> None:
    planted = "Zyx Robin"
    values = {column.field: planted for column in procedure().columns if column.field}
    known = alert(
        values=values, corrected=frozenset(values), conclusion_text=planted, categories=("M07", planted)
    )

    (one,) = listed(known)

    assert one["Area"] == OTHER
    assert "Zyx" not in str(one)
    assert not {"SLA-2026-0001", "R.F."} & set(one.values())


def test_no_place_in_the_list_tells_which_alert_it_is() -> None:
    early, late = alert(number=1, categories=("M07",)), alert(number=2, categories=("K01",))

    assert listed(early, late) == listed(late, early)


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({}, 2),
        ({"first": date(2026, 3, 3)}, 1),
        ({"last": date(2026, 3, 2)}, 1),
        ({"category": "M14"}, 1),
        ({"category": "M01"}, 0),
        ({"area": "west"}, 1),
    ],
)
def test_it_can_be_narrowed(asked: dict[str, Any], number: int) -> None:
    first = alert("Mon 2 Mar 2026 10:00", 1, values={"area": "North"})
    second = alert("Tue 3 Mar 2026 10:00", 2, values={"area": "West"}, categories=("M14",))

    assert len(listed(first, second, alert(number=3, not_an_alert=True), **asked)) == number


def test_it_is_written_as_spreadsheets_open_it(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"

    said = list(anonymised_list(settings, "nct", file, later(days=8)))

    with file.open(encoding="utf-8-sig", newline="") as written:
        assert len(list(csv.reader(written))) == 3
    assert "2 alerts" in said[0]
    assert not any(
        name in file.read_text(encoding="utf-8-sig") for name in ("Robin", "Millbrook", "SLA-2026")
    )
