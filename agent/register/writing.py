"""Puts one value into one cell: a date as a date, a number as a number, and text never but as text."""

from __future__ import annotations

import re
from datetime import datetime

from lxml import etree

from agent.procedure.rules import Column
from agent.register.cells import moment_in, number_text, serial
from agent.register.package import q
from agent.register.values import Values

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_RISKY = ("=", "+", "-", "@", "\t")  # what Excel would take for a formula once somebody edits the cell
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def put(found: etree._Element, column: Column, value: str, values: Values) -> None:
    """Write `value` into a cell of `column`, keeping its look as far as it fits; "" clears the cell."""
    for child in list(found):
        found.remove(child)
    for name in ("t", "cm", "vm"):
        found.attrib.pop(name, "")
    if value and not (_put_moment(found, column, value, values) or _put_number(found, column, value, values)):
        _put_text(found, value, values)


def look_of(found: etree._Element) -> int:
    """The number of a cell's look."""
    return int(found.get("s", "0"))


def _put_moment(found: etree._Element, column: Column, value: str, values: Values) -> bool:
    moment = moment_in(value) if _may_be_date(found, column, values) else None
    number = serial(moment, since_1904=values.since_1904) if moment is not None else None
    if number is None:
        return False
    has_time = isinstance(moment, datetime) or column.format == "datetime"
    _dress(found, values.styles.for_moment(look_of(found), has_time=has_time))
    etree.SubElement(found, q("v")).text = number_text(number)
    return True


def _may_be_date(found: etree._Element, column: Column, values: Values) -> bool:
    if column.format in ("date", "datetime"):
        return True
    persons_own = column.owner == "person" and not column.field
    return persons_own and values.styles.is_date(look_of(found))


def _put_number(found: etree._Element, column: Column, value: str, values: Values) -> bool:
    if column.format != "number":
        return False
    try:
        number = float(value)
    except ValueError:
        return False
    if number_text(number) != value:  # `nan`, `1e5`, `007`: text that only looks like a number
        return False
    _dress(found, values.styles.for_number(look_of(found)))
    etree.SubElement(found, q("v")).text = value
    return True


def _put_text(found: etree._Element, value: str, values: Values) -> None:
    _dress(found, values.styles.for_text(look_of(found), quoted=value.startswith(_RISKY)))
    found.set("t", "inlineStr")
    text = etree.SubElement(etree.SubElement(found, q("is")), q("t"))
    text.text = _ESCAPE.sub("_x005F_", value)
    if value != value.strip() or "\n" in value:  # else Excel needs no telling, in each of thousands of cells
        text.set(_SPACE, "preserve")


def _dress(found: etree._Element, look: int) -> None:
    if look or found.get("s"):
        found.set("s", str(look))
