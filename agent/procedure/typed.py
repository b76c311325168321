"""What a person means by typing into a cell of an alert's row: lines of the ledger, or what to ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from agent.procedure.alert import Alert, day, standing
from agent.procedure.apart import references_in
from agent.procedure.entry import Entry
from agent.procedure.merging import merged
from agent.procedure.rules import Column, Procedure
from agent.procedure.words import Happened, Json, Status
from agent.procedure.working_days import Calendar

SOURCE = "register"


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
    typed: Typed, alerts: Mapping[str, Alert], procedure: Procedure, calendar: Calendar, at: datetime
) -> Meant:
    """What a person's change of one cell means; `alerts` are all, after the changes before it."""
    act = _Act(typed, alerts, procedure, calendar, at)
    name = typed.column.field
    if name in _ACTS:
        return _ACTS[name](act)
    if name == "key" or (name == "concluded_by" and typed.now == typed.alert.concluded_by):
        return Meant()  # the one means nothing to people, the other was kept with the conclusion
    content = {"column": typed.column.heading, "value": typed.now, "before": typed.before}
    return act.line(_HAPPENED[typed.column.owner], {"field": name} if name else {}, content)


def notes_on(alert: Alert, row: Mapping[str, str], columns: Sequence[Column], today: date) -> Iterator[str]:
    """What stands in a person's cells of this row and does not do what they may have meant by it."""
    for column in columns:
        said = row.get(column.field, "")
        theirs = column.owner == "person" or column.field in alert.corrected
        if not (said and theirs and column.field and column.format in ("date", "datetime")):
            continue
        told = day(said)
        if told is None and not (column.field == "dob" and len(alert.children) > 1):
            yield f"“{column.heading}” is no date"
        elif told and told > today and column.field == "concluded_on" and not alert.concluded:
            yield f"“{column.heading}” lies ahead"


@dataclass(frozen=True)
class _Act:
    typed: Typed
    alerts: Mapping[str, Alert]
    procedure: Procedure
    calendar: Calendar
    at: datetime

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

    def status(self) -> Meant:
        """Only people conclude (NCT 6.2, 6.3), put on hold, or say that it was never an alert; and only they
        say that a conclusion which was proposed is none.

        A word that is no status ("closed", "see notes") is no act: the status is put back.
        """
        status = _STATUSES.get(self.typed.now.casefold())
        if self.typed.now.casefold().startswith(Status.DUPLICATE.casefold()) and status is None:
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
        """Words instead of a day ("after court") hold until somebody says otherwise. They may name people,
        so they stay out of the facts."""
        said = self.typed.now
        if said:
            return self.line(Happened.HELD, {"until": _iso_day(said)}, {"said": said})
        return self.line(Happened.RELEASED) if self.alert.on_hold else Meant()


def _iso_day(typed: str) -> str | None:
    found = day(typed)
    return found.isoformat() if found else None


_HAPPENED = {"agent": Happened.OVERTYPED, "proposed": Happened.CORRECTED, "person": Happened.NOTED}

_STATUSES = {status.casefold(): status for status in Status}

_ACTS: Mapping[str, Callable[[_Act], Meant]] = {
    "status": _Act.status,
    "concluded_on": _Act.concluded_on,
    "on_hold_until": _Act.on_hold_until,
}
