"""Which alert is this about? A ladder of evidence; a name alone only proposes, and contradictions stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

from agent.procedure.alert import Alert, standing
from agent.procedure.alerts import Alerts
from agent.procedure.names import DRESS, differences, is_full, is_vague, may_be
from agent.procedure.submission import Child, Submission
from agent.procedure.words import Kind, Moment


@dataclass(frozen=True)
class Match:
    """`sure` is the one alert that is meant beyond doubt, `possible` those it may be (then `sure` is None).

    `why` is a code for the rung that decided: reference, answered, document, system_id, name_and_dob,
    conversation, awaited, name_only, several, contradiction, another_incident, same_incident, none.
    """

    sure: str | None
    possible: tuple[str, ...]
    why: str


class Same(IntEnum):
    """How surely two children are one."""

    NO = 0
    UNTOLD = 1
    POSSIBLY = 2
    SURELY = 3


NONE = Match(None, (), "none")
_SOON = timedelta(days=2)  # within which somebody sends the form that was missing, or could not be read


def candidates(submission: Submission, alerts: Alerts, answered: Sequence[str] = ()) -> Match:
    """Which of `alerts` a submission is about. `answered` are those of the letter of ours it answers."""
    known = told_of(submission.references, alerts)
    in_letter = told_of(answered, alerts)
    near = [alert for alert in alerts.in_common(submission) if not alert.merged_into]
    for meant, why in ((known, "reference"), (in_letter, "answered")):
        if not all(_begins_another_matter(submission, alert) for alert in meant):
            return _told(submission, near, meant, why)
    if submission.document_sha256:
        again = [alert for alert in near if submission.document_sha256 in alert.documents]
        if len(again) == 1:
            return Match(again[0].reference, (), "document")
    return _recognised(submission, near)


def told_of(references: Iterable[str], alerts: Mapping[str, Alert]) -> list[Alert]:
    """The known alerts of these references, each as the one under which its matter goes on."""
    found = (standing(alerts, reference) for reference in references)
    return list({alert.reference: alert for alert in found if alert}.values())


def same_child(one: Child, other: Child) -> Same:
    """How surely two children are one, by number, name and date of birth together.

    Twins share a date of birth, cousins a name, and numbers are mistyped: two must agree and
    nothing may speak against it. By a quite different name that a person put right it may be
    somebody else: that is never sure.
    """
    found = _alike(one, other)
    for now, was, told in (
        *((one, was, other) for was in one.formerly),
        *((other, was, one) for was in other.formerly),
    ):
        most = Same.SURELY if _names(was.name, now.name) >= Same.POSSIBLY else Same.POSSIBLY
        found = max(found, min(_alike(was, told), most))
    return found


def _alike(one: Child, other: Child) -> Same:
    told = one.system_id and other.system_id  # seldom both: their digits are not looked for in vain
    numbers = _agree(one.number, other.number) if told else None
    born = _agree(one.dob, other.dob)
    if born is False and numbers is not True:
        return Same.NO
    names = _names(one.name, other.name)
    if numbers is True:
        against = born is False or names is Same.NO
        return Same.POSSIBLY if against else Same.SURELY
    if names in (Same.NO, Same.UNTOLD):
        return names
    if born is None:
        return Same.NO if numbers is False else Same.POSSIBLY
    return Same.SURELY if names is Same.SURELY and numbers is None else Same.POSSIBLY


def _names(one: str, other: str) -> Same:
    if not one or not other:
        return Same.UNTOLD
    if is_vague(one) or is_vague(other):
        return Same.POSSIBLY if may_be(one, other) and "(" in one + other else Same.UNTOLD
    differ = differences(one, other)
    if differ is None:
        return Same.NO
    full = is_full(one) and is_full(other)
    return Same.SURELY if differ <= DRESS and full else Same.POSSIBLY


def _agree(one: object, other: object) -> bool | None:
    """Whether two known things are equal; None where one is unknown."""
    return one == other if one and other else None


def children_match(told: Iterable[Child], known: Sequence[Child]) -> Same:
    """The surest match between any two; NO only where all that could be compared are different."""
    found = [same_child(child, other) for child in told for other in known]
    if not found:
        return Same.UNTOLD
    return max(found)


def evidence(submission: Submission, alert: Alert, answered: Sequence[str] = ()) -> str:
    """What speaks for and against a submission being about an alert, in words that hold nothing personal:
    `the same name, the same conversation; but another date of birth`."""
    marks = {
        "its reference is quoted": _mark(alert.reference in submission.references),
        "a letter about it is answered": _mark(alert.reference in answered),
        "the same document": _mark(submission.document_sha256 in alert.documents),
        "the same conversation": _mark(bool(alert.mails & set(submission.answers))),
        **_likeness(submission.children, alert.children),
        "the same incident": _mark(_same_incident(submission, alert)),
        "what happened came after it": False if is_another_matter(submission, alert) else None,
        "the same author": _mark(_is_by_its_author(submission, alert)),
    }
    speaks_for = ", ".join(words for words, speaks in marks.items() if speaks)
    against = ", ".join(words for words, speaks in marks.items() if speaks is False)
    return "; ".join(told for told in (speaks_for, against and f"but {against}") if told)


def _mark(is_so: bool) -> bool | None:
    """What is so speaks for it; that it is not so speaks neither way."""
    return True if is_so else None


def _is_by_its_author(submission: Submission, alert: Alert) -> bool:
    by = submission.author_address or submission.sender
    return bool(alert.author_address) and by == alert.author_address


def _likeness(told: Sequence[Child], known: Sequence[Child]) -> dict[str, bool | None]:
    """How the two most alike children compare, point by point."""
    pairs = [(child, other) for child in told for other in known]
    if not pairs:
        return {}
    one, other = max(pairs, key=lambda pair: same_child(*pair))
    names = _names(one.name, other.name)
    return {
        "the same name": _mark(names is Same.SURELY),
        "a like name": _mark(names is Same.POSSIBLY),
        "another name": False if names is Same.NO else None,
        "the same date of birth": _mark(_agree(one.dob, other.dob) is True),
        "another date of birth": False if _agree(one.dob, other.dob) is False else None,
        "the same number": _mark(_agree(one.number, other.number) is True),
        "another number": False if _agree(one.number, other.number) is False else None,
    }


def _told(submission: Submission, near: list[Alert], meant: list[Alert], why: str) -> Match:
    """The mail itself says which alert; unless it then speaks of another child."""
    graded = [(alert, children_match(submission.children, alert.children)) for alert in meant]
    surely = [alert for alert, same in graded if same is Same.SURELY]
    fitting = surely or [alert for alert, same in graded if same is not Same.NO]
    if not fitting:
        return Match(None, _references(meant, _recognised(submission, near)), "contradiction")
    if len(fitting) == 1:
        return Match(fitting[0].reference, (), why)
    return Match(None, _references(fitting), "several")


def _references(alerts: Iterable[Alert], beside: Match = NONE) -> tuple[str, ...]:
    also = (beside.sure,) if beside.sure else beside.possible
    return tuple(dict.fromkeys([*(alert.reference for alert in alerts), *also]))


def _recognised(submission: Submission, near: list[Alert]) -> Match:
    """By child, conversation and incident: what the mail does not say in so many words."""
    graded = [(alert, children_match(submission.children, alert.children)) for alert in near]
    surely = [alert for alert, same in graded if same is Same.SURELY]
    possibly = [alert for alert, same in graded if same is Same.POSSIBLY]
    talked = [alert for alert in near if not alert.mails.isdisjoint(submission.answers)]
    if surely:
        return _same_matter(submission, surely)
    if talked:
        return _in_conversation(submission, talked, possibly)
    if len(possibly) == 1 and _is_awaited(submission, possibly[0]):
        return Match(possibly[0].reference, (), "awaited")
    if possibly:
        meant = [alert for alert in possibly if not is_another_matter(submission, alert)]
        return Match(None, _references(meant), "name_only") if meant else NONE
    return _without_child(submission, near)


def _in_conversation(submission: Submission, talked: list[Alert], possibly: list[Alert]) -> Match:
    fitting = [alert for alert in talked if alert in possibly]
    strangers = [alert for alert in talked if children_match(submission.children, alert.children) is Same.NO]
    if strangers and not fitting:
        return Match(None, _references([*talked, *possibly]), "contradiction")
    meant = fitting or talked
    if len(meant) == 1 and not is_another_matter(submission, meant[0]):
        return Match(meant[0].reference, (), "conversation")
    return Match(None, _references(meant), "several" if len(meant) > 1 else "another_incident")


def _same_matter(submission: Submission, alerts: list[Alert]) -> Match:
    """The child is known: is it the same matter? A first form must also be about the same incident."""
    meant = [alert for alert in alerts if not is_another_matter(submission, alert)]
    same_incident = [alert for alert in meant if _same_incident(submission, alert)]
    why = "system_id" if any(child.system_id for child in submission.children) else "name_and_dob"
    if len(same_incident) == 1:
        return Match(same_incident[0].reference, (), why)
    if not meant:
        return NONE if _is_first_form(submission) else Match(None, _references(alerts), "another_incident")
    if len(meant) > 1:
        return Match(None, _references(same_incident or meant), "several")
    if _is_first_form(submission):
        return Match(None, _references(meant), "another_incident")
    return Match(meant[0].reference, (), why)


def is_another_matter(submission: Submission, alert: Alert) -> bool:
    """What happened after an alert had come in cannot be what that alert was about."""
    happened = submission.missing_since or submission.incident_at
    if isinstance(happened, datetime):
        return happened > alert.received_at
    return happened is not None and happened > alert.received_at.date()


def announcing(submission: Submission, alerts: Alerts) -> tuple[str, ...]:
    """Which open alerts may have announced this form: as awaited, but they tell of no child."""
    return tuple(
        alert.reference
        for alert in alerts.open
        if _is_awaited(submission, alert)
        and children_match(submission.children, alert.children) is Same.UNTOLD
    )


def _is_awaited(submission: Submission, alert: Alert) -> bool:
    """The form without which an alert is only provisional: by the same sender soon after."""
    return (
        submission.form is not None
        and alert.provisional
        and not alert.form
        and alert.author_address == submission.sender
        and alert.received_at <= submission.received_at <= alert.received_at + _SOON
        and not is_another_matter(submission, alert)
    )


def _begins_another_matter(submission: Submission, alert: Alert) -> bool:
    """A form of something that happened later, and that tells of no update and no conclusion: people answer
    the last mail they have."""
    begins = submission.form is not None and not (submission.updates or submission.conclusion)
    again = submission.document_sha256 in alert.documents
    return begins and not again and is_another_matter(submission, alert)


def _same_incident(submission: Submission, alert: Alert) -> bool:
    """The same moment; where one side states the day only, the same day."""
    pairs = ((submission.incident_at, alert.incident_at), (submission.missing_since, alert.missing_since))
    return any(_same_moment(told, known) for told, known in pairs if told and known)


def _same_moment(one: Moment, other: Moment) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one == other
    return _day(one) == _day(other)


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _is_first_form(submission: Submission) -> bool:
    return submission.kind in (Kind.NEW, Kind.MISSING) or (
        submission.kind is Kind.UNREADABLE and submission.claims in (Kind.NEW, Kind.MISSING)
    )


def _without_child(submission: Submission, near: list[Alert]) -> Match:
    """A matter of staff or premises has no child to know it by: incident and author together propose."""
    author = submission.values.get("author", "").casefold()
    if submission.children or not author or submission.incident_at is None:
        return NONE
    alike = [
        alert
        for alert in near
        if not alert.children
        and alert.values.get("author", "").casefold() == author
        and _same_incident(submission, alert)
    ]
    return Match(None, _references(alike), "same_incident") if alike else NONE
