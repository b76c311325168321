"""`n2k adopt`: an existing spreadsheet becomes the register of a desk, and its rows alerts.

First all is looked at and shown; only then, at a person's word, the ledger takes in the rows, and after
that the workbook is marked as the desk's own. Ended in between and run again, the rows that the ledger knows
are recognised, and nothing is doubled. Whoever is adopted is chased from now on, not for what lay before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.desk import Desk
from agent.errors import NeedsAPerson, NotFound, WrongCall
from agent.ledger.base import SheetState
from agent.procedure.adopting import Plan, TheirRow, may_be_filled, planned
from agent.procedure.rules import Column
from agent.procedure.words import Status
from agent.register.base import KeptAsFile
from agent.register.taking_over import taken_over
from agent.register.their_list import Kept, is_ours, look

_SHOWN = 40  # rows that are shown one by one


@dataclass(frozen=True)
class Adoption:
    """What would be done. `onto` is what lies in the register's place now, None when nothing does."""

    content: bytes = field(repr=False)
    onto: bytes | None = field(repr=False)
    kept: Kept
    plan: Plan


def look_at(desk: Desk, file: Path | None, told: Mapping[str, str], now: datetime) -> Adoption:
    """What there is to take over: `file`, or what lies in the register's place already.

    NeedsAPerson, in a sentence, when there is nothing, or it cannot be kept as it is; WrongCall for a field
    that the register does not have.
    """
    _refuse_unknown(desk.procedure.columns, told)
    content, onto = _found(desk, file)
    if is_ours(content, desk.name):
        raise NeedsAPerson("The agent keeps this workbook already; there is nothing to take over.")
    kept = look(content, desk.procedure.columns, told, desk.procedure.reference_prefix)
    rows = [_their_row(kept, number, cells) for number, cells in kept.rows]
    plan = planned(rows, desk.procedure, desk.people, desk.calendar, desk.ledger.entries(), now)
    references = {row.number: row.reference for row in plan.taken} | dict(plan.known)
    _taken_over(desk, content, kept, references)  # whatever cannot be done is refused now
    return Adoption(content, onto, kept, plan)


def adopt(desk: Desk, adoption: Adoption, now: datetime) -> int:
    """Do it. Gives how many rows became alerts."""
    plan, register = adoption.plan, _register(desk)
    references = dict(plan.known)
    standing = {row.reference for row in plan.taken}
    with desk.ledger.page() as page:
        for row in sorted(plan.taken, key=lambda row: not row.reference):  # first those that have one
            reference = row.reference
            while not reference or (reference in standing and not row.reference):
                reference = page.new_reference(desk.procedure.reference_prefix, row.year)
            references[row.number] = reference
            for entry in row.entries(reference):
                page.record(entry)
        page.wrote(_as_ours(desk, adoption, references), now)
    register.replace(_taken_over(desk, adoption.content, adoption.kept, references), adoption.onto)
    return len(plan.taken)


def shown(adoption: Adoption) -> Iterator[str]:
    """What would be done, for a person to read. No names: rows are told by their numbers."""
    kept, plan = adoption.kept, adoption.plan
    yield f"The list on the sheet “{kept.sheet}” ({kept.area}):"
    yield ""
    wide = max(len(match.heading) for match in kept.matches)
    for match in kept.matches:
        yield f"  {match.heading:<{wide}}  {_of(match.column, match.perhaps, match.heading)}"
    yield ""
    count = {status: sum(row.status is status for row in plan.taken) for status in Status}
    kinds = ", ".join(f"{number} {status.lower()}" for status, number in count.items() if number)
    yield f"{len(plan.taken)} rows become alerts ({kinds or 'none'}), chased only from now on."
    if plan.known:
        yield f"{len(plan.known)} rows were taken in before and only get their reference."
    remarks = [(row.number, remark) for row in plan.taken for remark in row.remarks]
    yield from _some("Noticed", remarks)
    yield from _some("Left alone", [(row.number, row.why) for row in plan.left])


def _of(column: Column | None, perhaps: Column | None, heading: str) -> str:
    if column is not None:
        return f"is “{column.heading}”"
    if perhaps is not None:
        return f'stays yours. Perhaps “{perhaps.heading}”: then say --map "{heading}={perhaps.field}"'
    return "stays yours"


def _some(title: str, told: list[tuple[int, str]]) -> Iterator[str]:
    if told:
        yield ""
        yield f"{title}:"
        yield from (f"  row {number}: {text}" for number, text in told[:_SHOWN])
        if len(told) > _SHOWN:
            yield f"  … and {len(told) - _SHOWN} more"


def _refuse_unknown(columns: tuple[Column, ...], told: Mapping[str, str]) -> None:
    fields = [column.field for column in columns if may_be_filled(column)]
    if unknown := sorted(set(told.values()) - set(fields)):
        raise WrongCall(f"No such field: {', '.join(unknown)}. There are: {', '.join(fields)}.")


def _found(desk: Desk, file: Path | None) -> tuple[bytes, bytes | None]:
    """The workbook to take over, and what lies in the register's place."""
    try:
        there: bytes | None = _register(desk).copy()
    except NotFound:
        there = None
    content = file.read_bytes() if file else there
    if content is None:
        raise NeedsAPerson("Nothing lies in the register's place. Put the workbook there, or name a file.")
    if there is not None and content != there:
        raise NeedsAPerson(
            "In the register's place lies another workbook. Move it away, or take that one over: leave the "
            "file out."
        )
    return content, there


def _register(desk: Desk) -> KeptAsFile:
    if not isinstance(desk.register, KeptAsFile):
        raise NeedsAPerson("This register is not kept as a file, so no workbook can be taken over.")
    return desk.register


def _their_row(kept: Kept, number: int, cells: Mapping[int, str]) -> TheirRow:
    matches = dict(enumerate(kept.matches, kept.area.left))
    told = {
        column.field: text for index, text in cells.items() if (column := matches[index].column) is not None
    }
    return TheirRow(number, told, {str(index): text for index, text in cells.items()})


def _taken_over(desk: Desk, content: bytes, kept: Kept, references: Mapping[int, str]) -> bytes:
    return taken_over(content, kept, desk.procedure.columns, desk.name, references)


def _as_ours(desk: Desk, adoption: Adoption, references: Mapping[int, str]) -> SheetState:
    """What stands in the agent's own columns counts as written by it, and so do days in words: they may be
    spelt anew. What stands in all other columns is people's."""
    kept, columns = adoption.kept, desk.procedure.columns
    places = kept.places()
    in_words = {row.number: row.in_words for row in adoption.plan.taken}
    rows = {
        references[number]: {
            column.heading: cells.get(places[column.heading], "")
            for column in columns
            if column.heading in places
            and (column.owner == "agent" or column.field in {"status", *in_words.get(number, ())})
        }
        for number, cells in kept.rows
        if number in references
    }
    known = desk.ledger.sheet()
    return SheetState("", tuple(places), {**rows, **(known.rows if known else {})})
