"""What is ordered to go wrong goes wrong, at its step, for its account, once."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.pelion.lwm2m.raw_device import EXPECTED, STEPS, RawDevice, read_tlv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pelion.lwm2m.conftest import Bootstrap, Connect, Register
    from tests.pelion.lwm2m.device_site import DeviceSite


def lead_to(device: RawDevice, step: str) -> None:
    """Answer every question before a step."""
    for name, (method, _path) in zip(STEPS, EXPECTED, strict=True):
        if name == step:
            return
        device.answer(device.next_request(), "DELETED" if method == "DELETE" else "CHANGED")


@pytest.mark.parametrize("code", ["4.00", "4.03", "5.03", None])
def test_a_bootstrap_is_refused_with_a_code(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect, code: str | None
) -> None:
    """As ordered, 4.03 when no code was; the next one goes well."""
    developer = site.developer()
    details = {} if code is None else {"code": code}
    site.order(developer, "bootstrap", "refuse", "request", **details)
    answer = to_bootstrap(developer.pair).ask("POST", "/bs", developer.claims)
    assert answer.code.dotted == (code or "4.03")
    bootstrap(developer)
    assert len(site.devices(developer.account)) == 1


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["close", "refuse"])
def test_a_bootstrap_ends_at_a_step(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect, kind: str, step: str
) -> None:
    """Instead of the question the connection ends; nothing is counted, and a retry is the first device."""
    developer = site.developer(site.account(devices=1))
    site.order(developer, "bootstrap", kind, step)
    device = to_bootstrap(developer.pair)
    device.ask("POST", "/bs", developer.claims)
    lead_to(device, step)
    assert device.is_closed()
    assert site.wait_for_note(developer.account.id, "bootstrap failed")["step"] == step
    assert site.devices(developer.account) == []
    bootstrap(developer)


@pytest.mark.parametrize("step", ["handshake", "request", *STEPS])
def test_a_bootstrap_stops_at_a_step(hasty_site: DeviceSite, tmp_path: Path, step: str) -> None:
    """Nothing is said any more until the time is over; nothing is counted."""
    developer = hasty_site.developer()
    hasty_site.order(developer, "bootstrap", "hold", step)
    begun = time.monotonic()
    with (
        pytest.raises((AssertionError, OSError), match=r"closed|EOF|reset"),
        RawDevice(
            hasty_site.bootstrap_port, developer.pair, hasty_site.issuing.bootstrap.pem, tmp_path
        ) as device,
    ):
        device.ask("POST", "/bs", developer.claims)
        lead_to(device, step)
        device.read()
    assert time.monotonic() - begun >= 0.2
    assert hasty_site.devices(developer.account) == []
    (note,) = hasty_site.notes(developer.account.id, "fault")
    assert (note["kind"], note["step"]) == ("hold", step)


@pytest.mark.parametrize(("kind", "seen"), [("refuse", "(?i)access.denied"), ("close", "(?i)eof|reset")])
def test_a_handshake_fails(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect, kind: str, seen: str
) -> None:
    """With an alert, or without a word; only for devices of the account, and once."""
    developer, other = site.developer(), site.developer()
    site.order(developer, "bootstrap", kind, "handshake")
    bootstrap(other)
    with pytest.raises((ssl.SSLError, ConnectionError), match=seen):
        to_bootstrap(developer.pair)
    bootstrap(developer)


@pytest.mark.parametrize("step", ["security", "server", "device"])
def test_damaged_tlv_is_cut_short(site: DeviceSite, to_bootstrap: Connect, step: str) -> None:
    """A reader finds that bytes are missing; a device that says so ends the bootstrap."""
    developer = site.developer()
    site.order(developer, "bootstrap", "damaged-tlv", step)
    device = to_bootstrap(developer.pair)
    device.ask("POST", "/bs", developer.claims)
    lead_to(device, step)
    request = device.next_request()
    with pytest.raises(AssertionError):
        read_tlv(request.payload)
    device.answer(request, "BAD_REQUEST")
    assert device.is_closed()
    assert site.devices(developer.account) == []


def test_a_wrong_device_certificate_does_not_fit_its_key(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect
) -> None:
    """Name and authority are right, the key is another's."""
    developer = site.developer()
    site.order(developer, "bootstrap", "wrong-device-certificate", "security")
    given = bootstrap(developer)
    certificate = x509.load_der_x509_certificate(given.security[3])
    key = serialization.load_der_private_key(given.security[5], None)
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form)
    with pytest.raises(ssl.SSLError, match=r"(?i)mismatch"):
        to_lwm2m(given.pair)


def test_a_wrong_server_certificate_is_not_trusted(
    site: DeviceSite, bootstrap: Bootstrap, tmp_path: Path
) -> None:
    """The device is told to trust somebody else: it must refuse the LwM2M server."""
    developer = site.developer()
    site.order(developer, "bootstrap", "wrong-server-certificate", "security")
    given = bootstrap(developer)
    told = ssl.DER_cert_to_PEM_cert(given.security[4])
    with pytest.raises(ssl.SSLCertVerificationError):
        RawDevice(site.lwm2m_port, given.pair, told, tmp_path)


@pytest.mark.parametrize("step", ["register", "update", "deregister"])
@pytest.mark.parametrize("kind", ["refuse", "close"])
def test_a_registration_fails_at_a_step(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register, kind: str, step: str
) -> None:
    """With the code, or without a word; nothing of what was asked has happened."""
    developer = site.developer()
    given = bootstrap(developer)
    device = to_lwm2m(given.pair)
    query = [f"ep={given.device_id}", "lt=600"]
    method, path = ("POST", "/rd") if step == "register" else ("POST", register(device, given, objects=b""))
    method = "DELETE" if step == "deregister" else method
    site.order(developer, "lwm2m", kind, step, code="5.03")
    before = [str(each.state) for each in site.devices(developer.account)]
    if kind == "refuse":
        answer = device.ask(method, path, query if step == "register" else ())
        assert answer.code.dotted == "5.03"
    else:
        with pytest.raises((AssertionError, OSError), match=r"closed|EOF|reset"):
            device.ask(method, path, query if step == "register" else ())
    assert [str(each.state) for each in site.devices(developer.account)] == before


@pytest.mark.parametrize("step", ["vendor", "class"])
def test_a_device_is_not_asked_whose_it_is(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect, register: Register, step: str
) -> None:
    """It stays registered, and the directory does not know."""
    developer = site.developer()
    given = bootstrap(developer)
    site.order(developer, "lwm2m", "refuse", step)
    device = to_lwm2m(given.pair)
    register(device, given)
    if step == "class":
        device.answer(device.next_request(), "CONTENT", bytes(16), 42)
    assert "a fault" in site.wait_for_note(developer.account.id, "description failed")["reason"]
    (record,) = site.devices(developer.account)
    assert (record.state, record.vendor_id, record.device_class) == ("registered", "", "")


def test_a_fault_is_nobody_elses(site: DeviceSite, bootstrap: Bootstrap) -> None:
    """Devices of another account do not meet it."""
    developer, other = site.developer(), site.developer()
    site.order(developer, "bootstrap", "close", None)
    bootstrap(other)
    assert len(site.devices(other.account)) == 1


def test_a_lost_end_of_a_bootstrap_leaves_one_device(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect
) -> None:
    """A device that never hears of the end begins anew: what was given before is nobody's."""
    developer = site.developer(site.account(devices=1))
    site.order(developer, "bootstrap", "close", "finish")
    device = to_bootstrap(developer.pair)
    device.ask("POST", "/bs", developer.claims)
    lead_to(device, "finish")
    assert device.is_closed()
    given = bootstrap(developer)
    assert [each.id for each in site.devices(developer.account)] == [given.device_id]
