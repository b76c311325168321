"""What happens in a story: events in order of time, and how every alert must stand at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from agent.procedure.people import Person
from agent.sandbox.story_data import DeskTold, ExpectedOfAlert, ExpectedOfMail, Layout


@dataclass(frozen=True)
class FormAttached:
    """A form as it stood when the mail was written; `damaged` when the file arrived cut short."""

    form: str
    file: str
    layout: Layout
    values: Mapping[str, str] = field(repr=False)
    tables: Mapping[str, tuple[Mapping[str, str], ...]] = field(repr=False)
    ticked: tuple[str, ...]
    damaged: bool = False


@dataclass(frozen=True)
class FileAttached:
    """Any other document."""

    file: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class MailAttached:
    """A whole mail inside a mail."""

    mail: MailArrives


Attached = FormAttached | FileAttached | MailAttached


@dataclass(frozen=True)
class MailArrives:
    """A mail comes in. `sender`, `to` and `cc` are (name, address); `answers` the Message-ID replied to.

    Subject and text may hold `{reference of LABEL}`: the reference that the alert has by then.
    """

    at: datetime
    label: str
    message_id: str
    sender: tuple[str, str]
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...]
    subject: str
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    attached: tuple[Attached, ...] = ()
    answers: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    expected: ExpectedOfMail = field(default_factory=ExpectedOfMail)


@dataclass(frozen=True)
class PersonTypes:
    """Somebody types into the register's row of an alert and saves."""

    at: datetime
    who: Person
    alert: str
    cells: Mapping[str, str]
    new_column: bool
    tags: tuple[str, ...]


@dataclass(frozen=True)
class PersonOpens:
    """Somebody opens the register in Excel."""

    at: datetime
    who: Person


@dataclass(frozen=True)
class PersonCloses:
    """They close it again."""

    at: datetime
    who: Person


@dataclass(frozen=True)
class AuthorAnswersChase:
    """An author answers the latest letter in their mailbox, which asks about `alert`."""

    at: datetime
    who: Person
    alert: str
    message_id: str
    text: str = field(repr=False)
    attached: tuple[Attached, ...]
    expected: ExpectedOfMail


@dataclass(frozen=True)
class MailboxAnswersItself:
    """From now on until `until`, somebody's mailbox answers by itself."""

    at: datetime
    who: Person
    until: datetime
    text: str = field(repr=False)


@dataclass(frozen=True)
class MailboxCloses:
    """Somebody has left; what is sent to them from now on cannot be delivered."""

    at: datetime
    who: Person


Event = (
    MailArrives
    | PersonTypes
    | PersonOpens
    | PersonCloses
    | AuthorAnswersChase
    | MailboxAnswersItself
    | MailboxCloses
)


@dataclass(frozen=True)
class Alert:
    """What the story says of one alert: in a sentence, and how it must stand at the end."""

    label: str
    about: str
    form: str
    children: tuple[str, ...]
    expected: ExpectedOfAlert


@dataclass(frozen=True)
class Story:
    """`events` are in order of time. `people` are all who have a mailbox, by key; `roster` those who hold
    roles at the desk."""

    title: str
    start: date
    days: int
    zone: ZoneInfo
    desk: DeskTold
    people: Mapping[str, Person]
    alerts: Mapping[str, Alert]
    events: tuple[Event, ...]

    @property
    def roster(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people.values() if person.roles)

    @property
    def mails(self) -> tuple[MailArrives, ...]:
        return tuple(event for event in self.events if isinstance(event, MailArrives))
