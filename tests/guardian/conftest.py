"""What the tests of Guardian's host side share: a component on paper, opened as a session opens one."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from harness.config import BoardSettings
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness_guardian.driver import GuardianComponentDriver
from harness_guardian.driver_console import ConsoleLink
from tests.books import Book
from tests.guardian.paper_component import PaperComponent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.console import Console


class Desk:
    """A component on paper, and a session that holds it.

    :ivar book: what the session's driver noted.
    :ivar secrets: what it said must never be written.
    """

    def __init__(self, paper: PaperComponent) -> None:
        self.paper = paper
        self.book = Book()
        self.secrets: list[tuple[str, str]] = []
        self._opened: list[LeasedBoard] = []
        self._resources = ExitStack()

    def board(self, *, facts: dict[str, Any] | None = None, **settings: Any) -> LeasedBoard:
        """Open it with what a session allows."""
        leased = LeasedBoard(
            self.paper.board(**(facts or {})),
            load_plugins(),
            capture_directory=None,
            settings=BoardSettings(**settings),
            accounts=self.book,
            register_secret=lambda value, label: self.secrets.append((value, label)),
        )
        self._opened.append(leased)
        return leased

    @property
    def driver(self) -> GuardianComponentDriver:
        """Its driver, in a session that may do nothing that cannot be undone."""
        made: GuardianComponentDriver = self.board().driver
        return made

    def virtual_driver(self) -> GuardianComponentDriver:
        """Return its driver as of a board of a virtual bench, whose console is opened by nobody's help."""
        board = self.board(facts={"bench": "/no/bench"})
        return GuardianComponentDriver(board, ConsoleLink(lambda: self._console, board.id))

    @cached_property
    def _console(self) -> Console:
        return self._resources.enter_context(self.paper.console())

    def close(self) -> None:
        """Give it back."""
        self._resources.close()
        for board in self._opened:
            board.close()


@pytest.fixture
def paper() -> Iterator[PaperComponent]:
    """A component on paper, blank."""
    component = PaperComponent()
    yield component
    component.close()


@pytest.fixture
def desk(paper: PaperComponent) -> Iterator[Desk]:
    """The component on paper, and a session."""
    desk = Desk(paper)
    yield desk
    desk.close()
