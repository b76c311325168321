"""A form as data: what `config/forms/NAME.toml` says of its labels, sections, tables and tick boxes.

The reader looks for these labels and the writer prints them, so what is printed is also read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from agent.procedure.rules import Told

FieldType = Literal["text", "long", "date", "datetime", "yes_no", "choice", "person"]

YES_NO = ("Yes", "No")
MANDATORY_NOTE = ("Fields marked ", "*", " must be filled in.")  # printed under every title; never an answer


@dataclass(frozen=True)
class FormField(Told):
    """One answer of the form. `name` is canonical (`dob`), `label` is what the form prints.

    `variants` mean this field wherever they stand; `here` are labels too common for that ("Name",
    "Date"): they count only inside the field's own section or table. `hint` is shown where nothing
    is filled in yet. A date is normalised to ISO, a datetime to ISO local time to the minute.

    `otherwise` are labels of other fields that answer this one on a form that does not ask for it.
    What is not `printed` is known when an office's own form asks for it, and left out of a blank form;
    `part_of` names the field that it is a part of, as a surname is of a name; one that `stands_in` is taken
    for the whole only where no other part is told, as initials are.
    """

    name: str
    label: str
    variants: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    type: FieldType = "text"
    mandatory: bool = False
    clause: str = ""
    choices: tuple[str, ...] = ()
    hint: str = ""
    otherwise: tuple[str, ...] = ()
    printed: bool = True
    part_of: str = ""
    stands_in: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """What the field may be set to; () where anything may be written."""
        return YES_NO if self.type == "yes_no" else self.choices


@dataclass(frozen=True)
class FormTable(Told):
    """A repeating part. `shape` says how a blank form prints it: a row each, or a block each.

    `row_name` heads a block ("Child" → "Child 1"); `blank_rows` is how many an empty form offers.
    """

    name: str
    row_name: str
    columns: tuple[FormField, ...]
    shape: Literal["rows", "blocks"] = "rows"
    blank_rows: int = 3


@dataclass(frozen=True)
class Section(Told):
    """One headed part of the form. `categories` prints the tick boxes of the procedure's list of that
    name; their words come from the procedure. `also` are other headings under which forms ask the same."""

    title: str
    also: tuple[str, ...] = ()
    note: str = ""
    fields: tuple[FormField, ...] = ()
    tables: tuple[FormTable, ...] = ()
    categories: str = ""
    new_page: bool = False


@dataclass(frozen=True)
class FormDefinition(Told):
    """One form of a procedure. `kind` is what a filled form says: a "new" matter or a "missing" child.

    `recognised_by` are titles under which it goes round, `old_names` those of the forms it replaced,
    `never` those of forms that are much like it and are another organisation's.
    `marking` is printed on every page; `guidance` under the title. The first `summary_pages` pages are the
    summary that may be shown to people who are briefed, and nothing of the others.
    """

    name: str
    title: str
    kind: Literal["new", "missing"]
    sections: tuple[Section, ...]
    recognised_by: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    marking: str = ""
    guidance: str = ""
    summary_pages: int = 0

    def __hash__(self) -> int:
        return hash((self.name, self.title))  # of all that it holds, it would take long

    @cached_property
    def on_summary_pages(self) -> frozenset[str]:
        """The names of the fields and tables of the summary, which alone may be shown further."""
        page, names = 1, set[str]()
        for section in self.sections:
            page += section.new_page
            if page <= self.summary_pages:
                names |= {asked.name for asked in section.fields} | {table.name for table in section.tables}
        return frozenset(names)

    @cached_property
    def fields(self) -> dict[str, FormField]:
        """Every single field by its canonical name, in the order of the form."""
        return {field.name: field for section in self.sections for field in section.fields}

    @cached_property
    def tables(self) -> dict[str, FormTable]:
        """Every repeating part by its name."""
        return {table.name: table for section in self.sections for table in section.tables}

    def mandatory(self) -> Iterator[FormField]:
        """The single fields that may not be left empty."""
        return (field for field in self.fields.values() if field.mandatory)
