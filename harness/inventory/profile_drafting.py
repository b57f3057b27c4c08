"""The draft of a profile, from what a USB device shows of itself; nothing is opened.

A draft fits the one board that is there and no other: whoever writes a profile decides to what else the
harness may write.
"""

from __future__ import annotations

import glob
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.inventory.serial_ports import SerialPort

#: What stands in a draft where somebody has to decide.
FILL_IN = "FILL IN"
_ODD = re.compile(r"[^a-z0-9]+")
_NO_NAME = "my-board"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A drafted profile.

    :ivar name: the kind's name: the file is called so.
    :ivar text: what is to be in the file.
    :ivar fill_in: the keys that somebody has to look at, each with what is to be decided.
    """

    name: str
    text: str
    fill_in: tuple[str, ...]


def name_of_kind(port: SerialPort) -> str:
    """Suggest what a kind of board may be called.

    :param port: one of its ports.
    """
    return _ODD.sub("-", (port.product or "").lower()).strip("-") or _NO_NAME


def draft(port: SerialPort, ports: Sequence[SerialPort], *, name: str) -> Draft:
    """Draft the profile of a board.

    :param port: the port that was named, which is taken for the console.
    :param ports: all ports of its USB device, in the order of their interfaces.
    :param name: the kind's name.
    """
    lines = [
        f"# Drafted from what {port.device} shows on USB; nothing was opened.",
        f"# Decide what is marked {FILL_IN}, then: harness profile check {name}.toml",
        f"title = {_text(port.product or name)}",
        f"vendor = {_text(port.manufacturer or 'unknown')}",
        f'driver = "none"  # {FILL_IN}: the driver that speaks its dialect, for example "nrf91"',
        f"capabilities = []  # {FILL_IN}: what tests may ask for by needs=",
        "",
        *_usb(port),
        *_endpoints(port, ports),
    ]
    fill_in = ["driver", "capabilities", "[[usb]]", *(f"endpoints.{role}" for role, _ in _roles(port, ports))]
    if not port.product:
        fill_in.insert(0, "title")
    if not port.manufacturer:
        fill_in.insert(0, "vendor")
    return Draft(name=name, text="".join(f"{line}\n" for line in lines), fill_in=tuple(fill_in))


def _usb(port: SerialPort) -> Iterator[str]:
    if port.serial_number:
        yield f"# {FILL_IN}: it fits this one board; shorten the number to what all of its kind begin with."
    else:
        yield f"# {FILL_IN}: it shows no serial number, so that every device of this product fits."
    yield "[[usb]]"
    for key, value in (("vid", port.vid), ("pid", port.pid)):
        if value is not None:
            yield f"{key} = 0x{value:04x}"
    if port.serial_number:
        yield f"serial_prefixes = [{_text(port.serial_number)}]"
    else:
        if port.manufacturer:
            yield f"manufacturer = {_text(glob.escape(port.manufacturer))}"
        if port.product:
            yield f"product = {_text(glob.escape(port.product))}"


def _endpoints(port: SerialPort, ports: Sequence[SerialPort]) -> Iterator[str]:
    roles = _roles(port, ports)
    for role, one in roles:
        yield ""
        if len(roles) > 1:
            yield f"# {FILL_IN}: what {one.device} is for; roles are console, trace, ..."
        yield f"[endpoints.{role}]"
        yield f"interface = {one.interface or 0}"
        yield f"baud = 115200  # {FILL_IN}"
        yield f'discipline = "raw"  # {FILL_IN}: for example "at-host"'
        yield f"rtscts = false  # {FILL_IN}: hardware flow control"
        yield f"# {FILL_IN}: dtr = true and rts = true set these lines before the port is opened"


def _roles(port: SerialPort, ports: Sequence[SerialPort]) -> list[tuple[str, SerialPort]]:
    """Give each port a role; of several on one interface the first counts, as for every board."""
    others = {one.interface: one for one in reversed(ports) if one.interface != port.interface}
    return [
        ("console", port),
        *((f"port-{number}", one) for number, one in sorted(others.items(), key=lambda pair: pair[0] or 0)),
    ]


def _text(value: str) -> str:
    """Write a text as TOML does: what JSON escapes, TOML escapes alike, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
