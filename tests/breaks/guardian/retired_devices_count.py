"""Break: a device that failed or was replaced counts for ever."""

from __future__ import annotations

from harness_guardian.fake import verifying
from harness_guardian.fake.records import InstanceState
from tests.breaks.support.patching import sets

TITLE = "a device that failed or was replaced counts for ever"
NOTICED_BY = (
    "tests/guardian/fake/test_instances.py::test_a_device_that_takes_the_place_of_a_lost_one_retires_it",
    "tests/guardian/fake/test_instances.py::test_what_failed_does_not_count",
)
ABOUT = r"outcome|others"


sets(verifying, "COUNTED", frozenset(InstanceState))
