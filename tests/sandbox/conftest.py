"""Sandboxes for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.sandbox.server import Sandbox
from tests.sandbox.mail_world import Asker, world


@pytest.fixture
def pair() -> Iterator[tuple[Sandbox, Asker]]:
    with world() as both:
        yield both


@pytest.fixture
def sandbox(pair: tuple[Sandbox, Asker]) -> Sandbox:
    return pair[0]


@pytest.fixture
def ask(pair: tuple[Sandbox, Asker]) -> Asker:
    return pair[1]
