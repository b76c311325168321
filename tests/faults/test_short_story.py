"""The short story undisturbed: it is right, and holds enough for the points in it to be worth a visit."""

from __future__ import annotations

import re

from agent.ledger.base import LetterState
from agent.procedure.words import Happened
from tests.faults.harness import (
    ROUNDS,
    Killed,
    Point,
    Witness,
    live,
    short_story,
    tell,
    undisturbed,
    world,
)
from tests.faults.standing import differences, standing


def test_told_undisturbed_the_story_ends_as_it_says() -> None:
    """Every mail became what it was to become, and every alert stands as it should."""
    with world() as here:
        assert live(here, Witness())
        with here.ledger() as ledger:
            alerts, entries = ledger.alerts(), ledger.entries()
            letters = ledger.letters()
            asked = {one.question.message_id for one in ledger.questions()}
    became = {(entry.source, entry.happened) for entry in entries}
    opened_by = {mail: alert for alert in alerts.values() for mail in alert.mails}
    wrong = [
        mail.label
        for mail in short_story().mails
        if not {(mail.message_id, happened) for happened in mail.expected.happened} <= became
        or (mail.message_id in asked) != mail.expected.question
    ]
    for label, told in short_story().alerts.items():
        first = next(mail for mail in short_story().mails if mail.expected.alert == label)
        alert = opened_by[first.message_id]
        stands = (alert.updates, len(alert.children), bool(alert.chases_ever))
        if stands != (told.expected.updates, told.expected.children, bool(told.expected.chased)):
            wrong.append(f"{label}: {stands}")

    assert wrong == []
    assert here.troubles == []
    assert sorted(letter.kind for letter in letters) == ["chase", "note", "weekly_digest", "weekly_digest"]
    assert {letter.state for letter in letters} == {LetterState.POSTED}
    assert {Happened.CORRECTED, Happened.HELD, Happened.CONCLUDED, Happened.CHASED} <= {
        entry.happened for entry in entries
    }


def test_the_points_are_of_every_kind() -> None:
    """Reading, making folders, filing, drafting, sending, creating the workbook, replacing it, committing."""
    passed = {f"{point.when} {point.what} {point.detail}" for point in undisturbed().points}
    kinds = (
        r"GET .*/messages/delta",
        r"GET .*/messages/[^/]+/\$value",
        r"PATCH .*/messages/[^/]+",
        r"POST .*/mailFolders",
        r"POST .*/childFolders",
        r"POST .*/move",
        r"GET .*/messages",
        r"POST .*/messages",
        r"POST .*/send",
        r"GET .*/inbox/messages",
        r"PUT .*/root:/.*/content",
        r"PUT .*/items/[^:]*/content",
        r"GET /download/.*",
        r"commit ",
    )

    missing = [
        f"{when} {kind}"
        for when in ("before", "after")
        for kind in kinds
        if not any(re.fullmatch(f"{when} {kind}", point) for point in passed)
    ]
    assert missing == []


def test_two_tellings_pass_the_same_points_and_end_alike() -> None:
    again = tell()

    assert set(again.points) == set(undisturbed().points)
    assert differences(again.stands, undisturbed().stands) == []


def test_once_killed_the_agent_can_do_nothing_more() -> None:
    """Whatever it asks or commits in any thread, it is dead; what was open is not committed."""
    commit = next(
        one for one in undisturbed().points if (one.number, one.when, one.what) == (0, "before", "commit")
    )
    witness = Witness(commit)
    with world() as here:
        assert not live(here, witness)
        with here.ledger() as ledger:
            assert ledger.cursor("inbox") is None
            assert ledger.waiting() == []
        asked = here.stage.sandbox.tenant.log.count

        for when, what in (("before", "commit"), ("after", "GET")):
            try:
                witness(when, what, "")
            except Killed:
                continue
            raise AssertionError("the dead agent went on")
        assert here.stage.sandbox.tenant.log.count == asked


def test_a_difference_is_seen() -> None:
    """The comparison can fail: a story cut short before its last round does not end alike."""
    with world() as here, here.agent(Witness()) as desk:
        here.pass_time(ROUNDS[0].moment, desk)
        stands = standing(here.stage, desk.ledger)

    told = differences(stands, undisturbed().stands)

    parts = {line.partition(":")[0] for line in told}
    assert {"lines", "mails", "letters", "register", "mailboxes", "questions"} <= parts


def test_a_point_that_is_not_reached_again_is_reported() -> None:
    nowhere = Point(0, "before", "GET", "/nowhere", 1)

    assert not tell(nowhere).killed
