"""The short story told through bad weather, another one for each seed: it ends as on a fine day.

    python -m tests.faults.fault_campaign --seeds 100 --first 1

In each round one or two agents meet whatever the dice choose: a network that is cut, slow or half open, web
pages of proxies, throttling, errors before and after a request was carried out, lost cursors, a workbook
that somebody saves or has open, tokens revoked, clocks that jump, a ledger that is locked or whose disk is
full, death at any request or commit, a second agent started beside, and a machine that falls asleep and
loses its desk to another. Then the weather clears, and an agent comes at the same moment and a quarter of an
hour later. Prints what was met, and ends with status 1 when anything was lost, doubled, sent to somebody
else, or stands otherwise than on a fine day: in the ledger, the register or any mailbox; or when something
of all this was never met, as with a few seeds.

Clocks jump within the hours in which the same is due: else the agent would rightly do something else.
"""

from __future__ import annotations

import argparse
import logging
import random
import re
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from unittest.mock import patch

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from agent import log
from agent.bootstrap import Watch, held
from agent.errors import AgentError
from agent.intake import reconcile
from agent.ledger import database
from agent.ledger.base import DeskLedger
from agent.m365 import session
from agent.procedure.words import Happened
from agent.steps import run_all, run_step
from tests.builders import at
from tests.faults.harness import DESK, ROUNDS, Killed, Round, World, nobody, world
from tests.faults.office import REGISTER
from tests.faults.standing import Standing, differences, standing, unmarked
from tests.faults.weather import Mishap, Weather

# what people typed is read before letters about it are due, even if the register cannot be read just then
AFTER_TYPING = Round(at("2026-04-20 12:15"))
LATER = timedelta(minutes=15)  # after which what was in doubt has shown up
GIVES_UP = (10.0, 0.5)  # seconds that an agent waits for an answer where none may come
PATIENCE = 0.2  # seconds that it waits for the ledger
AT_MOST = 3  # things that the weather of one agent threatens
DIES, COMES = 15, 30  # in a thousand requests or commits, where the weather has it
LARGEST = 1_073_741_823  # pages of a ledger, as SQLite has it by itself
DIGEST = re.compile(r"(weekly digest - week of .*? - Urgent and Confidential).*", re.DOTALL)
A_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(\+\d\d:\d\d)?")

THROTTLED: Mapping[str, object] = {"status": 429, "retry_after": 20}
ON_THE_WAY: Mapping[str, Mishap] = {
    "connection cut before": Mishap(80, ({"drop": True},)),
    "connection cut after": Mishap(80, ({"drop": True, "when": "after"},)),
    "slow": Mishap(150, ({"delay": 0.05},)),
    "half open before": Mishap(30, ({"hang": True},)),
    "half open after": Mishap(30, ({"hang": True, "when": "after"},)),
    "a proxy's page before": Mishap(80, ({"web_page": True},)),
    "a proxy's page after": Mishap(80, ({"web_page": True, "when": "after"},)),
    "429 with Retry-After": Mishap(100, (THROTTLED,)),
    "storm of 429 with Retry-After": Mishap(600, (THROTTLED,)),
    "503 with Retry-After": Mishap(100, ({"status": 503, "retry_after": 5},)),
    "500 before": Mishap(80, ({"status": 500},)),
    "502 after": Mishap(80, ({"status": 502, "when": "after"},)),
    "504 before": Mishap(80, ({"status": 504},)),
    "504 after": Mishap(80, ({"status": 504, "when": "after"},)),
    "letter sent, and 504": Mishap(700, ({"status": 504, "when": "after"},), asked="POST .*/send"),
}
WORKBOOK_OPEN, BACK, FORWARD = "workbook open in Excel (423)", "clock jumps back", "clock jumps forward"
KILLED, JOINED, ASLEEP = "killed", "a second agent started beside", "asleep, and the desk lost"
FULL, LOCKED = "disk full", "ledger locked"
FORGOTTEN, SAVED, REVOKED = "cursor forgotten (410)", "saved by somebody (412)", "token revoked (401)"
BESIDES = (FORGOTTEN, SAVED, REVOKED, FULL, LOCKED, WORKBOOK_OPEN, BACK, FORWARD, KILLED, JOINED, ASLEEP)
KINDS = (*ON_THE_WAY, *BESIDES)


@dataclass(frozen=True)
class Told:
    """How one telling ended: what there is of mails, alerts and letters, and everything else as it stands."""

    things: Mapping[str, Counter[tuple[str, ...]]]
    outside: int
    stands: Standing
    troubles: tuple[str, ...]
    met: Counter[str]


def tell(seed: int | None, *threatens: str) -> Told:
    """Tell the story once, in the weather of this seed, with only so much in it if anything is named.
    Without a seed it is fine all the time."""
    with patch.object(database, "PATIENCE", PATIENCE), world() as here:
        return _Telling(here, seed, threatens).told()


@cache
def on_a_fine_day() -> Told:
    return tell(None)


class _Telling:
    """The story told once."""

    def __init__(self, here: World, seed: int | None, threatens: Sequence[str]) -> None:
        self.here, self.is_fine = here, seed is None
        self.tenant, self.drive = here.stage.sandbox.tenant, here.stage.drive
        self.dice = random.Random(seed)
        self.weather = self.tenant.faults = Weather(self.dice)
        self.met = self.weather.met
        self.ledger = _Nuisance(here, self.dice, self.met)
        self.on_the_way = {
            **ON_THE_WAY,
            FORGOTTEN: Mishap(700, asked="GET .*/delta", happens=self._cursors_are_forgotten),
            SAVED: Mishap(700, asked="PUT .*/items/.*", happens=self._somebody_saves),
            REVOKED: Mishap(60, asked=r"\w+ /v1\.0/.*", happens=self._tokens_are_revoked),
            FULL: Mishap(150, happens=self.ledger.disk_fills),
            LOCKED: Mishap(150, happens=self.ledger.is_locked),
        }
        self.threatens = threatens or KINDS

    def told(self) -> Told:
        troubles: list[str] = []
        for made in sorted((*ROUNDS, AFTER_TYPING), key=lambda one: one.moment):
            with self.here.agent(nobody) as desk:
                self.here.pass_time(made.moment, desk)
            for _ in range(0 if self.is_fine else self.dice.choice((1, 1, 2))):
                self._live(made, self._chosen())
            troubles += self._live(made, set())
            self.tenant.clock.set(made.moment + LATER)
            troubles += self._live(Round(made.moment + LATER), set())
        with self.here.ledger() as ledger:
            stands = {
                part: [_by_day(line) for line in lines]
                for part, lines in standing(self.here.stage, ledger).items()
            }
            for part in ("lines", "mailboxes"):  # what comes first may differ where a step failed
                stands[part].sort()
            return Told(
                _things(self.here, ledger), len(self.tenant.outside), stands, tuple(troubles), self.met
            )

    def _chosen(self) -> set[str]:
        return set(self.dice.sample(self.threatens, self.dice.randint(1, min(AT_MOST, len(self.threatens)))))

    # One agent, from its start to its end

    def _live(self, made: Round, threatens: set[str]) -> list[str]:
        """An agent makes this round while so much threatens; gives the troubles it met."""
        now = made.moment + self._jump(made.moment, threatens)
        try:
            with (
                self._weather(threatens),
                self.here.process(self._fate(threatens)) as (agent, desk),
                held(agent, DESK) as ours,
                patch.object(desk.stop, "wait", self._time_passes),
            ):
                outcomes = [run_step("reconcile", desk, now, reconcile)] if made.nightly else []
                outcomes += run_all(desk, now) if ours else []
        except Killed:
            self.met[KILLED] += 1
            return []
        except AgentError as trouble:  # it could not even start, or say that it leaves
            return [str(trouble)]
        return [f"{one.step}: {one.trouble}" for one in outcomes if one.trouble]

    @contextmanager
    def _weather(self, threatens: set[str]) -> Iterator[None]:
        """What lasts as long as the agent lives. Whoever died holds the desk no longer."""
        hangs = any(name.startswith("half open") for name in threatens)
        opened = WORKBOOK_OPEN in threatens and self.drive.find(REGISTER) is not None
        self.weather.threatens = {  # in this order, as a set has another in each process
            name: mishap for name, mishap in self.on_the_way.items() if name in threatens
        }
        if opened:
            self.drive.open_by_person(REGISTER, "Cas Penhale")
            self.met[WORKBOOK_OPEN] += 1
        try:
            with self.ledger, patch.object(session, "TIMEOUT", GIVES_UP if hangs else session.TIMEOUT):
                yield
        finally:
            self.weather.threatens = {}
            if opened:
                self.drive.close_by_person(REGISTER)
            self.ledger.let_hold_run_out()

    def _jump(self, moment: datetime, threatens: set[str]) -> timedelta:
        """How wrong this agent's clock is."""
        if BACK in threatens:
            self.met[BACK] += 1
            return -timedelta(minutes=self.dice.randint(5, 180))
        if FORWARD in threatens:
            self.met[FORWARD] += 1
            soon_due = moment == ROUNDS[0].moment  # the digest is
            return timedelta(minutes=self.dice.randint(5, 20 if soon_due else 120))
        return timedelta()

    def _fate(self, threatens: set[str]) -> Watch:
        """Ends this agent, or lets another one come, before or after some request or commit of its."""
        dead = False
        others = [name for name in (JOINED, ASLEEP) if name in threatens]

        def watch(when: str, what: str, detail: str) -> None:
            nonlocal dead
            dead = dead or (KILLED in threatens and self.dice.randrange(1000) < DIES)
            if dead:
                raise Killed
            if others and what != "commit" and self.dice.randrange(1000) < COMES:
                self._another_comes(others.pop())

        return watch

    def _another_comes(self, why: str) -> None:
        """Another agent makes its round now, unless the first one's hold on the desk keeps it off."""
        if why == ASLEEP:
            self.ledger.let_hold_run_out()
        with (
            suppress(AgentError),
            self.here.process(nobody) as (agent, desk),
            held(agent, DESK) as ours,
            patch.object(desk.stop, "wait", self._time_passes),
        ):
            self.met[why] += ours == (why == ASLEEP)
            if ours:
                run_all(desk, self.tenant.clock.now())

    def _time_passes(self, seconds: float) -> bool:
        """Nobody waits in a simulation."""
        self.tenant.clock.advance(timedelta(seconds=seconds))
        return False

    # What happens meanwhile

    def _cursors_are_forgotten(self) -> bool:
        self.tenant.evict_delta_tokens()
        return True

    def _tokens_are_revoked(self) -> bool:
        self.tenant.revoke_tokens()
        return True

    def _somebody_saves(self) -> bool:
        """Without having changed anything."""
        if self.drive.find(REGISTER) is None:
            return False
        self.drive.person_saves(REGISTER, self.drive.content(REGISTER), "Cas Penhale")
        return True


class _Nuisance:
    """Whatever else uses the ledger's disk. As a context manager it stops at the end of the block.

    Counted is what the agent met of it.
    """

    def __init__(self, here: World, dice: random.Random, met: Counter[str]) -> None:
        self.file = str(here.told.ledger_file)
        self.dice, self.met = dice, met
        self.full_for = 0  # transactions
        self.locks: sqlite3.Connection | None = None

    def disk_fills(self) -> bool:
        """For some transactions the file cannot grow."""
        self.full_for = self.full_for or self.dice.randint(1, 10)
        return False

    def is_locked(self) -> bool:
        """Another program writes to the ledger, or ends to do so."""
        if self.locks is not None:
            self._let_go()
            return False
        self.locks = sqlite3.connect(self.file, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self.locks.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:  # the agent is writing itself
            self._let_go()
        return False

    def let_hold_run_out(self) -> None:
        with closing(sqlite3.connect(self.file)) as file, file:
            file.execute("DELETE FROM desk_claim")

    def __enter__(self) -> None:
        event.listen(Engine, "begin", self._begins)
        event.listen(Engine, "handle_error", self._failed)

    def __exit__(self, *how: object) -> None:
        event.remove(Engine, "begin", self._begins)
        event.remove(Engine, "handle_error", self._failed)
        self.full_for = 0
        self._let_go()

    def _begins(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {1 if self.full_for else LARGEST}")
        self.full_for = max(self.full_for - 1, 0)

    def _failed(self, context: ExceptionContext) -> None:
        name = getattr(context.original_exception, "sqlite_errorname", "")
        self.met[FULL] += name == "SQLITE_FULL"
        self.met[LOCKED] += name == "SQLITE_BUSY"

    def _let_go(self) -> None:
        if self.locks is not None:
            self.locks.close()
            self.locks = None


# What came of it


def _things(here: World, ledger: DeskLedger) -> dict[str, Counter[tuple[str, ...]]]:
    """Mails dealt with, alerts opened and letters delivered, each with how often."""
    tenant = here.stage.sandbox.tenant
    return {
        "mails": Counter((str(mail.message_id),) for mail in ledger.mails()),
        "alerts": Counter((one.source,) for one in ledger.entries() if one.happened is Happened.OPENED),
        "letters": Counter(
            (_by_day(f"{message.subject} {unmarked(message.body)}"), box.address)
            for box in tenant.mailboxes.values()
            for message in box.messages("inbox")
            if box is not here.stage.box
        ),
    }


def _by_day(told: str) -> str:
    """Without hours; and a digest without its text, which tells what was known when it was written."""
    return A_TIME.sub(r"\1", DIGEST.sub(r"\1", told))


def wrong_with(told: Told, usual: Told) -> dict[str, list[str]]:
    """What was lost, doubled, or sent to somebody else, and whatever else is not as on a fine day."""
    wrong: dict[str, list[str]] = {"lost": [], "doubled": [], "to somebody else": [], "otherwise": []}
    for kind, should in usual.things.items():
        known = {one[0] for one in should}
        wrong["lost"] += [f"{kind}: {one}" for one in (should - told.things[kind]).elements()]
        for one in (told.things[kind] - should).elements():
            what = "doubled" if one in should else "to somebody else" if one[0] in known else "otherwise"
            wrong[what].append(f"{kind}: {one}")
    wrong["to somebody else"] += ["outside"] * (told.outside - usual.outside)
    wrong["otherwise"] += [*told.troubles, *differences(told.stands, usual.stands)]
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    asked = parser.parse_args()
    log.set_up(level=logging.CRITICAL)
    began, met, figures = time.monotonic(), Counter[str](), Counter[str]()
    for seed in range(asked.first, asked.first + asked.seeds):
        told = tell(seed)
        met += told.met
        for what, found in wrong_with(told, on_a_fine_day()).items():
            figures[what] += len(found)
            for one in found:
                print(f"seed {seed}: {what}: {one[:300]}", flush=True)
    spent = time.monotonic() - began
    print(f"{asked.seeds} seeds from {asked.first}, {sum(met.values())} mishaps, {spent:.0f} s")
    for name, times in (+met).most_common():
        print(f"  {times:>6}  {name}")
    never = [kind for kind in KINDS if not met[kind]]
    print(", ".join(f"{what} {number}" for what, number in figures.items()))
    print(f"never met: {', '.join(never) or 'nothing'}")
    return int(any(figures.values()) or bool(never))


if __name__ == "__main__":
    sys.exit(main())
