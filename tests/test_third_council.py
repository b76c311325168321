"""A third council, invented here, joins by configuration files alone: other words everywhere, no Python."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.configuration import load, write_copy
from agent.desk import Desk
from agent.errors import BadConfiguration
from agent.forms.write import write_form
from agent.ledger.memory import MemoryLedger
from agent.letters.writer import Writer
from agent.mailbox.memory import MemoryMailbox
from agent.procedure.alert import Alert
from agent.procedure.words import Happened
from agent.register.memory import MemoryRegister
from agent.settings import Settings
from agent.steps import run_all
from tests.builders import at
from tests.forms.conftest import docx, p, table

pytestmark = pytest.mark.usefixtures("own_log")

INBOX = "watchkeeper@mossbarrow.example"
SCRIBE = "wilf.tarn@mossbarrow.example"
WARDEN = "greta.fell@mossbarrow.example"
KEEPER = "odile.beck@mossbarrow.example"

DESK = """
procedure = "mossbarrow"
mailbox = "watchkeeper@mossbarrow.example"
allowed_domains = ["mossbarrow.example"]

[folders]
alerts = ["Watch", "Fresh"]
updates = ["Watch", "Later word"]
replies = ["Watch", "Answers"]
questions = ["Watch", "Please look"]
set_aside = ["Watch", "Elsewhere"]

[register]
kind = "sharepoint_file"
site = "mossbarrow.sharepoint.example:/sites/watch"
path = "Watch Book.xlsx"

[digest]
day = "wednesday"
at = 07:30:00
to = ["keeper"]

[[people]]
name = "Greta Fell"
address = "greta.fell@mossbarrow.example"
roles = ["warden"]

[[people]]
name = "Odile Beck"
address = "odile.beck@mossbarrow.example"
roles = ["keeper"]
"""

PROCEDURE = """
name = "mossbarrow"
title = "Harm Notice Scheme"
organisation = "Mossbarrow Borough"
version = "3"
review_date = 2027-01-31
reference_prefix = "HN"
forms = ["harm_notice"]
conclusion = "confirm"
system_id_names = ["Folio"]

[subject]
phrase = "Harm Notice"
short_names = ["HN"]
marking = ["Private"]
update_words = ["later word"]
missing_words = ["astray"]
closure_words = ["laid to rest"]
returned_words = ["home again"]

[findings]
late_form = "Rule 4"
marking_missing = "Rule 9"

[letters]
subject_prefix = "Harm Notice"
subject_marking = "Private"
sign_off = "The Watch"
form_name = "Harm Notice"
update_how = "write your later word on the notice and send it here"

[chasing]
clause = "Rule 12"
first = 3
interval = 2
first_fast = 1
interval_fast = 1
earliest = 10:00:00
latest = 16:00:00
reviewer_role = "warden"
stands_in = "keeper"

[[chasing.steps]]
unanswered = 0
to = ["author"]
letter = "chase"

[[chasing.steps]]
unanswered = 1
to = ["author", "reviewer"]
letter = "chase_escalated"

[[must_be_copied]]
role = "warden"
clause = "Rule 5"

[[categories]]
code = "Q1"
words = "A child came to grief on the water or near it"
listed = "grounds"
clause = "Rule 2"

[[categories]]
code = "Q2"
words = "A helper of the borough stands accused"
listed = "grounds"
clause = "Rule 2"
staff = true

[role_names]
author = "scribe"
reviewer = "Warden"
warden = "Warden"
keeper = "Keeper of the Watch"
business_support = "the Watch"

[form_types]
harm_notice = "Notice"

[finding_words]
late_form = "Notice after six hours"
marking_missing = "Not marked Private"

[[clocks]]
clock = "form_due"
name = "Notice due"
starts = ["incident_at"]
counts = "hours"
length = 6
rule = "within six hours"
clause = "Rule 4"
ends = ["received_at"]

[[columns]]
heading = "Notice"
owner = "agent"
field = "reference"

[[columns]]
heading = "Standing"
owner = "proposed"
field = "status"
format = "choice"
choices = ["New", "Open", "Update due", "Update overdue", "Conclusion proposed", "Concluded", "Reopened"]

[[columns]]
heading = "Initials"
owner = "agent"
field = "initials"

[[columns]]
heading = "Warden"
owner = "proposed"
field = "reviewer"

[[columns]]
heading = "Harbour"
owner = "proposed"
field = "harbour"

[[columns]]
heading = "Boat in use"
owner = "proposed"
field = "boat"

[[columns]]
heading = "In six hours"
owner = "agent"
field = "within_time"

[[columns]]
heading = "Noticed"
owner = "agent"
field = "checks"

[[columns]]
heading = "Not told"
owner = "agent"
field = "recipients_missing"

[[columns]]
heading = "Asked"
owner = "agent"
field = "chases"
format = "number"

[[columns]]
heading = "How it ended"
owner = "proposed"
field = "conclusion"
format = "long"

[[columns]]
heading = "Ended by"
owner = "person"
field = "concluded_by"

[[question_columns]]
heading = "Riddle"
owner = "agent"
field = "reference"

[[question_columns]]
heading = "What puzzles"
owner = "agent"
field = "why"

[[question_columns]]
heading = "Your word"
owner = "person"
field = "answer"

[[question_columns]]
heading = "What came of it"
owner = "agent"
field = "outcome"
"""

FORM = """
name = "harm_notice"
title = "Harm Notice"
kind = "new"
marking = "Private"
recognised_by = ["Harm Notice"]

[[sections]]
title = "Whose notice"
fields = [
  { name = "form_kind", label = "What this is", choices = ["First word", "Later word", "Last word"] },
  { name = "author", label = "Scribe", type = "person", mandatory = true },
  { name = "reviewer", label = "Warden", type = "person", mandatory = true },
  { name = "form_date", label = "Written on", type = "datetime" },
]

[[sections]]
title = "The young people"
tables = [
  { name = "children", shape = "blocks", row_name = "Youngster", blank_rows = 1, columns = [
    { name = "child_name", label = "Youngster called", mandatory = true },
    { name = "dob", label = "Born", type = "date", mandatory = true },
    { name = "system_id", label = "Folio" },
  ] },
]

[[sections]]
title = "Grounds"
categories = "grounds"

[[sections]]
title = "What befell"
fields = [
  { name = "incident_at", label = "Befell at", type = "datetime", mandatory = true },
  { name = "harbour", label = "Which harbour", mandatory = true },
  { name = "boat", label = "Was a boat in use", type = "yes_no" },
  { name = "summary", label = "In your own words", type = "long", mandatory = true },
]

[[sections]]
title = "Later words"
tables = [
  { name = "updates", row_name = "Later word", columns = [
    { name = "date", label = "Day of later word", type = "date", here = ["Day"] },
    { name = "text", label = "Later word told", type = "long", here = ["Told"] },
    { name = "manager", label = "Told by", type = "person" },
  ] },
]

[[sections]]
title = "Last word"
fields = [
  { name = "conclusion", label = "How it was laid to rest", type = "long" },
  { name = "conclusion_date", label = "Day laid to rest", type = "date" },
]
"""

BLAKE = {"child_name": "Perrin Blakelaw", "dob": "2013-10-02", "system_id": "40071"}
TOLD = {
    "form_kind": "First word",
    "author": "Wilf Tarn",
    "reviewer": "Greta Fell",
    "incident_at": "2026-03-01T21:30",
    "harbour": "Old Quay",
    "boat": "yes",
    "summary": "P. fell from a moored boat and was pulled out by a passer-by.",
}


def council(folder: Path, notice: str = FORM) -> Settings:
    """The shipped configuration, and beside it three files of the new council."""
    write_copy(folder)
    (folder / "desks" / "mossbarrow.toml").write_text(DESK, encoding="utf-8")
    (folder / "procedures" / "mossbarrow.toml").write_text(PROCEDURE, encoding="utf-8")
    (folder / "forms" / "harm_notice.toml").write_text(notice, encoding="utf-8")
    agent = folder / "agent.toml"
    lines = agent.read_text(encoding="utf-8").splitlines()
    told = ['desks = ["nct", "merton", "mossbarrow"]' if line.startswith("desks") else line for line in lines]
    agent.write_text("\n".join(told) + "\n", encoding="utf-8")
    return load(folder)


class Watch:
    """The new desk with every room in memory, and the world around it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.mailbox = MemoryMailbox(INBOX)
        told = settings.desks["mossbarrow"]
        procedure = settings.procedure_of(told)
        self.register = MemoryRegister(procedure.columns)
        self.desk = Desk(
            settings=told,
            agent=replace(settings.agent, mode="live"),
            procedure=procedure,
            forms=settings.forms_of(procedure),
            calendar=settings.calendar_of(told),
            people=told.roster,
            mailbox=self.mailbox,
            ledger=MemoryLedger().desk("mossbarrow"),
            register=self.register,
            writer=Writer(settings.templates, procedure, INBOX),
            stop=threading.Event(),
        )

    def works(self, now: datetime) -> None:
        self.mailbox.now = now
        troubles = [outcome.trouble for outcome in run_all(self.desk, now) if outcome.trouble]
        assert troubles == []

    def receives(
        self, number: int, when: datetime, subject: str, form: bytes = b"", answers: str = ""
    ) -> None:
        """A mail from the scribe, to the inbox alone, with a notice where one is given."""
        message = EmailMessage()
        message["Message-ID"] = f"<{number}@mossbarrow.example>"
        message["Date"] = when
        message["From"] = SCRIBE
        message["To"] = INBOX
        message["Subject"] = subject
        if answers:
            message["In-Reply-To"] = answers
        message.set_content("As told.")
        if form:
            message.add_attachment(
                form, maintype="application", subtype="octet-stream", filename="notice.docx"
            )
        self.mailbox.deliver(message.as_bytes(), when)
        self.works(when)

    def notice(self, updates: Sequence[Mapping[str, str]] = (), **more: str) -> bytes:
        return write_form(
            self.settings.forms["harm_notice"],
            {**TOLD, **more},
            {"children": [BLAKE], "updates": updates},
            ["Q1"],
            categories=self.desk.procedure.categories,
        )

    def alert(self) -> Alert:
        (alert,) = self.desk.ledger.alerts().values()
        return alert

    def row(self) -> dict[str, Any]:
        return dict(self.register.row("HN-2026-0001"))


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    desk = Watch(council(tmp_path / "config"))
    desk.works(at("2026-03-02 06:00"))
    return desk


def paper(said: Mapping[str, str]) -> bytes:
    """The council's own notice as it has always been: a typist's tables, with nothing in the empty cells."""

    def row(label: str, otherwise: str = "") -> list[str]:
        return [label, said.get(label, otherwise)]

    return docx(
        p("Harm Notice")
        + p("Whose notice")
        + table(row("What this is", "First word / Later word / Last word"), row("Scribe"), row("Warden"))
        + p("The young people")
        + table(row("Youngster called"), row("Born"), row("Folio"))
        + p("Grounds")
        + "".join(
            p(f"{'☒' if said.get('Grounds') == code else '☐'} {code} {words}")
            for code, words in (
                ("Q1", "A child came to grief on the water or near it"),
                ("Q2", "A helper of the borough stands accused"),
                ("Q3", "Something else"),
            )
        )
        + p("What befell")
        + table(
            row("Date and time it befell"),
            row("Which harbour"),
            row("Was a boat in use", "Yes / No"),
            row("In your own words"),
        )
        + p("Later words")
        + table(["Date", "Update", "Manager"], ["", "", ""], ["", "", ""])
        + p("Last word")
        + table(row("How it was laid to rest"), row("Date laid to rest"))
    )


# What somebody of the council made of the draft's marks, in an editor.
DECIDED = {
    'name = "what_this_is"': 'name = "form_kind"',
    'name = "scribe"': 'name = "author"',
    'name = "warden"': 'name = "reviewer"',
    'name = "youngster_called"': 'name = "child_name"',
    'name = "born", label = "Born"': 'name = "dob", label = "Born", type = "date"',
    'name = "folio"': 'name = "system_id"',
    '# categories = "…"': 'categories = "grounds"',
    'name = "date_and_time_it_befell"': 'name = "incident_at"',
    'name = "which_harbour"': 'name = "harbour"',
    'name = "was_a_boat_in_use"': 'name = "boat"',
    'name = "in_your_own_words"': 'name = "summary"',
    'name = "how_it_was_laid_to_rest"': 'name = "conclusion"',
    'name = "date_laid_to_rest"': 'name = "conclusion_date"',
}


def test_a_council_begins_with_its_own_paper(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blank notice is drafted, a person settles what is marked, and a filled copy opens an alert."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("N2K_CONFIG", raising=False)
    (tmp_path / "notice.docx").write_bytes(paper({}))
    assert main(["forms", "draft", "notice.docx"]) == 0
    drafted = capsys.readouterr().out
    for marked, decided in DECIDED.items():
        assert drafted.count(marked) == 1, marked
        drafted = drafted.replace(marked, decided)

    watch = Watch(council(tmp_path / "config", drafted))
    watch.works(at("2026-03-02 06:00"))
    written = {
        "What this is": "First word",
        "Scribe": "Wilf Tarn",
        "Warden": "Greta Fell",
        "Grounds": "Q1",
        "Youngster called": "Perrin Blakelaw",
        "Born": "2 October 2013",
        "Folio": "40071",
        "Date and time it befell": "1 March 2026 at 9.30pm",
        "Which harbour": "Old Quay",
        "Was a boat in use": "Yes",
        "In your own words": "P. fell from a moored boat.",
    }
    watch.receives(1, at("2026-03-02 09:00"), "Harm Notice - Private", paper(written))

    expected = {"Standing": "New", "Initials": "P.B.", "Harbour": "Old Quay", "Boat in use": "Yes"}
    assert watch.row() | expected == watch.row()
    assert watch.row()["In six hours"] == "Late by 6h"
    assert watch.alert().categories == ("Q1",)


LATER = {"date": "2026-03-10", "text": "P. is back at school.", "manager": "Wilf Tarn"}


def test_one_alert_goes_from_its_form_to_its_conclusion_in_the_new_councils_words(watch: Watch) -> None:
    """Opened, noticed as late and unmarked, asked about twice, updated, concluded by a person."""
    watch.receives(1, at("2026-03-02 09:00"), "Harm Notice", watch.notice())

    assert watch.row() | {"Standing": "New", "Harbour": "Old Quay", "Boat in use": "Yes"} == watch.row()
    assert watch.row()["In six hours"] == "Late by 6h"
    assert watch.row()["Noticed"] == "Notice after six hours; Not marked Private"
    assert watch.row()["Not told"] == "Warden"
    assert watch.row()["Initials"] == "P.B."

    for day in ("2026-03-05", "2026-03-06", "2026-03-09"):  # three working days, then every two
        watch.works(at(f"{day} 09:59"))
        watch.works(at(f"{day} 10:00"))
    asked = [(letter.to, letter.subject) for letter in watch.mailbox.sent if letter.to != KEEPER]
    request = "Harm Notice - update requested - HN-2026-0001 - Private"
    assert asked == [(SCRIBE, request), (SCRIBE, request), (WARDEN, request)]
    assert watch.row()["Asked"] == "2"

    watch.receives(2, at("2026-03-10 09:00"), "Harm Notice later word - Private", watch.notice([LATER]))
    assert watch.alert().updates == 1
    last = watch.notice([LATER], conclusion="P. has learned to swim.", conclusion_date="2026-03-11")
    watch.receives(3, at("2026-03-11 09:00"), "Harm Notice laid to rest - Private", last)
    assert watch.row()["Standing"] == "Conclusion proposed"
    assert watch.row()["How it ended"] == "P. has learned to swim."

    watch.register.row("HN-2026-0001").update({"Standing": "Concluded", "Ended by": "Greta Fell"})
    watch.register.person_saved()
    watch.works(at("2026-03-11 11:00"))
    watch.works(at("2026-03-30 11:00"))
    assert watch.alert().concluded
    assert len([letter for letter in watch.mailbox.sent if letter.to != KEEPER]) == 3
    happened = [entry.happened for entry in watch.desk.ledger.entries("HN-2026-0001")]
    assert happened[:1] + happened[-1:] == [Happened.OPENED, Happened.CONCLUDED]


def test_its_letters_and_folders_are_in_its_own_words(watch: Watch) -> None:
    """Nothing of the councils whose configuration lies beside it."""
    watch.receives(1, at("2026-03-02 09:00"), "Harm Notice - Private", watch.notice())
    for day in ("2026-03-05", "2026-03-09", "2026-03-11"):
        watch.works(at(f"{day} 10:00"))
    sent = watch.mailbox.sent

    assert {letter.to for letter in sent} == {SCRIBE, WARDEN, KEEPER}
    for letter in sent:
        text = f"{letter.subject} {letter.text} {letter.html}"
        assert "Mossbarrow Borough" in text
        for word in (
            "SLA",
            "Leadership",
            "Strategic Manager",
            "Head of Service",
            "Trust",
            "Merton",
            "Need to Know",
        ):
            assert word not in text, word
    assert {mail.folder for mail in watch.desk.ledger.mails()} == {("Watch", "Fresh")}


def test_a_reply_to_its_letter_is_matched_by_its_own_reference(watch: Watch) -> None:
    watch.receives(1, at("2026-03-02 09:00"), "Harm Notice - Private", watch.notice())
    watch.receives(2, at("2026-03-06 12:00"), "Re: HN-2026-0001")

    assert watch.alert().replied_at == at("2026-03-06 12:00")


def test_a_mistake_in_its_files_is_told_with_file_and_key(tmp_path: Path) -> None:
    """Every problem at once, so that a newcomer is not sent back file by file."""
    folder = tmp_path / "config"
    council(folder)
    procedure, form = folder / "procedures" / "mossbarrow.toml", folder / "forms" / "harm_notice.toml"
    procedure.write_text(PROCEDURE.replace('"confirm"', '"never"'), encoding="utf-8")
    form.write_text(FORM.replace('categories = "grounds"', 'categories = "ground"'), encoding="utf-8")

    with pytest.raises(BadConfiguration) as wrong:
        load(folder)

    assert "procedures/mossbarrow.toml: `conclusion` is" in str(wrong.value)
    assert "forms/harm_notice.toml: `Grounds` prints the list `ground`" in str(wrong.value)
