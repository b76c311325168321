"""The session that everything goes through: nothing implicit, repeated or followed."""

from __future__ import annotations

import pytest
import responses

from agent.m365.session import CarefulSession

ASKED, ELSEWHERE = "https://graph.trust.example/a", "https://elsewhere.example/b"


@responses.activate
@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_nobody_is_followed_to_another_place(method: str) -> None:
    responses.add(method.upper(), ASKED, status=302, headers={"Location": ELSEWHERE})
    responses.add(method.upper(), ELSEWHERE, body="secrets")
    with CarefulSession() as session:
        answer = getattr(session, method)(ASKED)

    assert (answer.status_code, len(responses.calls)) == (302, 1)
