"""What the tests of the virtual device share: boards in hand, and the clients of OpenSSH."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.pelion.virtual.device import Device
from tests.pelion.virtual.shell_bench import ShellBench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make_device(tmp_path: Path) -> Iterator[Callable[..., Device]]:
    """Make devices that are switched on; they end with the test."""
    devices: list[Device] = []

    def make(number: int = 0, **options: Any) -> Device:
        device = Device(number, options, tmp_path / f"device-{number}")
        devices.append(device)
        device.power_on()
        return device

    yield make
    for device in devices:
        device.close()


@pytest.fixture
def device(make_device: Callable[..., Device]) -> Device:
    """A device without credentials that is switched on."""
    return make_device()


@pytest.fixture
def bench() -> ShellBench:
    """A shell and its device, without a board around them."""
    return ShellBench()
