"""A backlog of mails with real forms, of invented people, as a folder that `n2k sandbox --mail` delivers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from tests.builders import AUTHOR, INBOX, alert_form, mail, update_form

SUBJECT = "Senior Leadership Alert - Urgent and Confidential"
FIRST = ("Robin", "Sasha", "Noor", "Wren", "Ellis", "Jude", "Arden", "Marlow", "Quinn", "Rowan")
LAST = ("Fairweather", "Millbrook", "Eastleigh", "Applegarth", "Thornbury", "Oakhanger", "Penhallow")
PLACES = (
    "Ash",
    "Brook",
    "Cliff",
    "Dale",
    "Elm",
    "Fern",
    "Glen",
    "Heath",
    "Isle",
    "Knoll",
    "Lea",
    "Moor",
    "Nook",
)
UPDATES = 5  # each fifth mail is an update of the alert before it


def write(folder: Path, count: int, until: datetime, attached: int = 0) -> tuple[int, int]:
    """So many mails, a minute apart, the last at `until`; each with `attached` bytes more that are no form.

    Gives how many of them are first forms and how many are updates.
    """
    room = folder / INBOX
    room.mkdir(parents=True)
    updates = 0
    for number, (name, form) in enumerate(_forms(count)):
        updates += name == "update"
        extra = [("photo.jpg", b"\xff\xd8\xff" + os.urandom(attached))] if attached else []
        sent = until - timedelta(minutes=count - number)
        subject = f"{SUBJECT} - {number:04d}" + (" - update" if name == "update" else "")
        content = mail(subject, ("form.docx", form), *extra, sender=AUTHOR, sent=sent, number=number)
        (room / f"{number:05d}.eml").write_bytes(content)
    return count - updates, updates


def first_forms(first: int, count: int, sent: datetime) -> Iterator[bytes]:
    """Mails with a first form each, numbered from `first`."""
    for number in range(first, first + count):
        form = alert_form(child=_name(number), dob=_born(number))
        yield mail(f"{SUBJECT} - {number:04d}", ("form.docx", form), sender=AUTHOR, sent=sent, number=number)


def _forms(count: int) -> Iterator[tuple[str, bytes]]:
    child = {"child": "", "dob": ""}
    for number in range(count):
        if number % UPDATES == UPDATES - 1:
            yield "update", update_form(**child)
            continue
        child = {"child": _name(number), "dob": _born(number)}
        yield "alert", alert_form(**child)


def _name(number: int) -> str:
    first, rest = FIRST[number % 10], number // 10
    return f"{first} {LAST[rest % 7]}{PLACES[rest // 7 % 13].lower()}"


def _born(number: int) -> str:
    return f"{2010 + number % 9}-{1 + number % 12:02d}-{1 + number % 28:02d}"
