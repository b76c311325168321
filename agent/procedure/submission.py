"""What one mail brings: a first form, an update, a claim of conclusion, a reply, or nothing of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from agent.procedure.reply import NOTHING, Proposal
from agent.procedure.words import Kind, Moment


@lru_cache(maxsize=65536)
def _digits(number: str) -> str:
    return re.sub(r"\D", "", number).lstrip("0") or number.strip().lower()


@dataclass(frozen=True, slots=True)
class Child:
    """A child a form is about. Any part may be unknown: never guessed, "" or None.

    `formerly` is how forms told of the child before a person put it right: others may go on to do so.
    """

    name: str
    dob: date | None = None
    system_id: str = ""
    formerly: tuple[Child, ...] = ()

    @property
    def number(self) -> str:
        """The number as it is compared: by its digits, where it has any."""
        return _digits(self.system_id)


@dataclass(frozen=True)
class Update:
    """One row of a form's updates table (NCT 6.3: dated, with Manager and reviewing Strategic Manager)."""

    date: date | None
    text: str = field(repr=False)
    manager: str = ""
    reviewer: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One row of a form's list of actions: what is to be done, by whom and when, and whether it is done."""

    text: str = field(repr=False)
    owner: str = field(default="", repr=False)
    due: date | None = None
    done: bool = False


@dataclass(frozen=True)
class Conclusion:
    """A filled-in conclusion section: a claim until a person confirms it (NCT 6.2, 6.3)."""

    text: str = field(repr=False)
    date: date | None = None


@dataclass(frozen=True)
class Submission:
    """One mail's news, in the procedure's words.

    `values` are the single values of the form by canonical name (FORMS 2.1: author, reviewer,
    area, summary…), as text. `doubts` are codes of what stops the agent from acting by itself
    (`name_mismatch`, `unreadable`, `macro_file`…); each becomes a question. `findings` are codes
    of departures from the procedure; they never stop anything. `references` are this procedure's
    own references found in subject or text. `answers` are the Internet-Message-IDs replied to.
    `author_address` is whom to write to about the form (its author, where the roster knows them, else
    who sent it). `claims` is the kind that the subject tells, for a reply and for an unreadable form.
    `because` says in a few words each by what signs a mail that no person wrote was known.
    `proposal` is what a reply suggests, for people to decide.
    `of_ours` tells that what came back from `bounced_address` is a letter of the agent's.
    `deputy` is who stands in for a sender that is `away_until` a day, as they wrote it.
    """

    kind: Kind
    message_id: str
    sender: str
    received_at: datetime
    form: str | None = None
    document_sha256: str | None = None
    references: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    children: tuple[Child, ...] = ()
    values: dict[str, str] = field(default_factory=dict, repr=False)
    incident_at: Moment | None = None
    aware_at: Moment | None = None
    form_date: Moment | None = None
    missing_since: Moment | None = None
    returned_at: Moment | None = None
    next_update_due: date | None = None
    categories: tuple[str, ...] = ()
    updates: tuple[Update, ...] = ()
    actions: tuple[Action, ...] = ()
    conclusion: Conclusion | None = None
    away_until: date | None = None
    deputy: str = ""
    bounced_address: str | None = None
    of_ours: bool = False
    findings: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    reason: str = ""
    author_address: str = ""
    claims: Kind | None = None
    because: tuple[str, ...] = ()
    proposal: Proposal = NOTHING
