"""The digest's chart: the right bars, in words too, and shown within the letter."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from agent.letters.chart import HEIGHT, SCALE, WIDTH, bar_chart
from agent.procedure.digest import by_age
from tests.letters.samples import samples

BARS = (("under 1 week", 4), ("1 to 2 weeks", 1), ("over 8 weeks", 0))


def blue_pixels(png: bytes, bars: int) -> list[int]:
    """How much of each bar's part of the picture is filled."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    slot = picture.width / bars
    parts = [picture.crop((int(slot * at), 0, int(slot * (at + 1)), picture.height)) for at in range(bars)]
    return [
        sum(count for count, colour in part.getcolors(1 << 24) or () if colour == (18, 64, 111))
        for part in parts
    ]


def test_bars_are_as_high_as_their_numbers() -> None:
    png = bar_chart(BARS)
    four, one, none = blue_pixels(png, 3)

    assert Image.open(io.BytesIO(png)).size == (WIDTH * SCALE, HEIGHT * SCALE)
    assert four == pytest.approx(4 * one, rel=0.05)
    assert none == 0
    assert bar_chart(BARS) == png


def test_a_week_in_which_nothing_is_open_still_has_a_picture() -> None:
    assert blue_pixels(bar_chart([("under 1 week", 0)]), 1) == [0]
    with pytest.raises(ValueError, match="at least one bar"):
        bar_chart([])


def test_alerts_are_counted_by_how_long_they_have_been_open() -> None:
    assert by_age([0, 6, 7, 13, 14, 27, 28, 55, 56, 400]) == (
        ("under 1 week", 2),
        ("1 to 2 weeks", 2),
        ("2 to 4 weeks", 2),
        ("4 to 8 weeks", 2),
        ("over 8 weeks", 2),
    )


def test_the_digest_shows_the_picture_and_says_what_it_shows() -> None:
    letter = samples()["weekly_digest"]
    ((content_id, png),) = letter.pictures

    assert f'src="cid:{content_id}"' in letter.html
    assert png.startswith(b"\x89PNG")
    assert 'alt="Open alerts by age: under 1 week: 1, 1 to 2 weeks: 2, 2 to 4 weeks: 3,' in letter.html
    assert "- 1 to 2 weeks: 2" in letter.text


def test_with_nothing_open_there_is_no_picture() -> None:
    letter = samples()["weekly_digest of a quiet week"]

    assert letter.pictures == ()
    assert "cid:" not in letter.html
