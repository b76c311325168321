"""A question as a row of the register's Questions sheet: every column's text, by the column's `field`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agent.procedure.alert import day
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
        "seen": HIDDEN if restricted else "\n".join(_told(question, procedure)),
    }


def problem_said(question: Question, procedure: Procedure) -> str:
    """Why a form could not be read, or what else was the matter, in plain words."""
    code = str(question.seen.get("problem") or question.code)
    known = procedure.problem_words
    unread = known.get("other") if question.code in procedure.urgent.returned else None
    return known.get(code) or unread or code.replace("_", " ")


def _told(question: Question, procedure: Procedure) -> Iterator[str]:
    """`Sender: …`, a line for each thing that was seen."""
    for name, said in question.seen.items():
        words = problem_said(question, procedure) if name == "problem" and said else _words(said)
        if words:
            yield f"{name.replace('_', ' ').capitalize()}: {words}"


def _words(said: Json) -> str:
    if isinstance(said, dict):  # a child: the name comes first
        told = sorted(said.items(), key=lambda one: one[0] != "name")
        return ", ".join(words for _, one in told if (words := _words(one)))
    if isinstance(said, list):
        return "; ".join(words for one in said if (words := _words(one)))
    found = day(said)
    return f"{found.day} {found:%b %Y}" if found else "" if said is None else str(said)
