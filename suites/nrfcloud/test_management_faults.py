"""A service that answers the management API wrongly or not at all: what client and board make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BackendFault, BackendUnreachable, RequestRefused
from harness_nordic.client_requests import Finished, ServerCertificate
from harness_nordic.enums import CommandStatus

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation"}),
    pytest.mark.backend(needs={"faults", "command-list"}),
]

SUCCEEDED = CommandStatus.SUCCEEDED


@pytest.fixture
def command(claimed: Any, sec_tag: int, root_ca: str) -> Any:
    """A command that waits for the board."""
    return claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))


@pytest.mark.backend(needs={"faults", "teams"})
@pytest.mark.proves("claim", "500 although made: the device is ours, and another team is refused")
def test_claim_whose_answer_is_lost(
    board: LeasedBoard, nrfcloud: Any, refused: Any, is_claimed_by: Any
) -> None:
    """A claim that the service made before it broke down stands; nobody else can make it."""
    with (
        nrfcloud.fault(None, on="management", kind="lost-answer", status=500),
        pytest.raises(RequestRefused),
    ):
        nrfcloud.claim(board.driver.attestation_token())

    assert is_claimed_by(nrfcloud)
    with refused(409):
        nrfcloud.another_team().claim(board.driver.attestation_token())
    assert board.driver.provision().refused_with is None


@pytest.mark.proves("unclaim", "503 and not made: the device is still ours, the board is still served")
def test_unclaim_that_is_not_made(board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any) -> None:
    """What the service did not undo stands."""
    with (
        nrfcloud.fault(claimed, on="management", kind="status", status=503),
        pytest.raises(BackendFault),
    ):
        claimed.unclaim()

    board.driver.provision()
    assert command.refresh().status is SUCCEEDED


@pytest.mark.proves("create command", "500 and not made: the board has nothing to do")
def test_command_that_is_not_made(board: LeasedBoard, nrfcloud: Any, claimed: Any, refused: Any) -> None:
    """What the service did not take is not there."""
    with nrfcloud.fault(claimed, on="management", kind="status", status=500):
        with pytest.raises(RequestRefused) as refusal:
            claimed.add_command(Finished())
        assert refusal.value.status == 500

    assert claimed.commands() == []
    assert not board.driver.provision().finished


@pytest.mark.proves("create command", "500 although made: it is listed, and the board does it once")
def test_command_that_is_made_although_the_answer_is_lost(
    board: LeasedBoard, nrfcloud: Any, claimed: Any
) -> None:
    """A client that got no answer finds in the list what became of its call."""
    with (
        nrfcloud.fault(claimed, on="management", kind="lost-answer"),
        pytest.raises(BackendUnreachable),
    ):
        claimed.add_command(Finished())

    assert len(claimed.commands()) == 1
    assert board.driver.provision().finished
    assert [command.status for command in claimed.commands()] == [SUCCEEDED]


@pytest.mark.parametrize("kind", ["truncated", "garbage"])
@pytest.mark.proves("read command", "damaged answer: a fault of the service, not of the board")
def test_damaged_answer(board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, kind: str) -> None:
    """The client says that the service answers nonsense; afterwards it reads what is."""
    board.driver.provision()
    with nrfcloud.fault(claimed, on="management", kind=kind), pytest.raises(BackendFault):
        command.refresh()

    assert command.refresh().status is SUCCEEDED


@pytest.mark.proves("read command", "503 once: the client asks again and has its answer")
def test_read_that_is_repeated(board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any) -> None:
    """Passing trouble of the service does not fail a call that is safe to repeat."""
    board.driver.provision()
    with nrfcloud.fault(claimed, on="management", kind="status", status=503) as fault:
        assert command.refresh().status is SUCCEEDED
        assert (fault.struck, fault.left) == (1, 0)
