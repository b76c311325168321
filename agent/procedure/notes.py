"""Notes: who is told in a line of what happened to an alert (NCT 8.1, Appendix B; Merton "Summary").

Once a working day, all that one person is told of in one letter: references and initials, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.procedure.addressing import may_be_told
from agent.procedure.alert import Alert
from agent.procedure.chase import at_work
from agent.procedure.findings import still_so
from agent.procedure.occasion import Occasion
from agent.procedure.people import People
from agent.procedure.row import is_staff_matter
from agent.procedure.rules import Note, Procedure
from agent.procedure.working_days import Calendar

LETTER = "note"
UPDATE = "update"
FRESH = timedelta(days=7)  # what is older stands in the digest


@dataclass(frozen=True)
class Noted(Occasion):
    """One line for one person. `happened` is when that came which it tells of, in the desk's own time."""

    says: str
    clause: str
    happened: datetime
    initials: str


def notes_due(
    alerts: Iterable[Alert],
    now: datetime,
    procedure: Procedure,
    people: People,
    calendar: Calendar,
    *,
    not_before: datetime | None = None,
) -> tuple[Noted, ...]:
    """Every note that is to be out at `now`; what came before `not_before` (the desk began) is history."""
    if not at_work(now, procedure, calendar):
        return ()
    began = not_before or datetime.min.replace(tzinfo=UTC)
    return tuple(
        noted
        for alert in alerts
        if not (alert.not_an_alert or alert.provisional)
        for note in procedure.notes
        if (came := _came(note, alert, procedure)) is not None
        and max(began, now - FRESH) < came
        and _its_hour(came, procedure, calendar) <= now
        for noted in _noted(note, came, alert, procedure, people, calendar)
    )


def _came(note: Note, alert: Alert, procedure: Procedure) -> datetime | None:
    """When that came which the note is about; None where it did not, or is no longer so."""
    if note.about == UPDATE:
        return alert.last_update_at
    if note.about in alert.findings and still_so(note.about, alert, procedure):
        return alert.last_update_at or alert.received_at
    return None


def _its_hour(came: datetime, procedure: Procedure, calendar: Calendar) -> datetime:
    """The hour for notes that follows: the same day, or the next one on which the office is open."""
    local, hour = calendar.local(came), procedure.letters.notes_at
    day = calendar.working_days_off(local.date(), 0)
    if day == local.date() and local.time() > hour:
        day = calendar.working_days_ahead(day, 1)
    return datetime.combine(day, hour, calendar.zone)


def _noted(
    note: Note, came: datetime, alert: Alert, procedure: Procedure, people: People, calendar: Calendar
) -> Iterator[Noted]:
    """For each that may be told. An update is known by its number, a finding is told of once."""
    number, since = (f"{alert.updates}", came) if note.about == UPDATE else ("once", alert.received_at)
    for role in note.to:
        for holder, person in enumerate(people.holding(role), 1):
            if may_be_told(person, alert, people):
                yield Noted(
                    letter=LETTER,
                    to=person.address,
                    alert=alert.reference,
                    rule=f"note:{note.about}:{number}:{role}-{holder}",
                    due=calendar.today(since),
                    says=note.says,
                    clause=note.clause,
                    happened=calendar.local(came),
                    initials="" if is_staff_matter(alert, procedure) else alert.initials,
                )
