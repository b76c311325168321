"""Between HTML and plain text, as far as Exchange goes when it shows or quotes a mail."""

from __future__ import annotations

import re
from html import escape, unescape


def text_of_html(html: str) -> str:
    """The readable text of a small HTML body, as Exchange derives one for the plain alternative."""
    html = re.sub(r"(?is)<(script|style|head)\b.*?</\1>", "", html)
    html = re.sub(r"(?i)<(br|/p|/div|/tr|/h[1-6]|/li)\b[^>]*>", "\n", html)
    text = unescape(re.sub(r"(?s)<[^>]*>", "", html))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.splitlines())).strip() + "\n"


def html_of_text(text: str) -> str:
    return "<html><body>" + escape(text).replace("\n", "<br>\n") + "</body></html>"


def inner_html(html: str) -> str:
    """What stands between the body tags."""
    found = re.search(r"(?is)<body\b[^>]*>(.*)</body>", html)
    return found[1] if found else html


def safe_html(html: str) -> str:
    """The body without what could run: Graph hands no scripts out unless told to."""
    html = re.sub(r"(?is)<(script|object|iframe|applet)\b.*?</\1\s*>", "", html)
    return re.sub(r"(?is)\son\w+\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", "", html)
