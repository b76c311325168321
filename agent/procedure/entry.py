"""One line of the ledger: something happened to an alert, when, and from which source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.procedure.words import Happened, Json


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines are only ever added.

    `at` is when it happened (aware, UTC). `source` says what it was read from: an Internet-Message-ID,
    `register`, or a letter's key. `facts` hold nothing personal: dates, codes, references.
    `content` holds what is personal (names, addresses, narrative); the ledger keeps it apart, so that
    it can be erased, and it is None once it was. `seq` is given by the ledger, 0 before that.
    """

    happened: Happened
    alert: str | None
    at: datetime
    source: str
    facts: Mapping[str, Json] = field(default_factory=dict)
    content: Mapping[str, Json] | None = field(default_factory=dict, repr=False)
    seq: int = 0
