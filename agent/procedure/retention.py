"""How long what is personal about an alert is kept after its end; a person may hold it for longer.

Pure. What the law or a court asks for is known to people: any text in the column "Legal hold" keeps an alert.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from agent.procedure.alert import Alert, standing

RULE = "retention"  # by which an erasure is on record
LEGAL_HOLD = "legal_hold"  # the field of the column in which a person holds an alert


def on_legal_hold(alerts: Mapping[str, Alert], noted: Collection[str]) -> set[str]:
    """The alerts that a person holds: those `noted` in the register as it stands, and those on record.

    What was merged is one matter: a hold on part of it holds all of it.
    """
    held = {reference for reference, alert in alerts.items() if alert.values.get(LEGAL_HOLD)}
    matters = {_matter(alerts, reference) for reference in held.union(noted)}
    return {reference for reference in alerts if _matter(alerts, reference) in matters}


def due_for_erasure(
    alerts: Mapping[str, Alert], held: Collection[str], days: int, now: datetime
) -> Iterator[str]:
    """The alerts whose time is over: they ended, and nothing was heard of them, for `days` days.

    One that was merged into another waits for that one, too. `days` of 0 keep for ever.
    """
    before = now - timedelta(days=days)
    for reference, alert in alerts.items() if days else ():
        whole = (alert, alerts.get(_matter(alerts, reference), alert))
        if reference not in held and not alert.erased and all(_ended_before(one, before) for one in whole):
            yield reference


def _matter(alerts: Mapping[str, Alert], reference: str) -> str:
    goes_on = standing(alerts, reference)
    return goes_on.reference if goes_on else reference


def _ended_before(alert: Alert, before: datetime) -> bool:
    times = (alert.concluded_at, alert.dismissed_at, alert.last_news_at)
    return alert.ended and max(at for at in times if at is not None) < before
