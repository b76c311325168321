"""Forms in every layout, filled in as staff fill them in: every answer found, and not one that is wrong."""

from __future__ import annotations

import random
import re
import subprocess
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.configuration import load
from agent.forms.convert import converter
from agent.forms.definition import FormDefinition
from agent.forms.read import read
from agent.procedure.reading import Field, Reading
from agent.procedure.rules import Category
from agent.settings import Settings
from tests.forms.layouts import FORMS, LAYOUTS, NOT_KNOWN, Paper, Writer, docx, papers

CONFIG = Path(__file__).parents[2] / "config"
PROCEDURES = {"sla": "nct", "sla_missing": "nct", "leadership_alert": "merton"}
MUST = frozenset(
    {
        *("child_name", "dob", "system_id", "incident_at", "aware_at", "form_date", "author", "reviewer"),
        *("category", "summary", "missing_since", "last_seen", "returned_at", "police_ref"),
        "next_update_due",
    }
)
CHILD = ("child_name", "dob", "system_id")
SURE = 0.85  # a value read with this confidence is taken as it stands


@pytest.fixture(scope="session")
def configuration() -> Settings:
    return load(CONFIG)


def plain(text: str) -> str:
    kept = unicodedata.normalize("NFKC", text).replace("’", "'").strip(" _.")
    return " ".join(kept.split())


def expected(paper: Paper) -> dict[str, str]:
    first = {name: paper.children[0][name] for name in CHILD if paper.children[0][name]}
    return {**paper.values, **first, "category": ", ".join(paper.ticked)}


def wrong(paper: Paper, found: Reading) -> list[str]:
    """Every value that the form does not hold, or that stands where nothing was answered."""
    told, read_out = expected(paper), found.answers
    bad = [
        f"{name}: {field.value!r}, not {told.get(name, '')!r}"
        for name, field in read_out.items()
        if field.value and plain(field.value) != plain(told.get(name, "")) and not beside(name, field, paper)
    ]
    return bad if found.form == paper.form else [f"form: {found.form}", *bad]


def beside(name: str, field: Field, paper: Paper) -> bool:
    """Answers about a child that are told in its row, and those that say that nothing is known."""
    in_row = any(plain(field.value) == plain(child.get("_" + name, "")) for child in paper.children)
    return in_row or plain(field.text).lower() in {plain(said).lower() for said in NOT_KNOWN}


def missed(paper: Paper, found: Reading) -> set[str]:
    return {
        name for name, value in expected(paper).items() if name in MUST and value and not shown(found, name)
    }


def shown(found: Reading, name: str) -> str:
    field = found.answers.get(name)
    return field.value if field else ""


def told_rows(rows: tuple[Mapping[str, Field], ...], names: tuple[str, ...]) -> list[dict[str, str]]:
    return [{name: plain(row[name].value) if name in row else "" for name in names} for row in rows]


class Reader:
    """Reads a paper by its own procedure."""

    def __init__(self, configuration: Settings) -> None:
        self._settings = configuration

    def __call__(self, paper: Paper, content: bytes) -> Reading:
        found = read(content, "form.docx", *self.known_to(paper))
        assert isinstance(found, Reading), (str(paper), found)
        return found

    def known_to(self, paper: Paper) -> tuple[tuple[FormDefinition, ...], tuple[Category, ...]]:
        rules = self._settings.procedures[PROCEDURES[paper.form]]
        return tuple(self._settings.forms_of(rules)), rules.categories


@pytest.fixture(scope="session")
def reader(configuration: Settings) -> Reader:
    return Reader(configuration)


def all_is_well(paper: Paper, found: Reading) -> None:
    assert wrong(paper, found) == [], str(paper)
    assert missed(paper, found) == set(), str(paper)
    children = [{name: plain(child[name]) for name in CHILD} for child in paper.children]
    assert told_rows(found.tables.get("children", ()), CHILD) == children, str(paper)
    updates = tuple(row for row in found.tables.get("updates", ()) if "text" in row)
    said = told_rows(updates, ("date", "text", "manager", "reviewer"))
    assert said == [{name: plain(value) for name, value in row.items()} for row in paper.updates]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", FORMS)
def test_every_answer_that_must_be_there_is_found_and_none_is_wrong(
    form: str, layout: str, reader: Reader
) -> None:
    for seed in range(3):
        paper = Writer(form, layout, seed).paper()
        all_is_well(paper, reader(paper, docx(paper.body)))


@pytest.mark.parametrize("kind", ["docm", "strict"])
@pytest.mark.parametrize("form", FORMS)
def test_other_kinds_of_word_documents_are_read_alike(form: str, kind: str, reader: Reader) -> None:
    for layout in LAYOUTS:
        paper = Writer(form, layout, 7).paper()
        assert reader(paper, docx(paper.body, kind=kind)).fields == reader(paper, docx(paper.body)).fields


def test_labels_in_words_that_no_definition_knows_lead_to_no_wrong_answer(reader: Reader) -> None:
    """A question is not understood now and then, but never answered with something else."""
    bad = []
    for paper in papers([0], untuned=True):
        found = read(docx(paper.body), "form.docx", *reader.known_to(paper))
        sure = (
            {name: field for name, field in found.fields.items() if field.confidence >= SURE}
            if isinstance(found, Reading)
            else {}
        )
        bad += [
            (str(paper), name)
            for name, field in sure.items()
            if name in MUST
            and field.value
            and plain(field.value) != plain(expected(paper).get(name, ""))
            and not beside(name, field, paper)
        ]
    assert bad == []


def test_no_word_that_stands_on_a_form_is_lost(reader: Reader) -> None:
    """A word is added somewhere: it belongs to an answer or a label, or is listed as not understood."""
    for paper in papers([1]):
        places = [text.end() for text in re.finditer(r'<w:t xml:space="preserve">[^<]+', paper.body)]
        at = random.Random(str(paper)).choice([place for place in places if not is_prompt(paper.body, place)])
        for added in (" qxz", ": qxz"):
            found = reader(paper, docx(paper.body[:at] + added + paper.body[at:]))
            assert "qxz" in " ".join(everything_said(found)), (str(paper), paper.body[at - 60 : at])


def is_prompt(body: str, place: int) -> bool:
    return re.search(r"(?:Click|Enter text)[^<]*$", body[:place]) is not None


def everything_said(found: Reading) -> list[str]:
    rows = (found.fields, *(row for rows in found.tables.values() for row in rows))
    told = [text for row in rows for field in row.values() for text in (field.text, field.label)]
    return [*told, *found.unread, *found.problems]


SAVED = {
    layout: Writer(FORMS[number % len(FORMS)], layout, 0).paper() for number, layout in enumerate(LAYOUTS)
}


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One form of every layout, saved by LibreOffice in other formats; those of old kinds once more as .docx,
    as the agent has it do with them, into a folder of their own."""
    program = converter()
    if program is None:
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("converted")
    for paper in SAVED.values():
        (folder / f"{paper}.docx").write_bytes(docx(paper.body))

    def save(kind: str, originals: str, into: Path) -> None:
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        paths = sorted(map(str, folder.glob(originals)))
        command = [program, "--headless", profile, "--convert-to", kind, "--outdir", str(into), *paths]
        subprocess.run(command, check=True, capture_output=True, timeout=300)

    for kind in ("pdf", "odt", "rtf", "doc"):
        save(kind, "*.docx", folder)
    for kind in ("rtf", "doc"):
        save("docx:MS Word 2007 XML", f"*.{kind}", folder / kind)
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["pdf", "odt", "rtf", "doc"])
def test_in_other_formats_the_same_is_read(kind: str, layout: str, converted: Path, reader: Reader) -> None:
    if (kind, layout) == ("rtf", "text_boxes"):
        pytest.skip("LibreOffice writes nothing that stands in such boxes into Rich Text")
    paper = SAVED[layout]
    again = kind in ("rtf", "doc")
    as_read = converted / kind / f"{paper}.docx" if again else converted / f"{paper}.{kind}"
    all_is_well(paper, reader(paper, as_read.read_bytes()))
