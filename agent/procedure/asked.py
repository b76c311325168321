"""A question as a row of the register's Questions sheet: every column's text, by the column's `field`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from agent.procedure.decision import Question
from agent.procedure.row import HIDDEN
from agent.procedure.rules import Procedure
from agent.procedure.words import Json
from agent.procedure.working_days import Calendar


def row_of_question(
    question: Question, asked_at: datetime, procedure: Procedure, calendar: Calendar, *, restricted: bool
) -> dict[str, str]:
    """The row of a question. Of a `restricted` one nothing is shown of what was seen."""
    return {
        "asked_at": calendar.local(asked_at).replace(tzinfo=None).isoformat(timespec="minutes"),
        "why": question.why,
        "candidates": ", ".join(question.candidates),
        "seen": HIDDEN if restricted else "\n".join(_told(question.seen, procedure)),
    }


def problem_said(code: str, procedure: Procedure) -> str:
    """Why a form could not be read, in plain words."""
    words = procedure.problem_words
    return words.get(code) or words.get("other") or code.replace("_", " ")


def _told(seen: Mapping[str, Json], procedure: Procedure) -> Iterator[str]:
    """`Sender: …`, a line for each thing that was seen."""
    for name, said in seen.items():
        words = problem_said(str(said), procedure) if name == "problem" and said else _words(said)
        if words:
            yield f"{name.replace('_', ' ').capitalize()}: {words}"


def _words(said: Json) -> str:
    if isinstance(said, dict):
        return ", ".join(words for one in said.values() if (words := _words(one)))
    if isinstance(said, list):
        return "; ".join(words for one in said if (words := _words(one)))
    return "" if said is None else str(said)
