"""Devices that are nobody's boards, and the check that nothing was done to them. Any scenario may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.virtual.client import BenchClient

#: One without a serial number, a probe of a vendor whose other probes are boards, and a bridge; on a hub of
#: their own, away from where scenarios plug their boards in.
STRANGERS: dict[str, dict[str, Any]] = {
    "adapter": {
        "vendor_id": 0x0403,
        "product_id": 0x6001,
        "manufacturer": "FTDI",
        "product": "FT232R USB UART",
        "port": "4-1",
        "port_driver": "ftdi_sio",
    },
    "probe": {
        "vendor_id": 0x1366,
        "product_id": 0x0101,
        "manufacturer": "SEGGER",
        "product": "J-Link",
        "serial": "000012345678",
        "port": "4-2",
        "interfaces": 2,
    },
    "bridge": {
        "vendor_id": 0x10C4,
        "product_id": 0xEA70,
        "manufacturer": "Silicon Labs",
        "product": "CP2105 Dual USB to UART Bridge Controller",
        "serial": "00960DEC",
        "port": "4-3",
        "interfaces": 2,
        "port_driver": "cp210x",
    },
}
NOTHING = {"opens": 0, "written": "", "settings": 0}


def plug_in_strangers(client: BenchClient, *names: str) -> None:
    """Plug strangers in, each under its name in :data:`STRANGERS`.

    :param names: which; all of them when none is named.
    """
    for name in names or STRANGERS:
        client.add_stranger(id=name, **STRANGERS[name])


def what_strangers_heard(client: BenchClient) -> dict[str, dict[str, Any]]:
    """Return what was done to the strangers of a lab, by name; nothing of those to which nothing was done."""
    strangers = [state.id for state in client.boards() if state.kind == "stranger"]
    assert strangers, "there is no stranger that could have heard anything"
    # Whatever was done before the first question has been heard by the second.
    for name in strangers:
        client.board(name).call("heard")
    heard = {name: client.board(name).call("heard") for name in strangers}
    return {name: one for name, one in heard.items() if one != NOTHING}
