"""Registration of devices that were never bootstrapped, whatever they show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from harness_pelion.enums import Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.inventory.leased_board import LeasedBoard
    from harness_pelion.resources import DeveloperCredentials, UpdateResources

pytestmark = pytest.mark.board(driver="mbl", destructive=True)

SECONDS = 20.0


def forged(pelion: Any, device_id: str, signer: Any, issuer: x509.Name) -> dict[str, bytes]:
    """Return what a bootstrap would have given a device, with a certificate that somebody else made."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(signer, hashes.SHA256())
    )
    server = pelion.lwm2m_server()
    authority = x509.load_pem_x509_certificate(server.server_certificate.encode())
    return {
        Item.LWM2M_SERVER_URI: server.server_uri.encode(),
        Item.LWM2M_DEVICE_CERT: certificate.public_bytes(Encoding.DER),
        Item.LWM2M_DEVICE_PRIVATE_KEY: key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        Item.LWM2M_SERVER_CA_CERT: authority.public_bytes(Encoding.DER),
        Item.INTERNAL_ENDPOINT: device_id.encode(),
        Item.USE_BOOTSTRAP: bytes(4),
    }


def store(board: LeasedBoard, items: dict[str, bytes]) -> None:
    """Put items into the device's store, as nobody but a bootstrap should."""
    for name, content in items.items():
        board.virtual.call("store_item", name=str(name), data=content.hex())


@pytest.mark.parametrize(
    "signer",
    [
        pytest.param(
            "its own", marks=pytest.mark.proves("registration", "without bootstrap: own authority"), id="own"
        ),
        pytest.param(
            "the server's name",
            marks=pytest.mark.proves("registration", "without bootstrap: an authority that only looks right"),
            id="named like the server's",
        ),
        pytest.param(
            "the developer's",
            marks=pytest.mark.proves("registration", "without bootstrap: signed by the developer's key"),
            id="developer's",
        ),
    ],
)
def test_without_bootstrap(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    refused_as: Callable[[str], set[str]],
    signer: str,
) -> None:
    """A device that was never bootstrapped does not register, whoever signed what it shows."""
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    authority = x509.load_pem_x509_certificate(pelion.lwm2m_server().server_certificate.encode())
    key: Any = ec.generate_private_key(ec.SECP256R1())
    issuer = {"its own": own, "the server's name": authority.subject}.get(signer)
    if issuer is None:
        key = load_der_private_key(developer.private_key_der, None)
        issuer = x509.load_der_x509_certificate(developer.certificate_der).subject
    assert board.driver.provision(developer, update).ok
    store(board, forged(pelion, "0" * 32, key, issuer))

    view = board.driver.wait_until_at_rest(SECONDS, after=board.driver.restart_client())

    assert not view.registered
    assert view.errors[0].name in refused_as("ConnectSecureConnectionFailed")
    assert pelion.devices(ca_id=developer.endpoint_name) == []
    assert pelion.devices(id="0" * 32) == []


@pytest.mark.proves("registration", "without bootstrap: the developer certificate itself")
def test_developer_certificate_at_the_wrong_server(
    board: LeasedBoard,
    developer: DeveloperCredentials,
    update: UpdateResources,
    pelion: Any,
    refused_as: Callable[[str], set[str]],
) -> None:
    """What opens the bootstrap server does not open the one where devices register."""
    assert board.driver.provision(developer, update).ok
    items = forged(pelion, "0" * 32, ec.generate_private_key(ec.SECP256R1()), x509.Name([]))
    items[Item.LWM2M_DEVICE_CERT] = developer.certificate_der
    items[Item.LWM2M_DEVICE_PRIVATE_KEY] = developer.private_key_der
    store(board, items)

    view = board.driver.wait_until_at_rest(SECONDS, after=board.driver.restart_client())

    assert not view.registered
    assert view.errors[0].name in refused_as("ConnectSecureConnectionFailed")
    assert pelion.devices(ca_id=developer.endpoint_name) == []
