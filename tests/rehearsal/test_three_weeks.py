"""The demo's three weeks, played once through real sign-in, HTTPS and Graph, and looked at from all sides."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest

from agent import log
from agent.bootstrap import Agent, at_work
from agent.chasing import is_chase
from agent.configuration import load
from agent.desk import Desk
from agent.ledger.base import LetterState
from agent.metrics import Metrics
from agent.procedure.words import Happened
from agent.sandbox.server import Sandbox
from agent.sandbox.stage import Stage, connected, desk_of
from agent.sandbox.story import MailArrives, PersonTypes, Story, load_story
from agent.steps import STEPS, Outcome
from agent.verbs.demo import play
from tests.published_contract import needs_contract, problems_of

ROOT = Path(__file__).parents[2]


@dataclass
class Played:
    """The story when the three weeks are over, with everything still standing."""

    stage: Stage
    agent: Agent
    troubles: list[Outcome]
    logged: str

    @property
    def story(self) -> Story:
        return self.stage.story

    @property
    def desk(self) -> Desk:
        return self.agent.desks[0]

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The register as openpyxl reads it: a reader of its own, by reference and heading."""
        book = openpyxl.load_workbook(io.BytesIO(self.desk.register.copy()))
        sheet = next(sheet for sheet in book.worksheets if sheet.tables)
        lines = list(sheet[next(iter(sheet.tables.values())).ref])
        headings = [str(cell.value) for cell in lines[0]]
        found = (dict(zip(headings, (cell.value for cell in line), strict=True)) for line in lines[1:])
        return {str(row["SLA ref"]): row for row in found}

    def reference(self, label: str) -> str:
        return self.stage.reference(label, self._reference_of)

    def _reference_of(self, message_id: str) -> str | None:
        alerts = self.desk.ledger.alerts().values()
        return next((alert.reference for alert in alerts if message_id in alert.mails), None)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("story")
    story = load_story(ROOT / "config/demo/nct")
    settings = load(ROOT / "config")
    desk = desk_of(story, settings.desks["nct"])
    start = datetime.combine(story.start, time(6), story.zone).astimezone(UTC)
    with pytest.MonkeyPatch.context() as patch, Sandbox(start=start, domains=(story.desk.domain,)) as sandbox:
        written = io.StringIO()
        patch.setattr("sys.stderr", written)
        log.set_up(json=True)
        stage = Stage(story, settings, desk, sandbox)
        told = connected(settings, sandbox, folder, desk)
        with at_work(told, clock=sandbox.tenant.clock.now) as agent:
            troubles = list(play(stage, agent.desks[0]))
            yield Played(stage, agent, troubles, written.getvalue())


def test_every_alert_stands_right_in_the_register(played: Played) -> None:
    """Status, updates, children, prompts, and the cells that people look at."""
    rows = played.rows
    wrong = []
    for label, alert in played.story.alerts.items():
        expected, row = alert.expected, rows[played.reference(label)]
        known = played.desk.ledger.alerts()[played.reference(label)]
        if row["Status"] not in expected.status:
            wrong.append(f"{label}: status {row['Status']}")
        if (known.updates, len(known.children)) != (expected.updates, expected.children):
            wrong.append(f"{label}: {known.updates} updates, {len(known.children)} children")
        if expected.chased is not None and bool(known.chases_ever) != expected.chased:
            wrong.append(f"{label}: {known.chases_ever} chases")
        wrong += [
            f"{label}: {heading} is {_cell(row.get(heading))!r}, not {value!r}"
            for heading, value in expected.cells.items()
            if _cell(row.get(heading)) != value
        ]

    assert wrong == []


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(timespec="minutes")
    return "" if value is None else str(value)


def test_no_row_is_of_anything_else(played: Played) -> None:
    """Every row is an alert of the ledger and every alert has one row."""
    assert sorted(played.rows) == sorted(played.desk.ledger.alerts())


def test_every_mail_is_accounted_for(played: Played) -> None:
    """Filed, set aside or a question: the inbox is empty and nothing waits."""
    ledger = played.desk.ledger
    handled = {mail.message_id: mail for mail in ledger.mails()}

    assert played.stage.box.messages("inbox") == []
    assert ledger.waiting() == []
    assert ledger.to_file() == []
    assert set(played.stage.delivered) <= set(handled)


def test_every_mail_became_what_the_story_says(played: Played) -> None:
    """Entries of the right kind on the right alert, and a person asked exactly where one should be."""
    ledger = played.desk.ledger
    asked = {question.question.message_id for question in ledger.questions(waiting_only=False)}
    by_mail: dict[str, list[tuple[Happened, str | None]]] = {}
    for entry in ledger.entries():
        by_mail.setdefault(entry.source, []).append((entry.happened, entry.alert))
    wrong = []
    for mail in played.story.mails:
        expected = mail.expected
        about = played.reference(expected.alert) if expected.alert else None
        became = by_mail.get(mail.message_id, [])
        if not {(happened, about) for happened in expected.happened} <= set(became):
            wrong.append(f"{mail.label}: became {became}, not {expected.happened} of {about}")
        if (mail.message_id in asked) != expected.question:
            wrong.append(f"{mail.label}: {'asked' if mail.message_id in asked else 'nobody asked'}")

    assert wrong == []


def test_each_letter_went_out_once(played: Played) -> None:
    """One copy in Sent Items for each posted letter, none for anything else, no draft left behind."""
    posted = played.desk.ledger.letters(LetterState.POSTED)
    sent = Counter(message.internet_message_id for message in played.stage.box.messages("sentitems"))

    assert sent == Counter({str(letter.internet_message_id): 1 for letter in posted})
    assert played.stage.box.messages("drafts") == []
    assert played.desk.ledger.letters(LetterState.IN_TRAY, LetterState.DRAFTED, LetterState.SENDING) == []


def test_nobody_was_chased_when_nobody_should_be(played: Played) -> None:
    """Not after conclusion, not on a bank holiday or a weekend, not outside hours, not twice a day."""
    zone = played.story.zone
    concluded = {
        entry.alert: entry.at
        for entry in played.desk.ledger.entries()
        if entry.happened is Happened.CONCLUDED
    }
    chases = [letter for letter in played.desk.ledger.letters(LetterState.POSTED) if is_chase(letter)]
    a_day: Counter[tuple[str, date]] = Counter()
    for letter in chases:
        sent = (letter.changed_at or letter.laid_at).astimezone(zone)
        a_day[letter.to, sent.date()] += 1

        assert sent.weekday() < 5
        assert sent.date() != date(2026, 5, 4)
        assert time(9) <= sent.time() < time(17)
        assert all(
            reason.alert not in concluded or sent <= concluded[reason.alert] for reason in letter.reasons
        )
    assert chases
    assert max(a_day.values()) == 1


def test_the_digest_comes_once_a_week_to_each_reader(played: Played) -> None:
    """Three weeks, two readers; the bank holiday's digest is made up on Tuesday."""
    digests = [letter for letter in played.desk.ledger.letters() if letter.kind == "weekly_digest"]
    days = Counter(letter.laid_at.astimezone(played.story.zone).date() for letter in digests)

    assert days == {date(2026, 4, 20): 2, date(2026, 4, 27): 2, date(2026, 5, 5): 2}


def test_running_any_step_again_changes_nothing(played: Played) -> None:
    """The same moment, every step twice: no new line, no letter, no version of the workbook."""
    ledger, path = played.desk.ledger, played.story.desk.register

    def everything() -> tuple[Any, ...]:
        return (
            len(ledger.entries()),
            [(letter.key, letter.state, letter.sends) for letter in ledger.letters()],
            len(ledger.questions(waiting_only=False)),
            len(ledger.mails()),
            ledger.sheet(),
            len(played.stage.drive.versions(path)),
            sorted(message.immutable_id for message in played.stage.box.messages()),
        )

    before = everything()
    for step in (*STEPS.values(), *STEPS.values()):
        step(played.desk, played.agent.clock())

    assert everything() == before


def test_trouble_was_only_what_the_story_holds(played: Played) -> None:
    """Somebody had the register open for three hours; nothing else went wrong."""
    assert played.troubles
    assert {trouble.step for trouble in played.troubles} == {"bookkeeping"}
    assert all("open" in trouble.trouble for trouble in played.troubles)


@needs_contract
def test_every_request_and_answer_has_the_published_shape(played: Played) -> None:
    exchanges = played.stage.sandbox.tenant.log.entries
    problems = [problem for exchange in exchanges for problem in problems_of(exchange)]

    assert len(exchanges) == played.stage.sandbox.tenant.log.count
    assert problems == []


NARRATIVE = 25  # characters from which on what somebody wrote is a sentence, and no word of a form


def personal(story: Story) -> set[str]:
    """What is personal, as it might leak: names, dates of birth and ids of children, and whatever narrative
    stands in a form's fields and tables or in a typed cell. (`tests/steps/test_nothing_personal_leaves.py`
    plants marks in mails, subjects and file names, too.)"""
    found: set[str] = set()
    for mail in story.mails:
        for attached in mail.attached:
            for row in getattr(attached, "tables", {}).get("children", ()):
                named = {row.get(name, "") for name in ("child_name", "dob", "system_id")}
                found |= named | _written_otherwise(row.get("dob", ""))
            said = [*getattr(attached, "values", {}).values()]
            for rows in getattr(attached, "tables", {}).values():
                said += [value for row in rows for value in row.values()]
            found |= {value[:40] for value in said if len(value) > NARRATIVE}
    typed = [event for event in story.events if isinstance(event, PersonTypes)]
    found |= {value for event in typed for value in event.cells.values() if len(value) > NARRATIVE}
    return {text for text in found if len(text) > 5}


def _written_otherwise(dob: str) -> set[str]:
    """A date of birth as letters and people write one."""
    try:
        born = date.fromisoformat(dob)
    except ValueError:
        return set()
    return {f"{born:%d/%m/%Y}", f"{born.day} {born:%B} {born:%Y}", f"{born.day} {born:%b} {born:%Y}"}


def test_nothing_personal_is_in_logs_keys_or_letters(played: Played) -> None:
    """Names, dates of birth and narrative stay in the ledger, the register and the forms themselves."""
    ledger = played.desk.ledger
    letters = ledger.letters()
    out = {
        "log": played.logged,
        "metrics": Metrics(played.agent).text().decode(),
        "keys": " ".join(letter.key for letter in letters),
        "reasons": " ".join(
            f"{reason.alert} {reason.rule}" for letter in letters for reason in letter.reasons
        ),
        "subjects": " ".join(letter.subject for letter in letters),
        "letters": " ".join(letter.text + letter.html for letter in letters),
        "facts": " ".join(str(dict(entry.facts)) for entry in ledger.entries()),
        "outcomes": " ".join(f"{mail.outcome} {mail.categories}" for mail in ledger.mails()),
        "headers": " ".join(str(message.headers) for message in played.stage.box.messages("sentitems")),
        "addresses asked": " ".join(
            unquote(exchange.url) for exchange in played.stage.sandbox.tenant.log.entries
        ),
    }
    leaks = [(place, text) for place, told in out.items() for text in personal(played.story) if text in told]

    assert len(personal(played.story)) > 100
    assert played.logged.count("\n") > 50
    assert leaks == []


def test_the_story_is_as_rich_as_promised(played: Played) -> None:
    assert len([event for event in played.story.events if isinstance(event, MailArrives)]) >= 40
    assert any(isinstance(event, PersonTypes) for event in played.story.events)
    assert played.story.days * timedelta(days=1) > timedelta(days=14)


def test_the_ledgers_chain_holds(played: Played) -> None:
    """Every line follows from the one before it."""
    assert played.desk.ledger.verify() == []


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_the_register_and_shows_every_alert(played: Played, tmp_path: Path) -> None:
    """Written cell by cell into an existing workbook, saved by people in between, and still sound."""
    book = tmp_path / "register.xlsx"
    book.write_bytes(played.desk.register.copy())
    subprocess.run(
        [
            "soffice",
            "--headless",
            f"-env:UserInstallation=file://{tmp_path}/office",
            "--convert-to",
            "csv",
            "--outdir",
            str(tmp_path),
            str(book),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    shown = (tmp_path / "register.csv").read_text(encoding="utf-8", errors="replace")

    assert [reference for reference in played.desk.ledger.alerts() if reference not in shown] == []
    assert "Concluded" in shown


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_a_browser_shows_each_kind_of_letter(played: Played, tmp_path: Path) -> None:
    """What a person sees has the reference, a heading and what is asked; nothing runs over the edge."""
    for kind in ("chase", "weekly_digest"):
        letter = next(letter for letter in played.desk.ledger.letters() if letter.kind == kind)
        page = tmp_path / f"{kind}.html"
        page.write_text(
            letter.html.replace(
                "</body>", "<script>document.title=document.documentElement.scrollWidth</script></body>"
            ),
            encoding="utf-8",
        )
        seen = subprocess.run(
            [
                "chromium",
                *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
                *("--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path}/browser"),
                *("--window-size=600,900", "--dump-dom", f"file://{page}"),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        ).stdout.decode()
        title = re.search(r"<title>(\d+)</title>", seen)

        assert title is not None
        assert int(title[1]) <= 600
