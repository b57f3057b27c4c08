"""The USB cable of one virtual board: serial number, hub port and tty names, and its modem lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.virtual.cables import PortName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.virtual.cables import Placement
    from harness.virtual.contract import UsbPresentation
    from harness.virtual.ports import Port
    from harness.virtual.usb.lab import UsbLab

_DEV = "/dev"


class UsbCable:
    """Hangs one board on the lab; fulfils :class:`harness.virtual.cables.Cable`."""

    def __init__(
        self, lab: UsbLab, usb: UsbPresentation, serial: str | None, *, port: str | None = None
    ) -> None:
        """Describe a board that is not plugged in yet.

        :param lab: the lab.
        :param usb: how it presents itself.
        :param serial: its serial number string; ``None``: it has none.
        :param port: the hub port it will be plugged into; ``None``: a free one.
        """
        self._lab = lab
        self._usb = usb
        self._serial = serial
        self._port = port
        self._names: Mapping[str, str] = {}
        self._plugged = False

    def check(self, roles: Sequence[str], placement: Placement) -> None:
        """Refuse a hub port or a name that the board cannot be moved to.

        :raises UsageError: it does not fit, or something else has it.
        """
        self._check_roles(roles, placement)
        if placement.port is not None:
            self._lab.check_port(placement.port, own=self._port)
        for name in placement.names.values():
            self._lab.check_tty(self._usb.port_driver, name, own=self._names.values())
        if len(set(placement.names.values())) < len(placement.names):
            raise UsageError("one name for two ttys", key="names", value=dict(placement.names))

    @staticmethod
    def _check_roles(roles: Sequence[str], placement: Placement) -> None:
        unknown = sorted(set(placement.names) - set(roles))
        if unknown:
            raise UsageError(
                "the board has no such endpoint",
                key="names",
                value=unknown[0],
                expected=" or ".join(sorted(roles)),
            )

    def reserve(self, roles: Sequence[str], placement: Placement) -> Mapping[str, PortName]:
        """Take the names that are asked for, and the lowest free ones.

        :raises UsageError: the hub port or a name does not fit or is taken.
        """
        self._check_roles(roles, placement)
        port = placement.port or self._port
        if port is not None:
            self._lab.check_port(port)
        avoid = {path.name for path in placement.avoid}
        taken: dict[str, str] = {}
        try:
            # Those that were asked for first, so that no other role takes one of them.
            for role in sorted(roles, key=lambda each: each not in placement.names):
                taken[role] = self._lab.take_tty(self._usb.port_driver, placement.names.get(role), avoid)
        except UsageError:
            for name in taken.values():
                self._lab.give_back_tty(name)
            raise
        self._port = port or self._lab.free_port()
        self._names = {role: taken[role] for role in roles}
        return {role: self._name(taken[role]) for role in roles}

    def _name(self, tty: str) -> PortName:
        return PortName(link=self._lab.dev / tty, shown=Path(_DEV, tty))

    def ports_exist(self, ports: Mapping[str, Port]) -> None:
        """Let the device appear."""
        assert self._port is not None  # noqa: S101 - the names were reserved
        lines = {role: port.lines for role, port in ports.items()}
        self._lab.plug(self._usb, serial=self._serial, port=self._port, ttys=self._names, lines=lines)
        self._plugged = True

    def ports_vanish(self) -> None:
        """Let the device disappear."""
        if self._plugged and self._port is not None:
            self._plugged = False
            self._lab.unplug(self._port)

    def give_back(self, name: PortName) -> None:
        """Give back the name of a tty."""
        self._lab.give_back_tty(name.shown.name)

    def is_where(self, placement: Placement) -> bool:
        """Whether a plugged board is where it is to be."""
        named = all(self._names.get(role) == name for role, name in placement.names.items())
        return named and placement.port in {None, self._port}

    def describe(self) -> dict[str, str | None] | None:
        """Return serial number and hub port; the port is ``None`` before the first plug."""
        return {"serial": self._serial, "port": self._port}
