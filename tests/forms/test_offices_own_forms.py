"""Forms as an office makes them for itself from the procedure's words, in each of the ways seen in Word."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from agent.forms.definition import FormDefinition
from agent.forms.labels import label_book
from agent.procedure.reading import Reading
from agent.procedure.rules import Category, Procedure

Read = Callable[[str], Reading]

BOLD = "<w:b/>"
PROMPT = (
    "<w:sdt><w:sdtPr><w:showingPlcHdr/><w:text/></w:sdtPr>"
    "<w:sdtContent><w:r><w:t>Click or tap here to enter text.</w:t></w:r></w:sdtContent></w:sdt>"
)
CONFIG = Path(__file__).parents[2] / "config"


def p(text: str, look: str = "") -> str:
    return f'<w:p><w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def control(text: str) -> str:
    said = f"<w:r><w:t>{text}</w:t></w:r>"
    return f"<w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>{said}</w:sdtContent></w:sdt>"


def asked(label: str, answer: str) -> str:
    """One cell with a label and the control that answers it."""
    return f"<w:p><w:r><w:t>{label}: </w:t></w:r>{answer}</w:p>"


def table(*rows: tuple[str, ...]) -> str:
    cells = (
        "".join(f"<w:tc>{cell if cell.startswith('<') else p(cell)}</w:tc>" for cell in row) for row in rows
    )
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


FORM = table(  # the rest, its title included, the fixture gives
    ("Date of form", "20/10/2026"),
    ("Completed by", "Grace Mbeki"),
    ("Date of incident", "19/10/2026"),
    ("Responsible Strategic Manager", "Tom Hadley"),
)


def values(read: Reading) -> dict[str, str]:
    return {name: field.value for name, field in read.fields.items()}


def children(read: Reading) -> list[tuple[str, ...]]:
    rows = read.tables.get("children", ())
    return [tuple(row[name].value for name in ("child_name", "dob", "system_id")) for row in rows]


def test_a_column_for_each_child(reading: Read) -> None:
    side_by_side = table(
        ("", "Child 1", "Child 2"),
        ("Full name", "Amara Okafor", "Tyler Price"),
        ("DOB", "11.6.2011", "4 Feb 2010"),
        ("System ID", "4875452", "4474679"),
    )
    assert children(reading(FORM + p("C Child") + side_by_side)) == [
        ("Amara Okafor", "2011-06-11", "4875452"),
        ("Tyler Price", "2010-02-04", "4474679"),
    ]


def test_a_remark_beside_the_answers_is_no_second_child(reading: Read) -> None:
    noted = table(
        ("Full name", "Amara Okafor", "as on the system"),
        ("DOB", "11/06/2011", "see birth certificate"),
        ("System ID", "4875452", ""),
    )
    assert children(reading(FORM + noted)) == [("Amara Okafor", "2011-06-11", "4875452")]


def test_labels_and_their_controls_in_one_cell_are_no_headings_of_rows(reading: Read) -> None:
    cells = table(
        (asked("Name of child", control("Amara Okafor")), asked("Date of birth", control("23 Jan 2017"))),
        (asked("Gender", control("Female")), asked("System ID", control("888457"))),
    )
    assert children(reading(FORM + p("C Child") + cells)) == [("Amara Okafor", "2017-01-23", "888457")]


@pytest.mark.parametrize("heading", ["Section J: Conclusion", "13 Conclusion", "J Conclusion", "CONCLUSION"])
def test_a_conclusion_left_empty_is_none_however_it_is_headed(heading: str, reading: Read) -> None:
    beside = table(("Outcome:", "Date:"), ("Manager:", ""))
    below = table((p("Outcome") + f"<w:p>{PROMPT}</w:p>",), (p("Date") + f"<w:p>{PROMPT}</w:p>",))
    for empty in (beside, below):
        assert not values(reading(FORM + p(heading) + empty)).get("conclusion")


def test_a_heading_set_like_the_labels_ends_a_story(reading: Read) -> None:
    told = p("Synopsis", BOLD) + p("A fight broke out.") + p("He was hurt.") + p("3 RISK AND MEDIA", BOLD)
    assert values(reading(FORM + told))["summary"] == "A fight broke out.\nHe was hurt."


def test_the_choices_printed_in_a_label_are_no_answer(reading: Read) -> None:
    label = "Is this: Initial alert / Update / Conclusion"
    assert values(reading(FORM + table((label, "Update"))))["form_kind"] == "Update"
    assert "form_kind" not in values(reading(FORM + table((label, ""))))
    assert values(reading(FORM + p(label) + p("Conclusion")))["form_kind"] == "Conclusion"
    above = table(("Is this", "Telephone", "Team"), ("Conclusion", "01604 555012", "West"))
    assert values(reading(FORM + above))["form_kind"] == "Conclusion"
    assert "conclusion" not in values(reading(FORM + above))
    tabbed = p("Is this\tInitial alert / Update / Conclusion") + p(
        "Date and time signed off\t20/10/2026 16:30"
    )
    assert values(reading(FORM + tabbed)).get("form_kind", "") == ""


def test_choices_printed_beside_a_label_are_not_the_answer(reading: Read) -> None:
    form = table(
        ("Abuse or neglect: known / suspected / not suspected / not known", "Suspected"),
        ("Media or social media interest: none known / likely / yes; comms told", "Likely"),
    )
    found = values(reading(FORM + p("B Incident") + form))
    assert (found["abuse_neglect"], found["media"]) == ("Suspected", "Likely")


def test_initials_beside_a_name_are_no_second_child(reading: Read) -> None:
    both = table(
        ("Initials", "AO"), ("Full name", "Amara Okafor"), ("DOB", "11/06/2011"), ("System ID", "4875")
    )
    assert children(reading(FORM + p("C Child") + both)) == [("Amara Okafor", "2011-06-11", "4875")]
    parts = table(("Initials", "AO"), ("Forename", "Amara"), ("Surname", "Okafor"), ("DOB", "11/06/2011"))
    assert [row["child_name"].value for row in reading(FORM + parts).tables["children"][:1]] == [
        "Amara Okafor"
    ]
    alone = table(("Initials", "AO"), ("DOB", "11/06/2011"), ("System ID", "4875"))
    assert children(reading(FORM + p("C Child") + alone)) == [("AO", "2011-06-11", "4875")]


def test_the_second_half_of_a_label_is_no_answer(reading: Read) -> None:
    assert "delegated_by" not in values(reading(FORM + p("Delegated authority? By whom")))
    signed = p("Reviewed and signed off by Strategic Manager: date, time") + p("20/10/2026 09:20")
    assert values(reading(FORM + signed))["signed_off_at"] == "2026-10-20T09:20"


def test_a_story_may_begin_like_a_label(reading: Read) -> None:
    told = p("Circumstances\tYoung person arrested after a disturbance.")
    assert values(reading(FORM + told))["summary"] == "Young person arrested after a disturbance."


def test_the_colon_of_a_time_ends_no_label(reading: Read) -> None:
    read = values(reading(FORM + p("Date and time signed off 04:40 on 20/10/2026")))
    assert read.get("signed_off_at") in (None, "", "2026-10-20T04:40")


def test_the_lists_as_the_procedure_itself_writes_them(
    reading: Read, categories: tuple[Category, ...]
) -> None:
    other = [(category, words) for category in categories for words in category.also]
    ticked = {"M07", "K13"}
    lines = [p(("☒ " if category.code in ticked else "☐ ") + words) for category, words in other]
    assert set(reading(FORM + p("Category: MUST list") + "".join(lines)).ticked) == ticked


@pytest.mark.parametrize("procedure", ["nct", "merton"])
def test_no_line_of_a_list_is_taken_for_another(
    procedure: str, definitions: tuple[FormDefinition, ...]
) -> None:
    text = (CONFIG / f"procedures/{procedure}.toml").read_text(encoding="utf-8")
    found = TypeAdapter(Procedure).validate_python(tomllib.loads(text)).categories
    book = label_book(definitions[0], found)
    said = {words: category.code for category in found for words in (category.words, *category.also)}
    assert {words: book.category(words) for words in said} == said
