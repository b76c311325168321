"""Configuration: read from where it should be, and every problem told at once, in sentences."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agent.configuration import find_folder, load, shipped, write_copy
from agent.errors import BadConfiguration
from agent.settings import Settings
from agent.settings_checks import missing_for_work, soon_missing

ROOT = Path(__file__).parent.parent

PEOPLE = """
[[people]]
name = "Sol Quarrie"
address = "sol.quarrie@nctrust.co.uk"
roles = ["sqas_sm", "strategic_manager"]

[[people]]
name = "Pia Winterbourne"
address = "pia.winterbourne@nctrust.co.uk"
roles = ["psw", "duty"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An editable copy of what comes with the agent, for one of its desks."""
    write_copy(tmp_path / "n2k")
    edit(tmp_path / "n2k" / "agent.toml", ("desks", '["nct"]'))
    return tmp_path / "n2k"


def edit(path: Path, *lines: tuple[str, str]) -> None:
    """Put `key = value` lines in the place of those with the same key; add what is not there."""
    text = path.read_text(encoding="utf-8")
    for key, value in lines:
        text, found = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, count=1, flags=re.M)
        assert found, f"{path.name} has no {key}"
    path.write_text(text, encoding="utf-8")


def add(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def drop(path: Path, key: str) -> None:
    path.write_text(re.sub(rf"^{key} = .*\n", "", path.read_text(encoding="utf-8"), flags=re.M))


def problems_in(folder: Path) -> list[str]:
    with pytest.raises(BadConfiguration) as refused:
        load(folder)
    return refused.value.problems


# ---------------------------------------------------------------- what is there


def test_what_comes_with_the_agent_can_be_loaded() -> None:
    settings = load(ROOT / "config")

    assert settings.agent.mode == "watch"  # harmless until somebody decides otherwise
    assert "nct" in settings.desks
    assert settings.agent.timetable.reconcile_at == time(3, 30)


def test_a_written_copy_is_loadable_and_means_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "n2k"
    write_copy(folder)
    copy, original = load(folder), load(ROOT / "config")

    assert (copy.agent.timetable, copy.desks, copy.procedures, copy.forms, copy.bank_holidays) == (
        original.agent.timetable,
        original.desks,
        original.procedures,
        original.forms,
        original.bank_holidays,
    )
    assert copy.templates == (folder / "mail_templates", shipped()[1])


def test_a_copy_never_overwrites_a_configuration(folder: Path) -> None:
    edit(folder / "agent.toml", ("mode", '"live"'))
    before = (folder / "agent.toml").read_bytes()

    with pytest.raises(BadConfiguration, match="nothing was overwritten"):
        write_copy(folder)
    assert (folder / "agent.toml").read_bytes() == before


def test_a_copy_brings_no_demo(folder: Path) -> None:
    """Its invented people have no place in somebody's configuration."""
    assert [path for path in folder.rglob("*") if "demo" in path.parts] == []
    assert (folder / "mail_templates" / "chase.txt").is_file()


def test_a_ledger_file_lies_beside_the_configuration_or_where_it_says(folder: Path) -> None:
    assert load(folder).ledger_url == f"sqlite:///{folder.resolve()}/n2k-ledger.sqlite"
    edit(folder / "agent.toml", ("ledger", '"sqlite:////var/lib/n2k/ledger.sqlite"'))
    assert load(folder).ledger_url == "sqlite:////var/lib/n2k/ledger.sqlite"
    edit(folder / "agent.toml", ("ledger", '"postgresql+psycopg://n2k@db/n2k"'))
    assert (load(folder).ledger_url, load(folder).ledger_file) == ("postgresql+psycopg://n2k@db/n2k", None)


def test_other_files_lie_beside_the_configuration_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the agent is started from."""
    edit(folder / "agent.toml", ("certificate", '"agent.pem"'), ("ca_file", '"/etc/ssl/proxy.pem"'))
    monkeypatch.chdir(tmp_path)
    tenant = load(Path("n2k")).agent.tenant

    assert (tenant.certificate, tenant.ca_file) == (str(folder / "agent.pem"), "/etc/ssl/proxy.pem")
    edit(folder / "agent.toml", ("certificate", '""'), ("secret_from", '"file:secret.txt"'))
    assert load(folder).agent.tenant.secret_from == f"file:{folder / 'secret.txt'}"
    edit(folder / "agent.toml", ("secret_from", '"env:N2K_CLIENT_SECRET"'))
    assert load(folder).agent.tenant.secret_from == "env:N2K_CLIENT_SECRET"
    edit(folder / "agent.toml", ("secret_from", '""'), ("assertion_file", '"token"'))
    assert load(folder).agent.tenant.assertion_file == str(folder / "token")


@pytest.mark.parametrize(
    ("cloud", "hosts"),
    [
        ("worldwide", ("login.microsoftonline.com", "graph.microsoft.com", "outlook.office365.com")),
        ("usgov", ("login.microsoftonline.us", "graph.microsoft.us", "outlook.office365.us")),
        ("china", ("login.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn", "partner.outlook.cn")),
    ],
)
def test_one_setting_says_which_of_microsofts_clouds(
    folder: Path, cloud: str, hosts: tuple[str, str, str]
) -> None:
    edit(folder / "agent.toml", ("cloud", f'"{cloud}"'))
    tenant = load(folder).agent.tenant

    found = [urlsplit(one).hostname for one in (tenant.authority, tenant.graph, tenant.mail_link)]
    assert found == list(hosts)


def test_an_address_of_ones_own_stands_above_the_clouds(folder: Path) -> None:
    edit(folder / "agent.toml", ("cloud", '"usgov"'), ("graph", '"https://127.0.0.1:8443"'))
    tenant = load(folder).agent.tenant

    assert (tenant.graph, tenant.authority) == ("https://127.0.0.1:8443", "https://login.microsoftonline.us")


# ---------------------------------------------------------------- which folder


def test_the_folder_is_as_told_else_the_environments_else_here_else_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("told", "environment", "here/config"):
        write_copy(tmp_path / name)
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("N2K_CONFIG", str(tmp_path / "environment"))
    monkeypatch.chdir(tmp_path / "here")

    assert find_folder(str(tmp_path / "told")) == tmp_path / "told"
    assert find_folder(None) == tmp_path / "environment"
    monkeypatch.delenv("N2K_CONFIG")
    assert find_folder(None) == Path("config")
    monkeypatch.chdir(tmp_path / "empty")
    assert find_folder(None) == shipped()[0]


@pytest.mark.parametrize("by", ["call", "environment"])
def test_a_folder_that_was_named_and_holds_nothing_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """To go on with another configuration than was meant would be worse than to stop."""
    told = str(tmp_path / "typo")
    monkeypatch.setenv("N2K_CONFIG", told if by == "environment" else "")

    with pytest.raises(BadConfiguration, match=r"typo holds no agent\.toml.*n2k setup"):
        find_folder(told if by == "call" else None)


# ---------------------------------------------------------------- what is wrong with it


def test_every_problem_is_told_at_once_each_with_its_file_and_key(folder: Path) -> None:
    edit(folder / "agent.toml", ("mode", '"fast"'), ("intake", "0"))
    edit(folder / "desks" / "nct.toml", ("day", '"sunday"'), ("kind", '"paper"'))
    edit(folder / "procedures" / "nct.toml", ("conclusion", '"maybe"'))
    add(folder / "forms" / "sla.toml", '\n[[sections]]\nnote = "no title"\n')
    (folder / "bank_holidays_england.json").write_text("[]")
    problems = problems_in(folder)

    for file, key in [
        ("agent.toml", "`mode`"),
        ("desks/nct.toml", "`digest.day`"),
        ("desks/nct.toml", "`register.kind`"),
        ("bank_holidays_england.json", "init"),
    ]:
        assert any(problem.startswith(file) and key in problem for problem in problems), (file, key)
    assert all(problem.endswith(".") for problem in problems)


Spoil = Callable[[Path], object]

WRONG: list[tuple[str, Spoil, str]] = [
    (
        "a key that is not known",
        lambda folder: add(folder / "agent.toml", "\nletters_per_minute = 9\n"),
        r"agent\.toml: `limits\.letters_per_minute` is not known",
    ),
    (
        "a table that is not known",
        lambda folder: add(folder / "desks" / "nct.toml", "\n[colours]\nred = 1\n"),
        r"desks/nct\.toml: `colours` is not known",
    ),
    (
        "a key of a person that is not known",
        lambda folder: add(folder / "desks" / "nct.toml", PEOPLE + 'phone = "1"\n'),
        r"desks/nct\.toml: `people\.1\.phone` is not known",
    ),
    (
        "a key that is missing",
        lambda folder: drop(folder / "agent.toml", "client"),
        r"agent\.toml: `tenant\.client` is missing",
    ),
    (
        "a list that is none",
        lambda folder: edit(folder / "agent.toml", ("desks", '"nct"')),
        r"agent\.toml: `desks` has to be a list in brackets\.",
    ),
    (
        "a digest for nobody",
        lambda folder: edit(folder / "desks" / "nct.toml", ("to", "[]")),
        r"desks/nct\.toml: `digest\.to` names no role, so nobody would get the weekly digest\.",
    ),
    (
        "a place without a folder",
        lambda folder: edit(folder / "desks" / "nct.toml", ("alerts", "[]")),
        r"desks/nct\.toml: `folders\.alerts` is missing\. Name a folder\.",
    ),
    (
        "a procedure without a form",
        lambda folder: edit(folder / "procedures" / "nct.toml", ("forms", "[]")),
        r"procedures/nct\.toml: `forms` names no form, so no alert could be read\.",
    ),
    (
        "a share of more than all rows",
        lambda folder: edit(folder / "agent.toml", ("rows_at_once_percent", "2500")),
        r"agent\.toml: `limits\.rows_at_once_percent` is a share of all rows, at most 100\.",
    ),
    (
        "no bank holidays",
        lambda folder: (folder / "bank_holidays_england.json").write_text(
            '{"england-and-wales": {"events": []}}'
        ),
        r"bank_holidays_england\.json names no bank holiday\. Restore it from `n2k init`\.",
    ),
    (
        "bank holidays of somebody else's",
        lambda folder: (folder / "bank_holidays_england.json").write_text("{}"),
        r"bank_holidays_england\.json is not as gov\.uk/bank-holidays publishes it\.",
    ),
    (
        "words for a number",
        lambda folder: edit(folder / "agent.toml", ("intake", '"often"')),
        r"agent\.toml: `timetable\.intake` has to be a whole number\.",
    ),
    (
        "one of a few words, misspelt",
        lambda folder: edit(folder / "agent.toml", ("mode", '"Live"')),
        r"agent\.toml: `mode` has to be 'watch', 'rehearse' or 'live'\.",
    ),
    (
        "a day written as people write it",
        lambda folder: edit(folder / "desks" / "nct.toml", ("closed_days", '["24/12/2026"]')),
        r"desks/nct\.toml: `closed_days\.0` has to be a day, written as 2026-12-24\.",
    ),
    (
        "an hour for a time",
        lambda folder: edit(folder / "desks" / "nct.toml", ("at", "8")),
        r"desks/nct\.toml: `digest\.at` has to be a time of day, written as 08:00:00",
    ),
    (
        "a time without minutes",
        lambda folder: edit(folder / "agent.toml", ("reconcile_at", '"3.30"')),
        r"agent\.toml: `timetable\.reconcile_at` has to be a time of day, written as 08:00:00\.",
    ),
    (
        "a port without an address, which would be open to all the network",
        lambda folder: edit(folder / "agent.toml", ("listen", '"9464"')),
        r"agent\.toml: `watched\.listen` is an address with a port",
    ),
    (
        "a heartbeat that no request could reach",
        lambda folder: edit(folder / "agent.toml", ("heartbeat", '"monitor.example/n2k"')),
        r"agent\.toml: `watched\.heartbeat` is an address that begins with https://",
    ),
    (
        "a ledger at no address",
        lambda folder: edit(folder / "agent.toml", ("ledger", '"postgresql+psycopg://n2k@[server/n2k"')),
        r"agent\.toml: `ledger` is no address",
    ),
    (
        "a mailbox without its domain",
        lambda folder: edit(folder / "desks" / "nct.toml", ("mailbox", '"n2k"')),
        r"desks/nct\.toml: `mailbox` is the shared inbox's address",
    ),
    (
        "no TOML at all",
        lambda folder: add(folder / "agent.toml", "\nthis is no TOML\n"),
        r"agent\.toml is not valid TOML",
    ),
    (
        "a desk without a file",
        lambda folder: edit(folder / "agent.toml", ("desks", '["nct", "other"]')),
        r"desks/other\.toml is missing in",
    ),
    (
        "a procedure without a file",
        lambda folder: edit(folder / "desks" / "nct.toml", ("procedure", '"ncc"')),
        r"procedures/ncc\.toml is missing in",
    ),
    (
        "no desk",
        lambda folder: edit(folder / "agent.toml", ("desks", "[]")),
        r"agent\.toml: `desks` names no desk",
    ),
    (
        "a number below one",
        lambda folder: edit(folder / "agent.toml", ("letters_per_hour", "0")),
        r"agent\.toml: `limits\.letters_per_hour` is 0\. It has to be at least 1",
    ),
    (
        "a nightly hour that is skipped or doubled in spring and autumn",
        lambda folder: edit(folder / "agent.toml", ("reconcile_at", "01:30:00")),
        r"agent\.toml: `timetable\.reconcile_at` lies between 01:00 and 02:00",
    ),
    (
        "a rehearsal for nobody",
        lambda folder: edit(folder / "agent.toml", ("mode", '"rehearse"')),
        r"agent\.toml: mode is rehearse, so `rehearse_to`",
    ),
    (
        "a rehearsal to a place outside",
        lambda folder: edit(
            folder / "agent.toml", ("mode", '"rehearse"'), ("rehearse_to", '"me@home.example"')
        ),
        r"agent\.toml: mode is rehearse.*desks/nct\.toml allows",
    ),
    (
        "a secret in the file",
        lambda folder: edit(folder / "agent.toml", ("secret_from", '"Xy7~secret"')),
        r"agent\.toml: `tenant\.secret_from` is \"env:NAME\" or \"file:PATH\"",
    ),
    (
        "a password in the ledger's address",
        lambda folder: edit(folder / "agent.toml", ("ledger", '"postgresql+psycopg://n2k:Xy7@db/n2k"')),
        r"agent\.toml: `ledger` holds a password.*`ledger_secret_from`",
    ),
    (
        "a ledger of another kind",
        lambda folder: edit(folder / "agent.toml", ("ledger", '"mysql://db/n2k"')),
        r"agent\.toml: `ledger` begins with sqlite:///",
    ),
    (
        "less than no days of retention",
        lambda folder: edit(folder / "desks" / "nct.toml", ("days", "-1")),
        r"desks/nct\.toml: `retention\.days` is -1",
    ),
    (
        "two ways to sign in",
        lambda folder: edit(
            folder / "agent.toml", ("secret_from", '"env:SECRET"'), ("certificate", '"agent.pem"')
        ),
        r"agent\.toml: `tenant\.certificate` and `tenant\.secret_from` are told\. Keep the one",
    ),
    (
        "a zone that does not exist",
        lambda folder: edit(folder / "desks" / "nct.toml", ("timezone", '"Europe/Londn"')),
        r"desks/nct\.toml: `timezone` names no zone",
    ),
    (
        "a place that is none",
        lambda folder: edit(folder / "desks" / "nct.toml", ("replies", '["A"]\nreply = ["B"]')),
        r"desks/nct\.toml: `folders\.reply` is not known\. It is one of 'alerts', ",
    ),
    (
        "a place without a folder",
        lambda folder: drop(folder / "desks" / "nct.toml", "replies"),
        r"desks/nct\.toml: `folders\.replies` is missing",
    ),
    (
        "a person whom nobody may write to",
        lambda folder: add(folder / "desks" / "nct.toml", PEOPLE.replace("sol.quarrie@nctrust", "sol@gmail")),
        r"desks/nct\.toml: `people` number 1 has an address outside `allowed_domains`",
    ),
    (
        "a deputy whom nobody knows",
        lambda folder: add(folder / "desks" / "nct.toml", PEOPLE + 'deputy = "nobody@nctrust.co.uk"\n'),
        r"desks/nct\.toml: `people` number \d has a deputy who is not on the roster",
    ),
    (
        "two columns of one name",
        lambda folder: add(
            folder / "procedures" / "nct.toml", '\n[[columns]]\nheading = "Notes"\nowner = "person"\n'
        ),
        r"procedures/nct\.toml: two columns are called `Notes`",
    ),
    (
        "a column of nobody's",
        lambda folder: add(
            folder / "procedures" / "nct.toml", '\n[[columns]]\nheading = "Colour"\nowner = "nobody"\n'
        ),
        r"procedures/nct\.toml: column `Colour`: the owner is",
    ),
    (
        "what is kept apart in the very same workbook",
        lambda folder: add(
            folder / "desks" / "nct.toml", '\n[register.restricted]\npath = "Need to Know.xlsx"\n'
        ),
        r"desks/nct\.toml: `register\.restricted` is the one of desks/nct\.toml",
    ),
    (
        "two desks with one mailbox and one register",
        lambda folder: _second_desk(folder),
        r"desks/twin\.toml: `mailbox` is the one of desks/nct\.toml",
    ),
]


def _second_desk(folder: Path) -> None:
    edit(folder / "agent.toml", ("desks", '["nct", "twin"]'))
    (folder / "desks" / "twin.toml").write_bytes((folder / "desks" / "nct.toml").read_bytes())


@pytest.mark.parametrize(("spoil", "sentence"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_mistake_is_told_in_a_sentence(folder: Path, spoil: Spoil, sentence: str) -> None:
    spoil(folder)
    problems = problems_in(folder)

    assert any(re.match(sentence, problem) for problem in problems), problems


# ---------------------------------------------------------------- what is still open


def test_what_the_shipped_configuration_leaves_open_is_told_completely() -> None:
    missing = "\n".join(missing_for_work(load(ROOT / "config")))

    for key in (
        "tenant.id",
        "tenant.client",
        "tenant.certificate",
        "register.site",
        "sqas_sm",
        "psw",
        "duty",
    ):
        assert f"`{key}`" in missing


def filled_in(folder: Path) -> Settings:
    edit(folder / "agent.toml", ("id", '"t"'), ("client", '"c"'), ("certificate", '"agent.pem"'))
    edit(folder / "desks" / "nct.toml", ("site", '"contoso.sharepoint.com:/sites/n2k"'))
    add(folder / "desks" / "nct.toml", PEOPLE)
    return load(folder)


def test_nothing_is_open_once_it_is_filled_in(folder: Path) -> None:
    assert missing_for_work(filled_in(folder)) == []


def test_a_role_that_nobody_holds_is_open_and_the_rest_can_be_used(folder: Path) -> None:
    """As when `n2k setup` was told only some of the people, or the only one has left."""
    settings = filled_in(folder)
    edit(folder / "desks" / "nct.toml", ("left", '["pia.winterbourne@nctrust.co.uk"]'))

    (psw, duty) = missing_for_work(load(settings.folder))

    assert psw == (
        "desks/nct.toml: nobody holds the role `psw` (Principal Social Worker), which letters go to."
    )
    assert duty.startswith("desks/nct.toml: nobody holds the role `duty`")


def test_who_has_left_may_stay_on_the_roster(folder: Path) -> None:
    edit(folder / "desks" / "nct.toml", ("left", '["pia.winterbourne@nctrust.co.uk"]'))
    add(folder / "desks" / "nct.toml", PEOPLE)

    roster = load(folder).desks["nct"].roster

    assert roster.holding("psw") == ()
    assert roster.at("pia.winterbourne@nctrust.co.uk") is not None


def test_bank_holidays_are_asked_for_before_they_run_out(folder: Path) -> None:
    settings = load(folder)
    last = max(settings.bank_holidays).year

    assert soon_missing(settings, date(last, 9, 1)) == []
    (told,) = soon_missing(settings, date(last, 10, 15))
    assert str(last + 1) in told
    assert "bank_holidays_england.json" in told


def test_only_a_loopback_address_is_this_machine(folder: Path) -> None:
    assert not load(folder).on_this_machine
    edit(folder / "agent.toml", ("graph", '"https://127.0.0.1:8443"'))
    assert load(folder).on_this_machine
    edit(folder / "agent.toml", ("graph", '"https://127.0.0.1.evil.example"'))
    assert not load(folder).on_this_machine
