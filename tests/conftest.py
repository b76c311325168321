"""For every test: no example is timed, as a busy machine must not fail one. And a log to borrow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def own_log() -> Iterator[None]:
    """For tests that call the command: it sets up logging for its process, and here others share it."""
    yield
    structlog.reset_defaults()
