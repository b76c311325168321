"""The control interface over HTTP, and a folder of mail files to start with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from agent.sandbox.clock import SandboxClock
from agent.sandbox.mail_folder import load_mail_folder
from agent.sandbox.server import Sandbox
from tests.sandbox.mail_world import ALICE, MONDAY, N2K, Asker, mail, world


class Control:
    """Whoever holds the control token."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.base = sandbox.control_url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(sandbox.ca_file)
        self.http.headers["X-Control-Token"] = sandbox.control_token

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.http.request(method, self.base + path, timeout=20, **more)


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[Control]:
    one = Control(sandbox)
    with one.http:
        yield one


def test_only_the_control_token_opens_it(sandbox: Sandbox, ask: Asker) -> None:
    assert ask("GET", f"{sandbox.control_url}/clock").status_code == 401
    assert ask("GET", f"{sandbox.control_url}/clock", headers={"X-Control-Token": "x"}).status_code == 401


def test_without_it_there_is_none() -> None:
    with world(control=False) as (sandbox, ask):
        assert ask("GET", f"{sandbox.base_url}/control/clock").status_code == 400


def test_the_clock_is_moved(sandbox: Sandbox, control: Control) -> None:
    assert control("POST", "/clock", json={"advance": 3600}).json() == {"now": "2026-03-02T10:00:00+00:00"}
    control("POST", "/clock", json={"now": "2026-03-09T09:00:00+00:00"})
    assert sandbox.tenant.clock.now().day == 9
    assert control("POST", "/clock", json={"now": "2026-03-09T09:00:00"}).status_code == 400


def test_mail_is_delivered_and_looked_at(control: Control) -> None:
    delivered = control("POST", "/deliver", params={"mailbox": N2K}, data=mail("From outside"))
    assert delivered.status_code == 201
    (shown,) = control("GET", f"/mailboxes/{N2K}/messages").json()["messages"]
    assert (shown["subject"], shown["folder"]) == ("From outside", "Inbox")
    assert b"From outside" in control("GET", f"/mailboxes/{N2K}/messages/{shown['id']}/mime").content
    boxes = {box["address"]: box for box in control("GET", "/mailboxes").json()["mailboxes"]}
    assert boxes[N2K]["folders"]["Inbox"] == 1


def test_mailboxes_are_added_and_changed(sandbox: Sandbox, control: Control) -> None:
    assert control("POST", "/mailboxes", json={"address": "new@nctrust.example", "in_scope": True}).ok
    control("PATCH", "/mailboxes/new@nctrust.example", json={"automatic_reply": "Away"})
    assert sandbox.tenant.mailbox("new@nctrust.example").is_away


def test_faults_are_ordered_counted_and_taken_back(control: Control, ask: Asker) -> None:
    ordered = control("POST", "/faults", json={"path": "/messages$", "status": 429, "times": None}).json()
    assert ask("GET", "/messages").status_code == 429
    (shown,) = control("GET", "/faults").json()["faults"]
    assert shown["struck"] == 1
    control("DELETE", f"/faults/{ordered['id']}")
    assert ask("GET", "/messages").ok
    control("POST", "/faults", json={"status": 500})
    control("DELETE", "/faults")
    assert ask("GET", "/messages").ok


@pytest.mark.parametrize("body", [{"shoe_size": 44}, {"path": "("}, {"delay": "x", "nth": []}])
def test_a_fault_that_makes_no_sense_is_refused(control: Control, ask: Asker, body: dict[str, Any]) -> None:
    refused = control("POST", "/faults", json=body)
    assert refused.status_code == 400
    assert refused.json()["problem"]
    assert ask("GET", "/messages").ok


def test_tokens_and_cursors_are_taken_away(control: Control, ask: Asker) -> None:
    _, link = ask.delta()
    control("POST", "/delta/evict")
    assert ask("GET", link).status_code == 410
    control("POST", "/tokens/revoke")
    assert ask("GET", "/messages").status_code == 401


def test_habits_are_changed(sandbox: Sandbox, control: Control) -> None:
    assert control("POST", "/habits", json={"empty_pages": 2}).json()["empty_pages"] == 2
    assert sandbox.tenant.habits.empty_pages == 2
    assert control("POST", "/habits", json={"shoe_size": 44}).status_code == 400


def test_the_requests_are_told_but_not_those_to_the_control_interface(control: Control, ask: Asker) -> None:
    ask.draft("Seen")
    (shown,) = control("GET", "/requests", params={"bodies": "true"}).json()["requests"]
    assert (shown["method"], shown["status"], shown["mailbox"]) == ("POST", 201, N2K)
    assert "Seen" in shown["body"]
    assert control("GET", "/requests", params={"after": shown["number"]}).json() == {"requests": []}
    control("DELETE", "/requests")
    assert control("GET", "/requests").json() == {"requests": []}


def test_a_folder_of_mail_files_fills_mailboxes_in_the_order_written(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    for address, day in ((N2K, 27), (N2K, 26), ("new@nctrust.example", 25)):
        room = tmp_path / address
        room.mkdir(exist_ok=True)
        written = mail(f"Day {day}", ALICE, Date=f"Fri, {day} Feb 2026 10:00:00 +0000")
        (room / f"{30 - day}.eml").write_bytes(written)
    (tmp_path / N2K / "3-future.eml").write_bytes(mail("Future", Date="Fri, 27 Feb 2099 10:00:00 +0000"))
    (tmp_path / N2K / "notes.txt").write_text("no mail")
    assert load_mail_folder(sandbox.tenant, tmp_path) == 4
    arrived = sandbox.tenant.mailbox(N2K).messages("inbox")
    assert [message.subject for message in arrived] == ["Day 26", "Day 27", "Future"]
    assert arrived[2].received_at == MONDAY
    (first,) = sandbox.tenant.mailbox("new@nctrust.example").messages("inbox")
    assert first.received_at == datetime(2026, 2, 25, 10, tzinfo=UTC)


def test_a_clock_stands_still_or_runs_on() -> None:
    still, running = SandboxClock(MONDAY), SandboxClock(MONDAY, ticking=True)
    assert still.now() == still.now() == MONDAY
    first = running.now()
    assert MONDAY <= first <= running.now()
    with pytest.raises(ValueError, match="needs a time with a zone"):
        still.set(MONDAY.replace(tzinfo=None))
