"""Every letter written once about an invented alert, so that a template that cannot be used shows early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

from agent.errors import BadConfiguration
from agent.letters.writer import Writer, Written
from agent.procedure import notes, reminders, urgent
from agent.procedure.actions import OpenAction
from agent.procedure.alert import Alert
from agent.procedure.chase import ChaseDue, GatheredChase
from agent.procedure.digest import Counted, Deadline, Digest, OpenAlert, Waiting
from agent.procedure.mail import letter_mark
from agent.procedure.notes import Noted
from agent.procedure.receipts import ACKNOWLEDGEMENT, RETURNED_FORM, Acknowledgement, Noticed, ReturnedForm
from agent.procedure.reminders import ClockReminder
from agent.procedure.rules import Procedure
from agent.procedure.submission import Child
from agent.procedure.urgent import UrgentQuestion
from agent.procedure.words import Status

_DAY = date(2026, 3, 2)
_TIME = datetime(2026, 3, 2, 9, tzinfo=UTC)
_MARK = letter_mark("0" * 32)


@dataclass(frozen=True)
class Trial:
    """What came of writing one kind of letter."""

    kind: str
    written: Written | None = None
    problems: tuple[str, ...] = ()


def trial_letters(writer: Writer, procedure: Procedure) -> tuple[Trial, ...]:
    """Each kind of letter that this procedure may send, written once."""
    return tuple(_tried(kind, write) for kind, write in _letters(writer, procedure).items())


def _tried(kind: str, write: Callable[[], Written]) -> Trial:
    try:
        return Trial(kind, write())
    except BadConfiguration as wrong:
        return Trial(kind, problems=tuple(wrong.problems))


def _letters(writer: Writer, procedure: Procedure) -> dict[str, Callable[[], Written]]:
    alert = _alert(procedure)
    chases = {step.letter: step for step in procedure.chasing.steps}
    occasions = (
        *(_acknowledgement(alert), _returned_form(alert), _clock_reminder(alert)),
        *(_urgent(alert), _note(alert)),
    )
    return {
        **{kind: _chase(writer, kind, step.to[0], alert) for kind, step in chases.items()},
        **{one.letter: partial(writer.compose, one.letter, _MARK, about=[one, one]) for one in occasions},
        **{
            kind: partial(writer.compose, kind, _MARK, since=_TIME, now=_TIME, why="A trial.")
            for kind in ("register_outage", "register_recovered", "mailbox_outage", "mailbox_recovered")
        },
        "weekly_digest": lambda: writer.digest(_digest(alert.reference), _MARK, attach_list=True),
    }


def _alert(procedure: Procedure) -> Alert:
    return Alert(
        reference=f"{procedure.reference_prefix}-2026-0001",
        received_at=_TIME,
        author_address="author@example.invalid",
        form=procedure.forms[0],
        last_news_at=_TIME,
        children=(Child("Invented Example"),),
    )


def _chase(writer: Writer, kind: str, role: str, alert: Alert) -> Callable[[], Written]:
    due = ChaseDue(
        alert=alert.reference,
        rule="chase-1",
        due=_DAY,
        step=1,
        to=alert.author_address,
        letter=kind,
        role=role,
        received=_DAY,
        heard=_DAY,
        promised=_DAY,
        actions=(OpenAction(1, _DAY),),
    )
    gathered = GatheredChase(due.to, kind, (due,))
    return lambda: writer.chase(gathered, {alert.reference: alert}, _MARK)


def _acknowledgement(alert: Alert) -> Acknowledgement:
    return Acknowledgement(
        letter=ACKNOWLEDGEMENT,
        to=alert.author_address,
        alert=alert.reference,
        rule=ACKNOWLEDGEMENT,
        due=_DAY,
        received=_DAY,
        initials=alert.initials,
        form=alert.form,
        children=1,
        incident=_TIME,
        missing_since=_TIME,
        next_update=_DAY,
        missing=("A label",),
        noticed=(Noticed("A finding", "1"),),
    )


def _returned_form(alert: Alert) -> ReturnedForm:
    return ReturnedForm(
        letter=RETURNED_FORM,
        to=alert.author_address,
        alert=alert.reference,
        rule=RETURNED_FORM,
        due=_DAY,
        received=_DAY,
        problem="It is protected by a password.",
        about=alert.reference,
    )


def _clock_reminder(alert: Alert) -> ClockReminder:
    return ClockReminder(
        letter=reminders.LETTER,
        to=alert.author_address,
        alert=alert.reference,
        rule="clock",
        due=_DAY,
        name="A deadline",
        wording="a rule",
        clause="1",
        since=_TIME,
        deadline=_TIME,
        passed=True,
        initials=alert.initials,
        beside={"Another deadline": _DAY},
    )


def _note(alert: Alert) -> Noted:
    return Noted(
        letter=notes.LETTER,
        to=alert.author_address,
        alert=alert.reference,
        rule="note",
        due=_DAY,
        says="A trial",
        clause="1",
        happened=_TIME,
        initials=alert.initials,
    )


def _urgent(alert: Alert) -> UrgentQuestion:
    return UrgentQuestion(
        letter=urgent.LETTER,
        to=alert.author_address,
        alert="",
        rule="urgent",
        due=_DAY,
        number=1,
        why="A trial.",
        breach=True,
        asked_at=_TIME,
        alerts=(alert.reference,),
    )


def _digest(reference: str) -> Digest:
    return Digest(
        week=_DAY,
        received=(reference,),
        concluded=(),
        open=(
            OpenAlert(
                reference,
                _DAY,
                days_open=1,
                initials="I.E.",
                status=Status.OPEN,
                last_heard=_DAY,
                next_step="Next prompt",
            ),
        ),
        deadlines=(Deadline(reference, "I.E.", "Trial", _DAY, passed=False),),
        questions=(Waiting(1, "trial", "A trial.", days=1, alerts=(reference,)),),
        findings=(Counted("A finding", 1),),
        letters_sent=0,
        letters_held=0,
        letters_undelivered=0,
        warnings=("A trial.",),
    )
