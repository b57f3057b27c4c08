"""Break: a toggle of the dates is not kept: the next page shows dates as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_guardian.fake.pages import devices
from harness_guardian.fake.pages.addresses import safe_return
from harness_guardian.fake.pages.visits import see_other
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.responses import Response

    from harness_guardian.fake.pages.visits import Visit

TITLE = "a toggle of the dates is not kept: the next page shows dates as before"
NOTICED_BY = ("tests/guardian/fake/test_pages_devices.py::test_date_toggles_apply_at_once_and_are_kept",)
ABOUT = r"2026-11-21T23:24:33Z"


@replaces(devices, "change_settings")
async def change_settings(visit: Visit) -> Response:
    """Lead back, and nothing else."""
    return see_other(f"{safe_return(visit.field('back'))}#settings")
