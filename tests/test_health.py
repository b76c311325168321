"""What others see of a running agent: alive, ready, its figures, and a heartbeat while all is well."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import datetime

import pytest
import responses

from agent.audit import audit
from agent.bootstrap import Agent
from agent.health import Health, served
from agent.ledger.base import Letter, LetterState, NotedMail, Reason
from agent.ledger.memory import MemoryLedger
from agent.procedure.entry import Entry
from agent.procedure.words import Happened
from agent.steps import Outcome
from tests import builders
from tests.builders import AUTHOR, MONDAY, later
from tests.steps.small_office import Office

BEAT = "https://watcher.trust.example/beat"


class Watched:
    """An office whose agent is watched; its clock stands where it is put."""

    def __init__(self) -> None:
        self.office = Office()
        self.now = MONDAY
        shipped = builders.settings()
        watched = replace(shipped.agent.watched, heartbeat=BEAT)
        settings = replace(shipped, agent=replace(shipped.agent, watched=watched))
        ledger = MemoryLedger()
        self.agent = Agent(settings, (self.office.desk,), ledger, lambda: self.now, self.office.desk.stop)
        self.health = Health(self.agent)

    def figure(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.health.metrics.text().decode(), re.MULTILINE)
        assert found, name
        return float(found[1])

    def asked(self, path: str) -> tuple[int, str]:
        with served(self.health, "127.0.0.1:0") as address:
            try:
                with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as refused:
                return refused.code, refused.read().decode()


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_it_is_alive_and_answers_nothing_but_what_is_promised(watched: Watched) -> None:
    assert watched.asked("/healthz") == (200, "alive\n")
    assert watched.asked("/alerts")[0] == 404


def test_it_is_ready_as_long_as_steps_end_well(watched: Watched) -> None:
    watched.health.step(Outcome("intake", "nct", done=3))
    watched.now = later(hours=0.4)
    assert watched.asked("/readyz")[0] == 200

    watched.health.step(Outcome("intake", "nct", trouble="the mailbox is away"))
    watched.now = later(hours=1)
    status, told = watched.asked("/readyz")
    assert status == 503
    assert json.loads(told)["why_not"] == {"nct": "no step has ended well since 09:00 UTC"}


@pytest.mark.parametrize("step", ["intake", "posting"])
def test_a_mailbox_that_cannot_be_read_or_sent_from_is_noticed_while_other_steps_go_on(
    watched: Watched, step: str
) -> None:
    """A token that is refused, a permission that was taken away: nothing can be written to anybody then."""
    for hours in (0.0, 0.25, 0.5, 0.75):
        watched.now = later(hours=hours)
        watched.health.step(Outcome(step, "nct", trouble="403", needs_a_person=True))
        watched.health.step(Outcome("chasing", "nct"))

    assert watched.health.ready() == {"nct": f"{step} has not ended well since 09:00 UTC"}
    assert f"nct: {step} has not ended well since 09:00 UTC" in watched.health.amiss()

    watched.health.step(Outcome(step, "nct"))
    assert watched.health.ready() == {}


def test_a_register_that_people_have_open_keeps_no_heart_from_beating(watched: Watched) -> None:
    for hours in (0.0, 2.0):
        watched.now = later(hours=hours)
        watched.health.step(Outcome("bookkeeping", "nct", trouble="somebody has it open"))
        watched.health.step(Outcome("intake", "nct"))

    assert watched.health.ready() == {}


def test_one_that_stands_by_for_another_agent_is_ready(watched: Watched) -> None:
    watched.health.held_elsewhere("nct")
    watched.now = later(days=1)
    assert watched.asked("/readyz")[0] == 200


def test_events_are_counted_on_their_way_to_the_log(watched: Watched) -> None:
    for event in (
        {"event": "intake.decided", "desk": "nct", "outcome": "opened"},
        {"event": "intake.decided", "desk": "nct", "outcome": "opened"},
        {"event": "posting.posted", "desk": "nct", "kind": "chase"},
        {"event": "graph.waits", "seconds": 2.5},
        {"event": "something.else"},
    ):
        assert watched.health.metrics.count(None, "info", dict(event)) == event

    assert watched.figure('n2k_mails_total{desk="nct",outcome="opened"}') == 2
    assert watched.figure('n2k_letters_total{desk="nct",kind="chase",state="posted"}') == 1
    assert watched.figure("n2k_graph_wait_seconds_total") == 2.5


def test_steps_tell_when_they_last_ended_well_and_what_trouble_they_met(watched: Watched) -> None:
    watched.health.step(Outcome("posting", "nct"))
    watched.health.step(Outcome("intake", "nct", trouble="403", needs_a_person=True))

    done = watched.figure('n2k_step_last_success_timestamp_seconds{desk="nct",step="posting"}')
    assert done == MONDAY.timestamp()
    assert watched.figure('n2k_step_troubles_total{desk="nct",kind="needs_a_person",step="intake"}') == 1


def test_the_ledger_is_asked_when_somebody_looks(watched: Watched) -> None:
    watched.office.opens_alert()
    watched.office.ledger.note([NotedMail("late", MONDAY)], "inbox", "c", MONDAY)
    watched.now = later(hours=2)

    assert watched.figure('n2k_alerts_open{desk="nct"}') == 1
    assert watched.figure('n2k_mails_waiting{desk="nct"}') == 1
    assert watched.figure('n2k_mails_lag_seconds{desk="nct"}') == 7200
    assert watched.figure('n2k_letters_at_rest{desk="nct"}') == 0
    assert watched.figure('n2k_register_stuck_seconds{desk="nct"}') == 0
    with watched.office.ledger.page() as page:
        page.record(Entry(Happened.REGISTER_STUCK, None, later(hours=1), "bookkeeping"))
    assert watched.figure('n2k_register_stuck_seconds{desk="nct"}') == 3600


def test_the_figures_name_nobody(watched: Watched) -> None:
    watched.office.opens_alert()
    watched.health.metrics.count(
        None, "info", {"event": "intake.decided", "desk": "nct", "outcome": "opened"}
    )
    told = watched.asked("/metrics")[1]

    assert "n2k_alerts_open" in told
    assert not re.search(r"SLA-|Fairweather|marchbanks|@", told, re.IGNORECASE)


# --- the heartbeat


@responses.activate
def test_the_heart_beats_while_nothing_is_amiss(watched: Watched) -> None:
    responses.get(BEAT, body="ok")
    watched.health.beat()

    assert len(responses.calls) == 1


@responses.activate
def test_it_stays_away_when_something_is(watched: Watched) -> None:
    watched.office.ledger.note([NotedMail("late", MONDAY)], "inbox", "c", MONDAY)
    watched.now = later(hours=2)
    watched.health.step(Outcome("posting", "nct"))
    watched.health.beat()

    assert len(responses.calls) == 0


@responses.activate
def test_a_watcher_that_is_away_is_no_trouble_of_ours(watched: Watched) -> None:
    responses.get(BEAT, body=ConnectionError("gone"))
    watched.health.beat()


# --- the audit


def laid(key: str, at: datetime) -> Letter:
    return Letter(key, "chase", AUTHOR, "s", "t", "h", at, (Reason("SLA-2026-0001", key, at.date()),))


def audited(office: Office, now: datetime) -> str:
    return " ".join(audit(office.desk, now))


def test_a_desk_on_which_all_goes_well_has_nothing_to_be_told() -> None:
    office = Office()
    office.opens_alert()
    for days in (1, 7, 8):
        office.works(later(days=days, hours=1))
        assert audited(office, later(days=days, hours=2)) == ""


def test_a_mail_that_nobody_reads_is_noticed_and_one_that_was_tried_is_somebody_elses_matter() -> None:
    office = Office()
    office.ledger.note([NotedMail("one", MONDAY), NotedMail("two", MONDAY)], "inbox", "c", MONDAY)
    with office.ledger.page() as page:
        page.failed("two")

    assert audited(office, later(hours=0.9)) == ""
    assert "1 mails have waited" in audited(office, later(hours=2))


def test_letters_that_are_stuck_are_noticed_unless_they_rest() -> None:
    office = Office()
    with office.ledger.page() as page:
        page.lay(laid("a" * 32, MONDAY))
        page.lay(laid("b" * 32, MONDAY))
        page.letter_moved("b" * 32, LetterState.SENDING, MONDAY)

    assert audited(office, later(hours=0.9)) == ""
    said = audited(office, later(days=2))
    assert "1 letters have been in doubt" in said
    assert "1 letters have lain in the tray" in said

    with office.ledger.page() as page:
        page.record(Entry(Happened.PAUSED, None, MONDAY, "command"))
    assert "lain" not in audited(office, later(days=2))


def test_an_alert_that_was_forgotten_is_named() -> None:
    """The agent took it in and then nobody was prompted: chasing was broken, perhaps."""
    office = Office()
    reference = office.opens_alert()

    assert audited(office, later(days=10)) == ""
    assert f"{reference} has been due a prompt for" in audited(office, later(days=40))
