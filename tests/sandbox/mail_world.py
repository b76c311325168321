"""A sandbox with the Need to Know mailbox, two colleagues and somebody who asks Graph for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msal
import requests

from agent.sandbox.mailboxes import Mailbox
from agent.sandbox.server import Sandbox

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
N2K, ALICE, BOB = "n2k@nctrust.example", "alice@nctrust.example", "bob@nctrust.example"
KEY = "String {6f1c5b0e-2d0c-4d1c-9d0f-0a4a5d7f8c11} Name AgentKey"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
SCOPE = ["https://graph.microsoft.com/.default"]


class Asker:
    """Speaks plain HTTPS to one mailbox, as any Graph client would."""

    def __init__(self, sandbox: Sandbox, mailbox: str = N2K) -> None:
        self.sandbox = sandbox
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(sandbox.ca_file)
        self.user = f"{sandbox.base_url}/v1.0/users/{mailbox}"
        self.http.headers["Authorization"] = f"Bearer {sandbox.tenant.sign_in.issue(sandbox.app)}"

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        url = path if path.startswith("https://") else self.user + path
        return self.http.request(method, url, timeout=20, **more)

    def get(self, path: str, immutable: bool = False, **query: str) -> Any:
        """The JSON of an answer that must be 200; query options without their `$`."""
        options = {f"${name}": value for name, value in query.items()}
        response = self("GET", path, params=options, headers=IMMUTABLE if immutable else {})
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: Any = None, immutable: bool = False) -> requests.Response:
        return self("POST", path, json=body, headers=IMMUTABLE if immutable else {})

    def subjects(self, path: str, **query: str) -> list[str]:
        found = self.get(path, immutable=False, select="subject", **query)
        return [mail["subject"] for mail in found["value"]]

    def delta(self, link: str = "", immutable: bool = True, size: int = 50) -> tuple[list[Any], str]:
        """One whole delta round of the inbox: its rows and the next delta link."""
        rows: list[Any] = []
        link = link or self.user + "/mailFolders/inbox/messages/delta?$select=subject,isRead"
        prefer = f"odata.maxpagesize={size}" + (', IdType="ImmutableId"' if immutable else "")
        while True:
            page = self("GET", link, headers={"Prefer": prefer}).json()
            rows += page["value"]
            if "@odata.deltaLink" in page:
                return rows, page["@odata.deltaLink"]
            link = page["@odata.nextLink"]

    def draft(self, subject: str = "A letter", to: str = ALICE, **more: Any) -> Any:
        body = {"subject": subject, "toRecipients": [recipient(to)], "body": html("<p>Hello</p>"), **more}
        response = self.post("/messages", body)
        assert response.status_code == 201, response.text
        return response.json()

    def error(self, response: requests.Response) -> tuple[int, str]:
        return response.status_code, response.json()["error"]["code"]


def recipient(address: str) -> dict[str, Any]:
    return {"emailAddress": {"address": address}}


def html(content: str) -> dict[str, str]:
    return {"contentType": "html", "content": content}


def mail(subject: str, sender: str = ALICE, body: str = "Dear all", **headers: str) -> bytes:
    """A small mail in MIME; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    told = {"From": sender, "To": N2K, "Subject": subject, **named}
    lines = [f"{name}: {value}" for name, value in told.items()]
    return "\r\n".join([*lines, "", body, ""]).encode()


@contextmanager
def world(**options: Any) -> Iterator[tuple[Sandbox, Asker]]:
    with Sandbox(start=MONDAY, domains=("nctrust.example",), **options) as sandbox:
        sandbox.tenant.add_mailbox(N2K, "Need to Know", in_scope=True, shared=True)
        sandbox.tenant.add_mailbox(ALICE, "Alice Author")
        sandbox.tenant.add_mailbox(BOB, "Bob Builder")
        asker = Asker(sandbox)
        with asker.http:
            yield sandbox, asker


def inbox_of(sandbox: Sandbox, address: str) -> list[Any]:
    box: Mailbox = sandbox.tenant.mailbox(address)
    return list(box.messages("inbox"))


def signed_in(sandbox: Sandbox, credential: Any, http: requests.Session) -> dict[str, Any]:
    """What real MSAL makes of the sandbox's token endpoint."""
    app = msal.ConfidentialClientApplication(
        sandbox.client_id,
        client_credential=credential,
        authority=f"{sandbox.base_url}/{sandbox.tenant_id}",
        instance_discovery=False,
        http_client=http,
    )
    answer: dict[str, Any] = app.acquire_token_for_client(SCOPE)
    return answer
