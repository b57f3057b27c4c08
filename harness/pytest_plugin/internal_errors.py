"""Internal errors of workers: an exception that no test raised, but a plugin, pytest or the harness.

A worker cannot go on after one. It says what it was, in full, and another one takes its place as after a
crash: one process is lost, and not the session. The test that it had begun has failed and shows it.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.report_redaction import encodable
from harness.pytest_plugin.story import clock_time, tell_story

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from harness.pytest_plugin.state import ActiveSession

#: In ``workeroutput``, by which a worker says at its end how it went: what its internal error was.
OUTPUT_KEY = "harness_internal_error"
_HEARD = "harness_internal_error"
#: What ends a session and is no internal error (``wrap_session`` of pytest).
_ENDS = (KeyboardInterrupt, pytest.exit.Exception, pytest.UsageError, pytest.Session.Failed)


class InternalErrorTold:
    """In a worker: says what its internal error was.

    pytest's own hook is not called when the error cannot be formatted, and what it says does not reach the
    controller when there is a character in it that has no encoding.
    """

    def __init__(self, config: pytest.Config, clean: Callable[[str], str]) -> None:
        """Say nothing yet.

        :param config: the worker's.
        :param clean: redacts a text.
        """
        self._output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]  # set by xdist
        self._clean = clean

    # Outermost: also what wrappers of other plugins raise is told.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Note what ends the loop over the tests and is no test's."""
        try:
            return (yield)
        except _ENDS:
            raise
        except BaseException as error:
            self._output[OUTPUT_KEY] = self._clean(encodable("".join(traceback.format_exception(error))))
            raise


def note_internal_error(node: Any, text: str) -> None:
    """Note what the internal error of a worker was.

    :param node: xdist's handle of the worker.
    """
    setattr(node, _HEARD, text)


def internal_error_of(node: Any) -> str:
    """Return what the internal error of a worker was; nothing of one that had none.

    :param node: xdist's handle of the worker.
    """
    return str(getattr(node, _HEARD, ""))


def gist_of(error: str) -> str:
    """Return the last line of an internal error: what was raised."""
    lines = [line for line in error.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


class InternalErrorsOfWorkers:
    """In the controller: shows the internal errors of workers, and fails the session for them."""

    def __init__(self, config: pytest.Config, session: ActiveSession) -> None:
        """Hear of nothing yet.

        :param config: the controller's.
        :param session: the session; its story tells of each error.
        """
        self._config = config
        self._session = session
        self._untold: list[tuple[str, str]] = []
        self._any = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Say at once that a worker ended with one."""
        error = self._session.redactor.redact(internal_error_of(node))
        if error:
            self._any = True
            self._untold.append((node.gateway.id, error))
            line = f"{clock_time()} worker {node.gateway.id} ended with an internal error: {gist_of(error)}"
            tell_story(self._config, self._session, line)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, report: pytest.TestReport) -> None:
        """Leave to the report of a test what the worker said that had begun it."""
        worker = report.node.gateway.id  # set by xdist on reports of a crash
        self._untold = [(each, error) for each, error in self._untold if each != worker]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let no session pass in which something of ours, of pytest or of a plugin broke."""
        if self._any and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what no test shows: a worker had begun none."""
        for worker, error in self._untold:
            terminalreporter.section(f"internal error of worker {worker}", sep="=", red=True)
            terminalreporter.write_line(error)
