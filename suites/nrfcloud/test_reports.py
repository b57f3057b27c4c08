"""Reports that no good agent makes: written by hand, and signed by the board's own modem.

What a device may say of its commands: nrfcloud fact sheet, sections 3.2, 3.4, 3.6 and 3.7. The device
endpoint is reached where the management API is, which is so on a fake only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from harness_nordic.client_requests import Finished, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent"}),
    pytest.mark.backend(needs={"command-list", "device-log"}),
]

FETCH, REPORT = "/v1/provisioning/commands", "/v1/provisioning/response"
CBOR = "application/cbor"


class Post(Protocol):
    """Report in the board's name; see :func:`post`."""

    def __call__(self, *elements: bytes, content_type: str = CBOR) -> int:
        """Return the status of the answer."""


def element(identifier: str, *rest: str) -> bytes:
    """Return one element of a report: its id, and the rest of it in hex (section 3.4)."""
    items = 1 + {"1864": 2, "1863": 3, "1866": 1}[rest[0]]
    return bytes([0x80 + items, 0x78, len(identifier)]) + identifier.encode() + bytes.fromhex("".join(rest))


def done(identifier: str) -> bytes:
    """Return the report of an AT command that was answered ``OK``."""
    return element(identifier, "1864", "644f4b0d0a")


def failed(identifier: str) -> bytes:
    """Return the report of an AT command that was answered ``+CME ERROR: 518``."""
    return element(identifier, "1863", "190206", "712b434d45204552524f523a203531380d0a")


def ended(identifier: str) -> bytes:
    """Return the report of ``finished``."""
    return element(identifier, "1866")


@pytest.fixture
def jwt(board: LeasedBoard) -> Callable[[], str]:
    """Let the board's modem sign as its agent does."""

    def sign() -> str:
        board.driver.online()
        return str(board.driver.jwt(expiry=300))

    return sign


@pytest.fixture
def post(nrfcloud: Any, jwt: Callable[[], str]) -> Post:
    """Report in the board's name whatever a test wants to say."""

    def send(*elements: bytes, content_type: str = CBOR) -> int:
        answer = nrfcloud.raw.request(
            "POST",
            REPORT,
            content=bytes([0x80 + len(elements)]) + b"".join(elements),
            headers={"Authorization": f"Bearer {jwt()}", "Content-Type": content_type},
        )
        status: int = answer.status_code
        return status

    return send


@pytest.fixture
def fetched(nrfcloud: Any, claimed: Any, jwt: Callable[[], str]) -> Callable[[], list[str]]:
    """Fetch in the board's name, so that its agent has nothing in hand; return the correlation ids."""

    def fetch() -> list[str]:
        headers = {"Authorization": f"Bearer {jwt()}", "Accept": CBOR}
        assert nrfcloud.raw.request("GET", FETCH, headers=headers).status_code == 200
        return list(nrfcloud.device_requests(claimed.id)[-1].ids)

    return fetch


@pytest.mark.proves("report", "200 for a failure of what was done before, the state stays")
def test_late_failure(
    board: LeasedBoard, claimed: Any, post: Post, fetched: Any, sec_tag: int, root_ca: str
) -> None:
    """What the board said first of a command stays, whatever it says later."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    (identifier,) = fetched()
    assert post(done(identifier)) == 200
    first = command.refresh().response

    assert post(failed(identifier)) == 200

    assert (command.refresh().status, command.response) == (CommandStatus.SUCCEEDED, first)
    assert claimed.refresh().status is DeviceStatus.PROVISIONED
    assert [each.method for each in board.driver.provision().exchanges] == ["GET"]


@pytest.mark.proves("report", "200 for a success of what failed before, the state stays")
def test_late_success(
    board: LeasedBoard, claimed: Any, post: Post, fetched: Any, sec_tag: int, root_ca: str
) -> None:
    """A failure is not talked away: the error stays until its owner looks after it."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    (identifier,) = fetched()
    assert post(failed(identifier)) == 200

    assert post(done(identifier)) == 200

    assert command.refresh().status is CommandStatus.FAILED
    assert "518" in str(command.response)
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert not board.driver.provision().finished


@pytest.mark.proves("report", "200 with finished behind a failure, finished does not count")
def test_finished_behind_a_failure(
    board: LeasedBoard, claimed: Any, post: Post, fetched: Any, sec_tag: int, root_ca: str
) -> None:
    """Nothing behind a failed command was executed, whatever the board says."""
    bad = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    finished = claimed.add_command(Finished())
    first, second = fetched()

    assert post(failed(first), ended(second)) == 200

    assert [each.refresh().status for each in (bad, finished)] == [
        CommandStatus.FAILED,
        CommandStatus.PENDING,
    ]
    assert claimed.refresh().status is DeviceStatus.ERROR
    assert not board.driver.provision().finished


@pytest.mark.proves("report", "403 while blocked, it does not count; after unblocking it does")
def test_report_while_blocked(
    board: LeasedBoard, claimed: Any, post: Post, fetched: Any, sec_tag: int, root_ca: str, status_of: Any
) -> None:
    """A board that was blocked after its fetch cannot report."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    (identifier,) = fetched()
    claimed.block()

    assert post(done(identifier)) == 403
    assert status_of(command) is CommandStatus.IN_PROGRESS
    assert board.driver.provision().refused_with == 403

    claimed.unblock()
    assert post(done(identifier)) == 200
    assert status_of(command) is CommandStatus.SUCCEEDED


@pytest.mark.backend(needs={"command-list", "device-log", "teams"})
@pytest.mark.proves(
    "report", "400 for a command that is not the device's, the right part does not count either"
)
def test_report_of_a_strange_command(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, post: Post, fetched: Any, sec_tag: int, root_ca: str
) -> None:
    """A command of another claim is none of this one, and a report counts whole or not at all."""
    claimed.add_command(Finished())
    (strange,) = fetched()
    claimed.unclaim()
    ours = nrfcloud.claim(board.driver.attestation_token())
    command = ours.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    (identifier,) = fetched()

    assert post(ended(strange)) == 400
    assert post(done(identifier), ended(strange)) == 400

    assert command.refresh().status is CommandStatus.IN_PROGRESS
    assert ours.refresh().status is DeviceStatus.PENDING
    board.driver.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED


@pytest.mark.proves("report", "400 for a command that was never handed out, it waits")
def test_report_of_a_waiting_command(
    board: LeasedBoard, claimed: Any, post: Post, sec_tag: int, root_ca: str, held: Any
) -> None:
    """Nobody has done what nobody was told to do."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))

    assert post(done(f"{command.id}.1")) == 400

    assert command.refresh().status is CommandStatus.PENDING
    board.driver.provision()
    assert held(sec_tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}


@pytest.mark.proves("report", "400 for a report of the wrong kind, it does not count")
def test_report_of_the_wrong_kind(
    board: LeasedBoard, claimed: Any, post: Post, fetched: Any, sec_tag: int, root_ca: str
) -> None:
    """A certificate is not finished, it is written."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    (identifier,) = fetched()

    assert post(ended(identifier)) == 400

    assert command.refresh().status is CommandStatus.IN_PROGRESS
    board.driver.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED


@pytest.mark.proves("report", "415 for what does not say that it is CBOR, it does not count")
def test_report_of_another_media_type(
    board: LeasedBoard, claimed: Any, post: Post, fetched: Any, sec_tag: int, root_ca: str
) -> None:
    """A report says what it is."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    (identifier,) = fetched()

    assert post(done(identifier), content_type="text/plain") == 415

    assert command.refresh().status is CommandStatus.IN_PROGRESS
    board.driver.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED


@pytest.mark.parametrize("what", ["fetch", "report"])
@pytest.mark.proves("device endpoint", "401 without a JWT, nothing is handed out and nothing counts")
def test_nobody_asks(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, sec_tag: int, root_ca: str, what: str
) -> None:
    """Without a JWT nobody is a device, and a team's key makes nobody one."""
    command = claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca))
    method, path = ("GET", FETCH) if what == "fetch" else ("POST", REPORT)

    assert nrfcloud.raw.request(method, path).status_code == 401
    assert nrfcloud.raw.request(method, path, headers={"Authorization": "Bearer x.y.z"}).status_code == 401

    assert command.refresh().status is CommandStatus.PENDING
    board.driver.provision()
    assert command.refresh().status is CommandStatus.SUCCEEDED
