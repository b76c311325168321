"""For the data protection officer: prove the record, hand over all that is held on somebody, erase it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from agent.errors import WrongCall
from agent.ledger.base import REGISTER, DeskLedger, Letter, OpenQuestion
from agent.ledger_at_hand import ledger_at_hand
from agent.procedure.alert import Alert
from agent.procedure.apart import references_in
from agent.procedure.entry import Entry
from agent.procedure.matching import Same, children_match
from agent.procedure.submission import Child
from agent.procedure.words import Happened
from agent.settings import Settings, desks_named

SOURCE = "command"


def verify(settings: Settings, *, desk: str | None = None) -> tuple[list[str], bool]:
    """Whether every desk's chain of lines is whole: sentences, and True when it is."""
    said, whole = [], True
    with ledger_at_hand(settings) as ledger:
        for name in desks_named(settings, desk):
            of_desk = ledger.desk(name)
            problems = of_desk.verify()
            whole = whole and not problems
            said += problems or [f"{name}: {len(of_desk.entries())} lines, none changed, lost or put in."]
    return said, whole


def export(
    settings: Settings,
    to: Path,
    now: datetime,
    *,
    references: Sequence[str] = (),
    child: Child | None = None,
) -> Iterator[str]:
    """Write all that is held on these alerts, or on every alert that may be about this child, as JSON.

    That it was handed over is recorded with each alert. The file is personal: whoever asked for it keeps
    it safe. Raises WrongCall when nothing is held.
    """
    with ledger_at_hand(settings) as ledger:
        held = [
            (name, ledger.desk(name), alert)
            for name in settings.desks
            for alert in _meant(settings, name, ledger.desk(name), references, child)
        ]
        if not held:
            raise WrongCall(
                "Nothing is held on that. Give a reference, or the child's full name and date of birth."
            )
        told = [_all_of(name, of_desk, alert) for name, of_desk, alert in held]
        to.write_text(json.dumps(told, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")
        for _, of_desk, alert in held:
            with of_desk.page() as page:
                page.record(Entry(Happened.HANDED_OVER, alert.reference, now, SOURCE))
    yield f"Written to {to}: all that is held on {', '.join(alert.reference for _, _, alert in held)}."
    yield "The file names people. Keep it as safe as the register, and delete it when it has served."


def erase(settings: Settings, reference: str, now: datetime, *, rule: str) -> Iterator[str]:
    """Erase for good what is personal about one alert; `rule` says by which decision, and names nobody.

    Raises WrongCall for an unknown alert, TryAgainLater while something about it is under way.
    """
    with ledger_at_hand(settings) as ledger:
        for name, desk in settings.desks.items():
            for known in references_in(reference, settings.procedure_of(desk)):
                if known in ledger.desk(name).alerts():
                    ledger.desk(name).erase(known, now, rule)
                    ledger.desk(name).make_anew()
                    yield f"{known}: names, dates of birth and narrative are erased; that it existed stays."
                    yield "Its row in the register, and what is remembered of that, follow in the next round."
                    yield "Mails, and older versions of the workbook, follow your retention in Microsoft 365."
                    return
    raise WrongCall(f"There is no alert {reference}.")


def _meant(
    settings: Settings, desk: str, ledger: DeskLedger, references: Sequence[str], child: Child | None
) -> list[Alert]:
    procedure = settings.procedure_of(settings.desks[desk])
    asked = {known for told in references for known in references_in(told, procedure)}
    return [
        alert
        for reference, alert in ledger.alerts().items()
        if reference in asked or (child and children_match([child], alert.children) >= Same.POSSIBLY)
    ]


def _all_of(desk: str, ledger: DeskLedger, alert: Alert) -> dict[str, Any]:
    """Everything the ledger holds on one alert."""
    reference = alert.reference
    row = ledger.sheet(REGISTER)
    return {
        "desk": desk,
        "reference": reference,
        "lines": [_plain(asdict(entry)) for entry in ledger.entries(reference)],
        "letters": [
            _letter(one) for one in ledger.letters() if reference in {why.alert for why in one.reasons}
        ],
        "questions": [
            _question(one)
            for one in ledger.questions(waiting_only=False)
            if reference in one.question.candidates or one.question.message_id in alert.mails
        ],
        "mails": [_plain(asdict(mail)) for mail in ledger.mails() if reference in mail.alerts],
        "row": dict(row.rows.get(reference, {})) if row else {},
    }


def _letter(letter: Letter) -> dict[str, Any]:
    told = _plain(asdict(letter))
    del told["html"], told["pictures"], told["attachments"]  # the text says the same
    return told


def _question(asked: OpenQuestion) -> dict[str, Any]:
    return _plain(asdict(asked))


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in told.items()}
