"""Disconnected provisioning: a technician carries files between the board and the service.

Seed 'Manage device provisioning': disconnected provisioning; guardian fact sheet, sections 1.1 and 2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import CommandRefused
from harness_guardian.client_definitions import INFUSION_PUMP
from harness_guardian.client_requests import assert_passed
from harness_guardian.enums import ApprovalType, Status
from harness_guardian.peers import SENSOR, initialise

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="guardian-component")

STATUSES = pytest.mark.backend(needs={"exact-status"})
NAMES = pytest.mark.backend(needs={"roles"})  # what users are called is known of a fake only


@pytest.fixture
def offline(board: LeasedBoard) -> None:
    """Take the board's network away where that can be done: nothing then comes to it but files."""
    if board.description.virtual:
        board.virtual.call("set_link", up=False)


@pytest.fixture
def carried(board: LeasedBoard, offline: None) -> Callable[..., bytes]:
    """Initialise the board as a device of a system, and carry its request away as a file."""

    def carry(system: Any, component: str = SENSOR.name) -> bytes:
        initialise(board, system, component=component)
        board.driver.make_request()
        content: bytes = board.driver.get_file("request")
        return content

    return carry


@pytest.mark.parametrize("as_form", [True, False], ids=["form", "body"])
@pytest.mark.proves("disconnected", "request and profile as files, Automatic")
def test_files_there_and_back(
    board: LeasedBoard,
    guardian: Any,
    carried: Any,
    as_form: bool,  # noqa: FBT001 - how a test is run
) -> None:
    """A technician uploads the board's file, follows it, and the board installs the file that comes back."""
    system = guardian.create_system(components=[INFUSION_PUMP])
    content = carried(system, INFUSION_PUMP.name)

    submitted = guardian.limited.submit(content, as_form=as_form)
    row = guardian.limited.wait_until_final(submitted.request_id)
    board.driver.install(guardian.limited.certified_profile(row.id).encode())

    assert row.status is Status.PROVISIONED
    assert board.driver.status().response_id == row.response_id
    assert set(board.driver.certificates()) == {"identity", "tls", "signing"}


@NAMES
@pytest.mark.proves("disconnected", "request and profile as files, Manual")
def test_files_and_an_approval(board: LeasedBoard, guardian: Any, carried: Any) -> None:
    """The technician's upload waits for an Admin, and the CP is there when an Admin has provisioned."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    submitted = guardian.limited.submit(carried(system))
    guardian.limited.wait_for(submitted.request_id, Status.NEEDS_APPROVAL)
    guardian.approve(submitted.request_id)
    guardian.limited.wait_for(submitted.request_id, Status.COMPLETE_PROVISIONING)
    guardian.provision(submitted.request_id)
    profile = guardian.limited.certified_profile(submitted.request_id)

    board.driver.install(profile.encode())

    row = guardian.request(submitted.request_id)
    assert (row.status, row.provisioned_by) == (Status.PROVISIONED, guardian.user_name)
    assert board.driver.status().response_id == row.response_id


@STATUSES
@pytest.mark.proves("disconnected", "202 until the profile is there")
def test_profile_is_not_there_yet(board: LeasedBoard, guardian: Any, carried: Any) -> None:
    """Who asks too early is told when to ask again; the board still waits for its file."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    submitted = guardian.limited.submit(carried(system))
    guardian.wait_for(submitted.request_id, Status.NEEDS_APPROVAL)

    answer = guardian.limited.raw.request(
        "GET", f"/provisioning-requests/{submitted.request_id}/certified-profile"
    )

    assert (answer.status_code, answer.headers["retry-after"]) == (202, "1")
    assert answer.json() == {"request_id": submitted.request_id, "status": "needs_approval"}
    assert board.driver.status().state == "requested"


@STATUSES
@pytest.mark.proves("disconnected", "409 after a rejection")
def test_no_profile_after_a_rejection(board: LeasedBoard, guardian: Any, carried: Any) -> None:
    """What was rejected has no profile, and the board stays blank."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    submitted = guardian.limited.submit(carried(system))
    guardian.wait_for(submitted.request_id, Status.NEEDS_APPROVAL)
    guardian.reject(submitted.request_id)
    guardian.wait_until_final(submitted.request_id)

    answer = guardian.limited.raw.request(
        "GET", f"/provisioning-requests/{submitted.request_id}/certified-profile"
    )

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:guardian:problem:failed")
    assert not board.driver.snapshot().provisioned


@pytest.mark.proves("disconnected", "what was cut short on the way is refused by the board")
def test_profile_that_was_cut_short(board: LeasedBoard, guardian: Any, carried: Any) -> None:
    """A file that lost its end is not installed; the whole file is, afterwards."""
    system = guardian.create_system(components=[SENSOR])
    submitted = guardian.limited.submit(carried(system))
    profile = guardian.certified_profile(submitted.request_id).encode()
    before = board.driver.snapshot()

    with pytest.raises(CommandRefused):
        board.driver.install(profile[:-40])
    assert board.driver.snapshot() == before
    board.driver.install(profile)

    assert board.driver.snapshot().provisioned


@pytest.mark.proves("disconnected", "the profile of another device is refused by the board")
def test_profile_of_another_device(board: LeasedBoard, guardian: Any, carried: Any) -> None:
    """Mixed up files harm nobody: the board refuses a profile that answers another request."""
    system = guardian.create_system(components=[SENSOR])
    other = guardian.limited.submit(carried(system))
    foreign = guardian.certified_profile(other.request_id).encode()
    own = guardian.limited.submit(carried(system))

    with pytest.raises(CommandRefused):
        board.driver.install(foreign)
    assert not board.driver.snapshot().provisioned
    board.driver.install(guardian.certified_profile(own.request_id).encode())

    assert board.driver.status().response_id == guardian.request(own.request_id).response_id


@STATUSES
@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/guardian-pr+jws", 400),
        (b"{}", "application/guardian-pr+jws", 400),
        (b"\xd2\x84", "application/guardian-pr+cose", 400),
        (b"{}", "text/plain", 415),
        (b"{" + b" " * 65_536, "application/guardian-pr+jws", 413),
    ],
    ids=["empty", "no JWS", "no COSE", "media type", "too long"],
)
@pytest.mark.proves("upload", "400, 413 and 415 for what is no request: no row")
def test_no_request(board: LeasedBoard, guardian: Any, content: bytes, kind: str, status: int) -> None:
    """What is no request at all is refused at once, and makes no row."""
    system = guardian.create_system(components=[SENSOR])
    initialise(board, system, component=SENSOR.name)

    answer = guardian.limited.raw.request(
        "POST", "/provisioning-requests", content=content, headers={"Content-Type": kind}
    )

    assert answer.status_code == status
    assert system.rows() == []
    assert board.driver.status().state == "ready"


@pytest.fixture
def complete_on_install(guardian: Any) -> Any:
    """A system in the order of the product's documents: a device is complete when it has installed."""
    return guardian.create_system(components=[SENSOR], complete_on_install=True)


@pytest.mark.proves("complete on install", "Provisioning until the board says that it has installed")
def test_completed_by_the_board(board: LeasedBoard, guardian: Any, complete_on_install: Any) -> None:
    """The CP can be downloaded while the row says Provisioning; the board's word makes it Provisioned."""
    initialise(board, complete_on_install, component=SENSOR.name)
    made = board.driver.make_request()
    board.driver.submit()
    profile = guardian.certified_profile(made.request_id)
    waiting = guardian.request(made.request_id)
    board.driver.install(profile.encode())
    board.driver.complete()
    done = guardian.wait_until_final(made.request_id)

    assert (waiting.status, waiting.provisioned_on) == (Status.PROVISIONING, None)
    assert (done.status, done.response_id) == (Status.PROVISIONED, board.driver.status().response_id)
    assert_passed(guardian.history(made.request_id), [Status.PROVISIONING, Status.PROVISIONED])


@pytest.mark.proves("complete on install", "by a board that provisions by itself")
def test_completed_by_a_connected_board(board: LeasedBoard, guardian: Any, complete_on_install: Any) -> None:
    """A connected board installs and says so by itself."""
    initialise(board, complete_on_install, component=SENSOR.name)

    assert board.driver.provision().ok

    (row,) = complete_on_install.rows()
    assert guardian.wait_until_final(row.id).status is Status.PROVISIONED
    assert board.driver.status().response_id == row.response_id


@STATUSES
@pytest.mark.proves("complete on install", "403 for a Limited user and a Reporter")
def test_who_completes(board: LeasedBoard, guardian: Any, complete_on_install: Any) -> None:
    """Who uploaded it cannot say that it is installed, nor a Reporter; the board can, more than once."""
    initialise(board, complete_on_install, component=SENSOR.name)
    made = board.driver.make_request()
    guardian.limited.submit(made.content)
    profile = guardian.certified_profile(made.request_id)

    for user in (guardian.limited, guardian.reporter):
        answer = user.raw.request("POST", f"/provisioning-requests/{made.request_id}/installed")
        assert answer.status_code == 403
    assert guardian.request(made.request_id).status is Status.PROVISIONING
    board.driver.install(profile.encode())
    board.driver.complete()
    board.driver.complete()

    history = guardian.history(made.request_id)
    assert [entry.status for entry in history].count(Status.PROVISIONED) == 1


@STATUSES
@pytest.mark.proves("complete on install", "204 by an Admin for a board without a network")
def test_completed_by_an_admin(
    board: LeasedBoard, guardian: Any, complete_on_install: Any, carried: Any
) -> None:
    """An Admin marks a device complete that cannot say it itself, carried there by a technician."""
    submitted = guardian.limited.submit(carried(complete_on_install))
    profile = guardian.limited.certified_profile(submitted.request_id)
    board.driver.install(profile.encode())

    guardian.report_installed(submitted.request_id)

    row = guardian.wait_until_final(submitted.request_id)
    assert (row.status, row.response_id) == (Status.PROVISIONED, board.driver.status().response_id)
