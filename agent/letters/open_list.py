"""The digest's open alerts as a spreadsheet to sort and filter. It says what the digest says, and no more."""

from __future__ import annotations

import io
from datetime import date

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart

from agent.procedure.digest import Digest

_COLUMNS = (
    ("Alert", 18),
    ("Initials", 12),
    ("Status", 20),
    ("Received", 12),
    ("Days open", 11),
    ("Last news", 12),
    ("Next step", 48),
    ("Area", 14),
)
_DAY = "dd mmm yyyy"


def open_list(digest: Digest, marking: str) -> bytes:
    """A workbook with one row for each open alert, the oldest first, marked at the top of each page."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Open alerts"
    sheet.append([heading for heading, _ in _COLUMNS])
    for alert in digest.open:
        sheet.append(
            [
                alert.reference,
                alert.initials,
                str(alert.status or ""),
                alert.received,
                alert.days_open,
                alert.last_heard,
                "Details are only in the register" if alert.staff_matter else alert.next_step,
                "; ".join(alert.areas),
            ]
        )
    for number, (_, width) in enumerate(_COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            if isinstance(cell.value, date):
                cell.number_format = _DAY
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.oddHeader = HeaderFooterItem(center=_HeaderFooterPart(marking))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
