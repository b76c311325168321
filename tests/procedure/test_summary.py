"""The register's summary: what is counted, and where there are more than places."""

from __future__ import annotations

from dataclasses import replace

from agent.procedure.alert import Alert, fold
from agent.procedure.digest import Counted
from agent.procedure.entry import Entry
from agent.procedure.summary import CATEGORIES, OTHERS, WEEKS, Summary, summary_of
from agent.procedure.words import Happened, Json
from tests.builders import at, settings

NOW = at("2026-04-24 10:00")
DESK = settings().desks["nct"]
NCT, CALENDAR = settings().procedure_of(DESK), settings().calendar_of(DESK)


def alert(number: int, received: str, *, area: str = "", categories: tuple[str, ...] = ("M01",)) -> Alert:
    reference = f"SLA-2026-{number:04d}"
    facts: dict[str, Json] = {"form": "sla", "categories": list(categories)}
    values: dict[str, Json] = {"area": area} if area else {}
    opened = Entry(Happened.OPENED, reference, at(received), "<x>", facts, {"values": values})
    return fold([opened])[reference]


def summary(*alerts: Alert, questions: int = 0) -> Summary:
    return summary_of(alerts, questions, NOW, NCT, CALENDAR)


def test_only_open_alerts_are_counted_by_age_category_and_area() -> None:
    concluded = replace(alert(2, "2026-04-06 09:00", area="North"), concluded_at=at("2026-04-23 09:00"))
    found = summary(alert(1, "2026-04-20 09:00", area="West"), concluded, questions=3)

    assert found.standing[0] == Counted("Open alerts", 1)
    assert found.standing[-1].number == 3
    assert found.by_age[0] == ("under 1 week", 1)
    assert sum(number for _, number in found.by_age) == 1
    assert (found.counted_by, found.by_group) == ("Area", (("West", 1),))
    assert [number for _, number in found.by_category] == [1]


def test_what_came_in_by_mistake_is_counted_nowhere() -> None:
    found = summary(replace(alert(1, "2026-04-20 09:00"), not_an_alert=True))

    assert found.standing[0].number == 0
    assert sum(received for _, received, _ in found.by_week) == 0


def test_weeks_begin_on_mondays_of_the_desks_own_calendar_and_end_with_this_one() -> None:
    sunday_night = alert(1, "2026-04-19 23:30")
    found = summary(sunday_night, alert(2, "2026-04-20 00:30"))

    assert len(found.by_week) == WEEKS
    assert found.by_week[-2:] == (("13 Apr", 1, 0), ("20 Apr", 1, 0))


def test_what_has_no_place_of_its_own_is_counted_together() -> None:
    codes = [category.code for category in NCT.categories[: CATEGORIES + 3]]
    alerts = [alert(number, "2026-04-20 09:00", categories=(code,)) for number, code in enumerate(codes, 1)]
    found = summary(*alerts, alert(99, "2026-04-20 09:00", categories=(codes[0],)))

    assert len(found.by_category) == CATEGORIES
    assert found.by_category[0][0].startswith(codes[0])
    assert found.by_category[-1] == (OTHERS, 4)
    assert sum(number for _, number in found.by_category) == len(codes) + 1


def test_an_alert_that_does_not_tell_is_counted_as_such() -> None:
    found = summary(alert(1, "2026-04-20 09:00", categories=()))

    assert found.by_category == (("not told", 1),)
    assert found.by_group == (("not told", 1),)
