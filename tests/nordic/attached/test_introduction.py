"""A board of the desk and a fake get to know each other: key recovery, enrolment, which agent provisions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import Backend, BackendSession
from harness.errors import BoardFault, BoardLost, CommandRefused, UsageError
from harness_nordic.client import connect
from harness_nordic.client_requests import Configuration, Finished, ServerCertificate
from harness_nordic.enums import DeviceStatus
from harness_nordic.introduction import HOST_RUN, RECOVERED, device_endpoint
from harness_nordic.plugin import harness_introduce_board

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness_nordic.client import NrfCloudClient


@pytest.fixture
def client(fake: Backend) -> Iterator[NrfCloudClient]:
    """A team at the fake."""
    client = connect(fake, BackendSession(run_id="run", worker="main"))
    yield client
    client.close()


def test_enrolled_by_its_signatures(rig: Any, fake: Backend, client: NrfCloudClient) -> None:
    """The fake learns the very key of the board, and takes its tokens and JWTs from then on."""
    board = rig.board()
    harness_introduce_board(board=board, backend=fake)

    device = client.claim(board.driver.attestation_token())
    device.add_command(Configuration(properties={"desk/a": "1"}))
    device.add_command(Finished())
    outcome = board.driver.provision()

    record = rig.controls.call("factory_record")
    assert (device.id, device.imei) == (record["uuid"], record["imei"])
    assert (device.device_type, device.firmware_id) == ("nrf9151_LACA", record["firmware_uuid"])
    assert outcome.finished
    assert device.refresh().status is DeviceStatus.PROVISIONED
    assert board.driver.host_settings == {"desk/a": "1"}
    board.driver.restore()
    assert board.driver.host_settings == {}


def test_report_says_so(rig: Any, fake: Backend) -> None:
    """Every later test on the board is to be labelled; without a fake there is nothing to say of its key."""
    board = rig.board()
    harness_introduce_board(board=board, backend=fake)
    assert sorted(board.remarks) == sorted([RECOVERED, HOST_RUN])

    another = rig.board()
    harness_introduce_board(board=another, backend=Backend(name="nrfcloud", mode="url", url=fake.url))
    assert another.remarks == [HOST_RUN]


def test_forged_tokens_enrol_nobody(rig: Any, fake: Backend, client: NrfCloudClient) -> None:
    """A board whose two signatures are of two keys is not enrolled under either."""
    board = rig.board()
    rig.controls.call("forge", what="token-signature", times=1)

    with pytest.raises(BoardFault, match="no one key"):
        harness_introduce_board(board=board, backend=fake)

    assert RECOVERED not in board.remarks
    with pytest.raises(Exception, match="unknown"):
        client.claim(board.driver.attestation_token())


def test_own_agent_of_hardware_has_no_part(rig: Any, fake: Backend) -> None:
    """Firmware of hardware was built for another service: with a fake the host provisions."""
    board = rig.board()
    assert board.driver.agents == ("board", "host")

    harness_introduce_board(board=board, backend=fake)
    assert board.driver.agents == ("host",)

    real = rig.board()
    url = "https://api.provisioning.nrfcloud.com"
    harness_introduce_board(board=real, backend=Backend(name="nrfcloud", mode="url", url=url))
    assert real.driver.agents == ("board", "host")
    assert real.remarks == []


def test_device_endpoints() -> None:
    """Boards of nRF Cloud go to another host than people do (fact sheet, section 1)."""
    assert device_endpoint("https://api.provisioning.nrfcloud.com") == (
        "https://provisioning-http.nrfcloud.com"
    )
    assert device_endpoint("http://127.0.0.1:80") == "http://127.0.0.1:80"


def test_other_backends_and_boards_are_left_alone(rig: Any, fake: Backend) -> None:
    """What is not ours is not touched."""
    board = rig.board()
    harness_introduce_board(board=board, backend=Backend(name="guardian", mode="fake", url=fake.url))

    assert board.made_driver is None


def test_agents_that_do_not_exist(rig: Any) -> None:
    """Wrong names, no service and plain AT firmware are clear messages."""
    board = rig.board()
    with pytest.raises(UsageError, match="'board' or 'host'"):
        board.driver.provision(agent="nobody")
    with pytest.raises(UsageError, match="where the service is"):
        board.driver.provision(agent="host")
    rig.controls.call("configure", agent=False)
    with pytest.raises(CommandRefused):
        board.driver.provision(agent="board")
    with pytest.raises(UsageError, match="not the address of a service"):
        board.driver.use_service("nowhere")
        board.driver.provision(agent="host")


def test_board_unplugged_in_mid_run(rig: Any, literal_service: Any) -> None:
    """A board that is pulled while its commands are on the way is lost to the rig; nothing is reported."""
    board = rig.board()
    board.driver.use_service(literal_service.url)
    literal_service.commands(["d6a5f3f0-5f3e-4b5e-9f60-3a3f2d0c9a11.1", 0, "+CFUN", "4", []])
    literal_service.hold.clear()
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(board.driver.provision, agent="host")
        literal_service.wait_requests(1)
        rig.controls.unplug()
        literal_service.hold.set()
        failure = run.exception(20)
    rig.controls.plug()

    assert isinstance(failure, BoardLost)
    assert literal_service.reports() == []


def test_service_may_not_touch_other_tags(rig: Any, fake: Backend, client: NrfCloudClient) -> None:
    """A command of the service for a tag that is not ours is not executed on somebody's board."""
    board = rig.board()
    harness_introduce_board(board=board, backend=fake)
    device = client.claim(board.driver.attestation_token())
    device.add_command(Configuration(properties={"a": "1"}))
    command = device.add_command(ServerCertificate(sec_tag=16842753, content="x"))

    with pytest.raises(UsageError, match="16842753"):
        board.driver.provision()

    assert rig.credentials() == []
    assert board.driver.host_settings == {}
    assert command.refresh().response == {}
