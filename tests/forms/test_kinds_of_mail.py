"""Mails that no person wrote, told on real ones: which are known by their signs, and that no others are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agent.forms.mail import read_mail
from agent.procedure.automatic import Verdict, verdict
from tests.forms.ordinary import ordinary_mails

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real mails is not beside the project"
)

# as one sees on looking; newsletters are counted
KINDS = {
    "482756cfdc0d": "read_receipt",
    "c8c7f709447c": "read_receipt",
    "840115a03e28": "feedback_report",
    "c64538e72461": "feedback_report",
    "62b61691a013": "protected",
    **dict.fromkeys(("0cbcbc06d377", "0fa9a00c2236", "23ac3724f00f", "629f9cc10bbc"), "calendar"),
    **dict.fromkeys(("a6b4becb78ce", "c86f54e4f53b", "e0a8fb568bc8"), "calendar"),
}


def judged(folder: str) -> dict[str, Verdict]:
    """What was made of each mail in this part of the corpus that is no bounce."""
    read = {path.stem: read_mail(path.read_bytes()) for path in (CORPUS / folder).iterdir()}
    return {name: verdict(mail) for name, mail in read.items() if mail.bounce is None}


@needs_corpus
@pytest.mark.parametrize("folder", ["mail", "msg"])
def test_of_the_corpus_those_are_known_that_one_sees_and_no_others(folder: str) -> None:
    told = judged(folder)
    by_machines = {name: one.kind for name, one in told.items() if one.kind not in ("", "newsletter")}
    assert by_machines == {name: kind for name, kind in KINDS.items() if name in told}
    assert all(one.because for one in told.values() if one.kind)


@needs_corpus
def test_newsletters_of_the_corpus_are_those_that_say_so() -> None:
    told = [one for one in judged("mail").values() if one.kind == "newsletter"]
    assert len(told) == 10
    assert {reason for one in told for reason in one.because} <= {
        "it can be unsubscribed from",
        "it came through a list",
        "its precedence is that of mail to many",
    }


def test_of_three_thousand_ordinary_mails_only_those_are_a_machines_that_say_so() -> None:
    """By a header or by how their subject begins: nothing is guessed from what they talk about."""
    wrong: Counter[str] = Counter()
    for content in ordinary_mails(3000):
        mail = read_mail(content)
        subject = mail.subject.removeprefix("[External] ").lower()
        by_subject = subject.startswith(
            ("automatic reply", "out of office", "abwesenheit", "réponse auto", "you have 3 messages in")
        )
        says_so = by_subject or {"auto-submitted", "list-unsubscribe"} & mail.headers.keys()
        kind = verdict(mail).kind
        if kind and not says_so:
            wrong[f"{kind}: {mail.subject} ({mail.sender})"] += 1
    assert list(wrong) == []
