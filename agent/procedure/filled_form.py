"""A form that was read, typed: dates with their zone, children, updates, the conclusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from agent.procedure.reading import Field, Reading
from agent.procedure.submission import Action, Child, Conclusion, Update
from agent.procedure.text import fold
from agent.procedure.words import Moment
from agent.procedure.written_dates import is_expected, is_unknown

# Answers that say nothing was filled in.
_NOTHING = frozenset(
    {"", "-", "n/a", "na", "nil", "no", "none", "none yet", "not applicable", "not completed", "not known"}
    | {"not concluded", "not stated", "not yet", "not yet concluded", "ongoing", "on-going", "open"}
    | {"pending", "tbc", "to be confirmed", "unknown"}
)
_DONE = frozenset({"yes", "y", "done", "complete", "completed", "closed", "achieved", "actioned"})
MOMENTS = ("incident_at", "aware_at", "form_date", "missing_since", "returned_at")
_KEPT_ELSEWHERE = frozenset(
    {*MOMENTS, "next_update_due", "child_name", "dob", "system_id", "category", "form_kind", "reference"}
)
_CLOCK_SLACK = timedelta(hours=1)  # clocks differ; what is this little ahead is not in the future


class FilledForm:
    """What one form tells. A date that cannot be believed is left out, and noted.

    `unclear`: a date was written that is none. `ahead`: something is said to have happened that, when
    the form was received, was yet to come.
    """

    def __init__(self, form: Reading, received_at: datetime, zone: ZoneInfo) -> None:
        self._form = form
        self._zone = zone
        self._latest = received_at + _CLOCK_SLACK
        self.unclear = False
        self.ahead = False
        self.happened: Mapping[str, Moment | None] = {name: self._past(name) for name in MOMENTS}
        self.next_update_due = _day(self._parsed(form.fields.get("next_update_due")))
        self.children = tuple(dict.fromkeys(self._children()))
        self.updates = tuple(self._updates())
        self.actions = tuple(self._actions())
        self.conclusion = self._conclusion()
        self.values = self._values()

    def _past(self, name: str) -> Moment | None:
        """When something happened: a time with its zone, or a day."""
        return self._happened(self._form.fields.get(name))

    def _happened(self, found: Field | None) -> Moment | None:
        happened = self._parsed(found)
        if happened is not None and self._is_ahead(happened):
            self.ahead = True
            return None
        return happened

    def _is_ahead(self, happened: Moment) -> bool:
        if isinstance(happened, datetime):
            return happened > self._latest
        return happened > self._latest.astimezone(self._zone).date()

    def _parsed(self, found: Field | None) -> Moment | None:
        written = (found.value or found.text).strip() if found else ""
        if found is None or is_unknown(written) or fold(written).strip(" .") in _NOTHING:
            return None
        value = found.value.strip()
        try:
            day_only = len(value) == len("2026-06-30")
            told = date.fromisoformat(value) if day_only else datetime.fromisoformat(value)
        except ValueError:
            told = date.min
        if not 1900 <= told.year < 2200:
            self.unclear = True
            return None
        if isinstance(told, datetime) and told.tzinfo is None:
            # an hour that comes twice when the clocks change is the first of the two, and one that they
            # skip is read by the clocks as they were before
            return told.replace(tzinfo=self._zone)
        return told

    def _children(self) -> Iterator[Child]:
        for row in (self._form.fields, *self._form.tables.get("children", ())):
            child = Child(
                name=_said(row.get("child_name")),
                dob=self._born(row.get("dob")),
                system_id=_said(row.get("system_id")),
            )
            if child.name or child.dob or child.system_id:
                yield child

    def _born(self, found: Field | None) -> date | None:
        """A date of birth; a child who is expected has none yet."""
        if found is None or is_expected(found.text) or (is_expected(found.label) and not found.value):
            return None
        return _day(self._happened(found))

    def _updates(self) -> Iterator[Update]:
        for row in self._form.tables.get("updates", ()):
            dated = _day(self._parsed(row.get("date")))
            text = _said(row.get("text"))
            if text:
                yield Update(dated, text, _said(row.get("manager")), _said(row.get("reviewer")))

    def _actions(self) -> Iterator[Action]:
        for row in self._form.tables.get("actions", ()):
            text, owner, due = (
                _said(row.get("action")),
                _said(row.get("owner")),
                self._plain_day(row.get("by_when")),
            )
            if text or due:
                yield Action(text, owner, due, self._is_done(row.get("done")))

    def _plain_day(self, found: Field | None) -> date | None:
        """The day of an action; what else people write there ("at once", "ongoing") is no mistake."""
        try:
            day = date.fromisoformat(found.value.strip()[: len("2026-06-30")]) if found else None
        except ValueError:
            return None
        return day if day and 1900 <= day.year < 2200 else None

    def _is_done(self, found: Field | None) -> bool:
        """A day that has come, or a plain word; "in progress" and the like leave it open."""
        day = self._plain_day(found)
        said = found.text or found.value if found else ""
        return not self._is_ahead(day) if day else fold(said).strip(" .!") in _DONE

    def _conclusion(self) -> Conclusion | None:
        text = _said(self._form.fields.get("conclusion"))
        concluded = _day(self._parsed(self._form.fields.get("conclusion_date")))
        return Conclusion(text, concluded) if text else None

    def _values(self) -> dict[str, str]:
        """The single values as text; what is told of each child (area, status) is joined."""
        told = {name: [found.value] for name, found in self._form.fields.items()}
        for row in self._form.tables.get("children", ()):
            for name, found in row.items():
                if name not in self._form.fields:
                    told.setdefault(name, []).append(found.value)
        return {
            name: "; ".join(dict.fromkeys(value for value in values if value))
            for name, values in told.items()
            if name not in _KEPT_ELSEWHERE and any(values)
        }


def _day(moment: Moment | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment


def _said(found: Field | None) -> str:
    """The value, or "" where it says that there is none."""
    value = found.value.strip() if found else ""
    return "" if fold(value).strip(" .") in _NOTHING else value
