"""What can go wrong with Microsoft 365, with people and with mails: each once, on the sandbox, survived."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from agent import arrival
from agent.bootstrap import Agent, at_work
from agent.forms.mail import read_mail
from agent.intake import reconcile
from agent.shift import Shift
from agent.steps import Outcome, run_all, run_step
from agent.timetable import table
from tests.builders import INBOX, at
from tests.faults.harness import nobody
from tests.faults.office import (
    A_LITTLE_LATER,
    DIGEST,
    EARLY,
    PIA,
    REGISTER,
    SOL,
    SOON_AFTER,
    SUBJECT,
    Office,
    first_alert,
    morning,
    office,
    person_types,
    update,
    usual_morning,
)
from tests.faults.standing import differences

AN_HOUR_LATER = at("2026-03-02 11:15")


@pytest.fixture
def desk() -> Iterator[Office]:
    with office() as at_work:
        yield at_work


def steps(troubles: list[Outcome]) -> list[str]:
    return [trouble.step for trouble in troubles]


# Signing in


def test_tokens_that_run_out_are_replaced(desk: Office) -> None:
    """Tokens good for a second: the agent never comes with one that has run out, and nothing is lost."""
    desk.tenant.token_lifetime = 1.0

    morning(desk)

    assert len(desk.asked("POST .*/token")) > 1
    assert [one.path for one in desk.asked(".*") if one.status == 401] == []
    assert differences(desk.stands(), usual_morning()) == []


@pytest.mark.parametrize(
    "asked",
    ["GET .*/delta", "GET .*/[$]value", "POST .*/move", "PUT .*/content", "POST .*/messages", "POST .*/send"],
)
def test_a_token_is_revoked_in_the_middle_of_the_work(desk: Office, asked: str) -> None:
    """The agent signs in afresh and asks again, also for what must never be done twice: it was not done."""
    desk.just_before(asked, desk.tenant.revoke_tokens)

    morning(desk)

    assert [one.status for one in desk.asked(".*")].count(401) == 1
    assert differences(desk.stands(), usual_morning()) == []


# Throttled, down, forgetful


def test_throttled_for_a_moment_the_agent_waits_as_told(desk: Office) -> None:
    """429 with Retry-After on everything that is asked: each request is put again, and the round goes on."""
    for asked in (r"/delta$", r"/\$value$", r"/move$", r"/content$", r"/childFolders$"):
        desk.ordered(path=asked, status=429, retry_after=0.01, times=2)

    assert (desk.arrives(first_alert()).subject, desk.round(EARLY)) == (SUBJECT, [])
    assert len([one for one in desk.asked(".*") if one.status == 429]) == 10


def test_told_to_wait_longer_than_a_request_is_worth_other_work_goes_first(desk: Office) -> None:
    """An hour's Retry-After on the mailbox: the register and the ledger are seen to, the mail comes later."""
    desk.arrives(first_alert())
    told = desk.ordered(path="/users/", status=429, retry_after=3600, times=None)

    assert steps(desk.round(EARLY)) == ["intake"]
    assert desk.asked("GET /v1.0/sites/.*")

    desk.tenant.faults.remove(told)
    assert desk.round(SOON_AFTER) == []
    assert sorted(desk.ledger.alerts()) == ["SLA-2026-0001"]


def test_while_sharepoint_is_down_mail_is_read_and_letters_go_out(desk: Office) -> None:
    down = desk.ordered(path="/(sites|drives)/", status=503, retry_after=0.01, times=None)
    desk.arrives(first_alert())

    troubles = desk.round(DIGEST)

    assert set(steps(troubles)) == {"bookkeeping"}
    assert sorted(desk.ledger.alerts()) == ["SLA-2026-0001"]
    assert len(desk.letters_at(SOL)) == len(desk.letters_at(PIA)) == 1
    desk.tenant.faults.remove(down)
    assert desk.round(A_LITTLE_LATER) == []
    assert sorted(rows(desk)) == ["SLA-2026-0001"]


def test_the_cursor_is_forgotten_and_a_full_round_follows(desk: Office) -> None:
    """410: what was handled is not handled again, what came meanwhile is."""
    desk.arrives(first_alert())
    desk.round(EARLY)
    desk.arrives(first_alert(number=7, child="Wren Applegarth"))
    desk.tenant.evict_delta_tokens()

    assert desk.round(SOON_AFTER) == []

    assert 410 in [one.status for one in desk.asked("GET .*/delta")]
    assert [mail.outcome for mail in desk.ledger.mails()] == ["opened", "opened"]
    assert sorted(desk.ledger.alerts()) == ["SLA-2026-0001", "SLA-2026-0002"]


def test_rows_of_changes_are_sparse_repeated_replayed_and_come_after_empty_pages(desk: Office) -> None:
    habits = desk.tenant.habits
    habits.sparse_rows, habits.repeat_rows, habits.replay, habits.empty_pages = True, True, 5, 3

    morning(desk)
    for message in desk.box.messages("Need to Know/Updates"):
        desk.box.touch(message, "categories")
        desk.box.move(message, "inbox")  # somebody drags a mail back
    assert desk.round(AN_HOUR_LATER) == []

    kept = [part for part in usual_morning() if part != "mailboxes"]
    now, usual = desk.stands(), usual_morning()
    assert differences({part: now[part] for part in kept}, {part: usual[part] for part in kept}) == []


# The mailbox


def test_the_mailbox_is_out_of_scope_and_one_sentence_says_so(desk: Office) -> None:
    """403: the register is still kept, and no step after it fails; once allowed, all is made up."""
    desk.arrives(first_alert())
    desk.round(EARLY)
    desk.arrives(update())
    desk.box.in_scope = False
    person_types(desk, {"Area": "West"})

    troubles = desk.round(SOON_AFTER)

    assert steps(troubles) == ["intake"]
    (trouble,) = troubles
    assert trouble.needs_a_person
    assert "Mail.ReadWrite" in trouble.trouble
    assert "mailbox must lie within its scope" in trouble.trouble
    assert trouble.trouble.count("\n") == 0
    assert desk.ledger.alerts()["SLA-2026-0001"].values["area"] == "West"
    desk.box.in_scope = True
    assert desk.round(DIGEST) == []
    assert desk.ledger.alerts()["SLA-2026-0001"].updates == 1


def test_one_desk_is_refused_and_the_other_works_on(desk: Office) -> None:
    """Two desks in one agent, and only the second mailbox lies within its scope."""
    here = desk.here
    second = replace(desk.desk.settings, name="second", mailbox="second@trust.example")
    second = replace(second, register=replace(second.register, path="Second.xlsx"))
    box = desk.tenant.add_mailbox(second.mailbox, "Second", in_scope=True)
    desk.box.in_scope = False
    desk.tenant.deliver(first_alert(), [INBOX, second.mailbox])
    told = replace(here.told, desks={"nct": desk.desk.settings, "second": second})

    with at_work(told, clock=desk.tenant.clock.now) as agent:
        troubles = [outcome for one in agent.desks for outcome in run_all(one, EARLY) if outcome.trouble]
        alerts = [len(one.ledger.alerts()) for one in agent.desks]

    assert [(trouble.desk, trouble.step) for trouble in troubles] == [("nct", "intake")]
    assert alerts == [0, 1]
    assert len(box.messages("Need to Know/Alerts")) == 1


def test_a_mail_moved_away_and_back_is_found_at_night(desk: Office) -> None:
    """Changes tell it as removed and never again; the nightly listing has it."""
    desk.round(EARLY)
    message = desk.arrives(first_alert())
    desk.box.move(message, "archive")
    desk.box.move(message, "inbox")

    desk.round(SOON_AFTER)
    assert dict(desk.ledger.alerts()) == {}, "if changes tell it after all, this test shows nothing"

    assert run_step("reconcile", desk.desk, SOON_AFTER, reconcile).done == 1
    assert desk.round(at("2026-03-02 08:00")) == []
    assert sorted(desk.ledger.alerts()) == ["SLA-2026-0001"]


def test_a_mail_is_deleted_before_it_could_be_read(desk: Office) -> None:
    """It is set down as gone, and the mails after it are dealt with."""
    gone = desk.arrives(first_alert())
    desk.arrives(first_alert(number=7, child="Wren Applegarth"))
    desk.just_before(f"GET .*/{gone.immutable_id}/[$]value", lambda: desk.box.remove(gone))

    assert desk.round(EARLY) == []

    assert sorted(mail.outcome for mail in desk.ledger.mails()) == ["gone", "opened"]
    assert desk.ledger.waiting() == []


def test_a_mail_is_deleted_before_it_could_be_filed(desk: Office) -> None:
    """What it said is in the ledger already; the next mails are filed all the same."""
    gone = desk.arrives(first_alert())
    desk.arrives(first_alert(number=7, child="Wren Applegarth"))
    desk.just_before(f"POST .*/{gone.immutable_id}/move", lambda: desk.box.remove(gone))

    assert desk.round(EARLY) == []

    assert len(desk.ledger.alerts()) == 2
    assert desk.ledger.to_file() == []
    assert len(desk.box.messages("Need to Know/Alerts")) == 1


def test_the_move_was_made_but_its_answer_lost(desk: Office) -> None:
    desk.ordered(method="POST", path="/move$", when="after", drop=True)
    desk.arrives(first_alert())

    assert desk.round(EARLY) == []
    assert desk.round(SOON_AFTER) == []

    assert len(desk.box.messages("Need to Know/Alerts")) == 1
    assert desk.ledger.to_file() == []
    assert len(desk.asked("POST .*/move")) == 1


def test_a_mail_that_breaks_the_reader_becomes_a_question_and_the_others_go_on(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a stranger sends: after some tries a person is asked to read it."""

    def breaks(mime: bytes, *told: Any) -> Any:
        if b"Robin Fairweather" in mime:
            raise ZeroDivisionError("an odd mail")
        return read_mail(mime, *told)

    monkeypatch.setattr(arrival, "read_mail", breaks)
    poison = desk.arrives(first_alert())
    desk.arrives(first_alert(number=7, child="Wren Applegarth"))
    tries = desk.desk.agent.limits.tries

    for number in range(tries):
        assert desk.ledger.questions() == []
        assert desk.round(EARLY + timedelta(minutes=2 * number)) == []
        assert [alert.children[0].name for alert in desk.ledger.alerts().values()] == ["Wren Applegarth"]

    (question,) = desk.ledger.questions()
    assert (question.question.code, question.question.message_id) == ("cannot_be_read", poison.immutable_id)
    assert [message.subject for message in desk.box.messages("Need to Know/Questions")] == [poison.subject]
    assert desk.box.messages("inbox") == []


# The register


def test_somebody_saves_between_our_reading_and_our_writing(desk: Office) -> None:
    """412: nothing of theirs is written over; what the ledger says is written in the next round."""
    desk.arrives(first_alert())
    desk.round(EARLY)
    desk.arrives(update())
    desk.just_before("PUT .*/content", lambda: person_types(desk, {"Notes": "Rang the ward."}))

    troubles = desk.round(at("2026-03-02 08:30"))

    assert 412 in [one.status for one in desk.asked("PUT .*/content")]
    assert set(steps(troubles)) <= {"bookkeeping"}
    desk.round(at("2026-03-02 08:45"))
    assert rows(desk)["SLA-2026-0001"]["Notes"] == "Rang the ward."
    assert rows(desk)["SLA-2026-0001"]["Updates"] == 1


def test_somebody_has_the_workbook_open(desk: Office) -> None:
    """423: kept, and written when it is closed; what they typed meanwhile wins and is in the ledger."""
    desk.arrives(first_alert())
    desk.round(EARLY)
    desk.here.stage.drive.open_by_person(REGISTER, "Cas")
    desk.arrives(update())

    troubles = desk.round(at("2026-03-02 08:30"))
    assert {trouble.step for trouble in troubles} == {"bookkeeping"}
    assert "open in Excel" in troubles[0].trouble
    person_types(desk, {"Area": "West", "Summary": "Corrected by hand."})
    assert {trouble.step for trouble in desk.round(at("2026-03-02 08:45"))} == {"bookkeeping"}
    desk.here.stage.drive.close_by_person(REGISTER, "Cas")

    assert desk.round(at("2026-03-02 09:00")) == []
    row = rows(desk)["SLA-2026-0001"]
    assert (row["Updates"], row["Area"], row["Summary"]) == (1, "West", "Corrected by hand.")
    assert desk.ledger.alerts()["SLA-2026-0001"].values["summary"] == "Corrected by hand."


def test_the_upload_was_made_but_its_answer_lost(desk: Office) -> None:
    """It is looked at, found to stand there, and not made again; nothing of it passes for a person's."""
    desk.arrives(first_alert())
    desk.round(EARLY)
    versions = len(desk.here.stage.drive.versions(REGISTER))
    desk.ordered(method="PUT", path="/content$", when="after", drop=True)
    desk.arrives(update())

    assert desk.round(at("2026-03-02 08:30")) == []
    assert desk.round(at("2026-03-02 08:45")) == []

    assert len(desk.here.stage.drive.versions(REGISTER)) == versions + 1
    assert rows(desk)["SLA-2026-0001"]["Updates"] == 1
    assert [entry.source for entry in desk.ledger.entries() if entry.source == "register"] == []


# Letters


def test_a_send_answered_504_after_it_was_done_is_not_done_again(desk: Office) -> None:
    desk.ordered(method="POST", path="/send$", when="after", status=504)

    desk.round(DIGEST)
    assert letter_states(desk) == ["posted", "sending"]
    assert desk.round(A_LITTLE_LATER) == []

    assert letter_states(desk) == ["posted", "posted"]
    assert (len(desk.letters_at(SOL)), len(desk.letters_at(PIA))) == (1, 1)
    assert len(desk.asked("POST .*/send")) == 2


def test_a_send_answered_504_before_it_was_done_is_done_once_that_is_sure(desk: Office) -> None:
    """For some minutes it is only looked for: a copy may yet show in Sent Items."""
    desk.ordered(method="POST", path="/send$", when="before", status=504)
    settle = timedelta(minutes=desk.desk.agent.limits.settle_minutes)

    desk.round(DIGEST)
    desk.round(DIGEST + settle - timedelta(minutes=1))
    assert letter_states(desk) == ["posted", "sending"]
    assert len(desk.asked("POST .*/send")) == 2
    desk.round(DIGEST + settle)

    assert letter_states(desk) == ["posted", "posted"]
    assert (len(desk.letters_at(SOL)), len(desk.letters_at(PIA))) == (1, 1)
    assert desk.box.messages("drafts") == []


def test_a_send_accepted_with_the_advice_to_wait_is_sent(desk: Office) -> None:
    """202 with Retry-After is a success, not a refusal."""
    desk.ordered(method="POST", path="/send$", retry_after=30, times=None)

    assert desk.round(DIGEST) == []

    assert letter_states(desk) == ["posted", "posted"]
    assert (len(desk.letters_at(SOL)), len(desk.letters_at(PIA))) == (1, 1)


def test_the_connection_is_cut_after_the_draft_was_made(desk: Office) -> None:
    """The draft is found by its key and sent; there is never a second one."""
    desk.ordered(method="POST", path="/users/[^/]+/messages$", when="after", drop=True)

    assert steps(desk.round(DIGEST)) == ["posting"]
    assert len(desk.box.messages("drafts")) == 1
    assert desk.round(A_LITTLE_LATER) == []

    assert (len(desk.letters_at(SOL)), len(desk.letters_at(PIA))) == (1, 1)
    assert len(desk.asked("POST .*/users/[^/]+/messages")) == 2
    assert desk.box.messages("drafts") == []


@pytest.mark.parametrize("lingers", [False, True], ids=["the draft is gone", "the draft lingers"])
def test_the_copy_in_sent_items_comes_late_and_the_answer_never(desk: Office, lingers: bool) -> None:
    """504 after it was done, and for five minutes nothing in the mailbox tells."""
    desk.tenant.habits.sent_copy_after, desk.tenant.habits.draft_lingers = 300.0, lingers
    desk.ordered(method="POST", path="/send$", when="after", status=504)

    desk.round(DIGEST)
    desk.round(DIGEST + timedelta(minutes=2))
    assert letter_states(desk) == ["posted", "sending"]
    desk.round(DIGEST + timedelta(minutes=6))

    assert letter_states(desk) == ["posted", "posted"]
    assert (len(desk.letters_at(SOL)), len(desk.letters_at(PIA))) == (1, 1)


def test_the_copy_in_sent_items_never_comes(desk: Office) -> None:
    """A letter that left Drafts went out: better one too few in Sent Items than one twice in an inbox."""
    desk.tenant.habits.sent_copy_after = 7 * 24 * 3600.0
    desk.ordered(method="POST", path="/send$", when="after", status=504)

    desk.round(DIGEST)
    desk.round(A_LITTLE_LATER)

    assert letter_states(desk) == ["posted", "posted"]
    assert (len(desk.letters_at(SOL)), len(desk.letters_at(PIA))) == (1, 1)


def test_somebody_deletes_the_draft_before_it_is_sent(desk: Office) -> None:
    """A person threw the letter away; it is not written anew behind their back."""
    desk.ordered(method="POST", path="/send$", when="before", status=504)
    desk.round(DIGEST)
    (draft,) = desk.box.messages("drafts")
    desk.box.remove(draft)

    desk.round(A_LITTLE_LATER)
    desk.round(AN_HOUR_LATER)

    assert len(desk.asked("POST .*/users/[^/]+/messages")) == 2
    assert sorted([len(desk.letters_at(SOL)), len(desk.letters_at(PIA))]) == [0, 1]


def test_sending_is_refused_for_good_and_the_other_letters_go(desk: Office) -> None:
    """400 on one letter: it is held for a person to see, and the next one goes out."""
    desk.ordered(method="POST", path="/users/[^/]+/messages$", status=400)

    assert desk.round(DIGEST) == []

    assert letter_states(desk) == ["held", "posted"]
    assert desk.round(A_LITTLE_LATER) == []
    assert sorted([len(desk.letters_at(SOL)), len(desk.letters_at(PIA))]) == [0, 1]


# Two agents


def test_two_agents_are_started_and_one_works_while_the_other_waits(desk: Office) -> None:
    """The second takes over when the first is stopped, or when it has not been heard of for a while."""
    desk.arrives(first_alert())
    desk.tenant.clock.set(EARLY)
    clock = desk.tenant.clock
    slot = table(desk.here.told.agent.timetable, "Europe/London")[0]
    with (
        at_work(desk.here.told, clock=clock.now, watch=nobody) as first,
        at_work(desk.here.told, clock=clock.now, watch=nobody) as second,
    ):
        one, other = Shift(first, "first", {"nct": ()}), Shift(second, "second", {"nct": ()})

        def works(shift: Shift, agent: Agent) -> bool:
            """Whether it held the desk, and so read the mailbox."""
            asked = len(desk.asked("GET .*/delta"))
            shift._work(agent.desks[0], slot)
            return len(desk.asked("GET .*/delta")) > asked

        assert [works(one, first), works(other, second)] == [True, False]

        with closing(sqlite3.connect(str(desk.here.told.ledger_file))) as file, file:
            # the first was killed a while ago
            file.execute("UPDATE desk_claim SET until = '2026-01-01T00:00:00.000000+00:00'")
        assert [works(other, second), works(one, first)] == [True, False]

        other.look()
        other.give_up()  # the second is stopped
        assert works(one, first)
    assert sorted(desk.ledger.alerts()) == ["SLA-2026-0001"]


# Looking


def rows(desk: Office) -> dict[str, dict[str, Any]]:
    """The register as another program than ours reads it: cells by reference and heading."""
    book = openpyxl.load_workbook(io.BytesIO(desk.here.stage.drive.content(REGISTER)))
    sheet = next(sheet for sheet in book.worksheets if sheet.tables)
    head, *lines = sheet[next(iter(sheet.tables.values())).ref]
    headings = [str(cell.value) for cell in head]
    found = (dict(zip(headings, (cell.value for cell in line), strict=True)) for line in lines)
    return {str(row["SLA ref"]): row for row in found}


def letter_states(desk: Office) -> list[str]:
    return sorted(letter.state.value for letter in desk.ledger.letters())
