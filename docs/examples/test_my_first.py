"""A first test of one's own."""

import pytest


@pytest.mark.board(driver="nrf91", needs={"attestation"})
def test_my_board_can_be_claimed(board, nrfcloud):
    """The service takes the board's token, and the board's own modem confirms which board it is."""
    device = nrfcloud.claim(board.driver.attestation_token())

    assert device.id == board.driver.device_uuid()
