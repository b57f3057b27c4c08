"""Roles: an Admin does everything, a Reporter reads, a Limited user uploads and sees what is their own.

Each operation is tried with each role (guardian fact sheet, sections 1.1 and 10.5), on a request that a
Limited user has uploaded for the board.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import ApprovalType, Status
from harness_guardian.peers import SENSOR, initialise, make_peers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="guardian-component"),
    pytest.mark.backend(needs={"exact-status", "roles"}),
]

REQUESTS = "/provisioning-requests"
SYSTEM = "/systems/{system}"
JWS = {"Content-Type": "application/guardian-pr+jws"}
KEY = {"kid": "sample", "jwk": {"kty": "EC"}, "state": "active"}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A call that users make.

    :ivar path: with names of what there is in braces.
    :ivar status: of the answer to somebody who may.
    :ivar sent: the body, as httpx takes it; texts in it have names in braces, too.
    """

    name: str
    method: str
    path: str
    status: int = 200
    sent: dict[str, Any] = field(default_factory=dict)

    def send(self, client: Any, names: dict[str, Any]) -> Any:
        """Send it as a client's user, about what there is."""
        return client.raw.request(self.method, self.path.format(**names), **_filled(self.sent, names))


def _filled(value: Any, names: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    return names.get(value[1:-1], value) if isinstance(value, str) else value


# What an Admin does, and nobody else.
CHANGES = (
    Operation(name="approve", method="POST", path=REQUESTS + "/{request}/approve", status=202),
    Operation(name="reject", method="POST", path=REQUESTS + "/{request}/reject", status=202),
    Operation(
        name="bulk approve",
        method="POST",
        path=REQUESTS + "/bulk",
        sent={"json": {"action": "approve", "ids": ["{request}"]}},
    ),
    Operation(
        name="bulk reject",
        method="POST",
        path=REQUESTS + "/bulk",
        sent={"json": {"action": "reject", "filter": {"system": "{system}"}}},
    ),
    Operation(
        name="change system", method="PATCH", path=SYSTEM, sent={"json": {"complete_on_install": True}}
    ),
    Operation(
        name="add instance",
        method="POST",
        path=SYSTEM + "/instances",
        status=201,
        sent={"json": {"name": "Ward Z"}},
    ),
)
# The same, but that they leave something behind, or cannot be done now.
OTHER_CHANGES = (
    Operation(name="provision", method="POST", path=REQUESTS + "/{request}/provision", status=409),
    Operation(name="create system", method="POST", path="/systems", sent={"json": {"name": "{fresh}"}}),
    Operation(name="register signer key", method="POST", path=SYSTEM + "/signer-keys", sent={"json": KEY}),
    Operation(name="delete system", method="DELETE", path=SYSTEM),
)
READS = (
    Operation(name="list", method="GET", path=REQUESTS + "?system={system}"),
    Operation(name="read", method="GET", path=REQUESTS + "/{request}"),
    Operation(name="history", method="GET", path=REQUESTS + "/{request}/history"),
    Operation(name="report", method="GET", path="/reports/device-provisioning?scope=all&system={system}"),
    Operation(name="settings", method="GET", path="/me/settings"),
)


def each_of(operations: Iterable[Operation], outcome: str) -> list[Any]:
    """Make a parameter of each operation, which proves an outcome of it."""
    return [
        pytest.param(operation, id=operation.name, marks=pytest.mark.proves(operation.name, outcome))
        for operation in operations
    ]


@pytest.fixture
def system(guardian: Any) -> Any:
    """A system with manual approval and a component that costs little."""
    return guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])


@pytest.fixture
def names(board: LeasedBoard, guardian: Any, system: Any) -> dict[str, Any]:
    """What paths and bodies name: a request that a Limited user uploaded for the board, and its system."""
    initialise(board, system, component=SENSOR.name)
    made = board.driver.make_request()
    guardian.limited.submit(made.content)
    guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)
    fresh = guardian.own_name("system")
    return {"request": made.request_id, "system": system.name, "content": made.content, "fresh": fresh}


def everything(board: LeasedBoard, guardian: Any, names: dict[str, Any]) -> list[Any]:
    """Return all that an Admin can read of it, and what the board holds."""
    read = [operation.send(guardian, names).text for operation in READS]
    return [*read, guardian.system(names["system"]), board.driver.snapshot()]


@pytest.mark.parametrize("operation", each_of(CHANGES, "done by an Admin"))
def test_an_admin_changes(
    board: LeasedBoard, guardian: Any, names: dict[str, Any], operation: Operation
) -> None:
    """An Admin may do everything, and it is done."""
    before = everything(board, guardian, names)

    answer = operation.send(guardian, names)

    assert answer.status_code == operation.status, answer.text
    guardian.wait_until_settled(names["request"])
    assert everything(board, guardian, names) != before
    assert not board.driver.snapshot().provisioned


@pytest.mark.parametrize("role", ["reporter", "limited"])
@pytest.mark.parametrize("operation", each_of([*CHANGES, *OTHER_CHANGES], "403 for a Reporter or Limited"))
def test_others_change_nothing(
    board: LeasedBoard, guardian: Any, names: dict[str, Any], operation: Operation, role: str
) -> None:
    """A Reporter and a Limited user are refused, also the one who uploaded it; everything is as it was."""
    before = everything(board, guardian, names)

    answer = operation.send(getattr(guardian, role), names)

    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:guardian:problem:role"
    assert everything(board, guardian, names) == before


@pytest.mark.parametrize("operation", each_of([*CHANGES, *OTHER_CHANGES], "401 without a token"))
def test_nobody_changes_anything(
    board: LeasedBoard, guardian: Any, names: dict[str, Any], operation: Operation
) -> None:
    """Without a token nothing is changed."""
    before = everything(board, guardian, names)

    assert operation.send(guardian.anonymous, names).status_code == 401
    assert everything(board, guardian, names) == before


@pytest.mark.parametrize("role", ["reporter", "limited"])
@pytest.mark.parametrize("operation", each_of(READS, "200 for every role"))
def test_every_role_reads(
    board: LeasedBoard, guardian: Any, names: dict[str, Any], operation: Operation, role: str
) -> None:
    """A Reporter and the Limited user whose device it is read what an Admin does, and are offered nothing."""
    answer = operation.send(getattr(guardian, role), names)

    assert answer.status_code == 200
    assert '"approve"' not in answer.text
    told = operation.send(guardian, names).text
    assert answer.text.replace('"actions":[]', '"actions":["approve","reject"]') == told
    assert board.driver.status().state == "requested"


@pytest.mark.proves("read", "401 without a token")
def test_nobody_reads_anything(board: LeasedBoard, guardian: Any, names: dict[str, Any]) -> None:
    """Without a token nothing is read."""
    answers = {each.name: each.send(guardian.anonymous, names) for each in READS}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert board.driver.status().state == "requested"


@pytest.mark.parametrize(
    ("role", "status"),
    [
        pytest.param("limited", 202, marks=pytest.mark.proves("upload", "202 for Limited")),
        pytest.param("admin", 202, marks=pytest.mark.proves("upload", "202 for an Admin")),
        pytest.param("reporter", 403, marks=pytest.mark.proves("upload", "403 for a Reporter")),
        pytest.param("anonymous", 202, marks=pytest.mark.proves("upload", "202 for a device")),
    ],
)
def test_who_uploads(board: LeasedBoard, guardian: Any, system: Any, role: str, status: int) -> None:
    """Whoever may upload gets a row of the board's request; of a refused one there is none."""
    initialise(board, system, component=SENSOR.name)
    made = board.driver.make_request()
    client = guardian if role == "admin" else getattr(guardian, role)

    answer = client.raw.request("POST", REQUESTS, content=made.content, headers=JWS)

    assert answer.status_code == status
    assert [row.id for row in system.rows()] == ([made.request_id] if status == 202 else [])


@pytest.mark.parametrize(
    ("role", "status"),
    [
        pytest.param("admin", 200, marks=pytest.mark.proves("certified profile", "200 for an Admin")),
        pytest.param("limited", 200, marks=pytest.mark.proves("certified profile", "200 for its Limited")),
        pytest.param("reporter", 403, marks=pytest.mark.proves("certified profile", "403 for a Reporter")),
        pytest.param(
            "other_limited", 404, marks=pytest.mark.proves("certified profile", "404 for another Limited")
        ),
        pytest.param("anonymous", 401, marks=pytest.mark.proves("certified profile", "401 without a token")),
    ],
)
def test_who_downloads(
    board: LeasedBoard, guardian: Any, names: dict[str, Any], role: str, status: int
) -> None:
    """Whoever may download gets the profile that the board installs; the others get none."""
    guardian.approve(names["request"])
    guardian.wait_for(names["request"], Status.COMPLETE_PROVISIONING)
    guardian.provision(names["request"])
    guardian.wait_until_final(names["request"])
    client = guardian if role == "admin" else getattr(guardian, role)

    answer = client.raw.request("GET", f"{REQUESTS}/{names['request']}/certified-profile")

    assert answer.status_code == status
    if status == 200:
        board.driver.install(answer.content)
    assert board.driver.snapshot().provisioned == (status == 200)


@pytest.mark.proves("list", "a Limited user sees their own devices only")
@pytest.mark.proves("report", "a Limited user's has their own devices only")
def test_limited_users_see_their_own(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """Of three devices each Limited user sees the one that they uploaded; the board's own is nobody's."""
    mine, hers, own = make_peers(board, system, 3, component=SENSOR.name)
    guardian.limited.submit(mine.request.content)
    guardian.other_limited.submit(hers.request.content)
    board.driver.submit()
    for peer in (mine, hers, own):
        guardian.wait_for(peer.id, Status.NEEDS_APPROVAL)

    def seen(client: Any) -> tuple[set[str], set[str]]:
        report = client.report("all", system=system.name)
        return {row.id for row in client.rows(system.name)}, {row["Request ID"] for row in report.rows}

    assert seen(guardian.limited) == ({mine.id}, {mine.id})
    assert seen(guardian.other_limited) == ({hers.id}, {hers.id})
    assert seen(guardian.reporter) == ({mine.id, hers.id, own.id}, {mine.id, hers.id, own.id})


@pytest.mark.proves("read", "404 for another's device")
@pytest.mark.proves("history", "404 for another's device")
def test_limited_users_read_nothing_of_others(
    board: LeasedBoard, guardian: Any, names: dict[str, Any]
) -> None:
    """What another Limited user uploaded is not there: not by its id, nor in a report that asks for it."""
    for operation in READS[1:3]:
        assert operation.send(guardian.other_limited, names).status_code == 404
    query = f"/reports/device-provisioning?scope=selected&system={names['system']}&ids={names['request']}"

    assert names["request"] in guardian.raw.request("GET", query).text
    assert guardian.other_limited.raw.request("GET", query).status_code == 404
    assert board.driver.status().request_id == names["request"]


@pytest.mark.proves("approve", "404 for another organisation's Admin")
def test_another_organisation_sees_nothing(board: LeasedBoard, guardian: Any, names: dict[str, Any]) -> None:
    """An Admin of another organisation finds nothing of ours, and changes nothing."""
    stranger = guardian.another_organisation()
    before = everything(board, guardian, names)
    try:
        named = [each for each in (*READS, *CHANGES) if "{request}" in each.path or "{system}" in each.path]
        answers = {each.name: each.send(stranger, names) for each in named}
    finally:
        stranger.world.close()

    shown = {name: answer for name, answer in answers.items() if answer.status_code < 400}
    assert shown.keys() <= {"list", "report"}
    assert all(names["request"] not in answer.text for answer in shown.values())
    assert everything(board, guardian, names) == before


@pytest.mark.proves("approve", "the row says which Admin")
@pytest.mark.parametrize("who", ["admin", "other_admin"])
def test_the_row_says_who(board: LeasedBoard, guardian: Any, names: dict[str, Any], who: str) -> None:
    """Approved by and Provisioned by are the users who did it, and the board is provisioned."""
    admin = guardian if who == "admin" else guardian.other_admin
    admin.approve(names["request"])
    guardian.wait_for(names["request"], Status.COMPLETE_PROVISIONING)
    other = guardian.other_admin if who == "admin" else guardian
    other.provision(names["request"])
    row = guardian.wait_until_final(names["request"])

    assert (row.approved_by, row.provisioned_by) == (admin.user_name, other.user_name)
    board.driver.install(guardian.certified_profile(row.id).encode())
    assert board.driver.status().response_id == row.response_id
