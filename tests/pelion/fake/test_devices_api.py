"""The device directory and its events (pelion fact sheet, section 6.3)."""

from __future__ import annotations

import calendar
import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from tests.pelion.fake.pelion_site import Site, SiteAccount, a_site, fixed_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOON = float(calendar.timegm((2026, 11, 21, 12, 0, 0)))
DEVICES = "/v3/devices/"
EVENTS = "/v3/device-events/"


class Desk:
    """A fake whose clock a test sets, and an account with a developer certificate."""

    def __init__(self, site: Site, set_to: Callable[[float], None]) -> None:
        self.site = site
        self.set_to = set_to
        self.account: SiteAccount = site.account()
        self.ca_id: str = self.account.certificate("board")["id"]

    @property
    def directory(self) -> Any:
        return self.site.fake.pelion.directory


@pytest.fixture
def desk() -> Iterator[Desk]:
    """The desk, at noon."""
    clock, set_to = fixed_clock(NOON)
    with a_site(clock=clock) as site:
        yield Desk(site, set_to)


def test_bootstrapped_device(desk: Desk) -> None:
    """Its entry has all fields of section 6.3, with what the bootstrap server knows."""
    device = desk.account.device(desk.ca_id, "a" * 32)
    der = desk.account.developer(desk.ca_id).der
    expires = x509.load_der_x509_certificate(der).not_valid_after_utc
    assert desk.account.get(f"{DEVICES}{device.id}/") == {
        "object": "device",
        "id": "a" * 32,
        "account_id": desk.account.id,
        "endpoint_name": desk.ca_id,
        "endpoint_type": None,
        "name": "a" * 32,
        "description": None,
        "state": "bootstrapped",
        "device_key": ":".join(re.findall("..", hashlib.sha256(der).hexdigest())),
        "ca_id": desk.ca_id,
        "device_execution_mode": 1,
        "vendor_id": None,
        "device_class": None,
        "serial_number": None,
        "mechanism": "connector",
        "mechanism_url": None,
        "bootstrapped_timestamp": "2026-11-21T12:00:00.000Z",
        "bootstrap_expiration_date": f"{expires:%Y-%m-%d}",
        "connector_expiration_date": None,
        "created_at": "2026-11-21T12:00:00.000Z",
        "updated_at": "2026-11-21T12:00:00.000Z",
        "etag": "2026-11-21T12:00:00.000Z",
        "enrolment_list_timestamp": None,
        "host_gateway": None,
        "groups": [],
        "custom_attributes": {},
        "firmware_checksum": None,
        "manifest": None,
        "manifest_timestamp": None,
        "auto_update": None,
        "deployed_state": None,
        "deployment": None,
    }


def test_life_of_a_device(desk: Desk) -> None:
    """Bootstrapped, registered, expired, registered, deregistered: states, times and events in order."""
    account, directory = desk.account, desk.directory
    identifier = account.device(desk.ca_id).id
    path = f"{DEVICES}{identifier}/"
    desk.set_to(NOON + 1)
    directory.registered(identifier, lifetime=600, endpoint_type="default")
    directory.described(identifier, "11" * 16, "22" * 16)
    entry = account.get(path)
    assert (entry["state"], entry["endpoint_type"]) == ("registered", "default")
    assert (entry["vendor_id"], entry["device_class"]) == ("11" * 16, "22" * 16)
    assert entry["updated_at"] == "2026-11-21T12:00:01.000Z"
    assert entry["bootstrapped_timestamp"] == entry["created_at"] == "2026-11-21T12:00:00.000Z"
    assert account.control("GET", "/devices").json()["items"] == [{**entry, "lifetime": 600}]
    desk.set_to(NOON + 2)
    directory.updated(identifier, lifetime=60)
    assert account.get(path) == entry
    desk.set_to(NOON + 3)
    directory.deregistered(identifier, "lifetime")
    assert account.get(path)["state"] == "deregistered"
    directory.deregistered(identifier, "lifetime")
    directory.registered(identifier, lifetime=60, endpoint_type="default")
    directory.deregistered(identifier, "by the device")
    rows = account.get(EVENTS)["data"]
    assert [(row["event_type"], row["state_change"], row["changes"]) for row in rows] == [
        ("update.device.device-created", True, {"state": "cloud_enrolling"}),
        ("bootstrap", True, {"state": "bootstrapped"}),
        ("registration", True, {"state": "registered"}),
        ("expiration", True, {"state": "deregistered"}),
        ("registration", True, {"state": "registered"}),
        ("deregistration", True, {"state": "deregistered"}),
    ]
    assert {row["device_id"] for row in rows} == {identifier}
    assert [row["date_time"][17:19] for row in rows] == ["00", "00", "01", "03", "03", "03"]
    assert [row["data"] for row in rows[3:]] == [{"reason": "lifetime"}, {}, {"reason": "by the device"}]
    assert account.control("GET", "/events").json()["items"] == rows


def test_event(desk: Desk) -> None:
    """An event has the fields of section 6.3, in the list and alone, at the older address, too."""
    desk.account.device(desk.ca_id, "b" * 32)
    listed = desk.account.get(EVENTS)["data"][-1]
    assert re.fullmatch("[0-9a-f]{32}", listed["id"])
    assert listed == {
        "object": "device-event",
        "id": listed["id"],
        "device_id": "b" * 32,
        "date_time": "2026-11-21T12:00:00.000Z",
        "created_at": "2026-11-21T12:00:00.000Z",
        "etag": "2026-11-21T12:00:00.000Z",
        "event_type": "bootstrap",
        "event_type_category": "device",
        "event_type_description": "Device bootstrapped",
        "description": "Device bootstrapped",
        "state_change": True,
        "changes": {"state": "bootstrapped"},
        "data": {},
    }
    for base in (EVENTS, "/v3/devicelog/"):
        assert desk.account.get(f"{base}{listed['id']}/") == listed
        assert desk.account.get(base)["data"][-1] == listed


def test_bootstrapped_again(desk: Desk) -> None:
    """A known device stays one device; its state and its time of bootstrap are new."""
    device = desk.account.device(desk.ca_id)
    desk.directory.registered(device.id, lifetime=60)
    desk.set_to(NOON + 60)
    desk.account.device(desk.ca_id, device.id)
    (entry,) = desk.account.get(DEVICES)["data"]
    assert (entry["id"], entry["state"]) == (device.id, "bootstrapped")
    assert entry["bootstrapped_timestamp"] == "2026-11-21T12:01:00.000Z"
    assert entry["created_at"] == "2026-11-21T12:00:00.000Z"


def test_own_device(desk: Desk) -> None:
    """A device is taken for the one that it says it is only with that one's certificate and account."""
    directory, account = desk.directory, desk.account
    certificate = account.developer(desk.ca_id)
    other_certificate = account.developer(account.certificate("other")["id"])
    stranger = desk.site.account()
    strange_certificate = stranger.developer(stranger.certificate("board")["id"])
    device = account.device(desk.ca_id)
    assert directory.own_device(account.record, certificate, device.id) is device
    assert directory.own_device(account.record, certificate, "0" * 32) is None
    assert directory.own_device(account.record, other_certificate, device.id) is None
    assert directory.own_device(stranger.record, strange_certificate, device.id) is None


def test_lwm2m_certificate_gives_its_end(desk: Desk) -> None:
    """The end of the certificate that a device got is told as a date."""
    device = desk.account.device(desk.ca_id)
    made = desk.site.fake.pelion.issuing.lwm2m.issue_device(
        device.id, desk.account.id, desk.site.fake.pelion.clock.now()
    )
    desk.directory.issued(device, made.certificate)
    entry = desk.account.get(f"{DEVICES}{device.id}/")
    end = x509.load_der_x509_certificate(made.certificate).not_valid_after_utc
    assert entry["connector_expiration_date"] == f"{end:%Y-%m-%d}"


def test_hundred_devices_a_certificate(desk: Desk) -> None:
    """The 101st device of a certificate is refused, with an event; another certificate has its own room."""
    account = desk.account
    first = account.device(desk.ca_id)
    for _ in range(99):
        account.device(desk.ca_id)
    with pytest.raises(Exception, match="used by 100 devices") as refused:
        account.device(desk.ca_id)
    assert type(refused.value).__name__ == "TooManyDevices"
    event = account.get(EVENTS, params={"order": "DESC", "limit": 2})["data"][0]
    assert (event["event_type"], event["device_id"], event["state_change"]) == ("refusal", "", False)
    assert event["data"]["ca_id"] == desk.ca_id
    assert account.get(DEVICES, params={"include": "total_count"})["total_count"] == 100
    account.device(desk.ca_id, first.id)  # a known one is none more
    account.device(account.certificate("second")["id"])
    assert account.ask("DELETE", f"{DEVICES}{first.id}/").status_code == 204
    account.device(desk.ca_id)


def test_reserved_devices_count(desk: Desk) -> None:
    """Devices that are being bootstrapped take a place each before they are in the directory."""
    account, directory = desk.account, desk.directory
    account.control("POST", "/limits", json={"devices_per_certificate": 3})
    account.device(desk.ca_id)
    certificate = account.developer(desk.ca_id)
    now = desk.site.fake.pelion.clock.now()
    directory.check_room(account.record, certificate, now=now, reserved=1)
    with pytest.raises(Exception, match="used by 3 devices"):
        directory.check_room(account.record, certificate, now=now, reserved=2)


def test_deleted_device(desk: Desk) -> None:
    """A deleted device is in no list and registers no more; its events stay."""
    account = desk.account
    device = account.device(desk.ca_id)
    before = account.get(EVENTS)["data"]
    assert account.ask("DELETE", f"{DEVICES}{device.id}/").status_code == 204
    assert account.get(DEVICES)["data"] == []
    assert account.ask("GET", f"{DEVICES}{device.id}/").status_code == 404
    assert account.ask("DELETE", f"{DEVICES}{device.id}/").status_code == 404
    assert desk.directory.device(device.id) is None
    for change in ("registered", "updated", "deregistered", "described"):
        arguments: dict[str, dict[str, Any]] = {
            "registered": {"lifetime": 60},
            "updated": {},
            "deregistered": {"reason": "x"},
            "described": {"vendor_id": None, "device_class": None},
        }
        with pytest.raises(LookupError):
            getattr(desk.directory, change)(device.id, **arguments[change])
    assert account.get(EVENTS)["data"] == before


def test_devices_outlive_their_certificate(desk: Desk) -> None:
    """Devices of a certificate that was deleted stay what they are."""
    device = desk.account.device(desk.ca_id)
    desk.account.ask("DELETE", f"/v3/trusted-certificates/{desk.ca_id}")
    assert desk.account.get(f"{DEVICES}{device.id}/")["ca_id"] == desk.ca_id
    assert desk.directory.registered(device.id, lifetime=60).state == "registered"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "abc"),
        ("filter=state%3Dregistered", "b"),
        ("filter=state__neq%3Dregistered", "ac"),
        ("filter=state__in%3Dregistered%2Cderegistered", "bc"),
        ("filter=state__in%3Dregistered%252Cderegistered", "bc"),
        ("filter=state__nin%3Dregistered,deregistered", "a"),
        ("filter=state%3Dregistered%26vendor_id%3D" + "11" * 16, "b"),
        ("filter=state%3Dbootstrapped%26vendor_id%3D" + "11" * 16, ""),
        ("filter=created_at__gte%3D2026-11-21T12%253A00%253A01Z", "bc"),
        ("filter=created_at__gte%3D2026-11-21T12%3A00%3A01Z", "bc"),
        ("filter=created_at__gte%3D20261121T120001Z", "bc"),
        ("filter=created_at__lte%3D2026-11-21T12%253A00%253A01.000Z", "ab"),
        ("filter=created_at%3D2026-11-21T12%3A00%3A01.000000Z", "b"),
        ("filter=created_at__gte%3D20261121T120001Z%26created_at__lte%3D20261121T120001Z", "b"),
        ("filter=device_execution_mode%3D1", "abc"),
        ("filter=device_execution_mode%3D0", ""),
        ("filter=endpoint_type%3Ddefault", "bc"),
        ("filter=endpoint_type__neq%3Ddefault", "a"),
        ("filter=bootstrap_expiration_date__gte%3D2027-01-01", "abc"),
        ("filter=connector_expiration_date__gte%3D2017-01-01", ""),
        ("filter=custom_attributes__tag%3DTAG1", "b"),
        ("filter=custom_attributes__tag__eq%3DTAG1", "b"),
        ("filter=custom_attributes__tag__neq%3DTAG1", "ac"),
        ("filter=description%3Dred+and+blue", "c"),
        ("filter=description%3Dred%2Band%2Bblue", "c"),
        ("filter=description%3Dred%2520and%2520blue", "c"),
        ("filter=id%3D" + "c" * 32, "c"),
        ("filter=", "abc"),
        ("order=DESC", "cba"),
        ("order=desc&limit=2", "cb"),
    ],
)
def test_filters(desk: Desk, query: str, found: str) -> None:
    """Filters as clients send them: encoded once and twice, with every operator, alone and together."""
    account, directory = desk.account, desk.directory
    for number, name in enumerate("abc"):
        desk.set_to(NOON + number)
        account.device(desk.ca_id, name * 32)
    directory.registered("b" * 32, lifetime=60, endpoint_type="default")
    directory.described("b" * 32, "11" * 16, None)
    directory.registered("c" * 32, lifetime=60, endpoint_type="default")
    directory.deregistered("c" * 32, "x")
    directory.device("b" * 32).custom_attributes["tag"] = "TAG1"
    directory.device("c" * 32).description = "red and blue"
    rows = account.get(f"{DEVICES}?{query}")["data"]
    assert "".join(row["id"][0] for row in rows) == found


@pytest.mark.parametrize(
    "text",
    [
        "coffee%3D1",
        "state",
        "state__like%3Dr",
        "state__gte%3Dr",
        "id__%3D1",
        "__eq%3D1",
        "%3D",
        "created_at%3Dyesterday",
        "created_at__gte%3D2026-13-01T00:00:00Z",
        "created_at__gte%3D2026-11-21T12:00:00%2B01:00",
        "device_execution_mode%3Done",
        "auto_update%3Dmaybe",
        "custom_attributes%3Dx",
        "custom_attributes__%3Dx",
        "custom_attributes__a__in%3Dx",
        "state%3D%25FF",
        "a%3D1%26" * 101 + "a%3D1",
        "state%3D" + "x" * 9000,
    ],
)
def test_filters_that_cannot_be(desk: Desk, text: str) -> None:
    """What cannot be read, and fields and operators that there are not, are 400 and name the filter."""
    answer = desk.account.ask("GET", f"{DEVICES}?filter={text}")
    assert (answer.status_code, answer.json()["type"]) == (400, "validation_error")
    assert [field["name"] for field in answer.json()["fields"]] == ["filter"]


def test_events_by_filter(desk: Desk) -> None:
    """Events are found by device, by type, by what they changed and by time."""
    account = desk.account
    first = account.device(desk.ca_id)
    desk.set_to(NOON + 5)
    second = account.device(desk.ca_id)
    desk.directory.registered(second.id, lifetime=60)

    def found(text: str) -> list[tuple[str, str]]:
        rows = account.get(f"{EVENTS}?filter={text}")["data"]
        return [(row["device_id"], row["event_type"]) for row in rows]

    assert len(found(f"device_id%3D{first.id}")) == 2
    assert found("event_type%3Dregistration") == [(second.id, "registration")]
    assert found(f"event_type%3Dbootstrap%26device_id%3D{first.id}") == [(first.id, "bootstrap")]
    assert len(found("date_time__gte%3D2026-11-21T12%253A00%253A05Z")) == 3
    assert len(found("state_change%3DTrue")) == 5
    assert found("state_change%3Dfalse") == []
    assert account.ask("GET", f"{EVENTS}?filter=state%3Dregistered").status_code == 400
