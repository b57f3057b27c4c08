"""A tiny vendor: two kinds of virtual board, a driver, a backend. Loaded by ``HARNESS_PLUGINS``.

What its driver and its client are told is appended to the file that ``TOY_LOG`` names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.backends.contract import BackendSpec
from harness.redaction import Secret
from harness.virtual.contract import VirtualKind

if TYPE_CHECKING:
    from harness.backends.contract import Backend
    from harness.inventory.leased_board import LeasedBoard


def note(text: str) -> None:
    """Append one line to the log; short lines of several processes do not mix."""
    with Path(os.environ["TOY_LOG"]).open("a", encoding="utf-8") as log:
        log.write(text + "\n")


def harness_board_profiles() -> list[Path]:
    """Give the toys' profiles."""
    return [Path(__file__).parent / "profiles"]


def harness_virtual_boards() -> list[VirtualKind]:
    """Give the toys."""
    return [
        VirtualKind(kind=kind, factory="tests.pytest_plugin.toy.parts:create_board")
        for kind in ("toy-a", "toy-b")
    ]


def harness_backends() -> list[BackendSpec]:
    """Give the toys' service, and one without a fake."""
    return [
        BackendSpec(
            name="toycloud",
            title="Toy Cloud",
            client="tests.pytest_plugin.toy.parts:ToyClient",
            fake="tests.pytest_plugin.toy.parts:create_fake",
            capabilities=frozenset({"hello", "faults"}),
            real_capabilities=frozenset({"hello"}),
        ),
        BackendSpec(
            name="toymail",
            title="Toy Mail",
            client="tests.pytest_plugin.toy.parts:ToyClient",
            access="tests.pytest_plugin.toy.parts:refuse_locked",
        ),
    ]


def harness_secrets() -> list[Secret]:
    """Give what toys keep secret."""
    return [Secret(label="toy secret", value="teddy-bears-name")]


def harness_make_driver(board: LeasedBoard) -> Any:
    """Make the driver of toys."""
    from tests.pytest_plugin.toy.parts import ToyDriver

    return ToyDriver(board) if board.description.driver == "toy" else None


def harness_introduce_board(board: LeasedBoard, backend: Backend) -> None:
    """Note the introduction."""
    note(f"introduce {board.id} {backend.name}")


def harness_board_leased(board: LeasedBoard) -> None:
    """Note the lease."""
    note(f"leased {board.id}")


def harness_board_released(board: LeasedBoard) -> None:
    """Note that it ends."""
    note(f"released {board.id}")
