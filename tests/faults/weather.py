"""What may befall a request, by the dice: the weather in which a campaign lets the agent work."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType

from agent.sandbox.faults import Fault, Faults, Plan


@dataclass(frozen=True)
class Mishap:
    """Befalls `chance` in a thousand of the requests that `asked` describes ("PUT .*/content").

    `faults` are what the request meets, see `agent.sandbox.faults`; `happens` is what somebody does right
    before it is carried out, and says whether it could be done.
    """

    chance: int
    faults: tuple[Mapping[str, object], ...] = ()
    asked: str = ".*"
    happens: Callable[[], bool] | None = None


class Weather(Faults):
    """Bad luck by the dice instead of by order. `met` counts what befell, by its name in `threatens`."""

    def __init__(self, dice: random.Random, threatens: Mapping[str, Mishap] = MappingProxyType({})) -> None:
        super().__init__()
        self.dice = dice
        self.threatens = threatens
        self.met: Counter[str] = Counter()
        self._turn = Lock()

    def plan(self, method: str, path: str) -> Plan:
        with self._turn:
            for name, mishap in self.threatens.items():
                if self._befalls(mishap, f"{method} {path}"):
                    self.met[name] += 1
                    return Plan(tuple(map(Fault.from_json, mishap.faults)))
        return Plan()

    def _befalls(self, mishap: Mishap, asked: str) -> bool:
        return (
            re.fullmatch(mishap.asked, asked) is not None
            and self.dice.randrange(1000) < mishap.chance
            and (mishap.happens is None or mishap.happens())
        )
