"""Booting: what a device keeps without power, and that it comes back as the device that it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.enums import DeviceState

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.attempting import Attempts
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True)

SECONDS = 20.0


def booted(board: LeasedBoard) -> None:
    """Boot the device."""
    board.driver.reboot()
    board.driver.wait_until_back()


@pytest.mark.proves("boot", "registered again without another bootstrap")
@pytest.mark.backend("pelion", needs={"server-log"})
def test_registered_again(
    board: LeasedBoard,
    attempts: Attempts,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
) -> None:
    """A provisioned device registers after a boot by itself, with what its bootstrap gave it."""
    attempt = attempts(developer, update)
    after = board.driver.client_log().size

    booted(board)

    view = board.driver.wait_until_registered(SECONDS, after=after)
    assert view.device_id == attempt.device.id
    assert pelion.device(attempt.device.id).state is DeviceState.REGISTERED
    notes = pelion.server_log("bootstrap finished")
    assert sum(note.details["endpoint"] == developer.endpoint_name for note in notes) == 1


@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.proves("boot", "the store is kept without power")
def test_store_is_kept(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources, pelion: Any
) -> None:
    """Items survive the loss of power, each of them."""
    assert board.driver.provision(developer, update).ok
    held = board.driver.items()

    board.virtual.set_power(on=False)
    board.virtual.set_power(on=True)
    board.driver.wait_until_back()

    assert {name: board.driver.items()[name] for name in held} == held
    assert board.driver.status().configured
    assert pelion.wait_for_device(ca_id=developer.endpoint_name, state=DeviceState.REGISTERED)


@pytest.mark.proves("boot", "a blank device stays blank")
def test_blank_device(board: LeasedBoard, pelion: Any) -> None:
    """A device that was never provisioned has nothing to register with, however often it boots."""
    booted(board)

    assert not board.driver.status().configured
    assert not board.driver.client_log().registered
    assert pelion.certificates_made == ()


@pytest.mark.proves("boot", "the temporary folder is lost")
def test_scratch_is_lost(
    board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """What was copied and not stored is gone after a boot, the private key among it."""
    device = board.driver.device
    board.driver.prepare()
    device.make_folder()
    device.transfer({developer.name: developer.bin_files, update.name: update.bin_files})
    assert board.driver.folder_exists()

    booted(board)

    assert not board.driver.folder_exists()
    assert not board.driver.status().configured


@pytest.fixture
def steps(board: LeasedBoard, developer: DeveloperCredentials, update: UpdateResources) -> Any:
    """The steps of a provisioning, one by one."""
    device = board.driver.device
    board.driver.prepare()
    sets = {developer.name: developer.bin_files, update.name: update.bin_files}
    return [device.make_folder, lambda: device.transfer(sets), device.run_provisioning, device.remove_folder]


@pytest.mark.parametrize(
    "done",
    [
        pytest.param(1, marks=pytest.mark.proves("boot", "after the folder was made"), id="folder made"),
        pytest.param(2, marks=pytest.mark.proves("boot", "after the files were copied"), id="copied"),
        pytest.param(3, marks=pytest.mark.proves("boot", "after the utility ended"), id="stored"),
    ],
)
def test_boot_between_sessions(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    steps: list[Callable[[], Any]],
    done: int,
) -> None:
    """What was stored is there, what was not is gone: the utility misses it; again is no obstacle."""
    for each in steps[:done]:
        each()
    booted(board)

    assert not board.driver.folder_exists()
    if done < 3:
        outcome = steps[2]()
        assert (outcome.status, "could not be opened" in outcome.errors) == (1, True)
    assert board.driver.status().configured is (done == 3)

    assert board.driver.provision(developer, update).ok
    board.driver.restart_client()
    assert pelion.wait_for_device(ca_id=developer.endpoint_name, state=DeviceState.REGISTERED)
    assert not board.driver.folder_exists()
