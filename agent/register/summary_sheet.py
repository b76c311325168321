"""The Summary sheet: figures that the agent keeps, and charts of them that Excel draws by itself.

The figures are plain numbers on the sheet beside their chart: they are right in any program, on a phone and
in print, and whoever cannot see the charts reads them there. Every figure has its fixed place.
"""

from __future__ import annotations

from typing import Any

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties
from openpyxl.drawing.text import Font as ChartFont
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from agent.register.addresses import letters
from agent.register.looks import FAINT, FONT, INK, LINE
from agent.register.package import Package
from agent.register.summary_layout import TOP, Figures, figures_of, placed

_BLUE, _SAND, _HEAD = "3E6A94", "D9A441", "3E4C59"
_WIDTHS = (50, 11, 11, 3)
_CHARTS_FROM = len(_WIDTHS) + 1  # the column
_CHART_COLUMNS, _CHART_ROWS = 8, 23  # what a chart covers, with the gap after it
_CHART_COLUMN = 9.0  # characters wide
_DESCRIBED = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}cNvPr"


def write_summary(sheet: Worksheet, about: str, counted_by: str) -> None:
    """Lay out the figures' places and their charts."""
    title = sheet.cell(1, 1, "Summary")
    title.font = Font(name=FONT, size=15, bold=True, color=INK)
    beside = sheet.cell(2, 1, about)
    beside.font = Font(name=FONT, size=11, color=FAINT)
    sheet.row_dimensions[1].height = 26
    for index, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[letters(index)].width = width
    for index in range(_CHARTS_FROM, _CHARTS_FROM + 2 * _CHART_COLUMNS):
        sheet.column_dimensions[letters(index)].width = _CHART_COLUMN
    charts = 0
    for row, figures in placed(counted_by):
        _writefigures_of(sheet, row, figures)
        if figures.chart:
            chart = _chart(sheet, row, figures)
            chart.anchor = _place(charts)
            sheet.add_chart(chart)
            charts += 1
    sheet.sheet_view.showGridLines = False


def _place(number: int) -> TwoCellAnchor:
    """Two charts beside each other, held by their cells: the same size in every program."""
    left = _CHARTS_FROM - 1 + number % 2 * _CHART_COLUMNS  # counted from 0 here
    top = TOP - 1 + number // 2 * _CHART_ROWS
    right, bottom = left + _CHART_COLUMNS, top + _CHART_ROWS
    half = 32 * 9525  # pixels of a column, so that a gap is left
    return TwoCellAnchor(
        editAs="oneCell",
        _from=AnchorMarker(col=left, row=top),
        to=AnchorMarker(col=right - 1, row=bottom - 1, colOff=half),
    )


def _writefigures_of(sheet: Worksheet, row: int, figures: Figures) -> None:
    title = sheet.cell(row, 1, figures.title)
    title.font = Font(name=FONT, size=12, bold=True, color=INK)
    for column, heading in enumerate(figures.headings, 1):
        head = sheet.cell(row + 1, column, heading or None)
        head.font = Font(name=FONT, size=9, bold=True, color="FFFFFF")
        head.fill = PatternFill("solid", fgColor=_HEAD)
        head.alignment = Alignment(horizontal="left" if column == 1 else "right", vertical="center")
    for line in range(figures.rows):
        for column in range(1, len(figures.headings) + 1):
            found = sheet.cell(row + 2 + line, column)
            found.font = Font(name=FONT, size=10, color=INK, bold=column > 1)
            found.border = Border(bottom=Side("thin", LINE))
            found.number_format = "@" if column == 1 else "0"
            found.alignment = Alignment(horizontal="left" if column == 1 else "right", vertical="center")


def _chart(sheet: Worksheet, row: int, figures: Figures) -> Any:
    chart: Any = BarChart()  # openpyxl's stubs know neither its titles nor its sizes
    chart.type = "bar" if figures.lying else "col"
    chart.title = figures.title
    chart.title.tx.rich.p[0].pPr = ParagraphProperties(defRPr=_letters(1200, bold=True))
    chart.title.overlay = False
    last = row + 1 + figures.rows
    wide = len(figures.headings)
    data = Reference(sheet, min_col=2, max_col=wide, min_row=row + 1, max_row=last)
    chart.add_data(data, titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=row + 2, max_row=last))
    chart.gapWidth = 45
    for series, colour in zip(chart.series, (_BLUE, _SAND), strict=False):
        series.graphicalProperties = GraphicalProperties(solidFill=colour)
        series.dLbls = DataLabelList(showVal=True, numFmt="0;;", txPr=_words(900))
        for part in ("showSerName", "showCatName", "showLegendKey", "showPercent"):
            setattr(series.dLbls, part, False)
    _dress_axes(chart, lying=figures.lying)
    if wide == 2:
        chart.legend = None
    else:
        chart.legend.position = "b"
        chart.legend.txPr = _words(900)
    return chart


def _dress_axes(chart: BarChart, *, lying: bool) -> None:
    """Names along one axis, and nothing along the other: every bar says its number."""
    chart.x_axis.delete = False
    chart.y_axis.delete = True
    chart.y_axis.majorGridlines = None
    chart.y_axis.scaling.min = 0
    chart.x_axis.txPr = _words(900)
    chart.x_axis.majorTickMark = "none"
    chart.x_axis.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=LINE))
    if lying:
        chart.x_axis.scaling.orientation = "maxMin"  # the first on top, as in the table
        chart.layout = Layout(ManualLayout(x=0.36, y=0.14, w=0.58, h=0.82, layoutTarget="inner"))


def _letters(size: int, *, bold: bool = False) -> CharacterProperties:
    return CharacterProperties(sz=size, b=bold, solidFill=INK, latin=ChartFont(typeface=FONT))


def _words(size: int) -> RichText:
    return RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=_letters(size)), endParaRPr=_letters(size))])


def with_described_charts(content: bytes) -> bytes:
    """The same workbook, each chart with words for whoever does not see it; openpyxl writes none."""
    package = Package(content)
    told = [figures.chart for figures in figures_of("group") if figures.chart]
    for name in package.names():
        if name.startswith("xl/drawings/drawing"):
            root = package.xml(name)
            for found, words in zip(root.iter(_DESCRIBED), told, strict=False):
                found.set("descr", words)
            package.replace(name, root)
    return package.content()
