"""The custom XML parts of a Word document, from which bound controls take what they show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lxml import etree

from agent.forms.package import Package, Relation, attribute
from agent.forms.word_names import W

# plain steps to a node; no functions but those without arguments, so that no path can be made to take long
_PATH = re.compile(r"[\w:/@\[\]().'= -]{1,300}")


class Stores:
    """The stores that a document names, read when the first bound control asks."""

    def __init__(self, package: Package, relations: Sequence[Relation]) -> None:
        self._package = package
        self._relations = relations
        self._known: dict[str, etree._Element] | None = None

    def value(self, binding: etree._Element) -> str | None:
        """What is stored for a control with this `w:dataBinding`; None where nothing can be told."""
        if self._known is None:
            self._known = dict(self._read())
        store = self._known.get(binding.get(W + "storeItemID", "").upper())
        path = binding.get(W + "xpath", "")
        if store is None or not _PATH.fullmatch(path):
            return None
        spaces = dict(re.findall(r"xmlns:(\w+)=['\"]([^'\"]+)['\"]", binding.get(W + "prefixMappings", "")))
        try:
            found = store.getroottree().xpath(path, namespaces=spaces or None)
        except (etree.XPathError, ValueError, TypeError):
            return None
        if not isinstance(found, list) or not found:
            return None
        node = found[0]
        return "".join(map(str, node.itertext())) if isinstance(node, etree._Element) else str(node)

    def _read(self) -> Iterator[tuple[str, etree._Element]]:
        for relation in self._relations:
            if relation.kind != "customXml" or relation.external or relation.target not in self._package:
                continue
            for about in self._package.relations(relation.target):
                if about.kind == "customXmlProps" and about.target in self._package:
                    item = attribute(self._package.xml(about.target), "itemID")
                    yield item.upper(), self._package.xml(relation.target)
