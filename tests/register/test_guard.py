"""What nobody does on purpose in a register, and what looks like it and is everyday work."""

from __future__ import annotations

import pytest

from agent.register.base import Book, Sheet
from agent.register.guard import mistrusted
from tests.register.books import COLUMNS, row

HEADINGS = tuple(column.heading for column in COLUMNS)
WROTE = {
    each["Ref"]: {**dict.fromkeys(HEADINGS, ""), **each} for each in (row(number) for number in range(1, 11))
}
MOST = 4


def said(rows: dict[str, dict[str, str]], mark: str = "") -> str:
    book = Book("v2", Sheet(HEADINGS, rows), mark=mark)
    return mistrusted(COLUMNS, WROTE, book, WROTE, ("m1", "m2"), MOST)


def changed(heading: str, *values: str) -> dict[str, dict[str, str]]:
    """The first rows with other values in one column."""
    news = zip(WROTE, values, strict=False)
    return WROTE | {key: {**WROTE[key], heading: value} for key, value in news}


NAMES = [each["Child name"] for each in WROTE.values()]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        pytest.param(WROTE, "", id="nothing"),
        pytest.param(dict(reversed(WROTE.items())), "", id="sorted as a whole"),
        pytest.param({}, "10 of 10 rows of the register are gone", id="emptied"),
        pytest.param(dict(list(WROTE.items())[:5]), "5 of 10 rows", id="cut short"),
        pytest.param(dict(list(WROTE.items())[:6]), "", id="some rows deleted"),
        pytest.param(
            changed("Child name", *reversed(NAMES)), "“Child name” changed places", id="sorted alone"
        ),
        pytest.param(
            changed("Child name", NAMES[1], NAMES[2], NAMES[0]), "changed places", id="three in a ring"
        ),
        pytest.param(changed("Child name", NAMES[1], NAMES[0]), "", id="two put right"),
        pytest.param(changed("Children", *"2222"), "", id="as many as may be"),
        pytest.param(changed("Children", *"22222"), "In 5 of 10 rows", id="replaced all over"),
        pytest.param(changed("Summary", *[""] * 9), "In 9 of 10 rows", id="a column emptied"),
        pytest.param(changed("Notes", *["Rang"] * 10), "", id="a column filled in"),
        pytest.param(changed("Next update due", "1/4/2026", "2 April 2026"), "", id="respelt"),
    ],
)
def test_whether_a_workbook_is_trusted(rows: dict[str, dict[str, str]], why: str) -> None:
    found = said(rows)

    assert why in found
    assert bool(found) == bool(why)


@pytest.mark.parametrize(("mark", "trusted"), [("m1", True), ("m2", True), ("", True), ("m0", False)])
def test_an_older_copy_is_known_by_its_mark(mark: str, trusted: bool) -> None:
    assert (said(WROTE, mark=mark) == "") is trusted


def test_what_the_agent_was_about_to_write_itself_is_no_persons_change() -> None:
    news = changed("Summary", *["Stable."] * 9)

    assert mistrusted(COLUMNS, WROTE, Book("v2", Sheet(HEADINGS, news)), news, (), MOST) == ""


def test_two_rows_of_one_reference_are_nobodys_change() -> None:
    sheet = Sheet(HEADINGS, changed("Children", *["2"] * 10), twice=frozenset(WROTE))

    assert mistrusted(COLUMNS, WROTE, Book("v2", sheet), WROTE, (), MOST) == ""
