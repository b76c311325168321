"""The table of what is done for each rule: whole, and true to the tests that it names."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RULES = ROOT / "../shared/domain/rules.jsonl"
ROW = re.compile(r"^\| (?P<id>[NE]\d+) \|(?P<cells>.*)\|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
SERVED = "served"
STATES = {SERVED, "left to people", "declined"}


def rows() -> dict[str, list[str]]:
    """The cells of every rule: clause, rule, what the agent does, state, test or reason."""
    told = (ROOT / "deploy/rules.md").read_text(encoding="utf-8")
    found = [(row["id"], [cell.strip() for cell in row["cells"].split("|")]) for row in ROW.finditer(told)]
    assert len(found) == len({name for name, _ in found}), "a rule stands there twice"
    return dict(found)


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("rule", "cells"), rows().items())
def test_every_rule_has_a_state_and_what_it_stands_on(rule: str, cells: list[str]) -> None:
    assert all(cells), f"{rule} has an empty cell"
    _, _, _, state, stands_on = cells
    named = TEST.findall(stands_on)

    assert state in STATES
    assert bool(named) is (state == SERVED), f"{rule}: a served rule names its test, any other its reason"
    for path, test in named:
        assert (ROOT / path).is_file(), f"{rule} names {path}, which is not there"
        assert test in names_in(path), f"{rule} names {path}::{test}, which is not there"


@pytest.mark.skipif(
    not RULES.exists(), reason="the list of rules (../shared/domain) is not beside this checkout"
)
def test_no_rule_is_left_out() -> None:
    listed = [json.loads(line)["id"] for line in RULES.read_text(encoding="utf-8").splitlines()]

    assert sorted(rows()) == sorted(listed)
