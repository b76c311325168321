"""Verbs: the register."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.cli.common import (
    Verbs,
    desk_to_ourselves,
    print_all,
    quietly,
    says_yes,
    settings_of,
    the_desk,
    verb,
)


def declare(verbs: Verbs) -> None:
    """Add these verbs to the command."""
    register = verb(verbs, "register", _register, "save a copy of the register", config=True)
    register.add_argument("--to", type=Path, required=True, metavar="FILE")
    register.add_argument(
        "--desk", metavar="NAME", help="which desk's register (needed where there are several)"
    )

    diff = verb(verbs, "diff-register", _diff_register, "show where ledger and register differ", config=True)
    diff.add_argument("--desk", metavar="NAME", help="which desk's (needed where there are several)")
    diff.add_argument("--values", action="store_true", help="show what stands in either; it may be personal")

    rebuild = verb(
        verbs, "rebuild-register", _rebuild_register, "write the register afresh from the ledger", config=True
    )
    rebuild.add_argument("--desk", metavar="NAME", help="which desk's (needed where there are several)")
    rebuild.add_argument("--yes", action="store_true", help="do it without asking")

    trust = verb(
        verbs, "trust-register", _trust_register, "take a register that was mistrusted as it is", config=True
    )
    trust.add_argument("--desk", metavar="NAME", help="only this desk's (default: all)")

    adopt = verb(verbs, "adopt", _adopt, "take over an existing spreadsheet as the register", config=True)
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


def _register(told: argparse.Namespace) -> int:
    from agent.bootstrap import at_work

    quietly()
    with at_work(settings_of(told, for_work=True)) as agent:
        told.to.write_bytes(the_desk(agent.desks, told.desk).register.copy())
    print(f"Saved to {told.to}.")
    return 0


def _diff_register(told: argparse.Namespace) -> int:
    from agent.bootstrap import at_work, wall_clock
    from agent.verbs.register_diff import register_diff

    quietly()
    with at_work(settings_of(told, for_work=True)) as agent:
        desk = the_desk(agent.desks, told.desk)
        lines = list(register_diff(desk, wall_clock(), values=told.values))
    print_all(lines or [f"{desk.name}: ledger and register say the same."])
    return int(bool(lines))


def _rebuild_register(told: argparse.Namespace) -> int:
    from agent.bookkeeping import rebuild
    from agent.bootstrap import wall_clock

    quietly()
    with desk_to_ourselves(told) as desk:
        print(_REBUILD.format(desk=desk.name))
        if not told.yes and not says_yes():
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


def _trust_register(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.trusting import trust_register

    quietly()
    for line in trust_register(settings_of(told), wall_clock(), desk=told.desk):
        print(line)
    return 0


def _adopt(told: argparse.Namespace) -> int:
    from agent.bootstrap import wall_clock
    from agent.verbs.adopt import adopt, look_at, shown

    quietly()
    with desk_to_ourselves(told) as desk:
        now = wall_clock()
        adoption = look_at(desk, told.file, dict(told.map), now)
        print_all(shown(adoption))
        if not told.yes and not says_yes():
            print("Nothing was done.")
            return 1
        print(f"Done: {adopt(desk, adoption, now)} rows became alerts.")
    return 0


def _mapped(text: str) -> tuple[str, str]:
    heading, equals, name = text.rpartition("=")
    if not (heading.strip() and equals and name.strip()):
        raise argparse.ArgumentTypeError(f'{text} is no pair; write it as "Their heading=field"')
    return heading.strip(), name.strip()
