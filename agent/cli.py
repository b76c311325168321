"""The `n2k` command: every verb calls one function. Nothing heavy is imported before a verb is chosen."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent import __version__
from agent.errors import AgentError, BadConfiguration, TryAgainLater, WrongCall
from agent.procedure.clocks import ASKED_BY

if TYPE_CHECKING:
    from agent.desk import Desk
    from agent.settings import Settings

EPILOG = """exit status:
  0  done
  1  something needs a person, or should be tried again later; the sentence says which
  2  a wrong call, or a configuration that cannot be used
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; gives the exit status."""
    told = _parser().parse_args(arguments)
    verb: Callable[[argparse.Namespace], int] = told.verb
    try:
        return _all_said(verb(told))
    except WrongCall as wrong:
        print(wrong, file=sys.stderr)
        return 2
    except BadConfiguration as wrong:
        print(f"The configuration cannot be used:\n{wrong}", file=sys.stderr)
        return 2
    except AgentError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    except BrokenPipeError:  # somebody closed the pager; Python must not stumble over it at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as wrong:
        print(f"{wrong.filename or 'This'} cannot be used: {wrong.strerror or wrong}.", file=sys.stderr)
        return 1


def _all_said(status: int) -> int:
    sys.stdout.flush()  # a pager that was closed shows here, not when Python ends
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="n2k",
        description="Watches a shared Need to Know inbox, keeps the register true, and chases authors "
        "until each alert is concluded.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"n2k {__version__}")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    demo = _verb(verbs, "demo", _demo, "three weeks of an inbox on an embedded Microsoft 365")
    demo.add_argument(
        "--to", type=Path, default=Path("demo"), metavar="DIR", help="where to put what came of it"
    )
    demo.add_argument("--days", type=_days, metavar="N", help="only the first N days")

    run = _verb(verbs, "run", _run, "work by the timetable until stopped", config=True)
    run.add_argument("--log-json", action="store_true", help="log as JSON lines")

    once = _verb(verbs, "once", _once, "run every step once", config=True)
    once.add_argument(
        "--now",
        type=_time,
        metavar="TIME",
        help="pretend it is TIME, as 2026-03-02T09:00 (only on a sandbox)",
    )

    sandbox = _verb(verbs, "sandbox", _sandbox, "serve an embedded Microsoft 365 on this machine")
    sandbox.add_argument(
        "--mail", type=Path, metavar="DIR", help="a folder for each address, with .eml files"
    )
    sandbox.add_argument(
        "--port", type=int, default=0, metavar="N", help="port to listen on (default: any free one)"
    )
    sandbox.add_argument(
        "--config-to", type=Path, metavar="DIR", help="write a configuration that connects to it"
    )

    read = _verb(verbs, "read", _read, "show what the agent reads in forms and mails", config=True)
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

    doctor = _verb(verbs, "doctor", _doctor, "look at everything the agent depends on", config=True)
    doctor.add_argument("--json", action="store_true", help="for machines")

    forms = _verb(verbs, "forms", _forms, "write the blank forms as Word documents", config=True)
    forms.add_argument("--to", type=Path, metavar="DIR", help="where to put them")
    drafting = forms.add_subparsers(metavar="draft FILE")
    drafted = _verb(
        drafting, "draft", _draft, "draft the definition of an office's own blank form", config=True
    )
    drafted.add_argument("file", type=Path, metavar="FILE", help="the blank form: .docx, .doc, .odt or .pdf")
    drafted.add_argument("--to", type=Path, metavar="TOML", help="where to write it (default: show it)")

    _verb(verbs, "status", _status, "what is open, waiting and in the tray", config=True)

    preview = _verb(verbs, "preview", _preview, "what would be sent, to whom and why", config=True)
    preview.add_argument(
        "--days", type=_days, default=7, metavar="N", help="how many days to look ahead (default: 7)"
    )
    preview.add_argument("--texts", action="store_true", help="show the exact text of each letter")

    letters = _verb(verbs, "letters", _letters, "what lies in the tray and went out of late", config=True)
    letters.add_argument(
        "--due", type=_days, metavar="DAYS", help="instead: a line for each letter of the next DAYS days"
    )
    letters.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")

    why = _verb(verbs, "why", _why, "why a letter exists, or where an alert stands and why", config=True)
    why.add_argument("about", metavar="LETTER-KEY|REFERENCE")

    pause = _verb(verbs, "pause", _pause, "let all letters rest; everything else goes on", config=True)
    pause.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")
    pause.add_argument("--why", default="", metavar="TEXT", help="kept for those who ask later")

    resume = _verb(verbs, "resume", _resume, "let the letters go again", config=True)
    resume.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")

    trust = _verb(
        verbs, "trust-register", _trust_register, "take a register that was mistrusted as it is", config=True
    )
    trust.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")

    clocks = _verb(verbs, "clocks", _clocks, "work out the procedure's deadlines from dates", config=True)
    clocks.add_argument(
        "--procedure", metavar="NAME", help="by which procedure (needed where there are several)"
    )
    for option, asked in ASKED_BY.items():
        clocks.add_argument(f"--{option}", dest=option, metavar="DATE", help=asked.words)
    clocks.add_argument("--json", action="store_true", help="as JSON")

    register = _verb(verbs, "register", _register, "save a copy of the register", config=True)
    register.add_argument("--to", type=Path, required=True, metavar="FILE")
    register.add_argument(
        "--desk", metavar="NAME", help="which desk's register (needed where there are several)"
    )

    rebuild = _verb(
        verbs, "rebuild-register", _rebuild_register, "write the register afresh from the ledger", config=True
    )
    rebuild.add_argument("--desk", metavar="NAME", help="which desk's (needed where there are several)")
    rebuild.add_argument("--yes", action="store_true", help="do it without asking")

    diff = _verb(verbs, "diff-register", _diff_register, "show where ledger and register differ", config=True)
    diff.add_argument("--desk", metavar="NAME", help="which desk's (needed where there are several)")
    diff.add_argument("--values", action="store_true", help="show what stands in either; it may be personal")

    adopt = _verb(verbs, "adopt", _adopt, "take over an existing spreadsheet as the register", config=True)
    adopt.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="a workbook on this machine (default: the one that lies in the register's place)",
    )
    adopt.add_argument("--desk", metavar="NAME", help="for which desk (needed where there are several)")
    adopt.add_argument(
        "--map",
        action="append",
        default=[],
        type=_mapped,
        metavar="HEADING=FIELD",
        help="which of the register's fields a heading of theirs is; may be given more than once",
    )
    adopt.add_argument("--yes", action="store_true", help="do it without asking")

    verify = _verb(verbs, "verify", _verify, "prove that no line of the record was changed", config=True)
    verify.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")

    export = _verb(verbs, "export", _export, "write out all that is held on an alert or a child", config=True)
    export.add_argument("references", nargs="*", metavar="REFERENCE")
    export.add_argument("--child", metavar="NAME", help="instead: the child's full name")
    export.add_argument("--dob", type=_day, metavar="DATE", help="and date of birth, as 2012-05-04")
    export.add_argument("--to", type=Path, required=True, metavar="FILE")

    summary = _verb(verbs, "summary", _summary, "write out the summary pages of an alert's form", config=True)
    summary.add_argument("reference", metavar="REFERENCE")
    summary.add_argument("--to", type=Path, required=True, metavar="FILE.txt")
    summary.add_argument("--desk", metavar="NAME", help="whose alert (needed where there are several desks)")

    listed = _verb(verbs, "anonymised", _anonymised, "write a list of alerts that names nobody", config=True)
    listed.add_argument("--to", type=Path, required=True, metavar="FILE.csv")
    listed.add_argument("--desk", required=True, metavar="NAME", help="whose alerts")
    listed.add_argument("--from", dest="first", type=_day, metavar="DATE", help="received then or later")
    listed.add_argument("--until", dest="last", type=_day, metavar="DATE", help="received then or before")
    listed.add_argument("--category", default="", metavar="CODE", help="only of this category")
    listed.add_argument("--area", default="", metavar="AREA", help="only of this area")

    erase = _verb(verbs, "erase", _erase, "erase for good what is personal about an alert", config=True)
    erase.add_argument("reference", metavar="REFERENCE")
    erase.add_argument(
        "--rule", required=True, metavar="TEXT", help="by which decision; kept for ever, so no names"
    )
    erase.add_argument("--yes", action="store_true", help="do it; without this, only say what would be done")

    prepare = _verb(verbs, "setup", _setup, "prepare an installation: configuration, certificate, scripts")
    prepare.add_argument("folder", type=Path, metavar="DIR")
    prepare.add_argument(
        "--answers", type=Path, metavar="FILE", help="a TOML file with the answers (default: ask for each)"
    )

    init = _verb(verbs, "init", _init, "write an editable copy of the configuration")
    init.add_argument("folder", type=Path, metavar="DIR")
    return parser


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    function: Callable[[argparse.Namespace], int],
    says: str,
    *,
    config: bool = False,
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")
    verb.set_defaults(verb=function)
    if config:
        verb.add_argument(
            "--config",
            metavar="DIR",
            help="configuration folder (default: N2K_CONFIG, else ./config, else the one shipped)",
        )
    return verb


def _time(text: str) -> datetime:
    """An ISO time; one without a zone is taken as UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time; write it as 2026-03-02T09:00") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _mapped(text: str) -> tuple[str, str]:
    heading, equals, name = text.rpartition("=")
    if not (heading.strip() and equals and name.strip()):
        raise argparse.ArgumentTypeError(f'{text} is no pair; write it as "Their heading=field"')
    return heading.strip(), name.strip()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day; write it as 2012-05-04") from None


def _days(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of days; it is 1 or more")
    return int(text)


def _settings(told: argparse.Namespace, *, for_work: bool = False) -> Settings:
    from agent.settings import find_folder, load, missing_for_work

    settings = load(find_folder(told.config))
    if for_work and (problems := missing_for_work(settings)):
        raise BadConfiguration(problems)
    return settings


def _quietly() -> None:
    """For verbs that answer a person: what they do is no event for the log."""
    import logging

    from agent import log

    log.set_up(level=logging.ERROR)


def _demo(told: argparse.Namespace) -> int:
    from agent.demo import demo

    return demo(told.to, days=told.days, say=print)


def _run(told: argparse.Namespace) -> int:
    from contextlib import nullcontext

    from agent import log, timetable
    from agent.bootstrap import at_work
    from agent.health import Health, served

    settings = _settings(told, for_work=True)
    log.set_up(json=told.log_json)
    with at_work(settings) as agent:
        health = Health(agent)
        log.set_up(json=told.log_json, count=health.metrics.count)
        listen = settings.agent.watched.listen
        with served(health, listen) if listen else nullcontext():
            timetable.run(agent, health)
    return 0


def _once(told: argparse.Namespace) -> int:
    from agent import log
    from agent.bootstrap import at_work, held, wall_clock
    from agent.settings import soon_missing
    from agent.steps import run_all

    settings = _settings(told, for_work=True)
    if told.now and not settings.on_this_machine:
        raise WrongCall("`--now` sets the time, and only a sandbox allows that. Leave it out.")
    log.set_up()
    clock = (lambda: told.now) if told.now else wall_clock
    status = 0
    if settings.agent.mode != "live":
        print(f"The mode is {settings.agent.mode}: {_MODES[settings.agent.mode]}.")
    for problem in soon_missing(settings, clock().date()):
        print(problem, file=sys.stderr)
    with at_work(settings, clock=clock) as agent:
        for desk in agent.desks:
            with held(agent, desk.name) as ours:
                if not ours:
                    print(f"{desk.name}: another agent is at work at this desk; try again in a minute")
                    status = 1
                    continue
                for outcome in run_all(desk, clock()):
                    print(f"{desk.name}: {outcome}")
                    status |= bool(outcome.trouble)
    return status


_MODES = {
    "watch": "mails are taken in and the register is kept, and no letter is written",
    "rehearse": "every letter goes to `rehearse_to`",
}


def _sandbox(told: argparse.Namespace) -> int:
    from agent.sandbox.serve import serve

    return serve(mail=told.mail, port=told.port, config_to=told.config_to)


def _read(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.reader import read_files
    from agent.subject_lines import read_subjects

    if bool(told.paths) == bool(told.subjects):
        raise WrongCall("Say what to read: paths of forms and mails, or `--subjects FILE`.")
    _quietly()
    settings, today = _settings(told), wall_clock().date()
    how = {"today": today, "desk": told.desk, "as_json": told.json}
    if told.paths:
        _print_all(read_files(told.paths, settings, units=told.units, **how))
    elif str(told.subjects) == "-":
        _print_all(read_subjects(sys.stdin, settings, **how))
    else:
        with told.subjects.open(encoding="utf-8", errors="replace") as lines:
            _print_all(read_subjects(lines, settings, **how))
    return 0


def _print_all(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)  # as soon as it is known: a whole folder may take a while


def _doctor(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.doctor.examine import doctor
    from agent.settings import find_folder

    _quietly()
    return doctor(find_folder(told.config), wall_clock, print, as_json=told.json)


def _forms(told: argparse.Namespace) -> int:
    from agent.blank_forms import write_blank_forms

    if told.to is None:
        raise WrongCall("Say where to put the blank forms with `--to DIR`.")
    for path in write_blank_forms(_settings(told), told.to):
        print(path)
    return 0


def _draft(told: argparse.Namespace) -> int:
    from agent.blank_forms import draft_form

    drafted = draft_form(_settings(told), told.file)
    if told.to is None:
        print(drafted, end="")
        return 0
    told.to.write_text(drafted, encoding="utf-8")
    print(f"Wrote {told.to}. Look at the lines marked #?, then name the form in a procedure's `forms`.")
    return 0


def _status(told: argparse.Namespace) -> int:
    from agent.status import status

    _quietly()
    for line in status(_settings(told)):
        print(line)
    return 0


def _preview(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.preview import preview

    _quietly()
    for line in preview(_settings(told), days=told.days, now=wall_clock(), texts=told.texts):
        print(line)
    return 0


def _letters(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.preview import preview
    from agent.tray import letters

    _quietly()
    settings, now = _settings(told), wall_clock()
    lines = (
        preview(settings, days=told.due, now=now, desk=told.desk, brief=True)
        if told.due
        else letters(settings, now, desk=told.desk)
    )
    for line in lines:
        print(line)
    return 0


def _why(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.why import why

    _quietly()
    for line in why(_settings(told), told.about, wall_clock()):
        print(line)
    return 0


def _pause(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.pausing import pause

    _quietly()
    for line in pause(_settings(told), wall_clock(), desk=told.desk, why=told.why):
        print(line)
    return 0


def _resume(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.pausing import resume

    _quietly()
    for line in resume(_settings(told), wall_clock(), desk=told.desk):
        print(line)
    return 0


def _trust_register(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.trusting import trust_register

    _quietly()
    for line in trust_register(_settings(told), wall_clock(), desk=told.desk):
        print(line)
    return 0


def _clocks(told: argparse.Namespace) -> int:
    from agent.deadlines import deadlines

    _quietly()
    dates = {option: vars(told)[option] for option in ASKED_BY if vars(told)[option] is not None}
    for line in deadlines(_settings(told), procedure=told.procedure, told=dates, as_json=told.json):
        print(line)
    return 0


def _register(told: argparse.Namespace) -> int:
    from agent.bootstrap import at_work

    _quietly()
    with at_work(_settings(told, for_work=True)) as agent:
        told.to.write_bytes(_the_desk(agent.desks, told.desk).register.copy())
    print(f"Saved to {told.to}.")
    return 0


def _the_desk(desks: Sequence[Desk], name: str | None) -> Desk:
    found = [desk for desk in desks if name in (None, desk.name)]
    if len(found) != 1:
        names = ", ".join(desk.name for desk in desks)
        raise WrongCall(f"Say which desk with `--desk`; there are: {names}.")
    return found[0]


def _rebuild_register(told: argparse.Namespace) -> int:
    from agent.bookkeeping import rebuild
    from agent.bootstrap import at_work, held, wall_clock

    _quietly()
    with at_work(_settings(told, for_work=True)) as agent:
        desk = _the_desk(agent.desks, told.desk)
        with held(agent, desk.name) as ours:
            if not ours:
                raise TryAgainLater(f"Another agent is at work at the desk {desk.name}. Stop it first.")
            print(_REBUILD.format(desk=desk.name))
            if not told.yes and not _says_yes():
                print("Nothing was done.")
                return 1
            print(f"Done: {rebuild(desk, wall_clock())} rows were written.")
    return 0


_REBUILD = (
    "The register of the desk {desk} is written afresh, with every row that the ledger knows and what people "
    "had written in it when it was last read. What was typed since, and sheets, colours and comments of "
    "people's own, are not in the new one. The old one is kept: in SharePoint under Version history, "
    "otherwise as a file beside it."
)


def _diff_register(told: argparse.Namespace) -> int:
    from agent.bootstrap import at_work, wall_clock
    from agent.register_diff import register_diff

    _quietly()
    with at_work(_settings(told, for_work=True)) as agent:
        desk = _the_desk(agent.desks, told.desk)
        lines = list(register_diff(desk, wall_clock(), values=told.values))
    _print_all(lines or [f"{desk.name}: ledger and register say the same."])
    return int(bool(lines))


def _adopt(told: argparse.Namespace) -> int:
    from agent.adopt import adopt, look_at, shown
    from agent.bootstrap import at_work, held, wall_clock

    _quietly()
    with at_work(_settings(told, for_work=True)) as agent:
        desk, now = _the_desk(agent.desks, told.desk), wall_clock()
        with held(agent, desk.name) as ours:
            if not ours:
                raise TryAgainLater(f"Another agent is at work at the desk {desk.name}. Stop it first.")
            adoption = look_at(desk, told.file, dict(told.map), now)
            _print_all(shown(adoption))
            if not told.yes and not _says_yes():
                print("Nothing was done.")
                return 1
            print(f"Done: {adopt(desk, adoption, now)} rows became alerts.")
    return 0


def _says_yes() -> bool:
    try:
        return input("\nDo it? Type yes: ").strip().lower() == "yes"
    except EOFError:  # nobody is there to ask
        return False


def _verify(told: argparse.Namespace) -> int:
    from agent.records import verify

    _quietly()
    said, whole = verify(_settings(told), desk=told.desk)
    _print_all(said)
    return 0 if whole else 1


def _export(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.procedure.submission import Child
    from agent.records import export

    _quietly()
    child = Child(told.child, told.dob) if told.child else None
    _print_all(export(_settings(told), told.to, wall_clock(), references=told.references, child=child))
    return 0


def _summary(told: argparse.Namespace) -> int:
    from agent.bootstrap import at_work, wall_clock
    from agent.summary_pages import hand_over_summary

    _quietly()
    with at_work(_settings(told, for_work=True)) as agent:
        desk = _the_desk(agent.desks, told.desk)
        _print_all(hand_over_summary(desk, told.reference, told.to, wall_clock()))
    return 0


def _anonymised(told: argparse.Namespace) -> int:
    from agent.anonymised_list import anonymised_list
    from agent.bootstrap import wall_clock

    _quietly()
    narrowed = {"first": told.first, "last": told.last, "category": told.category, "area": told.area}
    _print_all(anonymised_list(_settings(told), told.desk, told.to, wall_clock(), **narrowed))
    return 0


def _erase(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.records import erase

    if not told.yes:
        raise WrongCall(f"Erasing {told.reference} cannot be undone. Add `--yes` if that is meant.")
    _quietly()
    _print_all(erase(_settings(told), told.reference, wall_clock(), rule=told.rule))
    return 0


def _setup(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.setup.prepare import setup

    try:
        return setup(told.folder, wall_clock(), input, print, answers=told.answers)
    except EOFError:
        raise WrongCall("Nobody is there to answer. Give the answers with `--answers FILE`.") from None


def _init(told: argparse.Namespace) -> int:
    from agent.settings import write_copy

    written = write_copy(told.folder)
    print(f"Wrote {len(written)} files to {told.folder}. Begin with agent.toml and desks/.")
    return 0
