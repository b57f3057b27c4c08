"""Reprovisioning: a provisioned device gets new certificates, signed for by the identity that it has.

Guardian fact sheet, section 9. What a device says wrong of itself is in ``test_reprovisioning_mismatches``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import DuplicatePolicy, SignerKeyState, Status
from harness_guardian.peers import SENSOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.attempting import Device

pytestmark = pytest.mark.board(driver="guardian-component")

VIRTUAL = pytest.mark.board(driver="guardian-component", needs={"virtual"})
DAY = 24 * 3600.0


@pytest.fixture
def sole(guardian: Any, approval: Any, device_of: Callable[..., Device]) -> Device:
    """The board, provisioned, where there is room for one device only and nobody may share a hardware id."""
    component = replace(SENSOR, max_instances=1, duplicate_hw_id=DuplicatePolicy.DENY)
    system = guardian.create_system(approval=approval, components=[component])
    device = device_of(system, component=SENSOR.name)
    assert device.attempt().ended_well
    return device


@pytest.mark.proves("reprovision", "takes no further place, and is no duplicate of itself")
def test_counts_once(sole: Device) -> None:
    """The place and the hardware id are the device's own already."""
    for _time in range(2):
        assert sole.attempt(reprovision=True).ended_well

    rows = sole.system.rows()
    assert len(rows) == 3
    assert len({row.component_instance_id for row in rows}) == 1


@pytest.mark.proves("reprovision", "after the component became appliance-only")
def test_appliance_only_later(sole: Device) -> None:
    """Appliance-only is about the first provisioning."""
    sole.system.change(components=[replace(SENSOR, appliance_only=True).fields()])

    assert sole.attempt(reprovision=True).ended_well


@pytest.mark.proves("reprovision", "needs no package key any more")
def test_without_the_package_key(sole: Device) -> None:
    """A device is known by its identity, whatever became of the package's key."""
    sole.system.register(sole.system.key, SignerKeyState.RETIRED)

    assert sole.attempt(reprovision=True).ended_well


@VIRTUAL
@pytest.mark.proves("reprovision", "PR_SIGNATURE_MALFORMED")
def test_malformed(board: LeasedBoard, provisioned: Device, judge: Any) -> None:
    """A damaged request costs a device nothing: it keeps what it has, and a good one succeeds."""
    board.virtual.call("forge", what="signature")

    judge.failed(provisioned.attempt(reprovision=True), "PR_SIGNATURE_MALFORMED")

    assert provisioned.attempt(reprovision=True).ended_well


@VIRTUAL
@pytest.mark.parametrize("what", ["request-id", "nonce"])
@pytest.mark.proves("reprovision", "Rejected by system: a request id or a nonce that was used before")
def test_replay(board: LeasedBoard, guardian: Any, provisioned: Device, judge: Any, what: str) -> None:
    """What its first request used up cannot be used again."""
    board.virtual.call("forge", what=what)
    before = board.driver.snapshot()
    board.driver.make_request(reprovision=True)

    request_id = board.driver.submit()

    judge.rejected(provisioned.seen(request_id, before))


@pytest.mark.backend(needs={"faults", "approval-details"})
@pytest.mark.proves(
    "reprovision", "old certificates are valid for 24 hours after the new profile was fetched"
)
def test_grace(board: LeasedBoard, guardian: Any, provisioned: Device) -> None:
    """What the device had before is revoked when it has had time to install what it has now."""
    system = provisioned.system.name
    attempt = provisioned.attempt(reprovision=True)
    assert attempt.ended_well
    old = sorted(int(each.serial, 16) for _slot, each in attempt.before.certificates)

    guardian.shift_clock(DAY - 60)
    guardian.create_system()  # asks Vault for so much that what were due would be revoked by then
    assert _revoked(guardian, system) == []
    guardian.shift_clock(DAY + 60)
    guardian.vault.wait_for_calls(system, "revoke", len(old))

    assert _revoked(guardian, system) == old
    guardian.shift_clock(0)
    assert provisioned.attempt(reprovision=True).ended_well


def _revoked(guardian: Any, system: str) -> list[int]:
    calls = [call for call in guardian.vault.log(system) if call.call == "revoke"]
    return sorted(int(call.serial.replace(":", ""), 16) for call in calls)


@pytest.mark.proves("reprovision", "not waited for by the board: it keeps what it has until it installs")
def test_given_up(board: LeasedBoard, guardian: Any, provisioned: Device) -> None:
    """A request that its board does not wait for is answered all the same, and changes nothing there yet."""
    before = board.driver.snapshot()
    made = provisioned.submit(reprovision=True)

    assert provisioned.carry(made.request_id).status is Status.PROVISIONED

    assert board.driver.snapshot() == before
    provisioned.install(made.request_id)
    assert board.driver.snapshot() != before


@pytest.mark.proves("reprovision", "of a device that was provisioned by its package: as often as it likes")
def test_again_and_again(provisioned: Device) -> None:
    """Each time by the identity that it got the time before."""
    seen = set()
    for _time in range(3):
        attempt = provisioned.attempt(reprovision=True)
        assert attempt.ended_well
        seen |= {certificate.serial for _slot, certificate in attempt.after.certificates}

    assert len(seen) == 3 * 3
