"""Break: the report has a line for each request of a device, not for its latest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import row_view
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness_guardian.fake.records import ProvisioningRequest

TITLE = "the report has a line for each request of a device, not for its latest one"
NOTICED_BY = ("tests/guardian/fake/test_reports_api.py::test_one_line_a_device",)
ABOUT = r"found"


@replaces(row_view, "latest_of_each_device")
def latest_of_each_device(requests: Iterable[ProvisioningRequest]) -> list[ProvisioningRequest]:
    """Keep them all."""
    return list(requests)
