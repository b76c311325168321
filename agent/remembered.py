"""What was made of each alert, kept until the alert changes, or anything else that it was made of.

Of thousands of alerts most have not changed since the last round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from agent.procedure.alert import Alert

T = TypeVar("T")


class Remembered(Generic[T]):
    """Of the alerts of the last round alone; an alert that changed is another object."""

    def __init__(self) -> None:
        self._made_of: object = None
        self._made: dict[str, tuple[Alert, T]] = {}

    def of_each(self, alerts: Iterable[Alert], made_of: object, make: Callable[[Alert], T]) -> list[T]:
        """What `make` makes of each alert, in their order. `made_of` is all else that it depends on."""
        before = self._made if made_of == self._made_of else {}
        self._made_of, self._made = made_of, {}
        for alert in alerts:
            known = before.get(alert.reference)
            if known is None or known[0] is not alert:
                known = alert, make(alert)
            self._made[alert.reference] = known
        return [made for _, made in self._made.values()]
