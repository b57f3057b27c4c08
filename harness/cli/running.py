"""Runs a command for those of ours that wrap one."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_command(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a command to its end; Ctrl-C at a terminal reaches it without us, and so it decides what follows.

    :param command: the command.
    :param environment: all of its environment; ``None``: ours.
    :return: 0 if it succeeded, 1 otherwise.
    :raises UsageError: it cannot be started.
    """
    signal.signal(signal.SIGINT, lambda *_: None)  # not ignored: that, the command would inherit
    try:
        process = subprocess.Popen(command, env=environment)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot be started: {reason}", key="COMMAND", value=command[0]) from error
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: process.send_signal(number))
    return 0 if process.wait() == 0 else 1
