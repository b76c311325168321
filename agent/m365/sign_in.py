"""Signing in to Microsoft Entra: one token for all threads, renewed in time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msal import (
    ConfidentialClientApplication,
    ManagedIdentityClient,
    SystemAssignedManagedIdentity,
    TokenCache,
    UserAssignedManagedIdentity,
)
from msal.exceptions import MsalError

from agent.errors import AgentError, NotAllowed, TryAgainLater
from agent.m365.credential import Credential
from agent.m365.session import CarefulSession

if TYPE_CHECKING:
    from agent.settings import Tenant


def open_sign_in(tenant: Tenant, credential: Credential, scope: str, cache: TokenCache) -> SignIn:
    """Signing in by this tenant's way; nothing is asked of the network yet."""
    kind = ManagedIdentity if tenant.managed_identity else SignIn
    return kind(tenant, credential, scope, cache)


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
        self._app: Any = None

    @property
    def app(self) -> Any:
        """MSAL's application, kept. Building it, at first use, asks Entra for the tenant's endpoints."""
        with self._lock:
            if self._app is None:
                self._app = self._new_app()
            return self._app

    def token(self) -> str:
        """An access token that is good for some minutes at least.

        NotAllowed when Entra refuses (the sentence says what to mend), TryAgainLater when it cannot be asked.
        """
        with self._lock:
            try:
                answer = self._ask()
            except (OSError, MsalError, RuntimeError, ValueError) as wrong:
                raise self._trouble(wrong) from wrong
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
            self._forget()
            return self.token()

    def close(self) -> None:
        self._http.close()

    def _new_app(self) -> Any:
        return ConfidentialClientApplication(
            client_id=self._tenant.client,
            client_credential=self._credential.for_msal,
            authority=f"{self._tenant.authority.rstrip('/')}/{self._tenant.id}",
            instance_discovery=False,  # the configured authority is trusted: ask no other host
            token_cache=self._cache,
            http_client=self._http,
        )

    def _ask(self) -> Mapping[str, Any]:
        told: Mapping[str, Any] = self.app.acquire_token_for_client(scopes=[self._scope])
        return told

    def _forget(self) -> None:
        self.app.remove_tokens_for_client()

    def _trouble(self, wrong: Exception) -> AgentError:
        if isinstance(wrong, ValueError) and not isinstance(wrong, OSError):
            return _no_such_tenant(self._tenant, wrong)  # or an answer that is not JSON
        return _unreachable(self._tenant, wrong)

    def _refusal(self, answer: Mapping[str, Any]) -> AgentError:
        code = _aadsts([str(answer.get("error_description"))])
        error = answer.get("error")
        if error in _PASSING or code in _PASSING:
            return TryAgainLater(f"Microsoft Entra cannot give a token just now ({code or error}).")
        tenant = self._tenant
        why = _REFUSALS.get(code, "check the app registration {client} in the tenant {id}")
        sentence = why.format(id=tenant.id, client=tenant.client, credential=self._credential.called)
        return NotAllowed(f"Microsoft Entra does not let the agent sign in: {sentence} ({code or error}).")


class ManagedIdentity(SignIn):
    """Signing in as the identity that Azure gives to the machine or container: nothing is kept here at all.

    The token is asked of the machine's own surroundings, so never through a proxy.
    """

    def __init__(self, tenant: Tenant, credential: Credential, scope: str, cache: TokenCache) -> None:
        super().__init__(tenant, credential, scope, cache)
        self._http.trust_env = False

    def _new_app(self) -> Any:
        identity = (
            SystemAssignedManagedIdentity()
            if self._tenant.managed_identity == "system"
            else UserAssignedManagedIdentity(client_id=self._tenant.client)
        )
        return ManagedIdentityClient(identity, http_client=self._http)

    def _ask(self) -> Mapping[str, Any]:
        told: Mapping[str, Any] = self.app.acquire_token_for_client(
            resource=self._scope.removesuffix("/.default")
        )
        return told

    def _forget(self) -> None:
        self._app = None  # the tokens it kept go with it

    def _trouble(self, wrong: Exception) -> AgentError:
        if isinstance(wrong, OSError):
            return TryAgainLater(
                f"No token can be asked for {self._credential.called} ({type(wrong).__name__}). "
                "Is this machine in Azure, and is its managed identity switched on?"
            )
        return self._refusal({"error": type(wrong).__name__})

    def _refusal(self, answer: Mapping[str, Any]) -> AgentError:
        return NotAllowed(
            f"The agent is not given a token for {self._credential.called}: switch the identity on where the "
            "agent runs, and check `tenant.managed_identity` and, for one of kind user, `tenant.client` "
            f"({answer.get('error')})."
        )


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
    "AADSTS70021": "the app {client} trusts no issuer and subject such as those of {credential}. Add a "
    "federated credential to the app registration",
    "AADSTS700211": "the app {client} trusts no issuer such as that of {credential}. Add a federated "
    "credential",
    "AADSTS700212": "{credential} is made out for another audience. It has to be api://AzureADTokenExchange",
    "AADSTS700213": "the app {client} trusts no subject such as that of {credential}. Correct its federated "
    "credential",
    "AADSTS700024": "{credential} has run out, or this machine's clock is wrong. See why it is not renewed",
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
    if code or any(re.search("HTTP status: 4(?!08|29)", text) for text in texts):  # two that pass
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
