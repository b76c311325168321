"""Fills the controls of a blank form as a person does in Word, by a script: no knowledge of the writer."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from lxml import etree

from agent.forms.definition import FormDefinition, FormField

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
FIRST_DAY = date(2024, 3, 1)


def filled(
    blank: bytes, definition: FormDefinition, ticked: str
) -> tuple[bytes, dict[str, str], dict[str, list[dict[str, str]]]]:
    """The form with every control filled in, its single values, and the rows of its tables."""
    with zipfile.ZipFile(io.BytesIO(blank)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    tree = etree.fromstring(parts["word/document.xml"])
    singles: dict[str, str] = {}
    rows: dict[str, list[dict[str, str]]] = {name: [] for name in definition.tables}
    in_tables = _by_control(definition)
    seen: Counter[str] = Counter()
    for number, control in enumerate(tree.iter(f"{W}sdt")):
        tag = _told(control, f"{W}sdtPr/{W}tag")
        if control.find(f"{W}sdtPr/{W14}checkbox") is not None:
            _tick(control, tag == ticked)
            continue
        title = _told(control, f"{W}sdtPr/{W}alias")
        table, asked = in_tables.get((tag, title), ("", definition.fields.get(tag)))
        assert asked is not None
        value, printed = _answer(asked, number)
        _write(control, printed)
        if not table:
            singles[tag] = value
            continue
        at = seen[f"{table}.{tag}"]
        seen[f"{table}.{tag}"] += 1
        rows[table] += [{}] * (at + 1 - len(rows[table]))
        rows[table][at] = {**rows[table][at], tag: value}
    parts["word/document.xml"] = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue(), singles, rows


def _one(element: etree._Element, path: str) -> etree._Element:
    found = element.find(path)
    assert found is not None
    return found


def _told(element: etree._Element, path: str) -> str:
    return _one(element, path).get(f"{W}val", "")


def _by_control(definition: FormDefinition) -> dict[tuple[str, str], tuple[str, FormField]]:
    return {
        (column.name, column.label): (table.name, column)
        for table in definition.tables.values()
        for column in table.columns
    }


def _answer(asked: FormField, number: int) -> tuple[str, str]:
    """A value as it is normalised, and as a person puts it on the form."""
    if asked.type in ("date", "datetime"):
        day = FIRST_DAY + timedelta(days=number)
        if asked.type == "date":
            return day.isoformat(), f"{day:%d/%m/%Y}"
        return f"{day.isoformat()}T14:{number % 60:02}", f"{day.day} {day:%B %Y} at 14:{number % 60:02}"
    if asked.options:
        choice = asked.options[number % len(asked.options)]
        return (choice.lower() if asked.type == "yes_no" else choice), choice
    if asked.type == "long":
        said = f"What was said of this, number {number}: an invented matter.\nIt has a second line."
        return said, said
    words = ["Zeta", "Quill", "Amber", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Heath"]
    said = f"{words[number % 10]} {words[number // 10 % 10]}son"
    return said, said


def _tick(control: etree._Element, is_ticked: bool) -> None:
    _one(control, f"{W}sdtPr/{W14}checkbox/{W14}checked").set(f"{W14}val", str(int(is_ticked)))
    for text in control.iter(f"{W}t"):
        text.text = "☒" if is_ticked else "☐"


def _write(control: etree._Element, value: str) -> None:
    properties = _one(control, f"{W}sdtPr")
    placeholder = properties.find(f"{W}showingPlcHdr")
    if placeholder is not None:
        properties.remove(placeholder)
    content = _one(control, f"{W}sdtContent")
    for old in list(content):
        content.remove(old)
    run = etree.SubElement(content, f"{W}r")
    for part in _broken(value):
        run.append(part)


def _broken(value: str) -> Iterator[etree._Element]:
    for number, line in enumerate(value.splitlines()):
        if number:
            yield etree.Element(f"{W}br")
        text = etree.Element(f"{W}t")
        text.text = line
        yield text
