"""Content controls of a Word document: one answer each, be it shown or kept in the document's store."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.forms.stream import Stream
from agent.forms.units import Unit, joined
from agent.forms.word_looks import Look, child_of, is_on, leading, look_of, val
from agent.forms.word_names import SDT, SDT_CONTENT, SDT_PR, TBL, TR, W14, W15, Element, P, W
from agent.forms.word_store import Stores

Walk = Callable[[Element], None]

# kinds of content controls that hold no single answer: what is inside speaks for itself
_FRAMES = frozenset(
    {
        *(W + name for name in ("docPartObj", "docPartList", "group", "picture", "bibliography", "citation")),
        *(W + "equation", W15 + "repeatingSection", W15 + "repeatingSectionItem"),
    }
)
RUN = W + "r"
# what only a control that asks for an answer has
_ASKS = frozenset(
    W + name
    for name in (
        *("text", "richText", "comboBox", "dropDownList", "date"),
        *("showingPlcHdr", "placeholder", "alias", "tag"),
    )
)


class Controls:
    """Writes the controls of one document; what stands inside them is walked by whoever found them."""

    def __init__(self, stream: Stream, stores: Stores) -> None:
        self._stream = stream
        self._stores = stores

    def read(self, at: Element, walk: Walk) -> None:
        """The control `at`, over whose content `walk` goes."""
        pr, content = leading(at, SDT_PR), child_of(at, SDT_CONTENT)
        if content is None:
            return
        about = look_of(pr)
        if _is_frame(about, content):
            walk(content)
            return
        tag, alias = val(about.get(W + "tag")), val(about.get(W + "alias"))
        if (box := about.get(W14 + "checkbox")) is not None:
            state = box.find(W14 + "checked")
            ticked = state is not None and state.get(W14 + "val") in ("1", "true")
            self._stream.tick(ticked, tag=tag, alias=alias)
            return
        unit = self._answer(about, content, walk)
        if unit is not None:
            unit.tag, unit.alias = tag, alias
            self._stream.add(unit)

    def _answer(self, about: Look, content: Element, walk: Walk) -> Unit | None:
        """A control with one answer: what it shows, unless that is a prompt or its store knows better."""
        stream = self._stream
        if child_of(content, P) is not None:
            stream.new_line()
        line = stream.line
        with stream.apart() as inner:
            walk(content)
        if any(unit.kind == "checkbox" for unit in inner):
            stream.document.units += inner
            return None
        unit = Unit("control", joined(inner), line, stream.cell, stream.part)
        if is_on(about.get(W + "showingPlcHdr")):
            unit.called_prompt = "" if _looks_like_prompt(content) else unit.text
            unit.text = ""
        elif _is_prompt(about, unit.text):
            unit.text = ""
        unit.options = tuple(
            item.get(W + "displayText", "") for item in _choices(about) if item.get(W + "value")
        )
        if (date := about.get(W + "date")) is not None:
            unit.dated = True
            unit.iso = date.get(W + "fullDate", "") if unit.text else ""
        self._prefer_store(about, unit)
        return unit

    def _prefer_store(self, about: Look, unit: Unit) -> None:
        """Word fills a bound control from its store whenever it opens the document."""
        binding = about.get(W + "dataBinding")
        stored = None if binding is None else self._stores.value(binding)
        if not stored:
            return
        if W + "date" in about and (not unit.iso or unit.iso[:10] == stored[:10]):
            unit.iso = stored  # the same day, of which the control shows another writing
            return
        shown = _displayed(about, stored)
        if shown.split() != unit.text.split():
            unit.conflict, unit.text, unit.iso = unit.text, shown, ""


def _is_frame(about: Look, content: Element) -> bool:
    """A control around other controls or tables, or one that some editors put around everything."""
    if not _FRAMES.isdisjoint(about):
        return True
    if W14 + "checkbox" in about:
        return False
    if any(child.tag != RUN and next(child.iter(SDT, TBL, TR), None) is not None for child in content):
        return True
    return val(about.get(W + "tag")).startswith("goog_rdk") or _ASKS.isdisjoint(about)


def _choices(about: Look) -> Iterable[Element]:
    """What a drop-down offers."""
    found = about.get(W + "dropDownList", about.get(W + "comboBox"))
    return () if found is None else found


def _displayed(about: Look, stored: str) -> str:
    """What a control shows of a stored value: of a list, the words of the entry."""
    shown = (
        item.get(W + "displayText", stored) for item in _choices(about) if item.get(W + "value") == stored
    )
    return next(shown, stored)


def _looks_like_prompt(content: Element) -> bool:
    """Whether what a control shows is set in the style that Word has for prompts."""
    return any(val(style).startswith("Placeholder") for style in content.iter(W + "rStyle"))


def _is_prompt(about: Look, text: str) -> bool:
    """A drop-down left on its first entry, the one without a value."""
    return any(
        item.get(W + "value", "") == "" and item.get(W + "displayText") == text for item in _choices(about)
    )
