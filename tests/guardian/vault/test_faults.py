"""Faults that are ordered of the Vault, each as hvac or OpenSSL sees it; and the log of calls."""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING, Any

import httpx
import hvac.exceptions
import pytest
import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from harness_guardian.vault.faults import MOST_FAULTS, VaultFaults
from tests.guardian.making import make_csr, make_key
from tests.guardian.vault.authority import pem_of_csr
from tests.guardian.vault.served import TOKEN, first_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guardian.vault.authority import Mounted

DEADLINE = 20.0


@pytest.fixture(autouse=True)
def no_fault_stays(mounted: Mounted) -> Iterator[None]:
    """Take back what a test ordered."""
    yield
    mounted.vault.on_its_loop(lambda: mounted.vault.service.faults.remove_all_of(""))


@pytest.fixture(scope="module")
def profile_key(mounted: Mounted) -> str:
    """Give a key that belongs to the system by its name."""
    mounted.client.sys.enable_secrets_engine("transit")
    name = f"{mounted.system}-profile-signer"
    mounted.client.secrets.transit.create_key(name, key_type="ecdsa-p256")
    return name


def order(mounted: Mounted, call: str, kind: str, **settings: Any) -> str:
    """Order a fault for the system."""
    return mounted.vault.order(system=mounted.system, call=call, kind=kind, **settings)


def log(mounted: Mounted, call: str) -> list[dict[str, Any]]:
    """Return the calls of one sort that the log has of the system."""
    return [entry for entry in mounted.vault.service.log.of_system(mounted.system) if entry["call"] == call]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, hvac.exceptions.InvalidRequest),
        (403, hvac.exceptions.Forbidden),
        (404, hvac.exceptions.InvalidPath),
        (429, hvac.exceptions.RateLimitExceeded),
        (500, hvac.exceptions.InternalServerError),
        (501, hvac.exceptions.VaultNotInitialized),
        (502, hvac.exceptions.BadGateway),
        (503, hvac.exceptions.VaultDown),
    ],
)
def test_status_is_hvacs_exception(mounted: Mounted, status: int, kind: type[Exception]) -> None:
    """Each status with its texts is the exception that hvac has for it; nothing was signed; once."""
    order(mounted, "sign", "status", status=status, errors=("one", "two"))
    with pytest.raises(kind) as refused:
        mounted.issued()

    assert getattr(refused.value, "errors", None) == ["one", "two"]
    assert (log(mounted, "sign")[-1]["status"], log(mounted, "sign")[-1]["serial"]) == (status, None)
    mounted.issued()


def test_other_key_is_in_the_certificate(mounted: Mounted) -> None:
    """The certificate is real, of the same kind of key, and for another key."""
    for kind in ("P-256", "P-384", "Ed25519"):
        order(mounted, "sign", "wrong-key")
        key = make_key(kind)
        leaf = x509.load_pem_x509_certificate(mounted.issued(key)["certificate"].encode())
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(mounted.intermediate.encode()))
        assert type(leaf.public_key()) is type(key.public_key())
        assert leaf.public_key() != key.public_key()


def test_other_subject_is_in_the_certificate(mounted: Mounted) -> None:
    """The certificate is real, has the key, and names somebody else."""
    order(mounted, "sign", "wrong-subject")
    key = make_key()
    leaf = x509.load_pem_x509_certificate(mounted.issued(key, "SN-7")["certificate"].encode())

    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(mounted.intermediate.encode()))
    assert leaf.public_key() == key.public_key()
    names = [part.value for part in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    assert len(names) == 1
    assert names != ["SN-7"]


def test_certificates_signature_is_broken(mounted: Mounted) -> None:
    """All is right but the signature."""
    order(mounted, "sign", "bad-signature")
    leaf = x509.load_pem_x509_certificate(mounted.issued()["certificate"].encode())
    with pytest.raises(InvalidSignature):
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(mounted.intermediate.encode()))


def test_profiles_signature_is_broken(mounted: Mounted, profile_key: str) -> None:
    """The engine itself does not take what it signed then, in either form; the next one is right again."""
    transit = mounted.client.secrets.transit
    content = base64.b64encode(b"content").decode()
    for form in ("asn1", "jws"):
        order(mounted, "sign-profile", "bad-signature")
        told = []
        for _time in range(2):
            made = transit.sign_data(profile_key, content, marshaling_algorithm=form)["data"]["signature"]
            judged = transit.verify_signed_data(
                profile_key, content, signature=made, marshaling_algorithm=form
            )
            told.append(judged["data"]["valid"])
        assert told == [False, True]


def test_hang_up_is_no_answer(mounted: Mounted) -> None:
    """The connection ends without an answer, and nothing was signed."""
    order(mounted, "sign", "hang-up")
    before = mounted.listed()
    with pytest.raises(requests.ConnectionError):
        mounted.issued()

    assert log(mounted, "sign")[-1]["status"] is None
    assert mounted.listed() == before


def test_issuer_is_unknown(mounted: Mounted) -> None:
    """Reading or signing says so in the documented words."""
    for call in ("sign", "read-issuer"):
        order(mounted, call, "unknown-issuer")
        with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
            if call == "sign":
                mounted.issued()
            else:
                mounted.client.secrets.pki.read_issuer("default", mount_point=mounted.mount)
        assert "unable to find PKI issuer for reference: intermediate" in first_error(refused.value)


def test_fault_of_one_certificate_spares_the_others(mounted: Mounted) -> None:
    """A fault with a serial number, however it is spelled, strikes the calls of that certificate alone."""
    one, other = mounted.issued()["serial_number"], mounted.issued()["serial_number"]
    order(mounted, "read-certificate", "not-found", serial=one.replace(":", "-").upper(), times=None)

    for _time in range(2):
        with pytest.raises(hvac.exceptions.InvalidPath):
            mounted.read(one)
        mounted.read(other)


def test_any_call_is_one_of_a_request(mounted: Mounted) -> None:
    """The fault of any call strikes the first of them, and not the revocation behind it."""
    serial = mounted.issued()["serial_number"]
    order(mounted, "any", "status", status=500)
    mounted.client.secrets.pki.revoke_certificate(serial, mount_point=mounted.mount)
    with pytest.raises(hvac.exceptions.InternalServerError):
        mounted.read(serial)


def test_fault_of_another_system_strikes_nobody_here(mounted: Mounted) -> None:
    """Faults are ordered for systems."""
    mounted.vault.order(system="f" * 32, call="any", kind="status")
    mounted.issued()
    order(mounted, "sign", "status")
    mounted.client.secrets.pki.read_issuer("default", mount_point=mounted.mount)


def test_removed_fault_ends_its_delay(mounted: Mounted) -> None:
    """A delay that is taken back ends at once, and the call is answered."""
    begun = threading.Event()

    def concerns(system: str) -> bool:
        begun.set()
        return system == mounted.system

    on_its_loop, faults = mounted.vault.on_its_loop, mounted.vault.service.faults
    fault = on_its_loop(lambda: faults.order(concerns=concerns, call="sign", kind="delay", seconds=3000.0))
    done: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: done.append(mounted.issued()))
    thread.start()
    assert begun.wait(DEADLINE)
    assert on_its_loop(lambda: faults.remove(fault))
    thread.join(DEADLINE)
    assert done
    assert not on_its_loop(lambda: faults.remove(fault))


def test_what_nobody_waits_for_is_not_signed(mounted: Mounted) -> None:
    """A caller that goes away during a delay leaves no certificate behind that nobody knows of."""
    serial = mounted.issued()["serial_number"]
    fault = order(mounted, "sign", "delay", seconds=3000.0, times=None)
    before = len(mounted.listed())
    with pytest.raises(httpx.TimeoutException):
        httpx.post(
            f"{mounted.vault.url}/v1/{mounted.mount}/sign/open",
            json={"csr": pem_of_csr(make_csr(make_key(), "a")), "common_name": "a"},
            headers={"X-Vault-Token": TOKEN},
            timeout=0.2,
        )
    faults = mounted.vault.service.faults
    mounted.read(serial)  # comes after the departure
    mounted.vault.on_its_loop(lambda: faults.remove(fault))
    mounted.issued()

    assert len(mounted.listed()) == before + 1
    assert [entry["status"] for entry in log(mounted, "sign")[-2:]] == [None, 200]


def test_log_says_what_was_asked(mounted: Mounted, profile_key: str) -> None:
    """Each call with its subject, system, role, serial number and status; headers say what it was for."""
    begun = len(mounted.vault.service.log.of_system(mounted.system))
    headers = {"X-Guardian-Request": "r-1", "X-Guardian-Slot": "tls"}
    body = {"csr": pem_of_csr(make_csr(make_key(), "a")), "common_name": "a", "exclude_cn_from_sans": True}
    adapter = mounted.client.adapter
    serial = adapter.post(f"/v1/{mounted.mount}/issuer/intermediate/sign/open", json=body, headers=headers)[
        "data"
    ]["serial_number"]
    mounted.read(serial)
    mounted.client.secrets.pki.revoke_certificate(serial, mount_point=mounted.mount)
    mounted.client.secrets.pki.read_issuer("default", mount_point=mounted.mount)
    mounted.client.secrets.transit.sign_data(profile_key, "AAAA")
    with pytest.raises(hvac.exceptions.InvalidPath):
        mounted.read("01:02")
    mounted.client.secrets.pki.list_roles(mount_point=mounted.mount)
    entries = mounted.vault.service.log.of_system(mounted.system)[begun:]
    issuer = x509.load_pem_x509_certificate(mounted.intermediate.encode()).serial_number

    assert [
        (entry["call"], entry["role"], entry["slot"], entry["serial"], entry["status"], entry["request_id"])
        for entry in entries
    ] == [
        ("sign", "open", "tls", serial, 200, "r-1"),
        ("read-certificate", None, None, serial, 200, None),
        ("revoke", None, None, serial, 200, None),
        ("read-issuer", None, None, colons(issuer), 200, None),
        ("sign-profile", None, None, None, 200, None),
        ("read-certificate", None, None, "01:02", 404, None),
        ("other", None, None, None, 200, None),
    ]
    assert {entry["system"] for entry in entries} == {mounted.system}
    times = [entry["at"] for entry in entries]
    assert times == sorted(times)
    assert all(entry["seconds"] > 0 for entry in entries)


def test_log_takes_no_nonsense_as_a_purpose(mounted: Mounted) -> None:
    """A header that is too long or no text is not kept."""
    for value in ("x" * 65, "\x9c", ""):
        headers = {"X-Guardian-Request": value.encode("latin-1")}
        mounted.client.adapter.get(f"/v1/{mounted.mount}/roles/open", headers=headers)
        assert mounted.vault.service.log.of_system(mounted.system)[-1]["request_id"] is None


def colons(number: int) -> str:
    """Write a serial number in pairs of digits."""
    digits = f"{number:040x}"
    return ":".join(digits[place : place + 2] for place in range(0, 40, 2))


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"call": "sing", "kind": "status"}, "call: 'sing'; expected one of any, read-certificate"),
        ({"call": "sign", "kind": "odd"}, "kind: 'odd'; expected one of bad-signature"),
        ({"call": "sign-profile", "kind": "wrong-key"}, "kind: 'wrong-key' cannot happen to 'sign-profile'"),
        ({"call": "sign", "kind": "status", "status": 200}, "status: 200; expected 400 to 599"),
        ({"call": "sign", "kind": "delay", "seconds": -1.0}, "seconds: -1.0; expected 0 to 3600"),
        ({"call": "sign", "kind": "delay", "seconds": float("nan")}, "seconds: nan; expected 0 to 3600"),
        ({"call": "sign", "kind": "delay"}, "seconds: expected with a delay"),
        ({"call": "sign", "kind": "hang-up", "serial": "01:02"}, "serial: 'sign' is about no certificate"),
        ({"call": "revoke", "kind": "hang-up", "serial": "mine"}, "serial: 'mine'; expected pairs of"),
        ({"call": "sign", "kind": "status", "times": 0}, "times: 0; expected 1 or more, or nothing"),
    ],
)
def test_fault_that_makes_no_sense_is_refused(wanted: dict[str, Any], text: str) -> None:
    """Each mistake is named with what was expected."""
    with pytest.raises(ValueError, match=r".+") as refused:
        VaultFaults().order(concerns=lambda _system: True, **wanted)
    assert str(refused.value).startswith(text)


def test_faults_are_not_piled_up() -> None:
    """There is a most; those of one orderer are removed together."""
    faults = VaultFaults()
    for number in range(MOST_FAULTS):
        faults.order(concerns=lambda _s: True, call="sign", kind="status", orderer=str(number % 2))
    with pytest.raises(ValueError, match="which is the most"):
        faults.order(concerns=lambda _s: True, call="sign", kind="status")
    assert faults.remove_all_of("1") == MOST_FAULTS // 2
    assert len(faults.ordered()) == MOST_FAULTS // 2
