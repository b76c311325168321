"""How the register shows whose a column is and what a status means, with colour and without."""

from __future__ import annotations

from dataclasses import dataclass

from agent.procedure.words import Status

FONT = "Arial"
INK, FAINT, LINE = "1F2933", "7B8794", "D3D9E0"


@dataclass(frozen=True)
class Owner:
    """How a column shows whose it is. `mark` stands behind its heading, so that it needs no colour."""

    words: str
    meaning: str
    mark: str
    head: str
    ink: str
    body: str | None = None


OWNERS = {
    "agent": Owner(
        "the agent’s",
        "The agent fills these in. Whatever is typed here is put back at the next round, and reported.",
        "",
        "3E4C59",
        "FFFFFF",
    ),
    "proposed": Owner(
        "proposed",
        "The agent fills these in from the forms. Correct what is wrong: your entry then stays for good.",
        " ◇",
        "486581",
        "FFFFFF",
    ),
    "person": Owner(
        "yours to fill in",
        "Only people fill these in. The agent reads them and never writes here.",
        " ✎",
        "E9DFC7",
        INK,
        "FDFAF3",
    ),
}


@dataclass(frozen=True)
class Look:
    """How a status looks; `symbol` tells it without colour."""

    symbol: str
    meaning: str
    fill: str | None = None
    ink: str = INK
    bold: bool = False
    italic: bool = False


STATUSES = {
    Status.NOT_CONFIRMED: Look(
        "?",
        "The agent is not sure that this is an alert of its own; one of you has to say.",
        "FFE8CC",
        "7A3E00",
    ),
    Status.NEW: Look("●", "Just received; nothing has happened since.", "E3F0E6", "1B5E35", bold=True),
    Status.OPEN: Look("○", "Being worked on; no update is due yet."),
    Status.UPDATE_DUE: Look("△", "An update is due; the author is prompted.", "FFF3D1", "7A5200", bold=True),
    Status.UPDATE_OVERDUE: Look(
        "▲", "Prompted without an answer; chased further.", "FBE0DD", "9B1C1C", bold=True
    ),
    Status.ON_HOLD: Look("‖", "Not chased until the day given, or until you say so.", "EEF1F4", italic=True),
    Status.CONCLUSION_PROPOSED: Look(
        "◆", "A form gives a conclusion; one of you has to confirm it.", "E0ECF8", "1D4E89", bold=True
    ),
    Status.CONCLUDED: Look("✓", "Done. Nobody is chased any more.", ink=FAINT),
    Status.REOPENED: Look("↺", "Was concluded, and is open again.", "E3F0E6", "1B5E35", bold=True),
    Status.DUPLICATE: Look("≡", "The same matter as another alert. Not chased.", ink=FAINT, italic=True),
    Status.NOT_AN_ALERT: Look("–", "Came in by mistake. Not chased.", ink=FAINT, italic=True),
}
CLOSED = (Status.CONCLUDED, Status.DUPLICATE, Status.NOT_AN_ALERT)
