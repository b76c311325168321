"""What a round of decisions costs, by how much there is: `python -m tests.benchmarks.thinking`.

Desks of so many alerts, one in twenty of them open, are put into a ledger and a register; then what a quiet
round costs, and one in which a mail comes; and the record alone: lines written, and how long an agent
takes to begin on a long one. Processor time, since it thinks and does not wait.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.engine import URL

from agent import log
from agent.bookkeeping import bookkeeping
from agent.chasing import chasing
from agent.desk import Desk
from agent.intake import intake
from agent.ledger import chain, rows, schema
from agent.ledger.sql import SqlLedger
from agent.posting import posting
from agent.procedure.entry import Entry
from agent.procedure.words import Happened, Json
from agent.register.memory import MemoryRegister
from agent.steps import Step
from agent.weekly_digest import weekly_digest
from tests import builders
from tests.benchmarks.frame import Report, in_a_process
from tests.benchmarks.mails import LAST, PLACES, SUBJECT
from tests.builders import MONDAY
from tests.postgres import new_database

SIZES = (100, 1_000, 10_000, 100_000)
OPEN = 20  # one alert in so many
RUNS = 3
LINES, LINES_ON_SERVER = 1_000_000, 100_000
TIMES = 10  # as often as the same story stands in so long a record
STEPS: tuple[Step, ...] = (chasing, weekly_digest, posting, bookkeeping)
AT_ONCE = 10_000
PAGES = 500
DESK = "nct"


def main() -> None:
    report = Report(
        "thinking",
        "Thinking",
        f"Processor milliseconds, the best of {RUNS}: a round in which nothing happens (chasing, digest, "
        f"posting, bookkeeping), and what one update costs. One alert in {OPEN} is open; ledger in SQLite, "
        "register in memory. With `make bench` another benchmark runs on the other core.",
        drawn="quiet round ms",
        limited_by="a quiet round looks at all that is open or came within a week, for some microseconds "
        "each; a mail is compared with the children of a like name, and a page that records something copies "
        "the list of references; of a register in which something changed only the rows that changed are "
        "merged, but the one in memory that stands in here reads all its rows.",
    )
    found = {size: in_a_process("thinking", str(size)) for size in SIZES}
    for size, figures in found.items():
        report.add(f"ours: {size:,} alerts, {size // OPEN:,} open", figures)
    report.write()


def main_ledger() -> None:
    long = Report(
        "ledger",
        "The ledger",
        f"{PAGES} lines written at the end of a long record, each in a page of its own that is made to last "
        "(fsync); and what an agent's start on it takes. The record is one story "
        f"{TIMES} times over. With `make bench` another benchmark runs on the other core.",
        drawn="lines a second",
        limited_by="of writing, the disk; of starting, that all alerts are folded from every line there is: "
        "no picture of them is kept beside it, in which something erased could linger.",
    )
    for name, lines, server in (("SQLite", LINES, ()), ("PostgreSQL", LINES_ON_SERVER, ("server",))):
        told = in_a_process("thinking", "ledger", str(lines), *server)
        if told:
            long.add(f"ours: {name}", told)
    long.write()


def desk_of(folder: Path, alerts: int) -> tuple[Desk, datetime]:
    """A desk at which so many alerts were dealt with, and a moment when nothing is due: all that is open was
    acknowledged two days before, and nobody is to be asked about it yet."""
    ledger = SqlLedger(f"sqlite:///{folder / 'ledger.sqlite'}")
    made = builders.desk(ledger=ledger.desk(DESK))
    made.ledger.note([], "inbox", "0:0", MONDAY - timedelta(days=4000))
    _write(ledger, story(alerts))
    return made, MONDAY + timedelta(days=2, hours=2)


def story(alerts: int) -> Iterator[Entry]:
    """Opened and, but for one in twenty, updated and concluded: three lines for each, a few each day. Those
    that are open came on Monday."""
    opened = _opened()
    for number in range(alerts):
        is_open = number % OPEN == 0
        at = (
            MONDAY - timedelta(minutes=number % 300)
            if is_open
            else MONDAY - timedelta(days=30 + number % 2500)
        )
        reference, child = f"SLA-{at.year}-{number:06d}", _child(number)
        content: dict[str, Json] = {**(opened.content or {}), "children": [child]}
        yield replace(opened, alert=reference, at=at, source=f"<{number}@trust.example>", content=content)
        if not is_open:
            later = at + timedelta(days=7)
            yield Entry(Happened.UPDATED, reference, later, f"<{number}u@trust.example>", {}, {})
            yield Entry(Happened.CONCLUDED, reference, later, "register", {}, {"by": "Sol Quarrie"})


def _opened() -> Entry:
    """The line that a real first form becomes."""
    office = builders.desk()
    office.mailbox.deliver(builders.mail(SUBJECT, ("form.docx", builders.alert_form())), MONDAY)  # type: ignore[attr-defined]  # it is the one in memory
    intake(office, MONDAY)
    return next(entry for entry in office.ledger.entries() if entry.happened is Happened.OPENED)


def _child(number: int) -> dict[str, Json]:
    first = f"{PLACES[number % 13]}{LAST[number // 13 % 7].lower()}"
    last = f"{LAST[number // 91 % 7]}{PLACES[number // 637 % 13].lower()}{number // 8281 or ''}"
    born = date(2008, 1, 1) + timedelta(days=number % 5000)
    return {"name": f"{first} {last}", "dob": born.isoformat(), "system_id": str(100_000 + number)}


def _write(ledger: SqlLedger, entries: Iterator[Entry]) -> None:
    """Many lines at once, with blank seals: nothing here looks at them, and to make them takes minutes."""
    first = 1
    while some := list(islice(entries, AT_ONCE)):
        links = [
            chain.Link(DESK, replace(entry, seq=seq), "", "", chain.START, chain.START)
            for seq, entry in enumerate(some, first)
        ]
        first += len(links)
        with ledger._database.writing(DESK) as connection:  # a page writes one by one
            connection.execute(insert(schema.entry), [rows.entry_values(link) for link in links])
            bodies = [
                {"desk": DESK, "seq": link.entry.seq, "salt": link.salt, "body": link.entry.content}
                for link in links
            ]
            connection.execute(insert(schema.content), bodies)


def _repeat(ledger: SqlLedger, lines: int) -> None:
    """What stands in it, again and again under other references: faster than to write it all."""
    entries = text(
        "INSERT INTO entry SELECT desk, seq + :by, alert || :mark, at, happened, source || :mark, facts, "
        "content_hash, previous, hash FROM entry WHERE seq <= :lines"
    )
    contents = text("INSERT INTO content SELECT desk, seq + :by, salt, body FROM content WHERE seq <= :lines")
    with ledger._database.writing(DESK) as connection:
        for time in range(1, TIMES):
            connection.execute(entries, {"by": time * lines, "mark": f"/{time}", "lines": lines})
            connection.execute(contents, {"by": time * lines, "lines": lines})


def measure(alerts: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        desk, now = desk_of(Path(folder), alerts)
        assert len(desk.ledger.alerts()) == alerts
        first = _cost(lambda: bookkeeping(desk, now))
        register = desk.register
        assert isinstance(register, MemoryRegister)
        assert len(register.rows) == alerts
        for step in (*STEPS, bookkeeping):
            step(desk, now)  # whatever is due today is written
        costs = {step.__name__: min(_costs(step, desk, now)) for step in STEPS}
        mails = []
        for number in range(RUNS):
            _arrives(desk, number * OPEN, number)
            mails.append(_cost(lambda: intake(desk, now)))
        told = [entry.happened for entry in desk.ledger.entries()[-RUNS:]]
        assert told == [Happened.UPDATED] * RUNS, told
        after = _cost(lambda: bookkeeping(desk, now))
        return {
            "quiet round ms": 1000 * sum(costs.values()),
            "chasing ms": 1000 * costs["chasing"],
            "bookkeeping ms": 1000 * costs["bookkeeping"],
            "a mail ms": 1000 * min(mails),
            "its bookkeeping ms": 1000 * after,
            "first bookkeeping s": first,
        }


def _costs(step: Step, desk: Desk, now: datetime) -> list[float]:
    return [_cost(lambda: step(desk, now)) for _ in range(RUNS)]


def _arrives(desk: Desk, number: int, mail: int) -> None:
    child = _child(number)
    form = builders.update_form(child=str(child["name"]), dob=str(child["dob"]))
    desk.mailbox.deliver(builders.mail(f"{SUBJECT} - update", ("form.docx", form), number=mail + 1), MONDAY)  # type: ignore[attr-defined]  # it is the one in memory


def _cost(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def record(lines: int, *, server: bool) -> dict[str, float] | None:
    """The record alone; None where there is no such server here."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            url = (
                new_database()
                if server
                else URL.create("sqlite", database=str(Path(folder, "ledger.sqlite")))
            )
        except pytest.skip.Exception:
            return None
        ledger = SqlLedger(url)
        entries = story(lines)
        _write(ledger, islice(entries, (lines - PAGES) // TIMES))
        _repeat(ledger, (lines - PAGES) // TIMES)
        desk, last = ledger.desk(DESK), list(islice(entries, PAGES))
        began, cpu = time.perf_counter(), time.process_time()
        for entry in last:
            with desk.page() as page:
                page.record(entry)
        wall, used = time.perf_counter() - began, time.process_time() - cpu
        ledger.close()
        again = SqlLedger(url)
        start = _cost(lambda: again.desk(DESK).alerts())
        again.close()
    return {
        "lines": lines,
        "lines a second": PAGES / wall,
        "processor ms a line": 1000 * used / PAGES,
        "start, processor s": start,
    }


if __name__ == "__main__":
    log.set_up(level=logging.CRITICAL)
    match sys.argv[1:]:
        case ["ledger"]:
            main_ledger()
        case ["ledger", lines, *server]:
            print(json.dumps(record(int(lines), server=bool(server))))
        case [alerts]:
            print(json.dumps(measure(int(alerts))))
        case _:
            main()
