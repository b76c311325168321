"""What `n2k read` makes of forms, mails and old subject lines: by which desk, in which words."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agent.forms import worker
from agent.verbs.reader import read_files
from agent.verbs.subject_lines import read_subjects
from tests.builders import alert_form, form, mail, settings
from tests.forms.conftest import docx, table

TODAY = date(2026, 3, 2)


def told(*paths: Path, desk: str | None = None, units: bool = False) -> list[dict[str, Any]]:
    lines = read_files(paths, settings(), today=TODAY, desk=desk, as_json=True, units=units)
    return [json.loads(line) for line in lines]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def written(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return written


@pytest.mark.parametrize(
    ("name", "title", "desk", "called"),
    [
        ("sla", "", "nct", "standard"),
        ("sla_missing", "", "nct", "missing"),
        ("leadership_alert", "", "merton", "leadership_alert"),
        ("sla", "Incident Alert Form", "nct", "old"),
    ],
)
def test_a_form_is_read_by_the_desk_that_knows_it(
    file: Callable[[str, bytes], Path], name: str, title: str, desk: str, called: str
) -> None:
    content = form(name, form_kind="Initial alert", author="Theo Marchbanks", summary="An invented matter.")
    if title:
        content = _retitled(content, settings().forms[name].title, title)
    (one,) = told(file("form.docx", content))
    assert (one["procedure"], one["form"], one["questions"]) == (desk, called, [])


def _retitled(content: bytes, title: str, other: str) -> bytes:
    """The same document under another title, everywhere in it."""
    kept, into = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for part in kept.namelist():
            archive.writestr(part, kept.read(part).replace(title.encode(), other.encode()))
    return into.getvalue()


@pytest.mark.parametrize(
    ("subject", "procedure", "kind"),
    [
        ("Senior Leadership Alert Amy Lowe - form to follow", "nct", "new"),
        ("Leadership Alert - form to follow", "merton", "new"),
        ("Lunch menu", None, "other"),
    ],
)
def test_a_mail_without_a_form_is_read_by_the_desk_its_subject_speaks_of(
    file: Callable[[str, bytes], Path], subject: str, procedure: str | None, kind: str
) -> None:
    (one,) = told(file("mail.eml", mail(subject, sender="a@else.example")))
    assert (one["procedure"], one["kind"], one["form"]) == (procedure, kind, None)


def test_a_mail_tells_the_flags_of_its_subject_and_a_document_those_of_its_name(
    file: Callable[[str, bytes], Path],
) -> None:
    content = alert_form()
    name = "Senior Leadership Alert Robin Fairweather 2 Mar 26 (1).docx"
    in_a_mail, alone = told(
        file("alert.eml", mail("Senior Leadership Alert", (name, content))), file(name, content)
    )
    assert set(in_a_mail["flags"]) == {"duplicate_suspected", "missing_marking"}
    assert alone["flags"] == ["duplicate_suspected"]


def test_several_forms_in_one_mail_are_listed_in_the_same_shape(file: Callable[[str, bytes], Path]) -> None:
    two = [("a.docx", alert_form()), ("b.docx", form("sla_missing", child_name="Ida Holm", police_ref="7"))]
    (one,) = told(file("two.eml", mail("Senior Leadership Alert", *two)))
    assert [each["form"] for each in one["submissions"]] == ["standard", "missing"]
    assert all(set(each) == set(one) - {"submissions"} for each in one["submissions"])


def test_forms_in_an_archive_and_saved_mails_by_another_name_are_read(
    file: Callable[[str, bytes], Path],
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("SLA.docx", alert_form())
    saved = mail("Senior Leadership Alert", ("SLA.docx", alert_form()))
    assert [one["form"] for one in told(file("forms.zip", packed.getvalue()), file("saved.txt", saved))] == [
        "standard",
        "standard",
    ]


def test_a_document_that_breaks_its_reader_is_a_line_and_the_next_is_read(
    file: Callable[[str, bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: worker._Worker, *told: object) -> str:
        monkeypatch.setattr(worker._Worker, "read", kept)
        self._process.kill()
        return "crashed"

    kept = worker._Worker.read
    monkeypatch.setattr(worker._Worker, "read", broken)
    path = file("form.docx", alert_form())
    first, second = told(path, path, desk="nct")

    assert (first["kind"], second["kind"]) == ("unreadable", "new")
    assert first["problems"] == ["The document broke the program that reads documents."]


def test_all_that_stands_in_the_documents_can_be_told_ours_or_not(
    file: Callable[[str, bytes], Path],
) -> None:
    menu = docx(table(["Monday", "Soup"], ["Tuesday", "Pie"]))
    one, two, three = told(
        file("menu.docx", menu),
        file("two.eml", mail("Lunch", ("menu.docx", menu), ("SLA.docx", alert_form()))),
        file("broken.docx", b"PK broken"),
        units=True,
    )

    assert (one["kind"], three["kind"], three["units"]) == ("other", "unreadable", [])
    assert one["units"][:2] == [
        {"label": "", "value": "Monday", "kind": "text", "where": "table 1, row 1, column 1"},
        {"label": "Monday", "value": "Soup", "kind": "text", "where": "table 1, row 1, column 2"},
    ]
    assert two["units"][0]["where"] == "menu.docx: table 1, row 1, column 1"
    assert any(unit["value"] == "Theo Marchbanks" for unit in two["units"])


def test_old_subject_lines_are_tried_in_order_and_a_bad_row_is_a_line_with_its_problem() -> None:
    rows = [
        '{"subject": "Senior Leadership Alert Amy Lowe - Urgent and Confidential", "attachment": null}',
        "no json",
        '{"subject": 7}',
        '{"subject": "", "attachment": 7}',
        '{"subject": "Undeliverable: Senior Leadership Alert"}',
    ]
    lines = read_subjects(rows, settings(), today=TODAY, as_json=True)
    first, *bad, last = [json.loads(line) for line in lines]

    assert first == {
        "kind": "new",
        "child": "Amy Lowe",
        "date": None,
        "flags": ["no_attachment", "pii_in_subject"],
    }
    assert last == {"kind": "other", "child": None, "date": None, "flags": ["bounce"]}
    assert [one["problem"] for one in bad] == [
        "This line is no JSON.",
        'This line has no "subject" that is a text.',
        '"attachment" is a text or null.',
    ]


def test_people_see_each_old_subject_line_with_what_it_says() -> None:
    file_name = "Senior Leadership Alert Amy Lowe 3 Apr 25.docx"
    row = f'{{"subject": "Senior Leadership Alert", "attachment": "{file_name}"}}'
    assert list(read_subjects([row, "[]"], settings(), today=TODAY)) == [
        "Senior Leadership Alert",
        "    new, Amy Lowe, 2025-04-03",
        "    missing marking",
        "[]",
        '    This line has no "subject" that is a text.',
    ]
