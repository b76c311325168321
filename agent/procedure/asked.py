"""A question as a row of the register's Questions sheet: every column's text, by the column's `field`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from agent.procedure.decision import Question
from agent.procedure.row import HIDDEN
from agent.procedure.words import Json
from agent.procedure.working_days import Calendar


def row_of_question(
    question: Question, asked_at: datetime, calendar: Calendar, *, restricted: bool
) -> dict[str, str]:
    """The row of a question. Of a `restricted` one nothing is shown of what was seen."""
    return {
        "asked_at": calendar.local(asked_at).replace(tzinfo=None).isoformat(timespec="minutes"),
        "why": question.why,
        "candidates": ", ".join(question.candidates),
        "seen": HIDDEN if restricted else "\n".join(_told(question.seen)),
    }


def _told(seen: Mapping[str, Json]) -> Iterator[str]:
    """`Sender: …`, a line for each thing that was seen."""
    for name, said in seen.items():
        words = _words(said)
        if words:
            yield f"{name.replace('_', ' ').capitalize()}: {words}"


def _words(said: Json) -> str:
    if isinstance(said, dict):
        return ", ".join(words for one in said.values() if (words := _words(one)))
    if isinstance(said, list):
        return "; ".join(words for one in said if (words := _words(one)))
    return "" if said is None else str(said)
