"""The kinds of virtual nRF91 board, and what their modem says of itself.

Chips and device types: nrfcloud fact sheet, section 4.1; names and versions: section 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from harness_nordic.virtual.agent_settings import AT_HOST, AT_SHELL


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One system-in-package and the modem firmware on it.

    :ivar name: as in ``iss`` of a JWT.
    :ivar variant: the four letters of the package.
    :ivar revision: what ``%HWVERSION`` adds.
    :ivar device_type: the number in the attestation token.
    :ivar firmware: what ``%SHORTSWVER`` says.
    :ivar firmware_uuid: what ``%XMODEMUUID`` says.
    :ivar checks_certificates: this firmware looks into certificates that are written (error 527).
    """

    name: str
    variant: str
    revision: str
    device_type: int
    firmware: str
    firmware_uuid: UUID
    checks_certificates: bool

    @property
    def model(self) -> str:
        """What ``+CGMM`` says."""
        return f"{self.name}-{self.variant}"


# The UUIDs name a firmware build; the first is that of the fact sheet's vectors, the second is made up.
_NRF91X1_UUID = UUID("25c95751-efa4-40d4-8b4a-1dcaab81fac9")
_NRF9160_UUID = UUID("6f1c1a52-6d0b-4b8f-9a39-2f0b7be0d0e4")


def _nrf91x1(name: str, device_type: int) -> Chip:
    return Chip(
        name=name,
        variant="LACA",
        revision="ADA",
        device_type=device_type,
        firmware="nrf91x1_2.0.2",
        firmware_uuid=_NRF91X1_UUID,
        checks_certificates=True,
    )


NRF9160 = Chip(
    name="nRF9160",
    variant="SICA",
    revision="B1A",
    device_type=3,
    firmware="nrf9160_1.3.7",
    firmware_uuid=_NRF9160_UUID,
    checks_certificates=False,
)
NRF9161 = _nrf91x1("nRF9161", 4)
NRF9131 = _nrf91x1("nRF9131", 5)
NRF9151 = _nrf91x1("nRF9151", 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardModel:
    """A board around a chip.

    :ivar chip: its chip.
    :ivar board: its name in the User-Agent of its firmware.
    :ivar rx_size: receive buffer that its firmware is usually built with (section 3.2).
    :ivar tx_size: transmit buffer, likewise.
    :ivar discipline: what its console usually speaks.
    """

    chip: Chip
    board: str
    rx_size: int
    tx_size: int
    discipline: str = AT_HOST


def _model(chip: Chip, board: str, rx_size: int, tx_size: int, discipline: str = AT_HOST) -> BoardModel:
    return BoardModel(chip=chip, board=board, rx_size=rx_size, tx_size=tx_size, discipline=discipline)


KINDS: dict[str, BoardModel] = {
    "nrf9160dk-virtual": _model(NRF9160, "nrf9160dk", 1024, 2048),
    "nrf9161dk-virtual": _model(NRF9161, "nrf9161dk", 2304, 2304),
    "nrf9131ek-virtual": _model(NRF9131, "nrf9131ek", 2304, 2304),
    "nrf9151dk-virtual": _model(NRF9151, "nrf9151dk", 2304, 2304),
    "nrf9151dk-shell-virtual": _model(NRF9151, "nrf9151dk", 2304, 2304, AT_SHELL),
    "thingy91-virtual": _model(NRF9160, "thingy91", 1024, 2048),
    "thingy91x-virtual": _model(NRF9151, "thingy91x", 4096, 4096),
}
