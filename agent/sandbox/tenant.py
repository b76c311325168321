"""The state of the embedded Microsoft 365: people's mailboxes, applications, files, time and trouble."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from agent.sandbox.answers import Refused
from agent.sandbox.clock import SandboxClock
from agent.sandbox.drive import Drives
from agent.sandbox.faults import Faults
from agent.sandbox.habits import Habits
from agent.sandbox.ids import Mint
from agent.sandbox.mailboxes import Mailbox
from agent.sandbox.request_log import Exchange, RequestLog
from agent.sandbox.sign_in import AppRegistration, SignIn
from agent.sandbox.stored import StoredMessage
from agent.sandbox.throttle import Throttle
from agent.sandbox.transport import OutsideMail, Transport

Hook = Callable[[Literal["before", "after"], Exchange], None]


class Tenant:
    """One tenant. Its methods may be called from any thread while the server runs.

    `on_request` hooks are called on the server's thread before each request is carried out and after it,
    when the answer is made but not yet sent; they watch, and must not raise.
    """

    def __init__(self, clock: SandboxClock, domains: Sequence[str], throttle: bool = True) -> None:
        self.clock = clock
        self.domains = {domain.lower() for domain in domains}
        self.name = next(iter(domains), "sandbox.example")
        self.lock = threading.RLock()
        self.mint = Mint(self.name)
        self.id = self.mint.guid()
        self.mailboxes: dict[str, Mailbox] = {}
        self.apps: dict[str, AppRegistration] = {}
        self.conversations: dict[str, bytes] = {}
        self.habits = Habits()
        self.faults = Faults()
        self.throttle = Throttle(throttle)
        self.log = RequestLog()
        self.on_request: list[Hook] = []
        self.sign_in = SignIn(self)
        self.transport = Transport(self)
        self.drives = Drives(self.clock)

    # People

    def add_mailbox(
        self, address: str, name: str = "", *, in_scope: bool = False, shared: bool = False
    ) -> Mailbox:
        """A new mailbox with the usual folders. `in_scope`: the application's Exchange roles reach it."""
        with self.lock:
            if address.lower() in self.mailboxes:
                raise ValueError(f"The sandbox has a mailbox {address} already.")
            mint = Mint(f"{self.name}/{address.lower()}")
            box = Mailbox(
                address,
                name,
                in_scope=in_scope,
                user_id=mint.guid(),
                clock=self.clock,
                mint=mint,
                lock=self.lock,
            )
            box.purpose = "shared" if shared else "user"
            self.mailboxes[box.address] = box
            return box

    def mailbox(self, address: str) -> Mailbox:
        """The mailbox of an address. KeyError when nobody has it."""
        found = self.mailboxes.get(address.lower())
        if found is None:
            raise KeyError(f"Nobody in the sandbox has the address {address}; add_mailbox makes one.")
        return found

    def mailbox_for(self, user: str) -> Mailbox:
        """The mailbox that a request names by address or user id."""
        wanted = user.lower()
        found = self.mailboxes.get(wanted)
        found = found or next((box for box in self.mailboxes.values() if box.user_id == wanted), None)
        if found is None:
            raise Refused(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.")
        return found

    # Mail

    def deliver(
        self,
        mime: bytes,
        to: Sequence[str],
        received_at: datetime | None = None,
        authentication: Literal["internal", "pass", "fail"] | None = None,
    ) -> list[StoredMessage]:
        """Put a MIME mail into the Inbox of each address, as the transport would; see Transport.deliver."""
        with self.lock:
            return self.transport.deliver(mime, to, received_at, authentication)

    @property
    def outside(self) -> list[OutsideMail]:
        """The mails that left for addresses outside the sandbox."""
        return self.transport.outside

    def settle(self) -> None:
        """Let everything that waits for the clock happen."""
        with self.lock:
            self.transport.settle()

    # Trouble

    @property
    def token_lifetime(self) -> float:
        """How long tokens given out from now on are good, in seconds of real time."""
        return self.sign_in.lifetime

    @token_lifetime.setter
    def token_lifetime(self, seconds: float) -> None:
        self.sign_in.lifetime = seconds

    def revoke_tokens(self) -> None:
        self.sign_in.revoke_all()

    def evict_delta_tokens(self) -> None:
        with self.lock:
            for box in self.mailboxes.values():
                box.delta_tokens.evict()
