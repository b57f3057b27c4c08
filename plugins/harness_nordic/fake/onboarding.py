"""What a rule may say of the device that it onboards, and what of it the core API is told.

The portal offers device management group, firmware types and subtype (nrfcloud fact sheet, section 2.9); the
form on the wire is a fake choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness_nordic.fake.core_devices import CoreDevice

if TYPE_CHECKING:
    from harness_nordic.enums import FirmwareType
    from harness_nordic.fake.core_devices import CoreDevices
    from harness_nordic.fake.records import ClaimedDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """How a device is to appear in device management.

    :ivar sub_type: its subtype; empty for none.
    :ivar firmware_types: firmware that can be updated on it.
    :ivar group: device management group that it joins; empty for none. It is no provisioning group.
    """

    sub_type: str = ""
    firmware_types: tuple[FirmwareType, ...] = ()
    group: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the object ``onboarding`` of a rule."""
        return {
            "subType": self.sub_type,
            "fwTypes": [firmware.value for firmware in self.firmware_types],
            "group": self.group,
        }


def onboard(device: ClaimedDevice, command_id: str, core: CoreDevices) -> None:
    """Tell the core API of a device whose rule is done: ``finished`` has succeeded.

    :param command_id: the command that succeeded.
    """
    for awaited, onboarding in device.onboardings:
        if awaited == command_id:
            core.onboard(
                device.owner_id,
                CoreDevice(
                    id=device.id,
                    sub_type=onboarding.sub_type,
                    groups=(onboarding.group,) if onboarding.group else (),
                    firmware_types=tuple(firmware.value for firmware in onboarding.firmware_types),
                ),
            )
    device.onboardings = [entry for entry in device.onboardings if entry[0] != command_id]
