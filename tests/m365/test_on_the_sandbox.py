"""Graph and the real mailbox against the embedded Microsoft 365, with its pleasant and unpleasant habits."""

from __future__ import annotations

import importlib.util
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import pytest

from agent import errors
from agent.m365.graph import Graph, open_graph
from agent.mailbox.base import OutgoingLetter
from agent.mailbox.outlook import CONFIDENTIAL, SENSITIVITY, OutlookMailbox
from agent.sandbox.faults import Fault
from agent.sandbox.mailboxes import Mailbox
from agent.sandbox.mime import written_afresh
from agent.sandbox.request_log import Exchange
from agent.sandbox.server import Sandbox
from agent.sandbox.stored import StoredMessage
from agent.settings import Tenant
from tests.letters.samples import samples

DESK, SAM = "needtoknow@nctrust.example", "sam@nctrust.example"
ALERTS = ("Need to Know", "Alerts")
KEY = "chase/SLA-2026-0001/1"
CONTRACT = Path(__file__).parents[2] / "../shared/graph"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    start = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    with Sandbox(start=start, domains=("nctrust.example",), control=False) as sandbox:
        sandbox.tenant.add_mailbox(DESK, "Need to Know", in_scope=True)
        sandbox.tenant.add_mailbox(SAM, "Sam Example")
        yield sandbox


@pytest.fixture
def tenant(sandbox: Sandbox) -> Tenant:
    return Tenant(
        id=sandbox.tenant_id,
        client=sandbox.client_id,
        certificate=str(sandbox.certificate_file),
        authority=sandbox.base_url,
        graph=sandbox.base_url,
        ca_file=str(sandbox.ca_file),
    )


@pytest.fixture
def graph(tenant: Tenant) -> Iterator[Graph]:
    graph = open_graph(tenant, threading.Event())
    yield graph
    graph.close()


@pytest.fixture
def mailbox(graph: Graph) -> OutlookMailbox:
    return OutlookMailbox(graph, DESK)


def deliver(sandbox: Sandbox) -> str:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = SAM, DESK, "SLA – Alert"
    mail.set_content("Please see the form.")
    return sandbox.tenant.deliver(mail.as_bytes(policy=policy.SMTP), [DESK])[0].immutable_id


def letter(key: str = KEY) -> OutgoingLetter:
    html = '<p>Please send an update. <img src="cid:seal"></p>'
    return OutgoingLetter(key, SAM, "Update wanted: SLA-2026-0001", "text", html, (("seal", b"\x89PNG"),))


def desk_of(sandbox: Sandbox) -> Mailbox:
    return sandbox.tenant.mailbox(DESK)


def arrived(sandbox: Sandbox) -> list[StoredMessage]:
    return sandbox.tenant.mailbox(SAM).messages("inbox")


def asked(sandbox: Sandbox, method: str = "") -> list[Exchange]:
    """The requests to Graph so far, by method."""
    return [
        had for had in sandbox.tenant.log.entries if had.path.startswith("/v1.0/") and method in had.method
    ]


def token_requests(sandbox: Sandbox) -> int:
    return sum(had.path.endswith("/oauth2/v2.0/token") for had in sandbox.tenant.log.entries)


# Signing in


def test_certificate_and_secret_both_sign_in(
    sandbox: Sandbox, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox checks the signature as Entra does."""
    monkeypatch.setenv("N2K_TEST_SECRET", sandbox.client_secret)
    for credential in (tenant, replace(tenant, certificate="", secret_from="env:N2K_TEST_SECRET")):
        graph = open_graph(credential, threading.Event())
        assert list(OutlookMailbox(graph, DESK).listing())
        graph.close()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            {"certificate": "", "secret_from": "env:N2K_TEST_SECRET"},
            "secret in env:N2K_TEST_SECRET is not right",
        ),
        ({"id": "99999999-8888-7777-6666-555555555555"}, "there is no tenant 99999999"),
        ({"client": "99999999-8888-7777-6666-555555555555"}, "the app 99999999.* is not known in the tenant"),
    ],
)
def test_a_wrong_word_in_the_configuration_is_named(
    tenant: Tenant, wrong: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2K_TEST_SECRET", "a guess")
    graph = open_graph(replace(tenant, **wrong), threading.Event())

    with pytest.raises(errors.NotAllowed, match=sentence):
        list(OutlookMailbox(graph, DESK).listing())
    graph.close()


def test_work_goes_on_when_tokens_run_out_or_are_revoked(sandbox: Sandbox, mailbox: OutlookMailbox) -> None:
    cursor = list(mailbox.changes(None))[-1].cursor
    sandbox.tenant.revoke_tokens()
    sandbox.tenant.token_lifetime = 1.0
    for _ in range(3):
        cursor = list(mailbox.changes(cursor))[-1].cursor

    assert [had.status for had in asked(sandbox)] == [200, 401, 200, 200, 200]
    assert token_requests(sandbox) == 4


def test_a_mailbox_outside_the_apps_scope_is_refused_with_the_permission_to_check(graph: Graph) -> None:
    with pytest.raises(
        errors.NotAllowed, match=r"Mail\.ReadWrite, and the mailbox must lie within its scope"
    ):
        list(OutlookMailbox(graph, SAM).changes(None))


def test_a_misspelt_mailbox_is_told_as_such_and_never_as_a_missing_mail(graph: Graph) -> None:
    """A mail that is “not found” is given up; a mailbox that is not found must stop the desk instead."""
    with pytest.raises(errors.NotAllowed, match="no such mailbox"):
        OutlookMailbox(graph, "needtokwon@nctrust.example").mime("AAMk1")


# Sending

SEND_ANSWERS: list[tuple[Fault, type[errors.AgentError]]] = [
    (Fault("POST", "/send$", when="after", status=504), errors.OutcomeUnknown),
    (Fault("POST", "/send$", when="after", status=500), errors.OutcomeUnknown),
    (Fault("POST", "/send$", when="after", drop=True), errors.OutcomeUnknown),
    (Fault("POST", "/send$", when="after", status=429, retry_after=1), errors.TryAgainLater),
    (Fault("POST", "/send$", when="after", status=503, retry_after=1), errors.TryAgainLater),
]


@pytest.mark.parametrize(("fault", "meaning"), SEND_ANSWERS)
def test_a_send_that_worked_but_said_otherwise_delivers_one_letter_that_is_found_as_sent(
    sandbox: Sandbox, mailbox: OutlookMailbox, fault: Fault, meaning: type[errors.AgentError]
) -> None:
    draft = mailbox.draft(letter())
    sandbox.tenant.faults.add(replace(fault))

    with pytest.raises(errors.TryAgainLater) as raised:
        mailbox.send(draft.mail_id)

    assert type(raised.value) is meaning
    assert len(arrived(sandbox)) == 1
    assert [copy.is_draft for copy in mailbox.copies(KEY)] == [False]
    with pytest.raises(errors.NotFound):
        mailbox.send(draft.mail_id)
    assert len(arrived(sandbox)) == 1


@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_send_that_never_happened_leaves_its_draft_to_be_found(
    sandbox: Sandbox, mailbox: OutlookMailbox, status: int
) -> None:
    draft = mailbox.draft(letter())
    sandbox.tenant.faults.add(Fault("POST", "/send$", when="before", status=status))

    with pytest.raises(errors.OutcomeUnknown):
        mailbox.send(draft.mail_id)

    assert [copy.mail_id for copy in mailbox.copies(KEY) if copy.is_draft] == [draft.mail_id]
    mailbox.send(draft.mail_id)
    assert len(arrived(sandbox)) == 1


def test_an_accepted_send_is_done_even_with_a_retry_after(sandbox: Sandbox, mailbox: OutlookMailbox) -> None:
    draft = mailbox.draft(letter())
    sandbox.tenant.faults.add(Fault("POST", "/send$", retry_after=30))

    mailbox.send(draft.mail_id)

    assert len(arrived(sandbox)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", "/messages$", when="after", status=504),
        Fault("POST", "/messages$", when="after", status=503, retry_after=1),
        Fault("POST", "/messages$", when="after", drop=True),
    ],
)
def test_a_draft_whose_answer_was_lost_is_found_by_its_key_and_not_made_twice(
    sandbox: Sandbox, mailbox: OutlookMailbox, fault: Fault
) -> None:
    sandbox.tenant.faults.add(replace(fault))

    with pytest.raises(errors.TryAgainLater):
        mailbox.draft(letter())

    assert [copy.is_draft for copy in mailbox.copies(KEY)] == [True]


def test_a_letter_arrives_as_it_was_written(sandbox: Sandbox, graph: Graph, mailbox: OutlookMailbox) -> None:
    """Confidential, important, its picture inside, and asking for no automatic chatter."""
    mailbox.send(mailbox.draft(letter()).mail_id)

    (mail,) = (message_from_bytes(written_afresh(one), policy=policy.default) for one in arrived(sandbox))
    headers = {name.lower(): value for name, value in mail.items()}
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert mail["To"].addresses[0].addr_spec == SAM
    assert mail["Subject"] == "Update wanted: SLA-2026-0001"
    assert headers["x-need-to-know-letter"] == KEY
    assert "AutoReply" in headers["x-auto-response-suppress"]
    assert [(part["Content-ID"], part.get_content()) for part in pictures] == [("<seal>", b"\x89PNG")]
    wanted = {"$expand": f"singleValueExtendedProperties($filter=id eq '{SENSITIVITY}')"}
    (sent,) = graph.get_json(f"/users/{DESK}/mailFolders/sentitems/messages", wanted)["value"]
    assert (sent["importance"], sent["singleValueExtendedProperties"][0]["value"]) == ("high", CONFIDENTIAL)


def test_every_kind_of_letter_asks_for_no_automatic_chatter_and_is_known_again(
    sandbox: Sandbox, mailbox: OutlookMailbox
) -> None:
    written = samples()
    for name, one in written.items():
        sent = OutgoingLetter(name, SAM, one.subject, one.text, one.html, one.pictures, one.attachments)
        mailbox.send(mailbox.draft(sent).mail_id)

    found = [message_from_bytes(written_afresh(one), policy=policy.default) for one in arrived(sandbox)]
    assert {mail["x-need-to-know-letter"] for mail in found} == written.keys()
    for mail in found:
        wanted = set(mail["x-auto-response-suppress"].replace(" ", "").split(","))
        assert {"AutoReply", "RN", "NRN"} <= wanted, mail["x-need-to-know-letter"]
        assert wanted.isdisjoint({"All", "OOF", "NDR"})  # that somebody is away, or gone, has to be known


def test_that_somebody_is_away_or_unknown_is_heard_of(sandbox: Sandbox, mailbox: OutlookMailbox) -> None:
    sandbox.tenant.mailbox(SAM).automatic_reply = "I am away until Monday."
    mailbox.send(mailbox.draft(letter()).mail_id)
    mailbox.send(mailbox.draft(replace(letter("chase/2"), to="nobody@nctrust.example")).mail_id)

    subjects = sorted(mail.subject.partition(":")[0] for mail in desk_of(sandbox).messages("inbox"))

    assert subjects == ["Automatic reply", "Undeliverable"]


# Changes


def test_a_cursor_that_dies_between_two_pages_says_so(sandbox: Sandbox, graph: Graph) -> None:
    mailbox = OutlookMailbox(graph, DESK, page_size=1)
    for _ in range(3):
        deliver(sandbox)
    pages = mailbox.changes(None)
    next(pages)
    sandbox.tenant.evict_delta_tokens()

    with pytest.raises(errors.CursorGone):
        next(pages)


def test_a_cursor_that_graph_cannot_read_leads_to_a_full_round(mailbox: OutlookMailbox) -> None:
    """Whatever happened to it where it was kept, the desk must not stand still for it."""
    cursor = list(mailbox.changes(None))[-1].cursor

    with pytest.raises(errors.CursorGone):
        list(mailbox.changes(cursor.replace("deltatoken=", "deltatoken=AAAA")))


def test_a_cursor_names_no_host(sandbox: Sandbox, mailbox: OutlookMailbox) -> None:
    """So that nobody who can write to the ledger can send the token elsewhere."""
    assert list(mailbox.changes(None))[-1].cursor.startswith("/users/")


def test_sparse_repeated_replayed_and_empty_pages_are_taken_as_they_come(
    sandbox: Sandbox, mailbox: OutlookMailbox
) -> None:
    habits = sandbox.tenant.habits
    habits.repeat_rows, habits.replay, habits.empty_pages = True, 5, 2
    old = deliver(sandbox)
    cursor = list(mailbox.changes(None))[-1].cursor
    message = desk_of(sandbox).message(old)
    desk_of(sandbox).mark_read(message)
    desk_of(sandbox).mark_read(message, is_read=False)
    new = deliver(sandbox)

    pages = list(mailbox.changes(cursor))

    assert {row.mail_id for page in pages for row in page.mails} == {old, new}
    assert [(len(page.mails), page.last) for page in pages[:2]] == [(0, False), (0, False)]


def test_a_mail_moved_away_and_back_is_lost_to_changes_but_not_to_the_listing(
    sandbox: Sandbox, mailbox: OutlookMailbox
) -> None:
    cursor = list(mailbox.changes(None))[-1].cursor
    mail_id = deliver(sandbox)
    box = desk_of(sandbox)
    box.move(box.move(box.message(mail_id), "archive"), "inbox")

    changed = [row for page in mailbox.changes(cursor) for row in page.mails if not row.removed]

    assert changed == []
    assert [row.mail_id for page in mailbox.listing() for row in page] == [mail_id]


# Filing


def test_filing_takes_as_few_requests_as_it_can(sandbox: Sandbox, mailbox: OutlookMailbox) -> None:
    """Each mail: move, which tells how it stands, and add categories; again: only move."""
    mailbox.file(deliver(sandbox), ALERTS, ("SLA-2026-0001",))
    second = deliver(sandbox)
    sandbox.tenant.log.clear()

    mailbox.file(second, ALERTS, ("SLA-2026-0001",))
    mailbox.file(second, ALERTS, ("SLA-2026-0001",))

    assert [had.method for had in asked(sandbox)] == ["POST", "PATCH", "POST"]


def test_categories_are_added_on_condition_that_nobody_changed_the_mail_meanwhile(
    sandbox: Sandbox, mailbox: OutlookMailbox
) -> None:
    mail_id = deliver(sandbox)
    etag = f'W/"{desk_of(sandbox).message(mail_id).change_key}"'

    mailbox.file(mail_id, (), ("Late",))

    assert [had.headers.get("if-match") for had in asked(sandbox, "PATCH")] == [etag]


def before(sandbox: Sandbox, method: str, path_end: str, happens: Callable[[], object]) -> None:
    """Something happens in Outlook just before the first such request is carried out."""
    waiting = [happens]

    def hook(when: Literal["before", "after"], had: Exchange) -> None:
        if when == "before" and waiting and had.method == method and had.path.endswith(path_end):
            waiting.pop()()

    sandbox.tenant.on_request.append(hook)


def test_a_folder_that_somebody_makes_first_is_used(sandbox: Sandbox, mailbox: OutlookMailbox) -> None:
    box = desk_of(sandbox)
    before(sandbox, "POST", "/mailFolders", lambda: box.add_folder(box.root, "Need to Know"))
    mail_id = deliver(sandbox)

    mailbox.file(mail_id, ALERTS, ())

    assert box.message(mail_id).folder_path == "Need to Know/Alerts"


def test_a_folder_that_somebody_deleted_is_made_again(sandbox: Sandbox, mailbox: OutlookMailbox) -> None:
    """The mail was never gone, so it must not be given up."""
    box = desk_of(sandbox)
    mailbox.file(deliver(sandbox), ALERTS, ())
    gone = box.folder_at("Need to Know")
    box.root.children.remove(gone)
    for folder in (gone, *gone.descendants()):
        del box._folders[folder.id]
    mail_id = deliver(sandbox)

    mailbox.file(mail_id, ALERTS, ())

    assert box.message(mail_id).folder_path == "Need to Know/Alerts"


def test_a_folder_thrown_away_with_its_mails_gets_no_more_of_them(
    sandbox: Sandbox, mailbox: OutlookMailbox
) -> None:
    """In Outlook it then lies in Deleted Items under the id that it always had."""
    box = desk_of(sandbox)
    mailbox.file(deliver(sandbox), ALERTS, ())
    thrown = box.folder_at("Need to Know")
    box.root.children.remove(thrown)
    thrown.parent = box.known("deleteditems")
    thrown.parent.children.append(thrown)
    mail_id = deliver(sandbox)
    list(mailbox.changes(None))

    mailbox.file(mail_id, ALERTS, ())

    assert box.message(mail_id).folder_path == "Need to Know/Alerts"


def test_a_move_whose_answer_was_lost_is_settled_by_a_look(sandbox: Sandbox, mailbox: OutlookMailbox) -> None:
    mail_id = deliver(sandbox)
    sandbox.tenant.faults.add(Fault("POST", "/move$", when="after", drop=True))

    mailbox.file(mail_id, ALERTS, ("Late",))

    message = desk_of(sandbox).message(mail_id)
    assert (message.folder_path, message.categories) == ("Need to Know/Alerts", ["Late"])
    assert sum(had.path.endswith("/move") for had in asked(sandbox)) == 1


# Limits and shapes


def test_many_threads_stay_below_the_mailboxs_limit(sandbox: Sandbox, mailbox: OutlookMailbox) -> None:
    """Four at a time are allowed; nobody is ever told to slow down."""
    mails = [deliver(sandbox) for _ in range(12)]
    sandbox.tenant.habits.latency = 0.02
    threads = [threading.Thread(target=mailbox.mime, args=(mail_id,)) for mail_id in mails]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [had.status for had in asked(sandbox)] == [200] * 12


@pytest.fixture
def contract() -> Any:
    """Microsoft's published shapes, as a checker."""
    if not CONTRACT.is_dir():
        pytest.skip("the published contract (../shared/graph) is not beside this checkout")
    spec = importlib.util.spec_from_file_location("graph_contract", CONTRACT / "graph_contract.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the checker leaves its file to the collector
        return module.Contract(CONTRACT / "openapi-subset.yaml")


def test_every_request_keeps_graphs_published_contract(
    sandbox: Sandbox, mailbox: OutlookMailbox, contract: Any
) -> None:
    mail_id = deliver(sandbox)
    cursor = list(mailbox.changes(None))[-1].cursor
    list(mailbox.changes(cursor))
    list(mailbox.listing())
    mailbox.mime(mail_id)
    mailbox.file(mail_id, ALERTS, ("SLA-2026-0001",))
    mailbox.send(mailbox.draft(letter("it's/an odd & key+")).mail_id)
    mailbox.copies("it's/an odd & key+")

    problems = [
        (had.method, had.path, problem)
        for had in asked(sandbox)
        for problem in contract.check_request(had.method, had.url, had.json(), had.headers)
    ]

    assert problems == []
    assert len(asked(sandbox)) >= 12
