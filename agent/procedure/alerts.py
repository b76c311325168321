"""The alerts of a desk, and where to look for the few that a mail, a day or a round can be about.

A desk goes on for years: most of its alerts have ended, and a mail has something in common with a few of
them. What is found here only narrows: whether an alert is meant, or due, the rules say, and they say the
same of the few as they would of all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from agent.procedure.names import likenesses

if TYPE_CHECKING:
    from collections.abc import ItemsView, ValuesView

    from agent.procedure.alert import Alert
    from agent.procedure.submission import Child, Submission

_BRACKET = "("  # `Rahmani (3 siblings)`: such a name may mean any child, and any name such a child


class Alerts(Mapping[str, "Alert"]):
    """All alerts by reference, in the order in which they began, as they stood at one moment."""

    def __init__(self, alerts: Iterable[Alert] = ()) -> None:
        self._all: dict[str, Alert] = {}
        self._open: dict[str, Alert] = {}
        self._supposed: tuple[str, ...] = ()
        self._found = _Found()
        self._put(alerts, self._found)

    def __getitem__(self, reference: str) -> Alert:
        return self._all[reference]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def values(self) -> ValuesView[Alert]:
        return self._all.values()

    def items(self) -> ItemsView[str, Alert]:
        return self._all.items()

    # what to look at

    @property
    def open(self) -> Collection[Alert]:
        """Those that have not ended."""
        return self._open.values()

    def told_of_since(self, moment: datetime) -> list[Alert]:
        """Those of which a form came at `moment` or later."""
        came = self._in_order(self._found.since(moment))
        return [alert for alert in came if any(moment <= at for at in _told_at(alert))]

    def with_mail(self, message_id: str) -> list[Alert]:
        """Those that this mail belongs to."""
        return [alert for alert in self._having([message_id]) if message_id in alert.mails]

    def with_document(self, sha256: str) -> list[Alert]:
        return [alert for alert in self._having([sha256]) if sha256 in alert.documents]

    def in_common(self, submission: Submission) -> Sequence[Alert]:
        """All that a submission may be about by anything but a reference: with a like name, the same number,
        document, conversation, or, where there is no child, the same author. Some may be about others."""
        named = (child for one in submission.children for child in (one, *one.formerly))
        if any(_BRACKET in child.name for child in named):
            return list(self._all.values())
        return self._having([*_signs_of_submission(submission), _BRACKET])

    # what comes next

    def after(self, news: Iterable[Alert]) -> Alerts:
        """The alerts once these are on record. Costs what is new, and a copy of the references."""
        return self._with(news, self._found)

    def after_erasure(self, left: Iterable[Alert]) -> Alerts:
        """The alerts once these are as told, and nothing that was told of them before is known any more."""
        erased = {alert.reference: alert for alert in left}
        self._found.forget(erased.keys())
        for alert in erased.values():
            self._found.put(alert, None)
        return self._with(erased.values(), self._found)

    def supposing(self, news: Iterable[Alert]) -> Alerts:
        """The alerts if these stood as they are told, which nobody has recorded."""
        return self._with(news, None)

    def _with(self, news: Iterable[Alert], found: _Found | None) -> Alerts:
        later = Alerts()
        later._all, later._open = self._all.copy(), self._open.copy()
        later._found, later._supposed = self._found, self._supposed
        later._put(news, found)
        return later

    def _put(self, news: Iterable[Alert], found: _Found | None) -> None:
        for alert in news:
            if found is None:
                self._supposed += (alert.reference,)
            else:
                found.put(alert, self._all.get(alert.reference))
            self._all[alert.reference] = alert
            if alert.ended:
                self._open.pop(alert.reference, None)
            else:
                self._open[alert.reference] = alert

    def _having(self, signs: Iterable[str]) -> list[Alert]:
        return self._in_order(self._found.having(signs))

    def _in_order(self, found: Iterable[str]) -> list[Alert]:
        """The alerts of these references that there are at this moment, and whatever is only supposed."""
        each = sorted(dict.fromkeys((*found, *self._supposed)), key=self._found.place)
        return [self._all[one] for one in each if one in self._all]


class _Found:
    """The references of alerts by what they are found by. It only grows, but for what is erased, and serves
    all that came of one `Alerts`: what it names may have begun later, or changed since; none is left out."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._by_sign: dict[str, list[str]] = {}
        self._by_day: dict[date, list[str]] = {}

    def put(self, alert: Alert, before: Alert | None) -> None:
        self._places.setdefault(alert.reference, len(self._places))
        for sign in _signs_of(alert) - (_signs_of(before) if before else set()):
            self._by_sign.setdefault(sign, []).append(alert.reference)
        for day in _days_of(alert) - (_days_of(before) if before else set()):
            self._by_day.setdefault(day, []).append(alert.reference)

    def forget(self, references: Collection[str]) -> None:
        """No sign leads to them any more, nor is there one that led to them alone."""
        gone = set(references)
        for sign, found in list(self._by_sign.items()):
            if not gone.isdisjoint(found):
                self._by_sign[sign] = [one for one in found if one not in gone]
                if not self._by_sign[sign]:
                    del self._by_sign[sign]

    def place(self, reference: str) -> int:
        """How many began before it; what is not on record comes last."""
        return self._places.get(reference, len(self._places))

    def having(self, signs: Iterable[str]) -> set[str]:
        return {reference for sign in signs for reference in self._by_sign.get(sign, ())}

    def since(self, moment: datetime) -> set[str]:
        first, days = moment.astimezone(UTC).date(), self._by_day.copy()
        return {reference for day, found in days.items() if day >= first for reference in found}


def _told_at(alert: Alert) -> list[datetime]:
    return [at for at in (alert.received_at, alert.last_update_at) if at]


def _days_of(alert: Alert) -> set[date]:
    return {at.astimezone(UTC).date() for at in _told_at(alert)}


def _signs_of(alert: Alert) -> set[str]:
    """All that a mail may have in common with an alert; that two things are alike by chance does no harm."""
    return {*alert.mails, *alert.documents, *_signs_of_children(alert.children, alert.values)}


def _signs_of_submission(submission: Submission) -> set[str]:
    document = [submission.document_sha256] if submission.document_sha256 else []
    return {*submission.answers, *document, *_signs_of_children(submission.children, submission.values)}


def _signs_of_children(children: Sequence[Child], values: Mapping[str, str]) -> Iterator[str]:
    """Of two children who may be one, at least one sign is the same; where there is none, by the author."""
    for one in children:
        for child in (one, *one.formerly):
            yield from likenesses(child.name)
            if child.number:
                yield child.number
            if _BRACKET in child.name:
                yield _BRACKET
    if not children and values.get("author"):
        yield values["author"].casefold()
