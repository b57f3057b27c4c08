"""The test that the tutorial ends with."""

import pytest
from harness_nordic.client_requests import Finished
from harness_nordic.enums import CommandStatus


@pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent"})
@pytest.mark.proves("block", "the board is refused and its command waits")
def test_blocked_board_gets_nothing(board, nrfcloud):
    """A blocked board is refused, and its command waits until the board is unblocked."""
    device = nrfcloud.claim(board.driver.attestation_token())
    command = device.add_command(Finished())
    device.block()

    assert board.driver.provision().refused_with == 403
    assert device.command(command.id).status is CommandStatus.PENDING

    device.unblock()
    assert board.driver.provision().finished
    assert device.command(command.id).status is CommandStatus.SUCCEEDED
