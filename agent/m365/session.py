"""The HTTP session that everything here goes through: nothing implicit, repeated or followed."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT = (10.0, 60.0)  # seconds: to connect, and between two bytes of an answer


class CarefulSession(requests.Session):
    """A session that always has a time limit and the right certificates, and never repeats by itself.

    The certificates are given with each request because requests lets REQUESTS_CA_BUNDLE overrule those
    of a session. Where no CA file is configured that variable is honoured, as people expect behind a proxy.
    """

    def __init__(self, ca_file: str = "") -> None:
        super().__init__()
        self._ca: str | bool = ca_file or True
        self.auth = _as_it_is  # else requests looks into ~/.netrc and may overwrite the Authorization header

    def request(self, method: str | bytes, url: str | bytes, **told: Any) -> requests.Response:  # type: ignore[override]  # the named arguments are passed through
        return super().request(
            method,
            url,
            # last, for requests' own `get` asks for redirects to be followed
            **{"timeout": TIMEOUT, "verify": self._ca, **told, "allow_redirects": False},
        )


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
