"""A bundle for whoever helps from afar: enough to help with, and nobody is named in it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.bootstrap import at_work
from agent.cli import main
from agent.configuration import load
from agent.steps import run_all
from agent.verbs.support_bundle import support_bundle
from tests.builders import mail
from tests.steps.test_nothing_personal_leaves import BORN, MARK, SUBJECT, a_form
from tests.test_doctor import INBOX, PEOPLE, SITE, Practice, practised

pytestmark = pytest.mark.usefixtures("own_log")

SECRET = "hush-invented-token"


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    """A desk at which an alert was taken in, with a secret in the address of the heartbeat."""
    with practised(tmp_path) as ready:
        ready.edit("agent.toml", 'heartbeat = ""', f'heartbeat = "https://watcher.example/{SECRET}"')
        ready.sandbox.tenant.deliver(mail(SUBJECT, ("form.docx", a_form())), [INBOX])
        with at_work(load(ready.folder), clock=lambda: ready.now) as agent:
            assert not [outcome for outcome in run_all(agent.desks[0], ready.now) if outcome.trouble]
            assert agent.desks[0].ledger.alerts()
        yield ready


def bundled(practice: Practice, to: Path, log: Path | None = None) -> dict[str, str]:
    list(support_bundle(practice.folder, to, lambda: practice.now, log))
    with zipfile.ZipFile(to) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_it_tells_what_helps_and_names_nobody(practice: Practice, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    told = f"{MARK} Fairweather; asked {INBOX}; /home/sol.quarrie/agent.pem; Pia Winterbourne"
    log.write_text(f"an old line\n{told}\nintake.decided desk=nct\n")
    parts = bundled(practice, tmp_path / "bundle.zip", log)

    assert "intake.decided desk=nct" in parts["log.txt"]
    assert "ok     mailbox (nct)" in parts["doctor.txt"]
    assert '"opened": 1' in parts["ledger.json"]
    assert "Desk nct" in parts["status.txt"]
    assert '"intake": 2' in parts["settings.json"]
    assert '"strategic_manager"' in parts["settings.json"]
    assert "changed      desks/nct.toml" in parts["files.txt"]
    assert "as it comes  forms/sla.toml" in parts["files.txt"]
    assert "SQLAlchemy==" in parts["versions.txt"]

    everything = "\n".join(f"{name}\n{text}" for name, text in parts.items())
    people = [part for name in PEOPLE for part in name.split(".")]
    for word in (MARK, "Fairweather", INBOX, "@", SECRET, SITE, practice.sandbox.client_id, *people):
        found = re.search(rf"(?i).*(?<!\w){re.escape(word)}.*", everything)
        assert found is None, found[0]
    assert not [birthday for birthday in BORN if birthday in everything]


def test_it_is_made_even_of_a_configuration_that_cannot_be_used(practice: Practice, tmp_path: Path) -> None:
    practice.edit("agent.toml", 'mode = "', 'mood = "')
    parts = bundled(practice, tmp_path / "bundle.zip")

    assert "`mood` is not known" in parts["doctor.txt"]
    assert "settings.json" not in parts


def test_it_overwrites_nothing(
    practice: Practice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "bundle.zip"
    there.write_text("mine")

    assert main(["support-bundle", "--config", str(practice.folder), "--to", str(there)]) == 1
    assert there.read_text() == "mine"
    assert "bundle.zip" in capsys.readouterr().err
