"""Signing in: what the agent proves itself with, and tokens that run out, are revoked or are refused."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
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

from agent import errors
from agent.m365.graph import Graph, open_graph
from agent.m365.sign_in import credential_of
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


def test_a_discovery_that_failed_is_tried_again_with_the_next_request(graph: Graph, wire: Wire) -> None:
    wire.discovery_answers = [Answer(503, {})]
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
        "": "give `tenant.certificate`",
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
    tenant: Tenant, wrong: dict[str, str], key: str
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
