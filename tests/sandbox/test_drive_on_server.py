"""The sandbox's libraries over real HTTPS: signed in, redirected, uploaded in pieces."""

from __future__ import annotations

import pytest
import requests

from agent.sandbox.drive import Site
from agent.sandbox.server import Sandbox
from tests.sandbox.mail_world import Asker

BOOK = "Need to Know.xlsx"


@pytest.fixture
def site(sandbox: Sandbox) -> Site:
    site = sandbox.tenant.drives.add_site("nctrust.sharepoint.example", "/sites/need-to-know", "Need to Know")
    site.drive.put(BOOK, b"first", by="Casey Penhallow")
    return site


@pytest.fixture
def book(sandbox: Sandbox, site: Site) -> str:
    return f"{sandbox.base_url}/v1.0/drives/{site.drive.id}/items/{site.drive.item(BOOK).id}"


def without_token(sandbox: Sandbox, method: str, url: str, **more: object) -> requests.Response:
    return requests.request(method, url, verify=str(sandbox.ca_file), timeout=20, **more)  # type: ignore[arg-type]  # passed on as they are


def test_files_need_a_token_and_a_permission(sandbox: Sandbox, ask: Asker, book: str) -> None:
    stranger = without_token(sandbox, "GET", book)
    sandbox.app.entra_permissions = {"Mail.Read"}
    ask.http.headers["Authorization"] = f"Bearer {sandbox.tenant.sign_in.issue(sandbox.app)}"
    mail_only = ask("GET", book)

    assert (stranger.status_code, mail_only.status_code) == (401, 403)


def test_a_site_is_reached_by_the_doubled_slash_of_o365(sandbox: Sandbox, ask: Asker, site: Site) -> None:
    url = f"{sandbox.base_url}/v1.0//sites/{site.hostname}:{site.path}:"

    assert ask("GET", url).json()["id"] == site.id


def test_a_download_leads_to_an_address_that_serves_whoever_holds_it(
    sandbox: Sandbox, ask: Asker, book: str
) -> None:
    redirect = ask("GET", book + "/content", allow_redirects=False)
    address = redirect.headers["Location"]

    assert redirect.status_code == 302
    assert address.startswith(sandbox.base_url)
    assert without_token(sandbox, "GET", address).content == b"first"
    assert ask("GET", address).status_code == 401  # with the token that should not have been sent


def test_a_large_file_goes_up_and_comes_down_again(
    sandbox: Sandbox, ask: Asker, site: Site, book: str
) -> None:
    content = bytes(range(256)) * 4096  # 1 MiB
    body = {"item": {"@microsoft.graph.conflictBehavior": "replace"}}
    session = ask("POST", book + "/createUploadSession", json=body).json()
    half = 320 * 1024 * 2

    first = without_token(
        sandbox,
        "PUT",
        session["uploadUrl"],
        data=content[:half],
        headers={"Content-Range": f"bytes 0-{half - 1}/{len(content)}"},
    )
    last = without_token(
        sandbox,
        "PUT",
        session["uploadUrl"],
        data=content[half:],
        headers={"Content-Range": f"bytes {half}-{len(content) - 1}/{len(content)}"},
    )
    address = ask("GET", book + "/content", allow_redirects=False).headers["Location"]

    assert (first.status_code, last.status_code) == (202, 200)
    assert site.drive.content(BOOK) == content
    assert without_token(sandbox, "GET", address).content == content


def test_a_person_in_excel_locks_out_an_upload_until_they_are_done(ask: Asker, site: Site, book: str) -> None:
    site.drive.open_by_person(BOOK, "Casey Penhallow")
    locked = ask("PUT", book + "/content", data=b"second")
    site.drive.close_by_person(BOOK, "Casey Penhallow")
    stale = ask("PUT", book + "/content", data=b"second", headers={"If-Match": '"{old},1"'})
    taken = ask("PUT", book + "/content", data=b"second")

    assert [locked.status_code, stale.status_code, taken.status_code] == [423, 412, 200]
    assert locked.json()["error"]["innerError"]["request-id"]
    assert site.drive.content(BOOK) == b"second"
