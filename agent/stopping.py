"""How the agent and the sandbox are told to stop."""

from __future__ import annotations

import signal
import threading


def on_signals(stop: threading.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT.

    A handler interrupts the main thread anywhere, perhaps just as it waits for this very event; setting
    it from there could wait for itself, so another thread does.
    """

    def told(number: int, frame: object) -> None:
        threading.Thread(target=stop.set, name="stopping").start()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, told)
