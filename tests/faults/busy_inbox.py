"""A year of a busy inbox, drawn by a seed: first forms, updates, what people reply, and what is not for us.

Every name is invented. What a mail holds is written only when it arrives.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import product

from tests.builders import AVA, LONDON, alert_form, mail


def _joined(*parts: tuple[str, ...]) -> list[str]:
    return ["".join(one) for one in product(*parts)]


FIRST = _joined(
    ("Al", "Bry", "Cor", "Del", "Fen", "Hol", "Jor", "Mer"), ("a", "den", "in", "lis", "mund", "wen")
)
LAST = _joined(
    ("Apple", "Birch", "Crow", "Fair", "Ket", "Lark", "Moss", "Raven", "Silver", "Thorn"),
    ("bury", "combe", "dale", "garth", "holme", "ley", "mere", "stead"),
)
AUTHORS = tuple(f"{first} {last}" for first, last in zip(FIRST[:40], LAST[::-1], strict=False))

DAY_BEGINS, DAY_ENDS = time(8), time(17, 30)


@dataclass(frozen=True)
class Arrival:
    """A mail that comes in; `mime` writes it."""

    at: datetime
    mime: Callable[[], bytes]


@dataclass(frozen=True)
class Matter:
    """One alert's life: its first form, its updates, and when a person concludes it."""

    number: int
    child: str
    author: str
    begins: datetime
    updates: tuple[datetime, ...]
    concluded: date

    @property
    def subject(self) -> str:
        return f"Senior Leadership Alert {self.child} {self.begins:%-d %b %y} - Urgent and Confidential"

    def form(self, updates: int) -> bytes:
        """The form as it stood after so many updates."""
        rows = [
            {
                "date": f"{at:%Y-%m-%dT%H:%M}",
                "text": f"An invented update, the {number}.",
                "manager": self.author,
                "reviewer": AVA.name,
            }
            for number, at in enumerate(self.updates[:updates], 1)
        ]
        born = date(2009, 1, 1) + timedelta(days=self.number)
        aware = self.begins - timedelta(hours=3)
        return alert_form(
            self.child,
            born.isoformat(),
            author=self.author,
            form_date=f"{self.begins:%Y-%m-%dT%H:%M}",
            incident_at=f"{aware - timedelta(hours=1):%Y-%m-%dT%H:%M}",
            aware_at=f"{aware:%Y-%m-%dT%H:%M}",
            form_kind="Update" if updates else "Initial alert",
            tables={"updates": rows} if rows else {},
        )


def address_of(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@trust.example"


def matters(number: int, days: list[date], dice: random.Random) -> list[Matter]:
    """So many alerts over these working days, each about another child, none of an author's name."""
    names = [name for name in map(" ".join, product(FIRST, LAST)) if name not in AUTHORS]
    children = dice.sample(names, number)
    return [_matter(one, child, dice.choice(days), dice) for one, child in enumerate(children)]


def _matter(number: int, child: str, day: date, dice: random.Random) -> Matter:
    begins = _within(day, dice)
    lasts = dice.randint(10, 35)
    updates = sorted(
        _within(day + timedelta(days=dice.randint(1, lasts)), dice)
        for _ in range(dice.choice((0, 1, 2, 3, 4)))
    )
    return Matter(
        number, child, dice.choice(AUTHORS), begins, tuple(updates), day + timedelta(days=lasts + 2)
    )


def _within(day: date, dice: random.Random) -> datetime:
    """Some moment of the office's hours."""
    begins = datetime.combine(day, DAY_BEGINS, LONDON)
    return begins + dice.random() * (datetime.combine(day, DAY_ENDS, LONDON) - begins)


def arrivals(about: list[Matter], mails: int, days: list[date], dice: random.Random) -> list[Arrival]:
    """Every mail of these days in order, `mails` of them or as many as the alerts need."""
    last = datetime.combine(days[-1], time(23), LONDON)
    numbers = iter(range(1, 10**9))
    found = [one for matter in about for one in _of(matter, numbers, dice) if one.at <= last]
    while len(found) < mails:
        at, number = _within(dice.choice(days), dice), next(numbers)
        found.append(Arrival(at, partial(_not_for_us, number, at)))
    return sorted(found, key=lambda one: one.at)


def _of(matter: Matter, numbers: Iterator[int], dice: random.Random) -> Iterator[Arrival]:
    first = next(numbers)
    yield Arrival(matter.begins, partial(_with_form, matter, 0, first, matter.author))
    if dice.random() < 0.1:
        at = matter.begins + timedelta(hours=1)
        yield Arrival(at, partial(_with_form, matter, 0, next(numbers), AVA.name))
    for number, at in enumerate(matter.updates, 1):
        yield Arrival(at, partial(_with_form, matter, number, next(numbers), matter.author, first))
    for _ in range(dice.choice((0, 0, 1, 2))):
        at = matter.begins + timedelta(hours=dice.randint(2, 48))
        yield Arrival(at, partial(_reply, matter, next(numbers), first, at))


def _with_form(matter: Matter, updates: int, number: int, sender: str, answers: int = 0) -> bytes:
    at = matter.updates[updates - 1] if updates else matter.begins
    return mail(
        f"RE: {matter.subject}" if updates else matter.subject,
        (f"{matter.subject}.docx", matter.form(updates)),
        sender=f"{sender} <{address_of(sender)}>",
        sent=at,
        number=number,
        headers=_answers(answers),
    )


def _reply(matter: Matter, number: int, first: int, at: datetime) -> bytes:
    return mail(
        f"RE: {matter.subject}",
        sender=f"{AVA.name} <{AVA.address}>",
        sent=at,
        number=number,
        text="Thank you, I have seen this.",
        headers=_answers(first),
    )


def _answers(first: int) -> dict[str, str]:
    return {"In-Reply-To": f"<mail-{first}@trust.example>"} if first else {}


def _not_for_us(number: int, at: datetime) -> bytes:
    return mail(
        f"Bulletin {number}",
        sender="Bulletin <hello@bulletin.example>",
        sent=at,
        number=number,
        text="Parking permits, the canteen, and a bicycle that somebody left.",
        headers={"List-Unsubscribe": "<mailto:stop@bulletin.example>"},
    )
