"""`n2k once` as a process of its own, ended by SIGKILL at some moment that it does not choose."""

from __future__ import annotations

import itertools
import random
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from agent.ledger.sql import SqlLedger
from agent.sandbox.request_log import Exchange
from agent.steps import run_all
from tests.faults.harness import DESK, ROUNDS, World, nobody, undisturbed, world
from tests.faults.process import configured, started
from tests.faults.standing import differences, standing

KILLED_IN = (0, 1, 3, 5)  # the rounds in which most happens


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments_it_ends_as_if_undisturbed(seed: int, tmp_path: Path) -> None:
    """Four processes are killed in one story, each some milliseconds after some request of its."""
    chance = random.Random(seed)
    ends = []
    with world() as bare:
        here = replace(bare, told=configured(bare, tmp_path))
        for number, made in enumerate(ROUNDS):
            with here.agent(nobody) as desk:
                here.pass_time(made.moment, desk)
            if number in KILLED_IN:
                ends.append(killed_once(here, tmp_path, made.moment, number, chance))
                let_its_hold_run_out(here)
            with here.agent(nobody) as desk:
                assert [outcome.trouble for outcome in run_all(desk, made.moment) if outcome.trouble] == []
        with here.ledger() as ledger:
            stands = standing(here.stage, ledger)

    assert ends == [-signal.SIGKILL] * len(KILLED_IN)
    assert differences(stands, undisturbed().stands) == []


def killed_once(here: World, config: Path, now: datetime, number: int, chance: random.Random) -> int:
    """One process that is killed in its round; gives how it ended."""
    points = [point for point in undisturbed().points if point.number == number and point.when == "before"]
    requests = sum(point.what != "commit" for point in points)
    process = started("once", "--config", str(config), "--now", now.isoformat(), log=config / "log.txt")
    try:
        # the last requests are left alone: after them the process might be faster than its end
        with killing(process, here, after=chance.randint(1, requests - 4), within=chance.uniform(0, 0.015)):
            return process.wait(timeout=120)
    finally:
        process.kill()
        process.wait()


def let_its_hold_run_out(here: World) -> None:
    """Whoever was killed still holds the desk for a minute; to this ledger it is over."""
    ledger = SqlLedger(here.told.ledger_url)
    assert not ledger.claim(DESK, "the next process", 60)
    ledger.close()
    with closing(sqlite3.connect(str(here.told.ledger_file))) as connection, connection:
        connection.execute("DELETE FROM desk_claim")


@contextmanager
def killing(process: subprocess.Popen[bytes], here: World, *, after: int, within: float) -> Iterator[None]:
    """Kill `process` so many seconds within its request number `after`."""
    numbers = itertools.count(1)
    killer = threading.Timer(within, process.kill)

    def hook(when: str, exchange: Exchange) -> None:
        if when == "before" and exchange.path.startswith("/v1.0") and next(numbers) == after:
            killer.start()

    here.stage.sandbox.tenant.on_request.append(hook)
    try:
        yield
    finally:
        here.stage.sandbox.tenant.on_request.remove(hook)
