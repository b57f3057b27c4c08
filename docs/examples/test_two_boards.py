"""Two boards of one team: what is done to one leaves the other alone."""

import pytest
from harness_nordic.client_requests import Finished


@pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent"}, count=2)
@pytest.mark.proves("block", "the other board goes on")
def test_block_one_of_two(boards, nrfcloud):
    """A blocked board is refused; another one of the same team is not."""
    first, second = boards
    devices = [nrfcloud.claim(board.driver.attestation_token()) for board in boards]
    for device in devices:
        device.add_command(Finished())

    devices[0].block()

    assert first.driver.provision().refused_with == 403
    assert second.driver.provision().finished
