"""The published shapes of Microsoft Graph, where they lie beside this checkout."""

from __future__ import annotations

import importlib.util
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agent.sandbox.request_log import Exchange

GRAPH = Path(__file__).parents[1] / "../shared/graph"

needs_contract = pytest.mark.skipif(
    not (GRAPH / "openapi-subset.yaml").exists(),
    reason="the published contract of Microsoft Graph (../shared/graph) is not beside this checkout",
)


@cache
def contract() -> Any:
    """The checker: `check_request` and `check_response` give lists of problems."""
    spec = importlib.util.spec_from_file_location("graph_contract", GRAPH / "graph_contract.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the checker leaves its file to the collector
        return module.Contract(str(GRAPH / "openapi-subset.yaml"))


def problems_of(exchange: Exchange) -> list[str]:
    """What is wrong with one recorded exchange, in both directions, each naming the request."""
    if not exchange.path.startswith("/v1.0/") or exchange.status is None:
        return []  # signing in, pre-authenticated addresses, and connections that were cut
    check, url = contract(), exchange.url
    body = exchange.json() if exchange.body[:1] in (b"{", b"[") else (exchange.body or None)
    answer = exchange.response_json() if exchange.response_body[:1] in (b"{", b"[") else None
    asked = check.check_request(exchange.method, url, body=body)
    given = check.check_response(exchange.method, url, exchange.status, answer)
    return [f"{exchange.method} {exchange.path}: {problem}" for problem in (*asked, *given)]
