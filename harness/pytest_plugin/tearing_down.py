"""Taking down fixtures when another test is next than was told when the last one ended."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from harness.pytest_plugin.report_tests import TestReports


def tear_down_before(
    following: pytest.Item | None,
    *,
    last: pytest.Item,
    watch: AbstractContextManager[object] | None = None,
) -> pytest.TestReport | None:
    """Take down the fixtures that the next test does not use.

    :param following: the next test; ``None`` when there is none.
    :param last: the test that ran last, which a failure is blamed on, as pytest would have done.
    :param watch: what watches that it ends.
    :return: the report of a failure; ``None`` when there is none.
    """

    def tear_down() -> None:
        with watch or nullcontext():
            last.session._setupstate.teardown_exact(following)

    call = pytest.CallInfo.from_call(tear_down, when="teardown", reraise=(pytest.exit.Exception,))
    if call.excinfo is None:
        return None
    report = pytest.TestReport.from_item_and_call(last, call)
    reports: TestReports | None = last.config.pluginmanager.get_plugin("harness-report-tests")
    if reports is not None:
        reports.complete_late(last, call, report)
    return report


def is_anything_up(following: pytest.Item | None, *, last: pytest.Item) -> bool:
    """Tell whether there is something to take down before the next test, or at the end."""
    kept = set() if following is None else set(following.listchain())
    return any(node not in kept for node in last.session._setupstate.stack)


def somebody_like(item: pytest.Item) -> pytest.Item:
    """Return what to name as the next test when nobody knows it yet.

    It uses whatever the given one uses beyond itself, so that the fixtures of class, module and session stay.
    """
    return copy.copy(item)
