"""The embedded Microsoft 365 as a server: HTTPS on loopback, in a thread of its own, until told to stop."""

from __future__ import annotations

import asyncio
import secrets
import socket
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType

import trustme
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.sandbox.app import sandbox_app
from agent.sandbox.clock import SandboxClock
from agent.sandbox.gate import Gate
from agent.sandbox.sign_in import AppRegistration
from agent.sandbox.tenant import Tenant


class Sandbox:
    """A tenant and its server; as a context manager it runs inside the block.

    `start` puts the clock, which stands still unless `ticking`; without `start` it is the real time and
    ticks. Files (CA, certificate) go to `work_dir`, or to a temporary folder that goes away at the end.
    """

    def __init__(
        self,
        start: datetime | None = None,
        domains: Sequence[str] = ("sandbox.example",),
        work_dir: Path | None = None,
        throttle: bool = True,
        control: bool = True,
        ticking: bool = False,
        port: int = 0,
    ) -> None:
        self.tenant = Tenant(SandboxClock(start, ticking or start is None), domains, throttle)
        self._temporary = tempfile.TemporaryDirectory(prefix="n2k-sandbox-") if work_dir is None else None
        self._dir = Path(self._temporary.name) if self._temporary else Path(str(work_dir))
        self._dir.mkdir(parents=True, exist_ok=True)
        self._register_app()
        self.control_token = secrets.token_urlsafe(32) if control else ""
        self._gate = sandbox_app(self.tenant, self.control_token or None)
        self._port = port
        self._server: _Server | None = None

    def _register_app(self) -> None:
        key_and_certificate, certificate = _credential()
        self.client_secret = secrets.token_urlsafe(30)
        self.client_id = self.tenant.mint.guid()
        self.certificate_file = self._dir / "agent.pem"
        _write_private(self.certificate_file, key_and_certificate)
        self.app = AppRegistration(
            self.client_id, secrets={self.client_secret: None}, certificates=[certificate]
        )
        self.tenant.apps[self.client_id] = self.app

    @property
    def tenant_id(self) -> str:
        return self.tenant.id

    @property
    def control_url(self) -> str:
        return f"{self.base_url}/control"

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Serve, and return when the first request would be answered."""
        authority = trustme.CA(organization_name="Need to Know sandbox (throw-away)")
        self.ca_file = self._dir / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        leaf = authority.issue_cert("127.0.0.1", "localhost")
        server_file = self._dir / "server.pem"
        _write_private(server_file, leaf.private_key_and_cert_chain_pem.bytes())
        listening = _listening(self._port)
        self.base_url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(
            self._gate,
            http=_Protocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            log_level="warning",
            ssl_certfile=server_file,
            timeout_keep_alive=600,
            timeout_graceful_shutdown=2,
        )
        config.load()
        self._server = _Server(config, self._gate)
        # the socket listens already: whoever connects before the thread accepts simply waits
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="n2k sandbox", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; requests under way are cut. What the tenant holds can still be read."""
        if self._server is not None:
            self._server.stop()
            self._thread.join()
            self._server = None
        if self._temporary is not None:
            self._temporary.cleanup()


class _Protocol(H11Protocol):
    """HTTP as uvicorn speaks it, able to cut a connection; at the end none is waited for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": transport.abort}

    def shutdown(self) -> None:
        self.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn that stops at once when told, and ends what the gate still delays."""

    def __init__(self, config: uvicorn.Config, gate: Gate) -> None:
        super().__init__(config)
        self._gate = gate
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """To be called from another thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._gate.stop_waiting()
        await super().shutdown(sockets)


def _listening(port: int) -> socket.socket:
    """Loopback only. TCP is named, as else asyncio leaves Nagle's delay on: 40 ms for each answer."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


@cache
def _credential() -> tuple[bytes, x509.Certificate]:
    """The application's private key with its certificate as PEM, made once for this process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Need to Know agent (sandbox)")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM), certificate


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
