"""Configuration: TOML files in, typed settings out, or every problem at once, each a sentence."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from agent.errors import BadConfiguration, WrongCall
from agent.forms.definition import FormDefinition
from agent.m365.clouds import CLOUDS, CloudName
from agent.procedure.clocks import WAYS_OF_COUNTING
from agent.procedure.people import DeskRoles, People, Person
from agent.procedure.retention import LEGAL_HOLD
from agent.procedure.rules import Column, Procedure, Told
from agent.procedure.words import Place
from agent.procedure.working_days import Calendar

T = TypeVar("T")

WAYS_TO_SIGN_IN = ("certificate", "managed_identity", "assertion_file", "secret_from")
ONE_WAY_TO_SIGN_IN = (
    "agent.toml: the agent needs one way to sign in. Give `tenant.certificate` (preferred on a machine "
    "of your own), `tenant.managed_identity`, `tenant.assertion_file` or `tenant.secret_from`."
)
COPIED = (".toml", ".json", ".txt", ".html")  # beside them a ledger may lie
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
    """When the weekly digest is written, and to which roles. With `attach_list` the open alerts come as a
    spreadsheet, too."""

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
    at: time
    to: tuple[str, ...]
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


def shipped() -> tuple[Path, Path]:
    """The configuration and the mail templates that come with the agent."""
    here = Path(__file__).parent
    inside = here / "_defaults"  # in an installed wheel; in a checkout they lie beside `agent/`
    root = inside if inside.is_dir() else here.parent
    return root / "config", root / "mail_templates"


def find_folder(told: str | None) -> Path:
    """The configuration folder: as told, else N2K_CONFIG, else ./config, else the one shipped."""
    for candidate in (told, os.environ.get("N2K_CONFIG")):
        if candidate:
            folder = Path(candidate)
            if not (folder / "agent.toml").is_file():
                remedy = f"Give a configuration folder, or make one with `n2k setup {folder}`."
                raise BadConfiguration([f"{folder} holds no agent.toml. {remedy}"])
            return folder
    here = Path("config")
    return here if (here / "agent.toml").is_file() else shipped()[0]


def load(folder: Path) -> Settings:
    """Read and check a configuration folder.

    Raises BadConfiguration with every problem found, each naming its file and key.
    """
    reader = _Reader(folder)
    agent = reader.read("agent.toml", AgentSettings)
    names = agent.desks if agent else tuple(path.stem for path in sorted((folder / "desks").glob("*.toml")))
    desks = {
        name: desk for name in names if (desk := reader.read(f"desks/{name}.toml", DeskSettings, name=name))
    }
    procedures = {
        name: procedure
        for name in sorted({desk.procedure for desk in desks.values()})
        if (procedure := reader.read(f"procedures/{name}.toml", Procedure))
    }
    forms = {
        name: form
        for name in sorted({name for procedure in procedures.values() for name in procedure.forms})
        if (form := reader.read(f"forms/{name}.toml", FormDefinition))
    }
    holidays = reader.bank_holidays()
    for desk in desks.values():
        reader.problems += _desk_problems(desk, procedures.get(desk.procedure))
    for procedure in procedures.values():
        reader.problems += _procedure_problems(procedure) + _form_problems(procedure, forms)
    reader.problems += _shared(desks)
    if agent:
        reader.problems += _agent_problems(agent, desks)
    if reader.problems or agent is None:
        raise BadConfiguration(reader.problems)
    own = folder / "mail_templates"
    return Settings(
        folder=folder,
        agent=_beside(folder, agent),
        desks=desks,
        procedures=procedures,
        forms=forms,
        bank_holidays=holidays,
        templates=((own,) if own.is_dir() else ()) + (shipped()[1],),
    )


def read_file(path: Path, into: type[T]) -> T:
    """One TOML file as `into`. Raises BadConfiguration with every problem found."""
    reader = _Reader(path.parent)
    told = reader.read(path.name, into)
    if told is None:
        raise BadConfiguration(reader.problems)
    return told


def desks_named(settings: Settings, name: str | None) -> tuple[str, ...]:
    """The desk of this name, or all of them. Raises WrongCall when there is none."""
    if name is None:
        return tuple(settings.desks)
    if name not in settings.desks:
        raise WrongCall(f"There is no desk `{name}`. There are: {', '.join(settings.desks)}.")
    return (name,)


def roles_needed(desk: DeskSettings, procedure: Procedure) -> set[str]:
    """The roles that letters of this desk go to."""
    asked = {role for step in procedure.chasing.steps for role in step.to}
    reviewers = {procedure.chasing.reviewer_role} if "reviewer" in asked else set()
    reminded = {role for clock in procedure.clocks if clock.reminder for role in clock.reminder.to}
    noted = {role for note in procedure.notes for role in note.to}
    told = set(desk.digest.to) | ((asked | reminded | noted) - {"author", "reviewer"})
    return told | reviewers | {procedure.chasing.stands_in}


def _beside(folder: Path, agent: AgentSettings) -> AgentSettings:
    """Relative files are meant from the configuration folder, wherever the agent was started."""

    def placed(told: str) -> str:
        return str(folder.resolve() / Path(told).expanduser()) if told else ""

    def secret(told: str) -> str:
        return f"file:{placed(told[5:])}" if told.startswith("file:") else told

    tenant = agent.tenant
    return replace(
        agent,
        ledger_secret_from=secret(agent.ledger_secret_from),
        tenant=replace(
            tenant,
            certificate=placed(tenant.certificate),
            assertion_file=placed(tenant.assertion_file),
            ca_file=placed(tenant.ca_file),
            secret_from=secret(tenant.secret_from),
        ),
    )


def soon_missing(settings: Settings, today: date) -> list[str]:
    """What will stop the agent within a quarter of a year if nobody sees to it, as sentences."""
    ahead = today + timedelta(days=92)
    if any(settings.calendar_of(desk).reaches(ahead) for desk in settings.desks.values()):
        return []
    problem = (
        f"bank_holidays_england.json: the bank holidays of {ahead.year} are not in it, and without them "
        "nobody can be chased then. Put the current file from gov.uk/bank-holidays into its place."
    )
    return [problem]


def missing_for_work(settings: Settings) -> list[str]:
    """What the shipped configuration leaves open and an agent at work cannot do without, as sentences."""
    tenant = settings.agent.tenant
    problems = [
        f"agent.toml: `tenant.{key}` is empty. Ask your Microsoft 365 administrator for it."
        for key, value in (("id", tenant.id), ("client", tenant.client))
        if not value
    ]
    if not tenant.signs_in_by:
        problems.append(ONE_WAY_TO_SIGN_IN)
    for desk in settings.desks.values():
        if desk.register.in_sharepoint and not desk.register.site:
            problems.append(f'desks/{desk.name}.toml: `register.site` is empty. It is "host:/sites/name".')
        problems += [
            f"desks/{desk.name}.toml: nobody holds the role `{role}`, which the weekly digest goes to."
            for role in desk.digest.to
            if not desk.roster.holding(role)
        ]
        if not desk.roster.holding(desk.roles.duty):
            problems.append(
                f"desks/{desk.name}.toml: nobody holds the role `{desk.roles.duty}`, which is told at any "
                "hour of what may not wait: a child missing for too long, a form that cannot be read."
            )
    return problems


class _Reader:
    """Reads files into types and collects what is wrong, so that a person sees all of it at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []

    def read(self, file: str, into: type[T], **given: Any) -> T | None:
        """One TOML file as `into`; None when it cannot be, the reasons kept in `problems`."""
        try:
            told = tomllib.loads((self.folder / file).read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.problems.append(f"{file} is missing in {self.folder}.")
            return None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            self.problems.append(f"{file} is not valid TOML: {wrong}.")
            return None
        try:
            return TypeAdapter(into).validate_python({**told, **given})
        except ValidationError as wrong:
            self.problems += [_sentence(file, error) for error in wrong.errors(include_input=False)]
            return None

    def bank_holidays(self) -> frozenset[date]:
        """England's bank holidays, in the shape in which the government publishes them."""
        name = "bank_holidays_england.json"
        try:
            told = json.loads((self.folder / name).read_text(encoding="utf-8"))
            return frozenset(
                date.fromisoformat(event["date"]) for event in told["england-and-wales"]["events"]
            )
        except (OSError, ValueError, KeyError, TypeError) as wrong:
            self.problems.append(
                f"{name} cannot be read ({type(wrong).__name__}). Restore it from `n2k init`."
            )
            return frozenset()


def _sentence(name: str, error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "the file"
    if error["type"] == "missing":
        return f"{name}: `{key}` is missing."
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{name}: `{key}` is not known. Remove it or check its spelling."
    return f"{name}: `{key}`: {error['msg']}."


def _shared(desks: Mapping[str, DeskSettings]) -> list[str]:
    """Two desks with one mailbox would take each mail twice; with one register they would fight over it."""
    places = [
        (name, what, place.lower())
        for name, desk in desks.items()
        for what, place in (
            ("mailbox", desk.mailbox),
            ("register", f"{desk.register.site}/{desk.register.path}"),
            *(("register.restricted", f"{one.site}/{one.path}") for one in desk.register.apart),
        )
    ]
    return [
        f"desks/{second}.toml: `{what}` is the one of desks/{first}.toml. Each has its own."
        for (first, _, known), (second, what, place) in combinations(places, 2)
        if place == known
    ]


def _agent_problems(agent: AgentSettings, desks: Mapping[str, DeskSettings]) -> list[str]:
    problems = [] if agent.desks else ["agent.toml: `desks` names no desk. Name one of the files in desks/."]
    if agent.mode == "rehearse":
        problems += [
            "agent.toml: mode is rehearse, so `rehearse_to` has to name the address that gets the letters, "
            f"in a domain that desks/{name}.toml allows."
            for name, desk in desks.items()
            if not desk.roster.may_be_written_to(agent.rehearse_to)
        ]
    problems += [
        f"agent.toml: `{table}.{key}` is {number}. It has to be at least 1."
        for table, told in (
            ("timetable", agent.timetable),
            ("limits", agent.limits),
            ("watched", agent.watched),
        )
        for key, number in vars(told).items()
        if isinstance(number, int) and number < 1
    ]
    if time(1) <= agent.timetable.reconcile_at < time(2):
        problems.append(
            "agent.toml: `timetable.reconcile_at` lies between 01:00 and 02:00, an hour that is skipped or "
            "happens twice when the clocks change. Choose another."
        )
    tenant = agent.tenant
    if len(tenant.signs_in_by) > 1:
        told = " and ".join(f"`tenant.{way}`" for way in tenant.signs_in_by)
        problems.append(f"agent.toml: {told} are told. Keep the one that the agent shall sign in by.")
    problems += [
        f'agent.toml: `{key}` is "env:NAME" or "file:PATH"; no secret stands in a TOML file.'
        for key, told in (
            ("tenant.secret_from", tenant.secret_from),
            ("ledger_secret_from", agent.ledger_secret_from),
        )
        if told and not told.startswith(("env:", "file:"))
    ]
    return problems + _ledger_problems(agent)


def _ledger_problems(agent: AgentSettings) -> list[str]:
    url = urlsplit(agent.ledger)
    problems = []
    if url.scheme == "sqlite" and agent.ledger_secret_from:
        problems.append("agent.toml: a ledger in a file has no password. Leave `ledger_secret_from` empty.")
    if url.password or "password" in url.query:
        problems.append(
            "agent.toml: `ledger` holds a password. Take it out, and name its place in `ledger_secret_from`."
        )
    if url.scheme not in ("sqlite", "postgresql+psycopg"):
        problems.append(
            "agent.toml: `ledger` begins with sqlite:/// (a file) or postgresql+psycopg:// (a server)."
        )
    return problems


def _desk_problems(desk: DeskSettings, procedure: Procedure | None) -> list[str]:
    name = f"desks/{desk.name}.toml"
    problems = [f"{name}: `folders.{place}` is missing." for place in Place if place not in desk.folders]
    try:
        _ = desk.zone
    except (KeyError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        problems.append(f"{name}: `timezone` names no zone that is known here. Europe/London is usual.")
    people = desk.roster
    problems += [
        f"{name}: `people` number {number} has an address outside `allowed_domains`."
        for number, person in enumerate(desk.people, 1)
        if not (people.may_be_written_to(person.address) or people.has_left(person.address))
    ]
    problems += [
        f"{name}: `people` number {number} has a deputy who is not on the roster."
        for number, person in enumerate(desk.people, 1)
        if person.deputy and people.at(person.deputy) is None
    ]
    if desk.retention.days < 0:
        problems.append(f"{name}: `retention.days` is {desk.retention.days}. 0 keeps alerts for ever.")
    if desk.retention.days and procedure and not _has_column(procedure, LEGAL_HOLD):
        problems.append(
            f"{name}: `retention.days` erases what is due; procedures/{procedure.name}.toml then needs a "
            f'column with `field = "{LEGAL_HOLD}"`, in which people hold what must be kept.'
        )
    used = roles_needed(desk, procedure) if procedure else set(desk.digest.to)
    held = {role for person in desk.people for role in person.roles}
    if desk.people:
        problems += [
            f"{name}: nobody holds the role `{role}`, which letters go to." for role in sorted(used - held)
        ]
    return problems


def _has_column(procedure: Procedure, name: str) -> bool:
    return any(column.field == name for column in procedure.columns)


def _procedure_problems(procedure: Procedure) -> list[str]:
    name = f"procedures/{procedure.name}.toml"
    problems = _column_problems(name, procedure.columns, ("reference",))
    asked = procedure.question_columns
    problems += _column_problems(f"{name}: Questions sheet", asked, ("reference", "answer", "outcome"))
    problems += [
        f"{name}: clock `{rule.clock}`: `counts` is one of {', '.join(sorted(WAYS_OF_COUNTING))}."
        for rule in procedure.clocks
        if rule.counts not in WAYS_OF_COUNTING
    ]
    clocks = {rule.clock for rule in procedure.clocks}
    beside = {other for rule in procedure.clocks if rule.reminder for other in rule.reminder.beside}
    problems += [
        f"{name}: there is no clock `{named}`, which `chasing.fast_until` or a reminder's `beside` names."
        for named in sorted(({procedure.chasing.fast_until} - {""} | beside) - clocks)
    ]
    if not any(step.unanswered == 0 for step in procedure.chasing.steps):
        problems.append(f"{name}: no chasing step has `unanswered = 0`, so nobody would be written to first.")
    if not procedure.chasing.updated_by or set(procedure.chasing.updated_by) - {"author", "reviewer"}:
        problems.append(f'{name}: `chasing.updated_by` holds "author", "reviewer" or both.')
    if procedure.conclusion not in ("confirm", "form"):
        problems.append(f'{name}: `conclusion` is "confirm" (a person concludes) or "form".')
    return problems


def _column_problems(where: str, columns: Sequence[Column], needed: Sequence[str]) -> list[str]:
    headings = [column.heading for column in columns]
    fields = [column.field for column in columns]
    return [
        *(
            f"{where}: two columns are called `{heading}`."
            for heading in sorted({heading for heading in headings if headings.count(heading) > 1})
        ),
        *(
            f"{where}: exactly one column must hold the field `{one}`."
            for one in needed
            if fields.count(one) != 1
        ),
        *(
            f"{where}: column `{column.heading}`: the owner is agent, proposed or person, "
            f"not `{column.owner}`."
            for column in columns
            if column.owner not in ("agent", "proposed", "person")
        ),
    ]


def _form_problems(procedure: Procedure, forms: Mapping[str, FormDefinition]) -> list[str]:
    """A form that prints the tick boxes of no list would silently have none."""
    lists = {category.listed for category in procedure.categories}
    return [
        f"forms/{form}.toml: `{section.title}` prints the list `{section.categories}`, "
        f"and no category in procedures/{procedure.name}.toml is `listed` there."
        for form in procedure.forms
        if form in forms
        for section in forms[form].sections
        if section.categories and section.categories not in lists
    ]


def write_copy(folder: Path) -> list[Path]:
    """Write an editable copy of the shipped configuration and mail templates; gives the files written.

    Raises BadConfiguration when the folder already holds a configuration: nothing is overwritten.
    """
    if (folder / "agent.toml").exists():
        raise BadConfiguration(
            [f"{folder} already holds a configuration; nothing was overwritten. Choose an empty folder."]
        )
    config, templates = shipped()
    written = []
    for source, into in ((config, folder), (templates, folder / "mail_templates")):
        for path in sorted(source.rglob("*")):
            if path.suffix in COPIED and "demo" not in path.relative_to(source).parts:
                target = into / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
                written.append(target)
    return written
