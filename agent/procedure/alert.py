"""An alert: one matter from first form to conclusion, told by its entries in the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from sys import intern
from typing import Any

from agent.procedure.corrected import IN_CELLS, children_named, children_numbered, put_right
from agent.procedure.entry import Entry
from agent.procedure.reply import NOTHING, Proposal
from agent.procedure.submission import Action, Child
from agent.procedure.words import Happened, Json, Moment, Status

Changes = dict[str, Any]  # fields of an alert, as they are from now on


@dataclass(frozen=True, slots=True)
class Chased:
    """A chase that was really sent. `step` counts the prompts since the last news, from 1."""

    at: datetime
    rule: str
    step: int
    letter: str

    @property
    def prompt(self) -> str:
        """`chase-3` of `chase-3:reviewer`: one prompt may be several letters."""
        return self.rule.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody's mailbox answered by itself. `until` is the day on which they are back, where they say one.

    `role` is theirs in the matter (`author`, `reviewer`) or at the desk (`sqas_sm`); `deputy` is who stands
    in, as they wrote it.
    """

    until: date | None
    role: str = "author"
    deputy: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Alert:
    """The state of one matter, folded from its entries; change it only by recording an entry.

    `values` are single values by canonical name, as last stated by a form or corrected by a person.
    `last_news_at` is when something was last heard of it (first form, update, reply): chases count
    from there; `proposal` is what the last reply suggested, until more is heard. `away` are those who are
    absent, by address: that somebody is away pauses what is written to them, and nobody else. `bounced` are
    the addresses from which a letter about it came back, whether or not they can be reached by now. `chases`
    are the letters sent since then, `chases_ever` the prompts of all time.
    `adopted_at` is when it was taken over from a spreadsheet, which tells of nothing that went before.
    `plan` holds the numbers by which it is chased, as they were when it began; `letters_held` are the rules
    whose letters were refused for good since the last news, each with the time of that, and `letters_dropped`
    those of them that a person has seen to.
    """

    reference: str
    received_at: datetime
    author_address: str
    form: str
    last_news_at: datetime
    children: tuple[Child, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    corrected: frozenset[str] = frozenset()
    categories: tuple[str, ...] = ()
    incident_at: Moment | None = None
    aware_at: Moment | None = None
    form_date: Moment | None = None
    missing_since: Moment | None = None
    returned_at: Moment | None = None
    next_update_due: date | None = None
    updates: int = 0
    last_update_at: datetime | None = None
    update_lines: frozenset[str] = frozenset()
    actions: tuple[Action, ...] = ()  # as the last form that lists any has them
    findings: tuple[str, ...] = ()
    mails: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    chases: tuple[Chased, ...] = ()
    chases_ever: int = 0
    adopted_at: datetime | None = None
    plan: Mapping[str, Json] = field(default_factory=dict)
    letters_held: Mapping[str, datetime] = field(default_factory=dict)
    letters_dropped: frozenset[str] = frozenset()
    replied_at: datetime | None = None
    proposal: Proposal = NOTHING
    away: Mapping[str, Absence] = field(default_factory=dict, repr=False)
    bounced: frozenset[str] = frozenset()
    on_hold: bool = False
    on_hold_until: date | None = None
    conclusion_text: str = field(default="", repr=False)
    conclusion_claimed_at: datetime | None = None
    concluded_at: datetime | None = None
    concluded_by: str = ""
    reopened_at: datetime | None = None
    not_an_alert: bool = False
    duplicate: bool = False  # not an alert of its own: the same matter as another
    merged_into: str = ""  # the alert under which its matter goes on
    provisional: bool = False  # it may be one: shown to people, and nobody is written to before they say so
    dismissed_at: datetime | None = None  # when it was found to be no alert of its own
    erased: bool = False  # what was personal about it is gone for good, and nothing was told since

    @property
    def concluded(self) -> bool:
        return self.concluded_at is not None

    @property
    def ended(self) -> bool:
        return self.concluded or self.not_an_alert

    def held_on(self, today: date) -> bool:
        """On hold, until the day a person wrote (inclusive) or, where they wrote none, until they say so."""
        return self.on_hold and (self.on_hold_until is None or today <= self.on_hold_until)

    def absence_of(self, address: str, today: date) -> Absence | None:
        """That this person is away on `today`; None on the day of their return, or where none is known."""
        absence = self.away.get(address.lower())
        return absence if absence and absence.until and today < absence.until else None

    @property
    def away_until(self) -> date | None:
        """The day on which the author is back."""
        absence = self.away.get(self.author_address.lower())
        return absence.until if absence else None

    @property
    def missing_now(self) -> bool:
        """A child of this alert is missing and not known to have returned."""
        return self.missing_since is not None and self.returned_at is None

    @property
    def initials(self) -> str:
        """The children's initials, for letters and the register: "A.B., C.D."."""
        return ", ".join(initials(child.name) for child in self.children if child.name)


def initials(name: str) -> str:
    """`Anna-Maria de Souza` → `A.D.S.`: one letter a word, never more than tells two apart."""
    return "".join(f"{word[0].upper()}." for word in name.replace(".", " ").split())


def standing(alerts: Mapping[str, Alert], reference: str) -> Alert | None:
    """The alert under which the matter of `reference` goes on: itself, or the one it was merged into."""
    seen: set[str] = set()
    alert = alerts.get(reference)
    while alert is not None and alert.merged_into and alert.reference not in seen:
        seen.add(alert.reference)
        alert = alerts.get(alert.merged_into)
    return alert


def fold(entries: Iterable[Entry]) -> dict[str, Alert]:
    """All alerts that `entries` (in ledger order) tell of, by reference."""
    return folded_on({}, entries)


def folded_on(alerts: Mapping[str, Alert], entries: Iterable[Entry]) -> dict[str, Alert]:
    """Those of `alerts`, and new ones, to which `entries` happen, as they are then."""
    changed: dict[str, Alert] = {}
    for entry in entries:
        if entry.alert is not None:
            after = alert_after(changed.get(entry.alert) or alerts.get(entry.alert), entry)
            if after is not None:
                changed[entry.alert] = after
    return changed


def alert_after(alert: Alert | None, entry: Entry) -> Alert | None:
    """The alert once `entry` has happened to it. Pure; an entry on an unknown alert gives None."""
    if entry.happened is Happened.OPENED:
        return _opened(entry)
    if alert is None:
        return None
    return _AFTER[entry.happened](alert, entry)


def _opened(entry: Entry) -> Alert:
    facts, content = entry.facts, entry.content or {}
    alert = Alert(
        reference=str(entry.alert),
        received_at=entry.at,
        author_address=str(content.get("author_address", "")),
        form=str(facts.get("form") or ""),
        last_news_at=_adopted_at(facts) or _time(facts.get("last_news_at")) or entry.at,
        adopted_at=_adopted_at(facts),
        provisional=facts.get("provisional") is True,
        plan=_plan(facts.get("plan")),
    )
    return replace(alert, **_told(alert, entry))


def _adopted_at(facts: Mapping[str, Json]) -> datetime | None:
    """When an alert was taken over from a spreadsheet: it is chased from then on, not for what lay before."""
    return _time(facts.get("adopted_at"))


def _told(alert: Alert, entry: Entry) -> Changes:
    """What a form says of the matter. A person's correction outlives any later form."""
    facts, content = entry.facts, entry.content or {}
    said = {
        name: value for name, value in texts(content.get("values")).items() if name not in alert.corrected
    }
    children = tuple(_child(child) for child in _rows(content.get("children")))
    actions = tuple(_action(action) for action in _rows(content.get("actions")))
    document = facts.get("document")
    return {
        "form": str(facts.get("form") or alert.form),
        "children": children or alert.children,
        "actions": actions or alert.actions,
        "values": {**alert.values, **said},
        "categories": _categories(alert, facts),
        "incident_at": _unless_corrected(alert, "incident_at", facts) or alert.incident_at,
        "aware_at": _unless_corrected(alert, "aware_at", facts) or alert.aware_at,
        "form_date": moment(facts.get("form_date")) or alert.form_date,
        "missing_since": _unless_corrected(alert, "missing_since", facts) or alert.missing_since,
        "returned_at": _unless_corrected(alert, "returned_at", facts) or alert.returned_at,
        "next_update_due": _due(alert, facts),
        "update_lines": _and(alert.update_lines, _texts(facts.get("update_lines"))),
        "findings": tuple(dict.fromkeys((*alert.findings, *_codes(facts.get("findings"))))),
        "mails": _and(alert.mails, [entry.source]),
        "documents": _and(alert.documents, [str(document)] if document else []),
        "erased": False,
    }


def _heard(alert: Alert, entry: Entry) -> Changes:
    """News came: whatever was chased before starts afresh, and whoever sent it is back."""
    sender = (entry.content or {}).get("sender")
    away = {address: absence for address, absence in alert.away.items() if sender and address != sender}
    held = {rule: at for rule, at in alert.letters_held.items() if at > entry.at}
    return {
        "last_news_at": max(entry.at, alert.last_news_at),
        "chases": (),
        "letters_held": held,
        "letters_dropped": alert.letters_dropped & held.keys() if held else frozenset(),
        "away": away,
        "proposal": NOTHING,
        "erased": False,
    }


def _updated(alert: Alert, entry: Entry) -> Alert:
    heard = {**_told(alert, entry), **_heard(alert, entry)}
    return replace(alert, **heard, updates=alert.updates + 1, last_update_at=entry.at)


def _received_again(alert: Alert, entry: Entry) -> Alert:
    document = entry.facts.get("document")
    documents = alert.documents | ({str(document)} if document else set())
    return replace(alert, mails=alert.mails | {entry.source}, documents=documents)


def _replied(alert: Alert, entry: Entry) -> Alert:
    facts = entry.facts
    proposal = Proposal(
        no_change=facts.get("no_change") is True,
        close=facts.get("close") is True,
        next_update=day(facts.get("next_update")),
        withdraw=facts.get("withdraw") is True,
    )
    heard = {**_heard(alert, entry), "proposal": proposal}
    return replace(alert, **heard, replied_at=entry.at, mails=alert.mails | {entry.source})


def _away(alert: Alert, entry: Entry) -> Alert:
    facts, content = entry.facts, entry.content or {}
    absence = Absence(
        day(facts.get("until")), str(facts.get("role", "author")), str(content.get("deputy", ""))
    )
    address = str(content.get("address") or alert.author_address).lower()
    return replace(alert, away={**alert.away, address: absence}, mails=alert.mails | {entry.source})


def _bounced(alert: Alert, entry: Entry) -> Alert:
    address = str((entry.content or {}).get("address", ""))
    return replace(alert, bounced=alert.bounced | {address}, mails=alert.mails | {entry.source})


def _conclusion_claimed(alert: Alert, entry: Entry) -> Alert:
    text = str((entry.content or {}).get("text", ""))
    return replace(alert, conclusion_claimed_at=entry.at, conclusion_text=text or alert.conclusion_text)


def _concluded(alert: Alert, entry: Entry) -> Alert:
    by = str((entry.content or {}).get("by", ""))
    return replace(alert, concluded_at=entry.at, concluded_by=by, reopened_at=None)


def _reopened(alert: Alert, entry: Entry) -> Alert:
    return replace(
        alert,
        **_heard(alert, entry),
        reopened_at=entry.at,
        concluded_at=None,
        conclusion_claimed_at=None,
        not_an_alert=False,
        dismissed_at=None,
        duplicate=False,
        merged_into="",
    )


def _held(alert: Alert, entry: Entry) -> Alert:
    return replace(alert, on_hold=True, on_hold_until=day(entry.facts.get("until")))


def _released(alert: Alert, entry: Entry) -> Alert:
    return replace(alert, **_heard(alert, entry), on_hold=False, on_hold_until=None)


def _corrected(alert: Alert, entry: Entry) -> Alert:
    """A person's word in the register wins over every form, before and after."""
    name = str(entry.facts.get("field"))
    value = str((entry.content or {}).get("value", ""))
    corrected = replace(alert, corrected=alert.corrected | {name}, values={**alert.values, name: value})
    meant = _CORRECTED.get(name)
    return meant(corrected, value, entry) if meant else corrected


def _next_update_corrected(alert: Alert, value: str, entry: Entry) -> Alert:
    decided = replace(alert.proposal, next_update=None)
    return replace(alert, next_update_due=day(value), proposal=decided)


def _dob_corrected(alert: Alert, value: str, entry: Entry) -> Alert:
    """Of several children their days of birth stand in one cell as words, which change nothing else."""
    if len(alert.children) != 1:
        return alert
    return replace(alert, children=(put_right(alert.children[0], dob=day(value)),))


_CORRECTED: Mapping[str, Callable[[Alert, str, Entry], Alert]] = {
    "incident_at": lambda alert, value, _: replace(alert, incident_at=moment(value)),
    "aware_at": lambda alert, value, _: replace(alert, aware_at=moment(value)),
    "missing_since": lambda alert, value, _: replace(alert, missing_since=moment(value)),
    "returned_at": lambda alert, value, _: replace(alert, returned_at=moment(value)),
    "next_update_due": _next_update_corrected,
    "child_name": lambda alert, value, _: replace(alert, children=children_named(alert.children, value)),
    "system_id": lambda alert, value, _: replace(alert, children=children_numbered(alert.children, value)),
    "dob": _dob_corrected,
    "author": lambda alert, _, entry: replace(
        alert, author_address=str((entry.content or {}).get("address") or alert.author_address)
    ),
    "categories": lambda alert, _, entry: replace(
        alert, categories=tuple(_texts(entry.facts.get("categories"))) or alert.categories
    ),
}


def _chased(alert: Alert, entry: Entry) -> Alert:
    """One that went out before the last news, and was only found out about after it, is answered already."""
    chased = Chased(
        at=entry.at,
        rule=str(entry.facts.get("rule")),
        step=len(alert.chases) + 1,
        letter=entry.source,
    )
    unanswered = alert.chases if entry.at < alert.last_news_at else (*alert.chases, chased)
    another = chased.prompt not in {one.prompt for one in alert.chases}
    went = _letter_released(alert, entry)
    return replace(went, chases=unanswered, chases_ever=alert.chases_ever + another)


def _letter_held(alert: Alert, entry: Entry) -> Alert:
    rule = str(entry.facts.get("rule"))
    held = {**alert.letters_held, rule: entry.at}
    return replace(alert, letters_held=held, letters_dropped=alert.letters_dropped - {rule})


def _letter_released(alert: Alert, entry: Entry) -> Alert:
    """It is as if it had never been held."""
    rule = str(entry.facts.get("rule"))
    held = {other: at for other, at in alert.letters_held.items() if other != rule}
    return replace(alert, letters_held=held, letters_dropped=alert.letters_dropped - {rule})


def _letter_dropped(alert: Alert, entry: Entry) -> Alert:
    return replace(alert, letters_dropped=alert.letters_dropped | {str(entry.facts.get("rule"))})


def _not_an_alert(alert: Alert, entry: Entry) -> Alert:
    duplicate = entry.facts.get("as") == Status.DUPLICATE
    return replace(alert, not_an_alert=True, dismissed_at=entry.at, duplicate=duplicate)


def _confirmed(alert: Alert, entry: Entry) -> Alert:
    return replace(alert, provisional=False)


def _merged(alert: Alert, entry: Entry) -> Alert:
    """One of two ends as the other's duplicate; that one knows from now on what the first one knew."""
    facts, content = entry.facts, entry.content or {}
    if into := str(facts.get("into") or ""):
        return replace(alert, not_an_alert=True, dismissed_at=entry.at, duplicate=True, merged_into=into)
    heard = moment(facts.get("last_news_at"))
    return replace(
        alert,
        children=tuple(_child(child) for child in _rows(content.get("children"))) or alert.children,
        values={**texts(content.get("values")), **alert.values},
        categories=tuple(dict.fromkeys((*alert.categories, *_texts(facts.get("categories"))))),
        update_lines=alert.update_lines | set(_texts(facts.get("update_lines"))),
        mails=alert.mails | set(_texts(facts.get("mails"))),
        documents=alert.documents | set(_texts(facts.get("documents"))),
        last_news_at=max(heard, alert.last_news_at) if isinstance(heard, datetime) else alert.last_news_at,
    )


def _split(alert: Alert, entry: Entry) -> Alert:
    """Those who left are told of under the new reference; the others stay. What a person wrote in the
    cells about all of them is no longer about those who are left."""
    content = entry.content or {}
    stay = tuple(_child(child) for child in _rows(content.get("children")))
    return replace(
        alert,
        children=stay if "children" in content else alert.children,
        corrected=alert.corrected - IN_CELLS,
    )


def _erased(alert: Alert, entry: Entry) -> Alert:
    return replace(alert, erased=True)


def _same(alert: Alert, entry: Entry) -> Alert:
    return alert


_AFTER = {
    Happened.UPDATED: _updated,
    Happened.RECEIVED_AGAIN: _received_again,
    Happened.REPLIED: _replied,
    Happened.AWAY: _away,
    Happened.BOUNCED: _bounced,
    Happened.REACHABLE: _same,
    Happened.CONCLUSION_CLAIMED: _conclusion_claimed,
    Happened.CONCLUDED: _concluded,
    Happened.REOPENED: _reopened,
    Happened.HELD: _held,
    Happened.RELEASED: _released,
    Happened.CORRECTED: _corrected,
    Happened.CHASED: _chased,
    Happened.LETTER_HELD: _letter_held,
    Happened.LETTER_RELEASED: _letter_released,
    Happened.LETTER_DROPPED: _letter_dropped,
    Happened.NOT_AN_ALERT: _not_an_alert,
    Happened.CONFIRMED: _confirmed,
    Happened.MERGED: _merged,
    Happened.SPLIT: _split,
    Happened.OVERTYPED: _same,
    Happened.NOTED: _same,
    Happened.SET_ASIDE: _same,
    Happened.ERASED: _erased,
    Happened.HANDED_OVER: _same,
    Happened.PAUSED: _same,
    Happened.RESUMED: _same,
    Happened.REGISTER_WRITTEN: _same,
    Happened.REGISTER_STUCK: _same,
    Happened.REGISTER_FREE: _same,
    Happened.MAILBOX_STUCK: _same,
    Happened.MAILBOX_FREE: _same,
    Happened.SWEPT: _same,
}


def moment(value: Json) -> Moment | None:
    """ISO text → a time (aware) or a day; None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    except ValueError:
        return None


def _time(value: Json) -> datetime | None:
    found = moment(value)
    return found if isinstance(found, datetime) else None


def day(value: Json) -> date | None:
    """ISO text → its day; None for anything else."""
    found = moment(value)
    return found.date() if isinstance(found, datetime) else found


def texts(value: Json) -> dict[str, str]:
    """A JSON object as plain texts; anything else is nothing."""
    return {intern(name): str(said) for name, said in value.items()} if isinstance(value, dict) else {}


def _unless_corrected(alert: Alert, name: str, facts: Mapping[str, Json]) -> Moment | None:
    return None if name in alert.corrected else moment(facts.get(name))


def _categories(alert: Alert, facts: Mapping[str, Json]) -> tuple[str, ...]:
    said = () if "categories" in alert.corrected else tuple(_codes(facts.get("categories")))
    return said or alert.categories


def _due(alert: Alert, facts: Mapping[str, Json]) -> date | None:
    """Each form states its own next date; one that states none leaves none, unless a person set one."""
    if "next_update_due" in alert.corrected:
        return alert.next_update_due
    return day(facts.get("next_update_due"))


def _child(row: dict[str, Json]) -> Child:
    return Child(
        name=str(row.get("name", "")),
        dob=day(row.get("dob")),
        system_id=str(row.get("system_id", "")),
        formerly=tuple(_child(was) for was in _rows(row.get("formerly"))),
    )


def _action(row: dict[str, Json]) -> Action:
    return Action(
        text=str(row.get("text", "")),
        owner=str(row.get("owner", "")),
        due=day(row.get("due")),
        done=row.get("done") is True,
    )


def _plan(value: Json) -> Mapping[str, Json]:
    return _same_plan(json.dumps(value)) if isinstance(value, dict) else {}


@lru_cache
def _same_plan(told: str) -> Mapping[str, Json]:
    """One for the thousands of alerts that began by the same."""
    plan: Mapping[str, Json] = json.loads(told)
    return plan


def _rows(value: Json) -> list[dict[str, Json]]:
    return [row for row in _list(value) if isinstance(row, dict)]


def _texts(value: Json) -> list[str]:
    return [str(one) for one in _list(value)]


def _codes(value: Json) -> list[str]:
    """Texts of which there are few, each kept once for all alerts."""
    return [intern(one) for one in _texts(value)]


def _and(known: frozenset[str], more: Collection[str]) -> frozenset[str]:
    return known if known.issuperset(more) else known.union(more)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
