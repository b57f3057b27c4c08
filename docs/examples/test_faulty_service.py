"""A service that loses an answer: the board has done its work, and does it only once."""

import pytest
from harness_nordic.client_requests import Finished
from harness_nordic.enums import CommandStatus


@pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent"})
@pytest.mark.backend(needs={"faults", "device-log"})
@pytest.mark.proves("report", "taken although the board hears 500")
def test_report_whose_answer_is_lost(board, nrfcloud):
    """The service takes the report and answers 500; the board has nothing more to do."""
    device = nrfcloud.claim(board.driver.attestation_token())
    command = device.add_command(Finished())

    with nrfcloud.fault(device, on="report", kind="lost-answer", status=500) as fault:
        assert not board.driver.provision().finished
        assert fault.struck == 1

    assert device.command(command.id).status is CommandStatus.SUCCEEDED
    statuses = [request.status for request in nrfcloud.device_requests(device.id, last=3)]
    assert statuses == [200, 500, 204]
