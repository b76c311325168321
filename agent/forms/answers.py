"""The units found as an answer → a value of the field's type, how sure it is, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent.forms.dates import read_stamp
from agent.forms.definition import FormField
from agent.forms.labels import key
from agent.forms.units import Unit, boxed
from agent.procedure.written_dates import is_unknown

_PROMPT = re.compile(
    r"(?:click|tap|click or tap|press)(?: or tap)? (?:here )?to (?:enter|add|insert|choose|select)[\w ]*\.?"
    r"|(?:choose|select|pick|enter|insert|type)(?: an?| the)?(?: item| date| option| text| here)+\.?"
    r"|(?:click|tap|click or tap)(?: here)?(?: to(?: enter(?: an?)?)?)?"
    r"|enter date and time\.?|please (?:select|choose|specify)\.?|d{1,2}[/.-]m{1,3}[/.-]y{2,4}(?: hh:mm)?"
    r"|\[?(?:insert|enter|type|add)\b[\w /]*\]|_+|\.{3,}|…+|-+",
    re.IGNORECASE,
)
_LONGEST_DATE = 40  # characters: "Wednesday 30th September 2026 at 12.30pm"
_TO_WRITE_ON = "_.…"
_LEADERS = re.compile(r"^(?:_+|\.{3,}|…+|\s)+|(?:_+|\.{3,}|…+|\s)+$")  # lines to write on
_DIGIT = re.compile(r"\d")
_BETWEEN = " \t/|,;:"  # what may stand between answers that are offered
_NONE = re.compile(
    r"none|nil|-+|missing", re.IGNORECASE
)  # of a date that there is none; of anything else an answer
_BOTH = re.compile(r"yes\s*(?:[/|,]|or)?\s*no", re.IGNORECASE)
_YES_NO = re.compile(r"(yes|no|y|n)\b(?!/)", re.IGNORECASE)


@dataclass(frozen=True)
class Typed:
    """`text` is what stood there, `value` what it means ("" where that is not certain)."""

    value: str
    text: str
    certainty: float = 1.0
    problem: str = ""


def is_prompt(text: str) -> bool:
    """Whether a text only asks to be replaced."""
    return _PROMPT.fullmatch(" ".join(text.split())) is not None


def typed(asked: FormField, lines: Sequence[Sequence[Unit]]) -> Typed:
    """The answer to `asked` that stands on `lines`."""
    units = [unit for line in lines for unit in line]
    has_boxes = any(unit.kind == "checkbox" for unit in units)
    if asked.options and has_boxes:
        return _ticked(asked, lines)
    if has_boxes and asked.type in ("text", "person"):
        return _offered(lines)
    text = _written(lines)
    if not text or is_prompt(text) or (asked.hint and key(text) == key(asked.hint)):
        return Typed("", "")
    if any(unit.conflict for unit in units):
        return Typed(
            "", text, problem="bound_conflict"
        )  # Word and this file's other readers see different answers
    if asked.type in ("date", "datetime"):
        return _moment(asked, text, next((unit.iso for unit in units if unit.iso), ""))
    if asked.options:
        if asked.type != "yes_no" and (left := _left_standing(asked, units)):
            return Typed(left, text, 0.95)
        found = _option(asked, text)
        return found if found != Typed("", "") else _stressed(asked, text, units)
    if asked.type != "long" and _says_unknown(text):
        return Typed("", text)
    if asked.type in ("long", "person") and _is_only_a_date(text):
        return Typed("", text, problem="only_a_date")
    return Typed(_squeezed(text, keep_lines=asked.type == "long"), text)


def _written(lines: Sequence[Sequence[Unit]]) -> str:
    """What stands on lines, without the dots to write on; boxes of which none is ticked say nothing."""
    text = said(lines)
    if text[:1] in _TO_WRITE_ON or text[-1:] in _TO_WRITE_ON:
        text = _LEADERS.sub("", text)
    return text if text.strip("☐ \n\t") else ""


def _is_only_a_date(text: str) -> bool:
    """No name and no story: rather the answer to another question, out of its place."""
    if len(text) > _LONGEST_DATE or not _DIGIT.search(text):
        return False
    stamp = read_stamp(text)
    return stamp.day is not None and stamp.bare


def said(lines: Sequence[Sequence[Unit]]) -> str:
    """The text of lines without what was crossed out; prompts in controls are already gone."""
    texts = ("".join(_visible(unit) for unit in line if not unit.struck).strip() for line in lines)
    return "\n".join(text for text in texts if text)


def _visible(unit: Unit) -> str:
    if unit.kind == "checkbox":
        return "☒" if unit.ticked else "☐"
    return unit.text


def _squeezed(text: str, *, keep_lines: bool) -> str:
    plain = text.replace("\u00ad", "").replace("\u200b", "").replace("\ufeff", "")
    lines = [" ".join(line.split()) for line in plain.split("\n")]
    return "\n".join(lines) if keep_lines else " ".join(line for line in lines if line)


def _moment(asked: FormField, text: str, own: str) -> Typed:
    """A date control's own value wins over nothing, never over what the control shows."""
    if is_unknown(text):
        return Typed("", text)
    stamp = read_stamp(text)
    if stamp.problem == "expected":
        return Typed("", text)
    if stamp.problem == "no_date" and own:
        return Typed(_own(own, asked), text, 0.95)
    if stamp.day is None:
        return Typed("", text, problem=stamp.problem)
    value = stamp.iso if asked.type == "datetime" else stamp.day.isoformat()
    problem = stamp.problem if asked.type == "datetime" else ""
    return Typed(value, text, 1.0 if stamp.bare else 0.9, problem)


def _own(iso: str, asked: FormField) -> str:
    """Word's `2025-03-04T16:30:00Z` is local time, whatever its Z says; midnight is no time."""
    try:
        at = datetime.fromisoformat(iso.rstrip("Z"))
    except ValueError:
        return ""
    timed = asked.type == "datetime" and (at.hour or at.minute)
    return f"{at:%Y-%m-%dT%H:%M}" if timed else f"{at:%Y-%m-%d}"


def _option(asked: FormField, text: str) -> Typed:
    plain = _squeezed(text, keep_lines=False).strip(" /|,;")
    if asked.type == "yes_no":
        return _yes_no(plain, text)
    by_key = {key(option): option for option in asked.options}
    if key(plain) in by_key:
        return Typed(by_key[key(plain)], text)
    offered = [option for option in asked.options if f" {key(option)} " in f" {key(plain)} "]
    if (
        len(offered) == len(asked.options)
        and len(offered) > 1
        and len(key(plain)) <= len(" ".join(by_key)) + 12
    ):
        return Typed("", "")  # all the options, none crossed out: not answered
    return Typed("", text) if _says_unknown(text) else Typed(plain, text, 0.9)


def _left_standing(asked: FormField, units: Sequence[Unit]) -> str:
    """The one option that was not crossed out, where all the others were."""
    kept, gone = (
        f" {key(' '.join(unit.text for unit in units if unit.struck is struck))} " for struck in (False, True)
    )
    left = [option for option in asked.options if f" {key(option)} " in kept]
    crossed_out = sum(f" {key(option)} " in gone for option in asked.options)
    return left[0] if len(left) == 1 and crossed_out == len(asked.options) - 1 else ""


def _says_unknown(text: str) -> bool:
    return is_unknown(text) and _NONE.fullmatch(text.strip()) is None


def _stressed(asked: FormField, text: str, units: Sequence[Unit]) -> Typed:
    """The one of all the options that somebody made bold, underlined or highlighted, if there is one."""
    pieces = {key(piece) for unit in units if not unit.struck for piece in unit.stressed}
    chosen = [option for option in asked.options if key(option) in pieces]
    return replace(_option(asked, chosen[0]), text=text, certainty=0.9) if len(chosen) == 1 else Typed("", "")


def _yes_no(plain: str, text: str) -> Typed:
    if _BOTH.fullmatch(plain):
        return Typed("", "")
    found = _YES_NO.match(plain)
    if found:
        return Typed(
            "yes" if found[1].lower().startswith("y") else "no", text, 1.0 if len(plain) <= 3 else 0.95
        )
    return Typed("", text) if is_unknown(text) else Typed("", text, problem="unclear_choice")


def _offered(lines: Sequence[Sequence[Unit]]) -> Typed:
    """What is ticked of answers that a form offers though its definition knows of none."""
    chosen = [words.strip(_BETWEEN) for line in lines for box, words in boxed(line) if box.ticked]
    if not all(chosen):
        return Typed("", said(lines), problem="unclear_choice")
    return Typed("; ".join(chosen), said(lines) if chosen else "", 0.9)


def _ticked(asked: FormField, lines: Sequence[Sequence[Unit]]) -> Typed:
    """Which of the offered boxes is ticked. More than one is a question, none is no answer."""
    chosen = [words.strip(_BETWEEN) for line in lines for box, words in boxed(line) if box.ticked]
    if not chosen:
        return Typed("", "")
    if len(chosen) > 1:
        return Typed("", "; ".join(chosen), problem="several_ticked")
    return _option(asked, chosen[0]) if chosen[0] else Typed("", "", problem="unclear_choice")
