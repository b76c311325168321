"""What many tests need: a desk with its rooms in memory, forms and mails of invented people."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent.configuration import load
from agent.desk import Desk
from agent.forms.write import Layout, write_form
from agent.ledger.memory import MemoryLedger
from agent.letters.writer import Writer
from agent.mailbox.memory import MemoryMailbox
from agent.procedure.people import Person
from agent.register.memory import MemoryRegister
from agent.settings import Settings

ROOT = Path(__file__).parent.parent
LONDON = ZoneInfo("Europe/London")

INBOX = "n2k@trust.example"
AVA = Person("Ava Lindqvist", "ava.lindqvist@trust.example", ("strategic_manager",))
SQAS = Person("Sol Quarrie", "sol.quarrie@trust.example", ("sqas_sm", "strategic_manager"))
PSW = Person("Pia Winterbourne", "pia.winterbourne@trust.example", ("psw",))
AUTHOR = "theo.marchbanks@trust.example"

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@cache
def settings() -> Settings:
    """The configuration that comes with the agent."""
    return load(ROOT / "config")


def at(text: str) -> datetime:
    """`"2026-03-02 09:30"` as London would say it."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def desk(**rooms: Any) -> Desk:
    """The shipped desk with invented people and every room in memory; `rooms` replace parts of it."""
    shipped = settings()
    told = replace(
        shipped.desks["nct"],
        mailbox=INBOX,
        aliases=(),
        allowed_domains=("trust.example",),
        people=(AVA, SQAS, PSW),
    )
    procedure = shipped.procedure_of(told)
    parts: dict[str, Any] = {
        "settings": told,
        "agent": replace(shipped.agent, mode="live"),
        "procedure": procedure,
        "forms": shipped.forms_of(procedure),
        "calendar": shipped.calendar_of(told),
        "people": told.roster,
        "mailbox": MemoryMailbox(INBOX),
        "ledger": MemoryLedger().desk("nct"),
        "register": MemoryRegister(procedure.columns, question_columns=procedure.question_columns),
        "writer": Writer(shipped.templates, procedure, INBOX),
        "stop": threading.Event(),
    }
    return Desk(**{**parts, **rooms})


def form(
    name: str = "sla",
    *,
    ticked: Collection[str] = ("M11",),
    tables: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    layout: Layout = "controls",
    **values: str,
) -> bytes:
    """A filled form of the shipped kinds, as a Word document."""
    shipped = settings()
    said = {
        "author": "Theo Marchbanks",
        "reviewer": "Ava Lindqvist",
        "form_date": "2026-03-02T09:00",
        "incident_at": "2026-03-01T21:10",
        "aware_at": "2026-03-01T22:00",
        "summary": "An invented matter for a test.",
        **values,
    }
    return write_form(
        shipped.forms[name],
        said,
        tables or {},
        ticked,
        categories=shipped.procedures["nct"].categories,
        layout=layout,
    )


def alert_form(child: str = "Robin Fairweather", dob: str = "2012-05-04", **more: Any) -> bytes:
    """A first form about one child."""
    tables = {"children": [{"child_name": child, "dob": dob}], **more.pop("tables", {})}
    return form(tables=tables, **more)


def update_form(text: str = "Seen at home.", day: str = "2026-03-03", **more: Any) -> bytes:
    """The same form once more, with a dated and signed update."""
    row = {"date": day, "text": text, "manager": "Theo Marchbanks", "reviewer": "Ava Lindqvist"}
    return alert_form(tables={"updates": [row]}, **more)


def mail(
    subject: str,
    *documents: tuple[str, bytes],
    sender: str = AUTHOR,
    sent: datetime = MONDAY,
    number: int = 1,
    text: str = "Please see attached.",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """One mail to the desk's inbox, as MIME."""
    message = EmailMessage()
    message["Message-ID"] = f"<mail-{number}@trust.example>"
    message["Date"] = sent
    message["From"] = sender
    message["To"] = INBOX
    message["Subject"] = subject
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    for name, content in documents:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def later(days: float = 0, hours: float = 0) -> datetime:
    """So long after the Monday on which most tests begin."""
    return MONDAY + timedelta(days=days, hours=hours)
