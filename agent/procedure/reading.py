"""What was read from one document: labelled values that can be shown where they came from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Field:
    """One value. `value` is normalised (ISO dates, "yes"/"no"), `text` is what stood there.

    `where` names the place in words ("table 2, row 3"); `confidence` runs from 0 to 1.
    """

    name: str
    value: str
    text: str = field(repr=False)
    label: str
    where: str
    confidence: float = 1.0


@dataclass(frozen=True)
class Reading:
    """A form that was read. `form` is the name of its definition (`config/forms/NAME.toml`).

    `tables` holds the repeating parts ("children", "updates", "actions"), each a tuple of rows.
    `ticked` are the category codes whose boxes were ticked. `unread` is visible text that was
    neither label nor value; it is personal and never logged. `old` is whether its title is that of a form
    which this one has replaced.
    """

    form: str
    document: str
    sha256: str
    fields: Mapping[str, Field]
    tables: Mapping[str, tuple[Mapping[str, Field], ...]] = field(default_factory=dict)
    ticked: tuple[str, ...] = ()
    unread: tuple[str, ...] = field(default=(), repr=False)
    problems: tuple[str, ...] = ()
    old: bool = False

    @property
    def answers(self) -> Mapping[str, Field]:
        """The single values by name, and beside them what the form tells of its first child."""
        first: Mapping[str, Field] = next(iter(self.tables.get("children", ())), {})
        return {**first, **self.fields}

    def only(self, names: Collection[str]) -> Reading:
        """This reading without any field or table but those `names`: what a summary may show."""
        fields = {name: found for name, found in self.fields.items() if name in names}
        tables = {name: rows for name, rows in self.tables.items() if name in names}
        return replace(self, fields=fields, tables=tables, unread=(), problems=())

    def text(self, name: str) -> str:
        """The single value called `name`, or "" where the form has none."""
        found = self.fields.get(name)
        return found.value if found else ""


@dataclass(frozen=True)
class Unreadable:
    """A document that could not be read. `code` is stable (`bad_zip`, `encrypted`, `not_a_form`…).

    `problems` are sentences for the person who has to deal with it.
    """

    document: str
    sha256: str
    code: str
    problems: tuple[str, ...]
