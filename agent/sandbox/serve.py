"""`n2k sandbox`: serve an embedded Microsoft 365 until stopped, with a configuration that connects to it."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from agent.errors import BadConfiguration
from agent.sandbox.mail_folder import load_mail_folder
from agent.sandbox.server import Sandbox
from agent.sandbox.story import load_story
from agent.settings import DeskSettings, load, shipped, write_copy

SITE_HOST, SITE_PATH, SITE_NAME = "sandbox.sharepoint.example", "/sites/need-to-know", "Need to Know"


def serve(*, mail: Path | None, port: int, config_to: Path | None) -> int:
    """Serve until SIGTERM or SIGINT. Prints one line of JSON once it answers; gives the exit status.

    Each sub-folder of `mail` is a mailbox address holding .eml files. BadConfiguration when a folder
    cannot be used.
    """
    if mail is not None and not mail.is_dir():
        raise BadConfiguration([f"{mail} is no folder. It holds a folder for each mailbox address."])
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    desks = _desks(mail)
    domains = sorted({desk.mailbox.rpartition("@")[2] for desk in desks.values()})
    with Sandbox(domains=domains, port=port) as sandbox:
        _furnish(sandbox, desks, mail)
        if config_to is not None:
            write_config(config_to, sandbox, desks)
        print(json.dumps(ready(sandbox, config_to)), flush=True)  # noqa: T201 - the one line a caller waits for
        while not stop.wait(0.5):
            pass
    return 0


def ready(sandbox: Sandbox, config: Path | None) -> dict[str, str]:
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
    }
    return {**told, "config": str(config)} if config else told


def _desks(mail: Path | None) -> dict[str, DeskSettings]:
    """The shipped desks, their register on the sandbox's site and invented people in the roles.

    Where the mail folder holds just one mailbox and it is none of theirs, the first desk watches that.
    """
    settings = load(shipped()[0])
    boxes = (
        [path.name.lower() for path in sorted(mail.iterdir()) if path.is_dir() and "@" in path.name]
        if mail
        else []
    )
    desks = {}
    for number, (name, desk) in enumerate(settings.desks.items()):
        own = {address.lower() for address in (desk.mailbox, *desk.aliases)}
        alone = number == 0 and len(boxes) == 1 and boxes[0] not in own
        mailbox = boxes[0] if alone else next((box for box in boxes if box in own), desk.mailbox)
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


def write_config(folder: Path, sandbox: Sandbox, desks: Mapping[str, DeskSettings]) -> None:
    """A configuration folder with which an agent works against this sandbox."""
    write_copy(folder)
    agent = folder / "agent.toml"
    agent.write_text(
        _told_anew(
            agent.read_text(encoding="utf-8"),
            {
                "mode": "live",
                "id": sandbox.tenant_id,
                "client": sandbox.client_id,
                "certificate": str(sandbox.certificate_file),
                "authority": sandbox.base_url,
                "graph": sandbox.base_url,
                "ca_file": str(sandbox.ca_file),
            },
        ),
        encoding="utf-8",
    )
    for name, desk in desks.items():
        path = folder / "desks" / f"{name}.toml"
        told = _told_anew(
            path.read_text(encoding="utf-8"), {"mailbox": desk.mailbox, "site": desk.register.site}
        )
        told = re.sub(
            r"^allowed_domains = .*$",
            f"allowed_domains = {json.dumps(desk.allowed_domains)}",
            told,
            flags=re.M,
        )
        path.write_text(
            told + "".join(_person(person.name, person.address, person.roles) for person in desk.people)
        )


def _told_anew(toml: str, values: Mapping[str, str]) -> str:
    """The TOML with these keys set; each stands in it once, at the start of a line."""
    for key, value in values.items():
        line = f"{key} = {json.dumps(value)}".replace("\\", r"\\")
        toml = re.sub(rf"^{key} = .*$", line, toml, count=1, flags=re.M)
    return toml


def _person(name: str, address: str, roles: tuple[str, ...]) -> str:
    told = {"name": name, "address": address, "roles": list(roles)}
    lines = "\n".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in told.items())
    return f"\n[[people]]\n{lines}\n"
