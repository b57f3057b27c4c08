"""Several devices blocked, unblocked and unclaimed: one call for each, and a result for each.

The portal offers it for several devices; no call of the service does (nrfcloud fact sheet, section 2.6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import Finished
from harness_nordic.enums import CommandStatus, DeviceStatus

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation"}),
    pytest.mark.backend(needs={"factory"}),
]


@pytest.fixture
def several(nrfcloud: Any, claimed: Any, siblings: Any) -> list[Any]:
    """A device, one that was unclaimed behind our back, and the board."""
    first, gone = (nrfcloud.claim(sibling.token) for sibling in siblings(2))
    nrfcloud.device(gone.id).unclaim()
    return [first, gone, claimed]


def summary(results: list[Any]) -> list[tuple[str, bool]]:
    """Return what came of each device."""
    return [(result.device_id, result.done) for result in results]


@pytest.mark.proves("block", "several devices one by one, with a result each")
def test_several_are_blocked(board: LeasedBoard, nrfcloud: Any, several: list[Any]) -> None:
    """One that cannot be blocked stops no other; the board's agent is turned away."""
    first, gone, ours = several

    results = nrfcloud.block_all(several)

    assert summary(results) == [(first.id, True), (gone.id, False), (ours.id, True)]
    assert results[1].fault.status == 404
    assert board.driver.provision().refused_with == 403
    assert first.refresh().status is DeviceStatus.BLOCKED


@pytest.mark.proves("unblock", "several devices one by one, with a result each")
def test_several_are_unblocked(board: LeasedBoard, nrfcloud: Any, several: list[Any]) -> None:
    """One that cannot be unblocked stops no other; the board gets what waited for it."""
    first, gone, ours = several
    command = ours.add_command(Finished())
    nrfcloud.block_all([ours, first])

    results = nrfcloud.unblock_all(several)

    assert summary(results) == [(first.id, True), (gone.id, False), (ours.id, True)]
    assert board.driver.provision().finished
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert [device.refresh().status for device in (first, ours)] == [
        DeviceStatus.READY,
        DeviceStatus.PROVISIONED,
    ]


@pytest.mark.proves("unclaim", "several devices one by one, with a result each")
def test_several_are_unclaimed(board: LeasedBoard, nrfcloud: Any, several: list[Any]) -> None:
    """One that is not claimed stops no other; the board's agent is nobody's then."""
    first, gone, ours = several

    results = nrfcloud.unclaim_all(several)

    assert summary(results) == [(first.id, True), (gone.id, False), (ours.id, True)]
    assert nrfcloud.devices() == []
    assert board.driver.provision().refused_with == 401


@pytest.mark.backend(needs={"teams"})
@pytest.mark.proves("block", "several devices of another team: each is refused, none is changed")
def test_several_of_another_team(board: LeasedBoard, nrfcloud: Any, several: list[Any]) -> None:
    """Another team's loop gets a refusal for each, and changes nothing of ours."""
    stranger = nrfcloud.another_team()

    for loop in (stranger.block_all, stranger.unblock_all, stranger.unclaim_all):
        assert [result.done for result in loop(several)] == [False, False, False]

    assert len(nrfcloud.devices()) == 2
    assert board.driver.provision().refused_with is None


@pytest.mark.proves("block", "no device at all is no error")
def test_none_at_all(board: LeasedBoard, nrfcloud: Any) -> None:
    """A loop over nothing does nothing."""
    assert nrfcloud.block_all([]) == nrfcloud.unblock_all([]) == nrfcloud.unclaim_all([]) == []
