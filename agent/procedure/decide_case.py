"""One submission before the alerts of its desk, and what every decision about it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.procedure.alert import Alert
from agent.procedure.alerts import Alerts
from agent.procedure.decide_record import iso
from agent.procedure.decision import Decision, Question
from agent.procedure.entry import Entry
from agent.procedure.matching import Match, candidates, evidence, told_of
from agent.procedure.merging import children_told
from agent.procedure.people import People
from agent.procedure.questions import QUESTIONS, STRANGERS, UNPROVEN
from agent.procedure.rules import Procedure
from agent.procedure.submission import Submission
from agent.procedure.words import Happened, Json, Kind, Place

NewReference = Callable[[datetime], str]

FORM_KINDS = frozenset({Kind.NEW, Kind.MISSING, Kind.UPDATE, Kind.CLOSURE})
_STATES = {
    "opened": "Opened",
    "opened_provisional": "Not confirmed",
    "updated": "Updated",
    "conclusion_claimed": "Conclusion proposed",
    "concluded": "Concluded",
    "reopened": "Reopened",
    "received_again": "Received again",
    "replied": "Reply",
    "away": "Automatic reply",
    "bounced": "Not delivered",
}
_PLACES = {
    "opened": Place.ALERTS,
    "received_again": Place.ALERTS,
    "replied": Place.REPLIES,
    "away": Place.REPLIES,
    "bounced": Place.REPLIES,
}


@dataclass(frozen=True)
class Case:
    """One submission before the alerts of its desk."""

    submission: Submission
    alerts: Alerts
    procedure: Procedure
    people: People
    answered: tuple[str, ...]
    new_reference: NewReference

    def match(self) -> Match:
        """Which alert it is about, by all that is known of it."""
        return candidates(self.submission, self.alerts, self.answered)

    @property
    def stopped(self) -> bool:
        """Whose child it is about is in doubt: nothing that it says is recorded before a person looked."""
        return "name_mismatch" in self.submission.doubts

    @property
    def is_stranger(self) -> bool:
        """The sender is from outside, or only claims to be from inside: nothing is opened on their word."""
        return not STRANGERS.isdisjoint(self.submission.doubts)

    def is_theirs(self, alert: Alert) -> bool:
        """Whether the sender may speak about the alert: its author, or anybody on the roster."""
        if UNPROVEN in self.submission.doubts:
            return False
        sender = self.submission.sender
        return sender == alert.author_address or self.people.at(sender) is not None

    def meant(self) -> list[Alert]:
        """The alerts of the letter that a mail answers, else those whose references it quotes."""
        return told_of(self.answered or self.submission.references, self.alerts)

    def talked_of(self) -> list[Alert]:
        """The one alert whose mail this one answers."""
        talked = (alert for mail in self.submission.answers for alert in self.alerts.with_mail(mail))
        meant = told_of((alert.reference for alert in talked), self.alerts)
        return meant if len(meant) == 1 else []

    def open_by_sender(self) -> tuple[str, ...]:
        """The open alerts that the sender is the author of."""
        sender = self.submission.sender
        return tuple(alert.reference for alert in self.alerts.open if alert.author_address == sender)

    def has_a_row(self) -> bool:
        """This very document, or the mail that brings none, opened an alert before."""
        said = self.submission
        if said.document_sha256:
            return bool(self.alerts.with_document(said.document_sha256))
        return bool(self.alerts.with_mail(said.message_id))

    def again(self, alert: Alert) -> Decision:
        """The same form once more, which counts once."""
        facts: dict[str, Json] = {"document": self.submission.document_sha256}
        again = self.entry(Happened.RECEIVED_AGAIN, alert.reference, facts)
        return self.decision("received_again", [again])

    def replied(self, reference: str) -> Entry:
        """That somebody answered about an alert, and what they propose."""
        proposal = self.submission.proposal
        facts: dict[str, Json] = {
            "no_change": proposal.no_change,
            "close": proposal.close,
            "next_update": iso(proposal.next_update),
            "withdraw": proposal.withdraw,
        }
        return self.entry(Happened.REPLIED, reference, facts, {"sender": self.submission.sender})

    def aside(self, reason: str) -> Decision:
        """It concerns no alert; `reason` is a code."""
        entry = self.entry(Happened.SET_ASIDE, None, {"reason": reason})
        return Decision(Place.SET_ASIDE, reason, (entry,))

    def only_ask(self, code: str = "", possible: tuple[str, ...] = ()) -> Decision:
        """Record nothing but the question; without a code, the doubts themselves are asked about."""
        codes = [asked for asked in (code, *self.submission.doubts) if asked]
        return self.decision(codes[0] if codes else "question", [], self.questions(codes, possible))

    def questions(self, codes: Iterable[str], possible: tuple[str, ...] = ()) -> list[Question]:
        """A question for each code, each once, about the alerts that it may be."""
        seen: dict[str, Json] = {
            "sender": self.submission.sender,
            "not_delivered_to": self.submission.bounced_address,
            "problem": self.submission.reason,
            "children": children_told(self.submission.children),
            "evidence": [*self._evidence(possible)],
        }
        return [
            Question(code, QUESTIONS[code], self.submission.message_id, possible, seen)
            for code in dict.fromkeys(codes)
        ]

    def _evidence(self, possible: tuple[str, ...]) -> Iterator[str]:
        """What speaks for and against each alert that it may be."""
        for reference in possible:
            if alert := self.alerts.get(reference):
                yield f"{reference}: {evidence(self.submission, alert, self.answered) or 'nothing certain'}"

    def entry(
        self,
        happened: Happened,
        reference: str | None,
        facts: Mapping[str, Json] | None = None,
        content: Mapping[str, Json] | None = None,
    ) -> Entry:
        """A line about this submission, as of its receipt."""
        at = self.submission.received_at.astimezone(UTC)
        return Entry(happened, reference, at, self.submission.message_id, facts or {}, content or {})

    def decision(
        self,
        outcome: str,
        entries: Sequence[Entry],
        questions: Sequence[Question] = (),
        meant: Iterable[str] = (),
    ) -> Decision:
        """The lines and questions with the folder and the categories that belong to them."""
        references = dict.fromkeys([*meant, *(entry.alert for entry in entries if entry.alert)])
        state = _STATES.get(outcome)
        labels = (*references, *((state,) if state else ()), *(("Question",) if questions else ()))
        place = Place.QUESTIONS if questions else _PLACES.get(outcome, Place.UPDATES)
        return Decision(place, outcome, tuple(entries), tuple(questions), tuple(labels))
