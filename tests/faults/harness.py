"""A short story told again and again, each time with the agent killed at another point.

A point is the moment before or after one request or one commit. At the chosen point `Killed` goes through
the agent, and from then on it can neither ask nor commit anything, in any of its threads: what it had in
memory is lost, as when its process dies. Another agent then starts on the same ledger and the same
Microsoft 365, repeats the round at the same simulated moment, and goes on to the end of the story.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from unittest.mock import patch

from agent.bootstrap import Agent, Watch, at_work
from agent.desk import Desk
from agent.forms.read import read
from agent.intake import reconcile
from agent.ledger.base import DeskLedger
from agent.ledger.sql import SqlLedger
from agent.letters.writer import Writer
from agent.procedure.rules import Urgent
from agent.register.new_workbook import NewWorkbook
from agent.sandbox import stage
from agent.sandbox.server import Sandbox
from agent.sandbox.stage import Stage, connected, desk_of, type_into
from agent.sandbox.story import Event, MailArrives, Story, load_story
from agent.sandbox.story_mail import Paper, mime_of
from agent.settings import DeskSettings, Settings
from agent.steps import Outcome, run_all, run_step
from tests.builders import at, settings
from tests.faults.standing import Standing, differences, standing

DESK = "nct"


@dataclass(frozen=True)
class Round:
    """One round of the agent at one moment; at night it also lists the whole inbox."""

    moment: datetime
    nightly: bool = False


A_WEEK = 7 * 24 * 60  # minutes: nobody is told here that register or mailbox stood still all morning
BEFORE_ALL = at("2026-04-20 06:00")

# A quarter of an hour after letters went out the agent comes again: a send whose answer was lost is left
# some minutes to show up before anything is done about it.
ROUNDS = (
    Round(at("2026-04-20 07:30")),
    Round(at("2026-04-20 10:00")),
    Round(at("2026-04-20 10:15")),
    Round(at("2026-04-22 10:00")),
    Round(at("2026-04-22 10:15"), nightly=True),
    Round(at("2026-04-22 12:00")),
)


def nobody(when: str, what: str, detail: str) -> None:
    """A watch for an agent that nobody means to kill."""


class Killed(BaseException):
    """The process ends here; no `except Exception` may hold that up."""


@dataclass(frozen=True)
class Point:
    """The `nth` time that something happened in round `number` of a telling."""

    number: int
    when: str
    what: str
    detail: str
    nth: int

    def __str__(self) -> str:
        path = re.sub(r"[^/]{30,}", lambda found: f"…{found[0][-8:]}", self.detail.removeprefix("/v1.0"))
        return f"round {self.number}: {self.when} {self.what} {path} ({self.nth})"


class Witness:
    """Sees every point that an agent passes, and ends the agent at `kill`."""

    def __init__(self, kill: Point | None = None, number: int = 0) -> None:
        self.kill = kill
        self.number = number
        self.passed: list[Point] = []
        self.dead = False
        self._times: Counter[tuple[int, str, str, str]] = Counter()
        self._lock = threading.Lock()

    def __call__(self, when: str, what: str, detail: str) -> None:
        with self._lock:
            if not self.dead:
                point = self._point(when, what, re.sub(r"^/download/.*", "/download/(a ticket)", detail))
                self.passed.append(point)
                self.dead = point == self.kill
            if self.dead:
                raise Killed

    def _point(self, when: str, what: str, detail: str) -> Point:
        seen = (self.number, when, what, detail)
        self._times[seen] += 1
        return Point(*seen, nth=self._times[seen])


@dataclass(frozen=True)
class Told:
    """How everything stood when the story was over, what was met on the way, and how often it was cut off."""

    stands: Standing
    points: tuple[Point, ...]
    troubles: tuple[Outcome, ...]
    killed: int


def tell(*kills: Point, late_copies: bool = False) -> Told:
    """Tell the whole story once. The first agent is killed at the first of `kills`, the next one at the next.

    With `late_copies` a letter that went out lies in Drafts for five minutes more, and only then in Sent
    Items: all the while Microsoft 365 looks as if it had never gone.
    """
    passed: list[Point] = []
    killed = since = 0
    with world() as here:
        if late_copies:
            habits = here.stage.sandbox.tenant.habits
            habits.sent_copy_after, habits.draft_lingers = 300.0, True
        for kill in (*kills, None):
            witness = Witness(kill, since)
            survived = live(here, witness, since)
            passed += witness.passed
            if survived:
                break
            killed, since = killed + 1, witness.number
        with here.ledger() as ledger:
            stands = standing(here.stage, ledger)
    return Told(stands, tuple(passed), tuple(here.troubles), killed)


@cache
def undisturbed(*, late_copies: bool = False) -> Told:
    return tell(late_copies=late_copies)


def ended_wrongly(
    wanted: Callable[[Point], bool], *, part: int = 0, parts: int = 1, late_copies: bool = False
) -> dict[str, list[str]]:
    """Kill the agent at each point that is `wanted` and in this part of them; gives, for each point after
    which not everything stood as in the undisturbed telling, what did not."""
    usual = undisturbed(late_copies=late_copies)
    points = [point for point in usual.points if wanted(point)][part::parts]
    if not points:
        raise ValueError(f"Part {part} of {parts} holds no point: make fewer parts.")
    found = {str(point): _wrong(point, usual, late_copies) for point in points}
    return {point: wrong for point, wrong in found.items() if wrong}


def _wrong(point: Point, usual: Told, late_copies: bool) -> list[str]:
    try:
        told = tell(point, late_copies=late_copies)
    except ValueError as stuck:  # such as an answer to a letter that was never sent
        return [f"the story cannot go on: {stuck}"]
    if not told.killed:
        return ["this point was not reached again"]
    met = [f"{trouble.step}: {trouble.trouble}" for trouble in told.troubles]
    return met + differences(told.stands, usual.stands)


@dataclass
class World:
    """Everything that outlives an agent: Microsoft 365, the people, and the ledger's file."""

    stage: Stage
    told: Settings
    troubles: list[Outcome] = field(default_factory=list)
    happened: int = 0

    @contextmanager
    def ledger(self) -> Iterator[DeskLedger]:
        ledger = SqlLedger(self.told.ledger_url)
        try:
            yield ledger.desk(DESK)
        finally:
            ledger.close()

    @contextmanager
    def agent(self, watch: Watch) -> Iterator[Desk]:
        """An agent that has just been started, at its desk. It reads documents itself, in this process."""
        with self.process(watch) as (_, desk):
            yield desk

    @contextmanager
    def process(self, watch: Watch) -> Iterator[tuple[Agent, Desk]]:
        """The same, with the agent that may hold the desk."""
        with at_work(self.told, clock=self.stage.sandbox.tenant.clock.now, watch=watch) as agent:
            desk = agent.desks[0]
            yield agent, replace(desk, read=read, writer=_writer(self.told, desk.settings))

    def pass_time(self, until: datetime, desk: Desk) -> None:
        """Let happen what the story has for the time up to now."""
        clock = self.stage.sandbox.tenant.clock
        for event in self.stage.story.events[self.happened :]:
            if event.at > until:
                break
            clock.set(event.at)
            self._happen(event, desk)
            self.happened += 1
        clock.set(until)

    def _happen(self, event: Event, desk: Desk) -> None:
        if isinstance(event, MailArrives):
            self.stage.sandbox.tenant.deliver(_mime(event.label), [self.stage.story.desk.mailbox])
        else:
            alerts = desk.ledger.alerts().values()
            opened_by = {mail: alert.reference for alert in alerts for mail in alert.mails}
            self.stage.happen(event, opened_by.get)


@contextmanager
def world(start: datetime = BEFORE_ALL) -> Iterator[World]:
    """A fresh Microsoft 365 over HTTPS, its clock at `start`, and a ledger in which nothing stands."""
    story, shipped = short_story(), _with_few_letters(settings())
    desk = desk_of(story, shipped.desks[DESK])
    register = replace(desk.register, tell_after_minutes=A_WEEK)
    desk = replace(desk, register=register, mailbox_tell_after_minutes=A_WEEK)
    with (
        tempfile.TemporaryDirectory(prefix="n2k-faults-", dir=_fast_place()) as folder,
        Sandbox(
            start=start,
            domains=(story.desk.domain,),
            throttle=False,
            work_dir=Path(folder),
        ) as sandbox,
        patch.object(NewWorkbook, "content", _new_workbook),
        patch.object(stage, "type_into", _type_into),
    ):
        here = Stage(story, shipped, desk, sandbox)
        told = connected(shipped, sandbox, Path(folder), desk)
        secret = Path(folder) / "secret"
        secret.write_text(sandbox.client_secret)
        # a secret is read faster than a certificate, which other tests sign in with
        tenant = replace(told.agent.tenant, certificate="", secret_from=f"file:{secret}")
        (Path(folder) / "ledger.sqlite").write_bytes(_empty_ledger())
        yield World(here, replace(told, agent=replace(told.agent, tenant=tenant)))


def _with_few_letters(shipped: Settings) -> Settings:
    """Only chases and digests are written: all letters go the same way, and every point on it is visited."""
    name = shipped.desks[DESK].procedure
    rules = shipped.procedures[name]
    quiet = replace(
        rules,
        urgent=Urgent(),
        letters=replace(rules.letters, receipt_hours=0),
        clocks=tuple(replace(clock, reminder=None) for clock in rules.clocks),
    )
    return replace(shipped, procedures={**shipped.procedures, name: quiet})


def live(here: World, witness: Witness, since: int = 0) -> bool:
    """Let an agent make its rounds from number `since` on; False when it was killed on the way."""
    try:
        with here.agent(witness) as desk:
            for number, made in list(enumerate(ROUNDS))[since:]:
                witness.number = number
                here.pass_time(made.moment, desk)
                if made.nightly:
                    here.troubles += _trouble([run_step("reconcile", desk, made.moment, reconcile)])
                here.troubles += _trouble(run_all(desk, made.moment))
    except Killed:
        return False
    return True


def _trouble(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.trouble]


# What is the same in every telling is made once: it is not what these tests are about.


@cache
def short_story() -> Story:
    return load_story(Path(__file__).parent / "two_days")


@cache
def _mime(label: str) -> bytes:
    shipped = settings()
    paper = Paper(shipped.forms, shipped.procedures[shipped.desks[DESK].procedure].categories)
    return mime_of(next(mail for mail in short_story().mails if mail.label == label), paper)


@cache
def _empty_ledger() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        SqlLedger(f"sqlite:///{path}").close()
        return path.read_bytes()


_writers: dict[str, Writer] = {}


def _writer(told: Settings, desk: DeskSettings) -> Writer:
    if desk.mailbox not in _writers:
        _writers[desk.mailbox] = Writer(told.templates_of(desk), told.procedure_of(desk), desk.mailbox)
    return _writers[desk.mailbox]


_new_workbook = cache(NewWorkbook.content)


@cache
def _typed(workbook: bytes, reference: str, cells: tuple[tuple[str, str], ...]) -> bytes:
    return type_into(workbook, reference, dict(cells))


def _type_into(
    workbook: bytes, reference: str, cells: Mapping[str, str], *, new_column: bool = False
) -> bytes:
    return _typed(workbook, reference, tuple(cells.items()))


def _fast_place() -> str | None:
    """A disk in memory, where there is one: what is tested is the order of things, not the disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
