"""Signing in to Microsoft Entra: the credential from its file or variable, and one token for all threads."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from msal import ConfidentialClientApplication, TokenCache
from msal.exceptions import MsalError

from agent.errors import AgentError, BadConfiguration, NotAllowed, TryAgainLater
from agent.m365.session import CarefulSession

if TYPE_CHECKING:
    from agent.settings import Tenant


@dataclass(frozen=True)
class Credential:
    """What proves who we are, in the form MSAL takes it, and how a sentence may call it.

    `until` is when a certificate runs out; None for a secret, which does not tell.
    """

    for_msal: str | dict[str, str] = field(repr=False)
    called: str
    until: datetime | None = None


def credential_of(tenant: Tenant) -> Credential:
    """The certificate or secret that the configuration names. BadConfiguration when it cannot be had."""
    if tenant.certificate:
        return _certificate(Path(tenant.certificate).expanduser())
    if tenant.secret_from:
        return Credential(_secret(tenant.secret_from), f"the secret in {tenant.secret_from}")
    raise BadConfiguration(["agent.toml: give `tenant.certificate` (preferred) or `tenant.secret_from`."])


def _certificate(path: Path) -> Credential:
    """A PEM file holding the private key and its certificate, perhaps among others of a chain.

    Given to MSAL without a thumbprint, so that it signs with PS256 and names the certificate by SHA-256.
    """
    pem = _read(path, "tenant.certificate").encode()
    try:
        key = load_pem_private_key(pem, password=None)
        certificates = x509.load_pem_x509_certificates(pem)
    except TypeError:  # cryptography's word for "a password is needed"
        raise _unusable(path, "its private key is protected by a password; store it without one") from None
    except ValueError:
        raise _unusable(path, "it must hold a private key and its certificate, both as PEM") from None
    if not isinstance(key, RSAPrivateKey):
        raise _unusable(path, "Microsoft Entra takes RSA keys only")
    own = next((one for one in certificates if one.public_key() == key.public_key()), None)
    if own is None:
        raise _unusable(path, "the private key in it does not belong to the certificate in it")
    private_key = _block(pem.decode(), "PRIVATE KEY")
    public_certificate = own.public_bytes(Encoding.PEM).decode()
    return Credential(
        {"private_key": private_key, "public_certificate": public_certificate},
        f"the certificate in {path} (valid until {own.not_valid_after_utc:%d %b %Y})",
        own.not_valid_after_utc,
    )


def _block(pem: str, label: str) -> str:
    found = re.search(rf"-----BEGIN ([A-Z ]*{label})-----.+?-----END \1-----", pem, re.DOTALL)
    return found.group(0) if found else ""


def _unusable(path: Path, why: str) -> BadConfiguration:
    return BadConfiguration([f"agent.toml: `tenant.certificate`: {path} cannot be used: {why}."])


def _secret(told: str) -> str:
    """`env:NAME` or `file:PATH` → the secret."""
    kind, _, place = told.partition(":")
    if kind == "env":
        secret = os.environ.get(place, "")
    elif kind == "file":
        secret = _read(Path(place).expanduser(), "tenant.secret_from")
    else:
        raise BadConfiguration(['agent.toml: `tenant.secret_from` is "env:NAME" or "file:PATH".'])
    if not secret.strip():
        where = f"the environment variable {place}" if kind == "env" else place
        raise BadConfiguration([f"agent.toml: `tenant.secret_from`: {where} holds no secret. Put it there."])
    return secret.strip()


def _read(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else "it is not a text file"
        raise BadConfiguration(
            [f"agent.toml: `{key}`: {path} cannot be read: {why}. Check the path and who may read it."]
        ) from None


class SignIn:
    """Hands out access tokens for Graph: kept in memory, renewed before they expire, one request at a time.

    MSAL's cache is safe between threads but asks once for each thread that finds it empty; the lock here
    makes that one request.
    """

    def __init__(self, tenant: Tenant, credential: Credential, scope: str, cache: TokenCache) -> None:
        self._tenant = tenant
        self._credential = credential
        self._scope = scope
        self._cache = cache
        self._http = CarefulSession(tenant.ca_file)
        self._lock = threading.RLock()
        self._app: ConfidentialClientApplication | None = None

    @property
    def app(self) -> ConfidentialClientApplication:
        """MSAL's application, kept. Building it, at first use, asks Entra for the tenant's endpoints."""
        with self._lock:
            if self._app is None:
                self._app = ConfidentialClientApplication(
                    client_id=self._tenant.client,
                    client_credential=self._credential.for_msal,
                    authority=f"{self._tenant.authority.rstrip('/')}/{self._tenant.id}",
                    instance_discovery=False,  # the configured authority is trusted: ask no other host
                    token_cache=self._cache,
                    http_client=self._http,
                )
            return self._app

    def token(self) -> str:
        """An access token that is good for some minutes at least.

        NotAllowed when Entra refuses (the sentence says what to mend), TryAgainLater when it cannot be asked.
        """
        with self._lock:
            try:
                answer = self.app.acquire_token_for_client(scopes=[self._scope])
            except (OSError, MsalError, RuntimeError) as wrong:
                raise _unreachable(self._tenant, wrong) from wrong
            except ValueError as wrong:  # an answer that is not JSON, or no such tenant
                raise _no_such_tenant(self._tenant, wrong) from wrong
            if "access_token" not in answer:
                raise self._refusal(answer)
            return str(answer["access_token"])

    def replace(self, refused: str) -> str:
        """A token instead of `refused`, which Graph did not take although it had not expired (revoked).

        However many threads were refused with it, it is replaced once.
        """
        with self._lock:
            token = self.token()
            if token != refused:
                return token
            self.app.remove_tokens_for_client()
            return self.token()

    def close(self) -> None:
        self._http.close()

    def _refusal(self, answer: Mapping[str, Any]) -> AgentError:
        code = _aadsts([str(answer.get("error_description"))])
        error = answer.get("error")
        if error in _PASSING or code in _PASSING:
            return TryAgainLater(f"Microsoft Entra cannot give a token just now ({code or error}).")
        tenant = self._tenant
        why = _REFUSALS.get(code, "check the app registration {client} in the tenant {id}")
        sentence = why.format(id=tenant.id, client=tenant.client, credential=self._credential.called)
        return NotAllowed(f"Microsoft Entra does not let the agent sign in: {sentence} ({code or error}).")


_PASSING = frozenset({"temporarily_unavailable", "server_error", "AADSTS90033", "AADSTS50196", "AADSTS90055"})

_REFUSALS = {
    "AADSTS7000215": "{credential} is not right. Give the secret's value, not its id",
    "AADSTS7000222": "{credential} has expired. Make a new one in the app registration {client}",
    "AADSTS700016": "the app {client} (`tenant.client`) is not known in the tenant {id}",
    "AADSTS90002": "there is no tenant {id} (`tenant.id`)",
    "AADSTS900023": "`tenant.id` ({id}) is neither a directory id nor a domain name",
    "AADSTS700027": "{credential} is not one of the app registration {client}, or has expired. "
    "Upload one there",
    "AADSTS7000229": "the app {client} has no enterprise application in the tenant {id}. An administrator "
    "must consent to it",
    "AADSTS53003": "a Conditional Access policy for workload identities blocks the app {client}",
    "AADSTS1002012": "the scope is not one that this cloud knows. Check `tenant.graph`",
}


def _aadsts(texts: Iterable[str]) -> str:
    """Entra's own number for what is wrong, such as AADSTS7000215; "" when none is told."""
    found = (re.search(r"AADSTS\d+", text) for text in texts)
    return next((one.group(0) for one in found if one), "")


def _no_such_tenant(tenant: Tenant, wrong: ValueError) -> AgentError:
    """MSAL says ValueError for an authority that knows no such tenant, and for a proxy's page."""
    texts = [str(wrong), str(wrong.__context__), str(wrong.__cause__)]
    code = _aadsts(texts)
    if code or any("HTTP status: 4" in text for text in texts):
        why = _REFUSALS.get(code, _REFUSALS["AADSTS90002"])
        sentence = why.format(id=tenant.id, client=tenant.client, credential="the credential")
        return NotAllowed(
            f"Microsoft Entra does not let the agent sign in: {sentence} ({code or 'HTTP 4xx'})."
        )
    return _unreachable(tenant, wrong)


def _unreachable(tenant: Tenant, wrong: Exception) -> TryAgainLater:
    sentence = f"Microsoft Entra at {tenant.authority} gives no usable answer ({type(wrong).__name__})."
    if "CERTIFICATE_VERIFY_FAILED" in str(wrong):
        sentence += " Its TLS certificate is not trusted here: name your proxy's CA in `tenant.ca_file`."
    return TryAgainLater(sentence)
