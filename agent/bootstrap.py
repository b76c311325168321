"""Configuration in, ready desks out: the only module that meets every adapter and looks at the clock."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.desk import Desk, ReadDocument
from agent.errors import AgentError
from agent.forms.worker import Reader
from agent.ledger.base import REGISTER, Ledger
from agent.ledger_at_hand import open_ledger
from agent.letters.writer import Writer
from agent.m365.graph import Graph, open_graph
from agent.mailbox.outlook import OutlookMailbox
from agent.procedure.kept import Written
from agent.register.base import Register
from agent.register.bookbinder import Bookbinder
from agent.register.local_file import LocalFile
from agent.register.sharepoint_file import SharePointFile
from agent.register.sharepoint_place import SharePointPlace
from agent.register.sharepoint_workbook import SharePointWorkbook
from agent.register_content import RESTRICTED
from agent.settings import DeskSettings, RegisterPlace, RestrictedPlace, Settings

ONCE_SECONDS = 600.0  # a single round that was killed holds its desk no longer than this

Clock = Callable[[], datetime]
Watch = Callable[[str, str, str], None]


@dataclass(frozen=True)
class Agent:
    """Everything at work: the desks, the ledger they share, and what tells them to stop."""

    settings: Settings
    desks: tuple[Desk, ...]
    ledger: Ledger
    clock: Clock
    stop: threading.Event


def wall_clock() -> datetime:
    return datetime.now(UTC)


@contextmanager
def at_work(settings: Settings, *, clock: Clock = wall_clock, watch: Watch | None = None) -> Iterator[Agent]:
    """An agent made of `settings`, closed again at the end.

    `watch(when, what, detail)` is told before and after each request and each commit; a fault harness
    uses it to end the agent at any of these points.
    """
    stop = threading.Event()
    with (
        closing(open_ledger(settings, watch)) as ledger,
        closing(open_graph(settings.agent.tenant, stop, watch=watch)) as graph,
        closing(Reader()) as reader,
    ):
        desks = tuple(
            _desk(settings, desk, graph, ledger, reader.read, stop) for desk in settings.desks.values()
        )
        yield Agent(settings, desks, ledger, clock, stop)


@contextmanager
def held(agent: Agent, desk: str) -> Iterator[bool]:
    """Hold a desk for as long as the block lasts, however long that is; False when another agent has it."""
    owner = an_owner()
    if not agent.ledger.claim(desk, owner, ONCE_SECONDS):
        yield False
        return
    done = threading.Event()
    keeper = threading.Thread(target=_keep_hold, args=(agent, desk, owner, done), daemon=True)
    keeper.start()
    try:
        yield True
    finally:
        done.set()
        keeper.join()
        agent.ledger.release(desk, owner)


def _keep_hold(agent: Agent, desk: str, owner: str, done: threading.Event) -> None:
    while not done.wait(ONCE_SECONDS / 4):
        with suppress(AgentError):  # tried again, long before the hold runs out
            agent.ledger.claim(desk, owner, ONCE_SECONDS)


def an_owner() -> str:
    """A name for this agent among others that may want the same desk."""
    return f"{socket.gethostname()}:{uuid.uuid4().hex[:8]}"


def _desk(
    settings: Settings,
    desk: DeskSettings,
    graph: Graph,
    ledger: Ledger,
    read: ReadDocument,
    stop: threading.Event,
) -> Desk:
    procedure, apart = settings.procedure_of(desk), desk.register.restricted
    kept = ledger.desk(desk.name).kept().written
    return Desk(
        settings=desk,
        agent=settings.agent,
        procedure=procedure,
        forms=settings.forms_of(procedure),
        calendar=settings.calendar_of(desk),
        people=desk.roster,
        mailbox=OutlookMailbox(graph, desk.mailbox),
        ledger=ledger.desk(desk.name),
        register=_register(settings, desk, graph, desk.register, desk.name, kept.get(REGISTER)),
        restricted=(
            _register(settings, desk, graph, apart, f"{desk.name} restricted", kept.get(RESTRICTED))
            if apart
            else None
        ),
        writer=Writer(settings.templates_of(desk), procedure, desk.mailbox),
        stop=stop,
        read=read,
    )


def _register(
    settings: Settings,
    desk: DeskSettings,
    graph: Graph,
    told: RegisterPlace | RestrictedPlace,
    whose: str,
    last: Written | None,
) -> Register:
    """A workbook of the desk; it carries the name `whose`, so that none is taken for another. The one that
    was written `last` in the same place is found by its item."""
    binder, kind = Bookbinder(settings.procedure_of(desk), whose), desk.register.kind
    if kind == "file":
        return LocalFile(settings.folder.resolve() / Path(told.path).expanduser(), binder)
    place = SharePointPlace(graph, told.site, told.path)
    if last is not None and last.place == place.kept_as["place"]:
        place.item_id = last.item
    if kind == "sharepoint_workbook":
        return SharePointWorkbook(place, binder)
    return SharePointFile(place, binder)
