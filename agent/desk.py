"""One desk, ready to work: its rules, its people, and its rooms as their promises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from agent.forms.definition import FormDefinition
from agent.forms.read import read
from agent.ledger.base import DeskLedger, SheetState
from agent.letters.writer import Writer
from agent.mailbox.base import Mailbox
from agent.procedure.alert import Alert
from agent.procedure.chase import ChaseDue
from agent.procedure.people import People
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.rules import Category, Procedure
from agent.procedure.words import Place
from agent.procedure.working_days import Calendar
from agent.register.base import Register
from agent.remembered import Remembered
from agent.settings import AgentSettings, DeskSettings

Row = Mapping[str, str]  # its cells by heading
ReadDocument = Callable[[bytes, str, Sequence[FormDefinition], Sequence[Category]], Reading | Unreadable]


@dataclass(frozen=True)
class Settled:
    """A workbook in which stood all that was to stand there: what the ledger knew of it then, how far the
    record was (its `mark`), under which rules, and the rows that were to stand in it."""

    known: SheetState
    mark: str
    rules: object
    rows: Mapping[str, Row] = field(repr=False)


class MadeRow(NamedTuple):
    """A row as made last, of which alert, with which link to its mail, and whether with little in it."""

    alert: Alert
    link: str
    reduced: bool
    row: Row


class MadeRows(NamedTuple):
    """The rows of a workbook as made last, by reference, under which rules and on which day."""

    rules: object
    day: date
    rows: Mapping[str, MadeRow]


@dataclass(frozen=True)
class Desk:
    """What the five steps work with. `stop` is set when the agent is being stopped.

    `restricted` is the register of matters about members of staff, where the desk keeps them apart.
    `read` reads one document: walled off in a process of its own, or right here. `settled` and `rows` are
    kept from one round to the next, by the place of a workbook, so that a round costs what changed: without
    them all is worked out again.
    `chases` and `reminded` are what was found of the open alerts in the last round: the chases that are due,
    and whether there is a clock to remind of.
    """

    settings: DeskSettings
    agent: AgentSettings
    procedure: Procedure
    forms: Sequence[FormDefinition]
    calendar: Calendar
    people: People
    mailbox: Mailbox
    ledger: DeskLedger
    register: Register
    restricted: Register | None = field(default=None, kw_only=True)
    writer: Writer
    stop: threading.Event
    read: ReadDocument = read
    settled: dict[str, Settled] = field(default_factory=dict, compare=False, repr=False)
    rows: dict[str, MadeRows] = field(default_factory=dict, compare=False, repr=False)
    chases: Remembered[tuple[ChaseDue, ...]] = field(default_factory=Remembered, compare=False, repr=False)
    reminded: Remembered[bool] = field(default_factory=Remembered, compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def addressees(self) -> People:
        """The desk's people for writing to them: it is known where no letter arrives."""
        return replace(self.people, unreached=self.ledger.unreached())

    def folder(self, place: Place) -> tuple[str, ...]:
        """The path of the mailbox folder that stands for `place`."""
        return self.settings.folders[place]
