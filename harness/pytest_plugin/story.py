"""What happens to boards while tests run, told at once on the terminal and again in the summary."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from harness.pytest_plugin.state import ActiveSession


def clock_time() -> str:
    """Return the time of day, as lines of the story begin with it."""
    return time.strftime("%H:%M:%S")


def tell_story(config: pytest.Config, session: ActiveSession, line: str) -> None:
    """Add a line to the story of a session and show it; only in the process that the user started.

    :param config: that process's.
    :param session: the session.
    :param line: what happened, with its time.
    """
    session.story.append(line)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(f"harness: {line}", yellow=True)
