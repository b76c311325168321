"""The agent installed from its wheel: it carries what it needs, and nothing that lies about."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OFFLINE = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    told = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**OFFLINE, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a network, as `make` does it."""
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an installed agent lies in; its dependencies come from here."""
    target = tmp_path_factory.mktemp("installed")
    run("-m", "pip", "install", "--quiet", "--no-deps", "--target", target, wheel, cwd=target)
    return target


def test_the_wheel_carries_the_configuration_and_the_wording(wheel: Path) -> None:
    """Every file of them, also one that was added lately, and nothing else: a ledger may lie beside them."""
    names = zipfile.ZipFile(wheel).namelist()
    carried = {name.removeprefix("agent/_defaults/") for name in names if "/_defaults/" in name}
    there = [path for room in ("config", "mail_templates") for path in (ROOT / room).rglob("*")]
    files = {str(path.relative_to(ROOT)) for path in there if path.is_file() and ".sqlite" not in path.name}

    assert carried == files


def test_the_wheel_carries_no_tests_and_no_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"agent"}
    assert [name for name in names if name.endswith((".sqlite", ".pyc", ".eml"))] == []
    assert any(name.endswith("ledger/migrations/versions/0001_first.py") for name in names)


def test_an_installed_agent_writes_its_configuration_and_reads_it_again(
    installed: Path, tmp_path: Path
) -> None:
    """Far from any checkout."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    where = run("-c", "import agent; print(agent.__file__)", cwd=elsewhere, PYTHONPATH=str(installed))
    assert Path(where.strip()).is_relative_to(installed)

    run("-m", "agent", "init", "mine", cwd=elsewhere, PYTHONPATH=str(installed))
    told = run(
        "-m", "agent", "read", "nothing.docx", "--config", "mine", cwd=elsewhere, PYTHONPATH=str(installed)
    )

    assert (elsewhere / "mine" / "desks" / "nct.toml").is_file()
    assert (elsewhere / "mine" / "mail_templates" / "chase.html").is_file()
    assert "This is not readable." in told


def test_an_installed_agent_needs_no_configuration_to_read_a_form(installed: Path, tmp_path: Path) -> None:
    told = run("-m", "agent", "read", "nothing.docx", cwd=tmp_path, PYTHONPATH=str(installed))
    assert "This is not readable." in told


def test_the_command_is_called_n2k(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel)
    (entry_points,) = (name for name in names.namelist() if name.endswith("entry_points.txt"))

    assert "n2k = agent.cli:main" in names.read(entry_points).decode()
