"""An office's own blank form becomes a definition by which its filled copies are read."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agent.forms.definition import FormDefinition
from agent.forms.draft import draft
from agent.forms.read import document_of, read
from agent.forms.units import Cell, Document, Unit
from agent.forms.write import write_form
from agent.procedure.reading import Reading
from tests.builders import settings
from tests.forms.conftest import docx, p, table
from tests.register.books import needs_libreoffice, soffice

KNOWN = tuple(settings().forms.values())
Paper = Callable[[Mapping[str, str]], str]  # the body of a Word document


def drafted(content: bytes) -> tuple[str, FormDefinition]:
    told = draft(document_of(content), "form", KNOWN)
    return told, TypeAdapter(FormDefinition).validate_python(tomllib.loads(told))


def filled_in(definition: FormDefinition, content: bytes) -> Reading:
    found = read(content, "form.docx", [definition], ())
    assert isinstance(found, Reading), found
    return found


# ---------------------------------------------------------------- invented councils' papers


def two_columns(said: Mapping[str, str]) -> str:
    """Labels on the left, empty cells on the right, choices printed, a row of headings for updates."""
    return (
        p("Fenwick Vale Serious Matter Form")
        + p("About the form")
        + table(
            ["Completed by", said.get("author", "")],
            ["Date form completed", said.get("form_date", "")],
            ["Responsible Strategic Manager", said.get("reviewer", "")],
            ["Which district", said.get("which_district", "North / Mid / Coast")],
        )
        + p("The young person")
        + table(
            ["Name of child:", said.get("child_name", "")],
            ["D.O.B.", said.get("dob", "")],
            ["Mosaic ID", said.get("system_id", "")],
        )
        + p("The matter")
        + table(
            ["Date and time of incident", said.get("incident_at", "")],
            ["Brief summary of incident", said.get("summary", "")],
            ["Lead councillor told", said.get("lead_councillor_told", "Yes / No")],
            ["Police ref", said.get("police_ref", "")],
        )
        + p("Updates")
        + table(
            ["Date", "Details", "Manager", "Reviewing manager"],
            [said.get("date", ""), said.get("text", ""), said.get("manager", ""), ""],
            ["", "", "", ""],
        )
    )


def four_columns(said: Mapping[str, str]) -> str:
    """Two questions in a row, and long answers under their labels."""
    return (
        p("Notification of Concern")
        + table(
            ["Completed by", said.get("author", ""), "Date form completed", said.get("form_date", "")],
            ["Name of child", said.get("child_name", ""), "Date of birth", said.get("dob", "")],
            ["Date of incident", said.get("incident_at", ""), "Police ref", said.get("police_ref", "")],
            ["Ward", said.get("ward", ""), "Reviewed by", said.get("reviewer", "")],
        )
        + table(
            ["What happened"],
            [said.get("summary", "")],
            ["Next steps agreed"],
            [said.get("next_steps_agreed", "")],
        )
    )


def lines(said: Mapping[str, str]) -> str:
    """Typed, with rules to write on."""
    rule = "____________"
    return (
        p("EARLY WARNING NOTE")
        + p("1. Who writes")
        + p(f"Completed by: {said.get('author', rule)}")
        + p(f"Date form completed: {said.get('form_date', rule)}")
        + p("2. What happened")
        + p(f"Name of child: {said.get('child_name', rule)}")
        + p(f"Date of birth: {said.get('dob', rule)}")
        + p(f"Date of incident: {said.get('incident_at', rule)}")
        + p(f"Nearest lighthouse: {said.get('nearest_lighthouse', rule)}")
        + p(f"Summary of incident: {said.get('summary', rule)}")
        + p(f"Police ref: {said.get('police_ref', rule)}")
    )


SAID = {
    "author": "Nora Vane",
    "form_date": "4 March 2026",
    "child_name": "Ida Holm",
    "dob": "7 May 2013",
    "incident_at": "3 March 2026",
    "summary": "An invented matter at a school.",
    "police_ref": "FV/12/26",
}
PAPERS: dict[str, tuple[Paper, Mapping[str, str]]] = {
    "two columns": (
        two_columns,
        SAID
        | {
            "reviewer": "Sten Orr",
            "which_district": "Coast",
            "system_id": "55012",
            "lead_councillor_told": "Yes",
        }
        | {"date": "5 March 2026", "text": "Seen at home.", "manager": "Nora Vane"},
    ),
    "four columns": (
        four_columns,
        SAID | {"ward": "Harbour", "reviewer": "Sten Orr", "next_steps_agreed": "A meeting on Friday."},
    ),
    "lines": (lines, SAID | {"nearest_lighthouse": "Skerry Point"}),
}
DATES = {"form_date": "2026-03-04", "dob": "2013-05-07", "incident_at": "2026-03-03", "date": "2026-03-05"}


@pytest.mark.parametrize("name", PAPERS)
def test_a_filled_copy_is_read_by_the_draft_of_the_blank_form(name: str) -> None:
    paper, said = PAPERS[name]
    _, definition = drafted(docx(paper({})))
    found = filled_in(definition, docx(paper(said)))
    told = {
        field.name: field.value
        for row in (found.fields, *found.tables.get("children", ()))
        for field in row.values()
    }
    told |= {field.name: field.value for row in found.tables.get("updates", ()) for field in row.values()}

    assert {key: value.casefold() for key, value in told.items()} == {
        key: DATES.get(key, value).casefold() for key, value in said.items()
    }
    assert found.problems == ()


def test_what_is_known_is_named_and_what_is_not_is_marked() -> None:
    told, definition = drafted(docx(two_columns({})))
    marked = {line.split('"')[1] for line in told.splitlines() if line.endswith("#?")}

    assert marked == {"which_district", "lead_councillor_told", "reviewing_manager"}
    assert [section.title for section in definition.sections] == [
        "About the form",
        "The young person",
        "The matter",
        "Updates",
    ]
    assert definition.fields["which_district"].choices == ("North", "Mid", "Coast")
    assert definition.fields["lead_councillor_told"].type == "yes_no"
    assert definition.fields["incident_at"].type == "datetime"
    assert definition.tables["children"].shape == "blocks"
    assert [column.name for column in definition.tables["updates"].columns][:3] == ["date", "text", "manager"]
    assert definition.recognised_by == ("Fenwick Vale Serious Matter Form",)


def test_words_own_first_entry_of_a_drop_down_is_no_choice() -> None:
    offered = "".join(f'<w:listItem w:displayText="{one}" w:value="{one}"/>' for one in ("Yes", "No"))
    about = (
        f'<w:showingPlcHdr/><w:dropDownList><w:listItem w:value="Choose an item."/>{offered}</w:dropDownList>'
    )
    shown = "<w:sdtContent><w:r><w:t>Choose an item.</w:t></w:r></w:sdtContent>"
    answer = f"<w:p><w:sdt><w:sdtPr>{about}</w:sdtPr>{shown}</w:sdt></w:p>"
    _, definition = drafted(docx(p("A Form") + table(["Partner agencies told", answer])))

    assert [field.type for field in definition.fields.values()] == ["yes_no"]


@pytest.mark.parametrize("name", settings().forms)
def test_a_form_that_the_agent_wrote_is_drafted_as_it_was_defined(name: str) -> None:
    """Controls tell types and choices; children and updates are found again; boxes are listed to be named."""
    procedure = next(one for one in settings().procedures.values() if name in one.forms)
    known = settings().forms[name]
    told, definition = drafted(write_form(known, {}, {}, (), categories=procedure.categories))

    assert definition.title == known.title
    for field in definition.fields.values():
        if field.name in known.fields:
            assert (field.type, field.options) == (
                known.fields[field.name].type,
                known.fields[field.name].options,
            )
    assert len(set(definition.fields) & set(known.fields)) >= 0.95 * len(
        [f for f in known.fields.values() if f.printed]
    )
    assert set(definition.tables) == set(known.tables)
    assert all(f"#   {category.code} " in told for category in procedure.categories)


@needs_libreoffice
@pytest.mark.parametrize("kind", ["pdf", "odt"])
def test_a_blank_form_of_another_kind_is_drafted(kind: str, tmp_path: Path) -> None:
    procedure = settings().procedures["nct"]
    blank = write_form(settings().forms["sla"], {}, {}, (), categories=procedure.categories)
    (tmp_path / "form.docx").write_bytes(blank)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    order = [str(soffice), profile, "--headless", "--convert-to", kind, "--outdir", str(tmp_path)]
    subprocess.run([*order, str(tmp_path / "form.docx")], check=True, capture_output=True, timeout=240)
    _, definition = drafted((tmp_path / f"form.{kind}").read_bytes())

    known = settings().forms["sla"]
    assert len(set(definition.fields) & set(known.fields)) >= 40
    assert {"children", "actions"} <= set(definition.tables)
    assert [section.title for section in definition.sections] == [one.title for one in known.sections]


texts = st.text(max_size=30) | st.sampled_from(["Name:", "Date of birth", "Yes / No", "Child 1", "ID", "  "])


@given(st.lists(st.lists(texts, min_size=1, max_size=4), max_size=6), st.lists(texts, max_size=6))
def test_whatever_stands_on_a_form_its_draft_can_be_loaded(rows: list[list[str]], loose: list[str]) -> None:
    cells = [
        [Cell(0, top, top + 1, left, left + 1) for left in range(len(row))] for top, row in enumerate(rows)
    ]
    units = [Unit("text", text, number, None, "body") for number, text in enumerate(loose)] + [
        Unit("text", text, 100 + 10 * top + left, cells[top][left], "body")
        for top, row in enumerate(rows)
        for left, text in enumerate(row)
    ]
    told = draft(Document(units, [cells] if cells else []), "form", KNOWN)
    TypeAdapter(FormDefinition).validate_python({"sections": (), **tomllib.loads(told)})
