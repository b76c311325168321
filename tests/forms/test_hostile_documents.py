"""Whatever is sent as a form: a plain sentence and a stable code, quickly, and never an exception."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.forms import stream
from agent.forms.definition import FormDefinition
from agent.forms.limits import Limits
from agent.forms.read import read
from agent.forms.sniff import sniff
from agent.forms.worker import Reader
from agent.forms.write import write_form
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.rules import Category

ReadBytes = Callable[[bytes], Reading | Unreadable]
MakeDocx = Callable[..., bytes]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="{{}}"/></Relationships>'
)


def archive(*members: tuple[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members:
            package.writestr(name, content)
    return buffer.getvalue()


def package(document: str | bytes, *more: tuple[str, str | bytes]) -> bytes:
    return archive(
        ("[Content_Types].xml", "<Types/>"), ("_rels/.rels", RELS.format("d.xml")), ("d.xml", document), *more
    )


def document(body: str) -> str:
    return f"<w:document {W}><w:body>{body}</w:body></w:document>"


def one_cell(look: str) -> str:
    return f"<w:tbl><w:tr><w:tc><w:tcPr>{look}</w:tcPr><w:p/></w:tc></w:tr></w:tbl>"


def field(kind: str, data: str = "") -> str:
    return f'<w:p><w:r><w:fldChar w:fldCharType="{kind}">{data}</w:fldChar></w:r></w:p>'


OTHER_FILES = {
    "nothing": (b"", "empty"),
    "only spaces": (b"  \r\n", "empty"),
    "a PDF": (b"%PDF-1.7\n...", "bad_pdf"),
    "a photo": (b"\xff\xd8\xff\xe0 JFIF", "image"),
    "a screenshot": (b"\x89PNG\r\n\x1a\n", "image"),
    "an old Word document": (OLE + "WordDocument".encode("utf-16-le"), "bad_document"),
    "an encrypted document": (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    "a PDF under rights": (b"%PDF-1.7\n<< /Filter /MicrosoftIRMServices /V 1 >>", "rights_protected"),
    "a document under rights": (
        OLE + "EncryptedPackage".encode("utf-16-le") + "DRMEncryptedTransform".encode("utf-16-le"),
        "rights_protected",
    ),
    "an old document under rights": (OLE + "\tDRMContent".encode("utf-16-le"), "rights_protected"),
    "a mail under rights": (b"\x76\xe8\x04\x60\xc4\x11\xe3\x86 locked", "rights_protected"),
    "an old spreadsheet": (OLE + "Workbook".encode("utf-16-le"), "spreadsheet"),
    "an Outlook item": (OLE + "__properties_version1.0".encode("utf-16-le"), "bad_msg"),
    "a zip of files": (archive(("form.docx", "x")), "zip"),
    "a web page": (b"<!DOCTYPE html><html></html>", "html"),
    "a saved mail": (b"From: a@b.example\r\nSubject: x\r\n\r\n", "mail"),
    "plain text": (b"Senior Leadership Alert", "unknown"),
}


@pytest.mark.parametrize("situation", OTHER_FILES)
def test_what_is_no_word_document_is_named_by_its_bytes(situation: str, reading_bytes: ReadBytes) -> None:
    content, code = OTHER_FILES[situation]
    found = reading_bytes(content)
    assert isinstance(found, Unreadable)
    assert found.code == code
    assert found.problems[0].endswith(".")


HOSTILE = {
    "cut off": (package(document(""))[:-40], "bad_zip"),
    "no main document": (
        archive(("[Content_Types].xml", ""), ("_rels/.rels", RELS.format("gone.xml"))),
        "missing_part",
    ),
    "no relationships": (archive(("[Content_Types].xml", "")), "not_word"),
    "a spreadsheet in a package": (package("<workbook/>"), "not_word"),
    "XML that ends early": (package("<w:document"), "bad_xml"),
    "a document type": (package('<!DOCTYPE d [<!ENTITY a "b">]>' + document("")), "doctype"),
    "a document type in UTF-16": (
        package(('<!DOCTYPE d [<!ENTITY a "b">]>' + document("")).encode("utf-16")),
        "doctype",
    ),
    "parts outside itself": (package(document(""), ("../../evil.xml", "x")), "path_traversal"),
    "many entries": (package(document(""), *((f"x{n}", "") for n in range(2_100))), "too_many_parts"),
    "a bomb of one character": (package(document("<w:p/>" + " " * 30_000_000)), "too_large"),
    "a tight bomb": (package(document(" " * 20_000_000)), "ratio"),
    "tables in tables": (
        package(document("<w:tbl><w:tr><w:tc>" * 300 + "</w:tc></w:tr></w:tbl>" * 300)),
        "bad_xml",
    ),
}


@pytest.mark.parametrize("situation", HOSTILE)
def test_a_broken_or_hostile_document_is_refused_quickly(situation: str, reading_bytes: ReadBytes) -> None:
    content, code = HOSTILE[situation]
    started = time.monotonic()
    found = reading_bytes(content)
    assert isinstance(found, Unreadable)
    assert found.code == code
    assert time.monotonic() - started < 2


def test_two_parts_of_one_name_are_refused(reading_bytes: ReadBytes) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = package(document(""), ("d.xml", document("")))
    found = reading_bytes(content)
    assert isinstance(found, Unreadable)
    assert found.code == "duplicate_entry"


HARMLESS = {
    "a cell two thousand million columns wide": one_cell('<w:gridSpan w:val="2000000000"/>'),
    "fields that never end": field("begin") * 3_000,
    "fields that end before they begin": field("end"),
    "merged cells with nothing above": one_cell("<w:vMerge/>"),
    "a table without rows": "<w:tbl/>",
    "a control without content": "<w:p><w:sdt/></w:p><w:sdt><w:sdtPr/></w:sdt>",
    "a legacy list that chose an entry it has not": field(
        "begin", '<w:ffData><w:ddList><w:result w:val="9"/></w:ddList></w:ffData>'
    ),
    "a symbol without a code": '<w:p><w:r><w:sym w:char="?"/></w:r></w:p>',
    "numbers that are none": one_cell('<w:gridSpan w:val="-1"/>'),
    "an import of what is not there": (
        '<w:altChunk xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="x"/>'
    ),
}


@pytest.mark.parametrize("situation", HARMLESS)
def test_odd_content_does_not_stop_the_reader(situation: str, reading_bytes: ReadBytes) -> None:
    found = reading_bytes(package(document(HARMLESS[situation])))
    assert isinstance(found, Unreadable)
    assert found.code == "not_a_form"


def test_a_document_of_endless_cells_is_refused(
    monkeypatch: pytest.MonkeyPatch, reading_bytes: ReadBytes
) -> None:
    monkeypatch.setattr(stream, "MOST_PLACES", 100)
    found = reading_bytes(package(document(one_cell("") * 51)))
    assert isinstance(found, Unreadable)
    assert found.code == "too_large"


@given(st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_whatever_raise(reading_bytes: ReadBytes, content: bytes) -> None:
    assert isinstance(reading_bytes(content), Unreadable)
    sniff(content)


@given(st.text(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_no_text_in_a_document_whatever_raises(
    reading_bytes: ReadBytes, make_docx: MakeDocx, text: str
) -> None:
    shown = "".join(char for char in text if char.isprintable()).replace("&", "&amp;").replace("<", "&lt;")
    body = "".join(
        f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>"
        for line in ("Senior Leadership Alert Form", shown, f"Date: {shown}")
    )
    assert reading_bytes(make_docx(body)).sha256


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_a_damaged_form_is_read_or_refused(
    data: st.DataObject, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    content = bytearray(write_form(definitions[0], {}, {}, [], categories=categories))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert read(bytes(content), "form.docx", definitions, categories).sha256


CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


@pytest.mark.skipif(
    not (CORPUS / "hostile").is_dir(), reason="the corpus of real documents is not beside the project"
)
@pytest.mark.parametrize("folder", ["hostile", "docx", "pdf", "msg", "tnef"])
def test_every_document_of_the_corpus_ends_within_its_bounds(
    folder: str, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    reader = Reader(Limits(seconds=8))
    try:
        for path in sorted((CORPUS / folder).iterdir()):
            if path.suffix not in {".doc", ".rtf", ".dot"}:  # LibreOffice takes a second for each
                started = time.monotonic()
                found = reader.read(path.read_bytes(), path.name, definitions, categories)
                assert time.monotonic() - started < 10, path.name
                assert isinstance(found, Reading) or found.problems[0].endswith("."), path.name
    finally:
        reader.close()
