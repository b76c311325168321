"""One Word feature each, with the answers a person would see and the texts that are none."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from agent.forms.docx import read_docx

FEATURES = Path(__file__).parents[3] / "shared" / "corpus" / "features"
pytestmark = pytest.mark.skipif(
    not FEATURES.is_dir(), reason="the corpus of Word features is not beside the project"
)

# a form inside an embedded file is reported, not merged into the form around it
OUT_OF_REACH = {("36_embedded.docx", "Left14")}


def plain(text: str) -> str:
    kept = (char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    return " ".join("".join(kept).replace("’", "'").replace("\u2010", "-").split())


def test_every_answer_is_found_and_nothing_deleted_hidden_or_stale_is_taken() -> None:
    expected = json.loads((FEATURES / "expected.json").read_text(encoding="utf-8"))
    missed, taken = set(), set()
    for name, told in expected.items():
        if not (FEATURES / name).exists():
            continue
        said = plain(" ".join(unit.text for unit in read_docx((FEATURES / name).read_bytes()).units))
        missed |= {(name, field["value"]) for field in told["fields"] if plain(field["value"]) not in said}
        taken |= {(name, token) for token in told["forbid"] if token in said}
    assert missed == OUT_OF_REACH
    assert taken == set()
