"""One certificate for many devices: each is a device of its own, up to the limit and not one more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.attempting import Attempts
from harness_pelion.enums import DeviceState, EventType, Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

    Renewed = Callable[[], dict[str, Any]]

MOST = 100
"""Devices that may use one certificate (pelion fact sheet, section 3)."""

#: What a bootstrap gives a device; without its id it is a device that nobody knows.
ENROLMENT = (
    Item.LWM2M_SERVER_URI,
    Item.LWM2M_DEVICE_CERT,
    Item.LWM2M_DEVICE_PRIVATE_KEY,
    Item.LWM2M_SERVER_CA_CERT,
    Item.INTERNAL_ENDPOINT,
)


@pytest.mark.board(driver="mbl", destructive=True, count=2)
@pytest.mark.proves("reuse", "two boards with one certificate")
def test_two_boards(
    boards: tuple[LeasedBoard, ...], pelion: Any, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """They share the endpoint name at bootstrap, and are two devices with two ids."""
    for board in boards:
        assert board.driver.provision(developer, update).ok
        board.driver.wait_until_registered(20.0, after=board.driver.restart_client())

    devices = pelion.wait_for_devices(2, ca_id=developer.endpoint_name, state=DeviceState.REGISTERED)
    assert {board.driver.client_log().device_id for board in boards} == {device.id for device in devices}
    assert len({device.device_key for device in devices}) == 1


@pytest.mark.board(driver="mbl", destructive=True, count=2)
@pytest.mark.proves("reuse", "two boards at once")
def test_two_boards_at_once(
    boards: tuple[LeasedBoard, ...], pelion: Any, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """Both are provisioned at the same time, and each comes to a device of its own."""

    def provision(board: LeasedBoard) -> str:
        assert board.driver.provision(developer, update).ok
        view = board.driver.wait_until_registered(20.0, after=board.driver.restart_client())
        return str(view.device_id)

    with ThreadPoolExecutor(2) as pool:
        named = list(pool.map(provision, boards))

    devices = pelion.wait_for_devices(2, ca_id=developer.endpoint_name, state=DeviceState.REGISTERED)
    assert sorted(named) == sorted(device.id for device in devices)


@pytest.mark.board(driver="mbl", destructive=True, count=2)
@pytest.mark.proves("reuse", "two boards with a certificate each")
def test_two_certificates(
    boards: tuple[LeasedBoard, ...], pelion: Any, developer: DeveloperCredentials, update: UpdateResources
) -> None:
    """What one board has does not touch the other one."""
    other = pelion.create_developer_certificate(pelion.own_name("other")).credentials()

    attempts = [
        Attempts(board, pelion)(each, update) for board, each in zip(boards, (developer, other), strict=True)
    ]

    assert [attempt.evidence.first_broken() for attempt in attempts] == [None, None]
    assert [attempt.device.ca_id for attempt in attempts] == [developer.endpoint_name, other.endpoint_name]


@pytest.fixture
def renewed(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    eventually: Callable[..., None],
) -> Renewed:
    """Let the board forget which device it is, and come back as a further one of the same certificate."""
    board.virtual.call("configure", retry_first_s=30, retry_longest_s=60)
    assert board.driver.provision(developer, update).ok

    def come_back() -> dict[str, Any]:
        for item in ENROLMENT:
            board.virtual.call("drop_item", name=str(item))
        board.virtual.call("restart_client")
        ended = {"registered", "failed"}
        eventually(lambda: board.virtual.call("client_state")["state"] in ended, "the client comes to an end")
        state: dict[str, Any] = board.virtual.call("client_state")
        return state

    return come_back


def refused(pelion: Any, certificate_id: str) -> list[Any]:
    """Return the events of devices that were refused because they were one too many."""
    events = pelion.events(event_type=EventType.REFUSAL.value)
    return [event for event in events if event.data.get("ca_id") == certificate_id]


@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.backend("pelion", needs={"event-details", "server-log"})
@pytest.mark.proves("reuse", "100 devices, and not one more")
def test_hundred_devices(pelion: Any, developer: DeveloperCredentials, renewed: Renewed) -> None:
    """The hundredth device registers; the next one is refused 4.03, an event tells it, nothing is added."""
    ids = {renewed()["device_id"] for _ in range(MOST)}
    assert len(ids) == MOST
    assert refused(pelion, developer.endpoint_name) == []

    state = renewed()

    assert (state["state"], state["error"]["name"]) == ("failed", "ConnectBootstrapFailed")
    assert {device.id for device in pelion.devices(ca_id=developer.endpoint_name)} == ids
    assert len(refused(pelion, developer.endpoint_name)) == 1
    notes = [note.details for note in pelion.server_log("bootstrap refused")]
    assert [note["code"] for note in notes if note["endpoint"] == developer.endpoint_name] == ["4.03"]


@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.backend("pelion", needs={"device-limit", "event-details"})
@pytest.mark.proves("reuse", "room again when a device was deleted")
def test_room_again(pelion: Any, developer: DeveloperCredentials, renewed: Renewed) -> None:
    """A deleted device makes room for one, and for one only."""
    pelion.set_limits(devices_per_certificate=2)
    first, second = renewed()["device_id"], renewed()["device_id"]
    assert renewed()["state"] == "failed"

    pelion.delete_device(first)

    third = renewed()
    assert third["state"] == "registered"
    assert {device.id for device in pelion.devices(ca_id=developer.endpoint_name)} == {
        second,
        third["device_id"],
    }
    assert renewed()["state"] == "failed"


@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.backend("pelion", needs={"device-limit"})
@pytest.mark.proves("reuse", "a known device at the limit")
def test_known_device_at_the_limit(
    board: LeasedBoard, pelion: Any, developer: DeveloperCredentials, renewed: Renewed
) -> None:
    """A device that is counted already bootstraps again, however many there are."""
    pelion.set_limits(devices_per_certificate=1)
    state = renewed()
    for item in ENROLMENT[:-1]:
        board.virtual.call("drop_item", name=str(item))

    view = board.driver.wait_until_registered(20.0, after=board.driver.restart_client())

    assert view.device_id == state["device_id"]
    assert len(pelion.devices(ca_id=developer.endpoint_name)) == 1


@pytest.mark.board(driver="mbl", destructive=True, needs={"virtual"})
@pytest.mark.backend("pelion", needs={"device-limit"})
@pytest.mark.proves("reuse", "another certificate has room of its own")
def test_another_certificate_has_room(
    board: LeasedBoard,
    pelion: Any,
    developer: DeveloperCredentials,
    update: UpdateResources,
    renewed: Renewed,
) -> None:
    """The limit is each certificate's: another one of the account lets the device in."""
    pelion.set_limits(devices_per_certificate=1)
    assert renewed()["state"] == "registered"
    assert renewed()["state"] == "failed"
    other = pelion.create_developer_certificate(pelion.own_name("other")).credentials()

    assert Attempts(board, pelion)(other, update).evidence.first_broken() is None

    assert len(pelion.devices(ca_id=developer.endpoint_name)) == 1
