"""Faults on demand: what a request meets instead of, before or after being carried out.

A fault names the requests it waits for (method and a pattern found in the path) and what it does:

=============== =======================================================================================
status          answer with this HTTP status and Graph error, *before* or *after* carrying the request out
drop            cut the connection, before or after
hang            leave the connection open and never answer, before or after: whoever asked has to give up
web_page        answer with a web page (status 200), as a proxy or a sign-in portal does, before or after
delay           wait so many seconds first (inside the request's place in the concurrency limit)
retry_after     the Retry-After header; without `status` it is put on the answer that comes anyway
late_copy       the copy of the mail sent shows in Sent Items so many seconds (sandbox clock) later
=============== =======================================================================================

`nth` is the occurrence it waits for (1 is the next), `times` how often it strikes then (None: always).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from threading import Lock
from typing import Any, Literal

from pydantic import TypeAdapter

from agent.sandbox.answers import Refused

USUAL_ANSWERS: dict[int, tuple[str, str]] = {
    400: ("BadRequest", "The request is malformed."),
    401: ("InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
    403: ("ErrorAccessDenied", "Access is denied. Check credentials and try again."),
    404: ("ErrorItemNotFound", "The specified object was not found in the store."),
    409: ("ErrorIrresolvableConflict", "The send or update operation could not be performed."),
    410: ("SyncStateNotFound", "The sync state generation is not found; generation=149;[highest=157]."),
    412: ("ErrorIrresolvableConflict", "The change key passed in the request does not match."),
    423: ("resourceLocked", "The resource you are attempting to access is locked."),
    429: ("ApplicationThrottled", "Application is over its MailboxConcurrency limit."),
    500: ("ErrorInternalServerError", "An internal server error occurred. The operation failed."),
    502: ("BadGateway", "The server was acting as a gateway and received an invalid response."),
    503: ("ErrorServerBusy", "The server is busy. Please try again later."),
    504: ("UnknownError", "The gateway did not receive a response in time."),
}
_numbers = itertools.count(1)


@dataclass
class Fault:
    """One fault; see the module for what its fields do. `struck` counts how often it did."""

    method: str = ".*"
    path: str = ""
    nth: int = 1
    times: int | None = 1
    when: Literal["before", "after"] = "before"
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None
    drop: bool = False
    hang: bool = False
    web_page: bool = False
    delay: float = 0.0
    late_copy: float | None = None
    struck: int = 0
    seen: int = 0
    id: int = field(default_factory=lambda: next(_numbers))

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request meets the fault; it is counted."""
        if not re.fullmatch(self.method, method, re.IGNORECASE) or not re.search(self.path, path):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True

    @property
    def takes_its_place(self) -> bool:
        """Whether there is no proper answer because of this fault."""
        return bool(self.status or self.drop or self.hang or self.web_page)

    @property
    def answer(self) -> Refused | None:
        """The error to answer with, or None when this fault refuses nothing."""
        if self.status is None:
            return None
        code, message = USUAL_ANSWERS.get(self.status, ("UnknownError", "An error was ordered."))
        return Refused(self.status, self.code or code, self.message or message, self.retry_after)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Fault:
        """ValueError says what is wrong with the body."""
        known = {one.name for one in fields(cls)} - {"id", "seen", "struck"}
        if strangers := sorted(set(body) - known):
            has = ", ".join(sorted(known))
            raise ValueError(f"A fault has no field {', '.join(strangers)}; it has {has}.")
        fault = TypeAdapter(cls).validate_python(body)
        for pattern in (fault.method, fault.path):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is no regular expression: {error}.") from None
        return fault


@dataclass(frozen=True)
class Plan:
    """All that one request meets."""

    faults: tuple[Fault, ...] = ()

    def strike(self, when: Literal["before", "after"]) -> Fault | None:
        """The fault that takes the answer's place at this point."""
        return next((one for one in self.faults if one.when == when and one.takes_its_place), None)

    @property
    def delay(self) -> float:
        return sum(one.delay for one in self.faults)

    @property
    def late_copy(self) -> float | None:
        return next((one.late_copy for one in self.faults if one.late_copy is not None), None)

    @property
    def retry_after(self) -> float | None:
        told = (one.retry_after for one in self.faults if one.status is None)
        return next((seconds for seconds in told if seconds is not None), None)


class Faults:
    """The faults ordered. Any thread may add to them."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._faults))

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        with self._lock:
            self._faults.remove(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def plan(self, method: str, path: str) -> Plan:
        """What this request meets; each fault counts it once."""
        if not self._faults:
            return Plan()
        with self._lock:
            return Plan(tuple(one for one in self._faults if one.strikes(method, path)))
