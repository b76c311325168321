"""The one checked way to call Microsoft Graph.

O365 signs in, knows Graph's addresses and carries the requests (its `Account`, protocol and connection).
Its mail and file classes are not used: they drop mails after an empty page, forget a new draft's
Internet-Message-ID and know no eTags, so the rooms that need Graph speak its JSON through this class.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import requests

from agent.errors import OutcomeUnknown, TryAgainLater
from agent.m365.answers import Repeat, asked
from agent.m365.connection import GraphAccount, GraphConnection, Watch, foreign, open_account, origin

if TYPE_CHECKING:
    from agent.settings import Tenant

Json = dict[str, Any]
MAX_REDIRECTS = 3
PROMISE_POLLS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds between questions after a promise


def open_graph(tenant: Tenant, stop: threading.Event, watch: Watch | None = None) -> Graph:
    """Graph as this tenant's app; nothing is asked of the network before the first request.

    `stop` ends every wait (Stopping). `watch("before" | "after", method, path)` is told around each
    request. BadConfiguration when an address, the certificate or the secret cannot be used.
    """
    return Graph(open_account(tenant, stop, watch))


class Graph:
    """Requests in, JSON or bytes out, or one of our errors.

    A path is below the version ("/users/…"), its parts quoted; a full address is taken too when it is
    Graph's own. Every method may raise TryAgainLater (CursorGone for 410, ChangedMeanwhile for 409 and
    412, Locked for 423), NotAllowed, NotFound, or Rejected when Graph will not take the request; those that
    change something also OutcomeUnknown. GET is repeated as long as patience lasts; anything else only
    when it was certainly not carried out, or, with `repeat`, when twice does no more than once.
    """

    def __init__(self, account: GraphAccount) -> None:
        self.account = account
        self._connection: GraphConnection = account.con
        self._base = str(account.protocol.service_url).rstrip("/")

    def token(self) -> str:
        """The token that requests carry, asked for if need be. NotAllowed when Entra gives none."""
        return self._connection.sign_in.token()

    def get_json(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        return _object(self._ask("GET", self._url(path, params), headers=headers))

    def get_bytes(self, path: str) -> bytes:
        return _bytes(self._ask("GET", self._url(path), headers={"accept": "*/*"}))

    def pages(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Json]:
        """Each page of a collection, as it came; empty pages too, for more may follow them."""
        seen = set()
        link = self._url(path, params)
        while link:
            if link in seen:
                raise TryAgainLater(f"{asked('GET', link)}: Graph's pages lead in a circle.")
            seen.add(link)
            page = self.get_json(link, headers=headers)
            if not isinstance(page.get("value"), list):
                raise TryAgainLater(f"{asked('GET', link)}: this is no page of a collection.")
            yield page
            link = str(page.get("@odata.nextLink") or "")

    def post_json(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        repeat: bool = False,
    ) -> Json:
        """What was made of it; {} when Graph answers without a body."""
        content = b"" if body is None else body
        return _object_if_any(self._ask("POST", self._url(path), content, headers, _freely(repeat)))

    def post_once(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """POST that is never repeated here, not even when refused: for all that must not exist twice."""
        content = b"" if body is None else body
        return _object_if_any(self._ask("POST", self._url(path), content, repeat=Repeat.NEVER))

    def post_promised(
        self,
        path: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str],
        *,
        repeat: bool = False,
    ) -> Json:
        """POST that may take long: answered at once, or promised (202) and then asked after.

        A promise that failed (told by an answer of status 200) or was not kept in time is OutcomeUnknown:
        it may have been carried out in part. Never repeated here unless with `repeat`.
        """
        told = {**headers, "prefer": "respond-async"}
        url = self._url(path)
        response = self._ask("POST", url, body, told, Repeat.FREELY if repeat else Repeat.NEVER)
        if response.status_code != requests.codes.accepted:
            return _object_if_any(response)
        operation = response.headers.get("Location", "")
        for pause in PROMISE_POLLS:
            state = self.get_json(operation, headers=headers)
            match str(state.get("status", "")).lower():
                case "succeeded":
                    return self.get_json(str(state["resourceLocation"]), headers=headers)
                case "failed":
                    break
            self._connection.wait(pause)
        raise OutcomeUnknown(f"{asked('POST', url)} was promised and not kept. It may have been carried out.")

    def patch_json(
        self,
        path: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        *,
        repeat: bool = False,
    ) -> Json:
        return _object_if_any(self._ask("PATCH", self._url(path), body, headers, _freely(repeat)))

    def put_bytes(self, path: str, content: bytes, headers: Mapping[str, str] | None = None) -> Json:
        """Upload; the item as it stands now. Conditional with `If-Match` (ChangedMeanwhile)."""
        told = {"content-type": "application/octet-stream", **(headers or {})}
        return _object_if_any(self._ask("PUT", self._url(path), content, told))

    def put_piece(self, address: str, content: bytes, start: int, size: int) -> Json:
        """One piece of an upload session, without our token; the item once the last piece is there."""
        piece = content[start : start + size]
        span = f"bytes {start}-{start + len(piece) - 1}/{len(content)}"
        return _object_if_any(
            self._connection.naive_request(address, "PUT", data=piece, headers={"Content-Range": span})
        )

    def download(self, path: str) -> bytes:
        """A file's content. Graph sends us elsewhere for it; there we go without the token."""
        response = self._ask("GET", self._url(path), headers={"accept": "*/*"}, redirect=True)
        for _ in range(MAX_REDIRECTS):
            if response.status_code == requests.codes.ok:
                return response.content
            response = self._connection.naive_request(response.headers.get("Location", ""), "GET")
        raise TryAgainLater(f"{asked('GET', self._url(path))}: the download leads from place to place.")

    def below(self, link: str) -> str:
        """The path and query of one of Graph's links, good for any later request. NeedsAPerson if foreign."""
        if origin(link) != origin(self._base):
            raise foreign(link)
        where, base = urlsplit(link), urlsplit(self._base)
        return f"{where.path.removeprefix(base.path)}?{where.query}"

    def close(self) -> None:
        """Close every connection; none of our threads may be asking any more."""
        self._connection.close()

    def _url(self, path: str, params: Mapping[str, str] | None = None) -> str:
        url = path if path.startswith(("https://", "http://")) else f"{self._base}{path}"
        if not params:
            return url
        # spaces as %20: a plus sign is not understood in every OData filter
        return url + "?" + urlencode(params, quote_via=quote, safe="$,:/()'")

    def _ask(
        self,
        method: str,
        url: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        repeat: Repeat | None = None,
        *,
        redirect: bool = False,
    ) -> requests.Response:
        response: requests.Response = self._connection.oauth_request(
            url, method, data=body, headers=headers, repeat=repeat
        )
        if 300 <= response.status_code < 400 and not redirect:
            raise _not_graph(response, "by being sent elsewhere")
        return response


def segment(name: str) -> str:
    """A name or id as one part of a path."""
    return quote(name, safe="@")


def _freely(repeat: bool) -> Repeat | None:
    return Repeat.FREELY if repeat else None


def _bytes(response: requests.Response) -> bytes:
    return response.content


def _object_if_any(response: requests.Response) -> Json:
    return _object(response) if response.content else {}


def _object(response: requests.Response) -> Json:
    try:
        told = response.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise _not_graph(response, "with something that is no JSON object")
    return told


def _not_graph(response: requests.Response, how: str) -> TryAgainLater:
    """A proxy's answer, most likely; whether Graph ever saw the request, nobody can tell."""
    method = str(response.request.method)
    sentence = (
        f"{asked(method, response.url)} was answered {how} ({response.status_code}): is a proxy between?"
    )
    return TryAgainLater(sentence) if method == "GET" else OutcomeUnknown(sentence)
