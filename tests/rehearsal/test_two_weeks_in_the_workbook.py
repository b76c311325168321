"""Two weeks in which people live in the workbook: they sort, filter, insert, delete, mistype, keep it open
and answer every question in its sheet, and nothing of theirs is lost and nothing doubled."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.table import TableColumn
from openpyxl.worksheet.worksheet import Worksheet

from agent.procedure.words import Happened
from tests.builders import alert_form, at, mail, update_form
from tests.faults.office import REGISTER, Office, office
from tests.register.books import as_excel_would

CHILDREN = ("Amber Fenwick", "Basil Thorncroft", "Coral Whinfell", "Dorian Peasgood", "Elsie Marlbrook")
SPLIT_OFF = "Hattie Thorncroft"  # came on the form about Basil, and is a matter of her own
WHO = "Cas Penhale"  # business support
STRANGER = "ward.sister@hospital.example"


class Grid:
    """A table of the workbook, as somebody sees it who has it open."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self.table = next(iter(sheet.tables.values()))
        area = sheet[self.table.ref]
        self.head, self.left = area[0][0].row, area[0][0].column
        self.last, self.right = area[-1][0].row, area[0][-1].column
        self.columns = {str(cell.value): cell.column for cell in area[0]}

    def row_of(self, key: str) -> int:
        """The row in whose first column this stands."""
        return next(row for row in self.rows if str(self.sheet.cell(row, self.left).value) == key)

    @property
    def rows(self) -> range:
        return range(self.head + 1, self.last + 1)

    def types(self, key: str, **cells: Any) -> None:
        for heading, value in cells.items():
            self.sheet.cell(self.row_of(key), self.columns[heading.replace("_", " ")]).value = value

    def values(self) -> list[list[Any]]:
        columns = range(self.left, self.right + 1)
        return [[self.sheet.cell(row, column).value for column in columns] for row in self.rows]

    def puts(self, values: list[list[Any]]) -> None:
        """These values in place of all rows."""
        for row, line in zip(self.rows, values, strict=False):
            for column, value in enumerate(line, self.left):
                self.sheet.cell(row, column).value = value

    def sorts(self, heading: str, *, alone: bool = False) -> None:
        """By one column; `alone`: only that column was selected."""
        index = self.columns[heading] - self.left
        lines = self.values()
        if alone:
            for line, value in zip(lines, sorted(str(line[index]) for line in lines), strict=True):
                line[index] = value
        else:
            lines.sort(key=lambda line: str(line[index] or ""))
        self.puts(lines)

    def deletes(self, key: str) -> None:
        self.sheet.delete_rows(self.row_of(key))
        self._ends_at(self.last - 1)

    def copies(self, key: str) -> None:
        """A row, right below the table."""
        line = self.values()[self.row_of(key) - self.head - 1]
        self._ends_at(self.last + 1)
        for column, value in enumerate(line, self.left):
            self.sheet.cell(self.last, column).value = value

    def takes_the_copy_out(self) -> None:
        self.sheet.delete_rows(self.last)
        self._ends_at(self.last - 1)

    def inserts(self, heading: str, before: str) -> None:
        """A column of their own in the middle of the table."""
        place = self.columns[before]
        for row in range(self.head, self.last + 1):
            for column in range(self.right, place - 1, -1):
                source, target = self.sheet.cell(row, column), self.sheet.cell(row, column + 1)
                target.value, target.number_format = source.value, source.number_format
            self.sheet.cell(row, place).value = None
        self.sheet.cell(self.head, place).value = heading
        number = max(one.id for one in self.table.tableColumns) + 1
        self.table.tableColumns.insert(place - self.left, TableColumn(id=number, name=heading))
        self.right += 1
        self._ends_at(self.last)

    def _ends_at(self, last: int) -> None:
        self.last = last
        first, end = self.sheet.cell(self.head, self.left), self.sheet.cell(last, self.right)
        self.table.ref = f"{first.coordinate}:{end.coordinate}"
        if self.table.autoFilter is not None:
            self.table.autoFilter.ref = self.table.ref


@dataclass
class Weeks:
    """The desk, its people in the workbook, and what they typed there for good."""

    at_work: Office
    now: datetime
    typed: dict[tuple[str, str], str] = field(default_factory=dict)
    mails: int = 0

    def works(self, hours: float = 1) -> list[str]:
        """Time passes, and the agent makes its round; gives what bookkeeping met."""
        self.now += timedelta(hours=hours)
        return [str(one.trouble) for one in self.at_work.round(self.now) if one.step == "bookkeeping"]

    def till(self, moment: str) -> None:
        """Nights and weekends pass, with a round at seven each morning."""
        while self.now + timedelta(days=1) < at(moment):
            self.works(24)
        self.now = at(moment)

    def brings(self, subject: str, form: bytes, **told: Any) -> None:
        """A mail with a form comes in."""
        self.mails += 1
        self.at_work.arrives(
            mail(subject, ("SLA.docx", form), number=self.mails, sent=self.now, **told), self.now
        )

    def alert(self, child: str, number: int, **told: Any) -> None:
        born = f"2012-05-{number:02d}"
        written = f"{self.now:%Y-%m-%dT%H:%M}"
        form = alert_form(child, born, form_date=written, incident_at=written, aware_at=written)
        self.brings(f"Senior Leadership Alert - Urgent and Confidential - {child}", form, **told)

    def saves(self, do: Callable[[Grid], None], sheet: str = "Need to Know") -> None:
        drive = self.at_work.here.stage.drive
        edited = as_excel_would(drive.content(REGISTER), lambda book: do(Grid(book[sheet])))
        drive.person_saves(REGISTER, edited, WHO)

    def notes(self, reference: str, **cells: str) -> None:
        """Somebody types what is to stay."""
        self.saves(lambda grid: grid.types(reference, **cells))
        self.typed |= {(reference, heading.replace("_", " ")): text for heading, text in cells.items()}

    def answers(self, code: str, answer: str) -> None:
        """Every question of this kind is answered in the Questions sheet."""
        numbers = [str(one.number) for one in self.at_work.ledger.questions() if one.question.code == code]

        def types(grid: Grid) -> None:
            for number in numbers:
                grid.types(number, Answer=answer)

        self.saves(types, "Questions")

    def asked(self) -> list[str]:
        return sorted(one.question.code for one in self.at_work.ledger.questions())

    def reference(self, child: str) -> str:
        alerts = self.at_work.ledger.alerts().values()
        return next(one.reference for one in alerts if one.children and one.children[0].name == child)

    def grid(self, sheet: str = "Need to Know") -> Grid:
        content = self.at_work.here.stage.drive.content(REGISTER)
        return Grid(openpyxl.load_workbook(io.BytesIO(content))[sheet])

    def cell(self, reference: str, heading: str) -> Any:
        grid = self.grid()
        return grid.sheet.cell(grid.row_of(reference), grid.columns[heading]).value


@pytest.fixture(scope="module")
def weeks() -> Iterator[Weeks]:
    """Both weeks, played once. What has to be true in between is looked at as it happens."""
    with office() as at_work:
        played = Weeks(at_work, at("2026-03-02 08:00"))
        _first_week(played)
        _second_week(played)
        yield played


def _first_week(weeks: Weeks) -> None:
    for number, child in enumerate(CHILDREN, 1):
        weeks.alert(child, number)
    weeks.alert("Flora Dunmere", 6, sender=STRANGER)
    weeks.works()
    amber, basil, coral, dorian, _ = (weeks.reference(child) for child in CHILDREN)

    weeks.saves(lambda grid: grid.sorts("Child name"))
    weeks.notes(basil, Notes="Rang the school.", Panel_decision="Not needed")
    weeks.notes(amber, Area="North", Learning="To be shared.")
    weeks.works()
    assert weeks.asked() == ["external_sender"]

    weeks.till("2026-03-03 09:00")
    weeks.answers("external_sender", "New alert")
    weeks.saves(lambda grid: grid.inserts("Team", before="Author"))
    weeks.notes(coral, Team="Team 4", Notes="Visited; all well.")
    weeks.works()
    weeks.works()
    assert weeks.asked() == []

    weeks.till("2026-03-04 09:00")  # held open for six hours, with typing and saving; an update comes in
    drive = weeks.at_work.here.stage.drive
    drive.open_by_person(REGISTER, WHO)
    weeks.brings(
        f"RE: {amber} Senior Leadership Alert - update",
        update_form(child=CHILDREN[0], dob="2012-05-01", day="2026-03-04"),
    )
    for hour in range(6):
        weeks.notes(dorian, Notes=f"Being written, part {hour}.")
        assert "open in Excel" in weeks.works()[0]
    drive.close_by_person(REGISTER, WHO)
    weeks.works()
    assert weeks.cell(amber, "Updates") == 1

    weeks.till("2026-03-05 09:00")
    weeks.saves(lambda grid: grid.deletes(coral))  # by mistake
    weeks.works()
    weeks.saves(_filters)
    weeks.works()

    weeks.till("2026-03-06 09:00")
    weeks.saves(lambda grid: grid.types(basil, SLA_ref="see Casey"))
    weeks.works()
    assert weeks.asked() == ["overtyped"]
    weeks.answers("overtyped", "Done")
    weeks.works()


def _filters(grid: Grid) -> None:
    grid.table.autoFilter.add_filter_column(grid.columns["Area"] - grid.left, ["North"])
    for row in grid.rows:
        grid.sheet.row_dimensions[row].hidden = grid.sheet.cell(row, grid.columns["Area"]).value != "North"


def _second_week(weeks: Weeks) -> None:
    _, basil, coral, dorian, elsie = (weeks.reference(child) for child in CHILDREN)
    weeks.till("2026-03-09 09:00")
    weeks.saves(lambda grid: grid.copies(elsie))
    weeks.works()
    assert weeks.asked() == ["key_twice"]
    weeks.saves(Grid.takes_the_copy_out)
    weeks.works()
    assert weeks.asked() == []

    weeks.till("2026-03-10 09:00")
    before = weeks.at_work.here.stage.drive.content(REGISTER)
    weeks.saves(lambda grid: grid.sorts("Child name", alone=True))
    assert "changed places" in weeks.works()[0]
    assert weeks.asked() == ["mistrusted"]
    weeks.at_work.here.stage.drive.person_saves(REGISTER, before, WHO)  # the earlier version, restored
    weeks.works()
    assert weeks.asked() == []

    weeks.till("2026-03-11 09:00")
    weeks.notes(dorian, Status="Concluded", Concluded_by="Ava Lindqvist")
    weeks.saves(lambda grid: grid.types(dorian, Concluded_on=date(2026, 3, 10)))
    weeks.saves(lambda grid: grid.types(elsie, On_hold_until=date(2026, 4, 1), Prompts_sent=99))
    weeks.alert("Gwen Holloway", 7, sender=STRANGER)
    weeks.works()
    assert weeks.asked() == ["external_sender", "overtyped"]
    weeks.answers("overtyped", "done")
    weeks.answers("external_sender", coral.lower())  # it is about Coral's matter
    weeks.works()
    weeks.works()

    weeks.till("2026-03-12 09:00")  # one form told of two matters
    both = f"{CHILDREN[1]}; {SPLIT_OFF}"
    weeks.saves(lambda grid: grid.types(basil, Child_name=both))
    weeks.works()
    weeks.saves(lambda grid: grid.types(basil, Status="Split off 2"))
    weeks.works()

    weeks.till("2026-03-13 09:00")
    weeks.saves(lambda grid: grid.sorts("SLA ref"))
    weeks.works()
    weeks.works()


def test_every_alert_has_one_row_and_no_row_is_anybody_elses(weeks: Weeks) -> None:
    grid = weeks.grid()
    there = [str(grid.sheet.cell(row, grid.left).value) for row in grid.rows]

    assert Counter(there) == Counter(list(weeks.at_work.ledger.alerts()))


def test_all_that_people_typed_stands_there(weeks: Weeks) -> None:
    assert {key: weeks.cell(*key) for key in weeks.typed} == weeks.typed


def test_what_people_did_is_in_the_ledger(weeks: Weeks) -> None:
    ledger = weeks.at_work.ledger
    alerts = ledger.alerts()
    amber, _, coral, dorian, elsie = (weeks.reference(child) for child in CHILDREN)

    assert alerts[dorian].concluded
    assert alerts[dorian].concluded_by == "Ava Lindqvist"
    assert alerts[elsie].on_hold_until == date(2026, 4, 1)
    assert weeks.cell(elsie, "Prompts sent") == alerts[elsie].chases_ever
    assert alerts[amber].values["area"] == "North"
    assert any(one.merged_into == coral for one in alerts.values())
    happened = Counter(entry.happened for entry in ledger.entries())
    assert happened[Happened.CONCLUDED] == 1
    assert happened[Happened.OPENED] == 8
    assert happened[Happened.SPLIT] == 1
    assert weeks.cell(weeks.reference(SPLIT_OFF), "Child name") == SPLIT_OFF
    assert weeks.cell(weeks.reference(CHILDREN[1]), "Child name") == CHILDREN[1]
    assert ledger.verify() == []


def test_every_question_was_answered_through_the_sheet(weeks: Weeks) -> None:
    assert weeks.asked() == []
    grid = weeks.grid("Questions")
    outcomes = [str(grid.sheet.cell(row, grid.columns["What was done"]).value) for row in grid.rows]
    assert all(one.startswith("Done on ") for one in outcomes)


def test_in_the_end_nothing_is_left_to_do(weeks: Weeks) -> None:
    before = weeks.at_work.here.stage.drive.content(REGISTER)

    assert weeks.works(0.25) == []
    assert weeks.at_work.here.stage.drive.content(REGISTER) == before
