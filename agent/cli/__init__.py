"""The `n2k` command: every verb calls one function. Nothing heavy is imported before a verb is chosen."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from agent import __version__
from agent.cli import letters, record, register, running, trying
from agent.errors import AgentError, BadConfiguration, WrongCall

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

    for group in (trying, running, letters, register, record):
        group.declare(verbs)
    return parser
