"""Break: another team finds the update jobs of ours."""

from __future__ import annotations

from harness_nordic.fake.core_devices import CoreDevices, FotaJob
from tests.breaks.support.patching import replaces

TITLE = "another team finds the update jobs of ours"
NOTICED_BY = ("tests/nordic/fake/test_core_api.py::test_operations_and_jobs_of_another_team",)
ABOUT = r"status_code"


@replaces(CoreDevices, "job")
def job(self: CoreDevices, owner_id: str, job_id: str) -> FotaJob:
    """Look at the id alone."""
    return self._jobs[job_id]
