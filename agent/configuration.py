"""Configuration folders: TOML files in, settings out, or every problem at once, each a sentence."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from agent.errors import BadConfiguration
from agent.forms.definition import FormDefinition
from agent.procedure.rules import Procedure
from agent.settings import AgentSettings, DeskSettings, Settings
from agent.settings_checks import problems_of

T = TypeVar("T")

COPIED = (".toml", ".json", ".txt", ".html")  # beside them a ledger may lie


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
    reader.problems += problems_of(agent, desks, procedures, forms)
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
            events = told["england-and-wales"]["events"]
            if days := frozenset(date.fromisoformat(event["date"]) for event in events):
                return days
            problem = f"{name} names no bank holiday."
        except OSError:
            problem = f"{name} is missing in {self.folder}, or may not be read."
        except (ValueError, KeyError, TypeError):
            problem = f"{name} is not as gov.uk/bank-holidays publishes it."
        self.problems.append(f"{problem} Restore it from `n2k init`.")
        return frozenset()


def _sentence(name: str, error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "the file"
    if error["type"] == "missing":
        return f"{name}: `{key}` is missing."
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{name}: `{key}` is not known. Remove it or check its spelling."
    if error["type"] in ("literal_error", "enum"):
        key, of_a_key, _ = key.partition(".[key]")
        expected = error["ctx"]["expected"]
        return f"{name}: `{key}` " + (
            f"is not known. It is one of {expected}." if of_a_key else f"has to be {expected}."
        )
    for begin, wanted in _WANTED.items():
        if error["type"].startswith(begin):
            return f"{name}: `{key}` has to be {wanted}."
    return f"{name}: `{key}`: {error['msg']}."


_WANTED = {  # by the beginnings of Pydantic's names for errors
    "bool": "true or false",
    "dataclass": "a table of keys and values",
    "date": "a day, written as 2026-12-24",
    "dict": "a table of keys and values",
    "int": "a whole number",
    "string": "text in quotes",
    "time": "a time of day, written as 08:00:00",
    "tuple": "a list in brackets",
}


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
