"""O365's connection, made safe to send letters over.

O365 2.1.10 cannot renew an app-only token, may POST a mail four times after a TLS error, waits where
nothing can interrupt it, and logs bearer tokens and mail bodies at DEBUG. So its `Account` gets this
connection (`connection_constructor` is its own hook), whose requests never pass through O365's code.
"""

from __future__ import annotations

import json
import logging
import queue
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

import requests
from O365 import Account, MSGraphProtocol
from O365.connection import Connection
from O365.utils.token import MemoryTokenBackend

from agent import __version__
from agent.errors import BadConfiguration, NeedsAPerson, Stopping
from agent.log import logger
from agent.m365.answers import Asked, Repeat, Trouble, asked, trouble_on_the_way, trouble_with
from agent.m365.clouds import CLOUDS
from agent.m365.credential import credential_of
from agent.m365.session import CarefulSession
from agent.m365.sign_in import SignIn, open_sign_in

if TYPE_CHECKING:
    from agent.settings import Tenant

log = logger()

Watch = Callable[[str, str, str], None]

IN_FLIGHT = 4  # so many requests at once Exchange takes for a mailbox
OWNER = 4  # so many parts of a path say whose it is: "/v1.0/users/ADDRESS", "/v1.0/drives/ID"
TRIES = 5
PATIENCE = 60.0  # seconds that one request may spend waiting; then other work goes first
IMMUTABLE_IDS = 'IdType="ImmutableId"'  # a mail keeps its id when it is moved; must stand on every request

# where Microsoft 365 keeps files for download, beside Graph itself, in all its clouds
DOWNLOAD_HOSTS = (".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us", ".sharepoint.cn", ".svc.ms")


class GraphConnection(Connection):  # type: ignore[misc]  # O365 publishes no types
    """Every request of ours and of O365's classes comes through `oauth_request` or `naive_request`.

    Both raise our errors (see `answers`), repeat only what may be repeated, and obey Retry-After.
    """

    def __init__(
        self,
        credentials: tuple[str, Any],
        *,
        sign_in: SignIn,
        tenant: Tenant,
        stop: threading.Event,
        watch: Watch | None = None,
        **told: Any,
    ) -> None:
        super().__init__(credentials, request_retries=0, **told)
        self.sign_in = sign_in
        self._graph = origin(tenant.graph)
        self._stop = stop
        self._watch = watch or _nobody_watches
        self._ca_file = tenant.ca_file
        # A session serves one thread at a time: whoever finds none that is free makes one more.
        self._free: queue.LifoQueue[CarefulSession] = queue.LifoQueue()
        self._sessions: list[CarefulSession] = []
        # Each mailbox and each drive has its own, so that a slow one holds up no other.
        self._places: dict[tuple[str, ...], threading.Semaphore] = {}

    @property
    def msal_client(self) -> Any:
        return self.sign_in.app

    def oauth_request(
        self,
        url: str,
        method: str,
        *,
        repeat: Repeat | None = None,
        headers: Mapping[str, str] | None = None,
        **told: Any,
    ) -> requests.Response:
        """One request to Graph with our token; gives an answer below 400, redirects included.

        `repeat` is by default FREELY for GET and HEAD and IF_REFUSED for all else. The token goes to
        Graph's own origin only: NeedsAPerson for any other address.
        """
        if origin(url) != self._graph:
            raise foreign(url)
        request = asked(method, url, repeat)
        told, headers = _as_json(told, _ours(headers))
        return self._persevere(request, lambda: self._with_token(request, url, headers, told))

    def naive_request(
        self, url: str, method: str, *, headers: Mapping[str, str] | None = None, **told: Any
    ) -> requests.Response:
        """One request without our token, to a place where Microsoft 365 keeps files."""
        where = urlsplit(url)
        if where.scheme != "https" or not self._keeps_files(where):
            raise foreign(url)
        request = asked(method, url)
        return self._persevere(request, lambda: self._send(request, url, headers or {}, told))

    def wait(self, seconds: float) -> None:
        """Wait, unless the agent is stopping."""
        self._stop.wait(seconds)

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        self.sign_in.close()

    def _keeps_files(self, where: SplitResult) -> bool:
        return origin(where.geturl()) == self._graph or (where.hostname or "").endswith(DOWNLOAD_HOSTS)

    def _persevere(self, request: Asked, attempt: Callable[[], requests.Response]) -> requests.Response:
        """Try until it is answered, cannot be, or patience ends."""
        waited, number = 0.0, 0
        while True:
            number += 1
            outcome = self._outcome(request, attempt)
            if isinstance(outcome, requests.Response):
                return outcome
            pause = 2.0 ** (number - 1) if outcome.wait is None else outcome.wait
            waited += pause
            if number == TRIES or waited > PATIENCE or not outcome.may_repeat(request.repeat):
                raise outcome.error
            log.info("graph.waits", request=str(request), seconds=pause)
            self._stop.wait(pause)  # ends at once when the agent is stopping, as then does the next attempt

    def _outcome(
        self, request: Asked, attempt: Callable[[], requests.Response]
    ) -> requests.Response | Trouble:
        try:
            response = attempt()
        except OSError as wrong:  # requests' own errors are of this kind, too
            return trouble_on_the_way(wrong, request)
        return trouble_with(response, request) or response

    def _with_token(
        self, request: Asked, url: str, headers: Mapping[str, str], told: Mapping[str, Any]
    ) -> requests.Response:
        """A token refused (401) means that nothing was done; it is replaced once."""
        token = self.sign_in.token()
        response = self._send(request, url, {**headers, "Authorization": f"Bearer {token}"}, told)
        if response.status_code != 401:
            return response
        token = self.sign_in.replace(token)
        return self._send(request, url, {**headers, "Authorization": f"Bearer {token}"}, told)

    def _send(
        self, request: Asked, url: str, headers: Mapping[str, str], told: Mapping[str, Any]
    ) -> requests.Response:
        with self._place(url), self._session() as session:
            self._watch("before", request.method, request.path)
            response = session.request(request.method, url, headers=headers, **told)
            self._watch("after", request.method, request.path)
            return response

    @contextmanager
    def _place(self, url: str) -> Iterator[None]:
        """One of the places that there are for requests to this mailbox or drive."""
        where = urlsplit(url)
        owner = (where.netloc, *where.path.split("/")[:OWNER])
        places = self._places.setdefault(owner, threading.Semaphore(IN_FLIGHT))
        while not self._stop.is_set():
            if places.acquire(timeout=0.5):
                break
        else:
            raise Stopping("The agent is stopping.")
        try:
            yield
        finally:
            places.release()

    @contextmanager
    def _session(self) -> Iterator[CarefulSession]:
        try:
            session = self._free.get_nowait()
        except queue.Empty:
            session = CarefulSession(self._ca_file)
            self._sessions.append(session)
        try:
            yield session
        finally:
            self._free.put(session)


class GraphAccount(Account):  # type: ignore[misc]  # O365 publishes no types
    """O365's account over our connection."""

    connection_constructor = GraphConnection


def open_account(tenant: Tenant, stop: threading.Event, watch: Watch | None = None) -> GraphAccount:
    """O365's account for this tenant; nothing is asked of the network yet.

    BadConfiguration when an address is unusable, or the credential cannot be had.
    """
    _check(tenant)
    logging.getLogger("O365").setLevel(logging.WARNING)
    credential = credential_of(tenant)
    cache = MemoryTokenBackend()
    protocol = _protocol(tenant)
    sign_in = open_sign_in(tenant, credential, f"{protocol.protocol_scope_prefix}.default", cache)
    return GraphAccount(
        (tenant.client, credential.for_msal),
        auth_flow_type="credentials",
        tenant_id=tenant.id,
        protocol=protocol,
        token_backend=cache,
        verify_ssl=tenant.ca_file or True,
        sign_in=sign_in,
        tenant=tenant,
        stop=stop,
        watch=watch,
    )


def _check(tenant: Tenant) -> None:
    problems = [
        f"agent.toml: `tenant.{key}`: {told} is no address that starts with https://. Correct it."
        for key, told in (("graph", tenant.graph), ("authority", tenant.authority))
        if origin(told)[0] != "https" or not origin(told)[1]
    ]
    if tenant.ca_file:
        try:
            ssl.create_default_context(cafile=tenant.ca_file)
        except (OSError, ValueError):
            problems.append(
                f"agent.toml: `tenant.ca_file`: {tenant.ca_file} holds no certificates that can be read. "
                "Name a PEM file, or leave it empty."
            )
    if problems:
        raise BadConfiguration(problems)


def _protocol(tenant: Tenant) -> MSGraphProtocol:
    """O365's description of Graph, at the address that the configuration gives."""
    graph = tenant.graph.rstrip("/")
    # tokens are made out to a cloud; anywhere else (a sandbox) stands in for the worldwide one
    cloud = graph if graph in {one.graph for one in CLOUDS.values()} else CLOUDS["worldwide"].graph
    # O365 reads its addresses from the class
    here = type(
        "Here", (MSGraphProtocol,), {"_protocol_url": f"{graph}/", "_oauth_scope_prefix": f"{cloud}/"}
    )
    return here(timezone="UTC")


def foreign(url: str) -> NeedsAPerson:
    """The error for an address that is none of Microsoft 365's."""
    return NeedsAPerson(
        f"An answer leads to {urlsplit(url).hostname or 'no host'}, which is not Microsoft 365; it was not "
        "followed. Check `tenant.graph`, and whether a proxy rewrites answers."
    )


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: two addresses of the same origin belong to the same server."""
    where = urlsplit(url)
    try:
        port = where.port
    except ValueError:  # no number: then it is nobody's origin
        return "", "", None
    return where.scheme, where.hostname or "", port or {"https": 443, "http": 80}.get(where.scheme)


def _ours(headers: Mapping[str, str] | None) -> dict[str, str]:
    """The caller's headers with ours, in a fresh dict; preferences are joined."""
    told = {name.lower(): value for name, value in (headers or {}).items()}
    prefer = ", ".join(filter(None, (told.get("prefer"), IMMUTABLE_IDS)))
    return {"accept": "application/json", "user-agent": f"n2k/{__version__}", **told, "prefer": prefer}


def _as_json(told: Mapping[str, Any], headers: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """O365's way: `data` that is no bytes or text travels as JSON."""
    data = told.get("data")
    if data is None or isinstance(data, bytes | str):
        return dict(told), headers
    body = json.dumps(data, ensure_ascii=False).encode()
    return {**told, "data": body}, {**headers, "content-type": "application/json"}


def _nobody_watches(when: str, method: str, path: str) -> None:
    """The usual case: only a fault harness watches."""
