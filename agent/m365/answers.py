"""What an answer from Microsoft Graph, or the lack of one, means: the one place that makes errors of it.

Bodies of errors never go into a message: they may quote a mail. Graph's code and request id do.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.exceptions import ConnectTimeout, ProxyError
from urllib3.exceptions import NewConnectionError

from agent.errors import (
    AgentError,
    ChangedMeanwhile,
    CursorGone,
    Locked,
    NeedsAPerson,
    NoMailbox,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    TryAgainLater,
)


class Repeat(Enum):
    """When a request may be put again."""

    FREELY = "twice does no more than once"
    IF_REFUSED = "only when it was certainly not carried out"
    NEVER = "somebody looks first, whatever the answer"


@dataclass(frozen=True)
class Asked:
    """A request, as far as its answer needs it to be understood. `path` is without query."""

    method: str
    path: str
    repeat: Repeat

    def __str__(self) -> str:
        return f"{self.method} {'/'.join(_short(part) for part in self.path.split('/'))}"


def asked(method: str, url: str, repeat: Repeat | None = None) -> Asked:
    method = method.upper()
    usual = Repeat.FREELY if method in ("GET", "HEAD") else Repeat.IF_REFUSED
    return Asked(method, unquote(urlsplit(url).path), repeat or usual)


class Rejected(NeedsAPerson):
    """Graph will not take the request as it stands. `status` and `code` are Graph's."""

    def __init__(self, message: str, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Trouble:
    """Why a request did not succeed, and whether trying again may help.

    `undone`: it was certainly not carried out. `wait`: seconds the server asks for.
    """

    error: AgentError
    passing: bool = False
    undone: bool = True
    wait: float | None = None

    def may_repeat(self, repeat: Repeat) -> bool:
        return self.passing and (repeat is Repeat.FREELY or (repeat is Repeat.IF_REFUSED and self.undone))


def trouble_with(response: requests.Response, request: Asked) -> Trouble | None:
    """What is wrong with an answer; None when it is a proper answer of Graph's own."""
    status = response.status_code
    web_page = _is_web_page(response)
    if (status == 429 or (status == 503 and "Retry-After" in response.headers)) and not web_page:
        wait = retry_after(response)
        error = TryAgainLater(f"{_told(request, response)}: too much at once.", wait)
        return Trouble(error, passing=True, wait=wait)
    if status >= 500 or status in (408, 429):
        return _doubt(request, f"{_told(request, response)}: Microsoft 365 has trouble of its own.")
    if web_page:
        return _interloper(request, "a web page")
    if status < 400:
        return None
    if status == 404:
        return _not_found(request, response)
    return Trouble(_final(request, response))


def trouble_on_the_way(wrong: OSError, request: Asked) -> Trouble:
    """What it means that no answer came."""
    if _untrusted(wrong):
        return Trouble(
            TryAgainLater(
                f"{request}: the TLS certificate of the server is not trusted here. If a proxy of yours "
                "opens TLS, name its CA in `tenant.ca_file`."
            )
        )
    if not isinstance(wrong, requests.RequestException):  # such as a CA file that went away
        return _doubt(request, f"{request}: {wrong}.", passing=False)
    sentence = f"{request}: no answer came ({type(wrong).__name__})."
    if _never_left(wrong):
        return Trouble(TryAgainLater(sentence), passing=True)
    return _doubt(request, sentence)


def retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks us to wait: told as such, or as a date to set against its own clock."""
    told = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", told):
        return float(told)
    try:
        then = parsedate_to_datetime(told)
        return max(0.0, (then - parsedate_to_datetime(response.headers["Date"])).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


def codes_of(response: requests.Response) -> tuple[str, ...] | None:
    """Graph's codes for an error, the outer first; None when the body is not an error of Graph's."""
    try:
        error = response.json()["error"]
        return tuple(_codes(error)) if isinstance(error, dict) else None
    except (ValueError, KeyError, TypeError):
        return None


def _codes(error: dict[str, Any]) -> Iterator[str]:
    inner: object = error
    while isinstance(inner, dict):
        if inner.get("code"):
            yield str(inner["code"])
        inner = inner.get("innerError") or inner.get("innererror")  # documented in both spellings


def _is_web_page(response: requests.Response) -> bool:
    """Graph never answers with HTML; proxies, firewalls and sign-in portals do, some with status 200."""
    return response.headers.get("Content-Type", "").lower().startswith(("text/html", "application/xhtml"))


def _interloper(request: Asked, what: str) -> Trouble:
    return _doubt(
        request,
        f"{request} was answered by {what}, not by Microsoft Graph: a proxy, a firewall or a sign-in page "
        "stands between. Let this machine reach Microsoft 365 directly.",
        passing=False,
    )


def _doubt(request: Asked, sentence: str, *, passing: bool = True) -> Trouble:
    if request.repeat is Repeat.FREELY:
        return Trouble(TryAgainLater(sentence), passing, undone=False)
    return Trouble(OutcomeUnknown(f"{sentence} It may have been carried out."), passing, undone=False)


_SYNC_LOST = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired"})
_NO_MAILBOX = frozenset(
    {
        "errorinvaliduser",
        "errornonexistentmailbox",
        "request_resourcenotfound",
        "resourcenotfound",
        "mailboxnotenabledforrestapi",
        "mailboxnotsupportedforrestapi",
    }
)


def _not_found(request: Asked, response: requests.Response) -> Trouble:
    """Only Graph's word that this very thing is gone counts: whoever hears NotFound may give it up."""
    code = _code(response)
    told = _told(request, response)
    if code in _SYNC_LOST:
        return Trouble(CursorGone(f"{told}: the place we had got to is forgotten."))
    if code in _NO_MAILBOX and request.path.startswith("/v1.0/users/"):
        return Trouble(NoMailbox(f"{told}: there is no such mailbox for the agent. Check its address."))
    if code in ("", "unknownerror"):
        return _interloper(request, "something that knows no such address")
    return Trouble(NotFound(f"{told}: it is not there (any more)."))


def _final(request: Asked, response: requests.Response) -> AgentError:
    """The error for a refusal that no repeating will change."""
    status, told = response.status_code, _told(request, response)
    codes = {code.lower() for code in codes_of(response) or ()}
    if status == 410 or codes & _SYNC_LOST:
        return CursorGone(f"{told}: the place we had got to is forgotten.")
    if status in (401, 403):
        token = "Graph does not take the agent's token. " if status == 401 else ""
        return NotAllowed(f"{told}. {token}{_remedy(request)}")
    if status in (409, 412):
        return ChangedMeanwhile(f"{told}: somebody changed it meanwhile.")
    if status == 423:
        return Locked(f"{told}: somebody has it open.")
    return Rejected(f"{told}: Graph does not take this request.", status, _code(response))


_REMEDIES = (
    (r"/users/[^/]+/(.*/)?send(Mail)?$", "Mail.Send", "the mailbox"),
    (r"/users/[^/]+/mailboxSettings", "MailboxSettings.Read", "the mailbox"),
    (r"/users/", "Mail.ReadWrite", "the mailbox"),
    (r"/(sites|drives|shares)/", "Sites.Selected (with the role write on this site)", "the site"),
)


def _remedy(request: Asked) -> str:
    for path, permission, scope in _REMEDIES:
        if re.search(path, request.path):
            return f"The app needs the permission {permission}, and {scope} must lie within its scope."
    return "Check which permissions the app has been granted."


def _told(request: Asked, response: requests.Response) -> str:
    """`POST /users/…/send: 403 ErrorAccessDenied (request-id …)`."""
    code = next(iter(codes_of(response) or ()), "")
    request_id = response.headers.get("request-id", "")
    return f"{request}: {response.status_code} {code}".rstrip() + (
        f" (request-id {request_id})" if request_id else ""
    )


def _code(response: requests.Response) -> str:
    return next(iter(codes_of(response) or ()), "").lower()


def _short(part: str) -> str:
    return part if len(part) <= 44 else f"{part[:16]}…"


def _untrusted(wrong: OSError) -> bool:
    return any(isinstance(one, ssl.SSLCertVerificationError) for one in _causes(wrong))


def _never_left(wrong: OSError) -> bool:
    """No connection was made, so the server never saw the request."""
    return isinstance(wrong, ConnectTimeout | ProxyError) or any(
        isinstance(one, NewConnectionError) for one in _causes(wrong)
    )


def _causes(wrong: BaseException) -> Iterator[BaseException]:
    """An error and those inside it: requests and urllib3 put the cause in `reason` or the first argument."""
    inner: object = wrong
    while isinstance(inner, BaseException):
        yield inner
        inner = getattr(inner, "reason", None) or next(iter(inner.args), None)
