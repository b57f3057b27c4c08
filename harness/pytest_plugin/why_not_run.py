"""Why tests that were collected came to no outcome: what ended the session before they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.state import NOT_RUN_REASON_KEY
from harness.pytest_plugin.xdist_session import XdistSession

if TYPE_CHECKING:
    from harness.pytest_plugin.report_records import SessionRecords

BY_HAND = "interrupted"
UNKNOWN = "the session ended before it"


class WhyNotRun:
    """Takes notice of what ends a session early."""

    def __init__(self, config: pytest.Config) -> None:
        """Know nothing yet.

        :param config: of the process that the user started.
        """
        self._config = config
        self._interruption = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Somebody interrupted, or pytest did after failures, or a test by ``pytest.exit``."""
        by_hand = excinfo.type is KeyboardInterrupt
        self._interruption = BY_HAND if by_hand else str(excinfo.value) or excinfo.typename

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self) -> None:
        """Something is wrong with pytest or with one of its plugins."""
        self._interruption = "an internal error ended the session"

    def hear_out(self) -> None:
        """Hear what workers said of tests before they ended, when the session was interrupted meanwhile."""
        if self._interruption == BY_HAND and self._config.pluginmanager.hasplugin("dsession"):
            XdistSession(self._config).hear_out()

    def reason(self, session: pytest.Session) -> str:
        """Return what ended a session.

        :param session: pytest's, at its end.
        """
        return (
            self._config.stash.get(NOT_RUN_REASON_KEY, "")
            or self._interruption
            or str(session.shouldfail or session.shouldstop or "")
            or self._what_xdist_says()
            or UNKNOWN
        )

    def _what_xdist_says(self) -> str:
        if not self._config.pluginmanager.hasplugin("dsession"):
            return ""
        return XdistSession(self._config).why_it_ends


def note_reasons(records: SessionRecords, reason: str) -> None:
    """Say of each test that came to no outcome why.

    :param reason: what ended the session.
    """
    for nodeid in records.not_run:
        began = records.begun(nodeid) is not None
        records.why_not_run[nodeid] = f"{reason}, while it ran" if began else reason
