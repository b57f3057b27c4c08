"""The same agent over SSH: a component that runs Linux, whose console is a boot log only."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused
from harness_guardian.attempting import whole_way
from harness_guardian.client_requests import assert_passed
from harness_guardian.judging import chain_problem, proof_problem

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Device
    from harness_guardian.enums import ApprovalType

pytestmark = pytest.mark.board(driver="guardian-component", needs={"agent-over-ssh"})


@pytest.mark.proves("over SSH", "initial and reprovision: Provisioned")
def test_provisioned(device: Device, approval: ApprovalType) -> None:
    """A gateway is provisioned like any component."""
    for reprovision in (False, True):
        attempt = device.attempt(reprovision=reprovision)
        assert attempt.ended_well
        assert_passed(attempt.history, whole_way(approval))


@pytest.mark.proves("over SSH", "its keys are its own, by OpenSSL")
def test_keys(board: LeasedBoard, provisioned: Device) -> None:
    """What it signs over SSH verifies with what it was given."""
    challenge = secrets.token_bytes(32)
    for slot in ("identity", "tls", "signing"):
        chain = board.driver.chain(slot)
        assert chain_problem(chain, provisioned.system.root_pem) == ""
        assert proof_problem(chain[0], challenge, board.driver.prove(slot, challenge)) == ""


@pytest.mark.proves("over SSH", "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER, and a good one afterwards")
def test_mismatch(provisioned: Device, judge: Any) -> None:
    """A gateway that says something else of itself."""
    provisioned.says(hw_id=f"{provisioned.hw_id}-R")
    judge.failed(provisioned.attempt(reprovision=True), "REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER")

    provisioned.says()
    assert provisioned.attempt(reprovision=True).ended_well


@pytest.mark.proves("over SSH", "what is no profile is refused, and changes nothing")
def test_no_profile(board: LeasedBoard, provisioned: Device) -> None:
    """A file that came to the wrong device."""
    before = board.driver.snapshot()
    provisioned.submit(reprovision=True)

    with pytest.raises(CommandRefused):
        board.driver.install(b"no profile")

    assert board.driver.snapshot() == before
