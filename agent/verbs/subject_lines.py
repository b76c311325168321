"""An office's own old subject lines, tried before going live: what the agent makes of each."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from agent.procedure.subject import SubjectSays, parse_subject
from agent.procedure.words import Kind
from agent.settings import Settings
from agent.verbs.reader import desks_named

_WIDTH = 100


def read_subjects(
    lines: Iterable[str], settings: Settings, *, today: date, desk: str | None = None, as_json: bool = False
) -> Iterator[str]:
    """What each row of `{"subject", "attachment"}` says, in order: `kind`, `child`, `date` and `flags`.

    Several attachments are joined by "; ". A row that is none is told with its problem. They are read by
    the desk's procedure; without `desk` by the first one's, for they are one office's. Raises WrongCall
    when there is no such desk.
    """
    procedure = settings.procedure_of(desks_named(settings, desk)[0])
    for line in lines:
        if not line.strip():
            continue
        try:
            subject, names = _row(line)
        except ValueError as wrong:
            told: dict[str, Any] = {"kind": None, "child": None, "date": None, "flags": []}
            told["problem"] = str(wrong)
            subject = line.strip()
        else:
            told = _told(parse_subject(subject, names, procedure, today))
        yield from [json.dumps(told, ensure_ascii=False)] if as_json else _for_people(subject, told)


def _row(line: str) -> tuple[str, list[str]]:
    """Subject and names of the attachments. Raises ValueError, a sentence, for what is no such row."""
    try:
        row = json.loads(line)
    except ValueError:
        raise ValueError("This line is no JSON.") from None
    if not isinstance(row, dict) or not isinstance(row.get("subject"), str):
        raise ValueError('This line has no "subject" that is a text.')  # noqa: TRY004 - a sentence, no bug
    attachment = row.get("attachment")
    if not isinstance(attachment, str | None):
        raise ValueError('"attachment" is a text or null.')  # noqa: TRY004 - as above
    return row["subject"], [name for name in (attachment or "").split("; ") if name]


def _told(says: SubjectSays) -> dict[str, Any]:
    return {
        "kind": says.kind.value,
        "child": says.child,
        "date": says.date.isoformat() if says.date else None,
        "flags": sorted(says.flags),
    }


def _for_people(subject: str, told: dict[str, Any]) -> Iterator[str]:
    yield from textwrap.wrap(subject or "(no subject)", _WIDTH)
    if "problem" in told:
        yield f"    {told['problem']}"
        return
    child = told["child"] or ("nobody named" if told["kind"] != Kind.OTHER else "")
    said = ", ".join(filter(None, (told["kind"], child, told["date"])))
    flags = ", ".join(flag.replace("_", " ") for flag in told["flags"])
    for text in (said, flags):
        yield from textwrap.wrap(text, _WIDTH, initial_indent="    ", subsequent_indent="    ")
