"""Text as a careful reader compares it: blind to case, accents and typographic dress, kind to slips."""

from __future__ import annotations

import re
import unicodedata

# Letters that Unicode does not take apart into a base letter and an accent.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ŀ": "l"}
)
APOSTROPHES = "'’‘ʼ´`′"
HYPHENS = "-‐‑‒–—−"
_DRESS = str.maketrans(
    {
        **dict.fromkeys(APOSTROPHES, "'"),
        **dict.fromkeys(HYPHENS, "-"),
        **dict.fromkeys("“”„«»", '"'),
        "\u00a0": " ",
        "\u202f": " ",
        "\u00ad": None,
        "\u200b": None,
        "\ufeff": None,
    }
)


def undressed(text: str) -> str:
    """Straight quotes, plain hyphens and single spaces; case and accents as they stood."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_DRESS).split())


def fold(text: str) -> str:
    """For comparing: lower case, no accents, straight quotes, plain hyphens, single spaces."""
    if text.isascii():
        return " ".join(text.lower().replace("`", "'").split())
    plain = unicodedata.normalize("NFKD", undressed(text)).casefold().translate(_DRESS)
    apart = unicodedata.normalize("NFKD", plain)
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(bare.translate(_PLAIN).split())


def words(text: str) -> list[str]:
    """The folded words of a text, without punctuation: `St. Mary's!` → `st`, `marys`."""
    return re.findall(r"\w+", fold(text).replace("'", "").replace("_", " "))


def slips(left: str, right: str, most: int = 2) -> int:
    """How many slips of the finger lie between two texts, at most `most` + 1.

    A slip is one letter more, less or other, or two neighbours changed round.
    """
    if left == right:
        return 0
    if most == 0 or abs(len(left) - len(right)) > most:
        return most + 1
    two_up: list[int] = []
    above = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            least = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                least = min(least, two_up[j - 2] + 1)
            row.append(least)
        if min(row) > most and min(above) > most:
            return most + 1
        two_up, above = above, row
    return min(above[-1], most + 1)


def word_set(text: str) -> frozenset[str]:
    """A list of words kept as a text, for the sake of readers."""
    return frozenset(text.split())


def has_phrase(text: str, phrase: str) -> bool:
    """Whether the words of `phrase` stand in `text` one after another, blind to case and accents."""
    return f" {' '.join(words(phrase))} " in f" {' '.join(words(text))} "
