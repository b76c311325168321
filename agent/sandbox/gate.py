"""The door every request passes: who asks, may they, is it too much, is a fault ordered, what was said.

Routes whose path starts with /v1.0 need a Graph token and a permission from `RULES`. Routes beside it
(the token endpoint, pre-authenticated download and upload addresses) carry their own secret and pass
without one. Faults, throttling and the request log apply to all but /control.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.sandbox.answers import Refused, graph_error, graph_json, graph_time

__all__ = ["RULES", "Refused", "Rule", "graph_error", "graph_json", "graph_time", "permissions_for"]

_READ_MAIL = frozenset({"Mail.Read", "Mail.ReadWrite"})
_WRITE_MAIL = frozenset({"Mail.ReadWrite"})
_SEND_MAIL = frozenset({"Mail.Send"})
_SETTINGS = frozenset({"MailboxSettings.Read", "MailboxSettings.ReadWrite"})
_FILES = frozenset({"Sites.Selected", "Sites.ReadWrite.All", "Files.ReadWrite.All"})


@dataclass(frozen=True)
class Rule:
    """Requests whose method and path (below /v1.0) match need any one of the permissions."""

    methods: frozenset[str]
    path: re.Pattern[str]
    any_of: frozenset[str]


def _rule(methods: str, path: str, any_of: frozenset[str]) -> Rule:
    return Rule(frozenset(methods.split()), re.compile(path, re.IGNORECASE), any_of)


RULES: tuple[Rule, ...] = (
    _rule("GET", r"/users/[^/]+/mailboxSettings(/|$)", _SETTINGS),
    _rule("POST", r"/users/[^/]+/sendMail$", _SEND_MAIL),
    _rule("POST", r"/users/[^/]+/messages/[^/]+/send$", _SEND_MAIL),
    _rule("GET", r"/users/[^/]+/(messages|mailFolders)(/|\(|$)", _READ_MAIL),
    _rule("POST PATCH PUT DELETE", r"/users/[^/]+/(messages|mailFolders)(/|\(|$)", _WRITE_MAIL),
    _rule("GET POST PATCH PUT DELETE", r"/(sites|drives|shares)(/|$)", _FILES),
)


def permissions_for(method: str, path: str) -> frozenset[str]:
    """The permissions of which one is needed; empty when nothing is known about the path."""
    for rule in RULES:
        if method in rule.methods and rule.path.match(path):
            return rule.any_of
    return frozenset()
