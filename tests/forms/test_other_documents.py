"""Forms as OpenDocument, as old Word and as Rich Text."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.forms import convert
from agent.forms.convert import converter, to_docx
from agent.forms.odt import read_odt
from agent.forms.read import document_of
from agent.forms.units import Document, Refused
from agent.procedure.reading import Reading, Unreadable
from tests.forms.papers import archive

ReadBytes = Callable[[bytes], Reading | Unreadable]
needs_office = pytest.mark.skipif(converter() is None, reason="LibreOffice is not installed")

NAMES = "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for name, space in (
        *(("office", "office"), ("text", "text"), ("table", "table"), ("style", "style")),
        *(("form", "form"), ("draw", "drawing"), ("fo", "xsl-fo-compatible")),
    )
)
LOEXT = "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0"
FIELD = "urn:openoffice:names:experimental:ooo-ms-interop:xmlns:field:1.0"
STYLES = (
    '<style:style style:name="Gone"><style:text-properties text:display="none"/></style:style>'
    '<style:style style:name="Heir" style:parent-style-name="Gone"/>'
    '<style:style style:name="Out">'
    '<style:text-properties style:text-line-through-style="solid"/></style:style>'
)


def odt(body: str, forms: str = "") -> bytes:
    content = (
        f'<office:document-content{NAMES} xmlns:loext="{LOEXT}" xmlns:field="{FIELD}">'
        f"<office:automatic-styles>{STYLES}</office:automatic-styles>"
        f"<office:body><office:text>{forms}{body}</office:text></office:body></office:document-content>"
    )
    return archive(
        ("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", content.encode())
    )


def p(inside: str, style: str = "") -> str:
    return f'<text:p text:style-name="{style}">{inside}</text:p>'


def shown(document: Document) -> list[tuple[str, str | bool]]:
    return [(unit.kind, unit.ticked if unit.kind == "checkbox" else unit.text) for unit in document.units]


WRITTEN = {
    "plain text with spaces and tabs": (
        p('Name:<text:s text:c="2"/>Jo<text:tab/>B<text:line-break/>next'),
        [("text", "Name:  Jo\tB"), ("text", "next")],
    ),
    "a text input": (
        p('Name: <text:text-input text:description="Your name">Jo</text:text-input>'),
        [("text", "Name: "), ("control", "Jo")],
    ),
    "a text input that still prompts": (
        p('<text:text-input text:description="Your name">Your name</text:text-input>'),
        [("control", "")],
    ),
    "a content control with a date": (
        p('<loext:content-control loext:current-date="2025-03-04T00:00:00Z">4 March</loext:content-control>'),
        [("control", "4 March")],
    ),
    "a content control that still prompts": (
        p('<loext:content-control loext:showing-place-holder="true">Click</loext:content-control>'),
        [("control", "")],
    ),
    "a ticked control": (
        p('<loext:content-control loext:checkbox="true" loext:checked="true">☒</loext:content-control> Yes'),
        [("checkbox", True), ("text", " Yes")],
    ),
    "Word's own drop-down list": (
        p(
            '<field:fieldmark field:type="x.FORMDROPDOWN">'
            '<field:param field:name="Dropdown_ListEntry" field:value="A"/>'
            '<field:param field:name="Dropdown_ListEntry" field:value="B"/>'
            '<field:param field:name="Dropdown_Selected" field:value="1"/></field:fieldmark>'
        ),
        [("control", "B")],
    ),
    "Word's own text field": (
        p('<field:fieldmark-start field:type="x.FORMTEXT"/>Jo<field:fieldmark-end/> B'),
        [("control", "Jo"), ("text", " B")],
    ),
    "hidden text": (p('Seen<text:span text:style-name="Heir">Hidden</text:span>'), [("text", "Seen")]),
    "a hidden section": ('<text:section text:display="none"><text:p>Hidden</text:p></text:section>', []),
    "deleted text": (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>Old</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>" + p("New"),
        [("text", "New")],
    ),
    "a drawn control": (
        p('<draw:control draw:control="c1"/>'),
        [("control", "Jo")],
    ),
    "a drawn tick box": (p('<draw:control draw:control="c2"/>'), [("checkbox", True), ("text", " Yes ")]),
}
FORMS = (
    '<office:forms><form:form><form:text form:id="c1" form:current-value="Jo"/>'
    '<form:checkbox form:id="c2" form:current-state="checked" form:label="Yes"/></form:form></office:forms>'
)


@pytest.mark.parametrize("situation", WRITTEN)
def test_what_a_person_sees_in_an_open_document_is_read(situation: str) -> None:
    body, units = WRITTEN[situation]
    assert shown(read_odt(odt(body, FORMS))) == units


def test_struck_text_is_marked() -> None:
    units = read_odt(odt(p('Yes <text:span text:style-name="Out">No</text:span>'))).units
    assert [(unit.text, unit.struck) for unit in units] == [("Yes ", False), ("No", True)]


def test_merged_and_repeated_cells_keep_their_columns() -> None:
    cell = "<table:table-cell {}><text:p>{}</text:p></table:table-cell>"
    rows = (
        cell.format('table:number-columns-spanned="2"', "A")
        + "<table:covered-table-cell/>"
        + cell.format("", "B"),
        '<table:table-cell table:number-columns-repeated="2"/>' + cell.format("", "C"),
    )
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    document = read_odt(odt(f"<table:table>{table}</table:table>"))
    places = [(unit.text, unit.cell.top, unit.cell.left) for unit in document.units if unit.cell]
    assert places == [("A", 0, 0), ("B", 0, 2), ("C", 1, 2)]


REFUSED = {
    "a password": (
        archive(
            ("mimetype", b"application/vnd.oasis.opendocument.text"),
            ("META-INF/manifest.xml", b"<m><encryption-data/></m>"),
        ),
        "encrypted",
    ),
    "no content": (archive(("mimetype", b"application/vnd.oasis.opendocument.text")), "missing_part"),
    "another kind": (
        archive(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")),
        "other_document",
    ),
    "a document type": (
        archive(
            ("mimetype", b"application/vnd.oasis.opendocument.text"),
            ("content.xml", b'<!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>'),
        ),
        "doctype",
    ),
    "a bomb": (
        archive(("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b" " * 30_000_000)),
        "too_large",
    ),
    "cells repeated without end": (
        odt(
            "<table:table>" + '<table:table-row table:number-rows-repeated="999">'
            '<table:table-cell table:number-columns-repeated="999"><text:p>x</text:p></table:table-cell>'
            "</table:table-row>" + "</table:table>"
        ),
        "too_large",
    ),
}


@pytest.mark.parametrize("situation", REFUSED)
def test_a_broken_or_hostile_open_document_is_refused(situation: str) -> None:
    content, code = REFUSED[situation]
    started = time.monotonic()
    with pytest.raises(Refused) as refused:
        document_of(content)
    assert refused.value.code == code
    assert time.monotonic() - started < 5


# --- old Word and Rich Text ----------------------------------------------------------------------

RTF = (
    rb"{\rtf1\ansi Senior Leadership Alert Form\par Author: Priya Example\par Telephone: 01604 000000\par "
    rb"Current position: Stable\par Police reference: NP/1/25\par School: Oak Academy\par}"
)


@needs_office
def test_rich_text_is_read_like_word(reading_bytes: ReadBytes) -> None:
    found = reading_bytes(RTF)
    assert isinstance(found, Reading), found
    assert found.text("author") == "Priya Example"


def test_without_libreoffice_the_question_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, reading_bytes: ReadBytes
) -> None:
    monkeypatch.setattr(convert, "converter", lambda: None)
    found = reading_bytes(RTF.replace(b"Priya", b"Prita"))  # none that was converted a moment ago
    assert isinstance(found, Unreadable)
    assert found.code == "legacy_no_converter"
    assert "save it as .docx" in found.problems[0]


def slow_office(folder: Path, told: Path) -> str:
    """A converter that starts a child and never ends."""
    program = folder / "soffice"
    program.write_text(f"#!/bin/sh\nsleep 300 &\necho $! > {told}\nwait\n")
    program.chmod(0o700)
    return str(program)


@pytest.mark.skipif(os.name == "nt", reason="the pretended converter is a shell script")
def test_a_conversion_that_hangs_is_ended_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "child"
    program = slow_office(tmp_path, told)
    monkeypatch.setattr(convert, "converter", lambda: program)
    monkeypatch.setattr(convert, "SECONDS", 1)
    with pytest.raises(Refused) as refused:
        to_docx(RTF, "rtf")
    assert refused.value.code == "timeout"
    child = int(told.read_text())
    for _ in range(50):
        if not _runs(child):
            return
        time.sleep(0.1)
    pytest.fail("the converter's child still runs")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


@needs_office
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside the project")
def test_old_word_documents_of_the_corpus_are_read_or_refused(reading_bytes: ReadBytes) -> None:
    for path in sorted((CORPUS / "doc").iterdir())[:4]:
        found = reading_bytes(path.read_bytes())
        assert not isinstance(found, Unreadable) or found.code in {"not_a_form", "bad_document"}, path.name
