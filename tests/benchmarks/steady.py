"""What a mail costs when all is at work, and an idle minute: `python -m tests.benchmarks.steady`.

From a mail's arrival until it is filed, its row is written and its author has an acknowledgement. The agent
runs in this process, the embedded Microsoft 365 in another.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent import log
from agent.bootstrap import Agent, at_work
from agent.configuration import load
from agent.ledger.base import LetterState
from agent.procedure.receipts import ACKNOWLEDGEMENT
from agent.sandbox.serve import SITE_HOST, SITE_PATH
from agent.settings import Settings
from agent.steps import STEPS, run_all
from tests.benchmarks import mails
from tests.benchmarks.backlog import kind_of, plain
from tests.benchmarks.embedded import Embedded, embedded
from tests.benchmarks.frame import Report, peers
from tests.builders import INBOX

ROUNDS = 10
IDLE = 20
BESIDE, ALERTS_BESIDE = 10, 8  # mails that lay there before the desk began, and the first forms among them


def main() -> None:
    report = Report(
        "steady",
        "A mail in steady state, and an idle minute",
        "Requests and processor time for each mail from its arrival until it is filed, its row written and "
        f"its author answered; means of {ROUNDS} rounds. An idle minute is that of the shipped timetable. "
        "The script's figures hold its start, too. With `make bench` another benchmark runs on the other "
        "core.",
        drawn="requests a mail",
        limited_by="the register is asked for its version whenever it may be written, and a letter is looked "
        "for, drafted and sent in three requests, so that it goes out once. Neither is given up for speed.",
    )
    with at_desk() as (here, agent):
        for count in (1, 5):
            asked, cpu = _rounds(here, agent, count)
            mean = {kind: number / ROUNDS / count for kind, number in asked.items()}
            report.add(
                f"ours, {count} {'mail' if count == 1 else 'mails'} a round",
                {"requests a mail": sum(mean.values()), "processor ms a mail": 1000 * cpu / ROUNDS / count},
            )
            told = ", ".join(f"{number:.1f} × {kind}" for kind, number in sorted(mean.items()))
            report.notes.append(f"With {count} a round, a mail takes {told}.")
        minute, cpu_minute, checks = _idle(here, agent)
    alone, together = (figures["requests a mail"] for _, figures in report.lines)
    if peers():
        on_disk = _theirs(report, "on its own disk")
        there = _theirs(report, "in SharePoint, as ours is", "--site", f"{SITE_HOST}:{SITE_PATH}")
        report.goal(
            "at most half of the plain script's requests",
            f"{alone / there:.2f} where both workbooks lie in SharePoint, {together / there:.2f} with five "
            f"mails a round; {alone / on_disk:.2f} and {together / on_disk:.2f} where its own is on its disk",
            alone <= there / 2,
        )
    report.goal(
        "an idle look at the mailbox and at the register: a request each", checks, checks == "1 and 1"
    )
    idle = 1000 * cpu_minute
    report.goal("an idle minute takes under 10 ms of processor time", f"{idle:.1f} ms", idle < 10)
    report.notes.append(f"An idle minute makes {minute:.2f} requests.")
    report.write()


def _theirs(report: Report, where: str, *told: str) -> float:
    """The plain script with its workbook in such a place; gives its requests a mail."""
    script = plain(2 * ROUNDS, 0, "--answer", "--one-by-one", *told)
    asked, cpu = script["requests"] / script["mails"], 1000 * script["cpu"] / script["mails"]
    report.add(f"plain script, its workbook {where}", {"requests a mail": asked, "processor ms a mail": cpu})
    return float(asked)


@contextmanager
def at_desk() -> Iterator[tuple[Embedded, Agent]]:
    """A desk that has been at work for a while."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        mails.write(folder / "mail", BESIDE, datetime.now(UTC) - timedelta(hours=1))
        with (
            embedded(folder / "config", folder / "mail") as here,
            at_work(_without_limits(folder / "config")) as agent,
        ):
            for _ in range(3):
                _round(agent)
            yield here, agent


def _without_limits(config: Path) -> Settings:
    told = load(config)
    limits = replace(
        told.agent.limits, letters_at_once=10_000, letters_per_hour=10_000, letters_per_day=10_000
    )
    return replace(told, agent=replace(told.agent, limits=limits))


def _round(agent: Agent) -> None:
    (desk,) = agent.desks
    troubles = [outcome for outcome in run_all(desk, agent.clock()) if outcome.trouble]
    assert not troubles, troubles


def _rounds(here: Embedded, agent: Agent, count: int) -> tuple[Counter[str], float]:
    """So many rounds, with so many mails in each; what was asked, and the processor seconds."""
    asked: Counter[str] = Counter()
    cpu = 0.0
    for number in range(ROUNDS):
        first = 1000 * count + number * count
        here.deliver(list(mails.first_forms(first, count, datetime.now(UTC))), INBOX)
        before, began = here.last_request(), time.process_time()
        _round(agent)
        cpu += time.process_time() - began
        asked.update(map(kind_of, here.requests(before)))
    ledger = agent.desks[0].ledger
    assert not ledger.to_file()
    letters = ledger.letters(LetterState.POSTED, since=datetime.now(UTC) - timedelta(hours=1))
    receipts = sum(len(one.reasons) for one in letters if one.kind == ACKNOWLEDGEMENT)
    assert receipts == len(ledger.alerts()) - ALERTS_BESIDE, receipts
    return asked, cpu


def _idle(here: Embedded, agent: Agent) -> tuple[float, float, str]:
    """Requests and processor seconds of an idle minute by the timetable, and what one check of each asks."""
    (desk,), times = agent.desks, agent.settings.agent.timetable
    every = {
        "intake": times.intake,
        "bookkeeping": times.bookkeeping,
        "chasing": times.chasing,
        "weekly_digest": times.chasing,
        "posting": times.posting,
    }
    asked: dict[str, float] = {}
    cpu: dict[str, float] = {}
    for name, step in STEPS.items():
        step(desk, agent.clock())
        before, began = here.last_request(), time.process_time()
        for _ in range(IDLE):
            step(desk, agent.clock())
        cpu[name] = (time.process_time() - began) / IDLE
        asked[name] = len(here.requests(before)) / IDLE
    minute = sum(asked[name] / minutes for name, minutes in every.items())
    cost = sum(cpu[name] / minutes for name, minutes in every.items())
    return minute, cost, f"{asked['intake']:g} and {asked['bookkeeping']:g}"


if __name__ == "__main__":
    log.set_up(level=logging.CRITICAL)
    main()
