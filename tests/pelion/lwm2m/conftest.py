"""The two servers, shared by the tests of a module, and devices that are not ours."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from harness_pelion.fake.limits import Limits
from tests.pelion.lwm2m.device_site import DeviceSite
from tests.pelion.lwm2m.raw_device import OBJECTS, Given, RawDevice, take_bootstrap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pelion.lwm2m.device_site import Developer, Pair


@pytest.fixture(scope="module")
def site() -> Iterator[DeviceSite]:
    """Both servers as they always are."""
    with DeviceSite() as site:
        yield site


@pytest.fixture(scope="module")
def hasty_site() -> Iterator[DeviceSite]:
    """Both servers, without patience."""
    limits = Limits(
        handshake_seconds=0.2,
        record_seconds=0.2,
        linger_seconds=0.2,
        idle_seconds=0.2,
        answer_seconds=0.2,
        hold_seconds=0.2,
        nonsense=5,
        connections=4,
    )
    with DeviceSite(limits) as site:
        yield site


class Connect(Protocol):
    """Connects as a device does; the connection is closed with the test."""

    def __call__(self, pair: Pair | None, *, at: DeviceSite | None = None) -> RawDevice: ...


@pytest.fixture
def connections() -> Iterator[ExitStack]:
    """Close connections with the test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def to_bootstrap(site: DeviceSite, tmp_path: Path, connections: ExitStack) -> Connect:
    """Connect to the bootstrap server."""

    def connect(pair: Pair | None, *, at: DeviceSite | None = None) -> RawDevice:
        where = at or site
        authority = where.issuing.bootstrap.pem
        return connections.enter_context(RawDevice(where.bootstrap_port, pair, authority, tmp_path))

    return connect


@pytest.fixture
def to_lwm2m(site: DeviceSite, tmp_path: Path, connections: ExitStack) -> Connect:
    """Connect to the LwM2M server."""

    def connect(pair: Pair | None, *, at: DeviceSite | None = None) -> RawDevice:
        where = at or site
        return connections.enter_context(RawDevice(where.lwm2m_port, pair, where.issuing.lwm2m.pem, tmp_path))

    return connect


class Bootstrap(Protocol):
    """Bootstraps a device and returns what it got."""

    def __call__(self, developer: Developer, *more: str, at: DeviceSite | None = None) -> Given: ...


@pytest.fixture
def bootstrap(site: DeviceSite, to_bootstrap: Connect) -> Bootstrap:
    """Bootstrap a device, all the way."""

    def run(developer: Developer, *more: str, at: DeviceSite | None = None) -> Given:
        device = to_bootstrap(developer.pair, at=at)
        answer = device.ask("POST", "/bs", [*developer.claims, *more])
        assert str(answer.code) == "2.04 Changed", answer.payload
        given = take_bootstrap(device)
        # The server has taken the last answer when it answers this.
        assert str(device.ask("GET", "/nothing").code) == "4.04 Not Found"
        device.socket.close()
        return given

    return run


class Register(Protocol):
    """Registers a device over a connection and returns its location."""

    def __call__(self, device: RawDevice, given: Given, *more: str, objects: bytes = OBJECTS) -> str: ...


@pytest.fixture
def register() -> Register:
    """Register a device; it has yet to say whose it is, when its objects say that it can."""

    def run(device: RawDevice, given: Given, *more: str, objects: bytes = OBJECTS) -> str:
        claims = [f"ep={given.device_id}", "et=default", "lt=600", "lwm2m=1.0", "b=U"]
        names = {each.partition("=")[0] for each in more}
        query = [each for each in claims if each.partition("=")[0] not in names]
        answer = device.ask("POST", "/rd", [*query, *more], payload=objects, content_format=40)
        assert str(answer.code) == "2.01 Created", answer.payload
        assert answer.opt.location_path[0] == "rd"
        assert len(answer.opt.location_path) == 2
        return "/" + "/".join(answer.opt.location_path)

    return run
