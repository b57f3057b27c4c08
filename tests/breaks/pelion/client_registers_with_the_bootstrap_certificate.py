"""Break: the device shows the LwM2M server the certificate of its developer."""

from __future__ import annotations

from harness_pelion.enums import Item
from harness_pelion.virtual.client_work import Holdings
from tests.breaks.support.patching import existing, replaces
from tests.breaks.support.pelion import be_impatient

TITLE = "a device registers with its bootstrap certificate"
EXPECTED = (
    "test_evidence.py::test_device_is_registered",
    "test_evidence.py::test_each_link_holds[log]",
)
ABOUT = r"does not say that it is registered|first_broken"

before = existing(Holdings, "needed")
be_impatient()
OTHER = {
    Item.LWM2M_DEVICE_CERT: Item.BOOTSTRAP_DEVICE_CERT,
    Item.LWM2M_DEVICE_PRIVATE_KEY: Item.BOOTSTRAP_DEVICE_PRIVATE_KEY,
}


@replaces(Holdings, "needed")
def needed(self: Holdings, *names: str) -> tuple[bytes, ...]:
    """Hold one identity only."""
    found: tuple[bytes, ...] = before(self, *(OTHER.get(name, name) for name in names))  # type: ignore[call-overload]
    return found
