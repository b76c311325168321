"""Verbs: to install and run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from agent.cli.common import (
    Verbs,
    a_time,
    print_all,
    quietly,
    settings_of,
    verb,
)
from agent.errors import WrongCall


def declare(verbs: Verbs) -> None:
    """Add these verbs to the command."""
    prepare = verb(verbs, "setup", _setup, "prepare an installation: configuration, certificate, scripts")
    prepare.add_argument("folder", type=Path, metavar="DIR")
    prepare.add_argument(
        "--answers", type=Path, metavar="FILE", help="a TOML file with the answers (default: ask for each)"
    )

    init = verb(verbs, "init", _init, "write an editable copy of the configuration")
    init.add_argument("folder", type=Path, metavar="DIR")

    doctor = verb(verbs, "doctor", _doctor, "look at everything the agent depends on", config=True)
    doctor.add_argument("--json", action="store_true", help="for machines")

    run = verb(verbs, "run", _run, "work by the timetable until stopped", config=True)
    run.add_argument("--log-json", action="store_true", help="log as JSON lines")

    once = verb(verbs, "once", _once, "run every step once", config=True)
    once.add_argument(
        "--now",
        type=a_time,
        metavar="TIME",
        help="pretend it is TIME, as 2026-03-02T09:00 (only on a sandbox)",
    )

    bundle = verb(
        verbs, "support-bundle", _bundle, "what a helper from afar needs, naming nobody", config=True
    )
    bundle.add_argument("--to", type=Path, required=True, metavar="FILE.zip")
    bundle.add_argument("--log", type=Path, metavar="FILE", help="and the last lines of this log")

    verb(verbs, "status", _status, "what is open, waiting and in the tray", config=True)


def _setup(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.setup.prepare import setup

    try:
        return setup(told.folder, wall_clock(), input, print, answers=told.answers)
    except EOFError:
        raise WrongCall("Nobody is there to answer. Give the answers with `--answers FILE`.") from None


def _init(told: argparse.Namespace) -> int:
    from agent.configuration import write_copy

    written = write_copy(told.folder)
    print(f"Wrote {len(written)} files to {told.folder}. Begin with agent.toml and desks/.")
    return 0


def _doctor(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.configuration import find_folder
    from agent.doctor.examine import doctor

    quietly()
    return doctor(find_folder(told.config), wall_clock, print, as_json=told.json)


def _bundle(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.configuration import find_folder
    from agent.verbs.support_bundle import support_bundle

    quietly()
    print_all(support_bundle(find_folder(told.config), told.to, wall_clock, log=told.log))
    return 0


def _run(told: argparse.Namespace) -> int:
    from agent import log
    from agent.running import run

    settings = settings_of(told, for_work=True)
    log.set_up(json=told.log_json)
    run(settings, log_json=told.log_json)
    return 0


def _once(told: argparse.Namespace) -> int:
    from agent import log
    from agent.bootstrap import at_work, held, wall_clock
    from agent.settings_checks import soon_missing
    from agent.steps import run_all

    settings = settings_of(told, for_work=True)
    if told.now and not settings.on_this_machine:
        raise WrongCall("`--now` sets the time, and only a sandbox allows that. Leave it out.")
    log.set_up()
    clock = (lambda: told.now) if told.now else wall_clock
    status = 0
    if settings.agent.mode != "live":
        print(f"The mode is {settings.agent.mode}: {_MODES[settings.agent.mode]}.")
    for problem in soon_missing(settings, clock().date()):
        print(problem, file=sys.stderr)
    with at_work(settings, clock=clock) as agent:
        for desk in agent.desks:
            with held(agent, desk.name) as ours:
                if not ours:
                    print(f"{desk.name}: another agent is at work at this desk; try again in a minute")
                    status = 1
                    continue
                for outcome in run_all(desk, clock()):
                    print(f"{desk.name}: {outcome}")
                    status |= bool(outcome.trouble)
    return status


_MODES = {
    "watch": "mails are taken in and the register is kept, and no letter is written",
    "rehearse": "every letter goes to `rehearse_to`",
}


def _status(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.status import status

    quietly()
    for line in status(settings_of(told), wall_clock().date()):
        print(line)
    return 0
