"""The children of an alert as a person named them in one cell of the register: `Robin Ash; Sasha Ash`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.procedure.names import same_name
from agent.procedure.submission import Child

_BETWEEN = re.compile(r"\s*(?:;|\n|&|\band\b)\s*")
_ASIDE = re.compile(r"\s*\(.*|\s+[-–—]\s.*")  # `Robin Ash (twin)`, `Robin Ash - see notes`
IN_CELLS = frozenset({"child_name", "dob", "system_id"})  # the fields that tell of all children at once
_UNKNOWN = "?"  # how the register shows what is not known of one of several children


def each_said(cell: str) -> list[str]:
    """What a cell says of each child, "" where it is not known; nothing for an empty cell."""
    parts = _BETWEEN.split(cell.strip()) if cell.strip() else []
    return ["" if part == _UNKNOWN else _ASIDE.sub("", part) for part in parts]


def children_named(children: Sequence[Child], cell: str) -> tuple[Child, ...]:
    """The children by the names of this cell, in its order; an empty one takes only their names away.

    A child who is named as before stays the same. New names are those of the others, in their order, where
    there are as many; else nobody can tell whose they are, and nothing is known of them but the name.
    """
    names = each_said(cell)
    if not names:
        return tuple(put_right(child, name="") for child in children)
    known = {name: child for child in children for name in names if name and same_name(child.name, name)}
    others = iter([child for child in children if child not in known.values()])
    new = [name for name in names if name not in known]
    if len(new) != len(children) - len(known):
        others = iter(())
    return tuple(known.get(name) or put_right(next(others, Child("")), name=name) for name in names)


def children_numbered(children: Sequence[Child], cell: str) -> tuple[Child, ...]:
    """The children with these numbers in the case system, where the cell says one for each."""
    numbers = each_said(cell) or [""] * len(children)
    if len(numbers) != len(children):
        return tuple(children)
    return tuple(put_right(child, system_id=number) for child, number in zip(children, numbers, strict=True))


def put_right(child: Child, **changes: Any) -> Child:
    """The same child, told of otherwise from now on."""
    was = replace(child, formerly=())
    if was == Child("") or replace(was, **changes) == was:
        return replace(child, **changes)
    return replace(child, **changes, formerly=tuple(dict.fromkeys((*child.formerly, was))))
