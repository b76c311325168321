"""The agent as a process of its own, connected to a sandbox in ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from agent.configuration import load
from agent.sandbox.serve import write_config
from agent.settings import Settings
from tests.faults.harness import DESK, World

ROOT = Path(__file__).parents[2]


def configured(here: World, folder: Path) -> Settings:
    """Write a configuration folder that leads to this sandbox; gives it as an agent reads it.

    As in the harness, only chases and digests are written.
    """
    write_config(folder, here.stage.sandbox, {DESK: here.told.desks[DESK]})
    procedure = folder / "procedures" / f"{here.told.desks[DESK].procedure}.toml"
    told = procedure.read_text(encoding="utf-8")
    for line, instead in (
        (r"^reminder = [^\n]*\n", ""),
        (r"^receipt_hours = \d+", "receipt_hours = 0"),
        (r"^\[urgent\].*?(?=^\[)", ""),
    ):
        told = re.sub(line, instead, told, flags=re.MULTILINE | re.DOTALL)
    procedure.write_text(told, encoding="utf-8")
    return load(folder)


def started(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """`n2k` with these arguments; what it says goes to the file `log`."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "agent", *arguments], cwd=ROOT, stdout=file, stderr=subprocess.STDOUT
        )
