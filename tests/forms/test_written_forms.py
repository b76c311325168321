"""What the agent offers, it reads: every layout, blank and filled."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from agent.forms.definition import FormDefinition, FormField
from agent.forms.labels import label_book
from agent.forms.read import read
from agent.forms.write import Layout, write_form
from agent.procedure.reading import Field, Reading
from agent.procedure.rules import Category
from tests.builders import settings as shipped
from tests.forms.filling import filled
from tests.register.books import needs_libreoffice, soffice

LAYOUTS: tuple[Layout, ...] = get_args(Layout)

VALUES = {
    "form_kind": "Initial alert",
    "form_date": "2025-03-04T16:10",
    "author": "Priya Example, Team Manager",
    "author_team": "Safeguarding North",
    "reviewer": "Jordan O’Example",
    "signed_off_at": "2025-03-04T17:00",
    "incident_at": "2025-03-04T09:30",
    "aware_at": "2025-03-04",
    "location": "Family home: first floor",
    "staff_subject": "no",
    "summary": "A.B. was found unresponsive at 09:40.\nAmbulance: called at once.",
    "media": "None known",
    "next_update_due": "2025-03-06",
    "police_ref": "NP/123/25",
    "conclusion": "No further action.",
    "conclusion_date": "2025-04-01",
}
TABLES = {
    "children": [
        {"child_name": "Anna-Maria Beispiel", "dob": "2012-05-06", "system_id": "123456", "area": "North"},
        {"child_name": "Zoë Beispiel", "dob": "2014-07-08", "child_status": "Child in care"},
    ],
    "actions": [{"action": "Strategy meeting", "owner": "Priya Example", "by_when": "2025-03-05"}],
    "updates": [
        {
            "date": "2025-03-05",
            "text": "Discharged home.",
            "manager": "Priya Example",
            "reviewer": "Jordan Example",
        },
        {
            "date": "2025-03-12T10:00",
            "text": "Plan agreed.",
            "manager": "Sam Example",
            "reviewer": "Jordan Example",
        },
    ],
}


def plain(row: Mapping[str, Field]) -> dict[str, str]:
    return {name: field.value for name, field in row.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_filled_form_is_read_back_whole(
    layout: Layout, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    content = write_form(definitions[0], VALUES, TABLES, ["M07", "K03"], categories=categories, layout=layout)
    found = read(content, "form.docx", definitions, categories)
    assert isinstance(found, Reading)
    assert found.form == "sla"
    assert plain(found.fields) == {**VALUES, "category": "K03, M07"}
    assert {name: [plain(row) for row in rows] for name, rows in found.tables.items()} == TABLES
    assert found.ticked == ("K03", "M07")
    assert (found.problems, found.unread) == ((), ())
    assert all(field.confidence >= 0.85 for field in found.fields.values())


FORMS = {name: by for by, procedure in shipped().procedures.items() for name in procedure.forms}
KINDS = ["docx", *(pytest.param(kind, marks=needs_libreoffice) for kind in ("pdf", "odt", "doc"))]


@dataclass(frozen=True)
class Filled:
    """A blank form whose every control was filled in: where it lies, and what was written there."""

    path: Path
    singles: dict[str, str]
    rows: dict[str, list[dict[str, str]]]
    ticked: str

    def saved_as(self, kind: str) -> bytes:
        """As LibreOffice saves it; all forms of the folder at once, for it is slow to start."""
        path = self.path.with_suffix(f".{kind}")
        if not path.exists():
            profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
            order = [str(soffice), profile, "--headless", "--convert-to", kind, "--outdir", str(path.parent)]
            forms = [str(form) for form in path.parent.glob("*.docx")]
            subprocess.run([*order, *forms], check=True, capture_output=True, timeout=240)
        return path.read_bytes()


@pytest.fixture(scope="module")
def filled_forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Filled]:
    folder, forms = tmp_path_factory.mktemp("filled"), {}
    for name, by in FORMS.items():
        categories = shipped().procedures[by].categories
        blank = write_form(shipped().forms[name], {}, {}, (), categories=categories)
        content, singles, rows = filled(blank, shipped().forms[name], categories[3].code)
        (folder / f"{name}.docx").write_bytes(content)
        forms[name] = Filled(folder / f"{name}.docx", singles, rows, categories[3].code)
    return forms


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FORMS)
def test_every_control_of_a_blank_form_filled_in_is_read_back_also_once_it_was_saved_otherwise(
    name: str, kind: str, filled_forms: dict[str, Filled]
) -> None:
    procedure, form = shipped().procedures[FORMS[name]], filled_forms[name]
    found = read(form.saved_as(kind), f"form.{kind}", shipped().forms_of(procedure), procedure.categories)

    assert isinstance(found, Reading)
    said = {**form.singles, "category": form.ticked}  # the boxes say more than the line beside them
    assert _in_one_line(plain(found.fields)) == _in_one_line(said)
    assert {table: [_in_one_line(plain(row)) for row in rows] for table, rows in found.tables.items()} == {
        table: [_in_one_line(row) for row in rows] for table, rows in form.rows.items()
    }
    assert (found.ticked, found.problems) == ((form.ticked,), ())
    assert min(field.confidence for field in found.fields.values()) >= 0.85


def _in_one_line(row: Mapping[str, str]) -> dict[str, str]:
    """A PDF has no lines but those of the page."""
    return {name: " ".join(value.split()) for name, value in row.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("number", [0, 1])
def test_a_blank_form_answers_nothing(
    layout: Layout, number: int, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    content = write_form(definitions[number], {}, {}, [], categories=categories, layout=layout)
    found = read(content, "form.docx", definitions, categories)
    assert isinstance(found, Reading)
    assert found.form == definitions[number].name
    assert (found.fields, found.tables, found.ticked, found.unread) == ({}, {}, (), ())
    assert [problem.split(":")[0] for problem in found.problems] == ["blank_form"]


def answers(asked: FormField) -> st.SearchStrategy[str]:
    """Answers that a person might give to one field, in the form they are normalised to."""
    if asked.type == "date":
        return st.dates(min_value=_day("1971-01-01"), max_value=_day("2069-12-31")).map(str)
    if asked.type == "datetime":
        return st.datetimes(min_value=_at("1971-01-01"), max_value=_at("2069-12-31")).map(
            lambda at: f"{at:%Y-%m-%dT%H:%M}"
        )
    if asked.options:
        return st.sampled_from(
            [option.lower() if asked.type == "yes_no" else option for option in asked.options]
        )
    # letters of many scripts, with what stands in names and sentences; a "w" first, so that it is no label
    words = st.text("aäéłŠ'’-.,;:()/& 0123456789\u4e2dя", min_size=1, max_size=60)
    # nor dots at its end: those are the line on which it is written
    return words.map(lambda text: re.sub(r"(?<=\.)[. ]*\.$", "", " ".join(f"wq{text}".split())))


def _day(iso: str) -> Any:
    from datetime import date

    return date.fromisoformat(iso)


def _at(iso: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(iso)


def somehow_filled(
    definition: FormDefinition, categories: Sequence[Category]
) -> st.SearchStrategy[dict[str, Any]]:
    """A form as somebody might fill it in: some fields, some children, some boxes."""
    asked = {name: answers(field) for name, field in definition.fields.items() if name != "category"}
    child = {
        column.name: answers(column) for column in definition.tables["children"].columns if column.mandatory
    }
    return st.fixed_dictionaries(
        {
            "layout": st.sampled_from(LAYOUTS),
            "values": st.fixed_dictionaries({}, optional=asked),
            "children": st.lists(st.fixed_dictionaries(child), max_size=3),
            "ticked": st.sets(st.sampled_from([category.code for category in categories]), max_size=5),
        }
    )


@pytest.mark.parametrize("number", [0, 1])
def test_whatever_is_written_is_read_back(
    number: int, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    definition = definitions[number]

    @settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
    @given(somehow_filled(definition, categories))
    def is_read_back(form: dict[str, Any]) -> None:
        tables = {"children": form["children"]} if form["children"] else {}
        content = write_form(
            definition, form["values"], tables, form["ticked"], categories=categories, layout=form["layout"]
        )
        found = read(content, "form.docx", definitions, categories)
        assert isinstance(found, Reading)
        codes = ", ".join(sorted(form["ticked"]))
        assert plain(found.fields) == form["values"] | ({"category": codes} if codes else {})
        distinct = [row for index, row in enumerate(form["children"]) if row not in form["children"][:index]]
        assert [plain(row) for row in found.tables.get("children", ())] == distinct
        assert found.ticked == tuple(sorted(form["ticked"]))
        assert all(problem.startswith("blank_form:") for problem in found.problems)

    is_read_back()


def test_the_same_answers_give_the_same_bytes(
    definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    first, second = (
        write_form(definitions[0], VALUES, TABLES, ["M07"], categories=categories) for _ in range(2)
    )
    assert first == second


def test_every_part_is_well_formed_and_says_nothing_of_its_author(
    definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    odd = {"author": '\x00\x0b<&">\ud800 name', "summary": "]]>\r\n\ttab"}
    content = write_form(definitions[0], odd, {}, [], categories=categories)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            etree.fromstring(archive.read(name))
        assert b"creator" not in archive.read("docProps/core.xml")


def test_no_two_labels_of_a_form_mean_the_same_everywhere(
    definitions: Sequence[FormDefinition], categories: tuple[Category, ...]
) -> None:
    """A label that could mean two fields would never be read outside its own section."""
    for definition in definitions:
        book = label_book(definition, categories)
        for section in definition.sections:
            for asked in section.fields:
                for label in (asked.label, *asked.variants):
                    found = book.exactly(label)
                    assert found, (definition.name, label)
                    assert found.meaning.field.name == asked.name, (definition.name, label)


def test_only_the_first_two_pages_are_the_summary(definitions: Sequence[FormDefinition]) -> None:
    on_summary = definitions[0].on_summary_pages
    assert {"summary", "current_position", "incident_at"} <= on_summary
    assert not {"children", "police_ref", "siblings", "panel", "updates", "conclusion"} & on_summary
