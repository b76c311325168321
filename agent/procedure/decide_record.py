"""What is recorded of a form: facts that are not personal, and beside them the content that is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC

from agent.procedure.merging import children_told, together
from agent.procedure.submission import Child, Submission
from agent.procedure.text import fold
from agent.procedure.words import Json, Moment

MOMENTS = ("incident_at", "aware_at", "form_date", "missing_since", "returned_at", "next_update_due")


def facts_of(said: Submission, reference: str, known: frozenset[str] = frozenset()) -> dict[str, Json]:
    """What a form tells that is not personal. Lines of text go in as hashes, to know them again."""
    moments: dict[str, Json] = {name: iso(getattr(said, name)) for name in MOMENTS}
    return {
        "form": said.form,
        "form_kind": str(said.kind),
        "document": said.document_sha256,
        "categories": list(said.categories),
        **moments,
        "update_lines": [line for line in _lines(said, reference) if line not in known],
        "findings": list(said.findings),
        "received_at": said.received_at.astimezone(UTC).isoformat(),
    }


def content_of(said: Submission, known: Sequence[Child] = ()) -> dict[str, Json]:
    """What a form tells that is personal; children that are `known` already are told as they are known."""
    values: dict[str, Json] = dict(said.values)
    return {
        "author_address": said.author_address or said.sender,
        "sender": said.sender,
        "values": values,
        "children": children_told(together(said.children, known)),
        "updates": [
            {
                "date": iso(update.date),
                "text": update.text,
                "manager": update.manager,
                "reviewer": update.reviewer,
            }
            for update in said.updates
        ],
        "actions": [
            {"text": action.text, "owner": action.owner, "due": iso(action.due), "done": action.done}
            for action in said.actions
        ],
    }


def _lines(said: Submission, reference: str) -> list[str]:
    """The hashes of all lines of a form that count as news: each update, and the conclusion."""
    conclusion = conclusion_line(said, reference)
    return list(dict.fromkeys([*update_lines(said, reference), *([conclusion] if conclusion else [])]))


def update_lines(said: Submission, reference: str) -> list[str]:
    """The hash of each update."""
    return [_hashed(reference, iso(update.date) or "", update.text) for update in said.updates]


def conclusion_line(said: Submission, reference: str) -> str | None:
    """The hash of the conclusion, where there is one."""
    return _hashed(reference, "conclusion", said.conclusion.text) if said.conclusion else None


def _hashed(reference: str, *parts: str) -> str:
    """Short, and different for each alert, so that equal lines of two alerts do not show."""
    told = "\0".join((reference, *map(squeezed, parts)))
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def squeezed(text: str) -> str:
    """A text as far as its meaning goes: case, spacing and punctuation change nothing."""
    return "".join(letter for letter in fold(text) if letter.isalnum())


def iso(moment: Moment | None) -> str | None:
    """A moment as it stands in the ledger."""
    return moment.isoformat() if moment else None
