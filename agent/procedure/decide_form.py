"""What a form comes to: one that was read, and one that could not be."""

from __future__ import annotations

from dataclasses import replace

from agent.procedure.alert import Alert
from agent.procedure.decide_case import FORM_KINDS, Case
from agent.procedure.decide_record import (
    MOMENTS,
    conclusion_line,
    content_of,
    facts_of,
    iso,
    squeezed,
    update_lines,
)
from agent.procedure.decision import Decision
from agent.procedure.entry import Entry
from agent.procedure.matching import Match, Same, announcing, same_child
from agent.procedure.plan import plan_to_keep
from agent.procedure.questions import ANNOUNCED, QUESTIONS
from agent.procedure.submission import Submission
from agent.procedure.words import Happened, Json, Kind


def decide_form(case: Case) -> Decision:
    """A form that was read: a new alert, news of one that is known, or a question which it is."""
    match = case.match()
    if match.sure:
        return _believed(case, case.alerts[match.sure])
    if match.why == "contradiction":
        return _withheld(case, match.why, match.possible)
    if match.possible:
        return case.only_ask(_code_of(match), match.possible)
    if case.stopped:
        return _withheld(case)
    return opened(case, provisional=case.is_stranger)


def opened(case: Case, *, provisional: bool = False) -> Decision:
    """A new alert; a `provisional` one is shown to people, who say whether it is one."""
    said = case.submission
    early = () if _is_first(case) else ("update_before_alert",)
    unknown = ("unknown_reference",) if set(said.references) - case.alerts.keys() else ()
    reference = case.new_reference(said.received_at)
    noticed = tuple(code for code in early if code in case.procedure.findings)
    said = replace(said, kind=_kind(case), findings=(*said.findings, *noticed))
    facts = _begun(case, said, reference) | ({"provisional": True} if provisional else {})
    begun = case.entry(Happened.OPENED, reference, facts, content_of(said))
    entries = [begun, *_conclusion(case, reference, concluded=provisional)]
    questions = case.questions((*early, *unknown, *said.doubts), (reference,))
    if before := announcing(said, case.alerts):
        questions += case.questions((ANNOUNCED,), (*before, reference))
    outcome = "opened_provisional" if provisional else "opened"
    return case.decision(outcome, entries, questions)


def _withheld(case: Case, code: str = "", possible: tuple[str, ...] = ()) -> Decision:
    """A row that tells nothing of the form: whom it is about is the very question, and to show it may be a
    breach. What it says is taken down once a person said that it is an alert."""
    if case.has_a_row():
        return case.only_ask(code, possible)
    said = case.submission
    bare = Submission(
        said.kind,
        said.message_id,
        said.sender,
        said.received_at,
        document_sha256=said.document_sha256,
        author_address=said.author_address,
    )
    row = opened(replace(case, submission=bare), provisional=True).entries
    meant = (*possible, *(entry.alert for entry in row if entry.alert))
    return case.decision("opened_provisional", row, case.only_ask(code, meant).questions)


def _kind(case: Case) -> Kind:
    """What it is if it is an alert at all."""
    kind = case.submission.kind
    return kind if kind in FORM_KINDS else case.submission.claims or Kind.NEW


def _is_first(case: Case) -> bool:
    return case.submission.form is None or case.submission.kind in (Kind.NEW, Kind.MISSING)


def _believed(case: Case, alert: Alert) -> Decision:
    """News is taken from anybody inside the organisation: whoever updates need not be the author."""
    if case.is_stranger and case.submission.document_sha256 in alert.documents:
        return case.again(alert)
    doubted = case.is_stranger and (alert.provisional or not case.is_theirs(alert))
    if case.stopped or doubted:
        return case.only_ask(possible=(alert.reference,))
    return known(case, alert)


def known(case: Case, alert: Alert) -> Decision:
    """A form about an alert that is known: news of it, or the same once more."""
    if not _is_news(case, alert):
        return case.again(alert)
    return _update(case, alert)


def _update(case: Case, alert: Alert) -> Decision:
    said, reference = case.submission, alert.reference
    confirmed = [case.entry(Happened.CONFIRMED, reference)] if alert.provisional else []
    reopened = [case.entry(Happened.REOPENED, reference)] if _reopens(case, alert) else []
    facts = facts_of(said, reference, known=alert.update_lines)
    updated = case.entry(Happened.UPDATED, reference, facts, content_of(said, alert.children))
    ended = alert.concluded and not reopened
    claims = _conclusion(case, reference, concluded=ended) if _claims(case, alert) else []
    entries = [*confirmed, *reopened, updated, *claims]
    outcome = str((claims or reopened or [updated])[-1].happened)
    return case.decision(outcome, entries, case.questions(said.doubts, (reference,)))


def _is_news(case: Case, alert: Alert) -> bool:
    """Whether the form tells anything that is not known; the same news told twice is none.

    Of a provisional alert the document may be known, and yet be read for the first time.
    """
    if alert.provisional and not alert.form:
        return True
    if case.submission.document_sha256 in alert.documents:
        return alert.provisional or not alert.form
    return _brings_more(case, alert) or _claims(case, alert) or _corrects(case, alert)


def _brings_more(case: Case, alert: Alert) -> bool:
    """A line not seen before, a child's return, or one more child."""
    said = case.submission
    returned = said.returned_at not in (None, alert.returned_at) and "returned_at" not in alert.corrected
    more = any(
        all(same_child(child, known) is Same.NO for known in alert.children) for child in said.children
    )
    lines = set(update_lines(said, alert.reference)) - alert.update_lines
    return bool(lines) or returned or (more and bool(alert.children))


def _corrects(case: Case, alert: Alert) -> bool:
    """Something on the form was changed. Two first forms by two people differ and correct nothing."""
    said = case.submission
    if said.kind in (Kind.NEW, Kind.MISSING) and said.sender != alert.author_address:
        return False
    moved = (
        getattr(said, name) not in (None, getattr(alert, name))
        for name in MOMENTS
        if name not in alert.corrected
    )
    reworded = (
        squeezed(text) != squeezed(alert.values.get(name, ""))
        for name, text in said.values.items()
        if name not in alert.corrected
    )
    planned = said.actions not in ((), alert.actions)
    return planned or any(moved) or any(reworded)


def _reopens(case: Case, alert: Alert) -> bool:
    """News after the end opens the matter again, unless it comes with the conclusion in writing that
    was still owed."""
    owed = _claims(case, alert) and not alert.conclusion_text
    return alert.concluded and _brings_more(case, alert) and not owed


def _claims(case: Case, alert: Alert) -> bool:
    line = conclusion_line(case.submission, alert.reference)
    return line is not None and line not in alert.update_lines


def _conclusion(case: Case, reference: str, *, concluded: bool) -> list[Entry]:
    """A filled-in conclusion proposes; it concludes only where the procedure leaves that to the form."""
    conclusion = case.submission.conclusion
    if conclusion is None:
        return []
    facts: dict[str, Json] = {"date": iso(conclusion.date)}
    claim = case.entry(Happened.CONCLUSION_CLAIMED, reference, facts, {"text": conclusion.text})
    if case.procedure.conclusion != "form" or concluded:
        return [claim]
    by = case.submission.values.get("conclusion_manager", "")
    return [claim, case.entry(Happened.CONCLUDED, reference, facts, {"by": by})]


def _begun(case: Case, said: Submission, reference: str) -> dict[str, Json]:
    """What is recorded of an alert that begins: what the form tells, by which version of the procedure it
    began, and by which plan it is chased."""
    rules = case.procedure
    return {**facts_of(said, reference), "version": rules.version, "plan": plan_to_keep(rules.chasing)}


def decide_unreadable(case: Case) -> Decision:
    """It may hide an alert, which must not wait for somebody to open the file: it is shown at once."""
    said, match = case.submission, case.match()
    if match.sure:
        return _unread_news(case, case.alerts[match.sure])
    if match.possible or said.claims is None or case.has_a_row():
        return case.only_ask(possible=match.possible)
    return opened(case, provisional=True)


def _unread_news(case: Case, alert: Alert) -> Decision:
    """Nobody is chased for what they sent, though a person has to read it first."""
    said, reference = case.submission, alert.reference
    if said.document_sha256 in alert.documents:
        return case.again(alert)
    believed = case.is_theirs(alert) and not case.stopped and said.message_id not in alert.mails
    entries = [case.replied(reference)] if believed else []
    return case.decision("unreadable", entries, case.questions(said.doubts, (reference,)), [reference])


def _code_of(match: Match) -> str:
    return match.why if match.why in QUESTIONS else "which_alert"
