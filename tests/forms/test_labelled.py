"""What a stranger to the form would say that each answer answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.forms.docx import read_docx
from agent.forms.labelled import labelled
from agent.forms.units import Cell, Document, Unit

Told = list[tuple[str, str | bool]]
Says = Callable[[str], Told]


def p(*runs: str) -> str:
    """A paragraph; a run that begins with "<" is XML of its own."""
    return "<w:p>" + "".join(run if run.startswith("<") else r(run) for run in runs) + "</w:p>"


def r(text: str, look: str = "") -> str:
    return f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def control(text: str, about: str = "<w:text/>") -> str:
    return f"<w:sdt><w:sdtPr>{about}</w:sdtPr><w:sdtContent>{r(text)}</w:sdtContent></w:sdt>"


def table(*rows: Sequence[str]) -> str:
    """Rows of cells; "**text**" is bold, and what begins with "<" is XML of its own."""
    return "<w:tbl>" + "".join(f"<w:tr>{''.join(map(cell, row))}</w:tr>" for row in rows) + "</w:tbl>"


def cell(text: str) -> str:
    if text.startswith("**"):
        text = p(r(text.strip("*"), "<w:b/>"))
    return f"<w:tc>{text if text.startswith('<') else p(text)}</w:tc>"


@pytest.fixture
def says(make_docx: Callable[[str], bytes]) -> Says:
    """The labels and values of a document with the given body; texts that have no label are left out."""

    def units(body: str) -> Told:
        return [(u.label, u.value) for u in labelled(read_docx(make_docx(body))) if u.label]

    return units


@pytest.mark.parametrize(
    "line",
    [
        "Name: Ada King",
        "Name:\u00a0Ada King",
        "Name – Ada King",
        "Name\tAda King",
        "Name ........ Ada King ......",
    ],
)
def test_a_label_and_its_answer_share_a_line(says: Says, line: str) -> None:
    assert says(p(line)) == [("Name", "Ada King")]


def test_several_labels_share_a_line(says: Says) -> None:
    assert says(p("Name: Ada King\tTown: Rothwell")) == [("Name", "Ada King"), ("Town", "Rothwell")]


def test_a_time_or_an_address_holds_no_label(says: Says) -> None:
    assert says(p("seen at 16:30, see https://trust.example")) == []


def test_a_label_ends_its_line_and_the_answer_stands_on_the_next(says: Says) -> None:
    assert says(p("Address:") + p("1 Mill Lane")) == [("Address", "1 Mill Lane")]


def test_a_blank_to_fill_in_is_an_empty_answer(says: Says) -> None:
    assert says(p("Fax: ____________")) == [("Fax", "")]


def test_controls_take_the_words_before_them_then_the_line_before_then_their_own_names(says: Says) -> None:
    named = '<w:alias w:val="Title of it"/><w:tag w:val="tag"/>'
    told = says(
        p("Name: ", control("Ada"), "   Born: ", control("1/2/2011"))
        + p("What happened?")
        + p(control("A fall", named))
        + p(control("Alone", named))
        + p(control("By tag", '<w:tag w:val="tag"/>'))
    )
    assert told == [
        ("Name", "Ada"),
        ("Born", "1/2/2011"),
        ("What happened?", "A fall"),
        ("Title of it", "Alone"),
        ("tag", "By tag"),
    ]


def test_a_prompt_is_an_empty_answer(says: Says) -> None:
    assert says(p("Name: ", control("Click here", "<w:showingPlcHdr/>"))) == [("Name", "")]


def test_labels_stand_to_the_left(says: Says) -> None:
    told = says(table(["Name", "Ada"], ["Town", p(control("Rothwell"))], ["School", ""]))
    assert told == [("Name", "Ada"), ("Town", "Rothwell")]


def test_four_columns_are_two_pairs(says: Says) -> None:
    told = says(table(["Name", "Ada", "Born", "2011"], ["Sex", "F", "Town", "Rothwell"]))
    assert told == [("Name", "Ada"), ("Born", "2011"), ("Sex", "F"), ("Town", "Rothwell")]


@pytest.mark.parametrize(
    "headings",
    [
        ["**Date**", "**Update**", "**Manager**", "**Reviewer**"],
        ["**No.**", "**Update**"],
        ["No.", "What", "Who"],
    ],
)
def test_a_row_of_headings_labels_the_columns(says: Says, headings: list[str]) -> None:
    rows = [[f"{column} {number}" for column in range(len(headings))] for number in (1, 2)]
    labels = [heading.strip("*") for heading in headings]
    expected = [(label, value) for row in rows for label, value in zip(labels, row, strict=True)]
    assert says(table(headings, *rows)) == expected


def test_rows_that_repeat_in_a_control_stand_under_headings(says: Says) -> None:
    rows = table(["School", "Year"]).removesuffix("</w:tbl>")
    again = table(["Oak Academy", "2024"]).removeprefix("<w:tbl>").removesuffix("</w:tbl>")
    repeated = f"<w:sdt><w:sdtPr/><w:sdtContent>{again}</w:sdtContent></w:sdt>"
    assert says(f"{rows}{repeated}</w:tbl>") == [("School", "Oak Academy"), ("Year", "2024")]


def test_a_cell_merged_over_rows_leaves_each_row_its_own_label(says: Says) -> None:
    start, on = '<w:tcPr><w:vMerge w:val="restart"/></w:tcPr>', "<w:tcPr><w:vMerge/></w:tcPr>"
    told = says(table([start + p("Name"), "Family", "King"], [on + p(""), "Given", "Ada"]))
    assert told == [("Family", "King"), ("Given", "Ada")]


def test_cells_that_hold_label_and_answer_lend_no_label_to_others(says: Says) -> None:
    assert says(table(["Name: Ada", "Town: Rothwell"], [p("Born:") + p("2011"), "Sex: F"])) == [
        ("Name", "Ada"),
        ("Town", "Rothwell"),
        ("Born", "2011"),
        ("Sex", "F"),
    ]


def test_an_answer_of_several_paragraphs_is_one_unit(says: Says) -> None:
    told = says(table(["Summary", p("On Monday: a fall.") + p("Then home.")]))
    assert told == [("Summary", "On Monday: a fall.\nThen home.")]


def test_tick_boxes_have_their_words_and_the_question_its_answer(says: Says) -> None:
    assert says(p("Sex: ☐ Male ☒ Female")) == [("Male", False), ("Female", True), ("Sex", "Female")]
    assert says(table(["Sex", "☐ Male ☒ Female"]))[-1] == ("Sex", "Female")
    assert says(table(["☒", "M01", "Death of a child"])) == [("M01 Death of a child", True)]
    assert says(table(["Police told", "☐"])) == [("Police told", False)]
    assert says(table(["**Who**", "**Yes**", "**No**"], ["Police", "☒", "☐"])) == [
        ("Who", "Police"),
        ("Police: Yes", True),
        ("Police: No", False),
    ]


def test_what_was_crossed_out_is_said_to_be(make_docx: Callable[[str], bytes]) -> None:
    body = p("Told: ", r("yes", "<w:strike/>"), " / no")
    units = [(unit.kind, unit.value) for unit in labelled(read_docx(make_docx(body)))]
    assert ("struck", "yes") in units
    assert not any("yes" in str(value) for kind, value in units if kind != "struck")


@pytest.mark.parametrize(("rows", "columns"), [(4_000, 2), (4_000, 3), (1, 12_000)])
def test_a_table_of_any_size_costs_what_it_holds(rows: int, columns: int) -> None:
    table = [[Cell(0, top, top + 1, left, left + 1) for left in range(columns)] for top in range(rows)]
    cells = [cell for row in table for cell in row]
    units = [Unit("text", "a word", number, cell, "body") for number, cell in enumerate(cells)]
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1

    sys.setprofile(count)
    try:
        labelled(Document(units, [table]))
    finally:
        sys.setprofile(None)
    assert seen < 1_000 * len(cells)


WORDS = st.text(alphabet="ab:. \t–_X1", max_size=12)
UNITS = st.lists(
    st.tuples(
        st.sampled_from(["text", "control", "checkbox"]),
        WORDS,
        st.integers(0, 6),
        st.one_of(st.none(), st.tuples(st.integers(0, 2), st.integers(0, 2))),
        st.booleans(),
    ),
    max_size=14,
)


@given(UNITS, st.booleans())
def test_no_word_of_any_document_is_lost(
    units: list[tuple[str, str, int, tuple[int, int] | None, bool]], heads: bool
) -> None:
    rows = [
        [Cell(0, top, top + 1, left, left + 1, heads and not top) for left in range(3)] for top in range(3)
    ]
    document = Document(tables=[rows])
    for kind, text, line, at, struck in units:
        cell = rows[at[0]][at[1]] if at else None
        assert kind in ("text", "control", "checkbox")
        said = "" if kind == "checkbox" else text
        document.units.append(Unit(kind, said, line, cell, "body", struck=struck and kind == "text"))  # type: ignore[arg-type]
    told = "".join(f"{unit.label} {unit.value}" for unit in labelled(document))
    for letter in "abX1":
        assert sum(unit.text.count(letter) for unit in document.units) <= told.count(letter)
