"""Blank forms: every procedure's, written as Word documents; an office's own, drafted as a definition."""

from __future__ import annotations

import re
from pathlib import Path

from agent.errors import NeedsAPerson
from agent.forms.draft import draft
from agent.forms.read import document_of
from agent.forms.units import Refused
from agent.forms.write import write_form
from agent.settings import Settings

_LONGEST = 80  # characters of a file's name


def write_blank_forms(settings: Settings, folder: Path) -> list[Path]:
    """Write each form once into `folder`, made if need be, over what lay there; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[Path, str] = {}
    for procedure in settings.procedures.values():
        for form in settings.forms_of(procedure):
            path = folder / f"{_file_name(form.title)}.docx"
            if written.get(path, form.name) != form.name:  # two organisations call theirs the same
                path = folder / f"{_file_name(form.title)} ({form.name}).docx"
            path.write_bytes(write_form(form, {}, {}, (), categories=procedure.categories))
            written[path] = form.name
    return list(written)


def draft_form(settings: Settings, blank: Path) -> str:
    """The draft of a definition for an office's own blank form, as TOML.

    Raises NeedsAPerson when the file is no document that can be read.
    """
    try:
        document = document_of(blank.read_bytes())
    except Refused as refused:
        raise NeedsAPerson(f"{blank} cannot be read. {refused}") from refused
    return draft(document, blank.stem, tuple(settings.forms.values()))


def _file_name(title: str) -> str:
    """Letters, digits, spaces and hyphens only: every system and every library of documents takes it."""
    return " ".join(re.sub(r"[^\w\- ]|_", " ", title).split())[:_LONGEST].strip() or "form"
