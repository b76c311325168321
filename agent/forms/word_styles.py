"""Which styles of a Word document hide the text that is set in them."""

from __future__ import annotations

from lxml import etree

from agent.forms.word_names import W

_MOST_STEPS = 20  # from a style to the one it is based on; Word allows half as many


def styles_that_hide(content: bytes) -> frozenset[str]:
    """The ids of such styles in a styles part. A part that cannot be read hides nothing."""
    if b"vanish" not in content:
        return frozenset()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(content, parser)
    styles = {} if root is None else {at.get(W + "styleId", ""): at for at in root.iterfind(W + "style")}
    return frozenset(name for name in styles if _hides(name, styles))


def _hides(name: str, styles: dict[str, etree._Element]) -> bool:
    """The nearest style that says anything of it decides: the style itself, or those it is based on."""
    for _ in range(_MOST_STEPS):
        style = styles.get(name)
        if style is None:
            return False
        vanish = style.find(f"{W}rPr/{W}vanish")
        if vanish is not None:
            return vanish.get(W + "val", "1") not in ("0", "false", "off")
        based = style.find(W + "basedOn")
        name = "" if based is None else based.get(W + "val", "")
    return False
