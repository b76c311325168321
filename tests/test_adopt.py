"""Spreadsheets as people keep them become registers: nothing in them is lost, nothing is doubled, nobody is
chased for what lay before."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table

from agent.bookkeeping import bookkeeping
from agent.desk import Desk
from agent.errors import ChangedMeanwhile, Locked, NeedsAPerson, WrongCall
from agent.m365.graph import open_graph
from agent.procedure.chase import chases_due
from agent.procedure.words import Happened
from agent.register.bookbinder import Bookbinder
from agent.register.local_file import LocalFile
from agent.register.sharepoint_file import SharePointFile
from agent.register.sharepoint_place import SharePointPlace
from agent.sandbox.server import Sandbox
from agent.settings import Tenant
from agent.verbs.adopt import adopt, look_at, shown
from tests.builders import at, desk

NOW = at("2026-03-20T09:00")


def banner_and_text_dates() -> bytes:
    """Title rows above the headings, a merged banner, no table, other words, dates as people type them."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Alerts log"
    sheet["A1"] = "Alerts log 2026, please keep tidy"
    sheet.merge_cells("A1:H2")
    rows = [
        (
            "Our ref",
            "Name of child",
            "DOB",
            "Date received",
            "Details",
            "Social worker",
            "Status",
            "Reviewd by",
        ),
        ("12/26", "Lena Example", "4 May 2012", "2/3/2026", "Fell from a wall.", "Kit Sample", "Ongoing", ""),
        ("13/26", "Tom Invented", "", "3rd March 2026", "Missing.", "a@trust.example", "Closed", "14/3/26"),
        ("14/26", "Ava Nobody", "1.2.2015", "some time in March", "", "", "Ongoing", ""),
        ("15/26", "Max Pretend", "03/04/2014", "09.03.2026", "Police informed.", "", "NFA", ""),
    ]
    for number, row in enumerate(rows, 4):
        for index, text in enumerate(row, 1):
            sheet.cell(number, index).value = text or None
    for cell in sheet[4]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="00CCDDEE")
    sheet["K2"] = "=COUNTA(B5:B8)"
    return _saved(book)


def table_with_references() -> bytes:
    """A table with our references, real dates, a column of their own that reckons, and a hold."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    headings = [
        "SLA ref",
        "Status",
        "Received",
        "Child name",
        "Author",
        "On hold until",
        "Days open",
        "Notes",
    ]
    sheet.append(headings)
    for number, status in enumerate(("Open", "On hold", "Concluded", "see notes"), 7):
        day = datetime(2026, 3, number, 9, 30)  # noqa: DTZ001 - as a sheet holds it
        reference = f"SLA-2026-{number:04d}"
        sheet.append([reference, status, day, f"Child {number} Invented", "Kit Sample", None, None, "Rang"])
        sheet.cell(sheet.max_row, 7).value = "=TODAY()-C2"
    sheet["F3"] = date(2026, 4, 2)
    sheet.add_table(Table(displayName="Table1", ref="A1:H5"))
    return _saved(book)


def filtered_behind_guidance() -> bytes:
    """The list on the second sheet, beginning in column B, with a filter, a gap and a heading left blank."""
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "Guidance: the list is on the next tab."
    sheet = book.create_sheet("Need to know list")
    headings = {"B3": "Received", "C3": "Young person", "D3": "Date of birth", "F3": "Outcome"}
    for address, heading in headings.items():
        sheet[address] = heading
    names = {4: "Robin Fairweather", 5: "Sam Elsewhere", 7: "Jo Made-Up"}
    for row, name in names.items():
        sheet[f"B{row}"], sheet[f"C{row}"] = datetime(2026, 3, row), name  # noqa: DTZ001
        sheet[f"D{row}"], sheet[f"E{row}"] = date(2012, 5, row), "x"
    sheet["F5"] = "Placed with aunt"
    sheet.auto_filter.ref = "B3:F7"
    return _saved(book)


SHEETS = {
    "banner": banner_and_text_dates,
    "table": table_with_references,
    "filter": filtered_behind_guidance,
}


def _saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


class Place:
    """A desk whose register's place holds a spreadsheet that people kept."""

    def __init__(self, folder: Path, content: bytes) -> None:
        self.path = folder / "Need to Know.xlsx"
        self.path.write_bytes(content)
        plain = desk()
        self.desk: Desk = desk(register=LocalFile(self.path, Bookbinder(plain.procedure, plain.name)))

    def adopts(self, **told: str) -> int:
        named = {heading.replace("_", " "): name for heading, name in told.items()}
        return adopt(self.desk, look_at(self.desk, None, named, NOW), NOW)

    def says(self) -> str:
        return "\n".join(shown(look_at(self.desk, None, {}, NOW)))

    def sheet(self, name: str = "") -> Any:
        book = openpyxl.load_workbook(self.path)
        return book[name] if name else book.worksheets[0]

    def happened(self, reference: str) -> list[Happened]:
        return [entry.happened for entry in self.desk.ledger.entries(reference)]

    def keeps_books(self) -> None:
        for minute in range(3):
            bookkeeping(self.desk, NOW + timedelta(minutes=minute))


@pytest.fixture
def place(tmp_path: Path) -> Callable[[str], Place]:
    return lambda kind: Place(tmp_path, SHEETS[kind]())


def cells(sheet: Any) -> dict[str, Any]:
    return {
        cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None
    }


def test_what_would_be_done_is_shown_before_anything_is(place: Callable[[str], Place]) -> None:
    found = place("banner")
    before = found.path.read_bytes()

    said = found.says()

    assert "The list on the sheet “Alerts log” (A4:H8):" in said
    assert "Name of child  is “Child name”" in said
    assert "Our ref        stays yours" in said, "their references are not of our shape"
    assert 'Perhaps “Next update due”: then say --map "Reviewd by=next_update_due"' in said
    assert "3 rows become alerts (1 open, 2 concluded), chased only from now on." in said
    assert "row 7: the day on which it was received is not understood" in said
    assert "Lena" not in said
    assert found.path.read_bytes() == before
    assert not found.desk.ledger.alerts()


def test_rows_become_alerts_and_concluded_ones_stay_concluded(place: Callable[[str], Place]) -> None:
    found = place("banner")

    assert found.adopts(Reviewd_by="next_update_due") == 3

    first, second, third = (found.desk.ledger.alerts()[f"SLA-2026-{number:04d}"] for number in (1, 2, 3))
    assert [child.name for child in first.children] == ["Lena Example"]
    assert first.children[0].dob == date(2012, 5, 4)
    assert first.received_at == at("2026-03-02T00:00")
    assert first.values["summary"] == "Fell from a wall."
    assert (first.concluded, second.concluded, third.concluded) == (False, True, True)
    assert second.author_address == "a@trust.example"
    assert found.happened("SLA-2026-0003") == [Happened.OPENED, Happened.CONCLUDED]


@pytest.mark.parametrize("kind", SHEETS)
def test_whatever_stood_there_stands_there_still(kind: str, place: Callable[[str], Place]) -> None:
    found = place(kind)
    name = {"filter": "Need to know list"}.get(kind, "")
    before = cells(found.sheet(name))

    found.adopts()
    adopted = cells(found.sheet(name))
    found.keeps_books()

    assert {address: adopted.get(address) for address in before} == before
    kept = cells(found.sheet(name))
    status = {"banner": "G", "table": "B"}.get(kind, "?")  # the one column of theirs that is kept from now on
    changed = {address for address, value in before.items() if kept.get(address) != value}
    assert {address.rstrip("0123456789") for address in changed} <= {status}


@pytest.mark.parametrize("kind", SHEETS)
def test_the_books_come_to_rest_and_nobody_counts_as_having_corrected(
    kind: str, place: Callable[[str], Place]
) -> None:
    found = place(kind)
    found.adopts()
    found.keeps_books()
    content = found.path.read_bytes()

    assert bookkeeping(found.desk, NOW + timedelta(minutes=5)) == 0
    assert found.path.read_bytes() == content
    assert Happened.CORRECTED not in {entry.happened for entry in found.desk.ledger.entries()}
    asked = [one.question.message_id for one in found.desk.ledger.questions()]
    assert len(asked) == (kind == "banner")
    assert all("row_without_key" in about for about in asked), "the row that was left alone, asked about once"


@pytest.mark.parametrize("kind", SHEETS)
def test_nobody_is_chased_for_what_lay_before(kind: str, place: Callable[[str], Place]) -> None:
    found = place(kind)
    found.adopts()
    alerts = found.desk.ledger.alerts().values()
    rules = (found.desk.procedure, found.desk.people, found.desk.calendar)

    for hours in (1, 5, 24 * 3 + 1, 24 * 4 + 1):  # that day, Monday, Tuesday
        assert chases_due(alerts, NOW + timedelta(hours=hours), *rules) == ()
    assert chases_due(alerts, NOW + timedelta(days=12), *rules) != ()


def test_references_of_our_shape_are_kept_and_the_next_one_follows(place: Callable[[str], Place]) -> None:
    found = place("table")
    found.adopts()

    alerts = found.desk.ledger.alerts()
    assert sorted(alerts) == [f"SLA-2026-{number:04d}" for number in (7, 8, 9, 10)]
    assert alerts["SLA-2026-0008"].on_hold_until == date(2026, 4, 2)
    with found.desk.ledger.page() as page:
        assert page.new_reference("SLA", 2026) == "SLA-2026-0011"


def test_their_table_stays_theirs_and_takes_our_columns_in(place: Callable[[str], Place]) -> None:
    found = place("table")
    found.adopts()

    sheet = found.sheet()
    table = sheet.tables["Table1"]
    assert table.ref.startswith("A1:")
    assert [column.name for column in table.tableColumns][:8] == [
        *("SLA ref", "Status", "Received", "Child name", "Author", "On hold until", "Days open", "Notes")
    ]
    assert sheet["G2"].value == "=TODAY()-C2"
    key = next(cell for cell in sheet[1] if cell.value == "Key")
    assert sheet.column_dimensions[key.column_letter].hidden
    assert sheet.cell(2, key.column).value.startswith("SLA-2026-0007 ")


def test_a_list_without_a_table_becomes_one_with_its_filter(place: Callable[[str], Place]) -> None:
    found = place("filter")
    found.adopts()

    sheet = found.sheet("Need to know list")
    table = sheet.tables["NeedToKnow"]
    assert table.ref.startswith("B3:")
    assert table.ref.endswith("7")
    assert sheet.auto_filter.ref is None
    assert sheet["E3"].value == "Column E"
    names = [child.name for alert in found.desk.ledger.alerts().values() for child in alert.children]
    assert names == ["Robin Fairweather", "Sam Elsewhere", "Jo Made-Up"]


def test_columns_under_their_own_names_are_kept_from_then_on(place: Callable[[str], Place]) -> None:
    found = place("banner")
    found.adopts(Reviewd_by="next_update_due")
    found.keeps_books()
    sheet = found.sheet()
    assert sheet["H4"].value == "Reviewd by"
    assert "Next update due" not in [cell.value for cell in sheet[4]]

    book = openpyxl.load_workbook(found.path)
    book.worksheets[0]["H5"] = date(2026, 4, 9)
    book.save(found.path)
    found.keeps_books()

    assert found.desk.ledger.alerts()["SLA-2026-0001"].next_update_due == date(2026, 4, 9)


@pytest.mark.parametrize("kind", SHEETS)
def test_ended_between_ledger_and_workbook_and_run_again_nothing_is_doubled(
    kind: str, place: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = place(kind)
    with monkeypatch.context() as ended:
        ended.setattr(LocalFile, "replace", _ended)
        with pytest.raises(KeyboardInterrupt):
            found.adopts()
    entries = found.desk.ledger.entries()
    with pytest.raises(NeedsAPerson, match="was not made by this agent"):
        bookkeeping(found.desk, NOW)

    assert f"{len(found.desk.ledger.alerts())} rows were taken in before" in found.says()
    assert found.adopts() == 0
    assert found.desk.ledger.entries() == entries
    found.keeps_books()
    found.keeps_books()
    assert Happened.CORRECTED not in {entry.happened for entry in found.desk.ledger.entries()}
    with pytest.raises(NeedsAPerson, match="keeps this workbook already"):
        found.adopts()


def _ended(*told: Any) -> None:
    raise KeyboardInterrupt


def test_a_row_that_was_edited_in_between_is_still_the_same_row(
    place: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = place("filter")
    with monkeypatch.context() as ended:
        ended.setattr(LocalFile, "replace", _ended)
        with pytest.raises(KeyboardInterrupt):
            found.adopts()
    book = openpyxl.load_workbook(found.path)
    book["Need to know list"]["C4"] = "Robin Fairweather-Hale"
    book.save(found.path)

    assert found.adopts() == 0
    assert len(found.desk.ledger.alerts()) == 3


def test_somebody_who_saves_before_we_write_loses_nothing(place: Callable[[str], Place]) -> None:
    found = place("table")
    looked = look_at(found.desk, None, {}, NOW)
    found.path.write_bytes(banner_and_text_dates())

    with pytest.raises(ChangedMeanwhile):
        adopt(found.desk, looked, NOW)
    assert found.path.read_bytes() == banner_and_text_dates()


def test_a_file_is_laid_where_no_register_lies_yet(tmp_path: Path) -> None:
    found = Place(tmp_path, b"")
    found.path.unlink()
    theirs = tmp_path / "theirs.xlsx"
    theirs.write_bytes(table_with_references())

    assert adopt(found.desk, look_at(found.desk, theirs, {}, NOW), NOW) == 4
    found.keeps_books()
    assert found.sheet()["A2"].value == "SLA-2026-0007"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def test_in_sharepoint_the_very_file_is_taken_over_and_not_while_somebody_has_it_open(
    sandbox: Sandbox,
) -> None:
    site = sandbox.tenant.drives.add_site("contoso.sharepoint.example", "/sites/theirs", "Theirs")
    item = site.drive.put("Log.xlsx", banner_and_text_dates(), by="Casey")
    tenant = Tenant(
        id=sandbox.tenant_id,
        client=sandbox.client_id,
        certificate=str(sandbox.certificate_file),
        authority=sandbox.base_url,
        graph=sandbox.base_url,
        ca_file=str(sandbox.ca_file),
    )
    graph = open_graph(tenant, threading.Event())
    plain = desk()
    place = SharePointPlace(graph, "contoso.sharepoint.example:/sites/theirs", "Log.xlsx")
    ours = desk(register=SharePointFile(place, Bookbinder(plain.procedure, plain.name)))

    site.drive.open_by_person("Log.xlsx", "Casey")
    with pytest.raises(Locked):
        adopt(ours, look_at(ours, None, {}, NOW), NOW)
    site.drive.close_by_person("Log.xlsx")
    assert adopt(ours, look_at(ours, None, {}, NOW), NOW) == 0, "the ledger took them in at the first try"
    bookkeeping(ours, NOW)

    sheet = openpyxl.load_workbook(io.BytesIO(site.drive.content("Log.xlsx"))).worksheets[0]
    assert site.drive.item("Log.xlsx").id == item.id
    assert [sheet[f"I{number}"].value for number in (5, 6, 7, 8)] == [
        *("SLA-2026-0001", "SLA-2026-0002", None, "SLA-2026-0003")
    ]
    graph.close()


def _merged(sheet: Any) -> None:
    sheet.merge_cells("A3:B3")


def _twice(sheet: Any) -> None:
    sheet["H1"] = "Status"


def _no_room(sheet: Any) -> None:
    sheet["K3"] = "ask Ava"


def _note_below(sheet: Any) -> None:
    sheet["C9"] = "ask Ava"


def _like_ours(sheet: Any) -> None:
    sheet["H1"] = "Last update"


@pytest.mark.parametrize(
    ("work", "sentence"),
    [
        (_merged, "The cells A3:B3 are merged. Unmerge them."),
        (_twice, "Two columns are called “status”. Rename one."),
        (_no_room, r"Something stands to the right of the list \(in K3\)"),
        (_note_below, r"Something stands below the list \(in C9\)"),
        (_like_ours, "“Last update” is called like one of the agent's own. Rename it, perhaps “Last update"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is_written(
    work: Callable[[Any], None], sentence: str, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(io.BytesIO(table_with_references()))
    del book.worksheets[0].tables["Table1"]
    work(book.worksheets[0])
    found = Place(tmp_path, _saved(book))

    with pytest.raises(NeedsAPerson, match=sentence):
        found.adopts()
    assert not found.desk.ledger.alerts()


def test_a_workbook_without_a_list_and_a_field_that_is_none_are_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "Holiday rota"
    found = Place(tmp_path, _saved(book))

    with pytest.raises(NeedsAPerson, match="No list was found"):
        found.adopts()
    with pytest.raises(WrongCall, match="No such field: colour"):
        found.adopts(Our="colour")
