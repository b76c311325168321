"""The five steps as one list, and how a step is run so that its trouble stays its own."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.chasing import chasing
from agent.desk import Desk
from agent.errors import AgentError, Stopping, TryAgainLater
from agent.log import logger
from agent.outage import MAILBOX, REGISTER
from agent.posting import posting
from agent.procedure.working_days import BankHolidaysUnknown
from agent.weekly_digest import weekly_digest

log = logger()

Step = Callable[[Desk, datetime], int]

# In the order of the one data path: what a step finds is told by the next.
STEPS: dict[str, Step] = {
    "intake": MAILBOX.watched,
    "bookkeeping": REGISTER.watched,
    "chasing": chasing,
    "weekly_digest": weekly_digest,
    "posting": posting,
}


_DONE = {
    "intake": ("mail dealt with", "mails dealt with"),
    "sweep": ("mail found that had been missed", "mails found that had been missed"),
    "bookkeeping": ("row written", "rows written"),
    "chasing": ("letter laid in the tray", "letters laid in the tray"),
    "weekly_digest": ("letter laid in the tray", "letters laid in the tray"),
    "posting": ("letter sent", "letters sent"),
    "retention": ("alert erased", "alerts erased"),
}


@dataclass(frozen=True)
class Outcome:
    """What came of one step: how much was done, and the trouble it met, as a sentence."""

    step: str
    desk: str
    done: int = 0
    trouble: str = ""
    needs_a_person: bool = False

    def __str__(self) -> str:
        """`intake: 3 mails dealt with`, or the trouble."""
        one, more = _DONE[self.step]
        done = f"{self.done} {one if self.done == 1 else more}" if self.done else "nothing to do"
        return f"{self.step.replace('_', ' ')}: {self.trouble or done}"


def run_step(name: str, desk: Desk, now: datetime, step: Step | None = None) -> Outcome:
    """Run one step on one desk; trouble ends this round of it and nothing else.

    A mistake of ours is told by its kind and place: its message could quote a mail.
    """
    try:
        return Outcome(name, desk.name, done=(step or STEPS[name])(desk, now))
    except Stopping:
        return Outcome(name, desk.name, trouble="the agent is being stopped")
    except TryAgainLater as wait:
        log.warning("step.again_later", step=name, desk=desk.name, why=str(wait))
        return Outcome(name, desk.name, trouble=str(wait))
    except (AgentError, BankHolidaysUnknown) as wrong:
        log.error("step.needs_a_person", step=name, desk=desk.name, why=str(wrong))
        return Outcome(name, desk.name, trouble=str(wrong), needs_a_person=True)
    except Exception as mistake:  # the other steps and desks go on
        where = _place(mistake)
        log.error("step.failed", step=name, desk=desk.name, error=type(mistake).__name__, where=where)
        told = f"a mistake in the agent ({type(mistake).__name__} at {where}). Please report it."
        return Outcome(name, desk.name, trouble=told, needs_a_person=True)


def _place(mistake: Exception) -> str:
    """The last of our own lines that led to it: `intake.py:120`."""
    ours = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(mistake.__traceback__)
        if Path(frame.filename).is_relative_to(Path(__file__).parent)
    ]
    return ours[-1]


def run_all(desk: Desk, now: datetime) -> list[Outcome]:
    """Every step once, in order. The register is brought up to date again after letters went out."""
    outcomes = []
    for name in (*STEPS, "bookkeeping"):
        if desk.stop.is_set():
            break
        outcomes.append(run_step(name, desk, now))
    return outcomes
