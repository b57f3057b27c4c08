"""Break: a team can use another team's devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.refusals import NotFound
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "a team can use another team's devices"
EXPECTED = (
    "test_claiming.py::test_get_of_another_team",
    "test_blocking.py::test_block_of_another_teams_device*",
    "test_unclaiming.py::test_unclaim_of_another_teams_device",
    "test_commands.py::test_command_of_another_team",
)
ABOUT = r"404|RequestRefused|refused"


@replaces(ProvisioningService, "device")
def device(self: ProvisioningService, member: Member, device_id: str) -> ClaimedDevice:
    """Ask only whether somebody has the device."""
    found = self._claims.get(device_id)
    if found is None:
        raise NotFound("nobody has such a device")
    return found
