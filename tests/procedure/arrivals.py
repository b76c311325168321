"""Mails, forms and a desk that receives them. Everybody and everything in them is invented."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from agent.procedure.alert import Alert, folded_on
from agent.procedure.alerts import Alerts
from agent.procedure.decide import decide_mail
from agent.procedure.decision import Decision
from agent.procedure.mail import Attachment, Mail
from agent.procedure.people import People, Person
from agent.procedure.reading import Field, Reading, Unreadable
from agent.procedure.rules import Procedure
from agent.procedure.submission import Submission
from agent.procedure.submission_from import submissions_from

ROOT = Path(__file__).parents[2]
LONDON = ZoneInfo("Europe/London")
DESK = "n2knotification@nctrust.co.uk"
AUTHOR = "dana.hollis@nctrust.co.uk"
COLLEAGUE = "femi.adeyemi@nctrust.co.uk"
DIRECTOR = "ruth.penrose@nctrust.co.uk"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PROPER = "Senior Leadership Alert - Urgent and Confidential"

PEOPLE = People(
    own=frozenset({DESK, "n2knotifications@nctrust.co.uk"}),
    allowed_domains=frozenset({"nctrust.co.uk"}),
    people=(
        Person("Ruth Penrose", DIRECTOR, ("director",)),
        Person("Owen Marsh", "owen.marsh@nctrust.co.uk", ("chief_executive",)),
        Person("Ada North", "ada.north@nctrust.co.uk", ("assistant_director",)),
        Person("Ben West", "ben.west@nctrust.co.uk", ("assistant_director",)),
        Person("Sol Quaye", "sol.quaye@nctrust.co.uk", ("sqas_sm", "strategic_manager")),
        Person("Ivy Pratt", "ivy.pratt@nctrust.co.uk", ("psw",)),
        Person("Hal Rowe", "hal.rowe@nctrust.co.uk", ("hr_head",)),
    ),
)
EVERYBODY = (DESK, *(person.address for person in PEOPLE.people if "hr_head" not in person.roles))


@cache
def nct() -> Procedure:
    """The procedure as it is shipped."""
    told = tomllib.loads((ROOT / "config/procedures/nct.toml").read_text(encoding="utf-8"))
    return TypeAdapter(Procedure).validate_python(told)


def concluding_by_form() -> Procedure:
    return replace(nct(), conclusion="form")


def row(values: Mapping[str, str]) -> Mapping[str, Field]:
    return {
        name: Field(name=name, value=value, text=value, label=name, where="a table")
        for name, value in values.items()
        if value
    }


def form(
    *,
    name: str = "sla",
    document: str = "Senior Leadership Alert Liam Harwood 1 Mar 26.docx",
    children: Sequence[Mapping[str, str]] = ({"child_name": "Liam Harwood", "dob": "2012-05-04"},),
    updates: Sequence[Mapping[str, str]] = (),
    ticked: Sequence[str] = (),
    edition: str = "",
    **values: str,
) -> Reading:
    """A form as it was read. `edition` makes another file of the same content."""
    told = {
        "incident_at": "2026-03-01T16:30",
        "author": "Dana Hollis",
        "summary": "A fall at home.",
        **values,
    }
    content = repr((name, document, children, updates, ticked, sorted(told.items()), edition))
    return Reading(
        form=name,
        document=document,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        fields=row(told),
        tables={"children": tuple(map(row, children)), "updates": tuple(map(row, updates))},
        ticked=tuple(ticked),
    )


def update(
    text: str, date: str = "2026-03-05", manager: str = "Dana Hollis", reviewer: str = "Sol Quaye"
) -> Mapping[str, str]:
    return {"date": date, "text": text, "manager": manager, "reviewer": reviewer}


def mail(
    subject: str = PROPER,
    *,
    sender: str = AUTHOR,
    number: int = 1,
    at: datetime = MONDAY,
    to: Sequence[str] = EVERYBODY,
    text: str = "Please see attached.",
    attachments: Sequence[Attachment] = (),
    nested: Sequence[Mail] = (),
    answers: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Mail:
    return Mail(
        message_id=f"<{number}@mail.example>",
        subject=subject,
        sender=sender,
        sender_name="",
        to=tuple(to),
        cc=(),
        received_at=at,
        written_at=at,
        text=text,
        attachments=tuple(attachments),
        nested=tuple(nested),
        in_reply_to=answers,
        references=(answers,) if answers else (),
        headers=headers or {},
    )


def submissions(
    came: Mail,
    *documents: Reading | Unreadable,
    procedure: Procedure | None = None,
    people: People = PEOPLE,
) -> tuple[Submission, ...]:
    """What a mail brings that was received when it says."""
    at = came.received_at or MONDAY
    return submissions_from(came, documents, procedure or nct(), people, received_at=at, zone=LONDON)


class Desk:
    """A desk in memory: what arrives is decided, recorded and folded, as the agent does it."""

    def __init__(self, procedure: Procedure | None = None) -> None:
        self.procedure = procedure or nct()
        self.alerts = Alerts()
        self.mails = 0

    def receives(
        self,
        *documents: Reading | Unreadable,
        subject: str = PROPER,
        sender: str = AUTHOR,
        answers: str | None = None,
        after: timedelta = timedelta(),
        message: Mail | None = None,
        answered: tuple[str, ...] = (),
    ) -> Decision:
        """Decide a mail that brings these documents, and keep what was decided."""
        self.mails += 1
        came = message or mail(subject, sender=sender, number=self.mails, at=MONDAY + after, answers=answers)
        decision = decide_mail(
            submissions(came, *documents, procedure=self.procedure),
            self.alerts,
            self.procedure,
            PEOPLE,
            answered=answered,
            new_reference=self.numbering(),
        )
        self.keeps(decision)
        return decision

    def keeps(self, decision: Decision) -> None:
        """What was decided is on record."""
        self.alerts = self.alerts.after(folded_on(self.alerts, decision.entries).values())
        assert self.alerts.keys() >= {entry.alert for entry in decision.entries if entry.alert}

    def numbering(self) -> Callable[[datetime], str]:
        """The next free references, each given once."""
        taken = len(self.alerts)

        def fresh(at: datetime) -> str:
            nonlocal taken
            taken += 1
            return f"{self.procedure.reference_prefix}-{at.year}-{taken:04d}"

        return fresh

    @property
    def only(self) -> Alert:
        """The one alert there is."""
        (alert,) = self.alerts.values()
        return alert


def happenings(decision: Decision) -> list[str]:
    return [str(entry.happened) for entry in decision.entries]


def codes(decision: Decision) -> list[str]:
    return [question.code for question in decision.questions]
