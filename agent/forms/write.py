"""A form definition → a Word document, blank or filled: what the agent offers, it also reads.

Three layouts: "controls" is the office's own form, with content controls; "table" and "paragraphs"
are how the same answers come when staff have retyped the form.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, zip_longest
from typing import Literal, Protocol

from agent.forms import wordml
from agent.forms.definition import MANDATORY_NOTE, FormDefinition, FormField, FormTable, Section
from agent.procedure.rules import Category

Layout = Literal["controls", "table", "paragraphs"]
Row = Mapping[str, str]

_LABEL, _ANSWER = 3402, 6804  # widths of the two columns
_TOGETHER = 9  # a section of so few rows is not broken over two pages


def write_form(
    definition: FormDefinition,
    values: Mapping[str, str],
    tables: Mapping[str, Sequence[Row]],
    ticked: Collection[str],
    *,
    categories: Sequence[Category],
    layout: Layout = "controls",
) -> bytes:
    """The form as a .docx.

    `values` and the rows of `tables` are by canonical name; ISO days and times are printed as people
    write them, anything else as it stands. `ticked` are category codes. With nothing given the form
    is blank and ready to be filled in. The same input always gives the same bytes.
    """
    form = _Form(definition, values, tables, frozenset(ticked), categories)
    body = _paragraphs(form) if layout == "paragraphs" else _tables(form, controls=layout == "controls")
    return wordml.package(definition.title, definition.marking, "".join(body))


@dataclass(frozen=True)
class _Form:
    definition: FormDefinition
    values: Mapping[str, str]
    tables: Mapping[str, Sequence[Row]]
    ticked: frozenset[str]
    categories: Sequence[Category]
    ids: count[int] = field(default_factory=lambda: count(101))

    def listed(self, section: Section) -> list[Category]:
        return [category for category in self.categories if category.listed == section.categories]

    def rows(self, table: FormTable, *, blank: bool) -> Sequence[Row]:
        """The filled rows; a blank form offers empty ones instead."""
        empty: Row = {}
        return self.tables.get(table.name) or ([empty] * table.blank_rows if blank else [])


def printed(asked: Sequence[FormField]) -> tuple[FormField, ...]:
    """The fields that a blank form asks for."""
    return tuple(one for one in asked if one.printed)


# --- the office's form and the retyped table -----------------------------------------------------


def _tables(form: _Form, *, controls: bool) -> Iterable[str]:
    answer = _control if controls else _plain
    yield _title(form.definition)
    for section in form.definition.sections:
        yield _heading(section)
        if section.categories:
            yield _tick_boxes(form, section, controls=controls)
        yield from _repeating(form, section, answer, "blocks")
        yield from _single(form, section, answer)
        yield from _repeating(form, section, answer, "rows")


class Answer(Protocol):
    """Makes the cell of one answer, `width` twentieths of a point wide, over so many columns."""

    def __call__(self, form: _Form, asked: FormField, value: str, width: int, columns: int = 1) -> str: ...


def _single(form: _Form, section: Section, answer: Answer) -> Iterable[str]:
    fields = printed(section.fields)
    if fields:
        together = len(fields) <= _TOGETHER
        rows = [
            wordml.row(
                _label(asked, _LABEL, keep=together and number < len(fields))
                + answer(form, asked, form.values.get(asked.name, ""), _ANSWER),
                tall=asked.type == "long",
            )
            for number, asked in enumerate(fields, 1)
        ]
        yield wordml.grid([_LABEL, _ANSWER], rows, called=section.title)


def _repeating(form: _Form, section: Section, answer: Answer, shape: str) -> Iterable[str]:
    for table in section.tables:
        rows = form.rows(table, blank=True)
        if table.shape != shape:
            continue
        if shape == "rows" or answer is _plain:
            yield _row_table(form, table, rows, answer)
            continue
        for number, row in enumerate(rows, 1):
            heading = wordml.run(f"{table.row_name} {number}", bold=True, colour=wordml.INK)
            yield wordml.paragraph(heading, before=120, after=40, keep=True)
            yield _block(form, table, row, answer)


def _row_table(form: _Form, table: FormTable, rows: Sequence[Row], answer: Answer) -> str:
    """One row each under a row of headings; columns that nobody filled in are left out when many."""
    columns = printed(table.columns)
    if len(columns) > 5:
        columns = tuple(c for c in columns if c.mandatory or any(row.get(c.name) for row in rows))
    widths = _widths(columns)
    heading = wordml.row("".join(_label(c, w) for c, w in zip(columns, widths, strict=True)), heading=True)
    lines = [
        wordml.row(
            "".join(answer(form, c, row.get(c.name, ""), w) for c, w in zip(columns, widths, strict=True)),
            tall=any(column.type == "long" for column in columns),
        )
        for row in rows
    ]
    return wordml.grid(widths, [heading, *lines], called=f"{table.row_name}: a row for each")


def _widths(columns: Sequence[FormField]) -> list[int]:
    shares = [3 if column.type == "long" else 2 if column.type == "person" else 1.5 for column in columns]
    return [int(wordml.WIDTH * share / sum(shares)) for share in shares]


def _block(form: _Form, table: FormTable, row: Row, answer: Answer) -> str:
    """One row of a table as a block of its own: label, value, label, value; an odd last one is wide."""
    widths = [1900, 3203, 1900, 3203]
    columns = printed(table.columns)
    pairs = list(zip_longest(columns[::2], columns[1::2]))

    def cells(asked: FormField, width: int, over: int = 1) -> str:
        said = answer(form, asked, row.get(asked.name, ""), width, over)
        return _label(asked, widths[0], keep=True) + said

    rows = [
        wordml.row(cells(left, widths[1]) + cells(right, widths[3]))
        if right
        else wordml.row(cells(left, sum(widths[1:]), 3))
        for left, right in pairs
    ]
    return wordml.grid(widths, rows, called=table.row_name)


def _tick_boxes(form: _Form, section: Section, *, controls: bool) -> str:
    widths = [700, 900, wordml.WIDTH - 1600]
    rows = []
    for category in form.listed(section):
        tick = category.code in form.ticked
        box = _checkbox(form, category, tick) if controls else wordml.run("X" if tick else "")
        rows.append(
            wordml.row(
                wordml.cell(wordml.paragraph(box, centred=True), widths[0])
                + wordml.cell(
                    wordml.paragraph(wordml.run(category.code, bold=True, colour=wordml.INK)),
                    widths[1],
                    shade=wordml.PALE,
                )
                + wordml.cell(wordml.paragraph(wordml.run(category.words)), widths[2])
            )
        )
    return wordml.grid(widths, rows, called=section.title)


# --- "Label: value" ------------------------------------------------------------------------------


def _paragraphs(form: _Form) -> Iterable[str]:
    yield _title(form.definition)
    for section in form.definition.sections:
        yield _heading(section)
        if section.categories:
            yield from (
                wordml.paragraph(
                    wordml.run(
                        f"{'☒' if category.code in form.ticked else '☐'} {category.code} {category.words}"
                    )
                )
                for category in form.listed(section)
            )
        for table in section.tables:
            for number, row in enumerate(form.rows(table, blank=False), 1):
                yield wordml.paragraph(
                    wordml.run(f"{table.row_name} {number}", bold=True), before=120, keep=True
                )
                yield from (_line(asked, row.get(asked.name, "")) for asked in printed(table.columns))
        yield from (_line(asked, form.values.get(asked.name, "")) for asked in printed(section.fields))


def _line(asked: FormField, value: str) -> str:
    return wordml.paragraph(wordml.run(f"{asked.label}: ", bold=True) + wordml.text(_printed(value)))


# --- parts ---------------------------------------------------------------------------------------


def _title(definition: FormDefinition) -> str:
    title = wordml.paragraph(
        wordml.run(definition.title, bold=True, colour="FFFFFF", size=36), style="Title", before=100, after=40
    )
    before, star, after = MANDATORY_NOTE
    marking = wordml.paragraph(
        wordml.run(definition.marking.upper(), bold=True, colour="FFFFFF", size=20), after=100
    )
    return (
        wordml.grid(
            [wordml.WIDTH], [wordml.row(wordml.cell(title + marking, wordml.WIDTH, shade=wordml.BAND))]
        )
        + (
            wordml.paragraph(wordml.run(definition.guidance, colour=wordml.GREY), before=120)
            if definition.guidance
            else ""
        )
        + wordml.paragraph(
            wordml.run(before, colour=wordml.GREY)
            + wordml.run(star, bold=True, colour=wordml.RED)
            + wordml.run(after, colour=wordml.GREY)
        )
    )


def _heading(section: Section) -> str:
    heading = wordml.paragraph(
        wordml.run(section.title, bold=True, colour=wordml.BAND, size=24),
        style="Heading1",
        before=240,
        after=60,
        keep=True,
        new_page=section.new_page,
    )
    note = (
        wordml.paragraph(wordml.run(section.note, colour=wordml.GREY, size=18), after=60, keep=True)
        if section.note
        else ""
    )
    return heading + note


def _label(asked: FormField, width: int, *, keep: bool = False) -> str:
    """A label's cell; `keep` holds its row on one page with the next."""
    star = wordml.run("\N{NO-BREAK SPACE}*", bold=True, colour=wordml.RED) if asked.mandatory else ""
    said = wordml.run(asked.label, bold=True, colour=wordml.INK) + star
    return wordml.cell(wordml.paragraph(said, keep=keep), width, shade=wordml.PALE)


def _plain(form: _Form, asked: FormField, value: str, width: int, columns: int = 1) -> str:
    return wordml.cell(wordml.paragraph(wordml.text(_printed(value))), width, columns=columns)


def _control(form: _Form, asked: FormField, value: str, width: int, columns: int = 1) -> str:
    """An answer in a content control; an empty one shows its prompt as a placeholder."""
    kind, prompt = _control_kind(asked, value)
    if value:
        content = wordml.text(_printed(value))
    else:
        kind = f"<w:showingPlcHdr/>{kind}"
        content = wordml.run(asked.hint or prompt, style="PlaceholderText", colour="767676")
    said = wordml.paragraph(_framed(form, asked.name, asked.label, kind, content))
    return wordml.cell(said, width, columns=columns)


def _framed(form: _Form, tag: str, alias: str, kind: str, content: str) -> str:
    """A content control that nobody deletes by accident."""
    named = f'<w:alias w:val="{wordml.attribute(alias)}"/><w:tag w:val="{wordml.attribute(tag)}"/>'
    locked = f'<w:id w:val="{next(form.ids)}"/><w:lock w:val="sdtLocked"/>'
    return f"<w:sdt><w:sdtPr>{named}{locked}{kind}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def _control_kind(asked: FormField, value: str) -> tuple[str, str]:
    """The control's own XML, and what it asks for while it is empty."""
    if asked.type in ("date", "datetime"):
        stamp = _iso(value)
        full = f' w:fullDate="{stamp:%Y-%m-%dT%H:%M:%S}Z"' if stamp else ""
        pattern = "d MMMM yyyy" if asked.type == "date" else "d MMMM yyyy 'at' HH:mm"
        kind = (
            f'<w:date{full}><w:dateFormat w:val="{pattern}"/><w:lid w:val="en-GB"/>'
            '<w:storeMappedDataAs w:val="dateTime"/><w:calendar w:val="gregorian"/></w:date>'
        )
        return kind, "Click or tap to enter a date." if asked.type == "date" else "Enter date and time."
    if asked.options:
        items = "".join(
            f'<w:listItem w:displayText="{wordml.attribute(option)}" w:value="{wordml.attribute(option)}"/>'
            for option in asked.options
        )
        return f"<w:comboBox>{items}</w:comboBox>", "Choose an item."
    # rich text, not plain: line breaks in it survive every word processor
    return "<w:richText/>", "Click or tap here to enter text."


_GOTHIC = 'w:ascii="MS Gothic" w:eastAsia="MS Gothic" w:hAnsi="MS Gothic" w:hint="eastAsia"'


def _checkbox(form: _Form, category: Category, tick: bool) -> str:
    kind = (
        f'<w14:checkbox><w14:checked w14:val="{int(tick)}"/>'
        '<w14:checkedState w14:val="2612" w14:font="MS Gothic"/>'
        '<w14:uncheckedState w14:val="2610" w14:font="MS Gothic"/></w14:checkbox>'
    )
    glyph = (
        f'<w:r><w:rPr><w:rFonts {_GOTHIC}/><w:sz w:val="22"/></w:rPr><w:t>{"☒" if tick else "☐"}</w:t></w:r>'
    )
    return _framed(form, category.code, category.code, kind, glyph)


def _printed(value: str) -> str:
    """ISO days and times as people write them; "yes"/"no" with a capital."""
    stamp = _iso(value)
    if stamp is None:
        return value.capitalize() if value in ("yes", "no") else value
    day = f"{stamp.day} {stamp:%B %Y}"
    return day if len(value) == 10 else f"{day} at {stamp:%H:%M}"


def _iso(value: str) -> datetime | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?", value):
        return None
    try:
        return datetime.fromisoformat(value)  # local wall time as the form states it
    except ValueError:
        return None
