"""Listing, deleting, resetting and discarding commands: what the service keeps, and what the board then does.

The paths of these calls are unknown on the real service (nrfcloud fact sheet, section 2.8), hence the
capabilities.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import (
    ClientPrivateKey,
    ClientPrivateKeyGeneration,
    Configuration,
    Finished,
    ServerCertificate,
)
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation"}),
    pytest.mark.backend(needs={"command-list", "command-control"}),
]

NEVER_MADE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def failed(board: LeasedBoard, claimed: Any, sec_tag: int, client_key: str) -> Any:
    """A command that the board refused: its slot holds a key of the board's own."""
    board.driver.generate_key(sec_tag)
    command = claimed.add_command(ClientPrivateKey(sec_tag=sec_tag, content=client_key))
    assert not board.driver.provision().finished
    assert command.refresh().status is CommandStatus.FAILED
    return command


@contextmanager
def in_hand(board: LeasedBoard, *, power_cut: bool = False) -> Iterator[None]:
    """Stop the board between fetching and executing; at the end of the block it executes and reports.

    :param power_cut: it loses its power instead, and gets it back.
    """
    board.driver.online()
    if board.driver.line.is_shell:
        pytest.skip("firmware with a shell sees to LTE by itself: nothing stops it here")
    board.virtual.call("configure", lte_control="host")
    try:
        board.driver.at("AT#XNRFPROV")
        board.console.wait_unsolicited(re.compile("#XNRFPROV: 1"), timeout=10, reason="the fetched batch")
        yield
        if power_cut:
            board.virtual.set_power(on=False)
            return
        board.driver.at("AT+CFUN=4")
        board.console.wait_unsolicited(re.compile("#XNRFPROV: 2"), timeout=10, reason="the executed batch")
        board.driver.at("AT+CFUN=1")
        board.console.wait_unsolicited(re.compile("#XNRFPROV: 0"), timeout=10, reason="the end of the run")
    finally:
        board.virtual.call("configure", lte_control="board")
        board.virtual.set_power(on=True)


@pytest.mark.proves("list commands", "200, all of them in the order of creation, page after page")
def test_list_in_pages(board: LeasedBoard, nrfcloud: Any, claimed: Any) -> None:
    """Twelve commands are two pages of ten and two; the list follows what the board does."""
    made = [claimed.add_command(Configuration(properties={"harness/n": str(n)})).id for n in range(12)]
    path = f"/v1/claimed-devices/{claimed.id}/provisioning"
    first = nrfcloud.raw.request("GET", path, params={"pageLimit": "10"}).json()
    assert "pageNextToken" in first
    query = {"pageLimit": "10", "pageNextToken": first["pageNextToken"]}
    second = nrfcloud.raw.request("GET", path, params=query).json()

    assert [item["id"] for item in first["items"] + second["items"]] == made
    assert "pageNextToken" not in second

    board.driver.provision()
    listed = claimed.commands()
    assert [command.id for command in listed] == made
    assert {command.status for command in listed} == {CommandStatus.SUCCEEDED}


@pytest.mark.backend(needs={"command-list", "teams"})
@pytest.mark.proves("list commands", "404 for another team's device")
def test_list_of_another_team(nrfcloud: Any, claimed: Any) -> None:
    """Another team does not see what our device is to do."""
    claimed.add_command(Finished())
    path = f"/v1/claimed-devices/{claimed.id}/provisioning"

    assert nrfcloud.another_team().raw.request("GET", path).status_code == 404
    assert len(claimed.commands()) == 1


@pytest.mark.proves("delete command", "204 while PENDING, the board never gets it")
def test_delete_a_pending_command(
    board: LeasedBoard, claimed: Any, root_cas: tuple[str, ...], held: Any, status_of: Any
) -> None:
    """A deleted command is gone from the service and never comes to the board; its neighbour does."""
    kept_tag, deleted_tag = board.driver.sec_tags[:2]
    deleted = claimed.add_command(ServerCertificate(sec_tag=deleted_tag, content=root_cas[0]))
    kept = claimed.add_command(ServerCertificate(sec_tag=kept_tag, content=root_cas[1]))

    deleted.delete()

    assert status_of(deleted) is None
    board.driver.provision()
    assert kept.refresh().status is CommandStatus.SUCCEEDED
    assert held(deleted_tag) == {}
    assert held(kept_tag) == {CredentialType.ROOT_CA: pem_digest(root_cas[1])}


@pytest.mark.proves("delete command", "204 for the only one, the device is READY again")
def test_delete_the_only_command(board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str) -> None:
    """With its last open command gone a device has nothing to wait for."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca)).delete()

    assert claimed.refresh().status is DeviceStatus.READY
    assert claimed.commands() == []
    assert not board.driver.provision().finished


@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.proves("delete command", "409 while the board has it, it is executed all the same")
def test_delete_a_command_in_progress(
    board: LeasedBoard, claimed: Any, refused: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """What the board has in its hands is not deleted under them."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    with in_hand(board), refused(409):
        command.delete()

    assert command.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("delete command", "204 when done, the board keeps what it got")
def test_delete_a_done_command(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """Deleting a done command tidies the list; it undoes nothing on the board and repeats nothing."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.driver.provision()

    command.delete()

    assert status_of(command) is None
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert [each.method for each in board.driver.provision().exchanges] == ["GET"]
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("delete command", "204 for the failed one, the device stays in ERROR")
def test_delete_the_failed_command(board: LeasedBoard, claimed: Any, failed: Any, status_of: Any) -> None:
    """An error is settled by a reset or a discard, not by deleting its witness."""
    waits = claimed.add_command(Finished())

    failed.delete()

    assert claimed.refresh().status is DeviceStatus.ERROR
    assert not board.driver.provision().finished
    assert status_of(waits) is CommandStatus.PENDING


@pytest.mark.proves("delete command", "404 for an unknown command")
def test_delete_an_unknown_command(nrfcloud: Any, claimed: Any) -> None:
    """A command that never was cannot be deleted, and no other goes in its place."""
    command = claimed.add_command(Finished())
    path = f"/v1/claimed-devices/{claimed.id}/provisioning/{NEVER_MADE}"

    assert nrfcloud.raw.request("DELETE", path).status_code == 404
    assert [each.id for each in claimed.commands()] == [command.id]


@pytest.mark.backend(needs={"command-control", "command-list", "teams"})
@pytest.mark.parametrize("call", ["delete", "reset", "discard"])
@pytest.mark.proves("control commands", "404 for another team's device, nothing changes")
def test_control_by_another_team(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, failed: Any, call: str
) -> None:
    """Another team neither deletes nor resets nor discards what is ours."""
    waits = claimed.add_command(Finished())
    path = f"/v1/claimed-devices/{claimed.id}/provisioning"
    method, path = ("DELETE", f"{path}/{waits.id}") if call == "delete" else ("POST", f"{path}/{call}")

    assert nrfcloud.another_team().raw.request(method, path).status_code == 404

    assert claimed.refresh().status is DeviceStatus.ERROR
    assert [each.id for each in claimed.commands()] == [failed.id, waits.id]
    assert not board.driver.provision().finished


@pytest.mark.backend(needs={"command-control", "command-list", "teams"})
@pytest.mark.parametrize("call", ["delete", "reset", "discard"])
@pytest.mark.proves("control commands", "403 for a viewer, nothing changes")
def test_control_by_a_viewer(nrfcloud: Any, claimed: Any, failed: Any, call: str) -> None:
    """A viewer sees the list and changes nothing of it."""
    viewer = nrfcloud.colleague("viewer").raw
    path = f"/v1/claimed-devices/{claimed.id}/provisioning"
    method, target = ("DELETE", f"{path}/{failed.id}") if call == "delete" else ("POST", f"{path}/{call}")

    assert viewer.request(method, target).status_code == 403

    assert [item["id"] for item in viewer.request("GET", path).json()["items"]] == [failed.id]
    assert claimed.refresh().status is DeviceStatus.ERROR


@pytest.mark.proves("reset", "204, what failed is PENDING and so is the device; then it runs")
def test_reset_after_an_error(
    board: LeasedBoard, claimed: Any, failed: Any, sec_tag: int, client_key: str, held: Any
) -> None:
    """When the cause is out of the way, the very command that failed succeeds after a reset."""
    board.driver.delete_credential(sec_tag, CredentialType.CLIENT_KEY)

    claimed.reset()

    assert claimed.refresh().status is DeviceStatus.PENDING
    assert failed.refresh().status is CommandStatus.PENDING
    assert failed.response == {}
    board.driver.provision()
    assert failed.refresh().status is CommandStatus.SUCCEEDED
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert held(sec_tag) == {CredentialType.CLIENT_KEY: pem_digest(client_key)}


@pytest.mark.proves("reset", "204, what waited behind the error runs in its order")
def test_reset_lets_the_followers_run(
    board: LeasedBoard, claimed: Any, failed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """Commands behind the failed one were not lost: after a reset they follow it, finished last."""
    root = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    finished = claimed.add_command(Finished())
    board.driver.delete_credential(sec_tag, CredentialType.CLIENT_KEY)

    claimed.reset()

    assert board.driver.provision().finished
    statuses = [command.refresh().status for command in (failed, root, finished)]
    assert statuses == [CommandStatus.SUCCEEDED] * 3
    assert set(held(sec_tag)) == {CredentialType.CLIENT_KEY, CredentialType.ROOT_CA}


@pytest.mark.proves("reset", "204, the cause is still there and it fails again")
def test_reset_with_the_cause_in_place(board: LeasedBoard, claimed: Any, failed: Any) -> None:
    """A reset is a new attempt and no pardon."""
    claimed.reset()
    board.driver.provision()

    assert failed.refresh().status is CommandStatus.FAILED
    assert "519" in str(failed.response)
    assert claimed.refresh().status is DeviceStatus.ERROR


@pytest.mark.proves("reset", "204 without an error, nothing changes")
def test_reset_without_an_error(board: LeasedBoard, claimed: Any) -> None:
    """A reset makes nothing to do where nothing failed: not before and not after provisioning."""
    claimed.reset()
    assert claimed.refresh().status is DeviceStatus.READY

    done = claimed.add_command(Finished())
    assert board.driver.provision().finished
    claimed.reset()

    assert done.refresh().status is CommandStatus.SUCCEEDED
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert not board.driver.provision().finished


@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.proves("reset", "204 while the board has a command: PENDING, and executed by the next run")
def test_reset_of_a_command_in_progress(
    board: LeasedBoard, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """A board that fetched and lost its power is not waited for: after a reset all is as before the fetch."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    with in_hand(board, power_cut=True):
        assert status_of(command) is CommandStatus.IN_PROGRESS

    claimed.reset()

    assert status_of(command) is CommandStatus.PENDING
    board.driver.provision()
    assert status_of(command) is CommandStatus.SUCCEEDED
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("reset", "400 when more than 20 commands would be open, nothing changes")
def test_reset_beyond_the_most(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, failed: Any, refused: Any
) -> None:
    """Twenty commands that wait leave no room for the failed one; with one of them deleted there is."""
    path = f"/v1/claimed-devices/{claimed.id}/provisioning"
    for _number in range(20):
        assert nrfcloud.raw.request("POST", path, json={"request": {"finished": {}}}).status_code == 201

    with refused(400):
        claimed.reset()
    assert failed.refresh().status is CommandStatus.FAILED
    assert claimed.refresh().status is DeviceStatus.ERROR

    claimed.commands()[-1].delete()
    claimed.reset()
    assert failed.refresh().status is CommandStatus.PENDING
    board.driver.provision()
    assert failed.refresh().status is CommandStatus.FAILED


@pytest.mark.proves("discard", "204, what waited is gone, what failed stays to be read; the device is READY")
def test_discard_after_an_error(
    board: LeasedBoard, claimed: Any, failed: Any, sec_tag: int, root_ca: str, held: Any
) -> None:
    """After a discard the board gets nothing of the old queue, and whatever is new."""
    claimed.add_command(ServerCertificate(sec_tag=sec_tag, content="behind the error"))

    claimed.discard()

    assert claimed.refresh().status is DeviceStatus.READY
    assert [command.id for command in claimed.commands()] == [failed.id]
    assert failed.refresh().status is CommandStatus.FAILED
    new = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    board.driver.provision()
    assert new.refresh().status is CommandStatus.SUCCEEDED
    assert held(sec_tag)[CredentialType.ROOT_CA] == pem_digest(root_ca)


@pytest.mark.proves("discard", "204 after provisioning, the device is PROVISIONED as it was")
def test_discard_after_provisioning(board: LeasedBoard, claimed: Any, sec_tag: int, held: Any) -> None:
    """What was reached before is not lost with what was planned after it."""
    done = claimed.add_command(Finished())
    assert board.driver.provision().finished
    claimed.add_command(ClientPrivateKeyGeneration(sec_tag=sec_tag))
    assert claimed.refresh().status is DeviceStatus.PENDING

    claimed.discard()

    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert [command.id for command in claimed.commands()] == [done.id]
    board.driver.provision()
    assert held(sec_tag) == {}


@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.proves("discard", "204 while the board has a command, its report counts no more")
def test_discard_while_the_board_executes(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, held: Any, status_of: Any
) -> None:
    """The board cannot be stopped, so it holds what it got; its report finds nothing and makes nothing."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    before = len(nrfcloud.device_requests(claimed.id))

    with in_hand(board):
        claimed.discard()

    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}
    assert status_of(command) is None
    assert claimed.refresh().status is DeviceStatus.READY
    report = nrfcloud.device_requests(claimed.id)[before:][1]
    assert (report.method, report.status) == ("POST", 200)


@pytest.mark.parametrize("call", ["reset", "discard"])
@pytest.mark.proves("control commands", "204 while blocked, the device stays BLOCKED and gets nothing")
def test_control_of_a_blocked_device(
    board: LeasedBoard, claimed: Any, failed: Any, call: str, status_of: Any
) -> None:
    """Tidying up the queue of a blocked device does not unblock it."""
    waits = claimed.add_command(Finished())
    claimed.block()

    getattr(claimed, call)()

    assert claimed.refresh().status is DeviceStatus.BLOCKED
    assert board.driver.provision().refused_with == 403
    claimed.unblock()
    expected = (
        (CommandStatus.PENDING, CommandStatus.PENDING) if call == "reset" else (CommandStatus.FAILED, None)
    )
    assert (status_of(failed), status_of(waits)) == expected
