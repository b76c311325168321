"""Marks planted wherever people write; then everything that leaves the desk is searched for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from structlog.testing import capture_logs

from agent.audit import audit
from agent.bootstrap import Agent
from agent.ledger.memory import MemoryLedger
from agent.metrics import Metrics
from tests import builders
from tests.builders import MONDAY, alert_form, later
from tests.steps.small_office import Office

MARK = "Zyxquill"
DOB = "2011-07-23"
BORN = ("2011-07-23", "23/07/2011", "23 Jul 2011", "23 July 2011")
SUBJECT = f"Senior Leadership Alert {MARK} Fairweather 2 Mar 26 - Urgent and Confidential"


CONCLUDES = {"conclusion", "learning"}  # what ends the matter is written at the end


def planted() -> dict[str, str]:
    """A value for every field of the form in which people write words, each with the mark."""
    fields = [field for section in builders.settings().forms["sla"].sections for field in section.fields]
    people = {"author": f"Theo {MARK}marchbanks", "reviewer": f"Ava {MARK}lindqvist"}
    in_words = {field.name for field in fields if field.type in ("text", "long")} - CONCLUDES
    return {**{name: f"{MARK} in {name}" for name in in_words}, **people}


def a_form(updates: Sequence[Mapping[str, str]] = (), **more: Any) -> bytes:
    children = [
        {
            "child_name": f"{MARK} Fairweather",
            "dob": DOB,
            "system_id": f"{MARK}77",
            "school": f"{MARK} School",
        }
    ]
    return alert_form(**{**planted(), "tables": {"children": children, "updates": updates}, **more})


def three_busy_weeks(office: Office) -> None:
    """Forms, answers of all kinds, what cannot be read or is a stranger's, and people in the register."""
    name = f"Senior Leadership Alert {MARK} Fairweather 2 Mar 26.docx"
    office.works(MONDAY)
    office.receives(SUBJECT, (name, a_form()), text=f"{MARK} was seen.", at=later(hours=1))
    office.works(later(hours=2))
    (reference,) = office.ledger.alerts()
    news = {"date": "2026-03-03", "text": f"{MARK} is well.", "manager": f"{MARK} M", "reviewer": f"{MARK} R"}
    office.receives(f"RE: {SUBJECT}", (name, a_form([news])), at=later(days=1))
    office.receives(SUBJECT, (f"{MARK} scan.docx", b"PK\x03\x04 broken"), at=later(days=1, hours=1))
    office.works(later(days=1, hours=2))
    office.types(reference, concluded_by=f"{MARK} Person", status=f"{MARK}")
    office.works(later(days=2))
    for days, subject, text in (
        (3, f"Re: {reference} {MARK}", f"{MARK} says no change. Next update by Friday 20 March."),
        (4, f"Automatic reply: {MARK}", f"I am away until 16 March. Contact {MARK} Deputy."),
        (5, f"Undeliverable: {MARK}", f"Your message to {MARK}@elsewhere.example could not be delivered."),
        (6, f"FW: {MARK}", f"See https://trust.sharepoint.com/{MARK}.docx"),
    ):
        office.receives(subject, at=later(days=days), text=text)
        office.works(later(days=days, hours=1))
    office.receives(SUBJECT, (name, a_form()), at=later(days=6, hours=2), sender="stranger@elsewhere.example")
    for days in (7, 10, 16, 17, 18):
        office.works(later(days=days, hours=1))
    office.types(reference, on_hold_until=f"until {MARK} is back")
    ended = a_form(conclusion=f"{MARK} is safe.", conclusion_date="2026-03-20", learning=f"{MARK} taught us")
    office.receives(SUBJECT, (name, ended), at=later(days=19))
    office.works(later(days=19, hours=1))


def leaving(office: Office, logged: list[Any], now: datetime) -> Iterator[tuple[str, str]]:
    """Everything that is sent, shown to others, or kept as a fact: what it is, and its words."""
    for letter in office.mailbox.sent:
        yield "a letter", f"{letter.key} {letter.subject} {letter.text} {letter.html}"
    for laid in office.letters():
        yield "a letter's reasons", f"{laid.key} {laid.kind} {laid.reasons}"
    for mail in office.mailbox.mails.values():
        yield "folder and categories", f"{mail.folder} {mail.categories}"
    for entry in office.entries():
        yield "the facts of a line", f"{entry.alert} {entry.source} {dict(entry.facts)}"
    for handled in office.ledger.mails():
        yield "what came of a mail", f"{handled.outcome} {handled.categories} {handled.alerts}"
    for asked in office.ledger.questions(waiting_only=False):
        yield (
            "why a question is asked",
            f"{asked.question.code} {asked.question.why} {asked.question.candidates}",
        )
    for event in logged:
        yield "the log", str(event)
    shipped = builders.settings()
    agent = Agent(shipped, (office.desk,), MemoryLedger(), lambda: now, office.desk.stop)
    yield "the figures", Metrics(agent).text().decode()
    yield "the audit", " ".join(audit(office.desk, now))


def test_no_mark_planted_anywhere_is_found_in_anything_that_leaves() -> None:
    office = Office()
    office.desk = replace(
        office.desk, procedure=builders.settings().procedures["nct"]
    )  # with every kind of letter
    with capture_logs() as logged:
        three_busy_weeks(office)
    out = list(leaving(office, logged, later(days=19, hours=2)))
    leaks = [
        (what, said) for what, said in out if MARK.lower() in said.lower() or any(day in said for day in BORN)
    ]

    assert leaks == []
    kinds = {letter.kind for letter in office.letters()}
    assert {"chase", "weekly_digest", "acknowledgement", "note"} <= kinds
    assert len(logged) > 40
    assert len(office.ledger.questions(waiting_only=False)) >= 2
    held = str([dict(entry.content or {}) for entry in office.entries()])
    assert held.count(MARK) > 20  # it is all there, where it belongs
