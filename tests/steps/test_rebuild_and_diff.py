"""The register written afresh from the ledger, and the ledger shown beside it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.bookkeeping import bookkeeping, rebuild
from agent.errors import Locked, NeedsAPerson
from agent.verbs.register_diff import register_diff
from tests.builders import MONDAY
from tests.steps.small_office import Office

NOW = MONDAY + timedelta(hours=1)


@pytest.fixture
def office() -> Office:
    """Five alerts, a note of a person's in each, and a column that people added."""
    made = Office(rows_at_once=3)
    for number in range(5):
        made.opens_alert(
            MONDAY + timedelta(minutes=number),
            child=f"Invented {chr(65 + number)}{chr(97 + number)}",
            dob=f"2012-05-{number + 1:02d}",
        )
    made.register.headings.append("Team")
    for row in made.register.rows:
        row["Notes"], row["Team"] = "Rang the school", f"Team of {row['SLA ref']}"
    made.register.person_saved()
    made.works(MONDAY + timedelta(minutes=20))
    return made


def diff(office: Office, *, values: bool = False) -> list[str]:
    return list(register_diff(office.desk, NOW, values=values))


def test_it_comes_back_with_every_row_and_what_people_wrote(office: Office) -> None:
    before = {row["SLA ref"]: dict(row) for row in office.register.rows}
    office.register.rows.clear()
    office.register.person_saved()
    with pytest.raises(NeedsAPerson):
        bookkeeping(office.desk, NOW)

    assert rebuild(office.desk, NOW) == 5

    assert {row["SLA ref"]: row for row in office.register.rows} == before
    bookkeeping(office.desk, NOW + timedelta(minutes=5))
    assert diff(office) == []
    assert office.asked() == []


def test_a_round_after_it_writes_nothing_more(office: Office) -> None:
    rebuild(office.desk, NOW)
    writes = office.register.writes

    bookkeeping(office.desk, NOW)

    assert office.register.writes == writes


def test_while_somebody_has_it_open_nothing_is_rebuilt_and_nothing_forgotten(office: Office) -> None:
    before = [dict(row) for row in office.register.rows]
    office.register.open_by_person = True
    with pytest.raises(Locked):
        rebuild(office.desk, NOW)
    office.register.open_by_person = False

    bookkeeping(office.desk, NOW + timedelta(minutes=5))

    assert office.register.rows == before


def test_where_both_say_the_same_there_is_nothing_to_show(office: Office) -> None:
    assert diff(office) == []


def test_each_cell_that_differs_is_a_line_and_says_whose_word_counts(office: Office) -> None:
    office.types("SLA-2026-0001", updates="7", child_name="Robin F. Weather")
    office.register.rows.pop()
    office.register.person_saved()

    told = [" ".join(line.split()) for line in diff(office)]

    assert told[0] == "workbook row column difference"
    assert set(told[1:]) == {
        "register SLA-2026-0005 not in the sheet; it is written",
        "register SLA-2026-0001 Updates the ledger's is written",
        "register SLA-2026-0001 Child name a person's; it is taken in",
    }


def test_values_are_shown_only_when_asked_for(office: Office) -> None:
    office.types("SLA-2026-0001", child_name="Robin F. Weather")

    assert not any("Robin" in line for line in diff(office))
    assert any("Robin F. Weather" in line for line in diff(office, values=True))


def test_looking_records_and_writes_nothing(office: Office) -> None:
    office.types("SLA-2026-0001", child_name="Robin F. Weather")
    lines, writes = len(office.ledger.entries()), office.register.writes

    diff(office)

    assert (len(office.ledger.entries()), office.register.writes) == (lines, writes)
