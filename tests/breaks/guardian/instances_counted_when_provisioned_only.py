"""Break: devices are counted when provisioning begins, and not when a request is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake import verifying
from tests.breaks.support.patching import sets

if TYPE_CHECKING:
    from harness_guardian.fake.records import InstanceState

TITLE = "devices are counted when provisioning begins, and not when a request is verified"
NOTICED_BY = (
    "tests/guardian/fake/test_instances.py::test_what_only_waits_for_approval_does_not_count",
    "tests/guardian/fake/test_checks_order.py::test_each_initial_fault[ward full]",
    "tests/guardian/fake/test_checks_order.py::test_each_initial_fault[hardware id taken]",
)
ABOUT = r"outcome"


NONE: frozenset[InstanceState] = frozenset()

sets(verifying, "COUNTED", NONE)
