"""Signing in: real MSAL against the sandbox's token endpoint, and everything it must refuse."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from agent.sandbox.server import Sandbox
from agent.sandbox.sign_in import ASSERTION
from tests.sandbox.mail_world import ALICE, N2K, SCOPE, Asker, signed_in

SEPARATOR = "-----BEGIN CERTIFICATE-----"


def certificate_parts(sandbox: Sandbox) -> tuple[str, str]:
    key, _, certificate = sandbox.certificate_file.read_text().partition(SEPARATOR)
    return key, SEPARATOR + certificate


def test_msal_signs_in_with_the_secret(sandbox: Sandbox, ask: Asker) -> None:
    answer = signed_in(sandbox, sandbox.client_secret, ask.http)
    assert answer["token_type"] == "Bearer"
    assert ask("GET", "/messages", headers={"Authorization": f"Bearer {answer['access_token']}"}).ok


def test_msal_signs_in_with_the_certificate_in_its_new_and_its_old_form(sandbox: Sandbox, ask: Asker) -> None:
    key, certificate = certificate_parts(sandbox)
    old_thumbprint = x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA1()).hex()
    for credential in (
        {"private_key": key, "public_certificate": certificate},  # PS256, x5t#S256
        {"private_key": key, "thumbprint": old_thumbprint},  # RS256, x5t
    ):
        assert "access_token" in signed_in(sandbox, credential, ask.http)


def test_a_wrong_secret_and_a_strange_certificate_are_refused_as_entra_does(
    sandbox: Sandbox, ask: Asker
) -> None:
    wrong = signed_in(sandbox, "not the secret", ask.http)
    assert (wrong["error"], wrong["error_codes"]) == ("invalid_client", [7000215])
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused = token_answer(sandbox, ask.http, client_assertion=assertion(sandbox, key=stranger))
    assert refused.json()["error_codes"] == [700027]


def token_answer(sandbox: Sandbox, http: requests.Session, **form: str) -> requests.Response:
    told = {
        "grant_type": "client_credentials",
        "client_id": sandbox.client_id,
        "scope": SCOPE[0],
        "client_assertion_type": ASSERTION,
        **form,
    }
    return http.post(f"{sandbox.base_url}/{sandbox.tenant_id}/oauth2/v2.0/token", data=told, timeout=20)


def assertion(
    sandbox: Sandbox, key: Any = None, left_out: str = "", header: Any = None, **claims: Any
) -> str:
    pem, certificate = certificate_parts(sandbox)
    fingerprint = x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA256())
    thumbprint = base64.urlsafe_b64encode(fingerprint).decode().rstrip("=")
    now = int(time.time())
    told = {
        "iss": sandbox.client_id,
        "sub": sandbox.client_id,
        "aud": f"{sandbox.base_url}/{sandbox.tenant_id}/oauth2/v2.0/token",
        "nbf": now,
        "exp": now + 600,
        "jti": str(uuid.uuid4()),
        **claims,
    }
    told.pop(left_out, None)
    private: Any = key or load_pem_private_key(pem.encode(), None)
    return jwt.encode(told, private, "PS256", headers=header or {"x5t#S256": thumbprint})


@pytest.mark.parametrize(
    ("number", "changed"),
    [
        (700023, {"aud": "https://elsewhere.example/token"}),
        (700021, {"iss": "somebody-else"}),
        (700024, {"exp": 1_500_000_000, "nbf": 1_499_999_000}),
        (50027, {"left_out": "jti"}),
        (700027, {"header": {"x5t#S256": "bm90IHJlZ2lzdGVyZWQ"}}),
    ],
)
def test_a_well_signed_assertion_that_says_the_wrong_thing_is_refused(
    sandbox: Sandbox, ask: Asker, number: int, changed: dict[str, Any]
) -> None:
    assert token_answer(sandbox, ask.http, client_assertion=assertion(sandbox)).ok
    refused = token_answer(sandbox, ask.http, client_assertion=assertion(sandbox, **changed))
    assert refused.status_code == 401
    assert refused.json()["error_codes"] == [number]
    assert refused.json()["error_description"].startswith(f"AADSTS{number}: ")


@pytest.mark.parametrize(
    ("number", "form"),
    [
        (900144, {"scope": ""}),
        (1002012, {"scope": "https://graph.microsoft.com/Mail.Read"}),
        (70003, {"grant_type": "password"}),
        (700016, {"client_id": "00000000-0000-0000-0000-000000000009"}),
        (7000218, {}),
    ],
)
def test_a_request_that_lacks_something_is_told_what(
    sandbox: Sandbox, ask: Asker, number: int, form: dict[str, str]
) -> None:
    refused = token_answer(sandbox, ask.http, **form)
    assert refused.json()["error_codes"] == [number]


def test_an_expired_secret_and_an_unknown_tenant_are_named(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.app.secrets["old"] = datetime.now(UTC) - timedelta(days=1)
    assert token_answer(sandbox, ask.http, client_secret="old").json()["error_codes"] == [7000222]
    elsewhere = f"{sandbox.base_url}/other.example/v2.0/.well-known/openid-configuration"
    assert ask.http.get(elsewhere, timeout=20).json()["error_codes"] == [90002]


def test_a_token_expires_in_real_time_and_can_be_revoked(sandbox: Sandbox, ask: Asker) -> None:
    sandbox.tenant.token_lifetime = 0.2
    ask.http.headers["Authorization"] = f"Bearer {sandbox.tenant.sign_in.issue(sandbox.app)}"
    assert ask("GET", "/messages").ok
    time.sleep(0.25)
    expired = ask("GET", "/messages")
    assert ask.error(expired) == (401, "InvalidAuthenticationToken")
    assert "expired" in expired.json()["error"]["message"]
    sandbox.tenant.token_lifetime = 3599
    ask.http.headers["Authorization"] = f"Bearer {sandbox.tenant.sign_in.issue(sandbox.app)}"
    sandbox.tenant.revoke_tokens()
    assert "Revocation" in ask("GET", "/messages").json()["error"]["message"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic abc", "Bearer a.b.c"])
def test_without_a_good_token_nothing_is_told(ask: Asker, authorization: str) -> None:
    assert ask.error(ask("GET", "/messages", headers={"Authorization": authorization})) == (
        401,
        "InvalidAuthenticationToken",
    )


def test_a_mailbox_outside_the_scope_is_closed_and_a_leftover_entra_permission_opens_it(
    sandbox: Sandbox, ask: Asker
) -> None:
    colleague = Asker(sandbox, ALICE)
    with colleague.http:
        assert colleague.error(colleague("GET", "/mailFolders/inbox")) == (403, "ErrorAccessDenied")
        sandbox.app.entra_permissions.add("Mail.ReadWrite")
        assert colleague("GET", "/mailFolders/inbox").ok
    assert ask("GET", "/mailFolders/inbox").ok


@pytest.mark.parametrize(
    ("permission", "attempt"),
    [
        ("Mail.ReadWrite", lambda ask: ask("GET", "/messages")),
        ("Mail.ReadWrite", lambda ask: ask.post("/messages", {"subject": "x"})),
        ("Mail.Send", lambda ask: ask.post("/sendMail", {"message": {"subject": "x"}})),
        ("MailboxSettings.Read", lambda ask: ask("GET", "/mailboxSettings")),
    ],
)
def test_each_operation_needs_its_permission(
    sandbox: Sandbox, ask: Asker, permission: str, attempt: Callable[[Asker], requests.Response]
) -> None:
    sandbox.app.exchange_roles.discard(permission)
    assert ask.error(attempt(ask)) == (403, "ErrorAccessDenied")


def test_an_address_that_nobody_has_is_an_invalid_user(sandbox: Sandbox) -> None:
    nobody = Asker(sandbox, "nobody@nctrust.example")
    with nobody.http:
        assert nobody.error(nobody("GET", "/messages")) == (404, "ErrorInvalidUser")


def test_the_token_names_entra_permissions_only(sandbox: Sandbox) -> None:
    """Exchange roles stand in no token, so whoever checks a token's roles learns nothing of them."""
    claims = jwt.decode(sandbox.tenant.sign_in.issue(sandbox.app), options={"verify_signature": False})
    assert claims["roles"] == ["Sites.Selected"]
    assert claims["tid"] == sandbox.tenant_id


def test_the_log_keeps_no_token_and_no_secret(sandbox: Sandbox, ask: Asker) -> None:
    token = signed_in(sandbox, sandbox.client_secret, ask.http)["access_token"]
    ask("GET", "/messages", headers={"Authorization": f"Bearer {token}"})
    kept = repr([vars(entry) for entry in sandbox.tenant.log.entries])
    assert N2K in kept
    assert token not in kept
    assert sandbox.client_secret not in kept
