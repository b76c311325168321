"""The story's files as they stand: TOML tables as types, every mistake a sentence."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from agent.procedure.rules import Told
from agent.procedure.words import Happened, Status

T = TypeVar("T")
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
Layout = Literal["controls", "table", "paragraphs"]


@dataclass(frozen=True)
class PersonTold(Told):
    """Somebody of the story. Without an `address` it is made of the name and the desk's domain."""

    name: str
    job: str = ""
    roles: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class DeskTold(Told):
    """The desk that the story plays at: its mailbox and what that is called in address books, its
    addresses, and where its register lies."""

    mailbox: str
    name: str
    domain: str
    site_host: str
    site_path: str
    site_name: str
    register: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoryTold(Told):
    """`story.toml`."""

    title: str
    start: date
    days: int
    desk: DeskTold
    people: dict[str, PersonTold]
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    zone: str = "Europe/London"


@dataclass(frozen=True)
class UpdateTold(Told):
    """One row of a form's updates, and the answers that changed together with it."""

    date: str
    text: str
    manager: str
    reviewer: str
    also: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExpectedOfAlert(Told):
    """How an alert must stand in the register at the end.

    Any of `status` is right; `chased` is None where either is; `cells` are cells by column heading.
    """

    status: tuple[Status, ...]
    updates: int
    children: int
    chased: bool | None = None
    cells: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AlertTold(Told):
    """One matter: its form as first sent, and what was added to it.

    Without a `form` the matter was never told in one that can be read; without anything `expected`
    it is no alert of its own.
    """

    about: str
    form: str = ""
    values: dict[str, str] = field(default_factory=dict)
    children: tuple[dict[str, str], ...] = ()
    ticked: tuple[str, ...] = ()
    layout: Layout = "controls"
    updates: tuple[UpdateTold, ...] = ()
    conclusion: dict[str, str] = field(default_factory=dict)
    expected: ExpectedOfAlert | None = None


@dataclass(frozen=True)
class AlertsTold(Told):
    """`alerts.toml`."""

    alerts: dict[str, AlertTold]


@dataclass(frozen=True)
class AttachTold(Told):
    """An attachment: a `form` as it stood after so many `updates`, another `mail`, or a `file`."""

    file: str = ""
    form: str = ""
    updates: int = 0
    concluded: bool = False
    damaged: bool = False
    mail: str = ""
    media_type: str = "application/octet-stream"
    base64: str = ""
    password: bool = False


@dataclass(frozen=True)
class ExpectedOfMail(Told):
    """What must have become of a mail: the entries it left, on which alert, or that a person is asked."""

    happened: tuple[Happened, ...] = ()
    alert: str = ""
    question: bool = False


@dataclass(frozen=True)
class MailTold(Told):
    """A mail. `sender`, `to` and `cc` name people, groups, "desk", or strangers as `Name <address>`."""

    id: str
    at: datetime
    sender: Annotated[str, Field(alias="from")]
    subject: str
    text: str
    to: tuple[str, ...] | None = None
    cc: tuple[str, ...] | None = None
    html: str = ""
    attach: tuple[AttachTold, ...] = ()
    answers: str = ""
    only_inside: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    expected: ExpectedOfMail = field(default_factory=ExpectedOfMail)


@dataclass(frozen=True)
class TypesTold(Told):
    """Somebody types into the register; `new_column` when the heading is one of their own making."""

    at: datetime
    who: str
    alert: str
    cells: dict[str, str]
    new_column: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpensTold(Told):
    """Somebody has the register open in Excel until they close it."""

    at: datetime
    who: str
    until: datetime


@dataclass(frozen=True)
class AnswersTold(Told):
    """An author answers the latest letter that lies in their mailbox."""

    at: datetime
    who: str
    alert: str
    text: str
    attach: tuple[AttachTold, ...] = ()
    expected: ExpectedOfMail = field(default_factory=ExpectedOfMail)


@dataclass(frozen=True)
class AwayTold(Told):
    """Somebody's mailbox answers by itself until they are back."""

    at: datetime
    who: str
    until: datetime
    text: str


@dataclass(frozen=True)
class LeaverTold(Told):
    """Somebody leaves, and their mailbox with them."""

    at: datetime
    who: str


@dataclass(frozen=True)
class WeekTold(Told):
    """`week_N.toml`: what happens."""

    mails: tuple[MailTold, ...] = ()
    people_type: tuple[TypesTold, ...] = ()
    people_open: tuple[OpensTold, ...] = ()
    author_answers: tuple[AnswersTold, ...] = ()
    away: tuple[AwayTold, ...] = ()
    leavers: tuple[LeaverTold, ...] = ()


def read_toml(path: Path, into: type[T], problems: list[str]) -> T | None:
    """One file as `into`; None when it cannot be, with the reasons added to `problems`."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(into).validate_python(told)
    except FileNotFoundError:
        problems.append(f"{path.name} is missing in {path.parent}.")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        problems.append(f"{path.name} is not valid TOML: {wrong}.")
    except ValidationError as wrong:
        problems += [
            f"{path.name}: `{'.'.join(map(str, error['loc']))}`: {error['msg']}."
            for error in wrong.errors(include_input=False)
        ]
    return None
