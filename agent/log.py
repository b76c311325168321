"""Logging, set up once: one event per decision, with references and codes; never anything personal."""

from __future__ import annotations

import logging
import sys

import structlog

# These talk too much: O365 logs bearer tokens and mail bodies below WARNING, and MSAL whole answers with its
# errors, of which we tell in our own words.
_QUIET = {
    **dict.fromkeys(("O365", "urllib3", "apscheduler", "uvicorn", "alembic", "asyncio"), logging.WARNING),
    "msal": logging.CRITICAL,
}


def set_up(
    *, json: bool = False, level: int = logging.INFO, count: structlog.typing.Processor | None = None
) -> None:
    """Send every event to standard error, as JSON for machines or as plain lines for people.

    `count` sees each event on its way.
    """
    for name, loudest in _QUIET.items():
        logging.getLogger(name).setLevel(loudest)
    renderer = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([count] if count else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # wherever that leads by then
        cache_logger_on_first_use=False,
    )


def logger() -> structlog.typing.FilteringBoundLogger:
    """The logger of a module: `log = logger()`, then `log.info("posting.posted", letter=key)`."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return log
