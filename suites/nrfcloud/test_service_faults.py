"""A service that answers a board wrongly, late or not at all: what comes of it, and how both get right again.

Faults of the nrfcloud fact sheet, section 9; the board's events are those of the table in section 3.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_nordic.client_requests import (
    CertificateSigningRequest,
    Configuration,
    Finished,
    ServerCertificate,
)
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation"}),
    pytest.mark.backend(needs={"faults", "command-list", "device-log"}),
]

PENDING, IN_PROGRESS, SUCCEEDED = (
    CommandStatus.PENDING,
    CommandStatus.IN_PROGRESS,
    CommandStatus.SUCCEEDED,
)


@pytest.fixture
def command(claimed: Any, sec_tag: int, root_ca: str) -> Any:
    """A command that waits for the board: a root CA under the first tag."""
    return claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))


@pytest.fixture
def executed(sec_tag: int, root_ca: str, held: Any) -> Callable[[], bool]:
    """Tell whether the board has executed :func:`command`; otherwise its slot must be empty."""

    def check() -> bool:
        store = held(sec_tag)
        assert store in ({}, {CredentialType.ROOT_CA: pem_digest(root_ca)})
        return bool(store)

    return check


@pytest.fixture
def restarted(board: LeasedBoard) -> Callable[[], None]:
    """Cut the board's power and give it back: it forgets what it was about to say."""
    if board.power is None:
        pytest.skip("the board has no power switch")

    def cycle() -> None:
        assert board.power is not None
        board.power.set_power(on=False)
        board.power.set_power(on=True)

    return cycle


def log_of(nrfcloud: Any, claimed: Any) -> list[tuple[str, int, str | None]]:
    """Return method, status and fault of each request of the device since it was claimed."""
    since = claimed.claimed_at
    return [
        (request.method, request.status, request.fault)
        for request in nrfcloud.device_requests(claimed.id)
        if request.time >= since
    ]


# Fetches ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (400, "FAILED"),
        (401, "FAILED_DEVICE_NOT_CLAIMED"),
        (403, "FAILED"),
        (404, "FAILED"),
        (415, "FAILED"),
        (429, "FAILED"),
        (500, "FAILED"),
        (503, "FAILED"),
    ],
)
@pytest.mark.proves("fetch", "answered with an error: the board says so, nothing is handed out; then it runs")
def test_fetch_answered_with_an_error(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, executed: Any, status: int, event: str
) -> None:
    """The board ends its run with the library's event, and the next run finds all as it was."""
    with nrfcloud.fault(claimed, on="fetch", kind="status", status=status) as fault:
        outcome = board.driver.provision()
        assert fault.struck == 1

    assert (outcome.event, outcome.refused_with) == (event, status)
    assert (command.refresh().status, executed()) == (PENDING, False)
    board.driver.provision()
    assert (command.refresh().status, executed()) == (SUCCEEDED, True)
    assert claimed.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("truncated", "FAILED"),
        ("indefinite", "FAILED"),
        ("oversize", "FAILED"),
        ("too-many", "FAILED_TOO_MANY_COMMANDS"),
    ],
)
@pytest.mark.proves("fetch", "commands that arrive damaged: nothing is executed or reported; then they run")
def test_damaged_commands(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, executed: Any, kind: str, event: str
) -> None:
    """A board executes nothing of what it cannot read, and gets it again."""
    with nrfcloud.fault(claimed, on="fetch", kind=kind):
        outcome = board.driver.provision()

    assert outcome.event == event
    assert log_of(nrfcloud, claimed) == [("GET", 200, kind)]
    assert (command.refresh().status, executed()) == (IN_PROGRESS, False)
    board.driver.provision()
    assert (command.refresh().status, executed()) == (SUCCEEDED, True)


@pytest.mark.proves("fetch", "garbage with 200: FAILED, the commands were not handed out; then they run")
def test_garbage(board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, executed: Any) -> None:
    """Bytes that are no commands end the run, and cost no command."""
    with nrfcloud.fault(claimed, on="fetch", kind="garbage"):
        assert board.driver.provision().event == "FAILED"

    assert (command.refresh().status, executed()) == (PENDING, False)
    board.driver.provision()
    assert (command.refresh().status, executed()) == (SUCCEEDED, True)


@pytest.mark.parametrize(("kind", "status"), [("status", PENDING), ("lost-answer", IN_PROGRESS)])
@pytest.mark.proves("fetch", "no answer at all: FAILED without a status, nothing is executed; then it runs")
def test_fetch_without_an_answer(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    command: Any,
    executed: Any,
    kind: str,
    status: CommandStatus,
) -> None:
    """A closed connection costs nothing, whether or not the service had handed the command out."""
    with nrfcloud.fault(claimed, on="fetch", kind=kind):
        outcome = board.driver.provision()

    assert (outcome.event, outcome.refused_with) == ("FAILED", None)
    assert log_of(nrfcloud, claimed) == [("GET", 0, kind)]
    assert (command.refresh().status, executed()) == (status, False)
    board.driver.provision()
    assert (command.refresh().status, executed()) == (SUCCEEDED, True)


@pytest.mark.proves("fetch", "answered late: executed all the same")
def test_late_answers(board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, executed: Any) -> None:
    """Answers that take their time, to fetch and report, change nothing."""
    claimed.add_command(Finished())
    with (
        nrfcloud.fault(claimed, on="fetch", kind="delay", seconds=0.1),
        nrfcloud.fault(claimed, on="report", kind="delay", seconds=0.1),
    ):
        assert board.driver.provision().finished

    assert log_of(nrfcloud, claimed) == [("GET", 200, "delay"), ("POST", 200, "delay")]
    assert (command.refresh().status, executed()) == (SUCCEEDED, True)


@pytest.mark.proves("fetch", "served twice: the first outcome stays")
def test_commands_served_again(board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int) -> None:
    """A batch that comes a second time is executed and reported again; the service keeps what it had."""
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    board.driver.provision()
    first = command.refresh().response

    with nrfcloud.fault(claimed, on="fetch", kind="duplicate"):
        board.driver.provision()

    assert [method for method, _status, _fault in log_of(nrfcloud, claimed)] == ["GET", "POST", "GET"] * 2
    assert (command.refresh().status, command.response) == (SUCCEEDED, first)
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    second = read_generated_key(first["certificateSigningRequest"]["csr"]).public_key
    assert not jwt_is_signed_by(board.driver.jwt(tag=sec_tag), second)


# Reports ---------------------------------------------------------------------------------------------------


@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.parametrize("status", [204, 400, 500, None])
@pytest.mark.proves("report", "never processed: not executed twice, IN_PROGRESS until the board restarts")
def test_report_that_is_not_processed(
    board: LeasedBoard,
    nrfcloud: Any,
    claimed: Any,
    command: Any,
    executed: Any,
    restarted: Any,
    status: int | None,
) -> None:
    """While the board says in ``after`` that it did a command, it is not told to do it again."""
    with nrfcloud.fault(claimed, on="report", kind="status", status=status):
        assert board.driver.provision().event == "NO_COMMANDS"

    assert log_of(nrfcloud, claimed) == [
        ("GET", 200, None),
        ("POST", status or 0, "status"),
        ("GET", 204, None),
    ]
    assert (command.refresh().status, executed()) == (IN_PROGRESS, True)
    assert claimed.refresh().status is DeviceStatus.PENDING

    restarted()
    board.driver.provision()
    assert (command.refresh().status, executed()) == (SUCCEEDED, True)
    assert claimed.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.parametrize("status", [204, 500, None])
@pytest.mark.proves("report", "processed, the answer lost: executed once, also after a restart")
def test_report_whose_answer_is_lost(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int, restarted: Any, status: int | None
) -> None:
    """A second execution would make another key than the one that the service knows."""
    command = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    claimed.add_command(Finished())

    with nrfcloud.fault(claimed, on="report", kind="lost-answer", status=status):
        assert not board.driver.provision().finished
    restarted()
    board.driver.provision()

    assert command.refresh().status is SUCCEEDED
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    known = read_generated_key(command.exported).public_key
    assert jwt_is_signed_by(board.driver.jwt(tag=sec_tag), known)


@pytest.mark.proves("report", "lost, and new work behind it: only the new is executed")
def test_new_command_after_a_lost_report(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int
) -> None:
    """A command whose report never came does not come back with the one behind it."""
    lost = claimed.add_command(CertificateSigningRequest(sec_tag=sec_tag))
    with nrfcloud.fault(claimed, on="report", kind="status", status=500):
        board.driver.provision()
    token = board.driver.jwt(tag=sec_tag)
    new = claimed.add_command(Configuration(properties={"harness/place": "Trondheim"}))

    board.driver.provision()

    assert [each.refresh().status for each in (lost, new)] == [IN_PROGRESS, SUCCEEDED]
    key_id = token.partition(".")[0]
    assert board.driver.jwt(tag=sec_tag).partition(".")[0] == key_id


@pytest.mark.proves("report", "delivered twice: nothing changes by the second")
def test_report_delivered_twice(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, executed: Any
) -> None:
    """A report that the network doubles counts once."""
    finished = claimed.add_command(Finished())

    with nrfcloud.fault(claimed, on="report", kind="duplicate"):
        assert board.driver.provision().finished

    assert log_of(nrfcloud, claimed)[1] == ("POST", 200, "duplicate")
    assert [each.refresh().status for each in (command, finished)] == [SUCCEEDED] * 2
    assert executed()
    assert claimed.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.board(needs={"provisioning-agent", "virtual"})
@pytest.mark.parametrize("kind", ["truncated", "garbage"])
@pytest.mark.proves("report", "arrives damaged: 400, nothing of it counts")
def test_damaged_report(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, executed: Any, restarted: Any, kind: str
) -> None:
    """Of a report that cannot be read not even the readable part counts."""
    claimed.add_command(Finished())
    with nrfcloud.fault(claimed, on="report", kind=kind):
        assert not board.driver.provision().finished

    assert log_of(nrfcloud, claimed)[1] == ("POST", 400, kind)
    assert (command.refresh().status, executed()) == (IN_PROGRESS, True)
    restarted()
    assert board.driver.provision().finished
    assert command.refresh().status is SUCCEEDED


# The faults themselves -------------------------------------------------------------------------------------


@pytest.mark.backend(needs={"faults", "teams"})
@pytest.mark.proves("faults", "strike whom they are meant for, as often as ordered")
def test_whom_a_fault_strikes(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, executed: Any
) -> None:
    """Faults for another team or device pass the board by; one for its team strikes as often as ordered."""
    nrfcloud.another_team().fault(None, on="fetch", kind="status", status=500)
    nrfcloud.fault("00000000-0000-4000-8000-000000000000", on="fetch", kind="status", status=500)
    ours = nrfcloud.fault(None, on="fetch", kind="status", status=500, times=2)

    refusals = [board.driver.provision().refused_with for _time in range(3)]

    assert refusals == [500, 500, None]
    assert (ours.struck, ours.left) == (2, 0)
    assert executed()
    assert [event.fault for event in nrfcloud.service_events() if event.device == claimed.id][-2:] == [
        ours.id
    ] * 2


@pytest.mark.parametrize("how", ["block", "test"])
@pytest.mark.proves("faults", "are gone with their block or their test")
def test_end_of_a_fault(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, executed: Any, how: str
) -> None:
    """A fault that could strike a thousand times strikes no more once its time is over."""
    fault = nrfcloud.fault(claimed, on="fetch", kind="status", status=500, times=1000)
    assert board.driver.provision().refused_with == 500

    if how == "block":
        fault.remove()
    else:
        nrfcloud.undo_orders()  # what the end of every test does

    assert board.driver.provision().refused_with is None
    assert executed()
    assert command.refresh().status is SUCCEEDED


@pytest.mark.board(needs={"certificate-check"})
@pytest.mark.proves(
    "execution", "stops at the failing command, what is behind it is dropped where so ordered"
)
def test_commands_behind_a_failing_one_are_dropped(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, command: Any, sec_tag: int, held: Any, status_of: Any
) -> None:
    """Whether the real service withholds or drops them is unknown: the fake does either."""
    bad = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content="no certificate at all"))
    behind = claimed.add_command(Finished())

    with nrfcloud.after_error("drop"):
        assert not board.driver.provision().finished

    assert [status_of(each) for each in (command, bad, behind)] == [SUCCEEDED, CommandStatus.FAILED, None]
    assert claimed.refresh().status is DeviceStatus.ERROR
    claimed.reset()
    assert not board.driver.provision().finished
    assert list(held(sec_tag)) == [CredentialType.ROOT_CA]
