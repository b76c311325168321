"""What can be set: an agent, its desks, and where each finds its mail, its register and its people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from agent.errors import WrongCall
from agent.forms.definition import FormDefinition
from agent.m365.clouds import CLOUDS, CloudName
from agent.procedure.people import DeskRoles, People, Person
from agent.procedure.rules import Procedure, Told
from agent.procedure.words import Place
from agent.procedure.working_days import Calendar

WAYS_TO_SIGN_IN = ("certificate", "managed_identity", "assertion_file", "secret_from")
ONE_WAY_TO_SIGN_IN = (
    "agent.toml: the agent needs one way to sign in. Give `tenant.certificate` (preferred on a machine "
    "of your own), `tenant.managed_identity`, `tenant.assertion_file` or `tenant.secret_from`."
)
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Tenant(Told):
    """Where Microsoft 365 is and how the agent signs in: by exactly one of `WAYS_TO_SIGN_IN`.

    `client` is the app registration's client id, or the managed identity's. Addresses that are left empty
    are those of the cloud. Once loaded, files named here lie where they say, or beside `agent.toml`.
    """

    id: str
    client: str
    certificate: str = ""
    managed_identity: Literal["", "system", "user"] = ""
    assertion_file: str = ""
    secret_from: str = ""
    cloud: CloudName = "worldwide"
    authority: str = ""
    graph: str = ""
    mail_link: str = ""
    ca_file: str = ""

    def __post_init__(self) -> None:
        for place, usual in CLOUDS[self.cloud]._asdict().items():
            object.__setattr__(self, place, getattr(self, place) or usual)

    @property
    def signs_in_by(self) -> tuple[str, ...]:
        """Which of `WAYS_TO_SIGN_IN` are told."""
        return tuple(way for way in WAYS_TO_SIGN_IN if getattr(self, way))


@dataclass(frozen=True)
class Timetable(Told):
    """How often each step is offered, in minutes, and when the mailbox is reconciled each night."""

    intake: int = 2
    bookkeeping: int = 5
    chasing: int = 15
    posting: int = 2
    reconcile_at: time = time(3, 30)


@dataclass(frozen=True)
class Limits(Told):
    """Ceilings that stop a storm of letters, and how long doubt is left to settle.

    When more than `letters_at_once` new ones wait on a desk, none goes until a person lets them.
    When people replaced entries in more rows of the register than `rows_at_once`, and than that share of all
    rows, between two rounds, a person is asked before any of it counts. Answered questions stay in the
    Questions sheet for `answered_days`.
    """

    letters_at_once: int = 40
    letters_per_hour: int = 60
    letters_per_day: int = 200
    letters_per_person_per_day: int = 1
    rows_at_once: int = 5
    rows_at_once_percent: int = 25
    answered_days: int = 14
    settle_minutes: int = 10
    tries: int = 5


@dataclass(frozen=True)
class Watched(Told):
    """How others see that the agent is well. `listen` ("127.0.0.1:9464") is where it answers; "" nowhere.

    `heartbeat` is asked for every `heartbeat_minutes`, as long as an audit finds nothing amiss: whoever
    waits for it there notices when it stays away.
    """

    listen: str = ""
    heartbeat: str = ""
    heartbeat_minutes: int = 5


@dataclass(frozen=True)
class AgentSettings(Told):
    """`agent.toml`. `ledger_secret_from` tells where the password of the ledger's server lies."""

    desks: tuple[str, ...]
    tenant: Tenant
    ledger: str = "sqlite:///n2k-ledger.sqlite"
    ledger_secret_from: str = ""
    mode: Literal["watch", "rehearse", "live"] = "watch"
    rehearse_to: str = ""
    timetable: Timetable = field(default_factory=Timetable)
    limits: Limits = field(default_factory=Limits)
    watched: Watched = field(default_factory=Watched)


@dataclass(frozen=True)
class RestrictedPlace(Told):
    """Where matters about members of staff are kept apart, in a workbook that fewer people may open."""

    path: str
    site: str = ""


@dataclass(frozen=True)
class RegisterPlace(Told):
    """Where the register lies, and by which way it is written.

    `kind` is sharepoint_file (uploaded while nobody has it open), sharepoint_workbook (through Excel's own
    service, also while people have it open) or file (in a folder of this machine or network).
    `site` is "host:/sites/name", and `path` inside its default library; of a file, `path` is its place, a
    relative one beside `agent.toml`. `restricted` is a second one, written in the same way.
    The desk's support hear of it when it could not be written for `tell_after_minutes`, and when it can be
    again.
    """

    kind: Literal["sharepoint_file", "sharepoint_workbook", "file"]
    path: str
    site: str = ""
    restricted: RestrictedPlace | None = None
    tell_after_minutes: int = 60

    @property
    def apart(self) -> tuple[RestrictedPlace, ...]:
        """The restricted place, if there is one."""
        return (self.restricted,) if self.restricted else ()

    @property
    def in_sharepoint(self) -> bool:
        return self.kind != "file"


@dataclass(frozen=True)
class DigestDay(Told):
    """When the weekly digest is written, and to which roles. With `by_area` its open alerts are divided by
    what the procedure's Summary counts by; with `attach_list` they come as a spreadsheet, too."""

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
    at: time
    to: tuple[str, ...]
    by_area: bool = False
    attach_list: bool = False


@dataclass(frozen=True)
class Retention(Told):
    """How many days after its end what is personal about an alert is erased; 0 keeps it for ever."""

    days: int = 0


@dataclass(frozen=True)
class DeskSettings(Told):
    """`desks/NAME.toml`: one shared mailbox, one procedure, one register and its people."""

    procedure: str
    mailbox: str
    allowed_domains: tuple[str, ...]
    folders: dict[Place, tuple[str, ...]]
    register: RegisterPlace
    digest: DigestDay
    people: tuple[Person, ...] = ()
    aliases: tuple[str, ...] = ()
    timezone: str = "Europe/London"
    closed_days: tuple[date, ...] = ()
    left: tuple[str, ...] = ()
    mailbox_tell_after_minutes: int = 60
    roles: DeskRoles = field(default_factory=DeskRoles)
    retention: Retention = field(default_factory=Retention)
    name: str = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def roster(self) -> People:
        """The desk's people, as the rules want them."""
        return People(
            own=frozenset(address.lower() for address in (self.mailbox, *self.aliases)),
            allowed_domains=frozenset(domain.lower() for domain in self.allowed_domains),
            people=self.people,
            left=frozenset(address.lower() for address in self.left),
            roles=self.roles,
        )


@dataclass(frozen=True)
class Settings:
    """All configuration of one agent. `templates` are the folders of wording, those of one's own first."""

    folder: Path
    agent: AgentSettings
    desks: dict[str, DeskSettings]
    procedures: dict[str, Procedure]
    forms: dict[str, FormDefinition]
    bank_holidays: frozenset[date]
    templates: tuple[Path, ...]

    def procedure_of(self, desk: DeskSettings) -> Procedure:
        return self.procedures[desk.procedure]

    def forms_of(self, procedure: Procedure) -> tuple[FormDefinition, ...]:
        return tuple(self.forms[name] for name in procedure.forms)

    def calendar_of(self, desk: DeskSettings) -> Calendar:
        return Calendar(bank_holidays=self.bank_holidays, closed=frozenset(desk.closed_days), zone=desk.zone)

    def templates_of(self, desk: DeskSettings) -> tuple[Path, ...]:
        """Where to look for the wording of a desk's letters, the first that has a template wins: what is the
        desk's own (`mail_templates/DESK`), then what all desks share."""
        return tuple(place for folder in self.templates for place in (folder / desk.name, folder))

    @property
    def on_this_machine(self) -> bool:
        """Connected to a sandbox: Graph is a loopback address."""
        return urlsplit(self.agent.tenant.graph).hostname in ("127.0.0.1", "localhost", "::1")

    @property
    def ledger_url(self) -> str:
        """The ledger's address for SQLAlchemy."""
        return self.agent.ledger if self.ledger_file is None else f"{_SQLITE}{self.ledger_file}"

    @property
    def ledger_file(self) -> Path | None:
        """The ledger's file, a relative one beside `agent.toml`; None when a server keeps the ledger."""
        if not self.agent.ledger.startswith(_SQLITE):
            return None
        return self.folder.resolve() / self.agent.ledger.removeprefix(_SQLITE)


def desks_named(settings: Settings, name: str | None) -> tuple[str, ...]:
    """The desk of this name, or all of them. Raises WrongCall when there is none."""
    if name is None:
        return tuple(settings.desks)
    if name not in settings.desks:
        raise WrongCall(f"There is no desk `{name}`. There are: {', '.join(settings.desks)}.")
    return (name,)
