"""Break: a certificate may be reported as finished."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from harness_nordic.fake.refusals import BadRequest
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.wire import DeviceReport

TITLE = "a certificate may be reported as finished"
EXPECTED = ("test_reports.py::test_report_of_the_wrong_kind",)
ABOUT = r"400"

before = existing(CommandQueue, "_check")


@replaces(CommandQueue, "_check")
def _check(self: CommandQueue, report: DeviceReport) -> None:
    """Refuse only what is unknown."""
    if report.id in self._steps:
        with contextlib.suppress(BadRequest):
            before(self, report)
        return
    before(self, report)
