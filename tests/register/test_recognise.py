"""Whose row is it, when people sorted, pasted over, mistyped or emptied what says so?"""

from __future__ import annotations

import pytest

from agent.register.recognise import check_of, keys_in, recognised

A, B, C = (f"HA-2026-000{number}" for number in (1, 2, 3))
KEY = {"": "", "A": check_of(A), "B": check_of(B), "C": check_of(C)}
SEEN = {"": "", "A": A, "B": B, "C": C, "?": "see Casey", "Z": "HA-2026-0099"}


@pytest.mark.parametrize(
    ("rows", "whose", "twice", "torn"),
    [
        pytest.param("AA BB CC", "ABC", "", "", id="nothing happened"),
        pytest.param("CC AA BB", "CAB", "", "", id="sorted as a whole"),
        pytest.param("A. B. C.", "ABC", "", "", id="no hidden column yet"),
        pytest.param(".A ?B ZC", "ABC", "", "", id="references emptied, overwritten, mistyped"),
        pytest.param("CA AB BC", "ABC", "", "", id="the references alone were sorted"),
        pytest.param("BA AB CC", "ABC", "", "", id="two references changed places"),
        pytest.param("AA BB AA", "ABA", "A", "", id="a row was copied"),
        pytest.param("AA BB ZA", "ABA", "A", "", id="a row was copied and given a new reference"),
        pytest.param("AA AB CC", "ABC", "", "AB", id="what people see of a row was pasted over another"),
        pytest.param("AA AA CC", "AAC", "A", "", id="a row was pasted over another with what is hidden"),
        pytest.param("AA .. CC", "A.C", "", "", id="an empty row"),
        pytest.param("A. A. C.", "AAC", "A", "", id="a reference twice without hidden column"),
    ],
)
def test_whose_row_it_is(rows: str, whose: str, twice: str, torn: str) -> None:
    pairs = [keys_in(SEEN[row[0].strip(".")], KEY[row[1].strip(".")]) for row in rows.split()]

    found = recognised(pairs)

    assert found.keys == tuple(SEEN[one.strip(".")] for one in whose)
    assert found.twice == {SEEN[one] for one in twice}
    assert found.torn == {SEEN[one] for one in torn}
    assert {doubt.about for doubt in found.doubts(lost=False)} == found.unsure


@pytest.mark.parametrize("hidden", [A, f"{A} 000000", "x", f"{check_of(A)}0", f" {check_of(A)}"])
def test_a_hidden_key_counts_only_as_the_agent_wrote_it(hidden: str) -> None:
    assert recognised([keys_in(B, hidden)]).keys == (B,)


def test_a_row_with_something_in_it_and_no_reference_is_told() -> None:
    (doubt,) = recognised([keys_in("", "")]).doubts(lost=True)

    assert "has no reference" in doubt.text


def test_what_people_typed_for_a_reference_is_not_quoted() -> None:
    (doubt,) = recognised([keys_in("Lena K", ""), keys_in("Lena K", "")]).doubts(lost=False)

    assert "Lena" not in doubt.text
