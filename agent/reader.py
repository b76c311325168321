"""What the agent reads in a file: a form, or a mail with all it carries, and where each value stood."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from agent.errors import BadConfiguration
from agent.forms.mail import documents_of, read_mail
from agent.forms.read import read
from agent.procedure.mail import Attachment, Mail
from agent.procedure.reading import Field, Reading, Unreadable
from agent.procedure.rules import Procedure
from agent.procedure.submission import Submission
from agent.procedure.submission_from import submissions_from
from agent.procedure.words import Kind, Moment
from agent.settings import DeskSettings, Settings

MAILS = (".eml",)


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
    Raises BadConfiguration when there is no such desk.
    """
    desks = [_Desk(settings, one) for name, one in settings.desks.items() if desk in (None, name)]
    if not desks:
        raise BadConfiguration([f"There is no desk `{desk}`. There are: {', '.join(settings.desks)}."])
    for path in paths:
        told = _read_file(path, desks)
        yield from [json.dumps(told, ensure_ascii=False)] if as_json else _for_people(told)


def _read_file(path: Path, desks: Sequence[_Desk]) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as wrong:
        return _nothing(path, Kind.UNREADABLE, f"The file cannot be opened: {wrong.strerror or wrong}.")
    tried = [_read_for(path, content, desk) for desk in desks]
    return next((told for told in tried if told["form"]), tried[0])


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
        "fields": {name: _field(found) for name, found in reading.fields.items()} if reading else {},
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


def _nothing(path: Path, kind: Kind, problem: str) -> dict[str, Any]:
    return {
        "path": str(path),
        "kind": kind.value,
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


def _for_people(told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['path']}: {told['kind']}" + (f", form {told['form']}" if told["form"] else "")
    for child in told["children"]:
        yield f"  child            {child['name']}  born {child['dob'] or 'not stated'}  {child['system_id']}"
    for name, found in told["fields"].items():
        value = found["value"].replace("\n", " / ")
        yield f"  {name:<16} {value[:70]}  [{found['label']}; {found['where']}; {found['confidence']:.2f}]"
    for update in told["updates"]:
        yield f"  update           {update['date'] or 'undated'}  {update['text'][:70]}"
    if told["conclusion"]:
        yield f"  conclusion       {told['conclusion']['text'][:70]}"
    if told["categories"]:
        yield f"  categories       {', '.join(told['categories'])}"
    for what in ("findings", "questions", "problems"):
        for said in told[what]:
            yield f"  {what[:-1]:<16} {said}"
