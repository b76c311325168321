"""The summary pages, written out for a person who asked: those, nothing else, and on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import WrongCall
from agent.procedure.words import Happened
from agent.verbs.summary_pages import hand_over_summary
from tests.builders import later, update_form
from tests.steps.small_office import SUBJECT, Office


@pytest.fixture
def office() -> Office:
    return Office()


def test_what_stands_on_pages_one_and_two_is_written_and_nothing_of_the_others(
    office: Office, tmp_path: Path
) -> None:
    reference = office.opens_alert(
        summary="A fall at home.", police_ref="NP/1/26", chronology="Told at length."
    )

    list(hand_over_summary(office.desk, reference, tmp_path / "summary.txt", later(days=1)))

    written = (tmp_path / "summary.txt").read_text(encoding="utf-8")
    assert "Synopsis: what happened: A fall at home." in written
    assert "Category of incident: M11\n  M11: Incident in a" in written
    assert written.endswith("\n")
    assert not any(other in written for other in ("NP/1/26", "at length", "Robin", "2012"))


def test_the_newest_form_counts_and_that_it_was_handed_over_is_on_record(
    office: Office, tmp_path: Path
) -> None:
    reference = office.opens_alert(summary="As first told.")
    office.receives(SUBJECT, ("SLA.docx", update_form(summary="As told now.")), at=later(days=1))
    office.works(later(days=1))

    list(hand_over_summary(office.desk, reference, tmp_path / "summary.txt", later(days=2)))

    assert "As told now." in (tmp_path / "summary.txt").read_text(encoding="utf-8")
    assert office.happened(reference)[-1] is Happened.HANDED_OVER


def test_of_an_alert_that_nobody_knows_no_file_is_written(office: Office, tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match="no alert SLA-2026-0099"):
        list(hand_over_summary(office.desk, "SLA-2026-0099", tmp_path / "summary.txt", later(days=1)))

    assert not (tmp_path / "summary.txt").exists()
