"""Consoles: opened, captured from the first byte, indexed by time, searched by event."""

from harness.console.console import LATE_REPLY_SECONDS, Console
from harness.console.dialect import Dialect, Reply
from harness.console.intake import SEARCH_WINDOW
from harness.console.matching import REGEX_REACH, Match, Pattern

__all__ = [
    "LATE_REPLY_SECONDS",
    "REGEX_REACH",
    "SEARCH_WINDOW",
    "Console",
    "Dialect",
    "Match",
    "Pattern",
    "Reply",
]
