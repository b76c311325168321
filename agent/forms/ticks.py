"""Tick marks that stand in text: ☑, "[x]", and the private characters that Wingdings leaves behind."""

from __future__ import annotations

import re

TICKED = "☑☒✓✔✗✘☓✅🗹🗷🗸■▣⊠⌧"
UNTICKED = "☐□▢◻◽❏❑⬜⬚"
# private-use characters of the Wingdings fonts: (ticked, not ticked)
WINGDINGS = ("\xfc\xfb\xfd\xfe\x78\x54", "\xa8\x6f\x71\x72")
WINGDINGS_2 = ("\x4f\x50\x51\x52\x53\x54\x55\x56", "\xa3\x2a\x30\x31")

_TICK = re.compile(rf"[{TICKED}{UNTICKED}\uf000-\uf0ff]|\[ ?[xX✓✔]? ?\]")


def pieces(text: str) -> list[str | bool]:
    """`text` in order: what is said, and whether each tick box between is ticked."""
    if text.isascii() and "[" not in text:
        return [text] if text else []
    found: list[str | bool] = []
    start = 0
    for mark in _TICK.finditer(text):
        state = _state(mark[0])
        if state is None:
            continue
        if mark.start() > start:
            found.append(text[start : mark.start()])
        found.append(state)
        start = mark.end()
    if start < len(text):
        found.append(text[start:])
    return found


def _state(mark: str) -> bool | None:
    """Whether a mark is ticked; None where the character is no tick box at all."""
    if mark[0] == "[":
        return len(mark.strip("[] ")) > 0
    if mark in TICKED:
        return True
    if mark in UNTICKED:
        return False
    char = chr(ord(mark) & 0xFF)
    return char in WINGDINGS[0] if char in WINGDINGS[0] + WINGDINGS[1] else None
