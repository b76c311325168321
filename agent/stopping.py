"""How the agent and the sandbox are told to stop, and the agent to read its configuration again."""

from __future__ import annotations

import signal
import sys
import threading


def on_signals(stop: threading.Event, hangup: threading.Event | None = None) -> None:
    """Set `stop` on SIGTERM and SIGINT, and `hangup`, where one is given, on SIGHUP.

    In a terminal SIGHUP says that the terminal is gone, and ends the program as usual. A handler interrupts
    the main thread anywhere, perhaps just as it waits for this very event; setting it from there could wait
    for itself, so another thread does.
    """
    told = {signal.SIGTERM: stop, signal.SIGINT: stop}
    in_a_terminal = sys.stdin is not None and sys.stdin.isatty()
    if hangup and hasattr(signal, "SIGHUP") and not in_a_terminal:
        told[signal.SIGHUP] = hangup
    for name, event in told.items():
        signal.signal(name, lambda *_, told=event: threading.Thread(target=told.set, name="told").start())
