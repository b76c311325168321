"""To whom a letter about an alert goes: the person of a role, their deputy, or who stands in for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from agent.procedure.alert import Absence, Alert
from agent.procedure.names import alike, same_name
from agent.procedure.people import People, Person
from agent.procedure.rules import Procedure

AUTHOR = "author"
REVIEWER = "reviewer"

_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")


@dataclass(frozen=True)
class Addressee:
    """Whom the letter to the `number`-th person of a role goes to.

    `to` is None where nobody can be written to. `stands_in` tells that it is not the person of the role
    who gets it; `waits` that they are away, named no deputy, and get it when they are back.
    """

    role: str
    number: int
    to: Person | None
    stands_in: bool = False
    waits: bool = False


@dataclass(frozen=True)
class Addressing:
    """Who can be written to on one day."""

    procedure: Procedure
    people: People
    today: date

    def of(self, role: str, alert: Alert) -> list[Addressee]:
        """One for each person who holds the role in this matter or at the desk; one at least."""
        holders = self._holders(role, alert) or [None]
        return [self._reached(role, number, holder, alert) for number, holder in enumerate(holders, 1)]

    def _reached(self, role: str, number: int, holder: Person | None, alert: Alert) -> Addressee:
        """The holder, or else the stand-in; whoever of them is away hands on to their deputy, or waits."""
        to = holder if holder and may_be_told(holder, alert, self.people) else self._stand_in(alert)
        absence = self._absence_of(to, alert) if to else None
        if to is None or absence is None:
            return Addressee(role, number, to, stands_in=to is not holder)
        deputy = self._deputy_of(to, absence, [alert])
        if deputy is None:
            return Addressee(role, number, to, stands_in=to is not holder, waits=True)
        return Addressee(role, number, deputy, stands_in=True)

    def at_desk(self, role: str, about: Sequence[Alert]) -> list[Person | None]:
        """Who has a letter that cannot wait, for each person who holds the role at the desk: they or, while
        they are away, their deputy; where there is none, they all the same. None where they may not be told:
        in place of a role that has to know nobody else is."""
        return [self._there(holder, about) for holder in self.people.holding(role)]

    def _there(self, holder: Person, about: Sequence[Alert]) -> Person | None:
        away = [absence for alert in about if (absence := self._absence_of(holder, alert))]
        absence = next(iter(away), self._absence_by_roster(holder))
        deputy = self._deputy_of(holder, absence, about) if absence else None
        return deputy or (holder if self._may_be_told(holder, about) else None)

    def _may_be_told(self, person: Person, about: Sequence[Alert]) -> bool:
        reachable = self.people.may_be_written_to(person.address)
        return reachable and all(may_be_told(person, alert, self.people) for alert in about)

    def _absence_of(self, person: Person, alert: Alert) -> Absence | None:
        """That somebody is away today: by their own automatic reply, or by the roster (NCT 4.1)."""
        return alert.absence_of(person.address, self.today) or self._absence_by_roster(person)

    def _absence_by_roster(self, person: Person) -> Absence | None:
        back = person.away_until
        return Absence(back) if back and self.today < back else None

    def _deputy_of(self, person: Person, absence: Absence, about: Sequence[Alert]) -> Person | None:
        return self._deputy(absence.deputy, about) or self._deputy(person.deputy, about)

    def _deputy(self, written: str, about: Sequence[Alert]) -> Person | None:
        """Whom somebody named to stand in for them: of the roster by name or address, or any address within
        the allowed domains. One who is away as well is none; nor is one without a name in a matter about a
        member of staff, who might be the very person."""
        named = person_meant(written, self.people)
        if named is None or (not named.name and any(one.values.get("staff_subject_name") for one in about)):
            return None
        away = self._absence_by_roster(named) or any(self._absence_of(named, alert) for alert in about)
        return named if self._may_be_told(named, about) and not away else None

    def _holders(self, role: str, alert: Alert) -> Sequence[Person | None]:
        if role == AUTHOR:
            written = _ADDRESS.split(alert.values.get(AUTHOR, ""))[0].strip(" <")
            unlisted = Person(written, alert.author_address, ())
            return [self.people.at(alert.author_address) or unlisted]
        if role == REVIEWER:
            named = self.people.named(bare_name(alert.values.get(REVIEWER, "")))
            return [named] if named and self.procedure.chasing.reviewer_role in named.roles else []
        return self.people.holding(role)

    def _stand_in(self, alert: Alert) -> Person | None:
        holding = self.people.holding(self.procedure.chasing.stands_in)
        return next((person for person in holding if may_be_told(person, alert, self.people)), None)


def person_meant(written: str, people: People) -> Person | None:
    """`Ava Lindqvist`, of the roster, or `Ava Lindqvist <ava@trust.example>`, whoever that is."""
    address = _ADDRESS.search(written)
    if address is None:
        return people.named(written)
    return people.at(address[0]) or Person(written[: address.start()].strip(" <"), address[0], ())


def may_be_told(person: Person, alert: Alert, people: People) -> bool:
    """Inside the allowed domains, still there, reachable, and not the subject of the matter."""
    return people.may_be_written_to(person.address) and not is_subject(person.name, alert)


def is_subject(name: str, alert: Alert) -> bool:
    """Nobody is written to about themselves; of a member of staff, a name that may be theirs is enough."""
    staff = alert.values.get("staff_subject_name", "")
    if staff and alike(staff, name):
        return True
    return any(child.name and same_name(child.name, name) for child in alert.children)


def bare_name(said: str) -> str:
    """`Ava Lindqvist, Strategic Manager` or `Ava Lindqvist (SM)` → `Ava Lindqvist`."""
    return re.split(r"[,(;/]| [-–—] ", said, maxsplit=1)[0].strip()
