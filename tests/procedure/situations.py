"""A desk's rules and alerts of invented people, said as briefly as people would say them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from agent.procedure.alert import Alert, Chased
from agent.procedure.people import People, Person
from agent.procedure.reach import opaque
from agent.procedure.rules import Procedure
from agent.procedure.submission import Child
from agent.procedure.working_days import Calendar

CONFIG = Path(__file__).parents[2] / "config"
LONDON = ZoneInfo("Europe/London")

AUTHOR = "theo.marchbanks@trust.example"
AVA = Person("Ava Lindqvist", "ava.lindqvist@trust.example", ("strategic_manager",))
SOL = Person("Sol Quarrie", "sol.quarrie@trust.example", ("sqas_sm", "strategic_manager"))
PIA = Person("Pia Winterbourne", "pia.winterbourne@trust.example", ("psw",))
PEOPLE = People(
    own=frozenset({"n2k@trust.example"}),
    allowed_domains=frozenset({"trust.example"}),
    people=(AVA, SOL, PIA),
)


def unreached(*addresses: str, people: People = PEOPLE) -> People:
    """The same people once letters to these addresses came back."""
    return replace(people, unreached=frozenset(map(opaque, addresses)))


@cache
def bank_holidays() -> Mapping[date, str]:
    """The bank holidays that come with the agent."""
    told = json.loads((CONFIG / "bank_holidays_england.json").read_text(encoding="utf-8"))
    return {date.fromisoformat(one["date"]): one["title"] for one in told["england-and-wales"]["events"]}


@cache
def procedure() -> Procedure:
    """The first procedure that comes with the agent."""
    told = tomllib.loads((CONFIG / "procedures" / "nct.toml").read_text(encoding="utf-8"))
    return TypeAdapter(Procedure).validate_python(told)


def calendar(*closed: str) -> Calendar:
    return Calendar(frozenset(bank_holidays()), frozenset(map(day, closed)), LONDON)


def day(text: str) -> date:
    """`Mon 2 Mar 2026`: the weekday is checked, so that a table cannot lie."""
    said = datetime.strptime(text, "%a %d %b %Y").replace(tzinfo=UTC)
    assert f"{said:%a}" == text[:3], f"{text} is a {said:%A}"
    return said.date()


def at(text: str) -> datetime:
    """`Mon 2 Mar 2026 09:30`, as London's clocks show it."""
    said, _, hour = text.rpartition(" ")
    return datetime.combine(day(said), datetime.strptime(hour, "%H:%M").time(), LONDON).astimezone(UTC)  # noqa: DTZ007 - a wall time


def alert(received: str = "Mon 2 Mar 2026 10:00", number: int = 1, **more: Any) -> Alert:
    """An alert that nothing was heard of since it came."""
    came = at(received)
    told: dict[str, Any] = {
        "reference": f"SLA-2026-{number:04d}",
        "received_at": came,
        "author_address": AUTHOR,
        "form": "sla",
        "last_news_at": came,
        "children": (Child("Robin Fairweather", date(2012, 5, 4)),),
        "values": {"author": "Theo Marchbanks", "reviewer": "Ava Lindqvist"},
        "categories": ("M07",),
    }
    return Alert(**{**told, **more})


def chased(alert: Alert, *sent: tuple[str, str]) -> Alert:
    """The alert after these chases went out: (rule, when)."""
    gone = tuple(
        Chased(at(when), rule, number, f"letter-{number}") for number, (rule, when) in enumerate(sent, 1)
    )
    return replace(alert, chases=gone, chases_ever=len(gone))
