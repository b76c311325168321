"""A backlog dealt with: `python -m tests.benchmarks.backlog [MAILS]` (1,000 unless told otherwise).

Mails with real forms lie in the inbox of an embedded Microsoft 365 in another process, which takes 80 ms for
each request and refuses the fifth at a time. What came of it is checked before it counts.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl

from tests.benchmarks import mails
from tests.benchmarks.embedded import LATENCY, Cost, Embedded, embedded, n2k
from tests.benchmarks.frame import PEERS, Report, in_a_process, peers
from tests.builders import INBOX

AT_A_TIME = 4  # requests that Exchange takes from an app for a mailbox
MAILS = 1_000
FEW = 60  # mails, beside which memory is to stay flat
THEIRS = 30  # mails that are enough to see what one costs those who do one after the other
HEAVY = 6  # mails, each with so much more attached:
LARGE = 8 * 1024 * 1024  # bytes of a photo beside the form


@dataclass(frozen=True)
class Worked:
    """What a backlog cost the agent."""

    mails: int
    cost: Cost
    requests: Counter[str]
    refused: int

    @property
    def floor(self) -> float:
        """Seconds that the requests made take when all places are always taken."""
        return sum(self.requests.values()) * LATENCY / AT_A_TIME


def main(count: int) -> None:
    few, theirs = min(FEW, count), min(THEIRS, count)
    report = Report(
        "backlog",
        f"A backlog of {count:,} mails",
        f"For each mail with a real form, {LATENCY * 1000:.0f} ms for each request and {AT_A_TIME} at a "
        "time; one run. Ours is the whole command `n2k once`: every mail read, decided, recorded and filed, "
        f"the register written. The script and mailsuite are given {theirs} mails, for which the script's "
        f"workbook holds {count // 2:,} rows from the start, as it would in the middle of them all.",
        drawn="ms a mail",
        limited_by="Exchange takes four requests at once. Fewer than three for a mail (the mail, its move, "
        "its categories) there are not without $batch, which Exchange throttles by its parts.",
    )
    ours, small, heavy = ours_on(count), ours_on(few), ours_on(HEAVY, LARGE)
    seconds = ours.cost.wall / count
    report.add("floor: the requests that ours makes", {"ms a mail": 1000 * ours.floor / count})
    report.add("ours", _figures(ours.cost, count, sum(ours.requests.values())))
    report.goal(
        "within 1.25 of the floor", f"{ours.cost.wall / ours.floor:.2f}", ours.cost.wall <= 1.25 * ours.floor
    )
    report.goal("no 429 provoked", f"{ours.refused}", not ours.refused)
    if peers():
        script = plain(theirs, rows=count // 2)
        report.add("plain script", _theirs(script))
        times = script["wall"] / script["mails"] / seconds
        report.goal("at least 8 times as fast as the plain script", f"{times:.1f}", times >= 8)
        report.add("mailsuite: fetch and move only", _theirs(mailsuite(theirs)))
    flat = ours.cost.memory / small.cost.memory
    report.goal(
        "memory flat in the number of mails",
        f"{small.cost.memory:.0f} MB at {few}, {ours.cost.memory:.0f} MB at {count:,}",
        flat <= 1.25,
    )
    more = heavy.cost.memory - small.cost.memory
    report.notes.append(
        f"With {LARGE / 2**20:.0f} MB more attached to each mail, the peak is {heavy.cost.memory:.0f} MB: "
        f"{more / (LARGE / 2**20):.0f} times the attachment above that without."
    )
    told = ", ".join(f"{number:,} × {kind}" for kind, number in ours.requests.most_common())
    report.notes.append(f"Ours, {ours.cost.wall:.0f} s in all with its start, asked: {told}.")
    report.write()


def _figures(cost: Cost, count: int, requests: int) -> dict[str, float]:
    return {
        "ms a mail": 1000 * cost.wall / count,
        "processor ms a mail": 1000 * cost.cpu / count,
        "requests a mail": requests / count,
        "MB": cost.memory,
    }


def _theirs(told: dict[str, Any]) -> dict[str, float]:
    cost = Cost(told["wall"], told["cpu"], told["memory"])
    return _figures(cost, told["mails"], told["requests"])


def ours_on(count: int, attached: int = 0) -> Worked:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        written = mails.write(folder / "mail", count, _an_hour_ago(), attached)
        with embedded(folder / "config", folder / "mail", LATENCY) as here:
            cost = n2k("once", "--config", folder / "config")
            asked = here.requests()
            _check(here, folder, *written)
    kinds = Counter(kind_of(one) for one in asked)
    return Worked(count, cost, kinds, sum(one["status"] == 429 for one in asked))


def _check(here: Embedded, folder: Path, alerts: int, updates: int) -> None:
    """Each first form opened an alert, each update is one; all are filed, and the register has every row."""
    with closing(sqlite3.connect(folder / "config/n2k-ledger.sqlite")) as ledger:
        found = dict(ledger.execute("SELECT happened, count(*) FROM entry GROUP BY happened").fetchall())
    assert (found["opened"], found.get("updated", 0)) == (alerts, updates), found
    boxes = {box["address"]: box["folders"] for box in here.control("GET", "/mailboxes")["mailboxes"]}
    assert (
        boxes[INBOX]["Need to Know/Alerts"] + boxes[INBOX].get("Need to Know/Updates", 0) == alerts + updates
    )
    register = folder / "register.xlsx"
    n2k("register", "--config", folder / "config", "--to", register)
    book = openpyxl.load_workbook(register, read_only=True)
    keys = [row[0] for row in book.worksheets[0].iter_rows(values_only=True)]
    assert sum(str(key).startswith("SLA-") for key in keys) == alerts


KINDS = (
    *(("/$value", "mail"), ("/move", "move"), ("/delta", "changes"), ("/mailFolders", "folders")),
    *(("/send", "send"), ("/messages/", "categories"), ("/messages", "letter"), ("", "register")),
)


def kind_of(one: dict[str, Any]) -> str:
    """What a request was about, in two words."""
    path = one["path"].partition("/v1.0")[2]
    return f"{one['method']} {next(name for part, name in KINDS if part in path)}"


def plain(count: int, rows: int, *more: str) -> dict[str, Any]:
    return _peer("plain_script", count, "--rows", str(rows), *more)


def mailsuite(count: int) -> dict[str, Any]:
    return _peer("peer_mailsuite", count)


def _peer(module: str, count: int, *more: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        mails.write(folder / "mail", count, _an_hour_ago())
        with embedded(folder / "config", folder / "mail", LATENCY) as here:
            told = here.told
            there = ("--graph", told["base"], "--tenant", told["tenant"])
            who = ("--client", told["client"], "--secret", told["client_secret"], "--mailbox", INBOX)
            workbook = ("--workbook", str(folder / "list.xlsx")) if module == "plain_script" else ()
            trusted = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), told["ca_file"])
            everything = (*there, *who, *workbook, "--mails", str(count), *more)
            done = in_a_process(
                module, *everything, python=PEERS, AZURE_AUTHORITY_HOST=told["base"], **trusted
            )
            assert done["mails"] == count
            return {**done, "requests": len(here.requests())}


def _an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else MAILS)
