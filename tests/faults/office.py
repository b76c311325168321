"""One Monday morning at a desk on the embedded Microsoft 365, for tests in which something goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from agent.desk import Desk
from agent.ledger.base import DeskLedger
from agent.sandbox.faults import Fault
from agent.sandbox.mailboxes import Mailbox
from agent.sandbox.request_log import Exchange
from agent.sandbox.stage import type_into
from agent.sandbox.stored import StoredMessage
from agent.sandbox.tenant import Tenant
from agent.steps import Outcome, run_all
from tests.builders import INBOX, alert_form, at, mail
from tests.faults.harness import World, nobody, world
from tests.faults.standing import Standing, standing

REGISTER = "Need to Know.xlsx"
SUBJECT = "Senior Leadership Alert Robin Fairweather 2 Mar 26 - Urgent and Confidential"
SOL, PIA = "sol.quarrie@trust.example", "pia.winterbourne@trust.example"

FIRST_THING = at("2026-03-02 07:00")
EARLY, SOON_AFTER = at("2026-03-02 07:30"), at("2026-03-02 07:45")
DIGEST, A_LITTLE_LATER = at("2026-03-02 10:00"), at("2026-03-02 10:15")


@dataclass
class Office:
    """A desk with an agent at it, and what may befall them."""

    here: World
    desk: Desk

    @property
    def tenant(self) -> Tenant:
        return self.here.stage.sandbox.tenant

    @property
    def box(self) -> Mailbox:
        return self.here.stage.box

    @property
    def ledger(self) -> DeskLedger:
        return self.desk.ledger

    def arrives(self, mime: bytes, when: datetime | None = None) -> StoredMessage:
        """A mail comes in, now or at `when`."""
        if when:
            self.tenant.clock.set(when)
        return self.tenant.deliver(mime, [INBOX])[0]

    def round(self, moment: datetime) -> list[Outcome]:
        """The agent makes its round; gives the steps that met trouble."""
        self.tenant.clock.set(moment)
        return [outcome for outcome in run_all(self.desk, moment) if outcome.trouble]

    def ordered(self, **fault: object) -> Fault:
        """Order a fault; see `agent.sandbox.faults`."""
        return self.tenant.faults.add(Fault.from_json(fault))

    def just_before(self, asked: str, happens: Callable[[], object]) -> None:
        """The first time that something like `asked` ("PUT .*/content") is asked, this happens first."""
        waiting = [happens]

        def hook(when: str, exchange: Exchange) -> None:
            if when == "before" and waiting and re.fullmatch(asked, f"{exchange.method} {exchange.path}"):
                waiting.pop()()

        self.tenant.on_request.append(hook)

    def asked(self, what: str) -> list[Exchange]:
        """What was asked of Microsoft 365 so far, of this kind."""
        entries = self.tenant.log.entries
        return [one for one in entries if re.fullmatch(what, f"{one.method} {one.path}")]

    def letters_at(self, address: str) -> list[str]:
        """The subjects of what lies in somebody's inbox."""
        return [message.subject for message in self.tenant.mailbox(address).messages("inbox")]

    def stands(self) -> Standing:
        return standing(self.here.stage, self.ledger)


@contextmanager
def office() -> Iterator[Office]:
    with world(FIRST_THING) as here, here.agent(nobody) as desk:
        yield Office(here, desk)


def first_alert(number: int = 1, child: str = "Robin Fairweather") -> bytes:
    subject = SUBJECT.replace("Robin Fairweather", child)
    return mail(
        subject,
        (f"{subject}.docx", alert_form(child, form_date="2026-03-02T06:30")),
        number=number,
        sent=at("2026-03-02 07:00"),
    )


def update(*texts: str) -> bytes:
    """An update on the same form, which keeps the rows of those before; the summary has changed, too."""
    told = texts or ("An invented update.",)
    rows = [
        {
            "date": f"2026-03-02T07:{10 + number}",
            "text": text,
            "manager": "Theo Marchbanks",
            "reviewer": "Ava Lindqvist",
        }
        for number, text in enumerate(told)
    ]
    form = alert_form(
        form_kind="Update",
        form_date="2026-03-02T06:30",
        summary=f"As it now stands: {told[-1]}",
        tables={"updates": rows},
    )
    return mail(f"RE: {SUBJECT}", ("Form.docx", form), number=100 + len(rows), sent=at("2026-03-02 07:30"))


def person_types(at_work: Office, cells: Mapping[str, str]) -> None:
    """Somebody types into the row of the first alert, and saves."""
    drive = at_work.here.stage.drive
    typed = type_into(drive.content(REGISTER), "SLA-2026-0001", cells)
    drive.person_saves(REGISTER, typed, "Cas Penhale")


def morning(at_work: Office) -> None:
    """An alert comes in, then an update to it, and the digest goes out to two people."""
    at_work.arrives(first_alert())
    at_work.round(EARLY)
    at_work.round(SOON_AFTER)
    at_work.arrives(update(), at("2026-03-02 09:00"))
    at_work.round(DIGEST)
    at_work.round(A_LITTLE_LATER)


@cache
def usual_morning() -> Standing:
    """How everything stands after a morning on which nothing went wrong."""
    with office() as at_work:
        morning(at_work)
        return at_work.stands()
