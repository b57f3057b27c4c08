"""Who may connect at all, judged by OpenSSL's own client and by Python's."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.pelion.lwm2m.device_site import NOW, Pair, make_developer_pair

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pelion.lwm2m.conftest import Bootstrap, Connect
    from tests.pelion.lwm2m.device_site import DeviceSite

STRANGER = make_developer_pair("5" * 32, "6" * 32)


def s_client(site: DeviceSite, directory: Path, pair: Pair | None, *more: str) -> tuple[int, str]:
    """Shake hands with the bootstrap server by OpenSSL; return exit code and what it says."""
    authority = directory / "authority.pem"
    authority.write_text(site.issuing.bootstrap.pem)
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{site.bootstrap_port}", "-brief"]
    command += ["-CAfile", str(authority), "-verify_return_error", "-verify_ip", "127.0.0.1"]
    if pair is not None:
        own = directory / "own.pem"
        own.write_text(pair.certificate + pair.key)
        command += ["-cert", str(own), "-key", str(own)]
    ended = subprocess.run(
        [*command, *more], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_openssl_with_a_developer_certificate_is_let_in(site: DeviceSite, tmp_path: Path) -> None:
    """TLS 1.2; the server's certificate verifies by the authority of the C file, for the address, too."""
    code, said = s_client(site, tmp_path, site.developer().pair, "-tls1_2")
    assert code == 0, said
    assert "Protocol version: TLSv1.2" in said
    assert "Verification: OK" in said


@pytest.mark.parametrize(
    ("pair", "alert"),
    [
        pytest.param(STRANGER, "alert unknown ca", id="unknown"),
        pytest.param(None, "alert handshake failure", id="none"),
    ],
)
def test_openssl_without_a_known_certificate_is_refused(
    site: DeviceSite, tmp_path: Path, pair: Pair | None, alert: str
) -> None:
    """In the handshake, with the alert that says why; the log says it, too."""
    before = len(site.notes("", "handshake refused"))
    code, said = s_client(site, tmp_path, pair, "-tls1_2")
    assert code != 0
    assert alert in said
    note = site.notes("", "handshake refused")[before]
    assert note["server"] == "bootstrap"
    assert note["common_name"] == (None if pair is None else "5" * 32)
    expected = "PEER_DID_NOT_RETURN_A_CERTIFICATE" if pair is None else "self-signed certificate"
    assert expected in note["reason"]


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_1"])
def test_openssl_with_another_version_is_refused(site: DeviceSite, tmp_path: Path, version: str) -> None:
    """TLS 1.2 and nothing else, as these devices speak it."""
    code, _said = s_client(site, tmp_path, site.developer().pair, version, "-cipher", "ALL:@SECLEVEL=0")
    assert code != 0


def test_a_device_that_takes_any_version_gets_1_2(site: DeviceSite, tmp_path: Path) -> None:
    """OpenSSL offers 1.3 first."""
    code, said = s_client(site, tmp_path, site.developer().pair)
    assert code == 0, said
    assert "TLSv1.2" in said


def test_a_certificate_of_a_known_name_with_another_key_is_refused(site: DeviceSite, tmp_path: Path) -> None:
    """The name of a trusted certificate is not enough."""
    developer = site.developer()
    code, said = s_client(site, tmp_path, make_developer_pair(developer.id, developer.account.id), "-tls1_2")
    assert code != 0
    assert "alert" in said
    (note,) = site.notes(developer.account.id, "handshake refused")
    assert note["common_name"] == developer.id


@pytest.mark.parametrize("status", ["deleted", "inactive"])
def test_who_is_trusted_is_asked_at_every_connection(site: DeviceSite, tmp_path: Path, status: str) -> None:
    """A certificate that was trusted a moment ago is unknown, one that is made now is trusted."""
    from harness_pelion.enums import CertificateStatus

    developer, other = site.developer(), site.developer()
    assert s_client(site, tmp_path, developer.pair)[0] == 0
    if status == "deleted":
        site.drop(developer)
    else:

        def deactivate() -> None:
            developer.record.status = CertificateStatus.INACTIVE
            site.directory.certificates_changed(developer.account)

        site.call(deactivate)
    code, said = s_client(site, tmp_path, developer.pair)
    assert code != 0
    assert "alert unknown ca" in said
    assert s_client(site, tmp_path, other.pair)[0] == 0
    assert s_client(site, tmp_path, site.developer().pair)[0] == 0


def test_an_expired_certificate_is_refused(site: DeviceSite, tmp_path: Path) -> None:
    """With the alert that says so."""
    developer = site.developer(begin=NOW - dt.timedelta(days=20), end=NOW - dt.timedelta(days=10))
    code, said = s_client(site, tmp_path, developer.pair, "-tls1_2")
    assert code != 0
    assert "alert certificate expired" in said
    (note,) = site.notes(developer.account.id, "handshake refused")
    assert note["reason"] == "the certificate has expired"


def test_whether_it_has_expired_is_told_by_the_accounts_clock(site: DeviceSite, tmp_path: Path) -> None:
    """Forward it ends a certificate, backward it begins too late; put back it is good again."""
    developer = site.developer()
    site.shift(developer.account, 11 * 365 * 86400)
    assert "alert certificate expired" in s_client(site, tmp_path, developer.pair)[1]
    site.shift(developer.account, -30 * 86400)
    assert "alert bad certificate" in s_client(site, tmp_path, developer.pair)[1]
    site.shift(developer.account, 0)
    assert s_client(site, tmp_path, developer.pair)[0] == 0


def test_an_expired_certificate_lives_by_a_clock_that_is_put_back(site: DeviceSite, tmp_path: Path) -> None:
    """The host's own time decides nothing."""
    developer = site.developer(begin=NOW - dt.timedelta(days=20), end=NOW - dt.timedelta(days=10))
    site.shift(developer.account, -15 * 86400)
    assert s_client(site, tmp_path, developer.pair)[0] == 0


def test_a_session_that_is_resumed_is_judged_again(site: DeviceSite, tmp_path: Path) -> None:
    """OpenSSL shows no certificate then; the one of before has expired in the meantime."""
    developer = site.developer()
    session = tmp_path / "session.pem"
    assert s_client(site, tmp_path, developer.pair, "-tls1_2", "-sess_out", str(session))[0] == 0
    site.shift(developer.account, 11 * 365 * 86400)
    s_client(site, tmp_path, developer.pair, "-tls1_2", "-sess_in", str(session))
    note = site.wait_for_note(developer.account.id, "handshake refused")
    assert note["reason"] == "the certificate has expired"


def test_a_device_that_does_not_trust_the_server_is_noted(site: DeviceSite, tmp_path: Path) -> None:
    """Its alert is in the log."""
    from tests.pelion.lwm2m.raw_device import RawDevice

    developer = site.developer()
    with pytest.raises(ssl.SSLCertVerificationError):
        RawDevice(site.bootstrap_port, developer.pair, site.issuing.stranger.pem, tmp_path)
    note = site.wait_for_note("", "handshake refused", containing="UNKNOWN_CA")
    assert note["server"] == "bootstrap"


def test_a_developer_certificate_is_nobody_at_the_lwm2m_server(site: DeviceSite, to_lwm2m: Connect) -> None:
    """Only certificates that a bootstrap gave are trusted there."""
    developer = site.developer()
    with pytest.raises((ssl.SSLError, ConnectionError), match=r"(?i)unknown.ca"):
        to_lwm2m(developer.pair)
    (note,) = site.notes(developer.account.id, "handshake refused")
    assert note["server"] == "lwm2m"


def test_a_devices_certificate_is_nobody_at_the_bootstrap_server(
    site: DeviceSite, bootstrap: Bootstrap, to_bootstrap: Connect
) -> None:
    """Nor does it open the other one."""
    given = bootstrap(site.developer())
    with pytest.raises((ssl.SSLError, ConnectionError), match=r"(?i)unknown.ca"):
        to_bootstrap(given.pair)


def test_a_devices_certificate_expires_too(site: DeviceSite, bootstrap: Bootstrap, to_lwm2m: Connect) -> None:
    """Ten years after its bootstrap, by the account's clock."""
    developer = site.developer()
    given = bootstrap(developer)
    to_lwm2m(given.pair)
    site.shift(developer.account, 11 * 365 * 86400)
    with pytest.raises((ssl.SSLError, ConnectionError), match=r"(?i)expired"):
        to_lwm2m(given.pair)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\xff\xff" + bytes(100),
        b"\x16\x03\x03\x00\x04\x01\x00\x00\x00",
        b"\x00",
    ],
    ids=["http", "too long", "empty hello", "one byte"],
)
def test_who_speaks_no_tls_is_closed(hasty_site: DeviceSite, nonsense: bytes) -> None:
    """Whatever comes, the connection ends and the next device is served."""
    with socket.create_connection(("127.0.0.1", hasty_site.bootstrap_port), timeout=10) as plain:
        plain.sendall(nonsense)
        while plain.recv(4096):
            pass


def test_who_does_not_finish_the_handshake_is_closed(hasty_site: DeviceSite) -> None:
    """A connection on which nothing comes does not stay."""
    before = len(hasty_site.notes("", "connection ended"))
    with socket.create_connection(("127.0.0.1", hasty_site.bootstrap_port), timeout=10) as plain:
        assert plain.recv(1) == b""
    reasons = [each["reason"] for each in hasty_site.notes("", "connection ended")[before:]]
    assert reasons == ["the handshake took too long"]
