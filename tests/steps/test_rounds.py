"""A round looks at few alerts, and finds what it would find if it looked at each of them afresh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from agent.chasing import due
from agent.desk import Desk
from agent.ledger.sql import SqlLedger
from agent.procedure import notes, receipts, reminders
from agent.procedure.chase import ChaseDue, chases_due
from agent.procedure.entry import Entry
from agent.procedure.occasion import Occasion
from agent.procedure.words import Happened, Json
from agent.reminding import occasions
from tests import builders
from tests.builders import AUTHOR, AVA, MONDAY, PSW, later

MISSING: dict[str, Json] = {"form": "sla_missing", "missing_since": "2026-03-02T06:00:00+00:00"}
PANEL: dict[str, Json] = {"form": "sla", "categories": ["M01"], "aware_at": "2026-03-02T08:00:00+00:00"}
CONTENT: dict[str, Json] = {
    "author_address": AUTHOR,
    "values": {"author": "Theo Marchbanks", "reviewer": AVA.name},
    "children": [{"name": "Robin Fairweather", "dob": "2012-05-04"}],
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    desk = builders.desk(ledger=ledger.desk("nct"))
    desk.ledger.note([], "inbox", "0:0", later(days=-1))
    yield desk
    ledger.close()


def story(chance: Random, at: datetime) -> Iterator[Entry]:
    """What may happen in some hours to some of a dozen alerts, in an order that makes sense or not."""
    for number in chance.sample(range(12), chance.choice([0, 0, 0, 1, 2])):
        reference, source = f"SLA-2026-{number:04d}", f"<{number}-{at:%d%H}@trust.example>"
        first: dict[str, Json] = {**chance.choice([MISSING, PANEL]), "version": "1"}
        yield Entry(Happened.OPENED, reference, at, source, first, CONTENT)
        if number < 3:
            continue  # nothing more is heard of it
        happened, facts = chance.choice(
            [
                (Happened.UPDATED, {"next_update_due": f"{at + timedelta(days=2):%Y-%m-%d}"}),
                (Happened.UPDATED, {}),
                (Happened.CONCLUDED, {}),
                (Happened.REOPENED, {}),
                (Happened.HELD, {"until": f"{at + timedelta(days=3):%Y-%m-%d}"}),
                (Happened.RELEASED, {}),
                (Happened.CHASED, {"rule": "chase-1"}),
                (Happened.BOUNCED, {}),
                (Happened.AWAY, {"until": f"{at + timedelta(days=1):%Y-%m-%d}"}),
                (Happened.NOT_AN_ALERT, {}),
            ]
        )
        # a letter came back from there, or it is away
        content: dict[str, Json] = {"address": chance.choice([PSW.address, AVA.address])}
        yield Entry(happened, reference, at, source, facts, content)


@pytest.mark.parametrize("seed", range(3))
def test_three_weeks_by_the_hour(desk: Desk, seed: int) -> None:
    chance, opened, found = Random(seed), set[str](), set[str]()
    for hours in range(0, 24 * 21, 3):
        now = MONDAY + timedelta(hours=hours, minutes=chance.randrange(60))
        with desk.ledger.page() as page:
            for entry in story(chance, now):
                if entry.happened is not Happened.OPENED or entry.alert not in opened:
                    page.record(entry)
                    opened.add(str(entry.alert))
        chases, letters = due(desk, now), occasions(desk, now)
        assert sorted(map(repr, chases)) == sorted(map(repr, every_chase(desk, now)))
        assert sorted(map(repr, letters)) == sorted(map(repr, every_letter(desk, now)))
        found |= {one.letter for one in chases} | {one.letter for one in letters}
    assert found >= {"chase", "acknowledgement", "clock_reminder", "note"}


def test_a_letter_that_came_back_turns_every_chase_of_its_author_to_somebody_else(desk: Desk) -> None:
    """Also those about alerts of which nothing was heard since."""
    opened = [
        Entry(Happened.OPENED, f"SLA-2026-000{number}", MONDAY, f"<{number}@trust.example>", {}, CONTENT)
        for number in (1, 2)
    ]
    came_back = Entry(
        Happened.BOUNCED, "SLA-2026-0001", later(days=6), "<bounce@trust.example>", {}, {"address": AUTHOR}
    )
    with desk.ledger.page() as page:
        for entry in opened:
            page.record(entry)
    assert [chase.to for chase in due(desk, later(days=7))] == [AUTHOR, AUTHOR]

    with desk.ledger.page() as page:
        page.record(came_back)
    chases = due(desk, later(days=7))
    assert len(chases) == 2
    assert AUTHOR not in {chase.to for chase in chases}


def every_chase(desk: Desk, now: datetime) -> Sequence[ChaseDue]:
    rules, began = (desk.procedure, desk.addressees, desk.calendar), desk.ledger.began_at()
    return chases_due(desk.ledger.alerts().values(), now, *rules, not_before=began)


def every_letter(desk: Desk, now: datetime) -> Sequence[Occasion]:
    alerts = desk.ledger.alerts().values()
    rules, began = (desk.procedure, desk.addressees, desk.calendar), desk.ledger.began_at()
    labels = {form.name: {field.name: field.label for field in form.mandatory()} for form in desk.forms}
    return [
        *reminders.reminders_due(alerts, now, *rules, not_before=began),
        *notes.notes_due(alerts, now, *rules, not_before=began),
        *receipts.acknowledgements_due(alerts, (), now, *rules, labels, not_before=began),
    ]
