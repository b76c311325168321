"""The register's summary: how many alerts are open, for how long and about what, and how weeks went by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agent.procedure.alert import Alert
from agent.procedure.digest import AGES as AGE_WORDS
from agent.procedure.digest import Counted, by_age
from agent.procedure.rules import Procedure
from agent.procedure.status import status_of
from agent.procedure.words import Status
from agent.procedure.working_days import Calendar

STANDINGS, AGES, WEEKS, CATEGORIES, GROUPS = 6, len(AGE_WORDS), 12, 8, 6
NOT_TOLD = "not told"
OTHERS = "all others"
_WEEK = timedelta(weeks=1)
_LONGEST = 56  # characters of a category's words that are shown


@dataclass(frozen=True)
class Summary:
    """Figures of one workbook, each list no longer than its place on the sheet.

    `by_week` has (Monday, received, concluded), the latest last. `by_group` counts open alerts by what
    stands under the heading `counted_by`.
    """

    standing: tuple[Counted, ...]
    by_age: tuple[tuple[str, int], ...]
    by_week: tuple[tuple[str, int, int], ...]
    by_category: tuple[tuple[str, int], ...]
    by_group: tuple[tuple[str, int], ...]
    counted_by: str


def summary_of(
    alerts: Iterable[Alert], questions: int, now: datetime, procedure: Procedure, calendar: Calendar
) -> Summary:
    """The figures at `now`; `questions` wait for a person."""
    known = [alert for alert in alerts if not alert.not_an_alert]
    still_open = [alert for alert in known if not alert.concluded]
    today = calendar.today(now)
    group = next((one for one in procedure.columns if one.field == procedure.summary_by), None)
    named = {category.code: _named(category.code, category.words) for category in procedure.categories}
    categories = Counter(
        named.get(code, code) for alert in still_open for code in alert.categories or (NOT_TOLD,)
    )
    groups = Counter(alert.values.get(procedure.summary_by) or NOT_TOLD for alert in still_open)
    return Summary(
        standing=_standing(still_open, questions, now, procedure, calendar),
        by_age=by_age((today - calendar.today(alert.received_at)).days for alert in still_open),
        by_week=tuple(_weeks(known, now, calendar)),
        by_category=_most(categories, CATEGORIES),
        by_group=_most(groups, GROUPS) if group else (),
        counted_by=group.heading if group else "",
    )


def _standing(
    still_open: list[Alert], questions: int, now: datetime, procedure: Procedure, calendar: Calendar
) -> tuple[Counted, ...]:
    statuses = Counter(status_of(alert, now, procedure, calendar) for alert in still_open)
    return (
        Counted("Open alerts", len(still_open)),
        Counted("of these, an update is due", statuses[Status.UPDATE_DUE]),
        Counted("of these, an update is overdue", statuses[Status.UPDATE_OVERDUE]),
        Counted("of these, a conclusion is to be confirmed", statuses[Status.CONCLUSION_PROPOSED]),
        Counted("of these, on hold", statuses[Status.ON_HOLD]),
        Counted("Questions that wait for an answer", questions),
    )


def _weeks(known: list[Alert], now: datetime, calendar: Calendar) -> Iterable[tuple[str, int, int]]:
    this_week, begun = _monday(now, calendar), now - (WEEKS + 1) * _WEEK  # before all that are shown
    received = Counter(_monday(one.received_at, calendar) for one in known if one.received_at > begun)
    ended = (one.concluded_at for one in known)
    concluded = Counter(_monday(at, calendar) for at in ended if at and at > begun)
    for back in reversed(range(WEEKS)):
        monday = this_week - back * _WEEK
        yield f"{monday.day} {monday:%b}", received[monday], concluded[monday]


def _monday(at: datetime, calendar: Calendar) -> date:
    day = calendar.today(at)
    return day - timedelta(days=day.weekday())


def _named(code: str, words: str) -> str:
    told = f"{code}  {words}"
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1].rstrip()}…"


def _most(counted: Counter[str], places: int) -> tuple[tuple[str, int], ...]:
    """The most frequent first, ties by name; what has no place of its own is counted together."""
    ranked = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    if len(ranked) <= places:
        return tuple(ranked)
    kept = ranked[: places - 1]
    return (*kept, (OTHERS, sum(number for _, number in ranked[places - 1 :])))
