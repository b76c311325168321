"""What can only be learnt by asking Microsoft 365: reach, time, token, and that each permission is there.

Least privilege is proved by calling, as a token does not tell what Exchange allows. Nothing is sent,
written or changed: what must not happen is asked of things that do not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

from agent.desk import Desk
from agent.doctor.diagnosis import Diagnosis, ill, unseen, watch, well
from agent.errors import (
    AgentError,
    ChangedMeanwhile,
    NeedsAPerson,
    NoMailbox,
    NotAllowed,
    NotFound,
    TryAgainLater,
)
from agent.m365.answers import Rejected
from agent.m365.graph import Graph, segment
from agent.m365.session import CarefulSession
from agent.settings import Settings

ASTRAY, TOO_FAR_ASTRAY = 30.0, 240.0  # seconds by which this machine's clock may differ; Entra allows 300
OTHERS_TRIED = 3
NOBODY = (
    "AAMkADAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMABGAAAAAAA="  # the form of a mail id, and no mail
)
NEVER = '"{00000000-0000-0000-0000-000000000000},0"'  # an eTag that no file has

RBAC = (
    "See deploy/connect.md, step 3, and check with "
    "`Test-ServicePrincipalAuthorization -Identity {client} -Resource {mailbox}`."
)
UNSCOPED = (
    "The app reaches more than its mailbox. In Entra remove every Mail.* consent of the app, and in Exchange "
    "check `Get-ManagementRoleAssignment -RoleAssignee {client} | Format-List Role,CustomResourceScope`: "
    "each role needs the scope of the one mailbox."
)


def reach(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    """Whether the addresses of Microsoft 365 can be reached from here, and whether the clock agrees."""
    tenant = settings.agent.tenant
    session = CarefulSession(tenant.ca_file)
    sites = {desk.register.site.partition(":")[0] for desk in settings.desks.values()} - {""}
    hosts = dict.fromkeys([tenant.authority, tenant.graph])
    if not settings.on_this_machine:
        hosts |= dict.fromkeys(f"https://{site}" for site in sorted(sites))
    told = []
    for address in hosts:
        try:
            response = session.get(address)
        except OSError as wrong:
            yield ill(
                "network",
                f"{urlsplit(address).hostname} does not answer ({type(wrong).__name__}).",
                "Let this machine reach it by HTTPS (port 443), or set HTTPS_PROXY; where a proxy opens TLS, "
                "name its certificate in `tenant.ca_file`.",
            )
            continue
        told.append(response.headers.get("Date", ""))
    session.close()
    if len(told) == len(hosts):
        yield well("network", f"{', '.join(str(urlsplit(one).hostname) for one in hosts)} can be reached.")
    yield _clock(next(filter(None, told), ""), now)


def _clock(told: str, now: datetime) -> Diagnosis:
    try:
        astray = abs((now - parsedate_to_datetime(told)).total_seconds())
    except ValueError:
        return unseen("clock", "No answer told the time.", "Look at the network first.")
    said = f"This machine's clock differs from Microsoft 365's by {astray:.0f} seconds."
    remedy = "Let the machine keep time by NTP (`timedatectl set-ntp true`)."
    if astray > TOO_FAR_ASTRAY:
        return ill("clock", said, remedy)
    return watch("clock", said, remedy) if astray > ASTRAY else well("clock", said)


def token(graph: Graph) -> Diagnosis:
    """Whether Entra gives the agent a token."""
    try:
        graph.token()
    except AgentError as wrong:
        return ill("token", str(wrong), "See deploy/connect.md, step 2.")
    return well("token", "Microsoft Entra gives the agent a token.")


def mailbox(graph: Graph, desk: Desk, client: str) -> Iterator[Diagnosis]:
    """Whether the desk's mailbox can be read, its folders be seen, and a letter be sent from it."""
    address = desk.mailbox.address
    remedy = RBAC.format(client=client, mailbox=address)
    try:
        graph.get_json(f"/users/{segment(address)}/mailFolders/inbox", {"$select": "id"})
    except AgentError as wrong:
        yield ill("mailbox", str(wrong), remedy, desk.name)
        return
    yield well("mailbox", f"{address} can be read.", desk.name)
    yield _folders(graph, desk)
    yield _sending(graph, desk, remedy)


def _folders(graph: Graph, desk: Desk) -> Diagnosis:
    wanted = {path[0] for path in desk.settings.folders.values() if path}
    told = {"$select": "displayName", "$top": "200"}
    try:
        pages = list(graph.pages(f"/users/{segment(desk.mailbox.address)}/mailFolders", told))
    except AgentError as wrong:
        return ill("folders", str(wrong), "See deploy/connect.md, step 3.", desk.name)
    there = {str(folder.get("displayName")) for page in pages for folder in page["value"]}
    missing = sorted(wanted - there)
    if missing:
        return well("folders", f"{', '.join(missing)}: made when first needed.", desk.name)
    return well("folders", f"{', '.join(sorted(wanted))}: there.", desk.name)


def _sending(graph: Graph, desk: Desk, remedy: str) -> Diagnosis:
    """Sending a draft that does not exist: refused with 403 where sending is not allowed, else not found."""
    try:
        graph.post_once(f"/users/{segment(desk.mailbox.address)}/messages/{segment(NOBODY)}/send")
    except (NotFound, Rejected):
        return well("sending", "The agent may send from this mailbox; nothing was sent.", desk.name)
    except NotAllowed as wrong:
        return ill("sending", str(wrong), remedy, desk.name)
    except AgentError as wrong:
        return unseen("sending", str(wrong), "Run `n2k doctor` again in a few minutes.", desk.name)
    return unseen("sending", "A draft that does not exist was accepted for sending.", remedy, desk.name)


def others(graph: Graph, desk: Desk, client: str) -> Iterator[Diagnosis]:
    """Whether other mailboxes are closed to the agent: those of people on the roster are tried."""
    known = [person.address for person in desk.settings.people][:OTHERS_TRIED]
    refused = 0
    for address in known:
        try:
            graph.get_json(f"/users/{segment(address)}/mailFolders/inbox", {"$select": "id"})
        except NoMailbox:
            continue
        except NotAllowed:
            refused += 1
            continue
        except AgentError as wrong:
            yield unseen("other mailboxes", str(wrong), "Run `n2k doctor` again.", desk.name)
            return
        said = f"The agent can read the mailbox {address}, which is none of its business."
        yield ill("other mailboxes", said, UNSCOPED.format(client=client), desk.name)
        return
    if refused:
        yield well("other mailboxes", f"{refused} of {len(known)} tried: closed to the agent.", desk.name)
    else:
        said = "No mailbox of somebody on the roster could be tried, so least privilege is not proved."
        yield unseen("other mailboxes", said, f"Name people in desks/{desk.name}.toml.", desk.name)


def register(graph: Graph, desk: Desk) -> Iterator[Diagnosis]:
    """Whether the register can be read as the agent needs it, and written."""
    try:
        book = desk.register.read(None)
    except TryAgainLater as wrong:
        yield unseen("register", str(wrong), "Run `n2k doctor` again in a few minutes.", desk.name)
        return
    except NeedsAPerson as wrong:
        yield ill("register", str(wrong), "See deploy/connect.md, step 4.", desk.name)
        return
    if book is None or book.version is None:
        yield well("register", "There is none yet; it is made at the first run.", desk.name)
        return
    rows = len(book.register.rows)
    yield well("register", f"It can be read and edited: {rows} row{'' if rows == 1 else 's'}.", desk.name)
    for doubt in (*book.register.doubts, *book.questions.doubts):
        yield watch("register", doubt.text, "Put it right in the workbook.", desk.name)
    yield from _writing(graph, desk)


def _writing(graph: Graph, desk: Desk) -> Iterator[Diagnosis]:
    """A change bound to a version that the file never had: refused with 412 where writing is allowed."""
    item = desk.register.kept_as().get("item")
    if not item:
        return
    site = quote(desk.settings.register.site, safe=":/")
    try:
        drive = graph.get_json(f"/sites/{site}", {"$select": "id"})["id"]
        drive = graph.get_json(f"/sites/{quote(drive, safe=',')}/drive", {"$select": "id"})["id"]
        address = f"/drives/{segment(drive)}/items/{segment(item)}"
        name = graph.get_json(address, {"$select": "name"})["name"]  # were it written, nothing would change
        graph.patch_json(address, {"name": name}, {"If-Match": NEVER})
    except ChangedMeanwhile:
        yield well("writing", "The agent may write the register; nothing was written.", desk.name)
    except NotAllowed as wrong:
        yield ill(
            "writing", str(wrong), "See deploy/connect.md, step 4: the role has to be `write`.", desk.name
        )
    except AgentError as wrong:
        yield unseen("writing", str(wrong), "Run `n2k doctor` again in a few minutes.", desk.name)
