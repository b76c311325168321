"""Complex fields of a Word document, and the form fields that Word had before content controls."""

from __future__ import annotations

from dataclasses import dataclass

from agent.forms.stream import Stream
from agent.forms.units import Unit, joined
from agent.forms.word_looks import is_on, number_of, val
from agent.forms.word_names import Element, W


@dataclass
class _OpenField:
    """A complex field that has begun. Its instruction is mute; its result may be an answer."""

    mute: bool
    answer: bool
    units: list[Unit]
    start: int = 0


class Fields:
    """The fields that are open where a document is being walked; each is opened and closed by a mark."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._open: list[_OpenField] = []
        self.mute = False  # whether nothing that stands here is for people to see

    def end_all(self) -> bool:
        """Whether any was left open. They end where the part of the document does."""
        were_open = bool(self._open)
        self._open.clear()
        self.mute = False
        return were_open

    def mark(self, at: Element) -> None:
        """A field begins, tells its result from here on, or ends."""
        kind = at.get(W + "fldCharType")
        if kind == "begin":
            self._begin(at.find(W + "ffData"))
        elif self._open and kind == "separate":
            field = self._open[-1]
            if field.answer:
                self._stream.flush()
            field.mute = field.answer is False and field.start < 0
            field.start = len(self._stream.document.units) if field.start >= 0 else field.start
        elif self._open and kind == "end":
            self._end(self._open.pop())
        self.mute = any(field.mute for field in self._open)

    def _begin(self, data: Element | None) -> None:
        """A tick box or a drop-down has its state right here; any cached result is ignored (`start` < 0)."""
        stream = self._stream
        field = _OpenField(mute=True, answer=False, units=stream.document.units)
        if data is not None:
            if (box := data.find(W + "checkBox")) is not None:
                state = box.find(W + "checked")
                stream.tick(is_on(box.find(W + "default") if state is None else state))
                field.start = -1
            elif (choices := data.find(W + "ddList")) is not None:
                unit = Unit("control", _chosen_entry(choices), stream.line, stream.cell, stream.part)
                unit.options = tuple(val(entry) for entry in choices.iterfind(W + "listEntry"))
                stream.add(unit)
                field.start = -1
            else:
                field.answer = data.find(W + "textInput") is not None
        self._open.append(field)

    def _end(self, field: _OpenField) -> None:
        self._stream.flush()
        units = self._stream.document.units
        if not field.answer or field.units is not units or field.mute:
            return
        inner = units[field.start :]
        del units[field.start :]
        line = inner[0].line if inner else self._stream.line
        self._stream.add(Unit("control", joined(inner), line, self._stream.cell, self._stream.part))


def _chosen_entry(choices: Element) -> str:
    """A legacy drop-down knows its answer only as an index into its entries."""
    entries = [val(entry) for entry in choices.iterfind(W + "listEntry")]
    index = choices.find(W + "result")
    place = number_of(choices.find(W + "default") if index is None else index, 0)
    return entries[place] if place < len(entries) else ""
