"""Mails that mean harm through the whole of the agent, and a flood of them, while genuine alerts come in.

    python -m tests.faults.hostile_campaign --mails 1500 --flood 5000 --seed 1

Ledger, workbook and the walled-off reader are the real ones; the mailbox is one in memory. Prints how many
mails of each kind were met and what they cost, and ends with status 1 when anything went wrong: a mail that
was not dealt with or took too long, a step that failed, a genuine alert that was delayed or changed, a letter
to somebody it was not meant for, an alert on a stranger's word, a formula in the workbook, words of a mail
where none may stand, a connection to the outside, a file that nobody asked for.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, chdir, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
from structlog.testing import capture_logs

from agent.desk import Desk
from agent.forms.limits import Limits
from agent.forms.worker import Reader
from agent.intake import intake
from agent.ledger.base import Letter, LetterState
from agent.ledger.sql import SqlLedger
from agent.mailbox.base import OutgoingLetter
from agent.mailbox.memory import MemoryMailbox
from agent.procedure.mail import letter_mark
from agent.procedure.people import Person
from agent.procedure.words import Happened
from agent.register.bookbinder import Bookbinder
from agent.register.local_file import LocalFile
from agent.steps import run_all
from tests import builders
from tests.builders import AVA, INBOX, MONDAY, PSW, SQAS, alert_form, mail
from tests.faults.hostile_mails import (
    COLLEAGUE,
    INJECTED,
    KINDS,
    MARK,
    ROBOT,
    STRANGER,
    SUBJECT,
    VICTIMS,
    Hostile,
    Known,
    written,
)

DUTY = Person("Dot Kingsley", "dot.kingsley@trust.example", ("duty", "business_support", "data_protection"))
ROSTER = (AVA, SQAS, PSW, DUTY)
LIMITS = Limits(seconds=8, converting=20)
LONGEST = 60.0  # seconds for one mail, however many documents it brings and however busy the machine
STEP = timedelta(minutes=11)
ANSWERED_EVERY = 20  # mails; then a person answers all questions, and every step runs
UNLIMITED = sys.maxsize


@dataclass
class Figures:
    """What was met, what it cost, and what went wrong: a sentence for each, without a mail's words."""

    met: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    letters: int = 0
    genuine: int = 0
    wrong: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class World:
    """One desk with real rooms in a folder of its own, and the attackers around it."""

    def __init__(self, folder: Path, reader: Reader, seed: int, *, ceilings: bool = False) -> None:
        self.dice, self.figures, self.folder = random.Random(seed), Figures(), folder
        self.mailbox = MemoryMailbox(INBOX)
        self._sql = SqlLedger(f"sqlite:///{folder / 'ledger.sqlite'}")
        self.desk = self._desk(reader, ceilings=ceilings)
        self.now = MONDAY
        self.genuine: dict[str, str] = {}  # who sent each genuine alert → its reference
        self.listens = ""
        self._proven: dict[str, bool] = {}  # the mailbox's ids of hostile mails
        self.works()

    def close(self) -> None:
        self._sql.close()

    def _desk(self, reader: Reader, *, ceilings: bool) -> Desk:
        made = builders.desk(mailbox=self.mailbox, ledger=self._sql.desk("nct"), read=reader.read)
        settings = replace(made.settings, people=ROSTER)
        limits = made.agent.limits
        if not ceilings:
            limits = replace(
                limits, letters_at_once=UNLIMITED, letters_per_hour=UNLIMITED, letters_per_day=UNLIMITED
            )
        register = LocalFile(self.folder / "Need to Know.xlsx", Bookbinder(made.procedure, "nct"))
        return replace(
            made,
            settings=settings,
            people=settings.roster,
            agent=replace(made.agent, limits=limits),
            register=register,
        )

    # What happens

    def works(self) -> None:
        """One round of every step; none may fail."""
        self.mailbox.now = self.now
        for outcome in run_all(self.desk, self.now):
            if outcome.trouble:
                self._is_wrong(f"{outcome.step}: {outcome.trouble}")

    def genuine_alert(self) -> None:
        """A colleague's form comes: it has to be an alert in the very next round."""
        number = len(self.genuine) + 1
        sender = f"author.{number}@trust.example"
        child = f"{_name(number)} {_name(number // 26 + 7)}"
        sent = mail(
            SUBJECT,
            ("SLA.docx", alert_form(child, dob=f"2012-{number % 12 + 1:02}-{number % 28 + 1:02}")),
            sender=sender,
            number=number,
            sent=self.now,
        )
        before = set(self.desk.ledger.alerts())
        self.mailbox.deliver(sent, self.now)
        self._takes_in()
        opened = [one for one in set(self.desk.ledger.alerts()) - before if not self._alert(one).provisional]
        if len(opened) != 1:
            self._is_wrong(f"genuine alert {number} was not opened at once")
            return
        self.figures.genuine += 1
        self.genuine[sender] = opened[0]

    def suffers(self, hostile: Hostile) -> None:
        """One hostile mail is delivered and taken in, timed."""
        self.figures.met[hostile.kind] += 1
        mail_id = self.mailbox.deliver(hostile.content, self.now)
        self._proven[mail_id] = hostile.proven
        began = time.monotonic()
        self._takes_in()
        took = time.monotonic() - began
        self.figures.slowest[hostile.kind] = max(took, self.figures.slowest.get(hostile.kind, 0.0))
        if took > LONGEST:
            self._is_wrong(f"{hostile.kind}: one mail took {took:.0f} s")

    def is_answered(self) -> None:
        """All steps run, and again after a person said of each question what makes least of it."""
        self.works()
        with self.desk.ledger.page() as page:
            for question in self.desk.ledger.questions():
                page.answer(question.number, self.dice.choice(("Not an alert", "Done")), self.now)
        self.works()

    def _takes_in(self) -> None:
        self.now += STEP
        self.mailbox.now = self.now
        intake(self.desk, self.now)

    def known(self) -> Known:
        """An alert that attackers know of, with the latest letter about it."""
        author, reference = self.dice.choice(list(self.genuine.items()))
        letters = self.desk.ledger.letters()
        about = [one for one in letters if any(why.alert == reference for why in one.reasons)]
        letter = about[-1] if about else None
        return Known(
            reference,
            author,
            str(letter.internet_message_id) if letter else "<none@trust.example>",
            letter_mark(letter.key) if letter else "N2K-0123456789ab",
            self.listens,
        )

    # What must hold

    def look(self, logged: list[Any]) -> Figures:
        """Everything that must hold in the end."""
        ledger = self.desk.ledger
        self.figures.outcomes = Counter(mail.outcome for mail in ledger.mails())
        self.figures.letters = len(self.mailbox.sent)
        self._all_dealt_with(logged)
        self._genuine_alerts_are_untouched()
        self._strangers_open_nothing()
        for letter in ledger.letters():
            self._letter_is_as_it_should_be(letter)
        self._words_stay_inside(logged)
        self._workbook_is_harmless()
        if broken := ledger.verify():
            self._is_wrong(f"the ledger's chain is broken: {broken[0]}")
        return self.figures

    def _all_dealt_with(self, logged: list[Any]) -> None:
        ledger = self.desk.ledger
        dealt = {mail.mail_id for mail in ledger.mails()}
        if lost := set(self.mailbox.mails) - dealt or {one.mail_id for one in ledger.waiting()}:
            self._is_wrong(f"{len(lost)} mails were not dealt with")
        failed = Counter(str(one.get("error")) for one in logged if one["event"] == "intake.failed")
        if failed:
            self._is_wrong(f"the agent failed on mails: {dict(failed)}")

    def _genuine_alerts_are_untouched(self) -> None:
        """Of what nobody but attackers wrote about, nothing happened but letters."""
        theirs = {f"<mail-{number}@trust.example>" for number in range(1, len(self.genuine) + 1)}
        ours = {Happened.CHASED, Happened.LETTER_HELD}
        for reference in self.genuine.values():
            for entry in self.desk.ledger.entries(reference):
                if (
                    entry.happened not in ours
                    and entry.source not in theirs
                    and not self._by_proven(entry.source)
                ):
                    self._is_wrong(f"{entry.happened} on a genuine alert by a forged mail")

    def _strangers_open_nothing(self) -> None:
        """What is no colleague's own mail opens a provisional row at most."""
        for reference, alert in self.desk.ledger.alerts().items():
            sources = [
                one.source for one in self.desk.ledger.entries(reference) if one.happened is Happened.OPENED
            ]
            if reference in self.genuine.values() or any(map(self._by_proven, sources)):
                continue
            if not (alert.provisional or alert.not_an_alert):
                self._is_wrong("an alert stands on a stranger's word")

    def _by_proven(self, message_id: str) -> bool:
        handled = self.desk.ledger.handled_as(message_id)
        return handled is not None and self._proven.get(handled.mail_id, False)

    def _letter_is_as_it_should_be(self, letter: Letter) -> None:
        allowed = {person.address for person in ROSTER} | self.genuine.keys() | {COLLEAGUE}
        if letter.state is LetterState.POSTED and letter.to.lower() not in allowed:
            self._is_wrong(f"a {letter.kind} went to somebody who should have none")
        if any(mark in letter.subject + letter.to for mark in ("\r", "\n", "\u2028", MARK)):
            self._is_wrong(f"the head of a {letter.kind} holds what a sender wrote")
        if any(raw in letter.html for raw in ("<script", "<img src=x", "onerror=", "49 Zyx")):
            self._is_wrong(f"the page of a {letter.kind} holds a sender's markup")

    def _words_stay_inside(self, logged: list[Any]) -> None:
        ledger = self.desk.ledger
        told = [("log", str(one)) for one in logged]
        told += [
            ("question", f"{one.question.code} {one.question.why} {one.note}")
            for one in ledger.questions(waiting_only=False)
        ]
        told += [("fact", f"{entry.alert} {entry.facts}") for entry in ledger.entries()]
        told += [
            ("folder or category", f"{one.folder} {one.categories} {one.outcome}") for one in ledger.mails()
        ]
        for where in sorted({where for where, words in told if MARK.casefold() in words.casefold()}):
            self._is_wrong(f"a sender's words stand in a {where}")

    def _workbook_is_harmless(self) -> None:
        """Nothing that a mail said is a formula or a link, and the workbook can be read by others."""
        content = self.desk.register.copy()
        book = openpyxl.load_workbook(io.BytesIO(content))
        for sheet in book:
            for cell in (cell for row in sheet.iter_rows() for cell in row):
                if cell.data_type == "f" and MARK in str(cell.value):
                    self._is_wrong("a formula of a sender's stands in the workbook")
                if cell.hyperlink is not None and "evil" in str(cell.hyperlink.target):
                    self._is_wrong("a link of a sender's stands in the workbook")

    def _alert(self, reference: str) -> Any:
        return self.desk.ledger.alerts()[reference]

    def _is_wrong(self, sentence: str) -> None:
        if sentence not in self.figures.wrong:
            self.figures.wrong.append(sentence)


def _name(number: int) -> str:
    return chr(65 + number % 26) + "abcdefghijklmnopqrstuvwxyz"[number % 26] + "lindale"


@contextmanager
def nobody_is_called() -> Iterator[tuple[str, list[str]]]:
    """An address of this machine at which attackers would see a document that calls home."""
    calls: list[str] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def listen() -> None:
            while True:
                try:
                    came, _ = server.accept()
                except OSError:
                    return
                calls.append("called")
                came.close()

        threading.Thread(target=listen, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", calls
        server.shutdown(socket.SHUT_RDWR)


@contextmanager
def world(seed: int, **told: bool) -> Iterator[tuple[World, list[Any]]]:
    """A world whose folder is the working directory, so that whatever is made by name lies there."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(chdir(folder))
        reader = stack.enter_context(closing(Reader(LIMITS)))
        logged = stack.enter_context(capture_logs())
        listens, calls = stack.enter_context(nobody_is_called())
        here = stack.enter_context(closing(World(folder, reader, seed, **told)))
        here.listens = listens
        yield here, logged
        if calls:
            here.figures.wrong.append("a document called home")
        strange = {path.name for path in folder.rglob("*")} - _OURS
        if {name for name in strange if not name.startswith("ledger.sqlite")}:
            here.figures.wrong.append("a file lies there that nobody asked for")


_OURS = frozenset({"Need to Know.xlsx", ".Need to Know.xlsx.lock"})


def campaign(mails: int, seed: int) -> Figures:
    """So many hostile mails of every kind, one after the other, with a genuine alert after each few."""
    with world(seed) as (here, logged):
        here.genuine_alert()
        here.works()
        for number in range(mails):
            make = KINDS[number % len(KINDS)]
            here.suffers(make(here.dice, f"{seed}-{number}", here.known()))
            if number % ANSWERED_EVERY == ANSWERED_EVERY - 1:
                here.genuine_alert()
                here.is_answered()
        here.works()
        return here.look(logged)


def loops(seed: int, turns: int = 20) -> Figures:
    """Every letter is answered by a machine, and comes back: no letter is ever written about one."""
    with world(seed) as (here, logged):
        here.genuine_alert()
        here.works()
        first = len(here.mailbox.sent)
        for turn in range(turns):
            for number, letter in enumerate(here.mailbox.sent):
                here.suffers(_by_machine(letter, f"loop-{turn}-{number}"))
                here.suffers(_sent_back(letter, f"back-{turn}-{number}"))
            here.works()
        if len(here.mailbox.sent) != first:
            here.figures.wrong.append(f"{len(here.mailbox.sent) - first} letters were written about letters")
        return here.look(logged)


def _by_machine(letter: OutgoingLetter, number: str) -> Hostile:
    headers = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}
    subject = f"Automatic reply: {letter.subject}"
    answer = written(number, subject, sender=letter.to, text=letter.text, headers=headers)
    return Hostile("answered by a machine", answer)


def _sent_back(letter: OutgoingLetter, number: str) -> Hostile:
    return Hostile(
        "our own letter comes back", written(number, letter.subject, sender=INBOX, text=letter.text)
    )


def flood(mails: int, seed: int) -> Figures:
    """So many mails at once, most of them about alerts that do not exist; then colleagues' alerts."""
    with world(seed, ceilings=True) as (here, logged):
        here.genuine_alert()
        here.works()
        for number in range(mails):
            hostile = _of_a_flood(here.dice, f"flood-{number}")
            here.figures.met[hostile.kind] += 1
            here._proven[here.mailbox.deliver(hostile.content, here.now)] = False
        began, busy = time.monotonic(), time.process_time()
        here.works()
        took, worked = time.monotonic() - began, time.process_time() - busy
        began, busy = time.monotonic(), time.process_time()
        for _ in range(5):
            here.genuine_alert()
        here.works()
        later, then = time.monotonic() - began, time.process_time() - busy
        rows = len(here.desk.ledger.alerts())
        figures = here.look(logged)
        posted = sum(letter.state is LetterState.POSTED for letter in here.desk.ledger.letters())
        resting = here.desk.ledger.pause().since is not None
        if not resting and posted > here.desk.agent.limits.letters_per_hour:
            figures.wrong.append("the letters' breaker did not hold")
        figures.lines += (
            f"{mails} mails at once: {took:.0f} s for every step, {worked:.0f} s of processor",
            f"then five genuine alerts and every step again: {later:.0f} s, {then:.0f} s of processor",
            f"{rows} rows; {posted} letters out; the rest {'waits for a person' if resting else 'goes on'}",
        )
        return figures


def _of_a_flood(dice: random.Random, number: str) -> Hostile:
    sender = dice.choice((STRANGER, f"{dice.randrange(10**6)}@elsewhere.example", *VICTIMS, ROBOT))
    stamp = {"Authentication-Results": "spf=fail; dmarc=fail; compauth=fail reason=000"}
    headers = {} if sender.endswith("elsewhere.example") or sender == ROBOT else stamp
    kind = dice.choice(("no form", "no form", "not about an alert", "a form", "an automatic reply"))
    if sender == ROBOT or kind == "an automatic reply":
        return Hostile(
            "flood: automatic replies",
            written(
                number,
                f"Automatic reply: {MARK}",
                sender=sender,
                headers=headers | {"Auto-Submitted": "auto-replied"},
            ),
        )
    if kind == "a form":
        content = alert_form(f"{MARK} {_name(dice.randrange(10**6))}", summary=dice.choice(INJECTED[:6]))
        return Hostile(
            "flood: forms", written(number, files=[("SLA.docx", content)], sender=sender, headers=headers)
        )
    subject = SUBJECT if kind == "no form" else f"{MARK} wins a prize"
    return Hostile(f"flood: {kind}", written(number, subject, sender=sender, headers=headers))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=1_500)
    parser.add_argument("--flood", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    wrong = 0
    for name, figures in (
        ("hostile", campaign(told.mails, told.seed)),
        ("loops", loops(told.seed)),
        ("flood", flood(told.flood, told.seed)),
    ):
        wrong += len(figures.wrong)
        print(f"{name}: {sum(figures.met.values())} mails, seed {told.seed}", end="; ")
        print(f"{figures.genuine} genuine alerts opened at once; {figures.letters} letters sent")
        for kind, times in sorted(figures.met.items()):
            slowest = f"slowest {figures.slowest[kind]:.1f} s" if kind in figures.slowest else ""
            print(f"  {times:>6}  {kind:34} {slowest}")
        print(
            "  became:", ", ".join(f"{times} {outcome}" for outcome, times in figures.outcomes.most_common())
        )
        for line in (*figures.lines, *(f"WRONG: {sentence}" for sentence in figures.wrong)):
            print(f"  {line}")
    own, children = (
        resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        f"peak memory: {own} MB the agent and this campaign, {children} MB the process that reads documents"
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
