"""Credentials that the client cannot use: it names what is wrong with them, and what it does then."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.pelion.cloud_client.misfortune import first_error
from tests.pelion.cloud_client.scripted_server import BootstrapScript

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pelion.cloud_client.site import Site


@pytest.mark.parametrize(
    "missing",
    [
        "UseBootstrap",
        "EndpointName",
        "BootstrapServerURI",
        "BootstrapDeviceCert",
        "BootstrapDevicePrivateKey",
        "BootstrapServerCACert",
    ],
)
def test_no_credentials(site: Site, missing: str) -> None:
    """An item that is missing is named; the client waits for somebody to start it again, then it works."""
    kept = site.board.store.items.pop(f"mbed.{missing}")

    assert first_error(site) == (
        "ConnectorFailedToReadCredentials",
        "268",
        f"Failed to read credentials from storage: mbed.{missing}",
    )
    site.board.join()
    assert site.board.state()["state"] == "failed"
    assert site.bootstrap.connections == 0

    site.board.store.items[f"mbed.{missing}"] = kept
    site.register()


def test_a_device_that_uses_no_bootstrap_needs_lwm2m_credentials(site: Site) -> None:
    """In the other mode nothing is asked of a bootstrap server; what is missing is named."""
    site.board.provision(site.pki, site.bootstrap.port, UseBootstrap=bytes(4))

    name, _code, details = first_error(site)

    assert name == "ConnectorFailedToReadCredentials"
    assert "mbed.LwM2MServerURI, mbed.LwM2MDeviceCert" in details


@pytest.mark.parametrize(
    ("item", "value", "details"),
    [
        ("BootstrapDeviceCert", b"broken", "a certificate cannot be read"),
        ("BootstrapServerCACert", b"broken", "a certificate cannot be read"),
        ("BootstrapDevicePrivateKey", b"broken", "the private key cannot be read"),
    ],
)
def test_broken_credentials(site: Site, item: str, value: bytes, details: str) -> None:
    """What cannot be read is named, and is not retried."""
    site.board.store.items[f"mbed.{item}"] = value

    assert first_error(site) == ("ConnectorInvalidCredentials", "269", details)
    site.board.join()
    assert site.board.state()["state"] == "failed"


def test_a_key_that_does_not_fit(site: Site) -> None:
    """The private key of another certificate."""
    site.board.store.items["mbed.BootstrapDevicePrivateKey"] = site.pki.stranger.key_der

    assert first_error(site) == (
        "ConnectorInvalidCredentials",
        "269",
        "the private key does not fit the certificate",
    )


def test_a_uri_that_is_none(site: Site) -> None:
    """The server's URI cannot be used."""
    site.board.store.items["mbed.BootstrapServerURI"] = b"http://host"

    assert first_error(site) == (
        "ConnectInvalidParameters",
        "258",
        "the server's URI cannot be used: its scheme is not coaps",
    )


def test_a_certificate_of_an_rsa_key_is_no_credential(site: Site, tmp_path: Path) -> None:
    """The device's keys are EC keys; an RSA key that fits its certificate is refused all the same."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-outform", "DER",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.der"],
        check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "key.pem", "-outform", "DER", "-out", tmp_path / "key.der"],
        check=True,
    )
    site.board.store.items["mbed.BootstrapDeviceCert"] = (tmp_path / "certificate.der").read_bytes()
    site.board.store.items["mbed.BootstrapDevicePrivateKey"] = (tmp_path / "key.der").read_bytes()

    assert first_error(site) == ("ConnectorInvalidCredentials", "269", "the private key is no EC key")


def test_a_bootstrap_without_a_key(site: Site) -> None:
    """Certificate mode needs all three; nothing is stored, and the device tries again."""
    script = BootstrapScript(site.pki, site.uri, **{"5": b""})
    site.bootstrap.follow(script)

    assert first_error(site) == (
        "ConnectorInvalidCredentials",
        "269",
        "the bootstrap server gave no key",
    )
    site.board.wait_state("registered")
    assert script.codes == ["2.02", "2.04", "2.04", "2.04", "4.00"]
    assert len(site.board.store.commits) == 1


def test_a_store_that_takes_nothing(site: Site) -> None:
    """A full disk: the server hears 5.00, nothing is kept, and the next try succeeds."""
    site.board.store.refusal = "File operation general error:"

    assert first_error(site) == (
        "ConnectorFailedToStoreCredentials",
        "270",
        "the key store refuses: File operation general error",
    )
    assert "mbed.LwM2MDeviceCert" not in site.board.store.items
    site.board.store.refusal = None
    site.board.wait_state("registered")
