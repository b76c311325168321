"""Configuration: TOML files in, typed settings out, or every problem at once, each a sentence."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter, ValidationError

from agent.errors import BadConfiguration
from agent.procedure.people import People, Person
from agent.procedure.rules import Procedure, Told
from agent.procedure.words import Place

T = TypeVar("T")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


@dataclass(frozen=True)
class Tenant(Told):
    """Where Microsoft 365 is and how the agent signs in: by certificate (preferred) or secret."""

    id: str
    client: str
    certificate: str = ""
    secret_from: str = ""
    authority: str = "https://login.microsoftonline.com"
    graph: str = "https://graph.microsoft.com"
    ca_file: str = ""


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
    """Ceilings that stop a storm of letters, and how long doubt is left to settle."""

    letters_per_hour: int = 60
    letters_per_person_per_day: int = 1
    settle_minutes: int = 10
    tries: int = 5


@dataclass(frozen=True)
class Agent(Told):
    """`agent.toml`."""

    desks: tuple[str, ...]
    tenant: Tenant
    ledger: str = "sqlite:///n2k-ledger.sqlite"
    mode: Literal["watch", "rehearse", "live"] = "watch"
    rehearse_to: str = ""
    timetable: Timetable = field(default_factory=Timetable)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class RegisterPlace(Told):
    """Where the register lies: `site` is "host:/sites/name", `path` is inside its default library."""

    kind: Literal["sharepoint_file"]
    site: str
    path: str


@dataclass(frozen=True)
class DigestDay(Told):
    """When the weekly digest is written, and to which roles."""

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
    at: time
    to: tuple[str, ...]


@dataclass(frozen=True)
class Desk(Told):
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
    name: str = ""
