"""Break: a claimed device shows the tags that it has in the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.core_devices import CoreDevice, CoreDevices
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "a claimed device shows the tags that it has in the core"
EXPECTED = ("test_core_and_claims.py::test_core_tag_is_no_provisioning_tag",)
ABOUT = r"tags"

before = existing(ProvisioningService, "device")
added_before = existing(CoreDevices, "add")
core_tags: dict[tuple[str, str], tuple[str, ...]] = {}


@replaces(CoreDevices, "add")
def add(self: CoreDevices, owner_id: str, device: CoreDevice) -> CoreDevice:
    """Remember the tags."""
    core_tags[owner_id, device.id] = device.tags
    added: CoreDevice = added_before(self, owner_id, device)
    return added


@replaces(ProvisioningService, "device")
def device(self: ProvisioningService, member: Member, device_id: str) -> ClaimedDevice:
    """Give the device the tags of the core."""
    found: ClaimedDevice = before(self, member, device_id)
    names = core_tags.pop((member.owner_id, device_id), ())
    if names:
        found.tag_ids = (*found.tag_ids, *self.tags_of(member).ids_of(names, define=True))
    return found
