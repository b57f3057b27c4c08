"""``harness pelion status``: whether the device is configured, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pelion.cli.conftest import Person
    from tests.pelion.driver.device_double import DeviceDouble


@pytest.mark.parametrize("word", ["status", "get-pelion-status"])
def test_configured(person: Person, device: DeviceDouble, word: str) -> None:
    """A device that is configured says so."""
    done = person.run(word)

    assert done.code == 0
    assert done.out == "Device is configured correctly. You can connect to Pelion Cloud!\n"


def test_not_configured(person: Person, device: DeviceDouble) -> None:
    """A device that is not configured is our 1, with the device's reason, which MBL CLI drops."""
    device.write_util("echo 'Querying device status... '; echo 'Item empty:mbed.EndpointName' >&2; exit 1")

    done = person.run("status")

    assert (done.code, done.out) == (1, "")
    assert (
        "harness: Your device is not correctly configured for Pelion Device Management."
        " You must provision your device using the provision-pelion command."
        " The device says: Item empty:mbed.EndpointName\n"
    ) in done.err
