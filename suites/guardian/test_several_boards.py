"""Several boards of one system: proxy provisioning, one hardware id on two boards, one place for two.

Guardian fact sheet, sections 1.1 (proxy), 2.4 (what is checked again when provisioning begins) and 3.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused
from harness_guardian.attempting import Device
from harness_guardian.enums import ApprovalType, ErrorCode, Status
from harness_guardian.peers import SENSOR

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="guardian-component", count=2)

ONLY_ONE = replace(SENSOR, max_instances=1)


def two_devices(
    boards: tuple[LeasedBoard, ...], guardian: Any, system: Any, **details: Any
) -> tuple[Device, Device]:
    """Make both boards devices of a system."""
    first, second = (Device(board, guardian, system, component=SENSOR.name, **details) for board in boards)
    return first, second


@pytest.mark.proves("provision", "two boards at once, each its own device")
def test_two_boards_at_once(boards: tuple[LeasedBoard, ...], guardian: Any) -> None:
    """Both boards are provisioned at the same time, and each holds what its own row says."""
    system = guardian.create_system(components=[SENSOR])
    devices = two_devices(boards, guardian, system)
    with ThreadPoolExecutor(2) as pool:
        attempts = list(pool.map(Device.attempt, devices))

    assert [attempt.ended_well for attempt in attempts] == [True, True]
    assert len({attempt.row.component_instance_id for attempt in attempts}) == 2
    serials = {certificate.serial for board in boards for certificate in board.driver.certificates().values()}
    assert len(serials) == 2


@pytest.mark.proves("DUPLICATE_HW_ID_FAILURE", "two boards with one hardware id, Automatic")
def test_one_hardware_id_on_two_boards(boards: tuple[LeasedBoard, ...], guardian: Any) -> None:
    """The second board that says the same hardware id is refused and stays blank; the first stays well."""
    system = guardian.create_system(components=[SENSOR])
    first, second = two_devices(boards, guardian, system, hw_id="SN-1")
    assert first.attempt().ended_well

    failed = second.attempt()

    assert failed.row.error_code is ErrorCode.DUPLICATE_HW_ID_FAILURE
    assert failed.changed_nothing
    assert boards[0].driver.snapshot().provisioned


@pytest.mark.proves("DUPLICATE_HW_ID_FAILURE", "two boards approved, the second fails at provisioning")
def test_two_approved_with_one_hardware_id(boards: tuple[LeasedBoard, ...], guardian: Any) -> None:
    """Of two requests that wait for provisioning with one hardware id, the second that begins fails."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    first, second = two_devices(boards, guardian, system, hw_id="SN-1")
    ids = [first.submit().request_id, second.submit().request_id]
    for each in ids:
        guardian.wait_for(each, Status.NEEDS_APPROVAL)
    assert [result.ok for result in guardian.bulk("approve", ids=ids)] == [True, True]
    for each in ids:
        guardian.wait_for(each, Status.COMPLETE_PROVISIONING)

    guardian.provision(ids[1])
    done = guardian.wait_until_final(ids[1])
    guardian.provision(ids[0])
    failed = guardian.wait_until_final(ids[0])

    assert (done.status, failed.error_code) == (Status.PROVISIONED, ErrorCode.DUPLICATE_HW_ID_FAILURE)
    second.install(ids[1])
    assert [board.driver.snapshot().provisioned for board in boards] == [False, True]


@pytest.mark.proves("MAX_INSTANCE_FAILURE", "two boards for one place, Automatic")
def test_one_place_for_two_boards(boards: tuple[LeasedBoard, ...], guardian: Any) -> None:
    """The second board is one too many and stays blank; the first one can still be reprovisioned."""
    system = guardian.create_system(components=[ONLY_ONE])
    first, second = two_devices(boards, guardian, system)
    assert first.attempt().ended_well

    failed = second.attempt()

    assert failed.row.error_code is ErrorCode.MAX_INSTANCE_FAILURE
    assert failed.changed_nothing
    assert first.attempt(reprovision=True).ended_well


@pytest.mark.proves("MAX_INSTANCE_FAILURE", "two boards approved for one place")
def test_one_place_for_two_requests(boards: tuple[LeasedBoard, ...], guardian: Any) -> None:
    """Two wait for approval, the first one takes the place: at provisioning the second is one too many."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[ONLY_ONE])
    first, second = two_devices(boards, guardian, system)
    ids = [first.submit().request_id, second.submit().request_id]
    for each in ids:
        guardian.wait_for(each, Status.NEEDS_APPROVAL)
    guardian.bulk("approve", ids=ids)
    for each in ids:
        guardian.wait_for(each, Status.COMPLETE_PROVISIONING)
    guardian.provision(ids[0])
    guardian.wait_until_final(ids[0])
    guardian.provision(ids[1])

    assert guardian.wait_until_final(ids[1]).error_code is ErrorCode.MAX_INSTANCE_FAILURE
    first.install(ids[0])
    assert [board.driver.snapshot().provisioned for board in boards] == [True, False]


@pytest.mark.proves("REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER", "with the other board's hardware id")
def test_hardware_id_of_the_other_board(boards: tuple[LeasedBoard, ...], guardian: Any) -> None:
    """A board that calls itself like the other one is found out by its identity; both stay as they were."""
    system = guardian.create_system(components=[SENSOR])
    first, second = two_devices(boards, guardian, system)
    assert first.attempt().ended_well
    assert second.attempt().ended_well
    before = [board.driver.certificates() for board in boards]
    first.says(hw_id=second.hw_id)

    failed = first.attempt(reprovision=True)

    assert failed.row.error_code is ErrorCode.REPROVISIONING_MISMATCH_HARDWARE_IDENTIFIER
    assert [board.driver.certificates() for board in boards] == before
    first.says()
    assert first.attempt(reprovision=True).ended_well


@pytest.mark.parametrize("form", ["jws", "cose"])
@pytest.mark.proves("proxy", "a connected board forwards another one's request, and fetches its profile")
def test_proxy(boards: tuple[LeasedBoard, ...], guardian: Any, form: str) -> None:
    """A board without a network is provisioned through another one, which stays as it was."""
    system = guardian.create_system(components=[SENSOR])
    proxy, remote = two_devices(boards, guardian, system)
    cut_off(remote)
    before = proxy.board.driver.snapshot()
    made = remote.board.driver.make_request(format=form)

    proxy.board.driver.forward(made.content)
    profile = proxy.board.driver.collect()
    remote.board.driver.install(profile)

    row = guardian.wait_until_final(made.request_id)
    assert remote.board.driver.status().response_id == row.response_id
    assert proxy.board.driver.snapshot() == before


@pytest.mark.proves("proxy", "the request of a provisioned proxy is its own")
def test_provisioned_proxy(boards: tuple[LeasedBoard, ...], guardian: Any) -> None:
    """A proxy that is a device itself keeps its identity: two devices, each with its own certificates."""
    system = guardian.create_system(components=[SENSOR])
    proxy, remote = two_devices(boards, guardian, system)
    assert proxy.attempt().ended_well
    before = proxy.board.driver.certificates()
    made = remote.board.driver.make_request()
    proxy.board.driver.forward(made.content)
    remote.board.driver.install(proxy.board.driver.collect())

    assert proxy.board.driver.certificates() == before
    assert remote.board.driver.certificates() != before
    assert len({row.component_instance_id for row in system.rows()}) == 2


@pytest.mark.proves("proxy", "the profile of the other board is none for the proxy")
def test_proxy_cannot_use_the_profile(boards: tuple[LeasedBoard, ...], guardian: Any) -> None:
    """What the proxy carries it cannot install itself."""
    system = guardian.create_system(components=[SENSOR])
    proxy, remote = two_devices(boards, guardian, system)
    proxy.board.driver.make_request()
    made = remote.board.driver.make_request()
    proxy.board.driver.forward(made.content)
    profile = proxy.board.driver.collect()

    with pytest.raises(CommandRefused):
        proxy.board.driver.install(profile)

    assert not proxy.board.driver.snapshot().provisioned
    remote.board.driver.install(profile)
    assert remote.board.driver.snapshot().provisioned


@pytest.mark.proves("proxy", "a rejected request: the proxy says so")
def test_proxy_of_a_rejected_request(boards: tuple[LeasedBoard, ...], guardian: Any) -> None:
    """A proxy learns that there will be no profile for the other board, which stays blank."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    proxy, remote = two_devices(boards, guardian, system)
    made = remote.board.driver.make_request()
    proxy.board.driver.forward(made.content)
    guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)
    guardian.reject(made.request_id)
    guardian.wait_until_final(made.request_id)

    with pytest.raises(CommandRefused):
        proxy.board.driver.collect()

    assert [board.driver.snapshot().provisioned for board in boards] == [False, False]


def cut_off(device: Device) -> None:
    """Take a board's network away where that can be done."""
    if device.board.description.virtual:
        device.board.virtual.call("set_link", up=False)
