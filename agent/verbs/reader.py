"""What the agent reads in a file: a form, or a mail with all it carries, and where each value stood."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from agent.errors import WrongCall
from agent.forms.mail import documents_of, read_mail
from agent.forms.sniff import sniff
from agent.forms.worker import Reader
from agent.procedure.apart import bears_phrase
from agent.procedure.findings import RECIPIENT
from agent.procedure.mail import Mail
from agent.procedure.reading import Field, Reading, Unreadable
from agent.procedure.rules import Procedure
from agent.procedure.subject import parse_subject
from agent.procedure.submission import Submission
from agent.procedure.submission_from import submissions_from
from agent.procedure.text import words
from agent.procedure.words import Kind, Moment
from agent.settings import DeskSettings, Settings
from agent.verbs.reading_table import table_of

_MAILS = (".eml", ".msg")  # whatever is in them
_LOOK_LIKE_MAILS = ("mail", "msg")
_FORMS = frozenset({Kind.NEW, Kind.UPDATE, Kind.MISSING, Kind.CLOSURE})
# Departures that only a mail can show; a document by itself has no subject, recipients or hour of arrival.
_OF_MAILS = ("subject_phrase_missing", "marking_missing", "late_form", RECIPIENT)


@dataclass(frozen=True)
class ReadingDesk:
    """One desk's way of reading. `reader` is walled off: no file can end the command."""

    settings: Settings
    desk: DeskSettings
    reader: Reader

    @property
    def procedure(self) -> Procedure:
        return self.settings.procedure_of(self.desk)


def desks_named(settings: Settings, name: str | None) -> list[DeskSettings]:
    """The desk of that name, or all. Raises WrongCall when there is no such desk."""
    desks = [desk for known, desk in settings.desks.items() if name in (None, known)]
    if not desks:
        raise WrongCall(f"There is no desk `{name}`. There are: {', '.join(settings.desks)}.")
    return desks


def read_files(
    paths: Sequence[Path],
    settings: Settings,
    *,
    today: date,
    desk: str | None = None,
    as_json: bool = False,
    units: bool = False,
) -> Iterator[str]:
    """Lines for each path. A file that cannot be read is a line with its reason.

    With `units` everything that stands in the documents is told as well, in order.
    Without `desk` every desk's procedure is tried: the one that knows the form is taken, and for a mail
    without a form the one to which it was sent or that its subject speaks of. Raises WrongCall when there
    is no such desk.
    """
    asked = desks_named(settings, desk)
    with ExitStack() as stack:
        desks = [ReadingDesk(settings, one, stack.enter_context(closing(Reader(workers=1)))) for one in asked]
        for path in paths:
            told, procedure = _read_file(path, desks, today, units=units)
            if as_json:
                yield json.dumps(told, ensure_ascii=False)
            else:
                yield from table_of(told, procedure)


def _read_file(
    path: Path, desks: Sequence[ReadingDesk], today: date, *, units: bool
) -> tuple[dict[str, Any], Procedure]:
    """What was read, and the procedure by which."""
    try:
        content = path.read_bytes()
        is_mail = _is_mail(path, content)
        mail = read_mail(content) if is_mail else _as_if_mailed(path, content)
        tried = [_Found(path, is_mail, mail, desk, today) for desk in desks]
        best = max(tried, key=lambda found: found.evidence)
        told, procedure = best.told(), best.procedure
        everything = best.units() if units else []
    except OSError as wrong:
        problem = f"The file cannot be opened: {wrong.strerror or wrong}."
    except Exception as wrong:  # whatever a file holds, the next one is read
        problem = f"The agent failed on it ({type(wrong).__name__}). Please report it."
    else:
        return told | ({"units": everything} if units else {}), procedure
    told = {**_nothing(path), "problems": [problem]}
    return told | ({"units": []} if units else {}), desks[0].procedure


def _is_mail(path: Path, content: bytes) -> bool:
    return path.suffix.lower() in _MAILS or sniff(content) in _LOOK_LIKE_MAILS


def _as_if_mailed(path: Path, content: bytes) -> Mail:
    """A document by itself, as if it had been sent without a word."""
    bare = EmailMessage()
    name = path.name.encode("utf-8", "replace").decode()
    bare.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return read_mail(bare.as_bytes())


@dataclass
class _Found:
    """What one desk finds in a file."""

    path: Path
    is_mail: bool
    mail: Mail
    desk: ReadingDesk
    today: date
    readings: list[Reading | Unreadable] = field(init=False)
    submissions: tuple[Submission, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not self.is_mail:  # somebody of the office gives it to read
            inside = next(iter(self.desk.desk.allowed_domains), "localhost")
            self.mail = replace(self.mail, sender=f"nobody@{inside}")
        forms = self.desk.settings.forms_of(self.procedure)
        self.readings = [
            self.desk.reader.read(document.content, document.name, forms, self.procedure.categories)
            for document in documents_of(self.mail)
        ]
        self.submissions = submissions_from(
            self.mail,
            self.readings,
            self.procedure,
            self.desk.desk.roster,
            received_at=self.mail.received_at or self.mail.written_at or datetime.max.replace(tzinfo=UTC),
            zone=self.desk.desk.zone,
        )

    @property
    def procedure(self) -> Procedure:
        return self.desk.procedure

    @property
    def evidence(self) -> tuple[bool, bool, int, bool]:
        """How much speaks for this desk: a form of its own, then where the mail went, then its subject."""
        phrase = self.procedure.subject.phrase
        return (
            any(isinstance(one, Reading) for one in self.readings),
            bool(self.mail.recipients & self.desk.desk.roster.own),
            len(phrase) if bears_phrase(self.mail.subject, self.procedure) else 0,
            any(one.kind in _FORMS for one in self.submissions),
        )

    def told(self) -> dict[str, Any]:
        """The line for this file; the first submission, and all where there are several."""
        told = [self._submission(one) for one in self.submissions]
        main = told[0]
        broken = [one.code for one in self.readings if isinstance(one, Unreadable)]
        if not self.is_mail and len(broken) == len(self.readings) and set(broken) != {"not_a_form"}:
            main["kind"] = Kind.UNREADABLE
        unread = [problem for one in self.readings if isinstance(one, Unreadable) for problem in one.problems]
        main["problems"] += [*self.mail.problems, *unread]
        return {**main, "submissions": told} if len(told) > 1 else main

    def units(self) -> list[dict[str, Any]]:
        """Everything that stands in the documents; of several, each place begins with the document's name."""
        documents = documents_of(self.mail)
        read = [self.desk.reader.read_units(each.content, each.name) for each in documents]
        return [
            asdict(unit) | ({"where": f"{document.name}: {unit.where}"} if len(documents) > 1 else {})
            for document, found in zip(documents, read, strict=True)
            if isinstance(found, tuple)
            for unit in found
        ]

    def _submission(self, submission: Submission) -> dict[str, Any]:
        forms = [one for one in self.readings if isinstance(one, Reading)]
        form = next((one for one in forms if one.sha256 == submission.document_sha256), None)
        found: dict[str, Any] = {
            "kind": submission.kind.value,
            "procedure": self.procedure.name if any(self.evidence) else None,
            "children": [
                {"name": child.name, "dob": _iso(child.dob), "system_id": child.system_id}
                for child in submission.children
            ],
            "updates": [{**asdict(update), "date": _iso(update.date)} for update in submission.updates],
            "categories": list(submission.categories),
            "written_date": _iso(submission.form_date),
            "flags": self._flags(),
            "findings": [code for code in submission.findings if self.is_mail or not _is_of_mails(code)],
            "questions": list(submission.doubts),
            "because": list(submission.because),
            "proposes": _proposes(submission),
            "away_until": _iso(submission.away_until),
            "deputy": submission.deputy or None,
        }
        if form:
            found |= {
                "form": _form_type(form, self.procedure),
                "fields": {name: _field(value) for name, value in form.answers.items()},
                "unread": list(form.unread),
                "problems": list(form.problems),
            }
        if submission.conclusion:
            claimed = submission.conclusion
            found["conclusion"] = {"text": claimed.text, "date": _iso(claimed.date)}
        if self.mail.bounce:
            bounce = asdict(self.mail.bounce)
            found["bounce"] = {key: bounce[key] for key in ("address", "permanent", "original_message_id")}
        return {**_nothing(self.path), **found}

    def _flags(self) -> list[str]:
        names = [document.name for document in self.mail.attachments if not document.inline]
        subject = self.mail.subject if self.is_mail else None
        return sorted(parse_subject(subject, names, self.procedure, self.today).flags)


def _is_of_mails(code: str) -> bool:
    return code.startswith(_OF_MAILS)


def _form_type(form: Reading, procedure: Procedure) -> str:
    """`standard`, `missing`, `leadership_alert`: what the procedure calls this type of form, or `old`."""
    return "old" if form.old else "_".join(words(procedure.form_types.get(form.form, form.form)))


def _proposes(submission: Submission) -> list[str]:
    """What a reply suggests, for people to decide."""
    proposal = submission.proposal
    told = {
        "no change": proposal.no_change,
        "to close the alert": proposal.close,
        f"the next update by {_iso(proposal.next_update)}": proposal.next_update is not None,
    }
    return [words for words, is_so in told.items() if is_so]


def _nothing(path: Path) -> dict[str, Any]:
    """A line that tells nothing, with every key in its place."""
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
        "because": [],
        "proposes": [],
        "away_until": None,
        "deputy": None,
        "problems": [],
        "unread": [],
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
        return moment.replace(tzinfo=None).isoformat(timespec="minutes")  # as the form states it
    return moment.isoformat() if moment else None
