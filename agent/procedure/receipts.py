"""Receipts: a first form is acknowledged, and one that could not be read is sent back in words, each once.

To the author alone, inside the allowed domains, never about themselves, and never while a mail of the matter
may have gone to the wrong people. Nothing waits for a receipt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from agent.procedure.addressing import AUTHOR, Addressing, is_subject
from agent.procedure.alert import Alert
from agent.procedure.asked import problem_said
from agent.procedure.findings import clause_of, finding_said
from agent.procedure.occasion import Asked, Occasion, concerns
from agent.procedure.people import People
from agent.procedure.questions import STRANGERS
from agent.procedure.row import is_staff_matter
from agent.procedure.rules import Procedure
from agent.procedure.words import Moment
from agent.procedure.working_days import Calendar

ACKNOWLEDGEMENT = "acknowledgement"
RETURNED_FORM = "returned_form"

_WHAT_IT_IS = "form_kind"  # a first form shows by what is filled in; the box alone is nothing to ask for

Labels = Mapping[str, Mapping[str, str]]  # for each form, what may not be left empty: name → label


@dataclass(frozen=True)
class Noticed:
    """A departure from the procedure, in the procedure's words, with its clause."""

    said: str
    clause: str


@dataclass(frozen=True)
class Acknowledgement(Occasion):
    """What was understood of a first form, what is missing on it, and what was noticed."""

    received: date
    initials: str
    form: str
    children: int
    incident: Moment | None
    missing_since: Moment | None
    next_update: date | None
    missing: tuple[str, ...]
    noticed: tuple[Noticed, ...]


@dataclass(frozen=True)
class ReturnedForm(Occasion):
    """A form that could not be read. `problem` says why, in words; `about` is the alert it was opened as,
    or may belong to."""

    received: date
    problem: str
    about: str


def acknowledgements_due(
    alerts: Iterable[Alert],
    questions: Sequence[Asked],
    now: datetime,
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    labels: Labels,
    *,
    not_before: datetime | None = None,
) -> tuple[Acknowledgement, ...]:
    """An acknowledgement for each first form that was read, while it is fresh. `questions` wait for an
    answer; `not_before` is when the desk began."""
    return tuple(
        _acknowledgement(alert, procedure, calendar, labels)
        for alert in alerts
        if alert.form
        and not (alert.not_an_alert or alert.provisional or alert.adopted_at)
        and _is_fresh(alert.received_at, now, procedure, not_before)
        and _may_be_answered(alert, procedure, people, calendar.today(now))
        and not any(_may_be_a_breach(one, alert.reference, alert.mails, procedure) for one in questions)
    )


def returned_forms_due(
    alerts: Mapping[str, Alert],
    questions: Sequence[Asked],
    now: datetime,
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    *,
    not_before: datetime | None = None,
) -> tuple[ReturnedForm, ...]:
    """A letter to whoever sent a form that could not be read, while it is fresh and waits for a person."""
    return tuple(
        _returned(one, procedure, calendar)
        for one in questions
        if one.question.code in procedure.urgent.returned
        and _is_fresh(one.asked_at, now, procedure, not_before)
        and people.may_be_written_to(_sender(one))
        and not _is_about_sender(one, alerts, people)
        and not any(_forbids_an_answer(other, one.question.message_id, procedure) for other in questions)
    )


def _is_fresh(at: datetime, now: datetime, procedure: Procedure, not_before: datetime | None) -> bool:
    """What lay there before the desk began is history, and a late receipt only puzzles."""
    hours, began = procedure.letters.receipt_hours, not_before or datetime.min.replace(tzinfo=UTC)
    return hours > 0 and began < at and now - at < timedelta(hours=hours)


def _may_be_answered(alert: Alert, procedure: Procedure, people: People, today: date) -> bool:
    (author,) = Addressing(procedure, people, today).of(AUTHOR, alert)
    return author.to is not None and author.to.address.lower() == alert.author_address.lower()


def _may_be_a_breach(asked: Asked, alert: str, mails: Iterable[str], procedure: Procedure) -> bool:
    return asked.question.code in procedure.urgent.breaches and concerns(asked, alert, mails)


def _forbids_an_answer(asked: Asked, mail: str, procedure: Procedure) -> bool:
    """Who is not proven to have sent the mail is not written to about it: whoever they name never saw it."""
    doubted = asked.question.code in STRANGERS and asked.question.message_id == mail
    return doubted or _may_be_a_breach(asked, "", {mail}, procedure)


def _is_about_sender(asked: Asked, alerts: Mapping[str, Alert], people: People) -> bool:
    person = people.at(_sender(asked))
    about = (alerts[one] for one in asked.question.candidates if one in alerts)
    return person is not None and any(is_subject(person.name, alert) for alert in about)


def _sender(asked: Asked) -> str:
    return str(asked.question.seen.get("sender", ""))


def _acknowledgement(
    alert: Alert, procedure: Procedure, calendar: Calendar, labels: Labels
) -> Acknowledgement:
    received = calendar.today(alert.received_at)
    return Acknowledgement(
        letter=ACKNOWLEDGEMENT,
        to=alert.author_address,
        alert=alert.reference,
        rule=ACKNOWLEDGEMENT,
        due=received,
        received=received,
        initials="" if is_staff_matter(alert, procedure) else alert.initials,
        form=procedure.form_types.get(alert.form, alert.form),
        children=len(alert.children),
        incident=calendar.shown(alert.incident_at),
        missing_since=calendar.shown(alert.missing_since),
        next_update=alert.next_update_due,
        missing=_left_empty(alert, labels.get(alert.form, {})),
        noticed=tuple(
            Noticed(finding_said(code, procedure), clause_of(code, procedure)) for code in alert.findings
        ),
    )


def _left_empty(alert: Alert, labels: Mapping[str, str]) -> tuple[str, ...]:
    """The labels of what the form leaves open. A brief first alert is complete as it is: speed comes first
    (Merton "Recording")."""
    if alert.values.get("brief") == "yes":
        return ()
    return tuple(
        label
        for name, label in labels.items()
        if name != _WHAT_IT_IS and not alert.values.get(name) and getattr(alert, name, None) is None
    )


def _returned(asked: Asked, procedure: Procedure, calendar: Calendar) -> ReturnedForm:
    question, received = asked.question, calendar.today(asked.asked_at)
    about = question.candidates[0] if len(question.candidates) == 1 else ""
    return ReturnedForm(
        letter=RETURNED_FORM,
        to=_sender(asked),
        alert=about,
        rule=f"{RETURNED_FORM}:{asked.number}",
        due=received,
        received=received,
        problem=problem_said(question, procedure),
        about=about,
    )
