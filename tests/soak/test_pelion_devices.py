"""Devices that come, register, update, leave and are forgotten by time, many times over, against a model.

The devices are none of ours: Python's ``ssl`` and messages written by aiocoap. The model knows of each device
its state, its location and in how many steps of time its registration ends; behind each step states, kinds of
events and what the servers answer have to be the model's. An account's time goes in steps of 100 s, of which
the host's own adds far less, so a lifetime ends exactly when the model says.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.pelion.lwm2m.device_site import DeviceSite
from tests.pelion.lwm2m.raw_device import RawDevice, take_bootstrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from random import Random

    from tests.pelion.lwm2m.device_site import Developer, Pair
    from tests.soak.support.rounds import Rounds

ROUNDS = 200
STEPS = 20
ROOM = 5
SECONDS = 100
BOOTSTRAPPED, REGISTERED, DEREGISTERED = "bootstrapped", "registered", "deregistered"


@dataclass
class Known:
    """A device as the model knows it.

    :ivar location: of its last registration, whether or not that has ended.
    :ivar left: steps of time until its registration ends.
    :ivar lifetime: the same at its last registration or update.
    """

    id: str
    pair: Pair
    state: str = BOOTSTRAPPED
    location: str = ""
    left: int = 0
    lifetime: int = 0
    link: RawDevice | None = None


@dataclass
class World:
    """An account with a certificate for few devices, and what the model knows of it."""

    site: DeviceSite
    developer: Developer
    directory: Path
    links: ExitStack
    known: list[Known] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    time: int = 0

    def bootstrap(self, device: Known | None) -> str:
        """Let a new device come, or a known one again; there is room for few."""
        claims = [*self.developer.claims, *([f"iep={device.id}"] if device else [])]
        authority = self.site.issuing.bootstrap.pem
        with RawDevice(self.site.bootstrap_port, self.developer.pair, authority, self.directory) as link:
            answer = str(link.ask("POST", "/bs", claims).code)
            if device is None and len(self.known) >= ROOM:
                assert answer == "4.03 Forbidden"
                self.events.append(("refusal", ""))
                return "no room"
            assert answer == "2.04 Changed"
            given = take_bootstrap(link)
            # The server has taken the last answer when it answers this.
            assert str(link.ask("GET", "/nothing").code) == "4.04 Not Found"
        if device is None:
            device = Known(given.device_id, given.pair)
            self.known.append(device)
            self.events.append(("update.device.device-created", device.id))
        assert given.device_id == device.id
        if device.link is not None:
            device.link.socket.close()
            device.link = None
        device.pair, device.state, device.left = given.pair, BOOTSTRAPPED, 0
        self.events.append(("bootstrap", device.id))
        return "bootstrapped"

    def link(self, device: Known) -> RawDevice:
        """Return the connection of a device to the LwM2M server."""
        if device.link is None:
            authority = self.site.issuing.lwm2m.pem
            device.link = self.links.enter_context(
                RawDevice(self.site.lwm2m_port, device.pair, authority, self.directory)
            )
        return device.link

    def register(self, device: Known, lifetime: int) -> str:
        """Register a device, whatever it was before."""
        query = [f"ep={device.id}", "et=default", f"lt={lifetime * SECONDS}", "lwm2m=1.0", "b=U"]
        answer = self.link(device).ask("POST", "/rd", query, payload=b"</1/0>,</3/0>", content_format=40)
        assert str(answer.code) == "2.01 Created", answer.payload
        location = "/" + "/".join(answer.opt.location_path)
        assert location not in {each.location for each in self.known}
        device.state, device.location, device.left, device.lifetime = (
            REGISTERED,
            location,
            lifetime,
            lifetime,
        )
        self.events.append(("registration", device.id))
        return "registered"

    def update(self, device: Known, lifetime: int | None) -> str:
        """Update a registration, or one that is no more."""
        query = [] if lifetime is None else [f"lt={lifetime * SECONDS}"]
        answer = str(self.link(device).ask("POST", device.location or "/rd/none", query).code)
        if device.state != REGISTERED:
            assert answer == "4.04 Not Found"
            return "update of nothing"
        assert answer == "2.04 Changed"
        device.lifetime = device.left = lifetime or device.lifetime
        return "updated"

    def deregister(self, device: Known) -> str:
        """End a registration, or one that is no more."""
        answer = str(self.link(device).ask("DELETE", device.location or "/rd/none").code)
        if device.state != REGISTERED:
            assert answer == "4.04 Not Found"
            return "deregistration of nothing"
        assert answer == "2.02 Deleted"
        device.state, device.left = DEREGISTERED, 0
        self.events.append(("deregistration", device.id))
        return "deregistered"

    def pass_time(self, steps: int) -> str:
        """Let time pass; registrations that end meanwhile end in any order."""
        self.time += steps
        self.site.shift(self.developer.account, self.time * SECONDS)
        ended = []
        for device in self.known:
            if device.state == REGISTERED:
                device.left -= steps
                if device.left <= 0:
                    device.state = DEREGISTERED
                    ended.append(("expiration", device.id))
        told = self.site.events(self.developer.account)[len(self.events) :]
        assert sorted(told) == sorted(ended)
        self.events += told
        return f"{len(ended)} ended by time"

    def reconnect(self, device: Known) -> str:
        """Let a device lose its connection: the registration is not the connection's."""
        if device.link is not None:
            device.link.socket.close()
            device.link = None
        return "connection lost"

    def judge(self) -> None:
        """Compare what the directory says with the model."""
        found = {each.id: str(each.state) for each in self.site.devices(self.developer.account)}
        assert found == {each.id: each.state for each in self.known}
        assert self.site.events(self.developer.account) == self.events


def take_step(world: World, dice: Random) -> str:
    """Do something by chance; return what came of it."""
    if not world.known or dice.random() < 0.15:
        return world.bootstrap(None)
    device = dice.choice(world.known)
    lifetime = dice.randint(1, 6)
    steps: dict[str, Callable[[], str]] = {
        "again": lambda: world.bootstrap(device),
        "register": lambda: world.register(device, lifetime),
        "update": lambda: world.update(device, None),
        "update for": lambda: world.update(device, lifetime),
        "deregister": lambda: world.deregister(device),
        "time": lambda: world.pass_time(lifetime // 2 + 1),
        "lose": lambda: world.reconnect(device),
    }
    return steps[dice.choice([*steps, "register"])]()


@pytest.fixture(scope="module")
def site() -> Iterator[DeviceSite]:
    """Both servers."""
    with DeviceSite() as running:
        yield running


def test_directory_follows_its_devices(rounds: Rounds, site: DeviceSite, tmp_path: Path) -> None:
    """Whatever devices do in whatever order: states, events and answers are the model's."""
    for dice in rounds.run(ROUNDS):
        with ExitStack() as links:
            developer = site.developer(site.account(devices=ROOM))
            world = World(site, developer, tmp_path, links)
            for _step in range(STEPS):
                rounds.count(take_step(world, dice))
                world.judge()
            assert all(each.account_id == developer.account.id for each in site.devices(developer.account))
