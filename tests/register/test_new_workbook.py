"""A new register looks well kept, explains itself, and belongs to one desk."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from agent import configuration
from agent.errors import BadConfiguration
from agent.procedure.answer import Answer
from agent.procedure.digest import AGES, Counted
from agent.procedure.rules import Column
from agent.procedure.summary import CATEGORIES, GROUPS, WEEKS, Summary
from agent.procedure.words import Status
from agent.register.base import Edits
from agent.register.bookbinder import Bookbinder
from agent.register.looks import STATUSES
from agent.register.new_workbook import NewWorkbook
from agent.register.package import Package
from agent.register.summary_layout import cells_of
from agent.register.workbook import Workbook
from tests.register.books import COLUMNS, DESK, shipped


@pytest.fixture(scope="module")
def book() -> Any:
    """The register of the procedure that comes with the agent."""
    content = Bookbinder(shipped(), DESK).fresh(Edits())
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


@pytest.mark.parametrize("name", ["nct", "merton"])
def test_what_each_column_is_for_is_said(name: str) -> None:
    """None of ours is “yours to use as you like”: what stands under “Legal hold” keeps an alert for good."""
    procedure = configuration.load(configuration.shipped()[0]).procedures[name]
    book = openpyxl.load_workbook(io.BytesIO(Bookbinder(procedure, DESK).fresh(Edits())))

    page = "\n".join(str(cell.value) for line in book["Read me"].iter_rows() for cell in line if cell.value)
    assert "Yours to use as you like" not in page
    assert "keeps the alert from being erased" in page


def test_the_sheets_stand_in_the_order_in_which_people_need_them(book: Any) -> None:
    assert book.sheetnames == ["Need to Know", "Questions", "Summary", "Read me"]


def test_questions_are_answered_from_a_list_or_with_a_reference(book: Any) -> None:
    sheet = book["Questions"]
    (check,) = [one for one in sheet.data_validations.dataValidation if one.type == "list"]

    assert check.formula1 == f'"{",".join(Answer)}"'
    assert check.showInputMessage
    assert not check.showErrorMessage, "a reference is an answer, too"
    assert sheet.tables["NeedToKnowQuestions"].ref.startswith("A3:")


def test_every_chart_of_the_summary_draws_the_figures_of_its_place(book: Any) -> None:
    """Each figure written says where it stands; the chart that covers the place is the one of its title."""
    sheet = book["Summary"]
    told = Summary(
        standing=(Counted("Open alerts", 7),),
        by_age=tuple((words, 1) for words, _ in AGES),
        by_week=tuple((f"{week} Mar", 2, 3) for week in range(1, WEEKS + 1)),
        by_category=tuple((f"M{number}", 4) for number in range(CATEGORIES)),
        by_group=tuple((f"Area {number}", 5) for number in range(GROUPS)),
        counted_by="Area",
    )
    cells = cells_of(told)
    drawn = []
    for chart in sheet._charts:
        for series in chart.series:
            where = series.val.numRef.f.rpartition("!")[2].replace("$", "")
            drawn.append({cells[cell.coordinate] for line in sheet[where] for cell in line})

    assert drawn == [{"1"}, {"2"}, {"3"}, {"4"}, {"5"}]
    assert cells_of(replace(told, by_group=()))["A51"] == ""


def test_every_chart_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    content = Bookbinder(shipped(), DESK).fresh(Edits())
    root = Package(content).xml("xl/drawings/drawing1.xml")
    said = [one.get("descr") for one in root.iter("{*}cNvPr")]

    assert len(said) == 4
    assert all(text and text.startswith("How many") for text in said)


def test_an_empty_register_is_read_as_empty() -> None:
    sheet = Workbook(NewWorkbook(DESK, COLUMNS).content(), DESK).table(COLUMNS).shown()

    assert (dict(sheet.rows), sheet.doubts) == ({}, ())


@pytest.mark.parametrize("choices", [("Yes, at once",), tuple(f"choice {n}" for n in range(40))])
def test_choices_that_do_not_fit_a_drop_down_are_told(choices: tuple[str, ...]) -> None:
    columns = (*COLUMNS, Column("Outcome", "person", format="choice", choices=choices))

    with pytest.raises(BadConfiguration, match="`Outcome`: a drop-down holds 255 characters"):
        NewWorkbook(DESK, columns).content()
