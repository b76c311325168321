"""Verbs: the record."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.cli.common import (
    Verbs,
    a_day,
    print_all,
    quietly,
    settings_of,
    the_desk,
    verb,
)
from agent.errors import WrongCall


def declare(verbs: Verbs) -> None:
    """Add these verbs to the command."""
    verify = verb(verbs, "verify", _verify, "prove that no line of the record was changed", config=True)
    verify.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")

    export = verb(verbs, "export", _export, "write out all that is held on an alert or a child", config=True)
    export.add_argument("references", nargs="*", metavar="REFERENCE")
    export.add_argument("--child", metavar="NAME", help="instead: the child's full name")
    export.add_argument("--dob", type=a_day, metavar="DATE", help="and date of birth, as 2012-05-04")
    export.add_argument("--to", type=Path, required=True, metavar="FILE")

    summary = verb(verbs, "summary", _summary, "write out the summary pages of an alert's form", config=True)
    summary.add_argument("reference", metavar="REFERENCE")
    summary.add_argument("--to", type=Path, required=True, metavar="FILE.txt")
    summary.add_argument("--desk", metavar="NAME", help="whose alert (needed where there are several desks)")

    listed = verb(verbs, "anonymised", _anonymised, "write a list of alerts that names nobody", config=True)
    listed.add_argument("--to", type=Path, required=True, metavar="FILE.csv")
    listed.add_argument("--desk", required=True, metavar="NAME", help="whose alerts")
    listed.add_argument("--from", dest="first", type=a_day, metavar="DATE", help="received then or later")
    listed.add_argument("--until", dest="last", type=a_day, metavar="DATE", help="received then or before")
    listed.add_argument("--category", default="", metavar="CODE", help="only of this category")
    listed.add_argument("--area", default="", metavar="AREA", help="only of this area")

    erase = verb(verbs, "erase", _erase, "erase for good what is personal about an alert", config=True)
    erase.add_argument("reference", metavar="REFERENCE")
    erase.add_argument(
        "--rule", required=True, metavar="TEXT", help="by which decision; kept for ever, so no names"
    )
    erase.add_argument("--yes", action="store_true", help="do it; without this, only say what would be done")


def _verify(told: argparse.Namespace) -> int:
    from agent.verbs.records import verify

    quietly()
    said, whole = verify(settings_of(told), desk=told.desk)
    print_all(said)
    return 0 if whole else 1


def _export(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.procedure.submission import Child
    from agent.verbs.records import export

    quietly()
    child = Child(told.child, told.dob) if told.child else None
    print_all(export(settings_of(told), told.to, wall_clock(), references=told.references, child=child))
    return 0


def _summary(told: argparse.Namespace) -> int:
    from agent.bootstrap import at_work, wall_clock
    from agent.verbs.summary_pages import hand_over_summary

    quietly()
    with at_work(settings_of(told, for_work=True)) as agent:
        desk = the_desk(agent.desks, told.desk)
        print_all(hand_over_summary(desk, told.reference, told.to, wall_clock()))
    return 0


def _anonymised(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.anonymised_list import anonymised_list

    quietly()
    narrowed = {"first": told.first, "last": told.last, "category": told.category, "area": told.area}
    print_all(anonymised_list(settings_of(told), told.desk, told.to, wall_clock(), **narrowed))
    return 0


def _erase(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.records import erase

    if not told.yes:
        raise WrongCall(f"Erasing {told.reference} cannot be undone. Add `--yes` if that is meant.")
    quietly()
    print_all(erase(settings_of(told), told.reference, wall_clock(), rule=told.rule))
    return 0
