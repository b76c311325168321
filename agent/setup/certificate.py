"""A certificate of the agent's own: the key stays on this machine, the public half goes to Entra."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

GOOD_FOR = timedelta(days=365)
KEY_BITS = 3072


def make_certificate(path: Path, now: datetime) -> None:
    """Write a new private key and its certificate to `path`, readable by its owner alone.

    FileExistsError when something is there already: a key is never overwritten.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "need-to-know-agent")])
    begin = now - timedelta(minutes=5)  # clocks differ
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), begin, now + GOOD_FOR
    )
    nobodys_authority = x509.BasicConstraints(ca=False, path_length=None)
    certificate = builder.add_extension(nobodys_authority, critical=True).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private + certificate.public_bytes(Encoding.PEM))


def public_half(path: Path) -> bytes:
    """The certificate in `path`, without its key, as the scripts upload it."""
    (certificate, *_) = x509.load_pem_x509_certificates(path.read_bytes())
    return certificate.public_bytes(Encoding.PEM)
