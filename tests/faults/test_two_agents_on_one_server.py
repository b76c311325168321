"""Two machines share one ledger on a PostgreSQL server; one dies while it posts, and the other goes on."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import create_engine, text

from agent.configuration import load
from agent.sandbox.request_log import Exchange
from agent.steps import run_all
from tests.faults.harness import ROUNDS, World, nobody, undisturbed, world
from tests.faults.process import configured, started
from tests.faults.standing import differences, standing
from tests.postgres import new_database

DIES_AT = "POST .*/send"


def test_each_letter_goes_once(tmp_path: Path) -> None:
    ends = []
    with world() as bare:
        here = on_a_server(bare, tmp_path)
        for made in ROUNDS:
            with here.agent(nobody) as desk:
                here.pass_time(made.moment, desk)
            ends.append(first_machine(here, tmp_path, made.moment, DIES_AT))
            if ends[-1] == -signal.SIGKILL:
                assert second_machine(tmp_path, made.moment) == "another agent is at work at this desk"
                let_the_hold_run_out(here)
            with here.agent(nobody) as desk:
                assert [outcome.trouble for outcome in run_all(desk, made.moment) if outcome.trouble] == []
        with here.ledger() as ledger:
            stands = standing(here.stage, ledger)

    assert -signal.SIGKILL in ends
    assert set(ends) <= {0, -signal.SIGKILL}
    assert differences(stands, undisturbed().stands) == []


def on_a_server(bare: World, folder: Path) -> World:
    configured(bare, folder)
    file, url = folder / "agent.toml", new_database().render_as_string()
    file.write_text(re.sub(r"(?m)^ledger = .*$", f'ledger = "{url}"', file.read_text()))
    return replace(bare, told=load(folder))


def first_machine(here: World, config: Path, now: datetime, dies_at: str) -> int:
    """One round of a process, killed at the first such request if there is one; gives how it ended."""
    process = started("once", "--config", str(config), "--now", now.isoformat(), log=config / "log.txt")
    with killing(process, here, dies_at):
        try:
            return process.wait(timeout=120)
        finally:
            process.kill()
            process.wait()


@contextmanager
def killing(process: subprocess.Popen[bytes], here: World, dies_at: str) -> Iterator[None]:
    def hook(when: str, exchange: Exchange) -> None:
        if when == "before" and re.fullmatch(dies_at, f"{exchange.method} {exchange.path}"):
            process.kill()

    here.stage.sandbox.tenant.on_request.append(hook)
    try:
        yield
    finally:
        here.stage.sandbox.tenant.on_request.remove(hook)


def second_machine(config: Path, now: datetime) -> str:
    """What a process says that comes while the desk is still held by the one that died."""
    log = config / "second.txt"
    started("once", "--config", str(config), "--now", now.isoformat(), log=log).wait(timeout=120)
    return log.read_text().split("nct: ")[1].split(";")[0]


def let_the_hold_run_out(here: World) -> None:
    engine = create_engine(here.told.ledger_url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM desk_claim"))
    engine.dispose()
