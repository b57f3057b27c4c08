"""What may be asked for when a device is added to a USB lab, checked."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.virtual.cables import Placement
from harness.virtual.contract import UsbPresentation
from harness.virtual.usb.device_tree import TTY_PREFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

_TYPES: dict[str, tuple[type, ...]] = {
    "port": (str, type(None)),
    "serial": (str, type(None)),
    "plugged": (bool,),
    "names": (dict,),
    "auto_reset": (bool,),
}
# The pair of interfaces of a CDC function, or one of a bridge's own.
_WIDTHS = {"cdc_acm": 2, "cp210x": 1, "ftdi_sio": 1}
_MOST_INTERFACES = 16
_LARGEST_ID = 0xFFFF
_FROM_NUMBER = "{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbOptions:
    """How one board hangs on the lab.

    :ivar port: the hub port; ``None``: a free one.
    :ivar serial: its serial number string, ``None`` for a device without; left out: by its kind's template.
    :ivar plugged: whether it is plugged in at once.
    :ivar names: names of its ttys by role; left out: the lowest free ones.
    :ivar auto_reset: DTR and RTS of its first port drive its reset line and its boot pin.
    """

    port: str | None = None
    serial: str | None = _FROM_NUMBER
    plugged: bool = True
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    auto_reset: bool = False

    @classmethod
    def read(cls, values: Mapping[str, Any] | None) -> Self:
        """Check what a client sent.

        :raises UsageError: an unknown key, or a value of another type.
        """
        for key, value in (values or {}).items():
            types = _TYPES.get(key)
            if types is None:
                raise UsageError(
                    "unknown setting of a USB device", key=f"usb.{key}", expected=", ".join(sorted(_TYPES))
                )
            if not isinstance(value, types):
                raise UsageError("of another type", key=f"usb.{key}", value=value, expected=types[0].__name__)
        options = cls(**dict(values or {}))
        if not all(isinstance(name, str) for name in options.names.values()):
            raise UsageError("names of ttys by role", key="usb.names", value=dict(options.names))
        return options

    @property
    def placement(self) -> Placement:
        """Where it is plugged in at first."""
        return Placement(port=self.port, names=self.names)

    def serial_of(self, usb: UsbPresentation, number: int) -> str | None:
        """Return its serial number string.

        :param usb: how it presents itself.
        :param number: its number on the bench.
        """
        return usb.serial.format(number=number) if self.serial == _FROM_NUMBER else self.serial


def stranger_presentation(
    *, vendor_id: int, product_id: int, manufacturer: str, product: str, interfaces: int, port_driver: str
) -> UsbPresentation:
    """Describe a stranger, whose ports have the roles ``port0``, ``port1`` and so on.

    :raises UsageError: a value that no USB device has.
    """
    for key, value in (("vendor_id", vendor_id), ("product_id", product_id)):
        if not 0 <= value <= _LARGEST_ID:
            raise UsageError("not a USB id", key=key, value=value, expected="0 to 0xffff")
    if port_driver not in TTY_PREFIXES:
        raise UsageError(
            "no such driver", key="port_driver", value=port_driver, expected=", ".join(TTY_PREFIXES)
        )
    width = _WIDTHS[port_driver]
    if not 1 <= interfaces <= _MOST_INTERFACES // width:
        raise UsageError("a device has some ports", key="interfaces", value=interfaces, expected="1 to 8")
    return UsbPresentation(
        vendor_id=vendor_id,
        product_id=product_id,
        manufacturer=manufacturer,
        product=product,
        serial="",
        interfaces={f"port{index}": index * width for index in range(interfaces)},
        port_driver=port_driver,
    )
