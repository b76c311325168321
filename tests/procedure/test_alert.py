"""An alert is what its entries tell, in their order, and a person's word outlives any form."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from agent.procedure.alert import Absence, Alert, alert_after, fold, initials, moment
from agent.procedure.entry import Entry
from agent.procedure.submission import Child
from agent.procedure.words import Happened, Json
from tests.procedure.arrivals import MONDAY

REFERENCE = "SLA-2026-0001"


def entry(happened: Happened, days: int = 0, content: dict[str, Json] | None = None, **facts: Json) -> Entry:
    at = MONDAY + timedelta(days=days)
    return Entry(happened, REFERENCE, at, f"<{happened}-{days}@x>", facts, content or {})


OPENED = entry(
    Happened.OPENED,
    content={
        "author_address": "dana@x",
        "values": {"author": "Dana", "area": "North"},
        "children": [{"name": "Liam Harwood", "dob": "2012-05-04", "system_id": "1"}],
    },
    form="sla",
    document="a file",
    incident_at="2026-03-01T16:30:00+00:00",
    next_update_due="2026-03-09",
    update_lines=["one"],
    findings=["late_form"],
)


def told(*entries: Entry) -> Alert:
    return fold([OPENED, *entries])[REFERENCE]


def test_the_first_entry_opens_the_alert() -> None:
    alert = told()
    assert alert.children == (Child("Liam Harwood", date(2012, 5, 4), "1"),)
    assert (alert.author_address, alert.form, alert.initials) == ("dana@x", "sla", "L.H.")
    assert (alert.next_update_due, alert.updates, alert.findings) == (date(2026, 3, 9), 0, ("late_form",))


def test_entries_about_an_alert_that_was_never_opened_tell_nothing() -> None:
    assert fold([entry(Happened.UPDATED)]) == {}
    assert alert_after(None, entry(Happened.REPLIED)) is None


def test_an_update_adds_what_it_tells_and_keeps_the_rest() -> None:
    alert = told(
        entry(
            Happened.UPDATED,
            3,
            {"values": {"area": "West"}},
            update_lines=["two"],
            findings=["update_undated"],
        )
    )
    assert (alert.values, alert.updates) == ({"author": "Dana", "area": "West"}, 1)
    assert alert.update_lines == {"one", "two"}
    assert alert.findings == ("late_form", "update_undated")
    assert (alert.incident_at is not None, alert.next_update_due) == (True, None)
    assert alert.last_news_at == alert.last_update_at == MONDAY + timedelta(days=3)


def test_news_ends_the_chasing_so_far_and_what_came_again_does_not() -> None:
    chased = entry(Happened.CHASED, 5, rule="first")
    assert len(told(chased).chases) == 1
    assert len(told(chased, entry(Happened.RECEIVED_AGAIN, 6)).chases) == 1
    for news in (Happened.UPDATED, Happened.REPLIED, Happened.REOPENED, Happened.RELEASED):
        after = told(chased, entry(news, 6))
        assert (after.chases, after.chases_ever) == ((), 1)


def test_every_file_of_a_matter_is_known_again() -> None:
    alert = told(entry(Happened.RECEIVED_AGAIN, 1, document="another file"))
    assert alert.documents == {"a file", "another file"}


@pytest.mark.parametrize("name", ["incident_at", "aware_at", "missing_since", "returned_at"])
def test_a_persons_correction_outlives_any_later_form(name: str) -> None:
    corrected = entry(Happened.CORRECTED, 1, {"value": "2026-02-27"}, field=name)
    later: dict[str, Json] = {name: "2026-01-01"}
    alert = told(corrected, entry(Happened.UPDATED, 2, None, **later))
    assert getattr(alert, name) == date(2026, 2, 27)


def test_a_date_that_a_person_set_for_the_next_update_stays() -> None:
    corrected = entry(Happened.CORRECTED, 1, {"value": "2026-03-20"}, field="next_update_due")
    alert = told(corrected, entry(Happened.UPDATED, 2, next_update_due="2026-03-12"))
    assert alert.next_update_due == date(2026, 3, 20)


def test_a_corrected_text_is_not_overwritten_by_a_form() -> None:
    corrected = entry(Happened.CORRECTED, 1, {"value": "Out of county"}, field="area")
    alert = told(corrected, entry(Happened.UPDATED, 2, {"values": {"area": "North", "author": "Femi"}}))
    assert alert.values == {"area": "Out of county", "author": "Femi"}


def test_a_claimed_conclusion_concludes_nothing() -> None:
    alert = told(entry(Happened.CONCLUSION_CLAIMED, 3, {"text": "Safe."}))
    assert (alert.concluded, alert.conclusion_text) == (False, "Safe.")
    assert alert.conclusion_claimed_at == MONDAY + timedelta(days=3)


def test_a_concluded_alert_can_be_opened_again() -> None:
    concluded = entry(Happened.CONCLUDED, 3, {"by": "Sol"})
    assert told(concluded).concluded
    again = told(concluded, entry(Happened.REOPENED, 4))
    assert (again.concluded, again.reopened_at) == (False, MONDAY + timedelta(days=4))


def test_an_absence_lasts_until_its_day_or_until_news() -> None:
    away = entry(Happened.AWAY, 1, until="2026-03-16")
    assert told(away).away_until == date(2026, 3, 16)
    assert told(away, entry(Happened.REPLIED, 2)).away_until is None


def test_only_their_own_word_ends_an_absence() -> None:
    away = entry(Happened.AWAY, 1, {"address": "ivy@x", "deputy": "Jane Doe"}, until="2026-03-16", role="psw")
    others = told(away, entry(Happened.REPLIED, 2, {"sender": "dana@x"}))
    assert others.away == {"ivy@x": Absence(date(2026, 3, 16), "psw", "Jane Doe")}
    assert told(away, entry(Happened.REPLIED, 2, {"sender": "ivy@x"})).away == {}


def test_an_alert_on_hold_is_held_through_its_last_day() -> None:
    held = told(entry(Happened.HELD, 1, until="2026-03-16"))
    assert (held.held_on(date(2026, 3, 16)), held.held_on(date(2026, 3, 17))) == (True, False)
    assert told(entry(Happened.HELD, 1)).held_on(date(2030, 1, 1))
    assert not told(entry(Happened.HELD, 1), entry(Happened.RELEASED, 2)).held_on(date(2026, 3, 3))


def test_an_address_that_cannot_be_reached_is_remembered() -> None:
    assert told(entry(Happened.BOUNCED, 1, {"address": "dana@x"})).bounced == {"dana@x"}


def test_every_kind_of_entry_can_happen_to_an_alert() -> None:
    for happened in Happened:
        assert alert_after(told(), entry(happened, 1)) is not None


def test_erased_content_leaves_an_alert_that_still_stands() -> None:
    erased = Entry(Happened.OPENED, REFERENCE, MONDAY, "<x>", OPENED.facts, None)
    alert = fold([erased])[REFERENCE]
    assert (alert.children, alert.values, alert.form) == ((), {}, "sla")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Anna-Maria de Souza", "A.D.S."), ("T.M.", "T.M."), ("", ""), ("  ", "")],
)
def test_initials_tell_no_more_than_a_letter_a_word(name: str, expected: str) -> None:
    assert initials(name) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2026-03-01T16:30:00+00:00", datetime.fromisoformat("2026-03-01T16:30:00+00:00")),
        ("", None),
        ("soon", None),
        (7, None),
        (None, None),
    ],
)
def test_a_moment_is_a_time_or_a_day_or_nothing(value: Json, expected: object) -> None:
    assert moment(value) == expected
