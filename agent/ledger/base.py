"""What every ledger promises: the original record of what happened, never changed, only added to.

A ledger serves many desks; a `DeskLedger` sees its own desk and nothing else. Whatever belongs together
is written inside `with ledger.page() as page:`, together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from agent.procedure.alert import Alert
from agent.procedure.decision import Question
from agent.procedure.entry import Entry


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


@dataclass(frozen=True)
class HandledMail:
    """A mail that was dealt with. `outcome` is a code, `folder` the path it belongs in.

    `message_id` and `fingerprint` are None only where the mail was gone before it could be read.
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


class LetterState(StrEnum):
    """Where a letter is on its way. Only ever moves forward, except SENDING → DRAFTED when the mailbox
    certainly refused."""

    IN_TRAY = "in_tray"
    DRAFTED = "drafted"
    SENDING = "sending"  # send was asked for; the outcome is not known until somebody looked
    POSTED = "posted"
    HELD = "held"  # not to be sent (a mode, a ceiling, a person); stays visible


@dataclass(frozen=True)
class Reason:
    """Why a letter exists: unique for (alert, rule, due), also when one letter gathers several.

    `alert` is "" for a letter about the whole desk (the digest).
    """

    alert: str
    rule: str
    due: date


@dataclass(frozen=True)
class Letter:
    """A letter in the tray: frozen text under an opaque key. `kind` is the template's name."""

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


@dataclass(frozen=True)
class OpenQuestion:
    """A question waiting for a person. `seen` is personal and None once it was erased."""

    number: int
    asked_at: datetime
    question: Question
    answer: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True)
class SheetState:
    """The register as the agent last wrote it: its version, and what it put into which cell.

    `rows` maps a reference to what stood in its row, by column heading, right after writing.
    """

    version: str
    rows: Mapping[str, Mapping[str, str]] = field(repr=False)


class Page(Protocol):
    """One transaction on a desk's ledger."""

    def record(self, entry: Entry) -> Entry:
        """Add a line; gives it back with its number."""
        ...

    def handled(self, mail: HandledMail) -> None:
        """The mail is dealt with; it no longer waits. Filing it in the mailbox comes after."""
        ...

    def failed(self, mail_id: str) -> int:
        """One more failed attempt at a noted mail; gives how many there were."""
        ...

    def ask(self, question: Question, at: datetime) -> int:
        """Put a question; gives its number. The same code on the same mail is asked once."""
        ...

    def answer(self, number: int, answer: str, at: datetime) -> None:
        """A person answered."""
        ...

    def lay(self, letter: Letter) -> bool:
        """Lay a letter in the tray unless one of its reasons already has one; True when laid.

        Reasons that already have a letter make the whole letter superfluous: nothing is laid.
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
        """A letter went one step further. Moving to SENDING counts one more send."""
        ...

    def wrote(self, sheet: SheetState, at: datetime) -> None:
        """The register now stands as told; replaces what was known of it."""
        ...


class DeskLedger(Protocol):
    """The ledger of one desk. Reading methods see what is committed."""

    @property
    def desk(self) -> str: ...

    def page(self) -> AbstractContextManager[Page]:
        """A transaction: all of it is kept when the block ends well, nothing when it does not."""
        ...

    # mails

    def cursor(self, folder: str) -> str | None: ...

    def note(self, mails: Iterable[NotedMail], folder: str, cursor: str | None) -> int:
        """Keep every mail of a page of changes together with the next cursor, in one transaction.

        Mails already noted or handled (by mail id) are not noted again. Gives how many were new.
        A cursor of None forgets the old one (a full round comes next).
        """
        ...

    def waiting(self) -> list[NotedMail]:
        """Mails noted and not handled, in the order received (ties by mail id)."""
        ...

    def seen(self, message_id: str, fingerprint: str) -> Seen: ...

    def handled_as(self, message_id: str) -> HandledMail | None:
        """How the first mail with this Internet-Message-ID was dealt with."""
        ...

    def to_file(self) -> list[HandledMail]:
        """Mails handled and not yet filed in the mailbox."""
        ...

    def filed(self, mail_ids: Sequence[str]) -> None: ...

    def mails(self) -> list[HandledMail]:
        """Every mail dealt with, in the order received."""
        ...

    # alerts

    def new_reference(self, prefix: str, year: int) -> str:
        """The next free reference (`SLA-2026-0042`). It is taken once an OPENED entry carries it."""
        ...

    def alerts(self) -> Mapping[str, Alert]:
        """Every alert of the desk, by reference, as its entries tell. Costs what changed since."""
        ...

    def entries(self, alert: str | None = None) -> list[Entry]:
        """Lines in order; all of the desk, or of one alert."""
        ...

    # questions, letters, register

    def questions(self, *, waiting_only: bool = True) -> list[OpenQuestion]: ...

    def letters(self, *states: LetterState) -> list[Letter]:
        """Letters in these states (all when none is named), oldest first."""
        ...

    def letter_for(self, reason: Reason) -> str | None:
        """The key of the letter that exists for this reason."""
        ...

    def letter_by_message_id(self, internet_message_id: str) -> Letter | None:
        """The posted letter with this Internet-Message-ID: how replies and bounces are matched."""
        ...

    def sheet(self) -> SheetState | None: ...


class Ledger(Protocol):
    """The whole ledger."""

    def desk(self, name: str) -> DeskLedger: ...

    def claim(self, desk: str, owner: str, now: datetime, seconds: float) -> bool:
        """Hold the desk for `seconds` from `now`. False while another owner's hold has not run out."""
        ...

    def release(self, desk: str, owner: str) -> None: ...

    def close(self) -> None: ...
