"""Changes an Office package as what it is: the tree of one part is changed a little, and all packed again."""

from __future__ import annotations

import copy
import io
import random
import zipfile
from collections.abc import Callable

import atheris  # type: ignore[import-untyped]  # not among the project's packages
from lxml import etree

ODD = (
    *("", " ", "0", "1", "-1", "2000000000", "1e400", "NaN", "true", "x", "s", "/", "#", "\u0661", "\ud7ff"),
    *("A1", "A1:XFD1048576", "B2:A1", "$A$1", "XFD1048576", "rId1", "rId999", "../../x", "inlineStr"),
    *("begin", "end", "2026-02-30", "9999-12-31", "Date:", "Senior Leadership Alert Form", "=1+1"),
    *("_x0041_", "a\nb", "é" * 300),
)
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Another package; no package is changed as plain bytes."""
    dice = random.Random(seed)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:  # whatever earlier changes made of it
        parts = []
    if not parts or dice.random() < 0.05:
        return bytes(atheris.Mutate(data, most))
    number = dice.randrange(len(parts))
    name, content = parts[number]
    if dice.random() < 0.02:
        del parts[number]
    else:
        parts[number] = (name, _part(content, dice))
    whole = _packed(parts)
    return whole if len(whole) <= most else data


def _packed(parts: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in dict(parts).items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def _part(content: bytes, dice: random.Random) -> bytes:
    if dice.random() < 0.1:
        return bytes(atheris.Mutate(content, len(content) + 200))
    try:
        root = etree.fromstring(content, _PARSER)
        elements = [one for one in root.iter() if isinstance(one.tag, str)]
        for _ in range(dice.choice((1, 1, 2, 5))):
            dice.choice(CHANGES)(dice.choice(elements), elements, dice)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    except (etree.LxmlError, ValueError):
        return bytes(atheris.Mutate(content, len(content) + 200))


# --- small changes of a tree ---------------------------------------------------------------------

Elements = list[etree._Element]


def _leave_out(one: etree._Element, _all: Elements, _dice: random.Random) -> None:
    parent = one.getparent()
    if parent is not None:
        parent.remove(one)


def _double(one: etree._Element, _all: Elements, _dice: random.Random) -> None:
    if one.getparent() is not None:
        one.addnext(copy.deepcopy(one))


def _put_elsewhere(one: etree._Element, others: Elements, dice: random.Random) -> None:
    """A copy, so that nothing can come to lie within itself."""
    target = dice.choice(others)
    target.insert(dice.randrange(len(target) + 1), copy.deepcopy(one))


def _name_otherwise(one: etree._Element, others: Elements, dice: random.Random) -> None:
    one.tag = dice.choice(others).tag


def _say_otherwise(one: etree._Element, others: Elements, dice: random.Random) -> None:
    one.text = dice.choice((dice.choice(ODD), dice.choice(others).text))


def _set(one: etree._Element, others: Elements, dice: random.Random) -> None:
    """An attribute of its own, or of another element, to something odd."""
    names = list(one.attrib) or list(dice.choice(others).attrib)
    if names:
        one.set(dice.choice(names), dice.choice(ODD))


def _unset(one: etree._Element, _all: Elements, dice: random.Random) -> None:
    if one.attrib:
        del one.attrib[dice.choice(list(one.attrib))]


CHANGES: tuple[Callable[[etree._Element, Elements, random.Random], None], ...] = (
    *(_leave_out, _double, _put_elsewhere, _name_otherwise, _say_otherwise, _set, _set, _unset),
)
