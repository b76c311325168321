"""The signs a clerk notices in a subject line or a file's name: patterns, and what each one means.

General words of the work with children stand here; whatever an organisation chose for itself (its
phrase, its marking, its short names) is in its procedure.
"""

from __future__ import annotations

import re

from agent.procedure.text import word_set

_MOST = 600  # no subject or file name is read beyond this many letters


def shortened(text: str) -> str:
    """As much of a subject or file name as is ever looked at."""
    return text[:_MOST]


def _any(*patterns: str) -> re.Pattern[str]:
    """One pattern that finds any of these, in any case."""
    return re.compile("|".join(patterns), re.IGNORECASE)


PREFIX = _any(
    r"^\s*(?:re|fw|fwd|aw|wg|tr|sv|rv|antw)\s*(?:\[\d+\]|\(\d+\))?\s*:\s*",
    r"^\s*\[[^\]]{1,20}\]\s*",
    r"^\s*\(\d+\)\s*",
    r"^\s*external:\s*",
)
FORWARDED = re.compile(r"^\s*(?:\[[^\]]{1,20}\]\s*)?(?:fw|fwd|wg|tr|rv)\s*:", re.IGNORECASE)
COPY = _any(r"\s*\(\d{1,2}\)\s*$", r"\s-\s+copy\b", r"\bcopy\b(?:\s+of\b)?")
VERSION = _any(
    r"\bv(?:er(?:sion)?)?\.?\s?\d+(?:\.\d+)?\b", r"\b(?:final(?!\s+update)|draft)\b", r"\brev\s?\d\b"
)
LINK = _any(
    r"\bshared\s+(?:a\s+\w+\s+)?[\"'](?P<what>[^\"]+)[\"']\s+with you",
    r"\b(?:shared|invited you)\b.*?[\"'](?P<thing>[^\"]+)[\"']",
)
# A file that lies with a service for sharing files; its folders and front pages are none.
SHARED_FILE = _any(
    r"https?://[\w.-]+\.sharepoint\.com/(?::[a-z]:/|\S*(?:guestaccess|doc\.aspx|/personal/|\.(?:docx?|pdf|zip)\b))",
    r"https?://(?:1drv\.ms|onedrive\.live\.com|we\.tl|(?:www\.)?wetransfer\.com/downloads)/\S",
    r"https?://(?:drive\.google\.com/(?:file|open|uc)|docs\.google\.com/(?:document|file))\b",
    r"https?://(?:www\.)?dropbox\.com/(?:s|sh|scl|l|t)/\S",
    r"https?://(?:\w+\.)?(?:app\.box\.com/s|icloud\.com/(?:attachment|iclouddrive))/?\S",
)
HOURS = re.compile(r"(?<!\w)(?P<hours>\d{1,3})\s*\+?\s*(?:hrs?|hours?|h)\b\s*\+?", re.IGNORECASE)
LONG_NUMBER = re.compile(r"(?<!\w)\d{6,10}(?!\w)")
NUMBERED = re.compile(r"(?<=\bupdate)\s*(?:no\.?\s*|number\s*|#)?\d{1,2}(?![\w./-])", re.IGNORECASE)
_THINGS = (
    "attachments?|pages?|forms?|info|information|signatures?|details?|dates?|documents?|documentation|"
    "paperwork|papers|records?|files?|data|evidence|chronology|minutes|laptop|tablet|phone|equipment|usb|"
    "memory stick|keys?|money|cash|property|belongings|medication|medicines?|drugs|vehicle|car"
)
NOT_MISSING = _any(
    rf"\bmissing\s+(?:from\s+(?:the\s+)?)?(?:{_THINGS}|tracker|e-?mail|register|education|school|lessons?)\b",
    rf"\b(?:{_THINGS})\s+(?:is\s+|are\s+|was\s+|were\s+|gone\s+|reported\s+)?missing\b",
    r"\b(?:not|never|no longer)\s+(?:been\s+)?missing\b",
)
NOT_CLOSED = _any(
    r"\bnot (?:yet )?(?:to be )?clos", r"\bdo not close", r"\bdon't close", r"\bre-?open", r"\bschool closed?"
)
QUERY = _any(
    r"\b(?:needs?|needed|required?|necessary|poss|possible|possibly|advice|query|threshold|criteria)\b",
    r"\bor not\b",
    r"\b(?:do (?:we|i)|should (?:we|i|this|it)|is (?:this|it)|does (?:this|it)|would (?:this|it|you))\b",
)

# What is noticed at once, wherever it stands.
SIGNS = {
    "s47_event": _any(r"\bs\.?\s?47\b", r"\bsection 47\b"),
    "yos_charge": _any(
        r"\b(?:yos|yjs|youth offending|youth justice)\b.*\bcharged?\b", r"\bcharged\b.*\bs\.?\s?(?:18|20)\b"
    ),
    "staff_subject": _any(
        r"\ballegations?\b.*\b(?:worker|staff|(?<!foster )carer|teacher|manager|employee|officer)\b",
        r"\bstaff\s+(?:allegation|conduct|matter|member|suspen)",
        r"\b(?:staff|employee|worker)\b.*\b(?:conduct|suspen|arrest|allegation|dismiss|disciplin)",
        r"\b(?:conduct|suspension|arrest|dismissal)\b.*\b(?:staff|employee|worker|social worker)\b",
        r"\bmember of staff\b",
    ),
    "other_la_child": _any(
        r"\bplaced\b.*\bby\b",
        r"\bother la\b",
        r"\bout of (?:county|area)\b",
        r"\b(?:another|other|host|home) (?:la|authority|local authority)\b",
        r"\b(?:la|authority) child\b",
    ),
    "care_leaver": _any(r"\bcare[\s-]?leaver"),
    "group_incident": _any(
        r"\bgroup (?:of|incident|fight|disorder)\b",
        r"\b(?:fight|disorder|assault)\b.*\b(?:between|involving)\b.*\b(?:yp|people|residents|pupils)\b",
        r"\b(?:several|multiple|various)\s+(?:yp|young people|children|residents)",
        r"\bx?\s?\d+\s+(?:yp|young people|residents)\b",
    ),
    "holding_message": _any(r"\bholding\b", r"\bto follow\b", r"\bheads[ -]up\b"),
    "password_suspected": _any(r"\b(?:protected|password|encrypted|locked)\b"),
    "scan_or_photo": _any(r"^(?:img|dsc|scan|photo|pxl|image)[\s_-]*\d", r"\bscan(?:ned)?\b", r"\bphoto\b"),
    "partly_returned": _any(
        r"\b(?:returned|found|located)\b.*\b(?:still|remains?|not)\b.*\b(?:missing|returned|found|located)\b",
        r"\bstill\s+missing\b.*\b(?:returned|found|located)\b",
        r"\b(?:\d|one|two|three)\s+(?:out )?of\s+(?:the\s+)?(?:\d|two|three|four|five)\b"
        r".*\b(?:returned|found|located)",
        r"\bpart(?:ly|ially) returned",
    ),
    "wrong_attachment_suspected": _any(
        r"\bwrong (?:attachment|form|document|child)\b",
        r"\bcorrect (?:attachment|form) (?:this time|attached)",
    ),
}

# What should not stand in a subject line for everybody to read.
SENSITIVE = _any(
    r"\b(?:allegations?|charged|death|died|dod|deceased|cse|cce|gbh)\b",
    r"\b(?:arrest|convict|suicid|overdose|stabb|rape|sexual|assault|abuse|neglect|exploit|pregnan|drown)",
    r"\b(?:murder|offence|self[ -]?harm|serious (?:injur|harm))",
    r"\bs\.?\s?47\b",
    r"\b(?:child|cla|lac|yp|young person)\s+missing\b",
    r"\bmissing\s+(?:child|yp|from (?:care|home|placement))\b",
)

# Mail that machines write, by how its subject begins, with the flags it gets.
MACHINES = (
    (
        frozenset({"auto_reply", "out_of_office"}),
        _any(
            r"^(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|autoreply|auto)\s*:",
            r"^out of (?:the )?office(?: auto[ -]?reply| reply)?\s*(?::|$)",
            r"^(?:automatische antwort|réponse automatique|respuesta automática)\s*:",
        ),
    ),
    (
        frozenset({"bounce"}),
        _any(
            r"^undeliver(?:able|ed)\b",
            r"^delivery (?:status notification|has failed|failure|incomplete)",
            r"^mail delivery (?:failed|failure|subsystem)",
            r"^(?:returned mail|failure notice|message not delivered)",
        ),
    ),
    (
        frozenset({"recall", "needs_human"}),
        _any(r"^recall\s*:", r"^message recall\b", r"\bwould like to recall\b"),
    ),
    (frozenset({"read_receipt"}), _any(r"^(?:read|not read|delivered)\s*:")),
)

DOCUMENTS = word_set("doc docx docm dot dotx dotm rtf odt pdf msg eml")
PICTURES = word_set("jpg jpeg png gif heic tif tiff bmp webp")
SHEETS = word_set("xls xlsx xlsm xlsb csv ods")
SIGNATURE_PICTURE = re.compile(r"^(?:image\d{3}|outlook-.*|logo.*)\.(?:png|jpe?g|gif)$", re.IGNORECASE)

# Papers that go with a form, or were sent for one by mistake: never the form itself.
OTHER_PAPERS = _any(
    r"\b(?:minutes|agenda|payslip|invoice|rota|report|assessment|chronology|genogram|body map|policy|"
    r"care plan|risk plan|letter|referral|statement|timesheet|expenses|cv|transcript|case notes)\b"
)

PERSON_NEEDED = word_set(
    """
    closure_request_no_form first_name_only link_not_attachment name_mismatch possible_data_breach
    query_not_alert scan_or_photo spelling_variant wrong_attachment_suspected
    """
)
