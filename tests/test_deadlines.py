"""`n2k clocks`: the procedure's deadlines for a person with a date in hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main

pytestmark = pytest.mark.usefixtures("own_log")

VECTORS = Path(__file__).parents[2] / "shared" / "domain" / "clock_vectors.json"


@pytest.fixture(autouse=True)
def shipped_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("N2K_CONFIG", raising=False)


def clocks(capsys: pytest.CaptureFixture[str], *told: str, procedure: str = "nct") -> dict[str, Any]:
    """What the command tells as JSON, by clock."""
    assert main(["clocks", "--procedure", procedure, *told, "--json"]) == 0
    return {clock["clock"]: clock for clock in json.loads(capsys.readouterr().out)}


def due(capsys: pytest.CaptureFixture[str], *told: str, procedure: str = "nct") -> dict[str, str | None]:
    return {name: clock["due"] for name, clock in clocks(capsys, *told, procedure=procedure).items()}


def refused(capsys: pytest.CaptureFixture[str], *told: str) -> str:
    assert main(["clocks", *told]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


# ---------------------------------------------------------------- what it tells


def test_a_clock_tells_its_start_its_deadline_its_rule_and_its_clause(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = clocks(capsys, "--incident", "2025-05-03T23:10")["form_due"]

    assert told == {
        "clock": "form_due",
        "name": "Form due",
        "start": "2025-05-03T23:10:00+01:00",
        "due": "2025-05-04T23:10:00+01:00",
        "rule": "within one day of the incident; by the end of the next day where no time is stated",
        "clause": "2.1, 3.1",
    }


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["--aware", "2026-03-02"], {"panel_day_five": "2026-03-06", "panel_last_day": "2026-03-09"}),
        # Sunday evening in winter and in summer; Friday after office hours; the first minute of a day
        (["--aware", "2026-03-01 23:30"], {"panel_day_five": "2026-03-06", "panel_last_day": "2026-03-06"}),
        (["--aware", "7/6/2026 23:59"], {"panel_day_five": "2026-06-12", "panel_last_day": "2026-06-12"}),
        (
            ["--aware", "Fri 6 Mar 2026 17:45"],
            {"panel_day_five": "2026-03-12", "panel_last_day": "2026-03-13"},
        ),
        (["--aware", "2026-03-02T00:00"], {"panel_day_five": "2026-03-06", "panel_last_day": "2026-03-09"}),
        # Good Friday itself, Maundy Thursday, Christmas Eve, over a leap day
        (["--aware", "2026-04-03"], {"panel_day_five": "2026-04-13", "panel_last_day": "2026-04-13"}),
        (["--aware", "2026-04-02"], {"panel_day_five": "2026-04-10", "panel_last_day": "2026-04-13"}),
        (["--aware", "24 December 2025"], {"panel_day_five": "2026-01-02", "panel_last_day": "2026-01-05"}),
        (["--aware", "2024-02-26"], {"panel_day_five": "2024-03-01", "panel_last_day": "2024-03-04"}),
        (["--notified", "2026-12-21"], {"rapid_review": "2027-01-14"}),
        (["--nscp-notified", "2026-04-02"], {"nscp_one_day": "2026-04-07"}),
        (["--nscp-notified", "31/12/2025 18:00"], {"nscp_one_day": "2026-01-02"}),
        (["--yjs-end", "2024-02-10"], {"yjs_last_day": "2024-03-01"}),  # over 29 February
        (["--dob", "2004-02-28"], {"care_leaver_eligible": "2029-02-27"}),
        (["--dob", "1 March 2004"], {"care_leaver_eligible": "2029-02-28"}),
        (["--dob", "01.01.2000"], {"care_leaver_eligible": "2024-12-31"}),
    ],
)
def test_deadlines_in_days(
    capsys: pytest.CaptureFixture[str], told: list[str], expected: dict[str, str]
) -> None:
    assert due(capsys, *told) == expected


@pytest.mark.parametrize(
    ("incident", "expected"),
    [
        ("31/03/2022 16:30", "2022-04-01T16:30:00+01:00"),
        ("31 March 2022 at 4.30pm", "2022-04-01T16:30:00+01:00"),
        ("2025-05-03", "2025-05-04T23:59:59+01:00"),
        ("28/02/2024", "2024-02-29T23:59:59+00:00"),
        ("31/12/2025", "2026-01-01T23:59:59+00:00"),
        ("2025-12-31T00:00", "2026-01-01T00:00:00+00:00"),  # midnight is a time
        ("2026-03-28T18:00", "2026-03-29T19:00:00+01:00"),  # the clocks go forward
        ("2026-03-28", "2026-03-29T23:59:59+01:00"),
        ("2026-10-24T18:00", "2026-10-25T17:00:00+00:00"),  # and back
        ("2026-10-24T00:30", "2026-10-25T00:30:00+01:00"),
        ("2026-10-25T01:30", "2026-10-26T00:30:00+00:00"),  # happened twice: the first, the earlier deadline
        ("2026-10-25T01:30+00:00", "2026-10-26T01:30:00+00:00"),
        ("2026-06-01T09:00Z", "2026-06-02T10:00:00+01:00"),
    ],
)
def test_the_form_is_due_one_day_after_the_incident(
    capsys: pytest.CaptureFixture[str], incident: str, expected: str
) -> None:
    assert due(capsys, "--incident", incident) == {"form_due": expected}


def test_a_missing_child_has_both_hours_and_the_form(capsys: pytest.CaptureFixture[str]) -> None:
    told = due(capsys, "--missing-since", "2026-03-28T20:00")

    assert told == {
        "form_due": "2026-03-29T21:00:00+01:00",
        "missing_24h": "2026-03-29T21:00:00+01:00",
        "missing_48h": "2026-03-30T21:00:00+01:00",
    }


def test_from_a_mere_day_nobody_knows_when_the_hours_are_over(capsys: pytest.CaptureFixture[str]) -> None:
    told = due(capsys, "--missing-since", "2026-03-28")

    assert (told["missing_24h"], told["missing_48h"]) == (None, None)


@pytest.mark.parametrize(
    ("told", "clock", "inside"),
    [
        (["--dob", "2000-06-15"], "care_leaver_eligible", None),
        (["--dob", "2000-06-15", "--died", "2025-06-14"], "care_leaver_eligible", True),
        (["--dob", "2000-06-15", "--died", "2025-06-15"], "care_leaver_eligible", False),
        (["--dob", "2000-02-29", "--died", "2025-02-28"], "care_leaver_eligible", None),
        (["--died", "2025-06-15"], "care_leaver_eligible", None),  # the start is never guessed
        (["--dob", "2000-06-15", "--died", "1999-06-15"], "care_leaver_eligible", None),  # a slip of the pen
        (["--yjs-end", "2025-02-10", "--died", "2025-03-02"], "yjs_last_day", True),
        (["--yjs-end", "2025-02-10", "--died", "2025-03-03"], "yjs_last_day", False),
        (["--yjs-end", "2025-02-10", "--died", "2025-02-01"], "yjs_last_day", True),  # still supervised
    ],
)
def test_the_two_windows(
    capsys: pytest.CaptureFixture[str], told: list[str], clock: str, inside: bool | None
) -> None:
    assert clocks(capsys, *told)[clock]["inside"] is inside


def test_another_procedure_counts_its_own_way(capsys: pytest.CaptureFixture[str]) -> None:
    told = due(capsys, "--missing-since", "2025-10-25T20:00", procedure="merton")

    assert told["missing_48h"] == "2025-10-27T19:00:00+00:00"
    assert "missing_24h" not in told


def test_what_it_cannot_tell_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clocks", "--procedure", "nct", "--aware", "2031-03-03", "--died", "3/3/2031"]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "the bank holidays of 2031 are not known" in said
    assert "Its start is not stated, and is never guessed." in said


def test_a_form_received_starts_no_clock(capsys: pytest.CaptureFixture[str]) -> None:
    assert clocks(capsys, "--form-received", "2026-03-02") == {}
    assert main(["clocks", "--procedure", "nct", "--form-received", "2026-03-02"]) == 0
    assert "No clock starts from what was told." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("received", "said"),
    [
        ("2025-05-04T12:00", "The form came in time."),
        ("2025-05-05T00:00", "The form came later than that."),
        ("2025-05-04", "its time would tell"),
    ],
)
def test_people_are_told_whether_the_form_came_in_time(
    capsys: pytest.CaptureFixture[str], received: str, said: str
) -> None:
    main(["clocks", "--procedure", "nct", "--incident", "2025-05-03", "--form-received", received])

    assert said in " ".join(capsys.readouterr().out.split())


def test_no_sentence_decides_what_people_decide(capsys: pytest.CaptureFixture[str]) -> None:
    every = ["--aware", "--incident", "--form-received", "--missing-since", "--notified", "--nscp-notified"]
    main(
        ["clocks", "--procedure", "nct", *(word for option in every for word in (option, "2/3/2026 9:00am"))]
    )

    said = capsys.readouterr().out.lower()
    assert "notifiable" not in said
    assert "breach" not in said


# ---------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (["--aware", "31/02/2022"], "there is no such day"),
        (["--aware", "2025-02-30T10:00"], "there is no such time"),
        (["--aware", "soon"], "it is no date"),
        (["--aware", ""], "it is no date"),
        (["--aware", "2/3"], "the year is missing"),
        (["--aware", "Tue 2 Mar 2026"], "the weekday does not fit"),
        (["--incident", "2 March 2026 midnight"], "meant in two ways"),
        (["--incident", "2026-03-29T01:30"], "the clocks went forward"),
        ([], "Give at least one date"),
    ],
)
def test_a_date_that_cannot_be_read_is_refused_in_a_sentence(
    capsys: pytest.CaptureFixture[str], told: list[str], said: str
) -> None:
    assert said in refused(capsys, "--procedure", "nct", *told)


def test_every_bad_date_is_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "--procedure", "nct", "--aware", "soon", "--dob", "31/02/2022")

    assert "--aware" in said
    assert "--dob" in said


@pytest.mark.parametrize("told", [[], ["--procedure", "elsewhere"]])
def test_the_procedure_has_to_be_one_that_is_known(
    capsys: pytest.CaptureFixture[str], told: list[str]
) -> None:
    assert "merton, nct" in refused(capsys, *told, "--aware", "2026-03-02")


# ---------------------------------------------------------------- worked examples, where they are at hand


def vectors() -> list[Any]:
    return json.loads(VECTORS.read_text(encoding="utf-8")) if VECTORS.is_file() else []


@pytest.mark.skipif(not VECTORS.is_file(), reason=f"the worked examples are not at {VECTORS}")
def test_there_are_13_worked_examples() -> None:
    assert len(vectors()) == 13


@pytest.mark.parametrize(
    "vector", vectors(), ids=lambda vector: f"{vector['clock']} {vector.get('case', '')}"
)
def test_the_worked_examples_through_the_command(
    capsys: pytest.CaptureFixture[str], vector: dict[str, Any]
) -> None:
    worked[vector["clock"]](capsys, vector)


def the_form(capsys: pytest.CaptureFixture[str], vector: dict[str, Any]) -> None:
    assert due(capsys, "--incident", vector["incident"])["form_due"] == vector["due_local"]


def missing(capsys: pytest.CaptureFixture[str], vector: dict[str, Any]) -> None:
    told = due(capsys, "--missing-since", vector["start_local"])

    assert told[f"missing_{vector['hours']}h"] == vector["due_local"]


def the_panel(capsys: pytest.CaptureFixture[str], vector: dict[str, Any]) -> None:
    told = due(capsys, "--aware", vector["aware"], "--nscp-notified", vector["aware"])
    day_five, last_day = vector["nct_day_five_inclusive"], vector["statutory_5wd_exclusive"]

    def review(notified: str) -> str | None:
        return due(capsys, "--notified", notified)["rapid_review"]

    assert (told["panel_day_five"], told["panel_last_day"]) == (day_five, last_day)
    assert told["nscp_one_day"] == vector["nscp_1wd"]
    assert review(day_five) == vector["rapid_review_15wd_if_notified_on_day_five"]
    assert review(last_day) == vector["rapid_review_15wd_if_notified_on_last_day"]
    assert review(vector["aware"]) == vector["rapid_review_15wd_alt_start_aware"]


def care_leaver(capsys: pytest.CaptureFixture[str], vector: dict[str, Any]) -> None:
    told = clocks(capsys, "--dob", vector["dob"], "--died", vector["date_of_death"])["care_leaver_eligible"]

    assert told["due"] < vector["birthday_25"]
    assert told["inside"] is (None if vector["flag"] else vector["portal_option"] != "outside")


def youth_justice(capsys: pytest.CaptureFixture[str], vector: dict[str, Any]) -> None:
    told = clocks(capsys, "--yjs-end", vector["supervision_end"], "--died", vector["date_of_death"])[
        "yjs_last_day"
    ]

    assert (told["due"], told["inside"]) == (vector["last_day_in"], vector["inside"])


worked = {"C1": the_form, "C3/C4/C18": missing, "C6": the_panel, "C14": care_leaver, "C15": youth_justice}
