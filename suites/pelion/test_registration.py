"""Registration: kept up, ended and made anew; and what the device makes of a server that goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.enums import DeviceState, Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.attempting import Attempt, Attempts
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})

SECONDS = 20.0
LIFETIME = 600
"""Seconds for which a device registers (pelion fact sheet, section 6.1)."""

ENROLMENT = (
    Item.LWM2M_SERVER_URI,
    Item.LWM2M_DEVICE_CERT,
    Item.LWM2M_DEVICE_PRIVATE_KEY,
    Item.LWM2M_SERVER_CA_CERT,
    Item.INTERNAL_ENDPOINT,
)


@pytest.fixture
def attempt(
    board: LeasedBoard, attempts: Attempts, developer: DeveloperCredentials, update: UpdateResources
) -> Attempt:
    """The board, registered; its client tries again soon when something goes wrong."""
    board.virtual.call("configure", retry_first_s=0.1, retry_longest_s=0.3)
    attempt = attempts(developer, update)
    assert attempt.evidence.first_broken() is None
    return attempt


@pytest.fixture
def leave(board: LeasedBoard, pelion: Any, eventually: Callable[..., None]) -> Callable[[str], None]:
    """Let the device give its registration up, and wait until both ends know that it has."""

    def go(device_id: str) -> None:
        board.virtual.call("deregister")
        pelion.wait_for_device(device_id=device_id, state=DeviceState.DEREGISTERED)
        # The service knows it first: its answer is on its way to the device still.
        eventually(
            lambda: board.virtual.call("client_state")["state"] != "registered",
            "the device knows that it has left",
        )

    return go


def states(pelion: Any, device_id: str) -> list[str]:
    """Return the states that a device came to by its events since it was bootstrapped, oldest first."""
    found = [event.state for event in pelion.events(device_id) if event.state_change and event.state]
    return found[found.index(DeviceState.BOOTSTRAPPED) :]


def bootstraps_of(pelion: Any, certificate_id: str) -> int:
    """Return how many bootstraps with a certificate the servers finished."""
    notes = pelion.server_log("bootstrap finished")
    return sum(note.details["endpoint"] == certificate_id for note in notes)


@pytest.mark.backend("pelion", needs={"clock", "server-log"})
@pytest.mark.proves("registration", "kept up by an update")
def test_update_keeps_it(
    board: LeasedBoard, pelion: Any, attempt: Attempt, eventually: Callable[..., None]
) -> None:
    """An update gives the registration a whole lifetime again: it outlives the first one."""
    pelion.shift_clock(LIFETIME - 60)
    updated = len(pelion.server_log("registration updated"))
    board.virtual.call("configure", register_every_s=0.05)
    pelion.wait_for_log("registration updated", updated + 1)
    # The service notes an update first: its answer is on its way to the device still.
    eventually(lambda: board.virtual.call("client_state")["updates"] >= 1, "the device knows of its update")
    board.virtual.call("configure", register_every_s=3600)

    pelion.shift_clock(LIFETIME + 60)

    assert pelion.device(attempt.device.id).state is DeviceState.REGISTERED
    assert DeviceState.DEREGISTERED not in states(pelion, attempt.device.id)
    assert board.virtual.call("client_state")["updates"] >= 1


@pytest.mark.backend("pelion", needs={"clock", "server-log"})
@pytest.mark.proves("registration", "ended with the lifetime after an update")
def test_lifetime_after_an_update_ends(
    board: LeasedBoard, pelion: Any, attempt: Attempt, eventually: Callable[..., None]
) -> None:
    """An update gives one lifetime, as long as the first, and no more."""
    updated = len(pelion.server_log("registration updated"))
    # One update and no other on its way: that would come to nothing, and the device would register anew.
    board.virtual.call("update_registration")
    pelion.wait_for_log("registration updated", updated + 1)
    eventually(lambda: board.virtual.call("client_state")["updates"] == 1, "the device knows of its update")

    pelion.shift_clock(LIFETIME + 60)

    assert pelion.device(attempt.device.id).state is DeviceState.DEREGISTERED


@pytest.mark.backend("pelion", needs={"clock", "event-details"})
@pytest.mark.proves("registration", "ended with its lifetime")
def test_lifetime_ends(board: LeasedBoard, pelion: Any, attempt: Attempt) -> None:
    """A device that says nothing for its lifetime is registered no more, and an event tells it."""
    pelion.shift_clock(LIFETIME - 10)
    assert pelion.device(attempt.device.id).state is DeviceState.REGISTERED

    pelion.shift_clock(LIFETIME + 10)

    device = pelion.device(attempt.device.id)
    assert device.state is DeviceState.DEREGISTERED
    assert device.bootstrapped_timestamp == attempt.device.bootstrapped_timestamp
    assert states(pelion, device.id)[-1] == DeviceState.DEREGISTERED
    assert board.virtual.call("client_state")["updates"] == 0


@pytest.mark.backend("pelion", needs={"clock", "server-log"})
@pytest.mark.proves("registration", "update refused: registers anew")
def test_update_of_an_ended_registration(board: LeasedBoard, pelion: Any, attempt: Attempt) -> None:
    """A device that updates what has ended is told so, and registers anew, without another bootstrap."""
    pelion.shift_clock(LIFETIME + 10)
    pelion.wait_for_device(device_id=attempt.device.id, state=DeviceState.DEREGISTERED)
    after = board.driver.client_log().size

    board.virtual.call("configure", register_every_s=0.05)

    view = board.driver.wait_until_registered(SECONDS, after=after)
    assert view.errors[0].name == "ConnectNotRegistered"
    assert view.device_id == attempt.device.id
    assert pelion.device(attempt.device.id).state is DeviceState.REGISTERED
    assert bootstraps_of(pelion, attempt.device.ca_id) == 1


@pytest.mark.backend("pelion", needs={"event-details"})
@pytest.mark.proves("registration", "ended by the device")
def test_device_deregisters(
    board: LeasedBoard, pelion: Any, attempt: Attempt, leave: Callable[[str], None]
) -> None:
    """A device may leave; both ends say so."""
    leave(attempt.device.id)

    assert states(pelion, attempt.device.id) == [
        DeviceState.BOOTSTRAPPED,
        DeviceState.REGISTERED,
        DeviceState.DEREGISTERED,
    ]
    assert board.virtual.call("client_state")["state"] != "registered"


@pytest.mark.backend("pelion", needs={"server-log"})
@pytest.mark.proves("registration", "again after it was ended by the device")
def test_registers_again(
    board: LeasedBoard, pelion: Any, attempt: Attempt, leave: Callable[[str], None]
) -> None:
    """A device that left comes back as the same one, with what its first bootstrap gave it."""
    leave(attempt.device.id)
    held = board.driver.items()

    view = board.driver.wait_until_registered(SECONDS, after=board.driver.restart_client())

    assert view.device_id == attempt.device.id
    assert board.driver.items() == held
    assert [device.id for device in pelion.devices(ca_id=attempt.device.ca_id)] == [attempt.device.id]
    assert pelion.device(attempt.device.id).state is DeviceState.REGISTERED
    assert bootstraps_of(pelion, attempt.device.ca_id) == 1


def going_wrong(outcome: str, error: str, bootstraps: int, **fault: Any) -> Any:
    """Return a case: a fault of the LwM2M server, what the client logs, how often it bootstraps in all."""
    marks = pytest.mark.proves("registration", outcome)
    return pytest.param(fault, error, bootstraps, marks=marks, id=outcome)


@pytest.mark.parametrize(
    ("fault", "error", "bootstraps"),
    [
        going_wrong(
            "refused in the handshake", "ConnectSecureConnectionFailed", 2, kind="refuse", step="handshake"
        ),
        going_wrong(
            "closed in the handshake", "ConnectSecureConnectionFailed", 2, kind="close", step="handshake"
        ),
        going_wrong(
            "refused 4.00", "ConnectInvalidParameters", 2, kind="refuse", step="register", code="4.00"
        ),
        going_wrong(
            "refused 4.03", "ConnectInvalidParameters", 2, kind="refuse", step="register", code="4.03"
        ),
        going_wrong("refused 5.03", "ConnectNetworkError", 1, kind="refuse", step="register", code="5.03"),
        going_wrong("connection closed", "ConnectNetworkError", 1, kind="close", step="register"),
        going_wrong("no answer", "ConnectTimeout", 1, kind="hold", step="register"),
        going_wrong(
            "closed when asked for the vendor", "ConnectNetworkError", 1, kind="close", step="vendor"
        ),
        going_wrong("closed when asked for the class", "ConnectNetworkError", 1, kind="close", step="class"),
    ],
)
@pytest.mark.backend("pelion", needs={"faults", "server-log"})
def test_server_goes_wrong(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    fault: dict[str, Any],
    error: str,
    bootstraps: int,
    eventually: Callable[..., None],
) -> None:
    """The log names the error; then the one device is registered, and its description is whole."""
    board.virtual.call("configure", retry_first_s=0.1, retry_longest_s=0.3)
    if fault["kind"] == "hold":  # else a server that is slow would be taken for one that says nothing
        board.virtual.call("configure", client_timeout_s=0.5)
    assert board.driver.provision(developer, update).ok
    with pelion.fault("lwm2m", **fault):
        after = board.driver.restart_client()
        board.driver.wait_for_client_error(error, SECONDS, after=after)

    board.driver.wait_until_registered(SECONDS, after=after)

    device = pelion.wait_for_device(ca_id=developer.endpoint_name, state=DeviceState.REGISTERED)
    assert bootstraps_of(pelion, developer.endpoint_name) == bootstraps
    ids = {"vendor_id": update.vendor_id.hex(), "device_class": update.class_id.hex()}
    eventually(lambda: bool(pelion.devices(id=device.id, **ids)), "vendor and class are in the directory")


def update_going_wrong(outcome: str, error: str, **fault: str) -> Any:
    """Return a case: a fault when a registration is updated, and what the client logs."""
    marks = pytest.mark.proves("update of a registration", outcome)
    return pytest.param(fault, error, marks=marks, id=outcome)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        update_going_wrong("refused 4.04", "ConnectNotRegistered", kind="refuse", code="4.04"),
        update_going_wrong("refused 5.03", "ConnectNetworkError", kind="refuse", code="5.03"),
        update_going_wrong("connection closed", "ConnectNetworkError", kind="close"),
        update_going_wrong("no answer", "ConnectTimeout", kind="hold"),
    ],
)
@pytest.mark.backend("pelion", needs={"faults", "server-log"})
def test_update_goes_wrong(
    board: LeasedBoard, pelion: Any, attempt: Attempt, fault: dict[str, Any], error: str
) -> None:
    """The device registers anew by itself: the same one, without another bootstrap."""
    after = board.driver.client_log().size
    if fault["kind"] == "hold":  # else a server that is slow would be taken for one that says nothing
        board.virtual.call("configure", client_timeout_s=0.5)
    with pelion.fault("lwm2m", step="update", **fault):
        board.virtual.call("configure", register_every_s=0.05)
        board.driver.wait_for_client_error(error, SECONDS, after=after)
        board.virtual.call("configure", register_every_s=3600)

    view = board.driver.wait_until_registered(SECONDS, after=after)
    assert view.device_id == attempt.device.id
    assert pelion.device(attempt.device.id).state is DeviceState.REGISTERED
    assert bootstraps_of(pelion, attempt.device.ca_id) == 1


@pytest.mark.proves("registration", "the network was away")
def test_network_was_away(board: LeasedBoard, pelion: Any, attempt: Attempt) -> None:
    """A device whose network goes comes back by itself when it is there again."""
    after = board.driver.client_log().size
    board.virtual.call("set_link", up=False)
    board.driver.wait_for_client_error("ConnectNetworkError", SECONDS, after=after)

    board.virtual.call("set_link", up=True)

    assert board.driver.wait_until_registered(SECONDS, after=after).device_id == attempt.device.id
    assert pelion.device(attempt.device.id).state is DeviceState.REGISTERED


@pytest.mark.backend("pelion", needs={"server-log"})
@pytest.mark.proves("registration", "the directory forgot the device: bootstraps again")
def test_device_is_deleted(board: LeasedBoard, pelion: Any, attempt: Attempt) -> None:
    """A device that the directory forgot is refused, bootstraps again, and is one device."""
    pelion.delete_device(attempt.device.id)

    after = board.driver.restart_client()
    view = board.driver.wait_until_registered(SECONDS, after=after)

    assert view.errors[0].name == "ConnectInvalidParameters"
    found = pelion.devices(ca_id=attempt.device.ca_id)
    assert [device.id for device in found] == [view.device_id]
    assert found[0].state is DeviceState.REGISTERED
    assert bootstraps_of(pelion, attempt.device.ca_id) == 2


@pytest.mark.backend("pelion", needs={"server-log"})
@pytest.mark.proves("registration", "the enrolment was lost: the same device again")
def test_enrolment_is_lost(board: LeasedBoard, pelion: Any, attempt: Attempt) -> None:
    """A device that lost its LwM2M credentials but not its name bootstraps again as the same one."""
    for item in ENROLMENT[:-1]:
        board.virtual.call("drop_item", name=str(item))

    after = board.driver.restart_client()
    view = board.driver.wait_until_registered(SECONDS, after=after)

    assert view.device_id == attempt.device.id
    assert [device.id for device in pelion.devices(ca_id=attempt.device.ca_id)] == [attempt.device.id]
    assert bootstraps_of(pelion, attempt.device.ca_id) == 2


@pytest.mark.backend("pelion", needs={"own-accounts"})
@pytest.mark.proves("registration", "the certificate is trusted no more")
def test_certificate_is_deleted(board: LeasedBoard, pelion: Any, attempt: Attempt) -> None:
    """A device whose developer certificate was deleted does not register again, nor bootstraps."""
    pelion.delete_certificate(attempt.developer.endpoint_name)

    after = board.driver.restart_client()
    board.driver.wait_for_client_error("ConnectInvalidParameters", SECONDS, after=after)
    view = board.driver.wait_for_client_error("ConnectSecureConnectionFailed", SECONDS, after=after)

    assert not view.registered
    pelion.delete_device(attempt.device.id)
