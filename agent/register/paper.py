"""How the sheets of a register print: on whole pages, with headings, page numbers and their marking."""

from __future__ import annotations

import math
from collections.abc import Sequence

from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from agent.procedure.rules import Column
from agent.register.addresses import letters
from agent.register.table_sheet import HEADING_ROW

A3, A4 = 8, 9
A3_WIDTH = 280  # characters across a landscape page, at a size that is still pleasant to read


def print_table(sheet: Worksheet, title: str, marking: str, columns: Sequence[Column], frozen: int) -> None:
    """Landscape A3; the frozen columns and the headings stand on every page."""
    print_page(sheet, title, marking, paper=A3)
    sheet.print_title_rows = f"{HEADING_ROW}:{HEADING_ROW}"
    sheet.print_title_cols = f"A:{letters(frozen)}"
    sheet.page_setup.fitToWidth = _pages_wide(columns, frozen)


def print_page(
    sheet: Worksheet, title: str, marking: str, *, paper: int = A4, landscape: bool = True, pages: int = 0
) -> None:
    """One page wide and `pages` high (0: as many as it takes), with its marking and the page's number."""
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = paper
    sheet.page_setup.fitToHeight = pages
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.75
    sheet.page_margins.header = sheet.page_margins.footer = 0.35
    if sheet.oddHeader is not None and sheet.oddFooter is not None:  # always: only the stubs doubt it
        sheet.oddHeader.right.text = _printed(marking) or None  # an empty one would not be valid
        sheet.oddFooter.left.text = _printed(title)
        sheet.oddFooter.right.text = "Printed &D &T, page &P of &N"


def _pages_wide(columns: Sequence[Column], frozen: int) -> int:
    """Over how many pages the columns go, the frozen ones standing on each."""
    repeated = sum(column.width for column in columns[:frozen])
    others = sum(column.width for column in columns[frozen:] if not column.hidden)
    return max(1, math.ceil(others / (A3_WIDTH - repeated)))


def _printed(text: str) -> str:
    return text.replace("&", "&&")
