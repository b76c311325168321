"""What becomes of a mail once a person answered the question about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from agent.procedure.alert import Alert, standing
from agent.procedure.alerts import Alerts
from agent.procedure.apart import references_in
from agent.procedure.decide import decide_mail, joined, told
from agent.procedure.decide_case import Case, NewReference
from agent.procedure.decide_form import known, opened
from agent.procedure.decision import Decision, Question
from agent.procedure.entry import Entry
from agent.procedure.merging import merged
from agent.procedure.people import People
from agent.procedure.questions import ANNOUNCED, FORM_LACKING, WITHDRAWN
from agent.procedure.reach import reached_again
from agent.procedure.rules import Procedure
from agent.procedure.submission import Submission
from agent.procedure.text import fold
from agent.procedure.words import Happened, Kind, Place

# Codes of questions about letters of the agent's: refused for good, or come back.
LETTER_HELD, LETTER_UNDELIVERED = "letter_held", "letter_undelivered"


class Answer(StrEnum):
    """What a person may answer: of a mail, beside an alert's reference, or of a letter of the agent's."""

    NEW = "New alert"
    NOT = "Not an alert"
    AGAIN = "Read again"
    SEND_AGAIN = "Send again"
    DONE = "Done"


# What may settle a question without an answer, and as what answer a person's word counts then.
SETTLING = {
    Happened.CONFIRMED: Answer.NEW,
    Happened.NOT_AN_ALERT: Answer.NOT,
    Happened.MERGED: Answer.DONE,
    Happened.CONCLUDED: Answer.DONE,
}

_ABOUT_MAILS = (Answer.NEW, Answer.NOT, Answer.AGAIN, Answer.DONE)
_ABOUT_LETTERS = (Answer.SEND_AGAIN, Answer.DONE)


class Unclear(ValueError):
    """An answer that cannot be acted on; says why, in a sentence for whoever gave it."""


def choices(question: Question) -> tuple[str, ...]:
    """What to offer as answers. About a mail the alerts that it may be come first; any other may be named."""
    return _ABOUT_LETTERS if _is_about_a_letter(question) else (*question.candidates, *_ABOUT_MAILS)


def _is_about_a_letter(question: Question) -> bool:
    return question.code in (LETTER_HELD, LETTER_UNDELIVERED)


def answered(
    question: Question,
    submissions: Sequence[Submission],
    answer: str,
    alerts: Alerts,
    procedure: Procedure,
    people: People,
    *,
    at: datetime,
    new_reference: NewReference,
) -> Decision:
    """What the mail comes to by a person's `answer`; `submissions` are what it brings, read afresh.

    - A reference: the mail belongs to that alert, and what was opened from it goes there, too.
    - New alert: it is one; a provisional one is confirmed.
    - Not an alert: what was opened from it alone is none, and so is an alert that its sender takes back.
    - Read again: it is decided as if it came now.
    - Done: a person has seen to it; nothing more is recorded.
    - Send again: of a mail that reports a letter come back, the address can be written to again.

    `at` is when they answered. Raises `Unclear` for anything else. The same answer given twice to the same
    mail records what it did not record before.
    """
    meant = understood(answer, question, alerts, procedure)
    case = _Answered(question, tuple(submissions), alerts, procedure, people, at, new_reference)
    if isinstance(meant, Alert):
        return case.belongs_to(meant)
    return {
        Answer.NEW: case.is_new,
        Answer.NOT: case.is_none,
        Answer.AGAIN: case.once_more,
        Answer.SEND_AGAIN: case.is_reached_again,
        Answer.DONE: case.is_done,
    }[meant]()


def settled(question: Question, entry: Entry, opened: Entry, *, by_person: bool) -> Answer | None:
    """The answer that `entry` gives to a question about the mail by which its alert was `opened`; None where
    it gives none.

    The form has come without which the alert was only provisional, or the matter is concluded: nobody need
    ask for it. `by_person` the alert was confirmed in the register, or said to be none: that answers whatever
    was asked about it, and whether it was announced or announced another.
    """
    if by_person and question.code == ANNOUNCED and entry.alert in question.candidates:
        return Answer.DONE
    about_it = question.message_id == opened.source and question.candidates == (entry.alert,)
    if not about_it or "from" in entry.facts:  # another alert was merged into it, which tells nothing of it
        return None
    if by_person and entry.happened is not Happened.CONCLUDED:
        return SETTLING[entry.happened]
    lacking = question.code in FORM_LACKING and entry.source != opened.source
    return Answer.DONE if lacking else None


def understood(
    answer: str, question: Question, alerts: Mapping[str, Alert], procedure: Procedure
) -> Alert | Answer:
    """The answer's meaning, in whatever case it was typed. Raises `Unclear`."""
    if _is_about_a_letter(question):
        return understood_of_letter(answer)
    if known := _said(answer, _ABOUT_MAILS):
        return known
    references = references_in(answer, procedure)
    if len(references) != 1:
        raise Unclear(f"Answer with one reference, or with: {', '.join(_ABOUT_MAILS)}.")
    alert = standing(alerts, references[0])
    if alert is None:
        raise Unclear(f"There is no alert {references[0]}. Look up its reference in the register.")
    return alert


def understood_of_letter(answer: str) -> Answer:
    """The meaning of an answer about a letter of the agent's. Raises `Unclear`."""
    if known := _said(answer, _ABOUT_LETTERS):
        return known
    raise Unclear(f"Answer with: {', '.join(_ABOUT_LETTERS)}.")


def _said(answer: str, may_be: Sequence[Answer]) -> Answer | None:
    said = fold(answer).strip(" .!")
    return next((known for known in may_be if said == fold(known)), None)


@dataclass(frozen=True)
class _Answered:
    question: Question
    submissions: tuple[Submission, ...]
    alerts: Alerts
    procedure: Procedure
    people: People
    at: datetime
    new_reference: NewReference

    def belongs_to(self, alert: Alert) -> Decision:
        """What was opened from the mail alone was this alert all the time."""
        others = [own for own in self._opened_from_it() if own.reference != alert.reference]
        confirmed = self._stands(alert)
        news = joined([told(self._case(one), alert) for one in self._undecided(others)])
        ended = [line for own in others for line in merged(own, alert, self.at, self._source)]
        known = self._known_by_mail(alert.reference)
        place = news.place if news.entries else Place.UPDATES
        return Decision(place, "answered", (*confirmed, *news.entries, *ended), (), news.categories or known)

    def is_new(self) -> Decision:
        """What is provisional stands from now on; what no alert was opened from is opened."""
        if any(one.kind is Kind.BOUNCE for one in self.submissions):
            raise Unclear("A report that a mail came back is no alert. Name the alert it is about.")
        own = self._opened_from_it()
        confirmed = [line for alert in own for line in self._stands(alert)]
        begun = joined([opened(self._case(one)) for one in self._undecided()])
        references = tuple(alert.reference for alert in own) + begun.categories
        return Decision(Place.ALERTS, "answered", (*confirmed, *begun.entries), (), references)

    def is_none(self) -> Decision:
        own = self._taken_back() if self.question.code == WITHDRAWN else self._opened_from_it()
        none = tuple(Entry(Happened.NOT_AN_ALERT, alert.reference, self.at, self._source) for alert in own)
        aside = Entry(Happened.SET_ASIDE, None, self.at, self._source, {"reason": "person"})
        references = tuple(alert.reference for alert in own)
        return Decision(Place.SET_ASIDE, "answered", none or (aside,), (), references)

    def once_more(self) -> Decision:
        return decide_mail(
            self._undecided([own for own in self._opened_from_it() if own.provisional]),
            self.alerts,
            self.procedure,
            self.people,
            new_reference=self.new_reference,
        )

    def is_done(self) -> Decision:
        known = self._known_by_mail()
        return Decision(Place.UPDATES if known else Place.SET_ASIDE, "answered", (), (), known)

    def is_reached_again(self) -> Decision:
        address = str(self.question.seen.get("not_delivered_to") or "")
        reached = reached_again([address], self.people.unreached, self.at, self._source)
        return replace(self.is_done(), entries=tuple(reached))

    # ------------------------------------------------------------ helpers

    def _taken_back(self) -> list[Alert]:
        """The one alert that is to be none; of several, people say in the register which."""
        if len(self.question.candidates) > 1:
            raise Unclear(
                f"It may be about any of these. Write “{Answer.NOT}” into the Status of the alert that is "
                f"none, and answer “{Answer.DONE}” here."
            )
        asked = (self.alerts.get(reference) for reference in self.question.candidates)
        return [alert for alert in asked if alert and not alert.not_an_alert]

    @property
    def _source(self) -> str:
        return self.question.message_id

    def _case(self, submission: Submission) -> Case:
        """A person looked: what made the agent ask stops nothing any more."""
        trusted = replace(submission, doubts=(), references=())
        return Case(trusted, self.alerts, self.procedure, self.people, (), self.new_reference)

    def _opened_from_it(self) -> list[Alert]:
        """The alerts in question that stand on this mail: provisional, or known from nothing else."""
        asked = (self.alerts.get(reference) for reference in self.question.candidates)
        return [
            alert
            for alert in asked
            if alert
            and self._source in alert.mails
            and (alert.provisional or len(alert.mails) == 1)
            and not alert.not_an_alert
        ]

    def _undecided(self, but: Sequence[Alert] = ()) -> list[Submission]:
        """What the mail brings that no alert has yet, `but` those that are in question."""
        settled = [alert for alert in self.alerts.with_mail(self._source) if alert not in but]
        return [one for one in self.submissions if not any(_has(alert, one) for alert in settled)]

    def _stands(self, alert: Alert) -> Sequence[Entry]:
        """It is an alert indeed. Of one whose form was withheld, what that says is taken down as well."""
        held = (one for one in self.submissions if one.form and one.document_sha256 in alert.documents)
        form = None if alert.form else next(held, None)
        if form is not None:
            return known(self._case(form), alert).entries
        return [self._confirmed(alert)] if alert.provisional else []

    def _confirmed(self, alert: Alert) -> Entry:
        return Entry(Happened.CONFIRMED, alert.reference, self.at, self._source)

    def _known_by_mail(self, *more: str) -> tuple[str, ...]:
        """References of the alerts that this mail belongs to: its categories in the mailbox."""
        known = (alert.reference for alert in self.alerts.with_mail(self._source))
        return tuple(dict.fromkeys((*more, *known)))


def _has(alert: Alert, submission: Submission) -> bool:
    """Whether a mail's submission was taken to this alert, which the mail is known to belong to."""
    return submission.document_sha256 is None or submission.document_sha256 in alert.documents
