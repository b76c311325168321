"""What the agent makes of a submission: lines to record, questions to ask, and where the mail belongs.

Pure, apart from asking for a fresh reference when an alert is opened. A doubt never delays a genuine
alert: it is opened and asked about, unless the doubt is about which alert or which child is meant. What a
form comes to stands in `decide_form.py`, what other mails do in `decide_words.py` and `decide_automatic.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from agent.procedure.alert import Alert, folded_on
from agent.procedure.alerts import Alerts
from agent.procedure.decide_automatic import bounced, decide_away, decide_bounce
from agent.procedure.decide_case import FORM_KINDS, Case, NewReference
from agent.procedure.decide_form import decide_form, decide_unreadable, known
from agent.procedure.decide_words import decide_other, decide_words
from agent.procedure.decision import Decision, Question
from agent.procedure.entry import Entry
from agent.procedure.people import People
from agent.procedure.questions import STRANGERS
from agent.procedure.reach import reached_again
from agent.procedure.rules import Procedure
from agent.procedure.submission import Submission
from agent.procedure.words import Json, Kind, Place


def decide_mail(
    submissions: Sequence[Submission],
    alerts: Alerts,
    procedure: Procedure,
    people: People,
    *,
    answered: tuple[str, ...] = (),
    new_reference: NewReference,
) -> Decision:
    """The decision for a whole mail: what its first form opens, the next one already knows."""
    now = alerts
    decisions = []
    for submission in submissions:
        decision = decide(submission, now, procedure, people, answered=answered, new_reference=new_reference)
        decisions.append(decision)
        if len(submissions) > 1:
            now = now.supposing(folded_on(now, decision.entries).values())
    decision = joined(decisions)
    return replace(decision, entries=(*decision.entries, *_heard_from(submissions, people)))


def _heard_from(submissions: Sequence[Submission], people: People) -> Iterator[Entry]:
    """Whoever writes, or whose mailbox answers, can be written to, unless it may be somebody else."""
    for said in submissions[:1]:
        if said.kind is not Kind.BOUNCE and STRANGERS.isdisjoint(said.doubts):
            yield from reached_again([said.sender], people.unreached, said.received_at, said.message_id)


def decide(
    submission: Submission,
    alerts: Alerts,
    procedure: Procedure,
    people: People,
    *,
    answered: tuple[str, ...] = (),
    new_reference: NewReference,
) -> Decision:
    """What one submission comes to. `answered` are the alerts of the letter that it answers.

    `new_reference` is given the time of receipt, and only called when an alert is opened.
    """
    case = Case(submission, alerts, procedure, people, answered, new_reference)
    if submission.kind is Kind.BOUNCE:
        return decide_bounce(case)
    if submission.kind is Kind.AUTO_REPLY:
        return decide_away(case)
    if submission.form is not None:
        return decide_form(case)
    if submission.kind is Kind.UNREADABLE:
        return decide_unreadable(case)
    if submission.kind is Kind.REPLY or submission.kind in FORM_KINDS:
        return decide_words(case)
    return decide_other(case)


def told(case: Case, alert: Alert) -> Decision:
    """A person says that the mail belongs to `alert`, whoever sent it."""
    if case.submission.form is not None:
        return known(case, alert)
    outcome, line = "replied", case.replied(alert.reference)
    if case.submission.kind is Kind.BOUNCE:
        outcome, line = "bounced", bounced(case, alert.reference)
    fresh = case.submission.message_id not in alert.mails
    return case.decision(outcome, [line] if fresh else [], (), (alert.reference,))


def joined(decisions: Sequence[Decision]) -> Decision:
    """Several decisions about one mail as one; where people must look comes first."""
    if not decisions:
        return Decision(Place.SET_ASIDE, "empty")
    order = (Place.QUESTIONS, Place.ALERTS, Place.UPDATES, Place.REPLIES, Place.SET_ASIDE)
    leading = min(decisions, key=lambda decision: order.index(decision.place))
    return Decision(
        place=leading.place,
        outcome=leading.outcome,
        entries=tuple(entry for decision in decisions for entry in decision.entries),
        questions=_one_of_each(question for decision in decisions for question in decision.questions),
        categories=tuple(dict.fromkeys(label for decision in decisions for label in decision.categories)),
    )


def _one_of_each(questions: Iterable[Question]) -> tuple[Question, ...]:
    """One question of a kind for each mail: what several forms are doubted for is asked together."""
    asked: dict[str, Question] = {}
    for question in questions:
        before = asked.get(question.code)
        asked[question.code] = _together(before, question) if before else question
    return tuple(asked.values())


def _together(one: Question, other: Question) -> Question:
    both = {
        name: [*_list(one.seen.get(name)), *_list(other.seen.get(name))] for name in ("children", "evidence")
    }
    return replace(
        one,
        candidates=tuple(dict.fromkeys((*one.candidates, *other.candidates))),
        seen={**one.seen, **both},
    )


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
