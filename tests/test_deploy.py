"""What lies under deploy/ agrees with the agent and with itself, and a restored ledger is whole."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from agent.bootstrap import Agent
from agent.cli import _parser
from agent.health import _ANSWERS
from agent.ledger.sql import SqlLedger
from agent.metrics import Metrics
from agent.procedure.entry import Entry
from agent.procedure.words import Happened
from agent.settings import Tenant
from agent.setup.certificate import make_certificate

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
WRITTEN = sorted(path for path in DEPLOY.rglob("*") if path.suffix in {".md", ".yaml", ".bicep", ".service"})
PORT = 9464
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def name_of(path: Path) -> str:
    return str(path.relative_to(DEPLOY))


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.yaml")), ids=name_of)
def test_yaml_can_be_read(path: Path) -> None:
    assert list(yaml.safe_load_all(path.read_text()))


# figures and alerts


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every figure that the agent tells."""
    certificate = tmp_path_factory.mktemp("figures") / "agent.pem"
    make_certificate(certificate, NOW)
    tenant = Tenant(id="t", client="c", certificate=str(certificate))
    settings = SimpleNamespace(agent=SimpleNamespace(tenant=tenant))
    agent = SimpleNamespace(desks=(), clock=lambda: NOW, settings=settings)
    told = Metrics(cast(Agent, agent)).text().decode()
    return set(re.findall(r"^# HELP (n2k_\w+)", told, flags=re.M))


def named_figures() -> Iterator[tuple[str, str]]:
    board = json.loads((DEPLOY / "monitoring/grafana.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for group in yaml.safe_load((DEPLOY / "monitoring/alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


@pytest.mark.parametrize(("where", "expression"), list(named_figures()), ids=lambda told: str(told)[:30])
def test_every_figure_that_is_shown_or_watched_exists(figures: set[str], where: str, expression: str) -> None:
    named = set(re.findall(r"\bn2k_\w+", expression))

    assert named or "up{" in expression, where
    assert named <= figures
    assert expression.count("(") == expression.count(")")


# what the files say of the agent


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_every_command_that_is_written_down_exists(path: Path) -> None:
    verbs = set(next(iter(_parser()._subparsers._group_actions)).choices or ())  # type: ignore[union-attr]
    named = set(re.findall(r"(?:`|^|/)n2k ([a-z][a-z-]+)", path.read_text(), flags=re.M))

    assert named <= verbs


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.md")), ids=name_of)
def test_every_file_that_is_referred_to_is_there(path: Path) -> None:
    for named in re.findall(r"`((?:deploy|config|agent|tests|mail_templates)/[\w./-]+)`", path.read_text()):
        assert (ROOT / named).exists(), named


def test_the_alerts_refer_to_chapters_that_the_runbook_has() -> None:
    chapters = re.findall(r"^## (.+)$", (DEPLOY / "runbook.md").read_text(), flags=re.M)
    for named in re.findall(
        r"See “(.+?)” in deploy/runbook.md", (DEPLOY / "monitoring/alerts.yaml").read_text()
    ):
        assert named in chapters


def test_probes_ask_what_the_agent_answers() -> None:
    container = _deployment()["containers"][0]
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("liveness", "readiness")]
    bicep = (DEPLOY / "container-app.bicep").read_text()

    assert [probe["path"] for probe in probes] == ["/healthz", "/readyz"]
    assert set(re.findall(r"path: '(/\w+)'", bicep)) == {"/healthz", "/readyz"}
    assert {"/healthz", "/readyz"} <= _ANSWERS.keys()
    assert container["ports"][0]["containerPort"] == PORT
    assert set(re.findall(r"port: (\d+)", bicep)) == {str(PORT)}
    assert f"EXPOSE {PORT}\n" in (DEPLOY / "Dockerfile").read_text()


def test_containers_have_no_root_and_nothing_to_write_on() -> None:
    pod, container = _deployment(), _deployment()["containers"][0]["securityContext"]
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["agent"]
    user = pod["securityContext"]["runAsUser"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert f"USER {user}:{user}" in (DEPLOY / "Dockerfile").read_text()
    assert container["readOnlyRootFilesystem"]
    assert compose["read_only"]
    assert container["capabilities"]["drop"] == compose["cap_drop"] == ["ALL"]
    assert not container["allowPrivilegeEscalation"]


def test_an_installation_has_what_was_tested_and_nothing_that_only_developers_need() -> None:
    tested, installed = (_locked(path) for path in (ROOT / "requirements.lock", DEPLOY / "requirements.lock"))

    assert installed <= tested
    names = {line.partition("==")[0] for line in installed}
    assert {"o365", "psycopg", "hatchling"} <= names
    assert names.isdisjoint({"pytest", "mypy", "ruff", "hypothesis", "jsonschema"})
    for written in (DEPLOY / "runbook.md", DEPLOY / "connect.md", ROOT / "Makefile"):
        assert "deploy/requirements.lock" in written.read_text()


def _locked(path: Path) -> set[str]:
    return set(re.findall(r"^[\w.-]+==\S+", path.read_text(), flags=re.M))


def test_no_file_holds_a_secret() -> None:
    for path in WRITTEN:
        assert not re.search(r"PASSWORD=[^…\s]|BEGIN \w* ?PRIVATE KEY", path.read_text()), path


def _deployment() -> Any:
    documents = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return next(one for one in documents if one["kind"] == "Deployment")["spec"]["template"]["spec"]


# backup and restore


def back_up(*told: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DEPLOY / "backup.py"), *map(str, told)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def record(ledger: SqlLedger, number: int) -> None:
    with ledger.desk("nct").page() as page:
        page.record(
            Entry(Happened.HANDED_OVER, f"SLA-2026-{number:04}", NOW + timedelta(minutes=number), "test")
        )


def test_a_ledger_copied_at_work_is_whole_where_it_is_restored(tmp_path: Path) -> None:
    """What the copy holds is what stood there then; the agent's own goes on."""
    ledger = SqlLedger(f"sqlite:///{tmp_path}/ledger.sqlite")
    for number in range(1, 4):
        record(ledger, number)

    assert back_up(tmp_path / "ledger.sqlite", tmp_path / "copy.sqlite").returncode == 0
    record(ledger, 4)
    ledger.close()

    restored = SqlLedger(f"sqlite:///{tmp_path}/copy.sqlite")
    assert len(restored.desk("nct").entries()) == 3
    assert restored.desk("nct").verify() == []
    record(restored, 5)
    assert restored.desk("nct").verify() == []
    restored.close()
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o077 == 0


def test_a_copy_overwrites_nothing_and_invents_no_ledger(tmp_path: Path) -> None:
    SqlLedger(f"sqlite:///{tmp_path}/ledger.sqlite").close()
    (tmp_path / "copy.sqlite").write_text("an older copy")

    assert back_up(tmp_path / "ledger.sqlite", tmp_path / "copy.sqlite").returncode == 1
    assert (tmp_path / "copy.sqlite").read_text() == "an older copy"
    assert "There is no ledger" in back_up(tmp_path / "nothing", tmp_path / "other").stderr
    assert not (tmp_path / "nothing").exists()
