"""What one change of the register costs: ours in place beside openpyxl's load and save, in the same run.

    python -m tests.benchmarks.register [ROWS…]    (hundreds of rows)

The change is ten rows updated and five appended in a table of thirty columns. Each measurement is a process
of its own; memory is its peak above that of an interpreter with the imports done. Every result is opened
with openpyxl and compared before its figures count.
"""

from __future__ import annotations

import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import openpyxl
from lxml import etree

from agent.procedure.rules import Column
from agent.register.addresses import cell
from agent.register.base import Changes
from agent.register.in_place import edit
from agent.register.new_workbook import NewWorkbook
from agent.register.package import (
    CONTENT_TYPES,
    MAIN,
    RELATED,
    RELATIONSHIPS,
    TYPES,
    Package,
    free_id,
)
from agent.register.table_sheet import FIRST_ROW, HEADING_ROW
from agent.register.workbook import TABLE, Workbook
from tests.benchmarks.frame import Report

SIZES = (1_000, 10_000, 50_000)
GOALS = {1_000: 10, 10_000: 15, 50_000: 20}  # times as fast as openpyxl's load and save
SAMPLE = 100  # rows after which a register looks the same again, but for what counts them
RUNS, LONG, RUNS_OF_LONG = 3, 50_000, 1  # so long a table takes openpyxl half a minute each time
DESK = "harbour"
SHEET, TABLE_PART = "xl/worksheets/sheet1.xml", "xl/tables/table1.xml"
UPDATED, APPENDED = 10, 5
COLUMNS = (
    Column("Ref", "agent", "reference", width=15),
    Column("Status", "proposed", "status"),
    *(Column(f"Text {number}", "proposed", f"text_{number}", "long") for number in range(1, 14)),
    *(Column(f"Day {number}", "proposed", f"day_{number}", "date") for number in range(1, 6)),
    *(Column(f"Count {number}", "agent", f"count_{number}", "number") for number in range(1, 6)),
    *(Column(f"Notes {number}", "person") for number in range(1, 6)),
)
WORDS = ("taken to hospital", "now stable", "police informed", "strategy meeting held", "parents told", "")


def row(number: int) -> dict[str, str]:
    """An invented row: some texts its own, some shared with others, days, numbers, gaps."""
    return {column.heading: _value(column, index, number) for index, column in enumerate(COLUMNS)}


def _value(column: Column, index: int, number: int) -> str:
    pattern = number % SAMPLE
    if column.field == "reference":
        return f"HA-2026-{number:05d}"
    if column.format == "date":
        return (date(2026, 1, 1) + timedelta(days=(pattern * index) % 300)).isoformat()
    if column.format == "number":
        return str(pattern * index % 17)
    if column.owner == "person":
        return f"Rang about matter {number}" if pattern % 4 == 0 else ""
    own = f" (matter {number})" if index % 3 == 0 else ""
    return (WORDS[(pattern + index) % len(WORDS)] + own).strip()


def change(rows: int) -> Changes:
    """Ten rows spread over the table updated, five added."""
    wanted = [rows * part // UPDATED + 1 for part in range(UPDATED)]
    news = {"Status": "Concluded", "Day 1": "2026-12-24", "Count 1": "99", "Text 1": "All is settled now"}
    return Changes(
        cells={row(number)["Ref"]: news for number in wanted},
        new_rows=tuple(row(rows + number) for number in range(1, APPENDED + 1)),
    )


# What is measured: each is given the workbook's file, does its work, and leaves its result in another


def edit_in_place(source: Path, target: Path, rows: int) -> None:
    target.write_bytes(edit(source.read_bytes(), COLUMNS, DESK, change(rows)))


def read_it(source: Path, target: Path, rows: int) -> None:
    sheet = Workbook(source.read_bytes(), DESK).table(COLUMNS).shown()
    assert len(sheet.rows) == rows
    assert sheet.rows[row(rows)["Ref"]] == row(rows)


def read_and_edit(source: Path, target: Path, rows: int) -> None:
    read_it(source, target, rows)
    edit_in_place(source, target, rows)


def openpyxl_load_and_save(source: Path, target: Path, rows: int) -> None:
    book: Any = openpyxl.load_workbook(source)
    sheet, changes = book.worksheets[0], change(rows)
    places = {column.heading: index for index, column in enumerate(COLUMNS, 1)}
    found = {sheet.cell(number, 1).value: number for number in range(FIRST_ROW, sheet.max_row + 1)}
    for reference, values in changes.cells.items():
        for heading, value in values.items():
            sheet.cell(found[reference], places[heading]).value = _as_cell(heading, value)
    last = sheet.max_row
    for values in changes.new_rows:
        last += 1
        for heading, value in values.items():
            sheet.cell(last, places[heading]).value = _as_cell(heading, value)
    sheet.tables[TABLE].ref = f"A{HEADING_ROW}:{cell(len(COLUMNS), last)}"
    book.save(target)


def _as_cell(heading: str, value: str) -> Any:
    if heading.startswith("Day"):
        return date.fromisoformat(value)
    return float(value) if heading.startswith("Count") else value or None


def openpyxl_read_only(source: Path, target: Path, rows: int) -> None:
    sheet = openpyxl.load_workbook(source, read_only=True).worksheets[0]
    assert sum(1 for _ in sheet.iter_rows(FIRST_ROW, values_only=True)) == rows


MEASURED: dict[str, Callable[[Path, Path, int], None]] = {
    "edit in place": edit_in_place,
    "read": read_it,
    "read and edit": read_and_edit,
    "openpyxl load+save": openpyxl_load_and_save,
    "openpyxl read-only": openpyxl_read_only,
}
WRITING = ("edit in place", "openpyxl load+save")  # “read and edit” leaves what “edit in place” does


def make(source: Path, rows: int) -> None:
    """A register of so many rows, in hundreds, as Excel saves it: its texts in a list of their own."""
    changes = Changes(new_rows=tuple(map(row, range(1, SAMPLE + 1))))
    package = Package(edit(NewWorkbook(DESK, COLUMNS, summarised=False).content(), COLUMNS, DESK, changes))
    _repeat_rows(package, rows)
    _share_texts(package)
    source.write_bytes(package.content())


def _repeat_rows(package: Package, rows: int) -> None:
    """Go on with the rows that there are: to have the agent write so many would take longer than the rest."""
    first, times = f'<row r="{FIRST_ROW}"'.encode(), rows // SAMPLE
    head, start, others = package.read(SHEET).partition(first)
    sample, end, tail = others.partition(b"</sheetData>")
    last = re.compile(rb"(?<=[A-Z])%d(?=\")" % (FIRST_ROW + SAMPLE - 1))
    new_last = b"%d" % (FIRST_ROW + SAMPLE * times - 1)

    def repeated(time: int) -> bytes:
        def counted(found: re.Match[bytes]) -> bytes:
            return b"%b%0*d" % (found[1], len(found[2]), int(found[2]) + SAMPLE * time)

        return re.sub(rb'( r="[A-Z]*|matter |HA-2026-)(\d+)', counted, start + sample)

    head, tail = (last.sub(new_last, part) for part in (head, tail))
    package.put(SHEET, [head, *map(repeated, range(times)), end, tail])
    package.put(TABLE_PART, [last.sub(new_last, package.read(TABLE_PART))])


def _share_texts(package: Package) -> None:
    texts: dict[bytes, int] = {}

    def shared(found: re.Match[bytes]) -> bytes:
        return b' t="s"><v>%d</v>' % texts.setdefault(found[1], len(texts))

    package.put(SHEET, [re.sub(rb' t="inlineStr"><is>(.*?)</is>', shared, package.read(SHEET))])
    items = b"".join(b"<si>%b</si>" % text for text in texts)
    package.put("xl/sharedStrings.xml", [b'<sst xmlns="%b">%b</sst>' % (MAIN.encode(), items)])
    links, types = package.xml("xl/_rels/workbook.xml.rels"), package.xml(CONTENT_TYPES)
    link = etree.SubElement(links, f"{{{RELATIONSHIPS}}}Relationship", Id=free_id(links))
    link.attrib.update({"Type": f"{RELATED}/sharedStrings", "Target": "sharedStrings.xml"})
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    etree.SubElement(types, f"{{{TYPES}}}Override", PartName="/xl/sharedStrings.xml", ContentType=kind)
    package.replace("xl/_rels/workbook.xml.rels", links)
    package.replace(CONTENT_TYPES, types)


def measure(name: str, source: Path, target: Path, rows: int) -> dict[str, float]:
    """The cost of one piece of work in this process: seconds, processor seconds, megabytes."""
    before = _peak()
    wall, cpu = time.perf_counter(), time.process_time()
    MEASURED[name](source, target, rows)
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "memory": _peak() - before,
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def verify(target: Path, rows: int) -> None:
    """The result as openpyxl, a reader that is not ours, sees it."""
    book: Any = openpyxl.load_workbook(target, read_only=True)
    changes = change(rows)
    wanted = {**changes.cells, **{new["Ref"]: new for new in changes.new_rows}}
    found = 0
    for values in book.worksheets[0].iter_rows(FIRST_ROW, values_only=True):
        seen = dict(zip((column.heading for column in COLUMNS), values, strict=False))
        for heading, value in wanted.get(str(seen["Ref"]), {}).items():
            there = seen[heading].date() if heading.startswith("Day") else seen[heading]
            assert there == _as_cell(heading, value), f"{seen['Ref']}: {heading} is {there!r}"
        found += 1
    assert found == rows + APPENDED


def _in_a_process(*told: str) -> Any:
    """Run a part of this script in a process of its own; gives what it printed, as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, *told], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout or "null")


def main(sizes: list[int]) -> None:
    report = Report(
        "register",
        "Changing the register",
        f"Ten rows updated and five appended in a table of thirty columns; medians of {RUNS} (from {LONG:,} "
        f"rows on, {RUNS_OF_LONG}), each in a process of its own. With `make bench` another benchmark "
        f"runs on the other core. lxml {version('lxml')}, openpyxl {version('openpyxl')}.",
        drawn="processor s",
        limited_by="packing the sheet again, which Excel keeps as one stream.",
    )
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "register.xlsx"), Path(folder, "after.xlsx")
        for rows in sizes:
            _in_a_process("make", str(source), str(rows))
            figures = {name: _median(name, source, target, rows) for name in MEASURED}
            theirs = figures["openpyxl load+save"]
            for name, cost in figures.items():
                ours = "" if name.startswith("openpyxl") else "ours, "
                report.add(
                    f"{ours}{name}: {rows:,} rows",
                    {
                        "s": cost["wall"],
                        "processor s": cost["cpu"],
                        "MB": cost["memory"],
                        "times as fast as load+save": theirs["cpu"] / cost["cpu"],
                        "% of its memory": 100 * cost["memory"] / theirs["memory"],
                    },
                )
            times = theirs["cpu"] / figures["edit in place"]["cpu"]
            wanted = GOALS.get(rows, 0)
            report.goal(
                f"{rows:,} rows: edited in a {wanted}th of the processor time",
                f"{times:.1f}",
                times >= wanted,
            )
    report.write()


def _median(name: str, source: Path, target: Path, rows: int) -> dict[str, float]:
    count = RUNS if rows < LONG else RUNS_OF_LONG
    runs = [_in_a_process("measure", name, str(source), str(target), str(rows)) for _ in range(count)]
    if name in WRITING:
        _in_a_process("verify", str(target), str(rows))
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", source, rows]:
            make(Path(source), int(rows))
        case ["measure", name, source, target, rows]:
            print(json.dumps(measure(name, Path(source), Path(target), int(rows))))
        case ["verify", target, rows]:
            verify(Path(target), int(rows))
        case sizes:
            main([int(size) for size in sizes] or list(SIZES))
