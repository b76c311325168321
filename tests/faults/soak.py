"""Months of a busy inbox in simulated time: nothing is lost, and neither memory nor time grows.

    python -m tests.faults.soak --months 12 --alerts 3000 --mails 20000

The agent works in a process of its own, so that what is measured is nobody else's. Every few weeks it is
ended and another one started, every other time by SIGKILL in the middle of a round. Prints a line for each
month as it ends, and at last what is wrong: with status 1 when a mail is not accounted for, or a letter was
lost or went out twice.

The columns: rounds made; MB of memory at the end, of the agent and of its readers together; processor time
of a round that finds nothing new (median, ms) and of all other rounds for each mail (ms, without the
readers'); requests of a round that finds nothing new (median) and of the others for each mail; and how many
KB of ledger there are for each mail so far.
"""

from __future__ import annotations

import argparse
import io
import logging
import multiprocessing
import random
import sys
import tempfile
import time as real_time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import openpyxl

from agent import log
from agent.audit import audit
from agent.bootstrap import Agent, at_work
from agent.configuration import load
from agent.intake import reconcile
from agent.ledger.base import LetterState
from agent.procedure.answer import Answer
from agent.procedure.mail import letter_marks_in
from agent.retention import retention
from agent.sandbox.serve import SITE_HOST, SITE_NAME, SITE_PATH, write_config
from agent.sandbox.server import Sandbox
from agent.steps import Outcome, run_all, run_step
from agent.verbs.pausing import resume
from tests.builders import INBOX, LONDON, settings
from tests.faults.busy_inbox import AUTHORS, address_of, arrivals, matters
from tests.faults.harness import DESK, short_story

BEGINS = date(2026, 3, 2)  # a Monday
NIGHTLY, MORNING, NOON, EVENING = time(3, 30), time(9), time(12, 30), time(17)
AGAIN = timedelta(minutes=2)  # after so long the agent comes again and finds nothing new
TYPE_ON = (1, 4)  # Tuesdays and Fridays people see to the register
REGISTER = "Need to Know.xlsx"
RESTART_AFTER = 45  # days


# The agent, in a process of its own


def _live(config: Path, orders: Connection) -> None:
    """Work at the desk as told, until told to stop."""
    log.set_up(level=logging.CRITICAL)
    with at_work(load(config)) as agent:
        for order, now in iter(orders.recv, None):
            orders.send(_ORDERS[order](agent, now))


def _round(agent: Agent, now: datetime) -> tuple[float, list[str]]:
    """The processor time that a round takes, in seconds, and its troubles."""
    began = real_time.process_time()
    troubles = run_all(agent.desks[0], now)
    return real_time.process_time() - began, _told(troubles)


def _night(agent: Agent, now: datetime) -> tuple[float, list[str]]:
    desk = agent.desks[0]
    found = [run_step("reconcile", desk, now, reconcile), run_step("retention", desk, now, retention)]
    spent, troubles = _round(agent, now)
    return spent, _told(found) + troubles


def _told(outcomes: list[Outcome]) -> list[str]:
    return [f"{one.step}: {one.trouble}" for one in outcomes if one.trouble]


def _let_letters_go(agent: Agent, now: datetime) -> bool:
    """Whether they rested, because there were too many at once: a person has looked, and lets them go."""
    rested = agent.desks[0].ledger.pause().since is not None
    return rested and bool(list(resume(agent.settings, now)))


def _figures(agent: Agent, now: datetime) -> Mapping[str, Any]:
    desk = agent.desks[0]
    mails, alerts = desk.ledger.mails(), desk.ledger.alerts()
    letters = desk.ledger.letters()
    return {
        "mails": len(mails),
        "unaccounted": len(desk.ledger.waiting()) + sum(not mail.filed for mail in mails),
        "outcomes": Counter(mail.outcome for mail in mails),
        "alerts": len(alerts),
        "open": sum(not (one.concluded or one.not_an_alert) for one in alerts.values()),
        "posted": sum(one.state is LetterState.POSTED for one in letters),
        "letters": Counter(f"{one.kind} {one.state}" for one in letters),
        "questions": len(desk.ledger.questions(waiting_only=False)),
        "amiss": [*audit(desk, now), *desk.ledger.verify()],
    }


_ORDERS = {"round": _round, "night": _night, "let letters go": _let_letters_go, "figures": _figures}


class AgentProcess:
    """One agent after the other, each from its start to its end."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._start()

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._orders, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_live, args=(self._config, theirs), daemon=False)
        self._process.start()
        theirs.close()

    def ordered(self, order: str, now: datetime) -> Any:
        self._orders.send((order, now))
        return self._orders.recv()

    def stop(self) -> None:
        self._orders.send(None)
        self._process.join()

    def killed_during(self, order: str, now: datetime, seconds: float) -> None:
        """Ended by the system so many seconds after it began."""
        self._orders.send((order, now))
        real_time.sleep(seconds)
        self._process.kill()
        self._process.join()

    def started_again(self) -> None:
        self._start()

    @property
    def megabytes(self) -> float:
        """Memory of the process and of those it started, of which it may be reading documents in some."""
        pids = [self._process.pid or 0]
        for pid in pids:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                pids += map(int, (thread / "children").read_text().split())
        return sum(_resident(pid) for pid in pids) / 1024


def _resident(pid: int) -> int:
    """In KB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


# The months


@dataclass
class Month:
    """What was measured in one month."""

    name: str
    mails: int = 0
    idle: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    idle_asked: list[int] = field(default_factory=list)
    busy_asked: int = 0
    megabytes: float = 0.0
    ledger_kb: float = 0.0
    workbook_kb: float = 0.0

    def __str__(self) -> str:
        mails = max(self.mails, 1)
        return (
            f"{self.name} {self.mails:>6} {len(self.idle) + len(self.busy):>6} {self.megabytes:>6.0f} "
            f"{self.idle_ms:>8.1f} {1000 * sum(self.busy) / mails:>8.1f} "
            f"{self.asked_when_idle:>6.0f} {self.busy_asked / mails:>6.1f} "
            f"{self.ledger_kb:>7.1f} {self.workbook_kb:>8.0f}"
        )

    @property
    def idle_ms(self) -> float:
        return 1000 * median(self.idle)

    @property
    def asked_when_idle(self) -> float:
        return median(self.idle_asked)


HEAD = "month    mails rounds     MB  idle ms  ms/mail  asked  /mail KB/mail workbook"


class Soak:
    """An inbox, the people around it, and the agents that look after it one after the other."""

    def __init__(
        self, sandbox: Sandbox, folder: Path, months: int, alerts: int, mails: int, seed: int
    ) -> None:
        self.dice = random.Random(seed)
        self.sandbox, self.tenant = sandbox, sandbox.tenant
        self.tenant.log.bodies = False
        self.days = _days(months)
        working = [day for day in self.days if day.weekday() < 5]
        self.matters = {one.child: one for one in matters(alerts, working, self.dice)}
        self.mails = arrivals(list(self.matters.values()), mails, working, self.dice)
        self.delivered = self.paused = self.killed = self.started = 0
        self.troubles: Counter[str] = Counter()
        self.months: list[Month] = []
        self.drive = self._furnish(folder / "config")
        self.ledger = folder / "config" / "n2k-ledger.sqlite"
        self.agent = AgentProcess(folder / "config")

    def _furnish(self, config: Path) -> Any:
        people = short_story().roster
        desk = replace(
            settings().desks[DESK], mailbox=INBOX, allowed_domains=("trust.example",), people=people
        )
        desk = replace(desk, register=replace(desk.register, site=f"{SITE_HOST}:{SITE_PATH}"))
        self.tenant.add_mailbox(INBOX, in_scope=True, shared=True)
        for address in {*map(address_of, AUTHORS), *(person.address for person in people)}:
            self.tenant.add_mailbox(address)
        write_config(config, self.sandbox, {DESK: desk})
        return self.tenant.drives.add_site(SITE_HOST, SITE_PATH, SITE_NAME).drive

    def run(self) -> Iterator[Month]:
        """Live through all days; gives each month when it is over."""
        month = Month(f"{self.days[0]:%Y-%m}")
        for number, day in enumerate(self.days):
            if f"{day:%Y-%m}" != month.name:
                yield self._closed(month, day)
                month = Month(f"{day:%Y-%m}")
            self._day(day, month)
            if number % RESTART_AFTER == RESTART_AFTER - 1:
                self._restart(day)
        yield self._closed(month, self.days[-1] + timedelta(days=1))

    def _closed(self, month: Month, day: date) -> Month:
        month.megabytes = self.agent.megabytes
        month.ledger_kb = self.ledger.stat().st_size / 1024 / max(self.delivered, 1)
        month.workbook_kb = len(self.drive.content(REGISTER)) / 1024
        self.months.append(month)
        return month

    def _day(self, day: date, month: Month) -> None:
        self._come(day, NIGHTLY, month, "night")
        self._let_letters_go(day)
        for moment in (MORNING, NOON, EVENING) if day.weekday() < 5 else (NOON,):
            self._come(day, moment, month)
            if moment == MORNING and day.weekday() in TYPE_ON:
                self._people_see_to_the_register(day)
            if moment == NOON:
                self._come(day, moment, month, later=AGAIN)

    def _come(
        self, day: date, at: time, month: Month, order: str = "round", later: timedelta = timedelta()
    ) -> None:
        """The agent comes round, after all that happened meanwhile."""
        now = datetime.combine(day, at, LONDON) + later
        arrived = self._arrive(now)
        asked = self.tenant.log.count
        spent, troubles = self.agent.ordered(order, now)
        asked = self.tenant.log.count - asked
        self.troubles.update(troubles)
        month.mails += arrived
        if later:
            month.idle.append(spent)
            month.idle_asked.append(asked)
        else:
            month.busy.append(spent)
            month.busy_asked += asked

    def _arrive(self, until: datetime) -> int:
        before = self.delivered
        while self.delivered < len(self.mails) and self.mails[self.delivered].at <= until:
            arrival = self.mails[self.delivered]
            self.tenant.clock.set(arrival.at)
            self.tenant.deliver(arrival.mime(), [INBOX])
            self.delivered += 1
        self.tenant.clock.set(until)
        return self.delivered - before

    def _let_letters_go(self, day: date) -> None:
        self.paused += self.agent.ordered("let letters go", datetime.combine(day, time(8), LONDON))

    def _restart(self, day: date) -> None:
        self.started += 1
        if self.started % 2:
            self.killed += 1
            now = datetime.combine(day, time(18), LONDON)
            self._arrive(now)
            self.agent.killed_during("round", now, self.dice.uniform(0, 0.2))
        else:
            self.agent.stop()
        self.agent.started_again()

    def _people_see_to_the_register(self, day: date) -> None:
        """They answer every question, and conclude what has come to its end."""
        book = openpyxl.load_workbook(io.BytesIO(self.drive.content(REGISTER)))
        for row in _rows(book["Questions"]):
            if not row["Answer"].value:
                row["Answer"].value = Answer.DONE.value
        for row in _rows(book.worksheets[0]):
            matter = self.matters.get(str(row["Child name"].value))
            if matter and matter.concluded <= day and row["Status"].value != "Concluded":
                row["Status"].value = "Concluded"
                row["Concluded by"].value, row["Concluded on"].value = "Sol Quarrie", day
        saved = io.BytesIO()
        book.save(saved)
        self.drive.person_saves(REGISTER, saved.getvalue(), "Sol Quarrie")

    def wrong(self) -> list[str]:
        """What is not as it must be at the end, a sentence each."""
        end = datetime.combine(self.days[-1] + timedelta(days=1), time(8), LONDON)
        self.tenant.clock.set(end)
        self.figures = figures = self.agent.ordered("figures", end)
        self.agent.stop()
        marks = Counter(
            mark
            for box in self.tenant.mailboxes.values()
            if box.address != INBOX
            for message in box.messages("inbox")
            for mark in letter_marks_in(message.body)
        )
        told = {
            "mails not accounted for": figures["unaccounted"] + self.delivered - figures["mails"],
            "alerts too few or too many": figures["alerts"] - len(self.matters),
            "letters lost": figures["posted"] - len(marks),
            "letters doubled": sum(times > 1 for times in marks.values()),
            "letters to outside": len(self.tenant.outside),
        }
        return [*(f"{what}: {number}" for what, number in told.items() if number), *figures["amiss"]]


def _days(months: int) -> list[date]:
    end = BEGINS.replace(
        year=BEGINS.year + (BEGINS.month - 1 + months) // 12,
        month=(BEGINS.month - 1 + months) % 12 + 1,
        day=1,
    )
    return [BEGINS + timedelta(days=number) for number in range((end - BEGINS).days)]


def _rows(sheet: Any) -> Iterator[dict[str, Any]]:
    """Each row of the sheet's table, its cells by heading."""
    head, *lines = sheet[next(iter(sheet.tables.values())).ref]
    for line in lines:
        yield {str(heading.value): cell for heading, cell in zip(head, line, strict=True)}


@contextmanager
def soaked(months: int, alerts: int, mails: int, seed: int) -> Iterator[Soak]:
    with (
        tempfile.TemporaryDirectory(prefix="n2k-soak-") as folder,
        Sandbox(
            start=datetime.combine(BEGINS, time(0), LONDON),
            domains=("trust.example",),
            throttle=False,
            work_dir=Path(folder),
        ) as sandbox,
    ):
        yield Soak(sandbox, Path(folder), months, alerts, mails, seed)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--alerts", type=int, default=3_000)
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    log.set_up(level=logging.CRITICAL)
    began = real_time.monotonic()
    with soaked(told.months, told.alerts, told.mails, told.seed) as soak:
        print(HEAD, flush=True)
        for month in soak.run():
            print(month, f"{real_time.monotonic() - began:6.0f} s", flush=True)
        wrong = soak.wrong()
        print(soak.figures, soak.paused, soak.killed, soak.started, soak.troubles)
    print("\n".join(wrong) or "all accounted for")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
