"""A small bar chart as a PNG, for the digest. What it shows always stands in words beside it, too."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

SCALE = 2  # pixels for each point, so that it is sharp on a good screen
WIDTH, HEIGHT = 600, 180
_SIDE, _TOP, _BOTTOM = 6, 32, 36
_INK, _SOFT, _BAR, _RULE, _PAPER = "#1b2228", "#505a64", "#12406f", "#aab4be", "#ffffff"


def bar_chart(bars: Sequence[tuple[str, int]]) -> bytes:
    """Upright bars, each with its number above and its label below. The same bars give the same bytes.

    Raises ValueError without bars.
    """
    if not bars:
        raise ValueError("A chart needs at least one bar.")
    picture = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), _PAPER)
    pen = ImageDraw.Draw(picture)
    most = max(1, *(number for _, number in bars))
    slot = (WIDTH - 2 * _SIDE) / len(bars)
    ground = HEIGHT - _BOTTOM
    for place, (label, number) in enumerate(bars):
        middle = _SIDE + slot * (place + 0.5)
        top = ground - (ground - _TOP) * number / most
        if number:
            pen.rectangle(_scaled(middle - slot * 0.3, top, middle + slot * 0.3, ground), fill=_BAR)
        _write(pen, str(number), middle, top - 15, size=20, colour=_INK)
        _write(pen, label, middle, ground + 18, size=17, colour=_SOFT)
    pen.line(_scaled(_SIDE, ground, WIDTH - _SIDE, ground), fill=_RULE, width=SCALE)
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


def _scaled(*points: float) -> tuple[float, ...]:
    return tuple(point * SCALE for point in points)


def _write(pen: Any, words: str, x: float, y: float, *, size: int, colour: str) -> None:
    pen.text(_scaled(x, y), words, font=ImageFont.load_default(size * SCALE), fill=colour, anchor="mm")
