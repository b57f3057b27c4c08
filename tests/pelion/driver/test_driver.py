"""What the driver tells of a device, and what it refuses and puts back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from harness.errors import BoardFault, BoardLost, ConsoleTimeout, UsageError
from harness_pelion.driver_models import PelionStatus, RemoteCommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.driver import MblDriver
    from harness_pelion.resources import DeveloperCredentials, UpdateResources
    from tests.pelion.driver.conftest import Session
    from tests.pelion.driver.device_double import DeviceDouble

FAILS = "echo 'Querying device status... '; echo 'Item does not exist:mbed.EndpointName' >&2; exit 1"
REGISTERED = """\
2026-11-22T00:00:00Z [INFO][mbl]: mbl-cloud-client started
2026-11-22T00:00:01Z [INFO][mbl]: Client registered
2026-11-22T00:00:01Z [INFO][mbl]: Endpoint Name: 0123
2026-11-22T00:00:01Z [INFO][mbl]: Device Id: 4567
"""


def test_configured_device(driver: MblDriver) -> None:
    """Exit status 0 and the words mean that it is configured."""
    assert driver.status() == PelionStatus(configured=True)


def test_reason_of_a_device_that_is_not(driver: MblDriver, double: DeviceDouble) -> None:
    """What MBL CLI drops is kept: the reason, and the item that it is about."""
    double.write_util(FAILS)

    status = driver.status()

    assert (status.configured, status.reason) == (False, "Item does not exist:mbed.EndpointName")
    assert status.item == "mbed.EndpointName"


@pytest.mark.parametrize(
    "script",
    [
        "exit 0",
        "echo 'Device is configured correctly. You can connect to Pelion Cloud!'; exit 1",
        "echo 'Device is configured correctly. You can connect to Pelion Cloud!'; echo x >&2; exit 0",
        "exit 1",
        "exit 2",
    ],
)
def test_status_that_contradicts_itself(driver: MblDriver, double: DeviceDouble, script: str) -> None:
    """Exit status and words have to say the same; a utility that is wrongly used is no answer."""
    double.write_util(script)

    with pytest.raises(BoardFault, match="contradicts itself"):
        driver.status()


def test_health(driver: MblDriver, double: DeviceDouble) -> None:
    """A device that answers is well; one without its utility, or that refuses, is not."""
    assert driver.health()
    (double.root / "opt/arm/pelion-provisioning-util").unlink()
    assert not driver.health()
    double.refuses = True
    assert not driver.health()


@pytest.mark.parametrize(
    ("options", "status"), [((), 2), (("--help",), 0), (("--nonsense",), 2), (("a b", "$x"), 2)]
)
def test_utility_by_hand(
    driver: MblDriver, double: DeviceDouble, options: tuple[str, ...], status: int
) -> None:
    """Any options, quoted; the end is told as it is."""
    double.write_util('printf "%s|" "$@" >&2; [ "$1" = --help ] || exit 2')

    ended = driver.run_util(*options)

    assert ended.status == status
    assert ended.errors == "".join(f"{each}|" for each in options).encode() or not options


def test_clients_log(driver: MblDriver, double: DeviceDouble) -> None:
    """No log is an empty one; what was there before does not count when it is not to."""
    assert driver.client_log().text == ""
    double.log.write_text(REGISTERED)
    view = driver.client_log()
    assert (view.registered, view.endpoint_name, view.device_id) == (True, "0123", "4567")

    after = driver.restart_client()

    assert (double.root / "systemctl.log").read_text() == "restart mbl-cloud-client\n"
    assert after == len(REGISTERED)
    assert driver.client_log(after=after).text == ""


def test_last_words_of_the_old_run_do_not_count(driver: MblDriver, double: DeviceDouble) -> None:
    """What the client logs while it is started anew is the old run's: the new one begins at its own start."""
    double.log.write_text(REGISTERED)
    last, first = "Error occurred : ConnectTimeout\n", "mbl-cloud-client started\n"
    double.write_program("systemctl", f"printf '{last}{first}' >> {double.log}")

    after = driver.restart_client()

    assert after == len(REGISTERED + last)
    assert driver.client_log(after=after).text == first


def test_client_that_cannot_be_started(driver: MblDriver, double: DeviceDouble) -> None:
    """The device's own words are told."""
    double.write_program("systemctl", "echo Failed to connect to bus >&2; exit 1")

    with pytest.raises(RemoteCommandFailed, match="Failed to connect to bus"):
        driver.restart_client()


def test_registration_is_waited_for(driver: MblDriver, double: DeviceDouble) -> None:
    """The log is looked at until it says so."""
    writer = threading.Timer(0.1, lambda: double.log.write_text(REGISTERED))
    writer.start()

    assert driver.wait_until_registered(5).device_id == "4567"
    writer.join()


def test_wait_names_the_clients_errors(driver: MblDriver, double: DeviceDouble) -> None:
    """Who waits in vain is told what the client logged instead."""
    double.log.write_text("Error occurred : ConnectTimeout\nError code : 4\nError details : no answer\n")

    with pytest.raises(
        ConsoleTimeout, match=r"registered within 0.05 s; errors: ConnectTimeout \(4\): no answer"
    ):
        driver.wait_until_registered(0.05)
    assert driver.wait_for_client_error("ConnectTimeout", 1).errors[0].code == 4
    with pytest.raises(ConsoleTimeout, match="ConnectBootstrapFailed"):
        driver.wait_for_client_error("ConnectBootstrapFailed", 0.05)


FAILED = "Error occurred : ConnectTimeout\nError code : 4\nError details : no answer\n"


def test_rest_is_waited_for(driver: MblDriver, double: DeviceDouble) -> None:
    """A client is at rest when it has registered or logged an error; what it logged before does not count."""
    double.log.write_text(FAILED + REGISTERED)
    before = len(FAILED + REGISTERED)
    with pytest.raises(ConsoleTimeout, match=r"did not say how it went within 0.05 s; errors: none"):
        driver.wait_until_at_rest(0.05, after=before)

    for more, registered, errors in ((FAILED, False, ["ConnectTimeout"]), (REGISTERED, True, [])):
        writer = threading.Timer(0.1, double.log.write_text, [FAILED + REGISTERED + more])
        writer.start()
        view = driver.wait_until_at_rest(5, after=before)
        writer.join()
        assert (view.registered, [error.name for error in view.errors]) == (registered, errors)
        double.log.write_text(FAILED + REGISTERED)


def test_device_that_boots(driver: MblDriver, double: DeviceDouble) -> None:
    """It is back when its boot has another id, not when it merely has not gone down yet."""
    driver.reboot()
    with pytest.raises(BoardLost, match=r"did not boot within 0.1 s"):
        driver.wait_until_back(0.1)

    boot = threading.Timer(0.1, double.boot)
    boot.start()
    driver.wait_until_back(5)
    boot.join()
    assert "reboot" in [command for commands in double.connections for command in commands]
    driver.wait_until_back(5)


def test_device_that_goes_down_at_once(driver: MblDriver, double: DeviceDouble) -> None:
    """A connection that breaks while the device goes down is what was wanted."""
    double.cut = lambda _number, command: command == "reboot"

    driver.reboot()

    double.boot()
    driver.wait_until_back(5)


def test_nobodys_credentials_are_overwritten(
    session: Session, double: DeviceDouble, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """Without --allow-destructive nothing of somebody's board is changed, nor even asked."""
    driver = session.board().driver

    changes: list[Callable[[], object]] = [
        lambda: driver.provision(developer, update),
        lambda: driver.run_util("--provision"),
    ]
    for change in changes:
        with pytest.raises(UsageError, match=r"--allow-destructive: .* credentials of board mbl"):
            change()

    assert double.connections == []
    assert session.book.notes == {}
    driver.restore()
    assert driver.status().configured


def test_change_is_noted_before_and_settled_after(
    session: Session, driver: MblDriver, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """The ledger knows once for each test that credentials were changed, and nothing secret."""
    driver.status()
    assert session.book.notes == {}

    driver.provision(developer, update)
    driver.provision(developer, update)

    assert list(session.book.notes) == [1]
    assert session.book.notes[1][:2] == ("board-state", "mbl")
    assert developer.private_key_der.hex() in session.secrets
    assert not any(secret in str(session.book.notes) for secret in session.secrets)
    driver.restore()
    driver.restore()
    assert session.book.settled == [1]


def test_what_a_dead_session_left_is_removed(driver: MblDriver, double: DeviceDouble) -> None:
    """A folder with a private key in it does not outlive the next session."""
    double.folder.mkdir()

    driver.recover({"changed": "credentials"})

    assert not double.folder.exists()


def test_store_of_hardware_cannot_be_read(driver: MblDriver) -> None:
    """Nobody pretends to know what is in it."""
    with pytest.raises(UsageError, match="cannot be read"):
        driver.items()
    assert driver.snapshot().items is None
