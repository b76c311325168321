"""Labels as people print and retype them: what a label means, and where."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rapidfuzz import fuzz, process

from agent.forms.definition import MANDATORY_NOTE, FormDefinition, FormField, FormTable, Section
from agent.procedure.rules import Category

LONGEST = 110  # characters; anything longer is a sentence, not a label
_ALIKE = 90  # of 100: one slip in a word or two
_SHORTEST_FUZZY = 8
ENOUGH = 8  # labels by which a form is known even without its title

_IGNORED = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff'’‘`´."), None)
_NUMBERING = re.compile(
    r"^\s*(?:q\.?\s?\d{1,2}[.):]?\s+|\(?\d{1,2}(?:\.\d{1,2})*[a-z]?\s*[.):–—-]+(?!\d)\s*|\d{1,2}(?:\.\d{1,2})+\s+|\(?[a-z]\)\s*|[a-z]\.\s+|[a-z]\s+[–—-]\s+)",
    re.IGNORECASE,
)
_HEADING_NUMBER = re.compile(  # "Section A: Initial", "7 Oversight", "C Child"; but "A child" is no heading
    r"\s*(?:(?i:section|part|page)\s+(?:\d{1,2}|[A-Za-z])\b\s*[.:)–—-]*|\d{1,2}|[A-Z](?=\s+[A-Z]))\s+(?=\w)"
)
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_PAGE_NUMBER = re.compile(r"\b(?:page )?\d{1,3}(?: (?:of )?\d{1,3})?$")
_LETTERS = re.compile(r"(?<=\b[a-z]) (?=[a-z]\b)")  # "d o b" is one word
_WHEN = re.compile(r"\b(?:date|time|when)\b")
_BESIDE = re.compile(r"\s+[/|]\s+|;\s")
_NOT_WORD = re.compile(r"[\W_]+")
# words that a label may have or lack, and words that stand for one another
_FILLERS = frozenset(
    (
        *("a", "an", "and", "any", "approximate", "approx", "are", "at", "became", "become", "been", "brief"),
        *(
            "concerned",
            "did",
            "do",
            "does",
            "for",
            "full",
            "give",
            "had",
            "happen",
            "happened",
            "has",
            "have",
        ),
        *("her", "his", "if", "in", "is", "it", "made", "occur", "occurred", "of", "or", "please", "that"),
        *("the", "their", "this", "to", "was", "were", "your"),
    )
)
_CHILD = re.compile(r"\b(?:child(?:s|ren|rens)?|yps?|young (?:persons?|people))\b")
_SAME = {
    **dict.fromkeys(("when", "datetime", "on"), "date"),
    **dict.fromkeys(("no", "num", "nr", "id", "ref", "refs", "reference"), "number"),
    **dict.fromkeys(("complete", "completing", "completion"), "completed"),
    **dict.fromkeys(("outline", "description", "account", "synopsis"), "summary"),
    **dict.fromkeys(("expected", "required"), "due"),
    "managers": "manager",
    "notification": "notified",
    "persons": "person",
    "tel": "telephone",
}


@lru_cache(maxsize=8192)
def key(text: str) -> str:
    """What two writings of one label have in common: no case, numbering, asides, dashes or stars."""
    plain = _plain(text)
    return next(filter(None, map(_folded, (_ASIDE.sub(" ", _NUMBERING.sub("", plain)), plain))), "")


@lru_cache(maxsize=8192)
def full_key(text: str) -> str:
    """As `key`, with what stands in brackets: "Missing from (date and time)" asks when, not from where."""
    return _folded(_NUMBERING.sub("", _plain(text))) or key(text)


@lru_cache(maxsize=8192)
def sense(label: str) -> frozenset[str]:
    """The words of a label's key that carry its meaning, in whatever order: "Date & time of the incident"
    and "Incident date" ask for one thing. Empty where there are too few to be sure."""
    words = {_SAME.get(word, word) for word in _CHILD.sub("child", label).split() if word not in _FILLERS}
    if "date" in words:
        words.discard("time")
    return frozenset(words) if len(words) > 1 else frozenset()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("&", " and ")


def _folded(plain: str) -> str:
    words = _NOT_WORD.sub(" ", plain.casefold().translate(_IGNORED)).strip()
    return _LETTERS.sub("", words)


def is_numbered(text: str) -> bool:
    """Whether `text` begins as the headings of a form do: "H. Conclusion"."""
    return bool(_NUMBERING.match(text) or _HEADING_NUMBER.match(text))


@dataclass(frozen=True)
class Meaning:
    """What a label asks for: a single field, or a column of a repeating table."""

    field: FormField
    section: Section
    table: FormTable | None = None

    @cached_property
    def name(self) -> tuple[str, str]:
        return (self.table.name if self.table else "", self.field.name)


@dataclass(frozen=True)
class Match:
    """A label that was recognised, and how surely: 1 as printed, less with a slip."""

    meaning: Meaning
    quality: float


class LabelBook:
    """All labels of one definition. Building one costs more than reading a form, so they are kept."""

    def __init__(self, definition: FormDefinition, categories: Sequence[Category]) -> None:
        self.definition = definition
        self._everywhere: dict[str, list[Meaning]] = {}
        self._inside: dict[str, dict[str, Meaning]] = {}
        self._columns: dict[str, dict[str, Meaning]] = {}
        self._names: dict[str, Meaning] = {}
        self.headings: dict[str, Section] = {}
        self.row_names: dict[str, Section] = {}
        self.boilerplate: set[str] = set()
        for spoken in (full_key, key):  # what stands in brackets counts where it tells two labels apart
            for section in definition.sections:
                self._learn_section(section, spoken)
        self._senses = _by_sense(self._everywhere)
        self._column_senses = {
            name: _by_sense({label: [meaning] for label, meaning in columns.items()})
            for name, columns in self._columns.items()
        }
        # labels come again on every form
        self._category = lru_cache(maxsize=2048)(self._find_category)
        self._heading = lru_cache(maxsize=2048)(self._find_heading)
        self._exactly = lru_cache(maxsize=4096)(self._find_exactly)
        self._reworded = lru_cache(maxsize=4096)(self._find_reworded)
        self._nearly = lru_cache(maxsize=4096)(self._find_nearly)
        self.categories = {key(category.code): category for category in categories}
        self.category_words = {
            spoken(words): category
            for category in categories
            for spoken in (key, full_key)
            for words in (category.words, *category.also)
        }
        self._learn_boilerplate(definition)
        self._offers = [
            ([f" {key(option)} " for option in meaning.field.options], meaning)
            for meaning in self._names.values()
            if meaning.field.type == "choice"
        ]
        self._fuzzy = [label for label in self._everywhere if len(label) >= _SHORTEST_FUZZY]

    def _learn_section(self, section: Section, spoken: Callable[[str], str]) -> None:
        self.headings |= {key(title): section for title in (section.title, *section.also)}
        inside = self._inside.setdefault(section.title, {})
        for asked in section.fields:
            self._learn(Meaning(asked, section), inside, spoken, widely=True)
        for table in section.tables:
            columns = self._columns.setdefault(table.name, {})
            self.row_names[key(table.row_name)] = section
            for asked in table.columns:
                meaning = Meaning(asked, section, table)
                self._learn(meaning, columns, spoken, widely=False)
                # a table's column may be asked for outside a grid; a row's only inside its section
                self._learn(meaning, inside, spoken, widely=table.shape == "blocks")

    def _learn(
        self, meaning: Meaning, inside: dict[str, Meaning], spoken: Callable[[str], str], *, widely: bool
    ) -> None:
        field = meaning.field
        wide = dict.fromkeys(spoken(label) for label in (field.label, *field.variants))
        for label in (*wide, *(spoken(label) for label in field.here)):
            inside.setdefault(label, meaning)
        if widely:
            self._names.setdefault(field.name, meaning)
            for label in wide:
                known = self._everywhere.setdefault(label, [])
                if meaning not in known and not (known and spoken is key):
                    known.append(meaning)

    def _learn_boilerplate(self, definition: FormDefinition) -> None:
        said = [
            "".join(MANDATORY_NOTE),
            definition.title,
            definition.marking,
            definition.guidance,
            *definition.recognised_by,
        ]
        said += [text for section in definition.sections for text in (section.title, section.note)]
        self.boilerplate = {key(text) for text in said} | set(self.category_words) | set(self.categories)

    def exactly(self, text: str, section: Section | None = None) -> Match | None:
        """The label `text` is, as printed; the current section settles a label of several meanings."""
        return self._exactly(text, section.title if section else "") if len(text) <= LONGEST else None

    def _find_exactly(self, text: str, section: str) -> Match | None:
        full, bare = full_key(text), key(text)
        found = self._known(full, section)
        if full == bare or found:
            return found
        found = self._known(bare, section)
        return None if found and _asks_when(text) and "date" not in found.meaning.field.type else found

    def _known(self, label: str, section: str) -> Match | None:
        if section and (here := self._inside[section].get(label)):
            return Match(here, 1.0)
        found = self._everywhere.get(label, ())
        return Match(found[0], 1.0) if len(found) == 1 else None

    def reworded(self, text: str, section: Section | None = None) -> Match | None:
        """As `exactly`, and else the label that says the same in other words or in another order."""
        return self._reworded(text, section.title if section else "") if len(text) <= LONGEST else None

    def _find_reworded(self, text: str, section: str) -> Match | None:
        exact = self._exactly(text, section)
        if exact:
            return exact
        full, bare = full_key(text), key(text)
        meaning = self._senses.get(sense(full)) or (full != bare and self._senses.get(sense(bare)))
        if meaning:
            return Match(meaning, 0.95)
        beside = _BESIDE.search(text)  # "Date of incident / Dyddiad", "Name; role; telephone"
        return self._reworded(text[: beside.start()], section) if beside else None

    def nearly(self, text: str, section: Section | None = None) -> Match | None:
        """As `reworded`, and else the one label that `text` misspells."""
        return self._nearly(text, section.title if section else "") if len(text) <= LONGEST else None

    def _find_nearly(self, text: str, section: str) -> Match | None:
        found = self._reworded(text, section)
        if found:
            return found
        label = key(_BESIDE.split(text, maxsplit=1)[0])
        if len(label) < _SHORTEST_FUZZY or label in self.headings:
            return None
        best = process.extract(label, self._fuzzy, scorer=fuzz.ratio, score_cutoff=_ALIKE - 4, limit=4)
        meanings = {meaning.name: meaning for near, _, _ in best for meaning in self._everywhere[near]}
        if len(meanings) != 1 or best[0][1] < _ALIKE:
            return None
        meaning = next(iter(meanings.values()))
        return None if _asks_when(text) and "date" not in meaning.field.type else Match(meaning, 0.85)

    def column(self, table: str, text: str) -> Meaning | None:
        """What a heading means above a column of `table`."""
        if len(text) > LONGEST:
            return None
        columns, senses = self._columns[table], self._column_senses[table]
        labels = (full_key(text), key(text))
        known = next((columns[label] for label in labels if label in columns), None)
        return known or next((senses[sense(label)] for label in labels if sense(label) in senses), None)

    def offering(self, text: str) -> Meaning | None:
        """The one question whose possible answers all stand in `text`: "new / update / conclusion"."""
        words = f" {key(text)} " if len(text) <= LONGEST else ""
        found = [meaning for options, meaning in self._offers if all(option in words for option in options)]
        return found[0] if len(found) == 1 else None

    def tagged(self, tag: str, alias: str) -> Meaning | None:
        """What a control's own name says: only single fields, which cannot repeat."""
        meaning = self._names.get(tag)
        return meaning if meaning and meaning.table is None else None

    def heading(self, text: str) -> Section | None:
        return self._heading(text) if len(text) <= LONGEST else None

    def _find_heading(self, text: str) -> Section | None:
        return self.headings.get(key(text)) or self.headings.get(key(_HEADING_NUMBER.sub("", text)))

    def row_heading(self, text: str) -> Section | None:
        """The section of a block that `text` heads: "Child 2"."""
        label = key(text) if len(text) <= 40 else ""
        found = re.fullmatch(r"(.+?)\s*\d{1,2}", label) if label[-1:].isdecimal() else None
        return self.row_names.get(found[1]) if found else None

    def is_footer(self, text: str) -> bool:
        """Whether a header or footer only repeats what the form says, page numbers included."""
        return _PAGE_NUMBER.sub("", key(text)).strip() in self.boilerplate | {""}

    def category(self, text: str) -> str | None:
        """The code of the category whose line this is: by its code, or by its words."""
        return self._category(key(text))

    def _find_category(self, label: str) -> str | None:
        first = label.split(" ", 1)[0] if label else ""
        if first in self.categories:
            return self.categories[first].code
        if label in self.category_words:
            return self.category_words[label].code
        if len(label) < 20:
            return None
        near = process.extract(
            label, list(self.category_words), scorer=fuzz.ratio, score_cutoff=93, limit=None
        )
        codes = {self.category_words[words].code for words, _, _ in near}
        return codes.pop() if len(codes) == 1 else None

    def says_more(self, text: str) -> bool:
        """Whether the line of a category holds more than its code and its words."""
        label = key(text)
        first, _, rest = label.partition(" ")
        words, known = rest if first in self.categories else label, self.category_words
        if not words or words in known:
            return False
        best = process.extractOne(words, list(known), scorer=fuzz.ratio, score_cutoff=93)
        return best is None or len(words) > len(best[0]) + 2  # slips of the pen are no more than slips

    def codes(self, text: str) -> Iterator[str]:
        """Every category code that stands in `text`."""
        for word in re.findall(r"\w+", text.casefold()):
            if word in self.categories:
                yield self.categories[word].code

    def count(self, texts: Sequence[str]) -> tuple[int, int]:
        """How many different fields, and how many mandatory ones, these texts are labels of."""
        short = [text for text in texts if len(text) <= LONGEST]
        known = (self._everywhere.get(full_key(text)) or self._everywhere.get(key(text)) for text in short)
        found = {one[0].name: one[0] for one in known if one and len(one) == 1}
        if len(found) < ENOUGH:  # in other words only where it is not plain already
            found |= {match.meaning.name: match.meaning for text in short if (match := self.reworded(text))}
        return len(found), sum(meaning.field.mandatory for meaning in found.values())


def _asks_when(text: str) -> bool:
    """Whether a label asks for a date or time in brackets, and only there: "Missing from (date/time)"."""
    return _WHEN.search(full_key(text)) is not None and _WHEN.search(key(text)) is None


def _by_sense(labels: Mapping[str, Sequence[Meaning]]) -> dict[frozenset[str], Meaning]:
    """What the words of a label mean, where they can mean one thing only."""
    found: dict[frozenset[str], dict[tuple[str, str], Meaning]] = {}
    for label, meanings in labels.items():
        if words := sense(label):
            found.setdefault(words, {}).update({meaning.name: meaning for meaning in meanings})
    return {words: next(iter(named.values())) for words, named in found.items() if len(named) == 1}


@lru_cache(maxsize=16)
def label_book(definition: FormDefinition, categories: tuple[Category, ...]) -> LabelBook:
    return LabelBook(definition, categories)
