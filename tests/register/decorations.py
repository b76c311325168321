"""What people's Excel puts into a register that no library of ours can make: each sample written by hand, as
Excel itself writes it, into a workbook with three alerts (rows 4 to 6 of the sheet, columns A to I)."""

# ruff: noqa: E501 - the samples' XML is easier to follow unbroken

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.register.books import book_with, parts, row, with_parts

SHEET = "xl/worksheets/sheet1.xml"
WORKBOOK = "xl/workbook.xml"
_SHEET_LINKS = "xl/worksheets/_rels/sheet1.xml.rels"
_WORKBOOK_LINKS = "xl/_rels/workbook.xml.rels"
_TYPES = "[Content_Types].xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MICROSOFT = "http://schemas.microsoft.com/office"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_EXCEL = "application/vnd.ms-excel"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_X14 = f'xmlns:x14="{_MICROSOFT}/spreadsheetml/2009/9/main"'
_XM = f'xmlns:xm="{_MICROSOFT}/excel/2006/main"'
_DRAWING = (
    '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
    f'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="{_OFFICE}">'
)


@dataclass
class _Added:
    """Parts to add, with their content types; links (part → kind, target); texts put in before others."""

    parts: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    links: dict[str, Sequence[tuple[str, str, str]]] = field(default_factory=dict)
    before: dict[str, Sequence[tuple[str, str]]] = field(default_factory=dict)

    def to(self, content: bytes) -> bytes:
        there = {name: part.decode("utf-8", "replace") for name, part in parts(content).items()}
        texts = {name: _DECLARED + text for name, text in self.parts.items()}
        for part, links in self.links.items():
            lines = "".join(
                f'<Relationship Id="{key}" Type="{kind if "://" in kind else f"{_OFFICE}/{kind}"}" '
                f'Target="{target}"/>'
                for key, kind, target in links
            )
            empty = f'<Relationships xmlns="{_PACKAGE}"></Relationships>'
            texts[part] = there.get(part, empty).replace("</Relationships>", f"{lines}</Relationships>")
        for part, pieces in self.before.items():
            texts[part] = there[part]
            for mark, piece in pieces:
                assert mark in texts[part], f"{part} has no {mark}"
                texts[part] = texts[part].replace(mark, f"{piece}{mark}", 1)
        kinds = "".join(
            f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in self.kinds.items()
        )
        kinds += '<Default Extension="vml" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>'
        texts[_TYPES] = there[_TYPES].replace("</Types>", f"{kinds}</Types>")
        return with_parts(content, {name: text.encode() for name, text in texts.items()})


def plain() -> bytes:
    """The register without anything of people's."""
    return book_with(row(1), row(2), row(3))


def _anchor(top: int, bottom: int, inside: str, *, left: int = 1, more: str = "") -> str:
    """Something drawn over the rows `top` to `bottom`, which count from 1."""
    corners = "".join(
        f"<xdr:{name}><xdr:col>{column}</xdr:col><xdr:colOff>0</xdr:colOff>"
        f"<xdr:row>{line - 1}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:{name}>"
        for name, column, line in (("from", left, top), ("to", left + 3, bottom))
    )
    return f"<xdr:twoCellAnchor{more}>{corners}{inside}<xdr:clientData/></xdr:twoCellAnchor>"


def _box(number: int) -> str:
    return (
        f'<xdr:sp macro="" textlink=""><xdr:nvSpPr><xdr:cNvPr id="{number}" name="Box {number}"/><xdr:cNvSpPr/>'
        '</xdr:nvSpPr><xdr:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="900000" cy="300000"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr></xdr:sp>'
    )


def drawings(*anchors: str, more: _Added | None = None) -> bytes:
    """The register with these things drawn on its sheet."""
    added = more or _Added()
    added.parts["xl/drawings/drawing9.xml"] = f"{_DRAWING}{''.join(anchors)}</xdr:wsDr>"
    added.kinds["xl/drawings/drawing9.xml"] = "application/vnd.openxmlformats-officedocument.drawing+xml"
    added.links[_SHEET_LINKS] = [("rId90", "drawing", "../drawings/drawing9.xml")]
    added.before[SHEET] = [
        *added.before.get(SHEET, ()),
        ("<tableParts", f'<drawing xmlns:r="{_OFFICE}" r:id="rId90"/>'),
    ]
    return added.to(plain())


def boxes() -> bytes:
    """Boxes above, beside and below the table, and one below that is not to move."""
    return drawings(
        _anchor(1, 2, _box(2)),
        _anchor(5, 9, _box(3), left=10),
        _anchor(7, 9, _box(4)),
        _anchor(12, 14, _box(5), more=' editAs="oneCell"'),
        _anchor(20, 22, _box(6), more=' editAs="absolute"'),
    )


_SLICER_SPACE = f'xmlns="{_MICROSOFT}/spreadsheetml/2009/9/main" xmlns:x="{_MAIN}"'


def slicer() -> bytes:
    """A slicer of the table by Status, as Excel draws it: with words for programs that know none."""
    frame = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        f'xmlns:sle15="{_MICROSOFT}/drawing/2012/slicer"><mc:Choice Requires="sle15"><xdr:graphicFrame macro="">'
        '<xdr:nvGraphicFramePr><xdr:cNvPr id="2" name="Status"/><xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr>'
        '<xdr:xfrm><a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm><a:graphic><a:graphicData '
        f'uri="{_MICROSOFT}/drawing/2010/slicer"><sle:slicer xmlns:sle="{_MICROSOFT}/drawing/2010/slicer" '
        'name="Status"/></a:graphicData></a:graphic></xdr:graphicFrame></mc:Choice>'
        f"<mc:Fallback>{_box(2)}</mc:Fallback></mc:AlternateContent>"
    )
    more = _Added(
        parts={
            "xl/slicers/slicer1.xml": f'<slicers {_SLICER_SPACE}><slicer name="Status" cache="Slicer_Status" '
            'caption="Status" rowHeight="241300"/></slicers>',
            "xl/slicerCaches/slicerCache1.xml": f'<slicerCacheDefinition {_SLICER_SPACE} name="Slicer_Status" '
            'sourceName="Status"><extLst><x:ext uri="{2F2917AC-EB37-4324-AD4E-5DD8C200BD13}" '
            f'xmlns:x15="{_MICROSOFT}/spreadsheetml/2010/11/main"><x15:tableSlicerCache tableId="1" column="2"/>'
            "</x:ext></extLst></slicerCacheDefinition>",
        },
        kinds={
            "xl/slicers/slicer1.xml": f"{_EXCEL}.slicer+xml",
            "xl/slicerCaches/slicerCache1.xml": f"{_EXCEL}.slicerCache+xml",
        },
        links={
            _WORKBOOK_LINKS: [
                ("rId91", f"{_MICROSOFT}/2007/relationships/slicerCache", "slicerCaches/slicerCache1.xml")
            ]
        },
        before={
            SHEET: [
                (
                    "</worksheet>",
                    (
                        '<extLst><ext uri="{3A4CF648-6AED-40f4-86FF-DC5316D8AED3}" '
                        f'xmlns:x15="{_MICROSOFT}/spreadsheetml/2010/11/main"><x14:slicerList {_X14}>'
                        f'<x14:slicer xmlns:r="{_OFFICE}" r:id="rId92"/></x14:slicerList></ext></extLst>'
                    ),
                )
            ],
            WORKBOOK: [
                (
                    "</workbook>",
                    (
                        '<extLst><ext uri="{46BE6895-7355-4a93-B00E-2C351335B9C9}" '
                        f'xmlns:x15="{_MICROSOFT}/spreadsheetml/2010/11/main"><x15:slicerCaches {_X14}>'
                        f'<x14:slicerCache xmlns:r="{_OFFICE}" r:id="rId91"/></x15:slicerCaches></ext></extLst>'
                    ),
                )
            ],
        },
    )
    content = drawings(_anchor(1, 3, frame, left=10), more=more)
    link = ("rId92", f"{_MICROSOFT}/2007/relationships/slicer", "../slicers/slicer1.xml")
    return _Added(links={_SHEET_LINKS: [link]}).to(content)


def _on_a_sheet_of_its_own(name: str, cells: str, *, more: _Added, behind: str = "") -> bytes:
    """The register with another sheet, “Ours”."""
    part = "xl/worksheets/sheet9.xml"
    more.parts[part] = (
        f'<worksheet xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheetData>{cells}</sheetData>{behind}</worksheet>'
    )
    more.kinds[part] = f"{_SPREADSHEET}.worksheet+xml"
    more.links[_WORKBOOK_LINKS] = [
        *more.links.get(_WORKBOOK_LINKS, ()),
        ("rId95", "worksheet", "worksheets/sheet9.xml"),
    ]
    more.before[WORKBOOK] = [
        *more.before.get(WORKBOOK, ()),
        ("</sheets>", f'<sheet name="{name}" sheetId="9" xmlns:r="{_OFFICE}" r:id="rId95"/>'),
    ]
    return more.to(plain())


def pivot_table() -> bytes:
    """A pivot table that counts the alerts by status, of the cells A3 to I6."""
    names = (
        "Ref",
        "Status",
        "Received",
        "Children",
        "Child name",
        "Next update due",
        "Summary",
        "Held",
        "Notes",
    )
    fields = "".join(f'<cacheField name="{name}" numFmtId="0"><sharedItems/></cacheField>' for name in names)
    plain_fields = '<pivotField showAll="0"/>' * 7
    more = _Added(
        parts={
            "xl/pivotCache/pivotCacheDefinition1.xml": f'<pivotCacheDefinition xmlns="{_MAIN}" '
            f'xmlns:r="{_OFFICE}" saveData="0" refreshOnLoad="1" recordCount="0"><cacheSource type="worksheet">'
            f'<worksheetSource ref="A3:I6" sheet="Need to Know"/></cacheSource><cacheFields count="9">{fields}'
            "</cacheFields></pivotCacheDefinition>",
            "xl/pivotTables/pivotTable1.xml": f'<pivotTableDefinition xmlns="{_MAIN}" name="By status" cacheId="7" '
            'dataCaption="Values" applyNumberFormats="0"><location ref="A3:B5" firstHeaderRow="1" '
            'firstDataRow="1" firstDataCol="1"/><pivotFields count="9"><pivotField dataField="1" showAll="0"/>'
            f'<pivotField axis="axisRow" showAll="0"><items count="1"><item t="default"/></items></pivotField>'
            f'{plain_fields}</pivotFields><rowFields count="1"><field x="1"/></rowFields><dataFields count="1">'
            '<dataField name="Count" fld="0" subtotal="count"/></dataFields></pivotTableDefinition>',
        },
        kinds={
            "xl/pivotCache/pivotCacheDefinition1.xml": f"{_SPREADSHEET}.pivotCacheDefinition+xml",
            "xl/pivotTables/pivotTable1.xml": f"{_SPREADSHEET}.pivotTable+xml",
        },
        links={
            _WORKBOOK_LINKS: [("rId91", "pivotCacheDefinition", "pivotCache/pivotCacheDefinition1.xml")],
            "xl/worksheets/_rels/sheet9.xml.rels": [("rId1", "pivotTable", "../pivotTables/pivotTable1.xml")],
            "xl/pivotTables/_rels/pivotTable1.xml.rels": [
                ("rId1", "pivotCacheDefinition", "../pivotCache/pivotCacheDefinition1.xml")
            ],
        },
        before={
            WORKBOOK: [
                (
                    "</workbook>",
                    f'<pivotCaches><pivotCache cacheId="7" xmlns:r="{_OFFICE}" r:id="rId91"/></pivotCaches>',
                )
            ]
        },
    )
    return _on_a_sheet_of_its_own("Ours", "", more=more)


def sparklines() -> bytes:
    """Formulas and small charts in cells of another sheet, of cells of the register."""
    cells = (
        '<row r="1"><c r="A1"><f>SUM(\'Need to Know\'!$D$4:$D$6)</f><v>3</v></c>'
        '<c r="B1"><f>COUNTIF(\'Need to Know\'!B3:B6,"Open")&amp;" of D4:D6"</f><v>3</v></c>'
        '<c r="C1"><f>SUM(\'Need to Know\'!D5:D6)</f><v>2</v></c><c r="D1"><f>SUM(D4:D6)</f><v>0</v></c></row>'
    )
    lines = (
        '<extLst><ext uri="{05C60535-1F16-4fd2-B633-F4F36F0B64E0}" '
        + _X14
        + "><x14:sparklineGroups "
        + _XM
        + ">"
        "<x14:sparklineGroup><x14:sparklines><x14:sparkline><xm:f>'Need to Know'!D4:D6</xm:f><xm:sqref>E1</xm:sqref>"
        "</x14:sparkline></x14:sparklines></x14:sparklineGroup></x14:sparklineGroups></ext></extLst>"
    )
    return _on_a_sheet_of_its_own("Ours", cells, more=_Added(), behind=lines)


def chart() -> bytes:
    """A chart beside the table, of its columns."""
    where = "'Need to Know'!"
    space = "http://schemas.openxmlformats.org/drawingml/2006/chart"
    more = _Added(
        parts={
            "xl/charts/chart9.xml": f'<c:chartSpace xmlns:c="{space}"><c:chart><c:plotArea><c:layout/><c:barChart>'
            '<c:barDir val="col"/><c:grouping val="clustered"/><c:ser><c:idx val="0"/><c:order val="0"/><c:tx><c:strRef>'
            f"<c:f>{where}$D$3</c:f></c:strRef></c:tx><c:cat><c:strRef><c:f>{where}$A$4:$A$6</c:f></c:strRef></c:cat>"
            f"<c:val><c:numRef><c:f>{where}$D$4:$D$6</c:f></c:numRef></c:val></c:ser>"
            '<c:axId val="1"/><c:axId val="2"/></c:barChart>'
            '<c:catAx><c:axId val="1"/><c:scaling/><c:axPos val="b"/><c:crossAx val="2"/></c:catAx>'
            '<c:valAx><c:axId val="2"/><c:scaling/><c:axPos val="l"/><c:crossAx val="1"/></c:valAx>'
            "</c:plotArea></c:chart></c:chartSpace>"
        },
        kinds={"xl/charts/chart9.xml": "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"},
        links={"xl/drawings/_rels/drawing9.xml.rels": [("rId1", "chart", "../charts/chart9.xml")]},
    )
    frame = (
        '<xdr:graphicFrame macro=""><xdr:nvGraphicFramePr><xdr:cNvPr id="2" name="Chart"/><xdr:cNvGraphicFramePr/>'
        '</xdr:nvGraphicFramePr><xdr:xfrm><a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm><a:graphic>'
        f'<a:graphicData uri="{space}"><c:chart xmlns:c="{space}" r:id="rId1"/></a:graphicData></a:graphic>'
        "</xdr:graphicFrame>"
    )
    return drawings(_anchor(1, 12, frame, left=10), more=more)


def button(top: int = 1) -> bytes:
    """A button as Excel keeps one: as a shape, as a control of the sheet, and by its properties."""
    place = f"<from><xdr:col>1</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>{top - 1}</xdr:row><xdr:rowOff>0</xdr:rowOff></from>"
    corner = place.replace("from>", "to>").replace(f">{top - 1}<", f">{top}<")
    space = 'xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"'
    control = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f'<mc:Choice xmlns:x14="{_MICROSOFT}/spreadsheetml/2009/9/main" Requires="x14"><controls>'
        f'<control shapeId="2049" xmlns:r="{_OFFICE}" r:id="rId94" name="Button 1"><controlPr defaultSize="0" '
        f'print="0"><anchor {space}>{place}{corner}</anchor></controlPr></control></controls></mc:Choice>'
        "</mc:AlternateContent>"
    )
    vml = (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
        'xmlns:x="urn:schemas-microsoft-com:office:excel"><v:shape id="Button_1" type="#_x0000_t201" '
        f'o:spid="_x0000_s2049"><x:ClientData ObjectType="Button"><x:Anchor>1, 0, {top - 1}, 0, 2, 0, {top}, 0'
        "</x:Anchor></x:ClientData></v:shape></xml>"
    )
    return _Added(
        parts={
            "xl/ctrlProps/ctrlProp1.xml": f'<formControlPr xmlns="{_MICROSOFT}/spreadsheetml/2009/9/main" '
            'objectType="Button" lockText="1"/>',
            "xl/drawings/vmlDrawing9.vml": vml,
        },
        kinds={"xl/ctrlProps/ctrlProp1.xml": f"{_EXCEL}.controlproperties+xml"},
        links={
            _SHEET_LINKS: [
                ("rId93", "vmlDrawing", "../drawings/vmlDrawing9.vml"),
                ("rId94", "ctrlProp", "../ctrlProps/ctrlProp1.xml"),
            ]
        },
        before={
            SHEET: [("<tableParts", f'<legacyDrawing xmlns:r="{_OFFICE}" r:id="rId93"/>{control}')],
        },
    ).to(plain())


def excel_online() -> bytes:
    """What Excel for the web writes into a sheet: revision ids, kept metadata, attributes of later versions."""
    content = _Added(
        parts={
            "xl/metadata.xml": f'<metadata xmlns="{_MAIN}" '
            f'xmlns:xda="{_MICROSOFT}/spreadsheetml/2017/dynamicarray"><metadataTypes count="1"><metadataType '
            'name="XLDAPR" minSupportedVersion="120000" cellMeta="1"/></metadataTypes><futureMetadata name="XLDAPR" '
            'count="1"><bk><extLst><ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}"><xda:dynamicArrayProperties '
            'fDynamic="1" fCollapsed="0"/></ext></extLst></bk></futureMetadata><cellMetadata count="1"><bk><rc '
            't="1" v="0"/></bk></cellMetadata></metadata>',
        },
        kinds={"xl/metadata.xml": f"{_SPREADSHEET}.sheetMetadata+xml"},
        links={_WORKBOOK_LINKS: [("rId91", "sheetMetadata", "metadata.xml")]},
    ).to(plain())
    sheet = parts(content)[SHEET].decode()
    later = (
        '<worksheet xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="x14ac xr" '
        f'xmlns:x14ac="{_MICROSOFT}/spreadsheetml/2009/9/ac" xmlns:xr="{_MICROSOFT}/spreadsheetml/2014/revision" '
        'xr:uid="{00000000-0001-0000-0000-000000000000}" xmlns='
    )
    sheet = sheet.replace("<worksheet xmlns=", later, 1).replace(
        '<row r="5"', '<row r="5" x14ac:dyDescent="0.25" spans="1:9"', 1
    )
    return with_parts(content, {SHEET: sheet.encode()})


DECORATIONS: Mapping[str, Callable[[], bytes]] = {
    "boxes": boxes,
    "slicer": slicer,
    "pivot table": pivot_table,
    "sparklines": sparklines,
    "chart": chart,
    "button": button,
    "Excel for the web": excel_online,
}
