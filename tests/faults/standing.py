"""How everything stands, in a form in which two tellings of the same story can be compared.

Left out is what differs from telling to telling without meaning anything: the random keys of letters, the
ids that Microsoft 365 gives, and at what hour of its day a letter went out or a cell that somebody had
typed was noticed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import openpyxl

from agent.ledger.base import DeskLedger, Letter
from agent.procedure.entry import Entry
from agent.procedure.mail import letter_marks_in
from agent.procedure.words import ABOUT_THE_DESK, Happened
from agent.sandbox.mailboxes import Mailbox
from agent.sandbox.stage import Stage
from agent.sandbox.stored import StoredMessage

TELLS_WHEN_A_LETTER_WENT = "Last prompt"  # the one column that does

Standing = dict[str, list[str]]


def standing(stage: Stage, ledger: DeskLedger) -> Standing:
    """The ledger, the register and every mailbox, part by part; each part is lines of text."""
    letters = {letter.key: letter for letter in ledger.letters()}
    tenant = stage.sandbox.tenant
    return {
        "lines": list(_lines(ledger, letters)),
        "broken chain": ledger.verify(),
        "mails": [
            str((mail.message_id, mail.outcome, mail.folder, mail.categories, mail.alerts, mail.filed))
            for mail in ledger.mails()
        ],
        "waiting": [mail.mail_id for mail in ledger.waiting()],
        "questions": sorted(f"{one.asked_at} {one.question}" for one in ledger.questions(waiting_only=False)),
        "letters": sorted(_letter(letter) for letter in letters.values()),
        "known of the register": list(_known_of_the_register(ledger)),
        "register": _register(stage),
        "mailboxes": [line for box in tenant.mailboxes.values() for line in _mailbox(box, stage.box.address)],
        "outside": sorted(mail.to for mail in tenant.outside),
    }


def differences(is_so: Standing, should_be: Standing) -> list[str]:
    """What is not as it should be, a line for each; empty when all is."""
    told = []
    for part, lines in should_be.items():
        told += [f"{part}: lacks {line}" for line in _without(lines, is_so[part])]
        told += [f"{part}: has {line}" for line in _without(is_so[part], lines)]
        if not told and lines != is_so[part]:
            told.append(f"{part}: in another order")
    return told


def _without(lines: list[str], taken: list[str]) -> list[str]:
    """`lines` less those in `taken`, each as often as it stands there."""
    rest = list(taken)
    found = []
    for line in lines:
        if line in rest:
            rest.remove(line)
        else:
            found.append(line)
    return found


def _lines(ledger: DeskLedger, letters: Mapping[str, Letter]) -> Iterator[str]:
    """The lines of each alert in order. Among alerts the order may differ by a letter sent later."""
    for alert in [*ledger.alerts(), None]:
        for entry in ledger.entries():
            if entry.alert == alert and entry.happened not in ABOUT_THE_DESK:
                yield f"{alert} {_line(entry, letters)}"


def _line(entry: Entry, letters: Mapping[str, Letter]) -> str:
    by_day = entry.happened is Happened.CHASED or entry.source == "register"
    when = entry.at.date() if by_day else entry.at
    source = _about(letters[entry.source]) if entry.source in letters else entry.source
    return f"{entry.happened} {when} {source} {dict(entry.facts)} {dict(entry.content or {})}"


def _about(letter: Letter) -> str:
    return f"{letter.kind} {letter.to} {sorted(map(str, letter.reasons))}"


def _letter(letter: Letter) -> str:
    moved = letter.changed_at.date() if letter.changed_at else None
    text = unmarked(letter.text)
    return f"{_about(letter)} {letter.state} {letter.laid_at.date()} {moved} {letter.subject} {text}"


def unmarked(text: str) -> str:
    """Without the mark by which a letter calls itself: it follows from its random key."""
    for mark in letter_marks_in(text):
        text = text.replace(mark, "N2K-")
    return text


def _known_of_the_register(ledger: DeskLedger) -> Iterator[str]:
    sheet = ledger.sheet()
    if sheet is not None:
        yield f"about to be written: {dict(sheet.intended)}"
        for reference, row in sheet.rows.items():
            yield f"{reference} {[(heading, _by_day(heading, value)) for heading, value in row.items()]}"


def _by_day(heading: str, value: Any) -> str:
    return str(value)[: len("2026-04-20")] if heading == TELLS_WHEN_A_LETTER_WENT else str(value)


def _register(stage: Stage) -> list[str]:
    drive, path = stage.drive, stage.story.desk.register
    return _rows(drive.content(path)) if drive.find(path) else []


@lru_cache(maxsize=32)
def _rows(workbook: bytes) -> list[str]:
    """Every cell of the register, as another program than ours reads it."""
    book = openpyxl.load_workbook(io.BytesIO(workbook), read_only=True)
    sheet = next(sheet for sheet in book.worksheets)
    lines = [list(row) for row in sheet.iter_rows(values_only=True)]
    book.close()
    return [str(_all_by_day(lines, line)) for line in lines if any(cell is not None for cell in line)]


def _all_by_day(lines: list[list[Any]], line: list[Any]) -> list[Any]:
    """A line of the workbook, with the hour left out where it tells when a letter went out."""
    headings = next((line for line in lines if TELLS_WHEN_A_LETTER_WENT in line), [])
    when = headings.index(TELLS_WHEN_A_LETTER_WENT) if headings else None
    return [
        cell.date() if number == when and isinstance(cell, datetime) else cell
        for number, cell in enumerate(line)
    ]


def _mailbox(box: Mailbox, desk: str) -> Iterator[str]:
    """Every mail in its folder. Of the desk's own letters the id is Microsoft 365's, so their text counts."""
    yield from sorted(f"{box.address} {folder.path}" for folder in box.root.descendants())
    for message in sorted(box.all_messages(), key=lambda one: (one.folder.path, _mail(one, desk))):
        yield f"{box.address} {message.folder.path}: {_mail(message, desk)}"


def _mail(message: StoredMessage, desk: str) -> str:
    ours = message.sender.lower() in ("", desk)
    which = unmarked(message.body) if ours else message.internet_message_id
    marks = sorted(message.categories)
    return f"{message.sender} to {message.to} {message.subject!r} {marks} draft: {message.is_draft} {which}"
