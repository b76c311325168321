"""Is a mail from whom it says? As the mailbox's own server found out and wrote on its envelope."""

from __future__ import annotations

import re

from agent.procedure.mail import Mail

_FOUND = re.compile(r"\b(compauth|dmarc|dkim|spf)=(\w+)", re.IGNORECASE)


def is_forged(mail: Mail) -> bool:
    """Whether the server could not prove that a mail comes from the domain it names (RFC 8601).

    Exchange weighs it all together in `compauth`; where that is not said, DMARC tells, else SPF and DKIM.
    A mail on which no server wrote anything never left the house.
    """
    told = _FOUND.findall(mail.headers.get("authentication-results", "").lower())
    found: dict[str, str] = dict(reversed(told))
    if "compauth" in found:
        return found["compauth"] == "fail"
    if found.get("dmarc") not in (None, "none", "bestguesspass"):
        return found["dmarc"] == "fail"
    return found.get("spf") in ("fail", "softfail") and found.get("dkim") != "pass"
