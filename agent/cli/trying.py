"""Verbs: to try it, and to read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from agent.cli.common import (
    Verbs,
    days,
    print_all,
    quietly,
    settings_of,
    verb,
)
from agent.errors import WrongCall
from agent.procedure.clocks import ASKED_BY


def declare(verbs: Verbs) -> None:
    """Add these verbs to the command."""
    demo = verb(verbs, "demo", _demo, "three weeks of an inbox on an embedded Microsoft 365")
    demo.add_argument(
        "--to", type=Path, default=Path("demo"), metavar="DIR", help="where to put what came of it"
    )
    demo.add_argument("--days", type=days, metavar="N", help="only the first N days")

    sandbox = verb(verbs, "sandbox", _sandbox, "serve an embedded Microsoft 365 on this machine")
    sandbox.add_argument(
        "--mail", type=Path, metavar="DIR", help="a folder for each address, with .eml files"
    )
    sandbox.add_argument(
        "--port", type=int, default=0, metavar="N", help="port to listen on (default: any free one)"
    )
    sandbox.add_argument(
        "--config-to", type=Path, metavar="DIR", help="write a configuration that connects to it"
    )

    read = verb(verbs, "read", _read, "show what the agent reads in forms and mails", config=True)
    read.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    read.add_argument(
        "--subjects",
        type=Path,
        metavar="FILE",
        help='instead, try subject lines: a row of {"subject", "attachment"} a line; - is standard input',
    )
    read.add_argument("--json", action="store_true", help="one line of JSON for each path or row")
    read.add_argument("--units", action="store_true", help="and all that stands in the documents, in order")
    read.add_argument("--desk", metavar="NAME", help="read by this desk's procedure (default: try all)")

    forms = verb(verbs, "forms", _forms, "write the blank forms as Word documents", config=True)
    forms.add_argument("--to", type=Path, metavar="DIR", help="where to put them")
    drafting = forms.add_subparsers(metavar="draft FILE")
    drafted = verb(
        drafting, "draft", _draft, "draft the definition of an office's own blank form", config=True
    )
    drafted.add_argument("file", type=Path, metavar="FILE", help="the blank form: .docx, .doc, .odt or .pdf")
    drafted.add_argument("--to", type=Path, metavar="TOML", help="where to write it (default: show it)")

    clocks = verb(verbs, "clocks", _clocks, "work out the procedure's deadlines from dates", config=True)
    clocks.add_argument(
        "--procedure", metavar="NAME", help="by which procedure (needed where there are several)"
    )
    for option, asked in ASKED_BY.items():
        clocks.add_argument(f"--{option}", dest=option, metavar="DATE", help=asked.words)
    clocks.add_argument("--json", action="store_true", help="as JSON")


def _demo(told: argparse.Namespace) -> int:
    from agent.verbs.demo import demo

    return demo(told.to, days=told.days, say=print)


def _sandbox(told: argparse.Namespace) -> int:
    from agent.sandbox.serve import serve

    return serve(mail=told.mail, port=told.port, config_to=told.config_to)


def _read(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.reader import read_files
    from agent.verbs.subject_lines import read_subjects

    if bool(told.paths) == bool(told.subjects):
        raise WrongCall("Say what to read: paths of forms and mails, or `--subjects FILE`.")
    quietly()
    settings, today = settings_of(told), wall_clock().date()
    how = {"today": today, "desk": told.desk, "as_json": told.json}
    if told.paths:
        print_all(read_files(told.paths, settings, units=told.units, **how))
    elif str(told.subjects) == "-":
        print_all(read_subjects(sys.stdin, settings, **how))
    else:
        with told.subjects.open(encoding="utf-8", errors="replace") as lines:
            print_all(read_subjects(lines, settings, **how))
    return 0


def _forms(told: argparse.Namespace) -> int:
    from agent.verbs.blank_forms import write_blank_forms

    if told.to is None:
        raise WrongCall("Say where to put the blank forms with `--to DIR`.")
    for path in write_blank_forms(settings_of(told), told.to):
        print(path)
    return 0


def _draft(told: argparse.Namespace) -> int:
    from agent.verbs.blank_forms import draft_form

    drafted = draft_form(settings_of(told), told.file)
    if told.to is None:
        print(drafted, end="")
        return 0
    told.to.write_text(drafted, encoding="utf-8")
    print(f"Wrote {told.to}. Look at the lines marked #?, then name the form in a procedure's `forms`.")
    return 0


def _clocks(told: argparse.Namespace) -> int:
    from agent.verbs.deadlines import deadlines

    quietly()
    dates = {option: vars(told)[option] for option in ASKED_BY if vars(told)[option] is not None}
    for line in deadlines(settings_of(told), procedure=told.procedure, told=dates, as_json=told.json):
        print(line)
    return 0
