"""Delta queries: what they tell, what they repeat, what they forget, and what they lose."""

from __future__ import annotations

import pytest

from agent.sandbox.server import Sandbox
from tests.sandbox.mail_world import IMMUTABLE, N2K, Asker, mail

DELTA = "/mailFolders/inbox/messages/delta"


def arrive(sandbox: Sandbox, *subjects: str) -> None:
    for subject in subjects:
        sandbox.tenant.deliver(mail(subject), [N2K])


def test_a_first_round_tells_everything_in_pages_and_the_next_only_what_is_new(
    sandbox: Sandbox, ask: Asker
) -> None:
    arrive(sandbox, "One", "Two", "Three")
    rows, link = ask.delta(size=2)
    assert sorted(row["subject"] for row in rows) == ["One", "Three", "Two"]
    arrive(sandbox, "Four")
    rows, link = ask.delta(link)
    assert [row["subject"] for row in rows] == ["Four"]
    assert ask.delta(link)[0] == []


def test_each_page_has_exactly_one_link(sandbox: Sandbox, ask: Asker) -> None:
    arrive(sandbox, "One", "Two", "Three")
    page = ask("GET", DELTA, headers={"Prefer": "odata.maxpagesize=2"})
    assert page.headers["Preference-Applied"] == "odata.maxpagesize=2"
    assert {key for key in page.json() if key.endswith("Link")} == {"@odata.nextLink"}
    last = ask("GET", page.json()["@odata.nextLink"], headers={"Prefer": "odata.maxpagesize=2"}).json()
    assert {key for key in last if key.endswith("Link")} == {"@odata.deltaLink"}


def test_the_same_link_may_be_asked_twice(sandbox: Sandbox, ask: Asker) -> None:
    _, link = ask.delta()
    arrive(sandbox, "One")
    assert ask.delta(link)[0] == ask.delta(link)[0] != []


def test_a_mail_that_was_only_read_has_a_sparse_row(sandbox: Sandbox, ask: Asker) -> None:
    arrive(sandbox, "One")
    (row,), link = ask.delta()
    box = sandbox.tenant.mailbox(N2K)
    box.mark_read(box.messages("inbox")[0])
    (sparse,), _ = ask.delta(link)
    assert set(sparse) == {"@odata.etag", "id", "isRead", "parentFolderId"}
    assert sparse["id"] == row["id"]


def test_a_mail_that_was_moved_or_deleted_is_told_as_removed(sandbox: Sandbox, ask: Asker) -> None:
    arrive(sandbox, "Moved", "Gone")
    rows, link = ask.delta()
    ids = {row["subject"]: row["id"] for row in rows}
    box = sandbox.tenant.mailbox(N2K)
    by_subject = {message.subject: message for message in box.messages("inbox")}
    box.move(by_subject["Moved"], "archive")
    box.remove(by_subject["Gone"])
    told = {row["id"]: row["@removed"]["reason"] for row in ask.delta(link)[0]}
    assert told == {ids["Moved"]: "changed", ids["Gone"]: "deleted"}


def test_there_and_back_between_two_polls_loses_the_mail_under_immutable_ids(
    sandbox: Sandbox, ask: Asker
) -> None:
    arrive(sandbox, "Boomerang")
    (row,), link = ask.delta()
    plain_link = ask.delta(immutable=False)[1]
    box = sandbox.tenant.mailbox(N2K)
    box.move(box.move(box.messages("inbox")[0], "archive"), "inbox")
    lost, link = ask.delta(link)
    assert lost == [{"@removed": {"reason": "changed"}, "id": row["id"]}]
    assert ask.delta(link)[0] == []
    assert ask.subjects("/mailFolders/inbox/messages") == ["Boomerang"]
    with_default_ids, _ = ask.delta(plain_link, immutable=False)
    assert sorted("subject" in row for row in with_default_ids) == [False, True]


def test_forgotten_tokens_are_answered_410_and_a_new_round_starts(sandbox: Sandbox, ask: Asker) -> None:
    arrive(sandbox, "One")
    _, link = ask.delta()
    sandbox.tenant.evict_delta_tokens()
    gone = ask("GET", link, headers=IMMUTABLE)
    assert ask.error(gone) == (410, "SyncStateNotFound")
    assert "generation=1;[highest=1][lowest=2]" in gone.json()["error"]["message"]
    assert len(ask.delta()[0]) == 1


def test_the_oldest_tokens_are_forgotten_by_themselves(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.mailbox(N2K).delta_tokens._remembered = 3
    _, link = ask.delta()
    for _ in range(3):
        ask.delta()
    assert ask.error(ask("GET", link)) == (410, "SyncStateNotFound")


@pytest.mark.parametrize("token", ["nonsense", "MS4wMDAw", "latest"])
def test_a_token_that_was_never_given_out_is_refused(ask: Asker, token: str) -> None:
    ask.delta()
    assert ask("GET", f"{DELTA}?$deltatoken={token}").status_code == 400


def test_empty_pages_with_a_next_link_come_before_the_rows(sandbox: Sandbox, ask: Asker) -> None:
    arrive(sandbox, "One")
    sandbox.tenant.habits.empty_pages = 2
    page = ask("GET", DELTA).json()
    assert page["value"] == []
    assert "@odata.nextLink" in page
    assert len(ask.delta()[0]) == 1


def test_rows_are_repeated_and_replayed_when_the_service_feels_like_it(sandbox: Sandbox, ask: Asker) -> None:
    arrive(sandbox, "One")
    _, link = ask.delta()
    arrive(sandbox, "Two")
    box = sandbox.tenant.mailbox(N2K)
    box.mark_read(box.messages("inbox")[1])
    sandbox.tenant.habits.repeat_rows = True
    assert [row.get("subject") for row in ask.delta(link)[0]] == ["Two", "Two"]
    sandbox.tenant.habits.repeat_rows, sandbox.tenant.habits.replay = False, 1
    assert [row.get("subject") for row in ask.delta(link)[0]] == ["One", "Two"]


def test_a_first_round_can_be_limited_to_what_came_since(sandbox: Sandbox, ask: Asker) -> None:
    arrive(sandbox, "Old")
    sandbox.tenant.clock.set(sandbox.tenant.clock.now().replace(hour=12))
    arrive(sandbox, "New")
    since = ask.user + DELTA + "?$select=subject&$filter=receivedDateTime ge 2026-03-02T11:00:00Z"
    assert [row["subject"] for row in ask.delta(since)[0]] == ["New"]
    other = ask("GET", DELTA, params={"$filter": "isRead eq false"})
    assert ask.error(other) == (400, "ErrorInvalidUrlQueryFilter")


def test_a_mail_that_left_while_the_round_was_paged_is_told_in_the_next(sandbox: Sandbox, ask: Asker) -> None:
    arrive(sandbox, "One", "Two", "Three")
    prefer = {"Prefer": 'odata.maxpagesize=1, IdType="ImmutableId"'}
    page = ask("GET", DELTA + "?$select=subject", headers=prefer).json()
    shown = {page["value"][0]["subject"]}
    box = sandbox.tenant.mailbox(N2K)
    leaver = next(message for message in box.messages("inbox") if message.subject == "One")
    box.move(leaver, "archive")
    rows, link = ask.delta(page["@odata.nextLink"], size=1)
    assert shown | {row["subject"] for row in rows} == {"Two", "Three"}
    assert [row["id"] for row in ask.delta(link)[0]] == [leaver.immutable_id]
