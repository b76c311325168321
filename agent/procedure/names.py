"""Children's names, compared by meaning: never so loosely that two children become one."""

from __future__ import annotations

import re
from functools import lru_cache

from agent.procedure.text import fold, slips, undressed

# Differences that are only dress: the same name, written otherwise.
DRESS = frozenset({"diacritic_variant", "hyphen_variant", "apostrophe_variant", "name_order_variant"})

# Spellings of one name that families and offices use side by side.
_SPELLINGS = (
    "muhammad mohammed mohammad mohamed muhammed mohamad mahomed muhamed",
    "ahmed ahmad ahmet",
    "hussain hussein husain hussayn hossein husein",
    "yusuf yousef yousuf yusef youssef yousif",
    "hassan hasan",
    "omar umar omer",
    "fatima fatimah fatema fatemeh",
    "aisha ayesha aysha aishah aicha",
    "ibrahim ebrahim",
    "abdullah abdallah abdulla abdalla",
    "zainab zaynab zeinab zaineb",
    "khadija khadijah khadeeja",
    "maryam mariam miriam",
    "saeed said sayed syed",
    "oleksandr aleksandr alexandr aleksander alexander",
    "oleksandra aleksandra alexandra",
    "sergei sergey serhii serhiy",
    "dmitri dmitry dmytro dmitriy",
    "yulia yuliia iuliia julia",
    "natalia nataliia natalya nataliya",
    "volodymyr vladimir",
    "mykola nikolai nikolay",
    "kateryna ekaterina katerina",
    "andrii andriy andrei andrey",
)
_GROUP = re.compile(r"\s*\([^)]*\)$")
_VAGUE = re.compile(r"(?:child|yp|young person|sibling|baby|unborn)\b", re.IGNORECASE)
_BEGINNING = 5  # letters of a name run together by which it is looked up: few share them, and few are kept
_ONE_SPELLING = {spelling: row.split()[0] for row in _SPELLINGS for spelling in row.split()}


@lru_cache(maxsize=65536)
def name_words(name: str) -> tuple[str, ...]:
    """`Owain Gethin-Prys` → owain, gethin, prys; `SMITH, John` → john, smith; `T.M.` → t, m."""
    family, comma, given = name.partition(",")
    plain = fold(f"{given} {family}" if comma else name).replace("'", "")
    if is_initials(name):
        return tuple(re.findall(r"\w", plain))
    return tuple(re.findall(r"[^\W_]+", plain))


def is_initials(name: str) -> bool:
    """`JS`, `L.B.`, `T. M.`: letters standing for a name, nobody's name in full."""
    bare = name.replace(".", "").replace(" ", "")
    return bare.isalpha() and bare.isupper() and (len(bare) == 1 or (len(bare) <= 4 and _no_full_word(name)))


def _no_full_word(name: str) -> bool:
    parts = [part for part in re.split(r"[.\s]+", name) if part]
    return all(len(part) == 1 for part in parts) or (len(parts) == 1 and len(parts[0]) <= 3)


def is_full(name: str) -> bool:
    """A first name and a family name, both written out."""
    return not is_initials(name) and sum(len(word) > 1 for word in name_words(name)) >= 2


def differences(one: str, other: str) -> frozenset[str] | None:
    """How two spellings of a name differ, as codes; empty when they do not; None for two names.

    The codes in `DRESS` leave no doubt that it is one name. `spelling_variant`,
    `transliteration_variant`, `abbreviated_name` and `name_part_missing` make it likely, not sure.
    """
    first, second = name_words(one), name_words(other)
    if not first or not second:
        return None
    if first == second:
        return _dress(one, other)
    if sorted(first) == sorted(second):
        return _dress(one, other) | {"name_order_variant"}
    if "".join(first) == "".join(second):
        unsure = is_initials(one) != is_initials(other)  # `ALI` may be Ali, or A. L. I.
        return frozenset({"abbreviated_name"}) if unsure else _joined(one, other)
    for code, test in (
        ("transliteration_variant", _transliterated),
        ("abbreviated_name", _abbreviated),
        ("name_part_missing", _part_of),
        ("spelling_variant", _misspelt),
    ):
        if test(first, second):
            return frozenset({code})
    return None


def likenesses(name: str) -> set[str]:
    """What a name is looked up by: two names between which `differences` finds any likeness have one of these
    in common; so may others."""
    words = name_words(name)
    if not words:
        return set()
    initials = "".join(word[0] for word in words).replace("c", "k")  # as `_begin_alike` has it
    return {*words, initials, "".join(words)[:_BEGINNING], _sounded(words)[:_BEGINNING]}


def same_name(one: str, other: str) -> bool:
    """One name, however it was dressed: accents, hyphens, apostrophes, order, case."""
    found = differences(one, other)
    return found is not None and found <= DRESS


def alike(one: str, other: str) -> bool:
    """One name or possibly one: enough to propose, never enough to decide."""
    return differences(one, other) is not None


def may_be(told: str, known: str) -> bool:
    """Whether a name in a subject line may mean this child: a family is meant by its name, and a letter
    ("Child P"), initials or an unborn child's name speak against nobody."""
    family = _GROUP.sub("", told)
    if family != told:
        return share_a_word(family, known)
    return is_vague(told) or is_vague(known) or alike(told, known)


@lru_cache(maxsize=65536)
def is_vague(name: str) -> bool:
    """A name that names nobody in particular: `Child P`, `Unborn Smith`, `Rahmani (3 siblings)`."""
    return bool(_VAGUE.match(name) or _GROUP.search(name))


def _dress(one: str, other: str) -> frozenset[str]:
    left, right = undressed(one).casefold(), undressed(other).casefold()
    differ = {
        "diacritic_variant": _accented(left) != _accented(right),
        "hyphen_variant": left.count("-") != right.count("-"),
        "apostrophe_variant": left.count("'") != right.count("'"),
    }
    return frozenset(code for code, is_so in differ.items() if is_so)


def _accented(text: str) -> list[str]:
    return sorted(letter for letter in text if letter.isalpha() and fold(letter) != letter)


def _joined(one: str, other: str) -> frozenset[str]:
    """`Al-Khatib` and `Alkhatib`, `O'Brien` and `O Brien`: the same letters, parted otherwise."""
    apostrophe = "'" in undressed(one + other)
    return _dress(one, other) | {"apostrophe_variant" if apostrophe else "hyphen_variant"}


def _transliterated(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    return _sounded(first) == _sounded(second)


def _sounded(name: tuple[str, ...]) -> str:
    one = "".join(_ONE_SPELLING.get(word, word) for word in name)
    return re.sub(r"abd[aeu]l", "abdal", one).replace("rehman", "rahman")


def _abbreviated(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """`J S`, `J Smith`, `Tyrese O` beside the name in full: word for word, an initial or the word."""
    if len(first) != len(second) or all(len(word) > 1 for word in first + second):
        return False
    return all(
        a == b or (min(len(a), len(b)) == 1 and a[0] == b[0]) for a, b in zip(first, second, strict=True)
    )


def _part_of(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    shorter, longer = sorted((first, second), key=len)
    return any(len(word) > 1 for word in shorter) and set(shorter) < set(longer)


def _misspelt(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    if len(first) != len(second):
        return False
    return all(_slipped(a, b) for a, b in zip(first, second, strict=True))


def _slipped(a: str, b: str) -> bool:
    if a == b:
        return True
    most = 1 if min(len(a), len(b)) <= 6 else 2
    return _begin_alike(a, b) and min(len(a), len(b)) > 2 and slips(a, b, most) <= most


def _begin_alike(a: str, b: str) -> bool:
    """`Katherine` and `Catherine` sound alike; any other first letter makes another name (Dan, Jan)."""
    return a[0] == b[0] or {a[0], b[0]} == {"c", "k"}


def share_a_word(one: str, other: str) -> bool:
    """Whether two different names have a word in common: brothers and sisters, or a slip."""
    return bool({word for word in name_words(one) if len(word) > 1} & set(name_words(other)))
