"""Step 3, chasing: alerts that have gone quiet → chases in the tray, and whatever else has to be told."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from agent.desk import Desk
from agent.laying import lay
from agent.ledger.base import UNDER_WAY, Letter, LetterState, Reason
from agent.procedure.chase import (
    ChaseDue,
    GatheredChase,
    chases_due,
    left_alone,
    letters_of,
    within_hours,
)
from agent.procedure.decision import Question
from agent.procedure.questions import QUESTIONS
from agent.reminding import KINDS, occasions, reminding, why_written


def chasing(desk: Desk, now: datetime) -> int:
    """Lay every letter that is due in the tray: what may not wait, receipts, reminders of clocks, and chases,
    of these no more a day for one person than the limit allows.

    Gives how many letters were laid. In watch mode none is. Raises BankHolidaysUnknown on a day beyond those
    that are known, once all is laid that does not depend on them.
    """
    _ask_after_leavers(desk, now)
    if desk.agent.mode == "watch":
        return 0
    laid = reminding(desk, now) + _lay_chases(desk, now)
    desk.calendar.must_know(desk.calendar.today(now))
    return laid


def _lay_chases(desk: Desk, now: datetime) -> int:
    wanted_now = due(desk, now)
    written = desk.ledger.written_for({reason_of(chase) for chase in wanted_now})
    waiting = [chase for chase in wanted_now if reason_of(chase) not in written]
    if not waiting:
        return 0
    return sum(_lay(desk, gathered, now) for gathered in letters_of(waiting, _had_enough_today(desk, now)))


def due(desk: Desk, now: datetime) -> tuple[ChaseDue, ...]:
    """Every chase that the rules want at this moment, whether or not a letter exists for it. Within hours
    they depend on the day, not on the minute."""
    if not within_hours(now, desk.procedure, desk.calendar):
        return ()
    rules, began = (desk.procedure, desk.addressees, desk.calendar), desk.ledger.began_at()
    found = desk.chases.of_each(
        desk.ledger.alerts().open,
        (desk.calendar.today(now), rules, began),
        lambda alert: chases_due([alert], now, *rules, not_before=began),
    )
    return tuple(chase for chases in found for chase in chases)


def wanted(desk: Desk, now: datetime) -> set[tuple[Reason, str]]:
    """What the rules want at this moment, and of whom (lower case): a letter in the tray whose reason now
    leads to somebody else must not go to the first."""
    chases = {(reason_of(chase), chase.to.lower()) for chase in due(desk, now)}
    return chases | {(why_written(one), one.to.lower()) for one in occasions(desk, now)}


def must_be_wanted(letter: Letter) -> bool:
    """Whether a letter goes only while the rules still want it when it is to be posted."""
    return is_chase(letter) or letter.kind in KINDS


def is_chase(letter: Letter) -> bool:
    return letter.kind.startswith("chase")


def reason_of(chase: ChaseDue) -> Reason:
    return Reason(chase.alert, chase.rule, chase.due)


def _lay(desk: Desk, gathered: GatheredChase, now: datetime) -> bool:
    return lay(
        desk,
        gathered.letter,
        to=gathered.to,
        reasons=[reason_of(chase) for chase in gathered.chases],
        now=now,
        write=lambda mark: desk.writer.chase(gathered, desk.ledger.alerts(), mark),
    )


def _ask_after_leavers(desk: Desk, now: datetime) -> None:
    """Who has left is not written to; somebody has to find out who takes their open alerts over."""
    today = desk.calendar.today(now)
    left = [
        alert
        for alert in desk.ledger.alerts().open
        if desk.people.has_left(alert.author_address) and not left_alone(alert, today)
    ]
    for alert in left:
        about = f"left:{alert.reference}"
        question = Question("author_left", QUESTIONS["author_left"], about, candidates=(alert.reference,))
        with desk.ledger.page() as page:
            page.ask(question, now)


def _had_enough_today(desk: Desk, now: datetime) -> set[str]:
    """Who was sent, or is about to be sent, as many chases today as one person gets in a day. Other letters
    do not count: a daily reminder of a missing child must not silence every other alert of its author."""
    today = desk.calendar.today(now)
    about_to_go = desk.ledger.letters(*UNDER_WAY)  # however long ago it was laid: it may go today
    gone = desk.ledger.letters(LetterState.POSTED, LetterState.HELD, since=now - timedelta(days=1))
    today_gone = [one for one in gone if desk.calendar.today(one.changed_at or one.laid_at) == today]
    letters = Counter(letter.to for letter in (*about_to_go, *today_gone) if is_chase(letter))
    return {to for to, number in letters.items() if number >= desk.agent.limits.letters_per_person_per_day}
