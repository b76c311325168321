"""What becomes of a request to Graph, for every way in which the answer may come or fail to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from agent import errors
from agent.m365.answers import Rejected
from agent.m365.graph import Graph, open_graph
from agent.settings import Tenant
from tests.m365.wire import MAILBOX, WEB_PAGE, Answer, RecordedStop, Wire, refusal

INBOX = f"/users/{MAILBOX}/mailFolders/inbox"
SEND = f"/users/{MAILBOX}/messages/AAMk1/send"
DRAFTS = f"/users/{MAILBOX}/messages"

Ask = Callable[[Graph], object]


def read(graph: Graph) -> object:
    return graph.get_json(INBOX)


def create(graph: Graph) -> object:
    return graph.post_json(DRAFTS, {"subject": "s"})


def send(graph: Graph) -> object:
    return graph.post_once(SEND)


def change_freely(graph: Graph) -> object:
    return graph.patch_json(f"{DRAFTS}/AAMk1", {"categories": ["a"]}, repeat=True)


def upload(graph: Graph) -> object:
    return graph.put_bytes("/drives/d/items/i/content", b"xlsx", {"If-Match": '"1"'})


@pytest.mark.parametrize("ask", [read, create, change_freely, upload])
@pytest.mark.parametrize("status", [429, 503])
def test_a_request_that_was_throttled_is_put_again_after_the_wait_that_graph_asks_for(
    graph: Graph, wire: Wire, stop: RecordedStop, ask: Ask, status: int
) -> None:
    wire.say(refusal(status, "ApplicationThrottled", Retry_After="7"), Answer(body={"id": "1"}))

    ask(graph)

    assert (len(wire.requests), stop.waits) == (2, [7.0])


def test_retry_after_may_be_a_date_which_is_set_against_the_servers_own_clock(
    graph: Graph, wire: Wire, stop: RecordedStop
) -> None:
    """Our clock may be wrong; the difference between the server's two times is not."""
    later = Answer(
        503, {}, {"Date": "Mon, 02 Mar 2026 09:00:00 GMT", "Retry-After": "Mon, 02 Mar 2026 09:00:21 GMT"}
    )
    wire.say(later)

    read(graph)

    assert stop.waits == [21.0]


@pytest.mark.parametrize("told", ["soon", "-5", "nan", "1e9", ""])
def test_a_retry_after_that_nobody_can_read_is_a_short_wait_of_our_own(
    graph: Graph, wire: Wire, stop: RecordedStop, told: str
) -> None:
    wire.say(refusal(429, "TooManyRequests", Retry_After=told))

    read(graph)

    assert stop.waits == [1.0]


def test_a_long_wait_is_handed_on_so_that_other_desks_go_first(
    graph: Graph, wire: Wire, stop: RecordedStop
) -> None:
    wire.say(refusal(429, "ApplicationThrottled", Retry_After="315"))

    with pytest.raises(errors.TryAgainLater) as raised:
        read(graph)

    assert (raised.value.wait, len(wire.requests), stop.waits) == (315.0, 1, [])


def test_waits_add_up_and_end_at_the_limit_of_patience(graph: Graph, wire: Wire, stop: RecordedStop) -> None:
    wire.say(*[refusal(429, "ApplicationThrottled", Retry_After="25")] * 9)

    with pytest.raises(errors.TryAgainLater):
        read(graph)

    assert stop.waits == [25.0, 25.0]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 509])
def test_reading_outlives_a_hiccup_of_the_server(graph: Graph, wire: Wire, status: int) -> None:
    wire.say(refusal(status, "UnknownError"), Answer(body={"id": "inbox"}))

    assert graph.get_json(INBOX) == {"id": "inbox"}


def test_reading_is_given_up_after_five_tries(graph: Graph, wire: Wire, stop: RecordedStop) -> None:
    wire.say(*[refusal(502, "BadGateway")] * 9)

    with pytest.raises(errors.TryAgainLater):
        read(graph)

    assert (len(wire.requests), stop.waits) == (5, [1.0, 2.0, 4.0, 8.0])


DOUBTS = {
    "504": refusal(504, "MaxRequestDurationExceeded"),
    "500": refusal(500, "ErrorInternalServerError"),
    "503 without Retry-After": refusal(503, "ServiceUnavailable"),
    "connection dropped": Answer(then="drop"),
    "TLS stream broken": Answer(then="garbage"),
    "a proxy's page": WEB_PAGE,
    "a proxy's refusal": Answer(403, b"<html>", {"Content-Type": "text/html; charset=utf-8"}),
    "a page that pretends to throttle": Answer(
        429, b"<html>", {"Content-Type": "text/html", "Retry-After": "1"}
    ),
}


@pytest.mark.parametrize("answer", DOUBTS.values(), ids=DOUBTS)
@pytest.mark.parametrize("ask", [create, send, upload])
def test_a_change_whose_answer_is_lost_is_put_exactly_once_and_called_unknown(
    graph: Graph, wire: Wire, ask: Ask, answer: Answer
) -> None:
    """Whoever asked has to look before anything is repeated: a letter sent twice is a letter too many."""
    wire.say(answer)

    with pytest.raises(errors.OutcomeUnknown):
        ask(graph)

    assert len(wire.requests) == 1


@pytest.mark.parametrize("answer", DOUBTS.values(), ids=DOUBTS)
def test_a_change_that_may_be_made_twice_never_ends_in_doubt(
    graph: Graph, wire: Wire, answer: Answer
) -> None:
    wire.say(*[answer] * 9)

    with pytest.raises(errors.TryAgainLater) as raised:
        change_freely(graph)

    assert not isinstance(raised.value, errors.OutcomeUnknown)


@pytest.mark.parametrize("status", [429, 503])
def test_a_send_that_was_refused_is_not_put_again_before_somebody_has_looked(
    graph: Graph, wire: Wire, stop: RecordedStop, status: int
) -> None:
    """Exchange has been seen to throttle a send and to deliver the mail all the same."""
    wire.say(refusal(status, "ApplicationThrottled", Retry_After="3"))

    with pytest.raises(errors.TryAgainLater) as raised:
        send(graph)

    assert not isinstance(raised.value, errors.OutcomeUnknown)
    assert (raised.value.wait, len(wire.requests), stop.waits) == (3.0, 1, [])


def test_a_retry_after_on_an_accepted_send_means_nothing(graph: Graph, wire: Wire) -> None:
    wire.say(Answer(202, b"", {"Retry-After": "30"}))

    send(graph)

    assert len(wire.requests) == 1


def test_being_sent_elsewhere_is_no_answer(graph: Graph, wire: Wire) -> None:
    """A sign-in portal's redirect has no body: it must pass neither for a send accepted nor for a mail."""
    elsewhere = Answer(302, b"", {"Location": "https://portal.example/"})
    wire.say(elsewhere, elsewhere)

    with pytest.raises(errors.OutcomeUnknown):
        send(graph)
    with pytest.raises(errors.TryAgainLater):
        graph.get_bytes(f"{DRAFTS}/AAMk1/$value")


def test_nothing_was_done_when_no_connection_could_be_made(
    tenant: Tenant, wire: Wire, stop: RecordedStop
) -> None:
    """So even a send is no doubt, and a new draft may be tried again."""
    graph = open_graph(replace(tenant, graph="https://127.0.0.1:1"), stop)
    try:
        with pytest.raises(errors.TryAgainLater) as raised:
            create(graph)
    finally:
        graph.close()

    assert not isinstance(raised.value, errors.OutcomeUnknown)
    assert stop.waits == [1.0, 2.0, 4.0, 8.0]


MEANINGS = [
    (refusal(401, "InvalidAuthenticationToken"), errors.NotAllowed),
    (refusal(403, "ErrorAccessDenied"), errors.NotAllowed),
    (refusal(404, "ErrorItemNotFound"), errors.NotFound),
    (refusal(404, "ErrorInvalidUser"), errors.NoMailbox),
    (refusal(404, "MailboxNotEnabledForRESTAPI"), errors.NoMailbox),
    (refusal(404, ""), errors.TryAgainLater),
    (Answer(404, b"no such address"), errors.TryAgainLater),
    (refusal(409, "ErrorFolderExists"), errors.ChangedMeanwhile),
    (refusal(410, "SyncStateNotFound"), errors.CursorGone),
    (refusal(400, "SyncStateNotFound"), errors.CursorGone),
    (Answer(410, b""), errors.CursorGone),
    (refusal(412, "ErrorIrresolvableConflict"), errors.ChangedMeanwhile),
    (refusal(423, "resourceLocked"), errors.Locked),
    (refusal(400, "ErrorInvalidIdMalformed"), Rejected),
    (refusal(413, "RequestEntityTooLarge"), Rejected),
    (Answer(400, ["not", "an", "object"]), Rejected),
    (Answer(400, {"error": "a text"}), Rejected),
    (WEB_PAGE, errors.TryAgainLater),
    (Answer(302, b"", {"Location": "https://portal.example/"}), errors.TryAgainLater),
    (Answer(200, b"{not json"), errors.TryAgainLater),
    (Answer(200, ["a", "list"]), errors.TryAgainLater),
    (Answer(200, b""), errors.TryAgainLater),
]


@pytest.mark.parametrize(("answer", "meaning"), MEANINGS, ids=lambda value: getattr(value, "__name__", None))
def test_each_answer_has_one_meaning_and_a_sentence_that_quotes_no_body(
    graph: Graph, wire: Wire, answer: Answer, meaning: type[errors.AgentError]
) -> None:
    """A missing mail is only believed when Graph itself says so: whoever hears it gives the mail up."""
    wire.say(answer, answer)

    with pytest.raises(errors.AgentError) as raised:
        read(graph)

    assert type(raised.value) is meaning
    assert "GET /v1.0/users/needtoknow@nctrust.example/mailFolders/inbox" in str(raised.value)
    assert "repeated to anybody" not in str(raised.value)


@pytest.mark.parametrize(
    ("ask", "permission"),
    [(read, "Mail.ReadWrite"), (send, "Mail.Send"), (upload, "Sites.Selected")],
)
def test_a_refusal_names_the_permission_that_is_missing(
    graph: Graph, wire: Wire, ask: Ask, permission: str
) -> None:
    wire.say(refusal(403, "ErrorAccessDenied"))

    with pytest.raises(errors.NotAllowed, match=permission):
        ask(graph)


def test_pages_are_followed_over_empty_ones_until_the_last(graph: Graph, wire: Wire) -> None:
    base = f"{wire.base}/v1.0{INBOX}/messages"
    wire.say(
        Answer(body={"value": [{"id": "1"}], "@odata.nextLink": f"{base}?$skip=1"}),
        Answer(body={"value": [], "@odata.nextLink": f"{base}?$skip=2"}),
        Answer(body={"value": [{"id": "2"}]}),
    )

    rows = [
        row["id"] for page in graph.pages(f"{INBOX}/messages", {"$select": "id"}) for row in page["value"]
    ]

    assert rows == ["1", "2"]
    assert [seen.path.partition("?")[2] for seen in wire.requests] == ["$select=id", "$skip=1", "$skip=2"]


def test_pages_that_lead_in_a_circle_end(graph: Graph, wire: Wire) -> None:
    link = f"{wire.base}/v1.0{INBOX}/messages"
    wire.say(*[Answer(body={"value": [], "@odata.nextLink": link})] * 9)

    with pytest.raises(errors.TryAgainLater, match="circle"):
        list(graph.pages(f"{INBOX}/messages"))


def test_an_answer_that_is_no_page_is_not_taken_for_an_empty_one(graph: Graph, wire: Wire) -> None:
    wire.say(Answer(body={"id": "x"}))

    with pytest.raises(errors.TryAgainLater):
        list(graph.pages(f"{INBOX}/messages"))


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.evil.example/v1.0/users",
        "http://127.0.0.1:{port}/v1.0/users",
        "https://127.0.0.1:{port}.evil.example/v1.0/users",
        "https://127.0.0.1:{port}@evil.example/v1.0/users",
        "https://127.0.0.1:1/v1.0/users",
    ],
)
def test_a_next_page_elsewhere_is_refused_and_the_token_stays_here(
    graph: Graph, wire: Wire, link: str
) -> None:
    wire.say(Answer(body={"value": [], "@odata.nextLink": link.format(port=wire.server_port)}))

    with pytest.raises(errors.NeedsAPerson, match="not Microsoft 365"):
        list(graph.pages(f"{INBOX}/messages"))

    assert len(wire.requests) == 1


def test_a_download_goes_where_graph_says_and_without_the_token(graph: Graph, wire: Wire) -> None:
    wire.say(Answer(302, b"", {"Location": f"{wire.base}/download/1?key=k"}), Answer(200, b"PK workbook"))

    assert graph.download("/drives/d/items/i/content") == b"PK workbook"
    first, second = wire.requests
    assert first.token
    assert "authorization" not in second.headers


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/x",
        "https://sharepoint.com.evil.example/x",
        "http://nctrust.sharepoint.com/x",
        "",
    ],
)
def test_a_download_from_anywhere_else_is_refused(graph: Graph, wire: Wire, location: str) -> None:
    wire.say(Answer(302, b"", {"Location": location}))

    with pytest.raises(errors.NeedsAPerson, match="not Microsoft 365"):
        graph.download("/drives/d/items/i/content")


def test_a_large_upload_goes_in_pieces_without_the_token(graph: Graph, wire: Wire) -> None:
    wire.say(Answer(202), Answer(201, {"id": "item"}))

    made = [graph.put_piece(f"{wire.base}/upload/1?key=k", b"abcde", start, 3) for start in (0, 3)]

    assert made == [{}, {"id": "item"}]
    assert [(seen.headers["content-range"], seen.body) for seen in wire.requests] == [
        ("bytes 0-2/5", b"abc"),
        ("bytes 3-4/5", b"de"),
    ]
    assert not any(seen.token for seen in wire.requests)


def test_a_piece_is_not_uploaded_to_anywhere_else(graph: Graph) -> None:
    with pytest.raises(errors.NeedsAPerson, match="not Microsoft 365"):
        graph.put_piece("https://evil.example/upload", b"abcde", 0, 3)


def test_stopping_ends_a_wait_at_once(tenant: Tenant, wire: Wire) -> None:
    stop = threading.Event()
    graph = open_graph(tenant, stop)
    wire.say(refusal(429, "ApplicationThrottled", Retry_After="50"))
    wire.while_answering = lambda: threading.Timer(0.1, stop.set).start()
    try:
        with pytest.raises(errors.Stopping):
            read(graph)
        with pytest.raises(errors.Stopping):
            read(graph)
    finally:
        graph.close()

    assert len(wire.requests) == 1


def test_at_most_four_requests_are_under_way_at_once(graph: Graph, wire: Wire) -> None:
    """Exchange refuses the fifth."""
    under_way, most, lock, time_to_answer = 0, 0, threading.Lock(), threading.Event()

    def count() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time_to_answer.wait(0.05)
        with lock:
            under_way -= 1

    wire.while_answering = count
    threads = [threading.Thread(target=read, args=(graph,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(wire.requests), most) == (12, 4)


def test_a_mailbox_that_does_not_answer_holds_up_no_other(graph: Graph, wire: Wire) -> None:
    answers, asked = threading.Event(), threading.Semaphore(0)

    def slowly() -> None:
        asked.release()
        answers.wait(10)

    wire.while_answering = slowly
    threads = [threading.Thread(target=read, args=(graph,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        assert asked.acquire(timeout=10)
    wire.while_answering = lambda: None

    graph.get_json("/users/another@nctrust.example/mailFolders/inbox")

    assert len(wire.requests) == 5
    answers.set()
    for thread in threads:
        thread.join()


def test_every_request_asks_for_ids_that_outlive_a_move(graph: Graph, wire: Wire) -> None:
    """Also beside other preferences, however the caller spells the header."""
    headers = {"prefer": "odata.maxpagesize=50"}

    graph.get_json(INBOX, headers=headers)
    graph.get_json(INBOX, headers=headers)

    wanted = 'odata.maxpagesize=50, IdType="ImmutableId"'
    assert [seen.headers["prefer"] for seen in wire.requests] == [wanted, wanted]
    assert headers == {"prefer": "odata.maxpagesize=50"}


def test_a_watcher_is_told_before_and_after_each_request(tenant: Tenant, wire: Wire) -> None:
    told: list[tuple[str, str, str]] = []
    graph = open_graph(tenant, threading.Event(), watch=lambda *event: told.append(event))
    wire.say(Answer(then="drop"), Answer(202, b""))
    for _ in range(2):
        try:
            send(graph)
        except errors.OutcomeUnknown:
            continue
    graph.close()

    path = f"/v1.0{SEND}"
    assert told == [("before", "POST", path), ("before", "POST", path), ("after", "POST", path)]
