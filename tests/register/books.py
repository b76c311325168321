"""Columns, workbooks and rows of an invented desk, for the register's tests."""

from __future__ import annotations

import io
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from pydantic import TypeAdapter

from agent.procedure.rules import Column, Procedure
from agent.register.base import Changes, Sheet
from agent.register.bookbinder import Bookbinder
from agent.register.in_place import edit
from agent.register.new_workbook import NewWorkbook
from agent.register.workbook import Workbook

DESK = "harbour"
COLUMNS = (
    Column("Ref", "agent", "reference", width=15),
    Column("Status", "proposed", "status", "choice", 22, choices=("New", "Open", "Update due", "Concluded")),
    Column("Received", "agent", "received_at", "datetime", 18),
    Column("Children", "agent", "children", "number", 10),
    Column("Child name", "proposed", "child_name", width=24, synonyms=("Name of child", "Young person")),
    Column("Next update due", "proposed", "next_update_due", "date", 13),
    Column("Summary", "proposed", "summary", "long", 46),
    Column("On hold until", "person", "on_hold_until", "date", 13),
    Column("Notes", "person", format="long", width=38),
)
BY_HEADING = {column.heading: column for column in COLUMNS}

soffice = shutil.which("soffice")
needs_libreoffice = pytest.mark.skipif(soffice is None, reason="LibreOffice (soffice) is not installed here")


@cache
def shipped() -> Procedure:
    """The procedure that comes with the agent."""
    path = Path(__file__).parents[2] / "config" / "procedures" / "nct.toml"
    return TypeAdapter(Procedure).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))


def procedure() -> Procedure:
    """A procedure with the columns of the invented desk."""
    return replace(shipped(), columns=COLUMNS)


def binder() -> Bookbinder:
    return Bookbinder(procedure(), DESK)


def row(number: int, **values: str) -> dict[str, str]:
    """What the ledger says of alert `number`; `values` by field replace parts of it."""
    told = {
        "reference": reference(number),
        "status": "Open",
        "received_at": f"2026-03-{number:02d}T09:15",
        "children": "1",
        "child_name": f"Invented Child {number}",
        "next_update_due": f"2026-04-{number:02d}",
        "summary": "Taken to hospital; now stable.",
    } | values
    return {column.heading: told[column.field] for column in COLUMNS if column.field in told}


def reference(number: int) -> str:
    return f"HA-2026-{number:04d}"


def book_with(*rows: Mapping[str, str]) -> bytes:
    """A register of the desk with these rows, and without the other sheets of the agent's own."""
    empty = NewWorkbook(DESK, COLUMNS, about="Harbour procedure", summarised=False).content()
    return edit(empty, COLUMNS, DESK, Changes(new_rows=rows))


def sheet_of(content: bytes) -> Sheet:
    return Workbook(content, DESK).table(COLUMNS).shown()


def as_excel_would(content: bytes, do: Callable[[openpyxl.Workbook], None]) -> bytes:
    """The workbook after a person worked in it: openpyxl stands in for their Excel."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    do(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def with_parts(content: bytes, changed: Mapping[str, bytes]) -> bytes:
    """The same file with parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, part in (parts(content) | dict(changed)).items():
            target.writestr(name, part)
    return out.getvalue()


def converted(content: bytes, folder: Path, to: str) -> bytes:
    """What LibreOffice makes of a workbook: `xlsx`, `csv`, `pdf`."""
    return _converted({"source": content}, folder, to)["source"]


def as_csv(books: Mapping[str, bytes], folder: Path) -> dict[str, str]:
    """The first sheet of each workbook as LibreOffice shows it."""
    shown = _converted(books, folder, "csv:Text - txt - csv (StarCalc):44,34,76,1")
    return {name: text.decode() for name, text in shown.items()}


def _converted(books: Mapping[str, bytes], folder: Path, to: str) -> dict[str, bytes]:
    """All of them in one go, as starting LibreOffice takes longest."""
    sources = {name: folder / f"{name}.xlsx" for name in books}
    for name, source in sources.items():
        source.write_bytes(books[name])
    profile, out = f"-env:UserInstallation=file://{folder}/profile", folder / "out"
    subprocess.run(
        [str(soffice), "--headless", profile, "--convert-to", to, "--outdir", str(out), *sources.values()],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return {name: (out / f"{name}.{to.partition(':')[0]}").read_bytes() for name in books}
