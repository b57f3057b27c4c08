"""A fake in this process behind its ASGI door."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import cbor2
import httpx
import pytest

from harness_nordic.fake.app import NrfCloudFake
from harness_nordic.fake.clock import Clock
from tests.nordic.fake.coap_peers import LibcoapDevice, LiteralDevice, UdpServer
from tests.nordic.paper_device import NOW, PaperDevice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Door:
    """One of the fake's applications, asked without a socket; an exception in it fails the test."""

    def __init__(self, application: Any) -> None:
        """Ask an application."""
        self._application = application

    def ask(self, method: str, path: str, *, key: str | None = None, **content: Any) -> httpx.Response:
        """Send a request, with ``Authorization: Bearer KEY`` if there is a key."""
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **content.pop("headers", {})}

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self._application)
            async with httpx.AsyncClient(transport=transport, base_url="http://fake") as client:
                return await client.request(method, path, headers=headers, **content)

        return asyncio.run(exchange())


class Site:
    """A fake with one team and one enrolled device, and short ways to use them."""

    def __init__(self) -> None:
        """Start at :data:`NOW`."""
        self.fake = NrfCloudFake(Clock(lambda: NOW))
        self.world = Door(self.fake.service)
        self.control = Door(self.fake.control)
        self.key = self.team()["api_key"]
        self.device = self.enrolled(1)

    def team(self, **wanted: str) -> dict[str, str]:
        """Make an API key."""
        response = self.control.ask("POST", "/teams", json=wanted)
        assert response.status_code == 201
        made: dict[str, str] = response.json()
        return made

    def enrolled(self, number: int) -> PaperDevice:
        """Make a device that the factory registered."""
        device = PaperDevice(number)
        assert self.control.ask("POST", "/factory", json=device.record()).status_code == 201
        return device

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the management API with the team's key."""
        return self.world.ask(method, path, **{"key": self.key, **content})

    def claim(self, device: PaperDevice | None = None, **content: Any) -> httpx.Response:
        """Claim a device."""
        body = {"claimToken": (device or self.device).token()}
        return self.ask("POST", "/v1/claimed-devices", json=body, **content)

    def status(self) -> str:
        """Return the status of the device."""
        status: str = self.ask("GET", f"/v1/claimed-devices/{self.device.id}").json()["status"]
        return status

    def add(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a command for the device."""
        path = f"/v1/claimed-devices/{self.device.id}/provisioning"
        response = self.ask("POST", path, json={"request": request})
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Read a command of the device."""
        path = f"/v1/claimed-devices/{self.device.id}/provisioning/{command['id']}"
        response = self.ask("GET", path)
        assert response.status_code == 200
        read: dict[str, Any] = response.json()
        return read

    def fetch(
        self, device: PaperDevice | None = None, *, jwt: str | None = None, **query: Any
    ) -> httpx.Response:
        """Fetch as a device does, with the library's own limits."""
        limits = {
            "after": "",
            "rxMaxSize": "4096",
            "txMaxSize": "4096",
            "mver": "x",
            "cver": "1",
            "limit": "10",
        }
        params = {name: value for name, value in {**limits, **query}.items() if value is not None}
        key = jwt or (device or self.device).jwt()
        return self.world.ask("GET", "/v1/provisioning/commands", key=key, params=params)

    def served(self, device: PaperDevice | None = None, **query: Any) -> list[Any]:
        """Fetch and decode, with an independent decoder."""
        response = self.fetch(device, **query)
        if response.status_code == 204:
            return []
        assert response.status_code == 200, response.text
        elements: list[Any] = cbor2.loads(response.content)
        return elements

    def report(
        self, *elements: list[Any], device: PaperDevice | None = None, body: bytes | None = None
    ) -> int:
        """Report as a device does; return the status of the answer."""
        return self.world.ask(
            "POST",
            "/v1/provisioning/response",
            key=(device or self.device).jwt(),
            content=cbor2.dumps(list(elements)) if body is None else body,
            headers={"Content-Type": "application/cbor"},
        ).status_code


@pytest.fixture
def site() -> Site:
    """Give a fake with a team and a device that nobody has claimed."""
    return Site()


@pytest.fixture
def claimed(site: Site) -> Site:
    """Give the same after the team has claimed the device."""
    assert site.claim().status_code == 201
    return site


@pytest.fixture
def make_device() -> Callable[[int], PaperDevice]:
    """Make devices that no factory registered."""
    return PaperDevice


# CoAP


@pytest.fixture
def server(site: Any) -> Iterator[UdpServer]:
    """The door of the site's fake."""
    with UdpServer(site.fake.datagrams) as server:
        yield server


@pytest.fixture
def device(server: UdpServer, tmp_path: Path) -> LibcoapDevice:
    """Somebody with libcoap's client whom the service does not know yet."""
    return LibcoapDevice(server.port, tmp_path)


@pytest.fixture
def known(claimed: Any, device: LibcoapDevice) -> LibcoapDevice:
    """The claimed device, after it has proven who it is."""
    assert device.authenticate(claimed.device.jwt()).code == "2.01"
    return device


@pytest.fixture
def literal(server: UdpServer) -> Iterator[LiteralDevice]:
    """A socket for literal bytes."""
    device = LiteralDevice(server.port)
    yield device
    device.close()
