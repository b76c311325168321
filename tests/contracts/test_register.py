"""What every register promises, shown on every one: SharePoint's are those of the sandbox."""

from __future__ import annotations

import errno
import io
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import openpyxl
import pytest

from agent.errors import ChangedMeanwhile, Locked, NeedsAPerson, NotFound, OutcomeUnknown, TryAgainLater
from agent.m365 import graph as graph_module
from agent.m365.graph import Graph, open_graph
from agent.register import bookbinder, in_place, sharepoint_file
from agent.register.base import Book, Changes, Edits, Register
from agent.register.local_file import LocalFile
from agent.register.memory import MemoryRegister
from agent.register.sharepoint_file import SharePointFile
from agent.register.sharepoint_place import SharePointPlace
from agent.register.sharepoint_workbook import SharePointWorkbook
from agent.sandbox.drive import Drive
from agent.sandbox.faults import Fault
from agent.sandbox.server import Sandbox
from agent.settings import Tenant
from tests.register.books import BY_HEADING, COLUMNS, DESK, as_excel_would, binder, procedure, reference, row

HOST = "contoso.sharepoint.example"
BOOK = "Need to Know.xlsx"
_numbers = itertools.count(1)


class World(Protocol):
    """A register and the people who work in it."""

    @property
    def register(self) -> Register: ...
    def types(self, number: int, heading: str, value: str) -> None: ...
    def deletes(self, number: int) -> None: ...
    def copies(self, number: int) -> None: ...
    def sorts(self) -> None: ...
    def opens(self) -> None: ...
    def closes(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.register = MemoryRegister(COLUMNS, DESK, procedure().question_columns)

    def types(self, number: int, heading: str, value: str) -> None:
        self.register.row(reference(number))[heading] = value
        self.register.person_saved()

    def deletes(self, number: int) -> None:
        self.register.rows.remove(self.register.row(reference(number)))
        self.register.person_saved()

    def copies(self, number: int) -> None:
        self.register.rows.append(dict(self.register.row(reference(number))))
        self.register.person_saved()

    def sorts(self) -> None:
        self.register.rows.reverse()
        self.register.person_saved()

    def opens(self) -> None:
        self.register.open_by_person = True

    def closes(self) -> None:
        self.register.open_by_person = False


class FileWorld:
    """People work in a file with openpyxl, which stands in for their Excel."""

    register: Register

    def content(self) -> bytes:
        raise NotImplementedError

    def saves(self, content: bytes) -> None:
        raise NotImplementedError

    def works(self, do: Any) -> None:
        self.saves(as_excel_would(self.content(), do))

    def types(self, number: int, heading: str, value: str) -> None:
        def do(book: openpyxl.Workbook) -> None:
            sheet = book.worksheets[0]
            column = next(cell.column for cell in sheet[3] if cell.value == heading)
            sheet.cell(_row(sheet, number), column).value = value

        self.works(do)

    def deletes(self, number: int) -> None:
        def do(book: openpyxl.Workbook) -> None:
            sheet = book.worksheets[0]
            for cell in sheet[_row(sheet, number)]:
                cell.value = None

        self.works(do)

    def copies(self, number: int) -> None:
        def do(book: openpyxl.Workbook) -> None:
            sheet = book.worksheets[0]
            last = sheet.max_row + 1
            for cell in sheet[_row(sheet, number)]:
                sheet.cell(last, int(cell.column or 0)).value = cell.value
            table = sheet.tables["NeedToKnow"]
            table.ref = table.autoFilter.ref = f"A3:I{last}"

        self.works(do)

    def sorts(self) -> None:
        def do(book: openpyxl.Workbook) -> None:
            sheet = book.worksheets[0]
            rows = [[cell.value for cell in line] for line in sheet.iter_rows(4, sheet.max_row)]
            for number, values in enumerate(reversed(rows), 4):
                for index, value in enumerate(values, 1):
                    sheet.cell(number, index).value = value

        self.works(do)


class LocalWorld(FileWorld):
    def __init__(self, folder: Path) -> None:
        self.path = folder / BOOK
        self.register: Register = LocalFile(self.path, binder())

    def content(self) -> bytes:
        return self.path.read_bytes()

    def saves(self, content: bytes) -> None:
        self.path.write_bytes(content)

    def opens(self) -> None:
        self._owner().touch()

    def closes(self) -> None:
        self._owner().unlink()

    def _owner(self) -> Path:
        return self.path.with_name(f"~${self.path.name}")


class SharePointWorld(FileWorld):
    def __init__(self, sandbox: Sandbox, graph: Graph, path: str = BOOK) -> None:
        name = f"/sites/desk-{next(_numbers)}"
        self.drive: Drive = sandbox.tenant.drives.add_site(HOST, name, "Need to Know").drive
        self.graph, self.site, self.path, self.tenant = graph, f"{HOST}:{name}", path, sandbox.tenant
        self.register: Register = self.started_again()

    def started_again(self, item: str = "") -> Register:
        """The register as the agent finds it after a new start."""
        return SharePointFile(SharePointPlace(self.graph, self.site, self.path, item), binder())

    def asked(self) -> list[str]:
        """The requests about the drive since the last time."""
        lines = [
            f"{entry.method} {entry.path.rpartition('/')[2]}"
            for entry in self.tenant.log.entries
            if "/sites/" in entry.path or "/drives/" in entry.path
        ]
        self.tenant.log.clear()
        return lines

    def content(self) -> bytes:
        return self.drive.content(self.path)

    def saves(self, content: bytes) -> None:
        self.drive.person_saves(self.path, content, by="Casey")

    def opens(self) -> None:
        self.drive.open_by_person(self.path, "Casey")

    def closes(self) -> None:
        self.drive.close_by_person(self.path)


class SessionWorld(SharePointWorld):
    """The same library; the agent works through Excel sessions, and Excel shares what people have open."""

    def started_again(self, item: str = "") -> Register:
        return SharePointWorkbook(SharePointPlace(self.graph, self.site, self.path, item), binder())

    def opens(self) -> None:
        self.drive.check_out_by_person(self.path, "Casey")

    def closes(self) -> None:
        self.drive.check_in_by_person(self.path)


def _row(sheet: Any, number: int) -> int:
    return next(int(cell.row) for cell in sheet["A"] if cell.value == reference(number))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def graph(sandbox: Sandbox) -> Iterator[Graph]:
    tenant = Tenant(
        id=sandbox.tenant_id,
        client=sandbox.client_id,
        certificate=str(sandbox.certificate_file),
        authority=sandbox.base_url,
        graph=sandbox.base_url,
        ca_file=str(sandbox.ca_file),
    )
    opened = open_graph(tenant, threading.Event())
    yield opened
    opened.close()


@pytest.fixture
def sharepoint(sandbox: Sandbox, graph: Graph) -> Iterator[SharePointWorld]:
    world = SharePointWorld(sandbox, graph)
    yield world
    sandbox.tenant.faults.clear()


@pytest.fixture
def memory() -> MemoryWorld:
    return MemoryWorld()


@pytest.fixture
def local(tmp_path: Path) -> LocalWorld:
    return LocalWorld(tmp_path)


@pytest.fixture
def sessions(sandbox: Sandbox, graph: Graph) -> Iterator[SessionWorld]:
    world = SessionWorld(sandbox, graph)
    yield world
    sandbox.tenant.faults.clear()


@pytest.fixture(params=["memory", "local", "sharepoint", "sessions"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


def read(register: Register) -> Book:
    book = register.read(None)
    assert book is not None
    return book


def write(register: Register, changes: Changes, expecting: str | None) -> Book:
    """Write into the table of alerts."""
    return register.write(Edits(register=changes), expecting)


def status_of(book: Book, number: int) -> str:
    return book.register.rows[reference(number)]["Status"]


def set_status(number: int, status: str) -> Changes:
    return Changes(cells={reference(number): {"Status": status}})


def test_a_register_that_is_not_there_yet_is_empty(world: World) -> None:
    assert world.register.read(None) == Book(None)
    with pytest.raises(NotFound):
        world.register.copy()


def test_writing_where_nothing_is_makes_the_register(world: World) -> None:
    written = write(world.register, Changes(new_rows=(row(1), row(2))), expecting=None)

    assert read(world.register) == written
    assert list(written.register.rows) == [reference(1), reference(2)]
    assert written.register.headings == tuple(column.heading for column in COLUMNS)
    assert written.register.rows[reference(1)] == row(1) | {"On hold until": "", "Notes": ""}
    assert written.register.doubts == ()


def test_a_register_that_nobody_touched_is_not_read_again(world: World) -> None:
    written = write(world.register, Changes(new_rows=(row(1),)), expecting=None)

    assert world.register.read(written.version) is None
    world.types(1, "Notes", "Rang the school")
    after = world.register.read(written.version)
    assert after is not None
    assert after.register.rows[reference(1)]["Notes"] == "Rang the school"


def test_cells_and_new_rows_are_written_together(world: World) -> None:
    first = write(world.register, Changes(new_rows=(row(1),)), expecting=None)

    changes = Changes(cells={reference(1): {"Status": "Update due", "Children": "2"}}, new_rows=(row(2),))
    written = write(world.register, changes, expecting=first.version)

    assert written.version != first.version
    assert read(world.register) == written
    news = {"Status": "Update due", "Children": "2"}
    assert written.register.rows[reference(1)] == {**first.register.rows[reference(1)], **news}
    assert reference(2) in written.register.rows


def test_what_stands_there_already_is_not_written_again(world: World) -> None:
    written = write(world.register, Changes(new_rows=(row(1),)), expecting=None)

    again = write(world.register, Changes(new_rows=(row(1),)), expecting=written.version)
    again = write(world.register, set_status(1, "Open"), expecting=again.version)

    assert again.version == written.version


def test_nothing_is_written_over_somebodys_work(world: World) -> None:
    written = write(world.register, Changes(new_rows=(row(1),)), expecting=None)
    world.types(1, "Notes", "Rang the school")

    with pytest.raises(ChangedMeanwhile):
        write(world.register, set_status(1, "Update due"), expecting=written.version)

    sheet = read(world.register)
    assert (status_of(sheet, 1), sheet.register.rows[reference(1)]["Notes"]) == ("Open", "Rang the school")


def test_nothing_is_laid_over_a_register_that_is_there(world: World) -> None:
    write(world.register, Changes(new_rows=(row(1),)), expecting=None)

    with pytest.raises(ChangedMeanwhile):
        write(world.register, Changes(new_rows=(row(2),)), expecting=None)

    assert list(read(world.register).register.rows) == [reference(1)]


def test_while_somebody_has_it_open_it_can_be_read_and_not_written(world: World) -> None:
    written = write(world.register, Changes(new_rows=(row(1),)), expecting=None)
    world.opens()

    with pytest.raises(Locked):
        write(world.register, set_status(1, "Update due"), expecting=written.version)
    assert status_of(read(world.register), 1) == "Open"

    world.closes()
    after = write(world.register, set_status(1, "Update due"), expecting=written.version)
    assert status_of(after, 1) == "Update due"


def test_rows_are_found_wherever_people_sorted_them(world: World) -> None:
    write(world.register, Changes(new_rows=(row(1), row(2), row(3))), expecting=None)
    world.sorts()

    written = write(world.register, set_status(3, "Update due"), expecting=read(world.register).version)

    assert list(written.register.rows) == [reference(3), reference(2), reference(1)]
    assert [status_of(written, number) for number in (1, 2, 3)] == ["Open", "Open", "Update due"]


def test_a_reference_that_stands_twice_is_told_and_neither_row_written(world: World) -> None:
    write(world.register, Changes(new_rows=(row(1), row(2))), expecting=None)
    world.copies(1)

    sheet = read(world.register)
    assert sheet.register.twice == {reference(1)}
    assert len(sheet.register.doubts) == 1

    changes = Changes(
        cells={reference(1): {"Status": "Update due"}, reference(2): {"Status": "Update due"}},
        new_rows=(row(1),),
    )
    written = write(world.register, changes, expecting=sheet.version)
    assert (status_of(written, 1), status_of(written, 2)) == ("Open", "Update due")
    assert read(world.register).register.twice == {reference(1)}


def test_a_row_that_is_gone_is_not_written_somewhere_else(world: World) -> None:
    write(world.register, Changes(new_rows=(row(1), row(2))), expecting=None)
    world.deletes(1)
    sheet = read(world.register)

    with pytest.raises(ChangedMeanwhile):
        write(world.register, set_status(1, "Update due"), expecting=sheet.version)

    assert list(read(world.register).register.rows) == [reference(2)]


def test_questions_and_the_summary_are_written_with_the_alerts(world: World) -> None:
    columns = {column.field: column.heading for column in procedure().question_columns}
    number, why, answer = columns["reference"], columns["why"], columns["answer"]
    asked = tuple({number: str(one), why: f"Which alert is it? ({one})"} for one in (1, 2))
    edits = Edits(
        Changes(new_rows=(row(1),)), Changes(new_rows=asked), {"A6": "Open alerts", "B6": "12"}, "m1"
    )

    first = world.register.write(edits, expecting=None)

    assert list(first.questions.rows) == ["1", "2"]
    assert first.questions.rows["2"][why] == "Which alert is it? (2)"
    assert first.summary.items() >= edits.summary.items()
    assert read(world.register) == first

    done = Changes(cells={"2": {why: "Answered."}}, gone=("1",))
    after = world.register.write(Edits(questions=done, summary={"B6": "3"}, mark="m2"), first.version)

    assert list(after.questions.rows) == ["2"]
    assert (after.questions.rows["2"][why], after.questions.rows["2"][answer]) == ("Answered.", "")
    assert after.summary["B6"] == "3"
    assert after.register == first.register
    assert read(world.register) == after

    new = Changes(new_rows=({number: "3", why: "Another"},))
    again = world.register.write(Edits(questions=new), after.version)
    assert sorted(again.questions.rows) == ["2", "3"]
    assert read(world.register) == again


def test_what_the_questions_and_the_summary_say_already_is_not_written_again(world: World) -> None:
    columns = {column.field: column.heading for column in procedure().question_columns}
    asked = ({columns["reference"]: "1", columns["why"]: "Which alert is it?"},)
    edits = Edits(Changes(new_rows=(row(1),)), Changes(new_rows=asked), {"B6": "12"}, "m1")
    first = world.register.write(edits, expecting=None)

    again = world.register.write(Edits(edits.register, edits.questions, edits.summary, "m2"), first.version)

    assert again == first


def test_a_register_is_made_afresh_in_its_place_with_columns_of_peoples_own(world: World) -> None:
    world.register.write(Edits(Changes(new_rows=(row(1), row(2)))), expecting=None)
    kept = {**row(2), "Notes": "Rang the school", "Team": "North"}

    made = world.register.renew(Edits(Changes(new_rows=(kept,)), mark="m2"))

    assert list(made.register.rows) == [reference(2)]
    assert made.register.rows[reference(2)].items() >= kept.items()
    assert read(world.register) == made
    again = write(world.register, set_status(2, "Update due"), expecting=made.version)
    assert status_of(again, 2) == "Update due"


def test_where_none_is_a_fresh_register_is_simply_made(world: World) -> None:
    made = world.register.renew(Edits(Changes(new_rows=(row(1),))))

    assert read(world.register) == made


def test_a_register_that_somebody_has_open_is_not_made_afresh(world: World) -> None:
    written = write(world.register, Changes(new_rows=(row(1),)), expecting=None)
    world.opens()

    with pytest.raises(Locked):
        world.register.renew(Edits(Changes(new_rows=(row(2),))))
    world.closes()
    assert read(world.register) == written


def test_the_copy_is_a_workbook_with_every_row(world: World) -> None:
    write(world.register, Changes(new_rows=(row(1), row(2))), expecting=None)

    sheet = openpyxl.load_workbook(io.BytesIO(world.register.copy())).worksheets[0]

    assert [cell.value for cell in sheet["A"][3:]] == [reference(1), reference(2)]


# What only SharePoint can do to us


def test_no_download_while_the_content_is_the_same(sharepoint: SharePointWorld) -> None:
    """The eTag moves when somebody opens the file; its content has not changed by that."""
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    sharepoint.drive.touch_metadata(BOOK)
    sharepoint.asked()

    assert sharepoint.register.read(written.version) is None
    assert [line.split()[0] for line in sharepoint.asked()] == ["GET"]
    assert status_of(write(sharepoint.register, set_status(1, "New"), written.version), 1) == "New"


def test_a_new_start_finds_the_register_again(sharepoint: SharePointWorld) -> None:
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)

    assert sharepoint.started_again().read(written.version) is None
    after = write(sharepoint.started_again(), set_status(1, "Update due"), expecting=written.version)
    assert status_of(after, 1) == "Update due"


def test_a_renamed_register_is_still_the_register(sharepoint: SharePointWorld) -> None:
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    sharepoint.drive.rename(sharepoint.drive.item(BOOK), "Need to Know (old).xlsx", None)

    assert sharepoint.register.read(written.version) is None


def test_a_register_renamed_before_a_new_start_is_found_by_its_item(sharepoint: SharePointWorld) -> None:
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    sharepoint.drive.rename(sharepoint.drive.item(BOOK), "Need to Know (old).xlsx", None)

    found = sharepoint.started_again(sharepoint.register.kept_as()["item"])

    assert found.read(written.version) is None
    write(found, set_status(1, "Update due"), expecting=written.version)
    assert [item.name for item in sharepoint.drive.children(sharepoint.drive.root)] == [
        "Need to Know (old).xlsx"
    ]


def test_a_removed_register_is_made_anew(sharepoint: SharePointWorld) -> None:
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    sharepoint.drive.remove(BOOK)

    assert sharepoint.register.read(written.version) == Book(None)
    made = write(sharepoint.register, Changes(new_rows=(row(2),)), expecting=None)
    assert list(made.register.rows) == [reference(2)]


def test_a_folder_is_needed_before_a_register_can_lie_in_it(sandbox: Sandbox, graph: Graph) -> None:
    world = SharePointWorld(sandbox, graph, "Office/Business support/Need to Know.xlsx")
    changes = Changes(new_rows=(row(1),))

    with pytest.raises(NeedsAPerson, match="folder “Office/Business support”"):
        write(world.register, changes, expecting=None)

    world.drive.put("Office/Business support/old.txt", b"here")
    assert list(write(world.register, changes, expecting=None).register.rows) == [reference(1)]
    assert world.drive.content("Office/Business support/Need to Know.xlsx").startswith(b"PK")


def test_a_site_that_is_not_there_is_named(graph: Graph) -> None:
    register = SharePointFile(SharePointPlace(graph, f"{HOST}:/sites/nowhere", BOOK), binder())

    with pytest.raises(NeedsAPerson, match=r"no SharePoint site .*/sites/nowhere"):
        register.read(None)


def test_another_workbook_of_the_same_name_is_left_alone(sharepoint: SharePointWorld) -> None:
    other = io.BytesIO()
    openpyxl.Workbook().save(other)
    sharepoint.drive.put(BOOK, other.getvalue(), by="Casey")

    with pytest.raises(NeedsAPerson, match="was not made by this agent"):
        sharepoint.register.read(None)
    with pytest.raises(NeedsAPerson, match="was not made by this agent"):
        write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    assert sharepoint.drive.content(BOOK) == other.getvalue()


@pytest.mark.parametrize("fault", [{"status": 504}, {"drop": True}], ids=["504", "cut off"])
def test_an_upload_whose_answer_is_lost_is_recognised_and_not_repeated(
    sharepoint: SharePointWorld, fault: dict[str, Any]
) -> None:
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    sharepoint.tenant.faults.add(Fault(method="PUT", path="/content", when="after", **fault))
    changes = Changes(cells={reference(1): {"Status": "Update due"}}, new_rows=(row(2),))

    after = write(sharepoint.register, changes, expecting=written.version)

    assert read(sharepoint.register) == after
    assert (status_of(after, 1), list(after.register.rows)) == ("Update due", [reference(1), reference(2)])
    assert len(sharepoint.drive.versions(BOOK)) == 2


def test_a_register_whose_making_was_not_answered_is_recognised(sharepoint: SharePointWorld) -> None:
    sharepoint.tenant.faults.add(Fault(method="PUT", path="/content", when="after", drop=True))

    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)

    assert read(sharepoint.register) == written
    assert len(sharepoint.drive.versions(BOOK)) == 1


def test_a_round_looks_once_uploads_and_fetches_what_stands_there(sharepoint: SharePointWorld) -> None:
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    sharepoint.asked()
    for status in ("Update due", "Open"):
        assert sharepoint.register.read(written.version) is None
        written = write(sharepoint.register, set_status(1, status), expecting=written.version)
        assert [line.split()[0] for line in sharepoint.asked()] == ["GET", "PUT", "GET"]
    assert read(sharepoint.register) == written


def test_a_file_that_was_renamed_after_our_look_is_written_in_the_next_round(
    sharepoint: SharePointWorld,
) -> None:
    """Its content is what was read, but not the tag to which an upload is bound."""
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    assert sharepoint.register.read(written.version) is None
    sharepoint.drive.rename(sharepoint.drive.item(BOOK), "Renamed.xlsx", None)
    with pytest.raises(ChangedMeanwhile):
        write(sharepoint.register, set_status(1, "Update due"), expecting=written.version)
    assert sharepoint.register.read(written.version) is None
    after = write(sharepoint.register, set_status(1, "Update due"), expecting=written.version)
    assert status_of(after, 1) == "Update due"


def test_an_upload_that_failed_is_told_as_such(sharepoint: SharePointWorld) -> None:
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    sharepoint.tenant.faults.add(Fault(method="PUT", path="/content", when="before", drop=True))

    with pytest.raises(TryAgainLater):
        write(sharepoint.register, set_status(1, "Update due"), expecting=written.version)

    assert status_of(read(sharepoint.register), 1) == "Open"
    assert len(sharepoint.drive.versions(BOOK)) == 1


def test_somebody_who_saves_between_our_look_and_our_upload_keeps_their_work(
    sharepoint: SharePointWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)

    def edit_slowly(*told: Any) -> bytes:
        after: bytes = in_place.edit(*told)
        sharepoint.types(1, "Notes", "Rang the school")
        return after

    monkeypatch.setattr(bookbinder, "edit", edit_slowly)
    with pytest.raises(ChangedMeanwhile):
        write(sharepoint.register, set_status(1, "Update due"), expecting=written.version)

    assert read(sharepoint.register).register.rows[reference(1)]["Notes"] == "Rang the school"


def test_somebody_who_saves_right_after_our_upload_is_seen_at_the_next_reading(
    sharepoint: SharePointWorld,
) -> None:
    """What they typed must not be remembered as what the agent wrote, or it would be written over."""
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)

    def save_after(when: str, exchange: Any) -> None:
        if when == "after" and exchange.method == "PUT":
            sharepoint.tenant.on_request.remove(save_after)
            sharepoint.types(1, "Child name", "Typed by Casey")

    sharepoint.tenant.on_request.append(save_after)
    after = write(sharepoint.register, set_status(1, "Update due"), expecting=written.version)

    assert after.register.rows[reference(1)]["Child name"] == "Invented Child 1"
    sheet = sharepoint.register.read(after.version)
    assert sheet is not None
    assert sheet.register.rows[reference(1)]["Child name"] == "Typed by Casey"


def test_somebody_who_saves_after_an_upload_without_an_answer_is_seen_at_the_next_reading(
    sharepoint: SharePointWorld,
) -> None:
    """It is ours with their typing in it: what they typed must not be remembered as what the agent wrote."""
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)

    def save_after(when: str, exchange: Any) -> None:
        if when == "after" and exchange.method == "PUT":
            sharepoint.tenant.on_request.remove(save_after)
            sharepoint.types(1, "Child name", "Typed by Casey")

    sharepoint.tenant.on_request.append(save_after)
    sharepoint.tenant.faults.add(Fault(method="PUT", path="/content", when="after", drop=True))
    after = write(sharepoint.register, set_status(1, "Update due"), expecting=written.version)

    assert after.register.rows[reference(1)]["Child name"] == "Invented Child 1"
    assert status_of(after, 1) == "Update due"
    sheet = sharepoint.register.read(after.version)
    assert sheet is not None
    assert sheet.register.rows[reference(1)]["Child name"] == "Typed by Casey"


def test_a_large_register_goes_up_in_pieces_and_only_onto_what_was_read(
    sharepoint: SharePointWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharepoint_file, "SIMPLE_UPLOAD", 1000)
    written = write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    assert status_of(written, 1) == "Open"

    after = write(sharepoint.register, set_status(1, "Update due"), expecting=written.version)
    assert status_of(read(sharepoint.register), 1) == "Update due"
    assert any("createUploadSession" in line for line in sharepoint.asked())

    assert sharepoint.register.read(after.version) is None
    sharepoint.types(1, "Notes", "Rang the school")
    with pytest.raises(ChangedMeanwhile):
        write(sharepoint.register, set_status(1, "Open"), expecting=after.version)
    there = read(sharepoint.register)
    assert there.register.rows[reference(1)]["Notes"] == "Rang the school"

    sharepoint.opens()
    with pytest.raises(Locked):
        write(sharepoint.register, set_status(1, "Open"), expecting=there.version)


# What only a folder can do to us


def test_a_file_that_nobody_touched_is_not_opened(local: LocalWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    written = write(local.register, Changes(new_rows=(row(1),)), expecting=None)
    monkeypatch.setattr(Path, "read_bytes", None)

    assert local.register.read(written.version) is None


def test_what_lay_in_the_place_of_a_fresh_file_is_kept_beside_it(local: LocalWorld) -> None:
    write(local.register, Changes(new_rows=(row(1),)), expecting=None)
    before = local.content()

    for number in (2, 3):
        local.register.renew(Edits(Changes(new_rows=(row(number),))))

    assert local.path.with_name("Need to Know (old 1).xlsx").read_bytes() == before
    assert local.path.with_name("Need to Know (old 2).xlsx").is_file()


def test_what_lay_in_the_place_of_a_fresh_upload_is_an_earlier_version(sharepoint: SharePointWorld) -> None:
    write(sharepoint.register, Changes(new_rows=(row(1),)), expecting=None)
    before = sharepoint.content()

    sharepoint.register.renew(Edits(Changes(new_rows=(row(2),))))

    assert sharepoint.drive.versions(BOOK)[0].content == before
    assert len(sharepoint.drive.versions(BOOK)) == 2


@pytest.mark.parametrize("mark", ["~$Need to Know.xlsx", ".~lock.Need to Know.xlsx#"])
def test_a_file_that_some_program_has_open_is_left_alone(local: LocalWorld, mark: str) -> None:
    written = write(local.register, Changes(new_rows=(row(1),)), expecting=None)
    before = local.content()
    (local.path.parent / mark).touch()

    with pytest.raises(Locked, match="is open"):
        write(local.register, set_status(1, "Update due"), expecting=written.version)
    assert local.content() == before


def test_two_agents_do_not_write_at_once(local: LocalWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    written = write(local.register, Changes(new_rows=(row(1),)), expecting=None)
    other = LocalFile(local.path, binder())

    def edit_beside(*told: Any) -> bytes:
        with pytest.raises(Locked):
            write(other, set_status(1, "New"), expecting=written.version)
        return in_place.edit(*told)

    monkeypatch.setattr(bookbinder, "edit", edit_beside)
    after = write(local.register, set_status(1, "Update due"), expecting=written.version)

    assert status_of(after, 1) == "Update due"


def test_somebody_who_saves_while_the_new_file_is_laid_beside_keeps_their_work(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write(local.register, Changes(new_rows=(row(1),)), expecting=None)

    def edit_slowly(*told: Any) -> bytes:
        after: bytes = in_place.edit(*told)
        local.types(1, "Notes", "Rang the school")
        return after

    monkeypatch.setattr(bookbinder, "edit", edit_slowly)
    with pytest.raises(ChangedMeanwhile):
        write(local.register, set_status(1, "Update due"), expecting=written.version)

    assert read(local.register).register.rows[reference(1)]["Notes"] == "Rang the school"
    assert sorted(path.name for path in local.path.parent.iterdir()) == [
        ".Need to Know.xlsx.lock",
        "Need to Know.xlsx",
    ]


def test_a_disk_that_is_full_leaves_the_register_as_it_was(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write(local.register, Changes(new_rows=(row(1),)), expecting=None)
    before = local.content()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TryAgainLater, match="No space left"):
        write(local.register, set_status(1, "Update due"), expecting=written.version)
    assert local.content() == before


def test_what_stands_there_after_writing_is_compared_with_what_was_to_be_written(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write(local.register, Changes(new_rows=(row(1),)), expecting=None)
    forgetful = bytes(bytearray(local.content()))
    monkeypatch.setattr(bookbinder, "edit", lambda *_: forgetful)

    with pytest.raises(NeedsAPerson, match="not what stands there"):
        write(local.register, set_status(1, "Update due"), expecting=written.version)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    register = LocalFile(tmp_path / "drive not connected" / BOOK, binder())

    with pytest.raises(NeedsAPerson, match="drive not connected"):
        register.read(None)


# What only Excel's own service can do to us


def begun(sessions: SessionWorld, *numbers: int) -> Book:
    written = write(sessions.register, Changes(new_rows=tuple(row(number) for number in numbers)), None)
    sessions.tenant.log.clear()
    return written


def just_before(sessions: SessionWorld, method: str, path: str, do: Callable[[], None]) -> None:
    """Something happens when the next such request has come in, and before it is carried out."""

    def hook(when: str, exchange: Any) -> None:
        if (
            when == "before"
            and exchange.method == method
            and "/workbook/" in exchange.path
            and path in exchange.path
        ):
            sessions.tenant.on_request.remove(hook)
            do()

    sessions.tenant.on_request.append(hook)


def test_a_workbook_that_people_have_open_is_written(sessions: SessionWorld) -> None:
    written = begun(sessions, 1)
    sessions.drive.open_by_person(BOOK, "Casey")

    changes = Changes(cells={reference(1): {"Status": "Update due"}}, new_rows=(row(2), row(3)))
    after = write(sessions.register, changes, expecting=written.version)

    there = read(sessions.register)
    assert there == after
    assert list(there.register.rows) == [reference(1), reference(2), reference(3)]
    asked = sessions.asked()
    assert [line for line in asked if not line.startswith("GET")] == [
        "POST createSession",
        "PATCH range(address='A4:I4')",
        "POST add",
        "POST closeSession",
    ]


@pytest.mark.parametrize(
    "text", ["=1+1", "+44 1604", "-", "@home", "'tis", "''", "007", "1/2", "3 Mar 2026", "TRUE", "1e5"]
)
def test_text_stays_text_whatever_excel_would_make_of_it(sessions: SessionWorld, text: str) -> None:
    written = begun(sessions, 1)
    changes = Changes(cells={reference(1): {"Summary": text}}, new_rows=(row(2, summary=text),))

    after = write(sessions.register, changes, expecting=written.version)

    sheet = openpyxl.load_workbook(io.BytesIO(sessions.drive.content(BOOK))).worksheets[0]
    cells = [sheet.cell(number, list(BY_HEADING).index("Summary") + 1) for number in (4, 5)]
    assert [(cell.value, cell.data_type) for cell in cells] == [(text, "s"), (text, "s")]
    assert read(sessions.register).register == after.register


def test_days_and_times_stand_as_dates(sessions: SessionWorld) -> None:
    written = begun(sessions, 1)
    changes = Changes(cells={reference(1): {"Next update due": "2026-05-04"}}, new_rows=(row(2),))

    write(sessions.register, changes, expecting=written.version)

    sheet: Any = openpyxl.load_workbook(io.BytesIO(sessions.drive.content(BOOK))).worksheets[0]
    due, received = (list(BY_HEADING).index(name) + 1 for name in ("Next update due", "Received"))
    assert [sheet.cell(4, due).is_date, sheet.cell(5, due).is_date, sheet.cell(5, received).is_date] == [
        True
    ] * 3
    assert sheet.cell(4, due).number_format == "dd mmm yyyy"


def test_a_session_that_was_lost_is_made_anew(sessions: SessionWorld) -> None:
    written = begun(sessions, 1)
    sessions.tenant.faults.add(Fault(method="PATCH", path="/range", status=404, code="InvalidSession"))

    after = write(sessions.register, set_status(1, "Update due"), expecting=written.version)

    assert read(sessions.register) == after
    assert sessions.asked().count("POST createSession") == 2


def test_rows_whose_adding_was_not_answered_are_looked_for_and_not_added_again(
    sessions: SessionWorld,
) -> None:
    written = begun(sessions, 1)
    sessions.tenant.faults.add(Fault(method="POST", path="/rows/add", when="after", status=504))

    after = write(sessions.register, Changes(new_rows=(row(2),)), expecting=written.version)

    assert sessions.asked().count("POST add") == 1
    assert list(after.register.rows) == list(read(sessions.register).register.rows)
    assert after.version == written.version  # so that the next reading looks


@pytest.mark.parametrize("fault", [{"status": 504}, {"drop": True}, {"status": 429, "retry_after": 0.1}])
def test_rows_that_were_not_added_are_added_by_the_next_writing(
    sessions: SessionWorld, fault: dict[str, Any]
) -> None:
    written = begun(sessions, 1)
    sessions.tenant.faults.add(Fault(method="POST", path="/rows/add", when="before", **fault))
    changes = Changes(cells={reference(1): {"Status": "Update due"}}, new_rows=(row(2),))

    with pytest.raises(TryAgainLater):
        write(sessions.register, changes, expecting=written.version)
    assert sessions.asked().count("POST add") == 1
    half = read(sessions.register)
    assert (status_of(half, 1), list(half.register.rows)) == ("Update due", [reference(1)])

    whole = write(sessions.register, changes, expecting=half.version)
    assert list(whole.register.rows) == [reference(1), reference(2)]
    assert whole == read(sessions.register)


def test_a_promise_that_fails_inside_a_good_answer_is_no_success(
    sessions: SessionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_module, "PROMISE_POLLS", (0.01,) * 3)
    habits = sessions.tenant.habits
    monkeypatch.setattr(habits, "long_running", True)
    monkeypatch.setattr(habits, "failing_operations", 1)
    written = begun(sessions, 1)

    with pytest.raises(OutcomeUnknown, match="promised and not kept"):
        write(sessions.register, Changes(new_rows=(row(2),)), expecting=written.version)
    after = write(sessions.register, Changes(new_rows=(row(2),)), read(sessions.register).version)

    assert list(after.register.rows) == [reference(1), reference(2)]


def test_what_somebody_typed_and_excel_has_not_saved_when_we_looked_is_not_written_over(
    sessions: SessionWorld,
) -> None:
    written = begun(sessions, 1, 2)
    just_before(sessions, "GET", "range", lambda: sessions.types(1, "Status", "Concluded"))

    with pytest.raises(ChangedMeanwhile):
        write(sessions.register, set_status(1, "Update due"), expecting=written.version)

    assert status_of(read(sessions.register), 1) == "Concluded"
    assert not any(line.startswith("PATCH") for line in sessions.asked())


def test_somebody_who_sorts_in_the_very_moment_of_writing_finds_no_row_mixed_up(
    sessions: SessionWorld,
) -> None:
    written = begun(sessions, 1, 2, 3)
    just_before(sessions, "PATCH", "range", sessions.sorts)

    with pytest.raises(ChangedMeanwhile):
        write(sessions.register, set_status(1, "Update due"), expecting=written.version)

    there = read(sessions.register)
    assert list(there.register.rows) == [reference(3), reference(2), reference(1)]
    assert [status_of(there, number) for number in (1, 2, 3)] == ["Open", "Open", "Open"]


def test_somebody_who_types_in_the_same_row_right_after_us_is_seen_at_the_next_reading(
    sessions: SessionWorld,
) -> None:
    written = begun(sessions, 1)
    just_before(
        sessions,
        "PATCH",
        "range",
        lambda: just_before(
            sessions, "GET", "range", lambda: sessions.types(1, "Child name", "Typed by Casey")
        ),
    )

    after = write(sessions.register, set_status(1, "Update due"), expecting=written.version)

    assert after.register.rows[reference(1)]["Child name"] == "Invented Child 1"
    seen = sessions.register.read(after.version)
    assert seen is not None
    typed = {"Child name": "Typed by Casey"}
    assert seen.register.rows[reference(1)] == {**after.register.rows[reference(1)], **typed}


def test_a_file_is_not_uploaded_within_minutes_of_a_session(sessions: SessionWorld) -> None:
    """Microsoft 365 keeps the file for Excel so long: the two ways are never mixed."""
    written = begun(sessions, 1)
    after = write(sessions.register, set_status(1, "Update due"), expecting=written.version)
    other = SharePointFile(SharePointPlace(sessions.graph, sessions.site, BOOK), binder())

    with pytest.raises(Locked):
        write(other, set_status(1, "Open"), expecting=after.version)


# No change on either side


@pytest.mark.parametrize("world", ["sharepoint", "sessions"], indirect=True)
def test_where_nothing_changed_one_request_asks_and_nothing_is_loaded_or_written(
    world: SharePointWorld,
) -> None:
    written = write(world.register, Changes(new_rows=(row(1),)), expecting=None)
    world.asked()

    assert world.register.read(written.version) is None
    assert [line.split()[0] for line in world.asked()] == ["GET"]

    again = write(world.register, set_status(1, "Open"), expecting=written.version)
    assert again == written
    assert {line.split()[0] for line in world.asked()} <= {"GET"}
    assert len(world.drive.versions(BOOK)) == 1
