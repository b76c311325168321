"""Why a person is asked, in sentences without names. A question's code is one of these."""

from __future__ import annotations

from collections.abc import Mapping

EXTERNAL = "external_sender"
UNPROVEN = "sender_unproven"
WITHDRAWN = "withdrawn"
STRANGERS = frozenset({EXTERNAL, UNPROVEN})  # on whose word nothing counts, and who are not answered

NO_FORM, FORM_BEHIND_LINK = "no_form", "form_behind_link"
UNREADABLE, PROTECTED_MAIL = "unreadable", "protected_mail"
# Settled once the form is there.
FORM_LACKING = frozenset({NO_FORM, FORM_BEHIND_LINK, UNREADABLE, PROTECTED_MAIL})
ANNOUNCED = "announced"

QUESTIONS: Mapping[str, str] = {
    "which_alert": "More than one alert may be meant. Say which, or that it is a new matter.",
    "name_only": "Only the name fits, and a name proves little. Say whether it is this alert or a new one.",
    "another_incident": "The child is known, but the incident is another or not stated. "
    "Say whether it is this alert or a new one.",
    "same_incident": "An alert by the same author tells of the same moment. Say whether it is this matter.",
    "contradiction": "The mail points to one alert and its content to another child. "
    "Perhaps it was sent in error: look before anything is answered.",
    "unknown_reference": "The mail quotes a reference that is not known here. Say which alert is meant.",
    "name_mismatch": "Subject, file name and form name different children. "
    "Perhaps it was sent in error: look before anything is answered.",
    UNREADABLE: "A form could not be read. Open it, and ask its author for a Word file if needed.",
    "mail_unread": "Part of the mail could not be read. Open it, and look whether it brings a form.",
    "macro_file": "The form holds macros. They were not run; ask for the form without them.",
    "blank_form": "The form that came with it is blank. Ask the sender for the one that is filled in.",
    "date_invalid": "A date on the form does not exist or cannot be read. Look it up on the form.",
    "date_future": "Something on the form is dated in the future. Ask its author.",
    EXTERNAL: "The mail came from outside the organisation. Check that it is genuine.",
    UNPROVEN: "Microsoft 365 could not prove that the mail comes from the address it names. "
    "Check with its sender, by telephone or a mail of your own, before it counts.",
    NO_FORM: "The subject speaks of an alert, but no form came with it. Ask the sender for the form.",
    FORM_BEHIND_LINK: "The form lies behind a link, which the agent never follows. "
    "Ask the sender for the file itself.",
    PROTECTED_MAIL: "The mail is encrypted or protected: only a person can open it. "
    "Look at once whether it brings a form, and ask its sender for one without protection.",
    "challenge": "A mailbox wants proof that a person wrote before it takes a mail. See that it arrives.",
    "closure_without_form": "Somebody asks to close an alert, without a filled-in conclusion. "
    "Ask for that, or conclude the alert in the register.",
    "query": "Somebody asks whether an alert is needed. Answer them.",
    "has_left": "A mailbox answers that its owner works there no longer. "
    "Find out who sees to the alert, and correct its author or reviewer.",
    "recall": "The sender tried to recall a mail. Perhaps it was sent in error: look at once.",
    ANNOUNCED: "Shortly before, the same sender wrote of an alert that is not confirmed and tells of no "
    "child. Say whether this is the form of that alert, or that it is a new one.",
    "update_before_alert": "An update came before its alert, which was opened from it. "
    "Look for the first form.",
    WITHDRAWN: "The sender takes an alert back, or writes that something was sent in error. Look at once "
    "whether it went to the wrong people, and say whether it is an alert.",
    "author_writes": "The author of an open alert writes, but not about which. "
    "Read it, and say which alert is meant, or that it is about none.",
    "reply_unmatched": "A reply came that belongs to no known alert. Read it.",
    "not_theirs": "The sender is neither the alert's author nor on the roster. Read it before it counts.",
    "bounce_unmatched": "A mail could not be delivered, and it is not known which. Read the report.",
    "letter_held": "A letter of the agent's was refused for good and did not go out. Once that is "
    "mended answer “Send again”, or “Done” where nobody needs it any more. A chase is tried afresh in time.",
    "author_left": "The author of an open alert is no longer there. Find out who takes it over.",
    "letter_undelivered": "A letter of the agent's could not be delivered, and none goes to that address any "
    "more. Correct the alert's author, or who is who at the desk, and answer “Done”; or “Send again” once it "
    "works.",
}
