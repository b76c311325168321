"""What a person means by typing into a cell of an alert's row: lines of the ledger, or what to ask them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from agent.procedure.addressing import person_meant
from agent.procedure.alert import Alert, day, standing
from agent.procedure.apart import references_in
from agent.procedure.coming_days import day_at
from agent.procedure.corrected import each_said
from agent.procedure.decide_case import NewReference
from agent.procedure.entry import Entry
from agent.procedure.merging import merged, split
from agent.procedure.names import alike, same_name
from agent.procedure.people import People
from agent.procedure.rules import Column, Procedure
from agent.procedure.submission import Child
from agent.procedure.words import Happened, Json, Status
from agent.procedure.working_days import Calendar

SOURCE = "register"
SPLIT_OFF = "Split off"  # typed into Status, with the names or numbers of children


@dataclass(frozen=True)
class Typed:
    """One cell of `alert`'s row that a person changed from `before` to `now`; `row` is all of it by field."""

    alert: Alert
    column: Column
    before: str = field(repr=False)
    now: str = field(repr=False)
    row: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Meant:
    """Lines to record and, where nothing could be made of what was typed, why, for whoever typed it."""

    entries: tuple[Entry, ...] = ()
    unclear: str = ""


def meaning_of(
    typed: Typed,
    alerts: Mapping[str, Alert],
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    at: datetime,
    new_reference: NewReference,
) -> Meant:
    """What a person's change of one cell means; `alerts` are all, after the changes before it."""
    act = _Act(typed, alerts, procedure, people, calendar, at, new_reference)
    name = typed.column.field
    if name in _ACTS:
        return _ACTS[name](act)
    if name == "key" or (name == "concluded_by" and typed.now == typed.alert.concluded_by):
        return Meant()  # the one means nothing to people, the other was kept with the conclusion
    return act.kept()


def notes_on(alert: Alert, row: Mapping[str, str], columns: Sequence[Column], today: date) -> Iterator[str]:
    """What stands in a person's cells of this row and does not do what they may have meant by it."""
    for column in columns:
        said = row.get(column.field, "")
        theirs = column.owner == "person" or column.field in alert.corrected
        if not (said and theirs and column.field and column.format in ("date", "datetime")):
            continue
        told = day(said) or (alert.on_hold_until if column.field == "on_hold_until" else None)
        if told is None and not (column.field == "dob" and len(alert.children) > 1):
            yield f"“{column.heading}” is no date"
        elif told and told > today and column.field == "concluded_on" and not alert.concluded:
            yield f"“{column.heading}” lies ahead"


@dataclass(frozen=True)
class _Act:
    typed: Typed
    alerts: Mapping[str, Alert]
    procedure: Procedure
    people: People
    calendar: Calendar
    at: datetime
    new_reference: NewReference

    @property
    def alert(self) -> Alert:
        return self.typed.alert

    def line(
        self,
        happened: Happened,
        facts: Mapping[str, Json] | None = None,
        content: Mapping[str, Json] | None = None,
    ) -> Meant:
        return Meant((Entry(happened, self.alert.reference, self.at, SOURCE, facts or {}, content or {}),))

    def kept(
        self, facts: Mapping[str, Json] | None = None, content: Mapping[str, Json] | None = None
    ) -> Meant:
        """A line that keeps what was typed, and what it was before."""
        column = self.typed.column
        field_named = {"field": column.field} if column.field else {}
        both = {"column": column.heading, "value": self.typed.now, "before": self.typed.before}
        return self.line(
            _HAPPENED[column.owner], {**field_named, **(facts or {})}, {**both, **(content or {})}
        )

    def status(self) -> Meant:
        """Only people conclude (NCT 6.2, 6.3), put on hold, or say that it was never an alert; and only they
        say that a conclusion which was proposed is none.

        A word that is no status ("closed", "see notes") is no act: the status is put back.
        """
        said = self.typed.now.casefold()
        status = _STATUSES.get(said)
        if said.startswith(SPLIT_OFF.casefold()):
            return self.split_off()
        if said.startswith(Status.DUPLICATE.casefold()) and status is None:
            return self.duplicate()
        if status is None:
            return Meant(unclear=f"Status is one of: {', '.join(Status)}. It was put back as it was.")
        if status is Status.CONCLUDED:
            return self.conclude()
        if status in (Status.NOT_AN_ALERT, Status.DUPLICATE):
            return self.line(Happened.NOT_AN_ALERT, {"as": status})
        if status is Status.ON_HOLD:
            return Meant() if self.alert.on_hold else self.line(Happened.HELD)
        claimed = self.alert.conclusion_claimed_at is not None
        if self.alert.concluded or self.alert.not_an_alert or claimed:
            return self.line(Happened.REOPENED, {"by": SOURCE})
        if self.alert.provisional and status is not Status.NOT_CONFIRMED:
            return self.line(Happened.CONFIRMED)
        if self.alert.on_hold:
            return self.line(Happened.RELEASED)
        return Meant()

    def duplicate(self) -> Meant:
        """`Duplicate of SLA-2026-0042`: that one knows from now on what this one knew."""
        named = references_in(self.typed.now, self.procedure)
        into = standing(self.alerts, named[0]) if len(named) == 1 else None
        if into is None or into.reference == self.alert.reference or self.alert.merged_into:
            return Meant(
                unclear="Write of which other alert it is a duplicate, with one reference. It was put back."
            )
        return Meant(merged(self.alert, into, self.at, SOURCE))

    def split_off(self) -> Meant:
        """`Split off Sasha Ash`, or `Split off 2` for the second child: a matter of its own from now on."""
        alert = self.alert
        leave = _children_meant(self.typed.now[len(SPLIT_OFF) :], alert.children)
        if alert.ended or alert.provisional or not 0 < len(leave) < len(alert.children):
            return Meant(
                unclear=f"To make two of an open alert, write “{SPLIT_OFF}” and the name or the number of "
                f"each child whose matter is another, such as “{SPLIT_OFF} 2”; at least one has to stay. It "
                "was put back."
            )
        return Meant(split(alert, leave, self.new_reference(alert.received_at), self.at, SOURCE))

    def author(self) -> Meant:
        """Letters go to another author from now on, where it is plain who that is."""
        person = person_meant(self.typed.now, self.people)
        if person and self.people.may_be_written_to(person.address):
            return self.kept(content={"address": person.address.lower()})
        if not self.typed.now or alike(self.typed.before, self.typed.now):  # the same person, spelt otherwise
            return self.kept()
        return replace(
            self.kept(),
            unclear=f"“{self.typed.column.heading}” names nobody whom the agent can write to, so letters go "
            "where they went before. Write the name and the address, such as “Ava Lee <ava.lee@…>”.",
        )

    def categories(self) -> Meant:
        """Clocks, and who is told, go by these from now on, where they are the procedure's own."""
        codes = re.findall(r"\w+", self.typed.now.upper())
        known = bool(codes) and all(self.procedure.category(code) for code in codes)
        return self.kept({"categories": list(codes)} if known else {})

    def conclude(self) -> Meant:
        if self.alert.concluded:
            return Meant()
        on = _iso_day(self.typed.row.get("concluded_on", ""))
        return self.line(Happened.CONCLUDED, {"on": on}, {"by": self.typed.row.get("concluded_by", "")})

    def concluded_on(self) -> Meant:
        """Only a day that has come concludes: "not yet", or a year mistyped, must not end the chasing."""
        if not self.typed.now:
            return self.line(Happened.REOPENED, {"by": SOURCE}) if self.alert.concluded else Meant()
        on = day(self.typed.now)
        return Meant() if on is None or on > self.calendar.today(self.at) else self.conclude()

    def on_hold_until(self) -> Meant:
        """A day to come may be said as people say it: "11 May", "11.5.26", "Monday". Other words ("after
        court") hold until somebody says otherwise. They may name people, so they stay out of the facts."""
        said = self.typed.now
        if said:
            coming, end = day_at(said, self.calendar.today(self.at))
            until = day(said) or (coming if end == len(said) else None)
            return self.line(Happened.HELD, {"until": until.isoformat() if until else None}, {"said": said})
        return self.line(Happened.RELEASED) if self.alert.on_hold else Meant()


def _children_meant(said: str, children: Sequence[Child]) -> list[Child]:
    """The children that are named, by name or number; nobody where one of them is not plain."""
    found = []
    for one in each_said(said.replace(",", ";")):
        number = int(one) if one.isdecimal() else 0
        meant = [
            child
            for place, child in enumerate(children, 1)
            if place == number or (child.name and same_name(child.name, one))
        ]
        if len(meant) != 1:
            return []
        found += meant
    return list(dict.fromkeys(found))


def _iso_day(typed: str) -> str | None:
    found = day(typed)
    return found.isoformat() if found else None


_HAPPENED = {"agent": Happened.OVERTYPED, "proposed": Happened.CORRECTED, "person": Happened.NOTED}

_STATUSES = {status.casefold(): status for status in Status}

_ACTS: Mapping[str, Callable[[_Act], Meant]] = {
    "status": _Act.status,
    "author": _Act.author,
    "categories": _Act.categories,
    "concluded_on": _Act.concluded_on,
    "on_hold_until": _Act.on_hold_until,
}
