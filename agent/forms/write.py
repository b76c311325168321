"""A form definition → a Word document, blank or filled: what the agent offers, it also reads.

Three layouts: "controls" is the office's own form, with content controls; "table" and "paragraphs"
are how the same answers come when staff have retyped the form.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Literal
from xml.sax.saxutils import escape

from agent.forms.definition import MANDATORY_NOTE, FormDefinition, FormField, FormTable, Section
from agent.procedure.rules import Category

Layout = Literal["controls", "table", "paragraphs"]
Row = Mapping[str, str]

# A4 with margins of 1.5 cm, in twentieths of a point
_WIDTH = 10206
_LABEL, _ANSWER = 3402, 6804

_INK, _BAND, _PALE, _RED, _GREY = "1F3A4D", "1F4E5F", "E8EFF2", "B00020", "5F6B73"


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
    return _package(definition, "".join(body))


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


Answer = Callable[[_Form, FormField, str, int], str]


def _single(form: _Form, section: Section, answer: Answer) -> Iterable[str]:
    if section.fields:
        yield _grid(
            [_LABEL, _ANSWER],
            [
                _row(
                    _label(asked, _LABEL) + answer(form, asked, form.values.get(asked.name, ""), _ANSWER),
                    tall=asked.type == "long",
                )
                for asked in section.fields
            ],
        )


def _repeating(form: _Form, section: Section, answer: Answer, shape: str) -> Iterable[str]:
    for table in section.tables:
        rows = form.rows(table, blank=True)
        if table.shape != shape:
            continue
        if shape == "rows" or answer is _plain:
            yield _row_table(form, table, rows, answer)
            continue
        for number, row in enumerate(rows, 1):
            heading = _run(f"{table.row_name} {number}", bold=True, colour=_INK)
            yield _paragraph(heading, before=120, after=40, keep=True)
            yield _block(form, table, row, answer)


def _row_table(form: _Form, table: FormTable, rows: Sequence[Row], answer: Answer) -> str:
    """One row each under a row of headings; columns that nobody filled in are left out when many."""
    columns = table.columns
    if len(columns) > 5:
        columns = tuple(c for c in columns if c.mandatory or any(row.get(c.name) for row in rows))
    widths = _widths(columns)
    heading = _row("".join(_label(c, w) for c, w in zip(columns, widths, strict=True)), heading=True)
    lines = [
        _row("".join(answer(form, c, row.get(c.name, ""), w) for c, w in zip(columns, widths, strict=True)))
        for row in rows
    ]
    return _grid(widths, [heading, *lines])


def _widths(columns: Sequence[FormField]) -> list[int]:
    shares = [3 if column.type == "long" else 2 if column.type == "person" else 1.5 for column in columns]
    return [int(_WIDTH * share / sum(shares)) for share in shares]


def _block(form: _Form, table: FormTable, row: Row, answer: Answer) -> str:
    """One row of a table as a block of its own: label, value, label, value."""
    widths = [1900, 3203, 1900, 3203]
    cells = [_label(c, 1900) + answer(form, c, row.get(c.name, ""), 3203) for c in table.columns]
    if len(cells) % 2:
        cells.append(_cell("", 1900, shade=_PALE) + _cell("", 3203))
    return _grid(widths, [_row(left + right) for left, right in zip(cells[::2], cells[1::2], strict=True)])


def _tick_boxes(form: _Form, section: Section, *, controls: bool) -> str:
    widths = [700, 900, _WIDTH - 1600]
    rows = []
    for category in form.listed(section):
        tick = category.code in form.ticked
        box = _checkbox(form, category, tick) if controls else _run("X" if tick else "")
        rows.append(
            _row(
                _cell(_paragraph(box, centred=True), widths[0])
                + _cell(_paragraph(_run(category.code, bold=True, colour=_INK)), widths[1], shade=_PALE)
                + _cell(_paragraph(_run(category.words)), widths[2])
            )
        )
    return _grid(widths, rows)


# --- "Label: value" ------------------------------------------------------------------------------


def _paragraphs(form: _Form) -> Iterable[str]:
    yield _title(form.definition)
    for section in form.definition.sections:
        yield _heading(section)
        if section.categories:
            yield from (
                _paragraph(
                    _run(f"{'☒' if category.code in form.ticked else '☐'} {category.code} {category.words}")
                )
                for category in form.listed(section)
            )
        for table in section.tables:
            for number, row in enumerate(form.rows(table, blank=False), 1):
                yield _paragraph(_run(f"{table.row_name} {number}", bold=True), before=120, keep=True)
                yield from (_line(asked, row.get(asked.name, "")) for asked in table.columns)
        yield from (_line(asked, form.values.get(asked.name, "")) for asked in section.fields)


def _line(asked: FormField, value: str) -> str:
    return _paragraph(_run(f"{asked.label}: ", bold=True) + _text(_printed(value)))


# --- parts ---------------------------------------------------------------------------------------


def _title(definition: FormDefinition) -> str:
    title = _paragraph(
        _run(definition.title, bold=True, colour="FFFFFF", size=36), style="Title", before=100, after=40
    )
    before, star, after = MANDATORY_NOTE
    marking = _paragraph(_run(definition.marking.upper(), bold=True, colour="FFFFFF", size=20), after=100)
    return (
        _grid([_WIDTH], [_row(_cell(title + marking, _WIDTH, shade=_BAND))])
        + (_paragraph(_run(definition.guidance, colour=_GREY), before=120) if definition.guidance else "")
        + _paragraph(
            _run(before, colour=_GREY) + _run(star, bold=True, colour=_RED) + _run(after, colour=_GREY)
        )
    )


def _heading(section: Section) -> str:
    heading = _paragraph(
        _run(section.title, bold=True, colour=_BAND, size=24),
        style="Heading2",
        before=240,
        after=60,
        keep=True,
        new_page=section.new_page,
    )
    note = _paragraph(_run(section.note, colour=_GREY, size=18), after=60, keep=True) if section.note else ""
    return heading + note


def _label(asked: FormField, width: int) -> str:
    star = _run(" *", bold=True, colour=_RED) if asked.mandatory else ""
    return _cell(_paragraph(_run(asked.label, bold=True, colour=_INK) + star), width, shade=_PALE)


def _plain(form: _Form, asked: FormField, value: str, width: int) -> str:
    return _cell(_paragraph(_text(_printed(value))), width)


def _control(form: _Form, asked: FormField, value: str, width: int) -> str:
    """An answer in a content control; an empty one shows its prompt as a placeholder."""
    kind, prompt = _control_kind(asked, value)
    content = (
        _text(_printed(value))
        if value
        else _run(asked.hint or prompt, style="PlaceholderText", colour="767676")
    )
    control = (
        f'<w:sdt><w:sdtPr><w:alias w:val="{_attribute(asked.label)}"/><w:tag w:val="{_attribute(asked.name)}"/>'
        f'<w:id w:val="{next(form.ids)}"/><w:lock w:val="sdtLocked"/>{"" if value else "<w:showingPlcHdr/>"}{kind}'
        f"</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"
    )
    return _cell(_paragraph(control), width)


def _control_kind(asked: FormField, value: str) -> tuple[str, str]:
    """The control's own XML, and what it asks for while it is empty."""
    if asked.type in ("date", "datetime"):
        stamp = _iso(value)
        full = f' w:fullDate="{stamp:%Y-%m-%dT%H:%M:%S}Z"' if isinstance(stamp, datetime) else ""
        pattern = "d MMMM yyyy" if asked.type == "date" else "d MMMM yyyy 'at' HH:mm"
        return (
            f'<w:date{full}><w:dateFormat w:val="{pattern}"/><w:lid w:val="en-GB"/>'
            '<w:storeMappedDataAs w:val="dateTime"/><w:calendar w:val="gregorian"/></w:date>',
            "Click or tap to enter a date." if asked.type == "date" else "Enter date and time.",
        )
    if asked.options:
        items = "".join(
            f'<w:listItem w:displayText="{_attribute(option)}" w:value="{_attribute(option)}"/>'
            for option in asked.options
        )
        return f"<w:comboBox>{items}</w:comboBox>", "Choose an item."
    # rich text, not plain: line breaks in it survive every word processor
    return "<w:richText/>", "Click or tap here to enter text."


def _checkbox(form: _Form, category: Category, tick: bool) -> str:
    return (
        f'<w:sdt><w:sdtPr><w:alias w:val="{_attribute(category.code)}"/><w:tag w:val="{_attribute(category.code)}"/>'
        f'<w:id w:val="{next(form.ids)}"/><w:lock w:val="sdtLocked"/><w14:checkbox>'
        f'<w14:checked w14:val="{int(tick)}"/><w14:checkedState w14:val="2612" w14:font="MS Gothic"/>'
        '<w14:uncheckedState w14:val="2610" w14:font="MS Gothic"/></w14:checkbox></w:sdtPr><w:sdtContent>'
        '<w:r><w:rPr><w:rFonts w:ascii="MS Gothic" w:eastAsia="MS Gothic" w:hAnsi="MS Gothic" w:hint="eastAsia"/>'
        f'<w:sz w:val="22"/></w:rPr><w:t>{"☒" if tick else "☐"}</w:t></w:r></w:sdtContent></w:sdt>'
    )


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


# --- WordprocessingML ----------------------------------------------------------------------------

_NOT_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clean(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def _attribute(text: str) -> str:
    return _clean(text).replace('"', "&quot;").replace("\n", " ")


def _text(text: str) -> str:
    """Text with its line breaks and tabs."""
    lines = text.replace("\r\n", "\n").split("\n")
    inner = "<w:br/>".join(
        "<w:tab/>".join(f'<w:t xml:space="preserve">{_clean(part)}</w:t>' for part in line.split("\t"))
        for line in lines
    )
    return f"<w:r>{inner}</w:r>"


def _run(text: str, *, bold: bool = False, colour: str = "", size: int = 0, style: str = "") -> str:
    look = (
        (f'<w:rStyle w:val="{style}"/>' if style else "")
        + ("<w:b/>" if bold else "")
        + (f'<w:color w:val="{colour}"/>' if colour else "")
        + (f'<w:sz w:val="{size}"/>' if size else "")
    )
    return (
        f'<w:r>{f"<w:rPr>{look}</w:rPr>" if look else ""}<w:t xml:space="preserve">{_clean(text)}</w:t></w:r>'
    )


def _paragraph(
    content: str,
    *,
    style: str = "",
    before: int = 0,
    after: int = 0,
    centred: bool = False,
    keep: bool = False,
    new_page: bool = False,
) -> str:
    look = (
        (f'<w:pStyle w:val="{style}"/>' if style else "")
        + ("<w:keepNext/>" if keep else "")
        + ("<w:pageBreakBefore/>" if new_page else "")
        + f'<w:spacing w:before="{before}" w:after="{after}"/>'
        + ('<w:jc w:val="center"/>' if centred else "")
    )
    return f"<w:p><w:pPr>{look}</w:pPr>{content}</w:p>"


def _cell(content: str, width: int, *, shade: str = "") -> str:
    colour = f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>' if shade else ""
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{colour}</w:tcPr>{content or _paragraph("")}</w:tc>'


def _row(cells: str, *, heading: bool = False, tall: bool = False) -> str:
    look = (
        "<w:cantSplit/>"
        + ('<w:trHeight w:val="720"/>' if tall else "")
        + ("<w:tblHeader/>" if heading else "")
    )
    return f"<w:tr><w:trPr>{look}</w:trPr>{cells}</w:tr>"


def _grid(widths: Sequence[int], rows: Sequence[str]) -> str:
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        '<w:tbl><w:tblPr><w:tblStyle w:val="FormGrid"/>'
        f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>" + _paragraph("")
    )


# --- the package ---------------------------------------------------------------------------------

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_SPACES = (
    f'xmlns:w="{_W}" xmlns:r="{_R}" xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="w14"'
)


def _package(definition: FormDefinition, body: str) -> bytes:
    page = (
        '<w:sectPr><w:headerReference w:type="default" r:id="rId3"/><w:footerReference w:type="default" r:id="rId4"/>'
        '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="850" w:bottom="1020" w:left="850" '
        'w:header="510" w:footer="450" w:gutter="0"/></w:sectPr>'
    )
    parts = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _relationships(
            ("officeDocument", "word/document.xml"),
            ("metadata/core-properties", "docProps/core.xml"),
        ),
        "docProps/core.xml": _core(definition),
        "word/document.xml": f"{_XML}<w:document {_SPACES}><w:body>{body}{page}</w:body></w:document>",
        "word/_rels/document.xml.rels": _relationships(
            ("styles", "styles.xml"),
            ("settings", "settings.xml"),
            ("header", "header1.xml"),
            ("footer", "footer1.xml"),
        ),
        "word/styles.xml": _STYLES,
        "word/settings.xml": f'{_XML}<w:settings {_SPACES}><w:zoom w:percent="100"/>'
        '<w:compat><w:compatSetting w:name="compatibilityMode" '
        'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat></w:settings>',
        "word/header1.xml": _header(definition),
        "word/footer1.xml": _footer(definition),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _header(definition: FormDefinition) -> str:
    marking = _run(definition.marking.upper(), bold=True, colour=_RED, size=18)
    line = f'<w:p><w:pPr><w:jc w:val="right"/></w:pPr>{marking}</w:p>'
    return f"{_XML}<w:hdr {_SPACES}>{line}</w:hdr>"


def _footer(definition: FormDefinition) -> str:
    def number(field_name: str) -> str:
        return f'<w:fldSimple w:instr=" {field_name} "><w:r><w:rPr><w:sz w:val="16"/></w:rPr><w:t>1</w:t></w:r></w:fldSimple>'

    line = (
        f'<w:p><w:pPr><w:tabs><w:tab w:val="right" w:pos="{_WIDTH}"/></w:tabs></w:pPr>'
        + _run(definition.title, colour=_GREY, size=16)
        + "<w:r><w:tab/></w:r>"
        + _run("Page ", colour=_GREY, size=16)
        + number("PAGE")
        + _run(" of ", colour=_GREY, size=16)
        + number("NUMPAGES")
        + "</w:p>"
    )
    return f"{_XML}<w:ftr {_SPACES}>{line}</w:ftr>"


def _core(definition: FormDefinition) -> str:
    return (
        f'{_XML}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{_clean(definition.title)}</dc:title>'
        "<dc:language>en-GB</dc:language></cp:coreProperties>"
    )


def _relationships(*targets: tuple[str, str]) -> str:
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{_relationship_type(kind)}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{lines}</Relationships>'


def _relationship_type(kind: str) -> str:
    if kind.startswith("metadata/"):
        return f"http://schemas.openxmlformats.org/package/2006/relationships/{kind}"
    return f"{_R}/{kind}"


_CONTENT_TYPES = (
    f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_OFFICE}.document.main+xml"/>'
    f'<Override PartName="/word/styles.xml" ContentType="{_OFFICE}.styles+xml"/>'
    f'<Override PartName="/word/settings.xml" ContentType="{_OFFICE}.settings+xml"/>'
    f'<Override PartName="/word/header1.xml" ContentType="{_OFFICE}.header+xml"/>'
    f'<Override PartName="/word/footer1.xml" ContentType="{_OFFICE}.footer+xml"/>'
    '<Override PartName="/docProps/core.xml" '
    'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>'
)

_SIDES = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="B7C4CA"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)
_STYLES = (
    f"{_XML}<w:styles {_SPACES}><w:docDefaults><w:rPrDefault><w:rPr>"
    '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:eastAsia="Arial" w:cs="Arial"/><w:sz w:val="20"/>'
    '<w:szCs w:val="20"/><w:lang w:val="en-GB"/></w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>'
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/><w:qFormat/>'
    '</w:style><w:style w:type="paragraph" w:styleId="Heading2"><w:name w:val="heading 2"/>'
    '<w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:qFormat/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    '<w:style w:type="character" w:styleId="PlaceholderText"><w:name w:val="Placeholder Text"/>'
    '<w:rPr><w:color w:val="767676"/></w:rPr></w:style>'
    '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/></w:style>'
    '<w:style w:type="table" w:styleId="FormGrid"><w:name w:val="Form Grid"/><w:basedOn w:val="TableNormal"/>'
    f'<w:tblPr><w:tblBorders>{_SIDES}</w:tblBorders><w:tblCellMar><w:top w:w="50" w:type="dxa"/>'
    '<w:left w:w="100" w:type="dxa"/><w:bottom w:w="50" w:type="dxa"/><w:right w:w="100" w:type="dxa"/>'
    "</w:tblCellMar></w:tblPr></w:style></w:styles>"
)
