"""What the real service does at times and not at others, as switches for tests and rehearsals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Habits:
    """How the sandbox behaves where Microsoft 365 is not always the same.

    sparse_rows        a delta row of a mail that was only touched names what changed and nothing else
    repeat_rows        a mail that changed twice has two delta rows
    replay             a delta round repeats this many changes that an earlier round told already
    empty_pages        pages without a row, but with a next link, before each delta round's first row
    keeps_message_ids  a draft keeps its internetMessageId when it is sent
    sent_copy_after    seconds (of the sandbox's clock) until a sent mail shows in Sent Items
    draft_lingers      until then the draft still lies in Drafts, although the mail has gone out
    long_running       what may take long in a workbook is promised (202) to whoever takes promises
    failing_operations so many of the next promises fail, told by an answer of status 200
    latency            seconds (real) that every request takes, inside its place in the concurrency limit
    """

    sparse_rows: bool = True
    repeat_rows: bool = False
    replay: int = 0
    empty_pages: int = 0
    keeps_message_ids: bool = True
    sent_copy_after: float = 0.0
    draft_lingers: bool = False
    long_running: bool = False
    failing_operations: int = 0
    latency: float = 0.0
