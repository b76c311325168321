"""A workbook that was read before says the same as to somebody who never saw it, whatever was done to it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial

import openpyxl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.errors import ChangedMeanwhile, NeedsAPerson
from agent.procedure.rules import Column
from agent.register.base import Changes, Edits
from agent.register.bookbinder import Bookbinder
from agent.register.in_place import edit
from agent.register.new_workbook import NewWorkbook
from agent.register.package import CONTENT_TYPES, MAIN, RELATED
from agent.register.recognise import check_of
from tests.register.books import (
    COLUMNS,
    DESK,
    as_excel_would,
    parts,
    procedure,
    reference,
    row,
    with_parts,
)

SHEET, TABLE_PART, LOOKS = "xl/worksheets/sheet1.xml", "xl/tables/table1.xml", "xl/styles.xml"
TEXTS, LINKS = "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels"
KIND_OF_TEXTS = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
KEPT = (*COLUMNS, Column("Key", "agent", "key", hidden=True))
Deed = Callable[[bytes], bytes]


def _binder() -> Bookbinder:
    return Bookbinder(replace(procedure(), columns=KEPT), DESK)


def _row(number: int, **values: str) -> dict[str, str]:
    return {**row(number, **values), "Key": check_of(reference(number))}


def _book() -> bytes:
    empty = NewWorkbook(DESK, KEPT, about="Harbour procedure", summarised=False).content()
    return edit(empty, KEPT, DESK, Changes(new_rows=tuple(map(_row, range(1, 5)))))


def _agent_writes(content: bytes, number: int, status: str) -> bytes:
    news = {"Status": status, "Next update due": f"2026-05-{number:02d}", "Summary": f"{status} & <so> on"}
    return edit(content, KEPT, DESK, Changes(cells={reference(number): news}))


def _agent_adds(content: bytes, number: int) -> bytes:
    return edit(content, KEPT, DESK, Changes(new_rows=(_row(number, summary=f"Another, the {number}."),)))


def _agent_takes_out(content: bytes, number: int) -> bytes:
    return edit(content, KEPT, DESK, Changes(gone=(reference(number),)))


def _people(do: Callable[[openpyxl.Workbook, random.Random], None], seed: int, content: bytes) -> bytes:
    return as_excel_would(content, lambda book: do(book, random.Random(seed)))


def _note(book: openpyxl.Workbook, dice: random.Random) -> None:
    book.worksheets[0].cell(dice.randint(4, 7), 9).value = dice.choice(
        ["Rang them.", 3, date(2026, 5, 1), None]
    )


def _sort(book: openpyxl.Workbook, dice: random.Random) -> None:
    sheet = book.worksheets[0]
    rows = [[cell.value for cell in cells] for cells in sheet.iter_rows(4, 7)]
    dice.shuffle(rows)
    for number, values in enumerate(rows, 4):
        for column, value in enumerate(values, 1):
            sheet.cell(number, column).value = value


def _sort_references(book: openpyxl.Workbook, dice: random.Random) -> None:
    """Somebody sorts the column that they see, and not what is hidden beside it."""
    cells = [book.worksheets[0].cell(number, 1) for number in range(4, 8)]
    values = [cell.value for cell in cells]
    dice.shuffle(values)
    for cell, value in zip(cells, values, strict=True):
        cell.value = value


def _paste_over(book: openpyxl.Workbook, dice: random.Random) -> None:
    sheet, (one, other) = book.worksheets[0], dice.sample(range(4, 8), 2)
    for column in range(1, dice.choice([2, sheet.max_column]) + 1):
        sheet.cell(other, column).value = sheet.cell(one, column).value


def _number_as_day(book: openpyxl.Workbook, dice: random.Random) -> None:
    for number in range(4, 8):
        cell = book.worksheets[0].cell(number, 9)
        cell.value, cell.number_format = dice.randint(46_000, 46_010), dice.choice(["0", "dd mmm yyyy"])


def _looks_alone(content: bytes) -> bytes:
    """The rows stay what they are, byte by byte, and what their looks mean becomes another."""
    looks = parts(content)[LOOKS].replace(b'"dd mmm yyyy"', b'"0000.0000"')
    return with_parts(content, {LOOKS: looks})


def _heading_alone(content: bytes) -> bytes:
    there = parts(content)
    changed = {name: there[name].replace(b"Notes", b"Remarks") for name in (SHEET, TABLE_PART)}
    return with_parts(content, changed)


def _texts_apart(content: bytes) -> bytes:
    """The workbook with its texts in a list of their own, as Excel keeps them."""
    there, texts = parts(content), list[bytes]()
    if TEXTS in there:
        return content

    def number(found: re.Match[bytes]) -> bytes:
        texts.append(found[1])
        return b't="s"><v>%d</v>' % (len(texts) - 1)

    sheet = re.sub(rb't="inlineStr"><is>(<t.*?</t>)</is>', number, there[SHEET])
    listed = b"".join(b"<si>%b</si>" % text for text in texts)
    link = b'<Relationship Id="texts" Target="sharedStrings.xml" Type="%b/sharedStrings"/></Relationships>'
    return with_parts(
        content,
        {
            SHEET: sheet,
            TEXTS: b'<sst xmlns="%b">%b</sst>' % (MAIN.encode(), listed),
            LINKS: there[LINKS].replace(b"</Relationships>", link % RELATED.encode()),
            CONTENT_TYPES: there[CONTENT_TYPES].replace(b"</Types>", KIND_OF_TEXTS + b"</Types>"),
        },
    )


def _texts_alone(content: bytes) -> bytes:
    """The same, with the workbook's list of texts."""
    there = parts(content)
    return (
        with_parts(content, {TEXTS: there[TEXTS].replace(b"hospital", b"a clinic")})
        if TEXTS in there
        else content
    )


_numbers = st.integers(1, 6)
_deeds: st.SearchStrategy[Deed] = st.one_of(
    st.builds(
        lambda n, s: partial(_agent_writes, number=n, status=s),
        st.integers(1, 4),
        st.sampled_from(["New", "Open"]),
    ),
    st.builds(lambda n: partial(_agent_adds, number=n), _numbers),
    st.builds(lambda n: partial(_agent_takes_out, number=n), _numbers),
    st.builds(
        lambda do, seed: partial(_people, do, seed),
        st.sampled_from([_note, _sort, _sort_references, _paste_over, _number_as_day]),
        st.integers(0, 9),
    ),
    st.sampled_from([_looks_alone, _heading_alone, _texts_apart, _texts_alone]),
)


@given(st.lists(_deeds, min_size=1, max_size=6))
@example([partial(_people, _number_as_day, 1), _looks_alone])
@example([_texts_apart, _texts_alone])
@example([_heading_alone])
@settings(max_examples=40, deadline=None)
def test_who_read_it_before_reads_what_a_stranger_reads(deeds: list[Deed]) -> None:
    content, before = _book(), _binder()
    before.opened(content, "0")
    for deed in deeds:
        with suppress(ChangedMeanwhile, NeedsAPerson):  # a row or a heading that is gone: nothing was done
            content = deed(content)
        assert _edited(before, content) == _edited(_binder(), content)
        assert before.opened(content, "1") == _binder().opened(content, "1")
        assert _edited(before, content) == _edited(_binder(), content)


def _edited(by: Bookbinder, content: bytes) -> bytes | str:
    """The workbook with something new in a row that is there and a row more, or why that cannot be."""
    changes = Changes(cells={reference(2): {"Status": "Concluded"}}, new_rows=(_row(9),))
    try:
        return by.edited(content, Edits(changes))
    except (ChangedMeanwhile, NeedsAPerson) as refused:
        return str(refused)


def test_a_row_that_nobody_touched_is_not_put_in_words_again() -> None:
    content, before = _book(), _binder()
    rows = before.opened(content, "0").register.rows
    then = before.opened(_agent_writes(content, 2, "Concluded"), "1").register.rows
    assert [then[reference(number)] is rows[reference(number)] for number in range(1, 5)] == [
        True,
        False,
        True,
        True,
    ]
