"""Signals: a session that is told to end cleans up like one that is interrupted from the keyboard."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from contextlib import ExitStack
    from types import FrameType

    import pytest


def interrupt_on_termination(resources: ExitStack) -> None:
    """Treat SIGTERM and SIGHUP like Ctrl-C for as long as the resources are held.

    :param resources: what is closed when the session ends; nothing changes where somebody has already
        installed a handler of his own, or outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def interrupt(number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, interrupt)
            resources.callback(signal.signal, number, signal.SIG_DFL)


def interrupt_once() -> None:
    """Let only the first SIGINT interrupt this worker.

    From the keyboard it reaches worker and controller at once, and the controller sends one more for the
    case that it alone was interrupted; a second one must not break into the clean-up of the first.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, interrupt)


def shorten_traceback(config: pytest.Config, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Keep where an interrupt hit: pytest formats the whole, which takes seconds, and shows that line."""
    shown = excinfo.traceback.filter(excinfo)  # pytest.exit hides itself, and needs a line to show
    if shown and not config.option.fulltrace:
        excinfo.traceback = shown[-1:]
