"""What the agent makes of a submission: lines to record, questions to ask, and where the mail belongs.

Pure, apart from asking for a fresh reference when an alert is opened. A doubt never delays a genuine
alert: it is opened and asked about, unless the doubt is about which alert or which child is meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agent.procedure.addressing import AUTHOR, REVIEWER, bare_name
from agent.procedure.alert import Alert, alert_after
from agent.procedure.decision import Decision, Question
from agent.procedure.entry import Entry
from agent.procedure.matching import Match, Same, candidates, children_match, evidence, same_child, told_of
from agent.procedure.merging import children_told, together
from agent.procedure.people import People
from agent.procedure.plan import plan_to_keep
from agent.procedure.rules import Procedure
from agent.procedure.submission import Child, Submission
from agent.procedure.text import fold
from agent.procedure.words import Happened, Json, Kind, Moment, Place

NewReference = Callable[[datetime], str]

UNPROVEN = "sender_unproven"
STRANGERS = frozenset({"external_sender", UNPROVEN})

# Why a person is asked, in sentences without names. A question's code is one of these.
QUESTIONS: Mapping[str, str] = {
    "which_alert": "More than one alert may be meant. Say which, or that it is a new matter.",
    "name_only": "Only the name fits, and a name proves little. Say whether it is this alert or a new one.",
    "another_incident": "The child is known, but the incident is another or not stated. "
    "Say whether it is this alert or a new one.",
    "same_incident": "An alert by the same author tells of the same moment. Say whether it is this matter.",
    "contradiction": "The mail points to one alert and its content to another child. "
    "Perhaps it was sent in error: look before anything is answered.",
    "unknown_reference": "The mail quotes a reference that is not known here. Say which alert is meant.",
    "name_mismatch": "Subject, file name and form name different children. "
    "Perhaps it was sent in error: look before anything is answered.",
    "unreadable": "A form could not be read. Open it, and ask its author for a Word file if needed.",
    "mail_unread": "Part of the mail could not be read. Open it, and look whether it brings a form.",
    "macro_file": "The form holds macros. They were not run; ask for the form without them.",
    "blank_form": "The form that came with it is blank. Ask the sender for the one that is filled in.",
    "date_invalid": "A date on the form does not exist or cannot be read. Look it up on the form.",
    "date_future": "Something on the form is dated in the future. Ask its author.",
    "external_sender": "The mail came from outside the organisation. Check that it is genuine.",
    UNPROVEN: "The mail claims to come from inside, which Microsoft 365 could not prove. "
    "Check with its sender, by telephone or a mail of your own, before it counts.",
    "no_form": "The subject speaks of an alert, but no form came with it. Ask the sender for the form.",
    "form_behind_link": "The form lies behind a link, which the agent never follows. "
    "Ask the sender for the file itself.",
    "protected_mail": "The mail is encrypted or protected: only a person can open it. "
    "Look at once whether it brings a form, and ask its sender for one without protection.",
    "challenge": "A mailbox wants proof that a person wrote before it takes a mail. See that it arrives.",
    "closure_without_form": "Somebody asks to close an alert, without a filled-in conclusion. Decide.",
    "query": "Somebody asks whether an alert is needed. Answer them.",
    "has_left": "A mailbox answers that its owner works there no longer. "
    "Find out who sees to the alert, and correct its author or reviewer.",
    "recall": "The sender tried to recall a mail. Perhaps it was sent in error: look at once.",
    "update_before_alert": "An update came before its alert, which was opened from it. "
    "Look for the first form.",
    "reply_unmatched": "A reply came that belongs to no known alert. Read it.",
    "not_theirs": "The sender is neither the alert's author nor on the roster. Read it before it counts.",
    "bounce_unmatched": "A mail could not be delivered, and it is not known which. Read the report.",
    "letter_held": "A letter of the agent's was refused for good and did not go out. Once that is "
    "mended answer “Send again”, or “Done” where nobody needs it any more. A chase is tried afresh in time.",
    "author_left": "The author of an open alert is no longer there. Find out who takes it over.",
    "letter_undelivered": "A letter of the agent's could not be delivered. Find out who can be written to.",
}

_FORM_KINDS = frozenset({Kind.NEW, Kind.MISSING, Kind.UPDATE, Kind.CLOSURE})
_MOMENTS = ("incident_at", "aware_at", "form_date", "missing_since", "returned_at", "next_update_due")
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


def decide_mail(
    submissions: Sequence[Submission],
    alerts: Mapping[str, Alert],
    procedure: Procedure,
    people: People,
    *,
    answered: tuple[str, ...] = (),
    new_reference: NewReference,
) -> Decision:
    """The decision for a whole mail: what its first form opens, the next one already knows."""
    now: dict[str, Alert] = dict(alerts)
    decisions = []
    for submission in submissions:
        decision = decide(submission, now, procedure, people, answered=answered, new_reference=new_reference)
        decisions.append(decision)
        for entry in decision.entries:
            after = alert_after(now.get(entry.alert), entry) if entry.alert else None
            if after is not None:
                now[after.reference] = after
    return joined(decisions)


def decide(
    submission: Submission,
    alerts: Mapping[str, Alert],
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
        return case.bounced()
    if submission.kind is Kind.AUTO_REPLY:
        return case.away()
    if submission.form is not None:
        return case.form()
    if submission.kind is Kind.UNREADABLE:
        return case.unreadable()
    if submission.kind is Kind.REPLY or submission.kind in _FORM_KINDS:
        return case.words()
    return case.other()


@dataclass(frozen=True)
class Case:
    """One submission before the alerts of its desk."""

    submission: Submission
    alerts: Mapping[str, Alert]
    procedure: Procedure
    people: People
    answered: tuple[str, ...]
    new_reference: NewReference

    # ------------------------------------------------------------ forms

    def form(self) -> Decision:
        match = self._match()
        if match.sure:
            return self._believed(self.alerts[match.sure])
        if match.possible:
            return self._only_ask(_code_of(match), match.possible)
        if self._stopped:
            return self._only_ask()
        return self.open(provisional=self._is_stranger)

    def _match(self) -> Match:
        return candidates(self.submission, self.alerts, self.answered)

    @property
    def _stopped(self) -> bool:
        return "name_mismatch" in self.submission.doubts

    @property
    def _is_stranger(self) -> bool:
        """The sender is from outside, or only claims to be from inside: nothing is opened on their word."""
        return not STRANGERS.isdisjoint(self.submission.doubts)

    def open(self, *, provisional: bool = False) -> Decision:
        """A new alert; a `provisional` one is shown to people, who say whether it is one."""
        said = self.submission
        early = () if self._is_first() else ("update_before_alert",)
        unknown = ("unknown_reference",) if set(said.references) - self.alerts.keys() else ()
        reference = self.new_reference(said.received_at)
        noticed = tuple(code for code in early if code in self.procedure.findings)
        said = replace(said, kind=self._kind(), findings=(*said.findings, *noticed))
        facts = self._begun(said, reference) | ({"provisional": True} if provisional else {})
        opened = self._entry(Happened.OPENED, reference, facts, _content(said))
        entries = [opened, *self._conclusion(reference, concluded=provisional)]
        asked = (*early, *unknown, *said.doubts)
        outcome = "opened_provisional" if provisional else "opened"
        return self._decision(outcome, entries, self._questions(asked, (reference,)))

    def _kind(self) -> Kind:
        """What it is if it is an alert at all."""
        kind = self.submission.kind
        return kind if kind in _FORM_KINDS else self.submission.claims or Kind.NEW

    def _is_first(self) -> bool:
        return self.submission.form is None or self.submission.kind in (Kind.NEW, Kind.MISSING)

    def _believed(self, alert: Alert) -> Decision:
        """News is taken from anybody inside the organisation: whoever updates need not be the author."""
        if self._is_stranger and self.submission.document_sha256 in alert.documents:
            return self._again(alert)
        doubted = self._is_stranger and (alert.provisional or not self._is_theirs(alert))
        if self._stopped or doubted:
            return self._only_ask(possible=(alert.reference,))
        return self.known(alert)

    def told(self, alert: Alert) -> Decision:
        """A person says that the mail belongs to `alert`, whoever sent it."""
        if self.submission.form is not None:
            return self.known(alert)
        outcome, line = "replied", self._replied(alert.reference)
        if self.submission.kind is Kind.BOUNCE:
            outcome, line = "bounced", self._bounced(alert.reference)
        fresh = self.submission.message_id not in alert.mails
        return self._decision(outcome, [line] if fresh else [], (), (alert.reference,))

    def known(self, alert: Alert) -> Decision:
        """A form about an alert that is known: news of it, or the same once more."""
        if not self._is_news(alert):
            return self._again(alert)
        return self._update(alert)

    def _update(self, alert: Alert) -> Decision:
        said, reference = self.submission, alert.reference
        confirmed = [self._entry(Happened.CONFIRMED, reference)] if alert.provisional else []
        reopened = [self._entry(Happened.REOPENED, reference)] if self._reopens(alert) else []
        facts = _facts(said, reference, known=alert.update_lines)
        updated = self._entry(Happened.UPDATED, reference, facts, _content(said, alert.children))
        ended = alert.concluded and not reopened
        claims = self._conclusion(reference, concluded=ended) if self._claims(alert) else []
        entries = [*confirmed, *reopened, updated, *claims]
        outcome = str((claims or reopened or [updated])[-1].happened)
        return self._decision(outcome, entries, self._questions(said.doubts, (reference,)))

    def _again(self, alert: Alert) -> Decision:
        facts: dict[str, Json] = {"document": self.submission.document_sha256}
        again = self._entry(Happened.RECEIVED_AGAIN, alert.reference, facts)
        return self._decision("received_again", [again])

    def _is_news(self, alert: Alert) -> bool:
        """Whether the form tells anything that is not known; the same news told twice is none.

        Of a provisional alert the document may be known, and yet be read for the first time.
        """
        if self.submission.document_sha256 in alert.documents:
            return alert.provisional
        return self._brings_more(alert) or self._claims(alert) or self._corrects(alert)

    def _brings_more(self, alert: Alert) -> bool:
        """A line not seen before, a child's return, or one more child."""
        said = self.submission
        returned = said.returned_at not in (None, alert.returned_at) and "returned_at" not in alert.corrected
        more = any(
            all(same_child(child, known) is Same.NO for known in alert.children) for child in said.children
        )
        lines = set(_update_lines(said, alert.reference)) - alert.update_lines
        return bool(lines) or returned or (more and bool(alert.children))

    def _corrects(self, alert: Alert) -> bool:
        """Something on the form was changed. Two first forms by two people differ and correct nothing."""
        said = self.submission
        if said.kind in (Kind.NEW, Kind.MISSING) and said.sender != alert.author_address:
            return False
        moved = (
            getattr(said, name) not in (None, getattr(alert, name))
            for name in _MOMENTS
            if name not in alert.corrected
        )
        reworded = (
            _squeezed(text) != _squeezed(alert.values.get(name, ""))
            for name, text in said.values.items()
            if name not in alert.corrected
        )
        return any(moved) or any(reworded)

    def _reopens(self, alert: Alert) -> bool:
        """News after the end opens the matter again, unless it comes with the conclusion in writing that
        was still owed."""
        owed = self._claims(alert) and not alert.conclusion_text
        return alert.concluded and self._brings_more(alert) and not owed

    def _claims(self, alert: Alert) -> bool:
        line = _conclusion_line(self.submission, alert.reference)
        return line is not None and line not in alert.update_lines

    def _conclusion(self, reference: str, *, concluded: bool) -> list[Entry]:
        """A filled-in conclusion proposes; it concludes only where the procedure leaves that to the form."""
        conclusion = self.submission.conclusion
        if conclusion is None:
            return []
        facts: dict[str, Json] = {"date": _iso(conclusion.date)}
        claim = self._entry(Happened.CONCLUSION_CLAIMED, reference, facts, {"text": conclusion.text})
        if self.procedure.conclusion != "form" or concluded:
            return [claim]
        by = self.submission.values.get("conclusion_manager", "")
        return [claim, self._entry(Happened.CONCLUDED, reference, facts, {"by": by})]

    # ------------------------------------------------------------ forms that could not be read

    def unreadable(self) -> Decision:
        """It may hide an alert, which must not wait for somebody to open the file: it is shown at once."""
        said, match = self.submission, self._match()
        if match.sure:
            return self._unread_news(self.alerts[match.sure])
        if match.possible or said.claims is None or self._was_opened_from_it():
            return self._only_ask(possible=match.possible)
        if self._stopped:
            said = replace(said, children=())  # which child it is about is the very question
        return replace(self, submission=said).open(provisional=True)

    def _was_opened_from_it(self) -> bool:
        """This very mail, without a form to know it by, opened an alert before."""
        return any(self.submission.message_id in alert.mails for alert in self.alerts.values())

    def _unread_news(self, alert: Alert) -> Decision:
        """Nobody is chased for what they sent, though a person has to read it first."""
        said, reference = self.submission, alert.reference
        if said.document_sha256 in alert.documents:
            return self._again(alert)
        believed = self._is_theirs(alert) and not self._stopped and said.message_id not in alert.mails
        entries = [self._replied(reference)] if believed else []
        return self._decision("unreadable", entries, self._questions(said.doubts, (reference,)), [reference])

    # ------------------------------------------------------------ mails without a form

    def words(self) -> Decision:
        """A reply, or a mail that speaks of an alert and brings no form."""
        meant = self._told() or self._talked_of()
        references = tuple(alert.reference for alert in meant)
        if not meant:
            return self._unmatched_words()
        if self._speaks_of_another(meant):
            return self._only_ask("contradiction", references)
        if not self._told() and not self._by_author(meant):
            return self._conversation(references)
        if not all(self._is_theirs(alert) for alert in meant):
            return self._only_ask("not_theirs", references)
        fresh = [alert for alert in meant if self.submission.message_id not in alert.mails]
        entries = [self._replied(alert.reference) for alert in fresh]
        asked = [doubt for doubt in self.submission.doubts if doubt != "no_form"]
        return self._decision("replied", entries, self._questions(asked, references), references)

    def _replied(self, reference: str) -> Entry:
        proposal = self.submission.proposal
        facts: dict[str, Json] = {
            "no_change": proposal.no_change,
            "close": proposal.close,
            "next_update": _iso(proposal.next_update),
        }
        return self._entry(Happened.REPLIED, reference, facts, {"sender": self.submission.sender})

    def _told(self) -> list[Alert]:
        """The alerts of the letter that a mail answers, else those whose references it quotes."""
        return told_of(self.answered or self.submission.references, self.alerts)

    def _talked_of(self) -> list[Alert]:
        """The one alert whose mail this one answers."""
        answers = set(self.submission.answers)
        talked = [name for name, alert in self.alerts.items() if answers & alert.mails] if answers else []
        meant = told_of(talked, self.alerts)
        return meant if len(meant) == 1 else []

    def _by_author(self, meant: Sequence[Alert]) -> bool:
        return all(alert.author_address == self.submission.sender for alert in meant)

    def _conversation(self, references: tuple[str, ...]) -> Decision:
        """Others talk to each other about an alert ("noted, thank you"): kept beside it, but no news."""
        facts: dict[str, Json] = {"reason": "conversation", "about": list(references)}
        entry = self._entry(Happened.SET_ASIDE, None, facts)
        return Decision(Place.REPLIES, "conversation", (entry,), (), (*references, "Conversation"))

    def _speaks_of_another(self, meant: Sequence[Alert]) -> bool:
        known = [child for alert in meant for child in alert.children]
        return children_match(self.submission.children, known) is Same.NO

    def _unmatched_words(self) -> Decision:
        said = self.submission
        if said.references:
            return self._only_ask("unknown_reference")
        match = self._match()
        possible = (match.sure,) if match.sure else match.possible
        if said.kind is Kind.REPLY and said.claims in (None, Kind.OTHER) and not possible:
            return self._aside("reply_to_others")
        if "form_behind_link" in said.doubts and not possible and not self._was_opened_from_it():
            return self.open(provisional=True)
        unmatched = ("reply_unmatched",) if said.kind is Kind.REPLY else ()
        return self._decision("unmatched", [], self._questions((*unmatched, *said.doubts), possible))

    def away(self) -> Decision:
        """Somebody's own mailbox tells that they are away. That is kept for them alone, whoever they are in
        the matter: it excuses nobody else."""
        roles = {
            alert.reference: role
            for alert in self._told() or self._talked_of()
            if (role := self._role_of_sender(alert))
        }
        if not roles:
            return self._aside("automatic_reply")
        said = self.submission
        content: dict[str, Json] = {"address": said.sender, "deputy": said.deputy}
        entries = [
            self._entry(Happened.AWAY, reference, {"until": _iso(said.away_until), "role": role}, content)
            for reference, role in roles.items()
            if said.message_id not in self.alerts[reference].mails
        ]
        gone = self._questions(["has_left"], tuple(roles)) if "has_left" in said.doubts else []
        return self._decision("away", entries, gone, meant=roles)

    def _role_of_sender(self, alert: Alert) -> str:
        """Author or reviewer of this alert, else a role at the desk; "" where the sender has none."""
        if UNPROVEN in self.submission.doubts:
            return ""
        sender = self.submission.sender
        if sender == alert.author_address:
            return AUTHOR
        person = self.people.at(sender)
        if person is None:
            return ""
        reviewer = self.people.named(bare_name(alert.values.get(REVIEWER, "")))
        return REVIEWER if person == reviewer else next(iter(person.roles), "")

    def bounced(self) -> Decision:
        """A letter of ours came back. A mere delay is not news: the mail system tries on.

        Only a report of a letter that really went out counts: a reference may stand in a forged one.
        """
        said = self.submission
        if said.reason == "delivery_delayed":
            return self._aside("delivery_delayed")
        meant = told_of(self.answered, self.alerts)
        references = tuple(alert.reference for alert in meant)
        fresh = [alert for alert in meant if said.message_id not in alert.mails]
        entries = [self._bounced(alert.reference) for alert in fresh]
        code = "letter_undelivered" if meant else "bounce_unmatched"
        return self._decision("bounced", entries, self._questions((code,), references), references)

    def _bounced(self, reference: str) -> Entry:
        address = (self.submission.bounced_address or "").lower()
        return self._entry(Happened.BOUNCED, reference, {"permanent": True}, {"address": address})

    def other(self) -> Decision:
        if self.submission.doubts:
            return self._decision("question", [], self._questions(self.submission.doubts))
        return self._aside(self.submission.reason or "not_about_an_alert")

    def _aside(self, reason: str) -> Decision:
        entry = self._entry(Happened.SET_ASIDE, None, {"reason": reason})
        return Decision(Place.SET_ASIDE, reason, (entry,))

    # ------------------------------------------------------------ helpers

    def _begun(self, said: Submission, reference: str) -> dict[str, Json]:
        """What is recorded of an alert that begins: what the form tells, and by which plan it is chased."""
        return {**_facts(said, reference), "plan": plan_to_keep(self.procedure.chasing)}

    def _is_theirs(self, alert: Alert) -> bool:
        """Whether the sender may speak about the alert: its author, or anybody on the roster."""
        if UNPROVEN in self.submission.doubts:
            return False
        sender = self.submission.sender
        return sender == alert.author_address or self.people.at(sender) is not None

    def _only_ask(self, code: str = "", possible: tuple[str, ...] = ()) -> Decision:
        """Record nothing but the question; without a code, the doubts themselves are asked about."""
        codes = [asked for asked in (code, *self.submission.doubts) if asked]
        return self._decision(codes[0] if codes else "question", [], self._questions(codes, possible))

    def _questions(self, codes: Iterable[str], possible: tuple[str, ...] = ()) -> list[Question]:
        seen: dict[str, Json] = {
            "sender": self.submission.sender,
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

    def _entry(
        self,
        happened: Happened,
        reference: str | None,
        facts: Mapping[str, Json] | None = None,
        content: Mapping[str, Json] | None = None,
    ) -> Entry:
        at = self.submission.received_at.astimezone(UTC)
        return Entry(happened, reference, at, self.submission.message_id, facts or {}, content or {})

    def _decision(
        self,
        outcome: str,
        entries: Sequence[Entry],
        questions: Sequence[Question] = (),
        meant: Iterable[str] = (),
    ) -> Decision:
        references = dict.fromkeys([*meant, *(entry.alert for entry in entries if entry.alert)])
        state = _STATES.get(outcome)
        labels = (*references, *((state,) if state else ()), *(("Question",) if questions else ()))
        place = Place.QUESTIONS if questions else _PLACES.get(outcome, Place.UPDATES)
        return Decision(place, outcome, tuple(entries), tuple(questions), tuple(labels))


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


def _code_of(match: Match) -> str:
    return match.why if match.why in QUESTIONS else "which_alert"


def _facts(said: Submission, reference: str, known: frozenset[str] = frozenset()) -> dict[str, Json]:
    """What a form tells that is not personal. Lines of text go in as hashes, to know them again."""
    moments: dict[str, Json] = {name: _iso(getattr(said, name)) for name in _MOMENTS}
    return {
        "form": said.form,
        "form_kind": str(said.kind),
        "document": said.document_sha256,
        "categories": list(said.categories),
        **moments,
        "update_lines": [line for line in _lines(said, reference) if line not in known],
        "findings": list(said.findings),
        "received_at": said.received_at.astimezone(UTC).isoformat(),
    }


def _content(said: Submission, known: Sequence[Child] = ()) -> dict[str, Json]:
    values: dict[str, Json] = dict(said.values)
    return {
        "author_address": said.author_address or said.sender,
        "sender": said.sender,
        "values": values,
        "children": children_told(together(said.children, known)),
        "updates": [
            {
                "date": _iso(update.date),
                "text": update.text,
                "manager": update.manager,
                "reviewer": update.reviewer,
            }
            for update in said.updates
        ],
    }


def _lines(said: Submission, reference: str) -> list[str]:
    """The hashes of all lines of a form that count as news: each update, and the conclusion."""
    conclusion = _conclusion_line(said, reference)
    return list(dict.fromkeys([*_update_lines(said, reference), *([conclusion] if conclusion else [])]))


def _update_lines(said: Submission, reference: str) -> list[str]:
    return [_hashed(reference, _iso(update.date) or "", update.text) for update in said.updates]


def _conclusion_line(said: Submission, reference: str) -> str | None:
    return _hashed(reference, "conclusion", said.conclusion.text) if said.conclusion else None


def _hashed(reference: str, *parts: str) -> str:
    """Short, and different for each alert, so that equal lines of two alerts do not show."""
    told = "\0".join((reference, *map(_squeezed, parts)))
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _squeezed(text: str) -> str:
    """A text as far as its meaning goes: case, spacing and punctuation change nothing."""
    return "".join(letter for letter in fold(text) if letter.isalnum())


def _iso(moment: Moment | None) -> str | None:
    return moment.isoformat() if moment else None
