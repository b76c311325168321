"""The letters as a screen reader and an accessibility checker see them, in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from agent.letters.writer import Written
from tests.letters.samples import browse, page_of, samples

SAMPLES = samples()
AXE = find_spec("axe_core_python")

pytestmark = [
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed"),
    pytest.mark.skipif(AXE is None, reason="the accessibility checker is not installed"),
]

# Every rule of WCAG 2.1 A and AA and the checker's good practice; but a letter is no page with landmarks.
ASKED = """
axe.run(document, {rules: {region: {enabled: false}, "landmark-one-main": {enabled: false}}}).then(found => {
  document.title = "checked";
  document.body.innerHTML = "<pre id=found></pre>";
  document.getElementById("found").textContent = JSON.stringify({
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    passed: found.passes.map(one => one.id),
    violated: found.violations.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 120))]),
  });
});
"""


def checked(letter: Written, folder: Path, *, dark: bool, width: int) -> dict[str, Any]:
    """What the checker finds in a letter as it is shown."""
    assert AXE is not None
    assert AXE.origin is not None
    checker = (Path(AXE.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    file = folder / "letter.html"
    file.write_text(
        page_of(letter).replace("</body>", f"<script>{checker}</script><script>{ASKED}</script></body>"),
        encoding="utf-8",
    )
    options = ("--virtual-time-budget=20000", "--dump-dom", f"file://{file}")
    shown = browse(*options, folder=folder, width=width, dark=dark).decode()
    found = re.search(r'<pre id="found">(.*?)</pre>', shown, re.DOTALL)
    assert found, "the checker did not end"
    answer: dict[str, Any] = json.loads(html.unescape(found[1]))
    return answer


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_accessibility_checker_finds_nothing(sample: str, dark: bool, tmp_path: Path) -> None:
    """Contrast, headings, tables, language, names: in both colour schemes, wide and on a phone."""
    found = checked(SAMPLES[sample], tmp_path, dark=dark, width=390 if dark else 900)

    assert found["dark"] is dark
    assert found["violated"] == []
    assert {"color-contrast", "html-has-lang", "document-title"} <= set(found["passed"])
