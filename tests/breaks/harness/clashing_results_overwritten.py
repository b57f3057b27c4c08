"""Break: of two Allure results with one id the later overwrites the earlier."""

from __future__ import annotations

from harness.merging import allure
from tests.breaks.support.patching import replaces

TITLE = "of two Allure results with one id the later overwrites the earlier"
NOTICED_BY = (
    "tests/merging/test_allure.py::test_clashing_ids_lose_nothing",
    "tests/merging/test_allure.py::test_results_keep_to_their_directory",
)
ABOUT = r"set\(results\) == set\(containers\)|len\(written\) == 1"


@replaces(allure._Intake, "_take_uuids")
def _take_uuids(self: allure._Intake) -> dict[str, tuple[str, str]]:
    """Trust every id to be there once."""
    found = {file.name: allure._uuid_of(file) for file in self._documents}
    return {name: (uuid, uuid) for name, uuid in found.items() if uuid is not None}
