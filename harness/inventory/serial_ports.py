"""Attached boards, found among the host's USB serial ports.

Ports are grouped by USB serial number: one board shows several ports. A board is of the kind whose profile
fits its ports most closely. Nothing is opened: a port's name, ids and location are all that is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from harness.errors import UsageError
from harness.inventory.board import USB_SERIAL, Board

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.inventory.profiles import Profile


class SerialPort(Protocol):
    """What we read of a port; :class:`serial.tools.list_ports_common.ListPortInfo` has it all."""

    device: str
    product: str | None
    vid: int | None
    pid: int | None
    serial_number: str | None
    location: str | None


def list_serial_ports() -> list[SerialPort]:
    """List the host's serial ports, as pyserial does."""
    from serial.tools.list_ports import comports

    return list(comports())


def attached_boards(profiles: Mapping[str, Profile], ports: Iterable[SerialPort]) -> list[Board]:
    """Match ports with profiles.

    :param profiles: profiles by name.
    :param ports: the host's serial ports.
    :return: boards, in the order of their identities.
    :raises UsageError: two profiles fit a board equally well.
    """
    boards = []
    for serial, group in by_serial_number(ports).items():
        profile = fitting_profile(profiles, group[0])
        if profile is not None:
            boards.append(board_on_ports(profile, serial, group))
    return boards


def by_serial_number(ports: Iterable[SerialPort]) -> dict[str, list[SerialPort]]:
    """Return the ports of each board, in the order of their USB interfaces, by serial number, sorted.

    :param ports: the host's serial ports; those without a serial number are left out.
    """
    groups: dict[str, list[SerialPort]] = {}
    for port in ports:
        if port.serial_number:
            groups.setdefault(port.serial_number, []).append(port)
    return {serial: sorted(group, key=_port_order) for serial, group in sorted(groups.items())}


def fitting_profile(profiles: Mapping[str, Profile], port: SerialPort) -> Profile | None:
    """Return the profile that fits a board most closely; ``None`` when none fits.

    :param profiles: profiles by name.
    :param port: one of the board's ports.
    :raises UsageError: two fit equally well.
    """
    serial = port.serial_number or ""
    ranked = sorted(
        ((profile.strength(port.vid, port.pid, serial), profile.name) for profile in profiles.values()),
        reverse=True,
    )
    if not ranked or ranked[0][0] == 0:
        return None
    best = [name for strength, name in ranked if strength == ranked[0][0]]
    if len(best) > 1:
        raise UsageError(
            f"profiles {' and '.join(sorted(best))} fit the board with this serial number equally well",
            key="usb",
            value=serial,
            expected="serial_prefixes that tell the kinds apart",
        )
    return profiles[best[0]]


def _port_order(port: SerialPort) -> tuple[int, str]:
    """Order ports by the number of their USB interface, which ends their location (``1-1:1.2``)."""
    found = re.search(r":\d+\.(\d+)$", port.location or "")
    return (int(found[1]) if found else 0, port.device)


def board_on_ports(profile: Profile, serial: str, ports: Sequence[SerialPort]) -> Board:
    """Return the board of some ports.

    :param profile: its kind.
    :param serial: its USB serial number, which is its identity.
    :param ports: its ports, in the order of their USB interfaces.
    """
    endpoints = {
        role: profile.endpoint(role, ports[endpoint.interface].device)
        for role, endpoint in profile.endpoints.items()
        if endpoint.interface < len(ports)
    }
    return Board(
        id=serial,
        kind=profile.name,
        driver=profile.driver,
        capabilities=frozenset(profile.capabilities),
        endpoints=endpoints,
        properties={**profile.properties, USB_SERIAL: serial},
    )
