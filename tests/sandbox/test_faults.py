"""Trouble on demand: throttling, refusals before and after applying, cut connections, delays."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests

from agent.sandbox.faults import Fault
from agent.sandbox.server import Sandbox
from tests.sandbox.mail_world import ALICE, N2K, Asker, inbox_of, mail, world


def test_a_refusal_comes_as_often_as_it_was_ordered(sandbox: Sandbox, ask: Asker) -> None:
    fault = sandbox.tenant.faults.add(Fault("GET", r"/messages$", nth=2, times=2, status=503, retry_after=7))
    answers = [ask("GET", "/messages") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert ask.error(answers[1]) == (503, "ErrorServerBusy")
    assert (fault.seen, fault.struck) == (4, 2)


def test_a_send_answered_504_may_have_been_applied_or_not(sandbox: Sandbox, ask: Asker) -> None:
    for fault, delivered in (
        (Fault("POST", r"/send$", status=504, when="after"), 1),
        (Fault("POST", r"/send$", status=504, when="before"), 1),
    ):
        draft = ask.draft()
        sandbox.tenant.faults.add(fault)
        assert ask.post(f"/messages/{draft['id']}/send").status_code == 504
        assert len(inbox_of(sandbox, ALICE)) == delivered
    assert [entry.applied for entry in sandbox.tenant.log.entries if entry.path.endswith("/send")] == [
        True,
        False,
    ]


def test_a_connection_is_cut_before_or_after_the_draft_was_made(sandbox: Sandbox, ask: Asker) -> None:
    for fault, drafts in (
        (Fault("POST", r"/messages$", drop=True), 0),
        (Fault("POST", r"/messages$", drop=True, when="after"), 1),
    ):
        sandbox.tenant.faults.add(fault)
        with pytest.raises(requests.ConnectionError):
            ask.post("/messages", {"subject": "Lost answer"})
        assert len(sandbox.tenant.mailbox(N2K).messages("drafts")) == drafts
    assert ask("GET", "/messages").ok
    assert [entry.status for entry in sandbox.tenant.log.entries] == [None, None, 200]


def test_no_answer_comes_and_the_connection_stays_open(sandbox: Sandbox, ask: Asker) -> None:
    for fault, drafts in (
        (Fault("POST", r"/messages$", hang=True), 0),
        (Fault("POST", r"/messages$", hang=True, when="after"), 1),
    ):
        sandbox.tenant.faults.add(fault)
        with pytest.raises(requests.ReadTimeout):
            ask.http.post(ask.user + "/messages", json={"subject": "Nothing heard"}, timeout=0.1)
        assert len(sandbox.tenant.mailbox(N2K).messages("drafts")) == drafts
    assert ask("GET", "/messages").ok


def test_a_web_page_comes_instead_of_the_answer(sandbox: Sandbox, ask: Asker) -> None:
    for fault, drafts in (
        (Fault("POST", r"/messages$", web_page=True), 0),
        (Fault("POST", r"/messages$", web_page=True, when="after"), 1),
    ):
        sandbox.tenant.faults.add(fault)
        answer = ask.post("/messages", {"subject": "Sign in"})
        assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
        assert len(sandbox.tenant.mailbox(N2K).messages("drafts")) == drafts


def test_a_send_may_be_accepted_and_still_say_retry_after(sandbox: Sandbox, ask: Asker) -> None:
    draft = ask.draft()
    sandbox.tenant.faults.add(Fault("POST", r"/send$", retry_after=30))
    answer = ask.post(f"/messages/{draft['id']}/send")
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "30")
    assert len(inbox_of(sandbox, ALICE)) == 1


def test_one_sent_copy_can_be_late(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.faults.add(Fault("POST", r"/send$", late_copy=90))
    for subject in ("Late", "Prompt"):
        ask.post(f"/messages/{ask.draft(subject)['id']}/send")
    assert ask.subjects("/messages") == ["Prompt"]
    sandbox.tenant.clock.advance(timedelta(seconds=90))
    sandbox.tenant.settle()
    assert [message.subject for message in sandbox.tenant.mailbox(N2K).messages("sentitems")] == [
        "Prompt",
        "Late",
    ]


def test_a_delay_makes_an_impatient_client_give_up(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.faults.add(Fault("GET", r"/messages$", delay=0.5))
    with pytest.raises(requests.ReadTimeout):
        ask.http.get(ask.user + "/messages", timeout=0.1)
    assert ask("GET", "/messages").ok


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 412, 423, 429, 500, 502, 503, 504])
def test_every_status_has_a_usual_answer(sandbox: Sandbox, ask: Asker, status: int) -> None:
    sandbox.tenant.faults.add(Fault(path=r"/messages$", status=status))
    code = ask.error(ask("GET", "/messages"))[1]
    assert code
    sandbox.tenant.faults.add(Fault(path=r"/messages$", status=status, code="MyCode", message="Mine"))
    assert ask.error(ask("GET", "/messages")) == (status, "MyCode")


def test_the_token_endpoint_can_fail_too(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.faults.add(Fault("POST", r"/oauth2/v2\.0/token$", status=503))
    url = f"{sandbox.base_url}/{sandbox.tenant_id}/oauth2/v2.0/token"
    assert ask.http.post(url, timeout=5).status_code == 503


def test_a_fifth_request_at_a_time_is_one_too_many(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.habits.latency = 0.3
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask("GET", "/messages"), range(6)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200, 200, 200, 200, 429, 429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert ask.error(refused) == (429, "ApplicationThrottled")
    assert "MailboxConcurrency" in refused.json()["error"]["message"]
    assert float(refused.headers["Retry-After"]) > 0


def test_too_many_requests_in_a_while_are_refused_until_it_has_passed(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.throttle.requests, sandbox.tenant.throttle.window = 3, 0.4
    assert [ask("GET", "/messages").status_code for _ in range(4)] == [200, 200, 200, 429]
    time.sleep(0.5)
    assert ask("GET", "/messages").ok


def test_without_throttling_nobody_is_refused() -> None:
    with world(throttle=False) as (sandbox, ask):
        sandbox.tenant.habits.latency = 0.2
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(lambda _: ask("GET", "/messages").ok, range(8)))


def test_hooks_see_each_request_before_and_after_it_is_carried_out(sandbox: Sandbox, ask: Asker) -> None:
    seen: list[Any] = []
    box = sandbox.tenant.mailbox(N2K)
    sandbox.tenant.on_request.append(
        lambda when, exchange: seen.append((when, exchange.method, len(box.messages("drafts"))))
    )
    ask.draft()
    assert seen == [("before", "POST", 0), ("after", "POST", 1)]


def test_the_log_can_be_kept_without_bodies_and_within_bounds(sandbox: Sandbox, ask: Asker) -> None:
    log = sandbox.tenant.log
    ask.draft("Kept")
    assert log.entries[-1].json()["subject"] == log.entries[-1].response_json()["subject"] == "Kept"
    log.bodies = False
    ask.draft("Not kept")
    assert log.entries[-1].body == log.entries[-1].response_body == b""
    log.bodies, log._keep_bytes = True, 10
    ask.draft("Too much")
    assert all(not entry.body and not entry.response_body for entry in log.entries)
    log.clear()
    assert log.entries == []


def test_a_sandbox_stops_promptly_with_requests_under_way() -> None:
    with world() as (sandbox, ask):
        sandbox.tenant.faults.add(Fault(path=r"/messages$", delay=60))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ask, "GET", "/messages")
            while not sandbox.tenant.log.entries:
                time.sleep(0.01)
            started = time.perf_counter()
            sandbox.stop()
            assert time.perf_counter() - started < 1.5
            with pytest.raises(requests.ConnectionError):
                waiting.result()


def test_people_act_while_the_server_answers(sandbox: Sandbox, ask: Asker) -> None:
    """Delivering and moving from other threads never disturbs an answer."""

    def deliver(number: int) -> None:
        (message,) = sandbox.tenant.deliver(mail(f"Mail {number}"), [N2K])
        if number % 2:
            sandbox.tenant.mailbox(N2K).move(message, "archive")

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(deliver, number) for number in range(60)]
        while not all(one.done() for one in work):
            assert ask("GET", "/mailFolders/inbox/messages?$top=100").ok
    rows, _ = ask.delta()
    assert len([row for row in rows if "subject" in row]) == 30
