"""What every mailbox promises, shown on the one in memory and on the real one against the sandbox."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import CursorGone, NotFound
from agent.m365.graph import Graph, open_graph
from agent.mailbox.base import ChangedPage, Mailbox, OutgoingLetter
from agent.mailbox.memory import MemoryMailbox
from agent.mailbox.outlook import OutlookMailbox
from agent.sandbox.server import Sandbox
from agent.settings import Tenant

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PAGE = 3
ALERTS = ("Need to Know", "Alerts")
_numbers = itertools.count(1)


class World(Protocol):
    """A mailbox and what other people do to it."""

    @property
    def mailbox(self) -> Mailbox: ...
    def deliver(self, mime: bytes) -> str: ...
    def remove(self, mail_id: str) -> None: ...
    def mark(self, mail_id: str, category: str) -> None: ...
    def forget_cursors(self) -> None: ...
    def folder_of(self, mail_id: str) -> tuple[str, ...]: ...
    def categories_of(self, mail_id: str) -> list[str]: ...
    def sent(self) -> list[tuple[str, str]]: ...
    def files(self) -> list[tuple[str, bytes]]: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.mailbox = MemoryMailbox("needtoknow@nctrust.example", page_size=PAGE)

    def deliver(self, mime: bytes) -> str:
        return self.mailbox.deliver(mime, START)

    def remove(self, mail_id: str) -> None:
        self.mailbox.delete(mail_id)

    def mark(self, mail_id: str, category: str) -> None:
        self.mailbox.mails[mail_id].categories.append(category)

    def forget_cursors(self) -> None:
        self.mailbox.forget_cursors()

    def folder_of(self, mail_id: str) -> tuple[str, ...]:
        return self.mailbox.mails[mail_id].folder

    def categories_of(self, mail_id: str) -> list[str]:
        return self.mailbox.mails[mail_id].categories

    def sent(self) -> list[tuple[str, str]]:
        return [(letter.to, letter.subject) for letter in self.mailbox.sent]

    def files(self) -> list[tuple[str, bytes]]:
        return [file for letter in self.mailbox.sent for file in letter.attachments]


class OutlookWorld:
    """A mailbox of its own in the sandbox, and a colleague who can be written to."""

    def __init__(self, sandbox: Sandbox, graph: Graph) -> None:
        number = next(_numbers)
        self._tenant = sandbox.tenant
        self._box = self._tenant.add_mailbox(f"desk{number}@nctrust.example", in_scope=True)
        self.mailbox = OutlookMailbox(graph, self._box.address, page_size=PAGE)

    def deliver(self, mime: bytes) -> str:
        return self._tenant.deliver(mime, [self._box.address])[0].immutable_id

    def remove(self, mail_id: str) -> None:
        self._box.remove(self._box.message(mail_id))

    def mark(self, mail_id: str, category: str) -> None:
        message = self._box.message(mail_id)
        message.categories = [*message.categories, category]
        self._box.touch(message, "categories")

    def forget_cursors(self) -> None:
        self._tenant.evict_delta_tokens()

    def folder_of(self, mail_id: str) -> tuple[str, ...]:
        return tuple(self._box.message(mail_id).folder.path.split("/"))

    def categories_of(self, mail_id: str) -> list[str]:
        return list(self._box.message(mail_id).categories)

    def sent(self) -> list[tuple[str, str]]:
        return [(mail.to_recipients[0].address, mail.subject) for mail in self._box.messages("sentitems")]

    def files(self) -> list[tuple[str, bytes]]:
        sent = self._box.messages("sentitems")
        return [(one.name, one.content) for mail in sent for one in mail.attachments if not one.is_inline]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start=START, domains=("nctrust.example",)) as sandbox:
        sandbox.tenant.add_mailbox("sam@nctrust.example", "Sam Example")
        yield sandbox


@pytest.fixture(scope="module")
def graph(sandbox: Sandbox) -> Iterator[Graph]:
    graph = open_graph(
        Tenant(
            id=sandbox.tenant_id,
            client=sandbox.client_id,
            certificate=str(sandbox.certificate_file),
            authority=sandbox.base_url,
            graph=sandbox.base_url,
            ca_file=str(sandbox.ca_file),
        ),
        threading.Event(),
    )
    yield graph
    graph.close()


@pytest.fixture(scope="module", params=["memory", "outlook"])
def new_world(request: pytest.FixtureRequest) -> Callable[[], World]:
    """Makes an empty mailbox of either kind."""
    if request.param == "memory":
        return MemoryWorld
    sandbox, graph = request.getfixturevalue("sandbox"), request.getfixturevalue("graph")
    return lambda: OutlookWorld(sandbox, graph)


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    return new_world()


def mail(subject: str = "SLA – Alert") -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "sam@nctrust.example", "desk@nctrust.example"
    message["Subject"] = subject
    message.set_content("Please see the form attached.\n")
    message.add_attachment(b"PK form", maintype="application", subtype="octet-stream", filename="form.docx")
    return message.as_bytes(policy=policy.SMTP)


def letter(
    key: str = "chase/SLA-2026-0001/1", subject: str = "Update wanted: SLA-2026-0001"
) -> OutgoingLetter:
    return OutgoingLetter(key, "sam@nctrust.example", subject, "text", "<p>text</p>", (("seal", b"\x89PNG"),))


def told(pages: Iterator[ChangedPage]) -> list[str]:
    """The mails that are there, as these pages tell it."""
    rows = [row for page in pages for row in page.mails]
    gone = {row.mail_id for row in rows if row.removed}
    return sorted({row.mail_id for row in rows} - gone)


def last_cursor(world: World, cursor: str | None = None) -> str:
    return list(world.mailbox.changes(cursor))[-1].cursor


# Changes


def test_a_full_round_tells_every_mail_and_only_its_last_page_is_the_last(world: World) -> None:
    mails = sorted(world.deliver(mail()) for _ in range(7))

    pages = list(world.mailbox.changes(None))

    assert told(iter(pages)) == mails
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert len(pages) > 1


def test_an_empty_inbox_is_one_page_with_a_cursor(world: World) -> None:
    pages = list(world.mailbox.changes(None))

    assert (told(iter(pages)), pages[-1].last, bool(pages[-1].cursor)) == ([], True, True)


def test_the_next_round_tells_what_came_since_and_nothing_else(world: World) -> None:
    world.deliver(mail())
    cursor = last_cursor(world)
    new = world.deliver(mail())

    assert told(world.mailbox.changes(cursor)) == [new]
    assert told(world.mailbox.changes(last_cursor(world, cursor))) == []


def test_a_round_that_was_cut_short_goes_on_from_its_last_page(world: World) -> None:
    """The agent was killed after it had kept the first page: nothing may fall between."""
    mails = sorted(world.deliver(mail()) for _ in range(7))
    first = next(world.mailbox.changes(None))

    rest = told(world.mailbox.changes(first.cursor))

    assert sorted({row.mail_id for row in first.mails} | set(rest)) == mails


def test_the_same_cursor_may_be_used_again(world: World) -> None:
    cursor = last_cursor(world)
    new = world.deliver(mail())

    assert told(world.mailbox.changes(cursor)) == told(world.mailbox.changes(cursor)) == [new]


def test_a_mail_that_left_the_inbox_is_told_as_removed(world: World) -> None:
    filed, deleted = world.deliver(mail()), world.deliver(mail())
    cursor = last_cursor(world)
    world.mailbox.file(filed, ALERTS, ())
    world.remove(deleted)

    rows = [row for page in world.mailbox.changes(cursor) for row in page.mails]

    assert {row.mail_id for row in rows if row.removed} == {filed, deleted}
    assert told(world.mailbox.changes(None)) == []


def test_a_forgotten_cursor_says_so_and_a_full_round_goes_on(world: World) -> None:
    new = world.deliver(mail())
    cursor = last_cursor(world)
    world.forget_cursors()

    with pytest.raises(CursorGone):
        list(world.mailbox.changes(cursor))
    assert told(world.mailbox.changes(None)) == [new]


def test_rows_tell_when_a_mail_came(world: World) -> None:
    world.deliver(mail())

    (row,) = (row for page in world.mailbox.changes(None) for row in page.mails)

    assert row.received_at == START


def test_the_listing_tells_what_lies_in_the_inbox_now(world: World) -> None:
    mails = [world.deliver(mail()) for _ in range(7)]
    world.mailbox.file(mails[0], ALERTS, ())
    world.remove(mails[1])

    listed = [row.mail_id for page in world.mailbox.listing() for row in page]

    assert sorted(listed) == sorted(mails[2:])


def test_the_listing_of_a_folder_tells_what_was_filed_there_and_makes_no_folder(world: World) -> None:
    mails = [world.deliver(mail()) for _ in range(5)]
    assert list(world.mailbox.listing(ALERTS)) in ([], [()])
    for mail_id in mails[:4]:
        world.mailbox.file(mail_id, ALERTS, ())
    world.remove(mails[0])

    listed = [row.mail_id for page in world.mailbox.listing(ALERTS) for row in page]

    assert sorted(listed) == sorted(mails[1:4])


STEPS = st.lists(st.sampled_from(["deliver", "file", "remove", "poll", "peek"]), max_size=14)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(steps=STEPS)
def test_whatever_happens_and_wherever_reading_is_cut_short_no_mail_stays_untold(
    new_world: Callable[[], World], steps: list[str]
) -> None:
    """“poll” reads a round to its end, “peek” only its first page, as an agent that is killed does."""
    world = new_world()
    inbox: list[str] = []
    known: set[str] = set()
    cursor: str | None = None
    for step in [*steps, "poll"]:
        if step == "deliver":
            inbox.append(world.deliver(mail()))
        elif step == "file" and inbox:
            world.mailbox.file(inbox.pop(0), ALERTS, ())
        elif step == "remove" and inbox:
            world.remove(inbox.pop(0))
        elif step in ("poll", "peek"):
            for page in itertools.islice(world.mailbox.changes(cursor), 1 if step == "peek" else None):
                known |= {row.mail_id for row in page.mails if not row.removed}
                cursor = page.cursor

    assert set(inbox) <= known


# Reading and filing


def test_a_mail_is_handed_over_whole(world: World) -> None:
    read = message_from_bytes(world.mailbox.mime(world.deliver(mail("SLA – Ömer"))), policy=policy.default)

    attachments = [(part.get_filename(), part.get_content()) for part in read.iter_attachments()]
    assert read["Subject"] == "SLA – Ömer"
    assert attachments == [("form.docx", b"PK form")]
    body = read.get_body()
    assert body is not None
    assert "Please see the form attached." in body.get_content()


def test_a_mail_can_still_be_read_after_it_was_filed(world: World) -> None:
    """Its id outlives the move."""
    mail_id = world.deliver(mail("SLA – Alert"))
    world.mailbox.file(mail_id, ALERTS, ())

    assert b"form.docx" in world.mailbox.mime(mail_id)


def test_a_filed_mail_lies_in_its_folder_with_its_categories(world: World) -> None:
    mail_id = world.deliver(mail())

    world.mailbox.file(mail_id, ALERTS, ("SLA-2026-0001", "Late"))

    assert world.folder_of(mail_id) == ALERTS
    assert world.categories_of(mail_id) == ["SLA-2026-0001", "Late"]


def test_filing_twice_is_filing_once(world: World) -> None:
    mail_id = world.deliver(mail())
    for _ in range(2):
        world.mailbox.file(mail_id, ALERTS, ("SLA-2026-0001",))

    assert (world.folder_of(mail_id), world.categories_of(mail_id)) == (ALERTS, ["SLA-2026-0001"])


def test_filing_keeps_the_categories_that_people_set(world: World) -> None:
    """However they spell them."""
    mail_id = world.deliver(mail())
    world.mark(mail_id, "Jo is on it")
    world.mark(mail_id, "LATE")

    world.mailbox.file(mail_id, ALERTS, ("Late", "SLA-2026-0001"))

    assert world.categories_of(mail_id) == ["Jo is on it", "LATE", "SLA-2026-0001"]


def test_a_mail_without_a_folder_stays_where_it_is(world: World) -> None:
    mail_id = world.deliver(mail())

    world.mailbox.file(mail_id, (), ("Duplicate",))

    assert (world.folder_of(mail_id), world.categories_of(mail_id)) == (("Inbox",), ["Duplicate"])


def test_folders_are_made_once_and_found_again(world: World) -> None:
    """Two that share their beginning, and a name that only looks like a path."""
    first, second, third = (world.deliver(mail()) for _ in range(3))

    world.mailbox.file(first, ALERTS, ())
    world.mailbox.file(second, ("Need to Know", "O'Brien's & 100%"), ())
    world.mailbox.file(third, ("need to know", "ALERTS"), ())

    assert world.folder_of(first) == ALERTS
    assert world.folder_of(second) == ("Need to Know", "O'Brien's & 100%")
    assert [name.casefold() for name in world.folder_of(third)] == [name.casefold() for name in ALERTS]


def test_a_mail_that_is_gone_can_be_neither_read_nor_filed(world: World) -> None:
    mail_id = world.deliver(mail())
    world.remove(mail_id)

    with pytest.raises(NotFound):
        world.mailbox.mime(mail_id)
    with pytest.raises(NotFound):
        world.mailbox.file(mail_id, ALERTS, ("Late",))


# Letters


def test_a_draft_is_found_by_its_key_and_has_not_gone_out(world: World) -> None:
    copy = world.mailbox.draft(letter())

    assert copy.is_draft
    assert copy.internet_message_id
    assert world.mailbox.copies(letter().key) == (copy,)
    assert world.sent() == []


def test_a_letter_that_was_sent_is_found_by_its_key_as_sent(world: World) -> None:
    draft = world.mailbox.draft(letter())

    world.mailbox.send(draft.mail_id)

    (copy,) = world.mailbox.copies(letter().key)
    assert (copy.is_draft, copy.internet_message_id) == (False, draft.internet_message_id)
    assert world.sent() == [("sam@nctrust.example", "Update wanted: SLA-2026-0001")]


def test_files_travel_with_a_letter_and_pictures_stay_within_it(world: World) -> None:
    list_of_ours = ("Open alerts 2026-03-02.xlsx", b"PK\x03\x04 a list")
    both = replace(letter(), pictures=(("chart", b"\x89PNG"),), attachments=(list_of_ours,))

    world.mailbox.send(world.mailbox.draft(both).mail_id)

    assert world.files() == [list_of_ours]


def test_a_letter_cannot_be_sent_twice(world: World) -> None:
    """What is no draft any more has left Drafts: whoever hears that looks for it."""
    draft = world.mailbox.draft(letter())
    world.mailbox.send(draft.mail_id)

    with pytest.raises(NotFound):
        world.mailbox.send(draft.mail_id)

    assert len(world.sent()) == 1


def test_a_letter_is_not_found_by_another_key(world: World) -> None:
    world.mailbox.draft(letter("chase/SLA-2026-0001/1"))

    assert world.mailbox.copies("chase/SLA-2026-0001/11") == ()
    assert world.mailbox.copies("it's/a 100% odd & key+") == ()


def test_every_copy_of_a_letter_is_told(world: World) -> None:
    """A crash may have left a second draft; whoever posts has to see both."""
    odd = "it's/a 100% odd & key+"
    copies = {world.mailbox.draft(letter(odd)).mail_id for _ in range(2)}

    assert {copy.mail_id for copy in world.mailbox.copies(odd)} == copies
