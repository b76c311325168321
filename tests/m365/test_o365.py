"""O365 over our connection: what we lean on inside it, and that its own classes work through it."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import pytest
from O365 import Account, MSGraphProtocol
from O365.connection import Connection
from O365.utils.token import MemoryTokenBackend

from agent import errors
from agent.m365.connection import GraphAccount, GraphConnection
from agent.m365.graph import Graph
from tests.m365.wire import MAILBOX, Answer, Wire, refusal


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]  # a function


def test_what_we_override_is_still_there_and_still_called_so() -> None:
    """Run this first when O365 or MSAL is raised to another version."""
    assert (version("O365"), version("msal")) == ("2.1.10", "1.39.0")
    assert Account.connection_constructor is Connection
    assert parameters(Connection.oauth_request) == ["self", "url", "method", "kwargs"]
    assert parameters(Connection.naive_request) == ["self", "url", "method", "kwargs"]
    assert isinstance(Connection.msal_client, property)
    assert {"auth_flow_type", "tenant_id", "token_backend", "request_retries", "verify_ssl"} <= set(
        parameters(Connection.__init__)
    )
    assert MSGraphProtocol._protocol_url == "https://graph.microsoft.com/"
    assert MSGraphProtocol._oauth_scope_prefix == "https://graph.microsoft.com/"


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_each_of_o365s_verbs_comes_through_our_request(verb: str) -> None:
    assert "self.oauth_request(" in inspect.getsource(getattr(Connection, verb))
    assert verb not in vars(GraphConnection)


def test_a_token_lives_in_memory_only(graph: Graph) -> None:
    """O365 would otherwise write it into the working folder, for everybody to read."""
    assert isinstance(graph.account, GraphAccount)
    assert type(graph.account.con.token_backend) is MemoryTokenBackend


def test_o365s_own_classes_read_a_mailbox_through_our_connection(graph: Graph, wire: Wire) -> None:
    wire.say(
        refusal(429, "ApplicationThrottled", Retry_After="2"),
        Answer(
            body={"value": [{"id": "AAMk1", "subject": "Hello", "receivedDateTime": "2026-03-02T09:00:00Z"}]}
        ),
    )

    messages = list(graph.account.mailbox(resource=MAILBOX).inbox_folder().get_messages(limit=1))

    assert [message.subject for message in messages] == ["Hello"]
    assert wire.requests[-1].path.startswith(f"/v1.0/users/{MAILBOX}/mailFolders/Inbox/messages")
    assert 'IdType="ImmutableId"' in wire.requests[-1].headers["prefer"]


def test_o365s_own_send_puts_a_mail_once_when_the_line_breaks(graph: Graph, wire: Wire) -> None:
    """Over its own connection this mail would be sent four times."""
    wire.say(Answer(then="garbage"))
    message = graph.account.mailbox(resource=MAILBOX).new_message()
    message.to.add("somebody@nctrust.example")
    message.subject = "Once"

    with pytest.raises(errors.OutcomeUnknown):
        message.send()

    assert [seen.path for seen in wire.requests] == [f"/v1.0/users/{MAILBOX}/sendMail"]
