"""Why a letter exists, and why an alert stands where it does: dates, rules and clauses, no names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from agent.errors import WrongCall
from agent.ledger.base import DeskLedger, Letter, Reason
from agent.ledger_at_hand import ledger_at_hand
from agent.procedure.alert import Alert
from agent.procedure.apart import references_in
from agent.procedure.clocks import Clock, deadlines_of
from agent.procedure.digest import next_step
from agent.procedure.findings import clause_of
from agent.procedure.reminders import clock_told
from agent.procedure.rules import Procedure
from agent.procedure.status import status_of
from agent.procedure.words import Moment
from agent.procedure.working_days import Calendar
from agent.settings import DeskSettings, Settings
from agent.verbs.tray import SHORT_KEY, letters_called


def why(settings: Settings, told: str, now: datetime) -> Iterator[str]:
    """Lines on the letter whose key begins with `told`, or on the alert with that reference.

    Raises WrongCall when there is no such letter and no such alert on any desk.
    """
    with ledger_at_hand(settings) as ledger:
        lines = [
            line
            for name, desk in settings.desks.items()
            for line in _OfDesk(settings, desk, ledger.desk(name), now).why(told)
        ]
    if not lines:
        raise WrongCall(f"No letter's key begins with `{told}`, and no alert has that reference.")
    yield from lines


class _OfDesk:
    def __init__(self, settings: Settings, desk: DeskSettings, ledger: DeskLedger, now: datetime) -> None:
        self._desk = desk
        self._procedure = settings.procedure_of(desk)
        self._calendar = settings.calendar_of(desk)
        self._ledger = ledger
        self._people = replace(desk.roster, unreached=ledger.unreached())
        self._now = now

    def why(self, told: str) -> Iterator[str]:
        for reference in references_in(told, self._procedure):
            if alert := self._ledger.alerts().get(reference):
                yield from self._alert(alert)
        for letter in letters_called(told, self._ledger):
            yield from self._letter(letter)

    # ------------------------------------------------------------ a letter

    def _letter(self, letter: Letter) -> Iterator[str]:
        yield f"Letter {letter.key}: {letter.kind.replace('_', ' ')}, {letter.state.value.replace('_', ' ')}"
        yield f"  {letter.subject}"
        yield f"  laid {self._time(letter.laid_at)}" + (
            f", last moved {self._time(letter.changed_at)}" if letter.changed_at else ""
        )
        for reason in letter.reasons:
            yield f"  because: {self._reason(reason)}"

    def _reason(self, reason: Reason) -> str:
        about = f"{reason.alert}, " if reason.alert else ""
        clause = clause_of_rule(reason.rule, self._procedure)
        return f"{about}rule {reason.rule}, due {_day(reason.due)}" + (
            f" (clause {clause})" if clause else ""
        )

    # ------------------------------------------------------------ an alert

    def _alert(self, alert: Alert) -> Iterator[str]:
        procedure, calendar = self._procedure, self._calendar
        form = procedure.form_types.get(alert.form, alert.form or "no form")
        yield f"{alert.reference}: {status_of(alert, self._now, procedure, calendar)} (form: {form})"
        yield f"  received     {self._time(alert.received_at)}"
        yield f"  last news    {self._time(alert.last_news_at)}"
        if not (alert.concluded or alert.not_an_alert):
            following = next_step(alert, self._now, procedure, self._people, calendar)
            yield f"  next step    {following} (clause {procedure.chasing.clause})"
        for clock in deadlines_of(alert, procedure, calendar):
            yield f"  clock        {self._clock(clock, calendar)}"
        for code in alert.findings:
            yield f"  finding      {code} (clause {clause_of(code, procedure)})"
        for asked in self._ledger.questions():
            if alert.reference in asked.question.candidates:
                yield f"  question     {asked.number}: {asked.question.why}"
        for letter in self._ledger.letters():
            for reason in letter.reasons:
                if reason.alert == alert.reference:
                    state = letter.state.value.replace("_", " ")
                    yield f"  letter       {letter.key[:SHORT_KEY]} {state}: {self._reason(reason)}"
        for entry in self._ledger.entries(alert.reference):
            yield f"  happened     {self._time(entry.at)}: {entry.happened.replace('_', ' ')}"

    def _clock(self, clock: Clock, calendar: Calendar) -> str:
        over = "ended" if clock.ended else "passed" if clock.passed(self._now, calendar) else "running"
        since = f"since {clock.since.replace('_', ' ')} {self._moment(clock.start)}"
        return f"{clock.name}: {self._moment(clock.due)}, {over}, {since} (clause {clock.clause})"

    def _moment(self, at: Moment | None) -> str:
        if at is None:
            return "not known"
        return self._time(at) if isinstance(at, datetime) else _day(at)

    def _time(self, at: datetime) -> str:
        local = self._calendar.local(at)
        return f"{_day(local.date())} {local:%H:%M}"


def clause_of_rule(rule: str, procedure: Procedure) -> str:
    """The clause that a letter's rule implements; "" where the procedure asks for no such letter."""
    kind, _, rest = rule.partition(":")
    if kind.startswith("chase-"):
        return procedure.chasing.clause
    if kind == "note":
        return next((one.clause for one in procedure.notes if rest.startswith(f"{one.about}:")), "")
    return next((one.clause for one in procedure.clocks if one.clock == clock_told(rule)), "")


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"
