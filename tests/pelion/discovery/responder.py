"""Devices that announce themselves on loopback, by a real multicast DNS responder."""

from __future__ import annotations

import ipaddress
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zeroconf import ServiceInfo, Zeroconf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SERVICE = "_ssh._tcp.local."


@dataclass(frozen=True)
class Announced:
    """What a responder says of one service."""

    name: str
    addresses: Sequence[str] = ("127.0.0.1",)
    port: int = 22
    properties: Mapping[str, Any] = field(default_factory=lambda: {"mblos": None})


@contextmanager
def announcing(*services: Announced) -> Iterator[None]:
    """Announce services on loopback until the block ends."""
    with ExitStack() as resources:
        zeroconf = Zeroconf(interfaces=["127.0.0.1"])
        resources.callback(zeroconf.close)
        for service in services:
            info = ServiceInfo(
                SERVICE,
                f"{service.name}.{SERVICE}",
                addresses=[ipaddress.ip_address(address).packed for address in service.addresses],
                port=service.port,
                properties=dict(service.properties),
                server=f"{service.name}.local.",
            )
            zeroconf.register_service(info, cooperating_responders=True)
        yield
