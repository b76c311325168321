"""Thousands of letters through bad luck: each is delivered once, and to whom it was written.

    python -m tests.faults.letter_campaign --letters 10000 --seed 1

Requests fail before or after they were carried out, connections break, answers come late, copies show late
in Sent Items, and the agent is killed at any request or commit and started again. Prints what was met, and
ends with status 1 when a letter was lost, doubled or sent to somebody else.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from unittest.mock import patch

from agent import log
from agent.desk import Desk
from agent.errors import TryAgainLater
from agent.ledger.base import UNDER_WAY, Letter, LetterState, Reason
from agent.posting import posting
from agent.sandbox.stored import StoredMessage
from tests.faults.harness import Killed, World, world
from tests.faults.office import FIRST_THING, PIA, SOL
from tests.faults.weather import Mishap, Weather

TRAY = 100  # letters laid at once
AVA = "ava.lindqvist@trust.example"
READERS = (SOL, PIA, AVA)
UNLIMITED = sys.maxsize

LATE: dict[str, object] = {"late_copy": 420.0}


def _about_a_mail(chance: int, *faults: Mapping[str, object]) -> Mishap:
    return Mishap(chance, faults, asked=".*/messages.*")


LUCK = {
    "504 after it was carried out": _about_a_mail(25, {"status": 504, "when": "after"}),
    "500 after it was carried out": _about_a_mail(10, {"status": 500, "when": "after"}),
    "503 before": _about_a_mail(15, {"status": 503, "when": "before"}),
    "429 before": _about_a_mail(10, {"status": 429, "when": "before", "retry_after": 0}),
    "connection cut before": _about_a_mail(10, {"drop": True, "when": "before"}),
    "connection cut after": _about_a_mail(20, {"drop": True, "when": "after"}),
    "Retry-After on an accepted request": _about_a_mail(20, {"retry_after": 1}),
    "copy shows late in Sent Items": _about_a_mail(60, LATE),
    "504 after it was carried out, and the copy shows late": _about_a_mail(
        15, {"status": 504, "when": "after"}, LATE
    ),
}
KILLED = 4  # in a thousand points


@dataclass
class Campaign:
    """What was written, and what came of it."""

    here: World
    luck: Weather
    written: dict[str, str] = field(default_factory=dict)  # a letter's token → whom it was written to
    rounds: int = 0

    def run(self, letters: int) -> None:
        """Write so many letters and post them all, through bad luck, then until nothing is under way."""
        now = FIRST_THING
        while True:
            with self.here.ledger() as ledger:
                under_way = ledger.letters(*UNDER_WAY)
                if len(self.written) < letters and len(under_way) < TRAY // 2:
                    with ledger.page() as page:
                        for letter in itertools.islice(self._write(now), letters - len(self.written)):
                            page.lay(letter)
                elif not under_way:
                    return
            now += timedelta(minutes=self.luck.dice.choice((1, 3, 6, 11)))
            self.here.stage.sandbox.tenant.clock.set(now)
            self._round(now)
            if len(self.written) >= letters and len(under_way) < 5:
                self.luck.threatens = {}

    def _round(self, now: datetime) -> None:
        """One agent, from its start to its end or its death."""
        self.rounds += 1
        dead = False

        def watch(when: str, what: str, detail: str) -> None:
            nonlocal dead
            dead = dead or (bool(self.luck.threatens) and self.luck.dice.randrange(1000) < KILLED)
            if dead:
                raise Killed

        try:
            with self.here.agent(watch) as desk, patch.object(desk.stop, "wait", self._time_passes):
                posting(_without_ceilings(desk), now)
        except Killed:
            self.luck.met["killed"] += 1
        except TryAgainLater:
            self.luck.met["a round given up early"] += 1

    def _time_passes(self, seconds: float) -> bool:
        """Nobody waits in a simulation."""
        clock = self.here.stage.sandbox.tenant.clock
        clock.set(clock.now() + timedelta(seconds=seconds))
        return False

    def _write(self, now: datetime) -> Iterator[Letter]:
        for _ in range(TRAY):
            number = len(self.written) + 1
            token, to = f"token-{number:06d}.", READERS[number % len(READERS)]
            self.written[token] = to
            yield Letter(
                key=f"{self.luck.dice.getrandbits(128):032x}",
                kind="notice",
                to=to,
                subject="An invented notice",
                text=f"{token}\n",
                html=f"<p>{token}</p>",
                laid_at=now,
                reasons=(Reason("", f"notice-{number}", now.date()),),
            )

    def wrong(self) -> dict[str, list[str]]:
        """Tokens that did not arrive once at the one whom they were written to."""
        tenant = self.here.stage.sandbox.tenant
        tenant.settle()
        arrived = {to: Counter(_tokens(tenant.mailbox(to).messages("inbox"))) for to in READERS}
        return {
            "lost": [one for one, to in self.written.items() if not arrived[to][one]],
            "doubled": [one for one, to in self.written.items() if arrived[to][one] > 1],
            "to somebody else": [one for to in READERS for one in arrived[to] if self.written.get(one) != to]
            + [str(mail.to) for mail in tenant.outside],
        }


def _tokens(messages: Iterable[StoredMessage]) -> Iterator[str]:
    for message in messages:
        start = message.body.index("token-")
        yield message.body[start : start + len("token-000000.")]


def _without_ceilings(desk: Desk) -> Desk:
    limits = replace(
        desk.agent.limits,
        letters_at_once=UNLIMITED,
        letters_per_hour=UNLIMITED,
        letters_per_day=UNLIMITED,
    )
    return replace(desk, agent=replace(desk.agent, mode="live", limits=limits))


def campaign(letters: int, seed: int) -> tuple[Campaign, dict[str, list[str]]]:
    """Play it; gives the campaign and what went wrong, all lists empty where nothing did."""
    with world(FIRST_THING) as here:
        luck = Weather(random.Random(seed), LUCK)
        here.stage.sandbox.tenant.faults = luck
        here.stage.sandbox.tenant.habits.draft_lingers = True  # as if it had never gone, until its copy shows
        played = Campaign(here, luck)
        played.run(letters)
        with here.ledger() as ledger:
            states = Counter(letter.state for letter in ledger.letters())
        if states != {LetterState.POSTED: letters}:
            raise RuntimeError(f"Not every letter came to its end: {dict(states)}.")
        return played, played.wrong()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--letters", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    log.set_up(level=logging.CRITICAL)
    began = time.monotonic()
    played, wrong = campaign(told.letters, told.seed)
    print(
        f"{told.letters} letters, seed {told.seed}, {played.rounds} rounds, {time.monotonic() - began:.0f} s"
    )
    for name, times in played.luck.met.most_common():
        print(f"  {times:>6}  {name}")
    for name, tokens in wrong.items():
        print(f"{name}: {len(tokens)} {tokens[:3] if tokens else ''}")
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main())
