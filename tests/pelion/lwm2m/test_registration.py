"""Registration, update and deregistration, as a device that is not ours does them."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from tests.pelion.lwm2m.device_site import Pair
from tests.pelion.lwm2m.raw_device import OBJECTS, TLV

if TYPE_CHECKING:
    from harness_pelion.fake.issuing import Credential
    from tests.pelion.lwm2m.conftest import Bootstrap, Connect, Register
    from tests.pelion.lwm2m.device_site import DeviceSite
    from tests.pelion.lwm2m.raw_device import RawDevice

VENDOR = bytes.fromhex("fa6b4a53d5ad5fdfbe9de663e4d41ffe")
CLASS = bytes.fromhex("4d131344feab5a2e84a20dccdd905f35")
"""The ids of arm.com and its dev-device (pelion fact sheet, section 5.1)."""


def describe(
    device: RawDevice,
    vendor: bytes | None = VENDOR,
    device_class: bytes | None = CLASS,
    form: int | None = 42,
) -> None:
    """Answer what the server asks after a registration; then see that it has taken it."""
    for path, value in (("/10255/0/3", vendor), ("/10255/0/4", device_class)):
        request = device.next_request()
        assert device.seen[-1] == ("GET", path)
        if value is None:
            device.answer(request, "NOT_FOUND")
        else:
            device.answer(request, "CONTENT", value, form)
    assert str(device.ask("GET", "/nothing").code) == "4.04 Not Found"


def test_a_registered_device_says_whose_it_is(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """The directory has state, lifetime, type, vendor and class; the events are in order."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    register(device, given)
    (record,) = site.devices(developer.account)
    assert (record.state, record.lifetime, record.endpoint_type) == ("registered", 600, "default")
    describe(device)
    site.wait_until(lambda: record.device_class != "")
    assert record.vendor_id == "fa6b4a53d5ad5fdfbe9de663e4d41ffe"
    assert record.device_class == "4d131344feab5a2e84a20dccdd905f35"
    kinds = [kind for kind, _device in site.events(developer.account)]
    assert kinds.index("bootstrap") < kinds.index("registration")


def test_a_device_may_tell_its_ids_in_tlv(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """A resource of OMA-TLV is read for its value."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    register(device, given)
    describe(device, b"\xc8\x03\x10" + VENDOR, b"\xc8\x04\x10" + CLASS, TLV)
    (record,) = site.devices(developer.account)
    site.wait_until(lambda: record.device_class != "")
    assert (record.vendor_id, record.device_class) == (VENDOR.hex(), CLASS.hex())


def test_a_device_may_have_no_ids(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """Then the directory has none; one of a wrong size is noted, not taken."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    register(device, given)
    describe(device, None, None)
    (record,) = site.devices(developer.account)
    assert (record.vendor_id, record.device_class) == ("", "")
    register(device, given)
    request = device.next_request()
    device.answer(request, "CONTENT", VENDOR[:15], 42)
    device.ask("GET", "/nothing")
    assert "15 bytes" in site.wait_for_note(developer.account.id, "description failed")["reason"]
    assert record.vendor_id == ""


@pytest.mark.parametrize(
    "value",
    [b"\xc8\x03\x10" + VENDOR[:8], b"", b"\x00\x00", b"\xc1\x00a\xc1\x01b"],
    ids=["cut", "no", "instance", "two"],
)
def test_ids_in_tlv_that_cannot_be_read_are_not_taken(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register, value: bytes
) -> None:
    """What is damaged is noted; the device stays registered."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    register(device, given)
    device.answer(device.next_request(), "CONTENT", value, TLV)
    site.wait_for_note(developer.account.id, "description failed")
    (record,) = site.devices(developer.account)
    assert (record.state, record.vendor_id) == ("registered", "")


def test_who_has_no_update_object_is_not_asked(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """The next message is the answer to the next request."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    location = register(device, given, objects=b"</1/0>,</3/0>")
    assert str(device.ask("POST", location).code) == "2.04 Changed"
    assert device.seen == []


def test_the_name_of_before_is_the_devices_too(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """Which of its two names a device registers by is not public."""
    developer = site.developer()
    given = bootstrap(developer)
    register(to_lwm2m(given.pair), given, f"ep={developer.id}", f"aid={developer.account.id}", objects=b"")
    assert site.devices(developer.account)[0].state == "registered"


REFUSED = {
    "no endpoint": (["lt=600"], b"", "4.00 Bad Request"),
    "another endpoint": (["ep=" + "0" * 32], b"", "4.03 Forbidden"),
    "another account": (["ep=DEVICE", "aid=" + "0" * 32], b"", "4.03 Forbidden"),
    "no lifetime": (["ep=DEVICE", "lt="], b"", "4.00 Bad Request"),
    "lifetime of nothing": (["ep=DEVICE", "lt=0"], b"", "4.00 Bad Request"),
    "lifetime of a word": (["ep=DEVICE", "lt=long"], b"", "4.00 Bad Request"),
    "lifetime below nothing": (["ep=DEVICE", "lt=-600"], b"", "4.00 Bad Request"),
    "lifetime too long": (["ep=DEVICE", "lt=4294967296"], b"", "4.00 Bad Request"),
    "lifetime twice": (["ep=DEVICE", "lt=1", "lt=2"], b"", "4.00 Bad Request"),
    "no binding": (["ep=DEVICE", "b=X"], b"", "4.00 Bad Request"),
    "another version": (["ep=DEVICE", "lwm2m=1.1"], b"", "4.12 Precondition Failed"),
    "no links": (["ep=DEVICE"], b"objects", "4.00 Bad Request"),
    "half a link": (["ep=DEVICE"], b"</1/0>,</3/0", "4.00 Bad Request"),
    "a link that is no text": (["ep=DEVICE"], b"</\xff>", "4.00 Bad Request"),
    "a comma at the end": (["ep=DEVICE"], b"</1/0>,", "4.00 Bad Request"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_makes_no_sense_is_refused(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, case: str
) -> None:
    """And nothing is registered."""
    developer = site.developer()
    given = bootstrap(developer)
    query, body, code = REFUSED[case]
    answer = to_lwm2m(given.pair).ask(
        "POST",
        "/rd",
        [each.replace("DEVICE", given.device_id) for each in query],
        payload=body,
        content_format=40,
    )
    assert str(answer.code) == code
    assert site.devices(developer.account)[0].state == "bootstrapped"


def test_another_format_is_refused(site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect) -> None:
    """The objects are listed as links, not as JSON."""
    developer = site.developer()
    given = bootstrap(developer)
    answer = to_lwm2m(given.pair).ask(
        "POST", "/rd", [f"ep={given.device_id}"], payload=b"[]", content_format=50
    )
    assert str(answer.code) == "4.15 Unsupported Content Format"


def test_nobody_registers_without_bootstrap(site: DeviceSite, to_lwm2m: Connect) -> None:
    """A certificate of the right authority, for a device that no bootstrap has made."""
    account = site.account()
    made = site.issuing.lwm2m.issue_device("a" * 32, account.id, site.clock.now())
    answer = to_lwm2m(_pair(made)).ask("POST", "/rd", ["ep=" + "a" * 32, "lt=600"], payload=OBJECTS)
    assert str(answer.code) == "4.03 Forbidden"
    (note,) = site.notes(account.id, "registration refused")
    assert (note["code"], note["device_id"]) == ("4.03", "a" * 32)


def test_a_certificate_that_a_device_did_not_get_is_refused(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect
) -> None:
    """Also when it is of the right authority and has the device's name; and so is the one of before."""
    developer = site.developer()
    given = bootstrap(developer)
    other = site.issuing.lwm2m.issue_device(given.device_id, developer.account.id, site.clock.now())
    bootstrap(developer, f"iep={given.device_id}")
    for pair in (_pair(other), given.pair):
        answer = to_lwm2m(pair).ask("POST", "/rd", [f"ep={given.device_id}", "lt=600"])
        assert str(answer.code) == "4.03 Forbidden"


def test_a_device_is_not_served_after_its_deletion(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """Neither its registration nor a new one."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    location = register(device, given, objects=b"")
    (record,) = site.devices(developer.account)
    site.call(lambda: site.directory.delete(record))
    assert str(device.ask("POST", location).code) == "4.03 Forbidden"
    assert str(device.ask("POST", "/rd", [f"ep={given.device_id}"]).code) == "4.03 Forbidden"
    assert site.devices(developer.account) == []


def test_a_device_is_not_served_without_its_developer_certificate(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """Deleting the developer certificate ends what its devices may do."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    location = register(device, given, objects=b"")
    site.drop(developer)
    assert str(device.ask("POST", location).code) == "4.03 Forbidden"
    assert str(to_lwm2m(given.pair).ask("POST", "/rd", [f"ep={given.device_id}"]).code) == "4.03 Forbidden"


def test_an_update_goes_to_the_location(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """Nothing else has it: not another location, not another device, not the one of a registration before."""
    developer = site.developer()
    given, other = bootstrap(developer), bootstrap(developer)
    device, foreign = to_lwm2m(given.pair), to_lwm2m(other.pair)
    old = register(device, given, objects=b"")
    location = register(device, given, objects=b"")
    register(foreign, other, objects=b"")
    assert location != old
    assert str(device.ask("POST", location, ["lt=1200"]).code) == "2.04 Changed"
    assert site.call(lambda: site.directory.device(given.device_id)).lifetime == 1200
    assert str(device.ask("POST", location).code) == "2.04 Changed"
    assert site.call(lambda: site.directory.device(given.device_id)).lifetime == 1200
    assert str(device.ask("POST", old).code) == "4.04 Not Found"
    assert str(device.ask("POST", "/rd/nothing").code) == "4.04 Not Found"
    assert str(foreign.ask("POST", location).code) == "4.04 Not Found"
    assert str(foreign.ask("DELETE", location).code) == "4.04 Not Found"
    assert str(device.ask("POST", location, ["lt=never"]).code) == "4.00 Bad Request"
    assert str(device.ask("PUT", location).code) == "4.05 Method Not Allowed"
    assert str(device.ask("GET", "/rd").code) == "4.05 Method Not Allowed"
    states = {each.id: each.state for each in site.devices(developer.account)}
    assert states == {given.device_id: "registered", other.device_id: "registered"}


def test_an_update_may_come_by_another_connection(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """The certificate says who it is, not the connection."""
    developer = site.developer()
    given = bootstrap(developer)
    first = to_lwm2m(given.pair)
    location = register(first, given, objects=b"")
    first.socket.close()
    assert str(to_lwm2m(given.pair).ask("POST", location).code) == "2.04 Changed"


def test_an_update_with_objects_is_asked_about(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """A device that has got an update object later is described later."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    location = register(device, given, objects=b"</3/0>")
    assert str(device.ask("POST", location, payload=OBJECTS, content_format=40).code) == "2.04 Changed"
    describe(device)
    (record,) = site.devices(developer.account)
    site.wait_until(lambda: record.device_class != "")  # the server hears the last answer later
    assert record.vendor_id == VENDOR.hex()


def test_a_device_that_deregisters_is_gone(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """With an event that says that it did it; its location is no more, and it may register again."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    location = register(device, given, objects=b"")
    assert str(device.ask("DELETE", location).code) == "2.02 Deleted"
    assert site.devices(developer.account)[0].state == "deregistered"
    assert ("deregistration", given.device_id) in site.events(developer.account)
    assert site.notes(developer.account.id, "deregistered")[0]["reason"] == "by the device"
    assert str(device.ask("POST", location).code) == "4.04 Not Found"
    register(device, given, objects=b"")
    assert site.devices(developer.account)[0].state == "registered"


def test_a_registration_ends_with_a_new_bootstrap(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register
) -> None:
    """The identity that it was made with is not the device's any more."""
    developer = site.developer()
    given = bootstrap(developer)
    location = register(to_lwm2m(given.pair), given, objects=b"")
    again = bootstrap(developer, f"iep={given.device_id}")
    device = to_lwm2m(again.pair)
    assert str(device.ask("POST", location).code) == "4.04 Not Found"
    assert site.devices(developer.account)[0].state == "bootstrapped"


def test_there_is_nothing_else(site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect) -> None:
    """Other paths are not found."""
    device = to_lwm2m(bootstrap(site.developer()).pair)
    for path in ("/", "/bs", "/rd/a/b", "/.well-known/core"):
        assert str(device.ask("POST", path).code) == "4.04 Not Found"


def _pair(credential: Credential) -> Pair:
    """Return a certificate and key of the fake's own making as PEM."""
    key = serialization.load_der_private_key(credential.key, None)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate=ssl.DER_cert_to_PEM_cert(credential.certificate), key=pem.decode())
