"""Which alert is meant: each rung of the ladder, and what must never be enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from agent.procedure.alert import Alert
from agent.procedure.alerts import Alerts
from agent.procedure.matching import Match, Same, announcing, candidates, evidence, same_child
from agent.procedure.submission import Child, Submission, Update
from agent.procedure.words import Kind, Moment
from tests.procedure.arrivals import AUTHOR, MONDAY

BORN = date(2012, 5, 4)
FALL = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
LIAM = Child("Liam Harwood", BORN, "3087741")
AMY = Child("Amy Lowe", date(2010, 1, 1))


def alert(
    number: int = 1, *children: Child, incident_at: Moment | None = FALL, received_at: datetime = MONDAY
) -> Alert:
    reference = f"SLA-2026-{number:04d}"
    return Alert(
        reference=reference,
        received_at=received_at,
        author_address=AUTHOR,
        form="sla",
        last_news_at=received_at,
        children=children,
        incident_at=incident_at,
        mails=frozenset({f"<{number}@mail.example>"}),
        documents=frozenset({f"document {number}"}),
    )


def came(*children: Child, kind: Kind = Kind.UPDATE, incident_at: Moment | None = FALL) -> Submission:
    return Submission(
        kind=kind,
        message_id="<new@mail.example>",
        sender=AUTHOR,
        received_at=MONDAY + timedelta(days=3),
        form="sla",
        document_sha256="another document",
        children=children,
        incident_at=incident_at,
    )


def matched(submission: Submission, *alerts: Alert, answered: tuple[str, ...] = ()) -> Match:
    return candidates(submission, Alerts(alerts), answered)


def sure(number: int, why: str) -> Match:
    return Match(f"SLA-2026-{number:04d}", (), why)


def possible(why: str, *numbers: int) -> Match:
    return Match(None, tuple(f"SLA-2026-{number:04d}" for number in numbers), why)


NOBODY = Match(None, (), "none")

# ------------------------------------------------------------------ two children or one?


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Child("Liam Harwood", BORN), Child("HARWOOD, Liam", BORN), Same.SURELY),
        (Child("Zoë O'Neil", BORN), Child("Zoe ONeil", BORN), Same.SURELY),
        (Child("Liam Harwood", None, "3087741"), Child("Liam Harwod", None, "ID 3087741"), Same.SURELY),
        (Child("", BORN, "3087741"), Child("Liam Harwood", None, "3087741"), Same.SURELY),
        (Child("Liam Harwood", BORN), Child("Liam Harwod", BORN), Same.POSSIBLY),
        (Child("L.H.", BORN), Child("Liam Harwood", BORN), Same.POSSIBLY),
        (Child("L.H.", BORN), Child("LH", BORN), Same.POSSIBLY),
        (Child("Liam", BORN), Child("Liam", BORN), Same.POSSIBLY),
        (Child("Liam Harwood"), Child("Liam Harwood", BORN), Same.POSSIBLY),
        (Child("Liam Harwood", BORN, "1111"), Child("Liam Harwood", BORN, "2222"), Same.POSSIBLY),
        (Child("Amy Lowe", None, "3087741"), Child("Liam Harwood", None, "3087741"), Same.POSSIBLY),
        (Child("Liam Harwood", BORN), Child("Liam Harwood", date(2009, 1, 1)), Same.NO),
        (Child("Max Harwood", BORN), Child("Mia Harwood", BORN), Same.NO),
        (Child("Liam Harwood", None, "1111"), Child("Liam Harwood", None, "2222"), Same.NO),
        (Child("", BORN), Child("Liam Harwood", BORN), Same.UNTOLD),
        (Child("Child P", BORN), Child("Liam Harwood", BORN), Same.UNTOLD),
        (Child("Harwood (3 siblings)"), Child("Liam Harwood", BORN), Same.POSSIBLY),
        # once called otherwise: by a like name still the same child, by another one perhaps somebody else
        (
            Child("Liam Harwood", BORN, formerly=(Child("Liam Harwod", BORN),)),
            Child("Liam Harwod", BORN),
            Same.SURELY,
        ),
        (
            Child("Amy Lowe", BORN, formerly=(Child("Liam Harwood", BORN),)),
            Child("Liam Harwood", BORN),
            Same.POSSIBLY,
        ),
    ],
)
def test_two_things_must_agree_before_two_children_are_one(one: Child, other: Child, same: Same) -> None:
    assert same_child(one, other) is same
    assert same_child(other, one) is same


# ------------------------------------------------------------------ the ladder


def test_our_own_reference_is_enough() -> None:
    submission = replace(came(), references=("SLA-2026-0002",))
    assert matched(submission, alert(1, LIAM), alert(2, AMY)) == sure(2, "reference")


def test_the_alert_of_the_letter_that_is_answered_is_meant() -> None:
    assert matched(came(), alert(1, LIAM), alert(2, AMY), answered=("SLA-2026-0002",)) == sure(2, "answered")


def test_a_reference_counts_more_than_the_letter_it_came_back_on() -> None:
    submission = replace(came(), references=("SLA-2026-0001",))
    assert matched(submission, alert(1, LIAM), alert(2, AMY), answered=("SLA-2026-0002",)) == sure(
        1, "reference"
    )


def test_the_child_settles_which_alert_of_a_gathered_letter_is_meant() -> None:
    both = ("SLA-2026-0001", "SLA-2026-0002")
    assert matched(came(AMY), alert(1, LIAM), alert(2, AMY), answered=both) == sure(2, "answered")
    assert matched(came(), alert(1, LIAM), alert(2, AMY), answered=both) == possible("several", 1, 2)


def test_who_speaks_of_the_child_means_that_alert_beside_one_without_a_child() -> None:
    both = ("SLA-2026-0001", "SLA-2026-0002")
    assert matched(came(LIAM), alert(1), alert(2, LIAM), answered=both) == sure(2, "answered")


def test_the_same_file_is_the_same_matter() -> None:
    submission = replace(came(), document_sha256="document 1")
    assert matched(submission, alert(1), alert(2)) == sure(1, "document")


def test_a_file_that_belongs_to_two_alerts_says_nothing_by_itself() -> None:
    """The child, or the reference that is quoted, tells which is meant, whatever stands as its incident."""
    shared = frozenset({"a document of both"})
    both = (replace(alert(1, LIAM), documents=shared), replace(alert(2, AMY), documents=shared))
    submission = replace(came(incident_at=MONDAY + timedelta(days=1)), document_sha256="a document of both")

    assert matched(submission, *both) == NOBODY
    assert matched(replace(submission, references=("SLA-2026-0002",)), *both) == sure(2, "reference")
    assert matched(replace(submission, children=(AMY,), incident_at=FALL), *both) == sure(2, "name_and_dob")


def test_what_was_merged_into_another_alert_is_not_meant_beside_it() -> None:
    merged = replace(alert(1, LIAM), not_an_alert=True, merged_into="SLA-2026-0002")
    assert matched(came(LIAM), merged, alert(2, LIAM)) == sure(2, "system_id")


def test_number_or_name_with_date_of_birth_is_enough_for_an_update() -> None:
    assert matched(came(LIAM), alert(1, LIAM), alert(2, AMY)) == sure(1, "system_id")
    assert matched(came(AMY), alert(1, LIAM), alert(2, AMY)) == sure(2, "name_and_dob")


def test_a_conversation_with_the_same_child_is_enough() -> None:
    submission = replace(came(Child("Liam Harwood")), answers=("<1@mail.example>",))
    assert matched(submission, alert(1, LIAM), alert(2, AMY)) == sure(1, "conversation")


def test_a_name_alone_only_proposes() -> None:
    assert matched(came(Child("Liam Harwood")), alert(1, LIAM)) == possible("name_only", 1)


def test_a_row_that_waits_for_its_form_takes_none_once_it_has_one() -> None:
    """A stranger's form waits for a person: no other form of a like name speaks for it."""
    waits = replace(alert(1, Child("Liam Harwood")), provisional=True, received_at=MONDAY + timedelta(days=2))
    assert matched(came(LIAM), replace(waits, form="")) == sure(1, "awaited")
    assert matched(came(LIAM), waits) == possible("name_only", 1)


def test_a_form_may_have_been_announced_by_what_waits_for_one_and_tells_of_no_child() -> None:
    waits = replace(alert(1), provisional=True, form="", received_at=MONDAY + timedelta(days=2))
    told = came(LIAM)
    nobody: tuple[str, ...] = ()

    assert announcing(told, Alerts([waits])) == ("SLA-2026-0001",)
    assert announcing(told, Alerts([replace(waits, children=(AMY,))])) == nobody
    assert announcing(told, Alerts([replace(waits, provisional=False)])) == nobody
    assert announcing(told, Alerts([replace(waits, form="sla")])) == nobody
    assert announcing(told, Alerts([replace(waits, author_address="other@trust.example")])) == nobody
    assert announcing(told, Alerts([replace(waits, not_an_alert=True)])) == nobody
    assert announcing(told, Alerts([replace(waits, received_at=MONDAY - timedelta(days=9))])) == nobody


def test_a_name_and_date_of_birth_that_fit_nobody_are_somebody_new() -> None:
    assert matched(came(Child("Liam Harwood", date(2009, 1, 1))), alert(1, LIAM)) == NOBODY


# ------------------------------------------------------------------ contradictions


def test_a_reference_to_one_alert_and_another_child_is_a_contradiction() -> None:
    submission = replace(came(AMY), references=("SLA-2026-0001",))
    assert matched(submission, alert(1, LIAM), alert(2, AMY)) == possible("contradiction", 1, 2)


def test_another_child_in_a_conversation_is_a_contradiction() -> None:
    submission = replace(came(Child("Dev Patel", BORN)), answers=("<1@mail.example>",))
    assert matched(submission, alert(1, LIAM)) == possible("contradiction", 1)


def test_a_sibling_told_beside_a_known_child_contradicts_nothing() -> None:
    submission = replace(came(LIAM, Child("Nia Harwood", date(2015, 1, 1))), references=("SLA-2026-0001",))
    assert matched(submission, alert(1, LIAM)) == sure(1, "reference")


# ------------------------------------------------------------------ one child, several matters


def test_of_two_alerts_about_a_child_the_incident_tells_which() -> None:
    older = alert(1, LIAM, incident_at=date(2026, 1, 10))
    assert matched(came(LIAM), older, alert(2, LIAM)) == sure(2, "system_id")
    assert matched(came(LIAM, incident_at=None), older, alert(2, LIAM)) == possible("several", 1, 2)


def test_a_first_form_about_the_same_incident_is_the_same_matter() -> None:
    assert matched(came(LIAM, kind=Kind.NEW), alert(1, LIAM)) == sure(1, "system_id")


def test_a_day_alone_is_compared_as_a_day() -> None:
    submission = came(LIAM, kind=Kind.NEW, incident_at=date(2026, 3, 1))
    assert matched(submission, alert(1, LIAM)) == sure(1, "system_id")


def test_a_first_form_about_another_or_no_stated_incident_is_a_question() -> None:
    for incident in (None, FALL - timedelta(days=9)):
        submission = came(LIAM, kind=Kind.NEW, incident_at=incident)
        assert matched(submission, alert(1, LIAM)) == possible("another_incident", 1)


def test_what_happened_after_an_alert_came_in_is_another_matter() -> None:
    submission = came(LIAM, kind=Kind.NEW, incident_at=MONDAY + timedelta(hours=5))
    assert matched(submission, alert(1, LIAM)) == NOBODY


def test_what_happened_later_is_another_matter_also_as_an_answer_to_our_letter() -> None:
    """People answer the last mail they have. An update that tells of a later day goes on with the old one."""
    later = MONDAY + timedelta(hours=5)
    for submission in (came(kind=Kind.NEW, incident_at=later), came(LIAM, kind=Kind.NEW, incident_at=later)):
        assert matched(submission, alert(1, LIAM), answered=("SLA-2026-0001",)) == NOBODY
    update = replace(came(LIAM, incident_at=later), updates=(Update(MONDAY.date(), "Seen."),))
    assert matched(update, alert(1, LIAM), answered=("SLA-2026-0001",)) == sure(1, "answered")


def test_what_happened_later_to_a_child_of_that_name_is_another_matter() -> None:
    submission = came(Child("Liam Harwood"), kind=Kind.NEW, incident_at=MONDAY + timedelta(days=1))
    assert matched(submission, alert(1, LIAM)) == NOBODY


def test_an_update_that_tells_of_a_later_incident_is_a_question() -> None:
    submission = came(LIAM, incident_at=MONDAY + timedelta(days=1))
    assert matched(submission, alert(1, LIAM)) == possible("another_incident", 1)
    talked = replace(submission, children=(), answers=("<1@mail.example>",))
    assert matched(talked, alert(1, LIAM)) == possible("another_incident", 1)


def test_a_matter_without_a_child_is_known_by_author_and_moment_at_most_as_a_proposal() -> None:
    known = replace(alert(1), values={"author": "Dana Hollis"})
    submission = replace(came(kind=Kind.NEW), values={"author": "dana hollis"})
    assert matched(submission, known) == possible("same_incident", 1)
    assert matched(replace(submission, values={}), known) == NOBODY
    assert matched(replace(submission, incident_at=FALL + timedelta(hours=1)), known) == NOBODY


# ------------------------------------------------------------------ what people are shown


@pytest.mark.parametrize(
    ("told", "evidence_shown"),
    [
        (
            came(Child("Liam Harwood")),
            "the same name, the same incident, the same author",
        ),
        (
            came(Child("Liam Harwood", date(2011, 1, 1)), incident_at=None),
            "the same name, the same author; but another date of birth",
        ),
        (
            came(Child("L Harwood", BORN, "3087741")),
            "a like name, the same date of birth, the same number, the same incident, the same author",
        ),
        (
            replace(came(AMY, incident_at=MONDAY + timedelta(days=1)), references=("SLA-2026-0001",)),
            (
                "its reference is quoted, the same author; "
                "but another name, another date of birth, what happened came after it"
            ),
        ),
        (
            replace(came(incident_at=None), sender="x@y.example", answers=("<1@mail.example>",)),
            "the same conversation",
        ),
        (replace(came(incident_at=None), sender="x@y.example"), ""),
    ],
)
def test_what_speaks_for_and_against_an_alert_is_told_without_names(
    told: Submission, evidence_shown: str
) -> None:
    assert evidence(told, alert(1, LIAM)) == evidence_shown
