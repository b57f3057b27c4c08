"""Ctrl-C for commands that run until they are told to end."""

from __future__ import annotations

import signal


def end_on_signals() -> None:
    """Make SIGTERM end a command as Ctrl-C does, and Ctrl-C also where a shell had it ignored for us.

    A shell without job control starts what ends in ``&`` with SIGINT ignored, and Python leaves it so.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
