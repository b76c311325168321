"""The second organisation's form: read in every layout, and never taken for the one it resembles."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agent.configuration import load
from agent.forms.read import read
from agent.forms.write import Layout, write_form
from agent.procedure.reading import Reading, Unreadable
from agent.settings import Settings

LAYOUTS: list[Layout] = ["controls", "table", "paragraphs"]
TOLD = {
    "form_kind": "Initial alert",
    "brief": "no",
    "form_date": "2026-04-20T09:50",
    "aware_at": "2026-04-19T23:10",
    "author": "Nadia Okonjo",
    "team_manager": "Joan Field",
    "reviewer": "Imogen Stroud",
    "incident_at": "2026-04-19T22:20",
    "summary": "An invented matter.",
    "missing_since": "2026-04-18T21:00",
    "high_risk": "yes",
    "police_ref": "26MIS0041187",
    "action_child": "Visited today.",
    "next_update_due": "2026-04-27",
    "contact": "First Response",
    "cross_referenced": "yes",
    "media": "Likely",
}
CHILD = {
    "child_name": "Rowan Bexhill-Ames",
    "dob": "2010-03-17",
    "system_id": "5120338",
    "child_status": "Child in need",
    "area": "Merton",
}
UPDATE = {
    "date": "2026-04-27",
    "text": "Home since Saturday.",
    "manager": "Joan Field",
    "reviewer": "Imogen Stroud",
}


@cache
def settings() -> Settings:
    return load(Path(__file__).parents[2] / "config")


def written(form: str, procedure: str, layout: Layout, **values: str) -> bytes:
    return write_form(
        settings().forms[form],
        values,
        {"children": [CHILD], "updates": [UPDATE]},
        ["E04", "E04a"],
        categories=settings().procedures[procedure].categories,
        layout=layout,
    )


def read_by(procedure: str, content: bytes) -> Reading | Unreadable:
    rules = settings().procedures[procedure]
    return read(content, "form.docx", settings().forms_of(rules), rules.categories)


def values(row: Any) -> dict[str, str]:
    return {name: found.value for name, found in row.items() if found.value}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_on_it_is_read(layout: Layout) -> None:
    reading = read_by("merton", written("leadership_alert", "merton", layout, **TOLD))

    assert isinstance(reading, Reading)
    assert reading.form == "leadership_alert"
    assert values(reading.fields) == {**TOLD, "category": "E04, E04a"}
    assert [values(row) for row in reading.tables["children"]] == [CHILD]
    assert [values(row) for row in reading.tables["updates"]] == [UPDATE]
    assert reading.ticked == ("E04", "E04a")
    assert reading.problems == ()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_of_the_two_forms_is_known_to_its_own_procedure_alone(layout: Layout) -> None:
    """Their labels are much alike, and the name of one is the end of the other's."""
    second = written("leadership_alert", "merton", layout, **TOLD)
    known = {name: TOLD[name] for name in settings().forms["sla"].fields if name in TOLD}
    first = written("sla", "nct", layout, **known)

    assert isinstance(read_by("nct", second), Unreadable)
    assert isinstance(read_by("merton", first), Unreadable)
    assert isinstance(read_by("nct", first), Reading)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("form", "procedure"), [("sla", "nct"), ("leadership_alert", "merton")])
def test_who_oversaw_an_update_is_read_though_the_form_asks_for_such_a_person_elsewhere_too(
    form: str, procedure: str, layout: Layout
) -> None:
    known = {name: TOLD[name] for name in settings().forms[form].fields if name in TOLD}
    reading = read_by(procedure, written(form, procedure, layout, **known))

    assert isinstance(reading, Reading)
    assert [values(row) for row in reading.tables["updates"]] == [UPDATE]
