"""Genuine and probing Word documents: every answer, and every visible word, without what is none."""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from agent.forms.labelled import Labelled, labelled
from agent.forms.read import document_of
from agent.forms.ticks import TICKED, UNTICKED
from agent.forms.units import Refused

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
FEATURES, FILLED, GENUINE = CORPUS / "features", CORPUS / "filled", CORPUS / "docx"
pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of documents is not beside the project"
)

# a form inside an embedded file is reported, not merged into the form around it
OUT_OF_REACH = {("36_embedded.docx", "Left14")}


def plain(text: object) -> str:
    kept = (char for char in unicodedata.normalize("NFKC", str(text)) if unicodedata.category(char) != "Cf")
    return " ".join("".join(kept).replace("’", "'").replace("\u2010", "-").split())


def units_of(path: Path) -> list[Labelled]:
    return labelled(document_of(path.read_bytes()))


def test_every_answer_is_found_and_nothing_deleted_hidden_or_stale_is_taken() -> None:
    expected = json.loads((FEATURES / "expected.json").read_text(encoding="utf-8"))
    missed, taken = set(), set()
    for name, told in expected.items():
        if not (FEATURES / name).exists():
            continue
        units = document_of((FEATURES / name).read_bytes()).units
        said = plain(" ".join(unit.text for unit in units))
        missed |= {(name, field["value"]) for field in told["fields"] if plain(field["value"]) not in said}
        taken |= {(name, token) for token in told["forbid"] if token in said}
    assert missed == OUT_OF_REACH
    assert taken == set()


def test_every_answer_has_its_label() -> None:
    expected = json.loads((FEATURES / "expected.json").read_text(encoding="utf-8"))
    missed = set()
    for name, told in expected.items():
        if not (FEATURES / name).exists():
            continue
        units = units_of(FEATURES / name)
        for field in told["fields"]:
            label = re.sub(r"^\((\w+)\)$", r"\1", plain(field["label"]))  # "(comment)"
            value = plain(field["value"])
            if not any(plain(unit.label) == label and value in plain(unit.value) for unit in units):
                missed.add((name, field["value"]))
    assert missed == OUT_OF_REACH


def test_every_value_of_the_filled_forms_is_a_unit_of_its_own() -> None:
    for name, told in json.loads((FILLED / "truth.json").read_text(encoding="utf-8")).items():
        units = units_of(FILLED / name)
        values = Counter(unit.value for unit in units if isinstance(unit.value, str))
        written = [value for _, value in told["truth"] if isinstance(value, str)]
        assert [value for value in written if not values[value]] == [], name
        states = [unit.value for unit in units if unit.kind == "checkbox"]
        ticked = [bool(value) for _, value in told["truth"] if not isinstance(value, str)]
        assert states[: len(ticked)] == ticked, name


W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
SHOWN_PARTS = re.compile(r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml")
UNSEEN = {f"{W}{name}" for name in ("del", "moveFrom", "rt")} | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
}


def visible_text(content: bytes) -> Iterator[str]:
    """Every `w:t` of the usual parts that is not deleted, hidden by its own look, a prompt, or said twice."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in filter(SHOWN_PARTS.fullmatch, archive.namelist()):
            for at in etree.fromstring(archive.read(name)).iter(f"{W}t"):
                if not any(map(is_unseen, at.iterancestors())):
                    yield at.text or ""


def is_unseen(at: etree._Element) -> bool:
    if at.tag == f"{W}sdt":
        prompt = at.find(f"{W}sdtPr/{W}showingPlcHdr")
        return prompt is not None and prompt.get(f"{W}val", "1") not in ("0", "false")
    if at.tag in UNSEEN or at.get(f"{W}type", "") in ("separator", "continuationSeparator"):
        return True
    merged = at.find(f"{W}tcPr/{W}vMerge")
    if merged is not None and merged.get(f"{W}val", "continue") == "continue":
        return True  # Word shows the cell above instead
    return any(at.find(f"{W}{look}") is not None for look in ("rPr/" + W + "vanish", "trPr/" + W + "hidden"))


def letters(text: str) -> Counter[str]:
    marks = TICKED + UNTICKED
    return Counter(char for char in plain(text) if not char.isspace() and char not in marks and char != "…")


def test_every_visible_letter_of_genuine_documents_is_in_a_unit() -> None:
    lost: dict[str, Counter[str]] = {}
    read = 0
    for path in sorted(GENUINE.iterdir()):
        content = path.read_bytes()
        try:
            document = document_of(content)
        except Refused:
            continue
        if not zipfile.is_zipfile(io.BytesIO(content)):
            continue  # an old document, whatever its name says
        read += 1
        want = letters("".join(visible_text(content)))
        have = letters("".join(unit.text + unit.conflict for unit in document.units))
        told = letters("".join(f"{unit.label}{unit.value}" for unit in labelled(document)))
        unlabelled = letters("".join(unit.text for unit in document.units)) - told
        if gone := (want - have) + Counter({c: n for c, n in unlabelled.items() if c.isalnum()}):
            lost[path.name] = gone
    assert lost == {}
    assert read > 300
