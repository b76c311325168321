"""Months of a busy inbox in simulated time: nothing is lost, and what becomes of memory and time is told.

    python -m tests.faults.soak --months 12 --alerts 3000 --mails 20000
    python -m tests.faults.soak --months 12 --alerts 3000 --mails 20000 --kept-days 90

Authors send forms and updates, others reply and send what is not for us, people conclude alerts in the
register and answer questions. Every few weeks the agent is ended and another one started, every other time by
SIGKILL in the middle of a round. With `--kept-days`, what is personal about an alert is erased so long after
its end, and neither the ledger's file nor the register may name its child then. Prints a line for each month
as it ends, then what came of it all, and ends with status 1 when a mail is not accounted for, a letter was
lost or went out twice, or a child is named that must not be.

The columns: mails; rounds; MB of memory at the end, of the agent and its readers together; processor time of
a round that finds nothing new (median, ms), and of all other rounds for each mail (ms, without the readers');
requests of a round that finds nothing new (median), and of the others for each mail; KB of ledger for each
mail so far; KB of the register; and seconds since the beginning.
"""

from __future__ import annotations

import argparse
import io
import logging
import random
import re
import sys
import tempfile
import time as real_time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import count, takewhile
from pathlib import Path
from statistics import median
from typing import Any

import openpyxl

from agent import log, toml_lines
from agent.procedure.answer import Answer
from agent.procedure.mail import letter_marks_in
from agent.sandbox.drive_files import Drive
from agent.sandbox.serve import SITE_HOST, SITE_NAME, SITE_PATH, write_config
from agent.sandbox.server import Sandbox
from tests.builders import INBOX, LONDON, settings
from tests.faults.agent_process import AgentProcess
from tests.faults.busy_inbox import AUTHORS, address_of, arrivals, matters
from tests.faults.harness import DESK, short_story
from tests.faults.office import REGISTER

BEGINS = date(2026, 3, 2)  # a Monday
NIGHT, MORNING, NOON, EVENING = time(3, 30), time(9), time(12, 30), time(17)
AGAIN = timedelta(minutes=2)  # after so long the agent comes again and finds nothing new
RESTARTED_AFTER = 45  # days
ERASED_WITHIN = timedelta(days=14)  # once it is time: people conclude days later, and questions wait for them
THEY_TYPE_ON = (1, 4)  # Tuesdays and Fridays
NAME = re.compile(rb"(?=\b([A-Z][a-z]+ [A-Z][a-z]+)\b)")
HEAD = "month    mails rounds    MB idle ms ms/mail asked  /mail KB/mail workbook seconds"


def days_of(months: int) -> list[date]:
    """Every day of so many months."""
    ends = 12 * BEGINS.year + BEGINS.month + months
    every = (BEGINS + timedelta(days=number) for number in count())
    return list(takewhile(lambda day: 12 * day.year + day.month < ends, every))


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
        mails, rounds = max(self.mails, 1), len(self.idle) + len(self.busy)
        return (
            f"{self.name} {self.mails:>6} {rounds:>6} {self.megabytes:>5.0f} "
            f"{1000 * median(self.idle):>7.1f} {1000 * sum(self.busy) / mails:>7.1f} "
            f"{median(self.idle_asked):>5.0f} {self.busy_asked / mails:>6.1f} "
            f"{self.ledger_kb:>7.1f} {self.workbook_kb:>8.0f}"
        )


class Soak:
    """An inbox, the people around it, and the agents that look after it one after the other."""

    def __init__(
        self,
        sandbox: Sandbox,
        config: Path,
        days: Sequence[date],
        *,
        alerts: int,
        mails: int,
        seed: int,
        kept_days: int = 0,
        restarted_after: int = RESTARTED_AFTER,
    ) -> None:
        self.tenant, self.days, self.restarted_after = sandbox.tenant, days, restarted_after
        self.kept_days = kept_days
        self.tenant.log.bodies = False
        self.dice = random.Random(seed)
        working = [day for day in days if day.weekday() < 5]
        self.matters = {one.child: one for one in matters(alerts, working, self.dice)}
        self.mails = arrivals(list(self.matters.values()), mails, working, self.dice)
        self.delivered = self.paused = self.killed = self.stopped = 0
        self.troubles: Counter[str] = Counter()
        self.drive = _furnished(sandbox, config, kept_days)
        self.ledger = config / "n2k-ledger.sqlite"
        self.agent = AgentProcess(config)

    def run(self) -> Iterator[Month]:
        """Live through all days; gives each month when it is over."""
        month = Month(f"{self.days[0]:%Y-%m}")
        for number, day in enumerate(self.days, 1):
            if f"{day:%Y-%m}" != month.name:
                yield self._over(month)
                month = Month(f"{day:%Y-%m}")
            self._day(day, month)
            if number % self.restarted_after == 0:
                self._restart(day)
        yield self._over(month)

    def _over(self, month: Month) -> Month:
        month.megabytes = self.agent.megabytes
        month.ledger_kb = self.ledger.stat().st_size / 1024 / self.delivered
        month.workbook_kb = len(self.drive.content(REGISTER)) / 1024
        return month

    def _day(self, day: date, month: Month) -> None:
        self._round(_at(day, NIGHT), month, nightly=True)
        self.paused += self.agent.let_letters_go(_at(day, MORNING))
        for moment in (MORNING, NOON, EVENING) if day.weekday() < 5 else (NOON,):
            self._round(_at(day, moment), month)
            if moment == MORNING and day.weekday() in THEY_TYPE_ON:
                self._people_see_to_the_register(day)
        self._round(_at(day, EVENING) + AGAIN, month, idle=True)

    def _round(self, now: datetime, month: Month, *, nightly: bool = False, idle: bool = False) -> None:
        """The agent comes, after all that happened meanwhile."""
        month.mails += self._arrive(now)
        before = self.tenant.log.count
        spent, troubles = self.agent.round(now, nightly=nightly)
        asked = self.tenant.log.count - before
        self.troubles.update(troubles)
        if idle:
            month.idle.append(spent)
            month.idle_asked.append(asked)
        else:
            month.busy.append(spent)
            month.busy_asked += asked

    def _arrive(self, until: datetime) -> int:
        before = self.delivered
        for arrival in takewhile(lambda one: one.at <= until, self.mails[before:]):
            self.tenant.clock.set(arrival.at)
            self.tenant.deliver(arrival.mime(), [INBOX])
            self.delivered += 1
        self.tenant.clock.set(until)
        return self.delivered - before

    def _restart(self, day: date) -> None:
        if self.killed > self.stopped:
            self.agent.stop()
            self.stopped += 1
        else:
            now = _at(day, EVENING) + 2 * AGAIN
            self._arrive(now)
            self.agent.killed_in_its_round(now, self.dice.uniform(0, 0.2))
            self.killed += 1
        self.agent.start()

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

    def account(self) -> tuple[dict[str, Any], list[str]]:
        """What came of it all, and what is not as it must be, a sentence each. The agent is at its end."""
        told = dict(self.agent.figures(self.tenant.clock.now()))
        self.agent.stop()
        marks = Counter(
            mark
            for box in self.tenant.mailboxes.values()
            for message in box.messages("inbox")
            for mark in letter_marks_in(message.body)
            if box.address != INBOX
        )
        wrong = {
            "mails lost": self.delivered - told["mails"].total(),
            "mails not filed": told["not filed"],
            "alerts too few": len(self.matters) - told["alerts"],
            "letters lost": told["letters"].total() - len(marks),
            "letters doubled": sum(times > 1 for times in marks.values()),
            "letters to outside": len(self.tenant.outside),
            "children still named": len(self._to_be_forgotten() & self.named()),
        }
        told |= {"killed": self.killed, "stopped": self.stopped, "let go": self.paused}
        told |= {"children to be forgotten": len(self._to_be_forgotten())}
        return told, [*(f"{what}: {number}" for what, number in wrong.items() if number), *told.pop("amiss")]

    def _to_be_forgotten(self) -> set[str]:
        """The children whose alerts ended so long ago that nothing personal may be left of them."""
        if not self.kept_days:
            return set()
        before = self.days[-1] - timedelta(days=self.kept_days) - ERASED_WITHIN
        return {child for child, matter in self.matters.items() if matter.concluded < before}

    def named(self) -> set[str]:
        """Everybody who is named in the ledger's file, what it freed included, or in the register."""
        kept = [one.read_bytes() for one in self.ledger.parent.glob(f"{self.ledger.name}*")]
        with zipfile.ZipFile(io.BytesIO(self.drive.content(REGISTER))) as register:
            kept += [register.read(part) for part in register.namelist()]
        return {name.decode() for content in kept for name in NAME.findall(content)}


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, LONDON)


def _furnished(sandbox: Sandbox, config: Path, kept_days: int) -> Drive:
    """A desk with its people and authors, and a configuration that leads there; gives its library."""
    people = short_story().roster
    desk = replace(settings().desks[DESK], mailbox=INBOX, allowed_domains=("trust.example",), people=people)
    desk = replace(desk, register=replace(desk.register, site=f"{SITE_HOST}:{SITE_PATH}"))
    sandbox.tenant.add_mailbox(INBOX, in_scope=True, shared=True)
    for address in {*map(address_of, AUTHORS), *(person.address for person in people)}:
        sandbox.tenant.add_mailbox(address)
    write_config(config, sandbox, {DESK: desk})
    toml_lines.tell(config / "desks" / f"{DESK}.toml", {"days": kept_days})
    return sandbox.tenant.drives.add_site(SITE_HOST, SITE_PATH, SITE_NAME).drive


def _rows(sheet: Any) -> Iterator[dict[str, Any]]:
    """Each row of the sheet's table, its cells by heading."""
    head, *lines = sheet[next(iter(sheet.tables.values())).ref]
    for line in lines:
        yield {str(heading.value): cell for heading, cell in zip(head, line, strict=True)}


@contextmanager
def soaked(days: Sequence[date], **told: int) -> Iterator[Soak]:
    """A soak of these days, see `Soak`, on an embedded Microsoft 365."""
    with (
        tempfile.TemporaryDirectory(prefix="n2k-soak-") as folder,
        Sandbox(_at(days[0], time()), domains=("trust.example",), throttle=False) as sandbox,
    ):
        yield Soak(sandbox, Path(folder), days, **told)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--alerts", type=int, default=3_000)
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept-days", type=int, default=0)
    asked = parser.parse_args()
    log.set_up(level=logging.CRITICAL)
    began = real_time.monotonic()
    days, many = days_of(asked.months), {"alerts": asked.alerts, "mails": asked.mails}
    with soaked(days, **many, seed=asked.seed, kept_days=asked.kept_days) as soak:
        print(HEAD, flush=True)
        for month in soak.run():
            print(month, f"{real_time.monotonic() - began:7.0f}", flush=True)
        told, wrong = soak.account()
    for what, found in (told | {"troubles met": soak.troubles}).items():
        print(f"{what}: {dict(found) if isinstance(found, Counter) else found}")
    print("\n".join(wrong) or "Every mail is accounted for, and each letter went out once.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
