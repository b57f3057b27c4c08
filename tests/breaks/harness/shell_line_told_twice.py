"""Break: a line of a shell that was taken for an AT host is sent again when its prompt came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.console import shell_by_hand
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness.console.console import Console
    from harness.console.shell_by_hand import Said

TITLE = "a line by hand is sent twice where a shell turns up"
NOTICED_BY = ("tests/cli/test_send_to_shells.py::test_reply_of_a_shell[*-words4-*",)
ABOUT = r"typed"

before = existing(shell_by_hand, "ask_line")


@replaces(shell_by_hand, "ask_line")
def ask_line(console: Console, line: str, *, timeout: float, reason: str, shell: bool) -> Said:
    """Ask once more."""
    before(console, line, timeout=timeout, reason=reason, shell=shell)
    said: Said = before(console, line, timeout=timeout, reason=reason, shell=shell)
    return said
