"""The command: quick to help, honest in its exit status, and pleasant to try on a folder of mails."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import requests

from agent.cli import main
from agent.configuration import load, write_copy
from agent.forms.mail import documents_of
from agent.ledger_at_hand import ledger_at_hand
from agent.noticed import MISTRUSTED
from agent.procedure.decision import Question
from agent.procedure.mail import Attachment, Mail
from agent.sandbox.serve import _watched as watched
from tests.builders import MONDAY, alert_form, mail, update_form

pytestmark = pytest.mark.usefixtures("own_log")

ROOT = Path(__file__).parent.parent
HEAVY = "O365 msal sqlalchemy lxml openpyxl pydantic requests apscheduler jinja2 starlette uvicorn structlog"
DUTY = "duty@anytown.example"
AUTHOR = "theo.marchbanks@anytown.example"
SUBJECT = "Senior Leadership Alert - Urgent and Confidential - R.F."
KEYS = {
    *("path", "kind", "procedure", "form", "children", "fields", "updates", "conclusion", "categories"),
    *("written_date", "bounce", "flags", "findings", "questions", "problems", "unread"),
    *("because", "proposes", "away_until", "deputy"),
}


@pytest.fixture(autouse=True)
def _no_configuration_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("N2K_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


@dataclass(frozen=True)
class Said:
    """What came of one call of the command."""

    status: int
    out: str
    err: str


class Command:
    """`n2k`, called in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Said:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as left:  # argparse leaves by itself
            status = int(str(left.code or 0))
        return Said(status, *self._capsys.readouterr())


@pytest.fixture
def n2k(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def python(*arguments: str | Path) -> list[str]:
    return [sys.executable, *map(str, arguments)]


def surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


# ---------------------------------------------------------------- help and exit status


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["once", "--help"], ["nonsense"]])
def test_help_imports_no_heavy_library(arguments: list[str]) -> None:
    """It is there at once, also on a slow machine."""
    script = (
        "import json, sys\n"
        "from agent.cli import main\n"
        f"try: main({arguments})\n"
        "except SystemExit: pass\n"
        f"print(json.dumps([name for name in {HEAVY.split()} if name in sys.modules]))"
    )
    told = subprocess.run(
        python("-c", script), env=surroundings(), capture_output=True, text=True, check=True, timeout=30
    )

    assert json.loads(told.stdout.splitlines()[-1]) == []


def test_help_tells_every_verb_and_what_the_exit_status_means(n2k: Command) -> None:
    told = n2k("--help").out

    for verb in (
        "demo",
        "run",
        "once",
        "sandbox",
        "read",
        "forms",
        "status",
        "support-bundle",
        "preview",
        "register",
        "init",
        "release",
        "drop",
    ):
        assert re.search(rf"^ +{verb} +\w", told, flags=re.M), verb
        assert n2k(verb, "--help").status == 0
    assert re.search(r"^  0  done$", told, flags=re.M)
    assert re.search(r"^  1  something needs a person", told, flags=re.M)
    assert re.search(r"^  2  a wrong call", told, flags=re.M)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["juggle"], "invalid choice"),
        ([], "required"),
        (["once", "--now", "yesterday"], "yesterday is no time; write it as 2026-03-02T09:00"),
        (["preview", "--days", "0"], "0 is no number of days"),
        (["demo", "--days", "x"], "x is no number of days"),
        (["register"], "--to"),
        (["read"], "Say what to read"),
        (["forms"], "Say where to put the blank forms"),
        (["read", "form.docx", "--subjects", "old.jsonl"], "Say what to read"),
        (["read", "--subjects", "/dev/null", "--desk", "nobody"], "There is no desk `nobody`"),
        (["read", "form.docx", "--desk", "nobody"], "There is no desk `nobody`. There are: nct"),
        (["sandbox", "--mail", "nowhere"], "nowhere is no folder"),
        (["status", "--config", "nowhere"], "nowhere holds no agent.toml"),
    ],
)
def test_a_wrong_call_is_status_two_with_a_sentence(
    n2k: Command, arguments: list[str], sentence: str
) -> None:
    said = n2k(*arguments)

    assert said.status == 2
    assert sentence in said.err


@pytest.mark.parametrize("verb", [["once"], ["run"], ["register", "--to", "copy.xlsx"]])
def test_a_configuration_that_is_not_filled_in_is_status_two_and_lists_all_that_is_open(
    n2k: Command, verb: list[str]
) -> None:
    said = n2k(*verb)

    assert said.status == 2
    for key in ("tenant.id", "tenant.client", "tenant.certificate", "register.site", "sqas_sm"):
        assert key in said.err


def test_a_broken_configuration_is_status_two_and_names_file_and_key(n2k: Command, tmp_path: Path) -> None:
    write_copy(tmp_path / "config")
    agent = tmp_path / "config" / "agent.toml"
    agent.write_text(agent.read_text().replace('mode = "watch"', 'mode = "fast"'))
    said = n2k("status")

    assert said.status == 2
    assert "agent.toml: `mode`" in said.err


@pytest.mark.parametrize("verb", [["status"], ["preview"]])
def test_looking_before_the_agent_was_ever_at_work_is_status_one_and_makes_nothing(
    n2k: Command, tmp_path: Path, verb: list[str]
) -> None:
    write_copy(tmp_path / "config")
    said = n2k(*verb)

    assert said.status == 1
    assert "There is no ledger" in said.err
    assert "n2k once" in said.err
    assert list(tmp_path.rglob("*.sqlite*")) == []


def test_a_ledger_on_a_server_has_no_preview_and_its_password_is_not_shown(
    n2k: Command, tmp_path: Path
) -> None:
    write_copy(tmp_path / "config")
    agent = tmp_path / "config" / "agent.toml"
    on_file = agent.read_text()
    agent.write_text(on_file.replace("sqlite:///n2k-ledger.sqlite", "postgresql+psycopg://n2k@db/n2k"))
    said = n2k("preview")
    assert (said.status, "kept by a server" in said.err) == (1, True)

    agent.write_text(on_file.replace("sqlite:///n2k-ledger.sqlite", "postgresql+psycopg://n2k:hush@db/n2k"))
    said = n2k("preview")
    assert (said.status, "ledger_secret_from" in said.err, "hush" in said.err) == (2, True, False)


def test_a_set_time_is_refused_for_a_real_tenant(n2k: Command, tmp_path: Path) -> None:
    """A wrong time would chase people for nothing."""
    write_copy(tmp_path / "config")
    fill_in(tmp_path / "config")
    said = n2k("once", "--now", "2026-03-02T09:00")

    assert said.status == 2
    assert "only a sandbox allows that" in said.err


def fill_in(folder: Path) -> None:
    agent, desk = folder / "agent.toml", folder / "desks" / "nct.toml"
    told = re.sub(r"^desks = .*$", 'desks = ["nct"]', agent.read_text(), flags=re.M)
    for key, value in (("id", "t"), ("client", "c"), ("secret_from", "env:N2K_NO_SUCH_SECRET")):
        told = re.sub(rf'^{key} = ""', f'{key} = "{value}"', told, flags=re.M)
    agent.write_text(told)
    person = '\n[[people]]\nname = "Sol Quarrie"\naddress = "sol@nctrust.co.uk"\n'
    told = desk.read_text().replace('site = ""', 'site = "contoso.sharepoint.com:/sites/n2k"')
    desk.write_text(f'{told}{person}roles = ["sqas_sm", "psw", "duty", "strategic_manager"]\n')


def test_a_secret_that_is_not_there_is_told_before_anything_is_asked_of_the_network(
    n2k: Command, tmp_path: Path
) -> None:
    write_copy(tmp_path / "config")
    fill_in(tmp_path / "config")
    said = n2k("once")

    assert said.status == 2
    assert "N2K_NO_SUCH_SECRET" in said.err


def test_a_file_that_cannot_be_written_is_a_sentence(n2k: Command, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, and no folder")
    said = n2k("init", tmp_path / "taken" / "config")

    assert said.status == 1
    assert "cannot be used" in said.err
    assert "Traceback" not in said.err


# ---------------------------------------------------------------- init, demo, read


def test_init_writes_a_configuration_once(n2k: Command, tmp_path: Path) -> None:
    said = n2k("init", "mine")
    assert (said.status, "agent.toml" in said.out) == (0, True)
    assert (tmp_path / "mine" / "agent.toml").is_file()

    again = n2k("init", "mine")
    assert again.status == 2
    assert "nothing was overwritten" in again.err


def test_the_blank_forms_of_every_procedure_are_written_under_plain_names(
    n2k: Command, tmp_path: Path
) -> None:
    assert n2k("forms", "--to", tmp_path / "forms").status == 0
    assert sorted(path.name for path in (tmp_path / "forms").iterdir()) == [
        "Leadership Alert Form.docx",
        "Senior Leadership Alert Form for Missing Children.docx",
        "Senior Leadership Alert Form.docx",
    ]
    told = read_json(n2k, *sorted((tmp_path / "forms").iterdir()))
    assert [one["form"] for one in told] == ["leadership_alert", "missing", "standard"]
    assert all(one["fields"] == {} for one in told)


def test_an_offices_own_blank_form_is_drafted(n2k: Command, tmp_path: Path) -> None:
    n2k("forms", "--to", tmp_path)
    blank, into = tmp_path / "Leadership Alert Form.docx", tmp_path / "own.toml"
    shown = n2k("forms", "draft", blank)
    said = n2k("forms", "draft", blank, "--to", into)

    assert (shown.status, shown.out) == (0, into.read_text(encoding="utf-8"))
    assert tomllib.loads(shown.out)["title"] == "Leadership Alert Form"
    assert (said.status, said.out.startswith(f"Wrote {into}.")) == (0, True)

    (tmp_path / "photo.docx").write_bytes(b"\xff\xd8\xff")
    refused = n2k("forms", "draft", tmp_path / "photo.docx")
    assert (refused.status, "a picture or a scan" in refused.err) == (1, True)


def test_the_demo_never_empties_a_folder_that_is_not_its_own(n2k: Command, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work")
    said = n2k("demo", "--to", "papers", "--days", "1")

    assert said.status == 1
    assert "Give an empty folder" in said.err
    assert (tmp_path / "papers" / "thesis.txt").read_text() == "years of work"


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A form, the same in a mail, a newsletter, and what is no document at all."""
    folder = tmp_path / "papers"
    folder.mkdir()
    form = alert_form(summary="Seen with a bruise. " * 12)
    (folder / "form.docx").write_bytes(form)
    (folder / "update.docx").write_bytes(update_form())
    (folder / "alert.eml").write_bytes(mail(SUBJECT, ("SLA.docx", form), sender="theo@nctrust.co.uk"))
    (folder / "news.eml").write_bytes(mail("Lunch menu", sender="news@nctrust.co.uk"))
    (folder / "garbage.docx").write_bytes(b"\x00\x01garbage")
    (folder / "empty.eml").write_bytes(b"")
    return folder


def read_json(n2k: Command, *paths: str | Path) -> list[dict[str, Any]]:
    said = n2k("read", "--json", *paths)
    assert said.status == 0
    assert said.err == ""
    return [json.loads(line) for line in said.out.splitlines()]


def test_read_gives_one_line_of_json_for_each_path_with_the_same_keys(n2k: Command, papers: Path) -> None:
    names = ["form.docx", "alert.eml", "news.eml", "garbage.docx", "empty.eml", "not_there.docx", "."]
    told = read_json(n2k, *(papers / name for name in names))

    assert [one["path"] for one in told] == [str(papers / name) for name in names]
    assert all(set(one) == KEYS for one in told)
    assert [one["kind"] for one in told] == [
        *("new", "new", "other", "unreadable", "other", "unreadable", "unreadable"),
    ]


def test_read_says_by_what_signs_a_mail_was_known_and_what_a_reply_proposes(
    n2k: Command, papers: Path
) -> None:
    away = mail("Automatic reply: x", text="Back on 16 March. Contact Jane Doe.", sent=MONDAY)
    (papers / "away.eml").write_bytes(away)
    reply = mail(
        "Re: SLA-2026-0001", text="No change, next update by 6 March.", sender="p@nctrust.co.uk", sent=MONDAY
    )
    (papers / "reply.eml").write_bytes(reply)
    told, answer = read_json(n2k, papers / "away.eml", papers / "reply.eml")

    assert (told["kind"], told["away_until"], told["deputy"]) == ("auto_reply", "2026-03-16", "Jane Doe")
    assert told["because"] == ["its subject begins as that of an automatic reply"]
    assert (answer["kind"], answer["proposes"]) == ("reply", ["no change", "the next update by 2026-03-06"])
    said = n2k("read", papers / "away.eml", papers / "reply.eml").out
    assert "known by" in said
    assert "proposes" in said


def test_read_shows_where_each_value_stood(n2k: Command, papers: Path) -> None:
    (told,) = read_json(n2k, papers / "form.docx")

    assert (told["procedure"], told["form"]) == ("nct", "standard")
    assert told["children"] == [{"name": "Robin Fairweather", "dob": "2012-05-04", "system_id": ""}]
    assert told["categories"] == ["M11"]
    author = told["fields"]["author"]
    assert (author["value"], set(author)) == (
        "Theo Marchbanks",
        {"value", "text", "label", "where", "confidence"},
    )
    assert author["where"].startswith("table ")
    assert 0.5 < author["confidence"] <= 1


def test_read_shows_dated_and_signed_updates(n2k: Command, papers: Path) -> None:
    (told,) = read_json(n2k, papers / "update.docx")

    assert told["updates"] == [
        {
            "date": "2026-03-03",
            "text": "Seen at home.",
            "manager": "Theo Marchbanks",
            "reviewer": "Ava Lindqvist",
        }
    ]


@pytest.mark.parametrize("name", ["garbage.docx", "not_there.docx", "."])
def test_what_cannot_be_read_is_a_line_with_its_reason_and_no_failure(
    n2k: Command, papers: Path, name: str
) -> None:
    (told,) = read_json(n2k, papers / name)
    assert len(told["problems"]) == 1
    assert told["problems"][0].endswith(".")

    for_people = n2k("read", papers / name)
    assert (for_people.status, told["problems"][0] in for_people.out) == (0, True)


def test_a_file_on_which_the_reader_itself_fails_does_not_hold_up_the_next(
    n2k: Command, papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def fails_once(mail: Mail) -> tuple[Attachment, ...]:
        monkeypatch.setattr("agent.verbs.reader.documents_of", documents_of)
        raise KeyError("Robin Fairweather")

    monkeypatch.setattr("agent.verbs.reader.documents_of", fails_once)
    first, second = read_json(n2k, papers / "form.docx", papers / "form.docx")

    assert first["problems"] == ["The agent failed on it (KeyError). Please report it."]
    assert second["kind"] == "new"


def test_read_shows_people_a_small_table(n2k: Command, papers: Path) -> None:
    said = n2k("read", papers / "form.docx", papers / "alert.eml", papers / "news.eml")
    lines = said.out.splitlines()

    told = lines.index(f"{papers}/form.docx")
    assert lines[told + 1].startswith(
        "This is a first form (form “Standard”), by the Senior Leadership Alert"
    )
    assert "This is not about an alert." in lines
    assert "child               Robin Fairweather, born 4 May 2012" in lines
    (author, _) = [line for line in lines if line.startswith("author ")]
    assert re.search(r"Theo Marchbanks +“Name and role.* +table \d+, row\s\d+, +\d+%$", author)
    assert max(len(line) for line in lines if not line.startswith("/")) <= 100
    assert any(re.match(r"ticked {14}M\d\d \w+", line) for line in lines)
    assert any(line.startswith("noticed             File name: ") for line in lines)


# ---------------------------------------------------------------- a folder of mails, as a user would try it


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("trial")
    box = folder / "mail" / DUTY
    box.mkdir(parents=True)
    (folder / "mail" / "notes").mkdir()
    (box / "1 alert.eml").write_bytes(to_duty(mail(SUBJECT, ("SLA.docx", alert_form()), sender=AUTHOR)))
    (box / "2 menu.EML").write_bytes(to_duty(mail("Lunch menu", sender="news@anytown.example", number=2)))
    (box / "read me.txt").write_text("no mail")
    with serving(folder) as (ready, explained):
        yield Trial(folder, ready, explained)


def to_duty(mime: bytes) -> bytes:
    return mime.replace(b"To: n2k@trust.example", f"To: {DUTY}".encode())


@contextmanager
def serving(folder: Path, *more: str) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """`n2k sandbox` beside a folder `mail`: what it says when it is ready. Stopped as services are."""
    command = python("-m", "agent", "sandbox", "--mail", "mail", "--config-to", "try", *more)
    with subprocess.Popen(
        command, cwd=folder, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as sandbox:
        assert sandbox.stdout is not None
        assert sandbox.stderr is not None
        try:
            ready = json.loads(sandbox.stdout.readline())
            explained = []
            while "n2k once" not in (line := sandbox.stderr.readline()):
                explained.append(line.rstrip())
            yield ready, explained
        finally:
            sandbox.terminate()
            asked = time.monotonic()
            status = sandbox.wait(timeout=20)
        assert status == 0, sandbox.stderr.read()
        assert time.monotonic() - asked < 6
        assert sandbox.stdout.read() == ""


@dataclass(frozen=True)
class Trial:
    """A sandbox with two mails in it, and the configuration that connects to it."""

    folder: Path
    ready: dict[str, Any]
    explained: list[str]

    @property
    def config(self) -> Path:
        return self.folder / "try"

    def folders(self) -> dict[str, int]:
        """The desk's mailbox, folder by folder, as the control interface shows it."""
        answer = requests.get(
            f"{self.ready['control']}/mailboxes",
            headers={"X-Control-Token": self.ready["control_token"]},
            verify=self.ready["ca_file"],
            timeout=10,
        )
        (box,) = (one for one in answer.json()["mailboxes"] if one["address"] == DUTY)
        return {name: count for name, count in box["folders"].items() if count}


def at(moment: datetime) -> str:
    return moment.isoformat()


def test_the_sandbox_says_on_one_line_how_to_reach_it_and_explains_itself_beside(trial: Trial) -> None:
    keys = {"base", "ca_file", "tenant", "client", "certificate", "control", "control_token", "config"}
    assert keys <= set(trial.ready)
    assert trial.ready["desks"] == {"nct": DUTY}
    assert any(DUTY in line and "2 mails" in line for line in trial.explained)
    assert any("notes" in line and "left out" in line for line in trial.explained)


def test_the_mails_of_a_folder_become_an_alert_a_register_and_filed_mails(
    trial: Trial, n2k: Command, tmp_path: Path
) -> None:
    """The whole of a first try, in the order in which a user would type it."""
    once = n2k("once", "--config", trial.config, "--now", at(MONDAY))
    assert (once.status, "Traceback" in once.err) == (0, False)
    assert "nct: intake: 2 mails dealt with" in once.out.splitlines()
    digests = {"Sent Items": 2}
    assert trial.folders() == {"Need to Know/Alerts": 1, "Need to Know/Not for us": 1, **digests}

    status = n2k("status", "--config", trial.config)
    assert status.status == 0
    assert "1 open, 0 concluded" in status.out
    assert "1 row written" in status.out
    assert "2 posted" in status.out
    assert "Fairweather" not in status.out

    again = n2k("once", "--config", trial.config, "--now", at(MONDAY))
    assert set(again.out.splitlines()) == {
        f"nct: {step}: nothing to do"
        for step in ("intake", "bookkeeping", "chasing", "weekly digest", "posting")
    }

    saved = n2k("register", "--config", trial.config, "--to", tmp_path / "copy.xlsx")
    assert saved.status == 0
    values = [cell.value for row in sheet(tmp_path / "copy.xlsx") for cell in row]
    assert "SLA-2026-0001" in values
    assert "Robin Fairweather" in values


def sheet(path: Path) -> Any:
    book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()))
    return next(sheet for sheet in book.worksheets if sheet.tables)


def test_preview_tells_whom_why_and_when_and_sends_nothing(
    trial: Trial, n2k: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    n2k("once", "--config", trial.config, "--now", at(MONDAY))
    monkeypatch.setattr("agent.bootstrap.wall_clock", lambda: MONDAY + timedelta(days=1, minutes=7))
    before = n2k("status", "--config", trial.config).out
    told = n2k("preview", "--config", trial.config, "--days", "7", "--texts")

    assert (told.status, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0] == "Desk nct: 3 letters until Tue 10 Mar 2026, if no news comes."
    assert f"  Mon 9 Mar 2026, 09:00  to {AUTHOR}" in lines
    assert (
        "    why: SLA-2026-0001, as its author: prompt 1, due Mon 9 Mar 2026; last heard Mon 2 Mar 2026"
        in lines
    )
    assert any(line.startswith("    why: the digest of the week of Mon 9 Mar 2026") for line in lines)
    assert any(line.startswith("    | ") for line in lines)
    assert n2k("status", "--config", trial.config).out == before


def test_a_register_that_was_mistrusted_is_taken_at_a_persons_word(trial: Trial, n2k: Command) -> None:
    n2k("once", "--config", trial.config, "--now", at(MONDAY))
    with ledger_at_hand(load(trial.config)) as ledger, ledger.desk("nct").page() as page:
        page.ask(Question(MISTRUSTED, "Is it right?", "register:mistrusted:v1@2026-03-02"), MONDAY)

    assert "takes the register as it stands" in n2k("trust-register", "--config", trial.config).out
    assert "trusted already" in n2k("trust-register", "--config", trial.config).out


def test_letters_can_rest_and_every_letter_and_alert_tells_why(
    trial: Trial, n2k: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    n2k("once", "--config", trial.config, "--now", at(MONDAY))
    assert "no letter goes out until `n2k resume`" in n2k("pause", "--config", trial.config).out
    assert "the letters rest already" in n2k("pause", "--config", trial.config).out

    chase_time = MONDAY + timedelta(days=7, hours=1)
    n2k("once", "--config", trial.config, "--now", at(chase_time))
    assert trial.folders()["Sent Items"] == 2
    status = n2k("status", "--config", trial.config).out
    assert "LETTERS REST" in status
    assert re.search(r"of which urgent  0$", status, flags=re.M)

    monkeypatch.setattr("agent.bootstrap.wall_clock", lambda: chase_time)
    coming = n2k("letters", "--due", "1", "--config", trial.config).out.splitlines()
    assert any(line.endswith(f"chase about SLA-2026-0001  to {AUTHOR}") for line in coming)
    assert "The desk's letters rest, so none of these goes out before `n2k resume`." in coming

    (line,) = (line for line in n2k("letters", "--config", trial.config).out.splitlines() if "chase" in line)
    assert "in tray" in line
    letter = n2k("why", line.split()[0], "--config", trial.config)
    assert "because: SLA-2026-0001, rule chase-1, due Mon 9 Mar 2026 (clause 6.2)" in letter.out
    alert = n2k("why", "sla 2026-0001", "--config", trial.config)
    assert alert.out.startswith("SLA-2026-0001: ")
    assert "Fairweather" not in alert.out + letter.out
    assert n2k("why", "SLA-2026-9999", "--config", trial.config).status == 2

    assert "letters go out again" in n2k("resume", "--config", trial.config).out
    n2k("once", "--config", trial.config, "--now", at(chase_time))
    assert trial.folders()["Sent Items"] == 5


def test_erasing_wants_to_be_meant(trial: Trial, n2k: Command) -> None:
    asked = n2k("erase", "SLA-2026-0001", "--rule", "retention 2026", "--config", trial.config)
    assert (asked.status, "--yes" in asked.err) == (2, True)


def test_a_quiet_author_is_chased_in_the_sandbox_too(trial: Trial, n2k: Command) -> None:
    """A week later, by a set time; and nothing bounces, for the author has a mailbox there."""
    n2k("once", "--config", trial.config, "--now", at(MONDAY))
    n2k("once", "--config", trial.config, "--now", at(MONDAY + timedelta(days=7)))
    once = n2k("once", "--config", trial.config, "--now", at(MONDAY + timedelta(days=7, hours=1)))

    status = n2k("status", "--config", trial.config)
    assert once.status == 0
    assert "5 posted" in status.out  # two weeks' digests for two readers, and the chase
    assert "0 waiting for a person" in status.out


@pytest.fixture
def unused(tmp_path: Path) -> Iterator[Path]:
    """The configuration of a sandbox in which there is no register yet."""
    (tmp_path / "mail" / DUTY).mkdir(parents=True)
    with serving(tmp_path):
        yield tmp_path / "try"


def test_a_spreadsheet_is_taken_over_once_somebody_says_yes(
    unused: Path, n2k: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = openpyxl.Workbook()
    for row in (["Received", "Young person", "Statuss"], ["2 March 2026", "Robin Fairweather", "Open"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "theirs.xlsx")
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))

    said = n2k("adopt", tmp_path / "theirs.xlsx", "--config", unused, "--map", "Statuss=status")
    assert (said.status, "1 rows become alerts (1 open)" in said.out) == (1, True)
    assert "Nothing was done." in said.out
    assert "Robin" not in said.out
    said = n2k("adopt", tmp_path / "theirs.xlsx", "--config", unused, "--map", "no pair")
    assert (said.status, 'write it as "Their heading=field"' in said.err) == (2, True)


def test_without_mail_a_sandbox_has_every_desk_and_with_mail_those_that_it_is_for() -> None:
    """An address of a desk's own; else one in a desk's domain; else the first desk has the fullest."""
    desks = load(ROOT / "config").desks
    others = [name for name in desks if name != "nct"]

    assert watched(desks, {}) == {name: desk.mailbox for name, desk in desks.items()}
    own = desks["nct"].mailbox.lower()
    assert watched(desks, {own: 1, "ann@nctrust.co.uk": 9}) == {"nct": own}
    assert watched(desks, {"inbox@nctrust.co.uk": 1}) == {"nct": "inbox@nctrust.co.uk"}
    assert watched(desks, {"a@anytown.example": 1, DUTY: 2}) == {next(iter(desks)): DUTY}
    for name in others:
        domain = desks[name].allowed_domains[0]
        assert watched(desks, {f"inbox@{domain}": 1}) == {name: f"inbox@{domain}"}


def test_a_second_sandbox_takes_over_the_configuration_that_the_first_one_wrote(tmp_path: Path) -> None:
    """What was changed in it stays; the ledger of the sandbox that is gone goes."""
    (tmp_path / "mail" / DUTY).mkdir(parents=True)
    with serving(tmp_path) as (first, _):
        pass
    desk = tmp_path / "try" / "desks" / "nct.toml"
    edited = desk.read_text().replace('day = "monday"', 'day = "friday"')
    desk.write_text(edited)
    (tmp_path / "try" / "n2k-ledger.sqlite").write_bytes(b"of the first")
    with serving(tmp_path) as (second, _):
        agent = (tmp_path / "try" / "agent.toml").read_text()

    assert second["base"] in agent
    assert second["certificate"] in agent
    assert first["certificate"] not in agent
    assert desk.read_text() == edited
    assert not (tmp_path / "try" / "n2k-ledger.sqlite").exists()


def test_a_sandbox_leaves_somebodys_configuration_alone(n2k: Command, tmp_path: Path) -> None:
    write_copy(tmp_path / "mine")
    before = (tmp_path / "mine" / "agent.toml").read_bytes()
    said = n2k("sandbox", "--config-to", "mine")

    assert said.status == 2
    assert "nothing was overwritten" in said.err
    assert (tmp_path / "mine" / "agent.toml").read_bytes() == before


def test_a_port_that_is_taken_is_told_in_a_sentence(n2k: Command, trial: Trial) -> None:
    port = trial.ready["base"].rpartition(":")[2]
    said = n2k("sandbox", "--port", port)

    assert said.status == 2
    assert f"Port {port} cannot be had" in said.err


def test_ledger_and_register_are_compared_and_the_register_written_afresh(
    trial: Trial, n2k: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    n2k("once", "--config", trial.config, "--now", at(MONDAY))
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))

    refused = n2k("rebuild-register", "--config", trial.config)
    assert (refused.status, "Nothing was done." in refused.out) == (1, True)
    assert "The old one is kept" in refused.out
    done = n2k("rebuild-register", "--config", trial.config, "--yes")
    assert (done.status, "rows were written" in done.out) == (0, True)

    same = n2k("diff-register", "--config", trial.config)
    assert same.status in (0, 1)  # by the real clock, more may be due than at the set time
    assert "Robin" not in same.out


@pytest.mark.parametrize("verb", ["rebuild-register", "adopt"])
def test_nobody_writes_a_register_anew_while_another_agent_is_at_work(
    trial: Trial, n2k: Command, verb: str
) -> None:
    n2k("once", "--config", trial.config, "--now", at(MONDAY))
    settings = load(trial.config)
    with ledger_at_hand(settings) as ledger:
        ledger.claim(next(iter(settings.desks)), "another agent", 600)

    said = n2k(verb, "--config", trial.config, "--yes")
    assert said.status == 1
    assert "Another agent is at work" in said.err
