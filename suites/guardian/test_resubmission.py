"""The same request again, other requests with its id or nonce, and requests that are too old or too new.

Guardian fact sheet, sections 2.4, 3 and 10.5: idempotency, replay, freshness.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from harness_guardian.enums import ApprovalType, Status
from harness_guardian.peers import SENSOR, initialise

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = pytest.mark.board(driver="guardian-component")

STATUSES = pytest.mark.backend(needs={"exact-status"})
LOG = pytest.mark.backend(needs={"vault-log"})
FORGED = pytest.mark.board(driver="guardian-component", needs={"virtual"})
DAY = 24 * 3600


@pytest.fixture
def system(board: LeasedBoard, guardian: Any) -> Any:
    """A system with automatic approval, and the board initialised as one of its devices."""
    made = guardian.create_system(components=[SENSOR])
    initialise(board, made, component=SENSOR.name)
    return made


@pytest.fixture
def forged(board: LeasedBoard) -> Callable[..., Any]:
    """Have the board make a request in which something is forged."""

    def make(what: str, **value: Any) -> Any:
        board.virtual.call("forge", what=what, times=1, **value)
        return board.driver.make_request()

    return make


def signatures(guardian: Any, system: Any) -> int:
    """Return how many certificates Vault was asked to sign for a system."""
    return [call.call for call in guardian.vault.log(system.name)].count("sign")


@STATUSES
@LOG
@pytest.mark.proves("submit", "200 for the same bytes: the row that is there")
def test_the_same_request_again(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """The same request is one row however often it comes, and is signed once."""
    made = board.driver.make_request()
    first = guardian.submit(made.content)
    guardian.wait_until_final(first.request_id)
    again = [guardian.submit(made.content), guardian.limited.submit(made.content)]

    assert (first.created, [each.created for each in again]) == (True, [False, False])
    assert {each.request_id for each in again} == {made.request_id}
    assert len(system.rows()) == 1
    assert signatures(guardian, system) == 1
    board.driver.install(guardian.certified_profile(made.request_id).encode())
    assert board.driver.snapshot().provisioned


@STATUSES
@pytest.mark.proves("submit", "the same bytes twice at once: one row")
def test_the_same_request_twice_at_once(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """Of two uploads at the same moment one makes the row."""
    made = board.driver.make_request()
    clients = [guardian, guardian.limited, guardian.anonymous]
    with ThreadPoolExecutor(len(clients)) as pool:
        told = list(pool.map(lambda client: client.submit(made.content), clients))
    row = guardian.wait_until_final(made.request_id)

    assert [each.created for each in told].count(True) == 1
    assert len(system.rows()) == 1
    board.driver.install(guardian.certified_profile(made.request_id).encode())
    assert board.driver.status().response_id == row.response_id


@pytest.mark.proves("submit", "a board that submits again gets its row, not another one")
def test_a_board_submits_again(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """A board that does not know whether its request arrived submits it again; nothing is counted twice."""
    made = board.driver.make_request()
    ids = [board.driver.submit() for _number in range(3)]
    guardian.wait_until_final(made.request_id)

    assert ids == [made.request_id] * 3
    assert len(system.rows()) == 1
    assert board.driver.provision().ok
    assert len(system.rows()) == 1


@pytest.mark.proves("submit", "the same bytes after a rejection: still rejected")
def test_again_after_a_rejection(board: LeasedBoard, guardian: Any) -> None:
    """What was rejected stays so, however often it is uploaded; a new request has a new chance."""
    system = guardian.create_system(approval=ApprovalType.MANUAL, components=[SENSOR])
    initialise(board, system, component=SENSOR.name)
    made = board.driver.make_request()
    guardian.submit(made.content)
    guardian.wait_for(made.request_id, Status.NEEDS_APPROVAL)
    guardian.reject(made.request_id)
    guardian.wait_until_final(made.request_id)

    assert guardian.submit(made.content).status is Status.REJECTED_BY_USER
    fresh = board.driver.make_request()
    board.driver.submit()

    assert guardian.wait_for(fresh.request_id, Status.NEEDS_APPROVAL).id != made.request_id
    assert len(system.rows()) == 2


@FORGED
@LOG
@pytest.mark.proves("replay", "Rejected by system: the request id of another request")
def test_request_id_of_another(board: LeasedBoard, guardian: Any, system: Any, forged: Any) -> None:
    """Other bytes with a known id are a row of their own, Rejected by system; the first row stays."""
    made = board.driver.make_request()
    guardian.submit(made.content)
    first = guardian.wait_until_final(made.request_id)
    board.driver.drop_file("request")
    replay = forged("request-id", value=made.request_id)
    told = guardian.submit(replay.content)
    row = guardian.wait_until_final(told.request_id)

    assert told.request_id != made.request_id
    assert (row.status, row.rejected_by) == (Status.REJECTED_BY_SYSTEM, "System")
    assert guardian.request(made.request_id) == first
    assert signatures(guardian, system) == 1
    assert not board.driver.snapshot().provisioned


@FORGED
@LOG
@pytest.mark.proves("replay", "Rejected by system: the nonce of another request")
def test_nonce_of_another(board: LeasedBoard, guardian: Any, system: Any, forged: Any) -> None:
    """A nonce that was used before is a replay, also with a new id and a good signature."""
    made = board.driver.make_request()
    guardian.submit(made.content)
    guardian.wait_until_final(made.request_id)
    board.driver.drop_file("request")
    replay = forged("nonce")
    told = guardian.submit(replay.content)
    row = guardian.wait_until_final(told.request_id)

    assert told.request_id not in {made.request_id, replay.request_id}
    assert (row.status, row.error_code) == (Status.REJECTED_BY_SYSTEM, None)
    assert signatures(guardian, system) == 1
    assert not board.driver.snapshot().provisioned


@FORGED
@pytest.mark.backend(needs={"approval-details", "vault-log"})
@pytest.mark.parametrize(
    ("seconds", "fresh"),
    [
        pytest.param(-29 * DAY, True, marks=pytest.mark.proves("freshness", "29 days old: accepted")),
        pytest.param(-31 * DAY, False, marks=pytest.mark.proves("freshness", "31 days old: rejected")),
        pytest.param(4 * 60, True, marks=pytest.mark.proves("freshness", "4 minutes ahead: accepted")),
        pytest.param(6 * 60, False, marks=pytest.mark.proves("freshness", "6 minutes ahead: rejected")),
    ],
)
def test_age_of_a_request(
    board: LeasedBoard,
    guardian: Any,
    system: Any,
    forged: Any,
    seconds: int,
    fresh: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """A request may be 30 days old and 5 minutes ahead; what is older or newer the system rejects."""
    made = forged("created-at", value=seconds)
    guardian.submit(made.content)
    row = guardian.wait_until_final(made.request_id)

    assert row.status is (Status.PROVISIONED if fresh else Status.REJECTED_BY_SYSTEM)
    assert signatures(guardian, system) == int(fresh)
    if fresh:
        board.driver.install(guardian.certified_profile(made.request_id).encode())
    assert board.driver.snapshot().provisioned is fresh


@pytest.mark.backend(needs={"faults"})
@pytest.mark.proves("freshness", "a request that lay for a month: rejected; a new one: accepted")
def test_request_that_lay_for_a_month(board: LeasedBoard, guardian: Any, system: Any) -> None:
    """A file that was carried for too long is rejected by the system, and its board can make a new one."""
    made = board.driver.make_request()
    guardian.shift_clock(31 * DAY)
    guardian.submit(made.content)
    late = guardian.wait_until_final(made.request_id)
    guardian.shift_clock(0)
    assert late.status is Status.REJECTED_BY_SYSTEM

    assert board.driver.provision().ok

    assert {row.status for row in system.rows()} == {Status.REJECTED_BY_SYSTEM, Status.PROVISIONED}
