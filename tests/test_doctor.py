"""The doctor on the sandbox: quiet when all is well, and the right sentence for each fault it knows."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.configuration import load
from agent.doctor.diagnosis import Diagnosis, State
from agent.doctor.examine import doctor, examine
from agent.ledger.base import Letter, Reason
from agent.ledger.sql import SqlLedger
from agent.ledger_at_hand import ledger_at_hand
from agent.register.new_workbook import NewWorkbook
from agent.sandbox.drive_files import Drive
from agent.sandbox.faults import Fault
from agent.sandbox.server import Sandbox
from agent.verbs.pausing import pause
from agent.verbs.status import status
from tests.builders import ROOT
from tests.builders import settings as shipped

INBOX, SITE = "n2k@trust.example", "trust.sharepoint.example:/sites/need-to-know"
PEOPLE = {
    "sol.quarrie": ("sqas_sm", "strategic_manager"),
    "pia.winterbourne": ("psw",),
    "ida.falk": (
        "chief_executive",
        "director",
        "assistant_director",
        "hr_head",
        "business_support",
        "duty",
        "finance_director",
    ),
}


@dataclass
class Practice:
    """A sandbox, a configuration that connects to it, and the doctor."""

    sandbox: Sandbox
    drive: Drive
    folder: Path
    now: datetime

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def found(self) -> list[Diagnosis]:
        return list(examine(self.folder, lambda: self.now))

    def amiss(self) -> dict[str, Diagnosis]:
        """All that is not well, by check, without the review date, which has passed."""
        told = {one.check: one for one in self.found() if one.state is not State.WELL}
        told.pop("procedure", None)
        return told


@contextmanager
def practised(folder: Path) -> Iterator[Practice]:
    with Sandbox(domains=("trust.example",), work_dir=folder / "sandbox") as sandbox:
        tenant = sandbox.tenant
        tenant.add_mailbox(INBOX, in_scope=True, shared=True)
        for name in PEOPLE:
            tenant.add_mailbox(f"{name}@trust.example")
        site = tenant.drives.add_site("trust.sharepoint.example", "/sites/need-to-know", "Need to Know")
        config = folder / "config"
        shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("demo", "*.sqlite*"))
        practice = Practice(sandbox, site.drive, config, datetime.now(UTC))
        practice.edit("agent.toml", 'desks = ["nct", "merton"]', 'desks = ["nct"]')
        for key, value in (
            ("id", sandbox.tenant_id),
            ("client", sandbox.client_id),
            ("certificate", str(sandbox.certificate_file)),
            ("ca_file", str(sandbox.ca_file)),
            ("authority", sandbox.base_url),
            ("graph", sandbox.base_url),
        ):
            text = (config / "agent.toml").read_text()
            (config / "agent.toml").write_text(
                re.sub(rf'^{key} = ""', f'{key} = "{value}"', text, flags=re.M)
            )
        desk = "desks/nct.toml"
        practice.edit(desk, "N2KNotification@nctrust.co.uk", INBOX)
        practice.edit(desk, 'allowed_domains = ["nctrust.co.uk"]', 'allowed_domains = ["trust.example"]')
        practice.edit(desk, 'aliases = ["n2knotifications@nctrust.co.uk"]', "aliases = []")
        practice.edit(desk, 'site = ""', f'site = "{SITE}"')
        people = "".join(
            f'\n[[people]]\nname = "{name.title().replace(".", " ")}"\naddress = "{name}@trust.example"\n'
            f"roles = {json.dumps(list(roles))}\n"
            for name, roles in PEOPLE.items()
        )
        with (config / desk).open("a", encoding="utf-8") as file:
            file.write(people)
        yield practice


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    with practised(tmp_path) as ready:
        yield ready


def test_it_is_quiet_when_all_is_well(practice: Practice) -> None:
    """But for the procedure's review date, which has passed until somebody confirms the rules."""
    found = practice.found()

    assert {one.check for one in found if one.state is not State.WELL} == {"procedure"}
    assert {"mailbox", "other mailboxes", "sending", "folders", "register", "ledger", "clock"} <= {
        one.check for one in found
    }
    said: list[str] = []
    assert doctor(practice.folder, lambda: practice.now, said.append) == 0
    assert said[-1].endswith("1 watch, 0 ill, 0 not checked")


def test_looking_changes_and_sends_nothing(practice: Practice) -> None:
    practice.found()
    tenant = practice.sandbox.tenant
    boxes = [box for box in tenant.mailboxes.values() if list(box.all_messages())]

    assert boxes == []
    assert tenant.outside == []
    assert practice.drive.find("Need to Know.xlsx") is None


def test_a_reviewed_procedure_is_well(practice: Practice) -> None:
    practice.edit("procedures/nct.toml", "review_date = 2026-06-30", "review_date = 2096-06-30")
    assert "procedure" not in {one.check for one in practice.found() if one.state is not State.WELL}


def test_machines_get_json_and_the_exit_status_tells(practice: Practice) -> None:
    practice.sandbox.tenant.mailbox(INBOX).in_scope = False
    said: list[str] = []

    assert doctor(practice.folder, lambda: practice.now, said.append, as_json=True) == 1
    told = json.loads("\n".join(said))
    assert {"check", "state", "said", "remedy", "desk"} == set(told[0])
    assert [one["check"] for one in told if one["state"] == "ill"] == ["mailbox"]


# --- each fault, one by one


def test_a_configuration_that_cannot_be_read_is_told_with_every_problem(practice: Practice) -> None:
    practice.edit("agent.toml", "mode =", "moody =")
    practice.edit("desks/nct.toml", "timezone = ", "timezones = ")
    found = practice.found()

    assert {one.state for one in found} == {State.ILL}
    assert len(found) == 2


def test_what_is_not_filled_in_is_told_and_nothing_is_asked_of_the_tenant(practice: Practice) -> None:
    practice.edit("desks/nct.toml", f'site = "{SITE}"', 'site = ""')
    found = practice.found()

    assert "`register.site` is empty" in practice.amiss()["configuration"].said
    assert "mailbox" not in {one.check for one in found}


def test_bank_holidays_that_run_out(practice: Practice) -> None:
    last = max(
        json.loads((practice.folder / "bank_holidays_england.json").read_text())["england-and-wales"][
            "events"
        ],
        key=lambda event: event["date"],
    )["date"]
    practice.now = datetime.fromisoformat(last).replace(tzinfo=UTC) - timedelta(days=20)
    told = practice.amiss()["bank holidays"]

    assert told.state is State.WATCH
    assert "gov.uk/bank-holidays" in told.remedy

    practice.now += timedelta(days=30)
    told = practice.amiss()["bank holidays"]
    assert told.state is State.ILL
    assert "nobody is chased now" in told.said


def test_letters_that_rest_and_whether_any_of_them_may_not_wait(practice: Practice) -> None:
    practice.found()  # the ledger is there
    settings = load(practice.folder)
    list(pause(settings, practice.now))
    told = practice.amiss()["letters at rest"]
    assert told.state is State.WATCH
    assert "n2k resume" in told.remedy

    urgent = Letter(
        key="k",
        kind="urgent_question",
        to="x",
        subject="s",
        text="",
        html="",
        laid_at=practice.now,
        reasons=(Reason("", "urgent:1:asked:duty-1", practice.now.date()),),
    )
    with ledger_at_hand(settings) as ledger, ledger.desk("nct").page() as page:
        page.lay(urgent)
    told = practice.amiss()["letters at rest"]
    assert told.state is State.ILL
    assert "1 of them may not wait" in told.said
    assert any(
        "of which urgent  1: see to them by telephone" in line
        for line in status(settings, practice.now.date())
    )


@pytest.mark.parametrize(
    ("days_before", "state", "said"),
    [(20, State.WATCH, "20 more days"), (-1, State.ILL, "ran out")],
)
def test_a_certificate_that_runs_out(practice: Practice, days_before: int, state: State, said: str) -> None:
    found = next(one for one in practice.found() if one.check == "credential")
    until = re.search(r"until (\d+ \w+ \d+)", found.said)
    assert until
    practice.now = datetime.strptime(until[1], "%d %b %Y").replace(tzinfo=UTC) - timedelta(days=days_before)
    told = practice.amiss()["credential"]

    assert (told.state, said in told.said) == (state, True)
    assert "connect.md" in told.remedy


def test_a_secret_works_but_a_certificate_is_preferred(practice: Practice, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(practice.sandbox.client_secret)
    text = (practice.folder / "agent.toml").read_text()
    text = re.sub(r'^certificate = ".*?"', 'certificate = ""', text, flags=re.M)
    (practice.folder / "agent.toml").write_text(
        re.sub(r'^secret_from = ""', f'secret_from = "file:{tmp_path}/secret"', text, flags=re.M)
    )

    told = practice.amiss()
    assert set(told) == {"credential"}
    assert told["credential"].state is State.WATCH


def test_what_azure_or_the_platform_keeps_fresh_has_to_be_renewed_by_nobody(
    practice: Practice, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a.platforms.token")
    text = (practice.folder / "agent.toml").read_text()
    text = re.sub(r'^certificate = ".*?"', 'certificate = ""', text, flags=re.M)
    (practice.folder / "agent.toml").write_text(
        text.replace('assertion_file = ""', f'assertion_file = "{tmp_path}/token"')
    )

    told = {one.check: one for one in practice.found()}
    assert told["credential"].state is State.WELL
    assert f"the platform's token in {tmp_path}/token" in told["credential"].said
    assert told["token"].state is State.ILL  # this tenant trusts no platform


def test_a_certificate_that_entra_does_not_know(practice: Practice) -> None:
    practice.sandbox.app.certificates.clear()
    told = practice.amiss()

    assert told["token"].state is State.ILL
    assert "certificate" in told["token"].said
    assert "mailbox" not in told


def test_a_mailbox_out_of_scope_names_the_permission_and_the_command(practice: Practice) -> None:
    practice.sandbox.tenant.mailbox(INBOX).in_scope = False
    told = practice.amiss()["mailbox"]

    assert "Mail.ReadWrite" in told.said
    assert f"-Resource {INBOX}" in told.remedy


def test_a_mailbox_that_is_not_there(practice: Practice) -> None:
    practice.edit("desks/nct.toml", f'mailbox = "{INBOX}"', 'mailbox = "nobody@trust.example"')
    assert "Check its address" in practice.amiss()["mailbox"].said


def test_another_mailbox_that_can_be_read_is_the_gravest_fault(practice: Practice) -> None:
    practice.sandbox.app.entra_permissions.add("Mail.ReadWrite")
    told = practice.amiss()["other mailboxes"]

    assert told.state is State.ILL
    assert "remove every Mail.* consent" in told.remedy
    assert practice.sandbox.client_id in told.remedy


def test_other_mailboxes_that_do_not_exist_prove_nothing(practice: Practice) -> None:
    for name in PEOPLE:
        del practice.sandbox.tenant.mailboxes[f"{name}@trust.example"]
    assert practice.amiss()["other mailboxes"].state is State.UNSEEN


def test_sending_that_is_not_allowed(practice: Practice) -> None:
    practice.sandbox.app.exchange_roles.remove("Mail.Send")
    told = practice.amiss()

    assert set(told) == {"sending"}
    assert "Mail.Send" in told["sending"].said


def test_a_site_that_is_not_granted(practice: Practice) -> None:
    practice.sandbox.app.entra_permissions.remove("Sites.Selected")
    assert "Sites.Selected" in practice.amiss()["register"].said


def test_a_site_that_is_not_there(practice: Practice) -> None:
    practice.edit("desks/nct.toml", SITE, "trust.sharepoint.example:/sites/elsewhere")
    assert "There is no SharePoint site" in practice.amiss()["register"].said


def test_a_workbook_that_cannot_be_edited(practice: Practice) -> None:
    practice.drive.put("Need to Know.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 protected by a password")
    told = practice.amiss()["register"]

    assert told.state is State.ILL
    assert "encrypted" in told.said


def test_a_workbook_that_is_there_and_may_be_written(practice: Practice) -> None:
    practice.drive.put("Need to Know.xlsx", NewWorkbook("nct", shipped().procedures["nct"].columns).content())
    found = {one.check: one for one in practice.found()}

    assert found["register"].said == "It can be read and edited: 0 rows."
    assert found["writing"].state is State.WELL
    assert len(practice.drive.versions("Need to Know.xlsx")) == 1


def test_a_workbook_that_the_agent_may_only_read(practice: Practice) -> None:
    practice.drive.put("Need to Know.xlsx", NewWorkbook("nct", shipped().procedures["nct"].columns).content())
    practice.sandbox.tenant.faults.add(
        Fault(method="PATCH", path="/drives/", status=403, code="accessDenied")
    )

    assert practice.amiss()["writing"].state is State.ILL


def test_a_role_that_nobody_holds(practice: Practice) -> None:
    practice.edit("desks/nct.toml", '"hr_head", ', "")
    told = practice.amiss()["people"]

    assert told.state is State.WATCH
    assert "`hr_head`" in told.said


def test_a_template_that_cannot_be_used(practice: Practice) -> None:
    own = practice.folder / "mail_templates"
    own.mkdir()
    (own / "chase.txt").write_text("Subject: {{ letters.subject_prefix }}\n\n{{ child.name }}\n")
    told = [one for one in practice.found() if one.check == "letters"]

    assert {one.state for one in told} == {State.ILL}
    assert any("chase.txt" in one.said for one in told)


def test_a_ledger_of_a_newer_agent(practice: Practice) -> None:
    SqlLedger(f"sqlite:///{practice.folder}/n2k-ledger.sqlite").close()
    with closing(sqlite3.connect(practice.folder / "n2k-ledger.sqlite")) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    assert practice.amiss()["ledger"].state is State.ILL


@pytest.mark.parametrize(("free", "state"), [(1_000_000_000, State.WATCH), (1_000_000, State.ILL)])
def test_a_disk_that_fills_up(
    practice: Practice, free: int, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.doctor.here.shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    assert practice.amiss()["disk"].state is state


def test_a_network_that_does_not_let_us_through(practice: Practice) -> None:
    practice.edit("agent.toml", f'graph = "{practice.sandbox.base_url}"', 'graph = "https://127.0.0.1:1"')
    told = practice.amiss()["network"]

    assert told.state is State.ILL
    assert "port 443" in told.remedy


@pytest.mark.parametrize(("minutes", "state"), [(1, State.WATCH), (10, State.ILL)])
def test_a_clock_that_goes_astray(practice: Practice, minutes: int, state: State) -> None:
    practice.now += timedelta(minutes=minutes)
    assert practice.amiss()["clock"].state is state
