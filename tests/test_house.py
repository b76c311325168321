"""The house keeps its order: who may import whom, and what may be said where."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(path for path in (ROOT / "agent").rglob("*.py") if "migrations" not in path.parts)

# For each room: which other rooms and top-level modules of ours it may import.
# `agent` itself and `errors`, `log` are for everybody but the rules.
COMMON = {"errors", "log"}
ALLOWED = {
    "procedure": {"procedure"},
    "forms": {"forms", "procedure"} | COMMON,
    "letters": {"letters", "procedure"} | COMMON,
    "mailbox": {"mailbox", "procedure", "m365"} | COMMON,
    "ledger": {"ledger", "procedure"} | COMMON,
    "register": {"register", "procedure", "m365"} | COMMON,
    "m365": {"m365", "settings", "secret"} | COMMON,
}
# The steps see only the promise of each adapter room, never the adapters.
STEPS = (
    *("desk", "intake", "bookkeeping", "outage", "versions", "chasing"),
    *("weekly_digest", "laying", "posting", "retention", "sweeping", "steps"),
)
ADAPTERS = re.compile(
    r"^agent\.(mailbox|ledger|register)\.(?!base$|merge$|guard$|summary_layout$)|^agent\.(m365|sandbox|bootstrap)\b"
)
MEETS_THE_SANDBOX = re.compile(r"^agent/(sandbox|cli)/|^agent/verbs/demo\.py$")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield str(node.module)


def room(path: Path) -> str:
    """`agent/forms/docx.py` → forms; `agent/intake.py` → intake."""
    return path.relative_to(ROOT / "agent").parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_inwards(path: Path) -> None:
    """A room imports its own kind, the rules, and nothing that stands beside or above it."""
    allowed = ALLOWED.get(room(path))
    if allowed is None:
        return
    ours = [name for name in imported(path) if name.startswith("agent.")]

    assert [name for name in ours if name.split(".")[1] not in allowed] == []


@pytest.mark.parametrize("path", [p for p in MODULES if room(p) == "procedure"], ids=name_of)
def test_the_rules_need_only_the_standard_library(path: Path) -> None:
    """Whoever reads a rule needs to know Python and the procedure, nothing else."""
    foreign = [
        name for name in imported(path) if name.split(".")[0] not in {*sys.stdlib_module_names, "agent"}
    ]

    assert foreign == []


@pytest.mark.parametrize("path", [p for p in MODULES if room(p) in STEPS], ids=name_of)
def test_the_steps_see_promises_and_no_adapter(path: Path) -> None:
    assert [name for name in imported(path) if ADAPTERS.search(name)] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_command_and_the_demo_know_the_sandbox(path: Path) -> None:
    if not MEETS_THE_SANDBOX.match(name_of(path)):
        assert [name for name in imported(path) if name.startswith("agent.sandbox")] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_bootstrap_and_the_sandbox_look_at_the_clock(path: Path) -> None:
    """Time is passed in, so that any day can be rehearsed."""
    if room(path) in {"bootstrap", "sandbox"}:
        return
    looks = re.findall(
        r"datetime\.now\(|date\.today\(|datetime\.utcnow\(|time\.time\(", path.read_text(encoding="utf-8")
    )

    assert looks == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_organisation_is_named_outside_its_configuration(path: Path) -> None:
    """A third council is added by configuration alone. Clauses may be cited in comments (`# NCT 6.3`)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    named = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
        and re.search(r"\bNCT\b|nctrust|Merton|Northampton|Senior Leadership|\bSLAF?\b", node.value)
    ]

    assert named == []


def test_every_python_file_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))]

    assert silent == []


def test_no_file_names_a_package_index() -> None:
    """The lock holds hashes and no addresses, so that it serves behind any mirror."""
    lock = (ROOT / "requirements.lock").read_text()

    assert not re.search(r"https?://|--index-url|--extra-index-url", lock)
    assert "--hash=sha256:" in lock
