"""What the agent makes of a submission: values only; the intake step carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.procedure.entry import Entry
from agent.procedure.words import Json, Place


@dataclass(frozen=True)
class Question:
    """What the agent will not guess. `code` and `alerts` are not personal; `seen` is.

    `candidates` are references of the alerts it might be; `why` is a sentence without names.
    """

    code: str
    why: str
    message_id: str
    candidates: tuple[str, ...] = ()
    seen: Mapping[str, Json] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Decision:
    """The outcome for one mail: lines to record, questions to ask, and where the mail belongs.

    `outcome` is a short stable code for counting (`opened`, `updated`, `newsletter`…), `categories`
    are the Outlook categories to put on the mail (a reference, a state; never a name).
    """

    place: Place
    outcome: str
    entries: tuple[Entry, ...] = ()
    questions: tuple[Question, ...] = ()
    categories: tuple[str, ...] = ()
