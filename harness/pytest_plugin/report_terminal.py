"""Redaction in front of what pytest writes by itself: terminal, log file, cache, reports of other plugins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.pytest_plugin.report_redaction import clean_data
from harness.redaction.output import RedactedOutput, redact_handler

if TYPE_CHECKING:
    import warnings
    from collections.abc import Callable, Generator

    from harness.pytest_plugin.state import ActiveSession
    from harness.redaction import Redactor

_STREAMS = ("stdout", "stderr")


def guard_streams(config: pytest.Config, redactor: Redactor) -> None:
    """Redact what tests print to the terminal themselves, with ``-s`` and ``--capture=tee-sys``.

    Call it while pytest is configured, before its terminal reporter takes standard output as it is.
    """
    if config.option.capture == "no":
        for name in _STREAMS:
            guarded = RedactedOutput(getattr(sys, name), redactor)
            setattr(sys, name, guarded)
            config.add_cleanup(_undo(name, guarded))
    elif config.option.capture == "tee-sys":
        capturing = config.pluginmanager.getplugin("capturemanager")._global_capturing
        for each in (capturing.out, capturing.err):
            each.tmpfile._other = RedactedOutput(each.tmpfile._other, redactor)


def _undo(name: str, guarded: RedactedOutput) -> Callable[[], None]:
    def undo() -> None:
        guarded.flush()
        if getattr(sys, name) is guarded:
            setattr(sys, name, guarded.file)

    return undo


class OutputGuard:
    """Stands in front of the writers of one process."""

    def __init__(self, config: pytest.Config, session: ActiveSession) -> None:
        """Guard nothing yet."""
        self._config = config
        self._redactor = session.redactor
        self._clean = session.redactor.redact
        self._in_worker = hasattr(config, "workerinput")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Guard the terminal, the log file and the cache, which are all there by now."""
        self._guard_terminal()
        self._guard_log_file()
        self._guard_cache()

    def _guard_cache(self) -> None:
        cache = getattr(self._config, "cache", None)
        if cache is not None:
            write = cache.set
            vars(cache)["set"] = lambda key, value: write(key, clean_data(value, self._clean))

    def _guard_terminal(self) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        writer = getattr(reporter, "_tw", None)
        if writer is not None and not isinstance(writer._file, RedactedOutput):
            plain = writer._file
            writer._file = guarded = RedactedOutput(plain, self._redactor)

            def undo() -> None:
                guarded.flush()
                writer._file = plain

            self._config.add_cleanup(undo)

    def _guard_log_file(self) -> None:
        logging_plugin = self._config.pluginmanager.getplugin("logging-plugin")
        handler = getattr(logging_plugin, "log_file_handler", None)
        if handler is not None:
            redact_handler(handler, self._redactor)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Redact the text of a warning before anybody else sees it."""
        warning: Any = warning_message.message
        if isinstance(warning, str):
            warning_message.message = clean_data(warning, self._clean)
        else:
            warning.args = clean_data(warning.args, self._clean)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_to_serializable(self) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
        """Redact what a plugin of the controller writes of a report; between processes ids must stay."""
        data = yield
        if data is None or self._in_worker:
            return data
        return cast("dict[str, Any]", clean_data(data, self._clean))
