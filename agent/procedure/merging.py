"""Two alerts that are one matter, and one that is two: what a person decided, as lines of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from agent.procedure.alert import Alert
from agent.procedure.corrected import IN_CELLS
from agent.procedure.entry import Entry
from agent.procedure.matching import Same, same_child
from agent.procedure.submission import Child
from agent.procedure.words import Happened, Json, Moment

_MOMENTS = ("incident_at", "aware_at", "form_date", "missing_since", "returned_at")


def merged(ends: Alert, goes_on: Alert, at: datetime, source: str) -> tuple[Entry, Entry]:
    """`ends` is the same matter as `goes_on`, which knows from then on what the other one knew.

    Replies, updates and forms that mean the first are taken to the second. Opening the first again
    (REOPENED) undoes it. Raises ValueError for an alert and itself, or one that was merged already.
    """
    if ends.reference == goes_on.reference or ends.merged_into or goes_on.merged_into:
        raise ValueError(f"{ends.reference} cannot be merged into {goes_on.reference}.")
    facts: dict[str, Json] = {
        "from": ends.reference,
        "mails": [*sorted(ends.mails)],
        "documents": [*sorted(ends.documents)],
        "update_lines": [*sorted(ends.update_lines)],
        "categories": list(ends.categories),
        "last_news_at": ends.last_news_at.astimezone(UTC).isoformat(),
    }
    children = together(ends.children, goes_on.children)
    content: dict[str, Json] = {"children": children_told(children), "values": dict(ends.values)}
    return (
        Entry(Happened.MERGED, goes_on.reference, at, source, facts, content),
        Entry(Happened.MERGED, ends.reference, at, source, {"into": goes_on.reference}),
    )


def split(
    alert: Alert, children: Sequence[Child], reference: str, at: datetime, source: str
) -> tuple[Entry, ...]:
    """These `children` of `alert` are a matter of their own, which is known as `reference` from then on.

    It came in when the first one did, so that its clocks run from there; what was heard of the one until now
    was about the other, too, and where the one rests, so does the other. Raises ValueError where nobody would
    leave, or nobody stay.
    """
    stay = [child for child in alert.children if child not in children]
    if not children or not stay or len(stay) + len(children) != len(alert.children):
        raise ValueError(f"Of {alert.reference} some children have to leave and some to stay.")
    facts: dict[str, Json] = {
        "form": alert.form,
        "categories": list(alert.categories),
        "split_from": alert.reference,
        "plan": dict(alert.plan),
        "last_news_at": alert.last_news_at.astimezone(UTC).isoformat(),
        "next_update_due": _iso(alert.next_update_due),
        **{name: _iso(getattr(alert, name)) for name in _MOMENTS},
    }
    content: dict[str, Json] = {
        "author_address": alert.author_address,
        "values": {name: value for name, value in alert.values.items() if name not in IN_CELLS},
        "children": children_told(children),
    }
    rests = Entry(Happened.HELD, reference, at, source, {"until": _iso(alert.on_hold_until)})
    left = {"children": children_told(stay)}
    return (
        Entry(Happened.OPENED, reference, alert.received_at, source, facts, content),
        *((rests,) if alert.on_hold else ()),
        Entry(Happened.SPLIT, alert.reference, at, source, {"off": reference}, left),
    )


def together(told: Sequence[Child], known: Sequence[Child]) -> list[Child]:
    """The children known before, with what is newly told of them, and those told of for the first time."""
    left = list(told)
    both = []
    for child in known:
        same = next((other for other in left if same_child(child, other) >= Same.POSSIBLY), None)
        if same:
            left.remove(same)
            child = replace(
                child,
                name=child.name or same.name,
                dob=child.dob or same.dob,
                system_id=child.system_id or same.system_id,
            )
        both.append(child)
    return both + left


def children_told(children: Sequence[Child]) -> list[Json]:
    """Children as the ledger keeps them."""
    return [
        {
            "name": child.name,
            "dob": _iso(child.dob),
            "system_id": child.system_id,
            **({"formerly": children_told(child.formerly)} if child.formerly else {}),
        }
        for child in children
    ]


def _iso(moment: Moment | None) -> str | None:
    return moment.isoformat() if moment else None
