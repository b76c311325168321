"""A changed configuration counts without a restart, once it has been checked; a wrong one is refused."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent import reloading, running
from agent.configuration import load
from agent.reloading import Reloading
from agent.settings import Settings
from agent.setup.prepare import setup
from agent.stopping import on_signals
from agent.toml_lines import tell
from tests.builders import MONDAY
from tests.faults.harness import world
from tests.faults.process import configured, started
from tests.faults.test_taken_over_in_time import said, says
from tests.test_setup import WHOLE


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that an agent can work with."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "answers.toml").write_text(WHOLE)
    answers = folder / "answers.toml"
    setup(folder / "config", MONDAY, lambda question: "", lambda line: None, answers=answers)
    return folder / "config"


@pytest.fixture
def config(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is looked at as often as anybody asks."""
    monkeypatch.setattr(reloading, "LOOK_SECONDS", 0.0)
    return shutil.copytree(prepared, tmp_path / "config")


def change(file: Path, **told: Any) -> None:
    """Edit a file as a person would; its time changes even when that takes no time at all."""
    tell(file, told)
    os.utime(file, ns=(later := file.stat().st_mtime_ns + 1_000_000_000, later))


def mode(settings: Settings | None) -> str | None:
    return settings.agent.mode if settings else None


def test_a_change_counts_once_the_files_have_come_to_rest(config: Path) -> None:
    watching = Reloading(load(config))
    assert watching.news() is None

    change(config / "agent.toml", mode="live")
    assert watching.news() is None  # somebody may still be editing
    assert mode(watching.news()) == "live"
    assert watching.news() is None


def test_a_new_file_of_wording_is_a_change_and_a_ledger_or_a_log_that_grows_is_none(config: Path) -> None:
    watching = Reloading(load(config))
    (config / "n2k-ledger.sqlite").write_bytes(b"lines")
    (config / "log.txt").write_bytes(b"lines")
    assert [watching.news(), watching.news()] == [None, None]

    layout = config / "mail_templates" / "layout.txt"
    (config / "mail_templates" / "nct").mkdir()
    (config / "mail_templates" / "nct" / "layout.txt").write_text(layout.read_text() + "Nene House")
    watching.news()
    assert watching.news() is not None


def test_whoever_sends_a_hangup_waits_for_nothing(config: Path) -> None:
    watching = Reloading(load(config))
    change(config / "agent.toml", mode="live")
    watching.asked.set()
    assert mode(watching.news()) == "live"
    assert [watching.news(), watching.news()] == [None, None]


WRONG = [
    ({"mode": "sometimes"}, "agent.toml: `mode`"),
    ({"ledger": "sqlite:///elsewhere.sqlite"}, "`ledger` was changed, which counts only from a start on"),
    ({"listen": "127.0.0.1:1"}, "`watched.listen` was changed"),
    ({"certificate": "none.pem"}, "none.pem"),
    ({"id": ""}, "`tenant.id` is empty"),
]


@pytest.mark.parametrize(("told", "sentence"), WRONG)
def test_what_cannot_be_used_is_refused_with_a_sentence_once(
    config: Path, told: dict[str, Any], sentence: str
) -> None:
    file = config / "agent.toml"
    before, watching = file.read_text(), Reloading(load(config))
    change(file, **told)
    with capture_logs() as logged:
        assert [watching.news() for _ in range(4)] == [None] * 4
    (refused,) = [event for event in logged if event["event"] == "settings.refused"]
    assert sentence in " ".join(refused["problems"])

    file.write_text(before)
    change(file, mode="live")
    watching.news()
    assert mode(watching.news()) == "live"


def test_a_file_that_may_not_be_read_is_refused_and_ends_nothing(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Reloading(load(config))

    def refused(folder: Path) -> Settings:
        raise PermissionError(13, "Permission denied", str(folder / "agent.toml"))

    monkeypatch.setattr(reloading, "load", refused)
    watching.asked.set()
    with capture_logs() as logged:
        assert watching.news() is None
    assert "agent.toml" in str(logged)


def test_what_is_edited_while_the_files_are_read_is_not_missed(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching, read = Reloading(load(config)), load

    def edited_meanwhile(folder: Path) -> Settings:
        settings = read(folder)
        monkeypatch.setattr(reloading, "load", read)
        change(config / "agent.toml", mode="live")
        return settings

    monkeypatch.setattr(reloading, "load", edited_meanwhile)
    watching.asked.set()
    assert mode(watching.news()) != "live"
    assert mode(watching.news()) == "live"


def test_a_letter_that_could_not_be_written_any_more_is_refused(config: Path) -> None:
    watching = Reloading(load(config))
    (config / "mail_templates" / "chase.txt").write_text("{{ nobody_knows_this }}")
    with capture_logs() as logged:
        watching.news()
        assert watching.news() is None
    assert "chase" in str(logged)


def test_a_hangup_asks_for_the_configuration_and_a_term_for_the_end() -> None:
    stop, asked = threading.Event(), threading.Event()
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        on_signals(stop, asked)
        os.kill(os.getpid(), signal.SIGHUP)
        assert asked.wait(5)
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def test_a_running_agent_takes_up_a_change_and_goes_on_at_its_desks(tmp_path: Path) -> None:
    with world() as here:
        configured(here, tmp_path)
        process = started("run", "--config", str(tmp_path), "--log-json", log=tmp_path / "agent.log")
        try:
            says(tmp_path, "agent", "agent.started")
            tell(tmp_path / "agent.toml", {"mode": "no such mode"})
            process.send_signal(signal.SIGHUP)
            says(tmp_path, "agent", "settings.refused")
            tell(tmp_path / "agent.toml", {"mode": "watch"})
            process.send_signal(signal.SIGHUP)
            says(tmp_path, "agent", '"mode": "watch", "event": "agent.started"')
            process.send_signal(signal.SIGHUP)
            says(tmp_path, "agent", "agent.begins_afresh", times=2)
            process.send_signal(signal.SIGTERM)  # between two agents, or nearly so
            assert process.wait(running.GRACE_SECONDS + 5) == 0
        finally:
            process.kill()
            process.wait()
    assert "Traceback" not in said(tmp_path, "agent")
    assert "held_by_another" not in said(tmp_path, "agent")
