"""A list of alerts that names nobody, written as a file for whoever learns or reports from it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from agent.ledger_at_hand import ledger_at_hand
from agent.procedure.anonymised import anonymised
from agent.settings import Settings, desks_named


def anonymised_list(
    settings: Settings,
    desk: str,
    to: Path,
    now: datetime,
    *,
    first: date | None = None,
    last: date | None = None,
    category: str = "",
    area: str = "",
) -> Iterator[str]:
    """Write the list of one desk's alerts as CSV, as spreadsheets open it; says how many lines it has.

    Raises WrongCall when there is no such desk.
    """
    (desk,) = desks_named(settings, desk)
    told = settings.desks[desk]
    rules = (settings.procedure_of(told), told.roster, settings.calendar_of(told))
    with ledger_at_hand(settings) as ledger:
        alerts = ledger.desk(desk).alerts().values()
        lines = anonymised(alerts, now, *rules, first=first, last=last, category=category, area=area)
    with to.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(lines)
    yield f"Written to {to}: {len(lines) - 1} alerts without names, initials or references."
    yield "A rare matter may be recognised all the same. Look at the list before it is passed on."
