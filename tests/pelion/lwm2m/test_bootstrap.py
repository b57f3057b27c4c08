"""Bootstrap as a device that is not ours goes through it: what it is given, and why it is refused."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from tests.pelion.lwm2m.raw_device import STEPS, take_bootstrap

if TYPE_CHECKING:
    from tests.pelion.lwm2m.conftest import Bootstrap, Connect
    from tests.pelion.lwm2m.device_site import Developer, DeviceSite
    from tests.pelion.lwm2m.raw_device import RawDevice


def begin(device: RawDevice, developer: Developer, *more: str) -> None:
    """Ask for a bootstrap and get it."""
    answer = device.ask("POST", "/bs", [*developer.claims, *more])
    assert str(answer.code) == "2.04 Changed", answer.payload


def counted(site: DeviceSite, developer: Developer) -> list[str]:
    """Return the ids of an account's devices."""
    return [each.id for each in site.devices(developer.account)]


def failure(site: DeviceSite, developer: Developer) -> tuple[str, str]:
    """Return step and reason of the one bootstrap that failed."""
    (note,) = site.notes(developer.account.id, "bootstrap failed")
    return note["step"], note["reason"]


def test_a_device_is_given_its_own_identity(
    site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect
) -> None:
    """URI, mode, certificate, authority and key are those by which the LwM2M server knows it."""
    developer = site.developer()
    given = bootstrap(developer)
    security = given.security
    assert sorted(security) == [0, 1, 2, 3, 4, 5, 10]
    assert security[0] == f"coaps://127.0.0.1:{site.lwm2m_port}".encode()
    assert security[1] == b"\x00"
    assert security[2] == b"\x02"
    assert security[4] == ssl.PEM_cert_to_DER_cert(site.issuing.lwm2m.pem)
    certificate = x509.load_der_x509_certificate(security[3])
    key = serialization.load_der_private_key(security[5], None)
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    assert [each.value for each in units] == [developer.account.id]
    assert given.resources("/1")[1] == (600).to_bytes(2, "big")
    assert given.resources("/1")[7] == b"U"
    assert given.resources("/1")[0] == security[10]
    moment = int.from_bytes(given.resources("/3")[13], "big")
    assert abs(moment - site.clock.now().timestamp()) < 60
    assert to_lwm2m(given.pair).socket.version() == "TLSv1.2"


def test_the_directory_knows_the_device(site: DeviceSite, bootstrap: Bootstrap) -> None:
    """One device with the id that its certificate says, bootstrapped by the developer certificate."""
    developer = site.developer()
    given = bootstrap(developer)
    (device,) = site.devices(developer.account)
    assert (device.id, device.ca_id, device.state) == (given.device_id, developer.id, "bootstrapped")
    assert device.certificate == given.security[3]
    expected = hashlib.sha256(developer.pair.der).hexdigest()
    assert device.device_key.replace(":", "") == expected
    assert ("bootstrap", device.id) in site.events(developer.account)
    assert [each["device_id"] for each in site.notes(developer.account.id, "bootstrap finished")] == [
        device.id
    ]


def test_two_devices_share_a_certificate_and_nothing_else(site: DeviceSite, bootstrap: Bootstrap) -> None:
    """Each gets an id and a key of its own."""
    developer = site.developer()
    first, second = bootstrap(developer), bootstrap(developer)
    assert first.device_id != second.device_id
    assert first.security[5] != second.security[5]
    assert sorted(counted(site, developer)) == sorted([first.device_id, second.device_id])


REFUSED = {
    "no endpoint": (["aid=ACCOUNT"], "4.00 Bad Request", "ep is missing"),
    "empty endpoint": (["ep=", "aid=ACCOUNT"], "4.00 Bad Request", "ep is missing"),
    "no account": (["ep=ENDPOINT"], "4.00 Bad Request", "aid is missing"),
    "another account": (["ep=ENDPOINT", "aid=" + "0" * 32], "4.03 Forbidden", "account is not the one"),
    "another endpoint": (["ep=" + "0" * 32, "aid=ACCOUNT"], "4.03 Forbidden", "not the CN"),
    "endpoint in capitals": (["ep=CAPITALS", "aid=ACCOUNT"], "4.03 Forbidden", "not the CN"),
    "longer endpoint": (["ep=ENDPOINT0", "aid=ACCOUNT"], "4.03 Forbidden", "not the CN"),
    "foreign internal name": (
        ["ep=ENDPOINT", "aid=ACCOUNT", "iep=" + "0" * 32],
        "4.03 Forbidden",
        "of no device with this certificate",
    ),
    "empty internal name": (
        ["ep=ENDPOINT", "aid=ACCOUNT", "iep="],
        "4.03 Forbidden",
        "of no device with this certificate",
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_who_says_something_else_than_the_certificate_is_refused(
    site: DeviceSite, to_bootstrap: Connect, case: str
) -> None:
    """The code says it, the log says why, and no device is counted."""
    developer = site.developer()
    claims, code, reason = REFUSED[case]
    query = [
        each.replace("ENDPOINT", developer.id)
        .replace("CAPITALS", developer.id.upper() + "A")
        .replace("ACCOUNT", developer.account.id)
        for each in claims
    ]
    answer = to_bootstrap(developer.pair).ask("POST", "/bs", query)
    assert str(answer.code) == code
    (note,) = site.notes(developer.account.id, "bootstrap refused")
    assert note["code"] == code[:4]
    assert reason in note["reason"]
    assert counted(site, developer) == []


def test_what_is_said_twice_is_refused(site: DeviceSite, to_bootstrap: Connect) -> None:
    """A query with two endpoint names is nobody's."""
    developer = site.developer()
    answer = to_bootstrap(developer.pair).ask("POST", "/bs", [*developer.claims, "ep=" + "0" * 32])
    assert str(answer.code) == "4.00 Bad Request"


def test_another_accounts_certificate_does_not_open_an_account(
    site: DeviceSite, to_bootstrap: Connect
) -> None:
    """It is trusted in the handshake, and refused when the device says that it belongs to somebody else."""
    mine, other = site.developer(), site.developer()
    device = to_bootstrap(other.pair)
    assert str(device.ask("POST", "/bs", mine.claims).code) == "4.03 Forbidden"
    mixed = [f"ep={other.id}", f"aid={mine.account.id}"]
    assert str(device.ask("POST", "/bs", mixed).code) == "4.03 Forbidden"
    assert counted(site, mine) == counted(site, other) == []
    assert len(site.notes(other.account.id, "bootstrap refused")) == 2


def test_a_certificate_of_a_developer_certificate_is_none(site: DeviceSite, to_bootstrap: Connect) -> None:
    """What a developer certificate signs passes the handshake, and is refused: it is none of the service."""
    from tests.pelion.lwm2m.device_site import make_developer_pair

    developer = site.developer()
    signer = (
        x509.load_pem_x509_certificate(developer.pair.certificate.encode()),
        serialization.load_pem_private_key(developer.pair.key.encode(), None),
    )
    leaf = make_developer_pair("f" * 32, developer.account.id, signer=signer)  # type: ignore[arg-type] # EC
    answer = to_bootstrap(leaf).ask("POST", "/bs", developer.claims)
    assert str(answer.code) == "4.03 Forbidden"
    (note,) = site.notes(developer.account.id, "bootstrap refused")
    assert "no developer certificate" in note["reason"]


def test_a_certificate_that_is_deleted_opens_nothing_more(site: DeviceSite, to_bootstrap: Connect) -> None:
    """Also on a connection that it has opened before."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    site.drop(developer)
    assert str(device.ask("POST", "/bs", developer.claims).code) == "4.03 Forbidden"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        to_bootstrap(developer.pair).ask("POST", "/bs", developer.claims)


def test_a_device_that_was_bootstrapped_stays_the_same(site: DeviceSite, bootstrap: Bootstrap) -> None:
    """With its internal name it gets a new certificate for the same id."""
    developer = site.developer()
    first = bootstrap(developer)
    second = bootstrap(developer, f"iep={first.device_id}")
    assert second.device_id == first.device_id
    assert second.security[3] != first.security[3]
    (device,) = site.devices(developer.account)
    assert device.certificate == second.security[3]
    assert [kind for kind, _device in site.events(developer.account)].count("bootstrap") == 2


def test_nobody_takes_another_devices_name(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect
) -> None:
    """Neither with another certificate of the account nor with one of another account."""
    developer = site.developer()
    known = bootstrap(developer)
    for other in (site.developer(developer.account), site.developer()):
        device = to_bootstrap(other.pair)
        answer = device.ask("POST", "/bs", [*other.claims, f"iep={known.device_id}"])
        assert str(answer.code) == "4.03 Forbidden"
    (kept,) = site.devices(developer.account)
    assert kept.certificate == known.security[3]


def test_a_device_that_was_deleted_comes_back_under_its_name(site: DeviceSite, bootstrap: Bootstrap) -> None:
    """Its internal name was its own: it is made again."""
    developer = site.developer()
    first = bootstrap(developer)
    (device,) = site.devices(developer.account)
    site.call(lambda: site.directory.delete(device))
    again = bootstrap(developer, f"iep={first.device_id}")
    assert counted(site, developer) == [first.device_id] == [again.device_id]


def test_one_device_too_many_is_refused(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect
) -> None:
    """With an event; a device that is counted already may come again."""
    developer = site.developer(site.account(devices=2))
    first = bootstrap(developer)
    bootstrap(developer)
    answer = to_bootstrap(developer.pair).ask("POST", "/bs", developer.claims)
    assert str(answer.code) == "4.03 Forbidden"
    assert ("refusal", "") in site.events(developer.account)
    assert "2 devices" in site.notes(developer.account.id, "bootstrap refused")[0]["reason"]
    bootstrap(developer, f"iep={first.device_id}")
    assert len(counted(site, developer)) == 2


def test_devices_under_way_take_room(site: DeviceSite, to_bootstrap: Connect) -> None:
    """Two at once do not slip past the limit together; when one breaks off there is room again."""
    developer = site.developer(site.account(devices=1))
    first, second = to_bootstrap(developer.pair), to_bootstrap(developer.pair)
    begin(first, developer)
    take_bootstrap(first, stop_at="security")
    assert str(second.ask("POST", "/bs", developer.claims).code) == "4.03 Forbidden"
    first.answer_wrongly()
    assert first.is_closed()
    begin(second, developer)
    take_bootstrap(second)
    second.ask("GET", "/nothing")
    assert len(counted(site, developer)) == 1


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", ["BAD_REQUEST", "CONTENT"])
def test_whatever_a_device_answers_otherwise_ends_its_bootstrap(
    site: DeviceSite, to_bootstrap: Connect, step: str, code: str
) -> None:
    """The connection ends, the log says at which step, and no device is counted."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    take_bootstrap(device, answers={step: code})
    assert device.is_closed()
    where, reason = failure(site, developer)
    assert where == step
    assert f"answered {'4.00' if code == 'BAD_REQUEST' else '2.05'}" in reason
    assert counted(site, developer) == []
    assert site.events(developer.account) == []


def test_one_bootstrap_at_a_time(site: DeviceSite, to_bootstrap: Connect) -> None:
    """A second request on the same connection is refused while the first is under way."""
    developer = site.developer()
    device = to_bootstrap(developer.pair)
    begin(device, developer)
    take_bootstrap(device, stop_at="delete")
    assert str(device.ask("POST", "/bs", developer.claims).code) == "4.00 Bad Request"


@pytest.mark.parametrize(
    ("code", "path", "expected"),
    [
        ("GET", "/bs", "4.05 Method Not Allowed"),
        ("DELETE", "/bs", "4.05 Method Not Allowed"),
        ("POST", "/", "4.04 Not Found"),
        ("POST", "/bs/bs", "4.04 Not Found"),
        ("POST", "/rd", "4.04 Not Found"),
    ],
)
def test_there_is_nothing_else(
    site: DeviceSite, to_bootstrap: Connect, code: str, path: str, expected: str
) -> None:
    """Other paths and methods are refused as RFC 7252 says."""
    developer = site.developer()
    assert str(to_bootstrap(developer.pair).ask(code, path, developer.claims).code) == expected
