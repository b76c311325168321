"""The blank forms of every procedure as Word documents, made from the definitions by which they are read."""

from __future__ import annotations

import re
from pathlib import Path

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


def _file_name(title: str) -> str:
    """Letters, digits, spaces and hyphens only: every system and every library of documents takes it."""
    return " ".join(re.sub(r"[^\w\- ]|_", " ", title).split())[:_LONGEST].strip() or "form"
