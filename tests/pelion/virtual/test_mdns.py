"""How a device makes itself known by mDNS, seen by a browser of zeroconf on the loopback interface."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.pelion.virtual.device import Device

SERVICE = "_ssh._tcp.local."
DEADLINE = 20.0


class Seen(ServiceListener):
    """What a browser sees."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._names: set[str] = set()

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Somebody came."""
        with self._changed:
            self._names.add(name)
            self._changed.notify_all()

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Somebody went."""
        with self._changed:
            self._names.discard(name)
            self._changed.notify_all()

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Somebody changed."""

    def wait(self, name: str, *, there: bool) -> None:
        """Wait until somebody is there, or gone."""
        with self._changed:
            found = self._changed.wait_for(lambda: (name in self._names) is there, DEADLINE)
            assert found, f"{name} is not {'there' if there else 'gone'}"


@pytest.fixture
def browser() -> Iterator[tuple[Zeroconf, Seen]]:
    """A browser on the loopback interface."""
    with Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only) as zeroconf:
        seen = Seen()
        ServiceBrowser(zeroconf, SERVICE, seen)
        yield zeroconf, seen


def test_comes_and_goes(make_device: Callable[..., Device], browser: tuple[Zeroconf, Seen]) -> None:
    """It is known while it has power and says so: name, port, and the key ``mblos`` without a value."""
    zeroconf, seen = browser
    device = make_device(mdns=True)
    host_name = device.host.on_loop(device.board.describe)["host_name"]
    name = f"{host_name}.{SERVICE}"
    seen.wait(name, there=True)
    info = zeroconf.get_service_info(SERVICE, name, timeout=int(DEADLINE * 1000))
    assert isinstance(info, ServiceInfo)
    assert info.text == b"\x05mblos"
    assert info.properties == {b"mblos": None}
    assert info.port == device.call("ssh")["port"]
    assert info.parsed_addresses() == ["127.0.0.1"]
    assert info.server == f"{host_name}.local."
    device.power_off()
    seen.wait(name, there=False)


def test_by_order(device: Device) -> None:
    """It is off until it is ordered, and off again behind it; both do not wait."""
    advertisement = device.board._advertisement
    assert not device.host.on_loop(lambda: advertisement.on)
    device.call("advertise", on=True)
    device.call("advertise", on=True)
    assert device.host.on_loop(lambda: advertisement.on)
    assert device.call("configuration")["mdns"] is True
    device.host.on_loop(device.board.clear_faults)
    assert not device.host.on_loop(lambda: advertisement.on)
