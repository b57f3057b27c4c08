"""Who a virtual board is: made once, in its factory, and kept for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from harness_nordic.virtual import signing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from harness_nordic.virtual.kinds import Chip

_TYPE_ALLOCATION_CODE = "35940423"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceIdentity:
    """What the factory put into a board.

    :ivar uuid: the device UUID.
    :ivar imei: fifteen digits.
    :ivar key: the identity key; its private half never leaves the board.
    :ivar chip: chip and modem firmware.
    """

    uuid: UUID
    imei: str
    key: ec.EllipticCurvePrivateKey
    chip: Chip


def make_identity(number: int, chip: Chip) -> DeviceIdentity:
    """Make a new identity, with a key of its own."""
    return DeviceIdentity(uuid=uuid4(), imei=imei(number), key=signing.new_key(), chip=chip)


def imei(number: int) -> str:
    """Return a valid IMEI: type allocation code, serial number, Luhn check digit."""
    digits = f"{_TYPE_ALLOCATION_CODE}{number % 1_000_000:06}"
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(digits))
    return digits + str(-sum(value // 10 + value % 10 for value in doubled) % 10)
