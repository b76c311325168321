"""WordprocessingML by hand: the few pieces a handsome form is made of, and the package around them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

# A4 with margins of 1.5 cm, in twentieths of a point
WIDTH = 10206

INK, BAND, PALE, RED, GREY = "1F3A4D", "1F4E5F", "E8EFF2", "B00020", "5F6B73"

_NOT_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clean(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def attribute(text: str) -> str:
    """`text` for the inside of double quotes."""
    return _clean(text).replace('"', "&quot;").replace("\n", " ")


def text(text: str) -> str:
    """Text with its line breaks and tabs."""
    lines = text.replace("\r\n", "\n").split("\n")
    inner = "<w:br/>".join(
        "<w:tab/>".join(f'<w:t xml:space="preserve">{_clean(part)}</w:t>' for part in line.split("\t"))
        for line in lines
    )
    return f"<w:r>{inner}</w:r>"


def run(text: str, *, bold: bool = False, colour: str = "", size: int = 0, style: str = "") -> str:
    """A run of text in one look; `size` is in half points."""
    look = (
        (f'<w:rStyle w:val="{style}"/>' if style else "")
        + ("<w:b/>" if bold else "")
        + (f'<w:color w:val="{colour}"/>' if colour else "")
        + (f'<w:sz w:val="{size}"/>' if size else "")
    )
    return (
        f'<w:r>{f"<w:rPr>{look}</w:rPr>" if look else ""}<w:t xml:space="preserve">{_clean(text)}</w:t></w:r>'
    )


def paragraph(
    content: str,
    *,
    style: str = "",
    before: int = 0,
    after: int = 0,
    centred: bool = False,
    keep: bool = False,
    new_page: bool = False,
) -> str:
    """A paragraph around `content`; distances are in twentieths of a point."""
    look = (
        (f'<w:pStyle w:val="{style}"/>' if style else "")
        + ("<w:keepNext/>" if keep else "")
        + ("<w:pageBreakBefore/>" if new_page else "")
        + f'<w:spacing w:before="{before}" w:after="{after}"/>'
        + ('<w:jc w:val="center"/>' if centred else "")
    )
    return f"<w:p><w:pPr>{look}</w:pPr>{content}</w:p>"


def cell(content: str, width: int, *, shade: str = "", columns: int = 1) -> str:
    """A table cell of paragraphs over so many `columns`, `width` in twentieths of a point."""
    colour = f'<w:shd w:val="clear" w:color="auto" w:fill="{shade}"/>' if shade else ""
    span = f'<w:gridSpan w:val="{columns}"/>' if columns > 1 else ""
    look = f'<w:tcW w:w="{width}" w:type="dxa"/>{span}{colour}'
    return f"<w:tc><w:tcPr>{look}</w:tcPr>{content or paragraph('')}</w:tc>"


def row(cells: str, *, heading: bool = False, tall: bool = False) -> str:
    """A table row that no page break splits; a heading comes again on every page."""
    look = (
        "<w:cantSplit/>"
        + ('<w:trHeight w:val="720"/>' if tall else "")
        + ("<w:tblHeader/>" if heading else "")
    )
    return f"<w:tr><w:trPr>{look}</w:trPr>{cells}</w:tr>"


def grid(widths: Sequence[int], rows: Sequence[str], *, called: str = "") -> str:
    """A table with columns of fixed widths, and the paragraph that must follow it.

    `called` is what a screen reader says of the table. Without a row of headings its first column heads
    the rows.
    """
    headed = any("<w:tblHeader/>" in row for row in rows)
    look = f'<w:tblLook w:firstRow="{int(headed)}" w:firstColumn="{int(not headed)}" w:noVBand="1"/>'
    caption = f'<w:tblCaption w:val="{attribute(called)}"/>' if called else ""
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        '<w:tbl><w:tblPr><w:tblStyle w:val="FormGrid"/>'
        f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>{look}{caption}</w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>" + paragraph("")
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


def package(title: str, marking: str, body: str) -> bytes:
    """A .docx of `body`, with the marking at the head of every page; the same input gives the same bytes."""
    page = (
        '<w:sectPr><w:headerReference w:type="default" r:id="rId3"/>'
        '<w:footerReference w:type="default" r:id="rId4"/>'
        '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="850" w:bottom="1020" w:left="850" '
        'w:header="510" w:footer="450" w:gutter="0"/></w:sectPr>'
    )
    parts = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _relationships(
            ("officeDocument", "word/document.xml"),
            ("metadata/core-properties", "docProps/core.xml"),
        ),
        "docProps/core.xml": _core(title),
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
        'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>'
        '<w:themeFontLang w:val="en-GB"/></w:settings>',
        "word/header1.xml": _header(marking),
        "word/footer1.xml": _footer(title),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _header(marking: str) -> str:
    said = run(marking.upper(), bold=True, colour=RED, size=18)
    line = f'<w:p><w:pPr><w:jc w:val="right"/></w:pPr>{said}</w:p>'
    return f"{_XML}<w:hdr {_SPACES}>{line}</w:hdr>"


def _footer(title: str) -> str:
    def number(field_name: str) -> str:
        shown = '<w:r><w:rPr><w:sz w:val="16"/></w:rPr><w:t>1</w:t></w:r>'
        return f'<w:fldSimple w:instr=" {field_name} ">{shown}</w:fldSimple>'

    line = (
        f'<w:p><w:pPr><w:tabs><w:tab w:val="right" w:pos="{WIDTH}"/></w:tabs></w:pPr>'
        + run(title, colour=GREY, size=16)
        + "<w:r><w:tab/></w:r>"
        + run("Page ", colour=GREY, size=16)
        + number("PAGE")
        + run(" of ", colour=GREY, size=16)
        + number("NUMPAGES")
        + "</w:p>"
    )
    return f"{_XML}<w:ftr {_SPACES}>{line}</w:ftr>"


def _core(title: str) -> str:
    return (
        f"{_XML}<cp:coreProperties "
        'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{_clean(title)}</dc:title>'
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
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/>'
    "<w:qFormat/></w:style>"
    '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/>'
    '<w:basedOn w:val="Normal"/><w:qFormat/>'
    '</w:style><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/>'
    '<w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:qFormat/>'
    '<w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>'
    '<w:style w:type="character" w:styleId="PlaceholderText"><w:name w:val="Placeholder Text"/>'
    '<w:rPr><w:color w:val="767676"/></w:rPr></w:style>'
    '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/></w:style>'
    '<w:style w:type="table" w:styleId="FormGrid"><w:name w:val="Form Grid"/><w:basedOn w:val="TableNormal"/>'
    f'<w:tblPr><w:tblBorders>{_SIDES}</w:tblBorders><w:tblCellMar><w:top w:w="50" w:type="dxa"/>'
    '<w:left w:w="100" w:type="dxa"/><w:bottom w:w="50" w:type="dxa"/><w:right w:w="100" w:type="dxa"/>'
    "</w:tblCellMar></w:tblPr></w:style></w:styles>"
)
