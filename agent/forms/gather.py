"""What labels were found to be answered with → the fields and rows of a reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.forms.answers import Typed
from agent.forms.claims import Claim
from agent.forms.definition import FormField, FormTable
from agent.forms.labels import LabelBook, key
from agent.procedure.reading import Field

_TICKED = 0.95  # how sure a tick is
_OTHERWISE = 0.85  # how much of its sureness is left of an answer to another question


@dataclass
class Matched:
    """All that one definition finds in a document."""

    fields: dict[str, Field] = field(default_factory=dict)
    tables: dict[str, tuple[dict[str, Field], ...]] = field(default_factory=dict)
    ticked: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)


def gather(
    book: LabelBook, claims: Sequence[Claim], ticked: Mapping[str, str], problems: list[str]
) -> Matched:
    """The claims as fields and rows. `ticked` are codes of categories, each with the place of its box."""
    result = Matched(problems=problems)
    _gather_fields(result, book, [claim for claim in claims if claim.meaning.table is None])
    for name, table in book.definition.tables.items():
        in_it = [claim for claim in claims if claim.meaning.table and claim.meaning.table.name == name]
        rows = _rows(in_it, table)
        if rows:
            result.tables[name] = tuple(_whole(row, table.columns) for row in rows)
    _gather_categories(result, book, ticked)
    return result


def _gather_fields(result: Matched, book: LabelBook, claims: Sequence[Claim]) -> None:
    answered: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.typed.text:
            answered.setdefault(claim.meaning.field.name, []).append(claim)
    for name, given in answered.items():
        best = max(given, key=lambda claim: (len(claim.typed.value), claim.confidence))
        if all(_agrees(claim.typed, best.typed) for claim in given):
            result.fields[name] = _field(name, best)
        else:
            label = book.definition.fields[name].label
            said = "; ".join(f"“{claim.typed.text}” ({claim.where})" for claim in given)
            result.problems.append(
                f"several_values: “{label}” is answered differently in several places: {said}"
            )
    asked = {claim.meaning.field.name for claim in claims}
    for missing in (
        one for one in book.definition.fields.values() if one.name not in asked and one.otherwise
    ):
        _answer_otherwise(result, missing, claims)


def _agrees(one: Typed, other: Typed) -> bool:
    """Whether two answers are one; a day agrees with a time on that day."""
    if one.value and other.value:
        return other.value == one.value or other.value.startswith(f"{one.value}T")
    return (one.value or one.text) == (other.value or other.text)


def _answer_otherwise(result: Matched, missing: FormField, claims: Sequence[Claim]) -> None:
    """A question that the form does not ask, from the one that it asks instead."""
    labels = set(map(key, missing.otherwise))
    instead = [claim for claim in claims if claim.typed.value and key(claim.label) in labels]
    if len({claim.typed.value for claim in instead}) == 1:
        found = _field(missing.name, instead[0])
        result.fields[missing.name] = replace(found, confidence=round(found.confidence * _OTHERWISE, 3))


def _gather_categories(result: Matched, book: LabelBook, ticked: Mapping[str, str]) -> None:
    """The boxes that were ticked and the codes that were written; words alone only propose."""
    written = result.fields.get("category")
    codes = {*ticked, *book.codes(written.text if written else "")}
    result.ticked = tuple(sorted(codes))
    asked = book.definition.fields.get("category")
    if not codes or asked is None:
        return
    label = written.label if written else asked.label
    place = written.where if written else next(iter(ticked.values()))
    said = "; ".join(filter(None, [written.text if written else "", *ticked]))
    result.fields["category"] = Field("category", ", ".join(result.ticked), said, label, place, _TICKED)


def _whole(row: dict[str, Field], columns: Sequence[FormField]) -> dict[str, Field]:
    """A row in which a name told in parts, forename and surname, is one name too."""
    for name in dict.fromkeys(column.part_of for column in columns if column.part_of):
        given = [c for c in columns if c.part_of == name and c.name in row and row[c.name].value]
        parts = [row[c.name] for c in given if not c.stands_in] or [row[c.name] for c in given]
        if name in row or not parts:
            continue
        said = {kind: " ".join(getattr(part, kind) for part in parts) for kind in ("value", "text")}
        label, where = (
            " and ".join(dict.fromkeys(getattr(p, kind) for p in parts)) for kind in ("label", "where")
        )
        sure = min(part.confidence for part in parts)
        row = {name: Field(name, **said, label=label, where=where, confidence=sure), **row}
    return row


def _field(name: str, claim: Claim) -> Field:
    return Field(name, claim.typed.value, claim.typed.text, claim.label, claim.where, claim.confidence)


def _rows(claims: Sequence[Claim], table: FormTable) -> tuple[dict[str, Field], ...]:
    """Claims as rows: a new one begins where it is said, or where a column comes again.

    A row that is told twice counts once. A child may be told in part where it is named a second time; but of
    two updates one without a date is another."""
    rows: list[dict[str, Claim]] = []
    for claim in claims:
        name = claim.meaning.field.name
        if not rows or claim.new_row or name in rows[-1]:
            rows.append({})
        rows[-1][name] = claim
    told = [{name: claim for name, claim in row.items() if claim.typed.text} for row in rows]
    kept = [row for row in told if row]
    unique = [
        row
        for index, row in enumerate(kept)
        if not any(
            _within(row, other) and (number < index if len(other) == len(row) else table.shape == "blocks")
            for number, other in enumerate(kept)
        )
    ]
    return tuple({name: _field(name, claim) for name, claim in row.items()} for row in unique)


def _within(row: dict[str, Claim], other: dict[str, Claim]) -> bool:
    """Whether `other` says all that `row` says."""
    return all(name in other and other[name].typed.value == claim.typed.value for name, claim in row.items())
