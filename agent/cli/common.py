"""What all verbs share: how one is declared, how dates are told, and how a person is answered."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, TypeAlias

from agent.errors import BadConfiguration, TryAgainLater, WrongCall

if TYPE_CHECKING:
    from agent.desk import Desk
    from agent.settings import Settings

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def verb(
    verbs: Verbs,
    name: str,
    function: Callable[[argparse.Namespace], int],
    says: str,
    *,
    config: bool = False,
) -> argparse.ArgumentParser:
    """Declare one verb; its function gets what was told and gives the exit status."""
    parser = verbs.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")
    parser.set_defaults(verb=function)
    if config:
        parser.add_argument(
            "--config",
            metavar="DIR",
            help="configuration folder (default: N2K_CONFIG, else ./config, else the one shipped)",
        )
    return parser


def a_time(text: str) -> datetime:
    """An ISO time; one without a zone is taken as UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time; write it as 2026-03-02T09:00") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def a_day(text: str) -> date:
    """An ISO date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day; write it as 2012-05-04") from None


def days(text: str) -> int:
    """How many days; at least one."""
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of days; it is 1 or more")
    return int(text)


def settings_of(told: argparse.Namespace, *, for_work: bool = False) -> Settings:
    """The configuration that was told. Raises BadConfiguration when `for_work` finds something left open."""
    from agent.configuration import find_folder, load
    from agent.settings_checks import missing_for_work

    settings = load(find_folder(told.config))
    if for_work and (problems := missing_for_work(settings)):
        raise BadConfiguration(problems)
    return settings


def quietly() -> None:
    """For verbs that answer a person: what they do is no event for the log."""
    import logging

    from agent import log

    log.set_up(level=logging.ERROR)


def print_all(lines: Iterable[str]) -> None:
    """Each on a line of its own."""
    for line in lines:
        print(line, flush=True)  # as soon as it is known: a whole folder may take a while


def the_desk(desks: Sequence[Desk], name: str | None) -> Desk:
    """The one that was named, or the only one. Raises WrongCall when it is not plain which is meant."""
    found = [desk for desk in desks if name in (None, desk.name)]
    if len(found) != 1:
        names = ", ".join(desk.name for desk in desks)
        raise WrongCall(f"Say which desk with `--desk`; there are: {names}.")
    return found[0]


@contextmanager
def desk_to_ourselves(told: argparse.Namespace) -> Iterator[Desk]:
    """The desk that was told, while no other agent is at work there. Raises TryAgainLater when one is."""
    from agent.bootstrap import at_work, held

    with at_work(settings_of(told, for_work=True)) as agent:
        desk = the_desk(agent.desks, told.desk)
        with held(agent, desk.name) as ours:
            if not ours:
                raise TryAgainLater(f"Another agent is at work at the desk {desk.name}. Stop it first.")
            yield desk


def says_yes() -> bool:
    """Whether the person at the terminal agrees."""
    try:
        return input("\nDo it? Type yes: ").strip().lower() == "yes"
    except EOFError:  # nobody is there to ask
        return False
