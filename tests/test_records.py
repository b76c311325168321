"""The record proved, handed over and erased, as a data protection officer would ask for it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agent.errors import WrongCall
from agent.ledger.sql import SqlLedger
from agent.procedure.entry import Entry
from agent.procedure.submission import Child
from agent.procedure.words import Happened, Json
from agent.settings import Settings
from agent.steps import run_all
from agent.verbs.records import erase, export, verify
from tests import builders
from tests.builders import MONDAY, alert_form, later, mail
from tests.steps.small_office import SUBJECT

ROBIN = Child("Robin Fairweather", date(2012, 5, 4))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A desk at which two alerts came in and one author was chased, and its configuration."""
    shipped = builders.settings()
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    ledger = SqlLedger(url)
    desk = builders.desk(ledger=ledger.desk("nct"))
    for number, child in enumerate(("Robin Fairweather", "Sasha Millbrook"), 1):
        form = alert_form(child, dob=f"201{number + 1}-05-04", summary=f"An invented matter of {child}.")
        desk.mailbox.deliver(mail(SUBJECT, ("SLA.docx", form), number=number), MONDAY)  # type: ignore[attr-defined]  # a mailbox in memory
    for moment in (MONDAY, later(days=7, hours=1)):
        run_all(desk, moment)
    ledger.close()
    nct = replace(shipped.desks["nct"], people=desk.settings.people)
    return replace(shipped, agent=replace(shipped.agent, ledger=url), desks={"nct": nct})


def held(settings: Settings, file: Path, **asked: Any) -> list[dict[str, Any]]:
    list(export(settings, file, later(days=8), **asked))
    told: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return told


def test_all_that_is_held_on_a_child_is_handed_over_and_nothing_of_another(
    settings: Settings, tmp_path: Path
) -> None:
    (told,) = held(settings, tmp_path / "held.json", child=ROBIN)
    said = json.dumps(told)

    assert told["reference"] == "SLA-2026-0001"
    assert "An invented matter of Robin Fairweather." in said
    assert "Sasha" not in said
    assert told["row"]["Child name"] == "Robin Fairweather"
    assert told["letters"]
    assert {mail["outcome"] for mail in told["mails"]} == {"opened"}


def test_that_it_was_handed_over_is_on_record(settings: Settings, tmp_path: Path) -> None:
    held(settings, tmp_path / "1.json", references=["sla 2026-0001"])
    (told,) = held(settings, tmp_path / "2.json", references=["SLA-2026-0001"])

    assert [line["happened"] for line in told["lines"]].count("handed_over") == 1


def test_where_nothing_is_held_no_file_is_written(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match="Nothing is held"):
        held(settings, tmp_path / "no.json", child=Child("Noor Eastleigh", date(2012, 5, 4)))
    assert not (tmp_path / "no.json").exists()


def test_what_is_personal_is_erased_and_what_happened_stays_provable(
    settings: Settings, tmp_path: Path
) -> None:
    list(erase(settings, "SLA-2026-0001", later(days=9), rule="retention: three years"))
    (told,) = held(settings, tmp_path / "held.json", references=["SLA-2026-0001"])

    assert "Fairweather" not in json.dumps(told["lines"])
    assert "marchbanks" not in json.dumps(told["letters"])
    assert told["lines"][-1]["happened"] == "erased"
    assert told["lines"][-1]["source"] == "retention: three years"
    said, whole = verify(settings)
    assert whole
    assert "none changed, lost or put in" in said[0]


def test_erased_by_hand_it_leaves_no_room_in_the_ledgers_file(settings: Settings, tmp_path: Path) -> None:
    """Unused pages of the file can hold copies of a line that is gone."""
    with closing(SqlLedger(settings.agent.ledger)) as ledger, ledger.desk("nct").page() as page:
        long: dict[str, Json] = {"values": {"summary": "y" * 500_000}}
        page.record(Entry(Happened.UPDATED, "SLA-2026-0001", MONDAY, "<long@trust.example>", {}, long))
    list(erase(settings, "SLA-2026-0001", later(days=9), rule="retention: three years"))

    assert (tmp_path / "ledger.sqlite").stat().st_size < 500_000


def test_an_alert_that_does_not_exist_cannot_be_erased(settings: Settings) -> None:
    with pytest.raises(WrongCall, match="There is no alert SLA-2026-0009"):
        list(erase(settings, "SLA-2026-0009", MONDAY, rule="retention"))


def test_a_record_that_somebody_changed_does_not_verify(settings: Settings, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as file, file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute("UPDATE entry SET at = replace(at, '2026', '2025') WHERE seq = 1")

    said, whole = verify(settings)
    assert not whole
    assert "line 1 " in said[0].lower()
