"""What earlier sessions came to, and this one for later ones: in the process that the user started.

The history is an aid. What keeps it from being read or written is said, and stops no test; only a file that
was named and is no history is a mistake of the user's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.history.files import default_file
from harness.history.store import History
from harness.pytest_plugin.past_attempts import HeardAttempts
from harness.pytest_plugin.report_records import BoardUsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from harness.history.store import SessionHistory
    from harness.pytest_plugin.state import ActiveSession

PROJECT_KEY = "harness_project"
_REDACTED = "[redacted"


class Past:
    """The history of a session's project: read once, written to with each attempt that ends."""

    def __init__(self, config: pytest.Config, session: ActiveSession) -> None:
        """Open the history.

        :raises UsageError: the file that was named is no history, or is damaged.
        :raises RigFault: the file that was named cannot be opened.
        """
        self.problem = ""
        """Why nothing more is read or written, in one sentence; empty while all is well."""
        self.project = session.redactor.redact(config.getini(PROJECT_KEY) or config.rootpath.name)
        self._config = config
        self._session = session
        named = session.settings.history
        self._history = None if named == "off" else self._open(named)
        self._recording: SessionHistory | None = None
        self._began = time.time()
        self._collected: list[str] = []
        self._heard = HeardAttempts(
            session.run_id, self.project, clean=session.redactor.redact, board_of=self._board_of
        )

    def _open(self, named: Path | None) -> History | None:
        try:
            return History(named or default_file())
        except HarnessError as error:
            if named is not None:
                raise
            self.problem = str(error)
            return None

    def close(self) -> None:
        """Close the history; idempotent."""
        if self._history is not None:
            self._history.close()
            self._history = None

    def _give_up(self, error: HarnessError) -> None:
        self.problem = str(error)
        self.close()

    # -- what is known ------------------------------------------------------------------------------------

    def expected_seconds(self) -> Callable[[str], Mapping[str, float]]:
        """Return what tells by a test's id how long it takes, by kind of board; says of how many it is known.

        A test without a board has the kind :data:`~harness.history.attempts.NO_KIND`.
        """
        known: dict[str, dict[str, float]] = {}
        if self._history is not None:
            try:
                known = self._history.expected_seconds(self.project)
            except HarnessError as error:
                self._give_up(error)
        clean = self._session.redactor.redact
        hidden = any(_REDACTED in test for test in known)

        def seconds_of(test: str) -> Mapping[str, float]:
            found = known.get(test)
            if found is None and hidden:
                found = known.get(clean(test))
            return found or {}

        self._tell(sum(map(bool, map(seconds_of, self._collected))))
        return seconds_of

    def _tell(self, known: int) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and self._collected and not self.problem:
            reporter.write_line(f"harness: durations known of {known} of {len(self._collected)} tests")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Iterable[str]) -> None:
        """Take notice of the tests that a worker collected; all collect the same."""
        self._collected = self._collected or list(ids)

    # -- what is written ----------------------------------------------------------------------------------

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._heard.begin(nodeid, time.time())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write an attempt down when it is over; the report was redacted before."""
        attempt = self._heard.add(report)
        if attempt is None or self._history is None:
            return
        try:
            if self._recording is None:
                self._recording = self._history.begin(self._session.run_id, self._began)
            self._recording.record(attempt)
        except HarnessError as error:
            self._give_up(error)

    def _board_of(self, report: pytest.TestReport) -> BoardUsed | None:
        """Return the board of a test whose worker died before it said on which it ran."""
        node: Any = getattr(report, "node", None)
        worker = getattr(getattr(node, "gateway", None), "id", "")
        board_id = self._session.board_of_worker.get(worker)
        board = next((board for board in self._session.boards if board.id == board_id), None)
        if board is None:
            return None
        bench = "virtual" if board.virtual else self._session.hardware
        return BoardUsed(id=self._session.redactor.redact(board.id), kind=board.kind, bench=bench)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Forget what is too old; it costs nobody's time while tests wait."""
        if self._history is not None and self._recording is not None:
            try:
                self._history.forget(time.time())
            except HarnessError as error:
                self._give_up(error)

    # -- what is said -------------------------------------------------------------------------------------

    def pytest_report_header(self) -> list[str]:
        """Say when there is no history."""
        return [self._warning] if self.problem else []

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say it where nobody overlooks it."""
        if self.problem:
            terminalreporter.write_line(self._warning, yellow=True)

    @property
    def _warning(self) -> str:
        return f"harness: WARNING: no history: {self.problem}"


PAST_KEY = pytest.StashKey[Past]()
"""On ``config`` of the process that the user started; missing where nothing is recorded."""


def begin_past(config: pytest.Config, session: ActiveSession) -> None:
    """Read the history of a session that runs tests, and begin to write it.

    :raises pytest.UsageError: the file that was named is no history, or cannot be used.
    """
    if session.settings.history == "off":
        return
    try:
        past = config.stash[PAST_KEY] = Past(config, session)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    config.add_cleanup(past.close)
    config.pluginmanager.register(past, "harness-history")


def expected_seconds(config: pytest.Config, session: ActiveSession) -> Callable[[str], Mapping[str, float]]:
    """Return what tells by a test's id how long it is expected to take, by kind of board.

    ``{}`` of a test of which nothing is known. A test without a board has the kind
    :data:`~harness.history.attempts.NO_KIND`, and what is known of one kind says nothing of another.
    Call it once, when all tests are collected: it says on the terminal of how many it is known.

    :param config: the controller's.
    :param session: its session.
    """
    del session
    past = config.stash.get(PAST_KEY, None)
    return (lambda _test: {}) if past is None else past.expected_seconds()
