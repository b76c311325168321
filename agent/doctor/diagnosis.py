"""What the doctor says about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`WATCH`: it works today, and somebody has to see to it."""

    WELL = "well"
    WATCH = "watch"
    ILL = "ill"
    UNSEEN = "not checked"


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at. `said` is a sentence, `remedy` what to do, setting or command included.

    `desk` is "" where it concerns the agent as a whole.
    """

    check: str
    state: State
    said: str
    remedy: str = ""
    desk: str = ""


def well(check: str, said: str, desk: str = "") -> Diagnosis:
    return Diagnosis(check, State.WELL, said, desk=desk)


def watch(check: str, said: str, remedy: str, desk: str = "") -> Diagnosis:
    return Diagnosis(check, State.WATCH, said, remedy, desk)


def ill(check: str, said: str, remedy: str, desk: str = "") -> Diagnosis:
    return Diagnosis(check, State.ILL, said, remedy, desk)


def unseen(check: str, said: str, remedy: str = "", desk: str = "") -> Diagnosis:
    return Diagnosis(check, State.UNSEEN, said, remedy, desk)
