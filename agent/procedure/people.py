"""Who is who at a desk: roles, addresses, and the addresses that are the desk's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from agent.procedure.reach import Unreached, opaque
from agent.procedure.rules import Told


@dataclass(frozen=True)
class Person(Told):
    """Somebody who holds roles at a desk (`strategic_manager`, `sqas_sm`, `psw`…).

    `deputy` is the address, on the roster, of who has their letters while they are away; `away_until` the day
    on which they are back. An automatic reply that says otherwise of either counts more.
    """

    name: str
    address: str
    roles: tuple[str, ...]
    deputy: str = ""
    away_until: date | None = None


@dataclass(frozen=True)
class DeskRoles(Told):
    """Which roles have the desk's own tasks. `duty` is told at any hour of what may not wait, `support` looks
    after inbox and register, `data_protection` hears of what may have gone to the wrong people."""

    duty: str = "duty"
    support: str = "business_support"
    data_protection: str = "data_protection"


@dataclass(frozen=True)
class People:
    """The roster of one desk. `own` are the desk's addresses, lower case; letters go only to
    `allowed_domains`, and to none of the `left`: addresses, lower case, of people who are no longer there.
    `unreached` are the marks of addresses from which a letter came back (see `reach.py`)."""

    own: frozenset[str]
    allowed_domains: frozenset[str]
    people: tuple[Person, ...] = ()
    left: frozenset[str] = frozenset()
    roles: DeskRoles = field(default_factory=DeskRoles)
    unreached: Unreached = frozenset()

    def holding(self, role: str) -> tuple[Person, ...]:
        """Everybody who holds `role` and is still there, in the order of the roster."""
        return tuple(p for p in self.people if role in p.roles and not self.has_left(p.address))

    def has_left(self, address: str) -> bool:
        return address.lower() in self.left

    def at(self, address: str) -> Person | None:
        """Who has this address."""
        return next((person for person in self.people if person.address.lower() == address.lower()), None)

    def named(self, name: str) -> Person | None:
        """The one person of this name; None when nobody or more than one has it (never guessed)."""
        wanted = " ".join(name.casefold().split())
        found = [person for person in self.people if " ".join(person.name.casefold().split()) == wanted]
        return found[0] if len(found) == 1 else None

    def is_inside(self, address: str) -> bool:
        """One address within the allowed domains: a list of them that ends with such a one is none."""
        name, _, domain = address.partition("@")
        return bool(name) and domain.lower() in self.allowed_domains

    def may_be_written_to(self, address: str) -> bool:
        """Letters stay inside the allowed domains and never go to the desk itself, nor where none arrives."""
        there = address.lower() not in self.own | self.left and not self.is_unreached(address)
        return there and self.is_inside(address)

    def is_unreached(self, address: str) -> bool:
        """A letter came back from there, and nothing was heard since."""
        return bool(self.unreached) and opaque(address) in self.unreached
