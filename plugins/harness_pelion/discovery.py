"""Devices found by multicast DNS: each Mbed Linux device says that its SSH is there.

A device announces ``_ssh._tcp`` under its host name with the bare key ``mblos`` in its TXT record (pelion
fact sheet, section 1.2). We browse ourselves and need no Avahi on the host.
"""

from __future__ import annotations

import ipaddress
import logging
import queue
import socket
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zeroconf import (
    BadTypeInNameException,
    InterfaceChoice,
    IPVersion,
    ServiceBrowser,
    ServiceInfo,
    ServiceStateChange,
    Zeroconf,
)

from harness.errors import RigFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICE = "_ssh._tcp.local."
#: The key of the TXT record that says: Mbed Linux. It has no value.
MARK = b"mblos"
#: How long a device may take to answer (pelion fact sheet, section 1.2).
DISCOVERY_SECONDS = 30.0
#: How long others may answer after the first one. MBL CLI looks twice a second.
SETTLE_SECONDS = 0.5

_RESOLVE_MILLISECONDS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDevice:
    """A device that announced itself.

    :ivar name: its host name, for example ``mbed-linux-os-9999``.
    :ivar address: where it is; a link-local one with its interface, for example ``fe80::1%eth0``.
    :ivar port: TCP port of its SSH.
    """

    name: str
    address: str
    port: int


def discover(
    timeout: float = DISCOVERY_SECONDS,
    *,
    settle: float = SETTLE_SECONDS,
    interfaces: Sequence[str] = (),
) -> list[FoundDevice]:
    """Look for devices until one was found, and a moment longer for others.

    :param timeout: seconds to wait for the first one.
    :param settle: seconds to wait for others after it.
    :param interfaces: addresses of our own at which to look. Default: all.
    :return: devices by their address, as MBL CLI sorts them; none when nobody answered.
    :raises UsageError: no interface has one of the addresses.
    :raises RigFault: this host cannot ask.
    """
    found: dict[str, FoundDevice] = {}
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()

    def hear(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        del zeroconf, service_type
        if state_change is not ServiceStateChange.Removed:
            heard.put(name)

    with closing(_listen(interfaces)) as zeroconf:
        browser = ServiceBrowser(zeroconf, SERVICE, handlers=[hear])
        try:
            deadline = time.monotonic() + timeout
            while (left := deadline - time.monotonic()) > 0:
                try:
                    name = heard.get(timeout=left)
                except queue.Empty:
                    break
                info = _service(name)
                if info is None:
                    continue
                if not info.request(zeroconf, _milliseconds(deadline)):
                    heard.put(name)  # it did not answer yet
                    continue
                device = _device(info)
                if device is None:
                    continue
                if not found:
                    deadline = min(deadline, time.monotonic() + settle)
                found[device.name] = device
        finally:
            browser.cancel()
    return sorted(found.values(), key=lambda device: (device.address, device.name))


def _listen(interfaces: Sequence[str]) -> Zeroconf:
    """Begin to listen on all interfaces, or on some; where there is no IPv6, without it."""
    logging.getLogger("zeroconf").addHandler(logging.NullHandler())
    for each in interfaces:
        _check_ours(each)
    if interfaces:
        try:
            return Zeroconf(interfaces=list(interfaces))
        except (OSError, RuntimeError) as error:
            raise RigFault(
                f"this host cannot look for devices at {', '.join(interfaces)}: {error}"
            ) from error
    try:
        return Zeroconf(interfaces=InterfaceChoice.All, ip_version=IPVersion.All)
    except (OSError, RuntimeError):
        try:
            return Zeroconf(interfaces=InterfaceChoice.All, ip_version=IPVersion.V4Only)
        except (OSError, RuntimeError) as error:
            raise RigFault(f"this host cannot look for devices by multicast DNS: {error}") from error


def _check_ours(address: str) -> None:
    """See that an address is one of this host."""
    try:
        ipaddress.ip_address(address)
        family, kind, protocol, _, place = socket.getaddrinfo(address, 0, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(place)
    except (ValueError, OSError) as error:
        raise UsageError(
            "no address of this host", key="--interface", value=address, expected="one like 192.0.2.7"
        ) from error


def _milliseconds(deadline: float) -> float:
    """Return how long one device may take to answer, so that a silent one keeps no other from being found."""
    return min(_RESOLVE_MILLISECONDS, max(1.0, 1000 * (deadline - time.monotonic())))


def _service(name: str) -> ServiceInfo | None:
    """Return the service of a name; ``None`` for a name that no service may have, whoever announces it."""
    try:
        return ServiceInfo(SERVICE, name)
    except BadTypeInNameException:
        return None


def _device(info: ServiceInfo) -> FoundDevice | None:
    """Return the device behind an announcement; ``None`` when it is none of ours."""
    name = info.name.removesuffix(f".{SERVICE}")
    address = _best(info.parsed_scoped_addresses())
    if MARK not in info.properties or not info.port or address is None or not name.isprintable():
        return None
    return FoundDevice(name=name, address=address, port=info.port)


def _best(addresses: Sequence[str]) -> str | None:
    """Return the address that is reached most likely: one beyond the link before one on it, IPv4 first."""
    fit = [
        (parsed.is_link_local, parsed.version, address)
        for address in addresses
        for parsed in [ipaddress.ip_address(address)]
        if not (isinstance(parsed, ipaddress.IPv6Address) and parsed.is_link_local and not parsed.scope_id)
    ]
    return _with_name(min(fit)[2]) if fit else None


def _with_name(address: str) -> str:
    """Return an address with the name of its interface in the place of the number."""
    plain, _, scope = address.partition("%")
    try:
        return f"{plain}%{socket.if_indextoname(int(scope))}" if scope else plain
    except (ValueError, OSError):
        return address
