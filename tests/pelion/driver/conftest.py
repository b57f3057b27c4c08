"""A device double, credentials of no account, and a session that holds the board."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from harness.config import BoardSettings
from harness.inventory.board import Board
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness_pelion.enums import DeveloperVariable, UpdateVariable
from harness_pelion.resources import DeveloperCredentials, UpdateResources
from tests.books import Book
from tests.pelion.driver.device_double import DeviceDouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness_pelion.driver import MblDriver

SECRET = b"\x30\x41 a private key of nobody \xff\x00\r\n"


@pytest.fixture
def double(tmp_path: Path) -> Iterator[DeviceDouble]:
    """A device behind SSH."""
    device = DeviceDouble(tmp_path / "device")
    yield device
    device.close()


@dataclass
class Session:
    """A session that holds the device."""

    double: DeviceDouble
    book: Book = field(default_factory=Book)
    secrets: list[str] = field(default_factory=list)
    opened: list[LeasedBoard] = field(default_factory=list)

    def board(self, **settings: Any) -> LeasedBoard:
        """Open it with what a session allows."""
        description = Board(
            id="mbl",
            kind="mbl-device",
            driver="mbl",
            ssh={"host": "127.0.0.1", "port": self.double.port, "host_key": self.double.host_key},
        )
        leased = LeasedBoard(
            description,
            load_plugins(),
            capture_directory=None,
            settings=BoardSettings(**settings),
            accounts=self.book,
            register_secret=lambda value, _label: self.secrets.append(value),
        )
        self.opened.append(leased)
        return leased


@pytest.fixture
def session(double: DeviceDouble) -> Iterator[Session]:
    """The session."""
    holder = Session(double)
    yield holder
    for board in holder.opened:
        board.close()


@pytest.fixture
def driver(session: Session) -> MblDriver:
    """The board's driver, in a session that may overwrite credentials."""
    made: MblDriver = session.board(allow_destructive=True).driver
    made.cleanup_seconds = 0.5
    return made


@pytest.fixture
def developer() -> DeveloperCredentials:
    """Files of no account; the key has bytes that no text has. Fewer than twelve: each one is a transfer."""
    files: dict[str, bytes] = {DeveloperVariable.ENDPOINT_NAME: b"c" * 32}
    files[DeveloperVariable.DEVICE_PRIVATE_KEY] = SECRET
    return DeveloperCredentials("a developer's", files)


@pytest.fixture
def update() -> UpdateResources:
    """Files of no vendor, one of them empty as manifest-tool 1.x makes it."""
    return UpdateResources("update", {UpdateVariable.VENDOR_ID: bytes(range(16)), UpdateVariable.PSK: b""})
