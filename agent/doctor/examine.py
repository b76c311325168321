"""All checks in order, and how they are shown to people and to machines."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from agent.bootstrap import Clock, at_work
from agent.configuration import load
from agent.doctor import here, tenant
from agent.doctor.diagnosis import Diagnosis, State, ill
from agent.errors import AgentError, BadConfiguration
from agent.m365.graph import open_graph
from agent.settings import Settings

Say = Callable[[str], None]


def doctor(folder: Path, clock: Clock, say: Say, *, as_json: bool = False) -> int:
    """Look at everything and say what was found; gives the exit status: 1 when something is ill."""
    found = list(examine(folder, clock))
    if as_json:
        say(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
    else:
        for line in shown(found):
            say(line)
    return int(any(one.state is State.ILL for one in found))


def examine(folder: Path, clock: Clock) -> Iterator[Diagnosis]:
    """Every check, in order: what later ones need is looked at first. Changes and sends nothing."""
    try:
        settings = load(folder)
    except BadConfiguration as wrong:
        for problem in wrong.problems:
            yield ill("configuration", problem, "Correct it, and run `n2k doctor` again.")
        return
    now = clock()
    needed = list(here.filled_in(settings))
    yield from needed
    yield from here.calendar(settings, now.date())
    yield from here.credential(settings, now)
    for desk in settings.desks.values():
        yield from here.people(settings, desk)
        yield from here.procedure(settings, desk, now.date())
        yield from here.letters(settings, desk)
    yield from here.ledger(settings, now)
    yield from here.pauses(settings)
    yield from here.disk(settings)
    reached = list(tenant.reach(settings, now))
    yield from reached
    if not any(one.state is State.ILL for one in (*needed, *reached)):
        yield from _in_the_tenant(settings, clock)


def _in_the_tenant(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    client = settings.agent.tenant.client
    try:
        with (
            at_work(settings, clock=clock) as agent,
            closing(open_graph(settings.agent.tenant, agent.stop)) as graph,
        ):
            found = tenant.token(graph)
            yield found
            if found.state is State.ILL:
                return
            for desk in agent.desks:
                yield from tenant.mailbox(graph, desk, client)
                yield from tenant.others(graph, desk, client)
                yield from tenant.register(graph, desk)
    except AgentError as wrong:
        yield ill("agent", str(wrong), "Mend what is told above first.")


_SIGNS = {State.WELL: "ok", State.WATCH: "watch", State.ILL: "ILL", State.UNSEEN: "?"}


def shown(found: list[Diagnosis]) -> Iterator[str]:
    """A table for people, and how many of each at the end."""
    for one in found:
        where = f"{one.check} ({one.desk})" if one.desk else one.check
        lines = textwrap.wrap(one.said, 72)
        yield f"{_SIGNS[one.state]:<6} {where:<26} {lines[0]}"
        yield from (f"{'':<33} {line}" for line in lines[1:])
        if one.remedy:
            first, *more = textwrap.wrap(one.remedy, 70, break_long_words=False, break_on_hyphens=False)
            yield f"{'':<33} → {first}"
            yield from (f"{'':<35} {line}" for line in more)
    number = {state: sum(one.state is state for one in found) for state in State}
    yield ""
    yield ", ".join(f"{number[state]} {state}" for state in State)
