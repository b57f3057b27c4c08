"""How a virtual device was built and is set up."""

from __future__ import annotations

import dataclasses
import ipaddress
from dataclasses import dataclass

from harness.virtual.ssh import METHODS, NONE

_LONGEST = 24 * 3600
_MIB = 1024 * 1024
_LARGEST = 1024 * _MIB
_MOST_HOST = 9999
_HIGHEST_PORT = 65535


@dataclass(slots=True)
class MblSettings:
    """What differs between devices; a test may change it.

    :ivar ssh_auth: how its SSH lets root in: without anything (a development image), by key, or by password
        (pelion fact sheet, section 1.3); one of :data:`harness.virtual.ssh.METHODS`.
    :ivar lifetime_s: seconds for which the cloud client registers (pelion fact sheet, section 6.1).
    :ivar register_every_s: seconds after which it registers anew (section 6.1).
    :ivar client_timeout_s: seconds that the cloud client waits for an answer.
    :ivar retry_first_s: seconds after which the cloud client first tries again; it waits longer each time.
    :ivar retry_longest_s: the longest that it waits.
    :ivar boot_s: seconds from power to a device that can be reached.
    :ivar disk_bytes: size of its permanent storage.
    :ivar scratch_bytes: size of ``/scratch``, which is kept in memory.
    :ivar production: its firmware is a production build, whose check of the device certificate is stricter
        (section 2.2, row 8).
    :ivar ssh_address: where its SSH listens: a loopback address, or an IPv6 link-local one with its interface
        (``fe80::1%eth0``). A device is built with it.
    :ivar ssh_port: TCP port of its SSH; 0: any that is free. Likewise.
    :ivar mdns: it makes itself known by mDNS, on the interface of its address only.
    :ivar host_number: the number in its host name; -1: one by chance, as at a first boot (section 1.2).
    :ivar link_up: whether its cloud client has a network; SSH does not depend on it.
    """

    ssh_auth: str = NONE
    ssh_address: str = "127.0.0.1"
    ssh_port: int = 0
    lifetime_s: float = 600
    register_every_s: float = 300
    client_timeout_s: float = 5
    retry_first_s: float = 1.0
    retry_longest_s: float = 60.0
    boot_s: float = 0
    disk_bytes: int = 64 * _MIB
    scratch_bytes: int = 16 * _MIB
    production: bool = False
    mdns: bool = False
    host_number: int = -1
    link_up: bool = True


def check_setting(name: str, value: object) -> None:
    """Refuse a setting that cannot be.

    :raises ValueError: it is unknown, or its value does not fit; the text says what does.
    """
    usual = MblSettings()
    if name not in MblSettings.__slots__:
        raise ValueError(f"unknown option {name!r}; known are {', '.join(sorted(MblSettings.__slots__))}")
    expected = _misfit(name, value, getattr(usual, name))
    if expected:
        raise ValueError(f"{name} is {value!r}; expected {expected}")


def built_with(options: dict[str, object]) -> MblSettings:
    """Return the settings of a device with these options.

    :raises ValueError: one of them does not fit.
    """
    for name, value in options.items():
        check_setting(name, value)
    return dataclasses.replace(MblSettings(), **options)  # type: ignore[arg-type]  # checked one by one


def _misfit(name: str, value: object, usual: object) -> str:
    """Return what would fit, nothing when the value does."""
    if name == "ssh_auth":
        return "" if value in METHODS else f"one of {', '.join(METHODS)}"
    if name == "ssh_address":
        return "" if _is_near(value) else "a loopback address, or a link-local one like fe80::1%eth0"
    if isinstance(usual, bool):
        return "" if isinstance(value, bool) else "true or false"
    least, most, unit = 0, _LONGEST, "seconds"
    if name == "host_number":
        least, most, unit = -1, _MOST_HOST, "a number"
    elif name == "ssh_port":
        most, unit = _HIGHEST_PORT, "a port"
    elif isinstance(usual, int) and name.endswith("_bytes"):
        most, unit = _LARGEST, "bytes"
    kinds = (int,) if unit != "seconds" else (int, float)
    fits = isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most
    return "" if fits else f"{unit} from {least} to {most}"


def _is_near(value: object) -> bool:
    """Tell whether a value is an address that nobody beyond the next link reaches."""
    try:
        address = ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.is_link_local:
        return bool(address.scope_id)
    return address.is_loopback
