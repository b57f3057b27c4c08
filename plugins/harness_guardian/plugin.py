"""Guardian's part of the harness: hook implementations only; nothing heavy is imported before it is used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.backends.contract import BackendSpec
from harness.virtual.contract import UsbPresentation, VirtualKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    import typer

    from harness.backends.contract import Backend
    from harness.console import Console
    from harness.inventory.board import Board
    from harness.inventory.leased_board import LeasedBoard
    from harness.redaction import Secret
    from harness_guardian.driver import GuardianComponentDriver

_DRIVER = "guardian-component"

# What USB ids real components have is not public: these are of those that pid.codes keeps for trials.
_VIRTUAL_KINDS = {
    "guardian-component-virtual": UsbPresentation(
        vendor_id=0x1209,
        product_id=0x0001,
        manufacturer="Guardian",
        product="Guardian component",
        serial="GC{number:06d}",
        interfaces={"console": 0},
    ),
    "guardian-gateway-virtual": UsbPresentation(
        vendor_id=0x1209,
        product_id=0x0002,
        manufacturer="Guardian",
        product="Guardian gateway",
        serial="GG{number:06d}",
        interfaces={"console": 0},
    ),
}


def harness_virtual_boards() -> Iterable[VirtualKind]:
    """Give the virtual components."""
    return [
        VirtualKind(
            kind=kind,
            factory="harness_guardian.virtual.board:create",
            roles=("console",),
            usb=usb,
            service="guardian",
        )
        for kind, usb in _VIRTUAL_KINDS.items()
    ]


def harness_identify_board(board: Board, console: Console) -> str | None:
    """Ask a component for its serial number."""
    if board.driver != _DRIVER or "agent-over-ssh" in board.capabilities:
        return None
    from harness_guardian.identify import identify

    return identify(console)


def harness_make_driver(board: LeasedBoard) -> GuardianComponentDriver | None:
    """Make the driver ``guardian-component``."""
    if board.description.driver != _DRIVER:
        return None
    from harness_guardian.driver import GuardianComponentDriver

    return GuardianComponentDriver(board)


def harness_open_endpoint(board: LeasedBoard, role: str) -> Any:
    """Open SSH on a component."""
    if role != "ssh" or board.description.driver != _DRIVER:
        return None
    from harness.ssh import open_ssh

    return open_ssh(board)


def harness_introduce_board(board: LeasedBoard, backend: Backend) -> None:
    """Tell the agent on a component where the service is."""
    if backend.name != "guardian" or board.description.driver != _DRIVER:
        return
    from harness_guardian.introduction import introduce

    introduce(board, backend)


def harness_backends() -> Iterable[BackendSpec]:
    """Give Guardian. Where its customers have theirs is not public: one elsewhere is named by its address."""
    return [
        BackendSpec(
            name="guardian",
            title="Guardian device provisioning",
            client="harness_guardian.client:connect",
            fake="harness_guardian.fakes:create",
            access="harness_guardian.client_access:refuse_without_access",
            capabilities=frozenset(
                {
                    "appliance",
                    "approval-details",
                    "exact-status",
                    "faults",
                    "holds",
                    "long-poll",
                    "roles",
                    "vault-log",
                }
            ),
            real_capabilities=frozenset(),
            serve_options={"organisation": "by-hand"},
        )
    ]


def harness_secrets() -> Iterable[Secret]:
    """Give what proves to Guardian and to its Vault who somebody is.

    Private keys are secrets everywhere; the core knows them.
    """
    from harness.redaction import SHORTEST_SECRET, Secret

    given = {
        "Guardian token": os.environ.get("GUARDIAN_TOKEN", ""),
        "Vault token": os.environ.get("GUARDIAN_VAULT_TOKEN", ""),
    }
    return [
        Secret(label="Guardian token", pattern=r"gdn_[A-Za-z0-9_-]{16,}", hint="gdn_"),
        Secret(label="Vault token", pattern=r"hvs\.[A-Za-z0-9_-]{16,}", hint="hvs."),
        *(
            Secret(label=label, value=value.strip())
            for label, value in given.items()
            if len(value.strip()) >= SHORTEST_SECRET
        ),
    ]


def harness_cli_commands() -> Iterable[tuple[str, typer.Typer]]:
    """Give ``harness guardian``."""
    from harness_guardian.cli import make_app

    return [("guardian", make_app())]
