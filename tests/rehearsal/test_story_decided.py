"""The demo's story, decided mail by mail with no mailbox or register in between: quick, and exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from functools import cache
from pathlib import Path

import pytest

from agent.configuration import load
from agent.forms.mail import documents_of, read_mail
from agent.forms.read import read
from agent.letters.writer import Writer
from agent.procedure.alert import Alert, folded_on
from agent.procedure.alerts import Alerts
from agent.procedure.chase import ChaseDue, GatheredChase
from agent.procedure.decide import decide_mail
from agent.procedure.decision import Decision
from agent.procedure.people import People
from agent.procedure.submission_from import submissions_from
from agent.procedure.words import Happened, Place
from agent.sandbox.story import (
    AuthorAnswersChase,
    ExpectedOfMail,
    MailArrives,
    MailboxAnswersItself,
    MailboxCloses,
    PersonTypes,
    Story,
    load_story,
)
from agent.sandbox.story_mail import Paper, answer_of, mime_of
from agent.settings import Settings

ROOT = Path(__file__).parents[2]


@dataclass
class Told:
    """What became of the story: every decision by the mail's label, every alert by its label."""

    story: Story
    decisions: dict[str, Decision] = field(default_factory=dict)
    expected: dict[str, ExpectedOfMail] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    alerts: Alerts = field(default_factory=Alerts)

    def alert(self, label: str) -> Alert:
        return self.alerts[self.references[label]]


@cache
def told() -> Told:
    """Tell the story once for all tests of this file."""
    result = Told(load_story(ROOT / "config/demo/nct"))
    for event in result.story.events:
        if isinstance(event, MailArrives):
            mime = mime_of(event, paper(), result.references)
            _decide(result, event.label, mime, event.at, event.expected)
        elif isinstance(event, AuthorAnswersChase):
            answered = [result.references[event.alert]]
            mime = answer_of(event, _chase(result, event, answered[0]), paper())
            _decide(result, f"answer about {event.alert}", mime, event.at, event.expected, answered)
    return result


@cache
def settings() -> Settings:
    return load(ROOT / "config")


@cache
def paper() -> Paper:
    return Paper(settings().forms, settings().procedures["nct"].categories)


def _chase(told: Told, asked: AuthorAnswersChase, reference: str) -> bytes:
    """The desk's own letter to the author, as its templates word it."""
    day, to = asked.at.date(), asked.who.address
    due = ChaseDue(reference, "chase-1", day, 1, to, "chase", "author", received=day, heard=day)
    inbox = told.story.desk.mailbox
    writer = Writer(settings().templates, settings().procedures["nct"], inbox)
    written = writer.chase(GatheredChase(to, "chase", (due,)), told.alerts, "N2K-3f9c0a61b2d4")
    letter = EmailMessage()
    letter["Message-ID"] = "<a-chase@nctrust.example>"
    letter["From"], letter["To"] = inbox, to
    letter["Subject"] = written.subject
    letter.set_content(written.text)
    return letter.as_bytes()


def _decide(
    told: Told,
    label: str,
    mime: bytes,
    at: datetime,
    expected: ExpectedOfMail,
    answered: Sequence[str] = (),
) -> None:
    procedure = settings().procedures["nct"]
    story = told.story
    people = People(
        own=frozenset({story.desk.mailbox, *story.desk.aliases}),
        allowed_domains=frozenset({story.desk.domain}),
        people=story.roster,
    )
    mail = read_mail(mime, at)
    forms = list(paper().forms.values())
    readings = [
        read(document.content, document.name, forms, procedure.categories) for document in documents_of(mail)
    ]
    decision = decide_mail(
        submissions_from(mail, readings, procedure, people, received_at=at, zone=story.zone),
        told.alerts,
        procedure,
        people,
        answered=tuple(answered),
        new_reference=lambda opened: f"SLA-{opened.year}-{len(told.alerts) + 1:04}",
    )
    told.alerts = told.alerts.after(folded_on(told.alerts, decision.entries).values())
    for entry in decision.entries:
        if entry.happened is Happened.OPENED and entry.alert:
            told.references[expected.alert] = entry.alert
    told.decisions[label], told.expected[label] = decision, expected


def labels() -> list[str]:
    return [mail.label for mail in load_story(ROOT / "config/demo/nct").mails] + [
        "answer about addlestone",
        "answer about brandreth",
    ]


@pytest.mark.parametrize("label", labels())
def test_every_mail_becomes_what_it_should(label: str) -> None:
    decision, expected = told().decisions[label], told().expected[label]

    assert {entry.happened for entry in decision.entries} >= set(expected.happened)
    assert bool(decision.questions) == expected.question
    if expected.alert:
        assert {entry.alert for entry in decision.entries} == {told().references[expected.alert]}


def test_every_mail_is_filed_set_aside_or_asked_about() -> None:
    for label, decision in told().decisions.items():
        recorded = bool(decision.entries)
        assert recorded or (decision.questions and decision.place is Place.QUESTIONS), label


def test_there_are_exactly_the_alerts_of_the_story() -> None:
    assert set(told().references) == set(told().story.alerts)
    assert len(told().alerts) == len(told().story.alerts)


@pytest.mark.parametrize("label", sorted(load_story(ROOT / "config/demo/nct").alerts))
def test_every_alert_holds_what_its_forms_told(label: str) -> None:
    alert, known = told().alert(label), told().story.alerts[label]

    assert alert.updates == known.expected.updates
    assert len(alert.children) == known.expected.children
    if known.form:
        assert alert.form == known.form
        assert tuple(child.name for child in alert.children) == known.children


def test_what_two_children_of_one_name_did_is_never_mixed() -> None:
    older, younger = told().alert("fenwick_older"), told().alert("fenwick_younger")

    assert [str(child.dob) for child in older.children] == ["2009-11-02"]
    assert [str(child.dob) for child in younger.children] == ["2016-05-19"]
    question = told().decisions["fenwick_which"].questions[0]
    assert set(question.candidates) == {older.reference, younger.reference}


def test_only_the_late_form_is_called_late() -> None:
    late = {label for label in told().references if "late_form" in told().alert(label).findings}

    assert late == {"addlestone"}


def test_whoever_answers_a_chase_or_is_away_or_leaves_is_an_alert_s_author() -> None:
    authors = {alert.author_address for alert in told().alerts.values()}

    for event in told().story.events:
        if isinstance(event, AuthorAnswersChase):
            assert told().alert(event.alert).author_address == event.who.address
        if isinstance(event, MailboxAnswersItself | MailboxCloses):
            assert event.who.address in authors


def test_only_alerts_with_a_claimed_conclusion_are_concluded_by_a_person() -> None:
    concluded = {
        event.alert
        for event in told().story.events
        if isinstance(event, PersonTypes) and event.cells.get("Status") == "Concluded"
    }

    assert concluded
    assert all(told().alert(label).conclusion_claimed_at for label in concluded)
