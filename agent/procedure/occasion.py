"""Why one letter to one person is due, whatever kind of letter it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from agent.procedure.decision import Question


@dataclass(frozen=True)
class Occasion:
    """`letter` is the kind of letter, `to` an address. (`alert`, `rule`, `due`) is the reason for which it
    exists, once; `alert` is "" where it is about none. The rule is stable and names nobody."""

    letter: str
    to: str
    alert: str
    rule: str
    due: date


class Asked(Protocol):
    """A question for a person, as the ledger keeps it."""

    @property
    def number(self) -> int: ...
    @property
    def asked_at(self) -> datetime: ...
    @property
    def question(self) -> Question: ...


def concerns(asked: Asked, alert: str, mails: Iterable[str]) -> bool:
    """Whether a question is about this alert, or about one of its mails."""
    return alert in asked.question.candidates or asked.question.message_id in mails
