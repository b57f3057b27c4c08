"""The chain from the utility's output to the registered device, each link asserted apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.enums import DeviceState
from harness_pelion.evidence import LINKS

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.attempting import Attempt, Attempts
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True)


@pytest.fixture
def attempt(attempts: Attempts, developer: DeveloperCredentials, update: UpdateResources) -> Attempt:
    """The board, provisioned with a certificate of its own."""
    return attempts(developer, update)


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(link, marks=pytest.mark.proves("evidence", f"the link {link} holds"), id=link)
        for link in LINKS
    ],
)
def test_each_link_holds(attempt: Attempt, link: str) -> None:
    """A failure says which link broke; one that nobody can show here is no proof, and no failure."""
    assert attempt.evidence[link].ok is not False, attempt.evidence[link].why


@pytest.mark.proves("provision", "registered")
def test_device_is_registered(attempt: Attempt, board: LeasedBoard, pelion: Any) -> None:
    """All links hold, and directory and device name each other."""
    assert attempt.evidence.first_broken() is None
    assert pelion.device(attempt.device.id).state is DeviceState.REGISTERED
    assert board.driver.client_log().device_id == attempt.device.id
