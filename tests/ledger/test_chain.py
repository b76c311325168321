"""The chain tells where a ledger was tampered with, and does not mind what was rightly erased."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.ledger.chain import START, Link, canonical, hash_of_line, seal, storable, verify
from agent.procedure.entry import Entry
from agent.procedure.words import Happened

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def entry(happened: Happened = Happened.UPDATED, alert: str = "A") -> Entry:
    return Entry(happened, alert, NOW, "<1@x>", {"form": "f"}, {"name": "Ada Ficton"})


def chain_of(*entries: Entry) -> list[Link]:
    links: list[Link] = []
    for line in entries:
        links.append(seal("nct", line, len(links) + 1, links[-1].hash if links else START))
    return links


def changed(link: Link, **parts: object) -> Link:
    return replace(link, entry=replace(link.entry, **parts))  # type: ignore[arg-type]  # any field of the entry


def emptied(link: Link) -> Link:
    return replace(changed(link, content=None), salt=None)


def resealed(link: Link) -> Link:
    """By somebody who knows how lines are hashed."""
    return replace(link, hash=hash_of_line(link.desk, link.entry, link.content_hash, link.previous))


FOUR = chain_of(entry(Happened.OPENED), entry(), entry(), entry())


def test_an_untouched_chain_is_whole() -> None:
    assert verify([]) == []
    assert verify(FOUR) == []


TAMPERING: dict[str, tuple[Callable[[list[Link]], list[Link]], str]] = {
    "other facts": (lambda x: [x[0], changed(x[1], facts={"form": "g"}), *x[2:]], "Line 2 .* not as it was"),
    "another time": (
        lambda x: [x[0], changed(x[1], at=NOW.replace(hour=8)), *x[2:]],
        "Line 2 .* not as it was",
    ),
    "another alert": (lambda x: [x[0], changed(x[1], alert="B"), *x[2:]], "Line 2 .* not as it was"),
    "another kind": (
        lambda x: [x[0], changed(x[1], happened=Happened.CONCLUDED), *x[2:]],
        "Line 2 .* not as it was",
    ),
    "another source": (lambda x: [x[0], changed(x[1], source="<2@x>"), *x[2:]], "Line 2 .* not as it was"),
    "another desk": (lambda x: [x[0], replace(x[1], desk="merton"), *x[2:]], "Line 2 .* not as it was"),
    "changed and sealed anew": (
        lambda x: [x[0], resealed(changed(x[1], facts={"form": "g"})), *x[2:]],
        "Line 3 .* does not follow",
    ),
    "other content": (
        lambda x: [*x[:3], changed(x[3], content={"name": "Bo"})],
        "content of line 4 .* not as it was",
    ),
    "content taken away": (lambda x: [*x[:3], emptied(x[3])], "content of line 4 .* was not erased"),
    "a line taken out": (lambda x: [x[0], x[2], x[3]], "Line 3 .* where line 2 should be"),
    "the first line taken out": (lambda x: x[1:], "Line 2 .* where line 1 should be"),
    "two lines exchanged": (lambda x: [x[0], x[2], x[1], x[3]], "Line 3 .* where line 2 should be"),
    "a line told twice": (lambda x: [x[0], x[1], x[1], x[2], x[3]], "Line 2 .* where line 3 should be"),
    "a line of another chain": (
        lambda x: [x[0], x[1], chain_of(*[entry()] * 3)[2], x[3]],
        "Line 3 .* does not follow",
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found_where_it_happened(how: str) -> None:
    tamper, sentence = TAMPERING[how]
    first = verify(tamper(FOUR))[0]
    assert re.search(sentence, first), first


def test_one_changed_line_is_told_of_once() -> None:
    assert len(verify([changed(FOUR[0], source="x"), *FOUR[1:]])) == 1


def test_nothing_personal_stands_in_what_is_told() -> None:
    assert "Ada" not in " ".join(verify([changed(FOUR[0], content={"name": "Ada B"}), *FOUR[1:]]))


def test_content_that_was_erased_breaks_nothing() -> None:
    links = chain_of(entry(Happened.OPENED), entry(), entry(alert="B"), entry(Happened.ERASED))
    assert verify([emptied(links[0]), emptied(links[1]), *links[2:]]) == []


def test_erasing_one_alert_excuses_neither_another_nor_what_came_later() -> None:
    links = chain_of(entry(Happened.OPENED), entry(alert="B"), entry(Happened.ERASED), entry())
    problems = verify([emptied(links[0]), emptied(links[1]), links[2], emptied(links[3])])
    assert ["line 2" in problems[0], "line 4" in problems[1], len(problems)] == [True, True, 2]


def test_the_same_content_never_has_the_same_hash() -> None:
    """Otherwise whoever guesses a name could find it among what was erased."""
    one, another = chain_of(entry(), entry())
    assert one.content_hash != another.content_hash
    assert one.salt != another.salt


def test_neither_salt_nor_content_is_shown_by_accident() -> None:
    assert FOUR[0].salt is not None
    assert FOUR[0].salt not in repr(FOUR[0])
    assert "Ada" not in repr(FOUR[0])


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))


@given(st.text(st.characters(codec=None), max_size=8))
def test_storable_text_is_what_any_database_takes(text: str) -> None:
    stored = storable(text)
    stored.encode("utf-8")
    assert "\0" not in stored
    assert storable(stored) == stored
    if "\0" not in text and text.isprintable():
        assert stored == text
