"""What proves who we are to Microsoft Entra, from where the configuration says it lies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from agent.errors import BadConfiguration
from agent.secret import secret_in, text_of
from agent.settings import ONE_WAY_TO_SIGN_IN, Tenant


@dataclass(frozen=True)
class Credential:
    """What proves who we are, in the form MSAL takes it, and how a sentence may call it.

    `until` is when a certificate runs out; None for the others, which do not tell. `renewed` says that
    somebody has to renew it; what Azure or the platform keeps fresh is nobody's work.
    """

    for_msal: str | dict[str, Any] = field(repr=False)
    called: str
    until: datetime | None = None
    renewed: bool = True


def credential_of(tenant: Tenant) -> Credential:
    """What the configuration says the agent signs in by. BadConfiguration when it cannot be had."""
    if tenant.certificate:
        return _certificate(Path(tenant.certificate).expanduser())
    if tenant.managed_identity:
        return Credential("", _MANAGED[tenant.managed_identity].format(client=tenant.client), renewed=False)
    if tenant.assertion_file:
        return _assertion(Path(tenant.assertion_file))
    if tenant.secret_from:
        return Credential(
            secret_in(tenant.secret_from, "tenant.secret_from"), f"the secret in {tenant.secret_from}"
        )
    raise BadConfiguration([ONE_WAY_TO_SIGN_IN])


_MANAGED = {
    "system": "the managed identity of this machine",
    "user": "the managed identity {client} of this machine",
}


def _assertion(path: Path) -> Credential:
    """A token of the platform's, in a file that the platform renews: read afresh for each sign-in."""

    def fresh() -> str:
        token = text_of(path, "tenant.assertion_file").strip()
        if token.count(".") != 2:
            why = "it holds no token (three parts with dots between)"
            raise BadConfiguration([f"agent.toml: `tenant.assertion_file`: {path} cannot be used: {why}."])
        return token

    fresh()
    return Credential({"client_assertion": fresh}, f"the platform's token in {path}", renewed=False)


def _certificate(path: Path) -> Credential:
    """A PEM file holding the private key and its certificate, perhaps among others of a chain.

    Given to MSAL without a thumbprint, so that it signs with PS256 and names the certificate by SHA-256.
    """
    pem = text_of(path, "tenant.certificate").encode()
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
