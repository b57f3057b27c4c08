"""Pelion's part of the harness: hook implementations only; nothing heavy is imported before it is used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.backends.contract import BackendSpec
from harness.virtual.contract import UsbPresentation, VirtualKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    import typer

    from harness.inventory.leased_board import LeasedBoard
    from harness.redaction import Secret
    from harness_pelion.driver import MblDriver

_DRIVER = "mbl"

# What the debug console of an MBL board shows on USB depends on its cable: these ids are of those that
# pid.codes keeps for trials.
_USB = UsbPresentation(
    vendor_id=0x1209,
    product_id=0x0003,
    manufacturer="Pelion",
    product="MBL device",
    serial="MBL{number:06d}",
    interfaces={"console": 0},
)


def harness_virtual_boards() -> Iterable[VirtualKind]:
    """Give the virtual Mbed Linux device."""
    return [
        VirtualKind(
            kind="mbl-device-virtual",
            factory="harness_pelion.virtual.board:create",
            roles=("console",),
            usb=_USB,
            service="pelion",
        )
    ]


def harness_make_driver(board: LeasedBoard) -> MblDriver | None:
    """Make the driver ``mbl``."""
    if board.description.driver != _DRIVER:
        return None
    from harness_pelion.driver import MblDriver

    return MblDriver(board)


def harness_open_endpoint(board: LeasedBoard, role: str) -> Any:
    """Open SSH on a Mbed Linux device."""
    if role != "ssh" or board.description.driver != _DRIVER:
        return None
    from harness.ssh import open_ssh

    return open_ssh(board)


def harness_backends() -> Iterable[BackendSpec]:
    """Give Pelion Device Management (pelion fact sheet, section 4)."""
    return [
        BackendSpec(
            name="pelion",
            title="Pelion Device Management",
            client="harness_pelion.client:connect",
            fake="harness_pelion.fakes:create",
            access="harness_pelion.client_access:refuse_without_access",
            capabilities=frozenset(
                {
                    "certificate-limit",
                    "clock",
                    "device-limit",
                    "event-details",
                    "exact-status",
                    "faults",
                    "own-accounts",
                    "refusal-step",
                    "server-log",
                    "users",
                }
            ),
            real_capabilities=frozenset(),
            real={"prod": {"url": "https://api.us-east-1.mbedcloud.com"}},
            serve_options={"account": "by-hand"},
        )
    ]


def harness_secrets() -> Iterable[Secret]:
    """Give what proves to Pelion who somebody is. Private keys in PEM are secrets everywhere."""
    from harness.redaction import SHORTEST_SECRET, Secret

    label = "Pelion API key"
    key = os.environ.get("PELION_API_KEY", "").strip()
    given = [Secret(label=label, value=key)] if len(key) >= SHORTEST_SECRET else []
    return [
        Secret(label=label, pattern=r"ak_[A-Za-z0-9]{16,}", hint="ak_"),
        # In a developer certificate's C file the private key is an array: in the file, and in JSON.
        Secret(
            label="private key",
            pattern=(
                r"BOOTSTRAP_DEVICE_PRIVATE_KEY ?\[[0-9]{0,5}\](?:[\s=]|\\n){1,32}\{(?P<secret>[^}]{6,16384})"
            ),
            hint="BOOTSTRAP_DEVICE_PRIVATE_KEY",
        ),
        *given,
    ]


def harness_cli_commands() -> Iterable[tuple[str, typer.Typer]]:
    """Give ``harness pelion``."""
    from harness_pelion.cli import make_app

    return [("pelion", make_app())]
