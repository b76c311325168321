"""Blank forms of other offices, filled in by a script as people do: what was written there is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from agent.forms.read import document_of, read_units
from agent.forms.units import Refused

GENUINE = Path(__file__).parents[3] / "shared" / "corpus" / "docx"
pytestmark = pytest.mark.skipif(
    not GENUINE.is_dir(), reason="the corpus of documents is not beside the project"
)

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
MAIN = "word/document.xml"
ASKS = frozenset(
    W + kind for kind in ("text", "richText", "comboBox", "dropDownList", "date", "placeholder", "alias")
)
NO_ANSWERS = frozenset(
    W + kind for kind in ("docPartObj", "docPartList", "group", "picture", "equation", "dataBinding")
)
UNSEEN = frozenset(
    (W + "del", W + "moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback")
)
LONGEST_LABEL = 60  # characters of a cell beside which an empty one is to be filled in
IN_A_HIDDEN_LINE = {("4ba3544549ec.dotx", "Zq0001"), ("4ba3544549ec.dotx", "Zq0002")}


class Pen:
    """Writes a word of its own into every place that asks for one, and ticks every other box."""

    def __init__(self, root: etree._Element) -> None:
        self.written: list[str] = []
        self.ticked: list[bool] = []
        for control in _seen(root, "sdt"):
            self._control(control)
        for data in _seen(root, "ffData"):
            self._form_field(data)
        for row in _seen(root, "tr"):
            self._row(row)

    def _word(self) -> str:
        self.written.append(f"Zq{len(self.written) + 1:04}")
        return self.written[-1]

    def _tick(self) -> str:
        self.ticked.append(len(self.ticked) % 2 == 0)
        return str(int(self.ticked[-1]))

    def _control(self, control: etree._Element) -> None:
        look, content = control.find(f"{W}sdtPr"), control.find(f"{W}sdtContent")
        if look is None or content is None:
            return
        texts, kinds = list(content.iter(f"{W}t")), {mark.tag for mark in look}
        if (state := look.find(f"{W14}checkbox/{W14}checked")) is not None:
            state.set(f"{W14}val", self._tick())
            return
        holds_more = next(
            content.iter(*(W + kind for kind in ("sdt", "tbl", "tr", "drawing", "fldChar"))), None
        )
        if not texts or holds_more is not None or kinds & NO_ANSWERS or not kinds & ASKS:
            return
        for prompt in [*look.findall(f"{W}showingPlcHdr"), *content.iter(f"{W}rStyle", f"{W}vanish")]:
            _remove(prompt)
        _replace(texts, self._word())

    def _form_field(self, data: etree._Element) -> None:
        """One of the fields that Word had before content controls."""
        if (box := data.find(f"{W}checkBox")) is not None:
            for state in box.findall(f"{W}checked"):
                _remove(state)
            etree.SubElement(box, f"{W}checked").set(f"{W}val", self._tick())
        elif data.find(f"{W}textInput") is not None and (texts := list(_result_of(data))):
            _replace(texts, self._word())

    def _row(self, row: etree._Element) -> None:
        """An empty cell to the right of a short text is filled in."""
        cells = row.findall(f"{W}tc")
        for label, cell in pairwise(cells):
            paragraph = cell.find(f"{W}p")
            merged = cell.find(f"{W}tcPr/{W}vMerge")
            goes_on = merged is not None and merged.get(f"{W}val", "continue") == "continue"
            has_more = next(cell.iter(*(W + kind for kind in ("sdt", "fldChar", "drawing", "vanish"))), None)
            is_asked = 2 < len(_text(label)) < LONGEST_LABEL and not _text(label).startswith("Zq")
            if is_asked and not _text(cell) and not goes_on and has_more is None and paragraph is not None:
                etree.SubElement(etree.SubElement(paragraph, f"{W}r"), f"{W}t").text = self._word()


def _seen(root: etree._Element, kind: str) -> Iterator[etree._Element]:
    for found in list(root.iter(W + kind)):
        if not any(outer.tag in UNSEEN for outer in found.iterancestors()):
            yield found


def _text(cell: etree._Element) -> str:
    return "".join(map(str, cell.itertext())).strip()


def _remove(at: etree._Element) -> None:
    parent = at.getparent()
    assert parent is not None
    parent.remove(at)


def _replace(texts: list[etree._Element], word: str) -> None:
    for text in texts:
        text.text = ""
    texts[0].text = word


def _result_of(data: etree._Element) -> Iterator[etree._Element]:
    """The texts between the two marks that enclose a form field's result."""
    is_result = False
    begin = next(data.iterancestors(f"{W}r"))
    for run in begin.itersiblings():
        mark = run.find(f"{W}fldChar")
        if mark is not None and mark.get(f"{W}fldCharType") == "end":
            return
        if is_result:
            yield from run.iter(f"{W}t")
        is_result = is_result or mark is not None


def _filled(content: bytes) -> tuple[bytes, Pen] | None:
    """The document with every place filled in; None for what is no whole document of today's Word."""
    try:
        document_of(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        root = etree.fromstring(parts[MAIN])
    except (Refused, zipfile.BadZipFile, KeyError):
        return None
    pen = Pen(root)
    parts[MAIN] = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue(), pen


def test_what_is_written_into_a_genuine_form_is_a_value_of_its_own() -> None:
    written, ticked, missed, states_missed = 0, 0, set(), set()
    for path in sorted(GENUINE.iterdir()):
        if (filled := _filled(path.read_bytes())) is None:
            continue
        content, pen = filled
        units = read_units(content, path.name)
        assert isinstance(units, tuple), path.name
        values = {unit.value for unit in units if isinstance(unit.value, str)}
        states = [unit.value for unit in units if unit.kind == "checkbox"]
        missed |= {(path.name, word) for word in pen.written if word not in values}
        if sum(pen.ticked) > sum(map(bool, states)):
            states_missed.add(path.name)
        written, ticked = written + len(pen.written), ticked + len(pen.ticked)
    assert missed == IN_A_HIDDEN_LINE
    assert states_missed == set()
    assert written > 900
    assert ticked > 80
