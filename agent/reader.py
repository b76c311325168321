"""What the agent reads in a file: a form, or a mail with all it carries, and where each value stood."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from agent.errors import WrongCall
from agent.forms.mail import documents_of, read_mail
from agent.forms.read import read
from agent.procedure.decide import QUESTIONS
from agent.procedure.findings import RECIPIENT
from agent.procedure.mail import Attachment, Mail
from agent.procedure.reading import Field, Reading, Unreadable
from agent.procedure.rules import Procedure
from agent.procedure.submission import Submission
from agent.procedure.submission_from import submissions_from
from agent.procedure.words import Kind, Moment
from agent.settings import DeskSettings, Settings

MAILS = (".eml", ".msg")
VALUE_WIDTH = 44  # of the column of values, for people


@dataclass(frozen=True)
class _Desk:
    """One desk's way of reading."""

    settings: Settings
    desk: DeskSettings

    @property
    def procedure(self) -> Procedure:
        return self.settings.procedure_of(self.desk)


def read_files(
    paths: Sequence[Path], settings: Settings, *, desk: str | None = None, as_json: bool = False
) -> Iterator[str]:
    """Lines for each path. A file that cannot be read is a line with its reason.

    Without `desk` each desk's procedure is tried, and the first that knows the form is taken.
    Raises WrongCall when there is no such desk.
    """
    desks = [_Desk(settings, one) for name, one in settings.desks.items() if desk in (None, name)]
    if not desks:
        raise WrongCall(f"There is no desk `{desk}`. There are: {', '.join(settings.desks)}.")
    for path in paths:
        told, desk_taken = _read_file(path, desks)
        if as_json:
            yield json.dumps(told, ensure_ascii=False)
        else:
            yield from _for_people(told, desk_taken.procedure)


def _read_file(path: Path, desks: Sequence[_Desk]) -> tuple[dict[str, Any], _Desk]:
    """What was read, and the desk by whose procedure."""
    try:
        content = path.read_bytes()
        tried = [(_read_for(path, content, desk), desk) for desk in desks]
    except OSError as wrong:
        return _nothing(path, f"The file cannot be opened: {wrong.strerror or wrong}."), desks[0]
    except Exception as wrong:  # whatever a file holds, the next one is read
        return _nothing(path, f"The agent failed on it ({type(wrong).__name__}). Please report it."), desks[0]
    return next((read for read in tried if read[0]["form"]), tried[0])


def _read_for(path: Path, content: bytes, desk: _Desk) -> dict[str, Any]:
    is_mail = path.suffix.lower() in MAILS
    mail = read_mail(content) if is_mail else _as_if_mailed(path, content, desk)
    procedure = desk.procedure
    readings = [
        read(document.content, document.name, desk.settings.forms_of(procedure), procedure.categories)
        for document in documents_of(mail)
    ]
    submissions = submissions_from(
        mail,
        readings,
        procedure,
        desk.desk.roster,
        received_at=mail.received_at or mail.written_at or datetime.max.replace(tzinfo=UTC),
        zone=desk.desk.zone,
    )
    told = [_told(path, one, _reading_of(one, readings), mail, procedure, is_mail) for one in submissions]
    main = told[0]
    if not is_mail and all(isinstance(one, Unreadable) for one in readings):
        main["kind"] = Kind.UNREADABLE
    main["problems"] += [
        problem for one in readings if isinstance(one, Unreadable) for problem in one.problems
    ]
    return {**main, "submissions": told} if len(told) > 1 else main


def _as_if_mailed(path: Path, content: bytes, desk: _Desk) -> Mail:
    """A document by itself, read as if somebody of the office had sent it without a word."""
    sender = f"nobody@{next(iter(desk.desk.allowed_domains), 'localhost')}"
    return Mail(
        message_id="<file>",
        subject="",
        sender=sender,
        sender_name="",
        to=(),
        cc=(),
        received_at=None,
        written_at=None,
        text="",
        attachments=(Attachment(path.name, "application/octet-stream", content),),
    )


def _reading_of(submission: Submission, readings: Sequence[Reading | Unreadable]) -> Reading | None:
    return next(
        (
            reading
            for reading in readings
            if isinstance(reading, Reading) and reading.sha256 == submission.document_sha256
        ),
        None,
    )


def _told(
    path: Path,
    submission: Submission,
    reading: Reading | None,
    mail: Mail,
    procedure: Procedure,
    is_mail: bool,
) -> dict[str, Any]:
    bounce = mail.bounce
    return {
        "path": str(path),
        "kind": submission.kind.value,
        "procedure": procedure.name if reading or submission.kind is not Kind.OTHER else None,
        "form": reading.form if reading else None,
        "children": [
            {"name": child.name, "dob": _iso(child.dob), "system_id": child.system_id}
            for child in submission.children
        ],
        "fields": {name: _field(found) for name, found in reading.answers.items()} if reading else {},
        "updates": [
            {
                "date": _iso(update.date),
                "text": update.text,
                "manager": update.manager,
                "reviewer": update.reviewer,
            }
            for update in submission.updates
        ],
        "conclusion": {"text": submission.conclusion.text, "date": _iso(submission.conclusion.date)}
        if submission.conclusion
        else None,
        "categories": list(submission.categories),
        "written_date": _iso(submission.form_date),
        "bounce": {key: value for key, value in asdict(bounce).items() if key != "original_key"}
        if bounce
        else None,
        "flags": [],
        "findings": list(submission.findings) if is_mail else [],
        "questions": list(submission.doubts),
        "problems": [*(reading.problems if reading else ()), *mail.problems],
    }


def _nothing(path: Path, problem: str) -> dict[str, Any]:
    return {
        "path": str(path),
        "kind": Kind.UNREADABLE.value,
        "procedure": None,
        "form": None,
        "children": [],
        "fields": {},
        "updates": [],
        "conclusion": None,
        "categories": [],
        "written_date": None,
        "bounce": None,
        "flags": [],
        "findings": [],
        "questions": [],
        "problems": [problem],
    }


def _field(found: Field) -> dict[str, Any]:
    return {
        "value": found.value,
        "text": found.text,
        "label": found.label,
        "where": found.where,
        "confidence": round(found.confidence, 2),
    }


def _iso(moment: Moment | date | None) -> str | None:
    if isinstance(moment, datetime):
        return moment.isoformat(timespec="minutes")
    return moment.isoformat() if moment else None


# For people


def _for_people(told: dict[str, Any], procedure: Procedure) -> Iterator[str]:
    """A small table: what was read, and beside it the label, the place and how sure the reader is."""
    for one in told.get("submissions", [told]):
        form = procedure.form_types.get(one["form"], one["form"])
        yield f"{one['path']}: {_KINDS[one['kind']]}" + (f" (form “{form}”)" if form else "")
        for name, value, source in _lines(one):
            yield from _in_columns(name, value, source)
        for code in one["findings"]:
            yield from _in_columns("noticed", _finding(code, procedure), "")
        for code in one["questions"]:
            yield from _in_columns("for a person", QUESTIONS.get(code, code), "")
        for said in one["problems"]:
            yield from _in_columns("problem", said, "")
    yield ""


_KINDS = {
    "new": "a first form",
    "update": "an update",
    "missing": "a form about a missing child",
    "closure": "a conclusion",
    "reply": "a reply",
    "auto_reply": "an automatic reply",
    "bounce": "a mail that could not be delivered",
    "other": "not about an alert",
    "unreadable": "not readable",
}


def _lines(told: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Name, value and source of all that was read."""
    for child in told["children"]:
        born = f", born {child['dob']}" if child["dob"] else ", date of birth not stated"
        number = f", {child['system_id']}" if child["system_id"] else ""
        yield "child", f"{child['name'] or 'name not stated'}{born}{number}", ""
    for name, found in told["fields"].items():
        where = f"“{found['label']}”, {found['where']}, {found['confidence']:.0%} sure"
        yield name.replace("_", " "), found["value"], where
    for update in told["updates"]:
        signed = ", ".join(filter(None, (update["manager"], update["reviewer"])))
        yield "update", f"{update['date'] or 'undated'}: {update['text']}", signed or "not signed"
    if told["conclusion"]:
        conclusion = told["conclusion"]
        yield "conclusion", f"{conclusion['date'] or 'undated'}: {conclusion['text']}", ""
    if told["categories"]:
        yield "categories", ", ".join(told["categories"]), ""
    if told["bounce"]:
        yield "undelivered to", told["bounce"]["address"] or "not stated", ""


def _in_columns(name: str, value: str, source: str) -> Iterator[str]:
    """`  author            Theo Marchbanks     “Name of person completing”, table 2, 94% sure`."""
    width = VALUE_WIDTH if source else VALUE_WIDTH + 40
    lines = [part for line in value.splitlines() for part in textwrap.wrap(line, width)] or [""]
    yield f"  {name:<18}{lines[0]:<{VALUE_WIDTH}}  {source}".rstrip()
    yield from (f"  {'':<18}{line}" for line in lines[1:])


def _finding(code: str, procedure: Procedure) -> str:
    if code.startswith(RECIPIENT):
        role = code.removeprefix(RECIPIENT)
        return f"Not copied: {procedure.role_names.get(role, role)}"
    return procedure.finding_words.get(code, code.replace("_", " "))
