"""A new register looks well kept, explains itself, and belongs to one desk."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from agent.errors import BadConfiguration
from agent.procedure.rules import Column
from agent.procedure.words import Status
from agent.register.looks import STATUSES
from agent.register.new_workbook import new_workbook
from agent.register.workbook import Workbook
from tests.register.books import COLUMNS, DESK, shipped


@pytest.fixture(scope="module")
def book() -> Any:
    """The register of the procedure that comes with the agent."""
    content = new_workbook(shipped().columns, DESK, about=shipped().title, marking="Urgent and Confidential")
    return openpyxl.load_workbook(io.BytesIO(content))


def test_it_is_an_empty_table_with_every_column_of_the_procedure(book: Any) -> None:
    sheet = book.worksheets[0]
    last = get_column_letter(len(shipped().columns))

    assert sheet.tables["NeedToKnow"].ref == f"A3:{last}4"
    assert [cell.value for cell in sheet[3]] == [column.heading for column in shipped().columns]
    assert {cell.value for cell in sheet[4]} == {None}


def test_headings_and_the_first_columns_stay_in_view(book: Any) -> None:
    assert book.worksheets[0].freeze_panes == "C4"


def test_it_prints_across_the_page_with_its_headings_on_each(book: Any) -> None:
    sheet = book.worksheets[0]

    assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 8)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$3:$3"
    assert sheet.print_title_cols == "$A:$B"
    assert sheet.oddHeader.right.text == "Urgent and Confidential"


def test_whose_column_it_is_shows_in_its_heading_with_and_without_colour(book: Any) -> None:
    sheet = book.worksheets[0]
    looks = {
        column.owner: {
            (cell.fill.fgColor.rgb, cell.number_format)
            for cell, other in zip(sheet[3], shipped().columns, strict=True)
            if other.owner == column.owner
        }
        for column in shipped().columns
    }

    assert {len(look) for look in looks.values()} == {1}
    fills = {fill for look in looks.values() for fill, _ in look}
    marks = {mark for look in looks.values() for _, mark in look}
    assert (len(fills), len(marks)) == (3, 3)


def test_every_status_has_a_look_and_a_symbol_of_its_own(book: Any) -> None:
    assert set(STATUSES) == set(Status)
    assert len({look.symbol for look in STATUSES.values()}) == len(Status)
    formulas = {
        rule.formula[0]
        for where in book.worksheets[0].conditional_formatting
        for rule in where.rules
        if str(where.sqref) == "B4"
    }
    assert formulas == {f'$B4="{status}"' for status in Status}


def test_people_choose_from_lists_and_are_asked_for_dates(book: Any) -> None:
    checks = {str(check.sqref): check for check in book.worksheets[0].data_validations.dataValidation}
    typed = [column for column in shipped().columns if column.owner != "agent"]

    assert checks["B4"].formula1 == f'"{",".join(status for status in Status)}"'
    assert all(check.errorStyle == "warning" for check in checks.values()), "“not known” may be true"
    assert len(checks) == sum(
        bool(column.choices) or column.format in ("date", "datetime") for column in typed
    )


def test_the_workbook_knows_its_desk_and_the_page_that_explains_it(book: Any) -> None:
    assert {mark.name: mark.value for mark in book.custom_doc_props.props} == {"Need to Know desk": DESK}
    page = "\n".join(str(cell.value) for line in book["Read me"].iter_rows() for cell in line if cell.value)
    for words in ("Whose column is it?", "“Concluded on” and “Concluded by”", "Please do not", *Status):
        assert words in page


def test_an_empty_register_is_read_as_empty() -> None:
    sheet = Workbook(new_workbook(COLUMNS, DESK), DESK).table(COLUMNS).shown()

    assert (dict(sheet.rows), sheet.doubts) == ({}, ())


@pytest.mark.parametrize("choices", [("Yes, at once",), tuple(f"choice {n}" for n in range(40))])
def test_choices_that_do_not_fit_a_drop_down_are_told(choices: tuple[str, ...]) -> None:
    columns = (*COLUMNS, Column("Outcome", "person", format="choice", choices=choices))

    with pytest.raises(BadConfiguration, match="`Outcome`: a drop-down holds 255 characters"):
        new_workbook(columns, DESK)
