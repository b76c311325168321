"""One desk, ready to work: its rules, its people, and its rooms as their promises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.forms.definition import FormDefinition
from agent.forms.read import read
from agent.ledger.base import DeskLedger
from agent.letters.writer import Writer
from agent.mailbox.base import Mailbox
from agent.procedure.alert import Alert
from agent.procedure.people import People
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.rules import Category, Procedure
from agent.procedure.words import Place
from agent.procedure.working_days import Calendar
from agent.register.base import Register
from agent.settings import AgentSettings, DeskSettings

ReadDocument = Callable[[bytes, str, Sequence[FormDefinition], Sequence[Category]], Reading | Unreadable]


@dataclass(frozen=True)
class Desk:
    """What the five steps work with. `stop` is set when the agent is being stopped.

    `restricted` is the register of matters about members of staff, where the desk keeps them apart.
    `read` reads one document: walled off in a process of its own, or right here. `settled` says of a
    workbook, by its place, at which version and in which circumstances there was nothing to write; `rows`
    are those of the register as made last, each with its alert and with whatever else it was made of.
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
    settled: dict[str, tuple[str, object]] = field(default_factory=dict, compare=False, repr=False)
    rows: dict[str, tuple[Alert, object, Mapping[str, str]]] = field(
        default_factory=dict, compare=False, repr=False
    )

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
