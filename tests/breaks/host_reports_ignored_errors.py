"""Break: the host reports errors as failures that the service said to ignore."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_nordic.host_agent import batch
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.host_agent.wire import AtCommand, Report

TITLE = "the host's agent fails at ignored errors"
EXPECTED = (
    "test_agents.py::test_ignored_error[host]",
    "test_agents_in_trouble.py::test_answer_to_the_report_is_lost[host]",
)
ABOUT = r"SUCCEEDED"

before = existing(batch, "judge")


@replaces(batch, "judge")
def judge(command: AtCommand, answer: str) -> Report:
    """Ignore nothing."""
    report: Report = before(replace(command, ignored=()), answer)
    return report
