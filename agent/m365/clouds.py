"""Microsoft's clouds: where each signs in, keeps its data and opens its mail."""

from __future__ import annotations

from typing import Literal, NamedTuple

CloudName = Literal["worldwide", "usgov", "usgov_dod", "china"]


class Cloud(NamedTuple):
    """The addresses of one cloud; `mail_link` opens the mail of an `{id}`."""

    authority: str
    graph: str
    mail_link: str


def _cloud(authority: str, graph: str, outlook: str) -> Cloud:
    link = f"https://{outlook}/owa/?ItemID={{id}}&exvsurl=1&viewmodel=ReadMessageItem"
    return Cloud(f"https://{authority}", f"https://{graph}", link)


CLOUDS: dict[CloudName, Cloud] = {
    "worldwide": _cloud("login.microsoftonline.com", "graph.microsoft.com", "outlook.office365.com"),
    "usgov": _cloud("login.microsoftonline.us", "graph.microsoft.us", "outlook.office365.us"),
    "usgov_dod": _cloud("login.microsoftonline.us", "dod-graph.microsoft.us", "webmail.apps.mil"),
    "china": _cloud("login.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn", "partner.outlook.cn"),
}
