"""Content controls of a Word document: one answer each, be it shown or kept in the document's store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.forms.stream import Stream
from agent.forms.units import Unit, joined
from agent.forms.word_looks import Look, child_of, is_on, leading, look_of, val
from agent.forms.word_names import RUN, SDT, SDT_CONTENT, SDT_PR, TBL, TR, W14, W15, Element, P, W
from agent.forms.word_store import Stores

Walk = Callable[[Element], None]
Choices = Sequence[tuple[str, str]]  # the value of each entry of a drop-down, and what it shows

# kinds of content controls that hold no single answer: what is inside speaks for itself
_FRAMES = frozenset(
    {
        *(W + name for name in ("docPartObj", "docPartList", "group", "picture", "bibliography", "citation")),
        *(W + "equation", W15 + "repeatingSection", W15 + "repeatingSectionItem"),
    }
)
TAG, ALIAS, PROMPTS = W + "tag", W + "alias", W + "showingPlcHdr"
CHECKBOX, DROP_DOWN, COMBO, DATE = W14 + "checkbox", W + "dropDownList", W + "comboBox", W + "date"
BINDING, SHOWN, VALUE = W + "dataBinding", W + "displayText", W + "value"
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
        tag, alias = val(about.get(TAG)), val(about.get(ALIAS))
        if (box := about.get(CHECKBOX)) is not None:
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
        outer = stream.swap([])
        walk(content)
        inner = stream.swap(outer)
        if any(unit.kind == "checkbox" for unit in inner):
            stream.document.units += inner
            return None
        unit = Unit("control", joined(inner), line, stream.cell, stream.part)
        choices = _choices(about)
        if is_on(about.get(PROMPTS)):
            unit.called_prompt = "" if _looks_like_prompt(content) else unit.text
            unit.text = ""
        elif ("", unit.text) in choices:
            unit.text = ""  # left on its first entry, the one without a value
        unit.options = tuple([shown for value, shown in choices if value and shown])
        if (date := about.get(DATE)) is not None:
            unit.dated = True
            unit.iso = date.get(W + "fullDate", "") if unit.text else ""
        if (binding := about.get(BINDING)) is not None:
            self._prefer_store(unit, self._stores.value(binding), choices)
        return unit

    def _prefer_store(self, unit: Unit, stored: str | None, choices: Choices) -> None:
        """Word fills a bound control from its store whenever it opens the document."""
        if not stored:
            return
        if unit.dated and (not unit.iso or unit.iso[:10] == stored[:10]):
            unit.iso = stored  # the same day, of which the control shows another writing
            return
        shown = next((shown for value, shown in choices if shown and value == stored), stored)
        if shown.split() != unit.text.split():
            unit.conflict, unit.text, unit.iso = unit.text, shown, ""


def _is_frame(about: Look, content: Element) -> bool:
    """A control around other controls or tables, or one that some editors put around everything."""
    if not _FRAMES.isdisjoint(about):
        return True
    if CHECKBOX in about:
        return False
    if any(child.tag != RUN and next(child.iter(SDT, TBL, TR), None) is not None for child in content):
        return True
    return val(about.get(TAG)).startswith("goog_rdk") or _ASKS.isdisjoint(about)


def _choices(about: Look) -> Choices:
    """What a drop-down offers. Word's own first entry, "Choose an item.", shows no words and is no choice."""
    offers = about.get(DROP_DOWN, about.get(COMBO))
    return [] if offers is None else [(item.get(VALUE, ""), item.get(SHOWN, "")) for item in offers]


def _looks_like_prompt(content: Element) -> bool:
    """Whether what a control shows is set in the style that Word has for prompts."""
    return any(val(style).startswith("Placeholder") for style in content.iter(W + "rStyle"))
