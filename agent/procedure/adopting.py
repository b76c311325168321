"""Taking over a spreadsheet that people kept: which of its columns is which, and what its rows tell. Pure.

Nothing is guessed: a heading that only resembles one of ours is proposed and left alone until a person says
so, and a row that cannot be understood is listed and left as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time

from agent.procedure.alert import day, moment
from agent.procedure.entry import Entry
from agent.procedure.people import People
from agent.procedure.plan import plan_to_keep
from agent.procedure.rules import Column, Procedure
from agent.procedure.submission import Child
from agent.procedure.text import fold, slips, words
from agent.procedure.words import Happened, Json, Moment, Status
from agent.procedure.working_days import Calendar
from agent.procedure.written_dates import without_dates, written_dates

SOURCE = "adopted"
_OF_THE_AGENTS = ("reference", "status", "received_at")  # columns of the agent's that people's rows can fill
_MOMENTS = ("incident_at", "aware_at", "missing_since", "returned_at")
_DAYS = ("received_at", *_MOMENTS, "next_update_due", "on_hold_until", "concluded_on")
_ELSEWHERE = {
    *(*_OF_THE_AGENTS, *_MOMENTS, "child_name", "dob", "system_id", "categories", "next_update_due"),
    *("on_hold_until", "concluded_on", "concluded_by", "conclusion", "key"),
}
_ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_LONG_ENOUGH = 6  # letters of a heading in which a slip of the finger may be believed


@dataclass(frozen=True)
class Match:
    """One heading of theirs, and our column that it is, or `perhaps` is."""

    heading: str
    column: Column | None = None
    perhaps: Column | None = None


def may_be_filled(column: Column) -> bool:
    """Can what people wrote in a column of this kind be kept? What only the agent reckons is its own."""
    return column.field in _OF_THE_AGENTS or (column.owner != "agent" and column.field != "")


def matched(headings: Sequence[str], columns: Sequence[Column], told: Mapping[str, str]) -> list[Match]:
    """Which column each heading is: as `told` (heading → field), by its name, or only perhaps.

    Of two synonyms for one column neither is taken, unless a person told which.
    """
    ours = [column for column in columns if may_be_filled(column)]
    by_field = {column.field: column for column in ours}
    said = {fold(heading): by_field[name] for heading, name in told.items()}
    called = {fold(column.heading): column for column in ours if column not in said.values()}
    present = {fold(heading) for heading in headings}
    settled = [*said.values(), *(column for name, column in called.items() if name in present)]
    synonyms = {fold(name): column for column in ours if column not in settled for name in column.synonyms}
    counts = Counter(synonyms[fold(heading)].field for heading in headings if fold(heading) in synonyms)
    found = []
    for heading in headings:
        column = said.get(fold(heading)) or called.get(fold(heading))
        alike = synonyms.get(fold(heading))
        if column is None and alike is not None and counts[alike.field] == 1:
            column = alike
        found.append(Match(heading, column, None if column else alike))
    taken = {match.column.field for match in found if match.column}
    left = [column for column in ours if column.field not in taken]
    return [
        match if match.column or match.perhaps else replace(match, perhaps=_resembling(match.heading, left))
        for match in found
    ]


def _names(column: Column) -> tuple[str, ...]:
    return (column.heading, *column.synonyms)


def _resembling(heading: str, columns: Sequence[Column]) -> Column | None:
    """The one column whose name has the same words, a slip apart or one within the other."""
    found = [column for column in columns if any(_alike(heading, name) for name in _names(column))]
    return found[0] if len(found) == 1 else None


def _alike(heading: str, name: str) -> bool:
    theirs, ours = set(words(heading)), set(words(name))
    if not theirs or not ours:
        return False
    slipped = len(name) >= _LONG_ENOUGH and slips(fold(heading), fold(name)) <= 2
    return slipped or theirs <= ours or ours <= theirs


# Rows


def is_reference(text: str, prefix: str) -> bool:
    """Is it a reference of our shape, such as `SLA-2026-0042`?"""
    return re.fullmatch(rf"{re.escape(prefix)}-\d{{4}}-\d{{4,}}", "".join(text.upper().split())) is not None


@dataclass(frozen=True)
class TheirRow:
    """A row as people keep it: its number in the sheet, and its cells by our field and by their heading."""

    number: int
    told: Mapping[str, str] = field(repr=False)
    cells: Mapping[str, str] = field(repr=False)

    @property
    def print(self) -> str:
        """Tells this row from any other, wherever it is sorted to."""
        return hashlib.sha256(repr(sorted(self.cells.items())).encode()).hexdigest()


@dataclass(frozen=True)
class Taken:
    """A row that becomes an alert. `reference` is "" until the ledger gives one; `remarks` hold no names.

    `in_words` are fields whose day is told in a way that only here is understood, such as 2/3/26.
    """

    number: int
    reference: str
    year: int
    status: Status
    lines: tuple[Entry, ...] = field(repr=False)
    remarks: tuple[str, ...] = ()
    in_words: frozenset[str] = frozenset()

    def entries(self, reference: str) -> list[Entry]:
        """What the ledger is to record under this reference."""
        return [replace(line, alert=reference) for line in self.lines]


@dataclass(frozen=True)
class LeftAlone:
    """A row that is not understood, and why, in words without names."""

    number: int
    why: str


@dataclass(frozen=True)
class Plan:
    """What is to be made of a sheet's rows. `known` are rows that an earlier try took in: they are only to
    be given their reference."""

    taken: tuple[Taken, ...] = ()
    left: tuple[LeftAlone, ...] = ()
    known: Mapping[int, str] = field(default_factory=dict)


def planned(
    rows: Sequence[TheirRow],
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    lines: Sequence[Entry],
    now: datetime,
) -> Plan:
    """What becomes of each row; `lines` are those of the ledger."""
    resumed = _resumed(rows, lines)
    taken_references = {line.alert for line in lines if line.happened is Happened.OPENED}
    reader = _Reader(procedure, people, calendar, now)
    twice = Counter(reader.reference(row) for row in rows)
    results = [reader.read(row, taken_references, twice) for row in rows if row.number not in resumed]
    return Plan(
        taken=tuple(found for found in results if isinstance(found, Taken)),
        left=tuple(found for found in results if isinstance(found, LeftAlone)),
        known=resumed,
    )


def _resumed(rows: Sequence[TheirRow], lines: Sequence[Entry]) -> dict[int, str]:
    """References that an earlier try gave to rows, by number: to the very same row, else (somebody worked on
    since) to that content wherever it stands now, else to the row in that place."""
    earlier: list[_Earlier] = [
        ((line.content or {}).get("row"), line.facts.get("row"), str(line.alert))
        for line in lines
        if line.happened is Happened.OPENED and line.source == SOURCE
    ]
    found: dict[int, str] = {}
    for same in _SAME_ROW:
        for row in (row for row in rows if row.number not in found):
            told = next((told for told in earlier if same(row, told)), None)
            if told is not None:
                found[row.number] = told[2]
                earlier.remove(told)
    return found


_Earlier = tuple[Json, Json, str]
_SAME_ROW: tuple[Callable[[TheirRow, _Earlier], bool], ...] = (
    lambda row, told: (row.print, row.number) == told[:2],
    lambda row, told: row.print == told[0],
    lambda row, told: row.number == told[1],
)


class _Reader:
    """Reads rows as alerts."""

    def __init__(self, procedure: Procedure, people: People, calendar: Calendar, now: datetime) -> None:
        self.procedure, self.people, self.calendar, self.now = procedure, people, calendar, now

    def reference(self, row: TheirRow) -> str:
        """The row's reference where it is of our shape, else ""."""
        told = row.told.get("reference", "")
        return "".join(told.upper().split()) if is_reference(told, self.procedure.reference_prefix) else ""

    def read(self, row: TheirRow, taken: set[str | None], twice: Mapping[str, int]) -> Taken | LeftAlone:
        reference = self.reference(row)
        received = self._moment(row.told.get("received_at", ""))
        if row.told.get("reference") and not reference:
            return LeftAlone(row.number, "its reference is none of this desk's")
        if reference in taken:
            return LeftAlone(row.number, f"{reference} is an alert of the agent's already")
        if reference and twice[reference] > 1:
            return LeftAlone(row.number, f"{reference} stands in more than one row")
        if received is None:
            said = "is not understood" if row.told.get("received_at") else "is missing"
            return LeftAlone(row.number, f"the day on which it was received {said}")
        if self._at(received) > self.now:
            return LeftAlone(row.number, "the day on which it was received lies ahead")
        status, concluded = self._status(row)
        opened, remarks = self._opened(row, received)
        return Taken(
            number=row.number,
            reference=reference,
            year=self.calendar.today(self._at(received)).year,
            status=status,
            lines=(opened, *self._ends(row, status, concluded or received)),
            remarks=(*remarks, *self._unclear_status(row, status)),
            in_words=frozenset(name for name in _DAYS if self._is_in_words(row.told.get(name, ""))),
        )

    def _opened(self, row: TheirRow, received: Moment) -> tuple[Entry, list[str]]:
        """The first line of the alert; what could not be understood stays in the row and is remarked on."""
        told = row.told
        moments = {name: self._moment(told[name]) for name in _MOMENTS if told.get(name)}
        due = self._day(told.get("next_update_due", ""))
        born = day(told.get("dob", ""))  # in 2/3/12 nobody knows the century
        unclear = [name for name, found in moments.items() if found is None]
        unclear += [
            name for name, found in (("dob", born), ("next_update_due", due)) if told.get(name) and not found
        ]
        child = Child(told.get("child_name", ""), born, told.get("system_id", ""))
        facts: dict[str, Json] = {
            "adopted_at": self.now.isoformat(),
            "plan": plan_to_keep(self.procedure.chasing),
            "row": row.number,
            "categories": list(self._categories(told.get("categories", ""))),
            **{name: self._said(found) for name, found in moments.items() if found},
        }
        if due:
            facts["next_update_due"] = due.isoformat()
        content: dict[str, Json] = {
            "row": row.print,
            "author_address": self._address(told.get("author", "")),
            "values": {name: text for name, text in told.items() if text and name not in _ELSEWHERE},
            "children": [_as_row(child)] if child != Child("") else [],
        }
        names = {column.field: column.heading for column in self.procedure.columns}
        remarks = [f"“{names[name]}” is not understood and stays as it is" for name in unclear]
        return Entry(Happened.OPENED, None, self._at(received), SOURCE, facts, content), remarks

    def _ends(self, row: TheirRow, status: Status, concluded: Moment) -> Iterator[Entry]:
        """What happened since: put on hold, concluded, found to be none."""
        if status is Status.CONCLUDED:
            on = concluded if not isinstance(concluded, datetime) else self.calendar.today(concluded)
            by, at = row.told.get("concluded_by", ""), self._at(concluded)
            yield from self._claim(row, at)
            yield Entry(Happened.CONCLUDED, None, at, SOURCE, {"on": on.isoformat()}, {"by": by})
        elif status in (Status.NOT_AN_ALERT, Status.DUPLICATE):
            yield Entry(Happened.NOT_AN_ALERT, None, self.now, SOURCE, {"as": status})
        elif status is Status.ON_HOLD:
            until = self._day(row.told.get("on_hold_until", ""))
            facts: dict[str, Json] = {"until": until.isoformat() if until else None}
            yield Entry(Happened.HELD, None, self.now, SOURCE, facts)
        else:
            yield from self._claim(row, self.now)

    def _claim(self, row: TheirRow, at: datetime) -> Iterator[Entry]:
        """A conclusion that is written down: only people say that the matter is concluded by it."""
        if text := row.told.get("conclusion", ""):
            yield Entry(Happened.CONCLUSION_CLAIMED, None, at, SOURCE, {}, {"text": text})

    def _status(self, row: TheirRow) -> tuple[Status, Moment | None]:
        """Where the matter stands, and since when it is concluded. Whatever is no clear end is open."""
        concluded = self._moment(row.told.get("concluded_on", ""))
        if concluded and self._at(concluded) <= self.now:
            return Status.CONCLUDED, concluded
        said = row.told.get("status", "")
        bare = " ".join(words(without_dates(said)))
        if bare in {
            " ".join(words(word)) for word in (Status.CONCLUDED, *self.procedure.subject.closure_words)
        }:
            return Status.CONCLUDED, self._moment(said)
        named = next((status for status in Status if bare == fold(status)), None)
        if named in (Status.NOT_AN_ALERT, Status.DUPLICATE, Status.ON_HOLD):
            return named, None
        return (Status.ON_HOLD if row.told.get("on_hold_until") else Status.OPEN), None

    def _unclear_status(self, row: TheirRow, status: Status) -> list[str]:
        said = fold(row.told.get("status", ""))
        known = not said or status is not Status.OPEN or said in map(fold, Status)
        return [] if known else ["its status is none that the agent knows: taken as open"]

    def _categories(self, text: str) -> Iterator[str]:
        codes = {fold(category.code): category.code for category in self.procedure.categories}
        return (codes[word] for word in dict.fromkeys(words(text)) if word in codes)

    def _address(self, author: str) -> str:
        """Whom to write to: the address in the cell, or that of the one person of this name."""
        found = _ADDRESS.search(author)
        person = self.people.named(author)
        return found[0] if found else person.address if person else ""

    # Days and times

    def _moment(self, text: str) -> Moment | None:
        """A day, or a time on it in the desk's own zone; None where it is not clear which."""
        at = moment(text)
        if isinstance(at, datetime):
            return self.calendar.local(at)
        if at is not None:
            return at
        found = [written for written in written_dates(text) if not written.problem]
        return found[0].value if len(found) == 1 and len(written_dates(text)) == 1 else None

    def _is_in_words(self, text: str) -> bool:
        return moment(text) is None and self._moment(text) is not None

    def _day(self, text: str) -> date | None:
        found = self._moment(text)
        return self.calendar.today(found) if isinstance(found, datetime) else found

    def _at(self, told: Moment) -> datetime:
        """A time in UTC; that of a day without one is the beginning of it."""
        at = told if isinstance(told, datetime) else self.calendar.local(datetime.combine(told, time()))
        return at.astimezone(UTC)

    def _said(self, told: Moment) -> str:
        return (told.astimezone(UTC) if isinstance(told, datetime) else told).isoformat()


def _as_row(child: Child) -> dict[str, Json]:
    return {
        "name": child.name,
        "dob": child.dob.isoformat() if child.dob else None,
        "system_id": child.system_id,
    }
