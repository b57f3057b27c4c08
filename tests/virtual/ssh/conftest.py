"""Boards that are reached by SSH."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.virtual.async_thread import AsyncThread
from tests.virtual.ssh.ssh_board import AsyncHost, SshBoard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def host() -> Iterator[AsyncHost]:
    """A bench without boards."""
    found = AsyncHost(AsyncThread())
    yield found
    found.thread.close()


@pytest.fixture
def make_ssh_board(host: AsyncHost) -> Iterator[Callable[[str], SshBoard]]:
    """Make a board that listens."""
    made: list[SshBoard] = []

    def make(name: str) -> SshBoard:
        made.append(SshBoard(host, name))
        made[-1].server.listen()
        return made[-1]

    yield make
    for each in made:
        each.server.close()


@pytest.fixture
def board(make_ssh_board: Callable[[str], SshBoard]) -> SshBoard:
    """One of them."""
    return make_ssh_board("board-1")
