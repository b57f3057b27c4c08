"""Devices are listed, waited for and told apart; events come in their order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from harness.errors import BackendFault
from harness_pelion.client_models import PelionRefused
from harness_pelion.enums import DeviceState

if TYPE_CHECKING:
    from harness_pelion.client import PelionClient
    from tests.pelion.client.conftest import Paper

DEVICES, EVENTS = "/v3/devices/", "/v3/device-events/"


def _devices(**states: str) -> dict[str, object]:
    return {"data": [{"id": each, "state": state} for each, state in states.items()], "has_more": False}


def test_device_is_waited_for(on_paper: PelionClient, paper: Paper) -> None:
    """The directory is asked until the device is in the state, and the certificate is the filter."""
    paper.says("GET", DEVICES, _devices())
    paper.says("GET", DEVICES, _devices(d1="bootstrapped"))
    paper.says("GET", DEVICES, _devices(d1="registered"))

    device = on_paper.wait_for_device(ca_id="c1", state=DeviceState.REGISTERED, timeout=5)

    assert (device.id, device.state) == ("d1", DeviceState.REGISTERED)
    assert len(paper.asked) == 3
    assert {request.url.params["filter"] for request in paper.asked} == {"ca_id=c1"}


def test_wait_ends_with_what_is_there(on_paper: PelionClient, paper: Paper) -> None:
    """Behind the deadline the message says which devices there are and how they are."""
    paper.says("GET", DEVICES, _devices(d1="bootstrapped"))
    started = time.monotonic()

    with pytest.raises(BackendFault, match=r"in state registered .* the directory has: d1 bootstrapped"):
        on_paper.wait_for_device(ca_id="c1", state=DeviceState.REGISTERED, timeout=0.05)

    assert time.monotonic() - started < 5


def test_two_devices_where_one_is_waited_for(on_paper: PelionClient, paper: Paper) -> None:
    """A certificate whose device came twice is told, not passed over."""
    paper.says("GET", DEVICES, _devices(d1="registered", d2="registered"))

    with pytest.raises(BackendFault, match="has 2: d1, d2"):
        on_paper.wait_for_device(ca_id="c1", timeout=0)


def test_several_devices_are_waited_for(on_paper: PelionClient, paper: Paper) -> None:
    """Exactly so many: neither fewer nor more."""
    paper.says("GET", DEVICES, _devices(d1="registered"))
    paper.says("GET", DEVICES, _devices(d1="registered", d2="registered"))

    assert len(on_paper.wait_for_devices(2, state=DeviceState.REGISTERED, timeout=5)) == 2
    with pytest.raises(BackendFault, match="3 devices"):
        on_paper.wait_for_devices(3, timeout=0)


def test_wait_ends_when_the_client_is_closed(on_paper: PelionClient, paper: Paper) -> None:
    """Nobody waits on with a client that is closed."""
    paper.says("GET", DEVICES, _devices())
    on_paper.world.closing.close()

    with pytest.raises(BackendFault, match="none"):
        on_paper.wait_for_device(timeout=60)


def test_events_are_sorted(on_paper: PelionClient, paper: Paper) -> None:
    """Oldest first, whatever the order of the service; the state that one brought is at hand."""
    paper.says(
        "GET",
        EVENTS,
        {
            "data": [
                {
                    "id": "e2",
                    "date_time": "2026-11-22T00:00:02.000Z",
                    "state_change": True,
                    "changes": {"state": "registered"},
                },
                {"id": "e1", "date_time": "2026-11-22T00:00:01.000Z", "changes": None},
            ],
            "has_more": False,
        },
    )

    events = on_paper.events("d1")

    assert [(event.id, event.state) for event in events] == [("e1", ""), ("e2", "registered")]
    assert paper.asked[0].url.params["filter"] == "device_id=d1"


def test_served_directory_is_empty_at_first(pelion: PelionClient) -> None:
    """An account without devices has none, by any filter, and none can be deleted."""
    assert pelion.devices(state="registered", created_at__gte="2020-01-01T00:00:00Z") == []
    assert pelion.events() == []
    for call in (pelion.device, pelion.delete_device):
        with pytest.raises(PelionRefused, match="404"):
            call("0" * 32)


def test_unknown_filter_is_refused(pelion: PelionClient) -> None:
    """A filter that the service does not know is no empty list."""
    with pytest.raises(PelionRefused, match="400"):
        pelion.devices(colour="blue")


def test_unknown_state_is_the_services_fault(on_paper: PelionClient, paper: Paper) -> None:
    """A state that no document knows is told; nothing is guessed."""
    paper.says("GET", DEVICES, _devices(d1="sleeping"))

    with pytest.raises(BackendFault, match="state"):
        on_paper.devices()
