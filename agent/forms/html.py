"""A mail's HTML → the text a reader sees, a line for each block."""

from __future__ import annotations

import re

from lxml import etree

MOST = 5_000_000  # characters of HTML looked at

_SILENT = frozenset(("script", "style", "head", "title", "template", "noscript"))
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "br", "center", "dd", "div", "dl", "dt", "fieldset"),
        *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol"),
        *("p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    )
)


def text_of_html(page: str) -> str:
    """The readable text of `page`; nothing is fetched, no script is run. Broken pages give what they hold."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(page[:MOST].encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return ""
    return "" if root is None else _tidy("".join(_said(root)))


def _said(root: etree._Element) -> list[str]:
    said: list[str] = []
    silent = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            silent += tag in _SILENT
            if tag in _BLOCKS:
                said.append("\n")
            if not silent:
                said.append(re.sub(r"\s+", " ", element.text or "") if tag != "pre" else element.text or "")
            continue
        silent -= tag in _SILENT
        if tag in ("td", "th"):
            said.append("\t")
        elif tag in _BLOCKS and tag != "br":
            said.append("\n")
        elif tag == "a" and not silent:
            said.append(_where_to(element))
        if not silent:
            said.append(re.sub(r"\s+", " ", element.tail or ""))
    return said


def _where_to(link: etree._Element) -> str:
    """A link's address behind its words, as Outlook writes it in plain text; nothing is ever followed."""
    address = (link.get("href") or "").strip()
    shown = "".join(map(str, link.itertext())).strip()
    return f" <{address}>" if address.lower().startswith("http") and address != shown else ""


def _tidy(text: str) -> str:
    lines = [re.sub(r"[ \u00a0]+", " ", line).strip(" \t") for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
