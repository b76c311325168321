"""What runs inside the process that reads strangers' documents, and the pipe to it.

It loads as little as it can: its start is what the first document waits for.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Sequence
from typing import IO

from agent.forms.definition import FormDefinition
from agent.forms.labelled import Labelled
from agent.forms.limits import Limits, confine, renew
from agent.forms.read import read, read_units
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.rules import Category

Pipe = IO[bytes]
Told = tuple[tuple[FormDefinition, ...], tuple[Category, ...]]
Answer = Reading | tuple[Labelled, ...] | Unreadable

READING, UNITS, UNREADABLE = b"reading", b"units", b"unreadable"  # the first line of an answer


def main() -> None:
    """Serve documents until the pipe is closed."""
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    limits: Limits = pickle.loads(receive(source))  # noqa: S301 - from the agent itself, never from outside
    confine(limits)
    send(target, b"ready")
    definitions: Sequence[FormDefinition] = ()
    categories: Sequence[Category] = ()
    while message := receive(source):
        asked = pickle.loads(message)  # noqa: S301 - from the agent itself, never from outside
        if isinstance(asked[0], tuple):
            definitions, categories = asked
            continue
        content, name, seconds, is_form = asked
        renew(seconds)
        found = read(content, name, definitions, categories) if is_form else read_units(content, name)
        send(target, _answer(found))


def _answer(found: Answer) -> bytes:
    kind = UNITS if isinstance(found, tuple) else READING if isinstance(found, Reading) else UNREADABLE
    return kind + b"\n" + json.dumps(found, default=vars).encode()


# --- the pipe: a length, then as many bytes ------------------------------------------------------


def send(pipe: Pipe, message: bytes) -> None:
    pipe.write(len(message).to_bytes(8, "big"))
    pipe.write(message)
    pipe.flush()


def receive(pipe: Pipe) -> bytes:
    """The next message; b"" when the other end is gone."""
    size = pipe.read(8)
    if len(size) < 8:
        return b""
    length = int.from_bytes(size, "big")
    message = pipe.read(length)
    return message if len(message) == length else b""


if __name__ == "__main__":
    main()
