"""What Acme adds to the harness; nothing heavy is imported before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends.contract import BackendSpec
from harness.virtual.contract import VirtualKind

if TYPE_CHECKING:
    import typer

    from harness.inventory.leased_board import LeasedBoard


def harness_board_profiles() -> list[Path]:
    """Give the profiles of Acme's boards."""
    return [Path(__file__).with_name("boards")]


def harness_virtual_boards() -> list[VirtualKind]:
    """Give the lamp that the virtual bench can host."""
    return [VirtualKind(kind="acme-lamp-virtual", factory="harness_acme.virtual:VirtualLamp")]


def harness_make_driver(board: LeasedBoard) -> Any:
    """Make the driver of boards whose profile says ``driver = "acme"``."""
    if board.description.driver != "acme":
        return None
    from harness_acme.driver import LampDriver

    return LampDriver(board)


def harness_backends() -> list[BackendSpec]:
    """Give Acme Cloud: ``--backend acme=fake``, and a fixture called ``acme``."""
    return [
        BackendSpec(
            name="acme",
            title="Acme Cloud",
            client="harness_acme.client:AcmeClient",
            fake="harness_acme.fake:AcmeFake",
        )
    ]


def harness_cli_commands() -> list[tuple[str, typer.Typer]]:
    """Give ``harness acme ...``."""
    from harness_acme.commands import app

    return [("acme", app)]
