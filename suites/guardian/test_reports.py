"""The device provisioning report: all devices or selected ones, their latest status, as CSV.

Seed 'Manage device provisioning': export provisioning report; guardian fact sheet, section 8.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import ApprovalType, ErrorCode, Status
from harness_guardian.peers import SENSOR, initialise, make_peers

if TYPE_CHECKING:
    from harness.inventory.leased_board import LeasedBoard
    from harness_guardian.peers import Peer

pytestmark = pytest.mark.board(driver="guardian-component")

STATUSES = pytest.mark.backend(needs={"exact-status"})
NAMES = pytest.mark.backend(needs={"roles"})  # what users are called is known of a fake only
# The columns of the seed in its order, and the one that we add.
HEADER = (
    "System name",
    "System instance name",
    "System instance ID",
    "Component name",
    "Component instance ID",
    "Component instance created on",
    "Device HW ID",
    "Approval type",
    "Provisioning status",
    "Request ID",
    "Request created on",
    "Response ID",
    "Response created on",
    "Provision source",
    "Approved on",
    "Approved by",
    "Rejected on",
    "Rejected by",
    "Provisioned on",
    "Provisioned by",
)
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def system(guardian: Any) -> Any:
    """A system with manual approval and a component that costs little."""
    return guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])


@pytest.fixture
def crowd(board: LeasedBoard, guardian: Any, system: Any) -> list[Peer]:
    """Three requests that need approval; the last one is the board's."""
    peers = make_peers(board, system, 3, component=SENSOR.name)
    for peer in peers:
        guardian.anonymous.submit(peer.request.content)
    for peer in peers:
        guardian.wait_for(peer.id, Status.NEEDS_APPROVAL)
    return peers


def provision(board: LeasedBoard, guardian: Any, request_id: str) -> Any:
    """Approve and provision the board's request, and have it install the profile; return its row."""
    guardian.approve(request_id)
    guardian.wait_for(request_id, Status.COMPLETE_PROVISIONING)
    guardian.provision(request_id)
    row = guardian.wait_until_final(request_id)
    board.driver.install(guardian.certified_profile(request_id).encode())
    return row


@pytest.mark.proves("report", "all devices: a line for each")
def test_all_devices(board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]) -> None:
    """Every device has a line with its current status, and the board is one of them."""
    report = guardian.report("all", system=system.name)

    assert {row["Request ID"] for row in report.rows} == {peer.id for peer in crowd}
    assert {row["Provisioning status"] for row in report.rows} == {"Needs approval"}
    assert board.driver.identity().hw_id in {row["Device HW ID"] for row in report.rows}


@pytest.mark.proves("report", "selected devices: a line for each of them")
def test_selected_devices(board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]) -> None:
    """Only the selected devices have a line: the board and one of its peers."""
    report = guardian.report("selected", ids=[crowd[0].id, crowd[2].id], system=system.name)

    assert {row["Request ID"] for row in report.rows} == {crowd[0].id, crowd[2].id}
    assert crowd[1].hw_id not in report.text
    assert board.driver.identity().hw_id in report.text


@pytest.mark.proves("report", "selected devices: the latest status, not the selected request's")
def test_latest_status_of_the_selected(
    board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]
) -> None:
    """A device that was selected by an old request has the line of its latest one."""
    old = crowd[-1].id
    guardian.reject(old)
    guardian.wait_until_final(old)
    again = board.driver.make_request().request_id
    board.driver.submit()
    guardian.wait_for(again, Status.NEEDS_APPROVAL)

    report = guardian.report("selected", ids=[old], system=system.name)

    assert [(row["Request ID"], row["Provisioning status"]) for row in report.rows] == [
        (again, "Needs approval")
    ]


@pytest.mark.proves("report", "one line for a device, however many requests it made")
def test_one_line_for_a_device(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """A board that was provisioned and provisioned again has one line, that of the last time."""
    initialise(board, system, component=SENSOR.name)
    for reprovision in (False, True):
        made = board.driver.make_request(reprovision=reprovision)
        board.driver.submit()
        guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)
        last = provision(board, guardian, made.request_id)

    report = guardian.report("all", system=system.name)

    assert [row["Request ID"] for row in report.rows] == [last.id]
    assert report.rows[0]["Response ID"] == board.driver.status().response_id


@STATUSES
@pytest.mark.proves("report", "the columns of the seed, in its order and spelling")
def test_columns(board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]) -> None:
    """The header is the seed's, without Actions, and with the error code as a last column."""
    report = guardian.report("all", system=system.name)

    assert report.header == (*HEADER, "Error code")
    assert report.text.splitlines()[0] == ",".join(report.header)
    assert len(report.rows) == len(crowd)
    assert board.driver.status().state == "requested"


@pytest.mark.proves("report", "every cell is the row's")
def test_cells(board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]) -> None:
    """Each cell of the board's line says what its row says, dates as ISO 8601 in UTC."""
    row = provision(board, guardian, crowd[-1].id)
    line = guardian.report("all", system=system.name).row_of(row.id)

    for title in HEADER:
        value = getattr(row, title.lower().replace(" ", "_"))
        text = "" if value is None else str(value)
        if title.endswith(" on") and value is not None:
            text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            assert ISO.fullmatch(text)
        assert line[title] == text, title
    assert line["Response ID"] == board.driver.status().response_id


@NAMES
@pytest.mark.proves("report", "who rejected, and when")
def test_rejected_device(board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]) -> None:
    """A rejected device's line has Rejected on and Rejected by, and nothing of what did not happen."""
    guardian.other_admin.reject(crowd[-1].id)
    guardian.wait_until_final(crowd[-1].id)
    line = guardian.report("all", system=system.name).row_of(crowd[-1].id)

    assert (line["Provisioning status"], line["Rejected by"]) == (
        "Rejected by user",
        guardian.other_admin.user_name,
    )
    assert ISO.fullmatch(line["Rejected on"])
    nothing = ("Approved on", "Approved by", "Provisioned on", "Provisioned by", "Response ID")
    assert [line[title] for title in nothing] == [""] * len(nothing)
    assert not board.driver.snapshot().provisioned


@STATUSES
@pytest.mark.proves("report", "the label and the code of an error")
def test_failed_device(board: LeasedBoard, guardian: Any) -> None:
    """The board that is one too many has the label as its status, and the code in a column of its own."""
    system = guardian.create_system(components=[replace(SENSOR, max_instances=0)])
    initialise(board, system, component=SENSOR.name)
    outcome = board.driver.provision()
    (line,) = guardian.report("all", system=system.name).rows

    assert (line["Provisioning status"], line["Error code"]) == (
        "Max instances exceeded",
        "MAX_INSTANCE_FAILURE",
    )
    assert "MAX_INSTANCE_FAILURE" in outcome.text
    assert system.rows()[0].error_code is ErrorCode.MAX_INSTANCE_FAILURE


@STATUSES
@pytest.mark.proves("report", "the name of the file")
def test_file_name(board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]) -> None:
    """The file is called after the system and the moment, and it is CSV."""
    answer = guardian.raw.request(
        "GET", "/reports/device-provisioning", params={"scope": "all", "system": system.name}
    )
    name = guardian.report("all", system=system.name).filename

    stem = f"device-provisioning-report_{system.name}_"
    assert re.fullmatch(re.escape(stem) + r"\d{8}T\d{6}Z\.csv", name)
    assert answer.headers["content-type"].split(";")[0] == "text/csv"
    assert answer.content.count(b"\r\n") == len(crowd) + 1
    assert not answer.content.startswith(b"\xef\xbb\xbf")
    assert board.driver.status().system == system.name


@STATUSES
@pytest.mark.parametrize(
    ("hw_id", "cell"),
    [("=1+1", "'=1+1"), ("@home", "'@home"), ("SN 7, left", "SN 7, left")],
    ids=["formula", "at", "comma"],
)
@pytest.mark.proves("report", "no cell is a formula; commas are kept")
def test_cells_of_a_board_that_calls_itself_strangely(
    board: LeasedBoard, guardian: Any, system: Any, hw_id: str, cell: str
) -> None:
    """What a board calls itself comes through as text: quoted, and with an apostrophe before a formula."""
    initialise(board, system, component=SENSOR.name, hw_id=hw_id)
    made = board.driver.make_request()
    board.driver.submit()
    guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)

    line = guardian.report("all", system=system.name).row_of(made.request_id)

    assert line["Device HW ID"] == cell
    assert board.driver.identity().hw_id == hw_id


@pytest.mark.keep_together("settings of the users")  # as in test_dates.py, and for the same reason
@pytest.mark.proves("report", "dates do not follow the user's settings")
def test_settings_do_not_matter(board: LeasedBoard, guardian: Any, system: Any, crowd: list[Peer]) -> None:
    """However dates are shown to a user, the report has them as ISO 8601 in UTC."""
    before, found = guardian.report("all", system=system.name).text, guardian.settings()
    guardian.change_settings(iso=not found.iso, local_time=not found.local_time)
    try:
        after = guardian.report("all", system=system.name).text
    finally:
        guardian.change_settings(iso=found.iso, local_time=found.local_time)

    assert after == before
    assert before.count(crowd[-1].id) == 1
    assert board.driver.status().request_id == crowd[-1].id


@STATUSES
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("scope=selected", 400),
        ("scope=some", 400),
        ("scope=all&ids=1", 400),
        ("scope=selected&ids=00000000-0000-4000-8000-000000000000", 404),
        ("scope=all&color=red", 400),
    ],
)
@pytest.mark.proves("report", "400 and 404 for what is no selection")
def test_no_report(board: LeasedBoard, guardian: Any, system: Any, query: str, status: int) -> None:
    """What does not say which devices, or names one that is not there, gives no report."""
    initialise(board, system, component=SENSOR.name)
    answer = guardian.raw.request("GET", f"/reports/device-provisioning?{query}")

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert board.driver.status().state == "ready"
