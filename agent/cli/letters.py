"""Verbs: letters."""

from __future__ import annotations

import argparse

from agent.cli.common import (
    Verbs,
    days,
    quietly,
    settings_of,
    verb,
)


def declare(verbs: Verbs) -> None:
    """Add these verbs to the command."""
    preview = verb(verbs, "preview", _preview, "what would be sent, to whom and why", config=True)
    preview.add_argument(
        "--days", type=days, default=7, metavar="N", help="how many days to look ahead (default: 7)"
    )
    preview.add_argument("--texts", action="store_true", help="show the exact text of each letter")

    letters = verb(verbs, "letters", _letters, "what lies in the tray and went out of late", config=True)
    letters.add_argument(
        "--due", type=days, metavar="DAYS", help="instead: a line for each letter of the next DAYS days"
    )
    letters.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")

    why = verb(verbs, "why", _why, "why a letter exists, or where an alert stands and why", config=True)
    why.add_argument("about", metavar="LETTER-KEY|REFERENCE")

    for name, settle, says in (
        ("release", _release, "send a held letter again"),
        ("drop", _drop, "drop a held letter for good"),
    ):
        held = verb(verbs, name, settle, says, config=True)
        held.add_argument("key", metavar="LETTER-KEY", help="or its beginning, as `n2k letters` shows it")

    pause = verb(verbs, "pause", _pause, "let all letters rest; everything else goes on", config=True)
    pause.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")
    pause.add_argument("--why", default="", metavar="TEXT", help="kept for those who ask later")

    resume = verb(verbs, "resume", _resume, "let the letters go again", config=True)
    resume.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")


def _preview(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.preview import preview

    quietly()
    for line in preview(settings_of(told), days=told.days, now=wall_clock(), texts=told.texts):
        print(line)
    return 0


def _letters(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.preview import preview
    from agent.verbs.tray import letters

    quietly()
    settings, now = settings_of(told), wall_clock()
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
    from agent.verbs.why import why

    quietly()
    for line in why(settings_of(told), told.about, wall_clock()):
        print(line)
    return 0


def _release(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.releasing import release

    quietly()
    print(release(settings_of(told), told.key, wall_clock()))
    return 0


def _drop(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.releasing import drop

    quietly()
    print(drop(settings_of(told), told.key, wall_clock()))
    return 0


def _pause(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.pausing import pause

    quietly()
    for line in pause(settings_of(told), wall_clock(), desk=told.desk, why=told.why):
        print(line)
    return 0


def _resume(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.pausing import resume

    quietly()
    for line in resume(settings_of(told), wall_clock(), desk=told.desk):
        print(line)
    return 0
