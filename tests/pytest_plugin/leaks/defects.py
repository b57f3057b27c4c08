"""Defects of redaction that a session may have: the search has to find what they let through.

A plugin of the harness, loaded in every process; ``LEAK_DEFECT`` names the defects, separated by commas.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.redaction import forms, pieces, redactor, sharing, stream

if TYPE_CHECKING:
    from collections.abc import Callable


def _nothing(*_arguments: Any, **_named: Any) -> None:
    """Do nothing."""


def _base64_forgotten() -> None:
    encodings = forms._encodings
    _replace(forms, "_encodings", lambda raw: encodings(raw)[:2])


def _hex_forgotten() -> None:
    encodings = forms._encodings
    _replace(forms, "_encodings", lambda raw: encodings(raw)[2:])


def _escapes_forgotten() -> None:
    _replace(redactor.Redactor, "_find_below", lambda _self, _data, _layers: [])


def _pieces_forgotten() -> None:
    lay_beside = pieces._lay_beside

    def only_the_whole(form: Any, *arguments: Any) -> Any:
        found = lay_beside(form, *arguments)
        return found if found is not None and found.end - found.start == len(form.text) else None

    _replace(pieces, "_lay_beside", only_the_whole)


def _each_read_alone() -> None:
    """A secret that is split over two reads is not redacted."""
    _replace(stream.RedactedStream, "feed", lambda self, data: self._redactor.redact_bytes(data))


def _workers_keep_theirs() -> None:
    _replace(sharing.SharedSecrets, "_tell", _nothing)


def _junit_before_redaction() -> None:
    from harness.pytest_plugin import report_session

    _replace(report_session, "clean_junit", _nothing)


def _attachments_bypass_it() -> None:
    from harness.pytest_plugin import report_allure

    _replace(report_allure, "_put_in_place", _nothing)


def _results_bypass_it() -> None:
    from harness.pytest_plugin import report_allure

    _replace(report_allure.AllureReport, "_cleaned", lambda _self, item: item)


def _warnings_forgotten() -> None:
    from harness.pytest_plugin.report_terminal import OutputGuard

    _replace(OutputGuard, "pytest_warning_recorded", _nothing)


def _terminal_forgotten() -> None:
    from harness.pytest_plugin.report_terminal import OutputGuard

    _replace(OutputGuard, "_guard_terminal", _nothing)


def _log_file_forgotten() -> None:
    from harness.pytest_plugin.report_terminal import OutputGuard

    _replace(OutputGuard, "_guard_log_file", _nothing)


def _cache_forgotten() -> None:
    from harness.pytest_plugin.report_terminal import OutputGuard

    _replace(OutputGuard, "_guard_cache", _nothing)


def _reports_of_others_forgotten() -> None:
    from harness.pytest_plugin.report_terminal import OutputGuard

    del OutputGuard.pytest_report_to_serializable


def _environment_handed_on() -> None:
    from harness.pytest_plugin import controller

    _replace(controller, "environment_of_others", lambda _redactor: dict(os.environ))


def _replace(owner: Any, name: str, value: Any) -> None:
    assert hasattr(owner, name), f"{owner} has no {name}: the defect is none any more"
    setattr(owner, name, value)


DEFECTS: dict[str, Callable[[], None]] = {
    name.removeprefix("_"): value
    for name, value in list(globals().items())
    if callable(value)
    and name.startswith("_")
    and name not in {"_nothing", "_replace"}
    and value.__module__ == __name__
}

if "LEAK_DEFECT" in os.environ:
    for each in os.environ["LEAK_DEFECT"].split(","):
        DEFECTS[each]()
