"""Which child a subject line and the files' names mean together; no name where they mean different ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.procedure.apart import Pieces
from agent.procedure.named import Named
from agent.procedure.names import DRESS, differences, is_full, name_words, share_a_word
from agent.procedure.text import fold


def child_of(subject: Pieces, files: Sequence[Pieces]) -> tuple[str | None, set[str]]:
    """The child as a clerk would write it (brothers and sisters joined by "; "), and what was noticed."""
    meeting = _Meeting(subject, tuple(files))
    return meeting.child(), meeting.flags - {"alternatives"}


@dataclass
class _Meeting:
    """The names of a subject line meet those of the files."""

    subject: Pieces
    files: tuple[Pieces, ...]
    flags: set[str] = field(default_factory=set)

    def child(self) -> str | None:
        for text in (self.subject, *self.files):
            self.flags |= (text.named.flags if text.named else set()) - {"first_name_only"}
        told = self.subject.named
        named_files = [(text, text.named) for text in self.files if text.named]
        if told is None:
            return self._of_files([named for _, named in named_files])
        if not named_files:
            return self._alone(told)
        file, filed = next(
            ((text, named) for text, named in named_files if self._may_agree(told, named)), named_files[0]
        )
        return self._agreed(told, filed, file)

    def _of_files(self, named: Sequence[Named]) -> str | None:
        each = list(dict.fromkeys(one.names for one in named))
        if len(each) > 1:
            self.flags.add("multi_child")
            families = {name.split()[-1] for names in each for name in names}
            self.flags |= {"different_surnames"} if len(families) > 1 else set()
            return "; ".join(dict.fromkeys(name for names in each for name in names)) or None
        return self._alone(named[0]) if named else None

    def _alone(self, named: Named) -> str | None:
        if "first_name_only" in named.flags:
            self.flags.add("first_name_only")
        if named.group:
            self.flags.add("names_in_form_only")
        self.flags |= _accents(named.names)
        return "; ".join(named.names) or None

    def _may_agree(self, told: Named, filed: Named) -> bool:
        """Whether any name of the one, or another name of the same child, may be one of the other's."""
        mine, theirs = {*told.names, *told.also}, {*filed.names, *filed.also}
        return any(differences(one, other) is not None for one in mine for other in theirs)

    def _agreed(self, told: Named, filed: Named, file: Pieces) -> str | None:
        if not told.names or not filed.names:
            return self._alone(told if told.names else filed)
        if told.group or filed.group or len(told.names) > 1 or len(filed.names) > 1:
            return self._family(told, filed)
        name, other = told.names[0], filed.names[0]
        differ = differences(name, other)
        if differ is not None:
            self._notice(differ, told, filed, file)
            return self._better(name, other, differ, file)
        if self._may_agree(told, filed):
            return name
        self._notice_mismatch(name, other)
        return None

    def _notice_mismatch(self, name: str, other: str) -> None:
        """Brothers or a slip, where a word is shared; else perhaps another child's form."""
        self.flags.add("name_mismatch")
        if not share_a_word(name, other):
            self.flags.add("possible_data_breach")

    def _family(self, told: Named, filed: Named) -> str | None:
        """A family by its name on one side, its children on the other: the fuller is kept."""
        if not any(share_a_word(one, other) for one in told.names for other in filed.names):
            self._notice_mismatch(told.names[0], filed.names[0])
            return None
        if len(told.names) > 1 or len(filed.names) > 1:
            return "; ".join(told.names if len(told.names) >= len(filed.names) else filed.names)
        self.flags.add("names_in_form_only")
        counted = [name for name in (*told.names, *filed.names) if any(sign.isdigit() for sign in name)]
        return counted[0] if counted else told.names[0]

    def _notice(self, differ: frozenset[str], told: Named, filed: Named, file: Pieces) -> None:
        name, other = told.names[0], filed.names[0]
        self.flags |= differ - {"abbreviated_name", "name_part_missing"}
        if "name_part_missing" in differ and is_full(name) and is_full(other):
            self.flags.add("name_part_missing")
        if "'" in name and "'" not in file.text:
            self.flags.add("apostrophe_variant")
        if "first_name_only" in told.flags & filed.flags:
            self.flags.add("first_name_only")
        if "alternatives" in told.flags | filed.flags:
            self.flags |= {"transliteration_variant", "needs_human"}
        if "diacritic_variant" not in differ:
            self.flags |= _accents((name, other))

    def _better(self, name: str, other: str, differ: frozenset[str], file: Pieces) -> str:
        """The spelling a clerk would keep: the fuller, the better dressed, the more carefully typed."""
        if differ & {"abbreviated_name", "name_part_missing"}:
            fuller = max((name, other), key=lambda one: (len("".join(name_words(one))), one == name))
            if len(name_words(fuller)[0]) > 1:
                self.flags.discard("initial_and_surname")
            return fuller
        if "spelling_variant" in differ:
            return other if file.slips < self.subject.slips else name
        if differ <= DRESS:
            return max((name, other), key=lambda one: (_dressing(one), one == name))
        return name


def _dressing(name: str) -> int:
    return sum(letter in "'-." or _is_accented(letter) for letter in name)


def _accents(names: Iterable[str]) -> set[str]:
    return {"diacritics"} if any(_is_accented(letter) for name in names for letter in name) else set()


def _is_accented(letter: str) -> bool:
    return letter.isalpha() and fold(letter) != letter.lower()
