"""Client, driver, judges and trials with a served fake and a virtual board: what they say of real ends."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from harness.backends.contract import BackendSession
from harness.backends.launcher import start_fake
from harness.errors import BoardLost, ConsoleTimeout
from harness.inventory.board import Board, Endpoint
from harness.inventory.leased_board import LeasedBoard
from harness.plugins import load_plugins
from harness.virtual.client import BenchClient
from harness.virtual.launcher import start_bench
from harness_pelion.agreement import disagreements
from harness_pelion.agreement_evidence import collect as collect_account
from harness_pelion.attempting import Attempts
from harness_pelion.client import PelionClient, connect
from harness_pelion.client_models import PelionRefused
from harness_pelion.enums import DeviceState, UpdateVariable
from harness_pelion.evidence import collect
from harness_pelion.plugin import harness_backends
from harness_pelion.power_trials import Left, ProvisioningTrial
from harness_pelion.update_material import update_resources
from tests.books import Book

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.backends.contract import Backend
    from harness_pelion.driver import MblDriver
    from harness_pelion.evidence import Evidence
    from harness_pelion.resources import DeveloperCredentials

_NUMBERS = itertools.count(1)
SECONDS = 20.0


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Backend, LeasedBoard, Book]]:
    """A fake and a bench with one board, for all tests."""
    place = tmp_path_factory.mktemp("pelion")
    (spec,) = harness_backends()
    with ExitStack() as resources:
        fake = resources.enter_context(start_fake(spec, place, lifeline=None))
        bench = resources.enter_context(
            start_bench(place / "b", [("mbl-device-virtual", "mbl", {"client_timeout_s": 2})])
        )
        controls = resources.enter_context(BenchClient(bench.socket))
        state = controls.board("mbl").state()
        description = Board(
            id=state.id,
            kind=state.kind,
            driver="mbl",
            bench=str(bench.socket),
            endpoints={role: Endpoint(role=role, url=str(path)) for role, path in state.ports.items()},
        )
        book = Book()
        board = LeasedBoard(description, load_plugins(), capture_directory=None, accounts=book)
        resources.callback(board.close)
        yield fake.backend, board, book


@pytest.fixture
def board(ends: tuple[Backend, LeasedBoard, Book]) -> Iterator[LeasedBoard]:
    """The board, as it came from its factory."""
    leased = ends[1]
    leased.virtual.call("connections", clear=True)
    yield leased
    leased.virtual.clear_faults()
    leased.driver.restore()


@pytest.fixture
def driver(board: LeasedBoard) -> MblDriver:
    """Its driver."""
    made: MblDriver = board.driver
    return made


@pytest.fixture
def pelion(ends: tuple[Backend, LeasedBoard, Book]) -> Iterator[PelionClient]:
    """An account that nobody else has."""
    client = connect(ends[0], BackendSession(run_id=f"run{next(_NUMBERS)}", worker="gw0"))
    yield client
    client.undo()
    client.close()


@pytest.fixture
def developer(pelion: PelionClient) -> DeveloperCredentials:
    """Credentials of a developer certificate of the account."""
    return pelion.create_developer_certificate(pelion.own_name("dev")).credentials()


def test_provisioned_device_is_proven_and_agrees(
    board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """Each link of the chain holds, both ends agree, and the device ends as it was found."""
    attempt = Attempts(board, pelion)(developer, update_resources("update"), timeout=SECONDS)

    assert [str(link) for link in attempt.evidence.links if link.ok is not True] == []
    assert pelion.device(attempt.device.id).state is DeviceState.REGISTERED
    assert pelion.wait_for_device(ca_id=developer.endpoint_name, timeout=0).id == attempt.device.id
    assert disagreements(collect_account(pelion, [board])) == []
    blank = attempt.found
    board.driver.restore()
    assert board.driver.snapshot() == blank
    assert (blank.configured, blank.folder, blank.items) == (False, False, {})


@pytest.mark.parametrize("method", ["none", "key", "password"])
def test_ways_into_the_device(board: LeasedBoard, developer: DeveloperCredentials, method: str) -> None:
    """A development image lets in anybody, others a key or a password: the driver needs no telling."""
    board.close()
    board.virtual.call("configure", ssh_auth=method)
    try:
        assert board.driver.provision(developer, update_resources("update")).ok
        assert board.driver.status().configured
    finally:
        board.driver.restore()
        board.virtual.call("configure", ssh_auth="none")
        board.close()


def test_ledger_of_a_virtual_board(
    ends: tuple[Backend, LeasedBoard, Book], driver: MblDriver, developer: DeveloperCredentials
) -> None:
    """It is noted before it is changed, and settled when it is as from its factory again."""
    book = ends[2]
    noted = len(book.notes)
    driver.provision(developer, update_resources("update"))
    assert len(book.notes) == noted + 1

    driver.recover({"changed": "credentials"})

    assert len(book.notes) in book.settled
    assert driver.items() == {}


def _evidence(
    board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials, **changes: bytes
) -> Evidence:
    """Provision with damaged update resources, say by ``VENDOR_ID``, and judge against the good ones."""
    good = given = update_resources("update")
    for name, content in changes.items():
        given = given.with_file(UpdateVariable[name], content)
    outcome = board.driver.provision(developer, given)
    board.driver.restart_client()
    return collect(board, pelion, developer, good, outcome, timeout=0)


def test_missing_file_breaks_the_first_link(
    board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """Without a class id the utility ends with 1, and the chain says so first."""
    without = update_resources("update").without(UpdateVariable.CLASS_ID)
    outcome = board.driver.provision(developer, without)

    evidence = collect(board, pelion, developer, update_resources("update"), outcome, timeout=0)

    assert (outcome.status, outcome.ok, outcome.contradiction) == (1, False, "")
    broken = evidence.first_broken()
    assert broken is not None
    assert broken.name == "util"
    assert "There was an error parsing the Update Credentials files" in broken.why
    assert "could not be opened" in outcome.errors
    assert disagreements(collect_account(pelion, [board])) == []


def test_wrong_vendor_breaks_items_and_directory(
    board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """Device and directory both have the other id: both links say so, the others hold."""
    evidence = _evidence(board, pelion, developer, VENDOR_ID=b"v" * 16)
    board.driver.wait_until_registered(SECONDS)
    evidence = collect(
        board, pelion, developer, update_resources("update"), evidence.facts.outcome, timeout=0
    )

    assert "mbed.VendorId is another" in evidence["items"].why
    assert pelion.wait_for_device(ca_id=developer.endpoint_name, timeout=SECONDS).state
    assert {link.name for link in evidence.links if link.ok is False} <= {"items", "directory"}


def test_device_without_a_network_breaks_the_log(
    board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """It is configured and holds all; its client says why it is not registered."""
    board.virtual.call("set_link", up=False)

    evidence = _evidence(board, pelion, developer)
    board.driver.wait_for_client_error("ConnectNetworkError", SECONDS)

    broken = evidence.first_broken()
    assert broken is not None
    assert broken.name == "log"
    assert {link.name for link in evidence.links if link.ok} == {"util", "status", "items"}
    with pytest.raises(ConsoleTimeout, match="ConnectNetworkError"):
        board.driver.wait_until_registered(0.05)


def test_certificate_that_is_gone_is_refused_at_bootstrap(
    board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """A device with a deleted certificate is configured, and never bootstraps."""
    pelion.delete_certificate(developer.endpoint_name)

    board.driver.provision(developer, update_resources("update"))
    after = board.driver.restart_client()
    view = board.driver.wait_for_client_error(None, SECONDS, after=after)

    assert not view.registered
    assert pelion.devices() == []
    with pytest.raises(PelionRefused):
        pelion.trusted_certificate(developer.endpoint_name)


def test_item_that_gets_lost_is_seen(
    board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """A device that loses an item says that it is not configured, and which item."""
    attempt = Attempts(board, pelion)(developer, update_resources("update"), timeout=SECONDS)
    board.virtual.call("drop_item", name="mbed.ModelNumber")

    status = board.driver.status()

    assert (status.configured, status.item) == (False, "mbed.ModelNumber")
    evidence = collect(board, pelion, developer, attempt.update, attempt.outcome, timeout=0)
    assert {link.name for link in evidence.links if link.ok is False} == {"status", "items"}


def test_folder_left_behind_disagrees(
    board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """The shared check tells a folder that somebody leaves on a device."""
    board.driver.device.make_folder()
    assert pelion.developer_certificate(developer.endpoint_name).id == developer.endpoint_name

    assert disagreements(collect_account(pelion, [board])) == [
        "board mbl: its temporary folder is still there"
    ]


def test_reprovisioning_with_another_certificate(
    board: LeasedBoard, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """The device bootstraps anew with the other certificate; both ends agree about both."""
    attempts = Attempts(board, pelion)
    first = attempts(developer, update_resources("update"), timeout=SECONDS)
    other = pelion.create_developer_certificate(pelion.own_name("other")).credentials()

    second = attempts(other, update_resources("u2", model="other-device"), timeout=SECONDS)

    assert second.evidence.first_broken() is None
    assert second.device.ca_id == other.endpoint_name != first.device.ca_id
    assert disagreements(collect_account(pelion, [board])) == []


def test_booted_device_registers_again(
    board: LeasedBoard, driver: MblDriver, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """Its store outlives a boot, and the service sees the same device."""
    attempt = Attempts(board, pelion)(developer, update_resources("update"), timeout=SECONDS)
    after = driver.client_log().size

    driver.reboot()
    driver.wait_until_back(SECONDS)

    assert driver.wait_until_registered(SECONDS, after=after).device_id == attempt.device.id
    assert driver.status().configured
    assert len(pelion.devices(ca_id=developer.endpoint_name)) == 1


def test_board_without_power_says_nothing(
    board: LeasedBoard, driver: MblDriver, pelion: PelionClient, developer: DeveloperCredentials
) -> None:
    """It is lost, not wrong: health says so, provisioning too, and the shared check asks it nothing."""
    driver.cleanup_seconds = 0.2
    board.virtual.set_power(on=False)
    try:
        assert not driver.health()
        with pytest.raises(BoardLost):
            driver.provision(developer, update_resources("update"))
        assert collect_account(pelion, [board]).boards == ()
    finally:
        board.virtual.set_power(on=True)
        driver.cleanup_seconds = 15.0
    driver.wait_until_back(SECONDS)
    assert driver.provision(developer, update_resources("update")).ok


#: One point of each kind, and how it has to leave a device that was provisioned before.
POWER_CUTS: dict[str, tuple[str, int, set[Left]]] = {
    "folder": ("before command", 1, {Left.OLD}),
    "files": ("before write", 20, {Left.OLD}),
    "first item": ("before delete", 1, {Left.OLD}),
    "between items": ("before store", 6, {Left.UNCONFIGURED}),
    "cleanup": ("before command", 8, {Left.NEW}),
}


@pytest.mark.parametrize(("point", "nth", "left"), POWER_CUTS.values(), ids=POWER_CUTS)
def test_power_cut(
    board: LeasedBoard,
    driver: MblDriver,
    pelion: PelionClient,
    developer: DeveloperCredentials,
    point: str,
    nth: int,
    left: set[Left],
) -> None:
    """Old, new, or unconfigured: never a mixture that claims to be configured; a retry succeeds."""
    other = pelion.create_developer_certificate(pelion.own_name("other")).credentials()
    assert driver.provision(developer, update_resources("update")).ok
    trial = ProvisioningTrial(board, other, update_resources("u2", domain="example.com"))

    assert trial.cut_power(point, nth).left in left
    assert not driver.folder_exists()


@pytest.mark.parametrize(
    ("nth", "when", "left"),
    [
        (1, "connection", Left.OLD),
        (2, "login", Left.OLD),
        (3, "command", Left.OLD),
        (2, "file", Left.OLD),
        (4, "login", Left.NEW),
    ],
)
def test_ssh_cut(
    board: LeasedBoard,
    driver: MblDriver,
    pelion: PelionClient,
    developer: DeveloperCredentials,
    nth: int,
    when: str,
    left: Left,
) -> None:
    """Whichever connection breaks: the device is as it was or whole, and its folder is gone."""
    other = pelion.create_developer_certificate(pelion.own_name("other")).credentials()
    assert driver.provision(developer, update_resources("update")).ok
    trial = ProvisioningTrial(board, other, update_resources("u2", domain="example.com"))

    assert trial.cut_ssh(nth, when).left is left
    assert not driver.folder_exists()


def test_points_are_those_of_the_provisioning(board: LeasedBoard, developer: DeveloperCredentials) -> None:
    """Each item that the utility stores is passed before and after, and the folder's end is the last."""
    points = ProvisioningTrial(board, developer, update_resources("update")).points()

    stored = [detail for name, detail in points if name == "before store"]
    assert {"mbed.EndpointName", "mbed.BootstrapDevicePrivateKey", "mbed.ClassId"} <= set(stored)
    assert points[-1] == ("after command", "rm")


def test_four_connections_are_counted_by_the_board(
    board: LeasedBoard, driver: MblDriver, developer: DeveloperCredentials
) -> None:
    """What the board counts is what MBL CLI makes (fact sheet, section 1.6)."""
    driver.provision(developer, update_resources("update"))

    made, copied, ran, removed = (each["commands"] for each in _connections(board))
    assert made == ["rm -r -f /scratch/provisioning-certs", "mkdir -p /scratch/provisioning-certs"]
    assert copied[-1] == "mv /scratch/provisioning-certs/update/* /scratch/provisioning-certs"
    assert ran == ["/opt/arm/pelion-provisioning-util --provision"]
    assert removed == ["rm -r -f /scratch/provisioning-certs"]


def _connections(board: LeasedBoard) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = board.virtual.call("connections")
    return found
