"""`n2k setup`: writes what is missing and leaves what is there. Run again, it goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from agent import toml_lines
from agent.configuration import load, shipped, write_copy
from agent.m365.clouds import CloudName
from agent.settings import DeskSettings, Settings
from agent.settings_checks import missing_for_work
from agent.setup.answers import Answers, Ask, Say, asked, from_file
from agent.setup.certificate import make_certificate, public_half

STATIC = Path(__file__).parent / "scripts"
CERTIFICATE = "agent.pem"
PUBLIC = "agent-certificate.pem"

# how PowerShell's modules call the clouds: Connect-MgGraph, then Connect-ExchangeOnline
_POWERSHELL: dict[CloudName, tuple[str, str]] = {
    "worldwide": ("Global", "O365Default"),
    "usgov": ("USGov", "O365USGovGCCHigh"),
    "usgov_dod": ("USGovDoD", "O365USGovDoD"),
    "china": ("China", "O365China"),
}


def setup(folder: Path, now: datetime, ask: Ask, say: Say, *, answers: Path | None = None) -> int:
    """Prepare `folder`; gives the exit status, 1 while something is still to be filled in.

    The configuration is written only where there is none. In one that is there, nothing is changed.
    """
    if not (folder / "agent.toml").exists():
        known = load(shipped()[0])
        told = from_file(answers, known) if answers else asked(ask, say, known)
        write_configuration(folder, told)
        say(f"Wrote the configuration to {folder}: agent.toml, desks/{told.desk}.toml and what they name.")
    settings = load(folder)
    for line in (*_certificate(settings, now), *_scripts(settings)):
        say(line)
    missing = missing_for_work(settings)
    say("\nStill to be filled in:" if missing else "\nThe configuration is complete.")
    for problem in missing:
        say(f"  {problem}")
    say(f"Next: the scripts in {folder / 'scripts'}, in the order of their numbers, then `n2k doctor`.")
    return int(bool(missing))


def write_configuration(folder: Path, told: Answers) -> None:
    """The shipped configuration with the answers in their places, comments kept. No secret is among them."""
    write_copy(folder)
    by_certificate = told.sign_in_by == "certificate"
    agent = {
        "desks": [told.desk],
        "id": told.tenant,
        "client": told.client,
        "certificate": CERTIFICATE if by_certificate else "",
        "managed_identity": "" if by_certificate else told.sign_in_by,
    }
    desk = {
        "mailbox": told.mailbox,
        "aliases": list(told.aliases),
        "allowed_domains": list(told.allowed_domains),
        "site": told.site,
        **({"path": told.workbook} if told.workbook else {}),
    }
    toml_lines.tell(folder / "agent.toml", agent)
    file = folder / "desks" / f"{told.desk}.toml"
    toml_lines.tell(file, desk)
    with file.open("a", encoding="utf-8") as people:
        people.writelines(
            toml_lines.person(one.name, one.address, one.roles, one.deputy) for one in told.people
        )


def _certificate(settings: Settings, now: datetime) -> Iterator[str]:
    """The certificate that the configuration names, made if it is not there."""
    if not settings.agent.tenant.certificate:
        return
    path = Path(settings.agent.tenant.certificate)
    if path.exists():
        return
    make_certificate(path, now)
    yield f"Wrote {path}: the agent's private key, for nobody else to read, and its certificate."


def _scripts(settings: Settings) -> Iterator[str]:
    """The administrators' scripts with this configuration's values; one that was changed is left as it is."""
    folder = settings.folder / "scripts"
    folder.mkdir(exist_ok=True)
    for name, content in scripts(settings).items():
        path = folder / name
        if not path.exists():
            path.write_bytes(content)
            yield f"Wrote {path}."
        elif path.read_bytes() != content:
            yield f"{path} is there and would now be another; it was left. To have it anew, move it away."


def scripts(settings: Settings) -> dict[str, bytes]:
    """What lies in the folder of scripts, by name: each begins with this configuration's values.

    The values stand in a `param` block, so each can be given anew when the script is called.
    """
    values = _values(settings)
    written = {
        path.name: (_param(values) + path.read_text(encoding="utf-8")).encode()
        for path in sorted(STATIC.glob("*.ps1"))
    }
    certificate = settings.agent.tenant.certificate
    return {**written, PUBLIC: public_half(Path(certificate))} if certificate else written


def _values(settings: Settings) -> Mapping[str, str | list[str]]:
    tenant, desks = settings.agent.tenant, settings.desks.values()
    graph, exchange = _POWERSHELL[tenant.cloud]
    return {
        "TenantId": tenant.id,
        "ClientId": tenant.client,
        "Mailboxes": [desk.mailbox for desk in desks],
        "Sites": _sites(*desks),
        "SomebodyElse": next((person.address for desk in desks for person in desk.people), ""),
        "Certificate": PUBLIC if tenant.certificate else "",
        "GraphEnvironment": graph,
        "ExchangeEnvironment": exchange,
    }


def _sites(*desks: DeskSettings) -> list[str]:
    sites = [
        site
        for desk in desks
        for site in (desk.register.site, *(restricted.site for restricted in desk.register.apart))
    ]
    return list(dict.fromkeys(filter(None, sites)))


def _param(values: Mapping[str, str | list[str]]) -> str:
    lines = ",\n".join(
        f"    [string[]]${name} = @({', '.join(map(_quoted, told))})"
        if isinstance(told, list)
        else f"    [string]${name} = {_quoted(told)}"
        for name, told in values.items()
    )
    return (
        "# Written by `n2k setup` from the configuration. Read it before you run it (PowerShell 7).\n"
        f"param(\n{lines},\n    [switch]$Remove\n)\n\n"
    )


def _quoted(text: str) -> str:
    """A PowerShell string in which nothing is interpreted; it knows several characters for the quote."""
    for quote in "'‘’‚‛":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
