"""The weekly digest: one for each reader, once a week, made up when its day was missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from agent.desk import Desk
from agent.ledger.base import LetterState
from agent.posting import posting
from agent.procedure.people import Person
from agent.weekly_digest import weekly_digest
from tests.builders import PSW, SQAS, at
from tests.steps.small_office import Office


@pytest.fixture
def office() -> Office:
    return Office()


def laid_on(office: Office) -> list[datetime]:
    return [letter.laid_at for letter in office.letters() if letter.kind == "weekly_digest"]


def test_each_reader_gets_one_a_week(office: Office) -> None:
    """Every quarter of an hour for three weeks."""
    moment = at("2026-03-02 00:00")
    while moment < at("2026-03-23 00:00"):
        weekly_digest(office.desk, moment)
        moment += timedelta(minutes=15)

    mondays = [at(f"2026-03-{day:02} 08:00") for day in (2, 9, 16)]
    assert laid_on(office) == [monday for monday in mondays for _ in (SQAS, PSW)]
    assert {letter.to for letter in office.letters()} == {SQAS.address, PSW.address}


def test_a_digest_missed_on_monday_is_made_up_on_tuesday(office: Office) -> None:
    """The machine was off; the week is still Monday's."""
    assert weekly_digest(office.desk, at("2026-03-03 10:00")) == 2
    assert weekly_digest(office.desk, at("2026-03-04 10:00")) == 0
    assert {reason.due.isoformat() for letter in office.letters() for reason in letter.reasons} == {
        "2026-03-02"
    }


def test_on_a_bank_holiday_it_waits_for_the_next_working_day(office: Office) -> None:
    """Easter Monday 2026."""
    assert weekly_digest(office.desk, at("2026-04-06 08:00")) == 0
    assert weekly_digest(office.desk, at("2026-04-07 07:59")) == 0
    assert weekly_digest(office.desk, at("2026-04-07 08:00")) == 2


def test_whoever_holds_two_of_its_roles_gets_one(office: Office) -> None:
    both = Person("Sol Quarrie", SQAS.address, ("sqas_sm", "psw"))
    assert weekly_digest(with_people(office, both), at("2026-03-02 08:00")) == 1


def test_a_reader_named_during_the_week_gets_this_weeks_digest_too(office: Office) -> None:
    weekly_digest(office.desk, at("2026-03-02 08:00"))
    newcomer = Person("Ida Thornbury", "ida.thornbury@trust.example", ("psw",))

    assert weekly_digest(with_people(office, SQAS, PSW, newcomer), at("2026-03-04 10:00")) == 1


def with_people(office: Office, *people: Person) -> Desk:
    settings = replace(office.desk.settings, people=people)
    return replace(office.desk, settings=settings, people=settings.roster)


def test_watching_lays_none(office: Office) -> None:
    assert weekly_digest(office.in_mode("watch"), at("2026-03-02 08:00")) == 0


def test_it_tells_what_is_open_and_names_nobody(office: Office) -> None:
    reference = office.opens_alert(at("2026-02-24 10:00"))
    office.works(at("2026-03-02 08:00"))
    digest = office.mailbox.sent[-1]

    assert reference in digest.text
    assert reference in digest.html
    assert "Fairweather" not in digest.text + digest.html + digest.subject


def test_each_reader_has_the_copy_that_they_may_read(office: Office) -> None:
    """A matter about a member of staff: only the SQAS Strategic Manager learns that there is one."""
    reference = office.opens_alert(at("2026-02-24 10:00"), ticked=("M15",))
    office.works(at("2026-03-02 08:00"))

    told = {letter.to: letter.text for letter in office.mailbox.sent if "digest" in letter.subject}
    assert reference in told[SQAS.address]
    assert reference not in told[PSW.address]


def test_the_list_comes_as_a_spreadsheet_only_where_the_desk_says_so(office: Office) -> None:
    reference = office.opens_alert(at("2026-02-24 10:00"))
    asked = replace(office.desk.settings.digest, attach_list=True)
    office.works(
        at("2026-03-02 08:00"), replace(office.desk, settings=replace(office.desk.settings, digest=asked))
    )
    office.works(at("2026-03-09 08:00"))
    with_list, without = office.mailbox.sent[-4], office.mailbox.sent[-1]

    assert without.attachments == ()
    ((name, content),) = with_list.attachments
    assert name == "Open alerts 2026-03-02.xlsx"
    rows = [[cell.value for cell in row] for row in load_workbook(BytesIO(content)).worksheets[0]]
    assert [row[:2] for row in rows] == [["Alert", "Initials"], [reference, "R.F."]]
    assert "Fairweather" not in str(rows)


def test_its_key_and_reason_name_no_reader(office: Office) -> None:
    weekly_digest(office.desk, at("2026-03-02 08:00"))
    for letter in office.letters():
        told = f"{letter.key} {letter.reasons}".lower()
        assert not any(part in told for part in ("quarrie", "winterbourne", "trust.example"))


def test_last_weeks_digest_that_never_left_is_not_sent_as_news(office: Office) -> None:
    """The agent only watched for some weeks; it begins with this week's."""
    weekly_digest(office.desk, at("2026-03-02 08:00"))
    office.works(at("2026-03-23 08:00"))

    assert len(office.mailbox.sent) == 2
    states = [(letter.laid_at.day, letter.state) for letter in office.letters()]
    assert states == [(2, LetterState.WITHDRAWN)] * 2 + [(23, LetterState.POSTED)] * 2


def test_a_digest_is_not_sent_to_somebody_who_is_no_reader_any_more(office: Office) -> None:
    weekly_digest(office.desk, at("2026-03-02 08:00"))
    posting(with_people(office, SQAS), at("2026-03-02 08:02"))

    assert [letter.to for letter in office.mailbox.sent] == [SQAS.address]
