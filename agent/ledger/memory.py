"""The simplest ledger that keeps every promise: it lives as long as the process.

A page works on a copy of the desk's state, and the copy takes the state's place when the page ends well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from agent.errors import TryAgainLater
from agent.ledger import chain
from agent.ledger.base import (
    GONE,
    KEPT_BY_ANOTHER,
    REGISTER,
    UNDER_WAY,
    HandledMail,
    Letter,
    LetterState,
    NotedMail,
    OpenQuestion,
    Reason,
    Seen,
    SheetState,
    in_order_received,
    next_reference,
    outlived,
)
from agent.ledger.chain import Link
from agent.procedure.alert import fold
from agent.procedure.alerts import Alerts
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.kept import Kept, kept_of
from agent.procedure.pause import Pause, pause_of
from agent.procedure.reach import Unreached, unreached_of
from agent.procedure.swept import Swept, swept_of
from agent.procedure.words import Happened


@dataclass
class State:
    """All that is known of one desk. Values are frozen, so that copying the collections is enough."""

    began_at: datetime | None = None
    lines: list[Link] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    noted: dict[str, NotedMail] = field(default_factory=dict)
    handled: dict[str, HandledMail] = field(default_factory=dict)
    questions: list[OpenQuestion] = field(default_factory=list)
    letters: dict[str, Letter] = field(default_factory=dict)
    sheets: dict[str, SheetState] = field(default_factory=dict)

    def copy(self) -> State:
        return replace(
            self,
            lines=list(self.lines),
            cursors=dict(self.cursors),
            noted=dict(self.noted),
            handled=dict(self.handled),
            questions=list(self.questions),
            letters=dict(self.letters),
            sheets=dict(self.sheets),
        )

    def letter_for(self, reason: Reason) -> str | None:
        return next(
            (
                letter.key
                for letter in self.letters.values()
                if reason in letter.reasons and letter.state is not LetterState.WITHDRAWN
            ),
            None,
        )


class MemoryLedger:
    """`Ledger` in memory."""

    def __init__(self) -> None:
        self._desks: dict[str, MemoryDesk] = {}
        self._claims: dict[str, tuple[str, float]] = {}
        self._claiming = threading.Lock()

    def desk(self, name: str) -> MemoryDesk:
        return self._desks.setdefault(name, MemoryDesk(name))

    def claim(self, desk: str, owner: str, seconds: float) -> bool:
        with self._claiming:
            now = time.monotonic()
            holder, until = self._claims.get(desk, (owner, now))
            if holder != owner and until > now:
                return False
            self._claims[desk] = (owner, now + seconds)
            return True

    def claim_each(self, desks: Iterable[str], owner: str, seconds: float) -> set[str]:
        return {desk for desk in desks if self.claim(desk, owner, seconds)}

    def release(self, desk: str, owner: str) -> None:
        with self._claiming:
            if desk in self._claims and self._claims[desk][0] == owner:
                del self._claims[desk]

    def close(self) -> None:
        """Nothing to close: a ledger in memory is gone with its last user."""


class MemoryPage:
    """`Page` on a copy of the desk's state."""

    def __init__(self, desk: str, state: State) -> None:
        self._desk = desk
        self._state = state
        self._given: list[str] = []

    def record(self, entry: Entry) -> Entry:
        lines = self._state.lines
        link = chain.seal(self._desk, entry, len(lines) + 1, lines[-1].hash if lines else chain.START)
        line = link.entry
        if line.happened is Happened.OPENED and (not line.alert or line.alert in _opened(lines)):
            raise ValueError(
                f"An alert is opened once, under a reference of its own: not under {line.alert}."
            )
        lines.append(link)
        return line

    def new_reference(self, prefix: str, year: int) -> str:
        self._given.append(next_reference(prefix, year, [*_opened(self._state.lines), *self._given]))
        return self._given[-1]

    def handled(self, mail: HandledMail) -> None:
        self._state.noted.pop(mail.mail_id, None)
        self._state.handled[mail.mail_id] = mail

    def failed(self, mail_id: str) -> int:
        noted = self._state.noted.get(mail_id)
        if noted is None:
            raise LookupError(f"Mail {mail_id} does not wait on desk {self._desk}.")
        self._state.noted[mail_id] = replace(noted, tries=noted.tries + 1)
        return noted.tries + 1

    def ask(self, question: Question, at: datetime) -> int:
        for known in self._state.questions:
            if (known.question.code, known.question.message_id) == (question.code, question.message_id):
                return known.number
        number = len(self._state.questions) + 1
        self._state.questions.append(OpenQuestion(number, at, question))
        return number

    def answer(self, number: int, answer: str, at: datetime) -> None:
        self._asked(number, answer=answer, answered_at=at, acted_at=None, note="")

    def acted(self, number: int, at: datetime) -> None:
        self._asked(number, acted_at=at)

    def not_acted(self, number: int, note: str) -> None:
        self._asked(number, answered_at=None, note=note)

    def _asked(self, number: int, **now: Any) -> None:
        if not 1 <= number <= len(self._state.questions):
            raise LookupError(f"There is no question {number} on desk {self._desk}.")
        self._state.questions[number - 1] = replace(self._state.questions[number - 1], **now)

    def lay(self, letter: Letter) -> bool:
        reasons = tuple(dict.fromkeys(letter.reasons))
        if not reasons:
            raise ValueError(f"Letter {letter.key} does not say why it exists: it needs a reason.")
        if any(self._state.letter_for(reason) for reason in reasons):
            return False
        if letter.key in self._state.letters:
            raise ValueError(f"Letter {letter.key} exists already; another letter needs another key.")
        self._state.letters[letter.key] = replace(letter, reasons=reasons)
        return True

    def letter_moved(
        self,
        key: str,
        state: LetterState,
        at: datetime,
        *,
        draft_id: str | None = None,
        internet_message_id: str | None = None,
    ) -> None:
        letter = self._state.letters.get(key)
        if letter is None:
            raise LookupError(f"There is no letter {key} on desk {self._desk}.")
        if not letter.state.may_become(state):
            raise ValueError(f"Letter {key} is {letter.state.value} and cannot become {state.value}.")
        self._state.letters[key] = replace(
            letter,
            state=state,
            changed_at=at,
            draft_id=draft_id or letter.draft_id,
            internet_message_id=internet_message_id or letter.internet_message_id,
            sends=letter.sends + (state is LetterState.SENDING),
        )

    def wrote(
        self, sheet: SheetState, at: datetime, name: str = REGISTER, *, over: SheetState | None = None
    ) -> None:
        known = self._state.sheets.get(name, SheetState(None, (), {}))
        if over is not None and (known.version, known.marks) != (over.version, over.marks):
            raise TryAgainLater(KEPT_BY_ANOTHER)
        self._state.sheets[name] = sheet


class MemoryDesk:
    """`DeskLedger` of one desk."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._state = State()
        self._turn = threading.Lock()
        self._writer: int | None = None

    @property
    def desk(self) -> str:
        return self._name

    @contextmanager
    def page(self) -> Iterator[MemoryPage]:
        with self._writing() as state:
            yield MemoryPage(self._name, state)

    @contextmanager
    def _writing(self) -> Iterator[State]:
        if self._writer == threading.get_ident():
            raise RuntimeError("A page of the ledger is open in this thread already; end it first.")
        with self._turn:
            self._writer = threading.get_ident()
            try:
                state = self._state.copy()
                yield state
                self._state = state
            finally:
                self._writer = None

    def began_at(self) -> datetime | None:
        return self._state.began_at

    # mails

    def cursor(self, folder: str) -> str | None:
        return self._state.cursors.get(folder)

    def note(self, mails: Iterable[NotedMail], folder: str, cursor: str | None, at: datetime) -> int:
        with self._writing() as state:
            before = len(state.noted)
            for mail in mails:
                known = state.handled.get(mail.mail_id)
                if known is not None and known.outcome == GONE:
                    del state.handled[mail.mail_id]
                    known = None
                if known is None:
                    state.noted.setdefault(mail.mail_id, mail)
            state.began_at = state.began_at or at
            state.cursors.pop(folder, None)
            if cursor is not None:
                state.cursors[folder] = cursor
            return len(state.noted) - before

    def waiting(self) -> list[NotedMail]:
        return sorted(self._state.noted.values(), key=in_order_received)

    def seen(self, message_id: str, fingerprint: str) -> Seen:
        known = [mail.fingerprint for mail in self._state.handled.values() if mail.message_id == message_id]
        if not known:
            return Seen.NEVER
        return Seen.SAME if fingerprint in known else Seen.OTHER_CONTENT

    def handled_as(self, message_id: str) -> HandledMail | None:
        return next((mail for mail in self._state.handled.values() if mail.message_id == message_id), None)

    def to_file(self) -> list[HandledMail]:
        return [mail for mail in self._state.handled.values() if not mail.filed]

    def filed(self, mail_ids: Sequence[str]) -> None:
        with self._writing() as state:
            for mail_id in mail_ids:
                if mail_id in state.handled:
                    state.handled[mail_id] = replace(state.handled[mail_id], filed=True)

    def mails(self) -> list[HandledMail]:
        return sorted(self._state.handled.values(), key=in_order_received)

    def mails_named(self, names: Collection[str]) -> list[HandledMail]:
        return [mail for mail in self.mails() if mail.mail_id in names or mail.message_id in names]

    # alerts

    def alerts(self) -> Alerts:
        return Alerts(fold(self.entries()).values())

    def pause(self) -> Pause:
        return pause_of(self.entries())

    def unreached(self) -> Unreached:
        return unreached_of(self.entries())

    def kept(self) -> Kept:
        return kept_of(self.entries())

    def swept(self) -> Swept | None:
        return swept_of(self.entries())

    def entries(self, alert: str | None = None) -> list[Entry]:
        entries = (link.entry for link in self._state.lines)
        return [entry for entry in entries if alert is None or entry.alert == alert]

    def erase(self, alert: str, at: datetime, source: str) -> None:
        with self._writing() as state:
            _erase(state, alert, self._name)
            MemoryPage(self._name, state).record(Entry(Happened.ERASED, alert, at, source))

    def erase_before(self, before: datetime) -> int:
        with self._writing() as state:
            alerts = fold(link.entry for link in state.lines)
            keys, numbers = outlived(state.letters.values(), state.questions, alerts, before)
            _blank(state, keys, numbers)
        return len(keys) + len(numbers)

    def make_anew(self) -> None:
        pass  # nothing of it outlives the process

    def verify(self) -> list[str]:
        return chain.verify(self._state.lines)

    def mark(self) -> str:
        state = self._state
        asked = [
            (one.answered_at, one.acted_at, one.note, bool(one.question.seen)) for one in state.questions
        ]
        return str((len(state.lines), len(state.handled), asked))

    # questions, letters, register

    def questions(self, *, waiting_only: bool = True) -> list[OpenQuestion]:
        return [asked for asked in self._state.questions if not (waiting_only and asked.answered_at)]

    def to_act_on(self) -> list[OpenQuestion]:
        answered = (asked for asked in self._state.questions if asked.answered_at and not asked.acted_at)
        return [asked for asked in answered if asked.answer is not None]

    def letters(self, *states: LetterState, since: datetime | None = None) -> list[Letter]:
        wanted = [
            letter
            for letter in self._state.letters.values()
            if (not states or letter.state in states)
            and (since is None or (letter.changed_at or letter.laid_at) >= since)
        ]
        return sorted(wanted, key=lambda letter: letter.laid_at)

    def letter_for(self, reason: Reason) -> str | None:
        return self._state.letter_for(reason)

    def written_for(self, reasons: Collection[Reason]) -> set[Reason]:
        return {reason for reason in reasons if self._state.letter_for(reason)}

    def letter_by_message_id(self, internet_message_id: str) -> Letter | None:
        letters = (letter for letter in self.letters() if letter.internet_message_id == internet_message_id)
        return next(letters, None)

    def sheet(self, name: str = REGISTER) -> SheetState | None:
        return self._state.sheets.get(name)


def _opened(lines: Iterable[Link]) -> set[str]:
    entries = (link.entry for link in lines)
    return {entry.alert for entry in entries if entry.alert and entry.happened is Happened.OPENED}


def _erase(state: State, alert: str, desk: str) -> None:
    """Forget what is personal about an alert, unless something about it is still under way."""
    sources = {link.entry.source for link in state.lines if link.entry.alert == alert}
    if not sources:
        raise LookupError(f"There is no alert {alert} on desk {desk}.")
    letters = [
        letter for letter in state.letters.values() if any(reason.alert == alert for reason in letter.reasons)
    ]
    questions = [
        asked
        for asked in state.questions
        if alert in asked.question.candidates or asked.question.message_id in sources
    ]
    if any(letter.state in UNDER_WAY for letter in letters):
        raise TryAgainLater(
            f"A letter about {alert} is on its way: erase once it is posted, held or withdrawn."
        )
    if any(asked.answered_at is None for asked in questions):
        raise TryAgainLater(f"A question about {alert} waits for an answer: erase once a person answered it.")
    _blank(state, [letter.key for letter in letters], [asked.number for asked in questions])
    state.lines[:] = [
        replace(link, salt=None, entry=replace(link.entry, content=None))
        if link.entry.alert == alert
        else link
        for link in state.lines
    ]


def _blank(state: State, keys: Iterable[str], numbers: Iterable[int]) -> None:
    """Forget what these letters and questions said."""
    for key in keys:
        state.letters[key] = replace(state.letters[key], to="", text="", html="", pictures=(), attachments=())
    for number in numbers:
        asked = state.questions[number - 1]
        blank = replace(asked.question, seen={})
        state.questions[number - 1] = replace(asked, question=blank, answer=None)
