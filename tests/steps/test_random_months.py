"""Random months at one desk: whatever happens, and however often the agent is down, nobody is chased wrongly
and no alert is forgotten. Both changes of the clocks, Easter and Christmas are among the months."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agent.chasing import chasing
from agent.errors import OutcomeUnknown
from agent.ledger.base import LetterState
from agent.posting import posting
from agent.procedure.alert import Alert
from agent.procedure.chase import left_alone, within_hours
from agent.procedure.entry import Entry
from agent.procedure.plan import plan_to_keep
from agent.procedure.words import Happened
from agent.weekly_digest import weekly_digest
from tests import builders
from tests.builders import INBOX, at
from tests.steps.small_office import Trouble, TroubledMailbox

DAYS = 45
ALERTS = 3
AUTHORS = ("theo.marchbanks@trust.example", "nell.okafor@trust.example")
HOURS = (0, 1, 2, 8, 9, 11, 14, 16, 17, 22)  # at which the agent comes round, if it is up
LONGEST = 3  # working days beyond the interval: a letter a day for each person, and doubts to settle

BEGINNINGS = st.sampled_from(["2026-03-02 00:00", "2026-03-23 00:00", "2026-10-12 00:00", "2026-12-14 00:00"])
HAPPENING = (
    Happened.OPENED,
    Happened.OPENED,
    Happened.UPDATED,
    Happened.REPLIED,
    Happened.HELD,
    Happened.RELEASED,
    Happened.AWAY,
    Happened.CONCLUDED,
    Happened.REOPENED,
    Happened.CORRECTED,
)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, DAYS * 24),  # the hour at which it happens
        st.sampled_from(HAPPENING),
        st.integers(1, ALERTS),
        st.integers(0, 12),  # how many days it is about: a promise, a hold, an absence
    ),
    min_size=3,
    max_size=20,
)
OUTAGES = st.lists(st.tuples(st.integers(0, DAYS * 24), st.integers(1, 100)), max_size=3)
LOST = st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=4)  # which send, and whether it went


class WatchedMailbox(TroubledMailbox):
    """A mailbox that says what is wrong with a letter at the moment at which it goes."""

    def __init__(self) -> None:
        super().__init__(INBOX)
        self.month: Month | None = None

    def send(self, mail_id: str) -> None:
        before = {letter.key for letter in self.sent}
        try:
            super().send(mail_id)
        finally:
            for letter in self.sent:
                if letter.key not in before and self.month is not None:
                    self.month.check(letter.key, letter.to)


@dataclass
class Month:
    """One desk on a ledger in memory. The agent at it is a new one at every round: it remembers nothing."""

    now: datetime
    mailbox: WatchedMailbox = field(default_factory=WatchedMailbox)
    reasons: set[Any] = field(default_factory=set)
    a_day: Counter[Any] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.mailbox.month = self
        self.desk = builders.desk(mailbox=self.mailbox)
        self.desk.ledger.note([], "inbox", None, self.now - timedelta(days=1))

    @property
    def alerts(self) -> dict[str, Alert]:
        return dict(self.desk.ledger.alerts())

    def happens(self, happened: Happened, number: int, days: int) -> None:
        """One line in the ledger, as far as the alert is there at all."""
        reference, author = f"SLA-2026-{number:04d}", AUTHORS[number % 2]
        if (happened is Happened.OPENED) == (reference in self.alerts):
            return
        until = (self.now + timedelta(days=days)).date().isoformat()
        facts, content = _told(happened, until, author)
        if happened is Happened.OPENED:
            facts["plan"] = plan_to_keep(self.desk.procedure.chasing)
            if number == 1:  # the Panel's clocks run for it
                facts |= {"categories": ["M07"], "aware_at": self.now.isoformat()}
        with self.desk.ledger.page() as page:
            source = f"<{number}-{happened}-{self.now.isoformat()}>"
            page.record(Entry(happened, reference, self.now.astimezone(UTC), source, facts, content))

    def round(self) -> None:
        """Restarted, and run twice: the second time nothing more may happen."""
        self.desk = replace(self.desk)
        self.mailbox.now = self.now
        for _ in range(2):
            chasing(self.desk, self.now)
            weekly_digest(self.desk, self.now)
            posting(self.desk, self.now)
        if within_hours(self.now, self.desk.procedure, self.desk.calendar):
            assert self.forgotten() == []

    def check(self, key: str, to: str) -> None:
        (letter,) = (one for one in self.desk.ledger.letters() if one.key == key)
        today = self.desk.calendar.today(self.now)
        assert letter.to == to
        if not letter.kind.startswith("chase"):
            return
        assert within_hours(self.now, self.desk.procedure, self.desk.calendar), "outside hours"
        self.a_day[to, today] += 1
        assert self.a_day[to, today] == 1, "more than one a day"
        for reason in letter.reasons:
            alert = self.alerts[reason.alert]
            assert reason not in self.reasons, "twice for one due day"
            assert not alert.concluded, "after the conclusion"
            assert not alert.held_on(today), "while on hold"
            assert alert.absence_of(to, today) is None, "while away"
            assert reason.due <= today, "before it was due"
            self.reasons.add(reason)

    def forgotten(self) -> list[str]:
        """Alerts of which nothing was heard, and nobody asked, for longer than the rules say."""
        today = self.desk.calendar.today(self.now)
        interval = self.desk.procedure.chasing.interval
        return [
            reference
            for reference, one in self.alerts.items()
            if not left_alone(one, today) and self.quiet_days(one) > interval + LONGEST
        ]

    def quiet_days(self, one: Alert) -> int:
        calendar = self.desk.calendar
        asked = [chased.at for chased in one.chases]
        last = calendar.today(max([one.last_news_at, *asked]))
        rests = [rest for rest in (one.next_update_due, one.on_hold_until, one.away_until) if rest]
        return calendar.working_days_between(max([last, *rests]), calendar.today(self.now))


def _told(happened: Happened, until: str, author: str) -> tuple[dict[str, Any], dict[str, Any]]:
    values = {"author": author, "reviewer": "Ava Lindqvist"}
    told: dict[Happened, tuple[dict[str, Any], dict[str, Any]]] = {
        Happened.OPENED: ({"form": "sla"}, {"author_address": author, "values": values}),
        Happened.UPDATED: ({"form": "sla", "next_update_due": until}, {"author_address": author}),
        Happened.HELD: ({"until": until}, {}),
        Happened.AWAY: ({"until": until, "role": "author"}, {"address": author}),
        Happened.CORRECTED: ({"field": "next_update_due"}, {"value": until}),
    }
    return told.get(happened, ({}, {}))


def _troubles(lost: Iterable[tuple[int, bool]]) -> list[Trouble | None]:
    """Some sends whose answer is lost; the letter went, or it did not."""
    told = dict(lost)
    unknown = OutcomeUnknown("the line was cut")
    return [
        Trouble(unknown, applied=told[n]) if n in told else None for n in range(max(told, default=-1) + 1)
    ]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a month is too long to be told again and again
)
@given(beginning=BEGINNINGS, events=EVENTS, outages=OUTAGES, lost=LOST)
def test_over_random_months_nobody_is_chased_wrongly_and_no_alert_is_forgotten(
    beginning: str,
    events: list[tuple[int, Happened, int, int]],
    outages: list[tuple[int, int]],
    lost: list[tuple[int, bool]],
) -> None:
    start = at(beginning)
    month = Month(start)
    month.mailbox.sending = _troubles(lost)
    down = {hour for begin, length in outages for hour in range(begin, begin + length)}
    happening = sorted(events, key=lambda event: event[0])
    for hour in range((DAYS + 15) * 24):
        month.now = start + timedelta(hours=hour, minutes=5)
        while happening and happening[0][0] <= hour:
            _, happened, number, days = happening.pop(0)
            month.happens(happened, number, days)
        if hour not in down and hour % 24 in HOURS:
            month.round()
    kept_back = month.desk.ledger.letters(LetterState.HELD)
    assert kept_back == []
