"""A scripted server for each test, and Graph opened on it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from agent.m365.graph import Graph, open_graph
from agent.settings import Tenant
from tests.m365.wire import CLIENT, SECRET, TENANT_ID, RecordedStop, Wire


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def tls(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def wire(tls: ssl.SSLContext) -> Iterator[Wire]:
    server = Wire(tls)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tenant(wire: Wire, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    monkeypatch.setenv("N2K_TEST_SECRET", SECRET)
    return Tenant(
        id=TENANT_ID,
        client=CLIENT,
        secret_from="env:N2K_TEST_SECRET",
        authority=wire.base,
        graph=wire.base,
        ca_file=str(ca_file),
    )


@pytest.fixture
def stop() -> RecordedStop:
    return RecordedStop()


@pytest.fixture
def graph(tenant: Tenant, stop: RecordedStop) -> Iterator[Graph]:
    graph = open_graph(tenant, stop)
    yield graph
    graph.close()
