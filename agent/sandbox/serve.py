"""`n2k sandbox`: serve an embedded Microsoft 365 until stopped, with a configuration that connects to it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import toml_lines
from agent.configuration import load, shipped, write_copy
from agent.errors import WrongCall
from agent.sandbox.mail_folder import load_mail_folder, mails_in
from agent.sandbox.server import Sandbox
from agent.sandbox.story import load_story
from agent.settings import DeskSettings
from agent.stopping import on_signals

if TYPE_CHECKING:
    from agent.sandbox.tenant import Tenant

SITE_HOST, SITE_PATH, SITE_NAME = "sandbox.sharepoint.example", "/sites/need-to-know", "Need to Know"
MARK = ".n2k-sandbox"  # in a configuration folder that a sandbox wrote


def serve(*, mail: Path | None, port: int, config_to: Path | None) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit status.

    Prints one line of JSON to standard output once it answers, and to standard error what a person wants
    to know. Each sub-folder of `mail` is a mailbox address holding .eml files. WrongCall when there is no
    such folder or the port is taken, BadConfiguration when `config_to` holds somebody's configuration.
    """
    if mail is not None and not mail.is_dir():
        raise WrongCall(f"{mail} is no folder. It is to hold a folder for each mailbox address.")
    stop = threading.Event()
    on_signals(stop)
    desks = _desks(mail)
    domains = sorted({desk.mailbox.rpartition("@")[2] for desk in desks.values()})
    sandbox = Sandbox(domains=domains, port=port)
    try:
        _listen(sandbox, port)
        _furnish(sandbox, desks, mail)
        if config_to is not None:
            write_config(config_to, sandbox, desks)
        print(json.dumps(ready(sandbox, config_to, desks)), flush=True)  # noqa: T201 - callers wait for it
        for line in _explained(sandbox, desks, mail, config_to):
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - for the person at the terminal
        while not stop.wait(0.5):  # a wait without an end would not be woken by a signal everywhere
            pass
    finally:
        sandbox.stop()
    return 0


def _listen(sandbox: Sandbox, port: int) -> None:
    try:
        sandbox.start()
    except OSError as wrong:
        raise WrongCall(
            f"Port {port} cannot be had ({wrong.strerror}). Leave `--port` out, and any free one is taken."
        ) from wrong


def ready(sandbox: Sandbox, config: Path | None, desks: Mapping[str, DeskSettings]) -> dict[str, Any]:
    """What somebody needs to know to use the sandbox."""
    told = {
        "base": sandbox.base_url,
        "ca_file": str(sandbox.ca_file),
        "tenant": sandbox.tenant_id,
        "client": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "certificate": str(sandbox.certificate_file),
        "control": sandbox.control_url,
        "control_token": sandbox.control_token,
        "desks": {name: desk.mailbox for name, desk in desks.items()},
    }
    return {**told, "config": str(config)} if config else told


def _explained(
    sandbox: Sandbox, desks: Mapping[str, DeskSettings], mail: Path | None, config: Path | None
) -> Iterator[str]:
    yield f"An embedded Microsoft 365 answers at {sandbox.base_url}. Ctrl-C ends it, and nothing is kept."
    for name, desk in desks.items():
        count = len(sandbox.tenant.mailbox(desk.mailbox).messages("inbox"))
        yield f"Desk {name} watches {desk.mailbox}: {count} {'mail' if count == 1 else 'mails'}."
    for path in sorted(mail.iterdir()) if mail else ():
        if path.name.lower() not in _boxes(mail) and not path.name.startswith("."):
            yield f"{path} is no folder named after a mail address, so it was left out."
    if config:
        yield f"Now, in another terminal:  n2k once --config {config}"


def _boxes(mail: Path | None) -> dict[str, int]:
    """The mailboxes that the folder holds, and how many mails each has."""
    rooms = sorted(mail.iterdir()) if mail else []
    return {room.name.lower(): len(mails_in(room)) for room in rooms if room.is_dir() and "@" in room.name}


def _desks(mail: Path | None) -> dict[str, DeskSettings]:
    """The desks at work here, their register on the sandbox's site and invented people in the roles."""
    settings = load(shipped()[0])
    desks = {}
    for name, mailbox in _watched(settings.desks, _boxes(mail)).items():
        desk = settings.desks[name]
        story = load_story(shipped()[0] / "demo" / name)
        domain = mailbox.rpartition("@")[2]
        desks[name] = replace(
            desk,
            mailbox=mailbox,
            allowed_domains=tuple(dict.fromkeys((domain, story.desk.domain, *desk.allowed_domains))),
            people=story.roster,
            register=replace(desk.register, site=f"{SITE_HOST}:{SITE_PATH}"),
        )
    return desks


def _watched(desks: Mapping[str, DeskSettings], boxes: Mapping[str, int]) -> dict[str, str]:
    """Which desks there are, and the mailbox that each watches; all and their own where no mail is given.

    With mail, each whose own address is among it. Is none, the fullest mailbox goes to the desk of that
    domain, else to the first.
    """
    if not boxes:
        return {name: desk.mailbox for name, desk in desks.items()}
    own = {
        name: box
        for name, desk in desks.items()
        for box in boxes
        if box in {address.lower() for address in (desk.mailbox, *desk.aliases)}
    }
    if own:
        return own
    fullest = max(boxes, key=lambda box: boxes[box])
    domain = fullest.rpartition("@")[2]
    name = next((name for name, desk in desks.items() if domain in desk.allowed_domains), next(iter(desks)))
    return {name: fullest}


def _furnish(sandbox: Sandbox, desks: Mapping[str, DeskSettings], mail: Path | None) -> None:
    tenant = sandbox.tenant
    for desk in desks.values():
        tenant.add_mailbox(desk.mailbox, desk.name, in_scope=True, shared=True)
        for person in desk.people:
            if person.address.lower() not in tenant.mailboxes:
                tenant.add_mailbox(person.address, person.name)
    tenant.drives.add_site(SITE_HOST, SITE_PATH, SITE_NAME)
    if mail is not None:
        load_mail_folder(tenant, mail)
    for desk in desks.values():
        _house_senders(tenant, desk)


def _house_senders(tenant: Tenant, desk: DeskSettings) -> None:
    """Whoever wrote from the desk's own domain has a mailbox, so that letters reach them."""
    domain = desk.mailbox.rpartition("@")[2]
    senders = {message.sender.lower() for message in tenant.mailbox(desk.mailbox).messages("inbox")}
    for sender in sorted(senders - tenant.mailboxes.keys()):
        if sender.rpartition("@")[2] == domain:
            tenant.add_mailbox(sender)


def write_config(folder: Path, sandbox: Sandbox, desks: Mapping[str, DeskSettings]) -> None:
    """A configuration folder with which an agent works against this sandbox.

    One that an earlier sandbox wrote is connected to this one, whatever else was changed in it; its ledger
    goes, for what that tells of went with that sandbox. BadConfiguration when the folder holds another.
    """
    if (folder / MARK).exists():
        for path in folder.glob("n2k-ledger.sqlite*"):
            path.unlink()
    else:
        write_copy(folder)
        for name, desk in desks.items():
            with (folder / "desks" / f"{name}.toml").open("a", encoding="utf-8") as file:
                file.writelines(toml_lines.person(one.name, one.address, one.roles) for one in desk.people)
        toml_lines.tell(folder / "agent.toml", {"mode": "live"})
        (folder / MARK).touch()
    tenant = {
        "id": sandbox.tenant_id,
        "client": sandbox.client_id,
        "certificate": str(sandbox.certificate_file),
        "authority": sandbox.base_url,
        "graph": sandbox.base_url,
        "ca_file": str(sandbox.ca_file),
    }
    toml_lines.tell(folder / "agent.toml", {"desks": list(desks), **tenant})
    for name, desk in desks.items():
        place = {
            "mailbox": desk.mailbox,
            "site": desk.register.site,
            "allowed_domains": list(desk.allowed_domains),
        }
        toml_lines.tell(folder / "desks" / f"{name}.toml", place)
