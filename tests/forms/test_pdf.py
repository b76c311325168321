"""Forms as PDF: filled in on screen, printed from Word, or scanned."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from agent.forms.pdf import read_pdf
from agent.forms.units import Document, Refused
from agent.procedure.reading import Reading, Unreadable
from tests.forms.papers import at, pdf, rule, text_field

ReadBytes = Callable[[bytes], Reading | Unreadable]

TITLE = at(60, 790, "Senior Leadership Alert Form")
OTHERS = [
    at(60, 300, "Telephone: 01604 000000"),
    at(60, 280, "Current position: Stable"),
    at(60, 260, "Police reference: NP/1/25"),
    at(60, 240, "School: Oak Academy"),
]


def shown(document: Document) -> list[tuple[str, str]]:
    return [(unit.kind, unit.text) for unit in document.units]


def values(found: Reading | Unreadable) -> dict[str, str]:
    assert isinstance(found, Reading), found
    return {name: field.value for name, field in found.fields.items()}


def code(content: bytes) -> str:
    with pytest.raises(Refused) as refused:
        read_pdf(content)
    assert str(refused.value).endswith(".")
    return refused.value.code


def grid(left: int, top: int, widths: list[int], heights: list[int]) -> list[str]:
    """The lines of a table."""
    right, bottom = left + sum(widths), top - sum(heights)
    xs = [left + sum(widths[:number]) for number in range(len(widths) + 1)]
    ys = [top - sum(heights[:number]) for number in range(len(heights) + 1)]
    return [rule(left, y, right, y) for y in ys] + [rule(x, bottom, x, top) for x in xs]


def test_labels_and_answers_in_a_ruled_table_are_read_as_in_word(reading_bytes: ReadBytes) -> None:
    drawn = [
        TITLE,
        *grid(50, 740, [150, 250], [20, 40, 20]),
        at(55, 725, "Child's name"),
        at(205, 725, "Jo Bloggs"),
        at(55, 705, "Summary of incident"),
        at(205, 705, "Found at home."),
        at(205, 690, "Taken to hospital."),
        at(55, 665, "Date of birth"),
        at(205, 665, "02/01/2012"),
        *OTHERS,
    ]
    found = reading_bytes(pdf(drawn))
    assert isinstance(found, Reading), found
    child = found.tables["children"][0]
    assert (child["child_name"].value, child["dob"].value) == ("Jo Bloggs", "2012-01-02")
    assert found.fields["summary"].value.split("\n") == ["Found at home.", "Taken to hospital."]


def test_an_empty_cell_keeps_its_place_so_that_no_neighbour_answers_for_it(reading_bytes: ReadBytes) -> None:
    drawn = [
        TITLE,
        *grid(50, 740, [150, 250], [20, 20]),
        at(55, 725, "Author"),
        at(55, 705, "Summary of incident"),
        at(205, 705, "Found at home."),
        *OTHERS,
    ]
    assert "author" not in values(reading_bytes(pdf(drawn)))


def test_a_cell_that_spans_the_table_is_one_cell() -> None:
    drawn = [
        *(rule(50, y, 450, y) for y in (740, 720, 700)),
        *(rule(x, 700, x, 740) for x in (50, 450)),
        rule(200, 700, 200, 720),
        at(55, 725, "Over both of them"),
        at(55, 705, "Left"),
        at(205, 705, "Right"),
    ]
    rows = read_pdf(pdf(drawn)).tables[0]
    assert [[(cell.left, cell.right) for cell in row] for row in rows] == [[(0, 2)], [(0, 1), (1, 2)]]


def test_words_far_apart_on_a_line_are_kept_apart() -> None:
    document = read_pdf(pdf([at(60, 700, "Name of the child"), at(300, 700, "Jo Bloggs")]))
    assert shown(document) == [("text", "Name of the child\tJo Bloggs")]


def said(document: Document) -> list[str]:
    """What stands on each line, where a line of its own begins."""
    lines: dict[tuple[int, int], str] = {}
    for unit in document.units:
        place = (unit.line, id(unit.cell))
        lines[place] = lines.get(place, "") + unit.text
    return list(lines.values())


def test_what_follows_a_tab_is_set_apart_however_near_it_stands() -> None:
    """Words of one sentence have spaces between them; what has none belongs to the next column."""
    document = read_pdf(pdf([at(60, 700, "Name of the child"), at(146.5, 700, "Jo Bloggs of Corby")]))
    assert said(document) == ["Name of the child\tJo Bloggs of Corby"]


CELL = [*grid(50, 740, [211, 100], [60]), at(266, 725, "Beside it all")]


def test_a_line_goes_on_with_the_next_where_its_last_word_has_a_space_after_it() -> None:
    drawn = [at(55, 725, "Found at home by a friend of the family "), at(55, 712, "and seen by a doctor.")]
    assert "Found at home by a friend of the family and seen by a doctor." in said(
        read_pdf(pdf(CELL + drawn))
    )


def test_a_line_that_fills_its_cell_ends_there_where_no_space_comes_after_it() -> None:
    wrapped = [at(55, 690, "Taken to the hospital where she is cared "), at(55, 677, "for.")]
    drawn = [at(55, 725, "Found at home by a friend of a family."), at(55, 712, "Extraordinarily"), *wrapped]
    told = said(read_pdf(pdf(CELL[:-1] + grid(50, 680, [211, 100], [20]) + CELL[-1:] + drawn)))
    assert told[:2] == ["Found at home by a friend of a family.", "Extraordinarily"]


def test_a_word_too_long_for_its_column_is_one_word_on_two_lines() -> None:
    drawn = [
        *grid(50, 740, [72, 100], [60]),
        at(55, 725, "Child's "),
        at(55, 712, "name/identif"),
        at(55, 699, "ier"),
        at(127, 725, "Jo Bloggs of Corby"),
    ]
    assert said(read_pdf(pdf(drawn)))[0] == "Child's name/identifier"


def test_a_table_of_one_low_row_is_a_table() -> None:
    drawn = [*grid(50, 740, [150, 250], [13]), at(55, 730, "Name of the child"), at(205, 730, "Jo Bloggs")]
    assert len(read_pdf(pdf(drawn)).tables) == 1


def test_a_box_to_write_in_stands_with_the_label_before_it() -> None:
    box = grid(200, 715, [150], [20])
    drawn = [at(60, 701, "Name of the child"), *box, at(205, 701, "Jo Bloggs"), *OTHERS]
    assert "Name of the child\tJo Bloggs" in said(read_pdf(pdf(drawn)))


def test_an_underline_is_no_edge_of_a_cell() -> None:
    drawn = [
        *grid(50, 740, [211, 100], [60]),
        at(55, 725, "Found at home by a friend of the family "),
        rule(55, 723, 251, 723),
        at(55, 712, "and seen by a doctor."),
        at(266, 725, "Beside it all"),
    ]
    assert said(read_pdf(pdf(drawn)))[0] == "Found at home by a friend of the family and seen by a doctor."


def test_columns_with_no_lines_between_them_are_cells_all_the_same() -> None:
    drawn = [
        at(60, 700, "Name and role of the "),
        at(180, 700, "Priya Example of the social work and early help service for older children "),
        at(60, 687, "person"),
        at(180, 687, "at Corby"),
        at(60, 670, "Telephone"),
        at(180, 670, "01604 000000"),
    ]
    told = said(read_pdf(pdf(drawn)))
    assert told == [
        "Name and role of the person",
        "Priya Example of the social work and early help service for older children at Corby",
        "Telephone",
        "01604 000000",
    ]


def pages(*drawn: list[str]) -> bytes:
    writer = PdfWriter()
    for one in drawn:
        writer.append(PdfReader(io.BytesIO(pdf(one))))
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_a_row_goes_on_over_the_page(reading_bytes: ReadBytes) -> None:
    first = [
        TITLE,
        *OTHERS,
        *grid(50, 120, [150, 160], [20, 20]),
        at(55, 105, "Name and role of author"),
        at(205, 105, "Priya Example"),
        at(55, 85, "Summary of incident"),
        at(205, 85, "Found at home by a friend of "),
    ]
    second = [
        *grid(50, 800, [150, 160], [20, 20]),
        at(205, 785, "the family at noon."),
        at(55, 765, "Reviewed by"),
        at(205, 765, "Sam Sample"),
    ]
    found = values(reading_bytes(pages(first, second)))
    assert (found["summary"], found["author"], found["reviewer"]) == (
        "Found at home by a friend of the family at noon.",
        "Priya Example",
        "Sam Sample",
    )


def test_a_row_of_which_nothing_stands_on_the_next_page_leaves_no_gap_in_the_table() -> None:
    first = [
        *grid(50, 120, [150, 150], [20]),
        at(55, 105, "Name of the child"),
        at(205, 105, "Date of birth"),
    ]
    second = [*grid(50, 800, [150, 150], [12, 20]), at(55, 773, "Jo Bloggs"), at(205, 773, "02/01/2012")]
    (table,) = read_pdf(pages(first, second)).tables
    assert len(table) == 2


def test_what_is_crossed_out_is_no_answer() -> None:
    drawn = [at(60, 700, "Is this person a child: yes"), at(220, 700, "no"), rule(218, 703.5, 234, 703.5)]
    struck = [unit.text.strip() for unit in read_pdf(pdf(drawn)).units if unit.struck]
    assert struck == ["no"]


def test_what_is_written_directly_after_something_crossed_out_stands(reading_bytes: ReadBytes) -> None:
    drawn = [
        TITLE,
        at(60, 700, "Author: not known"),
        at(148.5, 700, "Jo Bloggs"),
        rule(99, 703.5, 148.5, 703.5),
    ]
    assert values(reading_bytes(pdf([*drawn, *OTHERS])))["author"] == "Jo Bloggs"


def test_page_numbers_and_repeated_headers_do_not_get_between_the_answers() -> None:
    document = read_pdf(
        pdf([at(60, 700, "Summary of incident: She fell."), at(280, 30, "Page 1 of 4"), at(60, 100, "Done")])
    )
    assert [(unit.part, unit.text) for unit in document.units][-1] == ("footer", "Page 1 of 4")


def test_fields_filled_in_on_screen_stand_with_their_labels(reading_bytes: ReadBytes) -> None:
    drawn = [TITLE, at(60, 700, "Author"), at(60, 670, "Summary of incident"), *OTHERS]
    fields = [
        text_field(200, 697, "Priya Example", name="a"),
        text_field(200, 667, "Found at home.", name="b"),
    ]
    found = values(reading_bytes(pdf(drawn, fields)))
    assert (found["author"], found["summary"]) == ("Priya Example", "Found at home.")


def test_a_fields_tooltip_says_what_it_asks_where_nothing_is_printed(reading_bytes: ReadBytes) -> None:
    fields = [text_field(200, 697, "Priya Example", more="/TU (Author)")]
    assert values(reading_bytes(pdf([TITLE, *OTHERS], fields)))["author"] == "Priya Example"


def test_a_tooltip_outweighs_the_label_that_happens_to_stand_beside(reading_bytes: ReadBytes) -> None:
    drawn = [TITLE, at(60, 700, "Author"), *OTHERS]
    fields = [text_field(200, 697, "Found at home.", more="/TU (Summary of incident)")]
    found = values(reading_bytes(pdf(drawn, fields)))
    assert "author" not in found
    assert found["summary"] == "Found at home."


WORDS = [at(60, 600, "These are quite enough words for a page")]
BOX = "/Rect [200 697 400 713]"


def test_a_list_is_read_as_it_shows_not_as_it_exports() -> None:
    field = f"/Subtype /Widget /FT /Ch /T (x) /V (NO) /Opt [[(NO) (Norway)] [(SE) (Sweden)]] {BOX}"
    assert ("control", "Norway") in shown(read_pdf(pdf(WORDS, [field])))


def test_only_the_chosen_button_of_a_group_is_ticked() -> None:
    def button(own: str, y: int) -> str:
        looks = f"/AP << /N << /{own} null /Off null >> >>"
        return f"/Subtype /Widget /FT /Btn /Ff 32768 /T (g) /V /b {looks} /Rect [60 {y} 72 {y + 12}]"

    document = read_pdf(pdf(WORDS, [button("a", 700), button("b", 680)]))
    assert [unit.ticked for unit in document.units if unit.kind == "checkbox"] == [False, True]


def test_text_laid_over_the_page_is_read_where_it_lies() -> None:
    drawn = [at(60, 700, "Author of this alert:"), *WORDS]
    note = f"/Subtype /FreeText /Contents (Priya Example) {BOX}"
    lines: dict[int, str] = {}
    for unit in read_pdf(pdf(drawn, [note])).units:
        lines[unit.line] = lines.get(unit.line, "") + unit.text
    assert "Author of this alert: Priya Example" in lines.values()


def test_a_hidden_field_is_not_read() -> None:
    assert "old" not in str(shown(read_pdf(pdf(WORDS, [text_field(200, 697, "old", more="/F 2")]))))


def test_a_scan_is_refused_with_its_reason() -> None:
    assert code(pdf([])) == "scanned"


def test_machine_read_text_under_a_scan_is_not_trusted() -> None:
    hidden = [f"BT 3 Tr /F1 11 Tf 60 {700 - 20 * number} Td (Some words here) Tj ET" for number in range(6)]
    assert code(pdf(hidden)) == "scanned"


def locked(owner_only: bool) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(WORDS))))
    writer.encrypt(user_password="" if owner_only else "secret", owner_password="owner", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_a_password_is_asked_about_and_never_guessed() -> None:
    assert code(locked(owner_only=False)) == "encrypted"


def test_a_pdf_that_is_only_locked_against_changes_is_read() -> None:
    assert "quite enough" in str(shown(read_pdf(locked(owner_only=True))))


def test_a_form_that_only_adobe_can_draw_is_refused() -> None:
    assert code(pdf([at(60, 700, "Please wait...")], more="/XFA []")) == "xfa_only"


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_a_damaged_pdf_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(pdf([TITLE, *OTHERS, *grid(50, 740, [100, 100], [20])], [text_field(200, 697, "x")]))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Refused):
        read_pdf(bytes(content))
