"""Replies as mail programs write them: what is new in each, and what it proposes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.procedure.reply import NOTHING, Proposal, new_words, proposal_in

TODAY = date(2026, 3, 2)  # a Monday
NEW = "No change.\n\nTheo"
OURS = "Please add your update to SLA-2026-0001.\nRef: N2K-3f9c0a61b2d4"
HEADER = (
    "From: N2K <n2k@trust.example>\nSent: 02 March 2026 09:00\nTo: Theo Marchbanks\nSubject: update requested"
)
MARKED = "> Please add your update to SLA-2026-0001.\n> Ref: N2K-3f9c0a61b2d4"
SMALL_PRINT = (
    "This email and any attachments are confidential and intended for the addressee only. "
    "If closed in error, please tell us."
)

REPLIES = {
    "Outlook for Windows": f"{NEW}\n\n{HEADER}\n\n{OURS}",
    "Outlook, in bold": f"{NEW}\n\n*From:* N2K\n*Sent:* Monday\n*To:* Theo\n\n{OURS}",
    "Outlook on the web": f"{NEW}\n{'_' * 32}\n{HEADER}\n\n{OURS}",
    "Outlook for iOS": f"{NEW}\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n{'_' * 32}\n{HEADER}\n\n{OURS}",
    "an older Outlook": f"{NEW}\n\n-----Original Message-----\n{HEADER}\n\n{OURS}",
    "Apple Mail": f"{NEW}\n\n> On 2 Mar 2026, at 09:00, N2K <n2k@trust.example> wrote:\n> \n{MARKED}",
    "iPhone": f"{NEW}\n\nSent from my iPhone\n\nOn 2 Mar 2026, at 09:00, N2K wrote:\n\n{OURS}",
    "Gmail": f"{NEW}\n\nOn Mon, 2 Mar 2026 at 09:00, N2K\n<n2k@trust.example> wrote:\n\n{MARKED}",
    "German": f"{NEW}\n\nAm 02.03.2026 um 09:00 schrieb N2K <n2k@trust.example>:\n{MARKED}",
    "French": f"{NEW}\n\nLe lun. 2 mars 2026 à 09:00, N2K a écrit :\n{MARKED}",
    "below what it quotes": f"On Mon, 2 Mar 2026, N2K wrote:\n{MARKED}\n\n{NEW}",
    "with a signature": f"{NEW}\n\n-- \nTheo Marchbanks\nManager\nclosed on Fridays\n\n{HEADER}\n\n{OURS}",
    "with regards": f"{NEW}\n\nKind regards,\nTheo Marchbanks\n\n{HEADER}\n\n{OURS}",
    "with small print": f"{NEW}\n\n{SMALL_PRINT}\n\n{HEADER}\n\n{OURS}",
    "under a banner": f"CAUTION: This email originated from outside.\n\n{NEW}\n\n{HEADER}\n\n{OURS}",
}


@pytest.mark.parametrize("program", REPLIES)
def test_what_is_new(program: str) -> None:
    assert new_words(REPLIES[program]) == NEW


def test_answers_between_the_lines_are_new() -> None:
    text = (
        "See below.\n\nOn Monday, N2K wrote:\n> Is he safe?\nYes.\n> When do you update?\nBy Friday 6 March."
    )
    assert new_words(text) == "See below.\nYes.\nBy Friday 6 March."


@pytest.mark.parametrize(
    "text",
    [
        "From Monday she lives with her aunt.\nTo be reviewed.",
        "Thanks\n\nIt can be closed.",
        "On Friday the school wrote: she is well.",
        "The date: 5 March",
    ],
)
def test_plain_words_are_taken_for_no_quote_and_no_signature(text: str) -> None:
    assert new_words(text) == text


@pytest.mark.parametrize(
    ("words", "proposal"),
    [
        ("No change.", Proposal(no_change=True)),
        ("Nothing further to report at the moment", Proposal(no_change=True)),
        ("There is no further update.", Proposal(no_change=True)),
        ("Closed please", Proposal(close=True)),
        ("Please can this be closed?", Proposal(close=True)),
        ("Happy for this to be closed now.", Proposal(close=True)),
        ("The matter has been concluded. NFA", Proposal(close=True)),
        ("Closed.", Proposal(close=True)),
        ("concluded, thanks", Proposal(close=True)),
        ("Hi,\nnow concluded - many thanks", Proposal(close=True)),
        ("All closed now, thank you!", Proposal(close=True)),
        ("Please withdraw this alert, it was sent in error.", Proposal(withdraw=True)),
        ("I attached the wrong form, sorry", Proposal(withdraw=True)),
        ("Pls disregard", Proposal(withdraw=True)),
        ("Mother may withdraw her consent", NOTHING),
        ("Police were called to the wrong house. He was sent home.", NOTHING),
        ("The strategy meeting concluded that he is safe", NOTHING),
        ("Concluded the visit today, a report follows", NOTHING),
        ("It is not concluded", NOTHING),
        ("Please do not close this yet", NOTHING),
        ("We can't close it before the strategy meeting", NOTHING),
        ("Please keep this open and not close", NOTHING),
        ("Please stay in close contact with the family", NOTHING),
        ("The school is closed on Monday.", NOTHING),
        ("Please find enclosed the form", NOTHING),
        ("Next update by Friday 6 March", Proposal(next_update=date(2026, 3, 6))),
        ("I will update again on Monday 9th", Proposal(next_update=date(2026, 3, 9))),
        ("An update will follow, due 06/03.", Proposal(next_update=date(2026, 3, 6))),
        ("No change, next update on 10 March.", Proposal(True, False, date(2026, 3, 10))),
        ("The next update will be sent by Friday 6 March", Proposal(next_update=date(2026, 3, 6))),
        ("Next update 06/03/26.", Proposal(next_update=date(2026, 3, 6))),
        ("I sent the update on 1 March", NOTHING),
        ("The update was made on 5 March", NOTHING),
        ("Next update by 6 March. Next update by 9 March", NOTHING),
        ("Next update by Tuesday 6 March", NOTHING),  # a Friday: which is meant?
        ("Next update soon", NOTHING),
        ("", NOTHING),
    ],
)
def test_what_is_proposed(words: str, proposal: Proposal) -> None:
    assert proposal_in(words, TODAY) == proposal


@given(st.text(max_size=400))
def test_no_text_is_too_odd(text: str) -> None:
    proposal_in(new_words(text), TODAY)
    assert new_words("\n".join(f"> {line}" for line in text.splitlines())) == ""
