"""Custom properties of a workbook: whose it is, and what the agent wrote with its last writing.

Excel and LibreOffice keep them whoever saves; people see them under File > Info > Properties.
"""

from __future__ import annotations

from lxml import etree

from agent.register.package import (
    CONTENT_TYPES,
    RELATED,
    RELATIONSHIPS,
    TYPES,
    Package,
    free_id,
    relationships_of,
)

DESK = "Need to Know desk"  # which desk's agent keeps the workbook
MARK = "Need to Know mark"

_PART = "docProps/custom.xml"
_KIND = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_CUSTOM = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VALUES = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_ANY_FORMAT = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"  # the one that all custom properties carry
_FIRST_NUMBER = 2  # Excel counts them from here


def property_of(package: Package, name: str) -> str:
    """What a property says; "" where it is not there."""
    part = _part(package)
    found = _found(package.xml(part), name) if part else None
    return "" if found is None else "".join(str(text) for text in found.itertext()).strip()


def set_property(package: Package, name: str, value: str) -> None:
    """Let a property say `value`; the workbook gets a part for properties where it has none."""
    part = _part(package) or _add_part(package)
    root = package.xml(part)
    found = _found(root, name)
    if found is None:
        numbers = (int(known.get("pid", "0")) for known in root)
        found = etree.SubElement(root, f"{{{_CUSTOM}}}property", fmtid=_ANY_FORMAT, name=name)
        found.set("pid", str(max(numbers, default=_FIRST_NUMBER - 1) + 1))
    for child in list(found):
        found.remove(child)
    etree.SubElement(found, f"{{{_VALUES}}}lpwstr").text = value
    package.replace(part, root)


def _part(package: Package) -> str | None:
    part = package.first_related("", "custom-properties")
    return part if part is not None and part in package else None


def _found(root: etree._Element, name: str) -> etree._Element | None:
    return next((known for known in root if known.get("name") == name), None)


def _add_part(package: Package) -> str:
    package.replace(_PART, etree.Element(f"{{{_CUSTOM}}}Properties", nsmap={"vt": _VALUES}))
    types, links = package.xml(CONTENT_TYPES), package.xml(relationships_of(""))
    etree.SubElement(types, f"{{{TYPES}}}Override", PartName=f"/{_PART}", ContentType=_KIND)
    link = etree.SubElement(links, f"{{{RELATIONSHIPS}}}Relationship", Id=free_id(links), Target=_PART)
    link.set("Type", f"{RELATED}/custom-properties")
    package.replace(CONTENT_TYPES, types)
    package.replace(relationships_of(""), links)
    return _PART
