"""Signing in: what the agent proves itself with, and tokens that run out, are revoked or are refused."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from msal import TokenCache

from agent import errors
from agent.m365.credential import credential_of
from agent.m365.graph import Graph, open_graph
from agent.m365.sign_in import open_sign_in
from agent.settings import Tenant
from tests.m365.wire import CLIENT, MAILBOX, SECRET, TENANT_ID, Answer, Wire, refusal

INBOX = f"/users/{MAILBOX}/mailFolders/inbox"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def certificate_for(key: Key, name: str = "agent") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2026, 1, 5, tzinfo=UTC)
    builder = x509.CertificateBuilder(
        subject, subject, key.public_key(), 1, start, start + timedelta(days=3650)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def pem(key: Key, password: bytes = b"") -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def by_certificate(tenant: Tenant, key: rsa.RSAPrivateKey, tmp_path: Path) -> Tenant:
    """A PEM file with a whole chain, our own certificate not the first."""
    other = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "agent.pem"
    path.write_bytes(certificate_for(other, "issuer") + pem(key) + certificate_for(key))
    return replace(tenant, certificate=str(path), secret_from="")


@pytest.fixture
def opened(by_certificate: Tenant) -> Iterator[Graph]:
    graph = open_graph(by_certificate, threading.Event())
    yield graph
    graph.close()


def test_a_secret_is_sent_to_the_token_endpoint_and_nowhere_else(graph: Graph, wire: Wire) -> None:
    graph.get_json(INBOX)

    assert [form["client_secret"] for form in wire.token_requests] == [SECRET]
    assert wire.token_requests[0]["scope"] == "https://graph.microsoft.com/.default"
    assert SECRET not in str(wire.requests)


def test_a_certificate_signs_with_sha_256_and_its_key_stays_here(
    opened: Graph, wire: Wire, key: rsa.RSAPrivateKey
) -> None:
    opened.get_json(INBOX)

    assertion = wire.token_requests[0]["client_assertion"]
    header = jwt.get_unverified_header(assertion)
    told = jwt.decode(
        assertion,
        key.public_key(),
        algorithms=["PS256"],
        audience=f"{wire.base}/{TENANT_ID}/oauth2/v2.0/token",
    )
    assert header["alg"] == "PS256"
    assert "x5t#S256" in header
    assert "x5t" not in header
    assert told["sub"] == CLIENT


def test_one_token_serves_many_requests(graph: Graph, wire: Wire) -> None:
    for _ in range(5):
        graph.get_json(INBOX)

    assert len(wire.token_requests) == 1


def test_sixteen_threads_that_find_no_token_ask_for_one(graph: Graph, wire: Wire) -> None:
    together = threading.Barrier(16)

    def ask() -> None:
        together.wait()
        graph.get_json(INBOX)

    in_threads(ask)

    assert (len(wire.token_requests), len(wire.requests)) == (1, 16)


def in_threads(work: object, number: int = 16) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]  # type: ignore[arg-type]  # a function
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_token_about_to_run_out_is_renewed_without_a_failed_request(graph: Graph, wire: Wire) -> None:
    """O365's own connection cannot do this: it stops for good when its first token has run out."""
    wire.token_life = 2

    for _ in range(3):
        graph.get_json(INBOX)

    assert [seen.token for seen in wire.requests] == ["token-number-1", "token-number-2", "token-number-3"]


def test_a_revoked_token_is_replaced_and_the_request_put_again(graph: Graph, wire: Wire) -> None:
    """401 means that nothing was done, so this holds for a send, too."""
    graph.get_json(INBOX)
    wire.revoked.add("token-number-1")
    wire.say(Answer(202, b""))

    graph.post_once(f"/users/{MAILBOX}/messages/AAMk1/send")

    assert [seen.token for seen in wire.requests] == ["token-number-1", "token-number-1", "token-number-2"]


def test_a_revoked_token_is_replaced_once_for_all_threads_that_used_it(graph: Graph, wire: Wire) -> None:
    graph.get_json(INBOX)
    wire.revoked.add("token-number-1")

    in_threads(lambda: graph.get_json(INBOX))

    assert len(wire.token_requests) == 2


def test_an_app_that_may_not_is_told_so_after_one_new_token(graph: Graph, wire: Wire) -> None:
    wire.say(*[refusal(401, "InvalidAuthenticationToken")] * 9)

    with pytest.raises(errors.NotAllowed):
        graph.get_json(INBOX)

    assert (len(wire.requests), len(wire.token_requests)) == (2, 2)


def aadsts(number: int, status: int = 401, error: str = "invalid_client") -> Answer:
    return Answer(status, {"error": error, "error_description": f"AADSTS{number}: A sentence. Trace ID: 1"})


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        (aadsts(7000215), r"the secret in env:N2K_TEST_SECRET is not right.*value, not its id"),
        (aadsts(7000222), "has expired"),
        (aadsts(700016, 400, "unauthorized_client"), f"the app {CLIENT}.*not known in the tenant"),
        (aadsts(7000229), "consent"),
        (aadsts(53003), "Conditional Access"),
        (aadsts(99999), r"check the app registration.*AADSTS99999"),
    ],
)
def test_entras_refusals_are_sentences_with_a_remedy(
    graph: Graph, wire: Wire, answer: Answer, remedy: str
) -> None:
    wire.token_answers = [answer]

    with pytest.raises(errors.NotAllowed, match=remedy) as raised:
        graph.get_json(INBOX)

    assert SECRET not in str(raised.value)
    assert wire.requests == []


def test_a_certificate_that_entra_does_not_take_is_named_with_its_last_day(
    opened: Graph, wire: Wire, by_certificate: Tenant
) -> None:
    wire.token_answers = [aadsts(700027)]

    with pytest.raises(errors.NotAllowed) as raised:
        opened.get_json(INBOX)

    assert f"{by_certificate.certificate} (valid until 03 Jan 2036)" in str(raised.value)


def test_a_tenant_that_does_not_exist_is_named(wire: Wire, tenant: Tenant) -> None:
    wire.discovery_answers = [aadsts(90002, 400, "invalid_tenant")]
    graph = open_graph(tenant, threading.Event())

    with pytest.raises(errors.NotAllowed, match=f"there is no tenant {tenant.id}"):
        graph.get_json(INBOX)
    graph.close()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, b"<html>busy</html>", {"Content-Type": "text/html"}),
        Answer(200, b"<html>Please sign in</html>", {"Content-Type": "text/html"}),
        Answer(then="drop"),
        Answer(then="garbage"),
        aadsts(90033, 400, "temporarily_unavailable"),
    ],
)
def test_an_entra_that_cannot_be_asked_is_a_matter_of_time(graph: Graph, wire: Wire, answer: Answer) -> None:
    """Nothing was sent to Graph, so even a send is in no doubt."""
    wire.token_answers = [answer, answer]

    with pytest.raises(errors.TryAgainLater) as raised:
        graph.post_once(f"/users/{MAILBOX}/messages/AAMk1/send")

    assert type(raised.value) is errors.TryAgainLater
    assert wire.requests == []


@pytest.mark.parametrize("status", [408, 429, 503])
def test_a_discovery_that_failed_is_tried_again_with_the_next_request(
    graph: Graph, wire: Wire, status: int
) -> None:
    wire.discovery_answers = [Answer(status, {})]
    with pytest.raises(errors.TryAgainLater):
        graph.get_json(INBOX)

    assert graph.get_json(INBOX) == {}


def test_no_token_secret_or_mail_is_ever_logged_however_much_is_asked_for(
    graph: Graph, wire: Wire, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything at DEBUG, O365 too: its own connection would write the token and the mail into the log."""
    for name in ("", "O365", "O365.connection", "msal", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    wire.say(refusal(401, "InvalidAuthenticationToken"), refusal(500, "UnknownError"))

    graph.get_json(INBOX)
    graph.post_json(f"/users/{MAILBOX}/messages", {"subject": "a sentence about a child"})

    logged = caplog.text + "".join(capsys.readouterr())
    assert "graph.waits" in logged
    assert "urllib3" in logged
    assert [word for word in ("token-number", SECRET, "about a child") if word in logged] == []


def test_certificates_named_for_other_programs_do_not_stand_in_the_way(
    tenant: Tenant, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """requests lets these variables overrule a session's own certificates."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing.pem"))
    graph = open_graph(tenant, threading.Event())

    assert graph.get_json(INBOX) == {}
    graph.close()


def test_a_netrc_file_does_not_replace_the_token(
    graph: Graph, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))

    graph.get_json(INBOX)

    assert wire.requests[0].token == "token-number-1"


def test_a_server_whose_certificate_nobody_vouches_for_is_told_as_such(tenant: Tenant, wire: Wire) -> None:
    graph = open_graph(replace(tenant, ca_file=""), threading.Event())

    with pytest.raises(errors.TryAgainLater, match=r"`tenant\.ca_file`"):
        graph.get_json(INBOX)
    graph.close()
    assert wire.token_requests == []


def test_credentials_that_cannot_be_had_are_named_with_their_remedy(
    tenant: Tenant, key: rsa.RSAPrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found at the start, before anything is asked of the network."""
    monkeypatch.setenv("N2K_EMPTY", " ")
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    curve = ec.generate_private_key(ec.SECP256R1())
    files = {
        "encrypted.pem": pem(key, b"pw") + certificate_for(key),
        "key-only.pem": pem(key),
        "certificate-only.pem": certificate_for(key),
        "stranger.pem": pem(key) + certificate_for(other),
        "curve.pem": pem(curve) + certificate_for(curve),
        "binary.pem": b"\xff\xfe\x00",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    wanted = {
        "encrypted.pem": "protected by a password",
        "key-only.pem": "must hold a private key and its certificate",
        "certificate-only.pem": "must hold a private key and its certificate",
        "stranger.pem": "does not belong to the certificate",
        "curve.pem": "RSA keys only",
        "binary.pem": "not a text file",
        "missing.pem": "No such file.*Check the path",
    }
    for name, sentence in wanted.items():
        with pytest.raises(errors.BadConfiguration, match=f"{name}.*{sentence}"):
            credential_of(replace(tenant, certificate=str(tmp_path / name)))
    for told, sentence in {
        "env:N2K_NOBODY_SET_THIS": "holds no secret",
        "env:N2K_EMPTY": "holds no secret",
        f"file:{tmp_path / 'missing'}": "cannot be read",
        "the-secret-itself": '"env:NAME" or "file:PATH"',
        "": "Give `tenant.certificate`",
    }.items():
        with pytest.raises(errors.BadConfiguration, match=sentence):
            credential_of(replace(tenant, secret_from=told))


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"graph": "graph.microsoft.com"}, "graph"),
        ({"graph": "http://graph.microsoft.com"}, "graph"),
        ({"authority": "https://"}, "authority"),
        ({"ca_file": "nowhere.pem"}, "ca_file"),
        ({"ca_file": __file__}, "ca_file"),
    ],
)
def test_an_address_or_ca_file_that_cannot_be_used_is_named(
    tenant: Tenant, wrong: dict[str, Any], key: str
) -> None:
    with pytest.raises(errors.BadConfiguration, match=f"`tenant.{key}`"):
        open_graph(replace(tenant, **wrong), threading.Event())


def test_a_ca_bundle_that_went_away_is_told(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
    graph = open_graph(replace(tenant, ca_file=""), threading.Event())

    with pytest.raises(errors.TryAgainLater):
        graph.get_json(INBOX)
    graph.close()


def test_a_secret_file_may_end_in_a_new_line(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")

    assert credential_of(replace(tenant, secret_from=f"file:{tmp_path / 'secret'}")).for_msal == SECRET


def test_a_credential_never_shows_itself(by_certificate: Tenant, tenant: Tenant) -> None:
    assert "PRIVATE KEY" not in repr(credential_of(by_certificate))
    assert SECRET not in repr(credential_of(tenant))


# workload identity federation: the platform's token instead of a credential of ours


@pytest.fixture
def federated(tenant: Tenant, tmp_path: Path) -> Tenant:
    path = tmp_path / "token"
    path.write_text("the.first.token\n")
    return replace(tenant, secret_from="", assertion_file=str(path))


def test_the_platforms_token_is_read_afresh_for_each_sign_in(federated: Tenant, wire: Wire) -> None:
    """Kubernetes replaces the file long before its token runs out."""
    graph = open_graph(federated, threading.Event())
    wire.token_life = 2

    graph.get_json(INBOX)
    Path(federated.assertion_file).write_text("the.second.token")
    graph.get_json(INBOX)
    graph.close()

    assert [form["client_assertion"] for form in wire.token_requests] == [
        "the.first.token",
        "the.second.token",
    ]
    assert {form["client_assertion_type"] for form in wire.token_requests} == {
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    }


@pytest.mark.parametrize(
    ("content", "sentence"), [("not a token", "holds no token"), (None, "cannot be read: No such file")]
)
def test_a_platforms_token_that_is_not_there_is_named(
    federated: Tenant, wire: Wire, content: str | None, sentence: str
) -> None:
    """At the start, and when it goes away later."""
    graph = open_graph(federated, threading.Event())
    path = Path(federated.assertion_file)
    path.unlink() if content is None else path.write_text(content)

    with pytest.raises(errors.BadConfiguration, match=rf"`tenant\.assertion_file`.*{sentence}"):
        credential_of(federated)
    with pytest.raises(errors.NeedsAPerson, match=sentence):
        graph.get_json(INBOX)
    graph.close()
    assert wire.token_requests == []


def test_a_platform_that_the_app_does_not_trust_is_told_with_its_remedy(
    federated: Tenant, wire: Wire
) -> None:
    wire.token_answers = [aadsts(700213)]
    graph = open_graph(federated, threading.Event())

    with pytest.raises(errors.NotAllowed, match=r"trusts no subject.*Correct its federated credential"):
        graph.get_json(INBOX)
    graph.close()


# managed identity: Azure's own, asked of the machine's surroundings

MACHINE = "http://169.254.169.254/metadata/identity/oauth2/token"
CONTAINER = "http://localhost:42356/msi/token"


@pytest.fixture
def in_azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[responses.RequestsMock]:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "IMDS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with responses.RequestsMock() as azure:
        yield azure


def managed(tenant: Tenant, kind: str = "system") -> Any:
    wanted: Any = replace(tenant, secret_from="", managed_identity=kind, ca_file="")  # type: ignore[arg-type]
    return open_sign_in(wanted, credential_of(wanted), "https://graph.microsoft.com/.default", TokenCache())


def test_a_virtual_machines_identity_is_asked_once_and_kept(
    tenant: Tenant, in_azure: responses.RequestsMock
) -> None:
    in_azure.get(MACHINE, json={"access_token": "one", "expires_in": "86000", "resource": "R"})
    sign_in = managed(tenant)

    assert [sign_in.token(), sign_in.token()] == ["one", "one"]
    (asked,) = in_azure.calls
    assert asked.request.headers["Metadata"] == "true"
    assert "resource=https%3A%2F%2Fgraph.microsoft.com" in str(asked.request.url)
    assert "client_id" not in str(asked.request.url)


def test_a_users_identity_is_asked_for_by_its_client_id(
    tenant: Tenant, in_azure: responses.RequestsMock
) -> None:
    in_azure.get(MACHINE, json={"access_token": "one", "expires_in": "86000", "resource": "R"})

    managed(tenant, "user").token()

    assert f"client_id={CLIENT}" in str(in_azure.calls[0].request.url)


def test_a_container_app_is_asked_at_its_own_address(
    tenant: Tenant, in_azure: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", CONTAINER)
    monkeypatch.setenv("IDENTITY_HEADER", "an-invented-header")
    in_azure.get(CONTAINER, json={"access_token": "one", "expires_on": "4102444800", "resource": "R"})

    assert managed(tenant).token() == "one"
    assert in_azure.calls[0].request.headers["X-IDENTITY-HEADER"] == "an-invented-header"


def test_a_managed_identitys_revoked_token_is_replaced(
    tenant: Tenant, in_azure: responses.RequestsMock
) -> None:
    for token in ("one", "two"):
        in_azure.get(MACHINE, json={"access_token": token, "expires_in": "86000", "resource": "R"})
    sign_in = managed(tenant)

    assert sign_in.replace(sign_in.token()) == "two"


def test_a_machine_without_an_identity_is_told_as_such(
    tenant: Tenant, in_azure: responses.RequestsMock
) -> None:
    in_azure.get(MACHINE, json={"error": "invalid_request", "error_description": "not found"}, status=400)

    with pytest.raises(errors.NotAllowed, match=r"managed identity of this machine.*switch the identity on"):
        managed(tenant).token()


def test_a_machine_that_is_not_in_azure_is_a_matter_of_time_and_says_what_to_look_at(
    tenant: Tenant, in_azure: responses.RequestsMock
) -> None:
    in_azure.get(MACHINE, body=ConnectionError())

    with pytest.raises(errors.TryAgainLater, match="Is this machine in Azure"):
        managed(tenant).token()


def test_a_token_for_the_machine_never_goes_through_a_proxy(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads along there could sign in as the agent."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")

    session = managed(tenant)._http

    assert session.merge_environment_settings(MACHINE, {}, None, None, None)["proxies"] == {}
