"""What every ledger promises: the original record of what happened, never changed, only added to.

A ledger serves many desks; a `DeskLedger` sees its own desk and nothing else. Whatever belongs together
is written inside `with ledger.page() as page:`, together or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from agent.procedure.alert import Alert
from agent.procedure.alerts import Alerts
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.kept import Kept
from agent.procedure.pause import Pause
from agent.procedure.reach import Unreached
from agent.procedure.swept import Swept


class Seen(StrEnum):
    """Whether a mail was dealt with before, by Internet-Message-ID and fingerprint together."""

    NEVER = "never"
    SAME = "same"
    OTHER_CONTENT = "other_content"  # the same id with other content: a question, not a duplicate


@dataclass(frozen=True)
class NotedMail:
    """A mail the mailbox told of, to be looked at. `tries` counts failed attempts so far."""

    mail_id: str
    received_at: datetime
    tries: int = 0


GONE = "gone"  # the outcome of a mail that was not there any more when it was to be read


@dataclass(frozen=True, slots=True)
class HandledMail:
    """A mail that was dealt with. `outcome` is a code, `folder` the path it belongs in.

    `message_id` and `fingerprint` are None only where the mail could not be read.
    """

    mail_id: str
    message_id: str | None
    fingerprint: str | None
    received_at: datetime
    outcome: str
    folder: tuple[str, ...]
    categories: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    filed: bool = False


def in_order_received(mail: NotedMail | HandledMail) -> tuple[datetime, str]:
    """By what mails are sorted."""
    return mail.received_at, mail.mail_id


class LetterState(StrEnum):
    """Where a letter is on its way. Only ever moves forward, except SENDING → DRAFTED when the mailbox
    certainly refused, and HELD → IN_TRAY when a person lets it go again. A WITHDRAWN letter never went out,
    and its reasons may be used again; one that a person DROPPED never will, and they may not."""

    IN_TRAY = "in_tray"
    DRAFTED = "drafted"
    SENDING = "sending"  # send was asked for; the outcome is not known until somebody looked
    POSTED = "posted"
    WITHDRAWN = "withdrawn"  # overtaken by news before it went out
    HELD = "held"  # refused for good: waits for a person
    DROPPED = "dropped"  # held, and a person said that nobody needs it any more

    def may_become(self, after: LetterState) -> bool:
        """Whether a letter may take this step. Drafting anew and sending anew are steps, too."""
        return after in _STEPS[self]


_ON = frozenset({LetterState.DRAFTED, LetterState.SENDING, LetterState.POSTED, LetterState.HELD})
_STEPS: Mapping[LetterState, frozenset[LetterState]] = {
    LetterState.IN_TRAY: _ON | {LetterState.WITHDRAWN},
    LetterState.DRAFTED: _ON | {LetterState.WITHDRAWN},
    LetterState.SENDING: _ON,
    LetterState.POSTED: frozenset(),
    LetterState.WITHDRAWN: frozenset(),
    LetterState.HELD: frozenset({LetterState.IN_TRAY, LetterState.DROPPED}),
    LetterState.DROPPED: frozenset(),
}


UNDER_WAY = (LetterState.IN_TRAY, LetterState.DRAFTED, LetterState.SENDING)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a letter exists: unique for (alert, rule, due), also when one letter gathers several.

    `alert` is "" for a letter about the whole desk (the digest).
    """

    alert: str
    rule: str
    due: date


@dataclass(frozen=True)
class Letter:
    """A letter in the tray: frozen text under an opaque key. `kind` is the template's name.

    `to`, `text`, `html`, `pictures` and `attachments` are personal, and empty once they were erased.
    """

    key: str
    kind: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    laid_at: datetime
    reasons: tuple[Reason, ...]
    state: LetterState = LetterState.IN_TRAY
    draft_id: str | None = None
    internet_message_id: str | None = None
    changed_at: datetime | None = None
    sends: int = 0
    pictures: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    attachments: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class OpenQuestion:
    """A question for a person. What was `seen` and the `answer` are personal: once they were erased,
    the one is empty and the other None, while `answered_at` stays.

    It waits until somebody answers, and is closed once the agent has acted on that (`acted_at`). An answer
    that could not be acted on is kept with a `note` why, nothing personal, and the question waits again.
    """

    number: int
    asked_at: datetime
    question: Question
    answer: str | None = None
    answered_at: datetime | None = None
    acted_at: datetime | None = None
    note: str = ""

    @property
    def erased(self) -> bool:
        return self.answered_at is not None and self.answer is None


KEPT_BY_ANOTHER = "Another agent kept the register meanwhile; what it holds now is looked at afresh."
REGISTER = "register"  # the table of alerts, among the sheets that the agent remembers


@dataclass(frozen=True)
class SheetState:
    """A sheet as the agent last wrote it: its version, and what it put into which cell.

    `rows` maps a row's key to what stood in its row, by column heading, right after writing; `intended`
    are cells that the agent was about to write on top of that, kept before it does: should the answer
    be lost, they are still known to be the agent's own and no person's. `marks` are those that the
    workbook may carry, if it is no older copy: as it was seen last, and as it was about to be written.
    """

    version: str | None
    headings: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str]] = field(repr=False)
    intended: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    marks: tuple[str, ...] = ()


class Page(Protocol):
    """One transaction on a desk's ledger."""

    def record(self, entry: Entry) -> Entry:
        """Add a line; gives it back with its number.

        ValueError when it opens an alert a second time or without a reference, or has no time zone.
        """
        ...

    def new_reference(self, prefix: str, year: int) -> str:
        """The next free reference (`SLA-2026-0042`), another one at each call within this page.

        It is taken for good once an OPENED entry carries it, and never given again.
        """
        ...

    def handled(self, mail: HandledMail) -> None:
        """The mail is dealt with; it no longer waits. Filing it in the mailbox comes after.

        Told again of the same mail (a person answered), the last word stands, and is filed afresh.
        """
        ...

    def failed(self, mail_id: str) -> int:
        """One more failed attempt at a noted mail; gives how many there were. LookupError when it does
        not wait."""
        ...

    def ask(self, question: Question, at: datetime) -> int:
        """Put a question; gives its number. The same code on the same mail is asked once."""
        ...

    def answer(self, number: int, answer: str, at: datetime) -> None:
        """A person answered; the last word stands, and is to be acted on. LookupError when there is no such
        question."""
        ...

    def acted(self, number: int, at: datetime) -> None:
        """What was answered has been acted on: the question is closed. LookupError as above."""
        ...

    def not_acted(self, number: int, note: str) -> None:
        """What was answered cannot be acted on, as the note says: the question waits again. LookupError as
        above."""
        ...

    def lay(self, letter: Letter) -> bool:
        """Lay a letter in the tray unless one of its reasons already has one; True when laid.

        Reasons that already have a letter make the whole letter superfluous: nothing is laid.
        ValueError for a letter without a reason, or with the key of another letter.
        """
        ...

    def letter_moved(
        self,
        key: str,
        state: LetterState,
        at: datetime,
        *,
        draft_id: str | None = None,
        internet_message_id: str | None = None,
    ) -> None:
        """A letter went one step further. Moving to SENDING counts one more send.

        What is not told (None) stays as it was. ValueError for a step that `may_become` does not
        allow, LookupError when there is no such letter.
        """
        ...

    def wrote(
        self, sheet: SheetState, at: datetime, name: str = REGISTER, *, over: SheetState | None = None
    ) -> None:
        """The sheet of this name now stands as told; replaces what was known of it.

        With `over`, TryAgainLater when something else is known by now (told by version and marks): another
        agent was at work, and this one may have slept.
        """
        ...


class DeskLedger(Protocol):
    """The ledger of one desk. Reading methods see what is committed."""

    @property
    def desk(self) -> str: ...

    def page(self) -> AbstractContextManager[Page]:
        """A transaction: all of it is kept when the block ends well, nothing when it does not.

        One thread holds one page at a time (RuntimeError otherwise); others wait for their turn.
        TryAgainLater or NeedsAPerson when the ledger cannot be written; then nothing was kept.
        """
        ...

    def began_at(self) -> datetime | None:
        """When this desk first noted a page of changes: nobody is chased for what lies before that."""
        ...

    # mails

    def cursor(self, folder: str) -> str | None: ...

    def note(self, mails: Iterable[NotedMail], folder: str, cursor: str | None, at: datetime) -> int:
        """Keep every mail of a page of changes together with the next cursor, in one transaction.

        Mails already noted or handled (by mail id) are not noted again, unless they were GONE: told of
        once more, they are there after all, and have to be read. Gives how many were new.
        A cursor of None forgets the old one (a full round comes next). The first `at` ever told is
        when the desk began.
        """
        ...

    def waiting(self) -> list[NotedMail]:
        """Mails noted and not handled, in the order received (ties by mail id)."""
        ...

    def seen(self, message_id: str, fingerprint: str) -> Seen: ...

    def handled_as(self, message_id: str) -> HandledMail | None:
        """How the mail that was first dealt with under this Internet-Message-ID was dealt with."""
        ...

    def to_file(self) -> list[HandledMail]:
        """Mails handled and not yet filed in the mailbox."""
        ...

    def filed(self, mail_ids: Sequence[str]) -> None: ...

    def mails(self) -> list[HandledMail]:
        """Every mail dealt with, in the order received."""
        ...

    def mails_named(self, names: Collection[str]) -> list[HandledMail]:
        """The mails dealt with that carry one of these ids, the mailbox's or an Internet-Message-ID, in the
        order received. Costs what is found."""
        ...

    # alerts

    def alerts(self) -> Alerts:
        """Every alert of the desk, by reference, as its entries tell by now: those that come later do not
        change what was given. Costs what changed since."""
        ...

    def pause(self) -> Pause:
        """Whether the desk's letters may go. Costs what changed since."""
        ...

    def unreached(self) -> Unreached:
        """Which addresses letters of this desk cannot reach. Costs what changed since."""
        ...

    def kept(self) -> Kept:
        """How the desk's workbooks are kept. Costs what changed since."""
        ...

    def swept(self) -> Swept | None:
        """What the last comparison with the mailbox found. Costs what changed since."""
        ...

    def entries(self, alert: str | None = None) -> list[Entry]:
        """Lines in order; all of the desk, or of one alert."""
        ...

    def erase(self, alert: str, at: datetime, source: str) -> None:
        """Erase for good what is personal about one alert: in its lines, its letters and its questions.

        What happened and when stays, with one more line saying that it was erased and at whose word
        (`source`: a rule or a command, no name). A letter that gathered several alerts, or a question
        that names several, goes for all of them. What the agent knows of the register follows when
        bookkeeping next writes it. LookupError when there is no such alert; TryAgainLater while one of
        its letters is on its way or one of its questions waits for an answer: nothing was erased then.
        """
        ...

    def erase_before(self, before: datetime) -> int:
        """Erase for good what is personal in closed questions and ended letters older than `before`, unless
        they are about an alert that is not erased. Gives how many that was.

        What they were about and when stays, as with `erase`. Lines about no alert hold nothing personal.
        """
        ...

    def make_anew(self) -> None:
        """To be called once when all is erased that is to be: no copy of it is left in the ledger's file
        then, not even where nothing reads it. Takes some seconds for a gigabyte; on a server, its own upkeep
        does that. TryAgainLater or NeedsAPerson where it cannot be done now.
        """
        ...

    def verify(self) -> list[str]:
        """Where lines were changed, taken out or put in since they were written: a sentence for each
        place, empty when the chain of this desk is whole."""
        ...

    def mark(self) -> str:
        """Another one after every line, mail dealt with, question, answer and erasure: while it is the same,
        so is what the ledger says of alerts, mails and questions. Costs the same however long the record."""
        ...

    # questions, letters, register

    def questions(self, *, waiting_only: bool = True) -> list[OpenQuestion]: ...

    def to_act_on(self) -> list[OpenQuestion]:
        """Questions that were answered, and not acted on since; none whose answer was erased."""
        ...

    def letters(self, *states: LetterState, since: datetime | None = None) -> list[Letter]:
        """Letters in these states (all when none is named), oldest first; with `since`, only those laid
        or moved at that time or later."""
        ...

    def letter_for(self, reason: Reason) -> str | None:
        """The key of the letter that exists for this reason."""
        ...

    def written_for(self, reasons: Collection[Reason]) -> set[Reason]:
        """Those of `reasons` for which a letter exists, asked for all at once."""
        ...

    def letter_by_message_id(self, internet_message_id: str) -> Letter | None:
        """The letter sent under this Internet-Message-ID, also while its posting is still in doubt: how
        replies and bounces are matched."""
        ...

    def sheet(self, name: str = REGISTER) -> SheetState | None: ...


class Ledger(Protocol):
    """The whole ledger."""

    def desk(self, name: str) -> DeskLedger: ...

    def claim(self, desk: str, owner: str, seconds: float) -> bool:
        """Hold the desk for `seconds` from now on. False while another owner's hold has not run out.

        The owner's own hold is taken again from now on. Counted by the ledger's own clock, which is one
        for all who share it: the clocks of their machines may differ.
        """
        ...

    def claim_each(self, desks: Iterable[str], owner: str, seconds: float) -> set[str]:
        """As `claim`, for each of these desks, in one transaction; gives those that are now held."""
        ...

    def release(self, desk: str, owner: str) -> None:
        """Give the desk up; nothing happens when somebody else holds it."""
        ...

    def close(self) -> None: ...


def outlived(
    letters: Iterable[Letter],
    questions: Iterable[OpenQuestion],
    alerts: Mapping[str, Alert],
    before: datetime,
) -> tuple[list[str], list[int]]:
    """The letters (by key) and the questions (by number) whose content `erase_before` is to erase."""
    kept = {reference: alert for reference, alert in alerts.items() if not alert.erased}
    mails = {mail for alert in kept.values() for mail in alert.mails}
    keys = [
        letter.key
        for letter in letters
        if letter.to
        and letter.state not in UNDER_WAY
        and (letter.changed_at or letter.laid_at) < before
        and not any(reason.alert in kept for reason in letter.reasons)
    ]
    numbers = [
        asked.number
        for asked in questions
        if (asked.question.seen or asked.answer is not None)
        and asked.acted_at is not None
        and asked.acted_at < before
        and asked.question.message_id not in mails
        and kept.keys().isdisjoint(asked.question.candidates)
    ]
    return keys, numbers


def next_reference(prefix: str, year: int, taken: Iterable[str]) -> str:
    """The reference after the highest of those taken; numbers are not filled up, and grow beyond 9999."""
    stem = f"{prefix}-{year}-"
    numbers = (reference.removeprefix(stem) for reference in taken if reference.startswith(stem))
    highest = max((int(number) for number in numbers if number.isdecimal() and number.isascii()), default=0)
    return f"{stem}{highest + 1:04d}"
