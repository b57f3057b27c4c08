"""A virtual board used as hardware is: by its ports alone, as a rig file would name them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.launcher import start_fake
from harness.config import BoardSettings
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_nordic.plugin import harness_backends
from tests.books import Book

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.backends.contract import Backend
    from harness.virtual.client import VirtualBoardControls


@dataclass
class Rig:
    """One board: as the lab sees it, and as only a test of ours can.

    :ivar controls: the bench's controls, which a board of a rig does not have.
    :ivar description: the board, described without its bench.
    """

    controls: VirtualBoardControls
    description: Board
    book: Book
    secrets: list[tuple[str, str]]
    opened: list[LeasedBoard]

    def board(self, **settings: Any) -> LeasedBoard:
        """Open the board with what a session allows."""
        leased = LeasedBoard(
            self.description,
            load_plugins(),
            capture_directory=None,
            settings=BoardSettings(**settings),
            accounts=self.book,
            register_secret=lambda value, label: self.secrets.append((value, label)),
        )
        self.opened.append(leased)
        return leased

    def credentials(self) -> list[tuple[int, int]]:
        """Return the slots that the board really holds, without the reserved ones."""
        entries = [(each["tag"], each["type"]) for each in self.controls.call("credentials")]
        return [slot for slot in entries if slot[0] < 1 << 31]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A bench with one board, for all tests of a file."""
    with start_bench(tmp_path_factory.mktemp("bench"), [("nrf9151dk-virtual", "dk", {})]) as bench:
        yield bench


@pytest.fixture
def rig(bench: Any) -> Iterator[Rig]:
    """The board, without leftovers of another test; it starts online and with error numbers off."""
    with BenchClient(bench.socket) as client:
        controls = client.board("dk")
        controls.call("clear_faults")
        state = controls.state()
        description = Board(
            id="desk",
            kind="nrf9151dk",
            driver="nrf91",
            capabilities=frozenset({"provisioning-agent"}),
            endpoints={"console": Endpoint(role="console", url=str(state.ports["console"]))},
            properties=dict(state.properties),
        )
        rig = Rig(controls, description, Book(), [], [])
        yield rig
        for leased in rig.opened:
            leased.close()
        controls.call("clear_faults")
        cleaner = LeasedBoard(
            replace(description, id="dk", bench=str(bench.socket)), load_plugins(), capture_directory=None
        )
        for tag, kind in rig.credentials():
            cleaner.driver.delete_credential(tag, kind)
        cleaner.driver.online()
        cleaner.close()
        controls.set_power(on=False)
        controls.set_power(on=True)


@pytest.fixture
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A fake that runs."""
    (spec,) = harness_backends()
    with start_fake(spec, tmp_path_factory.mktemp("fake"), lifeline=None) as running:
        yield running.backend
