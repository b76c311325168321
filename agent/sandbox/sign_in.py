"""The tenant's sign-in: discovery, the token endpoint for applications, and the tokens given out.

Tokens live in real time, as those who ask for them count it.
"""

from __future__ import annotations

import base64
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.sandbox.answers import Refused

if TYPE_CHECKING:
    from agent.sandbox.tenant import Tenant

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLOCK_SKEW = 300  # seconds that an assertion's times may be off
GRAPH = "00000003-0000-0000-c000-000000000000"


@dataclass
class AppRegistration:
    """An application that may sign in.

    `entra_permissions` hold for the whole tenant and stand in the token; `exchange_roles` hold only for
    mailboxes in scope and stand in no token. An Entra permission wins over the narrower scope.
    """

    client_id: str
    name: str = "Need to Know agent"
    secrets: dict[str, datetime | None] = field(default_factory=dict, repr=False)
    certificates: list[x509.Certificate] = field(default_factory=list, repr=False)
    entra_permissions: set[str] = field(default_factory=lambda: {"Sites.Selected"})
    exchange_roles: set[str] = field(
        default_factory=lambda: {"Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read"}
    )

    def certificate(self, header: Mapping[str, Any]) -> x509.Certificate | None:
        """The registered certificate that an assertion's header names by its thumbprint."""
        for known in self.certificates:
            if _told(header, "x5t#S256") == _thumbprint(known, hashes.SHA256()):
                return known
            if _told(header, "x5t") == _thumbprint(known, hashes.SHA1()):  # noqa: S303 - what the old header holds
                return known
        return None


@dataclass
class Token:
    app: AppRegistration
    expires: float
    revoked: bool = False


class SignInRefused(Exception):
    """An error of the token endpoint: HTTP status, OAuth error, AADSTS number and sentence."""

    def __init__(self, status: int, error: str, number: int, said: str) -> None:
        super().__init__(said)
        self.status, self.error, self.number, self.said = status, error, number, said

    def response(self) -> Response:
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        ids = f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
        body = {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.said} {ids}",
            "error_codes": [self.number],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        return JSONResponse(body, self.status)


class SignIn:
    """The tokens of a tenant. `lifetime` is theirs in seconds."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._tokens: dict[str, Token] = {}
        self._key = secrets.token_bytes(32)
        self.lifetime = 3599.0

    def routes(self) -> list[Route]:
        return [
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self.discovery),
            Route("/{tenant}/oauth2/v2.0/token", self.token, methods=["POST"]),
        ]

    async def discovery(self, request: Request) -> Response:
        try:
            self._check_tenant(request)
        except SignInRefused as no:
            return no.response()
        here = _base(request, self._tenant.id)
        return JSONResponse(
            {
                "token_endpoint": f"{here}/oauth2/v2.0/token",
                "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{here}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{here}/discovery/v2.0/keys",
                "issuer": f"{here}/v2.0",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
            }
        )

    async def token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        try:
            self._check_tenant(request)
            app = self._authenticated(form, request)
        except SignInRefused as no:
            return no.response()
        lifetime = int(self.lifetime)
        body = {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime}
        return JSONResponse({**body, "access_token": self.issue(app)}, headers={"Cache-Control": "no-store"})

    def issue(self, app: AppRegistration) -> str:
        """A new token for an application; it looks like Entra's and means nothing to anybody else."""
        now = time.time()
        claims = {
            "aud": GRAPH,
            "iss": f"https://sts.windows.net/{self._tenant.id}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now + self.lifetime),
            "appid": app.client_id,
            "app_displayname": app.name,
            "idtyp": "app",
            "roles": sorted(app.entra_permissions),
            "tid": self._tenant.id,
            "uti": secrets.token_urlsafe(16),
        }
        token = jwt.encode(claims, self._key, "HS256")
        self._tokens[token] = Token(app, now + self.lifetime)
        return token

    def revoke_all(self) -> None:
        """No token given out so far is good any more."""
        for token in self._tokens.values():
            token.revoked = True

    def app_of(self, authorization: str) -> AppRegistration:
        """Whose token this is. Refused (401) when it is nobody's, expired or revoked."""
        kind, _, text = authorization.partition(" ")
        if kind.lower() != "bearer" or not text:
            raise _unauthorised("Access token is empty.")
        token = self._tokens.get(text)
        if token is None:
            raise _unauthorised("Access token validation failure. Invalid signature.")
        if token.revoked:
            raise _unauthorised(
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and "
                "code: TokenIssuedBeforeRevocationTimestamp"
            )
        if token.expires <= time.time():
            raise _unauthorised("Lifetime validation failed, the token is expired.")
        return token.app

    # Who asks

    def _check_tenant(self, request: Request) -> None:
        asked = request.path_params["tenant"].lower()
        if asked != self._tenant.id and asked not in self._tenant.domains:
            said = (
                f"Tenant '{asked}' not found. Check to make sure you have the correct tenant ID and are "
                "signing into the correct cloud."
            )
            raise SignInRefused(400, "invalid_tenant", 90002, said)

    def _authenticated(self, form: Mapping[str, str], request: Request) -> AppRegistration:
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                said = f"The request body must contain the following parameter: '{name}'."
                raise SignInRefused(400, "invalid_request", 900144, said)
        if form["grant_type"] != "client_credentials":
            said = f"The app requested an unsupported grant type '{form['grant_type']}'."
            raise SignInRefused(400, "unsupported_grant_type", 70003, said)
        if not form["scope"].endswith("/.default"):
            said = (
                f"The provided value for scope {form['scope']} is not valid. Client credential flows must "
                "have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            )
            raise SignInRefused(400, "invalid_scope", 1002012, said)
        app = self._tenant.apps.get(form["client_id"])
        if app is None:
            said = (
                f"Application with identifier '{form['client_id']}' was not found in the directory "
                f"'{self._tenant.name}'."
            )
            raise SignInRefused(400, "unauthorized_client", 700016, said)
        self._check_credential(app, form, request)
        return app

    def _check_credential(self, app: AppRegistration, form: Mapping[str, str], request: Request) -> None:
        if form.get("client_assertion"):
            self._check_assertion(app, form, request)
        elif form.get("client_secret"):
            _check_secret(app, form["client_secret"])
        else:
            said = (
                "The request body must contain the following parameter: 'client_assertion' or "
                "'client_secret'."
            )
            raise SignInRefused(401, "invalid_client", 7000218, said)

    def _check_assertion(self, app: AppRegistration, form: Mapping[str, str], request: Request) -> None:
        if form.get("client_assertion_type") != ASSERTION:
            said = f"Invalid client_assertion_type; it must be '{ASSERTION}'."
            raise SignInRefused(400, "invalid_request", 50027, said)
        named = [_base(request, request.path_params["tenant"]), _base(request, self._tenant.id)]
        audiences = [f"{here}{end}" for here in named for end in ("/oauth2/v2.0/token", "/v2.0")]
        claims = _verified(form["client_assertion"], app, audiences)
        if {claims["iss"], claims["sub"]} != {app.client_id}:
            said = (
                "Client assertion application identifier doesn't match 'client_id' parameter. "
                f"Client ID: {app.client_id}."
            )
            raise SignInRefused(401, "invalid_client", 700021, said)


def _base(request: Request, tenant: str) -> str:
    return f"{request.url.scheme}://{request.headers['host']}/{tenant}"


def _check_secret(app: AppRegistration, secret: str) -> None:
    known = next((good for good in app.secrets if secrets.compare_digest(good, secret)), None)
    if known is None:
        said = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client "
            f"secret value, not the client secret ID, for a secret added to app '{app.client_id}'."
        )
        raise SignInRefused(401, "invalid_client", 7000215, said)
    expires = app.secrets[known]
    if expires is not None and expires <= datetime.now(UTC):
        said = f"The provided client secret keys for app '{app.client_id}' are expired."
        raise SignInRefused(401, "invalid_client", 7000222, said)


def _verified(assertion: str, app: AppRegistration, audiences: list[str]) -> dict[str, Any]:
    """The claims of an assertion whose signature and times are good."""
    try:
        certificate = app.certificate(jwt.get_unverified_header(assertion))
        if certificate is None:
            said = "Client assertion contains an invalid signature. [Reason - The key was not found.]"
            raise SignInRefused(401, "invalid_client", 700027, said)
        return jwt.decode(
            assertion,
            _public_key(certificate),
            algorithms=["RS256", "PS256"],
            audience=audiences,
            leeway=CLOCK_SKEW,
            options={"require": ["iss", "sub", "aud", "exp", "jti"]},
        )
    except jwt.InvalidSignatureError:
        said = (
            "Client assertion contains an invalid signature. [Reason - The provided signature value did not "
            "match the expected signature value.]"
        )
        raise SignInRefused(401, "invalid_client", 700027, said) from None
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        said = "Client assertion is not within its valid time range."
        raise SignInRefused(401, "invalid_client", 700024, said) from None
    except jwt.InvalidAudienceError:
        said = "Client assertion audience claim does not match Realm issuer."
        raise SignInRefused(401, "invalid_client", 700023, said) from None
    except jwt.MissingRequiredClaimError as missing:
        said = f"JWT token is invalid or malformed. {missing}"
        raise SignInRefused(401, "invalid_client", 50027, said) from None
    except jwt.InvalidTokenError:
        raise SignInRefused(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from None


def _public_key(certificate: x509.Certificate) -> RSAPublicKey:
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise SignInRefused(401, "invalid_client", 700027, "The certificate's key is not an RSA key.")
    return key


def _told(header: Mapping[str, Any], name: str) -> str:
    """A thumbprint of the header; some send its padding."""
    return str(header.get(name, "")).rstrip("=")


def _thumbprint(certificate: x509.Certificate, algorithm: hashes.HashAlgorithm) -> str:
    return base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).decode().rstrip("=")


def _unauthorised(said: str) -> Refused:
    return Refused(401, "InvalidAuthenticationToken", said)
