"""How the board's own agent reaches its service: whom it trusts, and what is left when nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from harness_nordic.client_requests import Finished, ServerCertificate
from harness_nordic.digests import pem_digest
from harness_nordic.enums import CommandStatus, CredentialType, DeviceStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.inventory.leased_board import LeasedBoard

pytestmark = [
    pytest.mark.board(driver="nrf91", needs={"attestation", "provisioning-agent", "virtual"}),
    pytest.mark.backend(needs={"device-log", "exact-status"}),
]

#: A port on which no host of ours listens.
NOBODY = "http://127.0.0.1:1"


class Ordered(NamedTuple):
    """A command that waits for the board, and what it is to write."""

    command: Any
    tag: int
    pem: str


@pytest.fixture
def ordered(claimed: Any, sec_tag: int, root_ca: str) -> Ordered:
    """A certificate that the service wants on the board."""
    return Ordered(claimed.add_command(ServerCertificate(sec_tag=sec_tag, content=root_ca)), sec_tag, root_ca)


@pytest.fixture
def ca(board: LeasedBoard, nrfcloud: Any) -> Iterator[str]:
    """The CA of the service over TLS, to which the board is sent; it holds no CA yet, and none afterwards."""
    before = board.virtual.call("install_root_ca", pem=None)
    secure = nrfcloud.secure_endpoint
    board.virtual.call("set_service", url=secure.url)
    yield secure.ca_pem
    board.virtual.call("set_service", url=nrfcloud.backend.url)
    board.virtual.call("install_root_ca", pem=before)


@pytest.fixture
def elsewhere(board: LeasedBoard, nrfcloud: Any) -> Iterator[None]:
    """The board is sent where nobody listens."""
    board.virtual.call("set_service", url=NOBODY)
    yield
    board.virtual.call("set_service", url=nrfcloud.backend.url)


@pytest.mark.backend(needs={"tls"})
@pytest.mark.proves(
    "transport", "no CA on the board: FAILED_WRONG_ROOT_CA, the service sees a refused handshake"
)
def test_board_without_a_ca(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, ca: str, ordered: Ordered, held: Any
) -> None:
    """A board that trusts nobody fetches nothing, also from the right service; with the CA it does."""
    requests = len(nrfcloud.device_requests(claimed.id))
    refused = sum(event.what == "tls-refused" for event in nrfcloud.service_events())

    outcome = board.driver.provision()

    assert (outcome.event, outcome.finished) == ("FAILED_WRONG_ROOT_CA", False)
    assert len(nrfcloud.device_requests(claimed.id)) == requests
    assert sum(event.what == "tls-refused" for event in nrfcloud.service_events()) > refused
    assert ordered.command.refresh().status is CommandStatus.PENDING
    assert held(ordered.tag) == {}

    board.virtual.call("install_root_ca", pem=ca)
    board.driver.provision()
    assert ordered.command.refresh().status is CommandStatus.SUCCEEDED


@pytest.mark.backend(needs={"tls"})
@pytest.mark.proves("transport", "another CA on the board: refused until the right one is there")
def test_board_with_another_ca(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, ca: str, ordered: Ordered, held: Any
) -> None:
    """Somebody else's CA does not vouch for our service; nothing is sent to it, not even a JWT."""
    requests = len(nrfcloud.device_requests(claimed.id))
    board.virtual.call("install_root_ca", pem=ordered.pem)

    assert board.driver.provision().event == "FAILED_WRONG_ROOT_CA"

    assert len(nrfcloud.device_requests(claimed.id)) == requests
    assert held(ordered.tag) == {}
    assert claimed.refresh().status is DeviceStatus.PENDING

    board.virtual.call("install_root_ca", pem=ca)
    board.driver.provision()
    assert held(ordered.tag) == {CredentialType.ROOT_CA: pem_digest(ordered.pem)}


@pytest.mark.backend(needs={"tls"})
@pytest.mark.proves("transport", "two CAs on the board: the server of the second is trusted, SUCCEEDED")
def test_board_with_two_cas(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, ca: str, ordered: Ordered, held: Any
) -> None:
    """A credential may hold two certificates, as the one for all of nRF Cloud does."""
    before = len(nrfcloud.device_requests(claimed.id))
    board.virtual.call("install_root_ca", pem=f"{ordered.pem}\n{ca}")

    board.driver.provision()

    assert ordered.command.refresh().status is CommandStatus.SUCCEEDED
    assert held(ordered.tag) == {CredentialType.ROOT_CA: pem_digest(ordered.pem)}
    assert [each.status for each in nrfcloud.device_requests(claimed.id)[before:]] == [200, 200, 204]


@pytest.mark.backend(needs={"tls"})
@pytest.mark.proves("transport", "firmware built with the CA: written to an empty tag, SUCCEEDED")
def test_firmware_brings_its_ca(
    board: LeasedBoard, claimed: Any, ca: str, ordered: Ordered, held: Any
) -> None:
    """Where the tag is empty the firmware writes the CA that it was built with, and trusts the service."""
    tag = board.driver.sec_tags[1]
    board.virtual.call("configure", root_ca=ca, root_ca_tag=tag)

    board.driver.provision()

    assert ordered.command.refresh().status is CommandStatus.SUCCEEDED
    assert held(tag) == {CredentialType.ROOT_CA: pem_digest(ca)}
    assert claimed.refresh().status is DeviceStatus.PROVISIONED


@pytest.mark.backend(needs={"tls"})
@pytest.mark.proves("transport", "CA replaced by a command: trusted from then on, the old one no more")
def test_command_replaces_the_ca(
    board: LeasedBoard, claimed: Any, ca: str, root_ca: str, held: Any, status_of: Any
) -> None:
    """A service that writes a wrong CA into the provisioning tag locks itself out, as the real one would."""
    tag = board.driver.sec_tags[1]
    board.virtual.call("configure", root_ca_tag=tag)
    board.virtual.call("install_root_ca", pem=ca)
    fatal = claimed.add_command(ServerCertificate(sec_tag=tag, content=root_ca))

    outcome = board.driver.provision()

    # The new CA counts from the next connection on: that of the report.
    assert outcome.event == "FAILED_WRONG_ROOT_CA"
    assert held(tag) == {CredentialType.ROOT_CA: pem_digest(root_ca)}
    assert status_of(fatal) is CommandStatus.IN_PROGRESS


@pytest.mark.proves("transport", "service away: nothing is lost, SUCCEEDED when it is there again")
def test_service_away(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, ordered: Ordered, held: Any, elsewhere: None
) -> None:
    """A board that reaches nobody says so; its commands wait."""
    outcome = board.driver.provision()

    assert (outcome.event, outcome.exchanges[-1].status) == ("FAILED_WRONG_ROOT_CA", None)
    assert ordered.command.refresh().status is CommandStatus.PENDING
    assert held(ordered.tag) == {}

    board.virtual.call("set_service", url=nrfcloud.backend.url)
    board.driver.provision()
    assert ordered.command.refresh().status is CommandStatus.SUCCEEDED
    assert held(ordered.tag) == {CredentialType.ROOT_CA: pem_digest(ordered.pem)}


@pytest.mark.backend(needs={"tls", "faults"})
@pytest.mark.proves("transport", "answer lost over TLS: the report counts, nothing is done again")
def test_answer_lost_over_tls(
    board: LeasedBoard, nrfcloud: Any, claimed: Any, ca: str, ordered: Ordered, held: Any
) -> None:
    """The service hangs up in place of an answer to a report that it took."""
    board.virtual.call("install_root_ca", pem=ca)
    finished = claimed.add_command(Finished())
    board.virtual.call("passed_points", clear=True)

    with nrfcloud.fault(claimed, on="report", kind="lost-answer"):
        outcome = board.driver.provision()
    board.driver.provision()

    assert outcome.event == "NO_COMMANDS"
    assert [each.refresh().status for each in (ordered.command, finished)] == [CommandStatus.SUCCEEDED] * 2
    assert held(ordered.tag) == {CredentialType.ROOT_CA: pem_digest(ordered.pem)}
    writes = [detail for point, detail in board.virtual.call("passed_points") if point == "after flash"]
    assert writes == [f"credential {ordered.tag},0 written"]
