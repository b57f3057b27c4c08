"""The fact sheet's own device at the door of a fake, and a virtual board in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.nordic.acceptance.vectors import JWT, RECORD, TOKEN
from tests.nordic.fake.conftest import Site
from tests.nordic.virtual.conftest import BoardInHand, boards_in_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

DEVICES = "/v1/claimed-devices"


class Published:
    """The device of section 4.5: what it says was made by others; nobody here has its key."""

    def __init__(self) -> None:
        """Let the factory register it, and a team have a key."""
        self.site = Site()
        assert self.site.control.ask("POST", "/factory", json=RECORD).status_code == 201

    def manage(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Call the management API with the team's key; what comes back is JSON, if it is anything."""
        answer = self.site.ask(method, path, **content)
        if answer.content:
            answer.json()
        return answer

    def claim(self, **more: Any) -> httpx.Response:
        """Claim it by its published token."""
        return self.manage("POST", DEVICES, json={"claimToken": TOKEN, **more})

    def command(self, request: dict[str, Any]) -> str:
        """Create a command for it, and return the command's id."""
        made = self.manage("POST", f"{DEVICES}/{RECORD['uuid']}/provisioning", json={"request": request})
        assert made.status_code == 201
        identifier: str = made.json()["id"]
        return identifier

    def read(self, command: str) -> dict[str, Any]:
        """Read a command."""
        answer = self.manage("GET", f"{DEVICES}/{RECORD['uuid']}/provisioning/{command}")
        assert answer.status_code == 200
        read: dict[str, Any] = answer.json()
        return read

    def fetch(self, **query: Any) -> httpx.Response:
        """Fetch with the published JWT."""
        return self.site.fetch(jwt=JWT, **query)

    def report(self, body: bytes) -> int:
        """Report with the published JWT; return the status of the answer."""
        answer = self.site.world.ask(
            "POST",
            "/v1/provisioning/response",
            key=JWT,
            content=body,
            headers={"Content-Type": "application/cbor"},
        )
        return answer.status_code


@pytest.fixture
def published() -> Published:
    """The published device; nobody has claimed it."""
    return Published()


@pytest.fixture
def claimed(published: Published) -> Published:
    """The published device after a team claimed it."""
    assert published.claim().status_code == 201
    return published


@pytest.fixture
def make_board() -> Iterator[Callable[..., BoardInHand]]:
    """Make boards that are switched on; they end with the test."""
    yield from boards_in_hand()


@pytest.fixture
def board(make_board: Callable[..., BoardInHand]) -> BoardInHand:
    """An nRF9151 DK that is switched on."""
    return make_board()
