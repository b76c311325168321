"""Forms and Word documents to read: the shipped definitions, and bodies written by hand."""

from __future__ import annotations

import io
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from agent.forms.definition import FormDefinition
from agent.forms.read import read
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.rules import Category, Procedure

CONFIG = Path(__file__).parents[2] / "config"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _toml(path: Path, kind: type) -> object:
    return TypeAdapter(kind).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def categories() -> tuple[Category, ...]:
    procedure = _toml(CONFIG / "procedures/nct.toml", Procedure)
    assert isinstance(procedure, Procedure)
    return procedure.categories


@pytest.fixture(scope="session")
def definitions() -> tuple[FormDefinition, ...]:
    found = [_toml(CONFIG / f"forms/{name}.toml", FormDefinition) for name in ("sla", "sla_missing")]
    return tuple(form for form in found if isinstance(form, FormDefinition))


def docx(body: str) -> bytes:
    """A Word document of `body`, with nothing around it."""
    document = (
        f'<w:document xmlns:w="{W}" xmlns:r="{R}" '
        'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
        'xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
        f'xmlns:v="urn:schemas-microsoft-com:vml"><w:body>{body}</w:body></w:document>'
    )
    relation = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{R}/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", relation)
        archive.writestr("word/document.xml", document)
    return buffer.getvalue()


def p(text: str) -> str:
    return f'<w:p><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def table(*rows: list[str]) -> str:
    """A table of texts; a cell that begins with "<" is XML of its own."""
    cells = (
        "".join(f"<w:tc>{cell if cell.startswith('<') else p(cell)}</w:tc>" for cell in row) for row in rows
    )
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


TITLE = p("Senior Leadership Alert Form")
# enough labels for a form to be one
REST = table(
    ["Telephone", "01604 000000"],
    ["Current position", "Stable"],
    ["Police reference", "NP/1/25"],
    ["School", "Oak Academy"],
)

Read = Callable[[str], Reading]


@pytest.fixture
def reading(definitions: tuple[FormDefinition, ...], categories: tuple[Category, ...]) -> Read:
    """Read a form whose body is given, under the standard title and beside a few other answers."""

    def read_body(body: str) -> Reading:
        found = read(docx(TITLE + body + REST), "form.docx", definitions, categories)
        assert isinstance(found, Reading), found
        return found

    return read_body


ReadBytes = Callable[[bytes], Reading | Unreadable]


@pytest.fixture
def reading_bytes(definitions: tuple[FormDefinition, ...], categories: tuple[Category, ...]) -> ReadBytes:
    return lambda content: read(content, "form.docx", definitions, categories)


@pytest.fixture
def make_docx() -> Callable[[str], bytes]:
    return docx
