"""An alert as a row of the register: every column's text, by the column's `field`.

Days are `2026-03-02`, times `2026-03-02T09:15` in the desk's own zone, nothing is "".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from agent.procedure.alert import Alert
from agent.procedure.chase import promised_on, unaddressed
from agent.procedure.clocks import clock_of, facts_of
from agent.procedure.findings import RECIPIENT, still_so
from agent.procedure.names import share_a_word
from agent.procedure.people import People
from agent.procedure.rules import Column, Procedure
from agent.procedure.status import status_of
from agent.procedure.submission import Action
from agent.procedure.words import Moment
from agent.procedure.working_days import Calendar

SUMMARY_LENGTH = 160
STAFF = "Staff"  # the kind of subject that makes a matter restricted
HIDDEN = "Restricted"
_HOUR = timedelta(hours=1)
_TICKED = ("yes", "y", "true")


def row_of(
    alert: Alert, now: datetime, procedure: Procedure, people: People, calendar: Calendar
) -> dict[str, str]:
    """The row of `alert` as it stands at `now`. What a person corrected stands as they wrote it.

    A column whose field is none of these shows the form's value of that name. The row of one that has ended
    is the same on every day.
    """
    row = {
        **{column.field: _answered(alert, column.field) for column in procedure.columns if column.field},
        **_matter(alert, now, procedure, calendar),
        **_subjects(alert, procedure),
        **_times(alert, procedure, calendar),
        **_checks(alert, procedure),
        "actions": _actions(alert),
        **_chasing(alert, now, procedure, people, calendar),
        **_conclusion(alert, calendar),
    }
    return {name: alert.values[name] if name in alert.corrected else text for name, text in row.items()}


def _answered(alert: Alert, name: str) -> str:
    answer = alert.values.get(name, "")
    return answer.capitalize() if answer in ("yes", "no") else answer


def within_time(alert: Alert, procedure: Procedure, calendar: Calendar) -> str:
    """Whether the first form came in time: "On time", "Late by 5h" (hours begun count), "Cannot tell"."""
    form_due = clock_of("form_due", facts_of(alert, procedure), procedure, calendar, alert.categories)
    if form_due is None or not isinstance(form_due.due, datetime):
        return "Cannot tell"
    late = alert.received_at - form_due.due
    return f"Late by {-(-late // _HOUR)}h" if late > timedelta(0) else "On time"


def is_staff_matter(alert: Alert, procedure: Procedure) -> bool:
    """A member of staff is the subject: by a category, by the form's own answer, or because a person says so
    in the register."""
    said = alert.values.get("staff_subject", "").casefold() in _TICKED
    said = said or alert.values.get("subject_kind", "").casefold() == STAFF.casefold()
    ticked = map(procedure.category, alert.categories)
    return said or any(category.staff for category in ticked if category)


def restricted_row(row: Mapping[str, str], columns: Sequence[Column], *, apart: bool) -> dict[str, str]:
    """What everybody may see of a matter about a member of staff.

    Its reference, its status, and that it is restricted. Unless it is told `apart`, in a workbook of its
    own, also when things happened, how often, where its mail is, and whether it waits for somebody.
    """
    shown = {"reference", "status"}
    if not apart:
        kinds = ("date", "datetime", "number")
        shown |= {column.field for column in columns if column.format in kinds and column.field != "dob"}
        shown |= {"needs_a_person", "subject_kind", "mail"}
    word = says_restricted(columns)
    return {name: HIDDEN if name == word else text if name in shown else "" for name, text in row.items()}


def says_restricted(columns: Sequence[Column]) -> str:
    """The field of the column in which a matter is called restricted."""
    return "summary" if any(column.field == "summary" for column in columns) else "initials"


def _matter(alert: Alert, now: datetime, procedure: Procedure, calendar: Calendar) -> dict[str, str]:
    return {
        "reference": alert.reference,
        "status": str(status_of(alert, now, procedure, calendar)),
        "form_type": procedure.form_types.get(alert.form, alert.form),
        "categories": ", ".join(alert.categories),
        "author": alert.values.get("author") or alert.author_address,
        "reviewer": alert.values.get("reviewer", ""),
        "summary": _one_line(alert.values.get("summary", "")),
        "media": alert.values.get("media", ""),
    }


def _subjects(alert: Alert, procedure: Procedure) -> dict[str, str]:
    return {
        "initials": alert.initials,
        "children": str(len(alert.children)),
        "child_name": _each(child.name for child in alert.children),
        "dob": _births(alert),
        "system_id": _each(child.system_id for child in alert.children),
        "area": alert.values.get("area", ""),
        "child_status": alert.values.get("child_status", ""),
        "subject_kind": _subject_kind(alert, procedure),
    }


def _births(alert: Alert) -> str:
    """One child's day of birth as a date; those of several as people write them, in one cell."""
    born = [child.dob for child in alert.children]
    if len(born) == 1:
        return born[0].isoformat() if born[0] else ""
    return _each(map(_said_day, born))


def _subject_kind(alert: Alert, procedure: Procedure) -> str:
    """ "" where the form does not tell; which of premises, service or media it is, a person says."""
    if is_staff_matter(alert, procedure):
        return STAFF
    names = [child.name for child in alert.children]
    if len(names) < 2:
        return "Child" if names else ""
    first, *others = names
    return "Siblings" if all(share_a_word(first, other) for other in others) else "Group"


def _times(alert: Alert, procedure: Procedure, calendar: Calendar) -> dict[str, str]:
    return {
        "received_at": _cell(alert.received_at, calendar),
        "incident_at": _cell(alert.incident_at, calendar),
        "aware_at": _cell(alert.aware_at, calendar),
        "missing_since": _cell(alert.missing_since, calendar),
        "returned_at": _cell(alert.returned_at, calendar),
        "within_time": within_time(alert, procedure, calendar),
        "last_update_at": _cell(alert.last_update_at, calendar),
        "updates": str(alert.updates),
        "next_update_due": _cell(alert.next_update_due, calendar),
    }


def _checks(alert: Alert, procedure: Procedure) -> dict[str, str]:
    roles = [code.removeprefix(RECIPIENT) for code in alert.findings if code.startswith(RECIPIENT)]
    noticed = (code for code in alert.findings if still_so(code, alert, procedure))
    others = [code for code in noticed if not code.startswith(RECIPIENT)]
    return {
        "recipients_missing": ", ".join(map(procedure.called, roles)),
        "checks": "; ".join(_said(code, procedure.finding_words) for code in others) or "OK",
    }


def _actions(alert: Alert) -> str:
    """`1. Strategy meeting (Priya Example, by 5 Mar 2025): done`, a line each."""
    return "\n".join(f"{number}. {_action(action)}" for number, action in enumerate(alert.actions, 1))


def _action(action: Action) -> str:
    by = f"by {_said_day(action.due)}" if action.due else ""
    of = ", ".join(told for told in (action.owner, by) if told)
    return action.text + (f" ({of})" if of else "") + (": done" if action.done else "")


def _chasing(
    alert: Alert, now: datetime, procedure: Procedure, people: People, calendar: Calendar
) -> dict[str, str]:
    last = max((chased.at for chased in alert.chases), default=None)
    return {
        "chases": str(alert.chases_ever),
        "last_chase_at": _cell(last, calendar),
        "reply": _reply(alert, calendar.today(now)),
        "needs_a_person": "; ".join(reasons_for_a_person(alert, now, procedure, people, calendar)),
        "on_hold_until": _cell(alert.on_hold_until if alert.on_hold else None, calendar),
    }


def _reply(alert: Alert, today: date) -> str:
    if not alert.ended and alert.absence_of(alert.author_address, today):
        return "Out of office"
    if alert.replied_at is not None:
        return "Yes, no change" if alert.proposal.no_change else "Yes"
    return "No" if alert.chases else ""


def reasons_for_a_person(
    alert: Alert, now: datetime, procedure: Procedure, people: People, calendar: Calendar
) -> list[str]:
    """What about this alert waits for somebody at the desk, in a few words each."""
    if alert.concluded or alert.not_an_alert:
        return []
    overdue_hold = alert.on_hold_until is not None and not alert.held_on(calendar.today(now))
    reasons = {
        "Not confirmed: answer the question, or set the Status": alert.provisional,
        "Conclusion to confirm": alert.conclusion_claimed_at is not None,
        "Asked to close it": alert.proposal.close,
        "Asked to take it back": alert.proposal.withdraw,
        f"Next update offered for {_said_day(alert.proposal.next_update)}": _is_offered(alert),
        "Letter undelivered": any(map(people.is_unreached, (alert.author_address, *alert.bounced))),
        "Letter held back": bool(alert.letters_held.keys() - alert.letters_dropped),
        "Author has left": people.has_left(alert.author_address),
        "Nobody to write to": bool(unaddressed([alert], now, procedure, people, calendar)),
        "Hold has ended": alert.on_hold and overdue_hold,
        "Next update date unclear": _hard_to_believe(alert, procedure, calendar),
    }
    return [reason for reason, holds in reasons.items() if holds]


def _is_offered(alert: Alert) -> bool:
    """A reply names a day for the next update, which nobody has entered."""
    return alert.proposal.next_update not in (None, alert.next_update_due)


def _said_day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""


def _hard_to_believe(alert: Alert, procedure: Procedure, calendar: Calendar) -> bool:
    """A promised update so far off that it is taken for a slip of the pen."""
    promised = alert.next_update_due
    ahead = promised is not None and promised > calendar.today(alert.last_news_at)
    return ahead and promised_on(alert, procedure, calendar) is None


def _conclusion(alert: Alert, calendar: Calendar) -> dict[str, str]:
    return {
        "conclusion": alert.conclusion_text,
        "concluded_on": calendar.today(alert.concluded_at).isoformat() if alert.concluded_at else "",
        "concluded_by": alert.concluded_by,
    }


def _cell(at: Moment | None, calendar: Calendar) -> str:
    if at is None:
        return ""
    if isinstance(at, datetime):
        return calendar.local(at).replace(tzinfo=None).isoformat(timespec="minutes")
    return at.isoformat()


def _each(values: Iterable[str]) -> str:
    """One value for each child, in the children's order, "?" for one that is not known; "" if none is."""
    told = list(values)
    return "; ".join(value or "?" for value in told) if any(told) else ""


def _said(code: str, words: dict[str, str]) -> str:
    """What a code is called; an unknown one is shown as it is, so that nothing is left out."""
    return words.get(code, code.replace("_", " "))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= SUMMARY_LENGTH:
        return line
    return line[: SUMMARY_LENGTH - 1].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"
