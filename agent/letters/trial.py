"""Every letter written once about an invented alert, so that a template that cannot be used shows early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from agent.errors import BadConfiguration
from agent.letters.writer import Writer, Written
from agent.procedure.alert import Alert
from agent.procedure.chase import ChaseDue, GatheredChase
from agent.procedure.digest import Digest, OpenAlert
from agent.procedure.mail import letter_mark
from agent.procedure.rules import Procedure
from agent.procedure.submission import Child
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
    return {
        **{kind: _chase(writer, kind, step.to[0], alert) for kind, step in chases.items()},
        "weekly_digest": lambda: writer.digest(_digest(alert.reference), _MARK),
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
    )
    gathered = GatheredChase(due.to, kind, (due,))
    return lambda: writer.chase(gathered, {alert.reference: alert}, _MARK)


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
        questions=(),
        findings=(),
        letters_sent=0,
        letters_held=0,
        letters_undelivered=0,
    )
