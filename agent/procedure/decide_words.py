"""What a mail without a form comes to: a reply, or words about an alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.procedure.alert import Alert
from agent.procedure.decide_case import Case
from agent.procedure.decide_form import opened
from agent.procedure.decision import Decision
from agent.procedure.matching import Same, children_match
from agent.procedure.questions import FORM_BEHIND_LINK, NO_FORM
from agent.procedure.words import Happened, Json, Kind, Place

_SPOKEN_OF = frozenset({NO_FORM, FORM_BEHIND_LINK})  # an alert that the mail speaks of and does not bring
_SAYS_NOT_WHAT = frozenset({"reply_to_others", "not_about_an_alert"})  # a person's mail; no more is known


def decide_words(case: Case) -> Decision:
    """A reply, or a mail that speaks of an alert and brings no form."""
    meant = case.meant() or case.talked_of()
    references = tuple(alert.reference for alert in meant)
    if not meant:
        return _unmatched_words(case)
    if _speaks_of_another(case, meant):
        return case.only_ask("contradiction", references)
    if not case.meant() and not _by_author(case, meant):
        return _conversation(case, references)
    if not all(case.is_theirs(alert) for alert in meant):
        return case.only_ask("not_theirs", references)
    fresh = [alert for alert in meant if case.submission.message_id not in alert.mails]
    entries = [case.replied(alert.reference) for alert in fresh]
    asked = [doubt for doubt in case.submission.doubts if doubt != NO_FORM]
    return case.decision("replied", entries, case.questions(asked, references), references)


def _by_author(case: Case, meant: Sequence[Alert]) -> bool:
    return all(alert.author_address == case.submission.sender for alert in meant)


def _conversation(case: Case, references: tuple[str, ...]) -> Decision:
    """Others talk to each other about an alert ("noted, thank you"): kept beside it, but no news."""
    facts: dict[str, Json] = {"reason": "conversation", "about": list(references)}
    entry = case.entry(Happened.SET_ASIDE, None, facts)
    return Decision(Place.REPLIES, "conversation", (entry,), (), (*references, "Conversation"))


def _speaks_of_another(case: Case, meant: Sequence[Alert]) -> bool:
    known = [child for alert in meant for child in alert.children]
    return children_match(case.submission.children, known) is Same.NO


def _unmatched_words(case: Case) -> Decision:
    said = case.submission
    if said.references:
        return case.only_ask("unknown_reference")
    match = case.match()
    possible = (match.sure,) if match.sure else match.possible
    if said.kind is Kind.REPLY and said.claims in (None, Kind.OTHER) and not possible:
        return _aside(case, "reply_to_others")
    if not _SPOKEN_OF.isdisjoint(said.doubts) and not possible and not case.has_a_row():
        return opened(case, provisional=True)
    unmatched = ("reply_unmatched",) if said.kind is Kind.REPLY else ()
    return case.decision("unmatched", [], case.questions((*unmatched, *said.doubts), possible))


def decide_other(case: Case) -> Decision:
    """Nothing of ours, unless something about it is in doubt."""
    if case.submission.doubts:
        return case.decision("question", [], case.questions(case.submission.doubts))
    return _aside(case, case.submission.reason or "not_about_an_alert")


def _aside(case: Case, reason: str) -> Decision:
    """It names no alert. Whoever sent one that is open may well mean that: "Update: she is home"."""
    theirs = case.open_by_sender() if reason in _SAYS_NOT_WHAT else ()
    if not theirs:
        return case.aside(reason)
    unreasoned = replace(case, submission=replace(case.submission, reason=""))
    return unreasoned.only_ask("author_writes", theirs)
