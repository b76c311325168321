"""Word documents read by what people would use instead: `peer_readers DOCX…`, run by the peers' Python.

Prints as JSON, for each document and each way, the milliseconds of every run and the text that came of it.
A value that stands in the text counts as found, though nobody told which question it answers.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import docx
from docx.oxml.ns import qn
from docx2python import docx2python
from markitdown import MarkItDown

RUNS, RUNS_OF_PROGRAMS = 20, 2
markitdown = MarkItDown()


def by_python_docx(path: str) -> str:
    return _told(docx.Document(path))


def by_python_docx_and_its_xml(path: str) -> str:
    """The library passes over content controls; who needs them looks for them in its XML."""
    document = docx.Document(path)
    controls = (
        "".join(text.text or "" for text in control.iter(qn("w:t")))
        for control in document.element.body.iter(qn("w:sdtContent"))
    )
    return "\n".join([_told(document), *controls])


def _told(document: docx.document.Document) -> str:
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([paragraph.text for paragraph in document.paragraphs] + cells)


def by_docx2python(path: str) -> str:
    with docx2python(path) as found:
        return str(found.text)


def by_markitdown(path: str) -> str:
    return markitdown.convert_stream(io.BytesIO(Path(path).read_bytes()), file_extension=".docx").text_content


def by_pandoc(path: str) -> str:
    return subprocess.run(["pandoc", "-t", "plain", path], check=True, capture_output=True, text=True).stdout


def by_libreoffice(path: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        home = f"-env:UserInstallation=file://{folder}/home"
        told = [
            "soffice",
            home,
            "--headless",
            "--convert-to",
            "txt:Text (encoded):UTF8",
            "--outdir",
            folder,
            path,
        ]
        subprocess.run(told, check=True, capture_output=True)
        return Path(folder, f"{Path(path).stem}.txt").read_text("utf-8", "replace")


def main(paths: list[str]) -> None:
    ways: dict[str, Callable[[str], str]] = {
        "python-docx": by_python_docx,
        "python-docx, controls from its XML": by_python_docx_and_its_xml,
        "docx2python": by_docx2python,
        "markitdown": by_markitdown,
    }
    programs = {"pandoc": ("pandoc", by_pandoc), "LibreOffice": ("soffice", by_libreoffice)}
    ways |= {name: way for name, (program, way) in programs.items() if shutil.which(program)}
    print(
        json.dumps(
            {path: {name: timed(name in programs, way, path) for name, way in ways.items()} for path in paths}
        )
    )


def timed(program: bool, way: Callable[[str], str], path: str) -> dict[str, object]:
    taken = []
    for _ in range(RUNS_OF_PROGRAMS if program else RUNS):
        began = time.perf_counter()
        text = way(path)
        taken.append(1000 * (time.perf_counter() - began))
    return {"ms": taken, "text": text}


if __name__ == "__main__":
    main(sys.argv[1:])
