"""The device directory: its fields, its filters, its order, and the events of a device."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from harness_pelion.enums import DeviceState, ErrorType, ExecutionMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.attempting import Attempt, Attempts
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True)

SKEW = timedelta(minutes=2)


@pytest.fixture
def attempt(attempts: Attempts, developer: DeveloperCredentials, update: UpdateResources) -> Attempt:
    """The board, registered."""
    attempt = attempts(developer, update)
    assert attempt.evidence.first_broken() is None
    return attempt


@pytest.mark.proves("directory", "the fields of a device")
def test_fields(attempt: Attempt, pelion: Any, board: LeasedBoard) -> None:
    """What it says of a device is what the device was given (pelion fact sheet, section 6.3)."""
    device = pelion.device(attempt.device.id)

    assert device.id == board.driver.client_log().device_id
    assert (device.ca_id, device.account_id) == (
        attempt.developer.endpoint_name,
        attempt.developer.account_id,
    )
    assert device.state is DeviceState.REGISTERED
    assert device.endpoint_type == "default"
    assert device.mechanism == "connector"
    assert device.device_execution_mode == ExecutionMode.DEVELOPMENT
    assert (device.vendor_id, device.device_class) == (
        attempt.update.vendor_id.hex(),
        attempt.update.class_id.hex(),
    )
    assert len(bytes.fromhex(device.device_key.replace(":", ""))) == 32
    assert len(device.name) <= 128
    assert len(device.endpoint_name) <= 64


@pytest.mark.proves("directory", "the times of a device")
def test_times(attempt: Attempt, pelion: Any) -> None:
    """It was made and bootstrapped after the test began; which of its times is first no fact says."""
    device = pelion.device(attempt.device.id)

    assert None not in {device.created_at, device.bootstrapped_timestamp, device.updated_at}
    assert attempt.before.moment is not None
    for time in (device.created_at, device.bootstrapped_timestamp, device.updated_at):
        assert attempt.before.moment - SKEW <= time <= datetime.now(UTC) + SKEW


@pytest.mark.backend("pelion", needs={"event-details"})
@pytest.mark.proves("directory", "events in their order")
def test_events(attempt: Attempt, pelion: Any) -> None:
    """A device's events tell its way, oldest first, and each of them is its own."""
    events = pelion.events(attempt.device.id)

    states = [event.state for event in events if event.state_change and event.state]
    assert states[states.index(DeviceState.BOOTSTRAPPED) :] == [
        DeviceState.BOOTSTRAPPED,
        DeviceState.REGISTERED,
    ]
    assert [event.date_time for event in events] == sorted(event.date_time for event in events)
    assert {event.device_id for event in events} == {attempt.device.id}
    assert len({event.id for event in events}) == len(events)


FITTING: list[tuple[str, Callable[[Attempt], dict[str, Any]]]] = [
    ("id", lambda attempt: {"id": attempt.device.id}),
    ("state", lambda attempt: {"state": "registered", "ca_id": attempt.device.ca_id}),
    ("ca_id", lambda attempt: {"ca_id": attempt.device.ca_id}),
    ("state__in", lambda attempt: {"state__in": "registered,bootstrapped", "ca_id": attempt.device.ca_id}),
    ("state__neq", lambda attempt: {"state__neq": "deregistered", "ca_id": attempt.device.ca_id}),
    (
        "vendor and class",
        lambda attempt: {
            "vendor_id": attempt.device.vendor_id,
            "device_class": attempt.device.device_class,
            "ca_id": attempt.device.ca_id,
        },
    ),
    (
        "created_at__lte",
        lambda attempt: {
            "created_at__lte": (datetime.now(UTC) + SKEW).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ca_id": attempt.device.ca_id,
        },
    ),
]

FOREIGN: list[tuple[str, Callable[[Attempt], dict[str, Any]]]] = [
    ("state", lambda attempt: {"state": "deregistered", "ca_id": attempt.device.ca_id}),
    ("state__nin", lambda attempt: {"state__nin": "registered,bootstrapped", "ca_id": attempt.device.ca_id}),
    ("id", lambda attempt: {"id": "0" * 32, "ca_id": attempt.device.ca_id}),
    (
        "created_at__gte",
        lambda attempt: {
            "created_at__gte": (datetime.now(UTC) + SKEW).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ca_id": attempt.device.ca_id,
        },
    ),
]


@pytest.mark.parametrize(
    "filters",
    [
        pytest.param(make, marks=pytest.mark.proves("list devices", f"{name}: it fits"), id=name)
        for name, make in FITTING
    ],
)
def test_filter_fits(attempt: Attempt, pelion: Any, filters: Callable[[Attempt], dict[str, Any]]) -> None:
    """A filter that fits a device finds it, and nothing else of its certificate."""
    assert [device.id for device in pelion.devices(**filters(attempt))] == [attempt.device.id]


@pytest.mark.parametrize(
    "filters",
    [
        pytest.param(make, marks=pytest.mark.proves("list devices", f"{name}: it does not fit"), id=name)
        for name, make in FOREIGN
    ],
)
def test_filter_does_not_fit(
    attempt: Attempt, pelion: Any, filters: Callable[[Attempt], dict[str, Any]]
) -> None:
    """A filter that does not fit a device does not find it, although it is there."""
    assert pelion.devices(**filters(attempt)) == []
    assert pelion.device(attempt.device.id).id == attempt.device.id


@pytest.mark.board(driver="mbl", destructive=True, count=2)
@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.proves("list devices", "in an order, page by page")
def test_order(
    boards: tuple[LeasedBoard, ...],
    pelion: Any,
    developer: DeveloperCredentials,
    update: UpdateResources,
    order: str,
) -> None:
    """Devices come in the order in which they were made, or backwards, however long a page is."""
    ids = []
    for board in boards:
        assert board.driver.provision(developer, update).ok
        ids.append(board.driver.wait_until_registered(20.0, after=board.driver.restart_client()).device_id)

    listed = [each.id for each in pelion.devices(ca_id=developer.endpoint_name, order=order, limit=2)]

    assert listed == (ids if order == "ASC" else ids[::-1])


@pytest.mark.proves("delete a device", "deleted")
def test_delete(attempt: Attempt, pelion: Any, board: LeasedBoard, refused: Callable[..., Any]) -> None:
    """It is gone from the list and by its id, and what the device holds stays; so do the fake's events."""
    pelion.delete_device(attempt.device.id)

    assert pelion.devices(ca_id=attempt.device.ca_id) == []
    with refused(404, ErrorType.NOT_FOUND):
        pelion.device(attempt.device.id)
    assert pelion.events(attempt.device.id) != [] or "event-details" not in pelion.capabilities
    assert board.driver.status().configured


@pytest.mark.parametrize(
    "call",
    [
        pytest.param("device", marks=pytest.mark.proves("read a device", "nobody has it"), id="read"),
        pytest.param(
            "delete_device",
            marks=pytest.mark.proves("delete a device", "nobody has it"),
            id="delete",
        ),
    ],
)
def test_unknown_device(pelion: Any, refused: Callable[..., Any], call: str, board: LeasedBoard) -> None:
    """An id that no device has is none."""
    with refused(404, ErrorType.NOT_FOUND):
        getattr(pelion, call)("0" * 32)

    assert not board.driver.status().configured
