"""A board that polls by itself: when it comes, and how the service changes that.

Sources: nrfcloud fact sheet, sections 3.1 (back-off) and 3.6 (``provisioning/interval-sec``). Nobody waits
for an interval here: the firmware's timers are let run ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import Configuration, Finished, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent", "virtual"}),
    pytest.mark.backend(needs={"portal-commands"}),
]

INTERVAL = "provisioning/interval-sec"
BUILT_IN, STORED = 90_000, 7_000


@pytest.fixture
def polls(board: LeasedBoard) -> Callable[[], int]:
    """Tell how often the board has polled by itself."""
    return lambda: int(board.virtual.call("schedule")["polls"])


@pytest.fixture
def own_interval(board: LeasedBoard, claimed: Any) -> Any:
    """A board that polls by itself, and was told another interval by its service."""
    board.virtual.call("configure", scheduled=True, interval=BUILT_IN)
    command = claimed.add_command(Configuration(properties={INTERVAL: str(STORED)}))
    board.driver.provision(agent="board")
    assert command.refresh().status is CommandStatus.SUCCEEDED
    return command


@pytest.mark.proves("polling", "a stored interval is the one after which the board comes again")
def test_interval_of_the_service(
    board: LeasedBoard,
    claimed: Any,
    own_interval: Any,
    sec_tag: int,
    root_ca: str,
    held: Any,
    polls: Any,
    watch: Any,
) -> None:
    """A command waits until the interval is over, and no longer; then the board has done it by itself."""
    assert own_interval.status is CommandStatus.SUCCEEDED
    assert board.virtual.call("settings")[INTERVAL] == str(STORED)
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    before, poll_ends = polls(), watch()

    board.virtual.call("pass_time", seconds=STORED / 2)
    assert polls() == before
    assert command.refresh().status is CommandStatus.PENDING
    board.virtual.call("pass_time", seconds=STORED / 2)
    assert polls() == before + 1
    poll_ends("NO_COMMANDS")

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("polling", "the interval is kept without power, and a boot polls at once")
def test_interval_after_a_boot(
    board: LeasedBoard, claimed: Any, own_interval: Any, polls: Any, watch: Any
) -> None:
    """The board comes when it boots, finishes what waits, and keeps to what it was told."""
    assert own_interval.status is CommandStatus.SUCCEEDED
    finished = claimed.add_command(Finished())
    before, poll_ends = polls(), watch()

    board.virtual.reset()
    poll_ends("DONE")

    assert polls() == before + 1
    assert finished.refresh().status is CommandStatus.SUCCEEDED
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    due = board.virtual.call("schedule")["due_in"]
    assert STORED / 2 < due <= STORED


@pytest.mark.parametrize("text", ["0", "-1", "soon"])
@pytest.mark.proves("polling", "a stored text that is no interval changes nothing")
def test_interval_that_is_none(board: LeasedBoard, claimed: Any, text: str) -> None:
    """The board stores what it is told, reports that, and keeps the interval that it was built with."""
    board.virtual.call("configure", scheduled=True, interval=BUILT_IN)
    command = claimed.add_command(Configuration(properties={INTERVAL: text}))

    board.driver.provision(agent="board")

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert board.virtual.call("settings")[INTERVAL] == text
    schedule = board.virtual.call("schedule")
    assert schedule["interval"] == BUILT_IN
    assert STORED < schedule["due_in"] <= BUILT_IN


@pytest.mark.proves("polling", "never by firmware that waits to be told, command PENDING")
def test_firmware_that_waits_to_be_told(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, polls: Any
) -> None:
    """Without polling of its own a board does not come by itself, however long nobody asks it to."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    before = polls()

    board.virtual.call("pass_time", seconds=30 * 86400)

    assert polls() == before
    assert board.virtual.call("schedule")["due_in"] is None
    assert command.refresh().status is CommandStatus.PENDING
    assert held(sec_tag) == {}


@pytest.mark.backend(needs={"faults", "device-log"})
@pytest.mark.proves("polling", "500: the board comes again a minute later, two after the second")
def test_back_off(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    own_interval: Any,
    sec_tag: int,
    root_ca: str,
    held: Any,
    watch: Any,
) -> None:
    """A busy service sees the board soon again, later each time; once it answers, at the interval."""
    assert own_interval.status is CommandStatus.SUCCEEDED
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    dues, poll_ends = [], watch()

    with nrfcloud.fault(claimed, on="fetch", kind="status", status=500, times=2):
        board.virtual.call("pass_time", seconds=STORED)
        for _time in range(2):
            poll_ends("FAILED")
            dues.append(board.virtual.call("schedule")["due_in"])
            board.virtual.call("pass_time", seconds=dues[-1])
        poll_ends("NO_COMMANDS")

    assert [50 < dues[0] <= 60, 110 < dues[1] <= 120] == [True, True]
    assert STORED / 2 < board.virtual.call("schedule")["due_in"] <= STORED
    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}
