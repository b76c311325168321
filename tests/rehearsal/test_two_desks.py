"""One agent at two desks on one sandbox: both stories in the same weeks, and nothing leaks between them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from agent import log
from agent.bootstrap import Agent, at_work
from agent.configuration import load
from agent.desk import Desk
from agent.intake import reconcile
from agent.ledger.base import Letter, LetterState
from agent.procedure.words import Happened
from agent.sandbox.server import Sandbox
from agent.sandbox.stage import Stage, connected, desk_of
from agent.sandbox.story import AuthorAnswersChase, MailArrives, Story, load_story
from agent.sandbox.story_mail import mime_of
from agent.steps import run_all
from tests.published_contract import needs_contract, problems_of

ROOT = Path(__file__).parents[2]
DAYS = 12  # Merton's two weeks, and as much of NCT's three
ROUNDS = [time(8, 5), time(9, 10), time(12), time(17, 30)]


@dataclass
class Both:
    """Two desks when the two weeks are over, with everything still standing."""

    agent: Agent
    sandbox: Sandbox
    stages: Mapping[str, Stage]
    logged: io.StringIO = field(repr=False)

    def desk(self, name: str) -> Desk:
        return next(desk for desk in self.agent.desks if desk.name == name)

    def reference(self, name: str, label: str) -> str:
        return self.stages[name].reference(label, lambda mail: _reference(self.desk(name), mail))

    def chases(self, name: str, label: str) -> list[Letter]:
        """The chases that a desk sent about one alert."""
        return [letter for letter in self.letters(name, label) if letter.kind.startswith("chase")]

    def letters(self, name: str, label: str = "") -> list[Letter]:
        """The letters that a desk sent, those about one alert where one is told."""
        posted = self.desk(name).ledger.letters(LetterState.POSTED)
        about = self.reference(name, label) if label else ""
        return [letter for letter in posted if not about or about in {one.alert for one in letter.reasons}]

    def rows(self, name: str) -> dict[str, dict[str, Any]]:
        """A register as openpyxl reads it, by reference and heading."""
        book = openpyxl.load_workbook(io.BytesIO(self.desk(name).register.copy()))
        sheet = next(sheet for sheet in book.worksheets if sheet.tables)
        lines = list(sheet[next(iter(sheet.tables.values())).ref])
        headings = [str(cell.value) for cell in lines[0]]
        found = (dict(zip(headings, (cell.value for cell in line), strict=True)) for line in lines[1:])
        return {str(next(iter(row.values()))): row for row in found}

    def everything(self, name: str) -> str:
        """All that a desk's people can come to see: register, letters, folders, questions, entries."""
        ledger = self.desk(name).ledger
        book = openpyxl.load_workbook(io.BytesIO(self.desk(name).register.copy()))
        parts = [
            str(cell)
            for sheet in book.worksheets
            for row in sheet.iter_rows(values_only=True)
            for cell in row
        ]
        parts += [f"{letter.to} {letter.subject} {letter.text} {letter.html}" for letter in ledger.letters()]
        parts += [f"{mail.folder} {mail.categories} {mail.message_id}" for mail in ledger.mails()]
        parts += [f"{one.question}{one.question.seen}" for one in ledger.questions(waiting_only=False)]
        parts += [f"{one.alert} {one.source} {dict(one.facts)} {one.content}" for one in ledger.entries()]
        parts += [
            f"{message.sender} {message.subject} {message.body}"
            for message in self.stages[name].box.messages()
        ]
        return "\n".join(parts)


def _reference(desk: Desk, message_id: str) -> str | None:
    alerts = desk.ledger.alerts().values()
    return next((alert.reference for alert in alerts if message_id in alert.mails), None)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    settings = load(ROOT / "config")
    stories = {name: load_story(ROOT / "config/demo" / name) for name in ("nct", "merton")}
    desks = [desk_of(story, settings.desks[name]) for name, story in stories.items()]
    start = datetime.combine(min(story.start for story in stories.values()), time(6), tzinfo=UTC)
    domains = tuple(story.desk.domain for story in stories.values())
    with pytest.MonkeyPatch.context() as patch, Sandbox(start=start, domains=domains) as sandbox:
        logged = io.StringIO()
        patch.setattr("sys.stderr", logged)
        log.set_up(json=True)
        stages = {
            name: Stage(story, settings, desk, sandbox)
            for (name, story), desk in zip(stories.items(), desks, strict=True)
        }
        told = connected(settings, sandbox, tmp_path_factory.mktemp("two"), *desks)
        with at_work(told, clock=sandbox.tenant.clock.now) as agent:
            played = Both(agent, sandbox, stages, logged)
            for day in range(DAYS):
                _play(played, start.date() + timedelta(days=day))
            yield played


def _play(both: Both, day: date) -> None:
    """One day at both desks at once: each event and each round in its turn."""
    zone = both.stages["nct"].story.zone
    happening: list[tuple[datetime, str, Any]] = [
        (event.at.astimezone(UTC), name, event)
        for name, stage in both.stages.items()
        for event in stage.story.events
        if event.at.astimezone(zone).date() == day
    ]
    happening += [(datetime.combine(day, at, zone).astimezone(UTC), "", None) for at in ROUNDS]
    for moment, name, event in sorted(happening, key=lambda one: one[:2]):
        both.sandbox.tenant.clock.set(moment)
        if event is not None:
            both.stages[name].happen(event, partial(_reference, both.desk(name)))
        for desk in both.agent.desks:
            run_all(desk, moment)


# ---------------------------------------------------------------- the second desk, end to end


def test_every_alert_of_the_second_desk_stands_right_in_its_register(both: Both) -> None:
    rows, wrong = both.rows("merton"), []
    for label, alert in both.stages["merton"].story.alerts.items():
        expected, row = alert.expected, rows[both.reference("merton", label)]
        known = both.desk("merton").ledger.alerts()[both.reference("merton", label)]
        if row["Status"] not in expected.status:
            wrong.append(f"{label}: status {row['Status']}")
        if (known.updates, len(known.children)) != (expected.updates, expected.children):
            wrong.append(f"{label}: {known.updates} updates, {len(known.children)} children")
        if expected.chased is not None and bool(known.chases_ever) != expected.chased:
            wrong.append(f"{label}: {known.chases_ever} prompts")
        wrong += [
            f"{label}: {heading} is {_cell(row[heading])!r}, not {value!r}"
            for heading, value in expected.cells.items()
            if _cell(row[heading]) != value
        ]

    assert wrong == []
    assert sorted(rows) == [f"LA-2026-{number:04d}" for number in range(1, len(rows) + 1)]
    assert len(rows) == len(both.stages["merton"].story.alerts)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(timespec="minutes")
    return "" if value is None else str(value)


def test_every_mail_of_the_second_desk_became_what_its_story_says(both: Both) -> None:
    ledger = both.desk("merton").ledger
    asked = {question.question.message_id for question in ledger.questions(waiting_only=False)}
    became: dict[str, set[tuple[Happened, str | None]]] = {}
    for entry in ledger.entries():
        became.setdefault(entry.source, set()).add((entry.happened, entry.alert))
    events = [
        event
        for event in both.stages["merton"].story.events
        if isinstance(event, MailArrives | AuthorAnswersChase)
    ]
    wrong = []
    for event in events:
        expected = event.expected
        about = both.reference("merton", expected.alert) if expected.alert else None
        if not {(happened, about) for happened in expected.happened} <= became.get(event.message_id, set()):
            wrong.append(f"{event.message_id}: became {became.get(event.message_id)}")
        if (event.message_id in asked) != expected.question:
            wrong.append(f"{event.message_id}: asked {event.message_id in asked}")

    assert len(events) >= 15
    assert wrong == []
    assert both.stages["merton"].box.messages("inbox") == []


def test_heads_of_service_are_prompted_around_the_day_they_wrote_and_authors_have_a_copy(both: Both) -> None:
    """Expected on Tuesday 28 April: the working day before, that day, the next, and the third after it.

    The author's mailbox answers the first that he is on leave, which excuses him and nobody else.
    """
    zone = both.stages["merton"].story.zone
    sent = {
        (letter.to, (letter.changed_at or letter.laid_at).astimezone(zone).date())
        for letter in both.chases("merton", "tarrant")
    }
    days = [date(2026, 4, 27), date(2026, 4, 28), date(2026, 4, 29), date(2026, 5, 1)]

    assert sent == {
        *(("imogen.stroud@merton.example", day) for day in days),
        ("hamza.leith@merton.example", days[0]),
    }
    assert both.rows("merton")[both.reference("merton", "tarrant")]["Prompts sent"] == 4


def test_no_rule_of_the_first_organisation_is_held_against_the_second(both: Both) -> None:
    """Merton has no rule for subjects, markings or file names, and asks one form and no line signed twice."""
    noticed = {code for alert in both.desk("merton").ledger.alerts().values() for code in alert.findings}

    assert noticed == {"late_form", "missing_recipient:hos", "not_confirmed"}


def test_letters_of_a_staff_matter_and_of_a_brief_alert_ask_for_nothing_too_early(both: Both) -> None:
    assert both.chases("merton", "carer") == []
    assert both.chases("merton", "quayle") == []


def test_the_second_desks_letters_are_in_its_own_words(both: Both) -> None:
    for letter in both.letters("merton"):
        assert letter.subject.startswith("Leadership Alert - ")
        for word in ("Strategic Manager", "Senior", "Trust", "Need to Know", "SLA", "NCT", "SQAS"):
            assert word not in letter.subject + letter.text + letter.html, word
        assert "London Borough of Merton" in letter.text


# ---------------------------------------------------------------- nothing leaks


def _private_to(story: Story) -> set[str]:
    """What only one desk may ever show: its children, its people, its addresses."""
    found = {person.address for person in story.people.values()} | {
        person.name for person in story.people.values()
    }
    for mail in story.mails:
        for attached in mail.attached:
            for row in getattr(attached, "tables", {}).get("children", ()):
                found.add(row["child_name"])
    return found | {story.desk.mailbox, story.desk.domain}


@pytest.mark.parametrize(("here", "there"), [("nct", "merton"), ("merton", "nct")])
def test_nothing_of_one_desk_is_seen_at_the_other(both: Both, here: str, there: str) -> None:
    """Not in register, letters, folders, questions or ledger lines; by names, addresses or references."""
    seen = both.everything(here)
    private = _private_to(both.stages[there].story) | set(both.desk(there).ledger.alerts())

    assert len(private) > 20
    assert [text for text in sorted(private) if _is_said(text, seen)] == []
    assert all(_is_said(text, both.everything(there)) for text in both.desk(there).ledger.alerts())


def _is_said(text: str, where: str) -> bool:
    """As a word of its own: one organisation's references are the end of the other's."""
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", where) is not None


@pytest.mark.parametrize("name", ["nct", "merton"])
def test_each_desk_writes_from_its_own_mailbox_to_its_own_people(both: Both, name: str) -> None:
    domain = both.stages[name].story.desk.domain
    sent = both.stages[name].box.messages("sentitems")

    assert len(sent) == len(both.letters(name)) > 5
    assert {letter.to.rpartition("@")[2] for letter in both.letters(name)} == {domain}
    assert {message.sender for message in sent} == {both.stages[name].story.desk.mailbox}


@pytest.mark.parametrize("name", ["nct", "merton"])
def test_each_desks_chain_of_lines_holds_by_itself(both: Both, name: str) -> None:
    assert both.desk(name).ledger.verify() == []


@needs_contract
def test_every_request_and_answer_of_both_desks_has_the_published_shape(both: Both) -> None:
    exchanges = both.sandbox.tenant.log.entries

    assert [problem for exchange in exchanges for problem in problems_of(exchange)] == []


def test_nothing_personal_of_either_desk_is_in_the_log(both: Both) -> None:
    logged = both.logged.getvalue()
    names = {text for stage in both.stages.values() for text in _private_to(stage.story) if "." not in text}

    assert logged.count("\n") > 50
    assert [name for name in sorted(names) if name in logged] == []


@pytest.mark.parametrize(("sent_by", "sent_to"), [("merton", "nct"), ("nct", "merton")])
def test_a_form_sent_to_the_other_organisations_inbox_is_a_question_there(
    both: Both, sent_by: str, sent_to: str
) -> None:
    """It is not read as the form it much resembles, and its own desk hears nothing of it.

    (The last test of this file: it adds a mail.)
    """
    label = {"merton": "bexhill_first", "nct": "harrow_first"}[sent_by]
    stage, at_home, away = both.stages[sent_by], both.desk(sent_by), both.desk(sent_to)
    mail = next(mail for mail in stage.story.mails if mail.label == label)
    lines_at_home = len(at_home.ledger.entries())
    both.sandbox.tenant.deliver(mime_of(mail, stage.paper), [both.stages[sent_to].story.desk.mailbox])
    now = both.agent.clock()
    for desk in (at_home, away):
        run_all(desk, now)
        reconcile(desk, now)

    asked = [one.question for one in away.ledger.questions() if one.question.message_id == mail.message_id]
    assert {"unreadable", "external_sender"} <= {question.code for question in asked}
    assert len(at_home.ledger.entries()) == lines_at_home
    known = [alert for alert in away.ledger.alerts().values() if mail.message_id in alert.mails]
    assert all(alert.form in ("", "None") and not alert.values for alert in known)
