"""Who is named in what is left of a subject line or file name once all else was taken out of it.

A name is only taken where nothing unknown stands beside it; a premises, a place or half a sentence
is nobody. What is doubtful stays unnamed, and a person looks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.procedure.names import is_initials
from agent.procedure.text import fold, word_set

# Words that may stand beside a name without being part of one.
_ORDINARY = word_set(
    """
    a about absconded absent abuse accommodated acknowledgement admission admitted afternoon again against
    agency agenda alert alerts all allegation allegations also ambulance amended an and any apologies are
    area arrest arrested assault assaulted assessment attached attachment attachments attempt attempted
    authority auto automatic baby been below blank body borough both boy breach breakdown briefing brothers
    called can cannot care carer carers case cc charged chaser child children childs chronology cin cla
    close closed closure complaint complete completed concern concerning concerns concluded conclusion
    conduct confidential contract copy coroner corrected correction could county cp criminal current daily
    damage data date dated days dear death deceased delivery did died disease dismissed disorder do dob doc
    document dod does dr draft due edd egress email enclosed encrypted episode episodes escalation evening
    event exploitation external failure family fao father fight file files final find fire first five flood
    follow following follows for form forms foster found four from further fw genogram girl group guidance
    had half harm has he heads hearing hello her hi high his holding hospitalised hour hours how id
    important in inadequate incident incidents info information initial injured injury inquest inspection
    interest internal interview invoice is it just knife la lac laptop last later latest leadership leaver
    leavers letter ligature list local located locked log loss mail map master matter media medication
    meeting member minutes miss missing monthly more morning mother moved mr mrs ms murder my name named
    need needed needs neglect new nfa no not notes notification now number nurse of offence official ofsted
    on one only order our outbreak overdose overdue panel parent parents part password payslip person phone
    placed placement plan please policy practitioner press previous priority private protected protection
    pupil pupils query question rape re recall received record records recovery ref reference referral
    regarding regards register reminder removal reply report requested required resend resending resent
    resident residential residents response restricted return returned review revised risk rota s18 s20 s47
    safe safeguarding scan scanned second secure see self send sending senior sensitive sent serious sexual
    shared she should sibling siblings sighting signed since sisters six sla slaf some sorry stabbing staff
    statement still strategy strictly student subject suicide summary supplier suspended suspension teacher
    template test thanks that the their they third this thread threat threats three time times to today
    tomorrow tracker training transfer transferred trial triplets twins two uasc unborn undeliverable
    undelivered untitled up update updated updates urgent us version violence violent w/c was wc we weapon
    week weekend weekly well were what when where which who whole why winmail with worker workers would
    yesterday yet yjs yos you young your yp
    """
)
# Words of buildings, places and services: what bears one of them is nobody's name.
_PREMISES = word_set(
    """
    academy avenue centre center children's church clinic college cottage council court department drive farm
    grange home homes hospital hostel hotel house infant infants junior lane lodge nursery office offices
    park placement playgroup police preschool primary road saint school secondary service services st station
    street surgery team trust unit villa ward-unit way
    """
)
_ABBREVIATIONS = word_set(
    """
    ABH AD ADS AE AKA ASAP ASB AWOL BBC CAMHS CCE CE CEO CIC CIN CLA CP CPP CSE DA DBS DCS DO DOB DOC DOD
    DSC DV EDD EDT EH EHCP FAO FCO FW FYI GBH GP HOS HR ICO ICPC ID IMG IRO IT ITV JPG LA LAC LADO MAPPA
    MARAC MASH MP NEET NFA NHS NRM NSCP OD OK OOH PDF PR PSW PXL QA RE SCAN SEN SEND SLT SM SW TBC TM TV
    UASC UBB UK US VIP WC YJS YOS YP
    """
)
_ALSO_SURNAMES = word_set("Case Close Foster Master Nurse Parent Young")  # as the second of two words
_PARTICLES = word_set("al el de da di do dos van von der den bin ibn bint la le ap ab ter ul ur e y")
# Words that introduce a grown-up: whom they are for, or who sent them.
_NO_CHILD = re.compile(
    r"\b(?:fao|attn|for (?:the )?(?:information|attention) of|on behalf of|sent by|cc|manager|"
    r"social worker)\b",
    re.IGNORECASE,
)
# A single word is only a name where at most these stood beside it.
_BESIDE_ONE = word_set("for re child young person name called named the of edd due baby")
_GROUP = r"siblings?|children|twins|triplets|family|brothers|sisters"
_LETTERS = r"[^\W\d_]"
_SURNAME_FIRST = re.compile(r"(?P<family>[A-Z][A-Z'-]{2,}) (?P<given>[A-Z][a-z'-]+)")  # `BECK Tilly`
_CAPITAL = rf"{_LETTERS}(?:{_LETTERS}|['.\-])*"
_NICKNAME = re.compile(
    rf"(?:(?P<first>{_CAPITAL})\s+)?(?P<open>[\"'(])(?P<nick>{_LETTERS}+)[\"')]\s+(?P<rest>[^|]+)"
)
_AKA = re.compile(r"\s+\(?\b(?:a\.?k\.?a\.?|also known as|alias|formerly|née|nee)(?!\w)\W*", re.IGNORECASE)
_KNOWN_AS = re.compile(r"\s+\(?\b(?:known as|k/a|prefers)\b\W*", re.IGNORECASE)
_IN_BRACKETS = re.compile(
    r"\((\s*(?:a\.?k\.?a\.?|also known as|alias|known as|k/a)\b[^()]*)\)", re.IGNORECASE
)
_PSEUDONYM = re.compile(
    r"\b(?P<what>child|yp|young person|sibling|baby)"
    r"(?:\s+(?P<letter>[A-Z]\d?|\d{1,2})|(?P<number>\d{1,2}))(?=\W|$)",
    re.IGNORECASE,
)
_UNBORN = re.compile(r"\b(?:unborn(?:\s+baby)?|ubb|bump)\b(?:\s+of)?\s*", re.IGNORECASE)
_COUNT = re.compile(r"\b(?:x\s*(\d+)|(?:\d+\s+of\s+)?(\d+)\s*x?)\b", re.IGNORECASE)
_LIST = re.compile(r"^(?P<firsts>[^|,]+(?:\s*,\s*[^|,]+)*?)\s*,?\s+(?:and|&|\+)\s+(?P<last>.+)$")


@dataclass(frozen=True)
class Named:
    """The children one text names. `names` are written as a clerk would; `also` are other names of the
    same child; `group` says that a family is meant and its members are not told."""

    names: tuple[str, ...]
    also: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    group: bool = False


def named_in(rest: str, *, lower: bool) -> Named | None:
    """Who is named in `rest`, parts taken out being marked with "|"; None when nobody surely is.

    `lower`: the whole text was written without capitals, so that a name need not have one either.
    """
    rest = _IN_BRACKETS.sub(r" \1", rest)
    nickname = _nickname(rest)
    if nickname:
        return nickname
    lone = None
    for part in re.split(r"\s*\|\s*|\s+-+\s+|\s*[;:()\[\]\"?!<>]\s*", rest):
        found = _in_part(part.strip(" ,-_/'&+").lstrip("."), lower)
        if found and "first_name_only" not in found.flags:
            return found
        lone = lone or found
    return lone


def _in_part(part: str, lower: bool) -> Named | None:
    if not part or len(part) > 120 or _NO_CHILD.search(part):
        return None
    for reader in (_pseudonym, _unborn, _several_names, _group, _listed, _alternatives):
        found = reader(part, lower)
        if found:
            return found
    return _single(part, lower)


def _single(part: str, lower: bool) -> Named | None:
    family, comma, given = (piece.strip() for piece in part.partition(","))
    if comma and len(family.split()) == 1 and (first := clean_name(given, lower)):
        last = clean_name(family, lower)
        if last and len(first.split()) <= 2:
            return Named((f"{first} {last}",), flags=frozenset({"surname_first"}))
    for piece in part.split(","):
        turned = _SURNAME_FIRST.fullmatch(piece.strip())
        name = clean_name(f"{turned['given']} {turned['family'].capitalize()}" if turned else piece, lower)
        if name:
            return Named((name,), flags=_about(name) | ({"surname_first"} if turned else set()))
    return None


def _about(name: str) -> frozenset[str]:
    if is_initials(name):
        return frozenset({"initials_only"})
    parts = name.split()
    if len(parts) == 1:
        return frozenset({"first_name_only"})
    if len(parts[0].strip(".")) == 1:
        return frozenset({"initial_and_surname"})
    return frozenset()


def _nickname(rest: str) -> Named | None:
    found = _NICKNAME.search(rest)
    if not found or (found["open"] == "(" and not found["first"]):
        return None
    given = f"{found['first'] or ''} {found['rest']}".split("|")[0]
    name = clean_name(re.split(r"\s+-+\s+|[()]", given)[0], False)
    if name is None or len(name.split()) < 2 or fold(found["nick"]) in _ORDINARY:
        return None
    return Named((name,), (f"{found['nick']} {name.split()[-1]}",), frozenset({"known_as"}))


def _pseudonym(part: str, lower: bool) -> Named | None:
    found = _PSEUDONYM.search(part)
    if not found or (lower and not part.startswith(found[0])):
        return None
    what = "YP" if found["what"].lower() == "yp" else found["what"].capitalize()
    name = f"{what}{found['number']}" if found["number"] else f"{what} {found['letter'].upper()}"
    return Named((name,), flags=frozenset({"pseudonym"}))


def _unborn(part: str, lower: bool) -> Named | None:
    found = _UNBORN.search(part)
    if not found:
        return None
    name = clean_name(part[found.end() :].split(",")[0], lower)
    return Named((f"Unborn {name.split()[-1]}",) if name else (), flags=frozenset({"unborn"}))


def _several_names(part: str, lower: bool) -> Named | None:
    for pattern, flag in ((_AKA, "alias"), (_KNOWN_AS, "known_as")):
        found = pattern.search(part)
        if found:
            name, other = clean_name(part[: found.start()], lower), clean_name(part[found.end() :], lower)
            if name and other:
                return Named((name,), (other,), frozenset({flag}))
    return None


def _group(part: str, lower: bool) -> Named | None:
    if not re.search(rf"\b(?:{_GROUP})\b", part, re.IGNORECASE) or re.search(r"\b(?:and|&)\b", part):
        return None
    count = _COUNT.search(part)
    family = re.sub(rf"\b(?:{_GROUP})\b", " ", _COUNT.sub(" ", part), flags=re.IGNORECASE)
    name = clean_name(family, lower)
    if name is None or len(name.split()) > 1 or is_initials(name):
        return None
    size = f"{count[1] or count[2]} siblings" if count else "siblings"
    return Named((f"{name} ({size})",), flags=frozenset({"multi_child"}), group=True)


def _listed(part: str, lower: bool) -> Named | None:
    """`Max, Poppy and Finn Thornbury`, `Ann Lee & Bo Rae`."""
    found = _LIST.match(part)
    if not found:
        return None
    firsts = [clean_name(first, lower) for first in re.split(r"\s*,\s*", found["firsts"])]
    last = clean_name(found["last"], lower)
    if last is None or len(last.split()) < 2 or None in firsts:
        return None
    family = last.split()[-1]
    names = [first if len(first.split()) > 1 else f"{first} {family}" for first in firsts if first]
    families = {name.split()[-1] for name in [*names, last]}
    flags = {"multi_child"} | ({"different_surnames"} if len(families) > 1 else set())
    return Named((*names, last), flags=frozenset(flags))


def _alternatives(part: str, lower: bool) -> Named | None:
    """`Muhammad / Mohammed Haddad`: one child, two spellings; the first is kept."""
    first, slash, second = (piece.strip() for piece in part.partition("/"))
    name, other = clean_name(first, lower), clean_name(second, lower)
    if not slash or not name or not other or is_initials(name) != is_initials(other):
        return None
    if len(name.split()) == 1 and len(other.split()) > 1:
        name = f"{name} {' '.join(other.split()[1:])}"
    return Named((name,), (other,), frozenset({"alternatives"}))


def clean_name(part: str, lower: bool) -> str | None:
    """The name in `part`, once ordinary words around it are gone; None when more than a name stands there."""
    parts = [word for word in part.replace("_", " ").split() if word.strip("&+,-.")]
    if any(fold(word).strip(".,") in _PREMISES for word in parts):
        return None
    beside = []
    while parts and ordinary(parts[0]):
        beside.append(parts.pop(0))
    if len(parts) == 2 and parts[1] in _ALSO_SURNAMES and _in_a_name(parts[0], lower=False):
        return " ".join(parts)
    while parts and ordinary(parts[-1]):
        beside.append(parts.pop())
    if not parts or len(parts) > 5 or (lower and len(parts) > 3):
        return None
    if len(parts) == 1 and not (is_initials(parts[0]) or {fold(word) for word in beside} <= _BESIDE_ONE):
        return None
    if not all(_in_a_name(word, lower) for word in parts):
        return None
    name = " ".join(_cased(word, lower, alone=len(parts) == 1) for word in parts)
    return name if len(parts) > 1 or len(name.strip(".")) > 1 else None


def ordinary(word: str) -> bool:
    """Whether a word belongs to no name: everyday words, abbreviations of the work, numbers."""
    bare = fold(word).strip(".,'")
    known = all(piece in _ORDINARY for piece in bare.split("-"))
    return known or word.strip(".,") in _ABBREVIATIONS or not any(c.isalpha() for c in word)


def _in_a_name(word: str, lower: bool) -> bool:
    if not re.fullmatch(_CAPITAL, word) or (ordinary(word) and len(word.strip(".")) > 1):
        return False
    return word[0].isupper() or fold(word).split("-")[0] in _PARTICLES or (lower and word.isalpha())


def _cased(word: str, lower: bool, *, alone: bool) -> str:
    """`connor` → Connor, `O'BRIEN` → O'Brien; short capitals on their own are initials."""
    shouted = word.isupper() and "." not in word and len(word) > (3 if alone else 2)
    if lower or shouted:
        return "".join(piece.capitalize() for piece in re.split(r"(['\-])", word))
    return word
