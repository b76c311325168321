"""Preparing an installation: answers in, configuration and scripts out, and nothing overwritten."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.cli import main
from agent.configuration import load, shipped
from agent.errors import BadConfiguration
from agent.m365.credential import credential_of
from agent.settings_checks import missing_for_work
from agent.setup.answers import Answers, from_file
from agent.setup.prepare import STATIC, scripts, setup

pytestmark = pytest.mark.usefixtures("own_log")

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
WHOLE = f"""
desk = "nct"
mailbox = "n2k@trust.example"
site = "trust.sharepoint.example:/sites/need-to-know"
workbook = "Alerts.xlsx"
tenant = "trust.example"
client = "{CLIENT}"

[[people]]
name = "Sol Quarrie"
address = "sol.quarrie@trust.example"
roles = ["sqas_sm", "strategic_manager", "duty", "business_support"]

[[people]]
name = "Pia Winterbourne"
address = "pia.winterbourne@trust.example"
roles = ["psw", "chief_executive", "director", "assistant_director", "hr_head"]
"""


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.toml"
    path.write_text(WHOLE)
    return path


def nobody(question: str) -> str:
    raise AssertionError(f"asked {question}")


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_answers_make_a_configuration_that_an_agent_can_work_with(tmp_path: Path, answers: Path) -> None:
    said: list[str] = []

    assert setup(tmp_path / "n2k", NOW, nobody, said.append, answers=answers) == 0

    settings = load(tmp_path / "n2k")
    desk = settings.desks["nct"]
    assert missing_for_work(settings) == []
    assert list(settings.desks) == ["nct"]
    assert (settings.agent.tenant.id, settings.agent.tenant.client) == ("trust.example", CLIENT)
    assert (desk.mailbox, desk.allowed_domains, desk.aliases) == ("n2k@trust.example", ("trust.example",), ())
    assert (desk.register.site, desk.register.path) == (
        "trust.sharepoint.example:/sites/need-to-know",
        "Alerts.xlsx",
    )
    assert settings.agent.mode == "watch"


def test_comments_stay_where_they_were(tmp_path: Path, answers: Path) -> None:
    """Whoever opens the file later finds every explanation that was shipped with it."""
    setup(tmp_path / "n2k", NOW, nobody, print, answers=answers)

    for name in ("agent.toml", "desks/nct.toml"):
        was = (shipped()[0] / name).read_text().splitlines()
        now = (tmp_path / "n2k" / name).read_text()
        assert [line for line in was if "#" in line and f"#{line.split('#', 1)[1]}" not in now] == []


def test_the_certificate_is_for_its_owner_alone_and_good_for_a_year(tmp_path: Path, answers: Path) -> None:
    setup(tmp_path / "n2k", NOW, nobody, print, answers=answers)
    path = tmp_path / "n2k" / "agent.pem"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert credential_of(load(tmp_path / "n2k").agent.tenant).until == NOW + timedelta(days=365)


def test_no_key_lies_where_it_should_not(tmp_path: Path, answers: Path) -> None:
    """Not in the configuration, and not among what goes to the administrators."""
    setup(tmp_path / "n2k", NOW, nobody, print, answers=answers)

    with_keys = [path.name for path, content in files(tmp_path / "n2k").items() if b"PRIVATE KEY" in content]
    assert with_keys == ["agent.pem"]
    assert b"BEGIN CERTIFICATE" in (tmp_path / "n2k/scripts/agent-certificate.pem").read_bytes()


def test_run_again_it_changes_nothing(tmp_path: Path, answers: Path) -> None:
    folder = tmp_path / "n2k"
    setup(folder, NOW, nobody, print, answers=answers)
    (folder / "agent.toml").write_text((folder / "agent.toml").read_text().replace('"watch"', '"live"'))
    (folder / "scripts/4-site.ps1").write_text("# ours\n")
    before = files(folder)
    said: list[str] = []

    setup(folder, NOW + timedelta(days=9), nobody, said.append)

    assert files(folder) == before
    assert [line for line in said if "4-site.ps1 is there and would now be another" in line]


def test_a_new_certificate_is_named_first_and_made_then(tmp_path: Path, answers: Path) -> None:
    """How one is renewed: the old one stays where it is until the new one is known to Entra."""
    folder = tmp_path / "n2k"
    setup(folder, NOW, nobody, print, answers=answers)
    old = (folder / "agent.pem").read_bytes()
    (folder / "scripts/agent-certificate.pem").unlink()
    text = (folder / "agent.toml").read_text().replace('"agent.pem"', '"agent-2027.pem"')
    (folder / "agent.toml").write_text(text)

    setup(folder, NOW + timedelta(days=340), nobody, print)

    assert (folder / "agent.pem").read_bytes() == old
    assert credential_of(load(folder).agent.tenant).until == NOW + timedelta(days=340 + 365)
    public = (folder / "scripts/agent-certificate.pem").read_bytes()
    assert public in (folder / "agent-2027.pem").read_bytes()


@pytest.mark.parametrize("kind", ["system", "user"])
def test_with_a_managed_identity_there_is_no_certificate(tmp_path: Path, answers: Path, kind: str) -> None:
    answers.write_text(f'sign_in_by = "{kind}"\n{WHOLE}')

    setup(tmp_path / "n2k", NOW, nobody, print, answers=answers)

    assert load(tmp_path / "n2k").agent.tenant.managed_identity == kind
    assert list((tmp_path / "n2k").rglob("*.pem")) == []
    assert "[string]$Certificate = ''" in (tmp_path / "n2k/scripts/1-app-registration.ps1").read_text()


# the scripts


def test_every_script_begins_with_the_configurations_own_values(tmp_path: Path, answers: Path) -> None:
    setup(tmp_path / "n2k", NOW, nobody, print, answers=answers)

    written = sorted((tmp_path / "n2k/scripts").glob("*.ps1"))
    assert len(written) == 4
    for path in written:
        text = path.read_text()
        assert "[string[]]$Mailboxes = @('n2k@trust.example')" in text
        assert "[string[]]$Sites = @('trust.sharepoint.example:/sites/need-to-know')" in text
        assert f"[string]$ClientId = '{CLIENT}'" in text
        assert "[string]$SomebodyElse = 'sol.quarrie@trust.example'" in text


def test_a_value_cannot_break_out_of_its_quotes(tmp_path: Path, answers: Path) -> None:
    """PowerShell takes the typographic quotes for quotes, too."""
    setup(tmp_path / "n2k", NOW, nobody, print, answers=answers)
    settings = load(tmp_path / "n2k")
    desk = replace(settings.desks["nct"], mailbox="o'brien’; Remove-Mailbox ‘x@trust.example")

    script = scripts(replace(settings, desks={"nct": desk}))["2-mailbox.ps1"].decode()

    assert "@('o''brien’’; Remove-Mailbox ‘‘x@trust.example')" in script


def test_no_script_uses_a_value_that_it_is_not_given() -> None:
    """What a script uses is a parameter, set in it, or PowerShell's own."""
    given = {
        *("TenantId", "ClientId", "Mailboxes", "Sites", "SomebodyElse", "Certificate", "Remove"),
        *("GraphEnvironment", "ExchangeEnvironment", "PSScriptRoot", "_", "false"),
    }
    for path in STATIC.glob("*.ps1"):
        text = path.read_text().replace("`$select", "")
        made = set(re.findall(r"\$(\w+) = |\bforeach \(\$(\w+) in", text))
        used = set(re.findall(r"\$(\w+)", text))
        assert used - given - {name for pair in made for name in pair} == set(), path.name


def test_the_consents_that_would_defeat_the_scopes_are_looked_for(tmp_path: Path) -> None:
    assert "Remove-MgServicePrincipalAppRoleAssignment" in (STATIC / "3-nothing-more.ps1").read_text()
    for name in ("Mail.ReadWrite", "Mail.Send"):
        assert f"'Application {name}'" in (STATIC / "2-mailbox.ps1").read_text()  # in Exchange, with a scope
        assert name not in (STATIC / "1-app-registration.ps1").read_text()  # and not consented in Entra


# wrong answers, and answers given by a person


def test_all_that_is_wrong_with_the_answers_is_told_at_once(tmp_path: Path, answers: Path) -> None:
    wrong = (
        WHOLE.replace("n2k@trust.example", "n2k")
        .replace(CLIENT, "the app")
        .replace('desk = "nct"', 'desk = "x"')
    )
    answers.write_text(wrong.replace("trust.sharepoint.example:/sites/", "https://trust.sharepoint.example/"))

    with pytest.raises(BadConfiguration) as raised:
        setup(tmp_path / "n2k", NOW, nobody, print, answers=answers)

    for key in ("`mailbox`", "`client`", "`desk`", "`site`"):
        assert f"answers.toml: {key}" in str(raised.value)
    assert not (tmp_path / "n2k").exists()


def test_a_person_outside_the_domains_is_told(answers: Path) -> None:
    answers.write_text(WHOLE.replace("pia.winterbourne@trust.example", "pia@elsewhere.example"))

    with pytest.raises(BadConfiguration, match=r"pia@elsewhere\.example is outside trust\.example"):
        from_file(answers, load(shipped()[0]))


def test_a_key_that_is_not_known_is_told(answers: Path) -> None:
    answers.write_text('client_secret = "oh no"\n' + WHOLE)

    with pytest.raises(BadConfiguration, match="`client_secret` is not known"):
        from_file(answers, load(shipped()[0]))


def test_asked_one_by_one_somebody_named_twice_holds_both_roles(tmp_path: Path) -> None:
    def ask(question: str) -> str:
        told: Iterator[str] = (
            answer
            for begin, answer in (
                ("Which of these", "nct"),
                ("The shared mailbox", "n2k@trust.example"),
                ("The SharePoint site", "trust.sharepoint.example:/sites/need-to-know"),
                ("Who is", "sol.quarrie@trust.example"),
                ("  and name", "Sol Quarrie"),
            )
            if question.startswith(begin)
        )
        return next(told, "")

    assert setup(tmp_path / "n2k", NOW, ask, print) == 1  # tenant and client are not known yet

    settings = load(tmp_path / "n2k")
    (person,) = settings.desks["nct"].people
    assert {"duty", "sqas_sm", "psw"} <= set(person.roles)
    assert len(missing_for_work(settings)) == 2


def test_what_cannot_be_right_is_asked_for_again_at_once(tmp_path: Path) -> None:
    """A slip with the last person does not cost all that was answered before."""
    site = "trust.sharepoint.example:/sites/a"
    answers = {
        "Which of": ["nkt", "nct"],
        "The shared mailbox": ["n2k", "n2k@trust.example"],
        "Domains": ["trust", "Trust.Example, council.example"],
        "The SharePoint site": ["trust/sites/a", site],
        "Signs in by": ["certifcate", "user"],
        "The application": ["", CLIENT],
        "Who is Principal": ["pia", "pia@council.example"],
        "  and name": ["", "Pia Winterbourne"],
    }
    left = {question: iter(told) for question, told in answers.items()}

    def ask(question: str) -> str:
        return next((next(told) for begin, told in left.items() if question.startswith(begin)), "")

    said: list[str] = []
    setup(tmp_path / "n2k", NOW, ask, said.append)

    corrected = [line.split(".")[0] for line in said if line.startswith("`")]
    assert corrected == [
        "`desk` is one of nct, merton",
        "`mailbox`: n2k is not an address, such as n2k@trust",
        "`domains`: trust is not a domain, such as trust",
        '`site`: trust/sites/a is not "host:/sites/name", such as trust',
        "`sign_in_by` is one of certificate, system, user",
        "`client`: nothing is not an application (client) id",
        "`people`: pia is outside trust",
        "`people`: the name cannot be left empty",
    ]
    settings = load(tmp_path / "n2k")
    desk = settings.desks["nct"]
    assert (desk.mailbox, desk.allowed_domains) == ("n2k@trust.example", ("trust.example", "council.example"))
    assert [person.address for person in desk.people] == ["pia@council.example"]
    assert settings.agent.tenant.signs_in_by == ("managed_identity",)


def test_answers_know_their_domain() -> None:
    told = Answers("nct", "N2K@Trust.Example", "host:/sites/x")

    assert told.allowed_domains == ("trust.example",)


def test_the_command_without_anybody_to_answer_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def closed(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)

    assert main(["setup", str(tmp_path / "n2k")]) == 2
    assert "--answers FILE" in capsys.readouterr().err
