"""Every error, named after what it asks of us; the message names the thing and the remedy."""

from __future__ import annotations


class AgentError(Exception):
    """Root of all errors that are ours to explain; no traceback is owed for one."""


class TryAgainLater(AgentError):
    """Nothing is wrong that time will not mend. `wait` is the least number of seconds, if told."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Stopping(TryAgainLater):
    """The agent is being stopped; what was under way is taken up at the next start."""


class ChangedMeanwhile(TryAgainLater):
    """Somebody wrote between our reading and our writing (412): read afresh and merge again."""


class Locked(TryAgainLater):
    """Somebody has the workbook open (423): keep what is to be written and come back."""


class CursorGone(TryAgainLater):
    """The mailbox no longer knows where we had got to (410): start a full round."""


class OutcomeUnknown(TryAgainLater):
    """The request may or may not have been carried out. Look before anything is repeated."""


class NotFound(AgentError):
    """What was asked for is not there (404)."""


class NeedsAPerson(AgentError):
    """Going on would be guessing, or permission is missing: a person has to act."""


class LedgerRefuses(NeedsAPerson):
    """The ledger cannot be used until a person sees to it: a full disk, rights, damage. No mail or letter is
    to blame."""


class NotAllowed(NeedsAPerson):
    """Microsoft 365 refuses (401, 403). The message names the permission or scope that is missing."""


class NoMailbox(NotAllowed):
    """Microsoft 365 shows the agent no mailbox under this address: none is there, or it may not know."""


class WrongCall(AgentError):
    """What was asked for on the command line cannot be done as asked."""


class BadConfiguration(NeedsAPerson):
    """The configuration cannot be used. `problems` lists all that is wrong, each a sentence."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(f"- {problem}" for problem in problems))
        self.problems = problems
